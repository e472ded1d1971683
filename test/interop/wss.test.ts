import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Dialer from "effect-nng/Dialer"
import * as Listener from "effect-nng/Listener"
import * as Message from "effect-nng/Message"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Pub0 from "effect-nng/Pub0"
import * as Rep0 from "effect-nng/Rep0"
import * as Req0 from "effect-nng/Req0"
import * as Socket from "effect-nng/Socket"
import * as Sub0 from "effect-nng/Sub0"
import type * as Tls from "effect-nng/Tls"
import type { Transports } from "effect-nng/Transport"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Pair } from "../support/certificates.js"
import { wallet } from "../support/certificates.js"
import { leavesNone } from "../support/handles.js"
import * as Nngcats from "../support/nngcat.js"
import { record, tagged } from "../support/peers.js"

const test = <E>(name: string, effect: () => Effect.Effect<void, E, Scope.Scope | Transports>): void =>
  it.scopedLive(name, () => leavesNone(Effect.suspend(effect)).pipe(Effect.provide(NodeTransport.layerWs)), 30_000)

/** What libnng reads from files: for as long as the scope lives. */
const files = Effect.gen(function* () {
  const all = yield* wallet
  const root = yield* Effect.acquireRelease(
    Effect.promise(() => mkdtemp(join(tmpdir(), "effect-nng-wss-"))),
    (path) => Effect.promise(() => rm(path, { recursive: true }))
  )
  const write = (name: string, text: string) =>
    Effect.as(
      Effect.promise(() => writeFile(join(root, name), text, { mode: 0o600 })),
      join(root, name)
    )
  const own = (name: string, { cert, key }: Pair) =>
    Effect.all([write(`${name}.pem`, cert), write(`${name}.key`, Redacted.value(key))]).pipe(
      Effect.map(([cert, key]) => ["--cert", cert, "--key", key])
    )
  return {
    ...all,
    trust: ["--cacert", yield* write("ca.pem", all.ca.pem)],
    trustStranger: ["--cacert", yield* write("stranger.pem", all.stranger.pem)],
    showServer: yield* own("server", all.server),
    showClient: yield* own("client", all.client)
  }
})

/** Those that get nothing take no word on how to print it. */
const as = (protocol: string) => (protocol === "pub0" ? ["--pub0"] : [`--${protocol}`, "--quoted"])

/** We listen, by a name that libnng can verify: of addresses it never can. */
const weListen = <S extends Socket.Socket, E>(make: Effect.Effect<S, E, Scope.Scope | Transports>, tls: Tls.Source) =>
  Effect.gen(function* () {
    const socket = yield* make
    const listener = yield* Listener.make(socket, "wss://localhost:0/path", { tls })
    const told = yield* record(Listener.events(listener))
    yield* Listener.start(listener)
    const cat = (protocol: string, ...args: ReadonlyArray<string>) =>
      Nngcats.run(...as(protocol), "--dial", listener.url, ...args)
    return { socket, told, cat }
  })

/** Not by nobody's being there yet. */
const refused = (event: Dialer.Event): event is Extract<Dialer.Event, { readonly _tag: "Failed" }> =>
  event._tag === "Failed" && event.error._tag !== "NNG_ECONNREFUSED"

class PortTaken extends Error {}

/** nngcat listens, and we dial until it answers. */
const weDial = <S extends Socket.Socket, E>(
  make: Effect.Effect<S, E, Scope.Scope | Transports>,
  tls: Tls.Source,
  protocol: string,
  ...args: ReadonlyArray<string>
) =>
  Effect.gen(function* () {
    const url = `wss://localhost:${yield* Nngcats.freePort}/path`
    const socket = yield* make
    const dialer = yield* Dialer.make(socket, url, { reconnectMin: "50 millis", tls })
    const told = yield* record(Dialer.events(dialer))
    const cat = yield* Nngcats.run(...as(protocol), "--listen", url, ...args)
    yield* Dialer.start(dialer, { nonblocking: true })
    yield* Effect.raceFirst(
      Effect.raceFirst(told.find(tagged("Connected")), told.find(refused)),
      Effect.flatMap(cat.ended, (errors) => Effect.fail(new PortTaken(errors)))
    )
    return { socket, cat, told }
  }).pipe(Effect.retry({ times: 3, while: (error) => error instanceof PortTaken }))

const properties = (socket: Socket.Socket) => Effect.map(Socket.pipes(socket).get, ([pipe]) => pipe?.properties)

const subscribed = Effect.tap(Sub0.make(), (socket) => Sub0.subscribe(socket, ""))

const exclaim = (request: Message.Message) => Effect.succeed(`${Message.text(request)}!`)

