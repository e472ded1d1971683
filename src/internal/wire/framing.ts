// hot path: bench/
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

/** Memory that is given to an announced body before more than this has proven to come. */
const trusted = 64 * 1024

/**
 * Bytes in, messages out. A message that lies whole in a chunk is a view on it; one that spans chunks gets memory of
 * its own: at once if the peer has sent as much before, else in steps as its bytes come, so that announcing costs the
 * peer what it costs us.
 *
 * Chunks belong to the decoder once pushed, and are never written to.
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
    let at = this.finish(chunk, messages)
    const end = chunk.length
    const headSize = this.head.length
    while (this.failure === undefined && end - at >= headSize) {
      const size = this.size(chunk, at)
      if (size < 0) break
      at += headSize
      if (end - at >= size) {
        messages.push(internal.unsafeView(chunk, at, at + size))
        at += size
      } else {
        this.begin(size)
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
        messages.push(internal.unsafeView(chunk, at, at + size))
        return at + size
      }
      this.begin(size)
    }
    if (this.body !== undefined) {
      at += this.fill(chunk, at)
      if (this.body !== undefined && this.bodyLength === this.bodySize) {
        messages.push(internal.unsafeView(this.body, 0, this.bodySize))
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

  private begin(size: number): void {
    this.bodySize = size
    this.bodyLength = 0
    this.grow(Math.min(size, this.proven))
  }

  private fill(chunk: Uint8Array, at: number): number {
    const taken = Math.min(this.bodySize - this.bodyLength, chunk.length - at)
    const needed = this.bodyLength + taken
    if (this.body !== undefined && needed > this.body.length) this.grow(Math.min(this.bodySize, 2 * needed))
    if (this.body === undefined) return taken
    this.body.set(taken === chunk.length ? chunk : chunk.subarray(at, at + taken), this.bodyLength)
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

/** One block of copied frames. Larger ones would cost fresh memory for each. */
const blockSize = 64 * 1024

/** @internal */
export const frameSize = (format: Format, message: Message.Message): number =>
  (format.marker === undefined ? 8 : 9) + message.headerLength + message.length

/**
 * The bytes of a batch, in as few pieces as pays: small messages share blocks made to fit, large bodies go as they are.
 *
 * @internal
 */
export const encode = (format: Format, messages: ReadonlyArray<Message.Message>): ReadonlyArray<Uint8Array> => {
  if (messages.length === 1 && messages[0]!.length <= copied) return [encodeOne(format, messages[0]!)]
  const pieces: Array<Uint8Array> = []
  let from = 0
  while (from < messages.length) from = encodeBlock(format, messages, from, pieces)
  return pieces
}

const encodeOne = (format: Format, message: Message.Message): Uint8Array => {
  const block = allocate(frameSize(format, message))
  const at = writePrefix(format, block, 0, message.headerLength + message.length)
  if (message.headerLength > 0) block.set(message.header, at)
  if (message.length > 0) writeBody(block, at + message.headerLength, message)
  return block
}

/** Writes messages from `from` on into one block, and returns where it stopped. */
const encodeBlock = (
  format: Format,
  messages: ReadonlyArray<Message.Message>,
  from: number,
  pieces: Array<Uint8Array>
): number => {
  const prefix = format.marker === undefined ? 8 : 9
  let size = 0
  let to = from
  for (; to < messages.length; to++) {
    const message = messages[to]!
    const large = message.length > copied
    const more = prefix + message.headerLength + (large ? 0 : message.length)
    if (size + more > blockSize && to > from) break
    size += more
  }
  const block = allocate(size)
  let begin = 0
  let at = 0
  for (let i = from; i < to; i++) {
    const message = messages[i]!
    at = writePrefix(format, block, at, message.headerLength + message.length)
    if (message.headerLength > 0) {
      block.set(message.header, at)
      at += message.headerLength
    }
    if (message.length > copied) {
      pieces.push(block.subarray(begin, at), message.body)
      begin = at
    } else if (message.length > 0) {
      at = writeBody(block, at, message)
    }
  }
  if (begin === 0 && at === block.length) pieces.push(block)
  else if (at > begin) pieces.push(block.subarray(begin, at))
  return to
}

const writePrefix = (format: Format, block: Uint8Array, at: number, length: number): number => {
  if (format.marker !== undefined) block[at++] = format.marker
  const high = length > 0xffffffff ? Math.floor(length / 0x100000000) : 0
  block[at] = high >>> 24
  block[at + 1] = high >>> 16
  block[at + 2] = high >>> 8
  block[at + 3] = high
  block[at + 4] = length >>> 24
  block[at + 5] = length >>> 16
  block[at + 6] = length >>> 8
  block[at + 7] = length
  return at + 8
}

const writeBody = (block: Uint8Array, at: number, message: Message.Message): number => {
  const buffer = internal.unsafeBuffer(message)
  const start = internal.unsafeStart(message)
  const end = internal.unsafeEnd(message)
  block.set(start === 0 && end === buffer.length ? buffer : message.body, at)
  return at + end - start
}
