import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Address from "effect-nng/Address"
import type * as Errors from "effect-nng/Errors"
import * as Message from "effect-nng/Message"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Pair1 from "effect-nng/Pair1"
import * as Socket from "effect-nng/Socket"
import type { Transports } from "effect-nng/Transport"
import {
  awaitReadable,
  begin,
  collect,
  drain,
  ended,
  failing,
  marry,
  network,
  recvText,
  settle,
  tagged,
  until
} from "../support/sockets.js"
import { headed, headerOf } from "../support/words.js"

type Hopping = Socket.CanRecv & Socket.Configurable<Pair1.Options>

type Make = (options?: Pair1.Options) => Effect.Effect<Hopping, Errors.EINVAL, Scope.Scope | Transports>

type Any = Effect.Effect<void, unknown, Scope.Scope | Transports>

const test = (name: string, effect: () => Any): void =>
  it.scoped(name, () => Effect.suspend(effect).pipe(Effect.provide(network)))

/** A raw socket, and one that it sends to. */
const rawTo = <S extends Socket.Socket>(make: Effect.Effect<S, unknown, Scope.Scope | Transports>) =>
  Effect.gen(function* () {
    const [raw, socket] = [yield* Pair1.makeRaw({ reconnectMin: "1 hour" }), yield* make]
    yield* marry(socket, raw)
    return { raw, socket }
  })

const seen = (message: Message.Message) => [headerOf(message), Message.text(message)]

const removals = (socket: Socket.Socket) =>
  Effect.map(collect(Socket.events(socket)), (events) => until(events, tagged("RemPost")))

describe("pair1 sockets", () => {
  test("[PAIR1-01, PAIR1-07] a raw one has the hops in its header, one more than they were sent with", () =>
    Effect.gen(function* () {
      const { raw, socket } = yield* rawTo(Pair1.makeRaw())
      yield* Socket.send(raw, headed([1], "x"))
      expect(seen(yield* Socket.recv(socket))).toEqual([[2], "x"])
      yield* raw.close
      yield* settle
      const cooked = yield* Pair1.make()
      yield* Socket.dial(cooked, "inproc://pair")
      yield* Socket.send(cooked, "y")
      expect(seen(yield* Socket.recv(socket))).toEqual([[1], "y"])
    }))

  test("[PAIR1-02] a raw one refuses a header that is none at once, and sends the next", () =>
    Effect.gen(function* () {
      const { raw, socket } = yield* rawTo(Pair1.makeRaw())
      for (const words of [[], [0xdead0000], [0xff]]) {
        const message = headed(words, "bad")
        yield* failing(Socket.send(raw, message), "NNG_EPROTO")
        expect(seen(message)).toEqual([words, "bad"])
      }
      yield* Socket.send(raw, headed([0], "good"))
      expect(seen(yield* Socket.recv(socket))).toEqual([[1], "good"])
      expect((yield* raw.statistics).sent).toBe(1)
    }))

  test("a raw one refuses it though it would have to wait, and not when it is closed", () =>
    Effect.gen(function* () {
      const raw = yield* Pair1.makeRaw()
      yield* failing(Socket.send(raw, "no header"), "NNG_EPROTO")
      yield* failing(Socket.send(raw, headed([1]), { nonblocking: true }), "NNG_EAGAIN")
      yield* raw.close
      yield* failing(Socket.send(raw, "no header"), "NNG_ECLOSED")
    }))

  for (const [kind, make, id] of [
    ["", Pair1.make, ["[PAIR1-03, PAIR1-09]", "[PAIR1-04, PAIR1-09]"]],
    ["polyamorous ", Pair1.makePoly, ["[POLY-06]", "[POLY-06]"]]
  ] as ReadonlyArray<readonly [string, Make, readonly [string, string]]>) {
    for (const [ttl, title] of [
      [4, id[0]],
      [15, id[1]]
    ] as const) {
      test(`${title} a ${kind}one with ttl ${ttl} drops what has more hops, and hears what follows`, () =>
        Effect.gen(function* () {
          const { raw, socket } = yield* rawTo(make({ ttl }))
          yield* Socket.send(raw, headed([ttl], "too far"))
          yield* settle
          yield* Socket.send(raw, headed([ttl - 1], "just"))
          expect(seen(yield* Socket.recv(socket))).toEqual([[ttl], "just"])
          expect((yield* socket.statistics).dropped.hops).toBe(1)
          expect((yield* socket.statistics).pipes).toBe(1)
        }))
    }
  }

  test("ttl is from 1 to 15, by default 8, and holds from the next message", () =>
    Effect.gen(function* () {
      for (const make of [Pair1.make, Pair1.makeRaw, Pair1.makePoly] as ReadonlyArray<Make>) {
        for (const ttl of [0, 16, 1.5]) yield* failing(make({ ttl }), "NNG_EINVAL")
        expect((yield* Socket.settings(yield* make())).ttl).toBe(8)
        const { raw, socket } = yield* rawTo(make({ ttl: 1 }))
        yield* Socket.configure(socket, { ttl: 3 })
        yield* Socket.send(raw, headed([2], "x"))
        expect(yield* recvText(socket)).toBe("x")
        yield* raw.close
        yield* socket.close
      }
    }))

  test("[PAIR1-08] a cooked one sees the header of what it receives, and sends that on with a new one", () =>
    Effect.gen(function* () {
      const { raw, socket } = yield* rawTo(Pair1.make())
      yield* Socket.send(raw, headed([4], "x"))
      const message = yield* Socket.recv(socket)
      expect(seen(message)).toEqual([[5], "x"])
      yield* Socket.send(socket, message)
      expect(seen(yield* Socket.recv(raw))).toEqual([[1], "x"])
    }))

  test("says whether it is polyamorous", () =>
    Effect.gen(function* () {
      const sockets = [yield* Pair1.make(), yield* Pair1.makeRaw(), yield* Pair1.makePoly()] as const
      expect(sockets.map(({ polyamorous }) => polyamorous)).toEqual([false, false, true])
    }))
})

