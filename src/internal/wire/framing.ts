// hot path: bench/src/rows/oneway.js, rtt.js
import * as Errors from "../../Errors.js"
import type * as Message from "../../Message.js"
import * as internal from "../vocabulary/message.js"

/**
 * How a transport frames its messages: an unsigned 64 bit big-endian length, after a marker byte or not.
 *
 * @internal
 */
export interface Format {
  /** The byte in front of each length (ipc: 1), or undefined for none. */
  readonly marker: number | undefined
}

/** @internal */
export const plain: Format = { marker: undefined }

/** Uninitialised where the platform has such memory; every byte is written before anybody sees it. */
const allocate: (size: number) => Uint8Array =
  typeof Buffer === "function" ? Buffer.allocUnsafe : (size) => new Uint8Array(size)
const allocateOwn: (size: number) => Uint8Array =
  typeof Buffer === "function" ? Buffer.allocUnsafeSlow : (size) => new Uint8Array(size)

/** What no JavaScript engine could hold in one buffer. */
const largest = 0xffffffff

/** From this size on a body is read to where it belongs, for as long as so much of it is missing. */
const direct = 16 * 1024

/** Where the head of a message is read to, with what comes behind it, when a large body is expected there. */
const scratchSize = 1024

/** Memory that is given to an announced body at once, whoever announced it. */
const trusted = 4 * 1024

/**
 * Bytes in, messages out. A message that lies whole in a chunk is a view on it; one that spans chunks gets memory of
 * its own: at once if the peer has sent as much before, else in steps as its bytes come, so that announcing costs the
 * peer what it costs us.
 *
 * Chunks belong to the decoder once pushed, and are never written to. One that lies in what `room` named is not copied.
 *
 * @internal
 */
export class Decoder {
  /** Set once, by what the peer did wrong; from then on no bytes are looked at. */
  failure: Errors.EPROTO | Errors.EMSGSIZE | Errors.ENOMEM | undefined = undefined

  private readonly prefix: number
  private readonly head: Uint8Array
  private headLength = 0
  /** The body under way: bodySize bytes announced, bodyLength of them in `body`. */
  private body: Uint8Array | undefined = undefined
  private bodySize = 0
  private bodyLength = 0
  private proven = trusted
  /** Written to again and again: nothing keeps a view of it. */
  private scratch: Uint8Array | undefined = undefined
  private inScratch = false
  private afterLarge = false

  constructor(
    private readonly format: Format,
    private readonly limit: number
  ) {
    this.prefix = format.marker === undefined ? 0 : 1
    this.head = new Uint8Array(this.prefix + 8)
  }

  /** The messages that this chunk completes, those before a failure included. */
  unsafePush(chunk: Uint8Array): ReadonlyArray<Message.Message> {
    const messages: Array<Message.Message> = []
    if (this.failure !== undefined) return messages
    this.inScratch = this.scratch !== undefined && chunk.buffer === this.scratch.buffer
    let at = this.finish(chunk, messages)
    const end = chunk.length
    const headSize = this.head.length
    while (this.failure === undefined && end - at >= headSize) {
      const size = this.size(chunk, at)
      if (size < 0) break
      at += headSize
      if (end - at >= size) {
        messages.push(this.within(chunk, at, at + size))
        at += size
      } else {
        this.begin(size, end - at)
        at += this.fill(chunk, at)
      }
    }
    if (this.failure === undefined && at < end) {
      this.head.set(chunk.subarray(at))
      this.headLength = end - at
    }
    return messages
  }

  /** True between two messages: where a connection may end in good order. */
  get idle(): boolean {
    return this.headLength === 0 && this.body === undefined
  }

  /** Where the next bytes are best put, when it is one large body after the other. */
  get room(): Uint8Array | undefined {
    const { body, bodyLength } = this
    if (body !== undefined) return body.length - bodyLength >= direct ? body.subarray(bodyLength) : undefined
    return this.afterLarge && this.headLength === 0 ? (this.scratch ??= allocateOwn(scratchSize)) : undefined
  }

