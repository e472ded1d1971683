import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as Address from "effect-nng/Address"
import * as Dialer from "effect-nng/Dialer"
import * as Errors from "effect-nng/Errors"
import * as Listener from "effect-nng/Listener"
import * as Message from "effect-nng/Message"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Pair0 from "effect-nng/Pair0"
import * as Protocol from "effect-nng/Protocol"
import * as Socket from "effect-nng/Socket"
import type * as TlsConfig from "effect-nng/Tls"
import { Transports } from "effect-nng/Transport"
import * as Url from "effect-nng/Url"
import * as Https from "node:https"
import type * as Net from "node:net"
import type { Pair } from "../support/certificates.js"
import * as Certificates from "../support/certificates.js"
import { wallet } from "../support/certificates.js"
import { leavesNone, turn, until } from "../support/handles.js"
import type { Peer } from "../support/peers.js"
import * as Peers from "../support/peers.js"
import { record, tagged } from "../support/peers.js"
import * as TlsPeers from "../support/tls.js"
import * as Ws from "../support/wsPeer.js"

type Test = (title: string, effect: () => Effect.Effect<void, unknown, Scope.Scope | Transports>) => void

const test: Test = (title, effect) =>
  it.scopedLive(title, () => leavesNone(Effect.suspend(effect)).pipe(Effect.provide(NodeTransport.layerWs)))

/** The network is real, and time passes only when the test says so. */
const testStill: Test = (title, effect) =>
  it.scoped(title, () => leavesNone(Effect.suspend(effect)).pipe(Effect.provide(NodeTransport.layerWs)))

const portOf = ({ url }: { readonly url: string }): number => Number(/:(\d+)/.exec(url)?.[1])

const limit = 1000

/** A pair0 listener on a free port, what it and its socket tell, and how one gets in by hand. */
const serving = (tls?: TlsConfig.Source) =>
  Effect.gen(function* () {
    const { ca, server } = yield* wallet
    const socket = yield* Pair0.make({ recvMaxSize: limit })
    const listener = yield* Listener.make(socket, "wss://127.0.0.1:0/path", { tls: tls ?? { ownCert: server } })
    const told = yield* record(Listener.events(listener))
    const pipes = yield* record(Socket.events(socket))
    yield* Listener.start(listener)
    const port = portOf(listener)
    const connect = TlsPeers.dial(port, { ca: ca.pem, host: "127.0.0.1" })
    const enter = Effect.tap(connect, (peer) =>
      Effect.map(Ws.ask(peer, "/path"), (head) => expect(Ws.statusOf(head)).toBe(101))
    )
    return { socket, listener, told, pipes, port, connect, enter }
  })

type Serving = Effect.Effect.Success<ReturnType<typeof serving>>

/** Somebody who does everything right gets a pipe and talks both ways. */
const serves = ({ enter, pipes, socket }: Serving) =>
  Effect.gen(function* () {
    const from = pipes.all.length
    const client = yield* enter
    yield* client.write(Ws.frame(2, "ping"))
    expect(Message.text(yield* Socket.recv(socket))).toBe("ping")
    yield* Socket.send(socket, "pong")
    expect(Buffer.from((yield* Ws.readFrame(client)).payload).toString()).toBe("pong")
    yield* client.write(Ws.frame(8, Uint8Array.of(3, 0xe8)))
    expect((yield* pipes.find(tagged("RemPost"), from)).reason).toMatchObject({ _tag: "NNG_ECONNSHUT" })
  }).pipe(Effect.scoped)

/** A listener, and a dialer that has tried it once. */
const attempt = (listen: TlsConfig.Source, dial: TlsConfig.Source | undefined, host = "127.0.0.1") =>
  Effect.gen(function* () {
    const left = yield* Pair0.make()
    const right = yield* Pair0.make()
    const listener = yield* Listener.make(left, `wss://${host}:0/path`, { tls: listen })
    const told = yield* record(Listener.events(listener))
    yield* Listener.start(listener)
    const dialer = yield* Dialer.make(right, listener.url, { tls: dial })
    const started = yield* Effect.either(Dialer.start(dialer))
    return { left, right, listener, dialer, told, started }
  })

