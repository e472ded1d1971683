/**
 * Every way an NNG operation can fail, one class per `NNG_*` code.
 *
 * The `_tag` is the code's C name and `code` its number, so that `Effect.catchTag("NNG_ECONNREFUSED", ...)` reads like
 * the manual and clashes with no other library. Numbers and texts are libnng's, of the 1.x and the 2.x line together.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Errors from "effect-nng/Errors"
 *
 * const dial: Effect.Effect<string, Errors.ECONNREFUSED | Errors.ETIMEDOUT> = new Errors.ECONNREFUSED({
 *   operation: "dial",
 *   address: "tcp://127.0.0.1:5555"
 * })
 *
 * export const program = dial.pipe(Effect.catchTag("NNG_ECONNREFUSED", (error) => Effect.succeed(error.message)))
 * ```
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"

/**
 * Marks an error as one of this module's.
 *
 * @since 0.1.0
 * @category symbols
 */
export const TypeId: unique symbol = Symbol.for("effect-nng/Errors")

/**
 * The type of {@link TypeId}.
 *
 * @since 0.1.0
 * @category symbols
 */
export type TypeId = typeof TypeId

/**
 * A line of libnng releases; a few codes exist in only one of the two.
 *
 * @since 0.1.0
 * @category models
 */
export type Line = "1.x" | "2.x"

/**
 * What is known about a failure beyond its code.
 *
 * @since 0.1.0
 * @category models
 */
export interface Details {
  /** The URL or address concerned. */
  readonly address?: string | undefined
  /** The operation that failed, as a verb: `"dial"`. */
  readonly operation?: string | undefined
  /** A few words on the particular occasion, usually the system's own. */
  readonly reason?: string | undefined
  /** The original error, kept as it was. */
  readonly cause?: unknown
}

/**
 * What all errors of this module have in common; each is also an `Effect` that fails with itself.
 *
 * @since 0.1.0
 * @category models
 */
export interface NngErrorBase<out Tag extends string, out Code extends number>
  extends Cause.YieldableError, Omit<Details, "cause"> {
  readonly [TypeId]: TypeId
  readonly _tag: Tag
  readonly code: Code
  /** libnng's text for the code, without the details that `message` adds. */
  readonly text: string
}

/**
 * The class of a code that is one number.
 *
 * @since 0.1.0
 * @category models
 */
export interface NngErrorClass<Tag extends string, Code extends number> {
  new (details?: Details): NngErrorBase<Tag, Code>
  readonly tag: Tag
  readonly code: Code
  readonly text: string
  readonly lines: ReadonlyArray<Line>
}

/**
 * What makes an error of a range: the number in it, and its text where one is known.
 *
 * @since 0.1.0
 * @category models
 */
export type RangeDetails<Field extends string> = Details & { readonly [K in Field]: number } & {
  readonly text?: string | undefined
}

/**
 * The class of a code that is a base plus another party's number.
 *
 * @since 0.1.0
 * @category models
 */
export interface RangeErrorClass<Tag extends string, Field extends string> {
  new (details: RangeDetails<Field>): NngErrorBase<Tag, number> & { readonly [K in Field]: number }
  readonly tag: Tag
  /** The code of number zero. */
  readonly base: number
  /** The text of a number for which none was given. */
  readonly describe: (number: number) => string
}

const RANGE_SIZE = 0x10000000

const describe = (text: string, { address, operation, reason }: Details): string => {
  const where = operation === undefined ? address : address === undefined ? operation : `${operation} ${address}`
  return text + (where === undefined ? "" : `: ${where}`) + (reason === undefined ? "" : ` (${reason})`)
}

// a field given as undefined is left out, so that structural equality does not see it
const defined = (text: string, { address, cause, operation, reason }: Details): Details & { message: string } => ({
  message: describe(text, { address, operation, reason }),
  ...(operation === undefined ? undefined : { operation }),
  ...(address === undefined ? undefined : { address }),
  ...(reason === undefined ? undefined : { reason }),
  ...(cause === undefined ? undefined : { cause })
})

