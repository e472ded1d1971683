/** The SP handshake and the receive limit, to the millisecond and to the byte, against peers played by hand. */
import { describe, expect } from "@effect/vitest"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Dialer from "effect-nng/Dialer"
import type * as Errors from "effect-nng/Errors"
import * as Listener from "effect-nng/Listener"
import * as Message from "effect-nng/Message"
import * as Pair0 from "effect-nng/Pair0"
import * as Protocol from "effect-nng/Protocol"
import * as Socket from "effect-nng/Socket"
import * as TestTransport from "effect-nng/TestTransport"
import { frame, header, length, pair0, record, tagged } from "../support/peers.js"
import type { Provided } from "../support/simulation.js"
import { simulated, timing, url } from "../support/simulation.js"

const { everywhere } = TestTransport

type Hand = TestTransport.Peer

/** A peer whose other side is one of ours, and what becomes of that. */
interface Greeting {
  readonly hand: Hand
  readonly socket: Pair0.Pair0
  /** Waits until our side has a pipe, or an error instead. */
  readonly outcome: Effect.Effect<Errors.Tag | "a pipe">
}

type Role = readonly [
  who: string,
  begin: (at: string, options?: Pair0.MakeOptions) => Effect.Effect<Greeting, unknown, Scope.Scope | Provided>
]

const listening: Role = [
  "a listener",
  (at, options) =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make(options)
      const listener = yield* Listener.make(socket, at)
      const told = yield* record(Listener.events(listener))
      yield* Listener.start(listener)
      const hand = yield* TestTransport.dial(listener.url)
      const failed = Effect.map(told.find(tagged("HandshakeFailed")), ({ error }) => error._tag)
      const outcome = Effect.raceFirst(failed, Effect.as(Effect.orDie(Socket.awaitPeers(socket, 1)), "a pipe" as const))
      return { hand, socket, outcome }
    })
]

const dialing: Role = [
  "a dialer",
  (at, options) =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make(options)
      const { accept, url } = yield* TestTransport.listen(at)
      const dialer = yield* Dialer.make(socket, url)
      const starting = yield* Effect.forkScoped(Effect.either(Dialer.start(dialer)))
      const outcome = Effect.map(Fiber.join(starting), (result) =>
        result._tag === "Left" ? result.left._tag : ("a pipe" as const)
      )
      return { hand: yield* accept, socket, outcome }
    })
]

/** Writes each byte by itself, and waits before each. */
const drip = (hand: Hand, bytes: Uint8Array, every: Duration.DurationInput) =>
  Effect.forEach(bytes, (byte) => Effect.zipRight(Effect.sleep(every), Effect.ignore(hand.write(Uint8Array.of(byte)))))

const late = (hand: Hand, millis: number) => Effect.zipRight(Effect.sleep(millis), Effect.ignore(hand.write(pair0)))

