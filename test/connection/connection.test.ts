import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FC from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as ByteTransport from "effect-nng/ByteTransport"
import * as Errors from "effect-nng/Errors"
import * as Message from "effect-nng/Message"
import * as Protocol from "effect-nng/Protocol"
import type { Connection } from "effect-nng/Transport"
import * as Url from "effect-nng/Url"
import { FakeBytes } from "../support/duplex.js"
import * as Transport from "effect-nng/Transport"
import { frame, header, hex, length, pair0 } from "../support/peers.js"

const limit = 100_000

const greet = (bytes: FakeBytes, marker?: number) =>
  ByteTransport.connection(bytes.stream, { protocol: Protocol.pair0, recvMaxSize: limit, marker })

/** A connection that has greeted; what it wrote until then is forgotten. */
const connected = Effect.gen(function* () {
  const bytes = new FakeBytes()
  bytes.arrive(pair0)
  const connection = yield* greet(bytes)
  bytes.writes.splice(0)
  return { bytes, connection }
})

const texts = (messages: Iterable<Message.Message>): Array<string> => Array.from(messages, Message.text)

const batch = (...bodies: ReadonlyArray<string>): Chunk.Chunk<Message.Message> =>
  Chunk.fromIterable(bodies.map((body) => Message.make(body)))

/** Long enough for all that happens without time and without I/O. */
const settle = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