/** They talk both ways, and this is what each end knows of the other. */
const talk = ({ left, right, started }: Effect.Effect.Success<ReturnType<typeof attempt>>) =>
  Effect.gen(function* () {
    expect(started).toEqual(Either.void)
    yield* Socket.send(right, "question")
    expect(Message.text(yield* Socket.recv(left))).toBe("question")
    yield* Socket.send(left, "answer")
    expect(Message.text(yield* Socket.recv(right))).toBe("answer")
    const [[atListener], [atDialer]] = [yield* Socket.pipes(left).get, yield* Socket.pipes(right).get]
    return { atListener: atListener!.properties, atDialer: atDialer!.properties }
  })

const here = ["127.0.0.1"]

type Wallet = Effect.Effect.Success<typeof wallet>

describe("[S15] over wss a dialer refuses a listener whose certificate", () => {
  const cases: ReadonlyArray<readonly [what: string, make: (wallet: Wallet) => Promise<Pair>]> = [
    ["is an unknown authority's", ({ stranger }) => stranger.issue({ names: here })],
    ["has expired", ({ ca }) => ca.issue({ names: here, from: -2, to: -1 })],
    ["is for another host", ({ ca }) => ca.issue({ names: ["10.0.0.1", "localhost"] })],
    ["has signed itself", () => Certificates.selfSigned({ names: here })]
  ]
  for (const [what, make] of cases) {
    test(what, () =>
      Effect.gen(function* () {
        const all = yield* wallet
        const bad = yield* Effect.promise(() => make(all))
        const tried = yield* attempt({ ownCert: bad }, { ca: all.ca.pem })
        expect(Either.flip(tried.started)).toMatchObject({
          right: { _tag: "NNG_EPEERAUTH", code: 27, address: tried.listener.url }
        })
        expect(yield* tried.dialer.state).toEqual({ _tag: "Idle" })
        expect(yield* Socket.pipes(tried.left).get).toEqual([])
      })
    )
  }

  test("is in order, when it has no option at all", () =>
    Effect.gen(function* () {
      const { server } = yield* wallet
      const { started } = yield* attempt({ ownCert: server }, undefined)
      expect(Either.flip(started)).toMatchObject({ right: { _tag: "NNG_EPEERAUTH" } })
    }))
})

describe("[S15] over wss a listener that requires a certificate refuses a dialer", () => {
  for (const [what, ownCert] of [
    ["without one", async () => undefined],
    ["with a stranger's", ({ stranger }: Wallet) => stranger.issue()]
  ] as const) {
    for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
      test(`${what} (${version})`, () =>
        Effect.gen(function* () {
          const all = yield* wallet
          const shown = yield* Effect.promise(() => ownCert(all))
          const { started, told } = yield* attempt(
            { ca: all.ca.pem, ownCert: all.server, authMode: "required", maxVersion: version },
            { ca: all.ca.pem, ownCert: shown }
          )
          // what ends the connection may come before the alert that says why
          expect(Either.getOrThrow(Either.flip(started))._tag).toMatch(/^NNG_(EPEERAUTH|ECONNSHUT|ECONNRESET)$/)
          expect((yield* told.find(tagged("HandshakeFailed"))).error).toMatchObject({ _tag: "NNG_EPEERAUTH" })
        }))
    }
  }
})

