// hot path: bench/src/rows/ws-64.js
import type { Message } from "../../Message.js"
import * as internal from "../vocabulary/message.js"
import { Mask } from "./masking.js"

/** Uninitialised where the platform has such memory; every byte is written before anybody sees it. */
const allocateOwn: (size: number) => Uint8Array =
  typeof Buffer === "function" ? Buffer.allocUnsafeSlow : (size) => new Uint8Array(size)

/** Longest head that a frame has, mask included. */
const longestHead = 14

/**
 * What a message takes on the way at most; an empty one takes room too.
 *
 * @internal
 */
export const frameSize = (message: Message): number => longestHead + message.headerLength + message.length

/** Memory to write frames into; its words are for masking. */
class Block {
  readonly words: Uint32Array

  constructor(readonly bytes: Uint8Array) {
    this.words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2)
  }
}

/** Holds a frame of the length that listeners send at most by default. */
const blockSize = 128 * 1024

/** Less than this is not worth a block from the pool. */
const small = 4 * 1024

/** Bodies up to this size are copied beside their head where they are not masked; larger ones go by reference. */
const copied = 1024

/**
 * Blocks for frames, lent for a write; see `BlockPool` of framing.
 *
 * @internal
 */
export class FramePool {
  private readonly free: Array<Block> = []

  take(): Block {
    return this.free.pop() ?? new Block(allocateOwn(blockSize))
  }

  give(blocks: ReadonlyArray<Block>): void {
    for (const block of blocks) if (this.free.length < 8) this.free.push(block)
  }
}

/**
 * One write: the pieces, and the blocks that are lent for it.
 *
 * @internal
 */
export interface Write {
  readonly pieces: ReadonlyArray<Uint8Array>
  readonly blocks: ReadonlyArray<Block>
}

/**
 * How one side sends.
 *
 * @internal
 */
export interface Format {
  /** A fresh random mask for each frame, as a client has to; undefined where frames are not masked. */
  readonly nextMask: (() => number) | undefined
  /** Longest payload of a frame. */
  readonly maxFrame: number
}

/**
 * The frames of a batch of at most `size` bytes: each message is binary, whole or in fragments.
 *
 * @internal
 */
export const encode = (format: Format, messages: ReadonlyArray<Message>, size: number, pool: FramePool): Write => {
  const encoder = new Encoder(format, size, pool)
  for (let i = 0; i < messages.length; i++) encoder.add(messages[i]!)
  encoder.cut()
  return encoder
}

const binary = 0x02
const final = 0x80

class Encoder implements Write {
  readonly pieces: Array<Uint8Array> = []
  readonly blocks: Array<Block> = []
  private block: Block
  /** The current piece is block[begin, at). */
  private begin = 0
  private at = 0
  /** Of the frame under way. */
  private readonly mask = new Mask()

  constructor(
    private readonly format: Format,
    size: number,
    private readonly pool: FramePool
  ) {
    this.block = size <= small ? new Block(allocateOwn(size)) : this.lend()
  }

  add(message: Message): void {
    const { maxFrame } = this.format
    const size = message.headerLength + message.length
    if (size <= maxFrame) return this.frame(message, 0, size, final | binary)
    for (let from = 0; from < size; from += maxFrame) {
      const to = Math.min(size, from + maxFrame)
      this.frame(message, from, to, (from === 0 ? binary : 0) | (to === size ? final : 0))
    }
  }

  /** Ends the current piece. */
  cut(): void {
    const { at, begin, block } = this
    if (at === begin) return
    this.pieces.push(begin === 0 && at === block.bytes.length ? block.bytes : block.bytes.subarray(begin, at))
    this.begin = at
  }

  /** What is at [from, to) of header and body together. */
  private frame(message: Message, from: number, to: number, first: number): void {
    const { nextMask } = this.format
    const size = to - from
    const words = Math.max(0, Math.min(to, message.headerLength) - from)
    const byReference = nextMask === undefined && size > copied
    this.room(longestHead + (byReference ? words : size))
    const start = this.head(first, size, nextMask)
    if (words > 0) this.bytes(message.header.subarray(from, from + words))
    const body = from + words - message.headerLength
    if (byReference) {
      this.cut()
      this.pieces.push(message.body.subarray(body, to - message.headerLength))
      return
    }
    if (size > words) this.body(message, body, to - message.headerLength)
    if (nextMask !== undefined) this.mask.apply(this.block.bytes, this.block.words, 0, start, this.at, 0)
  }

  private body(message: Message, from: number, to: number): void {
    const buffer = internal.unsafeBuffer(message)
    const start = internal.unsafeStart(message)
    this.bytes(start === 0 && from === 0 && to === buffer.length ? buffer : message.body.subarray(from, to))
  }

  /** Returns where the payload begins. */
  private head(first: number, size: number, nextMask: (() => number) | undefined): number {
    const { bytes } = this.block
    const bit = nextMask === undefined ? 0 : 0x80
    bytes[this.at++] = first
    if (size < 126) {
      bytes[this.at++] = bit | size
    } else if (size < 65536) {
      bytes[this.at++] = bit | 126
      bytes[this.at++] = size >>> 8
      bytes[this.at++] = size
    } else {
      bytes[this.at++] = bit | 127
      for (let power = 2 ** 56; power >= 1; power /= 256) bytes[this.at++] = Math.floor(size / power)
    }
    if (nextMask !== undefined) {
      const mask = nextMask()
      for (let i = 0; i < 4; i++) bytes[this.at++] = this.mask.key[i] = mask >>> (8 * i)
    }
    return this.at
  }

  /** Makes sure of so much room in the block. */
  private room(size: number): void {
    if (this.at + size <= this.block.bytes.length) return
    this.cut()
    // a frame that no block holds has memory of its own
    this.block = size > blockSize ? new Block(allocateOwn(size)) : this.lend()
    this.begin = 0
    this.at = 0
  }

  private lend(): Block {
    const block = this.pool.take()
    this.blocks.push(block)
    return block
  }

  private bytes(bytes: Uint8Array): void {
    this.block.bytes.set(bytes, this.at)
    this.at += bytes.length
  }
}
