import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Dialer from "effect-nng/Dialer"
import * as Listener from "effect-nng/Listener"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Pair0 from "effect-nng/Pair0"
import * as Socket from "effect-nng/Socket"
import type { Transports } from "effect-nng/Transport"
import Dns from "node:dns"
import { syncBuiltinESMExports } from "node:module"
import { connecting, leavesNone, open, until } from "../support/handles.js"
import * as Peers from "../support/peers.js"
import { frame, pair0, portOf, record, tagged } from "../support/peers.js"

const test = <E>(name: string, effect: () => Effect.Effect<void, E, Scope.Scope | Transports>): void =>
  it.scopedLive(name, () => leavesNone(Effect.suspend(effect)).pipe(Effect.provide(NodeTransport.layer)))

/** Names are looked up for ever. */
const unanswered = Effect.gen(function* () {
  const asked = yield* Deferred.make<void>()
  yield* Effect.acquireRelease(
    Effect.sync(() => {
      const before = Dns.lookup
      Object.assign(Dns, { lookup: () => Deferred.unsafeDone(asked, Exit.void) })
      syncBuiltinESMExports()
      return before
    }),
    (before) =>
      Effect.sync(() => {
        Object.assign(Dns, { lookup: before })
        syncBuiltinESMExports()
      })
  )
  return Deferred.await(asked)
})

type Reached = Effect.Effect<unknown, unknown, Scope.Scope>

/** The phases of a dialer: where it dials to, and what tells that it has come so far. */
const phases: ReadonlyArray<{
  readonly name: string
  readonly ends: "NNG_ECLOSED" | undefined
  readonly prepare: Effect.Effect<
    { readonly url: string; readonly reached: (dialer: Dialer.Dialer) => Reached },
    Error,
    Scope.Scope
  >
}> = [
  {
    name: "before it is started",
    ends: undefined,
    prepare: Effect.succeed({ url: "tcp://127.0.0.1:5555", reached: () => Effect.void })
  },
  {
    name: "while the name is looked up",
    ends: "NNG_ECLOSED",
    prepare: Effect.map(unanswered, (asked) => ({ url: "tcp://somewhere:5555", reached: () => asked }))
  },
  {
    name: "while it connects",
    ends: "NNG_ECLOSED",
    prepare: Effect.map(Peers.blackHole, (port) => {
      const before = connecting()
      return {
        url: `tcp://127.0.0.1:${port}`,
        reached: () => until(() => connecting() > before, open)
      }
    })
  },
  {
    name: "while it waits for the peer's header",
    ends: "NNG_ECLOSED",
    prepare: Effect.map(Peers.listen(), ({ accept, port }) => ({
      url: `tcp://127.0.0.1:${port}`,
      reached: () => Effect.flatMap(accept, (peer) => peer.read(8))
    }))
  },
  {
    name: "while it is connected",
    ends: undefined,
    prepare: Effect.map(Peers.listen(), ({ accept, port }) => ({
      url: `tcp://127.0.0.1:${port}`,
      reached: (dialer) =>
        Effect.gen(function* () {
          const told = yield* record(Dialer.events(dialer))
          yield* Effect.flatMap(accept, (peer) => peer.write(pair0))
          yield* told.find(tagged("Connected"))
        })
    }))
  },
  {
    name: "while it waits to dial again",
    ends: undefined,
    prepare: Effect.map(Peers.listen(), ({ accept, port }) => ({
      url: `tcp://127.0.0.1:${port}`,
      reached: (dialer) =>
        Effect.gen(function* () {
          const told = yield* record(Dialer.events(dialer))
          const peer = yield* accept
          yield* peer.write(pair0)
          yield* told.find(tagged("Connected"))
          yield* peer.end
          yield* told.find(tagged("Disconnected"))
          expect(yield* dialer.state).toMatchObject({ _tag: "Waiting" })
        })
    }))
  }
]

