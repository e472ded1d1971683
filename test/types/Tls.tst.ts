import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Dialer from "effect-nng/Dialer"
import type * as Errors from "effect-nng/Errors"
import * as Listener from "effect-nng/Listener"
import * as NodeTransport from "effect-nng/NodeTransport"
import type * as Pair0 from "effect-nng/Pair0"
import type { TlsProperties } from "effect-nng/Pipe"
import * as Tls from "effect-nng/Tls"
import type { DialError, ListenError, Transport } from "effect-nng/Transport"
import { describe, expect, it } from "tstyche"

declare const socket: Pair0.Pair0

describe("a configuration", () => {
  it("has a certificate with its key, which is redacted, or neither", () => {
    const key = Redacted.make("pem")
    expect<Tls.Config>().type.toBeAssignableFrom<{ ownCert: { cert: string; key: Redacted.Redacted<string> } }>()
    expect<Tls.Config>().type.not.toBeAssignableFrom<{ ownCert: { cert: string; key: string } }>()
    expect<Tls.Config>().type.not.toBeAssignableFrom<{ ownCert: { cert: string } }>()
    expect<Tls.Config>().type.not.toBeAssignableFrom<{
      ownCert: { cert: string; key: Redacted.Redacted<string>; passphrase: string }
    }>()
    expect(Redacted.value(key)).type.toBe<string>()
  })

  it("has an authMode and versions of a few words", () => {
    expect<Tls.AuthMode>().type.toBe<"none" | "optional" | "required">()
    expect<Tls.Version>().type.toBe<"TLSv1.2" | "TLSv1.3">()
  })

  it("may be an Effect that needs nothing and fails as the operating system and the texts do", () => {
    expect<Tls.Source>().type.toBe<Tls.Config | Effect.Effect<Tls.Config, Tls.ConfigError>>()
    expect<Tls.ConfigError["_tag"]>().type.toBe<
      "NNG_ECRYPTO" | "NNG_EINVAL" | "NNG_ENOENT" | "NNG_ENOFILES" | "NNG_ENOMEM" | "NNG_EPERM" | "NNG_ESYSERR"
    >()
    expect<Tls.Source>().type.not.toBeAssignableFrom<Effect.Effect<Tls.Config, Error>>()
    expect<Tls.Source>().type.not.toBeAssignableFrom<
      Effect.Effect<Tls.Config, Tls.ConfigError, FileSystem.FileSystem>
    >()
    expect<DialError>().type.toBeAssignableFrom<Tls.ConfigError>()
    expect<ListenError>().type.toBeAssignableFrom<Tls.ConfigError>()
  })

  it("of files says that it needs a file system, when it is made", () => {
    expect(Tls.fromFiles({ caFile: "ca.pem" })).type.toBe<
      Effect.Effect<Effect.Effect<Tls.Config, Tls.ConfigError>, never, FileSystem.FileSystem>
    >()
  })
})

describe("an endpoint", () => {
  it("takes it, and needs no more for it", () => {
    expect(Dialer.make(socket, "tls+tcp://a:1", { tls: { ca: "pem" } })).type.toBe<
      Effect.Effect<Dialer.Dialer, Dialer.MakeError, Scope.Scope>
    >()
    expect(Listener.make(socket, "tls+tcp://a:1", { tls: {} as Tls.Source })).type.toBe<
      Effect.Effect<Listener.Listener, Listener.MakeError, Scope.Scope>
    >()
    expect(NodeTransport.makeTls).type.toBe<Effect.Effect<Transport>>()
  })

  it("in plain takes none", () => {
    expect(Dialer.make).type.not.toBeCallableWith(socket, "tcp://a:1", { tls: { ca: "pem" } })
    expect(Dialer.make).type.toBeCallableWith(socket, "tls+tcp4://a:1", { tls: { ca: "pem" }, tcp: { noDelay: true } })
  })

  it("cannot be given a key that is not redacted", () => {
    expect(Listener.make).type.not.toBeCallableWith(socket, "tls+tcp://a:1", {
      tls: { ownCert: { cert: "pem", key: "pem" } }
    })
  })
})

describe("what is known of a peer", () => {
  it("is optional where a peer need not show it", () => {
    expect<TlsProperties["verified"]>().type.toBe<boolean>()
    expect<TlsProperties["peerCommonName"]>().type.toBe<string | undefined>()
    expect<TlsProperties["peerCertificate"]>().type.toBe<Uint8Array | undefined>()
    expect<Errors.EPEERAUTH["_tag"]>().type.toBe<"NNG_EPEERAUTH">()
  })
})
