import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FC from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Message from "effect-nng/Message"
import * as Pair0 from "effect-nng/Pair0"
import * as Protocol from "effect-nng/Protocol"
import * as Socket from "effect-nng/Socket"
import * as TestTransport from "effect-nng/TestTransport"
import { bytes, frame, hex, pair0 as header, record } from "../support/peers.js"
import { afterOps, recvText } from "../support/sockets.js"
import {
  begin,
  client,
  connect,
  drain,
  ended,
  eventsOf,
  listening,
  onNetwork,
  seen,
  server,
  settle,
  simulated,
  text,
  url
} from "../support/simulation.js"

const { dial, everywhere, listen } = TestTransport

const pair = Protocol.pair0

describe("a peer by hand", () => {
  simulated("that dials talks to a socket", () =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make()
      yield* Socket.listen(socket, url)
      const peer = yield* dial(url)
      expect(yield* peer.greet(pair)).toBe(pair.number)
      yield* peer.send("hello")
      expect(yield* recvText(socket)).toBe("hello")
      yield* Socket.send(socket, "and you?")
      expect(Message.text(yield* peer.recv)).toBe("and you?")
      yield* peer.end
      yield* Effect.sleep(0)
      expect(yield* Socket.pipes(socket).get).toEqual([])
    })
  )

  simulated("that listens talks to a socket", () =>
    Effect.gen(function* () {
      const listener = yield* listen("tcp://10.0.0.1:0", { node: server })
      const socket = yield* Pair0.make({ reconnectMin: 100 })
      yield* Socket.dial(socket, listener.url, { nonblocking: true })
      for (let i = 0; i < 3; i++) {
        const peer = yield* listener.accept
        expect(yield* peer.greet(pair)).toBe(pair.number)
        yield* peer.send(`hello ${i}`)
        expect(yield* recvText(socket)).toBe(`hello ${i}`)
        yield* peer.reset
      }
    })
  )

  simulated("writes and reads raw bytes, text as UTF-8", () =>
    Effect.gen(function* () {
      const { accepted, dialing } = yield* connect(yield* listening())
      yield* dialing.write(bytes("00 ff"), "é", "", new Uint8Array(0))
      expect(hex(yield* accepted.read(4))).toBe("00ffc3a9")
      expect(hex(yield* accepted.read(0))).toBe("")
      yield* dialing.write("abc", "def")
      expect(text(yield* accepted.read(2))).toBe("ab")
      expect(text(yield* accepted.read(4))).toBe("cdef")
      expect(hex(yield* accepted.received)).toBe("00ffc3a9616263646566")
    })
  )

  simulated("gives bytes that are its own", () =>
    Effect.gen(function* () {
      const { accepted, dialing } = yield* connect(yield* listening())
      const given = Uint8Array.of(1, 2, 3)
      yield* dialing.write(given)
      given.fill(9)
      const read = yield* accepted.read(3)
      expect(Array.from(read)).toEqual([1, 2, 3])
      read.fill(7)
      expect(Array.from(yield* accepted.received)).toEqual([1, 2, 3])
    })
  )

  simulated("has the properties of both ends", () =>
    Effect.gen(function* () {
      const { accepted, dialing } = yield* connect(yield* listening())
      expect(dialing.properties).toMatchObject({
        noDelay: true,
        keepAlive: true,
        remoteAddress: { host: "10.0.0.1", port: 5555 }
      })
      expect(accepted.properties.remoteAddress).toEqual(dialing.properties.localAddress)
    })
  )

  for (const scheme of ["ipc", "unix", "abstract"]) {
    simulated(`has the marker of ${scheme} in its frames`, () =>
      Effect.gen(function* () {
        const at = `${scheme}:///tmp/x`
        const socket = yield* Pair0.make()
        yield* Socket.listen(socket, at)
        const peer = yield* dial(at)
        yield* peer.greet(pair)
        yield* peer.send("hello")
        expect(yield* recvText(socket)).toBe("hello")
        yield* Socket.send(socket, "you")
        expect(hex(yield* peer.read(12))).toBe("010000000000000003" + hex(Buffer.from("you")))
        yield* Socket.send(socket, "again")
        expect(Message.text(yield* peer.recv)).toBe("again")
      })
    )
  }

  simulated("sends a message's header in front of its body", () =>
    Effect.gen(function* () {
      const { accepted, dialing } = yield* connect(yield* listening())
      const message = Message.make("hi")
      Message.Header.append(message, bytes("80000001"))
      yield* dialing.send(message)
      expect(hex(yield* accepted.read(14))).toBe("0000000000000006800000016869")
      yield* dialing.send("")
      expect((yield* accepted.recv).body.length).toBe(0)
    })
  )
})

