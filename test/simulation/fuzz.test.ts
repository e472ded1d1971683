import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FC from "effect/FastCheck"
import type * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Scope from "effect/Scope"
import type { Bytes, ByteStream } from "effect-nng/ByteStream"
import * as Errors from "effect-nng/Errors"
import * as Message from "effect-nng/Message"
import * as Pair0 from "effect-nng/Pair0"
import * as Socket from "effect-nng/Socket"
import * as TestTransport from "effect-nng/TestTransport"
import type { Network } from "../../src/internal/simulation/network.js"
import { onNetwork, settle } from "../support/simulation.js"

const { between, everywhere, toward } = TestTransport

const pairs = [0, 1, 2]
const urlOf = (pair: number) => `tcp://10.0.0.${pair + 1}:5555`
const nodes = ["x", "y", "z"]
/** Who listens and who dials. */
const listens = (pair: number) => nodes[pair]!
const dials = (pair: number) => nodes[(pair + 1) % 3]!

type Control = Effect.Effect<void, Errors.EADDRINVAL | Errors.EINVAL, TestTransport.Network>

const place = FC.constantFrom(...nodes, ...pairs.map(urlOf), ...pairs.map((pair) => `10.0.0.${pair + 1}`))
const where: FC.Arbitrary<TestTransport.Where> = FC.oneof(
  place,
  FC.constant(everywhere),
  FC.tuple(place, place).map(([a, b]) => between(a, b)),
  FC.tuple(place, place).map(([a, b]) => toward(a, [b]))
)

const named = (name: string, control: Control) => ({ control, toString: () => name })
const small = FC.nat({ max: 60 })
const node = FC.constantFrom(...nodes)

/** Nothing that changes bytes or ends only one direction. */
const gentle = FC.oneof(
  where.map((at) => named("reset", TestTransport.reset(at))),
  where.map((at) => named("blackHole", TestTransport.blackHole(at))),
  where.map((at) => named("refuse", TestTransport.refuse(at))),
  where.map((at) => named("heal", TestTransport.heal(at))),
  where.map((at) => named("hold", TestTransport.hold(at))),
  where.map((at) => named("release", TestTransport.release(at, { order: "shuffled" }))),
  FC.tuple(where, small, small).map(([at, delay, jitter]) =>
    named("latency", TestTransport.latency(at, delay, { jitter }))
  ),
  FC.tuple(where, small).map(([at, n]) => named("bandwidth", TestTransport.bandwidth(at, 1 + 10 * n))),
  FC.tuple(where, small).map(([at, n]) => named("limitBuffer", TestTransport.limitBuffer(at, n))),
  FC.tuple(where, small).map(([at, n]) => named("split", TestTransport.split(at, n === 0 ? "random" : n))),
  FC.tuple(node, node, FC.boolean()).map(([a, b, reset]) =>
    named("partition", TestTransport.partition(a, b, { reset }))
  ),
  where.map((at) => named("failNextDial", TestTransport.failNextDial(at, new Errors.ENOMEM()))),
  where.map((at) => named("failNextAccept", TestTransport.failNextAccept(at, new Errors.ECONNABORTED()))),
  FC.constant(named("nothing", Effect.void))
)

const rough = FC.oneof(
  gentle,
  FC.tuple(where, small).map(([at, n]) => named("truncate", TestTransport.truncate(at, n))),
  FC.tuple(where, small).map(([at, n]) => named("corrupt", TestTransport.corrupt(at, n))),
  where.map((at) => named("closeHalf", TestTransport.closeHalf(at))),
  FC.tuple(node, FC.boolean()).map(([at, silent]) => named("crash", TestTransport.crash(at, { silent }))),
  node.map((at) => named("restart", TestTransport.restart(at)))
)

interface Step {
  readonly control: { readonly control: Control }
  /** Milliseconds afterwards. */
  readonly wait: number
}

const steps = (control: FC.Arbitrary<{ readonly control: Control }>): FC.Arbitrary<ReadonlyArray<Step>> =>
  FC.array(FC.record({ control, wait: FC.constantFrom(0, 1, 10, 90, 1500) }), { maxLength: 25 })

interface Received {
  readonly pipe: number
  readonly number: number
}

/** Sends numbers, whatever happens. */
const sending = (socket: Pair0.Pair0, begin: number) =>
  Effect.gen(function* () {
    for (let i = begin; ; i++) {
      yield* Effect.ignore(Socket.send(socket, `${i}`.padEnd(i % 50)))
      yield* Effect.sleep(50)
    }
  })

const receiving = (socket: Pair0.Pair0, into: Array<Received>) =>
  Effect.forever(
    Effect.flatMap(Socket.recv(socket), (message) =>
      Effect.sync(() => {
        into.push({ pipe: message.pipeId, number: Number(Message.text(message)) })
      })
    )
  )