for (const [who, begin] of [listening, dialing]) {
  describe(`the handshake of ${who}`, () => {
    const cases: ReadonlyArray<
      readonly [
        peer: string,
        play: (hand: Hand) => Effect.Effect<unknown>,
        outcome: Errors.Tag | "a pipe",
        millis: number
      ]
    > = [
      ["is silent", () => Effect.void, "NNG_ETIMEDOUT", 10_000],
      ["stops in the middle", (hand) => Effect.ignore(hand.write(pair0.subarray(0, 7))), "NNG_ETIMEDOUT", 10_000],
      // the last of eight bytes would come after 12 seconds
      ["drips, and would be done too late", (hand) => drip(hand, pair0, "1500 millis"), "NNG_ETIMEDOUT", 10_000],
      ["drips, and is done in time", (hand) => drip(hand, pair0, "1200 millis"), "a pipe", 9600],
      ["is almost late", (hand) => late(hand, 9999), "a pipe", 9999],
      ["is a little late", (hand) => late(hand, 10_001), "NNG_ETIMEDOUT", 10_000],
      ["is wrong", (hand) => Effect.ignore(hand.write(header(0x10).with(2, 0x51))), "NNG_EPROTO", 0],
      ["is wrong in its last byte", (hand) => drip(hand, header(0x10).with(7, 1), 100), "NNG_EPROTO", 800],
      [
        "closes in the middle",
        (hand) => Effect.zipRight(drip(hand, pair0.subarray(0, 5), 100), hand.end),
        "NNG_ECONNSHUT",
        500
      ],
      [
        "is reset in the middle",
        (hand) => Effect.zipRight(drip(hand, pair0.subarray(0, 5), 100), hand.reset),
        "NNG_ECONNRESET",
        500
      ]
    ]
    for (const [peer, play, expected, millis] of cases) {
      simulated(`with a peer that ${peer}: ${expected} after ${millis} ms`, () =>
        Effect.gen(function* () {
          const { hand, outcome } = yield* begin(url)
          const start = yield* Clock.currentTimeMillis
          expect(start).toBe(0)
          yield* Effect.forkScoped(play(hand))
          expect(yield* timing(outcome)).toEqual([expected, millis])
          // it spoke first, whatever the peer did
          if (expected === "NNG_ECONNSHUT" || expected === "NNG_ECONNRESET") return
          expect(yield* hand.read(8)).toEqual(pair0)
          // what came to nothing is not left half open
          const closed = yield* timing(Effect.timeoutOption(hand.closed, "1 hour"))
          expect(closed).toMatchObject(
            expected === "a pipe" ? [Option.none(), 3_600_000] : [Option.some({ _tag: "NNG_ECONNSHUT" }), 0]
          )
        })
      )
    }

    simulated("counts the time on the way: what is said in time and heard too late is late", () =>
      Effect.gen(function* () {
        const { hand, outcome } = yield* begin(url)
        yield* TestTransport.latency(everywhere, "2 seconds")
        yield* Effect.forkScoped(late(hand, 9000))
        expect(yield* timing(outcome)).toEqual(["NNG_ETIMEDOUT", 10_000])
        expect(yield* timing(hand.closed)).toMatchObject([{ _tag: "NNG_ECONNSHUT" }, 2000])
      })
    )

    simulated("is done when the other's header comes in pieces, with the first message glued to it", () =>
      Effect.gen(function* () {
        for (const size of [1, 3, 7, 8, 9, "random"] as const) {
          yield* Effect.scoped(
            Effect.gen(function* () {
              yield* TestTransport.split(everywhere, size)
              const { hand, outcome, socket } = yield* begin(url)
              yield* hand.write(pair0, frame("glued"))
              expect(yield* outcome).toBe("a pipe")
              expect(Message.text(yield* Socket.recv(socket))).toBe("glued")
            })
          )
        }
      })
    )
  })

  describe(`the receive limit of ${who}`, () => {
    for (const [scheme, at, marker] of [
      ["tcp", url, new Uint8Array(0)],
      ["ipc", "ipc:///tmp/limit", Uint8Array.of(1)]
    ] as const) {
      /** Both have greeted, and what happens to pipes is recorded. */
      const greeted = (recvMaxSize: number) =>
        Effect.gen(function* () {
          const { hand, outcome, socket } = yield* begin(at, { recvMaxSize })
          const told = yield* record(Socket.events(socket))
          yield* hand.greet(Protocol.pair0)
          expect(yield* outcome).toBe("a pipe")
          return { hand, socket, told }
        })

      for (const size of [1, 7, 8, 9, 1000, "random"] as const) {
        simulated(`holds over ${scheme} to the byte, however messages come: in pieces of ${size}`, () =>
          Effect.gen(function* () {
            yield* TestTransport.latency(everywhere, 5, { jitter: 50 })
            yield* TestTransport.split(everywhere, size)
            const { hand, socket, told } = yield* greeted(1000)
            const sizes = [0, 1, 999, 1000, 1000]
            for (const bytes of [...sizes, 1001, 1]) yield* hand.send(new Uint8Array(bytes))
            const received = yield* Effect.forEach(sizes, () => Socket.recv(socket))
            expect(received.map((message) => message.length)).toEqual(sizes)
            expect((yield* told.find(tagged("RemPost"))).reason).toMatchObject({ _tag: "NNG_EMSGSIZE" })
            yield* hand.closed
            expect(yield* socket.statistics).toMatchObject({ received: sizes.length, pipes: 0 })
          })
        )
      }

      simulated(`holds over ${scheme} as soon as a length is known, before its message comes`, () =>
        Effect.gen(function* () {
          const { hand, told } = yield* greeted(1000)
          const head = Uint8Array.of(...marker, ...length(1001))
          yield* hand.write(head.subarray(0, -1))
          expect(Option.isNone(yield* Effect.timeoutOption(hand.closed, "1 hour"))).toBe(true)
          yield* hand.write(head.subarray(-1))
          const [closed, millis] = yield* timing(hand.closed)
          expect([closed._tag, millis]).toEqual(["NNG_ECONNSHUT", 0])
          expect((yield* told.find(tagged("RemPost"))).reason).toMatchObject({ _tag: "NNG_EMSGSIZE" })
        })
      )

      simulated(`is none over ${scheme} if it is 0`, () =>
        Effect.gen(function* () {
          const { hand, socket } = yield* greeted(0)
          yield* Effect.fork(hand.send(new Uint8Array(2 ** 21)))
          expect((yield* Socket.recv(socket)).length).toBe(2 ** 21)
        })
      )
    }
  })
}

simulated("[S5] a listener has at most 1024 peers that have not greeted: the oldest makes place for the next", () =>
  Effect.gen(function* () {
    const socket = yield* Pair0.make()
    const listener = yield* Listener.make(socket, url)
    const told = yield* record(Listener.events(listener))
    yield* Listener.start(listener)
    const silent: Array<Hand> = []
    for (let n = 0; n < 1024; n++) silent.push(yield* TestTransport.dial(listener.url))
    yield* Effect.sleep(1)
    expect(told.all.filter(tagged("HandshakeFailed"))).toEqual([])
    const good = yield* TestTransport.dial(listener.url)
    const [gone, millis] = yield* timing(silent[0]!.closed)
    expect([gone._tag, millis < 10_000]).toEqual(["NNG_ECONNSHUT", true])
    expect((yield* told.find(tagged("HandshakeFailed"))).error).toMatchObject({
      _tag: "NNG_ETIMEDOUT",
      reason: expect.stringContaining("1024 others")
    })
    expect(yield* good.greet(Protocol.pair0)).toBe(Protocol.pair0.number)
    yield* Socket.awaitPeers(socket, 1)
    expect((yield* listener.statistics).failures).toMatchObject({ NNG_ETIMEDOUT: 1 })
    // the others have their ten seconds
    yield* Effect.forEach(silent.slice(1), ({ closed }) => closed)
    expect((yield* listener.statistics).failures).toMatchObject({ NNG_ETIMEDOUT: 1024 })
  })
)
