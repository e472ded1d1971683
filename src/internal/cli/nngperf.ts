import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import type { Transports } from "../../Transport.js"
import type { Failure } from "./failure.js"
import type { Figures } from "./figures.js"
import { json, lines } from "./figures.js"
import type { Failing, Load, Sockets } from "./measure.js"
import { dialing, echo, flood, latency, listening, take } from "./measure.js"
import { line } from "./report.js"
import type { Found, Option } from "./scan.js"
import { integer, split, UsageError } from "./scan.js"
import { transports } from "./sockets.js"
import { Terminal } from "./terminal.js"

type Mode = "local_lat" | "remote_lat" | "local_thr" | "remote_thr" | "inproc_lat" | "inproc_thr" | "pubdrop"
type Choice = "pair0" | "pair1" | "reqrep0" | "bus0" | "pubsub0" | "pipeline0"
type Id = Choice | "url" | "json"

const options: ReadonlyArray<Option<Id>> = [
  { id: "pair1", name: "pair1" },
  { id: "pair0", name: "pair0" },
  { id: "reqrep0", name: "reqrep0" },
  { id: "bus0", name: "bus0" },
  { id: "pubsub0", name: "pubsub0" },
  { id: "pipeline0", name: "pipeline0" },
  { id: "url", name: "url", argument: "url" },
  { id: "json", name: "json", own: true }
]

const usages: Readonly<Record<Mode, string>> = {
  local_lat: "local_lat <listen-addr> <msg-size> <roundtrips>",
  remote_lat: "remote_lat <connect-to> <msg-size> <roundtrips>",
  local_thr: "local_thr <listen-addr> <msg-size> <count>",
  remote_thr: "remote_thr <connect-to> <msg-size> <count>",
  inproc_lat: "inproc_lat [--pair0|--pair1|--reqrep0|--bus0] [--url <url>] <msg-size> <count>",
  inproc_thr: "inproc_thr [--pair0|--pair1|--pipeline0] [--url <url>] <msg-size> <count>",
  pubdrop: "pubdrop <url> <msg-size> <msg-count> <num-subs> <interval>"
}

const aliases: Readonly<Record<string, Mode>> = {
  latency_server: "local_lat",
  latency_client: "remote_lat",
  throughput_server: "local_thr",
  throughput_client: "remote_thr"
}

const wrong = (message: string): Either.Either<never, UsageError> => Either.left(new UsageError({ message }))

const modeOf = (name: string): Mode | undefined => {
  const plain = name
    .replace(/^.*[/\\]/s, "")
    .replace(/\..*$/s, "")
    .toLowerCase()
  return Object.hasOwn(usages, plain) ? (plain as Mode) : Object.hasOwn(aliases, plain) ? aliases[plain] : undefined
}

/** By the name it is called by, or `-m mode`, or its first word. */
const chosen = (
  program: string,
  args: ReadonlyArray<string>
): Either.Either<readonly [Mode, ReadonlyArray<string>], UsageError> => {
  const [first, second] = args
  const named = modeOf(program)
  if (first !== "-m" && named !== undefined) return Either.right([named, args])
  const [name, rest] = first === "-m" ? [second, args.slice(2)] : [first, args.slice(1)]
  const mode = modeOf(name ?? "")
  return mode === undefined
    ? wrong(`Unknown mode: it is one of ${Object.keys(usages).join(", ")}.`)
    : Either.right([mode, rest])
}

const sockets: Readonly<Record<Choice, () => Promise<Sockets>>> = {
  pair0: () =>
    import("../../Pair0.js").then(({ make }) => ({
      latency: { server: make(), client: make() },
      throughput: { server: make({ recvBuffer: 128 }), client: make({ sendBuffer: 128 }) }
    })),
  pair1: () =>
    import("../../Pair1.js").then(({ make }) => ({
      latency: { server: make(), client: make() },
      throughput: { server: make({ recvBuffer: 128 }), client: make({ sendBuffer: 128 }) }
    })),
  reqrep0: () =>
    Promise.all([import("../../Req0.js"), import("../../Rep0.js")]).then(([Req0, Rep0]) => ({
      latency: { server: Rep0.make(), client: Req0.make() },
      throughput: undefined
    })),
  bus0: () =>
    import("../../Bus0.js").then(({ make }) => ({
      latency: { server: make(), client: make() },
      throughput: undefined
    })),
  pubsub0: () => Promise.resolve({ latency: undefined, throughput: undefined }),
  pipeline0: () =>
    Promise.all([import("../../Push0.js"), import("../../Pull0.js")]).then(([Push0, Pull0]) => ({
      latency: undefined,
      throughput: { server: Pull0.make(), client: Push0.make({ sendBuffer: 128 }) }
    }))
}

