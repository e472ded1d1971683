import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as Dialer from "effect-nng/Dialer"
import * as Listener from "effect-nng/Listener"
import * as Message from "effect-nng/Message"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Pair0 from "effect-nng/Pair0"
import * as Socket from "effect-nng/Socket"
import type { Transports } from "effect-nng/Transport"
import { wallet } from "../support/certificates.js"
import { leavesNone, turn } from "../support/handles.js"
import * as Paths from "../support/paths.js"
import type { Peer } from "../support/peers.js"
import * as Peers from "../support/peers.js"
import { bytes, frame, header, length, pair0, record, tagged } from "../support/peers.js"
import * as TlsPeers from "../support/tls.js"

/** What a transport is attacked by. A transport of bytes comes in here with one row. */
interface Target {
  readonly name: string
  readonly url: Effect.Effect<string, never, Scope.Scope>
  readonly connect: (url: string) => Effect.Effect<Peer, Error, Scope.Scope>
  /** What stands in front of each message's length. */
  readonly marker: Uint8Array
}

const noMarker = new Uint8Array(0)
const tcp = (url: string) => Peers.dial(Peers.portOf({ url }), url.includes("[") ? { host: "::1" } : {})
const path = (url: string) => Peers.dialPath(Paths.pathOf({ url }))

const tls = (url: string) =>
  Effect.flatMap(wallet, ({ ca }) => TlsPeers.dial(Peers.portOf({ url }), { ca: ca.pem, host: "127.0.0.1" }))

/** All of Node's, and certificates for those that need them. */
const layer = Layer.unwrapEffect(
  Effect.map(wallet, ({ ca, server }) =>
    TlsPeers.withOptions(NodeTransport.layer, {
      dial: { tls: { ca: ca.pem } },
      listen: { tls: { ownCert: server } }
    })
  )
)

const targets: ReadonlyArray<Target> = [
  { name: "tcp", url: Effect.succeed("tcp://127.0.0.1:0"), connect: tcp, marker: noMarker },
  { name: "tcp6", url: Effect.succeed("tcp6://[::1]:0"), connect: tcp, marker: noMarker },
  { name: "tls+tcp", url: Effect.succeed("tls+tcp://127.0.0.1:0"), connect: tls, marker: noMarker },
  { name: "ipc", url: Paths.url("ipc"), connect: path, marker: Uint8Array.of(1) },
  ...(Paths.abstract ? [{ name: "abstract", url: Paths.name, connect: path, marker: Uint8Array.of(1) }] : [])
]

/** The network is real and the clock stands still. */
const test = <E>(name: string, effect: () => Effect.Effect<void, E, Scope.Scope | Transports>): void =>
  it.effect(name, () => leavesNone(Effect.suspend(effect)).pipe(Effect.provide(layer)), 60_000)

const limit = 1024 * 1024