describe("over wss", () => {
  for (const host of ["127.0.0.1", "localhost"]) {
    test(`pipes tell of TLS and of WebSocket, on both sides (${host})`, () =>
      Effect.gen(function* () {
        const { ca, client, server } = yield* wallet
        const tried = yield* attempt(
          { ca: ca.pem, ownCert: server, authMode: "required" },
          { ca: ca.pem, ownCert: client },
          host
        )
        const { atDialer, atListener } = yield* talk(tried)
        expect(atListener.tls).toMatchObject({ verified: true, version: "TLSv1.3", peerCommonName: "the client" })
        expect(atDialer.tls).toMatchObject({ verified: true, version: "TLSv1.3", peerCommonName: "the server" })
        for (const { ws } of [atListener, atDialer]) {
          expect(ws).toMatchObject({
            requestUri: "/path",
            subprotocol: "pair.sp.nanomsg.org",
            requestHeaders: { host: `${host}:${portOf(tried.listener)}` }
          })
        }
        expect(atDialer.remoteAddress).toMatchObject({ port: portOf(tried.listener) })
      }))
  }

  test("a dialer that nobody has shown a certificate to is not verified", () =>
    Effect.gen(function* () {
      const { ca, server } = yield* wallet
      const { atListener } = yield* talk(yield* attempt({ ownCert: server }, { ca: ca.pem }))
      expect(atListener.tls).toMatchObject({ verified: false, peerAlternativeNames: [] })
    }))

  test("a listener's certificate is asked for anew for each connection, and pipes keep what they were made with", () =>
    Effect.gen(function* () {
      const { ca } = yield* wallet
      const [first, second] = yield* Effect.promise(() =>
        Promise.all(["first", "second"].map((commonName) => ca.issue({ commonName, names: here })))
      )
      let current: Effect.Effect<TlsConfig.Config, Errors.ENOENT> = Effect.succeed({ ownCert: first })
      const left = yield* Pair0.make()
      const listener = yield* Listener.make(left, "wss://127.0.0.1:0/path", { tls: Effect.suspend(() => current) })
      const told = yield* record(Listener.events(listener))
      yield* Listener.start(listener)
      const seen = Effect.scoped(
        Effect.gen(function* () {
          const right = yield* Pair0.make()
          yield* Socket.dial(right, listener.url, { tls: { ca: ca.pem } })
          const [pipe] = yield* Socket.pipes(right).get
          return pipe!.properties.tls!.peerCommonName
        })
      )
      const gone = Effect.repeat(Effect.zipRight(turn, Socket.pipes(left).get), {
        until: (pipes) => pipes.length === 0
      })
      expect(yield* seen).toBe("first")
      yield* gone
      current = Effect.succeed({ ownCert: second })
      expect(yield* seen).toBe("second")
      yield* gone
      current = Effect.fail(new Errors.ENOENT({ reason: "no file" }))
      expect((yield* Effect.flip(seen))._tag).toMatch(/^NNG_(ECONNSHUT|ECONNRESET)$/)
      expect((yield* told.find(tagged("HandshakeFailed"))).error).toMatchObject({
        reason: expect.stringContaining("no file")
      })
      current = Effect.succeed({ ownCert: first })
      expect(yield* seen).toBe("first")
    }))

  testStill("a source that dies ends the connection that it was run for, and no other", () =>
    Effect.gen(function* () {
      const { server } = yield* wallet
      let dies = false
      const source = Effect.suspend(() => (dies ? Effect.die("a defect") : Effect.succeed({ ownCert: server })))
      const all = yield* serving(source)
      dies = true
      expect(yield* Effect.flip(all.connect)).toBeInstanceOf(Error)
      yield* all.told.find(tagged("HandshakeFailed"))
      dies = false
      yield* serves(all)
    })
  )

  test("what was sent in the tick of the close goes before the goodbye", () =>
    Effect.gen(function* () {
      const { ca, server: own } = yield* wallet
      const server = yield* TlsPeers.listen(TlsPeers.shown(own))
      const transport = (yield* Transports).get("wss")!
      const url = Either.getOrThrow(Url.parse(`wss://127.0.0.1:${server.port}`))
      const target = { url, protocol: Protocol.pair0, recvMaxSize: 0, options: { tls: { ca: ca.pem } } }
      const dialing = yield* Effect.fork(transport.dial(target))
      const peer = yield* server.accept
      yield* Effect.flatMap(Ws.readHead(peer), (asked) => Ws.grant(peer, asked))
      const { messages } = yield* Effect.flatten(dialing.await)
      const large = "last words ".repeat(20_000)
      messages.push(Message.make(large))
      messages.close()
      const said = yield* Ws.readFrame(peer)
      expect([said.op, Buffer.from(said.payload).toString() === large]).toEqual([2, true])
      expect((yield* Ws.readFrame(peer)).op).toBe(8)
    }).pipe(Effect.scoped))

  test("a dialer without a port calls 443", () =>
    Effect.gen(function* () {
      const dialer = yield* Dialer.make(yield* Pair0.make(), "wss://localhost/path")
      expect(Either.getOrThrow(Url.parse(dialer.url)).port).toBe(443)
    }))
})

