import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import type * as Errors from "effect-nng/Errors"
import * as Message from "effect-nng/Message"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Pair0 from "effect-nng/Pair0"
import * as Pair1 from "effect-nng/Pair1"
import * as Socket from "effect-nng/Socket"
import * as TestTransport from "effect-nng/TestTransport"
import type { Transports } from "effect-nng/Transport"
import * as Dialer from "effect-nng/Dialer"
import { inprocAlone } from "../support/laws.js"
import {
  awaitReadable,
  begin,
  collect,
  drain,
  ended,
  failing,
  marry,
  network,
  pair,
  recvText,
  settle,
  tagged,
  tags,
  taken,
  until
} from "../support/sockets.js"

/** Which of these are sent without waiting. */
const sendNow = (socket: Socket.CanSend, ...texts: ReadonlyArray<string>): Effect.Effect<Array<string>> =>
  Effect.gen(function* () {
    const sent: Array<string> = []
    for (const text of texts) {
      const done = yield* Effect.either(Socket.send(socket, text, { nonblocking: true }))
      if (Either.isRight(done)) sent.push(text)
      yield* settle
    }
    return sent
  })

describe("two pair0 sockets on inproc", () => {
  it.scoped("[PAIR0-06] what a receive that waits is about to take is not among them", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair()
      const receiving = yield* begin(recvText(right))
      const sent: Array<string> = []
      for (const text of ["1", "2", "3", "4"]) {
        const done = yield* Effect.either(Socket.send(left, text, { nonblocking: true }))
        if (Either.isRight(done)) sent.push(text)
      }
      expect(sent).toEqual(["1", "2", "3"])
      expect(yield* Fiber.join(receiving)).toBe("1")
      expect(yield* drain(right)).toEqual(["2", "3"])
    }).pipe(Effect.provide(inprocAlone))
  )
})

/** A refusal takes its time, as anywhere; until then whoever is refused may send. */
const far = Layer.effectDiscard(Effect.orDie(TestTransport.latency(TestTransport.everywhere, 1))).pipe(
  Layer.provideMerge(TestTransport.layerSimulated({ printOnFailure: false }))
)

type Pair = Socket.CanSend & Socket.CanRecv & Socket.Configurable<Pair0.Options>

type Make = (options?: Pair0.MakeOptions) => Effect.Effect<Pair, Errors.EINVAL, Scope.Scope | Transports>

