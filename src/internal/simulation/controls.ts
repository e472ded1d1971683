import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Errors from "../../Errors.js"
import type * as Api from "../../TestTransport.js"
import type { Conditions } from "./flow.js"
import type { Network } from "./network.js"
import type { Caller } from "./node.js"
import * as Where from "./where.js"

const invalid = (operation: string, reason: string) =>
  new Errors.EINVAL({ operation: `TestTransport.${operation}`, reason })

const whole = (operation: string, name: string, value: number, least: number): Errors.EINVAL | undefined =>
  Number.isSafeInteger(value) && value >= least
    ? undefined
    : invalid(operation, `${name} is ${value}, not a whole number from ${least}`)

const millisOf = (operation: string, name: string, input: Duration.DurationInput): number | Errors.EINVAL => {
  const negative = typeof input === "number" ? !(input >= 0) : String(input).startsWith("-")
  const millis = negative ? Infinity : Duration.toMillis(input)
  return millis === Infinity ? invalid(operation, `${name} is ${String(input)}, not a finite time from 0`) : millis
}

/** Does something where `where` says, if that is known, and writes it down. */
const at = (
  network: Network,
  operation: string,
  where: Api.Where,
  detail: string,
  act: (way: Api.Way) => void
): Effect.Effect<void, Errors.EADDRINVAL> =>
  Effect.suspend(() => {
    const way = Where.wayOf(where)
    const stranger = network.unknown(operation, way)
    if (stranger !== undefined) return stranger
    network.history.add({
      _tag: "Control",
      what: `${operation} ${Where.describe(way)}${detail === "" ? "" : `, ${detail}`}`
    })
    act(way)
    return Effect.void
  })

const rule = (
  network: Network,
  operation: string,
  where: Api.Where,
  detail: string,
  apply: (conditions: Conditions) => void
): Effect.Effect<void, Errors.EADDRINVAL> => at(network, operation, where, detail, (way) => network.rule(way, apply))

/** @internal */
export const refuse = (network: Network, where: Api.Where) =>
  rule(network, "refuse", where, "", (conditions) => void (conditions.refused = true))

/** @internal */
export const blackHole = (network: Network, where: Api.Where) =>
  rule(network, "blackHole", where, "", (conditions) => void (conditions.cut = true))

/** @internal */
export const partition = (
  network: Network,
  left: Api.Places,
  right: Api.Places,
  options: { readonly reset?: boolean | undefined } = {}
) =>
  at(network, "partition", Where.between(left, right), options.reset === true ? "resetting" : "", (way) => {
    if (options.reset === true) resetAll(network, way)
    network.rule(way, (conditions) => void (conditions.cut = true))
  })

/** @internal */
export const heal = (network: Network, where: Api.Where = Where.everywhere) =>
  at(network, "heal", where, "", (way) => network.heal(way))

const resetAll = (network: Network, way: Api.Way): void => {
  for (const { ends } of network.linksOn(way)) for (const end of ends) end.reset()
}

/** @internal */
export const reset = (network: Network, where: Api.Where) =>
  at(network, "reset", where, "", (way) => resetAll(network, way))

/** @internal */
export const closeHalf = (network: Network, where: Api.Where) =>
  at(network, "closeHalf", where, "", (way) => {
    for (const flow of network.flowsOn(way)) flow.end()
  })

/** @internal */
export const latency = (
  network: Network,
  where: Api.Where,
  delay: Duration.DurationInput,
  options: { readonly jitter?: Duration.DurationInput | undefined } = {}
): Effect.Effect<void, Errors.EADDRINVAL | Errors.EINVAL> =>
  Effect.suspend((): Effect.Effect<void, Errors.EADDRINVAL | Errors.EINVAL> => {
    const millis = millisOf("latency", "the latency", delay)
    const jitter = millisOf("latency", "the jitter", options.jitter ?? 0)
    if (typeof millis !== "number") return millis
    if (typeof jitter !== "number") return jitter
    return rule(
      network,
      "latency",
      where,
      `${millis} ms${jitter > 0 ? ` and up to ${jitter} ms more` : ""}`,
      (conditions) => {
        conditions.latency = millis
        conditions.jitter = jitter
      }
    )
  })