describe("options", () => {
  for (const [what, role, url, options, error] of [
    ["a listener without a certificate", "listen", "wss://127.0.0.1:0", {}, "NNG_EINVAL"],
    ["a listener with a name for the peer", "listen", "wss://127.0.0.1:0", { tls: { serverName: "a" } }, "NNG_ENOTSUP"],
    ["a dialer with an empty name", "dial", "wss://127.0.0.1:1", { tls: { serverName: "" } }, "NNG_EINVAL"],
    ["ws with TLS", "dial", "ws://127.0.0.1:1" as string, { tls: {} }, "NNG_ENOTSUP"],
    ["ws with a descriptor", "listen", "ws://127.0.0.1:0", { tcp: { listenFd: 0 } }, "NNG_ENOTSUP"]
  ] as const) {
    test(`${what}: ${error}`, () =>
      Effect.gen(function* () {
        const socket = yield* Pair0.make()
        const make = role === "dial" ? Dialer.make : Listener.make
        expect(
          yield* Effect.flip<unknown, Dialer.MakeError, Scope.Scope>(make(socket, url as string, options))
        ).toMatchObject({ _tag: error })
      }))
  }

  test("a listener whose key is not its certificate's does not start", () =>
    Effect.gen(function* () {
      const { client, server } = yield* wallet
      const listener = yield* Listener.make(yield* Pair0.make(), "wss://127.0.0.1:0", {
        tls: { ownCert: { cert: server.cert, key: client.key } }
      })
      expect(yield* Effect.flip(Listener.start(listener))).toMatchObject({ _tag: "NNG_ECRYPTO" })
    }))
})

describe("wss listeners of one host and port", () => {
  const listen = (url: string, tls?: TlsConfig.Source) =>
    Effect.flatMap(Pair0.make(), (socket) => Socket.listen(socket, url, { tls }))

  test("share a server if they have the same value for tls", () =>
    Effect.gen(function* () {
      const { ca, server } = yield* wallet
      const tls = { ownCert: server }
      const { url } = yield* listen("wss://127.0.0.1:0/a", tls)
      const left = yield* Pair0.make()
      yield* Socket.listen(left, url.replace("/a", "/b"), { tls })
      const right = yield* Pair0.make()
      yield* Socket.dial(right, url.replace("/a", "/b"), { tls: { ca: ca.pem } })
      yield* Socket.send(right, "for b")
      expect(Message.text(yield* Socket.recv(left))).toBe("for b")
    }))

  for (const host of ["127.0.0.1", "*"]) {
    test(`cannot with another, nor with ws: NNG_EADDRINUSE says why (${host})`, () =>
      Effect.gen(function* () {
        const { server } = yield* wallet
        const secure = yield* listen(`wss://${host}:0/a`, { ownCert: server })
        const plain = yield* listen(`ws://${host}:0/a`)
        const other = (url: string) => url.replace("/a", "/b")
        expect(yield* Effect.flip(listen(other(secure.url), { ownCert: server }))).toMatchObject({
          _tag: "NNG_EADDRINUSE",
          reason: expect.stringContaining("have TLS by another value")
        })
        expect(yield* Effect.flip(listen(other(secure.url).replace("wss", "ws")))).toMatchObject({
          _tag: "NNG_EADDRINUSE",
          reason: expect.stringContaining("have TLS by another value")
        })
        expect(yield* Effect.flip(listen(other(plain.url).replace("ws", "wss"), { ownCert: server }))).toMatchObject({
          _tag: "NNG_EADDRINUSE",
          reason: expect.stringContaining("have no TLS")
        })
      }))
  }
})

