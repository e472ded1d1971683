import { describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FC from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as Message from "effect-nng/Message"
import * as Pair0 from "effect-nng/Pair0"
import * as Protocol from "effect-nng/Protocol"
import * as Socket from "effect-nng/Socket"
import * as TestTransport from "effect-nng/TestTransport"
import { pair0 as header, record } from "../support/peers.js"
import * as Listener from "effect-nng/Listener"
import { recvText } from "../support/sockets.js"
import {
  begin,
  drain,
  ended,
  settle,
  client,
  connect,
  eventsOf,
  exchange,
  listening,
  onNetwork,
  seen,
  server,
  simulated,
  text,
  timing,
  url
} from "../support/simulation.js"

const { everywhere, toward } = TestTransport

/** Two sockets that have each other; the first listens, on the server. */
const married = (options: { readonly left?: Pair0.MakeOptions; readonly right?: Pair0.MakeOptions } = {}) =>
  Effect.gen(function* () {
    const left = yield* TestTransport.on(server)(Pair0.make(options.left))
    const right = yield* TestTransport.on(client)(Pair0.make(options.right))
    const pipes = yield* record(Socket.events(left))
    yield* Socket.listen(left, url)
    const dialer = yield* Socket.dial(right, url)
    yield* Socket.awaitPeers(left, 1)
    yield* Socket.awaitPeers(right, 1)
    return { left, right, dialer, pipes }
  })

const numbers = (count: number): Array<string> => Array.from({ length: count }, (_, i) => `${i}`)

/** What a pipe of the server was told, once the sending by hand of these bytes has had its effect. */
const judged = (bytes: Uint8Array, options?: Pair0.MakeOptions, scheme = "tcp") =>
  Effect.gen(function* () {
    const socket = yield* TestTransport.on(server)(Pair0.make({ recvBuffer: 10, ...options }))
    const pipes = yield* record(Socket.events(socket))
    const listener = yield* Socket.listen(socket, `${scheme}://10.0.0.1:5555`)
    const listens = yield* record(Listener.events(listener))
    const peer = yield* TestTransport.dial(listener.url, { node: server })
    yield* peer.write(bytes)
    yield* Effect.sleep(1)
    return { socket, pipes, listens, peer }
  })

const removal = (events: ReadonlyArray<{ readonly _tag: string; readonly reason?: { readonly _tag: string } }>) =>
  events.find(({ _tag }) => _tag === "RemPost")?.reason?._tag

describe("a black hole", () => {
  simulated("keeps what is sent into it, and gives it back in order, nothing lost or doubled", () =>
    Effect.gen(function* () {
      const { left, right } = yield* married({ right: { sendBuffer: 100 } })
      const all = numbers(300)
      const sending = yield* Effect.fork(Effect.forEach(all, (i) => Effect.delay(Socket.send(right, i), 10)))
      const receiving = yield* Effect.fork(Effect.all(all.map(() => recvText(left))))
      for (let i = 0; i < 10; i++) {
        yield* Effect.sleep(137)
        yield* TestTransport.blackHole(i % 2 === 0 ? everywhere : toward(client, server))
        yield* Effect.sleep(93)
        yield* TestTransport.heal()
      }
      yield* Fiber.join(sending)
      expect(yield* Fiber.join(receiving)).toEqual(all)
      expect(yield* drain(left)).toEqual([])
    })
  )

  simulated("lets what was stuck go before what was sent later and is still on its way", () =>
    Effect.gen(function* () {
      const ends = yield* connect(yield* listening())
      yield* TestTransport.latency(everywhere, 100)
      yield* ends.dialing.write("first ")
      yield* Effect.sleep(50)
      yield* TestTransport.blackHole(server)
      yield* Effect.sleep(100)
      yield* ends.dialing.write("second ")
      yield* Effect.sleep(60)
      yield* TestTransport.heal(TestTransport.between("server", "server"))
      expect(text(yield* ends.accepted.received)).toBe("")
      // what is said of the way is said anew
      yield* TestTransport.heal()
      yield* TestTransport.latency(everywhere, 100)
      yield* ends.dialing.write("third")
      expect((yield* seen(ends.accepted)).text).toBe("first second third")
    })
  )

  simulated("one way only stops one way only", () =>
    Effect.gen(function* () {
      const { left, right } = yield* married()
      yield* TestTransport.blackHole(toward(server, client))
      yield* Socket.send(left, "lost")
      yield* Socket.send(right, "heard")
      expect(yield* recvText(left)).toBe("heard")
      const waiting = yield* begin(recvText(right))
      yield* Effect.sleep("1 hour")
      expect(yield* ended(waiting)).toBe(false)
      yield* TestTransport.heal(client)
      expect(yield* Fiber.join(waiting)).toBe("lost")
    })
  )

  simulated("that opens in the middle of a dial is waited for", () =>
    Effect.gen(function* () {
      yield* listening()
      yield* TestTransport.latency(everywhere, 1000)
      const dialing = yield* Effect.fork(timing(TestTransport.dial(url, { node: client })))
      // on its way there, and later on its way back
      yield* Effect.sleep(500)
      yield* TestTransport.blackHole(toward(client, server))
      yield* Effect.sleep(1000)
      yield* TestTransport.heal()
      yield* Effect.sleep(0)
      yield* TestTransport.latency(everywhere, 1000)
      expect((yield* Fiber.join(dialing))[1]).toBe(1500)

      const again = yield* Effect.fork(timing(TestTransport.dial(url, { node: client })))
      yield* Effect.sleep(1500)
      yield* TestTransport.blackHole(toward(server, client))
      yield* Effect.sleep(5000)
      yield* TestTransport.heal()
      expect((yield* Fiber.join(again))[1]).toBe(6500)
    })
  )

  simulated("lets no dial end that was answered into it", () =>
    Effect.gen(function* () {
      const listener = yield* listening()
      yield* TestTransport.latency(everywhere, 1000)
      const dialing = yield* Effect.fork(timing(Effect.flip(TestTransport.dial(url, { node: client }))))
      yield* Effect.sleep(1500)
      yield* TestTransport.blackHole(client)
      const [error, took] = yield* Fiber.join(dialing)
      expect([error._tag, took]).toEqual(["NNG_ETIMEDOUT", 127_000])
      yield* TestTransport.heal()
      expect(yield* (yield* listener.accept).closed).toMatchObject({ _tag: "NNG_ECONNSHUT" })
    })
  )

  simulated("makes a handshake that has begun wait for its deadline", () =>
    Effect.gen(function* () {
      const socket = yield* TestTransport.on(client)(Pair0.make())
      yield* listening()
      yield* TestTransport.blackHole(toward(server, client)).pipe(Effect.delay(0), Effect.fork)
      const [error, took] = yield* timing(Effect.flip(Socket.dial(socket, url)))
      expect([error._tag, took]).toEqual(["NNG_ETIMEDOUT", 10_000])
    })
  )
})

describe("latency", () => {
  simulated("of a dial is there and back, whether it succeeds or not", () =>
    Effect.gen(function* () {
      const listener = yield* listening()
      yield* connect(listener)
      yield* TestTransport.latency(toward(client, server), 30)
      yield* TestTransport.latency(toward(server, client), 4)
      expect((yield* timing(TestTransport.dial(url, { node: client })))[1]).toBe(34)
      yield* TestTransport.refuse(client)
      expect((yield* timing(Effect.flip(TestTransport.dial(url, { node: client }))))[1]).toBe(34)
    })
  )

  simulated("of jitter keeps its bounds and the order", () =>
    Effect.gen(function* () {
      const { left, right } = yield* married()
      yield* TestTransport.latency(everywhere, "100 millis", { jitter: "50 millis" })
      const all = numbers(200)
      const sending = yield* Effect.fork(Effect.forEach(all, (i) => Effect.delay(Socket.send(right, i), 7)))
      expect(yield* Effect.forEach(all, () => recvText(left))).toEqual(all)
      yield* Fiber.join(sending)
      const sent = (yield* eventsOf("Sent")).filter(({ from }) => from === client).slice(1)
      const arrived = (yield* eventsOf("Arrived")).filter(({ from }) => from === client).slice(1)
      const took = sent.map(({ at }, i) => arrived[i]!.at - at)
      expect(took.length).toBe(200)
      expect(Math.min(...took)).toBeGreaterThanOrEqual(100)
      expect(Math.min(...took)).toBeLessThan(110)
      expect(Math.max(...took)).toBeLessThan(150)
      expect(Math.max(...took)).toBeGreaterThan(140)
      expect(new Set(took).size).toBeGreaterThan(20)
    })
  )

  it.effect("of jitter is the seed's", () =>
    Effect.gen(function* () {
      const times = (seed: number) =>
        onNetwork(
          Effect.gen(function* () {
            const ends = yield* connect(yield* listening())
            yield* TestTransport.latency(everywhere, 1, { jitter: 1000 })
            for (let i = 0; i < 20; i++) yield* exchange(ends)
            return (yield* eventsOf("Arrived")).map(({ at }) => at)
          }),
          { seed }
        )
      expect(yield* times(3)).toEqual(yield* times(3))
      expect(yield* times(3)).not.toEqual(yield* times(4))
    })
  )

  simulated("comes to its end at times whose sums are not exact", () =>
    Effect.gen(function* () {
      const { accepted, dialing } = yield* connect(yield* listening())
      yield* TestTransport.latency(everywhere, 0.3)
      yield* TestTransport.bandwidth(everywhere, 64_000)
      yield* Effect.sleep(Duration.nanos(1915n))
      const [now, at] = [0.001915, 0.001915 + 50 / 64 + 0.3]
      expect([yield* Clock.currentTimeMillis, now + (at - now) < at]).toEqual([now, true])
      yield* dialing.write(new Uint8Array(50))
      yield* accepted.read(50)
    })
  )

  simulated("of none is none, at whatever time", () =>
    Effect.gen(function* () {
      const { accepted, dialing } = yield* connect(yield* listening())
      yield* Effect.sleep(Duration.nanos(1915n))
      yield* dialing.write("x")
      expect((yield* timing(accepted.read(1)))[1]).toBe(0)
      yield* TestTransport.latency(everywhere, 100)
      yield* dialing.write("x")
      expect((yield* timing(accepted.read(1)))[1]).toBeCloseTo(100, 10)
    })
  )

  it.effect.prop(
    "of any kind loses nothing, at whatever times it is sent",
    {
      waits: FC.array(FC.double({ min: 0, max: 100, noNaN: true }), { maxLength: 10 }),
      seed: FC.integer({ min: 0, max: 1e6 })
    },
    ({ seed, waits }) =>
      onNetwork(
        Effect.gen(function* () {
          const ends = yield* connect(yield* listening())
          yield* TestTransport.latency(everywhere, 0.3, { jitter: 10 })
          yield* TestTransport.bandwidth(everywhere, 777)
          for (const wait of waits) {
            yield* Effect.sleep(wait)
            yield* ends.dialing.write("x")
            if (wait > 50) yield* ends.accepted.read(1)
          }
          yield* Effect.sleep("1 second")
          const left = waits.filter((wait) => wait <= 50).length
          yield* ends.accepted.read(left)
          expect((yield* ends.accepted.received).length).toBe(waits.length)
        }),
        { seed }
      )
  )

  it.scoped("of jitter is had by TestClock, too", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust(1234.5678)
      const ends = yield* connect(yield* listening())
      yield* TestTransport.latency(everywhere, 10, { jitter: 10 })
      for (let i = 0; i < 20; i++) {
        const reading = yield* Effect.fork(ends.accepted.read(1))
        yield* ends.dialing.write("x")
        yield* TestClock.adjust(9)
        expect(reading.unsafePoll()).toBeNull()
        yield* TestClock.adjust(11)
        expect(text(yield* Fiber.join(reading))).toBe("x")
      }
    }).pipe(Effect.provide(TestTransport.layer()))
  )
})

