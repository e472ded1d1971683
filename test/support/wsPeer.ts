import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import type { Gone, Peer } from "./peers.js"

/** A WebSocket frame, unmasked. */
export interface Frame {
  readonly fin: boolean
  /** 0 continuation, 1 text, 2 binary, 8 close, 9 ping, 10 pong */
  readonly op: number
  readonly masked: boolean
  readonly payload: Uint8Array
}

const unmask = (bytes: Uint8Array, mask: Uint8Array): Uint8Array => bytes.map((byte, i) => byte ^ mask[i % 4]!)

const lengthOf = (bytes: Uint8Array): number => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return bytes.length === 2 ? view.getUint16(0) : Number(view.getBigUint64(0))
}

interface Reading<E> {
  readonly read: (n: number) => Effect.Effect<Uint8Array, E>
}

/** The next frame, or `Gone` if none comes. */
export const readFrame = <E>(peer: Reading<E>): Effect.Effect<Frame, E> =>
  Effect.gen(function* () {
    const [first, second] = yield* peer.read(2)
    const masked = (second! & 0x80) !== 0
    const short = second! & 0x7f
    const length = short < 126 ? short : lengthOf(yield* peer.read(short === 126 ? 2 : 8))
    const mask = masked ? yield* peer.read(4) : new Uint8Array(4)
    return {
      fin: (first! & 0x80) !== 0,
      op: first! & 0x0f,
      masked,
      payload: unmask(yield* peer.read(length), mask)
    }
  })

/** The frames that these bytes are. */
export const parseFrames = (bytes: Uint8Array): ReadonlyArray<Frame> => {
  const frames: Array<Frame> = []
  let at = 0
  const read = (n: number) => Effect.sync(() => bytes.subarray(at, (at += n)))
  while (at < bytes.length) frames.push(Effect.runSync(readFrame({ read })))
  return frames
}

export const parseFrame = (bytes: Uint8Array): Frame => parseFrames(bytes)[0]!

export interface FrameOptions {
  readonly mask?: boolean
  readonly fin?: boolean
  /** The length that is announced, if it is another. */
  readonly length?: number | bigint
}

const key = Uint8Array.of(0x37, 0xfa, 0x21, 0x3d)

/** A frame as it is sent, masked like a client's unless that is said not to be. */
export const frame = (
  op: number,
  body: Uint8Array | string,
  { fin = true, length, mask = true }: FrameOptions = {}
): Uint8Array => {
  const payload = typeof body === "string" ? Buffer.from(body) : body
  const size = length ?? payload.length
  const head: Array<number> = [(fin ? 0x80 : 0) | op]
  const bit = mask ? 0x80 : 0
  if (size < 126) head.push(bit | Number(size))
  else if (size < 65536) head.push(bit | 126, Number(size) >> 8, Number(size) & 0xff)
  else {
    const long = new Uint8Array(8)
    new DataView(long.buffer).setBigUint64(0, BigInt(size))
    head.push(bit | 127, ...long)
  }
  return Buffer.concat([Uint8Array.from(head), ...(mask ? [key, unmask(payload, key)] : [payload])])
}

/** The first line and the headers of an HTTP message; what follows it stays to be read. */
export interface Head {
  readonly first: string
  readonly headers: Readonly<Record<string, string>>
}

export const parseHead = (text: string): Head => {
  const [first = "", ...lines] = text.split("\r\n").filter((line) => line !== "")
  return {
    first,
    headers: Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()])
    )
  }
}

export const readHead = (peer: Peer): Effect.Effect<Head, Gone> => {
  const more = (text: string): Effect.Effect<Head, Gone> =>
    text.endsWith("\r\n\r\n")
      ? Effect.succeed(parseHead(text))
      : Effect.flatMap(peer.read(1), (byte) => more(text + String.fromCharCode(byte[0]!)))
  return more("")
}

export const statusOf = ({ first }: Head): number => Number(first.split(" ")[1])

export const acceptOf = (key: string): string =>
  createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64")

const clientKey = "AAECAwQFBgcICQoLDA0ODw=="

/** A request for an upgrade; a header that is undefined is left out. */
export const request = (
  path: string,
  headers: Readonly<Record<string, string | undefined>> = {},
  method = "GET"
): Uint8Array => {
  const all = {
    Host: "127.0.0.1",
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Key": clientKey,
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Protocol": "pair.sp.nanomsg.org",
    ...headers
  }
  const lines = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]))
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`)
}

/** Asks for an upgrade, and gives the answer. */
export const ask = (
  peer: Peer,
  path: string,
  headers?: Readonly<Record<string, string | undefined>>,
  method?: string
): Effect.Effect<Head, Gone> => Effect.zipRight(peer.write(request(path, headers, method)), readHead(peer))

/** Answers a request for an upgrade that has been read. */
export const grant = (peer: Peer, { headers }: Head, more: ReadonlyArray<string> = []): Effect.Effect<void> =>
  peer.write(
    Buffer.from(
      [
        "HTTP/1.1 101 Switching Protocols",
        "Connection: Upgrade",
        "Upgrade: websocket",
        `Sec-WebSocket-Accept: ${acceptOf(headers["sec-websocket-key"] ?? "")}`,
        `Sec-WebSocket-Protocol: ${headers["sec-websocket-protocol"]}`,
        ...more,
        "",
        ""
      ].join("\r\n")
    )
  )
