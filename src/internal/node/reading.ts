// hot path: bench/src/rows/reqrep-rtt.js, tcp-64k.js, tcp-1m.js
import * as Net from "node:net"

/**
 * Every read of every connection goes here, and what came is copied out: memory that is warm, in the place of 64 KiB of
 * fresh memory for each read. It is empty between two reads, since on these platforms one is made only when there is
 * something, and told at once. Windows fills what it was given before, whenever something comes.
 */
const shared = process.platform === "win32" ? undefined : Buffer.allocUnsafeSlow(64 * 1024)

/** What Node does not say of its sockets. */
interface Inside {
  _handle: { readonly useUserBuffer?: unknown } | null
}

/**
 * Where the bytes of one socket are read to, and who is told of them.
 *
 * @internal
 */
export class Reads {
  target: (chunk: Uint8Array) => void = () => {}
  /** Where the next bytes may be put instead, to stay there; offered by the target while it is told of those before. */
  room: Uint8Array | undefined = undefined

  constructor(private readonly memory: Uint8Array) {}

  /** As Node wants it. */
  readonly onread: Net.OnReadOpts = {
    buffer: () => this.room ?? this.memory,
    callback: (length, memory) => {
      this.room = undefined
      this.target(memory === this.memory ? copy(memory, length) : memory.subarray(0, length))
      return true
    }
  }
}

const copy = (memory: Uint8Array, length: number): Uint8Array => {
  const chunk = Buffer.allocUnsafe(length)
  chunk.set(length === memory.length ? memory : memory.subarray(0, length))
  return chunk
}

const readers = new WeakMap<object, Reads>()

/**
 * How this stream is read, if not by its "data".
 *
 * @internal
 */
export const readsOf = (stream: object): Reads | undefined => readers.get(stream)

/**
 * A socket to be connected.
 *
 * @internal
 */
export const makeSocket = (options: Net.SocketConstructorOpts): Net.Socket => {
  if (shared === undefined) return new Net.Socket(options)
  const reads = new Reads(shared)
  const socket = new Net.Socket({ ...options, onread: reads.onread } as Net.SocketConstructorOpts)
  readers.set(socket, reads)
  return socket
}

/**
 * The connection of a socket that was accepted, and has read nothing yet, in one that reads as those of `makeSocket` do:
 * a server cannot be told how its sockets are to read. Where Node has changed within, the socket itself.
 *
 * @internal
 */
export const adopt = (accepted: Net.Socket): Net.Socket => {
  const inside = accepted as unknown as Inside
  const handle = inside._handle
  if (shared === undefined || handle === null || typeof handle?.useUserBuffer !== "function") return accepted
  inside._handle = null
  accepted.on("error", () => {}).destroy()
  return makeSocket({ handle, manualStart: true } as Net.SocketConstructorOpts)
}
