import { readFileSync } from "node:fs"
import * as Net from "node:net"
import * as Tls from "node:tls"

/** A message of this many bytes as it stands on the wire of tcp. */
export const frame = (size) => {
  const bytes = Buffer.alloc(8 + size)
  bytes.writeUInt32BE(size, 4)
  return bytes
}

const { TLS_CA, TLS_CERT_KEY } = process.env

const createServer = (onSocket) => {
  if (TLS_CERT_KEY === undefined) return Net.createServer({ noDelay: true }, onSocket)
  const own = readFileSync(TLS_CERT_KEY)
  return Tls.createServer({ noDelay: true, cert: own, key: own }, onSocket)
}

export const listen = (onSocket) =>
  new Promise((resolve) => {
    const server = createServer(onSocket)
    server.listen(0, "127.0.0.1", () => resolve(server))
  })

export const connect = (port) =>
  new Promise((resolve, reject) => {
    const to = { port, host: "127.0.0.1", noDelay: true }
    const socket =
      TLS_CA === undefined
        ? Net.connect(to, () => resolve(socket))
        : Tls.connect({ ...to, ca: readFileSync(TLS_CA) }, () => resolve(socket))
    socket.once("error", reject)
  })

/** What anybody would write by hand: every length read, every body cut out and given to `onMessage`. */
export const parser = (onMessage) => {
  let rest
  return (chunk) => {
    const bytes = rest === undefined ? chunk : Buffer.concat([rest, chunk])
    let at = 0
    while (bytes.length - at >= 8) {
      const size = bytes.readUInt32BE(at + 4)
      if (bytes.length - at < 8 + size) break
      onMessage(bytes.subarray(at + 8, at + 8 + size))
      at += 8 + size
    }
    rest = at === bytes.length ? undefined : bytes.subarray(at)
  }
}

/** The same for bodies of any size: one that spans reads gets memory of its own, once. */
export const assembler = (onMessage) => {
  const head = Buffer.alloc(8)
  let headLength = 0
  let body
  let bodyLength = 0
  return (bytes) => {
    const end = bytes.length
    let at = 0
    while (at < end) {
      if (body !== undefined) {
        const taken = Math.min(body.length - bodyLength, end - at)
        body.set(bytes.subarray(at, at + taken), bodyLength)
        bodyLength += taken
        at += taken
        if (bodyLength < body.length) return
        const whole = body
        body = undefined
        onMessage(whole)
        continue
      }
      let size
      if (headLength > 0 || end - at < 8) {
        const taken = Math.min(8 - headLength, end - at)
        head.set(bytes.subarray(at, at + taken), headLength)
        headLength += taken
        at += taken
        if (headLength < 8) return
        headLength = 0
        size = head.readUInt32BE(4)
      } else {
        size = bytes.readUInt32BE(at + 4)
        at += 8
      }
      if (end - at >= size) {
        onMessage(bytes.subarray(at, at + size))
        at += size
      } else {
        body = Buffer.allocUnsafeSlow(size)
        bodyLength = 0
      }
    }
  }
}

/** The SP header of a protocol. */
export const greetingOf = (protocol) => Buffer.from([0x00, 0x53, 0x50, 0x00, 0x00, protocol, 0x00, 0x00])

/** That of pair0, so that either side may be anybody's. */
export const greeting = greetingOf(0x10)

/** Leaves out the peer's header. */
export const afterGreeting = (onData) => {
  let left = greeting.length
  return (chunk) => {
    if (left === 0) return onData(chunk)
    const taken = Math.min(left, chunk.length)
    left -= taken
    if (taken < chunk.length) onData(chunk.subarray(taken))
  }
}
