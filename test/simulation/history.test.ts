import { describe, expect, it } from "@effect/vitest"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FC from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as Errors from "effect-nng/Errors"
import * as Pair0 from "effect-nng/Pair0"
import * as Socket from "effect-nng/Socket"
import * as TestTransport from "effect-nng/TestTransport"
import { pair0 as header } from "../support/peers.js"
import { recvText } from "../support/sockets.js"
import type { Provided } from "../support/simulation.js"
import { client, connect, exchange, listening, onNetwork, server, simulated, url } from "../support/simulation.js"

const { diagram, everywhere, history } = TestTransport

const frame = (body: string) => Uint8Array.of(0, 0, 0, 0, 0, 0, 0, body.length, ...Buffer.from(body))

/** Two sockets say hello, slowly, and one of them leaves. */
const hello = Effect.gen(function* () {
  const left = yield* TestTransport.on(server)(Pair0.make())
  yield* Socket.listen(left, url)
  yield* TestTransport.latency(server, 10)
  yield* Effect.scoped(
    Effect.gen(function* () {
      const right = yield* TestTransport.on(client)(Pair0.make())
      yield* Socket.dial(right, url)
      yield* Socket.send(right, "hello")
      yield* Socket.send(left, yield* Socket.recv(left))
      expect(yield* recvText(right)).toBe("hello")
    })
  )
  yield* Effect.sleep(100)
})

/** Sockets of many nodes, which all talk to one that says back what it hears; now and then the way is bad. */
const busy = Effect.gen(function* () {
  const nodes = ["a", "b", "c"]
  yield* TestTransport.latency(everywhere, 1, { jitter: 20 })
  yield* TestTransport.split(everywhere, "random")
  const fibers = yield* Effect.forEach(nodes, (node, i) =>
    Effect.gen(function* () {
      const at = `tcp://10.0.0.${i + 1}:5555`
      const left = yield* TestTransport.on(server)(Pair0.make({ recvBuffer: 2 }))
      const right = yield* TestTransport.on(node)(Pair0.make({ sendBuffer: 2, reconnectMin: 100 }))
      yield* Socket.listen(left, at)
      yield* Socket.dial(right, at, { nonblocking: true })
      yield* Effect.forkScoped(
        Effect.forever(Effect.flatMap(Socket.recv(left), (message) => Socket.send(left, message)))
      )
      yield* Effect.forkScoped(Effect.forever(Socket.recv(right)))
      return yield* Effect.forkScoped(
        Effect.forEach(Array.from({ length: 15 }), (_, j) =>
          Effect.delay(Socket.send(right, "x".repeat(j * 7)), 5 * i + 3)
        )
      )
    })
  )
  yield* Effect.sleep(30)
  yield* TestTransport.reset("a")
  yield* TestTransport.blackHole("b")
  yield* Effect.sleep(300)
  yield* TestTransport.heal()
  yield* Effect.forEach(fibers, Fiber.join)
  yield* Effect.sleep(1000)
})

