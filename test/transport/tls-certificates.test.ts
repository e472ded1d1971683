import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import * as Dialer from "effect-nng/Dialer"
import * as Errors from "effect-nng/Errors"
import * as Listener from "effect-nng/Listener"
import * as Message from "effect-nng/Message"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Pair0 from "effect-nng/Pair0"
import * as Socket from "effect-nng/Socket"
import type * as TlsConfig from "effect-nng/Tls"
import type { Transports } from "effect-nng/Transport"
import { X509Certificate } from "node:crypto"
import type { Pair } from "../support/certificates.js"
import * as Certificates from "../support/certificates.js"
import { wallet } from "../support/certificates.js"
import { leavesNone } from "../support/handles.js"
import { names, record, tagged } from "../support/peers.js"
import * as TlsPeers from "../support/tls.js"

const test = <E>(title: string, effect: () => Effect.Effect<void, E, Scope.Scope | Transports>): void =>
  it.scopedLive(title, () => leavesNone(Effect.suspend(effect)).pipe(Effect.provide(NodeTransport.layerTls)))

/** A listener, and a dialer that has tried it once. */
const attempt = (listen: TlsConfig.Source, dial: TlsConfig.Source, host: string = "127.0.0.1") =>
  Effect.gen(function* () {
    const left = yield* Pair0.make()
    const right = yield* Pair0.make()
    const listener = yield* Listener.make(left, "tls+tcp://127.0.0.1:0", { tls: listen })
    const told = yield* record(Listener.events(listener))
    yield* Listener.start(listener)
    const dialer = yield* Dialer.make(right, listener.url.replace("127.0.0.1", host), { tls: dial })
    const started = yield* Effect.either(Dialer.start(dialer))
    return { left, right, listener, dialer, told, started }
  })

type Attempt = Effect.Effect.Success<ReturnType<typeof attempt>>

/** They talk both ways, and this is what each end knows of the other. */
const talk = ({ left, right, started }: Attempt) =>
  Effect.gen(function* () {
    expect(started).toEqual(Either.void)
    yield* Socket.send(right, "question")
    expect(Message.text(yield* Socket.recv(left))).toBe("question")
    yield* Socket.send(left, "answer")
    expect(Message.text(yield* Socket.recv(right))).toBe("answer")
    const [[atListener], [atDialer]] = [yield* Socket.pipes(left).get, yield* Socket.pipes(right).get]
    return { atListener: atListener!.properties.tls!, atDialer: atDialer!.properties.tls! }
  })

/** Somebody whose certificates are in order gets in. */
const serves = (listener: Listener.Listener, socket: Pair0.Pair0) =>
  Effect.gen(function* () {
    const { ca, client } = yield* wallet
    const other = yield* Pair0.make()
    yield* Socket.dial(other, listener.url, { tls: { ca: ca.pem, ownCert: client } })
    yield* Socket.send(other, "still there?")
    expect(Message.text(yield* Socket.recv(socket))).toBe("still there?")
  }).pipe(Effect.scoped)

const versions = ["TLSv1.2", "TLSv1.3"] as const
const here = ["127.0.0.1"]

type Wallet = Effect.Effect.Success<typeof wallet>

