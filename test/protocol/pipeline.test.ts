import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Dialer from "effect-nng/Dialer"
import * as Message from "effect-nng/Message"
import * as Protocol from "effect-nng/Protocol"
import * as Pull0 from "effect-nng/Pull0"
import * as Push0 from "effect-nng/Push0"
import * as Socket from "effect-nng/Socket"
import * as TestTransport from "effect-nng/TestTransport"
import {
  begin,
  collect,
  drain,
  ended,
  failing,
  inproc,
  marry,
  recvText,
  settle,
  tagged,
  until,
  yields
} from "../support/sockets.js"

const url = "inproc://pipeline"

const texts = (n: number, prefix = ""): Array<string> => Array.from({ length: n }, (_, i) => `${prefix}${i}`)

/** One after the other, each as far as it goes; those that would have had to wait are left out. */
const sendNow = (socket: Socket.CanSend, ...texts: ReadonlyArray<string>): Effect.Effect<Array<string>> =>
  Effect.gen(function* () {
    const sent: Array<string> = []
    for (const text of texts) {
      yield* Effect.matchEffect(Socket.send(socket, text, { nonblocking: true }), {
        onFailure: () => Effect.void,
        onSuccess: () => Effect.sync(() => sent.push(text))
      })
      yield* settle
    }
    return sent
  })

/** One more puller of a pusher that listens. */
const joined = (pusher: Push0.Push0, to = url) =>
  Effect.gen(function* () {
    const puller = yield* Pull0.make({ reconnectMin: "1 hour" })
    const before = (yield* pusher.statistics).pipes
    yield* Socket.dial(puller, to)
    yield* Socket.awaitPeers(pusher, before + 1)
    yield* settle
    return puller
  })

const listening = (options?: Push0.MakeOptions) =>
  Effect.tap(Push0.make(options), (pusher) => Socket.listen(pusher, url))