// without the cause: this is printed and logged, and a cause drags its stack along
const toJSON = ({ _tag, address, code, message, operation }: NngErrorBase<string, number>): object => ({
  _id: "NngError",
  _tag,
  code,
  message,
  ...(operation === undefined ? undefined : { operation }),
  ...(address === undefined ? undefined : { address })
})

const make = <const Tag extends string, const Code extends number>(
  tag: Tag,
  code: Code,
  text: string,
  lines: ReadonlyArray<Line> = ["1.x", "2.x"]
): NngErrorClass<Tag, Code> =>
  class extends Data.TaggedError(tag)<Details & { readonly message: string }> {
    static readonly tag = tag
    static readonly code = code
    static readonly text = text
    static readonly lines = lines
    readonly code = code
    constructor(details: Details = {}) {
      super(defined(text, details))
    }
    get [TypeId](): TypeId {
      return TypeId
    }
    get text(): string {
      return text
    }
    override toJSON() {
      return toJSON(this)
    }
  }

const makeRange = <const Tag extends string, const Field extends string>(
  tag: Tag,
  base: number,
  field: Field,
  describe: (number: number) => string
): RangeErrorClass<Tag, Field> => {
  class InRange extends Data.TaggedError(tag)<Details & { readonly message: string }> {
    static readonly tag = tag
    static readonly base = base
    static readonly describe = describe
    readonly code: number
    readonly text: string
    constructor(details: RangeDetails<Field>) {
      const number = Math.abs(details[field])
      const text = details.text ?? describe(number)
      super({ ...defined(text, details), [field]: number })
      this.code = base + number
      this.text = text
    }
    get [TypeId](): TypeId {
      return TypeId
    }
    override toJSON() {
      return toJSON(this)
    }
  }
  return InRange as unknown as RangeErrorClass<Tag, Field>
}

/**
 * A signal broke the call off before it did anything.
 *
 * @since 0.1.0
 * @category errors
 */
export class EINTR extends make("NNG_EINTR", 1, "Interrupted") {}

/**
 * Memory, buffers or free ids ran out.
 *
 * @since 0.1.0
 * @category errors
 */
export class ENOMEM extends make("NNG_ENOMEM", 2, "Out of memory") {}

/**
 * An argument, option value or URL is malformed, or does not fit the operation.
 *
 * @since 0.1.0
 * @category errors
 */
export class EINVAL extends make("NNG_EINVAL", 3, "Invalid argument") {}

/**
 * Something is in use and cannot be changed or taken now, such as frozen settings or a second peer of a pair.
 *
 * @since 0.1.0
 * @category errors
 */
export class EBUSY extends make("NNG_EBUSY", 4, "Resource busy") {}

/**
 * The operation, the survey or the handshake ran past its deadline.
 *
 * @since 0.1.0
 * @category errors
 */
export class ETIMEDOUT extends make("NNG_ETIMEDOUT", 5, "Timed out") {}

/**
 * Nobody listens at the address that was dialed.
 *
 * @since 0.1.0
 * @category errors
 */
export class ECONNREFUSED extends make("NNG_ECONNREFUSED", 6, "Connection refused") {}

/**
 * The socket, context, pipe or stream was closed before or during the operation.
 *
 * @since 0.1.0
 * @category errors
 */
export class ECLOSED extends make("NNG_ECLOSED", 7, "Object closed") {}

/**
 * A non-blocking operation could not finish at once.
 *
 * @since 0.1.0
 * @category errors
 */
export class EAGAIN extends make("NNG_EAGAIN", 8, "Try again") {}

/**
 * The protocol, transport or platform has no such operation, option or scheme.
 *
 * @since 0.1.0
 * @category errors
 */
export class ENOTSUP extends make("NNG_ENOTSUP", 9, "Not supported") {}

/**
 * Another listener already has the address.
 *
 * @since 0.1.0
 * @category errors
 */
export class EADDRINUSE extends make("NNG_EADDRINUSE", 10, "Address in use") {}

/**
 * The operation came at the wrong moment, such as a reply without a request or a second start.
 *
 * @since 0.1.0
 * @category errors
 */
export class ESTATE extends make("NNG_ESTATE", 11, "Incorrect state") {}

/**
 * There is no such dialer, listener, pipe, id, topic, header or file.
 *
 * @since 0.1.0
 * @category errors
 */
