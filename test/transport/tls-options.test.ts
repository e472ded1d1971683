import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as PlatformError from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import type * as Scope from "effect/Scope"
import * as Address from "effect-nng/Address"
import * as Dialer from "effect-nng/Dialer"
import * as Errors from "effect-nng/Errors"
import * as Listener from "effect-nng/Listener"
import * as Message from "effect-nng/Message"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Pair0 from "effect-nng/Pair0"
import * as Socket from "effect-nng/Socket"
import * as Tls from "effect-nng/Tls"
import type { Transports } from "effect-nng/Transport"
import { createPrivateKey } from "node:crypto"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Pair } from "../support/certificates.js"
import { wallet } from "../support/certificates.js"
import { leavesNone } from "../support/handles.js"
import * as Peers from "../support/peers.js"
import { record, tagged } from "../support/peers.js"

const test = <E>(
  title: string,
  effect: () => Effect.Effect<void, E, Scope.Scope | Transports | FileSystem.FileSystem>
): void =>
  it.scopedLive(title, () =>
    leavesNone(Effect.suspend(effect)).pipe(Effect.provide(Layer.merge(NodeTransport.layer, NodeFileSystem.layer)))
  )

const anywhere = "tls+tcp://127.0.0.1:0"

/** The compiler, which knows what options a scheme has, is not told. */
const inPlain: string = "tcp://127.0.0.1:5555"

const talk = (left: Pair0.Pair0, right: Pair0.Pair0) =>
  Effect.gen(function* () {
    yield* Socket.send(right, "ping")
    expect(Message.text(yield* Socket.recv(left))).toBe("ping")
    yield* Socket.send(left, "pong")
    expect(Message.text(yield* Socket.recv(right))).toBe("pong")
  })

/** The common name that the peer of a socket's only pipe has shown. */
const peerName = (socket: Socket.Socket) =>
  Effect.map(Socket.pipes(socket).get, ([pipe]) => pipe?.properties.tls?.peerCommonName)

const encrypted = ({ key }: Pair, passphrase: string): Redacted.Redacted<string> =>
  Redacted.make(
    createPrivateKey(Redacted.value(key))
      .export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase })
      .toString()
  )

describe("an endpoint cannot be made", () => {
  type Make = (socket: Pair0.Pair0, own: Pair) => Effect.Effect<unknown, Errors.NngError, Scope.Scope>
  const listen =
    (tls: (own: Pair) => Tls.Config): Make =>
    (socket, own) =>
      Listener.make(socket, anywhere, { tls: tls(own) })
  const dial =
    (tls: Tls.Config): Make =>
    (socket) =>
      Dialer.make(socket, "tls+tcp://127.0.0.1:5555", { tls })
  const cases: ReadonlyArray<readonly [what: string, error: string, reason: string, make: Make]> = [
    ["to listen without a certificate", "NNG_EINVAL", "needs ownCert", listen(() => ({}))],
    ["to listen without the option", "NNG_EINVAL", "needs ownCert", (socket) => Listener.make(socket, anywhere)],
    [
      "to listen with a server name",
      "NNG_ENOTSUP",
      "option of dialers",
      listen((ownCert) => ({ ownCert, serverName: "a.example" }))
    ],
    ["to dial an empty server name", "NNG_EINVAL", "serverName is empty", dial({ serverName: "" })],
    [
      "for no version",
      "NNG_ENOTSUP",
      "at least TLSv1.3 and at most TLSv1.2",
      dial({ minVersion: "TLSv1.3", maxVersion: "TLSv1.2" })
    ],
    [
      "for a version that is too old",
      "NNG_ENOTSUP",
      "no other version",
      dial({ minVersion: "TLSv1.1" as unknown as Tls.Version })
    ],
    [
      "with an authMode that there is not",
      "NNG_EINVAL",
      "authMode",
      dial({ authMode: "sometimes" as unknown as Tls.AuthMode })
    ],
    [
      "with tls options over plain tcp",
      "NNG_ENOTSUP",
      "tcp:// has no tls options",
      (socket) => Dialer.make(socket, inPlain, { tls: {} })
    ],
    [
      "to listen with a source address",
      "NNG_ENOTSUP",
      "option of dialers",
      (socket, ownCert) => Listener.make(socket, anywhere, { tls: { ownCert }, tcp: { localAddress: "127.0.0.1" } })
    ]
  ]
  for (const [what, error, reason, make] of cases) {
    test(`${what}: ${error}`, () =>
      Effect.gen(function* () {
        const { server } = yield* wallet
        const socket = yield* Pair0.make()
        const failure = yield* Effect.flip(make(socket, server))
        expect(failure).toMatchObject({ _tag: error, reason: expect.stringContaining(reason) })
        expect(failure.address).toMatch(/^(tls\+)?tcp:/)
      }))
  }
})