describe("bandwidth", () => {
  simulated("makes each byte take its time", () =>
    Effect.gen(function* () {
      const { accepted, dialing } = yield* connect(yield* listening())
      yield* TestTransport.bandwidth(toward(client, server), 1000)
      for (const [size, millis] of [
        [1, 1],
        [10, 10],
        [1000, 1000],
        [70_000, 70_000]
      ] as const) {
        const reading = yield* Effect.fork(timing(accepted.read(size)))
        yield* Effect.yieldNow()
        yield* dialing.write(new Uint8Array(size))
        expect((yield* Fiber.join(reading))[1]).toBe(millis)
      }
      // in pieces of at most 64 KiB
      expect((yield* seen(accepted)).text).toBe("")
      const arrived = (yield* eventsOf("Arrived")).slice(-2)
      expect(arrived.map(({ size }) => size)).toEqual([65_536, 70_000 - 65_536])
      expect(arrived[1]!.at - arrived[0]!.at).toBe(70_000 - 65_536)
    })
  )

  simulated("is one way for itself, and comes before the latency", () =>
    Effect.gen(function* () {
      const ends = yield* connect(yield* listening())
      yield* TestTransport.bandwidth(everywhere, 100)
      yield* TestTransport.latency(everywhere, 7)
      const { back, out } = yield* exchange(ends)
      expect([out.millis, back.millis]).toEqual([107, 107])
    })
  )

  simulated("that changes is for what has not gone out yet, too", () =>
    Effect.gen(function* () {
      const { accepted, dialing } = yield* connect(yield* listening())
      yield* TestTransport.bandwidth(everywhere, 1000)
      yield* TestTransport.latency(everywhere, 7)
      for (let i = 0; i < 4; i++) yield* dialing.write(new Uint8Array(100))
      yield* Effect.fork(Effect.forever(accepted.read(1)))
      // one has gone out, and begins its way
      yield* Effect.sleep(101)
      yield* TestTransport.bandwidth(everywhere, 100)
      yield* Effect.sleep(1500)
      yield* TestTransport.heal()
      yield* Effect.sleep(1)
      expect((yield* eventsOf("Arrived")).map(({ at }) => at)).toEqual([107, 1108, 1601, 1601])
    })
  )

  simulated("lets pieces follow each other, and an idle way forgets", () =>
    Effect.gen(function* () {
      const { accepted, dialing } = yield* connect(yield* listening())
      yield* TestTransport.bandwidth(everywhere, 1000)
      const start = yield* Clock.currentTimeMillis
      for (let i = 0; i < 3; i++) yield* dialing.write(new Uint8Array(100))
      yield* Effect.fork(Effect.forever(accepted.read(1)))
      yield* Effect.sleep("1 second")
      yield* dialing.write(new Uint8Array(50))
      yield* Effect.sleep("1 second")
      expect((yield* eventsOf("Arrived")).map(({ at }) => at - start)).toEqual([100, 200, 300, 1050])
    })
  )
})