export class ENOENT extends make("NNG_ENOENT", 12, "Entry not found") {}

/**
 * The peer sent what its protocol does not allow, in the handshake or later.
 *
 * @since 0.1.0
 * @category errors
 */
export class EPROTO extends make("NNG_EPROTO", 13, "Protocol error") {}

/**
 * There is no route to the host or network.
 *
 * @since 0.1.0
 * @category errors
 */
export class EUNREACHABLE extends make("NNG_EUNREACHABLE", 14, "Destination unreachable") {}

/**
 * The address does not resolve, is not local to this machine, or is no address at all.
 *
 * @since 0.1.0
 * @category errors
 */
export class EADDRINVAL extends make("NNG_EADDRINVAL", 15, "Address invalid") {}

/**
 * The system or the peer refuses access: a privileged port, file permissions, an HTTP 401 or 403.
 *
 * @since 0.1.0
 * @category errors
 */
export class EPERM extends make("NNG_EPERM", 16, "Permission denied") {}

/**
 * A message is over the limit of this end or of the peer.
 *
 * @since 0.1.0
 * @category errors
 */
export class EMSGSIZE extends make("NNG_EMSGSIZE", 17, "Message too large") {}

/**
 * An incoming connection was gone before it was accepted.
 *
 * @since 0.1.0
 * @category errors
 */
export class ECONNABORTED extends make("NNG_ECONNABORTED", 18, "Connection aborted") {}

/**
 * The peer broke the connection off, or the pipe of a request that may not be sent again died.
 *
 * @since 0.1.0
 * @category errors
 */
export class ECONNRESET extends make("NNG_ECONNRESET", 19, "Connection reset") {}

/**
 * The operation was cancelled, or a newer one of the same context took its place.
 *
 * @since 0.1.0
 * @category errors
 */
export class ECANCELED extends make("NNG_ECANCELED", 20, "Operation canceled") {}

/**
 * The process or the system has no free file descriptor.
 *
 * @since 0.1.0
 * @category errors
 */
export class ENOFILES extends make("NNG_ENOFILES", 21, "Out of files") {}

/**
 * A disk, a quota or a fixed buffer is full.
 *
 * @since 0.1.0
 * @category errors
 */
export class ENOSPC extends make("NNG_ENOSPC", 22, "Out of space") {}

/**
 * What was to be created is already there.
 *
 * @since 0.1.0
 * @category errors
 */
export class EEXIST extends make("NNG_EEXIST", 23, "Resource already exists") {}

/**
 * An option that can only be read was to be set.
 *
 * @since 0.1.0
 * @category errors
 */
export class EREADONLY extends make("NNG_EREADONLY", 24, "Read only resource") {}

/**
 * An option that can only be set was to be read.
 *
 * @since 0.1.0
 * @category errors
 */
export class EWRITEONLY extends make("NNG_EWRITEONLY", 25, "Write only resource") {}

/**
 * TLS failed for another reason than the peer's identity: unusable keys, no common version, a peer without TLS.
 *
 * @since 0.1.0
 * @category errors
 */
export class ECRYPTO extends make("NNG_ECRYPTO", 26, "Cryptographic error") {}

/**
 * The peer's certificate is missing, untrusted, outdated or for another name.
 *
 * @since 0.1.0
 * @category errors
 */
export class EPEERAUTH extends make("NNG_EPEERAUTH", 27, "Peer could not be authenticated") {}

/**
 * A command line option came without its value.
 *
 * @since 0.1.0
 * @category errors
 */
export class ENOARG extends make("NNG_ENOARG", 28, "Option requires argument", ["1.x"]) {}

/**
 * An abbreviated command line option has more than one reading.
 *
 * @since 0.1.0
 * @category errors
 */
export class EAMBIGUOUS extends make("NNG_EAMBIGUOUS", 29, "Ambiguous option", ["1.x"]) {}

/**
 * An option was accessed as another type than it has.
 *
 * @since 0.1.0
 * @category errors
 */
export class EBADTYPE extends make("NNG_EBADTYPE", 30, "Incorrect type") {}

/**
 * The peer ended the stream in good order while more was expected.
 *
 * @since 0.1.0
 * @category errors
 */