for (const { connect, marker, name, url } of targets) {
  const serving = Effect.gen(function* () {
    const socket = yield* Pair0.make({ recvMaxSize: limit })
    const listener = yield* Listener.make(socket, yield* url)
    const told = yield* record(Listener.events(listener))
    const pipes = yield* record(Socket.events(socket))
    yield* Listener.start(listener)
    return { socket, listener, told, pipes, client: connect(listener.url) }
  })

  /** A client that does everything right is served. */
  const serves = ({ client, pipes, socket }: Effect.Effect.Success<typeof serving>) =>
    Effect.scoped(
      Effect.gen(function* () {
        const from = pipes.all.length
        const good = yield* client
        yield* good.write(pair0, marker, frame("ping"))
        expect(Message.text(yield* Socket.recv(socket))).toBe("ping")
        yield* good.end
        yield* pipes.find(tagged("RemPost"), from)
      })
    )

  describe(`attacks on ${name}`, () => {
    const lengths: ReadonlyArray<bigint> = [
      BigInt(limit) + 1n,
      2n ** 31n,
      2n ** 32n,
      2n ** 53n - 1n,
      2n ** 53n,
      2n ** 60n - 1n,
      2n ** 60n,
      2n ** 63n,
      2n ** 64n - 1n
    ]
    for (const n of lengths) {
      test(`[S1] a length of ${n} ends that pipe, and nobody else's`, () =>
        Effect.gen(function* () {
          const server = yield* serving
          const peer = yield* server.client
          yield* peer.write(pair0, marker, frame("good"), marker, length(n))
          expect(Message.text(yield* Socket.recv(server.socket))).toBe("good")
          expect((yield* server.pipes.find(tagged("RemPost"))).reason).toMatchObject({ _tag: "NNG_EMSGSIZE" })
          yield* peer.closed
          yield* serves(server)
        }))
    }

    for (const n of [0, limit]) {
      test(`[S1] a length of ${n} is good`, () =>
        Effect.gen(function* () {
          const server = yield* serving
          const peer = yield* server.client
          yield* peer.write(pair0, marker, frame(new Uint8Array(n)))
          expect((yield* Socket.recv(server.socket)).length).toBe(n)
        }))
    }

    test("[S2] announcing a message costs nothing, on many connections", () =>
      Effect.gen(function* () {
        const sockets = yield* Effect.forEach(Array.from({ length: 100 }), () => serving)
        const memory = process.memoryUsage().arrayBuffers
        for (const server of sockets) {
          const peer = yield* server.client
          yield* peer.write(pair0, marker, frame("x"), marker, length(limit - 1), new Uint8Array(10))
          // what follows has been read with it
          yield* Socket.recv(server.socket)
        }
        expect(process.memoryUsage().arrayBuffers - memory).toBeLessThan(32 * 1024 * 1024)
      }))

    test("[S3] a message in crumbs of one byte arrives, and what is kept for it is its own size", () =>
      Effect.gen(function* () {
        const server = yield* serving
        const peer = yield* server.client
        yield* peer.drip(Buffer.concat([pair0, marker, frame("slowly but whole"), marker, frame("")]))
        expect(Message.text(yield* Socket.recv(server.socket))).toBe("slowly but whole")
        expect((yield* Socket.recv(server.socket)).length).toBe(0)
      }))

    test("[S3] a flood of empty messages waits with the sender, and each arrives", () =>
      Effect.gen(function* () {
        const server = yield* serving
        const peer = yield* server.client
        const flood = 50_000
        const one = Buffer.concat([marker, frame("")])
        peer.socket.write(Buffer.concat([pair0, ...Array.from({ length: flood }, () => one)]))
        yield* server.pipes.find(tagged("AddPost"))
        yield* Effect.repeatN(turn, 50)
        let came = 0
        let most = 0
        while (came < flood) {
          const messages = yield* Socket.recvChunk(server.socket)
          came += messages.length
          most = Math.max(most, messages.length)
        }
        expect(came).toBe(flood)
        // no more is held at a time than one read brought
        expect(most * one.length).toBeLessThanOrEqual(256 * 1024)
      }))

    test("[S4] nothing is ever compressed: what is sent is what is on the wire", () =>
      Effect.gen(function* () {
        const server = yield* serving
        const peer = yield* server.client
        yield* peer.write(pair0)
        const zeros = new Uint8Array(10_000)
        yield* Effect.fork(Socket.send(server.socket, zeros))
        const expected = Buffer.concat([pair0, marker, frame(new Uint8Array(10_000))])
        expect(Buffer.compare(yield* peer.read(expected.length), expected)).toBe(0)
      }))

    test("[S5] silent clients and clients that drip hold off nobody, and are gone after ten seconds", () =>
      Effect.gen(function* () {
        const server = yield* serving
        // one in each turn of the event loop: the system lets no more wait than the backlog
        const silent = yield* Effect.replicateEffect(Effect.zipLeft(server.client, turn), 200)
        yield* Effect.forEach(silent, (one) => one.read(8), { discard: true })
        yield* serves(server)
        for (let second = 1; second < 10; second++) {
          if (second <= 7) yield* silent[0]!.write(pair0.subarray(second - 1, second))
          yield* TestClock.adjust("1 second")
        }
        yield* serves(server)
        expect(server.told.tags()).toEqual(["Listening"])
        yield* TestClock.adjust("1 second")
        yield* Effect.forEach(silent, (one) => one.closed, { discard: true })
        expect((yield* server.listener.statistics).failures).toEqual({ NNG_ETIMEDOUT: 200 })
        yield* serves(server)
      }))

    const clientHello = bytes(`160301020001${"00".repeat(3)}0303${"5a".repeat(32)}`)
    const noises: ReadonlyArray<readonly [what: string, sends: Uint8Array]> = [
      ["HTTP", Buffer.from("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")],
      ["a TLS hello", clientHello],
      ["a message's marker", Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0)],
      ...[0, 1, 2, 3, 6, 7].map(
        (i) => [`a header with a wrong byte ${i}`, Buffer.from(pair0).fill(0x7f, i, i + 1)] as const
      )
    ]
    for (const [what, sends] of noises) {
      test(`[S6] ${what} is not SP`, () =>
        Effect.gen(function* () {
          const server = yield* serving
          const peer = yield* server.client
          yield* peer.write(sends)
          expect((yield* server.told.find(tagged("HandshakeFailed"))).error).toMatchObject({ _tag: "NNG_EPROTO" })
          yield* peer.closed
          yield* serves(server)
        }))
    }

    test("[S6] a peer of another protocol is turned away, and one that leaves early leaves nothing", () =>
      Effect.gen(function* () {
        const server = yield* serving
        const other = yield* server.client
        yield* other.write(header(0x31))
        expect((yield* server.pipes.find(tagged("RemPost"))).reason).toMatchObject({ _tag: "NNG_EPROTO" })
        for (let n = 0; n < 8; n++) {
          const from = server.told.all.length
          const peer = yield* server.client
          yield* peer.read(8)
          if (n > 0) yield* peer.write(pair0.subarray(0, n))
          yield* peer.end
          expect((yield* server.told.find(tagged("HandshakeFailed"), from)).error).toMatchObject({
            _tag: "NNG_ECONNSHUT"
          })
        }
        yield* serves(server)
      }))

    test("[S9] connections that come and are cut at once leave the listener as it was", () =>
      Effect.gen(function* () {
        const server = yield* serving
        for (let i = 0; i < 50; i++) {
          yield* Effect.scoped(
            Effect.gen(function* () {
              const peer = yield* server.client
              if (i % 3 > 0) yield* peer.write(pair0.subarray(0, i % 8))
              if (i % 3 === 2) yield* turn
              yield* Effect.sync(() => peer.socket.destroy())
            })
          )
        }
        yield* serves(server)
      }))

    if (marker.length > 0) {
      for (const byte of [0, 2, 0xff]) {
        test(`[S10] a message that begins with ${byte} ends the pipe`, () =>
          Effect.gen(function* () {
            const server = yield* serving
            const peer = yield* server.client
            yield* peer.write(pair0, marker, frame("good"), Uint8Array.of(byte), frame("bad"))
            expect(Message.text(yield* Socket.recv(server.socket))).toBe("good")
            expect((yield* server.pipes.find(tagged("RemPost"))).reason).toMatchObject({ _tag: "NNG_EPROTO" })
            yield* peer.closed
            yield* serves(server)
          }))
      }
    }

    test("[S10] what goes out is what was given, and nothing that was in memory before", () =>
      Effect.gen(function* () {
        const server = yield* serving
        const peer = yield* server.client
        yield* peer.write(pair0)
        yield* server.pipes.find(tagged("AddPost"))
        const sizes = [0, 1, 7, 100, 3000, 70_000]
        yield* Effect.fork(
          Socket.sendAll(
            server.socket,
            sizes.map((size) => new Uint8Array(size).fill(0xee))
          )
        )
        const expected = Buffer.concat([
          pair0,
          ...sizes.flatMap((size) => [marker, frame(new Uint8Array(size).fill(0xee))])
        ])
        expect(Buffer.compare(yield* peer.read(expected.length), expected)).toBe(0)
      }))

    test("[S20] neither contents nor handshakes are logged", () =>
      Effect.gen(function* () {
        const lines: Array<string> = []
        const logger = Logger.make(({ annotations, cause, message }) => {
          lines.push(JSON.stringify([message, [...annotations], String(cause)]))
        })
        yield* Effect.gen(function* () {
          const server = yield* serving
          const bad = yield* server.client
          yield* bad.write(Buffer.from("planted-secret-1 and more"))
          yield* bad.closed
          const over = yield* server.client
          yield* over.write(
            pair0,
            marker,
            frame("planted-secret-2"),
            marker,
            length(2n ** 62n),
            Buffer.from("planted-secret-3")
          )
          expect(Message.text(yield* Socket.recv(server.socket))).toBe("planted-secret-2")
          yield* server.pipes.find(tagged("RemPost"))
          lines.push(JSON.stringify([server.socket, server.listener, server.told.all, server.pipes.all]))
        }).pipe(Effect.provide(Logger.replace(Logger.defaultLogger, logger)), Logger.withMinimumLogLevel(LogLevel.All))
        expect(lines.length).toBeGreaterThan(1)
        expect(lines.join("\n")).not.toMatch(/planted-secret|706c616e746564/)
      }))
  })
}

describe("attacks by a URL", () => {
  test("[S14, S15, S16] a program that has tcp alone is led to no file, and to no plain connection where TLS is asked for", () =>
    Effect.gen(function* () {
      const only = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.provide(effect, NodeTransport.layerTcp)
      yield* Effect.gen(function* () {
        const socket = yield* Pair0.make()
        for (const url of [
          "ipc:///tmp/x",
          "unix:///tmp/x",
          "abstract://x",
          "socket://",
          "inproc://x",
          "tls+tcp://127.0.0.1:1",
          "wss://127.0.0.1:1/"
        ]) {
          expect(yield* Effect.flip(Dialer.make(socket, url))).toMatchObject({ _tag: "NNG_ENOTSUP", address: url })
          expect(yield* Effect.flip(Listener.make(socket, url))).toMatchObject({ _tag: "NNG_ENOTSUP", address: url })
        }
      }).pipe(only)
    }))
})
