import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FC from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
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
import { wallet } from "../support/certificates.js"
import { leavesNone, turn } from "../support/handles.js"
import type { Peer } from "../support/peers.js"
import * as Peers from "../support/peers.js"
import { frame, header, hex, length, pair0, record, tagged } from "../support/peers.js"
import * as TlsPeers from "../support/tls.js"
import { shown } from "../support/tls.js"

/**
 * The network is real and the clock stands still: whatever is served here is served without waiting for any time.
 */
const test = <E>(name: string, effect: () => Effect.Effect<void, E, Scope.Scope | Transports>): void =>
  it.effect(name, () => leavesNone(Effect.suspend(effect)).pipe(Effect.provide(NodeTransport.layer)))

const limit = 1000

/** A pair0 listener on a free port, and what it and its socket tell. */
const serving = Effect.gen(function* () {
  const { ca, server } = yield* wallet
  const socket = yield* Pair0.make({ recvMaxSize: limit })
  const listener = yield* Listener.make(socket, "tls+tcp://127.0.0.1:0", { tls: { ownCert: server } })
  const told = yield* record(Listener.events(listener))
  const pipes = yield* record(Socket.events(socket))
  yield* Listener.start(listener)
  const port = Peers.portOf(listener)
  return { socket, listener, told, pipes, port, connect: TlsPeers.dial(port, { ca: ca.pem, host: "127.0.0.1" }) }
})

type Serving = Effect.Effect.Success<typeof serving>

/** What can have been made by nobody who has the keys. */
const brokenRecord = Buffer.concat([Uint8Array.of(0x17, 3, 3, 0, 64), new Uint8Array(64)])

/** A client that does everything right gets a pipe and talks both ways. */
const serves = ({ connect, pipes, socket }: Serving) =>
  Effect.gen(function* () {
    const from = pipes.all.length
    const client = yield* connect
    yield* client.write(pair0, frame("ping"))
    expect(hex(yield* client.read(8))).toBe(hex(pair0))
    expect(Message.text(yield* Socket.recv(socket))).toBe("ping")
    yield* Socket.send(socket, "pong")
    expect(hex(yield* client.read(12))).toBe(hex(frame("pong")))
    yield* client.end
    expect((yield* pipes.find(tagged("RemPost"), from)).reason).toMatchObject({ _tag: "NNG_ECONNSHUT" })
  }).pipe(Effect.scoped)

const httpGet = Buffer.from("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\n\r\n")

interface Bad {
  readonly what: string
  readonly sends: Effect.Effect<Uint8Array>
  readonly then?: "end" | "reset"
  readonly error: object
}

const bytes = (sends: Uint8Array) => Effect.succeed(sends)
const helloUpTo = (n: number) => Effect.map(TlsPeers.clientHello, (hello) => hello.subarray(0, n))
const ecrypto = { _tag: "NNG_ECRYPTO", code: 26 }

const badHellos: ReadonlyArray<Bad> = [
  { what: "an SP header in plain", sends: bytes(pair0), error: ecrypto },
  { what: "an SP header and a message in plain", sends: bytes(Buffer.concat([pair0, frame("hello")])), error: ecrypto },
  { what: "an HTTP request", sends: bytes(httpGet), error: ecrypto },
  { what: "a megabyte of zeros", sends: bytes(new Uint8Array(1024 * 1024)), error: ecrypto },
  {
    what: "a ClientHello with a byte of another handshake message",
    sends: Effect.map(TlsPeers.clientHello, (hello) => hello.with(5, 0x7f)),
    error: ecrypto
  },
  ...[0, 1, 5, 6, 40, 200].map((n) => ({
    what: `${n} bytes of a ClientHello, and closes`,
    sends: helloUpTo(n),
    then: "end" as const,
    error: { _tag: "NNG_ECONNSHUT" }
  })),
  {
    what: "half a ClientHello, and cuts the connection",
    sends: helloUpTo(100),
    then: "reset",
    error: { _tag: "NNG_ECONNRESET" }
  },
  { what: "a ClientHello, and closes", sends: TlsPeers.clientHello, then: "end", error: { _tag: "NNG_ECONNSHUT" } },
  {
    what: "a ClientHello, and cuts the connection",
    sends: TlsPeers.clientHello,
    then: "reset",
    error: { _tag: "NNG_ECONNRESET" }
  }
]

