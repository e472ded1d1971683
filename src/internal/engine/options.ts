import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Errors from "../../Errors.js"
import type { Patience } from "./conversation.js"

const invalid = (name: string, reason: string) =>
  Either.left(new Errors.EINVAL({ operation: "options", reason: `${name} ${reason}` }))

/**
 * A time: undefined for ever, else milliseconds. effect rounds a negative number up to zero; here it is a mistake.
 *
 * @internal
 */
export const time = (name: string, input: Duration.DurationInput): Either.Either<Patience, Errors.EINVAL> => {
  const negative =
    typeof input === "number" ? !(input >= 0) : typeof input === "bigint" ? input < 0n : String(input).startsWith("-")
  if (negative) return invalid(name, `is ${String(input)}, and no time is negative`)
  const millis = Duration.toMillis(input)
  return Either.right(millis === Infinity ? undefined : millis)
}

/** @internal */
export const integer = (
  name: string,
  value: number,
  least: number,
  most: number
): Either.Either<number, Errors.EINVAL> =>
  Number.isSafeInteger(value) && value >= least && value <= most
    ? Either.right(value)
    : invalid(name, `is ${value}, not a whole number from ${least} to ${most}`)

/** The settings that every socket has, in the engine's units. */
export interface Settings {
  readonly recvTimeout: Patience
  readonly sendTimeout: Patience
  readonly recvMaxSize: number
  readonly reconnectMin: number
  readonly reconnectMax: number
  readonly sendBuffer: number
  readonly recvBuffer: number
  /** Infinity: never. */
  readonly resendTime: number
  readonly resendTick: number
  /** Infinity: no deadline. */
  readonly surveyTime: number
  readonly ttl: number
  readonly preferNew: boolean
  /** What the protocol allows for the least of the buffers that it has; fixed. */
  readonly leastBuffer: number
}

/** What may be said of them. */
export interface Input {
  readonly recvTimeout?: Duration.DurationInput | undefined
  readonly sendTimeout?: Duration.DurationInput | undefined
  readonly recvMaxSize?: number | undefined
  readonly reconnectMin?: Duration.DurationInput | undefined
  readonly reconnectMax?: Duration.DurationInput | undefined
  readonly sendBuffer?: number | undefined
  readonly recvBuffer?: number | undefined
  readonly resendTime?: Duration.DurationInput | undefined
  readonly resendTick?: Duration.DurationInput | undefined
  readonly surveyTime?: Duration.DurationInput | undefined
  readonly ttl?: number | undefined
  readonly preferNew?: boolean | undefined
}

/** @internal */
export const defaults: Settings = {
  recvTimeout: undefined,
  sendTimeout: undefined,
  recvMaxSize: 2 ** 30,
  reconnectMin: 1000,
  reconnectMax: 0,
  sendBuffer: 0,
  recvBuffer: 0,
  resendTime: 60_000,
  resendTick: 1000,
  surveyTime: 1000,
  ttl: 8,
  preferNew: true,
  leastBuffer: 0
}

const largestBuffer = 8192

/** As many as devices may lie between two sockets; more would be a loop. */
const largestTtl = 15

const finite = (name: string, input: Duration.DurationInput): Either.Either<number, Errors.EINVAL> =>
  Either.flatMap(time(name, input), (millis) =>
    millis === undefined ? invalid(name, "is infinite") : Either.right(millis)
  )

type Name = Exclude<keyof Settings, "leastBuffer">

const readers: {
  readonly [K in Name]: (input: NonNullable<Input[K]>, before: Settings) => Either.Either<Settings[K], Errors.EINVAL>
} = {
  recvTimeout: (input) => time("recvTimeout", input),
  sendTimeout: (input) => time("sendTimeout", input),
  recvMaxSize: (input) => integer("recvMaxSize", input, 0, Number.MAX_SAFE_INTEGER),
  reconnectMin: (input) => finite("reconnectMin", input),
  reconnectMax: (input) => finite("reconnectMax", input),
  sendBuffer: (input, { leastBuffer }) => integer("sendBuffer", input, leastBuffer, largestBuffer),
  recvBuffer: (input, { leastBuffer }) => integer("recvBuffer", input, leastBuffer, largestBuffer),
  // no time at all means never, as in libnng
  resendTime: (input) => Either.map(time("resendTime", input), (millis) => millis || Infinity),
  resendTick: (input) =>
    Either.flatMap(finite("resendTick", input), (millis) =>
      millis > 0 ? Either.right(millis) : invalid("resendTick", "is no time at all")
    ),
  surveyTime: (input) => Either.map(time("surveyTime", input), (millis) => millis ?? Infinity),
  ttl: (input) => integer("ttl", input, 1, largestTtl),
  preferNew: Either.right
}

const names = Object.keys(readers) as ReadonlyArray<Name>

/**
 * These settings changed as asked; all of it, or an error that names what was wrong.
 *
 * @internal
 */
export const change = (before: Settings, input: Input): Either.Either<Settings, Errors.EINVAL> => {
  const changed: { [K in keyof Settings]: Settings[K] } = { ...before }
  const read = <K extends Name>(name: K): Errors.EINVAL | undefined => {
    const value = input[name]
    if (value === undefined) return undefined
    const setting = readers[name](value, before)
    if (Either.isLeft(setting)) return setting.left
    changed[name] = setting.right
    return undefined
  }
  for (const name of names) {
    const error = read(name)
    if (error !== undefined) return Either.left(error)
  }
  return Either.right(changed)
}

const times: ReadonlySet<keyof Settings> = new Set([
  "recvTimeout",
  "sendTimeout",
  "reconnectMin",
  "reconnectMax",
  "resendTime",
  "resendTick",
  "surveyTime"
])

/**
 * These settings as an application sees them: times are Durations.
 *
 * @internal
 */
export const show = (settings: Settings, names: ReadonlyArray<keyof Settings>): Record<string, unknown> =>
  Object.fromEntries(
    names.map((name) => {
      const value = settings[name]
      return [name, times.has(name) ? Duration.millis((value ?? Infinity) as number) : value]
    })
  )

/** What every socket has. */
export const common = ["recvTimeout", "sendTimeout", "recvMaxSize", "reconnectMin", "reconnectMax"] as const

/** What every context has. */
export const commonOfContexts = ["recvTimeout", "sendTimeout"] as const