describe("[S15] a dialer refuses a listener whose certificate", () => {
  const cases: ReadonlyArray<readonly [what: string, reason: RegExp, make: (wallet: Wallet) => Promise<Pair>]> = [
    ["is an unknown authority's", /verify|issuer/, ({ stranger }) => stranger.issue({ names: here })],
    ["has expired", /expired/, ({ ca }) => ca.issue({ names: here, from: -2, to: -1 })],
    ["is not yet valid", /not yet valid/, ({ ca }) => ca.issue({ names: here, from: 1, to: 2 })],
    ["is for another host", /altnames|does not match/i, ({ ca }) => ca.issue({ names: ["10.0.0.1", "localhost"] })],
    [
      "has the address in its common name alone",
      /altnames|does not match|not in the cert/i,
      ({ ca }) => ca.issue({ commonName: "127.0.0.1", names: ["elsewhere.example"] })
    ],
    ["has signed itself", /self[- ]signed/, () => Certificates.selfSigned({ names: here })],
    ["is for clients alone", /purpose/, ({ ca }) => ca.issue({ names: here, usages: ["client"] })],
    [
      "was signed by one that is no authority",
      /issuer|invalid CA|verify|certificate/i,
      async ({ ca }) => (await ca.issue({ commonName: "no authority" })).issue({ names: here })
    ]
  ]
  for (const version of versions) {
    for (const [what, reason, make] of cases) {
      test(`${what} (${version})`, () =>
        Effect.gen(function* () {
          const all = yield* wallet
          const bad = yield* Effect.promise(() => make(all))
          const tried = yield* attempt(
            { ownCert: bad, minVersion: version, maxVersion: version },
            { ca: all.ca.pem, serverName: "127.0.0.1" }
          )
          expect(Either.flip(tried.started)).toMatchObject({
            right: { _tag: "NNG_EPEERAUTH", code: 27, reason: expect.stringMatching(reason) }
          })
          expect(yield* tried.dialer.state).toEqual({ _tag: "Idle" })
          expect(yield* Socket.pipes(tried.left).get).toEqual([])
        }))
    }
  }

  test("is in order, when it trusts nobody", () =>
    Effect.gen(function* () {
      const { server } = yield* wallet
      const { started } = yield* attempt({ ownCert: server }, {})
      expect(Either.flip(started)).toMatchObject({ right: { _tag: "NNG_EPEERAUTH" } })
    }))

  test("is in order, when it has no option at all", () =>
    Effect.gen(function* () {
      const { server } = yield* wallet
      const left = yield* Pair0.make()
      const { url } = yield* Socket.listen(left, "tls+tcp://127.0.0.1:0", { tls: { ownCert: server } })
      const right = yield* Pair0.make()
      expect(yield* Effect.flip(Socket.dial(right, url))).toMatchObject({ _tag: "NNG_EPEERAUTH" })
    }))

  test("has been revoked, by a list of its own or in the same text", () =>
    Effect.gen(function* () {
      const { ca } = yield* wallet
      const bad = yield* Effect.promise(() => ca.issue({ names: here }))
      const crl = yield* Effect.promise(() => ca.revoke(bad))
      for (const trust of [{ ca: ca.pem, crl }, { ca: `${ca.pem}\n${crl}` }]) {
        const { started } = yield* attempt({ ownCert: bad }, trust)
        expect(Either.flip(started)).toMatchObject({
          right: { _tag: "NNG_EPEERAUTH", reason: expect.stringContaining("revoked") }
        })
      }
      const good = yield* Effect.promise(() => ca.issue({ names: here }))
      yield* talk(yield* attempt({ ownCert: good }, { ca: ca.pem, crl }))
    }))

  test("is an unknown authority's, though the environment says not to care", () =>
    Effect.gen(function* () {
      const { ca, stranger } = yield* wallet
      yield* Effect.acquireRelease(
        Effect.sync(() => void (process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0")),
        () => Effect.sync(() => delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"])
      )
      const bad = yield* Effect.promise(() => stranger.issue({ names: here }))
      const { started } = yield* attempt({ ownCert: bad }, { ca: ca.pem })
      expect(Either.flip(started)).toMatchObject({ right: { _tag: "NNG_EPEERAUTH" } })
    }))

  test("is for another host, in the background too, and goes on trying", () =>
    Effect.gen(function* () {
      const { ca, server } = yield* wallet
      const left = yield* Pair0.make()
      const { url } = yield* Socket.listen(left, "tls+tcp://127.0.0.1:0", { tls: { ownCert: server } })
      const right = yield* Pair0.make({ reconnectMin: "1 millis" })
      const dialer = yield* Dialer.make(right, url, { tls: { ca: ca.pem, serverName: "other.example" } })
      const told = yield* record(Dialer.events(dialer))
      yield* Dialer.start(dialer, { nonblocking: true })
      for (let from = 0; from < 6; from += 2) {
        expect((yield* told.find(tagged("Failed"), from)).error).toMatchObject({ _tag: "NNG_EPEERAUTH" })
      }
      expect(yield* Socket.pipes(right).get).toEqual([])
    }))
})

describe("[S15] a dialer accepts a listener whose certificate", () => {
  test("has the address", () =>
    Effect.gen(function* () {
      const { ca, server } = yield* wallet
      const { atDialer } = yield* talk(yield* attempt({ ownCert: server }, { ca: ca.pem }))
      expect(atDialer).toMatchObject({ verified: true, peerCommonName: "the server", version: "TLSv1.3" })
      expect(atDialer.peerAlternativeNames).toEqual(["localhost", "127.0.0.1", "::1"])
      expect(atDialer.cipher).toMatch(/^TLS_/)
      expect(new X509Certificate(atDialer.peerCertificate!).subject).toBe("CN=the server")
    }))

  test("has the host's name, which it is told", () =>
    Effect.gen(function* () {
      const { ca } = yield* wallet
      yield* names({ "server.example": ["127.0.0.1"] })
      const own = yield* Effect.promise(() => ca.issue({ names: ["server.example"] }))
      yield* talk(yield* attempt({ ownCert: own }, { ca: ca.pem }, "server.example"))
      yield* talk(yield* attempt({ ownCert: own }, { ca: ca.pem }, "127.0.0.1;server.example"))
      const { started } = yield* attempt({ ownCert: own }, { ca: ca.pem })
      expect(Either.flip(started)).toMatchObject({ right: { _tag: "NNG_EPEERAUTH" } })
    }))

  for (const [host, serverName, told] of [
    ["server.example", undefined, "server.example"],
    ["127.0.0.1;server.example", undefined, "server.example"],
    ["127.0.0.1", "other.example", "other.example"],
    ["127.0.0.1", undefined, false],
    ["server.example", "127.0.0.1", false]
  ] as const) {
    test(`and tells it ${told === false ? "no name" : told} for ${host} and ${serverName ?? "no serverName"}`, () =>
      Effect.gen(function* () {
        const { ca } = yield* wallet
        yield* names({ "server.example": ["127.0.0.1"] })
        const known = ["server.example", "other.example", "127.0.0.1"]
        const own = yield* Effect.promise(() => ca.issue({ names: known }))
        const server = yield* TlsPeers.listen(TlsPeers.shown(own))
        const socket = yield* Pair0.make()
        const dialing = Socket.dial(socket, `tls+tcp://${host}:${server.port}`, { tls: { ca: ca.pem, serverName } })
        yield* Effect.forkScoped(Effect.ignore(dialing))
        expect(TlsPeers.toldName(yield* server.accept)).toBe(told)
      }))
  }

  test("has the name that it is dialed for, whatever the URL says", () =>
    Effect.gen(function* () {
      const { ca } = yield* wallet
      const own = yield* Effect.promise(() => ca.issue({ names: ["service.example", "10.9.8.7", "2001:db8::7"] }))
      for (const serverName of ["service.example", "10.9.8.7", "2001:db8::7"]) {
        yield* talk(yield* attempt({ ownCert: own }, { ca: ca.pem, serverName }))
      }
    }))

  test("comes with those between it and the authority, and not when they are missing", () =>
    Effect.gen(function* () {
      const { ca } = yield* wallet
      const between = yield* Effect.promise(() => ca.below("between"))
      const own = yield* Effect.promise(() => between.issue({ names: here }))
      yield* talk(yield* attempt({ ownCert: own }, { ca: ca.pem }))
      const alone = { ...own, cert: own.cert.split(/(?<=-----END CERTIFICATE-----)/)[0]! }
      const { started } = yield* attempt({ ownCert: alone }, { ca: ca.pem })
      expect(Either.flip(started)).toMatchObject({ right: { _tag: "NNG_EPEERAUTH" } })
    }))

  test("is one of several authorities'", () =>
    Effect.gen(function* () {
      const { ca, server, stranger } = yield* wallet
      yield* talk(yield* attempt({ ownCert: server }, { ca: `${stranger.pem}\n${ca.pem}` }))
    }))

  for (const authMode of ["none", "optional"] as const) {
    test(`is whatever it is, with authMode ${authMode}, and knows that it was not verified`, () =>
      Effect.gen(function* () {
        const { ca } = yield* wallet
        const bad = yield* Effect.promise(() => Certificates.selfSigned({ commonName: "me", names: here }))
        const { atDialer } = yield* talk(yield* attempt({ ownCert: bad }, { ca: ca.pem, authMode }))
        expect(atDialer).toMatchObject({ verified: false, peerCommonName: "me" })
      }))
  }

  test("is in order, and with authMode optional knows that too, and with none does not", () =>
    Effect.gen(function* () {
      const { ca, server } = yield* wallet
      const optional = yield* talk(yield* attempt({ ownCert: server }, { ca: ca.pem, authMode: "optional" }))
      expect(optional.atDialer.verified).toBe(true)
      const none = yield* talk(yield* attempt({ ownCert: server }, { ca: ca.pem, authMode: "none" }))
      expect(none.atDialer.verified).toBe(false)
    }))

  test("has names of all kinds", () =>
    Effect.gen(function* () {
      const { ca } = yield* wallet
      const named = ["a.example", "*.b.example", "https://c.example/d,e", "f@g.example", "127.0.0.1", "2001:db8::1"]
      const own = yield* Effect.promise(() => ca.issue({ names: named }))
      const { atDialer } = yield* talk(yield* attempt({ ownCert: own }, { ca: ca.pem }))
      expect(atDialer.peerAlternativeNames).toEqual(named)
    }))
})

describe("[S15] a listener with authMode required refuses a client", () => {
  const refusals: ReadonlyArray<
    readonly [what: string, reason: RegExp, make: (wallet: Wallet) => Promise<Pair | undefined>]
  > = [
    ["without a certificate", /did not return a certificate/, () => Promise.resolve(undefined)],
    ["of an unknown authority", /ISSUER|VERIFY/, ({ stranger }) => stranger.issue()],
    ["whose certificate has expired", /EXPIRED/, ({ ca }) => ca.issue({ from: -2, to: -1 })],
    ["whose certificate is not yet valid", /NOT_YET_VALID/, ({ ca }) => ca.issue({ from: 1, to: 2 })],
    ["whose certificate has signed itself", /SELF_SIGNED/, () => Certificates.selfSigned()],
    ["whose certificate is for servers alone", /PURPOSE/, ({ ca }) => ca.issue({ usages: ["server"] })]
  ]
  for (const version of versions) {
    for (const [what, reason, make] of refusals) {
      test(`${what} (${version})`, () =>
        Effect.gen(function* () {
          const all = yield* wallet
          const ownCert = yield* Effect.promise(() => make(all))
          const tried = yield* attempt(
            { ca: all.ca.pem, ownCert: all.server, authMode: "required", maxVersion: version, minVersion: version },
            { ca: all.ca.pem, ownCert }
          )
          expect((yield* tried.told.find(tagged("HandshakeFailed"))).error).toMatchObject({
            _tag: "NNG_EPEERAUTH",
            reason: expect.stringMatching(reason)
          })
          expect(Either.isLeft(tried.started) && tried.started.left._tag).toMatch(
            ownCert === undefined ? /^NNG_EPEERAUTH$/ : /^NNG_ECONN(SHUT|RESET)$/
          )
          expect(yield* Socket.pipes(tried.left).get).toEqual([])
          yield* serves(tried.listener, tried.left)
        }))
    }
  }

  test("whose certificate has been revoked", () =>
    Effect.gen(function* () {
      const { ca, client, server } = yield* wallet
      const bad = yield* Effect.promise(() => ca.issue())
      const crl = yield* Effect.promise(() => ca.revoke(bad))
      const listen = { ca: ca.pem, crl, ownCert: server, authMode: "required" } as const
      const tried = yield* attempt(listen, { ca: ca.pem, ownCert: bad })
      expect((yield* tried.told.find(tagged("HandshakeFailed"))).error).toMatchObject({
        _tag: "NNG_EPEERAUTH",
        reason: expect.stringContaining("REVOKED")
      })
      yield* talk(yield* attempt(listen, { ca: ca.pem, ownCert: client }))
    }))

  test("if it has nobody to trust", () =>
    Effect.gen(function* () {
      const { ca, client, server } = yield* wallet
      const { told } = yield* attempt({ ownCert: server, authMode: "required" }, { ca: ca.pem, ownCert: client })
      expect((yield* told.find(tagged("HandshakeFailed"))).error).toMatchObject({ _tag: "NNG_EPEERAUTH" })
    }))

  test("never one whose certificate is in order, and knows it", () =>
    Effect.gen(function* () {
      const { ca, client, server } = yield* wallet
      for (const version of versions) {
        const { atListener } = yield* talk(
          yield* attempt(
            { ca: ca.pem, ownCert: server, authMode: "required", minVersion: version, maxVersion: version },
            { ca: ca.pem, ownCert: client }
          )
        )
        expect(atListener).toMatchObject({ verified: true, peerCommonName: "the client", version })
        expect(atListener.peerAlternativeNames).toEqual(["client.example", "10.1.2.3"])
      }
    }))
})

describe("[S15] a listener with authMode optional lets in a client", () => {
  const listening = Effect.map(wallet, ({ ca, server }) => ({
    ca: ca.pem,
    ownCert: server,
    authMode: "optional" as const
  }))

  test("without a certificate, unverified", () =>
    Effect.gen(function* () {
      const { ca } = yield* wallet
      const { atListener } = yield* talk(yield* attempt(yield* listening, { ca: ca.pem }))
      expect(atListener).toMatchObject({ verified: false, peerAlternativeNames: [] })
      expect(Object.keys(atListener)).not.toContain("peerCertificate")
      expect(atListener.peerCommonName).toBeUndefined()
    }))

  test("of an unknown authority, unverified", () =>
    Effect.gen(function* () {
      const { ca, stranger } = yield* wallet
      const ownCert = yield* Effect.promise(() => stranger.issue({ commonName: "a stranger" }))
      const { atListener } = yield* talk(yield* attempt(yield* listening, { ca: ca.pem, ownCert }))
      expect(atListener).toMatchObject({ verified: false, peerCommonName: "a stranger" })
    }))

  test("whose certificate is in order, verified", () =>
    Effect.gen(function* () {
      const { ca, client } = yield* wallet
      const { atListener } = yield* talk(yield* attempt(yield* listening, { ca: ca.pem, ownCert: client }))
      expect(atListener).toMatchObject({ verified: true, peerCommonName: "the client" })
    }))
})

test("a listener asks nobody for a certificate unless it is told to", () =>
  Effect.gen(function* () {
    const { ca, client, server } = yield* wallet
    const { atListener } = yield* talk(yield* attempt({ ca: ca.pem, ownCert: server }, { ca: ca.pem, ownCert: client }))
    expect(atListener).toMatchObject({ verified: false, peerAlternativeNames: [] })
    expect(atListener.peerCertificate).toBeUndefined()
  }))

test("a socket turns a peer away by what its certificate says, before any message", () =>
  Effect.gen(function* () {
    const { ca, client, server } = yield* wallet
    const other = yield* Effect.promise(() => ca.issue({ commonName: "another client" }))
    const socket = yield* Pair0.make()
    yield* Socket.setBeforeAttach(socket, ({ properties: { tls } }) =>
      tls?.verified === true && tls.peerCommonName === "the client"
        ? Effect.void
        : new Errors.EPERM({ reason: `nobody asked ${tls?.peerCommonName} in` })
    )
    const pipes = yield* record(Socket.events(socket))
    const { url } = yield* Socket.listen(socket, "tls+tcp://127.0.0.1:0", {
      tls: { ca: ca.pem, ownCert: server, authMode: "required" }
    })
    const refused = yield* Pair0.make({ reconnectMin: "1 hour" })
    yield* Socket.dial(refused, url, { tls: { ca: ca.pem, ownCert: other } })
    expect((yield* pipes.find(tagged("RemPost"))).reason).toMatchObject({
      _tag: "NNG_EPERM",
      reason: "nobody asked another client in"
    })
    const welcome = yield* Pair0.make()
    yield* Socket.dial(welcome, url, { tls: { ca: ca.pem, ownCert: client } })
    yield* Socket.send(welcome, "hello")
    expect(Message.text(yield* Socket.recv(socket))).toBe("hello")
  }))