describe("limitBuffer", () => {
  simulated("makes the writer wait until the reader has read", () =>
    Effect.gen(function* () {
      const { accepted, dialing } = yield* connect(yield* listening())
      yield* TestTransport.limitBuffer(everywhere, 10)
      yield* dialing.write("0123456789")
      // accepted, and does not fit
      yield* dialing.write("abc")
      const third = yield* begin(dialing.write("xyz"))
      yield* Effect.sleep("1 hour")
      expect(yield* ended(third)).toBe(false)
      expect(text(yield* accepted.read(10))).toBe("0123456789")
      yield* Fiber.join(third)
      expect(text(yield* accepted.read(6))).toBe("abcxyz")
    })
  )

  for (const size of [0, 1]) {
    simulated(`of ${size} lets bytes through, one by one`, () =>
      Effect.gen(function* () {
        const { left, right } = yield* married()
        yield* TestTransport.limitBuffer(everywhere, size)
        const sending = yield* Effect.fork(Effect.forEach(["hello", "", "world"], (each) => Socket.send(right, each)))
        expect([yield* recvText(left), yield* recvText(left), yield* recvText(left)]).toEqual(["hello", "", "world"])
        yield* Fiber.join(sending)
        const arrived = (yield* eventsOf("Arrived")).filter(({ from }) => from === client)
        expect(arrived.slice(1).every(({ size }) => size === 1)).toBe(true)
      })
    )
  }

  simulated("that is made larger lets go on who waits", () =>
    Effect.gen(function* () {
      const { accepted, dialing } = yield* connect(yield* listening())
      yield* TestTransport.limitBuffer(everywhere, 3)
      yield* dialing.write("0123456789")
      const second = yield* begin(dialing.write("!"))
      expect(yield* ended(second)).toBe(false)
      yield* TestTransport.limitBuffer(everywhere, 100)
      yield* Fiber.join(second)
      expect(text(yield* accepted.read(11))).toBe("0123456789!")
    })
  )

  simulated("makes a socket's send wait, as a peer does that does not receive", () =>
    Effect.gen(function* () {
      const { left, right } = yield* married()
      const sending = yield* Effect.fork(Effect.forEach(numbers(2000), () => Socket.send(right, new Uint8Array(1000))))
      yield* Effect.sleep("1 minute")
      expect(sending.unsafePoll()).toBeNull()
      const before = (yield* right.statistics).sent
      expect(before).toBeGreaterThan(256)
      expect(before).toBeLessThan(1500)
      for (let i = 0; i < 2000; i++) yield* Socket.recv(left)
      yield* Fiber.join(sending)
    })
  )
})