const misbehave = (peer: Peer, { sends, then }: Bad) =>
  Effect.gen(function* () {
    const text = yield* sends
    if (text.length > 0) peer.socket.write(text)
    // both ends are in this process: by then it has been read
    yield* Effect.repeatN(turn, 10)
    if (then !== undefined) yield* peer[then]
  })

describe("[S6, S15] a TLS listener", () => {
  describe("turns away a client that sends", () => {
    for (const bad of badHellos) {
      test(bad.what, () =>
        Effect.gen(function* () {
          const server = yield* serving
          const client = yield* Peers.dial(server.port)
          const { localPort } = client.socket
          yield* misbehave(client, bad)
          const failed = yield* server.told.find(tagged("HandshakeFailed"))
          expect(failed.error).toMatchObject(bad.error)
          expect(failed.remoteAddress).toEqual(Address.inet("127.0.0.1", localPort!))
          if (bad.then === undefined) {
            const { unread } = yield* client.closed
            // an alert at most, and nothing of SP
            expect(hex(unread)).toMatch(/^(15030[0-4]0002[0-9a-f]{4})?$/)
          }
          yield* serves(server)
          expect(server.told.tags()).toEqual(["Listening", "HandshakeFailed"])
        })
      )
    }

    it.effect.prop(
      "random bytes",
      [FC.array(FC.uint8Array({ minLength: 64, maxLength: 400 }), { minLength: 1, maxLength: 10 })],
      ([noises]) =>
        Effect.gen(function* () {
          const server = yield* serving
          for (const noise of noises) {
            const from = server.told.all.length
            const client = yield* Peers.dial(server.port)
            // what looks like the beginning of a record is waited for
            if (noise[0] === 0x16 || noise[0]! >= 0x80) noise[0] = 0
            if (noise[1] === 3) noise[1] = 0
            yield* client.write(noise)
            expect((yield* server.told.find(tagged("HandshakeFailed"), from)).error).toMatchObject(ecrypto)
            yield* client.closed
          }
          yield* serves(server)
        }).pipe(leavesNone, Effect.provide(NodeTransport.layer)),
      { fastCheck: { numRuns: 20 } }
    )
  })

  describe("[S5] gives ten seconds in all to a client that", () => {
    const cases: ReadonlyArray<
      readonly [what: string, at: (server: Serving) => Effect.Effect<Peer, Error, Scope.Scope>]
    > = [
      ["says nothing", ({ port }) => Peers.dial(port)],
      [
        "stops within its ClientHello",
        ({ port }) =>
          Effect.tap(Peers.dial(port), (client) =>
            Effect.flatMap(helloUpTo(50), (some) => Effect.zipRight(client.write(some), Effect.repeatN(turn, 5)))
          )
      ],
      [
        "says nothing after its ClientHello",
        ({ port }) =>
          Effect.tap(Peers.dial(port), (client) =>
            Effect.zipRight(Effect.flatMap(TlsPeers.clientHello, client.write), client.read(100))
          )
      ],
      ["says nothing after the TLS handshake", ({ connect }) => Effect.tap(connect, (client) => client.read(8))],
      [
        "stops within its SP header",
        ({ connect }) =>
          Effect.tap(connect, (client) => Effect.zipRight(client.write(pair0.subarray(0, 5)), client.read(8)))
      ]
    ]
    for (const [what, reach] of cases) {
      test(what, () =>
        Effect.gen(function* () {
          const server = yield* serving
          const client = yield* reach(server)
          yield* TestClock.adjust("9999 millis")
          expect(server.told.tags()).toEqual(["Listening"])
          yield* serves(server)
          yield* TestClock.adjust("1 millis")
          expect((yield* server.told.find(tagged("HandshakeFailed"))).error).toMatchObject({ _tag: "NNG_ETIMEDOUT" })
          yield* client.closed
          yield* serves(server)
        })
      )
    }

    test("drips: TLS and the SP header have them together", () =>
      Effect.gen(function* () {
        const server = yield* serving
        const hello = yield* TlsPeers.clientHello
        const dripping = yield* Peers.dial(server.port)
        yield* dripping.write(hello.subarray(0, 1))
        const late = yield* Effect.fork(server.connect)
        const client = yield* Fiber.join(late)
        yield* client.read(8)
        for (let i = 1; i < 5; i++) {
          yield* TestClock.adjust("2 seconds")
          yield* dripping.write(hello.subarray(i, i + 1))
          yield* client.write(pair0.subarray(i - 1, i))
          yield* Effect.repeatN(turn, 5)
        }
        expect(server.told.tags()).toEqual(["Listening"])
        yield* TestClock.adjust("2 seconds")
        for (const from of [1, 2]) {
          expect((yield* server.told.find(tagged("HandshakeFailed"), from)).error).toMatchObject({
            _tag: "NNG_ETIMEDOUT"
          })
        }
        yield* Effect.all([dripping.closed, client.closed])
      }))
  })

  test("[S5] lets a good client in while 200 say nothing, and drops those after ten seconds", () =>
    Effect.gen(function* () {
      const server = yield* serving
      // not more at a time than the system lets wait
      const silent = yield* Effect.forEach(Array.from({ length: 200 }), () => Peers.dial(server.port), {
        concurrency: 50
      })
      yield* serves(server)
      expect(server.told.tags()).toEqual(["Listening"])
      yield* TestClock.adjust("10 seconds")
      yield* Effect.forEach(silent, (client) => client.closed, { discard: true })
      expect((yield* server.listener.statistics).failures).toEqual({ NNG_ETIMEDOUT: 200 })
      yield* serves(server)
    }))

  test("[S17] is none the worse for clients that come and go at any point of the handshake", () =>
    Effect.gen(function* () {
      const server = yield* serving
      const hello = yield* TlsPeers.clientHello
      for (let i = 0; i < 60; i++) {
        const from = server.told.all.length
        yield* Effect.scoped(
          Effect.gen(function* () {
            const client = yield* Peers.dial(server.port)
            yield* client.write(hello.subarray(0, (i * 7) % (hello.length + 1)))
            yield* Effect.repeatN(turn, i % 4)
            yield* client[i % 2 === 0 ? "end" : "reset"]
          })
        )
        const { error } = yield* server.told.find(tagged("HandshakeFailed"), from)
        expect(error._tag).toMatch(/^NNG_(ECONNSHUT|ECONNRESET)$/)
      }
      yield* serves(server)
      expect((yield* server.listener.statistics).pipes).toBe(0)
    }))

  test("refuses a client that knows older versions alone", () =>
    Effect.gen(function* () {
      const { ca, server } = yield* wallet
      const socket = yield* Pair0.make()
      const listener = yield* Listener.make(socket, "tls+tcp://127.0.0.1:0", {
        tls: { ownCert: server, minVersion: "TLSv1.3" }
      })
      const told = yield* record(Listener.events(listener))
      yield* Listener.start(listener)
      const refused = yield* Effect.flip(
        TlsPeers.dial(Peers.portOf(listener), { ca: ca.pem, host: "127.0.0.1", maxVersion: "TLSv1.2" })
      )
      expect(refused.message).toMatch(/alert protocol version/)
      expect((yield* told.find(tagged("HandshakeFailed"))).error).toMatchObject(ecrypto)
    }))

  for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    test(`resumes no session, so that each client is looked at anew (${maxVersion})`, () =>
      Effect.gen(function* () {
        const { ca, client, server: own } = yield* wallet
        const socket = yield* Pair0.make({ recvMaxSize: limit })
        const tls = { ca: ca.pem, ownCert: own, authMode: "required" } as const
        const listener = yield* Socket.listen(socket, "tls+tcp://127.0.0.1:0", { tls })
        const options = { ca: ca.pem, host: "127.0.0.1", maxVersion, ...shown(client) }
        const first = yield* TlsPeers.dial(Peers.portOf(listener), options)
        const sessions = TlsPeers.sessionsOf(first)
        yield* first.write(pair0, frame("first"))
        yield* first.read(8)
        expect(Message.text(yield* Socket.recv(socket))).toBe("first")
        yield* first.end
        yield* Effect.repeat(Effect.zipRight(turn, Socket.pipes(socket).get), { until: (pipes) => pipes.length === 0 })
        const again = yield* TlsPeers.dial(Peers.portOf(listener), { ...options, session: sessions().at(-1) })
        yield* again.write(pair0, frame("again"))
        yield* again.read(8)
        expect(Message.text(yield* Socket.recv(socket))).toBe("again")
        expect(TlsPeers.resumed(again)).toBe(false)
        const [pipe] = yield* Socket.pipes(socket).get
        expect(pipe!.properties.tls).toMatchObject({ verified: true, peerCommonName: "the client" })
      }))
  }

  test("does not negotiate again", () =>
    Effect.gen(function* () {
      const { ca } = yield* wallet
      const server = yield* serving
      const client = yield* TlsPeers.dial(server.port, { ca: ca.pem, host: "127.0.0.1", maxVersion: "TLSv1.2" })
      yield* client.write(pair0)
      yield* client.read(8)
      yield* server.pipes.find(tagged("AddPost"))
      TlsPeers.negotiateAgain(client)
      expect((yield* server.pipes.find(tagged("RemPost"))).reason).toMatchObject({ _tag: "NNG_ECRYPTO" })
      yield* client.closed
      yield* serves(server)
    }))
})