export class ECONNSHUT extends make("NNG_ECONNSHUT", 31, "Connection shutdown") {}

/**
 * The aio was stopped for good and takes no more operations.
 *
 * @since 0.1.0
 * @category errors
 */
export class ESTOPPED extends make("NNG_ESTOPPED", 999, "Operation stopped", ["2.x"]) {}

/**
 * Something happened that should be impossible, or that is no condition of the system at all.
 *
 * @since 0.1.0
 * @category errors
 */
export class EINTERNAL extends make("NNG_EINTERNAL", 1000, "Internal error detected") {}

/**
 * The system reported an `errno` that has no code of its own; the code is 0x10000000 plus that number.
 *
 * Node's numbers are negative, so either sign is taken. `text` is what the system calls the condition.
 *
 * @since 0.1.0
 * @category errors
 */
export class ESYSERR extends makeRange("NNG_ESYSERR", 0x10000000, "errno", (errno) => `System error #${errno}`) {}

/**
 * A transport reported a failure of its own kind; the code is 0x20000000 plus the transport's number.
 *
 * @since 0.1.0
 * @category errors
 */
export class ETRANERR extends makeRange("NNG_ETRANERR", 0x20000000, "number", (n) => `Transport error #${n}`) {}

const classes = [
  EINTR,
  ENOMEM,
  EINVAL,
  EBUSY,
  ETIMEDOUT,
  ECONNREFUSED,
  ECLOSED,
  EAGAIN,
  ENOTSUP,
  EADDRINUSE,
  ESTATE,
  ENOENT,
  EPROTO,
  EUNREACHABLE,
  EADDRINVAL,
  EPERM,
  EMSGSIZE,
  ECONNABORTED,
  ECONNRESET,
  ECANCELED,
  ENOFILES,
  ENOSPC,
  EEXIST,
  EREADONLY,
  EWRITEONLY,
  ECRYPTO,
  EPEERAUTH,
  ENOARG,
  EAMBIGUOUS,
  EBADTYPE,
  ECONNSHUT,
  ESTOPPED,
  EINTERNAL
] as const

/**
 * Any error of this module that is one number, which leaves out {@link ESYSERR} and {@link ETRANERR}.
 *
 * @since 0.1.0
 * @category models
 */
export type FixedError = InstanceType<(typeof classes)[number]>

/**
 * Any error of this module.
 *
 * @since 0.1.0
 * @category models
 */
export type NngError = FixedError | ESYSERR | ETRANERR

/**
 * The C name of a code, which is the `_tag` of its error.
 *
 * @since 0.1.0
 * @category models
 */
export type Tag = NngError["_tag"]

/**
 * The error, or the union of errors, that a tag stands for.
 *
 * @since 0.1.0
 * @category models
 */
export type FromTag<T extends Tag> = Extract<NngError, { readonly _tag: T }>

/**
 * One line of the table of codes.
 *
 * @since 0.1.0
 * @category models
 */
export interface CodeInfo {
  readonly name: FixedError["_tag"]
  readonly code: FixedError["code"]
  readonly text: string
  /** The lines of libnng that have the code. */
  readonly lines: ReadonlyArray<Line>
}

/**
 * Every code that is one number, in order; the two ranges are `ESYSERR.base` and `ETRANERR.base`.
 *
 * @since 0.1.0
 * @category tables
 */
export const codes: ReadonlyArray<CodeInfo> = classes.map(({ code, lines, tag, text }) => ({
  name: tag,
  code,
  text,
  lines
}))

/**
 * Tells an error of this module from anything else.
 *
 * @since 0.1.0
 * @category guards
 */
export const isNngError = (u: unknown): u is NngError => Predicate.hasProperty(u, TypeId)

const classByCode: ReadonlyMap<number, (typeof classes)[number]> = new Map(classes.map((cls) => [cls.code, cls]))

const numberIn = (code: number, range: { readonly base: number }): Option.Option<number> =>
  Number.isInteger(code) && code >= range.base && code < range.base + RANGE_SIZE
    ? Option.some(code - range.base)
    : Option.none()