Nngcats.suite("nngcat over wss", () => {
  test("--req that dials us verifies us and shows its certificate, and is answered", () =>
    Effect.gen(function* () {
      const { ca, server, showClient, trust } = yield* files
      const { cat, socket } = yield* weListen(Rep0.make(), { ownCert: server, ca: ca.pem, authMode: "required" })
      yield* Effect.forkScoped(Rep0.serve(socket, exclaim))
      const peer = yield* cat("req0", ...trust, ...showClient, "-D", "ping")
      yield* peer.prints('"ping!"\n')
    }))

  test("--rep that dials us answers us, and our pipe tells of both", () =>
    Effect.gen(function* () {
      const { ca, server, showClient, trust } = yield* files
      const { cat, socket } = yield* weListen(Req0.make(), { ownCert: server, ca: ca.pem, authMode: "required" })
      yield* cat("rep0", ...trust, ...showClient, "-D", "pong")
      expect(Message.text(yield* Req0.request(socket, "ping"))).toBe("pong")
      expect(yield* properties(socket)).toMatchObject({
        tls: { verified: true, peerCommonName: "the client" },
        ws: { requestUri: "/path", subprotocol: "req.sp.nanomsg.org" }
      })
    }))

  test("--sub that dials us gets what we publish", () =>
    Effect.gen(function* () {
      const { server, trust } = yield* files
      const { cat, socket } = yield* weListen(Pub0.make(), { ownCert: server })
      const peer = yield* cat("sub0", ...trust, "--subscribe", "")
      yield* Socket.awaitPeers(socket, 1)
      yield* Socket.sendAll(socket, ["one", "two", "three"])
      yield* peer.prints('"one"\n"two"\n"three"\n')
    }))

  test("--pub that dials us publishes to us", () =>
    Effect.gen(function* () {
      const { server, trust } = yield* files
      const { cat, socket } = yield* weListen(subscribed, { ownCert: server })
      yield* cat("pub0", ...trust, "-D", "news", "--interval", "1")
      expect(Message.text(yield* Socket.recv(socket))).toBe("news")
    }))

  test("that dials us and trusts another authority refuses us, and the next one gets in", () =>
    Effect.gen(function* () {
      const { server, trust, trustStranger } = yield* files
      const { cat, socket, told } = yield* weListen(Req0.make(), { ownCert: server })
      yield* cat("rep0", ...trustStranger, "-D", "pong")
      expect((yield* told.find(tagged("HandshakeFailed"))).error._tag).toMatch(
        /^NNG_(EPEERAUTH|ECRYPTO|ECONNSHUT|ECONNRESET)$/
      )
      yield* cat("rep0", ...trust, "-D", "pong")
      expect(Message.text(yield* Req0.request(socket, "ping"))).toBe("pong")
    }))

  test("--rep that we dial is verified, and answers us", () =>
    Effect.gen(function* () {
      const { ca, showServer } = yield* files
      const { socket } = yield* weDial(Req0.make(), { ca: ca.pem }, "rep0", ...showServer, "-D", "pong")
      const answers = yield* Effect.forEach(["one", "two", "three"], (text) => Req0.request(socket, text))
      expect(answers.map(Message.text)).toEqual(["pong", "pong", "pong"])
      expect(yield* properties(socket)).toMatchObject({ tls: { verified: true, peerCommonName: "the server" } })
    }))

  test("--req that we dial is answered", () =>
    Effect.gen(function* () {
      const { ca, showServer } = yield* files
      const { cat, socket } = yield* weDial(Rep0.make(), { ca: ca.pem }, "req0", ...showServer, "-D", "ping", "-i", "1")
      yield* Effect.forkScoped(Rep0.serve(socket, exclaim))
      yield* cat.prints('"ping!"\n')
    }))

  test("--sub that we dial gets what we publish", () =>
    Effect.gen(function* () {
      const { ca, showServer } = yield* files
      const { cat, socket } = yield* weDial(Pub0.make(), { ca: ca.pem }, "sub0", ...showServer, "--subscribe", "")
      yield* Socket.sendAll(socket, ["one", "two", "three"])
      yield* cat.prints('"one"\n"two"\n"three"\n')
    }))

  test("--pub that we dial publishes to us", () =>
    Effect.gen(function* () {
      const { ca, showServer } = yield* files
      const { socket } = yield* weDial(
        subscribed,
        { ca: ca.pem },
        "pub0",
        ...showServer,
        "-D",
        "news",
        "--interval",
        "1"
      )
      expect(Message.text(yield* Socket.recv(socket))).toBe("news")
    }))

  test("that we dial shows the certificate of an unknown authority, and is refused", () =>
    Effect.gen(function* () {
      const { showServer, stranger } = yield* files
      const { told } = yield* weDial(Req0.make(), { ca: stranger.pem }, "rep0", ...showServer, "-D", "pong")
      expect(yield* told.find(refused)).toMatchObject({ error: { _tag: "NNG_EPEERAUTH" } })
    }))
})
