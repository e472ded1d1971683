// hot path: bench/src/rows/oneway.js, rtt.js
import * as Either from "effect/Either"
import { format, NodeInspectSymbol } from "effect/Inspectable"
import { pipeArguments } from "effect/Pipeable"
import { hasProperty } from "effect/Predicate"
import * as Errors from "../../Errors.js"
import type * as Api from "../../Message.js"

/** @internal */
export const TypeId: Api.TypeId = Symbol.for("effect-nng/Message") as Api.TypeId

/** @internal */
export const maxHeaderLength = 64

/**
 * In the place of a view that was given and is not kept. Most bodies are looked at once, and a view weighs as much as the
 * message: streams hold the last chunk they gave, and with many of them that is a lot for the collector to carry about.
 */
const askedOnce = new Uint8Array(0)

/** nng's spare room at either end of a new body. */
const headroom = 32

const empty = new Uint8Array(0)
const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

// Made by the million: no base class, no closures, every field always present.
/** @internal Exported for part.ts alone. */
export class MessageImpl implements Api.Message {
  /** The body is buffer[start, end). Nothing is ever written to a buffer that is not owned. */
  buffer: Uint8Array
  start: number
  end: number
  owned: boolean
  view: Uint8Array | undefined
  /** Replaced by every edit, never written to. */
  header: Uint8Array
  pipeId: number

  constructor(buffer: Uint8Array, start: number, end: number, owned: boolean) {
    this.buffer = buffer
    this.start = start
    this.end = end
    this.owned = owned
    this.view = undefined
    this.header = empty
    this.pipeId = 0
  }
  get [TypeId](): Api.TypeId {
    return TypeId
  }
  get body(): Uint8Array {
    const { view } = this
    if (view !== undefined && view !== askedOnce) return view
    const body = viewOf(this)
    // whoever asks again is given the same from then on
    this.view = view === undefined ? askedOnce : body
    return body
  }
  get length(): number {
    return this.end - this.start
  }
  get headerLength(): number {
    return this.header.length
  }
  toJSON(): unknown {
    return { _id: "effect-nng/Message", length: this.length, headerLength: this.headerLength, pipeId: this.pipeId }
  }
  toString(): string {
    return format(this.toJSON())
  }
  [NodeInspectSymbol](): unknown {
    return this.toJSON()
  }
  pipe() {
    // eslint-disable-next-line prefer-rest-params
    return pipeArguments(this, arguments)
  }
}

/** Typed arrays up to this size cost V8 a tenth of those beyond, and of a TextEncoder's. */
const smallText = 64

const encode = (text: string): Uint8Array => {
  const { length } = text
  if (length > smallText) {
    return encoder.encode(text)
  }
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code >= 0x80) {
      return encoder.encode(text)
    }
    bytes[i] = code
  }
  return bytes
}

const viewOf = ({ buffer, end, start }: MessageImpl): Uint8Array =>
  start === 0 && end === buffer.length && buffer.constructor === Uint8Array
    ? buffer
    : new Uint8Array(buffer.buffer, buffer.byteOffset + start, end - start)

/** @internal Only this module makes messages, so whoever holds one holds this class. */
export const impl = (message: Api.Message): MessageImpl => message as MessageImpl

const allocate = (size: number): MessageImpl => {
  const spare = size < 1024 || (size & (size - 1)) !== 0 ? headroom : 0
  return new MessageImpl(new Uint8Array(spare + size + spare), spare, spare + size, true)
}

const isSize = (n: number): boolean => Number.isSafeInteger(n) && n >= 0

/** @internal */
export const make = (body: Uint8Array | string | number = 0): Api.Message => {
  if (typeof body === "number") {
    if (!isSize(body)) {
      throw new RangeError(`${body} is not a number of bytes`)
    }
    return allocate(body)
  }
  const bytes = typeof body === "string" ? encode(body) : body
  const message = allocate(bytes.length)
  message.buffer.set(bytes, message.start)
  return message
}

/** @internal */
export const fromBytes = (bytes: Uint8Array): Api.Message => new MessageImpl(bytes, 0, bytes.length, false)

/** @internal */
export const fromString = (text: string): Api.Message => {
  const bytes = encode(text)
  return new MessageImpl(bytes, 0, bytes.length, true)
}

/** @internal */
export const unsafeView = (buffer: Uint8Array, start: number, end: number): Api.Message =>
  new MessageImpl(buffer, start, end, false)

/** @internal */
export const isMessage = (u: unknown): u is Api.Message => hasProperty(u, TypeId)

/** @internal */
export const fromInput = (input: Api.Input): Api.Message =>
  input instanceof MessageImpl
    ? input
    : typeof input === "string"
      ? fromString(input)
      : isMessage(input)
        ? input
        : fromBytes(input)

/** @internal */
export const unsafeSetPipe = (message: Api.Message, id: number): void => {
  impl(message).pipeId = id
}

/** @internal The bytes behind the body; with unsafeStart and unsafeEnd it is copied without making a view. */
export const unsafeBuffer = (message: Api.Message): Uint8Array => impl(message).buffer

/** @internal */
export const unsafeStart = (message: Api.Message): number => impl(message).start

/** @internal */
export const unsafeEnd = (message: Api.Message): number => impl(message).end

/** @internal Puts these bytes, which nobody writes to any more, in the place of the header. */
export const unsafeSetHeader = (message: Api.Message, bytes: Uint8Array): void => {
  impl(message).header = bytes
}

/** @internal The 32 bits at this place of the body, which has them. */
export const unsafeWord = (message: Api.Message, at: number): number => {
  const { buffer, start } = impl(message)
  const i = start + at
  return ((buffer[i]! << 24) | (buffer[i + 1]! << 16) | (buffer[i + 2]! << 8) | buffer[i + 3]!) >>> 0
}

