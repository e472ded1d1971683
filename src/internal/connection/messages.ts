// hot path: bench/src/rows/oneway.js, rtt.js
import type { Bytes, StreamError } from "../../ByteStream.js"
import type { Handler, Leftover } from "../../Duplex.js"
import { noLeftover } from "../../Duplex.js"
import * as Errors from "../../Errors.js"
import type { Message } from "../../Message.js"
import type { Messages, ReceiveError } from "../../Transport.js"
import * as Framing from "../wire/framing.js"
import type { SharedWrite, SharingPool } from "../wire/sharing.js"
import { soon } from "../ports/soon.js"

/**
 * What a pipe accepts before it is full; there is always room for one message. It stands for the kernel's buffer: what
 * is in it counts as sent.
 */
const highWaterMark = 256 * 1024

interface Writing {
  readonly batch: ReadonlyArray<Message>
  readonly size: number
  readonly blocks: Framing.Write["blocks"]
  /** Other connections may write the same. */
  readonly shared: SharedWrite | undefined
}

const nobody: Handler<ReadonlyArray<Message>, ReceiveError> = {
  onPull: () => {},
  onDrain: () => {},
  onClose: () => {}
}

/**
 * Messages over bytes: decodes a read as a whole, encodes all that was sent in a tick as one write, and waits for the
 * operating system to take that before the next.
 *
 * @internal
 */
export class ByteMessages implements Messages, Handler<Uint8Array, StreamError> {
  private owner = nobody
  private readonly decoder: Framing.Decoder
  /** Bytes that came glued to the handshake. */
  private glued: Uint8Array | undefined
  private demanded = false
  /** Accepted, not yet encoded. */
  private pending: Array<Message> = []
  private pendingBytes = 0
  /** With the operating system, not all taken yet. */
  private writing: Writing | undefined = undefined
  /** The memory of the last short frame, free again. */
  private short: Uint8Array | undefined = undefined
  private scheduled = false
  /** Some of what is pending goes to other connections as well. */
  private sharing = false
  /** Who wants to know that nothing is left to be written. */
  private awaited: Array<() => void> = []
  private full = false
  private failed = false
  private closed = false
  /** Why it ended, kept for an owner that comes later. */
  private ended: ReceiveError | undefined = undefined

  constructor(
    private readonly bytes: Bytes,
    private readonly format: Framing.Format,
    private readonly pool: SharingPool,
    recvMaxSize: number,
    glued: Uint8Array
  ) {
    this.decoder = new Framing.Decoder(format, recvMaxSize)
    this.glued = glued.length === 0 ? undefined : glued
    bytes.start(this)
  }

  start(owner: Handler<ReadonlyArray<Message>, ReceiveError>): void {
    this.owner = owner
    if (this.ended !== undefined) soon(() => this.tell())
  }

  pull(): ReadonlyArray<Message> | undefined {
    while (!this.failed) {
      const chunk = this.glued ?? this.bytes.pull()
      this.glued = undefined
      if (chunk === undefined) {
        this.demanded = true
        return undefined
      }
      const batch = this.decoder.unsafePush(chunk)
      if (this.decoder.failure !== undefined) {
        this.failed = true
        soon(() => this.fail())
      }
      if (batch.length > 0) return batch
    }
    return undefined
  }

  push(message: Message): boolean {
    this.pending.push(message)
    this.pendingBytes += Framing.frameSize(this.format, message)
    if (!this.scheduled && this.writing === undefined) {
      this.scheduled = true
      soon(this.flush)
    }
    if (this.pendingBytes + (this.writing?.size ?? 0) < highWaterMark) return true
    this.full = true
    return false
  }

  share(message: Message): boolean {
    this.sharing = true
    return this.push(message)
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
    this.bytes.close()
    const doubtful = this.writing?.batch ?? []
    const unsent = this.pending
    this.writing = undefined
    this.pending = []
    this.settle()
    return { unsent, doubtful }
  }

  onPull(chunk: Uint8Array): void {
    const batch = this.decoder.unsafePush(chunk)
    const { room } = this.decoder
    if (room !== undefined) this.bytes.offer?.(room)
    if (batch.length > 0) {
      this.demanded = false
      this.owner.onPull(batch)
    }
    if (this.decoder.failure !== undefined) {
      this.failed = true
      return this.fail()
    }
    if (!this.demanded) return
    const more = this.pull()
    if (more === undefined) return
    this.demanded = false
    this.owner.onPull(more)
  }

  onDrain(): void {
    if (this.writing !== undefined) {
      this.pool.give(this.writing.blocks)
      this.writing.shared?.giveBack()
    }
    this.writing = undefined
    this.write()
    this.relieve()
  }

  onClose(error: StreamError): void {
    this.end(
      error._tag === "NNG_ECONNSHUT" && !this.decoder.idle
        ? new Errors.ECONNSHUT({ operation: "receive", reason: "the peer closed in the middle of a message" })
        : error
    )
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
    const size = this.pendingBytes
    this.pending = []
    this.pendingBytes = 0
    if (this.sharing) return this.writeShared(batch, size)
    const short = Framing.encodeShort(this.format, batch, size, this.short)
    if (short !== undefined) {
      const taken = this.bytes.push([short])
      this.short = taken ? short : undefined
      if (!taken) this.writing = { batch, size, blocks: [], shared: undefined }
      return
    }
    const write = Framing.encode(this.format, batch, size, this.pool)
    if (this.bytes.push(write.pieces)) {
      this.pool.give(write.blocks)
      return
    }
    this.writing = { batch, size, blocks: write.blocks, shared: undefined }
  }

  /** What others have to write as well in this tick is encoded by the first of them. */
  private writeShared(batch: ReadonlyArray<Message>, size: number): void {
    this.sharing = false
    const { pool } = this
    if (pool.sharesNothing) soon(() => pool.forget())
    const write = pool.lend(this.format, batch, size)
    if (this.bytes.push(write.pieces)) return write.giveBack()
    this.writing = { batch, size, blocks: [], shared: write }
  }

  private relieve(): void {
    if (this.awaited.length > 0) this.settle()
    if (!this.full || this.closed || this.pendingBytes + (this.writing?.size ?? 0) >= highWaterMark) return
    this.full = false
    this.owner.onDrain()
  }

  private fail(): void {
    if (this.decoder.failure !== undefined) this.end(this.decoder.failure)
  }

  /** Tells those who wait for the end of all writing, if this is it. */
  private settle(): void {
    if (this.ended === undefined && (this.pending.length > 0 || this.writing !== undefined)) return
    for (const done of this.awaited.splice(0)) soon(done)
  }

  private end(error: ReceiveError): void {
    this.ended ??= error
    this.settle()
    this.tell()
  }

  private tell(): void {
    const { owner } = this
    if (this.ended === undefined || owner === nobody) return
    this.owner = nobody
    owner.onClose(this.ended)
  }
}
