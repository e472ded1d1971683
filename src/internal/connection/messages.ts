// hot path: bench/src/rows/oneway.js, rtt.js
import type { Bytes, StreamError } from "../../ByteStream.js"
import type { Handler } from "../../Duplex.js"
import * as Errors from "../../Errors.js"
import type { Message } from "../../Message.js"
import type { Messages, ReceiveError } from "../../Transport.js"
import * as Framing from "../wire/framing.js"
import type { SharedWrite, SharingPool } from "../wire/sharing.js"
import { soon } from "../ports/soon.js"
import type { Writing } from "./outgoing.js"
import { nobody, Outgoing } from "./outgoing.js"

interface Encoded extends Writing {
  readonly blocks: Framing.Write["blocks"]
  /** Other connections may write the same. */
  readonly shared: SharedWrite | undefined
}

/**
 * Messages over bytes: decodes a read as a whole, encodes all that was sent in a tick as one write, and waits for the
 * operating system to take that before the next.
 *
 * @internal
 */
export class ByteMessages extends Outgoing<Encoded> implements Messages, Handler<Uint8Array, StreamError> {
  private readonly decoder: Framing.Decoder
  /** Bytes that came glued to the handshake. */
  private glued: Uint8Array | undefined
  private demanded = false
  /** The memory of the last short frame, free again. */
  private short: Uint8Array | undefined = undefined
  /** Some of what is pending goes to other connections as well. */
  private sharing = false
  private failed = false

  constructor(
    private readonly bytes: Bytes,
    private readonly format: Framing.Format,
    private readonly pool: SharingPool,
    recvMaxSize: number,
    glued: Uint8Array
  ) {
    super()
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

  share(message: Message): boolean {
    this.sharing = true
    return this.push(message)
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
    const written = this.written()
    if (written !== undefined) {
      this.pool.give(written.blocks)
      written.shared?.giveBack()
    }
    this.goOn()
  }

  onClose(error: StreamError): void {
    this.end(
      error._tag === "NNG_ECONNSHUT" && !this.decoder.idle
        ? new Errors.ECONNSHUT({ operation: "receive", reason: "the peer closed in the middle of a message" })
        : error
    )
  }

  protected sizeOf(message: Message): number {
    return Framing.frameSize(this.format, message)
  }

  protected write(batch: ReadonlyArray<Message>, size: number): Encoded | undefined {
    if (this.sharing) return this.writeShared(batch, size)
    const short = Framing.encodeShort(this.format, batch, size, this.short)
    if (short !== undefined) {
      const taken = this.bytes.push([short])
      this.short = taken ? short : undefined
      return taken ? undefined : { batch, size, blocks: [], shared: undefined }
    }
    const write = Framing.encode(this.format, batch, size, this.pool)
    if (!this.bytes.push(write.pieces)) return { batch, size, blocks: write.blocks, shared: undefined }
    this.pool.give(write.blocks)
    return undefined
  }

  protected shut(): void {
    this.bytes.close()
  }

  /** What others have to write as well in this tick is encoded by the first of them. */
  private writeShared(batch: ReadonlyArray<Message>, size: number): Encoded | undefined {
    this.sharing = false
    const { pool } = this
    if (pool.sharesNothing) soon(() => pool.forget())
    const write = pool.lend(this.format, batch, size)
    if (!this.bytes.push(write.pieces)) return { batch, size, blocks: [], shared: write }
    write.giveBack()
    return undefined
  }

  private fail(): void {
    if (this.decoder.failure !== undefined) this.end(this.decoder.failure)
  }

  protected override end(error: ReceiveError): void {
    super.end(error)
    this.tell()
  }

  private tell(): void {
    const { owner } = this
    if (this.ended === undefined || owner === nobody) return
    this.owner = nobody
    owner.onClose(this.ended)
  }
}