  /** A message that lies whole in a chunk. */
  private within(chunk: Uint8Array, start: number, end: number): Message.Message {
    this.afterLarge = false
    // not by slice, which is a view in Node's buffers
    return this.inScratch
      ? internal.unsafeView(Uint8Array.from(chunk.subarray(start, end)), 0, end - start)
      : internal.unsafeView(chunk, start, end)
  }

  /** Completes what the chunks before began; returns how much of this one that took. */
  private finish(chunk: Uint8Array, messages: Array<Message.Message>): number {
    let at = 0
    if (this.headLength > 0) {
      const headSize = this.head.length
      at = Math.min(headSize - this.headLength, chunk.length)
      this.head.set(at === chunk.length ? chunk : chunk.subarray(0, at), this.headLength)
      this.headLength += at
      if (this.headLength < headSize) return at
      this.headLength = 0
      const size = this.size(this.head, 0)
      if (size < 0) return at
      if (chunk.length - at >= size) {
        messages.push(this.within(chunk, at, at + size))
        return at + size
      }
      this.begin(size, chunk.length - at)
    }
    if (this.body !== undefined) {
      at += this.fill(chunk, at)
      if (this.body !== undefined && this.bodyLength === this.bodySize) {
        messages.push(internal.unsafeView(this.body, 0, this.bodySize))
        this.afterLarge = this.bodySize >= direct
        this.proven = Math.max(this.proven, 4 * this.bodySize)
        this.body = undefined
      }
    }
    return at
  }

  /** The length at `at`, checked before anything is allocated; negative after a failure. */
  private size(bytes: Uint8Array, at: number): number {
    const { marker } = this.format
    if (marker !== undefined && bytes[at++] !== marker) {
      this.failure = new Errors.EPROTO({
        operation: "receive",
        reason: `a message begins with byte ${bytes[at - 1]}, not ${marker}`
      })
      return -1
    }
    const high = bytes[at]! * 0x1000000 + ((bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!)
    const low = bytes[at + 4]! * 0x1000000 + ((bytes[at + 5]! << 16) | (bytes[at + 6]! << 8) | bytes[at + 7]!)
    if (high === 0 && (this.limit === 0 || low <= this.limit)) return low
    if (this.limit === 0 || high * 0x100000000 + low <= this.limit) return this.refuse(high, low, largest)
    return this.refuse(high, low, this.limit)
  }

  private refuse(high: number, low: number, limit: number): number {
    const size = (BigInt(high) << 32n) + BigInt(low)
    this.failure = new Errors.EMSGSIZE({
      operation: "receive",
      reason: `the peer announced a message of ${size} bytes, the limit is ${limit}`
    })
    return -1
  }

  private begin(size: number, here: number): void {
    this.bodySize = size
    this.bodyLength = 0
    this.grow(Math.min(size, Math.max(this.proven, 2 * here)))
  }

  private fill(chunk: Uint8Array, at: number): number {
    const taken = Math.min(this.bodySize - this.bodyLength, chunk.length - at)
    const needed = this.bodyLength + taken
    if (this.body !== undefined && needed > this.body.length) this.grow(Math.min(this.bodySize, 2 * needed))
    const { body } = this
    if (body === undefined) return taken
    const isThere = chunk.buffer === body.buffer && chunk.byteOffset + at === body.byteOffset + this.bodyLength
    if (!isThere) body.set(taken === chunk.length ? chunk : chunk.subarray(at, at + taken), this.bodyLength)
    this.bodyLength = needed
    return taken
  }

  private grow(capacity: number): void {
    const before = this.body
    try {
      this.body = allocateOwn(capacity)
      if (before !== undefined) this.body.set(before.subarray(0, this.bodyLength))
    } catch (cause) {
      this.body = undefined
      this.failure = new Errors.ENOMEM({ operation: "receive", reason: `no room for ${capacity} bytes`, cause })
    }
  }
}

/** Bodies up to this size are copied beside their header; larger ones go by reference. */
const copied = 1024

/** @internal */
export const frameSize = (format: Format, message: Message.Message): number =>
  (format.marker === undefined ? 8 : 9) + message.headerLength + message.length

/** Memory to write frames into, and its view for the lengths. */
class Block {
  readonly view: DataView