/** @internal */
export const bandwidth = (
  network: Network,
  where: Api.Where,
  bytesPerSecond: number
): Effect.Effect<void, Errors.EADDRINVAL | Errors.EINVAL> =>
  bytesPerSecond > 0
    ? rule(network, "bandwidth", where, `${bytesPerSecond} B/s`, (conditions) => {
        conditions.bandwidth = bytesPerSecond
      })
    : invalid("bandwidth", `${bytesPerSecond} bytes per second are none`)

/** @internal */
export const limitBuffer = (
  network: Network,
  where: Api.Where,
  bytes: number
): Effect.Effect<void, Errors.EADDRINVAL | Errors.EINVAL> =>
  whole("limitBuffer", "the size", bytes, 0) ??
  rule(network, "limitBuffer", where, `${bytes} B`, (conditions) => void (conditions.buffer = bytes))

/** @internal */
export const split = (
  network: Network,
  where: Api.Where,
  size: number | "random"
): Effect.Effect<void, Errors.EADDRINVAL | Errors.EINVAL> =>
  (size === "random" ? undefined : whole("split", "the size", size, 1)) ??
  rule(network, "split", where, size === "random" ? "at random" : `every ${size} B`, (conditions) => {
    conditions.split = size
  })

/** @internal */
export const truncate = (
  network: Network,
  where: Api.Where,
  after: number
): Effect.Effect<void, Errors.EADDRINVAL | Errors.EINVAL> =>
  whole("truncate", "the number of bytes", after, 0) ??
  rule(network, "truncate", where, `after ${after} B`, (conditions) => void (conditions.truncateAfter = after))

/** @internal */
export const corrupt = (
  network: Network,
  where: Api.Where,
  after: number,
  options: { readonly xor?: number | undefined } = {}
): Effect.Effect<void, Errors.EADDRINVAL | Errors.EINVAL> => {
  const { xor = 0xff } = options
  return (
    whole("corrupt", "the number of bytes", after, 0) ??
    (Number.isSafeInteger(xor) && xor >= 1 && xor <= 0xff
      ? rule(network, "corrupt", where, `the byte after ${after} B, xor 0x${xor.toString(16)}`, (conditions) => {
          conditions.corrupt = [...conditions.corrupt, { after, xor }]
        })
      : invalid("corrupt", `xor is ${xor}, not a whole number from 1 to 255`))
  )
}

/** @internal */
export const hold = (network: Network, where: Api.Where) =>
  rule(network, "hold", where, "", (conditions) => void (conditions.held = true))

/** @internal */
export const release = (
  network: Network,
  where: Api.Where,
  options: { readonly order?: "arrival" | "reverse" | "shuffled" | undefined } = {}
) => {
  const { order = "arrival" } = options
  const sort = (callers: ReadonlyArray<Caller>): ReadonlyArray<Caller> =>
    order === "arrival" ? callers : order === "reverse" ? callers.slice().reverse() : network.chance.shuffle(callers)
  return at(network, "release", where, order, (way) => network.release(way, sort))
}

/** @internal */
export const failNext = <K extends "dial" | "accept" | "listen">(
  network: Network,
  what: K,
  where: Api.Where,
  error: Network["failures"][K][number]["error"]
) =>
  at(network, `failNext${what[0]!.toUpperCase()}${what.slice(1)}`, where, error._tag, (way) => {
    const failures: Array<{ readonly way: Api.Way; readonly error: typeof error }> = network.failures[what]
    failures.push({ way, error })
  })

const onNode = (
  network: Network,
  operation: "crash" | "restart",
  name: string,
  detail: string,
  act: (node: NonNullable<ReturnType<Network["existing"]>>) => void
): Effect.Effect<void, Errors.EADDRINVAL> =>
  Effect.suspend(() => {
    const node = network.existing(name)
    if (node === undefined) return network.strange(operation, name)
    network.history.add({ _tag: "Control", what: `${operation} ${node.name}${detail}` })
    act(node)
    return Effect.void
  })

/** @internal */
export const crash = (network: Network, name: string, options: { readonly silent?: boolean | undefined } = {}) =>
  onNode(network, "crash", name, options.silent === true ? ", silently" : "", (node) =>
    network.crash(node, options.silent === true)
  )

/** @internal */
export const restart = (network: Network, name: string) =>
  onNode(network, "restart", name, "", (node) => network.restart(node))
