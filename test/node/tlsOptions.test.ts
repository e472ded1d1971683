import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { constants } from "node:crypto"
import type { SecureContextOptions } from "node:tls"
import { ready } from "../../src/internal/node/tlsOptions.js"
import { wallet } from "../support/certificates.js"

const options = (all: SecureContextOptions) => all

it.effect("nobody is trusted unless somebody is named: neither the system's roots nor Node's", () =>
  Effect.gen(function* () {
    expect(yield* ready("dial", {}, "tls+tcp://a:1", options)).toEqual({
      ca: [],
      minVersion: "TLSv1.2",
      maxVersion: "TLSv1.3",
      secureOptions: constants.SSL_OP_NO_TICKET
    })
    expect(yield* ready("dial", undefined, "tls+tcp://a:1", options)).toMatchObject({ ca: [] })
  })
)

it.effect("what is ready is kept for as long as the source gives the same texts, whatever else is new", () =>
  Effect.gen(function* () {
    const { ca, client, server, stranger } = yield* wallet
    const config = { ca: ca.pem, ownCert: server }
    const others = [
      { ...config, ca: stranger.pem },
      { ...config, ca: undefined },
      { ...config, crl: yield* Effect.promise(() => ca.revoke()) },
      { ...config, ownCert: client },
      { ...config, ownCert: { ...client, cert: server.cert } },
      { ...config, ownCert: { ...client, cert: server.cert, passphrase: client.key } },
      { ...config, authMode: "required" as const },
      { ...config, minVersion: "TLSv1.3" as const },
      { ...config, maxVersion: "TLSv1.2" as const }
    ]
    let now: typeof config | (typeof others)[number] = config
    let made = 0
    const side = ready(
      "listen",
      Effect.sync(() => now),
      "tls+tcp://a:1",
      () => ++made
    )
    expect(yield* side).toBe(1)
    now = { ca: `${ca.pem}`, ownCert: { ...server } }
    expect(yield* side).toBe(1)
    for (const [i, other] of others.entries()) {
      now = other
      expect(yield* side).toBe(2 + i)
      expect(yield* side).toBe(2 + i)
    }
  })
)
