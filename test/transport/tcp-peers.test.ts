import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FC from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as Address from "effect-nng/Address"
import * as Dialer from "effect-nng/Dialer"
import * as Listener from "effect-nng/Listener"
import * as Message from "effect-nng/Message"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Pair0 from "effect-nng/Pair0"
import * as Socket from "effect-nng/Socket"
import type { Transports } from "effect-nng/Transport"
import { leavesNone, turn } from "../support/handles.js"
import type { Peer } from "../support/peers.js"
import * as Peers from "../support/peers.js"
import { bytes, frame, header, hex, length, pair0, record, tagged } from "../support/peers.js"

/**
 * The network is real and the clock stands still: whatever is served here is served without waiting for any time.
 */
const test = <E>(name: string, effect: () => Effect.Effect<void, E, Scope.Scope | Transports>): void =>
  it.effect(name, () => leavesNone(Effect.suspend(effect)).pipe(Effect.provide(NodeTransport.layer)))

const limit = 1000

/** A pair0 listener on a free port, and what it and its socket tell. */
const serving = Effect.gen(function* () {
  const socket = yield* Pair0.make({ recvMaxSize: limit })
  const listener = yield* Listener.make(socket, "tcp://127.0.0.1:0")
  const told = yield* record(Listener.events(listener))
  const pipes = yield* record(Socket.events(socket))
  yield* Listener.start(listener)
  return { socket, listener, told, pipes, port: Peers.portOf(listener) }
})

type Serving = Effect.Effect.Success<typeof serving>

/** A client that does everything right gets a pipe and talks both ways. */
const serves = ({ pipes, port, socket }: Serving) =>
  Effect.gen(function* () {
    const from = pipes.all.length
    const client = yield* Peers.dial(port)
    yield* client.write(pair0, frame("ping"))
    expect(hex(yield* client.read(8))).toBe(hex(pair0))
    expect(Message.text(yield* Socket.recv(socket))).toBe("ping")
    yield* Socket.send(socket, "pong")
    expect(hex(yield* client.read(12))).toBe(hex(frame("pong")))
    yield* client.end
    expect((yield* pipes.find(tagged("RemPost"), from)).reason).toMatchObject({ _tag: "NNG_ECONNSHUT" })
  }).pipe(Effect.scoped)

const wrongBytes: ReadonlyArray<readonly [index: number, value: number]> = [
  [0, 0x01],
  [1, 0x73],
  [2, 0x51],
  [3, 0x01],
  [6, 0x01],
  [7, 0x01]
]
const clientHello = bytes(
  "1603010200010001fc0303" + "5a".repeat(32) + "20" + "a5".repeat(32) + "003e130213031301c02cc030009fcca9cca8ccaac02b"
)
const httpGet = Buffer.from("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\n\r\n")

interface BadStart {
  readonly what: string
  readonly sends: Uint8Array
  readonly then?: "end" | "reset"
  readonly error: object
}

const proto = (index: number) => ({
  _tag: "NNG_EPROTO",
  reason: expect.stringContaining(`byte ${index} of the SP header`)
})

const badStarts: ReadonlyArray<BadStart> = [
  ...wrongBytes.map(([index, value]) => {
    const sends = Uint8Array.from(pair0)
    sends[index] = value
    return { what: `a header whose byte ${index} is ${value}`, sends, error: proto(index) }
  }),
  { what: "an HTTP request", sends: httpGet, error: proto(0) },
  { what: "a TLS ClientHello", sends: clientHello, error: proto(0) },
  { what: "a ClientHello's first byte, and no more", sends: clientHello.subarray(0, 1), error: proto(0) },
  { what: "a megabyte of zeros", sends: new Uint8Array(1024 * 1024), error: proto(1) },
  ...Array.from({ length: 8 }, (_, n) => ({
    what: `${n} bytes of a header, and closes`,
    sends: pair0.subarray(0, n),
    then: "end" as const,
    error: { _tag: "NNG_ECONNSHUT" }
  })),
  {
    what: "half a header, and cuts the connection",
    sends: pair0.subarray(0, 4),
    then: "reset",
    error: { _tag: "NNG_ECONNRESET" }
  }
]

