import * as ByteStream from "effect-nng/ByteStream"
import type { Handler, Leftover } from "effect-nng/Duplex"
import { noLeftover } from "effect-nng/Duplex"

interface Written {
  readonly pieces: ReadonlyArray<Uint8Array>
  /** The bytes as they were when they were handed over. */
  readonly then: Buffer
}

/** The bytes of a connection without a network: a test says what comes, and when what goes is done. */
export class FakeBytes implements ByteStream.Bytes {
  /** Whether a write is done at once. Otherwise it is done when `drain` says so. */
  accepting = true
  demanded = false
  closed = false
  readonly writes: Array<Written> = []
  /** What was offered, and not used. */
  readonly offered: Array<Uint8Array> = []
  private owner: Handler<Uint8Array, ByteStream.StreamError> | undefined = undefined
  private ahead: Array<Uint8Array> = []
  private pending: Written | undefined = undefined

  readonly stream = ByteStream.make(this, {})

  start(handler: Handler<Uint8Array, ByteStream.StreamError>): void {
    this.owner = handler
  }

  pull(): Uint8Array | undefined {
    const chunk = this.ahead.shift()
    this.demanded = chunk === undefined
    return chunk
  }

  offer(room: Uint8Array): void {
    this.offered.push(room)
  }

  push(pieces: ReadonlyArray<Uint8Array>): boolean {
    if (this.pending !== undefined) throw new Error("pushed while it was full")
    if (this.closed) throw new Error("pushed after close")
    const written = { pieces, then: Buffer.concat(pieces) }
    this.writes.push(written)
    if (!this.accepting) this.pending = written
    return this.accepting
  }

  close(): Leftover<ReadonlyArray<Uint8Array>> {
    this.closed = true
    this.owner = undefined
    return this.pending === undefined ? noLeftover : { unsent: [], doubtful: [this.pending.pieces] }
  }

  /** One read. */
  arrive(...pieces: ReadonlyArray<Uint8Array>): void {
    const chunk = Uint8Array.from(Buffer.concat(pieces))
    if (!this.demanded) return void this.ahead.push(chunk)
    this.demanded = false
    this.owner?.onPull(chunk)
  }

  /** What was written last is done, and was not touched meanwhile. */
  drain(): void {
    const { pending } = this
    if (pending === undefined) throw new Error("nothing to drain")
    if (Buffer.compare(Buffer.concat(pending.pieces), pending.then) !== 0) {
      throw new Error("bytes were changed before they were written")
    }
    this.pending = undefined
    this.owner?.onDrain()
  }

  end(error: ByteStream.StreamError): void {
    this.owner?.onClose(error)
  }

  get full(): boolean {
    return this.pending !== undefined
  }

  /** All that was written. */
  get output(): Buffer {
    return Buffer.concat(this.writes.map(({ then }) => then))
  }
}
