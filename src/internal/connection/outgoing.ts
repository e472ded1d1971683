// hot path: bench/src/rows/tcp-64-op.js, ws-64.js
import type { Handler, Leftover } from "../../Duplex.js"
import { noLeftover } from "../../Duplex.js"
import type { Message } from "../../Message.js"
import type { ReceiveError } from "../../Transport.js"
import { soon } from "../ports/soon.js"

/**
 * What a pipe accepts before it is full; there is always room for one message. It stands for the kernel's buffer: what
 * is in it counts as sent.
 */
const highWaterMark = 256 * 1024

/**
 * What is with the operating system, and not all taken yet.
 *
 * @internal
 */
export interface Writing {
  readonly batch: ReadonlyArray<Message>
  readonly size: number
}

/** @internal */
export const nobody: Handler<ReadonlyArray<Message>, ReceiveError> = {
  onPull: () => {},
  onDrain: () => {},
  onClose: () => {}
}

/**
 * The sending half of a connection over bytes or frames: what was sent in a tick is one write, and the next is made when
 * the operating system has taken that.
 *
 * @internal
 */
export abstract class Outgoing<W extends Writing = Writing> {
  protected owner = nobody
  /** Why it ended, kept for an owner that comes later. */
  protected ended: ReceiveError | undefined = undefined
  protected closed = false
  /** Accepted, not yet written. */
  private pending: Array<Message> = []
  private pendingSize = 0
  private writing: W | undefined = undefined
  private scheduled = false
  private full = false
  /** Who wants to know that nothing is left to be written. */
  private awaited: Array<() => void> = []

  /** What a message takes on the way. */
  protected abstract sizeOf(message: Message): number

  /** Hands these over; gives what is not all taken yet. */
  protected abstract write(batch: ReadonlyArray<Message>, size: number): W | undefined

  /** Closes what is below. */
  protected abstract shut(): void

  push(message: Message): boolean {
    this.pending.push(message)
    this.pendingSize += this.sizeOf(message)
    if (!this.scheduled && this.writing === undefined) {
      this.scheduled = true
      soon(this.flush)
    }
    if (this.pendingSize + (this.writing?.size ?? 0) < highWaterMark) return true
    this.full = true
    return false
  }

  whenSent(done: () => void): void {
    this.awaited.push(done)
    this.settle()
  }

  close(): Leftover<Message> {
    if (this.closed) return noLeftover
    this.writePending()
    this.closed = true
    this.owner = nobody
    this.shut()
    const doubtful = this.writing?.batch ?? []
    const unsent = this.pending
    this.writing = undefined
    this.pending = []
    this.settle()
    return { unsent, doubtful }
  }

  /** All is taken now; gives what that was. */
  protected written(): W | undefined {
    const { writing } = this
    this.writing = undefined
    return writing
  }

  /** To be called when there may be room again. */
  protected goOn(): void {
    this.writePending()
    this.relieve()
  }

  /** It has ended by itself; whoever waits for the end of all writing is told. */
  protected end(error: ReceiveError): void {
    this.ended ??= error
    this.settle()
  }

  private readonly flush = () => {
    this.scheduled = false
    this.goOn()
  }

  private writePending(): void {
    // what is written when it has ended is lost, and what is not can go to another
    if (this.closed || this.ended !== undefined || this.writing !== undefined || this.pending.length === 0) return
    const batch = this.pending
    const size = this.pendingSize
    this.pending = []
    this.pendingSize = 0
    this.writing = this.write(batch, size)
  }

  private relieve(): void {
    if (this.awaited.length > 0) this.settle()
    if (!this.full || this.closed || this.pendingSize + (this.writing?.size ?? 0) >= highWaterMark) return
    this.full = false
    this.owner.onDrain()
  }

  private settle(): void {
    if (this.ended === undefined && (this.pending.length > 0 || this.writing !== undefined)) return
    for (const done of this.awaited.splice(0)) soon(done)
  }
}