describe("what is no SP", () => {
  simulated("is NNG_EPROTO for greet", () =>
    Effect.gen(function* () {
      const { accepted, dialing } = yield* connect(yield* listening())
      yield* dialing.write("GET / HT")
      expect(yield* Effect.flip(accepted.greet(pair))).toMatchObject({ _tag: "NNG_EPROTO" })
      expect(hex(yield* dialing.read(8))).toBe(hex(header))
    })
  )

  simulated("is what ended it, for greet and recv", () =>
    Effect.gen(function* () {
      const { accepted, dialing } = yield* connect(yield* listening())
      yield* dialing.write(header.subarray(0, 7))
      yield* dialing.end
      expect(yield* Effect.flip(accepted.greet(pair))).toMatchObject({ _tag: "NNG_ECONNSHUT" })
      // what had come stays to be read
      expect(hex(yield* accepted.read(7))).toBe(hex(header.subarray(0, 7)))
      expect(yield* Effect.flip(accepted.recv)).toMatchObject({ _tag: "NNG_ECONNSHUT" })
    })
  )

  simulated("is NNG_EPROTO for recv, when it says that it is longer than anything", () =>
    Effect.gen(function* () {
      const { accepted, dialing } = yield* connect(yield* listening())
      yield* dialing.write(bytes("00 00 00 00 40 00 00 01"))
      expect(yield* Effect.flip(accepted.recv)).toMatchObject({ _tag: "NNG_EPROTO" })
    })
  )

  simulated("is NNG_EPROTO for recv, when it has not the marker of ipc", () =>
    Effect.gen(function* () {
      const { accepted, dialing } = yield* connect(yield* listen("ipc:///tmp/x", { node: client }))
      yield* dialing.write(bytes("02"), frame("hello"))
      expect(yield* Effect.flip(accepted.recv)).toMatchObject({ _tag: "NNG_EPROTO" })
    })
  )

  simulated("cannot be dialed or listened at", () =>
    Effect.gen(function* () {
      expect(yield* Effect.flip(dial("nowhere"))).toMatchObject({ _tag: "NNG_EINVAL" })
      expect(yield* Effect.flip(listen("tcp://10.0.0.1:99999"))).toMatchObject({ _tag: "NNG_EINVAL" })
    })
  )

  simulated("a malformed frame ends a socket's pipe with what is wrong", () =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make({ recvMaxSize: 10 })
      yield* Socket.listen(socket, url)
      const pipes = yield* record(Socket.events(socket))
      const peer = yield* dial(url)
      yield* peer.greet(pair)
      yield* peer.write(frame("0123456789"), frame("0123456789a"))
      expect(yield* recvText(socket)).toBe("0123456789")
      yield* Effect.sleep(1)
      expect(pipes.all.at(-1)).toMatchObject({ _tag: "RemPost", reason: { _tag: "NNG_EMSGSIZE" } })
      expect(yield* peer.closed).toMatchObject({ _tag: "NNG_ECONNSHUT" })
    })
  )
})

