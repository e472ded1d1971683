/**
 * A transport of SP messages made of one that carries bytes. The handshake, its deadline, the framing and the receive
 * limit are here, once: a new byte transport says how to connect and how to listen, and nothing else.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Either from "effect/Either"
 * import type * as ByteStream from "effect-nng/ByteStream"
 * import * as ByteTransport from "effect-nng/ByteTransport"
 * import * as Errors from "effect-nng/Errors"
 *
 * export const serial = (open: (port: string) => Effect.Effect<ByteStream.ByteStream, Errors.ENOENT>) =>
 *   ByteTransport.make({
 *     schemes: ["serial"],
 *     options: [],
 *     check: () => Either.void,
 *     connect: ({ url }) => open(url.path),
 *     listen: () => new Errors.ENOTSUP({ operation: "listen", reason: "a serial line has no listener" })
 *   })
 * ```
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import type { ByteStream } from "./ByteStream.js"
import * as handshake from "./internal/connection/handshake.js"
import { SharingPool } from "./internal/wire/sharing.js"
import type {
  AcceptError,
  CheckError,
  Connection,
  DialError,
  HandshakeError,
  ListenError,
  Target,
  Transport,
  TransportOptions
} from "./Transport.js"
import type { Url } from "./Url.js"

/**
 * The listening side of a byte transport.
 *
 * @since 0.1.0
 * @category models
 */
export interface ByteAcceptor {
  /** Where it listens, with the real port. */
  readonly url: Url
  /** The next connection, closed with the scope. **Interruption** accepts nothing. */
  readonly accept: Effect.Effect<ByteStream, AcceptError, Scope.Scope>
}

/**
 * What a byte transport supplies.
 *
 * @since 0.1.0
 * @category models
 */
export interface ByteTransport {
  readonly schemes: ReadonlyArray<string>
  readonly options: ReadonlyArray<keyof TransportOptions>
  readonly check: (role: "dial" | "listen", url: Url, options: TransportOptions) => Either.Either<void, CheckError>
  /** Connects. **Interruption** gives up. The scope closes the stream, or what was half open. */
  readonly connect: (target: Target) => Effect.Effect<ByteStream, DialError, Scope.Scope>
  /** Binds and listens for as long as the scope lives. **Interruption** gives up; the scope closes what was bound. */
  readonly listen: (target: Target) => Effect.Effect<ByteAcceptor, ListenError, Scope.Scope>
  /** The byte in front of every message's length; ipc has one. Default none. */
  readonly marker?: number | undefined
}

/**
 * The SP handshake over a byte stream: sends our header, reads the peer's, both within ten seconds, and makes a
 * connection of what follows. The stream is not to be used by itself afterwards.
 *
 * **Interruption** leaves the stream to its scope.
 *
 * @since 0.1.0
 * @category constructors
 */
export const connection = (
  stream: ByteStream,
  options: {
    readonly protocol: Target["protocol"]
    readonly recvMaxSize: number
    readonly marker?: number | undefined
  }
): Effect.Effect<Connection, HandshakeError> =>
  handshake.connection(stream, {
    protocol: options.protocol,
    recvMaxSize: options.recvMaxSize,
    format: { marker: options.marker },
    pool: new SharingPool()
  })

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (self: ByteTransport): Transport => {
  const format = { marker: self.marker }
  const pool = new SharingPool()
  const greet = (stream: ByteStream, { protocol, recvMaxSize }: Target, address?: string) =>
    handshake.connection(stream, { protocol, recvMaxSize, format, pool, address })
  return {
    schemes: self.schemes,
    options: self.options,
    check: self.check,
    dial: (target) => Effect.flatMap(self.connect(target), (stream) => greet(stream, target, target.url.href)),
    listen: (target) =>
      Effect.map(self.listen(target), (acceptor) => ({
        url: acceptor.url,
        accept: Effect.map(acceptor.accept, (stream) => ({
          properties: stream.properties,
          handshake: greet(stream, target)
        }))
      }))
  }
}