const split = (bytes: Uint8Array, cuts: ReadonlyArray<number>): Array<Uint8Array> => {
  const at = [...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return at.map((to, i) => bytes.subarray(i === 0 ? 0 : at[i - 1]!, to)).filter(({ length }) => length > 0)
}

const ended = new Errors.ECONNSHUT({ operation: "stream" })
const reset = new Errors.ECONNRESET({ operation: "stream" })

describe("the handshake", () => {
  it.effect("says its own header first, and waits for nobody with it", () =>
    Effect.gen(function* () {
      const bytes = new FakeBytes()
      yield* Effect.fork(greet(bytes))
      yield* settle
      expect(bytes.output.toString("hex")).toBe("0053500000100000")
    })
  )

  it.effect.prop(
    "is done with the eighth byte, however the bytes are split, and what follows belongs to the messages",
    [FC.nat(0xffff), FC.array(FC.string({ maxLength: 5 }), { maxLength: 3 }), FC.array(FC.nat(60), { maxLength: 12 })],
    ([number, bodies, cuts]) =>
      Effect.gen(function* () {
        const bytes = new FakeBytes()
        const all = Buffer.concat([header(number), ...bodies.map(frame)])
        const greeting = yield* Effect.fork(greet(bytes))
        for (const chunk of split(all, cuts)) {
          yield* settle
          bytes.arrive(chunk)
        }
        const connection = yield* Fiber.join(greeting)
        expect(connection.peerProtocol).toBe(number)
        const got: Array<string> = []
        while (got.length < bodies.length) got.push(...texts(yield* Transport.pull(connection)))
        expect(got).toEqual(bodies)
      })
  )

  for (const [index, value] of [
    [0, 1],
    [1, 0],
    [2, 0x51],
    [3, 1],
    [6, 0xff],
    [7, 1]
  ] as const) {
    it.effect(`is refused for byte ${index}, and the error names it`, () =>
      Effect.gen(function* () {
        const bytes = new FakeBytes()
        bytes.arrive(header(0x10).with(index, value))
        expect(yield* Effect.flip(greet(bytes))).toMatchObject({
          _tag: "NNG_EPROTO",
          reason: expect.stringContaining(`byte ${index} of the SP header is 0x${hex(Uint8Array.of(value))}`)
        })
      })
    )
  }

  for (let n = 0; n < 8; n++) {
    it.effect(`fails when the peer closes after ${n} bytes`, () =>
      Effect.gen(function* () {
        const bytes = new FakeBytes()
        const greeting = yield* Effect.fork(Effect.flip(greet(bytes)))
        if (n > 0) bytes.arrive(pair0.subarray(0, n))
        yield* settle
        bytes.end(ended)
        expect(yield* Fiber.join(greeting)).toMatchObject({ _tag: "NNG_ECONNSHUT" })
      })
    )
  }

  it.effect("fails when the connection is cut", () =>
    Effect.gen(function* () {
      const bytes = new FakeBytes()
      const greeting = yield* Effect.fork(Effect.flip(greet(bytes)))
      yield* settle
      bytes.end(reset)
      expect(yield* Fiber.join(greeting)).toBe(reset)
    })
  )

  it.effect("[S5] waits ten seconds for a silent peer", () =>
    Effect.gen(function* () {
      const bytes = new FakeBytes()
      const greeting = yield* Effect.fork(Effect.flip(greet(bytes)))
      yield* TestClock.adjust("9999 millis")
      expect(yield* Fiber.poll(greeting)).toMatchObject({ _tag: "None" })
      yield* TestClock.adjust("1 millis")
      expect(yield* Fiber.join(greeting)).toMatchObject({ _tag: "NNG_ETIMEDOUT", operation: "handshake" })
    })
  )

  it.effect("[S5] waits ten seconds in all for one that drips a byte every six seconds; libnng waits for each", () =>
    Effect.gen(function* () {
      const bytes = new FakeBytes()
      const greeting = yield* Effect.fork(Effect.flip(greet(bytes)))
      yield* settle
      bytes.arrive(pair0.subarray(0, 1))
      yield* TestClock.adjust("6 seconds")
      bytes.arrive(pair0.subarray(1, 2))
      yield* TestClock.adjust("3999 millis")
      expect(yield* Fiber.poll(greeting)).toMatchObject({ _tag: "None" })
      yield* TestClock.adjust("1 millis")
      expect(yield* Fiber.join(greeting)).toMatchObject({ _tag: "NNG_ETIMEDOUT" })
    })
  )

  it.effect("that was in time leaves no time limit behind", () =>
    Effect.gen(function* () {
      const { bytes, connection } = yield* connected
      yield* TestClock.adjust("1 hour")
      bytes.arrive(frame("late"))
      expect(texts(yield* Transport.pull(connection))).toEqual(["late"])
    })
  )

  it.effect("that is interrupted leaves the stream open, for its scope to close", () =>
    Effect.gen(function* () {
      const bytes = new FakeBytes()
      const greeting = yield* Effect.fork(greet(bytes))
      yield* settle
      expect(yield* Fiber.interrupt(greeting)).toMatchObject({ _tag: "Failure" })
      expect(bytes.closed).toBe(false)
    })
  )
})

describe("receiving", () => {
  it.effect("reads nothing that nobody has asked for", () =>
    Effect.gen(function* () {
      const { bytes, connection } = yield* connected
      yield* settle
      expect(bytes.demanded).toBe(false)
      const pulling = yield* Effect.fork(Transport.pull(connection))
      yield* settle
      expect(bytes.demanded).toBe(true)
      bytes.arrive(frame("x"))
      yield* Fiber.join(pulling)
      yield* settle
      expect(bytes.demanded).toBe(false)
    })
  )

  it.effect("gives all the messages of one read as one chunk", () =>
    Effect.gen(function* () {
      const { bytes, connection } = yield* connected
      bytes.arrive(frame("a"), frame(""), frame("c"))
      bytes.arrive(frame("d"))
      expect(texts(yield* Transport.pull(connection))).toEqual(["a", "", "c"])
      expect(texts(yield* Transport.pull(connection))).toEqual(["d"])
      const streaming = yield* Effect.fork(
        Transport.receive(connection).pipe(Stream.chunks, Stream.map(texts), Stream.take(2), Stream.runCollect)
      )
      yield* settle
      bytes.arrive(frame("e"), frame("f"), frame("g").subarray(0, 3))
      yield* settle
      bytes.arrive(frame("g").subarray(3), frame("h"))
      expect(Chunk.toReadonlyArray(yield* Fiber.join(streaming))).toEqual([
        ["e", "f"],
        ["g", "h"]
      ])
    })
  )

  it.effect("asks for more by itself while a message is not whole", () =>
    Effect.gen(function* () {
      const { bytes, connection } = yield* connected
      const pulling = yield* Effect.fork(Transport.pull(connection))
      for (const byte of frame("hello")) {
        yield* settle
        expect(bytes.demanded).toBe(true)
        bytes.arrive(Uint8Array.of(byte))
      }
      expect(texts(yield* Fiber.join(pulling))).toEqual(["hello"])
    })
  )

  it.effect("that is interrupted takes nothing", () =>
    Effect.gen(function* () {
      const { bytes, connection } = yield* connected
      for (let steps = 0; steps < 8; steps++) {
        const pulling = yield* Effect.fork(Transport.pull(connection))
        yield* Effect.repeatN(Effect.yieldNow(), steps)
        const interrupting = yield* Effect.fork(Fiber.interrupt(pulling))
        bytes.arrive(frame(`message ${steps}`))
        const exit = yield* Fiber.join(interrupting)
        const got = exit._tag === "Success" ? exit.value : yield* Transport.pull(connection)
        expect(texts(got)).toEqual([`message ${steps}`])
      }
    })
  )

  it.effect("ends in good order between two messages, and the stream with it", () =>
    Effect.gen(function* () {
      const { bytes, connection } = yield* connected
      const streaming = yield* Effect.fork(Stream.runCollect(Transport.receive(connection)))
      bytes.arrive(frame("one"))
      yield* settle
      bytes.end(ended)
      expect(texts(yield* Fiber.join(streaming))).toEqual(["one"])
      expect(yield* Effect.flip(Transport.pull(connection))).toBe(ended)
    })
  )

  for (const cut of [1, 7, 8, 12]) {
    it.effect(`says so when the peer closes ${cut} bytes into a message`, () =>
      Effect.gen(function* () {
        const { bytes, connection } = yield* connected
        bytes.arrive(frame("good"), frame("hello").subarray(0, cut))
        expect(texts(yield* Transport.pull(connection))).toEqual(["good"])
        const pulling = yield* Effect.fork(Effect.flip(Transport.pull(connection)))
        yield* settle
        bytes.end(ended)
        expect(yield* Fiber.join(pulling)).toMatchObject({
          _tag: "NNG_ECONNSHUT",
          reason: "the peer closed in the middle of a message"
        })
      })
    )
  }

  it.effect("fails with what cut the connection in the middle of a message", () =>
    Effect.gen(function* () {
      const { bytes, connection } = yield* connected
      bytes.arrive(frame("hello").subarray(0, 9))
      const streaming = yield* Effect.fork(Effect.flip(Stream.runDrain(Transport.receive(connection))))
      yield* settle
      bytes.end(reset)
      expect(yield* Fiber.join(streaming)).toBe(reset)
    })
  )

  it.effect("gives the messages before a bad length, and then fails for good", () =>
    Effect.gen(function* () {
      const { bytes, connection } = yield* connected
      bytes.arrive(frame("good"), frame("too"), length(limit + 1), frame("never"))
      expect(texts(yield* Transport.pull(connection))).toEqual(["good", "too"])
      for (let i = 0; i < 2; i++) {
        expect(yield* Effect.flip(Transport.pull(connection))).toMatchObject({ _tag: "NNG_EMSGSIZE" })
        bytes.arrive(frame("never"))
      }
    })
  )

  it.effect("gives what came before the connection was cut", () =>
    Effect.gen(function* () {
      const { bytes, connection } = yield* connected
      bytes.arrive(frame("first"))
      bytes.arrive(frame("second"))
      expect(texts(yield* Transport.pull(connection))).toEqual(["first"])
      bytes.end(reset)
      expect(yield* Effect.flip(Transport.send(connection, batch("x")))).toBe(reset)
      expect(texts(yield* Transport.pull(connection))).toEqual(["second"])
      expect(yield* Effect.flip(Transport.pull(connection))).toBe(reset)
    })
  )

  it.effect("is told of an end that came before there was an owner", () =>
    Effect.gen(function* () {
      const { bytes, connection } = yield* connected
      bytes.end(reset)
      yield* settle
      expect(yield* Effect.flip(Transport.pull(connection))).toBe(reset)
    })
  )

  it.effect("wants the marker where the transport has one", () =>
    Effect.gen(function* () {
      const bytes = new FakeBytes()
      bytes.arrive(pair0, Uint8Array.of(1), frame("marked"), Uint8Array.of(2), frame("not"))
      const connection = yield* greet(bytes, 1)
      expect(texts(yield* Transport.pull(connection))).toEqual(["marked"])
      expect(yield* Effect.flip(Transport.pull(connection))).toMatchObject({ _tag: "NNG_EPROTO" })
      expect(yield* Effect.flip(Transport.send(connection, batch("x")))).toMatchObject({ _tag: "NNG_EPROTO" })
    })
  )
})

describe("sending", () => {
  const KiB = 1024
  const sized = (size: number, fill = 0) => Message.fromBytes(new Uint8Array(size).fill(fill))

  /** Drives the synchronous face; counts what its owner is told. */
  const driven = Effect.map(connected, ({ bytes, connection }) => {
    const told = { drained: 0, closed: [] as Array<Errors.NngError> }
    connection.messages.start({
      onPull: () => {},
      onDrain: () => void told.drained++,
      onClose: (error) => void told.closed.push(error)
    })
    return { bytes, messages: connection.messages, told }
  })

  it.effect("writes a batch as one write", () =>
    Effect.gen(function* () {
      const { bytes, connection } = yield* connected
      yield* Transport.send(connection, batch("a", "", "ccc"))
      yield* settle
      expect(bytes.writes.length).toBe(1)
      expect(hex(bytes.output)).toBe(hex(Buffer.concat([frame("a"), frame(""), frame("ccc")])))
    })
  )

  it.effect("writes all that was sent in one tick as one write", () =>
    Effect.gen(function* () {
      const { bytes, messages } = yield* driven
      for (let i = 0; i < 100; i++) expect(messages.push(Message.make(String(i)))).toBe(true)
      expect(bytes.writes.length).toBe(0)
      yield* settle
      expect(bytes.writes.length).toBe(1)
      expect(hex(bytes.output)).toBe(hex(Buffer.concat(Array.from({ length: 100 }, (_, i) => frame(String(i))))))
      messages.push(Message.make("later"))
      yield* settle
      expect(bytes.writes.length).toBe(2)
    })
  )

  it.effect("waits for a write to be done before the next, which takes all that came meanwhile", () =>
    Effect.gen(function* () {
      const { bytes, messages } = yield* driven
      bytes.accepting = false
      messages.push(Message.make("one"))
      yield* settle
      messages.push(Message.make("two"))
      messages.push(Message.make("three"))
      yield* settle
      expect(bytes.writes.map(({ then }) => hex(then))).toEqual([hex(frame("one"))])
      bytes.drain()
      expect(bytes.writes.map(({ then }) => hex(then))).toEqual([
        hex(frame("one")),
        hex(Buffer.concat([frame("two"), frame("three")]))
      ])
    })
  )

  it.effect("is full from 256 KiB on, frames counted, and tells once when there is room again", () =>
    Effect.gen(function* () {
      const { bytes, messages, told } = yield* driven
      bytes.accepting = false
      // three frames of 64 KiB, and then one that lacks a byte
      for (let i = 0; i < 3; i++) expect(messages.push(sized(64 * KiB - 8))).toBe(true)
      expect(messages.push(sized(64 * KiB - 9))).toBe(true)
      yield* settle
      expect(messages.push(sized(0))).toBe(false)
      expect(messages.push(sized(0))).toBe(false)
      yield* settle
      expect(told.drained).toBe(0)
      bytes.drain()
      expect([told.drained, bytes.full]).toEqual([1, true])
      bytes.drain()
      yield* settle
      expect(told.drained).toBe(1)
    })
  )

  it.effect("takes one message of any size when it is empty", () =>
    Effect.gen(function* () {
      const { bytes, messages, told } = yield* driven
      expect(messages.push(sized(1024 * KiB))).toBe(false)
      yield* settle
      expect(told.drained).toBe(1)
      expect(bytes.output.length).toBe(1024 * KiB + 8)
    })
  )

  it.effect("is full, and says so later, also when every write is done at once", () =>
    Effect.gen(function* () {
      const { messages, told } = yield* driven
      let room = true
      for (let i = 0; i < 4; i++) room = messages.push(sized(64 * KiB))
      expect([room, told.drained]).toEqual([false, 0])
      yield* settle
      expect(told.drained).toBe(1)
      expect(messages.push(sized(1))).toBe(true)
    })
  )

  it.effect("makes a batch wait while it is full, and takes it whole", () =>
    Effect.gen(function* () {
      const { bytes, connection } = yield* connected
      bytes.accepting = false
      yield* Transport.send(connection, Chunk.of(sized(300 * KiB)))
      yield* settle
      const waiting = yield* Effect.fork(
        Transport.send(connection, Chunk.make(sized(200 * KiB, 1), sized(200 * KiB, 2)))
      )
      yield* settle
      expect(yield* Fiber.poll(waiting)).toMatchObject({ _tag: "None" })
      expect(bytes.writes.length).toBe(1)
      bytes.drain()
      yield* Fiber.join(waiting)
      yield* settle
      expect(bytes.writes[1]?.then.length).toBe(2 * (200 * KiB + 8))
    })
  )

  it.effect("that is interrupted while it waits has sent nothing of its batch", () =>
    Effect.gen(function* () {
      for (let steps = 0; steps < 8; steps++) {
        const { bytes, connection } = yield* connected
        bytes.accepting = false
        yield* Transport.send(connection, Chunk.of(sized(300 * KiB)))
        yield* settle
        const waiting = yield* Effect.fork(Transport.send(connection, batch("not", "this")))
        yield* Effect.repeatN(Effect.yieldNow(), steps)
        const interrupting = yield* Effect.fork(Fiber.interrupt(waiting))
        bytes.drain()
        const exit = yield* Fiber.join(interrupting)
        bytes.accepting = true
        if (bytes.full) bytes.drain()
        yield* Transport.send(connection, batch("last"))
        yield* settle
        const rest = hex(bytes.output.subarray(300 * KiB + 8))
        const whole = hex(Buffer.concat([frame("not"), frame("this"), frame("last")]))
        expect([exit._tag, rest]).toEqual([exit._tag, exit._tag === "Success" ? whole : hex(frame("last"))])
      }
    })
  )

  it.effect("by the sink is sending chunk by chunk", () =>
    Effect.gen(function* () {
      const { bytes, connection } = yield* connected
      yield* Stream.make(batch("a", "b"), batch("c")).pipe(Stream.flattenChunks, Stream.run(Transport.sink(connection)))
      yield* settle
      expect(hex(bytes.output)).toBe(hex(Buffer.concat([frame("a"), frame("b"), frame("c")])))
    })
  )

  it.effect("fails with what ended the connection, waiting or not", () =>
    Effect.gen(function* () {
      const { bytes, connection } = yield* connected
      bytes.accepting = false
      yield* Transport.send(connection, Chunk.of(sized(300 * KiB)))
      yield* settle
      const waiting = yield* Effect.fork(Effect.flip(Transport.send(connection, batch("x"))))
      yield* settle
      bytes.end(reset)
      expect(yield* Fiber.join(waiting)).toBe(reset)
      expect(yield* Effect.flip(Transport.send(connection, batch("y")))).toBe(reset)
      expect(bytes.writes.length).toBe(1)
    })
  )

  it.effect("puts the header of a message in front of its body", () =>
    Effect.gen(function* () {
      const { bytes, connection } = yield* connected
      const message = Message.make("body")
      Either.getOrThrow(Message.Header.appendU32(message, 0x80000001))
      yield* Transport.send(connection, Chunk.of(message))
      yield* settle
      expect(hex(bytes.output)).toBe("0000000000000008" + "80000001" + hex(Buffer.from("body")))
    })
  )

  describe("and closing", () => {
    it.effect("hands over what it can, and leaves nothing unsent", () =>
      Effect.gen(function* () {
        const { bytes, messages } = yield* driven
        messages.push(Message.make("now"))
        expect(messages.close()).toEqual({ unsent: [], doubtful: [] })
        expect(hex(bytes.output)).toBe(hex(frame("now")))
        expect(bytes.closed).toBe(true)
        yield* settle
        expect(bytes.writes.length).toBe(1)
      })
    )

    it.effect("tells what had not begun to go, and what may have gone in part, once and in order", () =>
      Effect.gen(function* () {
        const { bytes, messages, told } = yield* driven
        bytes.accepting = false
        messages.push(Message.make("done"))
        yield* settle
        bytes.drain()
        const unsent = ["writing", "pending", "pending too"].map((body) => Message.make(body))
        messages.push(unsent[0]!)
        yield* settle
        messages.push(unsent[1]!)
        messages.push(unsent[2]!)
        expect(messages.close()).toEqual({ unsent: unsent.slice(1), doubtful: [unsent[0]] })
        expect(messages.close()).toEqual({ unsent: [], doubtful: [] })
        yield* settle
        expect(told).toEqual({ drained: 0, closed: [] })
        expect(bytes.writes.length).toBe(2)
      })
    )

    it.effect("tells of all that was pushed when the last write was not taken", () =>
      Effect.gen(function* () {
        const { bytes, messages } = yield* driven
        bytes.accepting = false
        messages.push(Message.make("a"))
        messages.push(Message.make("b"))
        const { doubtful, unsent } = messages.close()
        expect([texts(doubtful), texts(unsent)]).toEqual([["a", "b"], []])
      })
    )
  })

  describe("never changes bytes that are still being written", () => {
    const url = Either.getOrThrow(Url.parse("tcp://127.0.0.1:5555"))
    const sizes = FC.array(FC.oneof(FC.nat(40), FC.integer({ min: 900, max: 1200 }), FC.nat(70_000)), {
      minLength: 1,
      maxLength: 40
    })

    it.effect.prop(
      "when connections of one transport share memory",
      [FC.array(FC.tuple(FC.nat(2), sizes, FC.boolean()), { maxLength: 30 })],
      ([rounds]) =>
        Effect.gen(function* () {
          const all = [new FakeBytes(), new FakeBytes(), new FakeBytes()]
          let next = 0
          const transport = ByteTransport.make({
            schemes: ["tcp"],
            options: [],
            check: () => Either.void,
            connect: () => Effect.sync(() => ByteTransport.opened(all[next++]!.stream)),
            listen: () => Effect.die("nobody listens here")
          })
          const connections: Array<Connection> = []
          for (const bytes of all) {
            bytes.arrive(pair0)
            const target = { url, protocol: Protocol.pair0, recvMaxSize: 0, options: {} }
            connections.push(yield* transport.dial(target))
            bytes.writes.splice(0)
          }
          const expected = all.map(() => [] as Array<Uint8Array>)
          let fill = 0
          for (const [who, sizes, accepting] of rounds) {
            const bytes = all[who]!
            bytes.accepting = accepting
            for (const size of sizes) {
              const body = new Uint8Array(size).fill(++fill)
              expected[who]!.push(frame(body))
              connections[who]!.messages.push(Message.fromBytes(body))
            }
            yield* settle
            // each write of this connection is done when the next comes; others stay for long
            if (bytes.full && sizes.length % 2 === 0) bytes.drain()
          }
          for (const [i, bytes] of all.entries()) {
            bytes.accepting = true
            while (bytes.full) bytes.drain()
            expect(Buffer.compare(bytes.output, Buffer.concat(expected[i]!))).toBe(0)
          }
        }).pipe(Effect.scoped)
    )
  })
})