describe("split", () => {
  for (const size of [1, 2, 7, "random"] as const) {
    simulated(`${size} brings the same messages`, () =>
      Effect.gen(function* () {
        yield* TestTransport.split(everywhere, size)
        const { left, right } = yield* married()
        const all = ["", "x", "hello", "y".repeat(300), "", "z".repeat(5000)]
        const sending = yield* Effect.fork(Effect.forEach(all, (each) => Socket.send(right, each)))
        const echo = yield* Effect.fork(
          Effect.forEach(all, () => Effect.flatMap(Socket.recv(left), (message) => Socket.send(left, message)))
        )
        expect(yield* Effect.forEach(all, () => recvText(right))).toEqual(all)
        yield* Effect.all([Fiber.join(sending), Fiber.join(echo)])
      })
    )
  }

  simulated("at random is any number, the seed's", () =>
    Effect.gen(function* () {
      const { accepted, dialing } = yield* connect(yield* listening())
      yield* TestTransport.split(everywhere, "random")
      yield* dialing.write("x".repeat(1000))
      const { chunks } = yield* seen(accepted)
      expect(chunks.reduce((sum, size) => sum + size, 0)).toBe(1000)
      expect(new Set(chunks).size).toBeGreaterThan(3)
    })
  )
})

/** A header and two messages, and what has come when the bytes end after so many. */
const first = "hello"
const wire = [...header, 0, 0, 0, 0, 0, 0, 0, 5, ...Buffer.from(first), 0, 0, 0, 0, 0, 0, 0, 3, ...Buffer.from("you")]