describe("material that does not fit together fails the start", () => {
  type Wallet = Effect.Effect.Success<typeof wallet>
  const cases: ReadonlyArray<readonly [what: string, error: string, config: (all: Wallet) => Tls.Config]> = [
    ["a ca that is no PEM", "NNG_ECRYPTO", ({ server }) => ({ ownCert: server, ca: "nobody" })],
    ["an empty ca", "NNG_ECRYPTO", ({ server }) => ({ ownCert: server, ca: "" })],
    [
      "a ca whose certificate is damaged",
      "NNG_ECRYPTO",
      ({ ca, server }) => ({ ownCert: server, ca: ca.pem.replace(/\n.{20}/, "\nAAAAAAAAAAAAAAAAAAAA") })
    ],
    [
      "a ca of which one certificate is damaged",
      "NNG_ECRYPTO",
      ({ ca, server, stranger }) => ({
        ownCert: server,
        ca: `${stranger.pem}\n${ca.pem.replace(/\n.{20}/, "\nAAAAAAAAAAAAAAAAAAAA")}`
      })
    ],
    ["a crl that is none", "NNG_ECRYPTO", ({ ca, server }) => ({ ownCert: server, ca: ca.pem, crl: ca.pem })],
    [
      "a crl that is damaged",
      "NNG_ECRYPTO",
      ({ ca, server }) => ({
        ownCert: server,
        ca: ca.pem,
        crl: "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----"
      })
    ],
    ["a certificate that is none", "NNG_ECRYPTO", ({ server }) => ({ ownCert: { ...server, cert: "none" } })],
    ["a key that is none", "NNG_ECRYPTO", ({ server }) => ({ ownCert: { ...server, key: Redacted.make("none") } })],
    ["the key of another", "NNG_ECRYPTO", ({ client, server }) => ({ ownCert: { ...server, key: client.key } })],
    [
      "an encrypted key without its passphrase",
      "NNG_ECRYPTO",
      ({ server }) => ({ ownCert: { ...server, key: encrypted(server, "open sesame") } })
    ],
    [
      "an encrypted key with another passphrase",
      "NNG_ECRYPTO",
      ({ server }) => ({
        ownCert: { ...server, key: encrypted(server, "open sesame"), passphrase: Redacted.make("open barley") }
      })
    ]
  ]
  for (const [what, error, config] of cases) {
    test(`${what}: ${error}, of a listener, which has not bound, and of a dialer, which has not connected`, () =>
      Effect.gen(function* () {
        const all = yield* wallet
        const socket = yield* Pair0.make()
        const server = yield* Peers.listen()
        const listener = yield* Listener.make(socket, `tls+tcp://127.0.0.1:${server.port}`, { tls: config(all) })
        // the port is taken: it has not come to that
        expect(yield* Effect.flip(Listener.start(listener))).toMatchObject({ _tag: error, address: listener.url })
        expect(yield* listener.state).toEqual({ _tag: "Idle" })
        const dialer = yield* Dialer.make(socket, `tls+tcp://127.0.0.1:${server.port}`, { tls: config(all) })
        expect(yield* Effect.flip(Dialer.start(dialer))).toMatchObject({ _tag: error, address: dialer.url })
        expect(yield* dialer.state).toEqual({ _tag: "Idle" })
        expect(server.accepted()).toBe(0)
      }))
  }

  test("an encrypted key opens with its passphrase", () =>
    Effect.gen(function* () {
      const { ca, server } = yield* wallet
      const left = yield* Pair0.make()
      const right = yield* Pair0.make()
      const ownCert = { ...server, key: encrypted(server, "open sesame"), passphrase: Redacted.make("open sesame") }
      const { url } = yield* Socket.listen(left, anywhere, { tls: { ownCert } })
      yield* Socket.dial(right, url, { tls: { ca: ca.pem } })
      yield* talk(left, right)
    }))
})