  constructor(readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }
}

const blockSize = 64 * 1024

/** Less than this is not worth a block from the pool. */
const small = 4 * 1024

/**
 * Blocks for encoded frames, warm from the last use: touching fresh memory costs more than filling it. They are lent
 * for a write and come back when the operating system has the bytes.
 *
 * @internal
 */
export class BlockPool {
  private readonly free: Array<Block> = []

  take(): Block {
    return this.free.pop() ?? new Block(allocateOwn(blockSize))
  }

  give(blocks: ReadonlyArray<Block>): void {
    for (const block of blocks) if (this.free.length < 16) this.free.push(block)
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
 * The bytes of a batch of `size` bytes on the wire, in as few pieces as pays: small messages share blocks, large bodies
 * go as they are.
 *
 * @internal
 */
export const encode = (
  format: Format,
  messages: ReadonlyArray<Message.Message>,
  size: number,
  pool: BlockPool
): Write => {
  const encoder = new Encoder(format, size, pool)
  for (let i = 0; i < messages.length; i++) encoder.add(messages[i]!)
  encoder.cut()
  return encoder
}

/** A frame so short that its memory is worth keeping for the next one of its size. */
const short = 512

/**
 * One short message, the usual case where latency counts; undefined for any other batch. `used` is what was made here
 * for the last one, if the operating system has it.
 *
 * @internal
 */
export const encodeShort = (
  format: Format,
  messages: ReadonlyArray<Message.Message>,
  size: number,
  used: Uint8Array | undefined
): Uint8Array | undefined => {
  if (messages.length > 1 || size > short) return undefined
  const message = messages[0]!
  const bytes = used?.length === size ? used : allocateOwn(size)
  const length = message.headerLength + message.length
  let at = 0
  if (format.marker !== undefined) bytes[at++] = format.marker
  // it is short, so six of the eight bytes are zero
  for (const end = at + 6; at < end; at++) bytes[at] = 0
  bytes[at] = length >>> 8
  bytes[at + 1] = length
  if (message.headerLength > 0) bytes.set(message.header, at + 2)
  bytes.set(message.body, at + 2 + message.headerLength)
  return bytes
}

class Encoder implements Write {
  readonly pieces: Array<Uint8Array> = []
  readonly blocks: Array<Block> = []
  private readonly prefixLength: number
  private block: Block
  /** The current piece is block[begin, at). */
  private begin = 0
  private at = 0

  constructor(
    private readonly format: Format,
    size: number,
    private readonly pool: BlockPool
  ) {
    this.prefixLength = format.marker === undefined ? 8 : 9
    this.block = size <= small ? new Block(allocate(size)) : this.lend()
  }

  add(message: Message.Message): void {
    const { headerLength, length } = message
    const large = length > copied
    if (this.at + this.prefixLength + headerLength + (large ? 0 : length) > this.block.bytes.length) this.turnPage()
    this.prefix(headerLength + length)
    if (headerLength > 0) this.bytes(message.header)
    if (large) {
      this.cut()
      this.pieces.push(message.body)
    } else if (length > 0) {
      const buffer = internal.unsafeBuffer(message)
      const start = internal.unsafeStart(message)
      this.bytes(start === 0 && length === buffer.length ? buffer : message.body)
    }
  }

  /** Ends the current piece. */
  cut(): void {
    const { at, begin, block } = this
    if (at === begin) return
    this.pieces.push(begin === 0 && at === block.bytes.length ? block.bytes : block.bytes.subarray(begin, at))
    this.begin = at
  }

  private turnPage(): void {
    this.cut()
    this.block = this.lend()
    this.begin = 0
    this.at = 0
  }

  private lend(): Block {
    const block = this.pool.take()
    this.blocks.push(block)
    return block
  }

  private prefix(length: number): void {
    const { view } = this.block
    if (this.format.marker !== undefined) view.setUint8(this.at++, this.format.marker)
    view.setUint32(this.at, length > 0xffffffff ? Math.floor(length / 0x100000000) : 0)
    view.setUint32(this.at + 4, length >>> 0)
    this.at += 8
  }

  private bytes(bytes: Uint8Array): void {
    this.block.bytes.set(bytes, this.at)
    this.at += bytes.length
  }
}