describe("truncate", () => {
  for (let after = 0; after <= wire.length; after++) {
    simulated(`after ${after} bytes`, () =>
      Effect.gen(function* () {
        const left = yield* TestTransport.on(server)(Pair0.make({ recvBuffer: 10 }))
        const right = yield* TestTransport.on(client)(Pair0.make({ sendBuffer: 10, reconnectMin: "1 hour" }))
        const pipes = yield* record(Socket.events(left))
        const listener = yield* Socket.listen(left, url)
        const listens = yield* record(Listener.events(listener))
        yield* Socket.send(right, first)
        yield* Socket.send(right, "you")
        yield* TestTransport.truncate(toward(client, server), after)
        yield* Socket.dial(right, url, { nonblocking: true })
        yield* Effect.sleep(1)
        const handshaken = after >= header.length
        expect(listens.tags().includes("HandshakeFailed")).toBe(!handshaken)
        if (!handshaken) {
          const failed = listens.all.find((event) => event._tag === "HandshakeFailed")
          expect(failed).toMatchObject({ error: { _tag: "NNG_ECONNSHUT" } })
        }
        expect(removal(pipes.all)).toBe(handshaken ? "NNG_ECONNSHUT" : undefined)
        const whole = [after >= 8 + 13 ? [first] : [], after >= wire.length ? ["you"] : []].flat()
        expect(yield* drain(left)).toEqual(whole)
        expect(
          (yield* eventsOf("Sent")).filter(({ from }) => from === client).reduce((n, { size }) => n + size, 0)
        ).toBe(after)
      })
    )
  }

  simulated("tells a writer that waits for room nothing, and its bytes go nowhere", () =>
    Effect.gen(function* () {
      const { accepted, dialing } = yield* connect(yield* listening())
      yield* TestTransport.limitBuffer(everywhere, 4)
      yield* dialing.write("0123456789")
      const second = yield* begin(dialing.write("more"))
      expect(yield* ended(second)).toBe(false)
      yield* TestTransport.truncate(toward(client, server), 0)
      yield* Fiber.join(second)
      yield* dialing.write("and more")
      expect(yield* seen(accepted)).toMatchObject({ text: "0123", end: "NNG_ECONNSHUT" })
      // the other direction stays open
      expect(yield* Effect.timeoutOption(dialing.closed, 10)).toMatchObject({ _tag: "None" })
    })
  )

  simulated("counts from now, and from the beginning of those to come", () =>
    Effect.gen(function* () {
      const listener = yield* listening()
      const ends = yield* connect(listener)
      yield* exchange(ends)
      yield* TestTransport.truncate(everywhere, 3)
      const cut = { out: { text: "012", end: "NNG_ECONNSHUT" }, back: { text: "abc", end: "NNG_ECONNSHUT" } }
      expect(yield* exchange(ends)).toMatchObject(cut)
      expect(yield* exchange(yield* connect(listener))).toMatchObject(cut)
    })
  )
})