describe("the history", () => {
  simulated("is what happened, as data", () =>
    Effect.gen(function* () {
      yield* hello
      const [there, back] = [
        { connection: 1, from: client, to: url },
        { connection: 1, from: url, to: client }
      ]
      expect(yield* history).toEqual([
        { at: 0, _tag: "Listening", node: server, url },
        { at: 0, _tag: "Control", what: "latency server, 10 ms" },
        { at: 0, _tag: "Dialing", ...there },
        { at: 10, _tag: "Accepted", ...there },
        { at: 10, _tag: "Sent", ...back, size: 8, head: header },
        { at: 20, _tag: "Arrived", ...back, size: 8 },
        { at: 20, _tag: "Sent", ...there, size: 8, head: header },
        { at: 20, _tag: "Sent", ...there, size: 13, head: frame("hello") },
        { at: 30, _tag: "Arrived", ...there, size: 8 },
        { at: 30, _tag: "Arrived", ...there, size: 13 },
        { at: 30, _tag: "Sent", ...back, size: 13, head: frame("hello") },
        { at: 40, _tag: "Arrived", ...back, size: 13 },
        { at: 40, _tag: "Closed", connection: 1, by: client },
        { at: 50, _tag: "Ended", connection: 1, to: url, error: "NNG_ECONNSHUT" },
        { at: 50, _tag: "Closed", connection: 1, by: url }
      ])
    })
  )

  simulated("tells what fails, and where", () =>
    Effect.gen(function* () {
      yield* Effect.flip(TestTransport.dial(url, { node: client }))
      const listener = yield* listening()
      yield* Effect.flip(listening())
      yield* TestTransport.failNextAccept(url, new Errors.ENOMEM())
      yield* TestTransport.dial(url, { node: client })
      yield* Effect.flip(listener.accept)
      yield* TestTransport.reset(everywhere)
      yield* TestTransport.crash(server)
      expect((yield* history).slice(1)).toMatchObject([
        { _tag: "DialFailed", connection: 1, from: client, to: url, error: "NNG_ECONNREFUSED" },
        { _tag: "Listening" },
        { _tag: "ListenFailed", node: server, url, error: "NNG_EADDRINUSE" },
        { _tag: "Control", what: `failNextAccept ${url}, NNG_ENOMEM` },
        { _tag: "Dialing", connection: 2 },
        { _tag: "AcceptFailed", url, error: "NNG_ENOMEM" },
        { _tag: "Control", what: "reset everywhere" },
        { _tag: "Control", what: "crash server" },
        { _tag: "NotListening", node: server, url }
      ])
    })
  )

  simulated("has the words of each control", () =>
    Effect.gen(function* () {
      yield* connect(yield* listening())
      const { between, toward } = TestTransport
      yield* TestTransport.refuse(client)
      yield* TestTransport.blackHole([client, server])
      yield* TestTransport.partition(client, server)
      yield* TestTransport.partition([client], ["local", server], { reset: true })
      yield* TestTransport.latency(between(client, server), "1 second", { jitter: 5 })
      yield* TestTransport.bandwidth(toward(client, server), 1000)
      yield* TestTransport.limitBuffer(everywhere, 0)
      yield* TestTransport.split(everywhere, 3)
      yield* TestTransport.split(everywhere, "random")
      yield* TestTransport.truncate(client, 3)
      yield* TestTransport.corrupt(client, 3)
      yield* TestTransport.closeHalf(client)
      yield* TestTransport.hold(client)
      yield* TestTransport.release(client, { order: "reverse" })
      yield* TestTransport.release(everywhere)
      yield* TestTransport.failNextDial(client, new Errors.EPERM())
      yield* TestTransport.failNextListen(client, new Errors.EPERM())
      yield* TestTransport.crash("SERVER", { silent: true })
      yield* TestTransport.restart(server)
      yield* TestTransport.heal(client)
      yield* TestTransport.heal()
      const controls = (yield* history).flatMap((event) => (event._tag === "Control" ? [event.what] : []))
      expect(controls).toMatchInlineSnapshot(`
        [
          "refuse client",
          "blackHole client, server",
          "partition client ↔ server",
          "partition client ↔ local, server, resetting",
          "latency client ↔ server, 1000 ms and up to 5 ms more",
          "bandwidth client → server, 1000 B/s",
          "limitBuffer everywhere, 0 B",
          "split everywhere, every 3 B",
          "split everywhere, at random",
          "truncate client, after 3 B",
          "corrupt client, the byte after 3 B, xor 0xff",
          "closeHalf client",
          "hold client",
          "release client, reverse",
          "release everywhere, arrival",
          "failNextDial client, NNG_EPERM",
          "failNextListen client, NNG_EPERM",
          "crash server, silently",
          "restart server",
          "heal client",
          "heal everywhere",
        ]
      `)
    })
  )

  simulated("keeps the first bytes of what was sent, as they were", () =>
    Effect.gen(function* () {
      const { dialing } = yield* connect(yield* listening())
      const bytes = new Uint8Array(1000).fill(7)
      yield* dialing.write(bytes)
      bytes.fill(8)
      const sent = (yield* history).find((event) => event._tag === "Sent")
      expect(sent).toMatchObject({ size: 1000 })
      const kept = Array.from(sent?._tag === "Sent" ? sent.head : [])
      expect(kept.length).toBeGreaterThan(16)
      expect(kept.length).toBeLessThan(100)
      expect(new Set(kept)).toEqual(new Set([7]))
    })
  )

  simulated("is not touched by who changes what came", () =>
    Effect.gen(function* () {
      const [left, right] = [yield* Pair0.make(), yield* Pair0.make()]
      yield* Socket.listen(left, url)
      yield* Socket.dial(right, url)
      yield* Socket.send(right, "hello")
      const message = yield* Socket.recv(left)
      message.body.fill(0)
      const sent = (yield* history).flatMap((event) => (event._tag === "Sent" && event.size > 8 ? [event.head] : []))
      expect(sent).toEqual([frame("hello")])
    })
  )

  simulated("of one moment is not touched by the next", () =>
    Effect.gen(function* () {
      const listener = yield* listening()
      const before = yield* history
      const copy = before.slice()
      yield* connect(listener)
      expect(before).toEqual(copy)
    })
  )

  simulated("is of this network's time", () =>
    Effect.gen(function* () {
      yield* Effect.sleep("1 hour")
      yield* listening()
      expect(yield* history).toMatchObject([{ at: 3_600_000 }])
    })
  )

  it.scoped("begins when the layer is built", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("1 hour")
      yield* Effect.gen(function* () {
        yield* TestClock.adjust(5)
        yield* listening()
        expect(yield* history).toMatchObject([{ at: 5 }])
      }).pipe(Effect.provide(TestTransport.layer()))
    })
  )
})