describe("on a server of node:https", () => {
  const httpsServer = Effect.flatMap(wallet, ({ server: own }) =>
    Effect.acquireRelease(
      Effect.async<Https.Server>((resume) => {
        const server = Https.createServer(TlsPeers.shown(own), (_, response) => response.end("hello"))
        server.listen({ host: "127.0.0.1", port: 0 }, () => resume(Effect.succeed(server)))
      }),
      (server) =>
        Effect.sync(() => {
          server.closeAllConnections()
          server.close()
        })
    )
  )

  test("a listener serves its path, and tells of TLS", () =>
    Effect.gen(function* () {
      const { ca } = yield* wallet
      const server = yield* httpsServer
      const { port } = server.address() as Net.AddressInfo
      const [left, right] = [yield* Pair0.make(), yield* Pair0.make()]
      const url = `wss://127.0.0.1:${port}/path`
      yield* Socket.listen(left, url, { ws: { server } })
      yield* Socket.dial(right, url, { tls: { ca: ca.pem } })
      yield* Socket.send(right, "over TLS")
      expect(Message.text(yield* Socket.recv(left))).toBe("over TLS")
      const [pipe] = yield* Socket.pipes(left).get
      expect(pipe!.properties).toMatchObject({
        tls: { verified: false, version: "TLSv1.3" },
        ws: { requestUri: "/path" }
      })
    }))

  test("TLS is the server's: NNG_EINVAL", () =>
    Effect.gen(function* () {
      const { server: ownCert } = yield* wallet
      const server = yield* httpsServer
      const made = Listener.make(yield* Pair0.make(), "wss://127.0.0.1:0/path", { ws: { server }, tls: { ownCert } })
      expect(yield* Effect.flip(made)).toMatchObject({ _tag: "NNG_EINVAL" })
    }))
})

const helloUpTo = (n: number) => Effect.map(TlsPeers.clientHello, (hello) => hello.subarray(0, n))

/** What can have been made by nobody who has the keys. */
const brokenRecord = Buffer.concat([Uint8Array.of(0x17, 3, 3, 0, 64), new Uint8Array(64)])

describe("[S6] a wss listener turns away a client that sends", () => {
  for (const [what, sends, then, error] of [
    ["a request in plain", Effect.succeed(Ws.request("/path")), undefined, "NNG_ECRYPTO"],
    ["an SP header", Effect.succeed(Peers.pair0), undefined, "NNG_ECRYPTO"],
    ["nothing, and closes", helloUpTo(0), "end", "NNG_ECONNSHUT"],
    ["half a ClientHello, and closes", helloUpTo(100), "end", "NNG_ECONNSHUT"],
    ["half a ClientHello, and cuts the connection", helloUpTo(100), "reset", "NNG_ECONNRESET"]
  ] as const) {
    test(`${what}: ${error}`, () =>
      Effect.gen(function* () {
        const all = yield* serving()
        const client = yield* Peers.dial(all.port)
        const { localPort } = client.socket
        client.socket.write(yield* sends)
        yield* Effect.repeatN(turn, 10)
        if (then !== undefined) yield* client[then]
        const failed = yield* all.told.find(tagged("HandshakeFailed"))
        expect(failed.error).toMatchObject({ _tag: error })
        expect(failed.remoteAddress).toEqual(Address.inet("127.0.0.1", localPort!))
        if (then === undefined) yield* client.closed
        yield* serves(all)
        expect(all.told.tags()).toEqual(["Listening", "HandshakeFailed"])
      }))
  }

  for (const [what, play, status, error] of [
    ["an SP header within TLS", (peer: Peer) => peer.write(Peers.pair0), 400, "NNG_EPROTO"],
    ["a request for nobody", (peer: Peer) => peer.write(Ws.request("/elsewhere")), 404, "NNG_EPROTO"],
    [
      "a request from a foreign page",
      (peer: Peer) => peer.write(Ws.request("/path", { Origin: "https://elsewhere.example" })),
      403,
      "NNG_EPEERAUTH"
    ]
  ] as const) {
    test(`${what}: ${status}, over TLS and whole, ${error}`, () =>
      Effect.gen(function* () {
        const all = yield* serving()
        const client = yield* all.connect
        yield* play(client)
        const head = yield* Ws.readHead(client)
        expect(Ws.statusOf(head)).toBe(status)
        yield* client.read(Number(head.headers["content-length"] ?? 1))
        yield* client.closed
        expect((yield* all.told.find(tagged("HandshakeFailed"))).error).toMatchObject({ _tag: error })
        yield* serves(all)
      }))
  }

  test("half a request within TLS, and cuts the connection: it is told of", () =>
    Effect.gen(function* () {
      const all = yield* serving()
      const client = yield* all.connect
      yield* client.write(Buffer.from("GET /path HT"))
      yield* Effect.repeatN(turn, 10)
      yield* client.reset
      expect((yield* all.told.find(tagged("HandshakeFailed"))).error._tag).toMatch(
        /^NNG_(ECONNSHUT|ECONNRESET|EPROTO)$/
      )
      yield* serves(all)
    }))

  test("a record that is broken, before it has asked for anything: NNG_ECRYPTO", () =>
    Effect.gen(function* () {
      const { ca } = yield* wallet
      const all = yield* serving()
      const below = yield* Peers.dial(all.port)
      const client = yield* TlsPeers.over(below, { ca: ca.pem, host: "127.0.0.1" })
      // both ends are in this process: by then ours is done with the handshake
      yield* Effect.repeatN(turn, 20)
      yield* below.write(brokenRecord)
      expect((yield* all.told.find(tagged("HandshakeFailed"))).error).toMatchObject({ _tag: "NNG_ECRYPTO" })
      yield* client.closed
      yield* serves(all)
    }))

  test("half a request within TLS, and closes: NNG_EPROTO", () =>
    Effect.gen(function* () {
      const all = yield* serving()
      const client = yield* all.connect
      yield* client.write(Buffer.from("GET /path HT"))
      yield* client.end
      expect((yield* all.told.find(tagged("HandshakeFailed"))).error).toMatchObject({ _tag: "NNG_EPROTO" })
      yield* serves(all)
    }))

  test("a page of the host itself gets in", () =>
    Effect.gen(function* () {
      const { connect, port } = yield* serving()
      const head = yield* Ws.ask(yield* connect, "/path", {
        Host: `127.0.0.1:${port}`,
        Origin: `https://127.0.0.1:${port}`
      })
      expect(Ws.statusOf(head)).toBe(101)
    }))

  test("[S1] a frame over the limit: NNG_EMSGSIZE", () =>
    Effect.gen(function* () {
      const all = yield* serving()
      const client = yield* all.enter
      yield* client.write(Ws.frame(2, "", { length: 2n ** 60n }))
      expect(Buffer.from((yield* Ws.readFrame(client)).payload).readUInt16BE()).toBe(1009)
      expect((yield* all.pipes.find(tagged("RemPost"))).reason).toMatchObject({ _tag: "NNG_EMSGSIZE" })
      yield* serves(all)
    }))
})