describe("[S1, S6] over TLS a listener", () => {
  const cases: ReadonlyArray<
    readonly [what: string, sends: Uint8Array, then: "end" | "reset" | undefined, error: object]
  > = [
    ["a length over the limit", length(limit + 1), undefined, { _tag: "NNG_EMSGSIZE" }],
    ["a length of 2^31", length(2 ** 31), undefined, { _tag: "NNG_EMSGSIZE" }],
    ["a length of 2^53", length(2n ** 53n), undefined, { _tag: "NNG_EMSGSIZE" }],
    ["a length with its top bit set", length(2n ** 63n), undefined, { _tag: "NNG_EMSGSIZE" }],
    ["the largest length there is", length(2n ** 64n - 1n), undefined, { _tag: "NNG_EMSGSIZE" }],
    ["an HTTP request", httpGet, undefined, { _tag: "NNG_EMSGSIZE" }],
    [
      "half a message, and closes",
      frame("hello").subarray(0, 10),
      "end",
      { _tag: "NNG_ECONNSHUT", reason: expect.stringContaining("in the middle of a message") }
    ],
    ["half a message, and cuts the connection", frame("hello").subarray(0, 10), "reset", { _tag: "NNG_ECONNRESET" }]
  ]
  for (const [what, sends, then, error] of cases) {
    test(`cuts off a client that greets and then sends ${what}`, () =>
      Effect.gen(function* () {
        const server = yield* serving
        const client = yield* server.connect
        yield* client.write(pair0, frame("good"), sends)
        expect(Message.text(yield* Socket.recv(server.socket))).toBe("good")
        if (then === undefined) yield* client.closed
        else yield* client[then]
        expect((yield* server.pipes.find(tagged("RemPost"))).reason).toMatchObject(error)
        yield* serves(server)
        expect(server.told.tags()).toEqual(["Listening"])
      }))
  }

  test("cuts off a client that breaks TLS itself", () =>
    Effect.gen(function* () {
      const server = yield* serving
      const below = yield* Peers.dial(server.port)
      const client = yield* TlsPeers.over(below, { ca: (yield* wallet).ca.pem, host: "127.0.0.1" })
      yield* client.write(pair0, frame("good"))
      expect(Message.text(yield* Socket.recv(server.socket))).toBe("good")
      yield* below.write(brokenRecord)
      expect((yield* server.pipes.find(tagged("RemPost"))).reason).toMatchObject(ecrypto)
      yield* client.closed
      yield* serves(server)
    }))

  test("[WIRE-01] greets with its own protocol, as the first bytes within TLS", () =>
    Effect.gen(function* () {
      const server = yield* serving
      const client = yield* server.connect
      expect(hex(yield* client.read(8))).toBe("0053500000100000")
    }))

  for (const [index, value] of [
    [1, 0x73],
    [3, 0x01],
    [7, 0x01]
  ] as const) {
    test(`refuses a client's header whose byte ${index} is ${value}`, () =>
      Effect.gen(function* () {
        const server = yield* serving
        const client = yield* server.connect
        yield* client.write(pair0.with(index, value))
        expect((yield* server.told.find(tagged("HandshakeFailed"))).error).toMatchObject({
          _tag: "NNG_EPROTO",
          reason: expect.stringContaining(`byte ${index} of the SP header`)
        })
        yield* client.closed
        yield* serves(server)
      }))
  }

  test("[S2] keeps no memory for messages that 50 clients have only announced", () =>
    Effect.gen(function* () {
      const { ca, server } = yield* wallet
      const listeners = yield* Effect.forEach(Array.from({ length: 50 }), () =>
        Effect.gen(function* () {
          const socket = yield* Pair0.make()
          const listener = yield* Socket.listen(socket, "tls+tcp://127.0.0.1:0", { tls: { ownCert: server } })
          const client = yield* TlsPeers.dial(Peers.portOf(listener), { ca: ca.pem, host: "127.0.0.1" })
          yield* client.write(pair0)
          yield* client.read(8)
          yield* Socket.awaitPeers(socket, 1)
          return { socket, client }
        })
      )
      const before = process.memoryUsage().arrayBuffers
      yield* Effect.forEach(listeners, ({ client, socket }) =>
        Effect.gen(function* () {
          yield* client.write(frame("first"), length(2 ** 30), new Uint8Array(10))
          expect(Message.text(yield* Socket.recv(socket))).toBe("first")
        })
      )
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024)
    }))
})