describe("corrupt", () => {
  for (let at = 0; at < header.length; at++) {
    simulated(`byte ${at} of the header is NNG_EPROTO`, () =>
      Effect.gen(function* () {
        const left = yield* TestTransport.on(server)(Pair0.make())
        const listener = yield* Socket.listen(left, url)
        const listens = yield* record(Listener.events(listener))
        const pipes = yield* record(Socket.events(left))
        const right = yield* TestTransport.on(client)(Pair0.make())
        yield* TestTransport.corrupt(everywhere, at)
        const error = yield* Effect.flip(Socket.dial(right, url))
        expect(error._tag).toBe("NNG_EPROTO")
        yield* Effect.sleep(1)
        // those two that say which protocol it is make a peer of another kind
        if (at === 4 || at === 5) {
          expect(removal(pipes.all)).toBe("NNG_EPROTO")
          expect((yield* left.statistics).reject).toBe(1)
        } else {
          expect(listens.all.find((event) => event._tag === "HandshakeFailed")).toMatchObject({
            error: { _tag: "NNG_EPROTO" }
          })
        }
        expect((yield* left.statistics).pipes).toBe(0)
      })
    )
  }

  for (let at = 0; at < 8; at++) {
    simulated(`byte ${at} of the length is NNG_EMSGSIZE with a limit`, () =>
      Effect.gen(function* () {
        const { left, pipes, right } = yield* married({ left: { recvMaxSize: 100 } })
        yield* TestTransport.corrupt(toward(client, server), at)
        yield* Socket.send(right, "hello")
        yield* Effect.sleep(1)
        expect(removal(pipes.all)).toBe("NNG_EMSGSIZE")
        expect(yield* drain(left)).toEqual([])
      })
    )
  }

  it.effect.prop(
    "a byte of the body changes it and only it",
    { at: FC.integer({ min: 0, max: 99 }), xor: FC.integer({ min: 1, max: 255 }) },
    ({ at, xor }) =>
      onNetwork(
        Effect.gen(function* () {
          const { left, right } = yield* married()
          const body = Uint8Array.from({ length: 100 }, (_, i) => i)
          yield* TestTransport.corrupt(toward(client, server), 8 + at, { xor })
          yield* Socket.send(right, Message.fromBytes(body))
          const changed = Uint8Array.from(body, (byte, i) => (i === at ? byte ^ xor : byte))
          expect(Array.from((yield* Socket.recv(left)).body)).toEqual(Array.from(changed))
          // what was sent was not touched, nor is what comes next
          expect(body[at]).toBe(at)
          yield* Socket.send(right, Message.fromBytes(body))
          expect(Array.from((yield* Socket.recv(left)).body)).toEqual(Array.from(body))
        })
      )
  )

  simulated("several bytes, across pieces", () =>
    Effect.gen(function* () {
      const { accepted, dialing } = yield* connect(yield* listening())
      for (const after of [0, 4, 4, 9]) yield* TestTransport.corrupt(everywhere, after, { xor: 1 })
      for (const piece of ["01", "2345", "6789", "0123"]) yield* dialing.write(piece)
      expect((yield* seen(accepted)).text).toBe("11234567880123")
    })
  )

  simulated("the marker of ipc is NNG_EPROTO", () =>
    Effect.gen(function* () {
      const left = yield* Pair0.make()
      const pipes = yield* record(Socket.events(left))
      yield* Socket.listen(left, "ipc:///tmp/x")
      const right = yield* Pair0.make()
      yield* Socket.dial(right, "ipc:///tmp/x")
      yield* Socket.awaitPeers(left, 1)
      yield* TestTransport.corrupt(toward("local", "ipc:///tmp/x"), 0)
      yield* Socket.send(right, "hello")
      yield* Effect.sleep(1)
      expect(removal(pipes.all)).toBe("NNG_EPROTO")
    })
  )
})