for (const [name, make, makeRaw] of [
  ["pair0", Pair0.make, Pair0.makeRaw],
  ["pair1", Pair1.make, undefined]
] as ReadonlyArray<readonly [string, Make, Make | undefined]>) {
  /** Two married sockets; `left` listens. */
  const pair = (options: { readonly left?: Pair0.MakeOptions; readonly right?: Pair0.MakeOptions } = {}, via = make) =>
    Effect.gen(function* () {
      const left = yield* via(options.left)
      const right = yield* via(options.right)
      const endpoints = yield* marry(left, right)
      return { left, right, ...endpoints }
    })

  describe(`two ${name} sockets`, () => {
    it.scoped("[PAIR0-01] each receives what the other sends", () =>
      Effect.gen(function* () {
        const { left, right } = yield* pair()
        yield* Socket.send(left, "to the right")
        yield* Socket.send(right, "to the left")
        expect([yield* recvText(left), yield* recvText(right)]).toEqual(["to the left", "to the right"])
      }).pipe(Effect.provide(network))
    )

    it.scoped("[PAIR0-02] what a second dialer sends reaches nobody", () =>
      Effect.gen(function* () {
        const { left, right } = yield* pair()
        const second = yield* make({ sendBuffer: 2, reconnectMin: "1 hour" })
        yield* Socket.dial(second, "inproc://pair")
        yield* settle
        yield* Socket.send(second, "lost")
        yield* Socket.send(right, "found")
        expect(yield* drain(left)).toEqual(["found"])
        expect((yield* left.statistics).reject).toBe(1)
      }).pipe(Effect.provide(network))
    )

    it.scoped("[PAIR0-03] a peer that does not read makes a send time out before the tenth", () =>
      Effect.gen(function* () {
        const buffers = { sendBuffer: 1, recvBuffer: 1 }
        const { left } = yield* pair({ left: { ...buffers, sendTimeout: 100 }, right: buffers })
        const sent: Array<string> = []
        const sending = yield* begin(
          Effect.forEach(
            Array.from({ length: 10 }, (_, n) => String(n)),
            (text) => Effect.map(Effect.zipLeft(Socket.send(left, text), settle), () => sent.push(text))
          )
        )
        yield* TestClock.adjust(100)
        yield* failing(Fiber.join(sending), "NNG_ETIMEDOUT")
        // ours, between, held, theirs
        expect(sent).toEqual(["0", "1", "2", "3"])
      }).pipe(Effect.provide(network))
    )

    it.scoped("[PAIR0-04] without a peer a send times out", () =>
      Effect.gen(function* () {
        const socket = yield* make({ sendTimeout: 100 })
        const sending = yield* begin(Socket.send(socket, "x"))
        yield* TestClock.adjust(99)
        expect(yield* ended(sending)).toBe(false)
        yield* TestClock.adjust(1)
        yield* failing(Fiber.join(sending), "NNG_ETIMEDOUT")
      }).pipe(Effect.provide(network))
    )

    if (makeRaw !== undefined) {
      it.scoped("[PAIR0-05] raw, bodies come unchanged, a header before them, and with a positive pipe id", () =>
        Effect.gen(function* () {
          const { left, right } = yield* pair({}, makeRaw)
          const message = Message.make("body")
          Message.Header.append(message, new Uint8Array([1, 2]))
          yield* Socket.send(left, "plain")
          yield* settle
          yield* Socket.send(left, message)
          const plain = yield* Socket.recv(right)
          expect([Message.text(plain), plain.headerLength, plain.pipeId > 0]).toEqual(["plain", 0, true])
          const merged = yield* Socket.recv(right)
          expect([Message.text(merged), merged.headerLength]).toEqual(["\x01\x02body", 0])
        }).pipe(Effect.provide(network))
      )
    }

    it.scoped("[PAIR0-06] two sends go unread, a third waits", () =>
      Effect.gen(function* () {
        const { left, right } = yield* pair()
        expect(yield* sendNow(left, "1", "2", "3")).toEqual(["1", "2"])
        const third = yield* begin(Socket.send(left, "3"))
        expect(yield* ended(third)).toBe(false)
        expect(yield* recvText(right)).toBe("1")
        expect(yield* ended(third)).toBe(true)
        expect(yield* drain(right)).toEqual(["2", "3"])
      }).pipe(Effect.provide(network))
    )

    it.scoped("[PAIR0-07] it is writable with a peer that has room", () =>
      Effect.gen(function* () {
        const [left, right] = [yield* make(), yield* make()]
        expect(yield* Socket.isWritable(left)).toBe(false)
        yield* marry(left, right)
        expect(yield* Socket.isWritable(left)).toBe(true)
        yield* sendNow(left, "1", "2")
        expect(yield* Socket.isWritable(left)).toBe(false)
        yield* Socket.recv(right)
        yield* settle
        expect(yield* Socket.isWritable(left)).toBe(true)
        yield* right.close
        yield* settle
        expect(yield* Socket.isWritable(left)).toBe(false)
      }).pipe(Effect.provide(network))
    )

    it.scoped("[PAIR0-08] a send buffer makes it writable, and taken away not; who waits is served at once", () =>
      Effect.gen(function* () {
        const socket = yield* make()
        const waiting = yield* begin(Socket.send(socket, "waited"))
        expect(yield* Socket.isWritable(socket)).toBe(false)
        yield* Socket.configure(socket, { sendBuffer: 2 })
        expect(yield* ended(waiting)).toBe(true)
        expect(yield* Socket.isWritable(socket)).toBe(true)
        yield* Socket.configure(socket, { sendBuffer: 0 })
        expect(yield* Socket.isWritable(socket)).toBe(false)
        expect((yield* socket.statistics).dropped.resized).toBe(1)
      }).pipe(Effect.provide(network))
    )

    it.scoped(
      "[PAIR0-09] a receive buffer taken away takes its message with it, and given back does not bring it",
      () =>
        Effect.gen(function* () {
          const { left, right } = yield* pair({ left: { recvBuffer: 1 } })
          yield* Socket.send(right, "queued")
          yield* settle
          expect(yield* Socket.isReadable(left)).toBe(true)
          yield* Socket.configure(left, { recvBuffer: 0 })
          expect(yield* Socket.isReadable(left)).toBe(false)
          yield* Socket.configure(left, { recvBuffer: 10 })
          yield* settle
          expect(yield* Socket.isReadable(left)).toBe(false)
          yield* Socket.send(right, "next")
          expect(yield* drain(left)).toEqual(["next"])
        }).pipe(Effect.provide(network))
    )

    it.scoped("[PAIR0-10] its send buffer is filled without a peer, and goes to the first that comes, in order", () =>
      Effect.gen(function* () {
        const [left, right] = [yield* make({ sendBuffer: 2 }), yield* make()]
        expect(yield* sendNow(left, "1", "2", "3")).toEqual(["1", "2"])
        const third = yield* begin(Socket.send(left, "3"))
        expect(yield* ended(third)).toBe(false)
        yield* marry(left, right)
        expect(yield* drain(right)).toEqual(["1", "2", "3"])
        yield* Fiber.join(third)
      }).pipe(Effect.provide(network))
    )

    it.scoped("[PAIR0-11] of four messages, one read, the next peer gets the fourth", () =>
      Effect.gen(function* () {
        const left = yield* make({ sendBuffer: 4 })
        expect(yield* sendNow(left, "1", "2", "3", "4")).toHaveLength(4)
        yield* Effect.scoped(
          Effect.gen(function* () {
            const first = yield* make()
            yield* Socket.listen(left, "inproc://first")
            yield* Socket.dial(first, "inproc://first")
            yield* settle
            expect(yield* recvText(first)).toBe("1")
            yield* settle
          })
        )
        yield* settle
        const second = yield* make()
        yield* marry(left, second)
        expect(yield* drain(second)).toEqual(["4"])
        expect((yield* left.statistics).dropped.disconnected).toBe(1)
      }).pipe(Effect.provide(network))
    )

    it.scoped("[PAIR0-12] sends that wait complete as the peer reads, in the order in which they began", () =>
      Effect.gen(function* () {
        const { left, right } = yield* pair()
        yield* sendNow(left, "1", "2")
        const done: Array<string> = []
        for (const text of ["3", "4", "5"]) {
          yield* begin(Effect.map(Socket.send(left, text), () => done.push(text)))
        }
        expect(done).toEqual([])
        for (const [read, finished] of [
          ["1", ["3"]],
          ["2", ["3", "4"]],
          ["3", ["3", "4", "5"]]
        ] as const) {
          expect(yield* recvText(right)).toBe(read)
          yield* settle
          expect(done).toEqual(finished)
        }
        expect(yield* drain(right)).toEqual(["4", "5"])
      }).pipe(Effect.provide(network))
    )

    it.scoped("sends that wait stay, and serve the next peer", () =>
      Effect.gen(function* () {
        const { left, right } = yield* pair()
        yield* sendNow(left, "held", "between")
        const waiting = yield* begin(Socket.send(left, "waits"))
        yield* right.close
        expect(yield* ended(waiting)).toBe(false)
        const next = yield* make()
        yield* Socket.dial(next, "inproc://pair")
        expect(yield* recvText(next)).toBe("waits")
        yield* Fiber.join(waiting)
      }).pipe(Effect.provide(network))
    )

    it.scoped("[PAIR0-14] closing the pipe here loses what was held and keeps what is queued", () =>
      Effect.gen(function* () {
        const { left, right } = yield* pair({ left: { recvBuffer: 2 }, right: { reconnectMin: "1 hour" } })
        yield* sendNow(right, "1", "2", "held")
        const [pipe] = yield* Socket.pipes(left).get
        yield* pipe!.close
        yield* settle
        expect(yield* drain(left)).toEqual(["1", "2"])
        expect((yield* left.statistics).dropped.disconnected).toBe(1)
      }).pipe(Effect.provide(network))
    )

    it.scoped("a thousand messages each way come in order, between peers that both send and receive", () =>
      Effect.gen(function* () {
        const { left, right } = yield* pair({ left: { sendBuffer: 3 }, right: { recvBuffer: 5 } })
        const texts = Array.from({ length: 1000 }, (_, n) => String(n))
        const receive = (socket: Pair) => Effect.forEach(texts, () => recvText(socket))
        const [, , atLeft, atRight] = yield* Effect.all(
          [
            Effect.forEach(texts, (text) => Socket.send(left, text), { discard: true }),
            Socket.sendAll(right, texts),
            receive(left),
            receive(right)
          ],
          { concurrency: "unbounded" }
        )
        expect(atLeft).toEqual(texts)
        expect(atRight).toEqual(texts)
      }).pipe(Effect.provide(network))
    )
  })

  describe(`a ${name} peer that left behind a message that was not read`, () => {
    const leftBehind = (url: string): Effect.Effect<void, unknown, Transports> =>
      Effect.scoped(
        Effect.gen(function* () {
          const left = yield* make()
          const events = yield* collect(Socket.events(left))
          const listener = yield* Socket.listen(left, url)
          yield* Effect.scoped(
            Effect.gen(function* () {
              const first = yield* make()
              yield* Socket.dial(first, listener.url)
              yield* until(events, tagged("AddPost"))
              yield* Socket.send(first, "held")
              yield* awaitReadable(left)
            })
          )
          const second = yield* make()
          const dialer = yield* Socket.dial(second, listener.url, { reconnectMin: 1 })
          const told = yield* collect(Dialer.events(dialer))
          yield* Socket.send(second, "lost")
          // refused as long as the message is there, however often it comes
          for (let n = 0; n < 3; n++) {
            const removed = yield* until(events, tagged("RemPost"))
            expect(removed.reason._tag).toBe("NNG_EBUSY")
            yield* until(told, tagged("Disconnected"))
          }
          expect(tags(yield* taken(events)).filter((tag) => tag === "AddPost")).toEqual([])
          expect(yield* recvText(left)).toBe("held")
          yield* until(events, tagged("AddPost"))
          yield* Socket.send(second, "arrives")
          expect(yield* recvText(left)).toBe("arrives")
        })
      )

    for (const [where, url, layer] of [
      ["inproc", "inproc://behind", network],
      ["tcp", "tcp://127.0.0.1:0", NodeTransport.layer],
      ["the simulated network", "tcp://10.0.0.1:0", far]
    ] as ReadonlyArray<readonly [string, string, Layer.Layer<Transports>]>) {
      it.live(`[PAIR0-13] holds its place over ${where}: others are refused until it has been read`, () =>
        leftBehind(url).pipe(Effect.provide(layer))
      )
    }
  })
}
