/**
 * A message: a body, a header, and the pipe it arrived on.
 *
 * The body is what the application sends. The header holds what a protocol puts in front of it (request ids, hops); a
 * cooked socket keeps it to itself, a raw socket hands it over.
 *
 * A message is mutable, as nng's is: the verbs of `Message.Body` and `Message.Header` edit it in place. Two messages are
 * equal only if they are the same object; compare bodies to compare contents.
 *
 * **Who owns the bytes.** After a successful send the message and its bytes belong to the library: send a `copy` to keep
 * one. The body of a received message is a view on the bytes of one read, shared with its neighbours: read it, never
 * write to it. Every edit that has to write copies the body first, so editing is always safe. A message that is kept for
 * long should be `detach`ed, lest a few bytes keep a whole read alive. `body` and `header` are good until the next edit.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Message from "effect-nng/Message"
 *
 * const program = Effect.gen(function* () {
 *   const message = Message.make("world")
 *   yield* Message.Body.insert(message, new TextEncoder().encode("hello "))
 *   yield* Message.Header.appendU32(message, 0x80000001)
 *   return [Message.text(message), yield* Message.Header.chopU32(message)]
 * })
 *
 * console.log(Effect.runSync(program)) // [ 'hello world', 2147483649 ]
 * ```
 *
 * @since 0.1.0
 */
import type * as Either from "effect/Either"
import type { Inspectable } from "effect/Inspectable"
import type { Pipeable } from "effect/Pipeable"
import type * as Errors from "./Errors.js"
import * as internal from "./internal/vocabulary/message.js"
import * as part from "./internal/vocabulary/part.js"

/**
 * Marks a value as a message of this module.
 *
 * @since 0.1.0
 * @category symbols
 */
export const TypeId: unique symbol = internal.TypeId

/**
 * The type of {@link TypeId}.
 *
 * @since 0.1.0
 * @category symbols
 */
export type TypeId = typeof TypeId

/**
 * A message with its header and body (`nng_msg`).
 *
 * Printing one, or turning it into JSON, shows its sizes and never its bytes: payloads do not belong in logs.
 *
 * @since 0.1.0
 * @category models
 */
export interface Message extends Inspectable, Pipeable {
  readonly [TypeId]: TypeId
  /** The body, a view of it: good until the next edit, and not to be written to (`nng_msg_body`). */
  readonly body: Uint8Array
  /** The header: good until the next edit, and not to be written to (`nng_msg_header`). */
  readonly header: Uint8Array
  /** Bytes in the body; cheaper than `body.length`, as it makes no view (`nng_msg_len`). */
  readonly length: number
  /** Bytes in the header (`nng_msg_header_len`). */
  readonly headerLength: number
  /** Id of the pipe the message arrived on, or is meant for; 0 is none (`nng_msg_get_pipe`). */
  readonly pipeId: number
}

/**
 * What a send takes: a message, or what one can be made of (bytes as they are, text as UTF-8).
 *
 * @since 0.1.0
 * @category models
 */
export type Input = Message | Uint8Array | string

/**
 * The editing verbs of one part of a message, `Message.Body` or `Message.Header`.
 *
 * All of them edit in place, and one that fails has changed nothing. The result is an `Either`, which `Effect.gen` can
 * `yield*`. Integers are unsigned and big-endian; one that its width cannot hold is `NNG_EINVAL`, and so is taking more
 * than there is.
 *
 * @since 0.1.0
 * @category models
 */
export interface Part<AppendError> {
  /** Adds bytes at the back, by copy (`nng_msg_append`, `nng_msg_header_append`). */
  readonly append: (message: Message, bytes: Uint8Array) => Either.Either<void, AppendError>
  /** Adds bytes at the front, by copy (`nng_msg_insert`, `nng_msg_header_insert`). */
  readonly insert: (message: Message, bytes: Uint8Array) => Either.Either<void, AppendError>
  /** Removes n bytes from the front and returns them (`nng_msg_trim`, `nng_msg_header_trim`). */
  readonly trim: (message: Message, n: number) => Either.Either<Uint8Array, Errors.EINVAL>
  /** Removes n bytes from the back and returns them (`nng_msg_chop`, `nng_msg_header_chop`). */
  readonly chop: (message: Message, n: number) => Either.Either<Uint8Array, Errors.EINVAL>
  /** Removes everything from this part and nothing from the other (`nng_msg_clear`, `nng_msg_header_clear`). */
  readonly clear: (message: Message) => Either.Either<void>
  /** Adds a 16 bit integer at the back (`nng_msg_append_u16`). */
  readonly appendU16: (message: Message, value: number) => Either.Either<void, Errors.EINVAL>
  /** Adds a 32 bit integer at the back (`nng_msg_append_u32`). */
  readonly appendU32: (message: Message, value: number) => Either.Either<void, Errors.EINVAL>
  /** Adds a 64 bit integer at the back (`nng_msg_append_u64`). */
  readonly appendU64: (message: Message, value: bigint) => Either.Either<void, Errors.EINVAL>
  /** Adds a 16 bit integer at the front (`nng_msg_insert_u16`). */
  readonly insertU16: (message: Message, value: number) => Either.Either<void, Errors.EINVAL>
  /** Adds a 32 bit integer at the front (`nng_msg_insert_u32`). */
  readonly insertU32: (message: Message, value: number) => Either.Either<void, Errors.EINVAL>
  /** Adds a 64 bit integer at the front (`nng_msg_insert_u64`). */
  readonly insertU64: (message: Message, value: bigint) => Either.Either<void, Errors.EINVAL>
  /** Removes a 16 bit integer from the front (`nng_msg_trim_u16`). */
  readonly trimU16: (message: Message) => Either.Either<number, Errors.EINVAL>
  /** Removes a 32 bit integer from the front (`nng_msg_trim_u32`). */
  readonly trimU32: (message: Message) => Either.Either<number, Errors.EINVAL>
  /** Removes a 64 bit integer from the front (`nng_msg_trim_u64`). */
  readonly trimU64: (message: Message) => Either.Either<bigint, Errors.EINVAL>
  /** Removes a 16 bit integer from the back (`nng_msg_chop_u16`). */
  readonly chopU16: (message: Message) => Either.Either<number, Errors.EINVAL>
  /** Removes a 32 bit integer from the back (`nng_msg_chop_u32`). */
  readonly chopU32: (message: Message) => Either.Either<number, Errors.EINVAL>
  /** Removes a 64 bit integer from the back (`nng_msg_chop_u64`). */
  readonly chopU64: (message: Message) => Either.Either<bigint, Errors.EINVAL>
}