describe("a dialer can be closed", () => {
  for (const { ends, name, prepare } of phases) {
    /** Starts a dialer, waits for its phase, ends it, and looks at what is left. */
    const ended = (
      end: (own: Scope.CloseableScope, dialer: Dialer.Dialer, socket: Pair0.Pair0) => Effect.Effect<void>
    ) =>
      Effect.gen(function* () {
        const { reached, url } = yield* prepare
        yield* leavesNone(
          Effect.gen(function* () {
            const socket = yield* Pair0.make()
            const own = yield* Scope.make()
            const dialer = yield* Scope.extend(Dialer.make(socket, url, { reconnectMin: "1 hour" }), own)
            const starting = yield* Effect.fork(
              name === "before it is started" ? Effect.void : Effect.either(Dialer.start(dialer))
            )
            yield* Effect.scoped(reached(dialer))
            yield* end(own, dialer, socket)
            expect(yield* dialer.state).toEqual({ _tag: "Closed" })
            const result = yield* Fiber.join(starting)
            if (ends !== undefined) expect(result).toMatchObject({ _tag: "Left", left: { _tag: ends } })
            expect((yield* Socket.pipes(socket).get.pipe(Effect.orElseSucceed(() => []))).length).toBe(0)
          })
        )
      })

    test(`${name}, with its scope`, () => ended((own) => Scope.close(own, Exit.void)))

    test(`${name}, by itself`, () => ended((_, dialer) => Effect.orDie(dialer.close)))

    test(`${name}, with its socket`, () => ended((_, __, socket) => Effect.orDie(socket.close)))
  }

  for (const { name, prepare } of phases) {
    if (name === "before it is started") continue
    test(`${name}, by the end of the program that started it in the background`, () =>
      Effect.gen(function* () {
        const { reached, url } = yield* prepare
        yield* leavesNone(
          Effect.gen(function* () {
            const socket = yield* Pair0.make()
            const dialer = yield* Socket.dial(socket, url, { nonblocking: true, reconnectMin: "1 hour" })
            yield* Effect.scoped(reached(dialer))
          })
        )
      }))
  }
})

describe("a listener can be closed", () => {
  const phases: ReadonlyArray<readonly [name: string, reached: (port: number) => Reached]> = [
    ["while nobody is there", () => Effect.void],
    ["while a client is silent", (port) => Effect.flatMap(Peers.dial(port), (client) => client.read(8))],
    [
      "while a client is connected and in the middle of a message",
      (port) =>
        Effect.gen(function* () {
          const client = yield* Peers.dial(port)
          yield* client.write(pair0, frame("hello").subarray(0, 10))
          yield* client.read(8)
        })
    ],
    [
      "while clients come",
      (port) => Effect.forEach(Array.from({ length: 20 }), () => Peers.dial(port), { concurrency: "unbounded" })
    ]
  ]
  const ways: ReadonlyArray<
    readonly [
      name: string,
      end: (own: Scope.CloseableScope, listener: Listener.Listener, socket: Pair0.Pair0) => Effect.Effect<void>
    ]
  > = [
    ["with its scope", (own) => Scope.close(own, Exit.void)],
    ["by itself", (_, listener) => Effect.orDie(listener.close)],
    ["with its socket", (_, __, socket) => Effect.orDie(socket.close)]
  ]
  for (const [name, reached] of phases) {
    for (const [way, end] of ways) {
      test(`${name}, ${way}, and its port is free`, () =>
        Effect.gen(function* () {
          const socket = yield* Pair0.make()
          const own = yield* Scope.make()
          const listener = yield* Scope.extend(Socket.listen(socket, "tcp://127.0.0.1:0"), own)
          const port = portOf(listener)
          const outside = yield* Scope.make()
          yield* Scope.extend(reached(port), outside)
          yield* end(own, listener, socket)
          expect(yield* listener.state).toEqual({ _tag: "Closed" })
          const other = yield* Pair0.make()
          yield* Socket.listen(other, `tcp://127.0.0.1:${port}`)
          yield* Scope.close(outside, Exit.void)
        }))
    }
  }

  test("and every client sees its connection end", () =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make()
      const listener = yield* Socket.listen(socket, "tcp://127.0.0.1:0")
      const pipes = yield* record(Socket.events(socket))
      const silent = yield* Peers.dial(portOf(listener))
      yield* silent.read(8)
      const good = yield* Peers.dial(portOf(listener))
      yield* good.write(pair0)
      yield* pipes.find(tagged("AddPost"))
      yield* listener.close
      yield* silent.closed
      yield* good.closed
      expect((yield* pipes.find(tagged("RemPost"))).reason).toMatchObject({ _tag: "NNG_ECLOSED" })
    }))

  test("while it binds, and leaves nothing", () =>
    Effect.gen(function* () {
      for (let steps = 0; steps < 20; steps++) {
        yield* leavesNone(
          Effect.gen(function* () {
            const socket = yield* Pair0.make()
            const listener = yield* Listener.make(socket, "tcp://127.0.0.1:0")
            const starting = yield* Effect.fork(Listener.start(listener))
            yield* Effect.repeatN(Effect.yieldNow(), steps)
            yield* Fiber.interrupt(starting)
          })
        )
      }
    }))
})