test("options of tcp hold below TLS too", () =>
  Effect.gen(function* () {
    const { ca, server } = yield* wallet
    const left = yield* Pair0.make()
    const right = yield* Pair0.make()
    const { url } = yield* Socket.listen(left, anywhere, {
      tls: { ownCert: server },
      tcp: { noDelay: false, keepAlive: false }
    })
    yield* Socket.dial(right, url, { tls: { ca: ca.pem }, tcp: { localAddress: "127.0.0.2" } })
    yield* talk(left, right)
    const [pipe] = yield* Socket.pipes(left).get
    expect(pipe!.properties).toMatchObject({ noDelay: false, keepAlive: false })
    const { remoteAddress } = pipe!.properties
    expect(remoteAddress).toEqual(Address.inet("127.0.0.2", Address.port(remoteAddress!)))
  }))

test("a name of localhost is dialed by each of its addresses", () =>
  Effect.gen(function* () {
    const { ca, server } = yield* wallet
    const left = yield* Pair0.make()
    const right = yield* Pair0.make()
    const { url } = yield* Socket.listen(left, anywhere, { tls: { ownCert: server } })
    yield* Peers.names({ localhost: ["::1", "127.0.0.1"] })
    yield* Socket.dial(right, url.replace("127.0.0.1", "localhost"), { tls: { ca: ca.pem } })
    yield* talk(left, right)
  }))