/**
 * Tells whether a value is a message.
 *
 * @since 0.1.0
 * @category guards
 */
export const isMessage: (u: unknown) => u is Message = internal.isMessage

/**
 * Makes a message with a copy of these bytes, this text as UTF-8, or this many zeros as its body, and with room to edit
 * it in place (`nng_msg_alloc`). A number that is no size throws a `RangeError`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: (body?: Uint8Array | string | number) => Message = internal.make

/**
 * Makes a message whose body is these very bytes, without a copy. They then belong to the message: do not write to them.
 * The library never does either.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromBytes: (bytes: Uint8Array) => Message = internal.fromBytes

/**
 * Makes a message whose body is this text in UTF-8.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromString: (text: string) => Message = internal.fromString

/**
 * Makes a message of whatever a send takes: a message is returned as it is, bytes are taken over as by `fromBytes`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromInput: (input: Input) => Message = internal.fromInput

/**
 * Makes a message whose body is `buffer` from `start` up to `end`, shared and not checked; for decoders, whose messages
 * are all views on one read. The message copies the bytes before it changes any.
 *
 * @since 0.1.0
 * @category constructors
 */
export const unsafeView: (buffer: Uint8Array, start: number, end: number) => Message = internal.unsafeView

/**
 * Makes an independent message with the same body, header and pipe (`nng_msg_dup`).
 *
 * @since 0.1.0
 * @category combinators
 */
export const copy: (self: Message) => Message = internal.copy

/**
 * Gives the message bytes of its own, in place, so that keeping it does not keep the read chunk it is a view on; returns
 * the same message. One that owns its bytes is left as it is.
 *
 * @since 0.1.0
 * @category combinators
 */
export const detach: (message: Message) => Message = internal.detach

/**
 * Sets the pipe the message arrived on, or is meant for; 0 is none (`nng_msg_set_pipe`).
 *
 * @since 0.1.0
 * @category combinators
 */
export const unsafeSetPipe: (message: Message, id: number) => void = internal.unsafeSetPipe

/**
 * Reads the body as UTF-8; bytes that are none become U+FFFD, and a byte order mark is kept.
 *
 * @since 0.1.0
 * @category getters
 */
export const text: (message: Message) => string = internal.text

/**
 * How long the body can get without moving (`nng_msg_capacity`).
 *
 * A new message of n bytes has n + 32, or exactly n if that is a power of two of 1024 or more; a view has none to spare.
 *
 * @since 0.1.0
 * @category getters
 */
export const capacity: (message: Message) => number = internal.capacity

/**
 * Makes room for a body of `size` bytes, and changes neither length nor content; never takes room away
 * (`nng_msg_reserve`). `NNG_EINVAL` if that is no size, `NNG_ENOMEM` if there is no such memory.
 *
 * @since 0.1.0
 * @category combinators
 */
export const reserve: (message: Message, size: number) => Either.Either<void, Errors.EINVAL | Errors.ENOMEM> =
  internal.reserve

/**
 * Makes the body `size` bytes long: cut at the back, or filled up with zeros (`nng_msg_realloc`). `NNG_EINVAL` if that is
 * no size, `NNG_ENOMEM` if there is no such memory.
 *
 * @since 0.1.0
 * @category combinators
 */
export const realloc: (message: Message, size: number) => Either.Either<void, Errors.EINVAL | Errors.ENOMEM> =
  internal.realloc

/**
 * Edits the body. Adding bytes cannot fail: the body grows as needed.
 *
 * @since 0.1.0
 * @category combinators
 */
export const Body: Part<never> = part.Body

/**
 * Edits the header, which holds 64 bytes: adding more is `NNG_EINVAL`.
 *
 * @since 0.1.0
 * @category combinators
 */
export const Header: Part<Errors.EINVAL> = part.Header