describe("the same seed", () => {
  it.effect("gives the same history, another seed another", () =>
    Effect.gen(function* () {
      const one = (seed: number) => onNetwork(Effect.zipRight(busy, history), { seed, historySize: 100_000 })
      const first = yield* one(5)
      expect(first.length).toBeGreaterThan(150)
      expect(yield* one(5)).toEqual(first)
      expect(yield* one(6)).not.toEqual(first)
    })
  )

  it.effect("gives the same history by TestClock, too", () =>
    Effect.gen(function* () {
      const one = (seed: number) =>
        Effect.gen(function* () {
          const fiber = yield* Effect.fork(Effect.zipRight(busy, history))
          for (let i = 0; i < 30 && fiber.unsafePoll() === null; i++) yield* TestClock.adjust("100 millis")
          return yield* Fiber.join(fiber)
        }).pipe(
          Effect.scoped,
          Effect.provide(TestTransport.layer({ seed, historySize: 100_000, printOnFailure: false }))
        )
      const first = yield* one(5)
      expect(first.length).toBeGreaterThan(150)
      expect(yield* one(5)).toEqual(first)
      expect(yield* one(6)).not.toEqual(first)
    })
  )

  it.effect("gives the same network", () =>
    Effect.gen(function* () {
      const seedOf = (options?: TestTransport.Options) =>
        onNetwork(
          Effect.map(TestTransport.Network, ({ seed }) => seed),
          options
        )
      expect([yield* seedOf(), yield* seedOf({ seed: 7 })]).toEqual([1, 7])
    })
  )
})

describe("no more bytes arrive than were sent", () => {
  const control = FC.constantFrom(
    TestTransport.reset(everywhere),
    TestTransport.blackHole(everywhere),
    TestTransport.heal(),
    TestTransport.split(everywhere, "random"),
    TestTransport.truncate(everywhere, 20),
    TestTransport.limitBuffer(everywhere, 3),
    TestTransport.latency(everywhere, 5, { jitter: 10 }),
    TestTransport.crash(server),
    TestTransport.crash(server, { silent: true }),
    TestTransport.restart(server),
    TestTransport.closeHalf(everywhere),
    TestTransport.hold(everywhere),
    TestTransport.release(everywhere)
  )

  it.effect.prop(
    "on each way, ever",
    { controls: FC.array(control, { maxLength: 12 }), seed: FC.nat({ max: 1000 }) },
    ({ controls, seed }) =>
      onNetwork(
        Effect.gen(function* () {
          yield* TestTransport.on(server)(Effect.void)
          yield* Effect.fork(busy)
          for (const each of controls) yield* Effect.delay(Effect.ignore(each), 17)
          yield* Effect.sleep(1000)
          const balance = new Map<string, number>()
          for (const event of yield* history) {
            if (event._tag !== "Sent" && event._tag !== "Arrived") continue
            const way = `${event.connection} ${event.from} ${event.to}`
            const left = (balance.get(way) ?? 0) + (event._tag === "Sent" ? event.size : -event.size)
            expect([way, left]).toEqual([way, Math.max(left, 0)])
            balance.set(way, left)
          }
        }),
        { seed, historySize: 1_000_000 }
      )
  )
})