/** @internal Takes so many bytes, which it has, off the front of the body. */
export const unsafeTrim = (message: Api.Message, size: number): void => body.dropFront(impl(message), size)

/** @internal Moves so many bytes, which it has, from the front of the body to the end of the header. */
export const unsafeMoveToHeader = (message: Api.Message, size: number): void => {
  const self = impl(message)
  const bytes = new Uint8Array(self.header.length + size)
  bytes.set(self.header)
  for (let i = 0; i < size; i++) bytes[self.header.length + i] = self.buffer[self.start + i]!
  self.header = bytes
  body.dropFront(self, size)
}

/** @internal */
export const copy = (self: Api.Message): Api.Message => {
  const { buffer, end, header, pipeId, start } = impl(self)
  const message = new MessageImpl(buffer, start, end, false)
  move(message, 0, end - start)
  message.header = header.length === 0 ? empty : header.slice()
  message.pipeId = pipeId
  return message
}

/** @internal */
export const detach = (message: Api.Message): Api.Message => {
  const self = impl(message)
  if (!self.owned) {
    move(self, 0, self.length)
  }
  return message
}

/** @internal */
export const text = (message: Api.Message): string => decoder.decode(message.body)

const move = (self: MessageImpl, room: number, capacity: number): void => {
  const { end, start } = self
  const buffer = new Uint8Array(room + capacity)
  buffer.set(self.buffer.subarray(start, end), room)
  self.buffer = buffer
  self.start = room
  self.end = room + end - start
  self.owned = true
  self.view = undefined
}

/** @internal */
export const capacity = (message: Api.Message): number => {
  const self = impl(message)
  return self.owned ? self.buffer.length - self.start : self.length
}

const resize = (
  operation: string,
  size: number,
  change: () => void
): Either.Either<void, Errors.EINVAL | Errors.ENOMEM> => {
  if (!isSize(size)) {
    return Either.left(new Errors.EINVAL({ operation, reason: `${size} is not a number of bytes` }))
  }
  try {
    return Either.right(change())
  } catch (cause) {
    // a RangeError of the allocation, which comes before any change
    return Either.left(new Errors.ENOMEM({ operation, reason: `no room for ${size} bytes`, cause }))
  }
}

/** @internal */
export const reserve = (message: Api.Message, size: number): Either.Either<void, Errors.EINVAL | Errors.ENOMEM> =>
  resize("Message.reserve", size, () => {
    const self = impl(message)
    if (size > capacity(self)) {
      move(self, self.owned ? self.start : headroom, size)
    }
  })

/** @internal */
export const realloc = (message: Api.Message, size: number): Either.Either<void, Errors.EINVAL | Errors.ENOMEM> =>
  resize("Message.realloc", size, () => {
    const self = impl(message)
    const added = size - self.length
    if (added > 0) {
      const offset = body.growBack(self, added)
      self.buffer.fill(0, offset, offset + added)
    } else {
      body.dropBack(self, -added)
    }
  })

/** @internal Where one of the two parts of a message lives; what Part does is written once, on top of this. */
export interface Store {
  readonly name: string
  readonly limit: number
  readonly length: (self: MessageImpl) => number
  readonly bytes: (self: MessageImpl) => Uint8Array
  readonly first: (self: MessageImpl) => number
  /** Makes room for n more bytes, and says where in `bytes` they go. */
  readonly growBack: (self: MessageImpl, n: number) => number
  readonly growFront: (self: MessageImpl, n: number) => number
  readonly dropFront: (self: MessageImpl, n: number) => void
  readonly dropBack: (self: MessageImpl, n: number) => void
}

const dropped = (self: MessageImpl): void => {
  self.view = undefined
  if (self.start === self.end && !self.owned) {
    // nothing is left of the shared chunk: let go of it
    self.buffer = empty
    self.start = 0
    self.end = 0
  }
}

/** @internal */
export const body: Store = {
  name: "body",
  limit: Infinity,
  length: (self) => self.length,
  bytes: (self) => self.buffer,
  first: (self) => self.start,
  growBack(self, n) {
    const { end, length } = self
    if (!self.owned) {
      move(self, headroom, length + n + headroom)
    } else if (end + n > self.buffer.length) {
      move(self, self.start, length + Math.max(n, length))
    }
    self.view = undefined
    const offset = self.end
    self.end = offset + n
    return offset
  },
  growFront(self, n) {
    // Never shifts in place: the bytes to insert may be a view on this very buffer.
    if (!self.owned || n > self.start) {
      const { length } = self
      move(self, n + Math.max(headroom, length), self.owned ? capacity(self) : length + headroom)
    }
    self.view = undefined
    return (self.start -= n)
  },
  dropFront(self, n) {
    self.start += n
    dropped(self)
  },
  dropBack(self, n) {
    self.end -= n
    dropped(self)
  }
}

/** @internal */
export const header: Store = {
  name: "header",
  limit: maxHeaderLength,
  length: (self) => self.header.length,
  bytes: (self) => self.header,
  first: () => 0,
  growBack(self, n) {
    const before = self.header
    self.header = new Uint8Array(before.length + n)
    self.header.set(before, 0)
    return before.length
  },
  growFront(self, n) {
    const before = self.header
    self.header = new Uint8Array(before.length + n)
    self.header.set(before, n)
    return 0
  },
  dropFront(self, n) {
    self.header = n === self.header.length ? empty : self.header.subarray(n)
  },
  dropBack(self, n) {
    self.header = n === self.header.length ? empty : self.header.subarray(0, self.header.length - n)
  }
}
