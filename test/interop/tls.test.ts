import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Dialer from "effect-nng/Dialer"
import * as Listener from "effect-nng/Listener"
import * as Message from "effect-nng/Message"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Pair0 from "effect-nng/Pair0"
import * as Rep0 from "effect-nng/Rep0"
import * as Req0 from "effect-nng/Req0"
import * as Socket from "effect-nng/Socket"
import type * as Tls from "effect-nng/Tls"
import type { Transports } from "effect-nng/Transport"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Pair } from "../support/certificates.js"
import { wallet } from "../support/certificates.js"
import { leavesNone } from "../support/handles.js"
import * as CPeers from "../support/cpeer.js"
import * as Nngcats from "../support/nngcat.js"
import { record, tagged } from "../support/peers.js"

const test = <E>(name: string, effect: () => Effect.Effect<void, E, Scope.Scope | Transports>): void =>
  it.scopedLive(name, () => leavesNone(Effect.suspend(effect)).pipe(Effect.provide(NodeTransport.layerTls)), 30_000)

/** What libnng reads from files: for as long as the scope lives. */
const files = Effect.gen(function* () {
  const all = yield* wallet
  const root = yield* Effect.acquireRelease(
    Effect.promise(() => mkdtemp(join(tmpdir(), "effect-nng-tls-"))),
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
    server: all.server,
    showServer: yield* own("server", all.server),
    showClient: yield* own("client", all.client),
    write
  }
})

/** We listen, by a name that libnng can verify: of addresses it never can. */
const weListen = (tls: Tls.Source) =>
  Effect.gen(function* () {
    const socket = yield* Pair0.make()
    const listener = yield* Listener.make(socket, "tls+tcp://localhost:0", { tls })
    const told = yield* record(Listener.events(listener))
    yield* Listener.start(listener)
    const cat = (...args: ReadonlyArray<string>) => Nngcats.run("--pair0", "--dial", listener.url, "--quoted", ...args)
    return { socket, told, cat }
  })

/** Not by nobody's being there yet. */
const refused = (event: Dialer.Event): event is Extract<Dialer.Event, { readonly _tag: "Failed" }> =>
  event._tag === "Failed" && event.error._tag !== "NNG_ECONNREFUSED"

class PortTaken extends Error {}

/** nngcat listens, and we dial until it answers. */
const weDial = (tls: Tls.Source, ...args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const url = `tls+tcp://127.0.0.1:${yield* Nngcats.freePort}`
    const socket = yield* Pair0.make()
    const dialer = yield* Dialer.make(socket, url, { reconnectMin: "50 millis", tls })
    const told = yield* record(Dialer.events(dialer))
    const cat = yield* Nngcats.run("--pair0", "--listen", url, "--quoted", ...args)
    yield* Dialer.start(dialer, { nonblocking: true })
    const settled = Effect.raceFirst(told.find(tagged("Connected")), told.find(refused))
    yield* Effect.raceFirst(
      settled,
      Effect.flatMap(cat.ended, (errors) => Effect.fail(new PortTaken(errors)))
    )
    return { socket, cat, told }
  }).pipe(Effect.retry({ times: 3, while: (error) => error instanceof PortTaken }))

const properties = (socket: Socket.Socket) => Effect.map(Socket.pipes(socket).get, ([pipe]) => pipe?.properties.tls)

const MiB = 1024 * 1024
const large = Buffer.alloc(MiB, Array.from({ length: 251 }, (_, i) => String.fromCharCode(33 + (i % 90))).join(""))