const url = "inproc://poly"

/** A polyamorous socket that listens, and peers that dialed it one after the other. */
const poly = (peers: number, options?: Pair1.PolyOptions, theirs?: Pair1.MakeOptions) =>
  Effect.gen(function* () {
    const socket = yield* Pair1.makePoly(options)
    yield* Socket.listen(socket, url)
    const others: Array<Pair1.Pair1> = []
    for (let n = 1; n <= peers; n++) {
      const other = yield* Pair1.make(theirs)
      yield* Socket.dial(other, url)
      yield* Socket.awaitPeers(socket, n)
      others.push(other)
    }
    yield* settle
    return { socket, others }
  })

describe("polyamorous pair1", () => {
  test("[POLY-01] ten sends to a peer that does not read succeed", () =>
    Effect.gen(function* () {
      const { socket } = yield* poly(1, { sendBuffer: 1, recvBuffer: 1 })
      for (let n = 0; n < 10; n++) yield* Socket.send(socket, String(n), { nonblocking: true })
      // one at the peer, one between, two that wait
      expect(yield* socket.statistics).toMatchObject({ sent: 10, dropped: { full: 6 } })
    }))

  test("[POLY-02] a message says which pipe it came from, and what is sent there gets to that peer alone", () =>
    Effect.gen(function* () {
      const { others, socket } = yield* poly(2)
      const [left, right] = others as [Pair1.Pair1, Pair1.Pair1]
      yield* Socket.send(left, "left")
      const fromLeft = yield* Socket.recv(socket)
      yield* Socket.send(right, "right")
      const fromRight = yield* Socket.recv(socket)
      expect(fromLeft.pipeId).toBeGreaterThan(0)
      expect(fromRight.pipeId).toBeGreaterThan(0)
      expect(fromLeft.pipeId).not.toBe(fromRight.pipeId)
      // the message itself, by its pipe, and any by sendTo
      const [leftId, rightId] = [fromLeft.pipeId, fromRight.pipeId]
      yield* Socket.send(socket, fromRight)
      yield* Pair1.sendTo(socket, leftId, "answer")
      expect([yield* drain(left), yield* drain(right)]).toEqual([["answer"], ["right"]])
      yield* Pair1.sendTo(rightId, "again")(socket)
      expect([yield* drain(left), yield* drain(right)]).toEqual([[], ["again"]])
    }))

  test("sendTo does not mind which pipe the message names, nor changes that", () =>
    Effect.gen(function* () {
      const { others, socket } = yield* poly(2)
      const [first, second] = yield* Socket.pipes(socket).get
      const message = Message.make("x")
      Message.unsafeSetPipe(message, first!.id)
      yield* Pair1.sendTo(socket, second!.id, message)
      expect([yield* drain(others[0]!), yield* drain(others[1]!)]).toEqual([[], ["x"]])
      yield* Pair1.sendTo(socket, 0, "nobody")
      expect((yield* socket.statistics).dropped.unroutable).toBe(1)
      yield* socket.close
      yield* failing(Pair1.sendTo(socket, second!.id, "x"), "NNG_ECLOSED")
    }))

  test("[POLY-03] what names no pipe goes to the first that came, and after it to the second", () =>
    Effect.gen(function* () {
      const { others, socket } = yield* poly(2)
      yield* Socket.send(socket, "one")
      expect([yield* drain(others[0]!), yield* drain(others[1]!)]).toEqual([["one"], []])
      yield* others[0]!.close
      yield* settle
      yield* Socket.send(socket, "two")
      expect(yield* drain(others[1]!)).toEqual(["two"])
    }))

  test("[POLY-04] says that it is", () =>
    Effect.gen(function* () {
      expect((yield* Pair1.makePoly()).polyamorous).toBe(true)
    }))

  test("[POLY-07] closes though a peer has twenty messages for it", () =>
    Effect.gen(function* () {
      const { others, socket } = yield* poly(1, {}, { sendBuffer: 20 })
      for (let n = 0; n < 20; n++) yield* Socket.send(others[0]!, String(n))
      yield* settle
      yield* socket.close
      yield* failing(Socket.recv(socket), "NNG_ECLOSED")
      expect((yield* socket.statistics).pipes).toBe(0)
    }))

  test("[POLY-08] before the first peer a send waits behind the buffer", () =>
    Effect.gen(function* () {
      const socket = yield* Pair1.makePoly({ sendTimeout: 100 })
      const sending = yield* begin(Socket.send(socket, "x"))
      expect(yield* Socket.isWritable(socket)).toBe(false)
      yield* TestClock.adjust(100)
      yield* failing(Fiber.join(sending), "NNG_ETIMEDOUT")
      yield* Socket.configure(socket, { sendBuffer: 1 })
      yield* Socket.send(socket, "first")
      const second = yield* begin(Socket.send(socket, "second"))
      expect(yield* ended(second)).toBe(false)
      yield* Socket.listen(socket, url)
      const other = yield* Pair1.make()
      yield* Socket.dial(other, url)
      expect(yield* ended(second)).toBe(true)
      expect(yield* drain(other)).toEqual(["first", "second"])
      expect(yield* Socket.isWritable(socket)).toBe(true)
    }))

  test("[POLY-09, POLY-10, POLY-12] with every peer gone, or an unknown one named, a send succeeds and is counted", () =>
    Effect.gen(function* () {
      const { others, socket } = yield* poly(1)
      const [pipe] = yield* Socket.pipes(socket).get
      yield* Pair1.sendTo(socket, pipe!.id + 1, "unknown")
      yield* Socket.send(socket, "arrives", { timeout: 0 })
      expect(yield* drain(others[0]!)).toEqual(["arrives"])
      yield* others[0]!.close
      yield* settle
      yield* Socket.send(socket, "nobody", { nonblocking: true })
      yield* Pair1.sendTo(socket, pipe!.id, "gone")
      expect(yield* socket.statistics).toMatchObject({ sent: 4, dropped: { unroutable: 3 } })
      yield* failing(Socket.getPipe(socket, pipe!.id), "NNG_ENOENT")
    }))

  test("[POLY-11] a peer that floods waits, and a quiet one is heard", () =>
    Effect.gen(function* () {
      const { others, socket } = yield* poly(2)
      const [flood, quiet] = others as [Pair1.Pair1, Pair1.Pair1]
      const flooding = yield* begin(
        Socket.sendAll(
          flood,
          Array.from({ length: 100 }, (_, n) => `flood ${n}`)
        )
      )
      expect(yield* ended(flooding)).toBe(false)
      expect((yield* flood.statistics).sent).toBeLessThan(5)
      yield* Socket.send(quiet, "quiet", { nonblocking: true })
      const got = yield* drain(socket)
      expect(got.length).toBe(101)
      expect(got.indexOf("quiet")).toBeLessThan(5)
      yield* Fiber.join(flooding)
    }))

  test("polyamorous sockets talk to each other", () =>
    Effect.gen(function* () {
      const [left, right] = [yield* Pair1.makePoly(), yield* Pair1.makePoly()]
      yield* marry(left, right)
      yield* Socket.send(right, "to left")
      const message = yield* Socket.recv(left)
      yield* Pair1.sendTo(left, message.pipeId, "to right")
      expect(yield* recvText(right)).toBe("to right")
    }))

  test("its pipes are told as they come and go, and can be sent to", () =>
    Effect.gen(function* () {
      const { others, socket } = yield* poly(1)
      const changes = yield* collect(Socket.pipes(socket).changes)
      const sizes = yield* collect(Stream.map(Socket.pipes(socket).changes, (pipes) => ({ _tag: `${pipes.length}` })))
      const other = yield* Pair1.make()
      yield* Socket.dial(other, url)
      yield* until(sizes, tagged("2"))
      for (const pipe of yield* Socket.pipes(socket).get) yield* Pair1.sendTo(socket, pipe.id, `you are ${pipe.id}`)
      const ids = (yield* Socket.pipes(socket).get).map(({ id }) => `you are ${id}`)
      expect([yield* recvText(others[0]!), yield* recvText(other)]).toEqual(ids)
      yield* other.close
      yield* until(sizes, tagged("1"))
      expect(yield* changes.size).toBeGreaterThan(1)
    }))

  it.live("of each message it is known which endpoint, which addresses and which peer it came over", () =>
    Effect.gen(function* () {
      const socket = yield* Pair1.makePoly()
      const one = yield* Socket.listen(socket, "tcp://127.0.0.1:0")
      const two = yield* Socket.listen(socket, "tcp://127.0.0.1:0")
      const [byOne, byTwo, dialed] = [yield* Pair1.make(), yield* Pair1.make(), yield* Pair1.make()]
      yield* Socket.dial(byOne, one.url)
      yield* Socket.dial(byTwo, two.url)
      const theirs = yield* Socket.listen(dialed, "tcp://127.0.0.1:0")
      const dialer = yield* Socket.dial(socket, theirs.url)
      const origins = [
        [byOne, { _tag: "Listener", id: one.id, url: one.url }],
        [byTwo, { _tag: "Listener", id: two.id, url: two.url }],
        [dialed, { _tag: "Dialer", id: dialer.id, url: theirs.url }]
      ] as const
      for (const [peer, origin] of origins) {
        yield* Socket.send(peer, "x")
        const pipe = yield* Socket.getPipe(socket, (yield* Socket.recv(socket)).pipeId)
        const [other] = yield* Socket.pipes(peer).get
        expect(pipe.origin).toEqual(origin)
        expect([pipe.scheme, pipe.peerProtocol, pipe.socketId]).toEqual(["tcp", 0x11, socket.id])
        // what is far for one is near for the other
        expect(Address.format(pipe.properties.remoteAddress!)).toBe(Address.format(other!.properties.localAddress!))
        expect(Address.format(pipe.properties.localAddress!)).toBe(Address.format(other!.properties.remoteAddress!))
      }
    }).pipe(Effect.scoped, Effect.provide(NodeTransport.layer))
  )

  test("a pipe with unread messages whose peer is gone gives them, and then way", () =>
    Effect.gen(function* () {
      const { others, socket } = yield* poly(1)
      const removed = yield* removals(socket)
      yield* Socket.send(others[0]!, "1")
      yield* Socket.send(others[0]!, "2")
      yield* awaitReadable(socket)
      yield* others[0]!.close
      expect(yield* drain(socket)).toEqual(["1", "2"])
      expect((yield* removed).reason._tag).toBe("NNG_ECONNSHUT")
    }))
})