describe("closeHalf", () => {
  for (const [name, where] of [
    ["toward the server", toward(client, server)],
    ["toward the client", toward(server, client)]
  ] as const) {
    simulated(`${name} ends one direction and leaves the other`, () =>
      Effect.gen(function* () {
        const { accepted, dialing } = yield* connect(yield* listening())
        const [writer, reader] = name === "toward the server" ? [dialing, accepted] : [accepted, dialing]
        yield* writer.write("before")
        yield* TestTransport.closeHalf(where)
        yield* writer.write("into nothing")
        yield* reader.write("still open")
        expect(yield* seen(reader)).toMatchObject({ text: "before", end: "NNG_ECONNSHUT" })
        expect(yield* seen(writer)).toMatchObject({ text: "still open", end: undefined })
      })
    )
  }

  simulated("lets go on a writer that waits for room", () =>
    Effect.gen(function* () {
      const { dialing } = yield* connect(yield* listening())
      yield* TestTransport.limitBuffer(everywhere, 1)
      yield* dialing.write("0123")
      const second = yield* begin(dialing.write("more"))
      expect(yield* ended(second)).toBe(false)
      yield* TestTransport.closeHalf(everywhere)
      yield* Fiber.join(second)
    })
  )

  simulated("makes a socket's pipe end in good order", () =>
    Effect.gen(function* () {
      const { pipes } = yield* married()
      yield* TestTransport.closeHalf(toward(client, server))
      yield* Effect.sleep(1)
      expect(removal(pipes.all)).toBe("NNG_ECONNSHUT")
    })
  )
})