describe("a TLS client", () => {
  test("at a ws port is answered in plain: NNG_ECRYPTO for our dialer, NNG_EPROTO for the listener", () =>
    Effect.gen(function* () {
      const { ca } = yield* wallet
      const listener = yield* Listener.make(yield* Pair0.make(), "ws://127.0.0.1:0/path")
      const told = yield* record(Listener.events(listener))
      yield* Listener.start(listener)
      const dialer = yield* Dialer.make(yield* Pair0.make(), listener.url.replace("ws", "wss"), {
        tls: { ca: ca.pem }
      })
      expect(yield* Effect.flip(Dialer.start(dialer))).toMatchObject({ _tag: "NNG_ECRYPTO", address: dialer.url })
      expect((yield* told.find(tagged("HandshakeFailed"))).error).toMatchObject({ _tag: "NNG_EPROTO" })
    }))

  test("in plain at a wss port: NNG_EPROTO, or the end of the connection, for our dialer", () =>
    Effect.gen(function* () {
      const all = yield* serving()
      const dialer = yield* Dialer.make(yield* Pair0.make(), all.listener.url.replace("wss", "ws"))
      expect((yield* Effect.flip(Dialer.start(dialer)))._tag).toMatch(/^NNG_(EPROTO|ECONNSHUT|ECONNRESET)$/)
      expect((yield* all.told.find(tagged("HandshakeFailed"))).error).toMatchObject({ _tag: "NNG_ECRYPTO" })
      yield* serves(all)
    }))
})