const largest = 1_000_000_000

/** A measurement as it was ordered. */
interface Order extends Load {
  readonly mode: Mode
  readonly choice: Choice
  readonly json: boolean
  readonly subscribers: number
  readonly micros: number
}

const choiceOf = (found: ReadonlyArray<Found<Id>>): Choice =>
  (found.filter(({ id }) => id !== "url" && id !== "json").at(-1)?.id as Choice | undefined) ?? "pair1"

/** The words without the URL, which those in one process need not have. */
const placed = (mode: Mode, found: ReadonlyArray<Found<Id>>, rest: ReadonlyArray<string>) => {
  const url = found.findLast(({ id }) => id === "url")?.value
  return mode.startsWith("inproc_")
    ? { url: url ?? "inproc://nngperf", numbers: rest, wanted: 2 }
    : { url: rest[0] ?? "", numbers: rest.slice(1), wanted: mode === "pubdrop" ? 4 : 2 }
}

const order = (program: string, args: ReadonlyArray<string>): Either.Either<Order, UsageError> =>
  Either.gen(function* () {
    const [mode, words] = yield* chosen(program, args)
    const { found, rest } = yield* split(options, words)
    const { numbers, url, wanted } = placed(mode, found, rest)
    if (numbers.length !== wanted) return yield* wrong(`Usage: ${usages[mode]}`)
    const number = (at: number) => (at < wanted ? integer(numbers[at]!, largest) : Either.right(0))
    const size = yield* number(0)
    if (mode === "pubdrop" && size < 8) return yield* wrong("Message size too small: its number takes 8 bytes.")
    return {
      mode,
      choice: choiceOf(found),
      json: found.some(({ id }) => id === "json"),
      url,
      size,
      count: yield* number(1),
      subscribers: yield* number(2),
      micros: yield* number(3)
    }
  })

type Measuring = Effect.Effect<Figures | undefined, Failing, Scope.Scope | Transports>

const refuse = ({ choice, mode }: Order) =>
  new UsageError({ message: `Protocol --${choice} does not support ${mode}.` })

/** Both ends in this process: the one that waits is there before the other. */
const both = <A, B>(
  server: Effect.Effect<Effect.Effect<A, Failing>, Failing, Scope.Scope | Transports>,
  client: Effect.Effect<B, Failing, Scope.Scope | Transports>
) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(yield* server)
    const [served, asked] = yield* Effect.all([Fiber.join(fiber), client], { concurrency: 2 })
    return { served, asked }
  })

const latencies = (order: Order, sockets: Sockets["latency"]): Measuring => {
  if (sockets === undefined) return refuse(order)
  const server = Effect.map(listening(sockets.server, order.url), (socket) => echo(socket, order))
  const client = Effect.flatMap(dialing(sockets.client, order.url), (socket) => latency(socket, order))
  if (order.mode === "local_lat") return Effect.as(Effect.flatten(server), undefined)
  return order.mode === "remote_lat" ? client : Effect.map(both(server, client), ({ asked }) => asked)
}

const throughputs = (order: Order, sockets: Sockets["throughput"]): Measuring => {
  if (sockets === undefined) return refuse(order)
  const server = Effect.map(listening(sockets.server, order.url), (socket) => take(socket, order))
  const client = Effect.flatMap(dialing(sockets.client, order.url), (socket) => flood(socket, order))
  if (order.mode === "local_thr") return Effect.flatten(server)
  return order.mode === "remote_thr"
    ? Effect.as(client, undefined)
    : Effect.map(both(server, client), ({ served }) => served)
}

const measure = (order: Order): Measuring =>
  Effect.gen(function* () {
    if (order.mode === "pubdrop") {
      const { pubdrop } = yield* Effect.promise(() => import("./pubdrop.js"))
      return yield* pubdrop(order)
    }
    const { latency, throughput } = yield* Effect.promise(sockets[order.choice])
    return yield* order.mode.endsWith("_lat") ? latencies(order, latency) : throughputs(order, throughput)
  })

/**
 * The performance tools of libnng, from the name it was called by and its arguments to the exit code.
 *
 * @internal
 */
export const nngperf = (program: string, args: ReadonlyArray<string>): Effect.Effect<number, Failure, Terminal> =>
  Effect.gen(function* () {
    const wanted = yield* order(program, args)
    const layer = yield* transports([wanted.url])
    const figures = yield* measure(wanted).pipe(Effect.scoped, Effect.provide(layer))
    const terminal = yield* Terminal
    if (figures !== undefined) {
      yield* terminal.write(line(wanted.json ? json(figures) : lines(figures).join("\n")))
    }
    return 0
  })