const misbehave = (peer: Peer, { sends, then }: BadStart) =>
  Effect.gen(function* () {
    if (sends.length > 0) peer.socket.write(sends)
    yield* Effect.ignore(peer.read(8))
    // both ends are in this process: by then it has been read
    yield* Effect.repeatN(turn, 5)
    if (then !== undefined) yield* peer[then]
  })

describe("[S6] a tcp listener", () => {
  describe("turns away a client that sends", () => {
    for (const bad of badStarts) {
      test(bad.what, () =>
        Effect.gen(function* () {
          const server = yield* serving
          const client = yield* Peers.dial(server.port)
          const { localPort } = client.socket
          yield* misbehave(client, bad)
          const failed = yield* server.told.find(tagged("HandshakeFailed"))
          expect(failed.error).toMatchObject(bad.error)
          expect(failed.remoteAddress).toEqual(Address.inet("127.0.0.1", localPort!))
          if (bad.then === undefined) yield* client.closed
          yield* serves(server)
          expect(server.told.tags()).toEqual(["Listening", "HandshakeFailed"])
          expect(server.pipes.tags()).toEqual(["AddPre", "AddPost", "RemPost"])
          expect(yield* server.listener.statistics).toMatchObject({ accepts: 1, failures: { [failed.error._tag]: 1 } })
        })
      )
    }

    it.effect.prop(
      "random bytes",
      [FC.array(FC.uint8Array({ minLength: 8, maxLength: 200 }), { minLength: 1, maxLength: 20 })],
      ([noises]) =>
        Effect.gen(function* () {
          const server = yield* serving
          for (const noise of noises) {
            const from = server.told.all.length
            const client = yield* Peers.dial(server.port)
            const bad = noise.every((byte, i) => byte === pair0[i]) ? httpGet : noise
            yield* client.write(bad)
            expect((yield* server.told.find(tagged("HandshakeFailed"), from)).error).toMatchObject({
              _tag: "NNG_EPROTO"
            })
            yield* client.closed
          }
          yield* serves(server)
        }).pipe(leavesNone, Effect.provide(NodeTransport.layer)),
      { fastCheck: { numRuns: 20 } }
    )

    test("nothing at all for ten seconds", () =>
      Effect.gen(function* () {
        const server = yield* serving
        const client = yield* Peers.dial(server.port)
        yield* client.read(8)
        yield* TestClock.adjust("9999 millis")
        expect(server.told.tags()).toEqual(["Listening"])
        yield* serves(server)
        yield* TestClock.adjust("1 millis")
        expect((yield* server.told.find(tagged("HandshakeFailed"))).error).toMatchObject({ _tag: "NNG_ETIMEDOUT" })
        yield* client.closed
        yield* serves(server)
      }))
  })

  test("[WIRE-01] greets with its own protocol, before the client has said anything", () =>
    Effect.gen(function* () {
      const server = yield* serving
      const client = yield* Peers.dial(server.port)
      expect(hex(yield* client.read(8))).toBe("0053500000100000")
    }))

  for (const number of [0x0011, 0x0030, 0x0000, 0xffff]) {
    test(`[WIRE-02] refuses a client of protocol ${number} after the handshake`, () =>
      Effect.gen(function* () {
        const server = yield* serving
        const client = yield* Peers.dial(server.port)
        yield* client.write(header(number))
        expect(hex(yield* client.read(8))).toBe(hex(pair0))
        expect(hex((yield* client.closed).unread)).toBe("")
        const removed = yield* server.pipes.find(tagged("RemPost"))
        expect(removed.reason).toMatchObject({ _tag: "NNG_EPROTO", reason: expect.stringContaining("pair0") })
        expect(removed.pipe.peerProtocol).toBe(number)
        expect(server.pipes.tags()).toEqual(["AddPre", "RemPost"])
        yield* serves(server)
        expect(yield* server.socket.statistics).toMatchObject({ reject: 1, pipes: 0 })
        expect(yield* server.listener.statistics).toMatchObject({ reject: 1, accepts: 1, pipes: 0 })
      }))
  }

  describe("cuts off a client that greets and then sends", () => {
    const cases: ReadonlyArray<BadStart> = [
      {
        what: "a length over the limit",
        sends: length(limit + 1),
        error: { _tag: "NNG_EMSGSIZE", reason: expect.stringContaining("1001 bytes, the limit is 1000") }
      },
      {
        what: "a length with its top bit set",
        sends: length(2n ** 63n),
        error: { _tag: "NNG_EMSGSIZE", reason: expect.stringContaining("9223372036854775808 bytes") }
      },
      {
        what: "the largest length there is",
        sends: length(2n ** 64n - 1n),
        error: { _tag: "NNG_EMSGSIZE", reason: expect.stringContaining("18446744073709551615 bytes") }
      },
      { what: "a second header", sends: pair0, error: { _tag: "NNG_EMSGSIZE" } },
      { what: "an HTTP request", sends: httpGet, error: { _tag: "NNG_EMSGSIZE" } },
      {
        what: "half a length, and closes",
        sends: length(5).subarray(0, 4),
        then: "end",
        error: { _tag: "NNG_ECONNSHUT", reason: expect.stringContaining("in the middle of a message") }
      },
      {
        what: "half a message, and closes",
        sends: frame("hello").subarray(0, 10),
        then: "end",
        error: { _tag: "NNG_ECONNSHUT", reason: expect.stringContaining("in the middle of a message") }
      },
      {
        what: "half a message, and cuts the connection",
        sends: frame("hello").subarray(0, 10),
        then: "reset",
        error: { _tag: "NNG_ECONNRESET" }
      }
    ]
    for (const bad of cases) {
      test(bad.what, () =>
        Effect.gen(function* () {
          const server = yield* serving
          const client = yield* Peers.dial(server.port)
          // the good message before is delivered, and tells that what came with it has been read
          yield* client.write(pair0, frame("good"), bad.sends)
          expect(Message.text(yield* Socket.recv(server.socket))).toBe("good")
          if (bad.then === undefined) yield* client.closed
          else yield* client[bad.then]
          expect((yield* server.pipes.find(tagged("RemPost"))).reason).toMatchObject(bad.error)
          yield* serves(server)
          expect(server.told.tags()).toEqual(["Listening"])
        })
      )
    }

    test("a good message and a bad one in one write: the good one is delivered", () =>
      Effect.gen(function* () {
        const server = yield* serving
        const client = yield* Peers.dial(server.port)
        yield* client.write(pair0, frame("good"), frame(""), length(limit + 1), frame("never"))
        expect(Message.text(yield* Socket.recv(server.socket))).toBe("good")
        expect(Message.text(yield* Socket.recv(server.socket))).toBe("")
        expect((yield* server.pipes.find(tagged("RemPost"))).reason).toMatchObject({ _tag: "NNG_EMSGSIZE" })
        yield* client.closed
        yield* serves(server)
      }))

    test("a second peer while the first is there: that one is not disturbed", () =>
      Effect.gen(function* () {
        const server = yield* serving
        const first = yield* Peers.dial(server.port)
        yield* first.write(pair0)
        yield* server.pipes.find(tagged("AddPost"))
        const second = yield* Peers.dial(server.port)
        yield* second.write(pair0)
        expect(hex(yield* second.read(8))).toBe(hex(pair0))
        yield* second.closed
        expect((yield* server.pipes.find(tagged("RemPost"))).reason).toMatchObject({ _tag: "NNG_EBUSY" })
        yield* first.write(frame("still"))
        expect(Message.text(yield* Socket.recv(server.socket))).toBe("still")
      }))
  })

  test("[S5] lets a good client in while 300 say nothing, and drops those after ten seconds", () =>
    Effect.gen(function* () {
      const server = yield* serving
      // not more at a time than the system lets wait
      const silent = yield* Effect.forEach(Array.from({ length: 300 }), () => Peers.dial(server.port), {
        concurrency: 50
      })
      yield* serves(server)
      yield* Effect.forEach(silent, (client) => client.read(8), { discard: true })
      yield* serves(server)
      expect(server.told.tags()).toEqual(["Listening"])
      yield* TestClock.adjust("10 seconds")
      const how = yield* Effect.forEach(silent, (client) => Effect.map(client.closed, ({ unread }) => unread.length))
      expect(how).toEqual(silent.map(() => 0))
      expect((yield* server.listener.statistics).failures).toEqual({ NNG_ETIMEDOUT: 300 })
      yield* serves(server)
    }))

  test("[S5] gives a client that drips one byte every six seconds ten seconds in all", () =>
    Effect.gen(function* () {
      const server = yield* serving
      const client = yield* Peers.dial(server.port)
      yield* client.read(8)
      yield* client.write(pair0.subarray(0, 1))
      yield* TestClock.adjust("6 seconds")
      yield* client.write(pair0.subarray(1, 2))
      yield* serves(server)
      expect(server.told.tags()).toEqual(["Listening"])
      yield* TestClock.adjust("4 seconds")
      expect((yield* server.told.find(tagged("HandshakeFailed"))).error).toMatchObject({ _tag: "NNG_ETIMEDOUT" })
      yield* client.closed
    }))
})