describe("historySize", () => {
  for (const size of [0, 1, 7]) {
    simulated(
      `of ${size} keeps the latest, and counts all`,
      () =>
        Effect.gen(function* () {
          for (let n = 1; n <= 30; n++) {
            yield* TestTransport.limitBuffer(everywhere, n)
            const kept = Math.min(n, size)
            const expected = Array.from({ length: kept }, (_, i) => `limitBuffer everywhere, ${n - kept + 1 + i} B`)
            expect((yield* history).map((event) => event._tag === "Control" && event.what)).toEqual(expected)
            expect((yield* diagram()).split("\n")[0]).toBe(
              `simulated network, seed 1, ${n} events${kept < n ? `, the last ${kept}` : ""}`
            )
          }
        }),
      { historySize: size }
    )
  }
})

describe("the diagram", () => {
  simulated("is a chart of up to four ends", () =>
    Effect.gen(function* () {
      yield* hello
      yield* Effect.flip(TestTransport.dial("tcp://10.0.0.9:1", { node: client }))
      const { dialing } = yield* connect(yield* listening("tcp://10.0.0.1:2"))
      yield* dialing.write("GET / HTTP/1.1\r\n")
      yield* dialing.write("plain")
      yield* TestTransport.crash(server)
      yield* Effect.sleep(1)
      expect(`\n${yield* diagram()}\n`).toMatchInlineSnapshot(`
        "
        simulated network, seed 1, 25 events
                time  tcp://10.0.0.1:5555                           client                                        tcp://10.0.0.9:1                              tcp://10.0.0.1:2
                0 ms  │ listens, on server                          │                                             │                                             │
                0 ms  ══ latency server, 10 ms
                0 ms  │◁─ #1 dials ─────────────────────────────────│                                             │                                             │
               10 ms  │─ #1 accepts ───────────────────────────────▷│                                             │                                             │
               10 ms  │─ #1 SP header, pair0 (0x0010) ─────────────…│                                             │                                             │
               20 ms  │─ #1 8 B arrive ────────────────────────────▷│                                             │                                             │
               20 ms  │…─ #1 SP header, pair0 (0x0010) ─────────────│                                             │                                             │
               20 ms  │…─ #1 message of 5 B "hello" ────────────────│                                             │                                             │
               30 ms  │◁─ #1 8 B arrive ────────────────────────────│                                             │                                             │
               30 ms  │◁─ #1 13 B arrive ───────────────────────────│                                             │                                             │
               30 ms  │─ #1 message of 5 B "hello" ────────────────…│                                             │                                             │
               40 ms  │─ #1 13 B arrive ───────────────────────────▷│                                             │                                             │
               40 ms  │                                             │ #1 closes                                   │                                             │
               50 ms  │ #1 is told NNG_ECONNSHUT                    │                                             │                                             │
               50 ms  │ #1 closes                                   │                                             │                                             │
              140 ms  │                                             │─ #2 dials ─────────────────────────────────▷│                                             │
              140 ms  │                                             │◁╌ #2 NNG_ECONNREFUSED ╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌│                                             │
              140 ms  │                                             │                                             │                                             │ listens, on server
              140 ms  │                                             │─ #3 dials ──────────────────────────────────│────────────────────────────────────────────▷│
              150 ms  │                                             │◁─ #3 accepts ───────────────────────────────│─────────────────────────────────────────────│
              160 ms  │                                             │─ #3 16 B, "GET / HTTP/1"… ──────────────────│────────────────────────────────────────────…│
              160 ms  │                                             │─ #3 5 B, "plain" ───────────────────────────│────────────────────────────────────────────…│
              160 ms  ══ crash server
              160 ms  │ listens no more                             │                                             │                                             │
              160 ms  │                                             │                                             │                                             │ listens no more
        "
      `)
    })
  )

  simulated("is a list of more", () =>
    Effect.gen(function* () {
      const listener = yield* listening()
      for (const node of ["a", "b", "c", "d"]) yield* connect(listener, node)
      yield* TestTransport.latency("a", 1.5)
      yield* exchange(yield* connect(listener, "a"))
      yield* Effect.flip(listening("tcp://198.18.0.1:1"))
      expect(`\n${yield* diagram()}\n`).toMatchInlineSnapshot(`
        "
        simulated network, seed 1, 17 events
                0 ms  tcp://10.0.0.1:5555  listens, on server
                0 ms  a → tcp://10.0.0.1:5555  #1 dials
                0 ms  tcp://10.0.0.1:5555 → a  #1 accepts
                0 ms  b → tcp://10.0.0.1:5555  #2 dials
                0 ms  tcp://10.0.0.1:5555 → b  #2 accepts
                0 ms  c → tcp://10.0.0.1:5555  #3 dials
                0 ms  tcp://10.0.0.1:5555 → c  #3 accepts
                0 ms  d → tcp://10.0.0.1:5555  #4 dials
                0 ms  tcp://10.0.0.1:5555 → d  #4 accepts
                0 ms    latency a, 1.5 ms
                0 ms  a → tcp://10.0.0.1:5555  #5 dials
              1.5 ms  tcp://10.0.0.1:5555 → a  #5 accepts
                3 ms  a → tcp://10.0.0.1:5555  #5 10 B, "0123456789"
                3 ms  tcp://10.0.0.1:5555 → a  #5 10 B, "abcdefghij"
              4.5 ms  a → tcp://10.0.0.1:5555  #5 10 B arrive
              4.5 ms  tcp://10.0.0.1:5555 → a  #5 10 B arrive
             5003 ms  server  cannot listen on tcp://198.18.0.1:1: NNG_EADDRINVAL
        "
      `)
    })
  )

  simulated("shows the last of it", () =>
    Effect.gen(function* () {
      yield* connect(yield* listening())
      const lines = (last: number) => Effect.map(diagram({ last }), (text) => text.split("\n"))
      expect((yield* lines(2))[0]).toBe("simulated network, seed 1, 3 events, the last 2")
      expect(yield* lines(2)).toHaveLength(4)
      expect(yield* lines(0)).toHaveLength(2)
      expect(yield* lines(3)).toHaveLength(5)
      expect((yield* lines(4))[0]).toBe("simulated network, seed 1, 3 events")
    })
  )

  simulated("of nothing says so", () =>
    Effect.gen(function* () {
      expect((yield* diagram()).trim()).toMatch(/^simulated network, seed 1, 0 events/)
    })
  )
})

