import * as Data from "effect/Data"
import * as Either from "effect/Either"

/**
 * An option as the command line spells it.
 *
 * @internal
 */
export interface Option<Id extends string> {
  readonly id: Id
  /** Without the dashes. Several names may share an id. */
  readonly name: string
  /** One letter. */
  readonly short?: string
  /** What to call its argument in the usage; undefined: it takes none. */
  readonly argument?: string
  /** Not libnng's: it gives way wherever a beginning could mean one of theirs. */
  readonly own?: true
}

/**
 * @internal
 */
export interface Found<Id extends string> {
  readonly id: Id
  /** Empty if it takes none. */
  readonly value: string
}

/**
 * What was said cannot be understood, or not done.
 *
 * @internal
 */
export class UsageError extends Data.TaggedError("UsageError")<{ readonly message: string }> {}

interface Word {
  readonly found: Found<string>
  /** How many arguments it took. */
  readonly length: number
}

const wrong = (message: string) => Either.left(new UsageError({ message }))

const quoted = (names: ReadonlyArray<string>) => names.map((name) => `--${name}`).join(", ")

/** The ones that begin like this, libnng's before ours, or the one that is exactly this. */
const beginningWith = <Id extends string>(
  options: ReadonlyArray<Option<Id>>,
  beginning: string
): ReadonlyArray<Option<Id>> => {
  const exact = options.find(({ name }) => name === beginning)
  if (exact !== undefined) return [exact]
  const all = options.filter(({ name }) => name.startsWith(beginning))
  const theirs = all.filter(({ own }) => own !== true)
  return theirs.length > 0 ? theirs : all
}

/** `--name`, `--name=value`, `--name:value`, or the beginning of a name that no other shares. */
const long = <Id extends string>(
  options: ReadonlyArray<Option<Id>>,
  argument: string
): Either.Either<readonly [Option<Id>, string | undefined], UsageError> => {
  const [, name, glued] = /^--([^=:]*)(?:[=:](.*))?$/s.exec(argument)!
  const matches = beginningWith(options, name!)
  if (matches.length === 1) return Either.right([matches[0]!, glued])
  return matches.length === 0
    ? wrong(`Option ${argument} is invalid.`)
    : wrong(`Option ${argument} is ambiguous: ${quoted(matches.map(({ name }) => name))}.`)
}

/** `-x`, or `-xvalue`. Letters are not joined: `-vq` is wrong. */
const short = <Id extends string>(
  options: ReadonlyArray<Option<Id>>,
  argument: string
): Either.Either<readonly [Option<Id>, string | undefined], UsageError> => {
  const option = options.find(({ short }) => short === argument[1])
  if (option === undefined) return wrong(`Option ${argument} is invalid.`)
  return Either.right([option, argument.length > 2 ? argument.slice(2) : undefined])
}

const word = <Id extends string>(
  options: ReadonlyArray<Option<Id>>,
  args: ReadonlyArray<string>,
  at: number
): Either.Either<Word, UsageError> => {
  const argument = args[at]!
  return Either.flatMap(
    argument.startsWith("--") ? long(options, argument) : short(options, argument),
    ([option, glued]): Either.Either<Word, UsageError> => {
      if (option.argument === undefined) {
        return glued === undefined
          ? Either.right({ found: { id: option.id, value: "" }, length: 1 })
          : wrong(`Option ${argument} is invalid: --${option.name} takes no argument.`)
      }
      if (glued !== undefined) return Either.right({ found: { id: option.id, value: glued }, length: 1 })
      const value = args[at + 1]
      return value === undefined
        ? wrong(`Option ${argument} requires an argument.`)
        : Either.right({ found: { id: option.id, value }, length: 2 })
    }
  )
}

/**
 * Reads options as libnng's tools do. The first argument that does not begin with a dash, or is a dash alone, ends them;
 * what follows is the rest.
 *
 * @internal
 */
export const split = <Id extends string>(
  options: ReadonlyArray<Option<Id>>,
  args: ReadonlyArray<string>
): Either.Either<{ readonly found: ReadonlyArray<Found<Id>>; readonly rest: ReadonlyArray<string> }, UsageError> => {
  const found: Array<Found<Id>> = []
  let at = 0
  while (at < args.length && args[at]!.startsWith("-") && args[at] !== "-") {
    const next = word(options, args, at)
    if (Either.isLeft(next)) return Either.left(next.left)
    found.push(next.right.found as Found<Id>)
    at += next.right.length
  }
  return Either.right({ found, rest: args.slice(at) })
}

/**
 * The options alone: the rest is not looked at.
 *
 * @internal
 */
export const scan = <Id extends string>(
  options: ReadonlyArray<Option<Id>>,
  args: ReadonlyArray<string>
): Either.Either<ReadonlyArray<Found<Id>>, UsageError> => Either.map(split(options, args), ({ found }) => found)

const tooLarge = (text: string, most: number): boolean => text.length > 15 || Number(text) > most

/**
 * A number without sign, as libnng's tools read it.
 *
 * @internal
 */
export const integer = (text: string, most: number): Either.Either<number, UsageError> => {
  if (text === "") return wrong("Empty integer argument.")
  if (!/^[0-9]+$/.test(text)) return wrong(`Integer argument expected, and not ${JSON.stringify(text)}.`)
  return tooLarge(text, most)
    ? wrong(`Integer argument too large: ${text} is above ${most}.`)
    : Either.right(Number(text))
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/**
 * A time in milliseconds: whole seconds, as libnng's tools read them, or a number with its unit, as in `250ms`.
 *
 * @internal
 */
export const duration = (text: string, most: number): Either.Either<number, UsageError> => {
  const [, digits, unit] = /^([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|m|h)$/.exec(text) ?? []
  if (digits === undefined) return Either.map(integer(text, most), (seconds) => seconds * 1000)
  const millis = Math.round(Number(digits) * units[unit!]!)
  return millis > most * 1000 ? wrong(`Time argument too large: ${text} is above ${most}s.`) : Either.right(millis)
}
