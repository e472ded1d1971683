import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Bus0 from "effect-nng/Bus0"
import * as Device from "effect-nng/Device"
import * as Message from "effect-nng/Message"
import * as Pair0 from "effect-nng/Pair0"
import * as Pair1 from "effect-nng/Pair1"
import * as Socket from "effect-nng/Socket"
import { begin, drain, failing, inproc, marry, recvText, settle } from "../support/sockets.js"
import { headed, headerOf } from "../support/words.js"

/** As a socket whose type nobody knows any more. */
const widened = (socket: Socket.Socket): Socket.Raw => socket as Socket.Raw

/** A raw pair1 with a cooked one at its end. */
const pairAt = (url: string) =>
  Effect.gen(function* () {
    const [raw, end] = [yield* Pair1.makeRaw(), yield* Pair1.make()]
    yield* marry(raw, end, url)
    return { raw, end }
  })

const texts = (n: number): Array<string> => Array.from({ length: n }, (_, i) => String(i))

describe("a device of pairs", () => {
  it.scoped("[DEV-01, DEV-02, DEV-05] is refused of cooked ones, of two versions, and of one with many peers", () =>
    Effect.gen(function* () {
      const [cooked, poly, raw] = [yield* Pair1.make(), yield* Pair1.makePoly(), yield* Pair1.makeRaw()]
      const refused = (left: Socket.Socket, right: Socket.Socket) =>
        failing(Device.run(widened(left), widened(right)), "NNG_EINVAL")
      yield* refused(cooked, raw)
      yield* refused(raw, cooked)
      yield* refused(cooked, yield* Pair1.make())
      yield* refused(yield* Pair0.makeRaw(), raw)
      yield* refused(poly, raw)
      yield* refused(poly, poly)
      const other = yield* Pair1.make()
      yield* marry(other, cooked)
      yield* Socket.send(cooked, "usable")
      expect(yield* recvText(other)).toBe("usable")
      yield* failing(Socket.recv(raw, { nonblocking: true }), "NNG_EAGAIN")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[DEV-07] lets ping go one way and pong the other", () =>
    Effect.gen(function* () {
      const [left, right] = [yield* pairAt("inproc://left"), yield* pairAt("inproc://right")]
      yield* begin(Device.run(left.raw, right.raw))
      yield* Socket.send(left.end, "ping")
      expect(yield* recvText(right.end)).toBe("ping")
      yield* Socket.send(right.end, "pong")
      expect(yield* recvText(left.end)).toBe("pong")
      yield* begin(Socket.sendAll(left.end, texts(600)))
      for (const text of texts(600)) expect(yield* recvText(right.end)).toBe(text)
    }).pipe(Effect.provide(inproc))
  )

  for (const [how, run] of [
    ["given once", (socket: Pair1.Pair1Raw) => Device.run(socket)],
    ["given twice", (socket: Pair1.Pair1Raw) => Device.run(socket, socket)]
  ] as const) {
    it.scoped(`[DEV-08] gives its only peer everything back, ${how}`, () =>
      Effect.gen(function* () {
        const { end, raw } = yield* pairAt("inproc://mirror")
        yield* begin(run(raw))
        yield* Socket.send(end, "ping")
        yield* Socket.send(end, "pong")
        expect([yield* recvText(end), yield* recvText(end)]).toEqual(["ping", "pong"])
        yield* failing(Socket.send(raw, headed([1], "x")), "NNG_EBUSY")
      }).pipe(Effect.provide(inproc))
    )
  }

  it.scoped("[DEV-21] adds a hop for each in a chain", () =>
    Effect.gen(function* () {
      const first = yield* pairAt("inproc://first")
      const [a, b, c] = [yield* Pair1.makeRaw(), yield* Pair1.makeRaw(), yield* Pair1.makeRaw()]
      const last = yield* Pair1.makeRaw()
      yield* marry(a, b, "inproc://middle")
      yield* marry(c, last, "inproc://last")
      yield* begin(Device.run(first.raw, a))
      yield* begin(Device.run(b, c))
      yield* Socket.send(first.end, "far")
      const message = yield* Socket.recv(last)
      expect([Message.text(message), headerOf(message)]).toEqual(["far", [3]])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("takes a new peer where both sides lost theirs with messages unread", () =>
    Effect.gen(function* () {
      const [left, right] = [yield* Pair0.makeRaw(), yield* Pair0.makeRaw()]
      const ends = [yield* Pair0.make(), yield* Pair0.make()] as const
      yield* marry(left, ends[0], "inproc://left")
      yield* marry(right, ends[1], "inproc://right")
      yield* begin(Device.run(left, right))
      // until nothing goes any more, both ways
      for (const end of ends) yield* begin(Socket.sendAll(end, texts(50)))
      for (const end of ends) yield* end.close
      yield* settle
      const again = [yield* Pair0.make({ reconnectMin: 1 }), yield* Pair0.make({ reconnectMin: 1 })] as const
      yield* Socket.dial(again[0], "inproc://left")
      yield* Socket.dial(again[1], "inproc://right")
      yield* Effect.forEach(again, (end) => Socket.awaitPeers(end, 1))
      yield* settle
      yield* drain(again[0])
      yield* drain(again[1])
      yield* Socket.send(again[0], "new")
      expect(yield* drain(again[1])).toEqual(["new"])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("goes on when its reflected peer has left, and another comes", () =>
    Effect.gen(function* () {
      const raw = yield* Pair0.makeRaw()
      const first = yield* Pair0.make()
      yield* marry(raw, first, "inproc://mirror")
      const device = yield* begin(Device.run(raw))
      yield* begin(Socket.sendAll(first, texts(20)))
      yield* first.close
      yield* settle
      const second = yield* Pair0.make()
      yield* Socket.dial(second, "inproc://mirror")
      yield* Socket.awaitPeers(raw, 1)
      yield* drain(second)
      yield* Socket.send(second, "mine")
      expect(yield* drain(second)).toEqual(["mine"])
      yield* Fiber.interrupt(device)
    }).pipe(Effect.provide(inproc))
  )
})

describe("a device of a bus", () => {
  it.scoped("[DEV-09] reflects to all spokes but the one it came from", () =>
    Effect.gen(function* () {
      const hub = yield* Bus0.makeRaw()
      const spokes = [yield* Bus0.make(), yield* Bus0.make(), yield* Bus0.make()]
      yield* Socket.listen(hub, "inproc://hub")
      for (const spoke of spokes) yield* Socket.dial(spoke, "inproc://hub")
      yield* Socket.awaitPeers(hub, 3)
      yield* settle
      yield* begin(Device.run(hub))
      for (const [n, spoke] of spokes.entries()) yield* Socket.send(spoke, `from ${n}`)
      yield* settle
      expect((yield* drain(spokes[0]!)).sort()).toEqual(["from 1", "from 2"])
      expect((yield* drain(spokes[1]!)).sort()).toEqual(["from 0", "from 2"])
      expect((yield* drain(spokes[2]!)).sort()).toEqual(["from 0", "from 1"])
    }).pipe(Effect.provide(inproc))
  )
})
