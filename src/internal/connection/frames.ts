// hot path: bench/src/rows/ws-64.js
import type { Handler, Leftover } from "../../Duplex.js"
import type { Message } from "../../Message.js"
import type { Messages, ReceiveError } from "../../Transport.js"
import { soon } from "../ports/soon.js"
import * as internal from "../vocabulary/message.js"
import { frameSize } from "../wire/frames.js"
import type { Writing } from "./outgoing.js"
import { nobody, Outgoing } from "./outgoing.js"

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

/**
 * Messages over a WebSocket: what a read brought is given as one batch, what was sent in a tick is written as one, and
 * the next when the operating system has that. Reading stops when nobody asks.
 *
 * @internal
 */
export class FrameMessages extends Outgoing implements Messages, FramesOwner {
  private arrived: Array<Message> = []
  private demanded = false
  private delivering = false
  private paused = true

  constructor(private readonly frames: Frames) {
    super()
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

  override close(): Leftover<Message> {
    this.arrived = []
    return super.close()
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
    if (this.written() !== undefined) this.goOn()
  }

  onEnd(error: ReceiveError): void {
    if (this.ended !== undefined) return
    this.end(error)
    soon(this.tell)
  }

  protected sizeOf(message: Message): number {
    return frameSize(message)
  }

  protected write(batch: ReadonlyArray<Message>, size: number): Writing | undefined {
    return this.frames.write(batch, size) ? undefined : { batch, size }
  }

  protected shut(): void {
    this.frames.close()
  }

  private readonly deliver = () => {
    this.delivering = false
    if (!this.demanded || this.arrived.length === 0 || this.closed) return
    const batch = this.arrived
    this.arrived = []
    this.demanded = false
    this.owner.onPull(batch)
  }

  private readonly tell = () => {
    this.deliver()
    const { owner } = this
    if (this.ended === undefined || owner === nobody) return
    this.owner = nobody
    owner.onClose(this.ended)
  }
}
