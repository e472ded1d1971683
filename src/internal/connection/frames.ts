// hot path: bench/src/rows/ws-64.js
import type { Handler, Leftover } from "../../Duplex.js"
import { noLeftover } from "../../Duplex.js"
import type { Message } from "../../Message.js"
import type { Messages, ReceiveError } from "../../Transport.js"
import { soon } from "../ports/soon.js"
import * as internal from "../vocabulary/message.js"
import { frameSize } from "../wire/frames.js"

/**
 * What the owner of `Frames` is told, never from within a call of it.
 *
 * @internal
 */
export interface FramesOwner {
  /** A whole message came; its bytes are the owner's. */
  readonly onPayload: (bytes: Uint8Array) => void
  /** What was written is with the operating system. */
  readonly onWritten: () => void
  /** Nothing more comes or goes. Called once, and not after `close`. */
  readonly onEnd: (error: ReceiveError) => void
}

/**
 * A WebSocket that is open, as its platform has it. It is paused when it is made.
 *
 * @internal
 */
export interface Frames {
  readonly start: (owner: FramesOwner) => void
  /**
   * Writes each message as a binary message; with their heads they take so many bytes at most. False: not all is taken
   * yet, and `onWritten` comes.
   */
  readonly write: (batch: ReadonlyArray<Message>, size: number) => boolean
  readonly pause: () => void
  readonly resume: () => void
  /** Says goodbye, without waiting for an answer. */
  readonly close: () => void
}

/** What a pipe accepts before it is full; what is in it counts as sent. */
const highWaterMark = 256 * 1024

interface Writing {
  readonly batch: ReadonlyArray<Message>
  readonly size: number
}

const nobody: Handler<ReadonlyArray<Message>, ReceiveError> = {
  onPull: () => {},
  onDrain: () => {},
  onClose: () => {}
}

/**
 * Messages over a WebSocket: what a read brought is given as one batch, what was sent in a tick is written as one, and
 * the next when the operating system has that. Reading stops when nobody asks.
 *
 * @internal
 */
export class FrameMessages implements Messages, FramesOwner {
  private owner = nobody
  private arrived: Array<Message> = []
  private demanded = false
  private delivering = false
  private paused = true
  /** Accepted, not yet written. */
  private pending: Array<Message> = []
  private pendingSize = 0
  private writing: Writing | undefined = undefined
  private scheduled = false
  private full = false
  private closed = false
  private awaited: Array<() => void> = []
  /** Why it ended, kept for an owner that comes later. */
  private ended: ReceiveError | undefined = undefined

  constructor(private readonly frames: Frames) {
    frames.start(this)
  }

  start(owner: Handler<ReadonlyArray<Message>, ReceiveError>): void {
    this.owner = owner
    if (this.ended !== undefined) soon(this.tell)
  }

  pull(): ReadonlyArray<Message> | undefined {
    const batch = this.arrived
    if (batch.length > 0) {
      this.arrived = []
      return batch
    }
    this.demanded = true
    if (this.paused && this.ended === undefined) {
      this.paused = false
      this.frames.resume()
    }
    return undefined
  }

  push(message: Message): boolean {
    this.pending.push(message)
    this.pendingSize += frameSize(message)
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
    this.write()
    this.closed = true
    this.owner = nobody
    this.frames.close()
    const doubtful = this.writing?.batch ?? []
    const unsent = this.pending
    this.writing = undefined
    this.pending = []
    this.arrived = []
    this.settle()
    return { unsent, doubtful }
  }

  onPayload(bytes: Uint8Array): void {
    this.arrived.push(internal.unsafeView(bytes, 0, bytes.length))
    if (!this.demanded) {
      if (this.paused) return
      this.paused = true
      this.frames.pause()
    } else if (!this.delivering) {
      // the other messages of this read come before
      this.delivering = true
      soon(this.deliver)
    }
  }

  onWritten(): void {
    if (this.writing === undefined) return
    this.writing = undefined
    this.write()
    this.relieve()
  }

  onEnd(error: ReceiveError): void {
    if (this.ended !== undefined) return
    this.ended = error
    this.settle()
    soon(this.tell)
  }

  private readonly deliver = () => {
    this.delivering = false
    if (!this.demanded || this.arrived.length === 0 || this.closed) return
    const batch = this.arrived
    this.arrived = []
    this.demanded = false
    this.owner.onPull(batch)
  }

  private readonly flush = () => {
    this.scheduled = false
    this.write()
    this.relieve()
  }

  private write(): void {
    // what is written when it has ended is lost, and what is not can go to another
    if (this.closed || this.ended !== undefined || this.writing !== undefined || this.pending.length === 0) return
    const batch = this.pending
    const size = this.pendingSize
    this.pending = []
    this.pendingSize = 0
    if (!this.frames.write(batch, size)) this.writing = { batch, size }
  }

  private relieve(): void {
    this.settle()
    if (!this.full || this.closed || this.pendingSize + (this.writing?.size ?? 0) >= highWaterMark) return
    this.full = false
    this.owner.onDrain()
  }

  /** Tells those who wait for the end of all writing, if this is it. */
  private settle(): void {
    if (this.awaited.length === 0) return
    if (this.ended === undefined && (this.pending.length > 0 || this.writing !== undefined)) return
    for (const done of this.awaited.splice(0)) soon(done)
  }

  private readonly tell = () => {
    this.deliver()
    const { owner } = this
    if (this.ended === undefined || owner === nobody) return
    this.owner = nobody
    owner.onClose(this.ended)
  }
}