describe("the end of a connection", () => {
  simulated("comes after what was sent before it", () =>
    Effect.gen(function* () {
      const socket = yield* TestTransport.on(server)(Pair0.make({ recvBuffer: 5 }))
      yield* Socket.listen(socket, url)
      yield* Effect.scoped(
        Effect.gen(function* () {
          const peer = yield* TestTransport.dial(url, { node: client })
          // all of it comes at once
          yield* peer.write(Uint8Array.from(wire))
          yield* peer.end
        })
      )
      expect(yield* recvText(socket)).toBe(first)
      expect(yield* recvText(socket)).toBe("you")
    })
  )

  simulated("comes after what was sent before it, when that is read byte by byte", () =>
    Effect.gen(function* () {
      yield* TestTransport.split(everywhere, 1)
      const { peer, pipes, socket } = yield* judged(Uint8Array.from(wire))
      yield* peer.end
      yield* Effect.sleep(1)
      expect(yield* drain(socket)).toEqual([first, "you"])
      expect(removal(pipes.all)).toBe("NNG_ECONNSHUT")
    })
  )

  simulated("that is there already when the handshake is done comes after what was sent before it", () =>
    Effect.gen(function* () {
      const socket = yield* TestTransport.on(server)(Pair0.make({ recvBuffer: 5 }))
      yield* Socket.listen(socket, url)
      yield* TestTransport.latency(everywhere, 10)
      // no more than the header is read by the handshake
      yield* TestTransport.split(everywhere, header.length)
      const peer = yield* TestTransport.dial(url, { node: client })
      yield* peer.write(Uint8Array.from(wire))
      yield* peer.end
      yield* Effect.sleep("1 second")
      expect(yield* drain(socket)).toEqual([first, "you"])
    })
  )

  simulated("in the middle of a frame is told as such", () =>
    Effect.gen(function* () {
      const { peer, pipes } = yield* judged(Uint8Array.from(wire.slice(0, 20)))
      yield* peer.end
      yield* Effect.sleep(1)
      const removed = pipes.all.find((event) => event._tag === "RemPost")
      expect(removed).toMatchObject({
        reason: { _tag: "NNG_ECONNSHUT", reason: "the peer closed in the middle of a message" }
      })
    })
  )

  simulated("by a reset overtakes what is not read yet, and an end that nobody has heard of", () =>
    Effect.gen(function* () {
      const { accepted, dialing } = yield* connect(yield* listening())
      yield* dialing.write("unread")
      yield* TestTransport.closeHalf(toward(client, server))
      yield* settle
      yield* TestTransport.reset(everywhere)
      expect(yield* accepted.closed).toMatchObject({ _tag: "NNG_ECONNRESET" })
      expect(yield* dialing.closed).toMatchObject({ _tag: "NNG_ECONNRESET" })
    })
  )

  simulated("in good order is that, also for who wrote meanwhile", () =>
    Effect.gen(function* () {
      const { accepted, dialing } = yield* connect(yield* listening())
      yield* TestTransport.latency(everywhere, 10)
      yield* accepted.write("goodbye")
      yield* accepted.end
      yield* dialing.write("anybody?")
      expect(yield* seen(dialing)).toMatchObject({ text: "goodbye", end: "NNG_ECONNSHUT" })
    })
  )

  simulated("comes to a writer that waits for room", () =>
    Effect.gen(function* () {
      const { accepted, dialing } = yield* connect(yield* listening())
      yield* TestTransport.limitBuffer(everywhere, 4)
      yield* dialing.write("0123456789")
      const second = yield* begin(Effect.flip(dialing.write("more")))
      expect(yield* ended(second)).toBe(false)
      yield* accepted.reset
      expect(yield* Fiber.join(second)).toMatchObject({ _tag: "NNG_ECONNRESET" })
    })
  )

  simulated("in good order comes, as a reset, to a writer that waits for room", () =>
    Effect.gen(function* () {
      const { accepted, dialing } = yield* connect(yield* listening())
      yield* TestTransport.limitBuffer(everywhere, 4)
      yield* dialing.write("0123456789")
      const second = yield* begin(Effect.flip(dialing.write("more")))
      yield* accepted.end
      expect(yield* Fiber.join(second)).toMatchObject({ _tag: "NNG_ECONNRESET" })
    })
  )

  simulated("lets what had no room go, and what was on its way come", () =>
    Effect.gen(function* () {
      const { accepted, dialing } = yield* connect(yield* listening())
      yield* TestTransport.latency(everywhere, 50)
      yield* TestTransport.limitBuffer(everywhere, 4)
      yield* dialing.write("0123456789")
      yield* dialing.end
      expect(yield* seen(accepted)).toEqual({ text: "0123", chunks: [4], millis: 50, end: "NNG_ECONNSHUT" })
    })
  )
})

describe("garbage", () => {
  it.effect.prop(
    "never is more than a typed error",
    { bytes: FC.uint8Array({ maxLength: 40 }), glue: FC.boolean() },
    ({ bytes, glue }) =>
      onNetwork(
        Effect.gen(function* () {
          const { listens, peer, socket } = yield* judged(glue ? Buffer.concat([header, bytes]) : bytes, {
            recvMaxSize: 1000
          })
          yield* peer.end
          yield* Effect.sleep("11 seconds")
          expect((yield* socket.statistics).pipes).toBe(0)
          for (const event of listens.all)
            if (event._tag === "HandshakeFailed") expect(event.error._tag).toMatch(/^NNG_E/)
          // and the next is served
          const next = yield* TestTransport.dial(url, { node: client })
          expect(yield* next.greet(Protocol.pair0)).toBe(Protocol.pair0.number)
        })
      )
  )
})