describe("[S6] a tcp dialer", () => {
  /** A dialer, not started, and a server that is played by hand. */
  const calling = Effect.gen(function* () {
    const server = yield* Peers.listen()
    const socket = yield* Pair0.make({ recvMaxSize: limit })
    const dialer = yield* Dialer.make(socket, `tcp://127.0.0.1:${server.port}`)
    const told = yield* record(Dialer.events(dialer))
    return { server, socket, dialer, told }
  })

  type Calling = Effect.Effect.Success<typeof calling>

  /** After whatever happened, the dialer is idle and can be started against a server that does everything right. */
  const connects = ({ dialer, server, socket }: Calling) =>
    Effect.gen(function* () {
      expect(yield* dialer.state).toEqual({ _tag: "Idle" })
      const starting = yield* Effect.fork(Dialer.start(dialer))
      const peer = yield* server.accept
      yield* peer.write(pair0, frame("ping"))
      yield* Fiber.join(starting)
      expect(Message.text(yield* Socket.recv(socket))).toBe("ping")
      expect(hex(yield* peer.read(8))).toBe(hex(pair0))
      expect(yield* dialer.state).toMatchObject({ _tag: "Connected" })
    })

  describe("fails to start at a server that sends", () => {
    for (const bad of badStarts) {
      test(bad.what, () =>
        Effect.gen(function* () {
          const caller = yield* calling
          const starting = yield* Effect.fork(Effect.flip(Dialer.start(caller.dialer)))
          const peer = yield* caller.server.accept
          yield* misbehave(peer, bad)
          expect(yield* Fiber.join(starting)).toMatchObject(bad.error)
          yield* peer.closed
          expect(caller.told.tags()).toEqual(["Attempt", "Failed"])
          yield* connects(caller)
        })
      )
    }

    test("nothing at all for ten seconds", () =>
      Effect.gen(function* () {
        const caller = yield* calling
        const starting = yield* Effect.fork(Effect.flip(Dialer.start(caller.dialer)))
        const peer = yield* caller.server.accept
        yield* peer.read(8)
        yield* TestClock.adjust("10 seconds")
        expect(yield* Fiber.join(starting)).toMatchObject({ _tag: "NNG_ETIMEDOUT" })
        yield* peer.closed
        yield* connects(caller)
      }))

    test("the header of another protocol", () =>
      Effect.gen(function* () {
        const caller = yield* calling
        const starting = yield* Effect.fork(Effect.flip(Dialer.start(caller.dialer)))
        const peer = yield* caller.server.accept
        yield* peer.write(header(0x0031))
        expect(yield* Fiber.join(starting)).toMatchObject({
          _tag: "NNG_EPROTO",
          reason: expect.stringContaining("rep0 (0x0031)")
        })
        yield* peer.closed
        yield* connects(caller)
      }))
  })

  test("fails to start where nobody listens, and can be started once somebody does", () =>
    Effect.gen(function* () {
      const { port } = yield* Effect.scoped(Peers.listen())
      const socket = yield* Pair0.make()
      const dialer = yield* Dialer.make(socket, `tcp://127.0.0.1:${port}`)
      expect(yield* Effect.flip(Dialer.start(dialer))).toMatchObject({ _tag: "NNG_ECONNREFUSED", code: 6 })
      const server = yield* Peers.listen({ port })
      yield* connects({ server, socket, dialer, told: yield* record(Dialer.events(dialer)) })
    }))

  test("tells of a server that breaks the rules later, and dials again", () =>
    Effect.gen(function* () {
      const caller = yield* calling
      const starting = yield* Effect.fork(Dialer.start(caller.dialer))
      const peer = yield* caller.server.accept
      yield* peer.write(pair0, length(2n ** 63n))
      yield* Fiber.join(starting)
      expect((yield* caller.told.find(tagged("Disconnected"))).reason).toMatchObject({ _tag: "NNG_EMSGSIZE" })
      yield* peer.closed
      yield* TestClock.adjust("1 seconds")
      const again = yield* caller.server.accept
      yield* again.write(pair0, frame("back"))
      expect(Message.text(yield* Socket.recv(caller.socket))).toBe("back")
      yield* caller.told.find(tagged("Connected"), 2)
      expect(caller.told.tags()).toEqual(["Attempt", "Connected", "Disconnected", "Attempt", "Connected"])
    }).pipe(Effect.withRandom(Random.fixed([0.5]))))

  describe("interrupted while it starts", () => {
    test("in the handshake with a silent server, closes the connection", () =>
      Effect.gen(function* () {
        const caller = yield* calling
        for (let i = 0; i < 3; i++) {
          const starting = yield* Effect.fork(Dialer.start(caller.dialer))
          const peer = yield* caller.server.accept
          yield* peer.read(8)
          yield* Fiber.interrupt(starting)
          expect((yield* peer.closed).how).toBe("closed")
        }
        yield* connects(caller)
      }))

    test("before the connection is there, gives the connect up", () =>
      leavesNone(
        Effect.gen(function* () {
          const caller = yield* calling
          for (let i = 0; i < 3; i++) {
            yield* leavesNone(
              Effect.gen(function* () {
                const starting = yield* Effect.fork(Dialer.start(caller.dialer))
                yield* caller.told.find(tagged("Attempt"), i)
                yield* Fiber.interrupt(starting)
              })
            )
          }
          yield* connects(caller)
        })
      ))

    it.effect.prop("after any number of steps, leaves nothing open and can be started", [FC.nat(60)], ([steps]) =>
      Effect.gen(function* () {
        const caller = yield* calling
        const starting = yield* Effect.fork(Dialer.start(caller.dialer))
        yield* Effect.repeatN(Effect.yieldNow(), steps)
        yield* Fiber.interrupt(starting)
        expect(yield* caller.dialer.state).toEqual({ _tag: "Idle" })
        const started = caller.server.accepted()
        const again = yield* Effect.fork(Dialer.start(caller.dialer))
        const answer = Effect.flatMap(caller.server.accept, (peer) => peer.write(pair0))
        yield* Effect.fork(Effect.repeatN(answer, started + 1))
        yield* Fiber.join(again)
      }).pipe(leavesNone, Effect.provide(NodeTransport.layer))
    )
  })
})