describe("a configuration that is an Effect", () => {
  test("is run for each connection of a dialer, and its failures are the dial's", () =>
    Effect.gen(function* () {
      const { ca, client, server } = yield* wallet
      const left = yield* Pair0.make()
      const { url } = yield* Socket.listen(left, anywhere, {
        tls: { ownCert: server, ca: ca.pem, authMode: "required" }
      })
      const answers = yield* Ref.make<ReadonlyArray<Effect.Effect<Tls.Config, Tls.ConfigError>>>([
        new Errors.ENOENT({ reason: "not yet there" }),
        Effect.succeed({ ca: "nonsense" }),
        Effect.succeed({ minVersion: "TLSv1.3", maxVersion: "TLSv1.2" }),
        Effect.succeed({ ca: ca.pem, ownCert: client })
      ])
      const tls = Effect.flatten(Ref.modify(answers, ([first, ...rest]) => [first!, rest]))
      const right = yield* Pair0.make()
      const dialer = yield* Dialer.make(right, url, { tls })
      for (const error of ["NNG_ENOENT", "NNG_ECRYPTO", "NNG_ENOTSUP"]) {
        expect(yield* Effect.flip(Dialer.start(dialer))).toMatchObject({ _tag: error })
      }
      yield* Dialer.start(dialer)
      yield* talk(left, right)
      expect(yield* Ref.get(answers)).toEqual([])
    }))

  test("fails the start of a listener", () =>
    Effect.gen(function* () {
      const { ca } = yield* wallet
      const socket = yield* Pair0.make()
      for (const [tls, error] of [
        [new Errors.EPERM(), "NNG_EPERM"],
        [Effect.succeed({ ca: ca.pem }), "NNG_EINVAL"],
        [Effect.map(wallet, ({ server }) => ({ ca: "nonsense", ownCert: server })), "NNG_ECRYPTO"]
      ] as const) {
        const listener = yield* Listener.make(socket, anywhere, { tls })
        expect(yield* Effect.flip(Listener.start(listener))).toMatchObject({ _tag: error })
        expect(yield* listener.state).toEqual({ _tag: "Idle" })
      }
    }))

  test("[S15] replaces a listener's certificate, and whom it trusts, and no pipe is dropped", () =>
    Effect.gen(function* () {
      const { ca, client, stranger } = yield* wallet
      const issue = (commonName: string) => Effect.promise(() => ca.issue({ commonName, names: ["127.0.0.1"] }))
      const config = yield* Ref.make<Tls.Config>({
        ca: ca.pem,
        ownCert: yield* issue("the first"),
        authMode: "required"
      })
      const left = yield* Pair0.make()
      const listener = yield* Socket.listen(left, anywhere, { tls: Ref.get(config) })
      const leftEvents = yield* record(Socket.events(left))
      const right = yield* Pair0.make()
      const rightEvents = yield* record(Socket.events(right))
      yield* Socket.dial(right, listener.url, { tls: { ca: ca.pem, ownCert: client } })
      yield* talk(left, right)
      expect(yield* peerName(right)).toBe("the first")

      yield* Ref.set(config, { ca: stranger.pem, ownCert: yield* issue("the second"), authMode: "required" })
      const told = yield* record(Listener.events(listener))
      const old = yield* Pair0.make({ reconnectMin: "1 hour" })
      yield* Effect.ignore(Socket.dial(old, listener.url, { tls: { ca: ca.pem, ownCert: client } }))
      expect((yield* told.find(tagged("HandshakeFailed"))).error).toMatchObject({ _tag: "NNG_EPEERAUTH" })
      const next = yield* Pair0.make({ reconnectMin: "1 hour" })
      const nextEvents = yield* record(Socket.events(next))
      const own = yield* Effect.promise(() => stranger.issue({ commonName: "the next client" }))
      yield* Socket.dial(next, listener.url, { tls: { ca: ca.pem, ownCert: own } })
      const { pipe } = yield* nextEvents.find(tagged("AddPost"))
      expect(pipe.properties.tls?.peerCommonName).toBe("the second")
      // a pair has one peer, and it is still the first
      expect((yield* leftEvents.find(tagged("RemPost"))).reason).toMatchObject({ _tag: "NNG_EBUSY" })
      yield* talk(left, right)
      expect(rightEvents.tags()).toEqual(["AddPre", "AddPost"])
    }))

  test("that fails when a client comes turns this one away, and the next is served", () =>
    Effect.gen(function* () {
      const { ca, server } = yield* wallet
      const answer = yield* Ref.make<Effect.Effect<Tls.Config, Tls.ConfigError>>(Effect.succeed({ ownCert: server }))
      const left = yield* Pair0.make()
      const listener = yield* Socket.listen(left, anywhere, { tls: Effect.flatten(Ref.get(answer)) })
      const told = yield* record(Listener.events(listener))
      yield* Ref.set(answer, new Errors.ENOENT({ reason: "it is being replaced" }))
      const right = yield* Pair0.make()
      const dialer = yield* Dialer.make(right, listener.url, { tls: { ca: ca.pem } })
      expect((yield* Effect.flip(Dialer.start(dialer)))._tag).toMatch(/^NNG_ECONN(SHUT|RESET)$/)
      expect((yield* told.find(tagged("HandshakeFailed"))).error).toMatchObject({
        _tag: "NNG_ESYSERR",
        reason: "it is being replaced",
        cause: { _tag: "NNG_ENOENT" }
      })
      yield* Ref.set(answer, Effect.succeed({ ownCert: server }))
      yield* Dialer.start(dialer)
      yield* talk(left, right)
    }))
})