const fromWireCode = (code: number, details: Details & { readonly text?: string | undefined }) =>
  Option.firstSomeOf<NngError>([
    Option.map(Option.fromNullable(classByCode.get(code)), (cls) => new cls(details)),
    Option.map(numberIn(code, ESYSERR), (errno) => new ESYSERR({ ...details, errno })),
    Option.map(numberIn(code, ETRANERR), (number) => new ETRANERR({ ...details, number }))
  ])

/**
 * Makes the error of a code number; zero and numbers that mean nothing give none.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromCode = (code: number, details: Details = {}): Option.Option<NngError> => fromWireCode(code, details)

/**
 * The text of any number, as `nng_strerror` gives it, save that system errors are named by number only: the words for
 * them are the system's, and an {@link ESYSERR} carries them in `text`.
 *
 * @since 0.1.0
 * @category conversions
 */
export const strerror = (code: number): string =>
  code === 0
    ? "Hunky dory"
    : Option.getOrElse(
        Option.firstSomeOf([
          Option.fromNullable(classByCode.get(code)?.text),
          Option.map(numberIn(code, ESYSERR), ESYSERR.describe),
          Option.map(numberIn(code, ETRANERR), ETRANERR.describe)
        ]),
        () => `Unknown error #${code}`
      )

/**
 * An error as plain JSON. `text` is there for the two ranges only, `cause` is the original's name and message.
 *
 * @since 0.1.0
 * @category schemas
 */
export interface NngErrorEncoded {
  readonly _tag: string
  readonly code: number
  readonly address?: string | undefined
  readonly operation?: string | undefined
  readonly reason?: string | undefined
  readonly text?: string | undefined
  readonly cause?: unknown
}

/**
 * Validates that a value is an error of this module, changing nothing.
 *
 * @since 0.1.0
 * @category schemas
 */
export const NngErrorFromSelf: Schema.Schema<NngError> = /* @__PURE__ */ Schema.declare(isNngError, {
  identifier: "NngErrorFromSelf",
  arbitrary: () => (fc) => {
    const text = fc.option(fc.string(), { nil: undefined })
    const details = fc.record({ address: text, operation: text, reason: text })
    const number = fc.integer({ min: 0, max: RANGE_SIZE - 1 })
    return fc.oneof(
      fc.tuple(fc.constantFrom(...classes), details).map(([cls, details]): NngError => new cls(details)),
      fc.tuple(number, text, details).map(([errno, text, details]) => new ESYSERR({ ...details, errno, text })),
      fc.tuple(number, text, details).map(([number, text, details]) => new ETRANERR({ ...details, number, text }))
    )
  }
})

/**
 * Carries an error from one process to another as plain JSON; a tag that does not belong to its code is refused.
 *
 * A `cause` arrives as an `Error` with the original's name and message, without its stack.
 *
 * @since 0.1.0
 * @category schemas
 */
export const NngErrorFromJson: Schema.Schema<NngError, NngErrorEncoded> = /* @__PURE__ */ (() =>
  Schema.transformOrFail(
    Schema.Struct({
      _tag: Schema.String,
      code: Schema.Int,
      address: Schema.optional(Schema.String),
      operation: Schema.optional(Schema.String),
      reason: Schema.optional(Schema.String),
      text: Schema.optional(Schema.String),
      cause: Schema.optional(Schema.Defect)
    }),
    NngErrorFromSelf,
    {
      strict: true,
      decode: ({ _tag, code, ...details }, _, ast) => {
        const error = Option.filter(fromWireCode(code, details), (error) => error._tag === _tag)
        return ParseResult.fromOption(
          error,
          () => new ParseResult.Type(ast, { _tag, code }, `${_tag} is not code ${code}`)
        )
      },
      encode: (error) => {
        const { _tag, address, cause, code, operation, reason } = error
        return ParseResult.succeed({
          _tag,
          code,
          ...(address === undefined ? undefined : { address }),
          ...(operation === undefined ? undefined : { operation }),
          ...(reason === undefined ? undefined : { reason }),
          ...(_tag === "NNG_ESYSERR" || _tag === "NNG_ETRANERR" ? { text: error.text } : undefined),
          ...(cause === undefined ? undefined : { cause })
        })
      }
    }
  ).annotations({ identifier: "NngErrorFromJson" }))()
