import * as Either from "effect/Either"
import * as Errors from "../../Errors.js"
import type * as Api from "../../Message.js"
import type { MessageImpl, Store } from "./message.js"
import { body, header, impl } from "./message.js"

const done: Either.Either<void> = Either.right(undefined)

const writeU32 = (bytes: Uint8Array, offset: number, value: number): void => {
  bytes[offset] = value >>> 24
  bytes[offset + 1] = value >>> 16
  bytes[offset + 2] = value >>> 8
  bytes[offset + 3] = value
}

const readU32 = (bytes: Uint8Array, offset: number): number =>
  ((bytes[offset]! << 24) | (bytes[offset + 1]! << 16) | (bytes[offset + 2]! << 8) | bytes[offset + 3]!) >>> 0

/** A big-endian unsigned integer of a fixed width. */
interface Word<N extends number | bigint> {
  readonly name: string
  readonly size: number
  readonly fits: (value: N) => boolean
  readonly write: (bytes: Uint8Array, offset: number, value: N) => void
  readonly read: (bytes: Uint8Array, offset: number) => N
}

const U16: Word<number> = {
  name: "U16",
  size: 2,
  fits: (value) => Number.isInteger(value) && value >= 0 && value <= 0xffff,
  write: (bytes, offset, value) => {
    bytes[offset] = value >>> 8
    bytes[offset + 1] = value
  },
  read: (bytes, offset) => (bytes[offset]! << 8) | bytes[offset + 1]!
}

const U32: Word<number> = {
  name: "U32",
  size: 4,
  fits: (value) => Number.isInteger(value) && value >= 0 && value <= 0xffffffff,
  write: writeU32,
  read: readU32
}

const U64: Word<bigint> = {
  name: "U64",
  size: 8,
  fits: (value) => value >= 0n && value <= 0xffffffffffffffffn,
  write: (bytes, offset, value) => {
    writeU32(bytes, offset, Number(value >> 32n))
    writeU32(bytes, offset + 4, Number(value & 0xffffffffn))
  },
  read: (bytes, offset) => (BigInt(readU32(bytes, offset)) << 32n) | BigInt(readU32(bytes, offset + 4))
}

type End = "front" | "back"

class PartImpl<AppendError> implements Api.Part<AppendError> {
  constructor(readonly store: Store) {}

  append = (message: Api.Message, bytes: Uint8Array) => this.add("append", "back", message, bytes)
  insert = (message: Api.Message, bytes: Uint8Array) => this.add("insert", "front", message, bytes)
  trim = (message: Api.Message, n: number) => this.take("trim", "front", message, n)
  chop = (message: Api.Message, n: number) => this.take("chop", "back", message, n)
  clear = (message: Api.Message): Either.Either<void> => {
    this.store.dropBack(impl(message), this.store.length(impl(message)))
    return done
  }
  appendU16 = (message: Api.Message, value: number) => this.write("append", "back", U16, message, value)
  appendU32 = (message: Api.Message, value: number) => this.write("append", "back", U32, message, value)
  appendU64 = (message: Api.Message, value: bigint) => this.write("append", "back", U64, message, value)
  insertU16 = (message: Api.Message, value: number) => this.write("insert", "front", U16, message, value)
  insertU32 = (message: Api.Message, value: number) => this.write("insert", "front", U32, message, value)
  insertU64 = (message: Api.Message, value: bigint) => this.write("insert", "front", U64, message, value)
  trimU16 = (message: Api.Message) => this.read("trim", "front", U16, message)
  trimU32 = (message: Api.Message) => this.read("trim", "front", U32, message)
  trimU64 = (message: Api.Message) => this.read("trim", "front", U64, message)
  chopU16 = (message: Api.Message) => this.read("chop", "back", U16, message)
  chopU32 = (message: Api.Message) => this.read("chop", "back", U32, message)
  chopU64 = (message: Api.Message) => this.read("chop", "back", U64, message)

  private add(verb: string, end: End, message: Api.Message, bytes: Uint8Array): Either.Either<void, AppendError> {
    const self = impl(message)
    const full = this.full(verb, self, bytes.length)
    if (full !== undefined) {
      // only a part with a limit is ever full, and its AppendError is EINVAL
      return Either.left(full as AppendError)
    }
    const offset = this.grow(end, self, bytes.length)
    this.store.bytes(self).set(bytes, offset)
    return done
  }

  private write<N extends number | bigint>(
    verb: string,
    end: End,
    word: Word<N>,
    message: Api.Message,
    value: N
  ): Either.Either<void, Errors.EINVAL> {
    const self = impl(message)
    if (!word.fits(value)) {
      return Either.left(this.invalid(verb + word.name, `${value} is no unsigned integer of ${word.size * 8} bits`))
    }
    const full = this.full(verb + word.name, self, word.size)
    if (full !== undefined) {
      return Either.left(full)
    }
    const offset = this.grow(end, self, word.size)
    word.write(this.store.bytes(self), offset, value)
    return done
  }

  private take(verb: string, end: End, message: Api.Message, n: number): Either.Either<Uint8Array, Errors.EINVAL> {
    const self = impl(message)
    const length = this.store.length(self)
    if (!(Number.isInteger(n) && n >= 0 && n <= length)) {
      return Either.left(this.short(verb, n, length))
    }
    const offset = this.store.first(self) + (end === "front" ? 0 : length - n)
    // a copy: room that was given up may be written to by the next edit
    const taken = new Uint8Array(n)
    taken.set(this.store.bytes(self).subarray(offset, offset + n))
    this.drop(end, self, n)
    return Either.right(taken)
  }

  private read<N extends number | bigint>(
    verb: string,
    end: End,
    word: Word<N>,
    message: Api.Message
  ): Either.Either<N, Errors.EINVAL> {
    const self = impl(message)
    const length = this.store.length(self)
    if (word.size > length) {
      return Either.left(this.short(verb + word.name, word.size, length))
    }
    const offset = this.store.first(self) + (end === "front" ? 0 : length - word.size)
    const value = word.read(this.store.bytes(self), offset)
    this.drop(end, self, word.size)
    return Either.right(value)
  }

  private grow(end: End, self: MessageImpl, n: number): number {
    return end === "front" ? this.store.growFront(self, n) : this.store.growBack(self, n)
  }

  private drop(end: End, self: MessageImpl, n: number): void {
    if (end === "front") {
      this.store.dropFront(self, n)
    } else {
      this.store.dropBack(self, n)
    }
  }

  private full(verb: string, self: MessageImpl, n: number): Errors.EINVAL | undefined {
    const { length, limit, name } = this.store
    return length(self) + n <= limit
      ? undefined
      : this.invalid(verb, `a ${name} of ${length(self) + n} bytes is over the limit of ${limit}`)
  }

  private short(verb: string, n: number, length: number): Errors.EINVAL {
    return this.invalid(verb, `cannot take ${n} bytes from a ${this.store.name} of ${length}`)
  }

  private invalid(verb: string, reason: string): Errors.EINVAL {
    return new Errors.EINVAL({ operation: `Message.${this.store.name}.${verb}`, reason })
  }
}

/** @internal */
export const Body: Api.Part<never> = new PartImpl<never>(body)

/** @internal */
export const Header: Api.Part<Errors.EINVAL> = new PartImpl<Errors.EINVAL>(header)