describe("a configuration in files", () => {
  const directory = Effect.acquireRelease(
    Effect.promise(() => mkdtemp(join(tmpdir(), "effect-nng-tls-"))),
    (path) => Effect.promise(() => rm(path, { recursive: true }))
  )
  const write = (path: string, text: string) => Effect.promise(() => writeFile(path, text, { mode: 0o600 }))

  test("is read anew for each connection", () =>
    Effect.gen(function* () {
      const { ca } = yield* wallet
      const root = yield* directory
      const [caFile, certFile, keyFile] = [join(root, "ca.pem"), join(root, "cert.pem"), join(root, "key.pem")]
      const place = (commonName: string) =>
        Effect.gen(function* () {
          const own = yield* Effect.promise(() => ca.issue({ commonName, names: ["127.0.0.1"] }))
          yield* write(certFile, own.cert)
          yield* write(keyFile, Redacted.value(own.key))
        })
      yield* write(caFile, ca.pem)
      yield* place("the first")
      const tls = yield* Tls.fromFiles({ caFile, ownCert: { certFile, keyFile }, authMode: "required" })
      const left = yield* Pair0.make()
      const { url } = yield* Socket.listen(left, anywhere, { tls })
      const dialing = yield* Tls.fromFiles({ caFile, ownCert: { certFile, keyFile } })
      for (const name of ["the first", "the second"]) {
        yield* place(name)
        yield* Effect.scoped(
          Effect.gen(function* () {
            const right = yield* Pair0.make()
            yield* Socket.dial(right, url, { tls: dialing })
            yield* talk(left, right)
            expect(yield* peerName(right)).toBe(name)
            expect(yield* peerName(left)).toBe(name)
          })
        )
        yield* Effect.repeat(Socket.pipes(left).get, { until: (pipes) => pipes.length === 0 })
      }
    }))

  test("may have certificate and key in one, and revocations in another", () =>
    Effect.gen(function* () {
      const { ca, server } = yield* wallet
      const root = yield* directory
      const [certFile, crlFile, caFile] = [join(root, "own.pem"), join(root, "crl.pem"), join(root, "ca.pem")]
      yield* write(certFile, `${server.cert}\n${Redacted.value(server.key)}`)
      yield* write(caFile, ca.pem)
      yield* write(crlFile, yield* Effect.promise(() => ca.revoke(server)))
      const left = yield* Pair0.make()
      const { url } = yield* Socket.listen(left, anywhere, { tls: yield* Tls.fromFiles({ ownCert: { certFile } }) })
      const right = yield* Pair0.make()
      yield* Socket.dial(right, url, { tls: yield* Tls.fromFiles({ caFile }) })
      yield* talk(left, right)
      const other = yield* Pair0.make()
      expect(
        yield* Effect.flip(Socket.dial(other, url, { tls: yield* Tls.fromFiles({ caFile, crlFile }) }))
      ).toMatchObject({ _tag: "NNG_EPEERAUTH" })
    }))

  test("that are not there is ENOENT, by the path, of a dialer and of a listener", () =>
    Effect.gen(function* () {
      const caFile = join(yield* directory, "missing.pem")
      const socket = yield* Pair0.make()
      const { port } = yield* Peers.listen()
      const expected = { _tag: "NNG_ENOENT", code: 12, reason: expect.stringContaining(caFile) }
      const tls = yield* Tls.fromFiles({ caFile })
      expect(yield* Effect.flip(Socket.dial(socket, `tls+tcp://127.0.0.1:${port}`, { tls }))).toMatchObject(expected)
      const ofListener = yield* Tls.fromFiles({ ownCert: { certFile: caFile } })
      expect(yield* Effect.flip(Socket.listen(socket, anywhere, { tls: ofListener }))).toMatchObject(expected)
    }))

  test("that are something else is ESYSERR with the system's number", () =>
    Effect.gen(function* () {
      const tls = yield* Tls.fromFiles({ caFile: yield* directory })
      expect(yield* Effect.flip(tls)).toMatchObject({ _tag: "NNG_ESYSERR", errno: 21 })
    }))

  test("that may not be read is EPERM", () =>
    Effect.gen(function* () {
      const files = FileSystem.makeNoop({
        readFileString: (path) =>
          new PlatformError.SystemError({
            reason: "PermissionDenied",
            module: "FileSystem",
            method: "readFileString",
            pathOrDescriptor: path
          })
      })
      const tls = yield* Effect.provideService(Tls.fromFiles({ caFile: "/ca.pem" }), FileSystem.FileSystem, files)
      expect(yield* Effect.flip(tls)).toMatchObject({ _tag: "NNG_EPERM", reason: expect.stringContaining("/ca.pem") })
    }))
})