describe("the end", () => {
  simulated("in good order is NNG_ECONNSHUT, after all that came before", () =>
    Effect.gen(function* () {
      const { accepted, dialing } = yield* connect(yield* listening())
      yield* dialing.write("all of it")
      yield* dialing.end
      expect(yield* accepted.closed).toMatchObject({ _tag: "NNG_ECONNSHUT" })
      expect(text(yield* accepted.received)).toBe("all of it")
      expect(text(yield* accepted.read(9))).toBe("all of it")
      expect(yield* Effect.flip(accepted.read(1))).toMatchObject({ _tag: "NNG_ECONNSHUT" })
      expect(yield* Effect.flip(accepted.write("more"))).toMatchObject({ _tag: "NNG_ECONNSHUT" })
    })
  )

  simulated("by a reset is NNG_ECONNRESET", () =>
    Effect.gen(function* () {
      const { accepted, dialing } = yield* connect(yield* listening())
      const reading = yield* begin(Effect.flip(accepted.read(1)))
      yield* dialing.reset
      expect(yield* Fiber.join(reading)).toMatchObject({ _tag: "NNG_ECONNRESET" })
      expect(yield* accepted.closed).toMatchObject({ _tag: "NNG_ECONNRESET" })
    })
  )

  for (const how of ["end", "reset"] as const) {
    simulated(`by its own ${how} is NNG_ECLOSED for it, waiting or not, and once`, () =>
      Effect.gen(function* () {
        const { accepted, dialing } = yield* connect(yield* listening())
        yield* TestTransport.limitBuffer(everywhere, 1)
        yield* dialing.write("0123")
        const waiting = yield* Effect.forEach([dialing.read(1), dialing.write("more"), dialing.recv], (each) =>
          begin(Effect.flip<unknown, { readonly _tag: string }, never>(each))
        )
        yield* dialing[how]
        for (const each of waiting) expect(yield* Fiber.join(each)).toMatchObject({ _tag: "NNG_ECLOSED" })
        yield* dialing[how]
        yield* dialing.end
        expect(yield* Effect.flip(dialing.write("x"))).toMatchObject({ _tag: "NNG_ECLOSED" })
        expect(yield* dialing.closed).toMatchObject({ _tag: "NNG_ECLOSED" })
        expect(yield* accepted.closed).toMatchObject({ _tag: how === "end" ? "NNG_ECONNSHUT" : "NNG_ECONNRESET" })
        expect(yield* eventsOf("Closed")).toMatchObject([{ connection: 1, by: client }])
      })
    )
  }

  simulated("comes with the scope", () =>
    Effect.gen(function* () {
      const listener = yield* listening()
      const dialing = yield* Effect.scoped(dial(url, { node: client }))
      expect(yield* dialing.closed).toMatchObject({ _tag: "NNG_ECLOSED" })
      const accepted = yield* listener.accept
      expect(yield* accepted.closed).toMatchObject({ _tag: "NNG_ECONNSHUT" })
    })
  )

  simulated("of a listener is NNG_ECLOSED for who waits to accept", () =>
    Effect.gen(function* () {
      const listener = yield* Effect.scoped(
        Effect.gen(function* () {
          const listener = yield* listening()
          return { ...listener, waiting: yield* Effect.forkDaemon(Effect.scoped(Effect.flip(listener.accept))) }
        }).pipe(Effect.tap(() => settle))
      )
      expect(yield* Fiber.join(listener.waiting)).toMatchObject({ _tag: "NNG_ECLOSED" })
      expect(yield* Effect.flip(listener.accept)).toMatchObject({ _tag: "NNG_ECLOSED" })
    })
  )
})

describe("interruption", () => {
  simulated("of a read takes nothing, at whichever op it comes", () =>
    Effect.gen(function* () {
      const { accepted, dialing } = yield* connect(yield* listening())
      let [interrupted, taken] = [0, 0]
      for (let ops = 40; ops < 128; ops++) {
        for (const early of [true, false]) {
          if (early) {
            // it has come with what was read before
            yield* dialing.write("+abcd")
            yield* accepted.read(1)
          }
          const fiber = yield* Effect.withMaxOpsBeforeYield(Effect.fork(afterOps(accepted.read(4), ops)), 128)
          yield* Effect.yieldNow()
          if (!early) yield* Effect.zipRight(dialing.write("abcd"), Effect.yieldNow())
          const exit = yield* Fiber.interrupt(fiber)
          if (Exit.isSuccess(exit)) {
            taken++
            expect(text(exit.value)).toBe("abcd")
          } else {
            interrupted++
            expect(text(yield* accepted.read(4))).toBe("abcd")
          }
        }
      }
      expect([interrupted > 5, taken > 5]).toEqual([true, true])
      expect((yield* accepted.received).length).toBe(4.5 * (interrupted + taken))
    })
  )

  simulated("of a recv takes nothing, in the middle of a frame either", () =>
    Effect.gen(function* () {
      const { accepted, dialing } = yield* connect(yield* listening())
      const whole = frame("hello")
      for (let at = 0; at < whole.length; at++) {
        yield* dialing.write(whole.subarray(0, at))
        const waiting = yield* begin(accepted.recv)
        expect(yield* ended(waiting)).toBe(false)
        yield* Fiber.interrupt(waiting)
        yield* dialing.write(whole.subarray(at))
        expect(Message.text(yield* accepted.recv)).toBe("hello")
      }
    })
  )

  simulated("of a write that waits writes nothing", () =>
    Effect.gen(function* () {
      const { accepted, dialing } = yield* connect(yield* listening())
      yield* TestTransport.limitBuffer(everywhere, 4)
      yield* dialing.write("0123456")
      const waiting = yield* begin(dialing.write("never"))
      yield* Fiber.interrupt(waiting)
      yield* TestTransport.heal()
      yield* dialing.write("789")
      expect((yield* seen(accepted)).text).toBe("0123456789")
    })
  )

  simulated("of an accept accepts nothing", () =>
    Effect.gen(function* () {
      const listener = yield* listening()
      const waiting = yield* begin(listener.accept)
      yield* Fiber.interrupt(waiting)
      const peer = yield* dial(url, { node: client })
      yield* peer.write("hello")
      expect(text(yield* (yield* listener.accept).read(5))).toBe("hello")
    })
  )
})

