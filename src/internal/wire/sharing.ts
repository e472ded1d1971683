// hot path: bench/src/rows/pub-10.js
import type { Message } from "../../Message.js"
import type { Format, Write } from "./framing.js"
import { BlockPool, encode } from "./framing.js"

/**
 * A write that several connections make. Its blocks are free again when all of them have handed it over.
 *
 * @internal
 */
export class SharedWrite implements Write {
  readonly pieces: ReadonlyArray<Uint8Array>
  readonly blocks: Write["blocks"]
  private users = 0

  constructor(
    readonly batch: ReadonlyArray<Message>,
    write: Write,
    private readonly pool: BlockPool
  ) {
    this.pieces = write.pieces
    this.blocks = write.blocks
  }

  /** The very same messages, in the same order. */
  isOf(batch: ReadonlyArray<Message>): boolean {
    if (batch.length !== this.batch.length) return false
    for (let i = 0; i < batch.length; i++) if (batch[i] !== this.batch[i]) return false
    return true
  }

  lend(): this {
    this.users++
    return this
  }

  giveBack(): void {
    if (--this.users === 0) this.pool.give(this.blocks)
  }
}

/** Connections that lag write other batches than those that do not. */
const most = 4

/**
 * Blocks, and the writes of this tick for connections that have the same messages to send.
 *
 * @internal
 */
export class SharingPool extends BlockPool {
  private recent: Array<SharedWrite> = []

  /** Whether nothing is kept for others, and so nothing to be forgotten. */
  get sharesNothing(): boolean {
    return this.recent.length === 0
  }

  /** The write of these messages, lent; it is made if there is none yet. */
  lend(format: Format, batch: ReadonlyArray<Message>, size: number): SharedWrite {
    for (const write of this.recent) if (write.isOf(batch)) return write.lend()
    const write = new SharedWrite(batch, encode(format, batch, size, this), this)
    this.recent.push(write.lend())
    if (this.recent.length > most) this.recent.shift()!.giveBack()
    return write.lend()
  }

  /** The tick is over. Whoever still hands one over has it. */
  forget(): void {
    for (const write of this.recent) write.giveBack()
    this.recent = []
  }
}
