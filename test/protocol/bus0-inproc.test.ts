import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Bus0 from "effect-nng/Bus0"
import type * as Errors from "effect-nng/Errors"
import * as Message from "effect-nng/Message"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Socket from "effect-nng/Socket"
import type { Transports } from "effect-nng/Transport"
import { begin, drain, ended, failing, network, settle } from "../support/sockets.js"
import { headed, headerOf } from "../support/words.js"

type Make = (
  options?: Bus0.MakeOptions
) => Effect.Effect<Socket.Configurable<Bus0.Options>, Errors.EINVAL, Scope.Scope | Transports>

type Any = Effect.Effect<void, unknown, Scope.Scope | Transports>

const test = (name: string, effect: () => Any): void =>
  it.scoped(name, () => Effect.suspend(effect).pipe(Effect.provide(network)))

/** A hub that listens, and spokes that dialed it. */
const star = <S extends Socket.Socket>(
  makeHub: Effect.Effect<S, unknown, Scope.Scope | Transports>,
  count: number,
  options?: Bus0.MakeOptions
) =>
  Effect.gen(function* () {
    const hub = yield* makeHub
    yield* Socket.listen(hub, "inproc://hub")
    const spokes: Array<Bus0.Bus0> = []
    for (let n = 1; n <= count; n++) {
      const spoke = yield* Bus0.make({ reconnectMin: "1 hour", ...options })
      yield* Socket.dial(spoke, "inproc://hub")
      yield* Socket.awaitPeers(hub, n)
      spokes.push(spoke)
    }
    yield* settle
    return { hub, spokes }
  })

const each = (sockets: ReadonlyArray<Socket.CanRecv>) => Effect.forEach(sockets, drain)