describe("several at once", () => {
  simulated("readers get what they ask for, each byte once", () =>
    Effect.gen(function* () {
      const { accepted, dialing } = yield* connect(yield* listening())
      const readers = yield* Effect.forEach([3, 1, 4, 2], (size) => begin(accepted.read(size)))
      for (const digit of "0123456789") {
        yield* dialing.write(digit)
        yield* settle
      }
      const parts = yield* Effect.forEach(readers, Fiber.join)
      expect(parts.map(({ length }) => length)).toEqual([3, 1, 4, 2])
      expect(parts.map(text).join("").split("").sort().join("")).toBe("0123456789")
    })
  )

  simulated("acceptors get a connection each", () =>
    Effect.gen(function* () {
      const listener = yield* listening()
      const accepting = yield* Effect.forEach([1, 2, 3], () => begin(listener.accept))
      for (const name of ["x", "y", "z"]) yield* (yield* dial(url, { node: client })).write(name)
      const peers = yield* Effect.forEach(accepting, Fiber.join)
      const names = yield* Effect.forEach(peers, (peer) => Effect.map(peer.read(1), text))
      expect(names.sort()).toEqual(["x", "y", "z"])
    })
  )

  simulated("closed is told to all who wait", () =>
    Effect.gen(function* () {
      const { accepted, dialing } = yield* connect(yield* listening())
      const waiting = yield* Effect.forEach([1, 2, 3], () => begin(accepted.closed))
      yield* dialing.write("x")
      yield* dialing.end
      for (const each of waiting) expect(yield* Fiber.join(each)).toMatchObject({ _tag: "NNG_ECONNSHUT" })
    })
  )

  it.effect.prop(
    "writes and reads of any sizes carry the same bytes",
    {
      sizes: FC.array(FC.nat({ max: 3000 }), { maxLength: 20 }),
      step: FC.integer({ min: 1, max: 500 }),
      buffer: FC.nat({ max: 2000 })
    },
    ({ buffer, sizes, step }) =>
      onNetwork(
        Effect.gen(function* () {
          const { accepted, dialing } = yield* connect(yield* listening())
          yield* TestTransport.limitBuffer(everywhere, buffer)
          const all = sizes.map((size, i) => Uint8Array.from({ length: size }, (_, j) => i + j))
          const total = sizes.reduce((sum, size) => sum + size, 0)
          yield* Effect.fork(Effect.forEach(all, (each) => dialing.write(each)))
          for (let at = 0; at < total; at += step) yield* accepted.read(Math.min(step, total - at))
          expect(Buffer.compare(yield* accepted.received, Buffer.concat(all))).toBe(0)
        })
      )
  )

  simulated("a message to a socket that was sent in crumbs by hand", () =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make({ recvBuffer: 3 })
      yield* Socket.listen(socket, url)
      const peer = yield* dial(url)
      for (const byte of Buffer.concat([header, frame("one"), frame(""), frame("two")])) {
        yield* peer.write(Uint8Array.of(byte))
        yield* Effect.sleep(1)
      }
      expect(yield* drain(socket)).toEqual(["one", "", "two"])
    })
  )
})
