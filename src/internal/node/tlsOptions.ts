import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import { constants, X509Certificate } from "node:crypto"
import type * as Tls from "node:tls"
import * as Errors from "../../Errors.js"
import type { AuthMode, Config, ConfigError, Source, Version } from "../../Tls.js"
import type { CheckError } from "../../Transport.js"
import { fromNode, narrow } from "./errno.js"

/** @internal */
export type Role = "dial" | "listen"

/**
 * Why there is no TLS to be had for a connection.
 *
 * @internal
 */
export type MaterialError = ConfigError | Errors.ENOTSUP

const defaultAuthMode: { readonly [R in Role]: AuthMode } = { dial: "required", listen: "none" }

/** @internal */
export const authModeOf = (role: Role, config: Config): AuthMode => config.authMode ?? defaultAuthMode[role]

const versions: ReadonlyArray<Version> = ["TLSv1.2", "TLSv1.3"]
const authModes: ReadonlyArray<AuthMode> = ["none", "optional", "required"]

const checkConfig = (
  role: Role,
  { authMode, maxVersion = "TLSv1.3", minVersion = "TLSv1.2", ownCert, serverName }: Config,
  address: string
): Either.Either<void, Errors.EINVAL | Errors.ENOTSUP> => {
  const invalid = (reason: string) => Either.left(new Errors.EINVAL({ operation: role, address, reason }))
  const notSupported = (reason: string) => Either.left(new Errors.ENOTSUP({ operation: role, address, reason }))
  if (authMode !== undefined && !authModes.includes(authMode)) return invalid("there is no such authMode")
  for (const version of [minVersion, maxVersion]) {
    if (!versions.includes(version)) return notSupported(`there are ${versions.join(" and ")}, and no other version`)
  }
  if (minVersion > maxVersion) return notSupported(`no version is at least ${minVersion} and at most ${maxVersion}`)
  if (role === "dial") return serverName === "" ? invalid("serverName is empty") : Either.void
  if (serverName !== undefined) return notSupported("serverName is an option of dialers")
  return ownCert === undefined ? invalid("a TLS listener needs ownCert, a certificate and its key") : Either.void
}

/**
 * What can be said of the option before there is a connection. Of an Effect that is nothing.
 *
 * @internal
 */
export const check = (role: Role, source: Source = {}, address: string): Either.Either<void, CheckError> =>
  Effect.isEffect(source) ? Either.void : checkConfig(role, source, address)

/** As OpenSSL has it where a certificate or a key is no PEM. */
const missing = (message: string): Error => Object.assign(new Error(message), { code: "ERR_OSSL_PEM_NO_START_LINE" })

const blocks = (pem: string, labels: RegExp): ReadonlyArray<string> =>
  Array.from(pem.matchAll(/-----BEGIN ([^-\n]+)-----[\s\S]*?-----END \1-----/g))
    .filter(([, label]) => labels.test(label!))
    .map(([block]) => block)

/** Node passes over what is no certificate without a word, and would then trust nobody. */
const certificates = (pem: string): ReadonlyArray<string> => {
  const found = blocks(pem, /^(X509 |TRUSTED )?CERTIFICATE$/)
  if (found.length === 0) throw missing("ca has no certificate")
  for (const block of found) new X509Certificate(block)
  return found
}

const revocations = (pem: string | undefined): ReadonlyArray<string> => {
  if (pem === undefined) return []
  const found = blocks(pem, /^X509 CRL$/)
  if (found.length === 0) throw missing("crl has no list")
  return found
}

const materialErrors = [
  "NNG_ECRYPTO",
  "NNG_EINVAL",
  "NNG_ENOENT",
  "NNG_ENOFILES",
  "NNG_ENOMEM",
  "NNG_ENOTSUP",
  "NNG_EPERM"
] as const

/** Node's options for a context of this configuration. Throws what it finds wrong. */
const toContextOptions = ({
  ca,
  crl,
  maxVersion = "TLSv1.3",
  minVersion = "TLSv1.2",
  ownCert
}: Config): Tls.SecureContextOptions => {
  const lists = [...(ca === undefined ? [] : blocks(ca, /^X509 CRL$/)), ...revocations(crl)]
  return {
    // none at all would be those that Node brings along
    ca: ca === undefined ? [] : [...certificates(ca)],
    ...(lists.length === 0 ? {} : { crl: lists }),
    ...(ownCert === undefined
      ? {}
      : {
          cert: ownCert.cert,
          key: Redacted.value(ownCert.key),
          ...(ownCert.passphrase === undefined ? {} : { passphrase: Redacted.value(ownCert.passphrase) })
        }),
    minVersion,
    maxVersion,
    // every connection shows its certificate anew, and it is looked at by the configuration of now
    secureOptions: constants.SSL_OP_NO_TICKET
  }
}

/** All that makes a difference, each at its place. */
const partsOf = ({ authMode, ca, crl, maxVersion, minVersion, ownCert, serverName }: Config) => [
  authMode,
  serverName,
  minVersion,
  maxVersion,
  ca,
  crl,
  ownCert?.cert,
  ownCert && Redacted.value(ownCert.key),
  ownCert?.passphrase && Redacted.value(ownCert.passphrase)
]

const same = (left: Config, right: Config): boolean => {
  if (left === right) return true
  const parts = partsOf(right)
  return partsOf(left).every((part, i) => part === parts[i])
}

/**
 * Runs the source for a connection, and makes of what it gives what Node needs; a configuration like the last is not
 * made ready again.
 *
 * **Interruption** is the source's own.
 *
 * @internal
 */
export const ready = <A>(
  role: Role,
  source: Source = {},
  address: string,
  make: (options: Tls.SecureContextOptions, config: Config) => A
): Effect.Effect<A, MaterialError> => {
  let last: { readonly config: Config; readonly made: A } | undefined = undefined
  const prepare = (config: Config): Effect.Effect<A, MaterialError> => {
    if (last !== undefined && same(last.config, config)) return Effect.succeed(last.made)
    return Effect.flatMap(checkConfig(role, config, address), () =>
      Effect.try({
        try: () => {
          const made = make(toContextOptions(config), config)
          last = { config, made }
          return made
        },
        catch: (cause) => narrow(fromNode(cause, { operation: role, address }), materialErrors)
      })
    )
  }
  return Effect.flatMap(Effect.isEffect(source) ? source : Effect.succeed(source), prepare)
}