/** A duplex must never call its owner from within a method, nor after the end. */
const guarded = (bytes: Bytes, broken: Array<string>): Bytes => {
  let inside = 0
  let [asked, full, closed] = [false, false, false]
  const within = <A>(run: () => A): A => {
    inside++
    try {
      return run()
    } finally {
      inside--
    }
  }
  const check = (what: string, holds: boolean) => {
    if (inside > 0) broken.push(`${what} from within a method`)
    if (!holds) broken.push(`${what} out of turn`)
  }
  return {
    start: (owner) => {
      let told = false
      within(() =>
        bytes.start({
          onPull: (input) => {
            check("onPull", asked && !told && !closed && input.length > 0)
            asked = false
            owner.onPull(input)
          },
          onDrain: () => {
            check("onDrain", full && !told && !closed)
            full = false
            owner.onDrain()
          },
          onClose: (error) => {
            check("onClose", !told && !closed)
            told = true
            owner.onClose(error)
          }
        })
      )
    },
    pull: () => {
      const input = within(() => bytes.pull())
      asked = input === undefined
      return input
    },
    push: (pieces) => {
      if (full) broken.push("pushed while it was full")
      full = !within(() => bytes.push(pieces))
      return !full
    },
    close: () => {
      closed = true
      return within(() => bytes.close())
    }
  }
}

/** All streams of a network keep what a `Duplex` promises. */
const guarding = <A, E, R>(effect: (broken: Array<string>) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const network = (yield* TestTransport.Network) as Network
    const broken: Array<string> = []
    const guard = <E, R>(stream: Effect.Effect<ByteStream, E, R>) =>
      Effect.map(stream, (stream) => ({ ...stream, bytes: guarded(stream.bytes, broken) }))
    const { connect, listen } = network
    network.connect = (node, target) => guard(connect.call(network, node, target))
    network.listen = (node, target) =>
      Effect.map(listen.call(network, node, target), (acceptor) => ({ ...acceptor, accept: guard(acceptor.accept) }))
    yield* effect(broken)
    expect(broken).toEqual([])
  })

/** What came twice, or on one pipe after what was sent later. */
const misordered = (all: ReadonlyArray<Received>): ReadonlyArray<Received> => {
  const seen = new Set<number>()
  const last = new Map<number, number>()
  return all.filter(({ number, pipe }) => {
    const wrong = seen.has(number) || number < (last.get(pipe) ?? 0)
    seen.add(number)
    last.set(pipe, number)
    return wrong
  })
}

/** Who dies says so in the log. */
const silently = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const said: Array<string> = []
    const logger = Logger.make(({ cause, logLevel, message }) => {
      if (LogLevel.greaterThanEqual(logLevel, LogLevel.Warning)) said.push(`${String(message)} ${Cause.pretty(cause)}`)
    })
    return effect.pipe(
      Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
      Effect.zipLeft(Effect.sync(() => expect(said).toEqual([])))
    )
  })

const converges = (seed: number, steps: ReadonlyArray<Step>, crashes: boolean) =>
  guarding(() =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const inScope = Scope.extend(scope)
      const received: Array<ReadonlyArray<Received>> = []
      const sockets: Array<{ readonly left: Pair0.Pair0; readonly right: Pair0.Pair0 }> = []
      const fibers: Array<Fiber.RuntimeFiber<unknown, unknown>> = []
      for (const pair of pairs) {
        const options = { reconnectMin: 50, reconnectMax: 500, recvBuffer: pair, sendBuffer: pair }
        const left = yield* inScope(TestTransport.on(listens(pair))(Pair0.make(options)))
        const right = yield* inScope(TestTransport.on(dials(pair))(Pair0.make(options)))
        yield* inScope(Socket.listen(left, urlOf(pair)))
        yield* inScope(Socket.dial(right, urlOf(pair)))
        for (const [from, to] of [
          [left, right],
          [right, left]
        ] as const) {
          const into: Array<Received> = []
          received.push(into)
          fibers.push(yield* Effect.forkIn(receiving(to, into), scope))
          fibers.push(yield* Effect.forkIn(sending(from, 1), scope))
        }
        sockets.push({ left, right })
      }
      for (const { control, wait } of steps) {
        yield* control.control
        yield* Effect.sleep(wait)
      }
      for (const node of nodes) yield* TestTransport.restart(node)
      yield* TestTransport.heal()
      yield* Effect.sleep("30 seconds")
      const before = received.map(({ length }) => length)
      yield* Effect.sleep("10 seconds")
      // a crash takes listeners of sockets with it, and then nobody meets any more
      if (!crashes) {
        for (const { left, right } of sockets) {
          expect([(yield* left.statistics).pipes, (yield* right.statistics).pipes]).toEqual([1, 1])
        }
        for (const [i, { length }] of received.entries()) expect(length).toBeGreaterThan(before[i]! + 100)
      }
      yield* Scope.close(scope, Exit.void)
      yield* settle
      for (const fiber of fibers) expect(fiber.unsafePoll()).not.toBeNull()
      if (!crashes) for (const all of received) expect(misordered(all)).toEqual([])
    })
  ).pipe((effect) => silently(onNetwork(effect, { seed, historySize: 0 })))

const options = { fastCheck: { numRuns: 25 } }

describe("whatever happens on a network", () => {
  it.effect.prop(
    "all meet again when it is healed, nothing is doubled or out of order, and every fiber ends",
    { seed: FC.nat(), steps: steps(gentle) },
    ({ seed, steps }) => converges(seed, steps, false),
    options
  )

  it.effect.prop(
    "with broken bytes and crashes, nothing dies and every fiber ends",
    { seed: FC.nat(), steps: steps(rough) },
    ({ seed, steps }) => converges(seed, steps, true),
    options
  )
})