Nngcats.suite("nngcat over TLS", () => {
  test("that dials us verifies us, and we talk both ways", () =>
    Effect.gen(function* () {
      const { server, trust } = yield* files
      const { cat, socket } = yield* weListen({ ownCert: server })
      const peer = yield* cat(...trust, "-D", "hello")
      expect(Message.text(yield* Socket.recv(socket))).toBe("hello")
      yield* Socket.send(socket, "world")
      yield* peer.prints('"world"\n')
      expect(yield* properties(socket)).toMatchObject({
        verified: false,
        version: expect.stringMatching(/^TLSv1\.[23]$/)
      })
    }))

  test("that dials us shows its certificate, and we verify it", () =>
    Effect.gen(function* () {
      const { ca, server, showClient, trust } = yield* files
      const { cat, socket } = yield* weListen({ ownCert: server, ca: ca.pem, authMode: "required" })
      yield* cat(...trust, ...showClient, "-D", "hello")
      expect(Message.text(yield* Socket.recv(socket))).toBe("hello")
      expect(yield* properties(socket)).toMatchObject({
        verified: true,
        peerCommonName: "the client",
        peerAlternativeNames: ["client.example", "10.1.2.3"]
      })
    }))

  test("that dials us without a certificate is refused where we require one", () =>
    Effect.gen(function* () {
      const { ca, server, trust } = yield* files
      const { cat, told } = yield* weListen({ ownCert: server, ca: ca.pem, authMode: "required" })
      yield* cat(...trust, "-D", "hello")
      expect((yield* told.find(tagged("HandshakeFailed"))).error).toMatchObject({ _tag: "NNG_EPEERAUTH" })
    }))

  test("that dials us and trusts another authority refuses us, and the next one gets in", () =>
    Effect.gen(function* () {
      const { server, trust, trustStranger } = yield* files
      const { cat, socket, told } = yield* weListen({ ownCert: server })
      yield* cat(...trustStranger, "-D", "hello")
      expect((yield* told.find(tagged("HandshakeFailed"))).error._tag).toMatch(
        /^NNG_(EPEERAUTH|ECRYPTO|ECONNSHUT|ECONNRESET)$/
      )
      yield* cat(...trust, "-D", "hello")
      expect(Message.text(yield* Socket.recv(socket))).toBe("hello")
    }))

  test("that dials us insecurely does not care who we are", () =>
    Effect.gen(function* () {
      const { stranger } = yield* files
      const ownCert = yield* Effect.promise(() => stranger.issue())
      const { cat, socket } = yield* weListen({ ownCert })
      yield* cat("--insecure", "-D", "hello")
      expect(Message.text(yield* Socket.recv(socket))).toBe("hello")
    }))

  test("that we dial is verified, and we talk both ways", () =>
    Effect.gen(function* () {
      const { ca, showServer } = yield* files
      const { cat, socket } = yield* weDial({ ca: ca.pem }, ...showServer, "-D", "hello")
      expect(Message.text(yield* Socket.recv(socket))).toBe("hello")
      yield* Socket.send(socket, "world")
      yield* cat.prints('"world"\n')
      expect(yield* properties(socket)).toMatchObject({ verified: true, peerCommonName: "the server" })
    }))

  test("that we dial shows the certificate of an unknown authority, and is refused", () =>
    Effect.gen(function* () {
      const { showServer, stranger } = yield* files
      const { told } = yield* weDial({ ca: stranger.pem }, ...showServer, "-D", "hello")
      const failed = yield* told.find(refused)
      expect(failed).toMatchObject({ error: { _tag: "NNG_EPEERAUTH" } })
    }))

  test("sends and gets a megabyte, and a thousand messages in order", () =>
    Effect.gen(function* () {
      const { ca, server, showServer, trust, write } = yield* files
      const content = yield* write("content", large.toString())
      const messages = Array.from({ length: 1000 }, (_, i) => `message ${i}`)
      const printed = messages.map((message) => `"${message}"\n`).join("")
      const listening = yield* weListen({ ownCert: server })
      const dialing = yield* listening.cat(...trust, "--file", content)
      expect(Buffer.compare((yield* Socket.recv(listening.socket)).body, large)).toBe(0)
      yield* Socket.sendAll(listening.socket, messages)
      yield* dialing.prints(printed)
      const { cat, socket } = yield* weDial({ ca: ca.pem }, ...showServer, "--file", content)
      expect(Buffer.compare((yield* Socket.recv(socket)).body, large)).toBe(0)
      yield* Socket.sendAll(socket, messages)
      yield* cat.prints(printed)
      yield* Socket.send(socket, Uint8Array.from(large))
      yield* cat.prints(`${printed}"${large.toString().replaceAll(/["\\]/g, "\\$&")}"\n`)
    }))
})

