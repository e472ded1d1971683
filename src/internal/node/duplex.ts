// hot path: bench/src/rows/oneway.js, rtt.js
import type * as NodeStream from "node:stream"
import type { Bytes, StreamError } from "../../ByteStream.js"
import type { Handler, Leftover } from "../../Duplex.js"
import { noLeftover } from "../../Duplex.js"
import * as Errors from "../../Errors.js"
import { fromNode, narrow } from "./errno.js"
import { keepFreedMemory } from "./freedMemory.js"
import type { Reads } from "./reading.js"
import { readsOf } from "./reading.js"
import { soon } from "../ports/soon.js"

const streamErrors = [
  "NNG_ECONNSHUT",
  "NNG_ECONNRESET",
  "NNG_ETIMEDOUT",
  "NNG_ECLOSED",
  "NNG_ECRYPTO",
  "NNG_EPEERAUTH"
] as const

/** @internal */
export const streamError = (cause: Error): StreamError =>
  (cause as NodeJS.ErrnoException).code === "EPIPE"
    ? new Errors.ECONNRESET({ operation: "write", reason: cause.message, cause })
    : narrow(fromNode(cause, { operation: "stream" }), streamErrors)

const nothing = new Uint8Array(0)

const destroy = (stream: NodeStream.Duplex): void => void stream.destroy()

const nobody: Handler<Uint8Array, StreamError> = { onPull: () => {}, onDrain: () => {}, onClose: () => {} }

/**
 * Any of Node's duplex streams, read on demand and written with the operating system's consent. At most one read is
 * ahead of the demand; then the stream is paused, and the peer feels it.
 *
 * @internal
 */
export class NodeDuplex implements Bytes {
  private owner = nobody
  private demanded = false
  private paused = true
  private ahead: Uint8Array | undefined = undefined
  private writing: ReadonlyArray<Uint8Array> | undefined = undefined
  private error: StreamError | undefined = undefined
  private readonly reads: Reads | undefined

  /** `letGo` ends a stream that is closed here, at once or soon. */
  constructor(
    private readonly stream: NodeStream.Duplex,
    private readonly letGo: (stream: NodeStream.Duplex) => void = destroy
  ) {
    if (stream.destroyed) {
      this.error = stream.errored ? streamError(stream.errored) : new Errors.ECLOSED({ operation: "stream" })
    }
    stream.pause()
    this.reads = readsOf(stream)
    if (this.reads === undefined) stream.on("data", this.onData)
    else this.reads.target = this.onData
    stream.on("error", this.onError)
    stream.on("close", this.onEnd)
  }

  start(owner: Handler<Uint8Array, StreamError>): void {
    this.owner = owner
    if (this.error !== undefined) soon(() => this.tell())
  }

  pull(): Uint8Array | undefined {
    const ahead = this.ahead
    if (ahead !== undefined) {
      this.ahead = undefined
      return ahead
    }
    this.demanded = true
    if (this.paused) {
      this.paused = false
      this.stream.resume()
    }
    return undefined
  }

  offer(room: Uint8Array): void {
    if (this.reads === undefined) return
    keepFreedMemory()
    this.reads.room = room
  }

  push(pieces: ReadonlyArray<Uint8Array>): boolean {
    const { stream } = this
    if (stream.destroyed || stream.writableEnded) {
      this.writing = pieces
      return false
    }
    if (pieces.length === 1) {
      stream.write(pieces[0])
    } else {
      stream.cork()
      for (let i = 0; i < pieces.length; i++) stream.write(pieces[i])
      stream.uncork()
    }
    if (stream.writableLength === 0) return true
    this.writing = pieces
    // asking to be told costs more than most writes need, which are taken at once; this is told after all before it
    stream.write(nothing, this.onWritten)
    return false
  }

  close(): Leftover<ReadonlyArray<Uint8Array>> {
    this.owner = nobody
    this.letGo(this.stream)
    const { writing } = this
    this.writing = undefined
    this.ahead = undefined
    return writing === undefined ? noLeftover : { unsent: [], doubtful: [writing] }
  }

  private readonly onData = (chunk: Uint8Array) => {
    if (this.demanded) {
      this.demanded = false
      this.owner.onPull(chunk)
    } else {
      this.ahead = chunk
      this.paused = true
      this.stream.pause()
    }
  }

  private readonly onWritten = () => {
    if (this.writing === undefined || this.stream.writableLength > 0 || this.stream.destroyed) return
    this.writing = undefined
    this.owner.onDrain()
  }

  private readonly onError = (cause: Error) => {
    this.error ??= streamError(cause)
  }

  /** Comes last. Without an error it was the peer's end in good order, or else our own doing. */
  private readonly onEnd = () => {
    this.error ??= this.stream.readableEnded
      ? new Errors.ECONNSHUT({ operation: "stream" })
      : new Errors.ECLOSED({ operation: "stream" })
    this.tell()
  }

  private tell(): void {
    const { owner } = this
    this.owner = nobody
    if (this.error !== undefined) owner.onClose(this.error)
  }
}