describe("a puller whose pipe was closed here", () => {
  it.scoped("gets nothing more, when another takes it", () =>
    Effect.gen(function* () {
      const push = yield* Push0.make()
      const pulls = [yield* Pull0.make(), yield* Pull0.make()]
      for (const [n, pull] of pulls.entries()) {
        yield* Socket.listen(pull, `inproc://puller-${n}`)
        yield* Socket.dial(push, `inproc://puller-${n}`, { reconnectMin: "1 hour" })
      }
      const [first] = yield* Socket.pipes(push).get
      yield* first!.close
      yield* Socket.send(push, "kept")
      expect(Message.text(yield* Socket.recv(pulls[1]!))).toBe("kept")
      expect((yield* push.statistics).dropped.disconnected).toBe(0)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("has nothing to do with a sendAll of nothing, which does not wait", () =>
    Effect.gen(function* () {
      const push = yield* Push0.make()
      yield* Effect.forkScoped(Socket.send(push, "waits"))
      yield* Effect.yieldNow()
      yield* Socket.sendAll(push, [], { nonblocking: true })
    }).pipe(Effect.provide(inproc))
  )
})

describe("push0 over inproc", () => {
  it.scoped("[PUSH-01] is writable with a puller that has room, and not after two that it does not read", () =>
    Effect.gen(function* () {
      const pusher = yield* listening()
      expect(yield* Socket.isWritable(pusher)).toBe(false)
      const puller = yield* joined(pusher)
      expect(yield* Socket.isWritable(pusher)).toBe(true)
      expect(yield* sendNow(pusher, "1")).toEqual(["1"])
      expect(yield* Socket.isWritable(pusher)).toBe(true)
      expect(yield* sendNow(pusher, "2")).toEqual(["2"])
      expect(yield* Socket.isWritable(pusher)).toBe(false)
      yield* recvText(puller)
      yield* settle
      expect(yield* Socket.isWritable(pusher)).toBe(true)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[PUSH-02] its send buffer is filled without a puller, and again with one, and all arrives in order", () =>
    Effect.gen(function* () {
      const pusher = yield* listening({ sendBuffer: 2 })
      expect(yield* sendNow(pusher, "abc")).toEqual(["abc"])
      expect(yield* Socket.isWritable(pusher)).toBe(true)
      expect(yield* sendNow(pusher, "def")).toEqual(["def"])
      expect(yield* Socket.isWritable(pusher)).toBe(false)
      const puller = yield* joined(pusher)
      expect(yield* sendNow(pusher, "ghi", "jkl")).toEqual(["ghi", "jkl"])
      expect(yield* Socket.isWritable(pusher)).toBe(false)
      expect(yield* drain(puller)).toEqual(["abc", "def", "ghi", "jkl"])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[PUSH-03] a send buffer made smaller keeps the oldest", () =>
    Effect.gen(function* () {
      const pusher = yield* listening({ sendBuffer: 3 })
      yield* sendNow(pusher, "abc", "def")
      yield* Socket.configure(pusher, { sendBuffer: 1 })
      expect(yield* Socket.isWritable(pusher)).toBe(false)
      expect((yield* pusher.statistics).dropped.resized).toBe(1)
      expect(yield* drain(yield* joined(pusher))).toEqual(["abc"])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[PUSH-04] without a puller a send times out", () =>
    Effect.gen(function* () {
      const pusher = yield* Push0.make({ sendTimeout: 10 })
      yield* failing(Socket.send(pusher, "x", { timeout: 0 }), "NNG_ETIMEDOUT")
      yield* failing(Socket.send(pusher, "x", { nonblocking: true }), "NNG_EAGAIN")
      const sending = yield* begin(Socket.send(pusher, "x"))
      yield* TestClock.adjust(9)
      expect(yield* ended(sending)).toBe(false)
      yield* TestClock.adjust(1)
      yield* failing(Fiber.join(sending), "NNG_ETIMEDOUT")
    }).pipe(Effect.provide(inproc))
  )

  for (const sendBuffer of [0, 2]) {
    it.scoped(`[PUSH-05] with a buffer of ${sendBuffer} a send that waits is done when a puller comes`, () =>
      Effect.gen(function* () {
        const pusher = yield* listening({ sendBuffer })
        const before = texts(sendBuffer, "queued ")
        yield* sendNow(pusher, ...before)
        const sending = yield* begin(Socket.send(pusher, "waits"))
        expect(yield* ended(sending)).toBe(false)
        const puller = yield* joined(pusher)
        yield* Fiber.join(sending)
        expect(yield* drain(puller)).toEqual([...before, "waits"])
      }).pipe(Effect.provide(inproc))
    )
  }

  for (const sendBuffer of [0, 4]) {
    it.scoped(
      `[PUSH-06] with a buffer of ${sendBuffer}, three pullers get one of three, in the order of their coming`,
      () =>
        Effect.gen(function* () {
          const pusher = yield* listening({ sendBuffer })
          const pullers = [yield* joined(pusher), yield* joined(pusher), yield* joined(pusher)]
          yield* Socket.sendAll(pusher, ["one", "two", "three"])
          expect(yield* Effect.forEach(pullers, drain)).toEqual([["one"], ["two"], ["three"]])
        }).pipe(Effect.provide(inproc))
    )
  }

  it.scoped("[PUSH-07] a puller that does not read gets two, and the other one all the rest", () =>
    Effect.gen(function* () {
      const pusher = yield* listening()
      const [slow, quick] = [yield* joined(pusher), yield* joined(pusher)]
      const sending = yield* begin(Socket.sendAll(pusher, texts(100)))
      const got = yield* drain(quick)
      yield* Fiber.join(sending)
      const held = yield* drain(slow)
      expect(held).toHaveLength(2)
      expect(got).toEqual(texts(100).filter((text) => !held.includes(text)))
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[PUSH-08] its send buffer is 0 by default, and 0 to 8192", () =>
    Effect.gen(function* () {
      const pusher = yield* Push0.make()
      expect(yield* Socket.settings(pusher)).toMatchObject({ sendBuffer: 0 })
      yield* Socket.configure(pusher, { sendBuffer: 100 })
      expect(yield* Socket.settings(pusher)).toMatchObject({ sendBuffer: 100 })
      for (const sendBuffer of [-1, 100_000, 1.5]) {
        yield* failing(Socket.configure(pusher, { sendBuffer }), "NNG_EINVAL")
        yield* failing(Push0.make({ sendBuffer }), "NNG_EINVAL")
      }
      expect(yield* Socket.settings(pusher)).toMatchObject({ sendBuffer: 100 })
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[PUSH-11] what was in a buffer that is taken away reaches nobody", () =>
    Effect.gen(function* () {
      const pusher = yield* listening({ sendBuffer: 1 })
      expect(yield* sendNow(pusher, "jkl")).toEqual(["jkl"])
      yield* Socket.configure(pusher, { sendBuffer: 0 })
      const puller = yield* joined(pusher)
      yield* Socket.send(pusher, "mno")
      expect(yield* drain(puller)).toEqual(["mno"])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("what a puller left between is for the others, also when another option is changed meanwhile", () =>
    Effect.gen(function* () {
      const pusher = yield* listening()
      const gone = yield* joined(pusher)
      yield* sendNow(pusher, "held", "between")
      yield* gone.close
      yield* settle
      yield* Socket.configure(pusher, { sendTimeout: "1 minute" })
      expect(yield* drain(yield* joined(pusher))).toEqual(["between"])
      expect((yield* pusher.statistics).dropped).toMatchObject({ disconnected: 0, resized: 0 })
      expect((yield* gone.statistics).dropped.disconnected).toBe(1)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("what is on its way when its puller closes goes to another, or was with it and is counted as lost", () =>
    Effect.gen(function* () {
      for (let steps = 0; steps < 20; steps++) {
        yield* Effect.scoped(
          Effect.gen(function* () {
            const pusher = yield* listening()
            const gone = yield* joined(pusher)
            const closing = yield* Effect.fork(Effect.zipRight(yields(steps % 5), gone.close))
            yield* yields(steps >> 2)
            yield* Effect.ignore(Socket.send(pusher, "on its way", { nonblocking: true }))
            yield* Fiber.join(closing)
            yield* settle
            const got = yield* drain(yield* joined(pusher))
            const { sent } = yield* pusher.statistics
            expect(got.length + (yield* gone.statistics).dropped.disconnected).toBe(sent)
          })
        )
      }
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("refuses peers of other protocols", () =>
    Effect.gen(function* () {
      const pusher = yield* listening()
      const other = yield* Push0.make({ reconnectMin: "1 hour" })
      const events = yield* collect(Socket.events(other))
      yield* Socket.dial(other, url, { nonblocking: true })
      const { reason } = yield* until(events, tagged("RemPost"))
      expect(reason._tag).toBe("NNG_EPROTO")
      yield* settle
      expect(yield* pusher.statistics).toMatchObject({ pipes: 0, reject: 1 })
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("raw ones do the same, and put the header that they are given in front of the body", () =>
    Effect.gen(function* () {
      const [pusher, puller] = [yield* Push0.makeRaw(), yield* Pull0.makeRaw()]
      yield* marry(pusher, puller)
      const message = Message.make("body")
      Message.Header.append(message, new Uint8Array([1, 2]))
      yield* Socket.send(pusher, message)
      const got = yield* Socket.recv(puller)
      expect([pusher.raw, puller.raw, Message.text(got), got.headerLength]).toEqual([true, true, "\x01\x02body", 0])
    }).pipe(Effect.provide(inproc))
  )
})

describe("pull0 over inproc", () => {
  const two = Effect.gen(function* () {
    const puller = yield* Pull0.make()
    yield* Socket.listen(puller, url)
    const pushers = [yield* Push0.make(), yield* Push0.make()] as const
    for (const pusher of pushers) {
      yield* Socket.dial(pusher, url)
      yield* Socket.awaitPeers(pusher, 1)
    }
    yield* Socket.awaitPeers(puller, 2)
    yield* settle
    return { puller, pushers }
  })

  it.scoped("[PULL-01] is readable while a message waits", () =>
    Effect.gen(function* () {
      const { puller, pushers } = yield* two
      expect(yield* Socket.isReadable(puller)).toBe(false)
      yield* sendNow(pushers[0], "x")
      expect(yield* Socket.isReadable(puller)).toBe(true)
      yield* recvText(puller)
      expect(yield* Socket.isReadable(puller)).toBe(false)
    }).pipe(Effect.provide(inproc))
  )

  for (const who of ["here", "there, and then here"] as const) {
    it.scoped(`[PULL-02] is not readable any more when the pipe of its message is closed ${who}`, () =>
      Effect.gen(function* () {
        const { puller, pushers } = yield* two
        yield* sendNow(pushers[0], "x")
        const { pipeId } = yield* Effect.map(Socket.pipes(puller).get, ([first]) => ({ pipeId: first!.id }))
        if (who !== "here") {
          yield* pushers[0].close
          yield* settle
          // what a pusher left is still there
          expect(yield* Socket.isReadable(puller)).toBe(true)
        }
        yield* Effect.flatMap(Socket.getPipe(puller, pipeId), (pipe) => pipe.close)
        yield* settle
        expect(yield* Socket.isReadable(puller)).toBe(false)
        expect((yield* puller.statistics).dropped.disconnected).toBe(1)
      }).pipe(Effect.provide(inproc))
    )
  }

  it.scoped("[PULL-03] takes from two pushers in turn", () =>
    Effect.gen(function* () {
      const { puller, pushers } = yield* two
      yield* begin(Socket.sendAll(pushers[0], texts(10, "a")))
      yield* begin(Socket.sendAll(pushers[1], texts(10, "b")))
      const got = yield* drain(puller)
      expect(got).toEqual(texts(10).flatMap((n) => [`a${n}`, `b${n}`]))
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[PULL-05] a receive that waits gets the message as it comes", () =>
    Effect.gen(function* () {
      const { puller, pushers } = yield* two
      const waiting = [yield* begin(recvText(puller)), yield* begin(recvText(puller))]
      yield* sendNow(pushers[1], "first")
      yield* sendNow(pushers[0], "second")
      expect(yield* Effect.forEach(waiting, Fiber.join)).toEqual(["first", "second"])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("a message has the number of the pipe that it came by", () =>
    Effect.gen(function* () {
      const { puller, pushers } = yield* two
      const [first, second] = yield* Socket.pipes(puller).get
      yield* sendNow(pushers[1], "second")
      yield* sendNow(pushers[0], "first")
      const ids = [(yield* Socket.recv(puller)).pipeId, (yield* Socket.recv(puller)).pipeId]
      expect(ids).toEqual([second!.id, first!.id])
    }).pipe(Effect.provide(inproc))
  )
})

const tcp = "tcp://pipeline.example:5555"

/** One step of a program on the simulated network, whose clock goes on by itself. */
const simulated = (seed = 1) => Effect.provide(TestTransport.layerSimulated({ seed, places: [tcp] }))

describe("push0 and pull0 over a network", () => {
  it.effect("[PUSH-09] what a puller sends is thrown away, and its pipe stays", () =>
    Effect.gen(function* () {
      const pusher = yield* Push0.make()
      yield* Socket.listen(pusher, tcp)
      const peer = yield* TestTransport.dial(tcp)
      expect(yield* peer.greet(Protocol.pull0)).toBe(Protocol.push0.number)
      for (let n = 1; n <= 3; n++) {
        yield* peer.send("a puller has nothing to say")
        yield* Effect.sleep("1 second")
        yield* Socket.send(pusher, String(n))
        expect(Message.text(yield* peer.recv)).toBe(String(n))
        expect(yield* pusher.statistics).toMatchObject({ pipes: 1, dropped: { unexpected: n } })
      }
    }).pipe(Effect.scoped, simulated())
  )

  it.effect(
    "[PUSH-10] what is in flight to a puller that dies is lost, and what had not begun to go goes to others",
    () =>
      Effect.gen(function* () {
        const pusher = yield* Push0.make({ sendBuffer: 3 })
        yield* Socket.listen(pusher, tcp)
        const peer = yield* TestTransport.dial(tcp)
        yield* peer.greet(Protocol.pull0)
        yield* Socket.awaitPeers(pusher, 1)
        // more than fits on the way, and than the connection takes beside it
        yield* Socket.send(pusher, new Uint8Array(1024 * 1024))
        yield* Effect.sleep("1 second")
        yield* Socket.sendAll(pusher, ["1", "2", "3"])
        expect(yield* Socket.isWritable(pusher)).toBe(false)
        yield* peer.reset
        const puller = yield* Pull0.make()
        yield* Socket.dial(puller, tcp)
        expect(yield* Effect.replicateEffect(recvText(puller), 3)).toEqual(["1", "2", "3"])
        expect((yield* pusher.statistics).dropped).toMatchObject({ disconnected: 1 })
      }).pipe(Effect.scoped, simulated())
  )

  it.effect("what a connection had taken and not begun to send goes to another, before what came later", () =>
    Effect.gen(function* () {
      const pusher = yield* Push0.make({ sendBuffer: 2 })
      yield* Socket.listen(pusher, tcp)
      const peer = yield* TestTransport.dial(tcp)
      yield* peer.greet(Protocol.pull0)
      yield* Socket.awaitPeers(pusher, 1)
      yield* TestTransport.limitBuffer(tcp, 1000)
      yield* Socket.send(pusher, new Uint8Array(2000))
      yield* Effect.sleep("1 second")
      // these wait behind it, up to 256 KiB
      yield* Socket.sendAll(pusher, texts(100, "behind "))
      yield* peer.reset
      yield* Effect.sleep("1 second")
      yield* failing(Socket.send(pusher, "no room", { nonblocking: true }), "NNG_EAGAIN")
      const puller = yield* Pull0.make()
      yield* Socket.dial(puller, tcp)
      yield* Socket.send(pusher, "later")
      expect(yield* Effect.replicateEffect(recvText(puller), 101)).toEqual([...texts(100, "behind "), "later"])
      expect((yield* pusher.statistics).dropped).toMatchObject({ disconnected: 1 })
    }).pipe(Effect.scoped, simulated())
  )

  it.effect("[PULL-04] a puller that is not read takes one read ahead of each pusher, and then those wait", () =>
    Effect.gen(function* () {
      const puller = yield* Pull0.make()
      yield* Socket.listen(puller, tcp)
      yield* TestTransport.limitBuffer(tcp, 10_000)
      const pushers = yield* Effect.replicateEffect(Push0.make({ sendTimeout: "10 seconds" }), 3)
      for (const pusher of pushers) yield* Socket.dial(pusher, tcp)
      const kilobyte = new Uint8Array(1016)
      yield* Effect.forEach(
        pushers,
        (pusher) => Effect.flip(Effect.forever(Effect.zipRight(Effect.sleep(1), Socket.send(pusher, kilobyte)))),
        { concurrency: "unbounded" }
      )
      // what is with the connection, on the way, and in one read
      for (const pusher of pushers) expect((yield* pusher.statistics).sent).toBeLessThan(256 + 10 + 10 + 3)
      expect(yield* puller.statistics).toMatchObject({ received: 0 })
    }).pipe(Effect.scoped, simulated())
  )

  it.effect("several pushers and several pullers, one of them slow: each message once, and the slow one has few", () =>
    Effect.gen(function* () {
      yield* TestTransport.limitBuffer(TestTransport.everywhere, 20_000)
      yield* TestTransport.latency(TestTransport.everywhere, "3 millis", { jitter: "2 millis" })
      const pushers = yield* Effect.replicateEffect(Push0.make(), 3)
      for (const [i, pusher] of pushers.entries()) yield* Socket.listen(pusher, `tcp://pusher${i}.example:1`)
      const got: Array<Array<string>> = []
      for (let who = 0; who < 4; who++) {
        const puller = yield* Pull0.make()
        const mine: Array<string> = []
        got.push(mine)
        for (let i = 0; i < pushers.length; i++) yield* Socket.dial(puller, `tcp://pusher${i}.example:1`)
        yield* Effect.forkScoped(
          Stream.runForEach(Pull0.stream(puller), (message) =>
            Effect.zipRight(
              Effect.sync(() => mine.push(Message.text(message).slice(0, 6))),
              who === 0 ? Effect.sleep("1 second") : Effect.void
            )
          )
        )
      }
      for (const pusher of pushers) yield* Socket.awaitPeers(pusher, 4)
      // 4 KB each, so that what lies about on the way to the slow one is not many messages
      const sent = pushers.map((_, i) => texts(1000, `${i}:`).map((text) => text.padEnd(6)))
      yield* Effect.forEach(
        pushers,
        (pusher, i) =>
          Effect.forEach(sent[i]!, (text) => Effect.zipRight(Effect.sleep(1), Socket.send(pusher, text.padEnd(4096)))),
        { concurrency: "unbounded", discard: true }
      )
      yield* Effect.sleep("1 hour")
      expect(got.flat().sort()).toEqual(sent.flat().sort())
      const [slow, ...others] = got.map((mine) => mine.length)
      for (const other of others) expect(other).toBeGreaterThan(slow! * 2)
      for (const mine of got) {
        for (const i of pushers.keys()) {
          const numbers = mine.filter((text) => text.startsWith(`${i}:`)).map((text) => Number(text.slice(2)))
          expect(numbers).toEqual(numbers.slice().sort((a, b) => a - b))
        }
      }
    }).pipe(Effect.scoped, simulated())
  )
})

describe("Push0.sink and Pull0.stream", () => {
  it.scoped("carry a stream over, in order, and the stream ends with its socket", () =>
    Effect.gen(function* () {
      const [pusher, puller] = [yield* Push0.make({ sendBuffer: 7 }), yield* Pull0.make()]
      yield* marry(pusher, puller)
      const got: Array<string> = []
      const reading = yield* Effect.fork(
        Stream.runForEach(Pull0.stream(puller), (message) => Effect.sync(() => got.push(Message.text(message))))
      )
      yield* Stream.run(Stream.fromIterable(texts(1000)).pipe(Stream.rechunk(100)), Push0.sink(pusher))
      yield* settle
      expect(got).toEqual(texts(1000))
      yield* puller.close
      yield* Fiber.join(reading)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("a sink fails when its socket closes, and a stream when nothing comes in time", () =>
    Effect.gen(function* () {
      const pusher = yield* Push0.make()
      const sinking = yield* begin(Stream.run(Stream.make("a", "b"), Push0.sink(pusher)))
      yield* pusher.close
      yield* failing(Fiber.join(sinking), "NNG_ECLOSED")
      const puller = yield* Pull0.make({ recvTimeout: 10 })
      const reading = yield* begin(Stream.runDrain(Pull0.stream(puller)))
      yield* TestClock.adjust(10)
      yield* failing(Fiber.join(reading), "NNG_ETIMEDOUT")
    }).pipe(Effect.provide(inproc))
  )

  /** A socket with 30 messages that came in one read. */
  const thirty = Effect.gen(function* () {
    const [pusher, puller] = [yield* Push0.make(), yield* Pull0.make()]
    yield* Socket.listen(puller, tcp)
    yield* Socket.dial(pusher, tcp)
    yield* Socket.sendAll(pusher, texts(30))
    yield* Effect.sleep("1 second")
    return { pusher, puller }
  })

  it.effect("a stream has chunks of what is there, of at most chunkSize", () =>
    Effect.gen(function* () {
      const { puller } = yield* thirty
      const chunks = yield* Pull0.stream(puller, { chunkSize: 12 }).pipe(
        Stream.chunks,
        Stream.map(Chunk.size),
        Stream.take(3),
        Stream.runCollect
      )
      expect(Chunk.toReadonlyArray(chunks)).toEqual([12, 12, 6])
    }).pipe(Effect.scoped, simulated())
  )

  for (const [chunkSize, next] of [
    [1, 5],
    [4, 8],
    [undefined, 30]
  ] as const) {
    it.effect(`one that ends after five messages discards the rest of its chunk; chunkSize ${chunkSize}`, () =>
      Effect.gen(function* () {
        const { puller, pusher } = yield* thirty
        const five = yield* Stream.runCollect(Stream.take(Pull0.stream(puller, { chunkSize }), 5))
        expect(Chunk.toReadonlyArray(Chunk.map(five, Message.text))).toEqual(texts(5))
        yield* Socket.send(pusher, "30")
        expect(yield* recvText(puller)).toBe(String(next))
      }).pipe(Effect.scoped, simulated())
    )
  }

  it.effect("one that is interrupted while it waits takes nothing", () =>
    Effect.gen(function* () {
      const { puller, pusher } = yield* thirty
      const reading = yield* Effect.fork(Stream.runDrain(Pull0.stream(puller)))
      yield* Effect.sleep("1 second")
      yield* Fiber.interrupt(reading)
      yield* Socket.send(pusher, "for the next")
      expect(yield* recvText(puller)).toBe("for the next")
    }).pipe(Effect.scoped, simulated())
  )

  it.effect("a dialer of a puller that was lost comes back, and goes on where it was", () =>
    Effect.gen(function* () {
      const pusher = yield* Push0.make()
      yield* Socket.listen(pusher, tcp)
      const puller = yield* Pull0.make()
      const dialer = yield* Dialer.make(puller, tcp, { reconnectMin: "1 second" })
      yield* Dialer.start(dialer)
      const all: Array<string> = []
      yield* Effect.forkScoped(
        Stream.runForEach(Pull0.stream(puller), (message) => Effect.sync(() => all.push(Message.text(message))))
      )
      for (const part of ["a", "b", "c"]) {
        yield* Socket.sendAll(pusher, texts(100, part))
        yield* Effect.sleep("10 seconds")
        yield* TestTransport.reset(tcp)
      }
      yield* Effect.sleep("10 seconds")
      expect(all).toEqual(["a", "b", "c"].flatMap((part) => texts(100, part)))
      expect(yield* dialer.statistics).toMatchObject({ connects: 4 })
    }).pipe(Effect.scoped, simulated())
  )
})