/** A peer in C, which is asked to require our certificate. */
const inC =
  (settings: ReadonlyArray<string>, mode: string, ...args: ReadonlyArray<string>) =>
  (role: "dial" | "listen", url: string) =>
    CPeers.runWith(settings, mode, role, url, ...args)

CPeers.suite("libnng over TLS, either end verified", () => {
  const echo = (request: Message.Message) => Effect.succeed(Uint8Array.from(request.body))

  /** Files for libnng, and what its end is told of them. */
  const prepared = Effect.gen(function* () {
    const all = yield* files
    const theirs = (pair: Pair, name: string) =>
      Effect.map(all.write(name, `${pair.cert}\n${Redacted.value(pair.key)}`), (path) => [
        `TLS_CA=${all.trust[1]!}`,
        `TLS_CERT_KEY=${path}`
      ])
    return { ...all, asServer: yield* theirs(all.server, "s.pem"), asClient: yield* theirs(all.client, "c.pem") }
  })

  test("asks us, over our listener", () =>
    Effect.gen(function* () {
      const { asClient, ca, server } = yield* prepared
      const socket = yield* Rep0.make()
      const { url } = yield* Socket.listen(socket, "tls+tcp://localhost:0", {
        tls: { ca: ca.pem, ownCert: server, authMode: "required" }
      })
      yield* Effect.forkScoped(Rep0.serve(socket, echo))
      const peer = yield* inC(asClient, "req", "10", "20", "3000")("dial", url)
      yield* peer.prints("done\n")
      expect(yield* properties(socket)).toMatchObject({ verified: true, peerCommonName: "the client" })
    }))

  const asking = (tls: (all: Effect.Effect.Success<typeof prepared>) => Tls.Source) =>
    Effect.gen(function* () {
      const all = yield* prepared
      const url = `tls+tcp://127.0.0.1:${yield* Nngcats.freePort}`
      const socket = yield* Req0.make()
      const dialer = yield* Dialer.make(socket, url, { reconnectMin: "20 millis", tls: tls(all) })
      const told = yield* record(Dialer.events(dialer))
      const peer = yield* inC(all.asServer, "rep", "4")("listen", url)
      yield* Dialer.start(dialer, { nonblocking: true })
      yield* Effect.raceFirst(
        Effect.race(told.find(tagged("Connected")), told.find(refused)),
        Effect.flatMap(peer.ended, (errors) => Effect.fail(new PortTaken(errors)))
      )
      return { socket, told }
    }).pipe(Effect.retry({ times: 3, while: (error) => error instanceof PortTaken }))

  test("answers us, over our dialer", () =>
    Effect.gen(function* () {
      const { socket } = yield* asking(({ ca, client }) => ({ ca: ca.pem, ownCert: client }))
      const questions = Array.from({ length: 40 }, (_, i) => `question ${i}`)
      const answers = yield* Effect.forEach(questions, (question) => Req0.request(socket, question), {
        concurrency: "unbounded"
      })
      expect(answers.map(Message.text)).toEqual(questions)
      expect(yield* properties(socket)).toMatchObject({ verified: true, peerCommonName: "the server" })
    }))

  test("refuses us without a certificate, and with a stranger's", () =>
    Effect.gen(function* () {
      const { stranger } = yield* wallet
      const foreign = yield* Effect.promise(() => stranger.issue())
      for (const ownCert of [undefined, foreign]) {
        const { told } = yield* asking(({ ca }) => ({ ca: ca.pem, ownCert }))
        const { error } = yield* told.find(refused)
        expect(error._tag).toMatch(/^NNG_(EPEERAUTH|ECRYPTO|ECONNSHUT|ECONNRESET)$/)
        expect(told.tags()).not.toContain("Connected")
      }
    }))
})