describe("printOnFailure", () => {
  /** What a program prints on a network, which it lives or dies on. */
  const printed = <E>(
    layer: typeof TestTransport.layer,
    program: Effect.Effect<unknown, E, Scope.Scope | Provided>,
    options?: TestTransport.Options
  ) =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const console = yield* Console.Console.pipe(Effect.provideService(Console.Console, yield* Effect.console))
      yield* Effect.scoped(program).pipe(
        Effect.provide(layer({ seed: 77, ...options })),
        Effect.withConsole({
          ...console,
          [Console.TypeId]: Console.TypeId,
          error: (...args: ReadonlyArray<unknown>) => Effect.sync(() => void lines.push(args.join(" "))),
          log: () => Effect.dieMessage("it is not for the log")
        }),
        Effect.exit
      )
      return lines
    })

  for (const [name, layer] of [
    ["layer", TestTransport.layer],
    ["layerSimulated", TestTransport.layerSimulated]
  ] as const) {
    it.effect(`of ${name} prints once, with the seed, when a program fails or dies`, () =>
      Effect.gen(function* () {
        for (const end of [Effect.fail("no"), Effect.die("no"), Effect.sync(() => expect(1).toBe(2))]) {
          const lines = yield* printed(layer, Effect.zipRight(Effect.orDie(listening()), end))
          expect(lines).toHaveLength(1)
          expect(lines[0]).toContain("seed 77, 2 events")
          expect(lines[0]).toContain("listens, on server")
        }
      })
    )

    it.effect(`of ${name} prints nothing when it succeeds, or is interrupted, or when it is told not to`, () =>
      Effect.gen(function* () {
        expect(yield* printed(layer, listening())).toEqual([])
        expect(yield* printed(layer, Effect.zipRight(listening(), Effect.interrupt))).toEqual([])
        expect(yield* printed(layer, Effect.fail("no"), { printOnFailure: false })).toEqual([])
      })
    )
  }

  it.effect("prints the latest of much", () =>
    Effect.gen(function* () {
      const much = Effect.forEach(Array.from({ length: 1000 }), (_, i) => TestTransport.limitBuffer(everywhere, i))
      const [text] = yield* printed(TestTransport.layerSimulated, Effect.zipRight(much, Effect.fail("no")))
      expect(text!.split("\n").length).toBeLessThan(250)
      expect(text).toContain("limitBuffer everywhere, 999 B")
      expect(text).toContain("1000 events")
    })
  )
})