describe("[S15, S16] a TLS dialer", () => {
  /** A dialer, not started, at a server that is played by hand, in plain. */
  const calling = Effect.gen(function* () {
    const { ca } = yield* wallet
    const server = yield* Peers.listen()
    const socket = yield* Pair0.make()
    const dialer = yield* Dialer.make(socket, `tls+tcp://127.0.0.1:${server.port}`, { tls: { ca: ca.pem } })
    const told = yield* record(Dialer.events(dialer))
    return { server, socket, dialer, told }
  })

  const badAnswers: ReadonlyArray<Bad> = [
    { what: "an SP header in plain", sends: bytes(pair0), error: ecrypto },
    { what: "an HTTP answer", sends: bytes(Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")), error: ecrypto },
    { what: "noise", sends: bytes(new Uint8Array(500).fill(0x42)), error: ecrypto },
    { what: "nothing, and closes", sends: bytes(new Uint8Array(0)), then: "end", error: { _tag: "NNG_ECONNSHUT" } },
    {
      what: "the head of a record, and closes",
      sends: bytes(Uint8Array.of(0x16, 3, 3, 0, 90, 2)),
      then: "end",
      error: { _tag: "NNG_ECONNSHUT" }
    },
    {
      what: "the head of a record, and cuts the connection",
      sends: bytes(Uint8Array.of(0x16, 3, 3, 0, 90, 2)),
      then: "reset",
      error: { _tag: "NNG_ECONNRESET" }
    },
    {
      what: "the alert that a handshake has failed",
      sends: bytes(Uint8Array.of(0x15, 3, 3, 0, 2, 2, 40)),
      error: { _tag: "NNG_EPEERAUTH" }
    },
    {
      what: "the alert that there is no common version",
      sends: bytes(Uint8Array.of(0x15, 3, 3, 0, 2, 2, 70)),
      error: ecrypto
    }
  ]
  for (const bad of badAnswers) {
    test(`fails to start at a server that sends ${bad.what}, and says nothing in plain`, () =>
      Effect.gen(function* () {
        const { dialer, server, told } = yield* calling
        for (let i = 1; i <= 2; i++) {
          const starting = yield* Effect.fork(Effect.flip(Dialer.start(dialer)))
          const peer = yield* server.accept
          // the head of a record with a handshake message in it
          expect(hex(yield* peer.read(3))).toBe("160301")
          yield* misbehave(peer, bad)
          expect(yield* Fiber.join(starting)).toMatchObject(bad.error)
          const { unread } = yield* peer.closed
          expect(hex(unread)).not.toContain(hex(pair0))
          expect(yield* dialer.state).toEqual({ _tag: "Idle" })
          expect(server.accepted()).toBe(i)
        }
        expect(told.tags()).toEqual(["Attempt", "Failed", "Attempt", "Failed"])
      }))
  }

  test("[S5] gives a silent server ten seconds", () =>
    Effect.gen(function* () {
      const { dialer, server } = yield* calling
      const starting = yield* Effect.fork(Effect.flip(Dialer.start(dialer)))
      const peer = yield* server.accept
      yield* peer.read(100)
      yield* TestClock.adjust("9999 millis")
      expect(yield* Fiber.poll(starting)).toMatchObject({ _tag: "None" })
      yield* TestClock.adjust("1 millis")
      expect(yield* Fiber.join(starting)).toMatchObject({ _tag: "NNG_ETIMEDOUT" })
      yield* peer.closed
    }))

  test("[S5] gives a server that is slow in TLS and then in SP ten seconds in all", () =>
    Effect.gen(function* () {
      const { ca, server: own } = yield* wallet
      const server = yield* TlsPeers.listen(shown(own))
      const socket = yield* Pair0.make()
      const dialer = yield* Dialer.make(socket, `tls+tcp://127.0.0.1:${server.port}`, { tls: { ca: ca.pem } })
      const starting = yield* Effect.fork(Effect.flip(Dialer.start(dialer)))
      const peer = yield* server.accept
      expect(hex(yield* peer.read(8))).toBe(hex(pair0))
      yield* TestClock.adjust("9 seconds")
      yield* peer.write(pair0.subarray(0, 7))
      yield* Effect.repeatN(turn, 5)
      yield* TestClock.adjust("1 seconds")
      expect(yield* Fiber.join(starting)).toMatchObject({ _tag: "NNG_ETIMEDOUT" })
      yield* peer.closed
    }))

  const mismatches = [
    [{ maxVersion: "TLSv1.2" }, { minVersion: "TLSv1.3" }],
    [{ minVersion: "TLSv1.3" }, { maxVersion: "TLSv1.2" }]
  ] as const
  for (const [theirs, ours] of mismatches) {
    test(`fails where there is no common version: ${JSON.stringify(ours)}`, () =>
      Effect.gen(function* () {
        const { ca, server: own } = yield* wallet
        const server = yield* TlsPeers.listen({ ...shown(own), ...theirs })
        const socket = yield* Pair0.make()
        const tls = { ca: ca.pem, ...ours }
        expect(yield* Effect.flip(Socket.dial(socket, `tls+tcp://127.0.0.1:${server.port}`, { tls }))).toMatchObject(
          ecrypto
        )
      }))
  }

  test("fails with EPEERAUTH when a server wants a certificate and it has none", () =>
    Effect.gen(function* () {
      const { ca, server: own } = yield* wallet
      for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
        const server = yield* TlsPeers.listen({
          ...shown(own),
          ca: ca.pem,
          requestCert: true,
          rejectUnauthorized: true,
          maxVersion
        })
        const socket = yield* Pair0.make()
        const dialing = Socket.dial(socket, `tls+tcp://127.0.0.1:${server.port}`, { tls: { ca: ca.pem } })
        expect(yield* Effect.flip(dialing)).toMatchObject({ _tag: "NNG_EPEERAUTH" })
      }
    }))

  test("does not dial a listener in plain, nor a plain dialer a TLS listener", () =>
    Effect.gen(function* () {
      const { ca, server } = yield* wallet
      const plain = yield* Pair0.make()
      const safe = yield* Pair0.make()
      const inPlain = yield* Socket.listen(plain, "tcp://127.0.0.1:0")
      const inTls = yield* Socket.listen(safe, "tls+tcp://127.0.0.1:0", { tls: { ownCert: server } })
      const socket = yield* Pair0.make()
      const wrong = yield* Effect.either(
        Socket.dial(socket, inPlain.url.replace("tcp", "tls+tcp"), { tls: { ca: ca.pem, authMode: "none" } })
      )
      expect(Either.flip(wrong)).toMatchObject({ right: { _tag: expect.stringMatching(/^NNG_(ECRYPTO|ECONN)/) } })
      expect(yield* Effect.flip(Socket.dial(socket, inTls.url.replace("tls+", "")))).toMatchObject({
        _tag: expect.stringMatching(/^NNG_(EPROTO|ECONNSHUT|ECONNRESET)$/)
      })
      expect([yield* Socket.pipes(plain).get, yield* Socket.pipes(safe).get]).toEqual([[], []])
    }))

  test("cuts off a server that breaks TLS itself", () =>
    Effect.gen(function* () {
      const { ca, server: own } = yield* wallet
      const server = yield* TlsPeers.listen(shown(own))
      const socket = yield* Pair0.make({ reconnectMin: "1 hour" })
      const pipes = yield* record(Socket.events(socket))
      const url = `tls+tcp://127.0.0.1:${server.port}`
      const dialing = yield* Effect.fork(Socket.dial(socket, url, { tls: { ca: ca.pem } }))
      const peer = yield* server.accept
      yield* peer.write(pair0, frame("good"))
      yield* Fiber.join(dialing)
      expect(Message.text(yield* Socket.recv(socket))).toBe("good")
      server.below[0]!.write(brokenRecord)
      expect((yield* pipes.find(tagged("RemPost"))).reason).toMatchObject(ecrypto)
      yield* peer.closed
    }))

  test("refuses a listener of another protocol by its name", () =>
    Effect.gen(function* () {
      const { ca, server: own } = yield* wallet
      const server = yield* TlsPeers.listen(shown(own))
      const socket = yield* Pair0.make()
      const url = `tls+tcp://127.0.0.1:${server.port}`
      const dialing = yield* Effect.fork(Effect.flip(Socket.dial(socket, url, { tls: { ca: ca.pem } })))
      const peer = yield* server.accept
      yield* peer.write(header(0x0031))
      expect(yield* Fiber.join(dialing)).toMatchObject({
        _tag: "NNG_EPROTO",
        reason: expect.stringContaining("rep0 (0x0031)")
      })
    }))
})

describe("[S19] closed in the middle", () => {
  /** A dialer that hangs in the TLS handshake. */
  const hanging = Effect.gen(function* () {
    const { ca } = yield* wallet
    const server = yield* Peers.listen()
    const socket = yield* Pair0.make()
    const dialer = yield* Dialer.make(socket, `tls+tcp://127.0.0.1:${server.port}`, { tls: { ca: ca.pem } })
    const starting = yield* Effect.fork(Dialer.start(dialer))
    const peer = yield* server.accept
    yield* peer.read(100)
    return { socket, dialer, starting, peer }
  })

  test("of a dialer's handshake, the start fails and the connection is gone", () =>
    Effect.gen(function* () {
      const bySocket = yield* hanging
      yield* bySocket.socket.close
      expect(yield* Effect.flip(Fiber.join(bySocket.starting))).toMatchObject({ _tag: "NNG_ECLOSED" })
      yield* bySocket.peer.closed
      const byDialer = yield* hanging
      yield* byDialer.dialer.close
      expect(yield* Effect.flip(Fiber.join(byDialer.starting))).toMatchObject({ _tag: "NNG_ECLOSED" })
      yield* byDialer.peer.closed
    }))

  test("of a dialer's handshake by interruption, it can be started again", () =>
    Effect.gen(function* () {
      const { dialer, peer, starting } = yield* hanging
      yield* Fiber.interrupt(starting)
      yield* peer.closed
      expect(yield* dialer.state).toEqual({ _tag: "Idle" })
    }))

  test("of a listener's handshakes, the clients are cut off", () =>
    Effect.gen(function* () {
      const server = yield* serving
      const hello = yield* TlsPeers.clientHello
      const clients = yield* Effect.forEach([0, 1, 100, hello.length], (n) =>
        Effect.tap(Peers.dial(server.port), (client) => client.write(hello.subarray(0, n)))
      )
      yield* clients.at(-1)!.read(100)
      yield* server.listener.close
      yield* Effect.forEach(clients, (client) => client.closed, { discard: true })
    }))

  it.effect.prop("of a start, at any step, leaves nothing open", [FC.nat(120)], ([steps]) =>
    Effect.gen(function* () {
      const { ca } = yield* wallet
      const server = yield* serving
      const socket = yield* Pair0.make()
      const dialer = yield* Dialer.make(socket, server.listener.url, { tls: { ca: ca.pem } })
      const starting = yield* Effect.fork(Dialer.start(dialer))
      yield* Effect.repeatN(Effect.yieldNow(), steps)
      yield* socket.close
      expect((yield* Effect.exit(Fiber.join(starting)))._tag).toMatch(/Success|Failure/)
      yield* Effect.repeat(Effect.zipRight(turn, Socket.pipes(server.socket).get), {
        until: (pipes) => pipes.length === 0
      })
      yield* serves(server)
    }).pipe(leavesNone, Effect.provide(NodeTransport.layer))
  )
})