describe("[S5] peers of wss that take their time", () => {
  const cases: ReadonlyArray<readonly [what: string, at: (all: Serving) => Effect.Effect<Peer, unknown, Scope.Scope>]> =
    [
      ["say nothing", ({ port }) => Peers.dial(port)],
      [
        "stop within their ClientHello",
        ({ port }) =>
          Effect.tap(Peers.dial(port), (client) =>
            Effect.flatMap(helloUpTo(50), (some) => Effect.zipRight(client.write(some), Effect.repeatN(turn, 5)))
          )
      ],
      [
        "say nothing after their ClientHello",
        ({ port }) =>
          Effect.tap(Peers.dial(port), (client) =>
            Effect.zipRight(Effect.flatMap(TlsPeers.clientHello, client.write), client.read(100))
          )
      ],
      ["say nothing after the TLS handshake", ({ connect }) => connect],
      [
        "stop within their request",
        ({ connect }) =>
          Effect.tap(connect, (client) =>
            Effect.zipRight(client.write(Buffer.from("GET /path HTTP/1.1\r\nHo")), Effect.repeatN(turn, 10))
          )
      ]
    ]
  for (const [what, reach] of cases) {
    testStill(`${what}: ten seconds in all, and others get in meanwhile`, () =>
      Effect.gen(function* () {
        const all = yield* serving()
        const client = yield* reach(all)
        yield* TestClock.adjust("9999 millis")
        expect(all.told.tags()).toEqual(["Listening"])
        yield* serves(all)
        yield* TestClock.adjust("1 millis")
        expect((yield* all.told.find(tagged("HandshakeFailed"))).error).toMatchObject({ _tag: "NNG_ETIMEDOUT" })
        yield* client.closed
        yield* serves(all)
      })
    )
  }

  testStill("are cut when 256 others have come: the oldest make room, whatever their stage", () =>
    Effect.gen(function* () {
      const all = yield* serving()
      const oldest = yield* all.connect
      const next = yield* Peers.dial(all.port)
      const others = yield* Effect.forEach(Array.from({ length: 300 }), () => Peers.dial(all.port), { concurrency: 50 })
      yield* oldest.closed
      yield* next.closed
      yield* serves(all)
      let open = 0
      yield* until(
        () => (open = others.filter(({ socket }) => socket.readyState === "open").length) <= 256,
        () => open
      )
      expect(open).toBeGreaterThan(0)
    })
  )

  for (const [what, stage] of [
    ["TLS", "below"],
    ["HTTP", "above"]
  ] as const) {
    testStill(`a listener that is silent in ${what} fails a dialer after ten seconds`, () =>
      Effect.gen(function* () {
        const { ca, server: own } = yield* wallet
        const silent = stage === "below" ? yield* Peers.listen() : yield* TlsPeers.listen(TlsPeers.shown(own))
        const dialer = yield* Dialer.make(yield* Pair0.make(), `wss://127.0.0.1:${silent.port}`, {
          tls: { ca: ca.pem }
        })
        const starting = yield* Effect.fork(Effect.flip(Dialer.start(dialer)))
        const peer = yield* silent.accept
        yield* stage === "below" ? peer.read(10) : Ws.readHead(peer)
        yield* TestClock.adjust("9999 millis")
        expect(starting.unsafePoll()).toBeNull()
        yield* TestClock.adjust("1 millis")
        expect(yield* starting).toMatchObject({ _tag: "NNG_ETIMEDOUT" })
        yield* peer.closed
      })
    )
  }
})

describe("[S17] many clients of wss that come and go", () => {
  test("at any point leave nothing", () =>
    Effect.gen(function* () {
      const all = yield* serving()
      const hello = yield* TlsPeers.clientHello
      for (let i = 0; i < 40; i++) {
        yield* Effect.scoped(
          Effect.gen(function* () {
            const client = i % 4 === 3 ? yield* all.connect : yield* Peers.dial(all.port)
            if (i % 4 < 3) yield* client.write(hello.subarray(0, (i * 13) % (hello.length + 1)))
            yield* Effect.repeatN(turn, i % 3)
            yield* client[i % 2 === 0 ? "end" : "reset"]
          })
        )
      }
      yield* all.told.find(tagged("HandshakeFailed"), 40)
      yield* serves(all)
      expect((yield* all.listener.statistics).pipes).toBe(0)
    }))
})