describe("bus sockets", () => {
  test("[BUS-01] all spokes hear the hub, and the hub alone a spoke", () =>
    Effect.gen(function* () {
      const { hub, spokes } = yield* star(Bus0.make(), 2)
      yield* Socket.send(hub, "from the hub")
      expect(yield* each([hub, ...spokes])).toEqual([[], ["from the hub"], ["from the hub"]])
      yield* Socket.send(spokes[0]!, "from a spoke")
      expect(yield* each([hub, ...spokes])).toEqual([["from a spoke"], [], []])
    }))

  test("[BUS-02, BUS-13] without neighbours it sends to nobody, and without any time", () =>
    Effect.gen(function* () {
      const socket = yield* Bus0.make()
      yield* Socket.send(socket, "a", { timeout: 0 })
      yield* Socket.send(socket, "b", { nonblocking: true })
      expect((yield* socket.statistics).sent).toBe(2)
    }))

  test("[BUS-03, BUS-04] a thousand sends to neighbours that do not read succeed; what they miss is counted", () =>
    Effect.gen(function* () {
      const { hub, spokes } = yield* star(Bus0.make({ sendBuffer: 1 }), 2, { recvBuffer: 3 })
      for (let n = 0; n < 1000; n++) {
        yield* Socket.send(hub, String(n), { nonblocking: true })
        expect(yield* Socket.isWritable(hub)).toBe(true)
      }
      yield* settle
      const missed = (yield* hub.statistics).dropped.full
      const theirs = yield* Effect.forEach(spokes, (spoke) =>
        Effect.map(spoke.statistics, ({ dropped }) => dropped.full)
      )
      const got = yield* each(spokes)
      expect(got.flat().length + missed + theirs[0]! + theirs[1]!).toBe(2000)
      expect(got.map((texts) => texts[0])).toEqual(["0", "0"])
    }))

  test("[BUS-05] it is readable as long as there is a message", () =>
    Effect.gen(function* () {
      const { hub, spokes } = yield* star(Bus0.make(), 1)
      expect(yield* Socket.isReadable(hub)).toBe(false)
      yield* Socket.send(spokes[0]!, "x")
      yield* settle
      expect(yield* Socket.isReadable(hub)).toBe(true)
      yield* Socket.recv(hub)
      expect(yield* Socket.isReadable(hub)).toBe(false)
    }))

  test("[BUS-06] buffers are from 1 to 8192, by default 16, and change at once", () =>
    Effect.gen(function* () {
      for (const make of [Bus0.make, Bus0.makeRaw] as ReadonlyArray<Make>) {
        for (const size of [0, 8193]) {
          yield* failing(make({ sendBuffer: size }), "NNG_EINVAL")
          yield* failing(make({ recvBuffer: size }), "NNG_EINVAL")
        }
        const fresh = yield* make({ sendBuffer: undefined, recvBuffer: undefined })
        expect(yield* Socket.settings(fresh)).toMatchObject({ sendBuffer: 16, recvBuffer: 16 })
      }
      const { hub, spokes } = yield* star(Bus0.make({ recvBuffer: 2 }), 1)
      yield* failing(Socket.configure(hub, { recvBuffer: 0 }), "NNG_EINVAL")
      for (const text of ["a", "b"]) yield* Effect.zipRight(Socket.send(spokes[0]!, text), settle)
      yield* Socket.configure(hub, { recvBuffer: 1, sendBuffer: 1 })
      expect(yield* drain(hub)).toEqual(["a"])
      expect((yield* hub.statistics).dropped.resized).toBe(1)
    }))

  it.live("[BUS-07] a tcp address is one listener's", () =>
    Effect.gen(function* () {
      const [one, two] = [yield* Bus0.make(), yield* Bus0.make()]
      const { url } = yield* Socket.listen(one, "tcp://127.0.0.1:0")
      yield* failing(Socket.listen(two, url), "NNG_EADDRINUSE")
    }).pipe(Effect.scoped, Effect.provide(NodeTransport.layer))
  )

  test("[BUS-08, BUS-09] raw, a message sent back as it came goes to all but who sent it", () =>
    Effect.gen(function* () {
      const { hub, spokes } = yield* star(Bus0.makeRaw(), 3)
      yield* Socket.send(spokes[1]!, "x")
      const message = yield* Socket.recv(hub)
      expect(headerOf(message)).toEqual([message.pipeId])
      expect((yield* Socket.getPipe(hub, message.pipeId)).origin._tag).toBe("Listener")
      yield* Socket.send(hub, message)
      expect(yield* each(spokes)).toEqual([["x"], [], ["x"]])
    }))

  test("[BUS-10, BUS-14] raw, without a whole word in its header it goes to all, the header in front", () =>
    Effect.gen(function* () {
      const { hub, spokes } = yield* star(Bus0.makeRaw(), 2)
      yield* Socket.send(hub, "x")
      const message = Message.make("y")
      Message.Header.append(message, new TextEncoder().encode("abc"))
      yield* settle
      yield* Socket.send(hub, message)
      expect(yield* each(spokes)).toEqual([
        ["x", "abcy"],
        ["x", "abcy"]
      ])
    }))

  test("[BUS-11] what comes while the receive queue is full is lost, and the neighbour can go on", () =>
    Effect.gen(function* () {
      const { hub, spokes } = yield* star(Bus0.make({ recvBuffer: 2 }), 1)
      for (const text of ["a", "b", "c", "d"]) yield* Effect.zipRight(Socket.send(spokes[0]!, text), settle)
      expect(yield* drain(hub)).toEqual(["a", "b"])
      expect((yield* hub.statistics).dropped.full).toBe(2)
      yield* Socket.send(spokes[0]!, "e")
      expect(yield* drain(hub)).toEqual(["e"])
    }))

  test("[BUS-12] cooked, a message that is passed on goes to all, and to who sent it", () =>
    Effect.gen(function* () {
      const { hub, spokes } = yield* star(Bus0.make(), 2)
      yield* Socket.send(spokes[0]!, headed([7], "x"))
      const message = yield* Socket.recv(hub)
      expect([message.headerLength, message.pipeId > 0]).toEqual([0, true])
      yield* Socket.send(hub, message)
      expect(yield* each(spokes)).toEqual([["x"], ["x"]])
    }))

  test("what neighbours of one program get is their own", () =>
    Effect.gen(function* () {
      const { hub, spokes } = yield* star(Bus0.make(), 2)
      yield* Socket.send(hub, "shared")
      const [one, two] = [yield* Socket.recv(spokes[0]!), yield* Socket.recv(spokes[1]!)]
      one.body.fill(0)
      expect(Message.text(two)).toBe("shared")
    }))

  test("those who wait to receive are served in order, and end with the socket, each once", () =>
    Effect.gen(function* () {
      const { hub, spokes } = yield* star(Bus0.make(), 1)
      const order: Array<string> = []
      const waiting = yield* Effect.forEach(["1", "2", "3"], (name) =>
        begin(Effect.map(Socket.recv(hub), (message) => order.push(`${name}: ${Message.text(message)}`)))
      )
      yield* Socket.sendAll(spokes[0]!, ["a", "b"])
      yield* settle
      expect(order).toEqual(["1: a", "2: b"])
      expect(yield* ended(waiting[2]!)).toBe(false)
      yield* hub.close
      yield* failing(Fiber.join(waiting[2]!), "NNG_ECLOSED")
      expect(order.length).toBe(2)
    }))

  test("a sink and a stream are a bus's ends too", () =>
    Effect.gen(function* () {
      const { hub, spokes } = yield* star(Bus0.make(), 1)
      yield* Stream.run(Stream.make("a", "b", "c"), Socket.sink(hub))
      const got = yield* Stream.runCollect(Stream.take(Socket.stream(spokes[0]!), 3))
      expect(Array.from(got, Message.text)).toEqual(["a", "b", "c"])
    }))
})
