/**
 * What the two ends of a TLS connection show each other and ask of each other (`nng_tls_config`).
 *
 * A configuration is a value, or an Effect that is run anew for each connection, so that certificates can be replaced
 * while pipes live on: a pipe keeps what it was made with. `fromFiles` makes such an Effect of files. What cannot be read
 * or does not fit together fails the connection; there is no way from TLS back to plain.
 *
 * @example
 * ```ts
 * import * as NodeContext from "@effect/platform-node/NodeContext"
 * import * as Effect from "effect/Effect"
 * import * as NodeTransport from "effect-nng/NodeTransport"
 * import * as Pair0 from "effect-nng/Pair0"
 * import * as Socket from "effect-nng/Socket"
 * import * as Tls from "effect-nng/Tls"
 *
 * export const program = Effect.gen(function* () {
 *   const tls = yield* Tls.fromFiles({
 *     caFile: "/etc/nng/ca.pem",
 *     ownCert: { certFile: "/etc/nng/server.pem", keyFile: "/etc/nng/server.key" },
 *     authMode: "required"
 *   })
 *   const socket = yield* Pair0.make()
 *   yield* Socket.listen(socket, "tls+tcp://:5555", { tls })
 *   return yield* Socket.recv(socket)
 * }).pipe(Effect.scoped, Effect.provide([NodeTransport.layer, NodeContext.layer]))
 * ```
 *
 * @since 0.1.0
 */
import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Errors from "./Errors.js"

/**
 * What is asked of the peer (`nng_tls_config_auth_mode`):
 *
 * - `none`: nothing; whoever it is gets in, unverified.
 * - `optional`: a certificate is checked, and one that is missing or does not hold only leaves the pipe unverified.
 * - `required`: a certificate that holds. The peer is refused otherwise, with `NNG_EPEERAUTH`.
 *
 * @since 0.1.0
 * @category models
 */
export type AuthMode = "none" | "optional" | "required"

/**
 * @since 0.1.0
 * @category models
 */
export type Version = "TLSv1.2" | "TLSv1.3"

/**
 * The certificate that this end shows, and its private key (`nng_tls_config_own_cert`).
 *
 * @since 0.1.0
 * @category models
 */
export interface OwnCert {
  /** In PEM: the certificate, then those between it and the CA. */
  readonly cert: string
  /** In PEM. */
  readonly key: Redacted.Redacted<string>
  /** Of a key that is encrypted. */
  readonly passphrase?: Redacted.Redacted<string> | undefined
}

/**
 * The settings that a configuration has, wherever its certificates come from.
 *
 * @since 0.1.0
 * @category models
 */
export interface Settings {
  /** Default `required` for a dialer, `none` for a listener. */
  readonly authMode?: AuthMode | undefined
  /**
   * A dialer's name for the peer, which its certificate must have (`nng_tls_config_server_name`): a host name, which the
   * peer is told too (SNI), or an IP address. Default the URL's host.
   */
  readonly serverName?: string | undefined
  /** Default `TLSv1.2` (`nng_tls_config_version`). */
  readonly minVersion?: Version | undefined
  /** Default `TLSv1.3` (`nng_tls_config_version`). */
  readonly maxVersion?: Version | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Config extends Settings {
  /** In PEM: whom to trust (`nng_tls_config_ca_chain`). Default nobody; the system's roots are not used. */
  readonly ca?: string | undefined
  /** In PEM: what those have revoked. Then each of them needs a list. */
  readonly crl?: string | undefined
  /** A listener needs one. */
  readonly ownCert?: OwnCert | undefined
}

/**
 * Why there is no configuration for a connection.
 *
 * - `NNG_ECRYPTO`: it is no PEM, or its parts do not fit together; `NNG_EINVAL`: a part is missing or out of range;
 * - `NNG_ENOENT`, `NNG_EPERM`: a file is missing, or may not be read;
 * - `NNG_ENOFILES`, `NNG_ENOMEM`, `NNG_ESYSERR`: the operating system refused.
 *
 * @since 0.1.0
 * @category errors
 */
export type ConfigError =
  Errors.ECRYPTO | Errors.EINVAL | Errors.ENOENT | Errors.ENOFILES | Errors.ENOMEM | Errors.EPERM | Errors.ESYSERR

/**
 * The option of an endpoint: a configuration, or what makes one for each connection. A listener runs it once more when it
 * starts, to fail then rather than later.
 *
 * **Interruption** is the Effect's own: it comes when the dial is interrupted, the endpoint closes, or the ten seconds that
 * a listener gives a connection are over.
 *
 * @since 0.1.0
 * @category models
 */
export type Source = Config | Effect.Effect<Config, ConfigError>

/**
 * Where the parts of a configuration are.
 *
 * @since 0.1.0
 * @category models
 */
export interface Files extends Settings {
  /** Whom to trust (`nng_tls_config_ca_file`). */
  readonly caFile?: string | undefined
  /** What those have revoked. */
  readonly crlFile?: string | undefined
  /** The own certificate, and its key: by default in the same file (`nng_tls_config_cert_key_file`). */
  readonly ownCert?:
    | {
        readonly certFile: string
        readonly keyFile?: string | undefined
        readonly passphrase?: Redacted.Redacted<string> | undefined
      }
    | undefined
}

/**
 * The configuration that files hold, as an Effect for the `tls` option, which reads them anew for each connection. It
 * fails with `NNG_ENOENT` where one is missing, `NNG_EPERM` where it may not be read, `NNG_ESYSERR` for anything else.
 *
 * **Interruption**: none, it does not wait. That of the Effect gives the reading up.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromFiles = ({
  caFile,
  crlFile,
  ownCert,
  ...settings
}: Files): Effect.Effect<Effect.Effect<Config, ConfigError>, never, FileSystem.FileSystem> =>
  Effect.map(FileSystem.FileSystem, (files) => {
    const read = (path: string) =>
      Effect.mapError(files.readFileString(path), (error): ConfigError => toConfigError(error, path))
    const maybe = (path: string | undefined) => (path === undefined ? Effect.succeed(undefined) : read(path))
    return Effect.gen(function* () {
      const ca = yield* maybe(caFile)
      const crl = yield* maybe(crlFile)
      if (ownCert === undefined) return { ...settings, ca, crl }
      const { certFile, keyFile = certFile, passphrase } = ownCert
      const cert = yield* read(certFile)
      const key = Redacted.make(yield* read(keyFile))
      return { ...settings, ca, crl, ownCert: { cert, key, passphrase } }
    })
  })

const errnoOf = (cause: unknown): number =>
  Predicate.hasProperty(cause, "errno") && typeof cause.errno === "number" ? Math.abs(cause.errno) : 0

const toConfigError = (error: PlatformError, path: string): ConfigError => {
  const details = { operation: "tls", reason: `${path}: ${error.message}`, cause: error }
  const reason = error._tag === "SystemError" ? error.reason : undefined
  if (reason === "NotFound") return new Errors.ENOENT(details)
  if (reason === "PermissionDenied") return new Errors.EPERM(details)
  return new Errors.ESYSERR({ ...details, errno: errnoOf(error.cause) })
}
