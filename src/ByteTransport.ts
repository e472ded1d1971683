/**
 * Transports that carry bytes: tcp, ipc, descriptors (`nng_stream_dialer`, `nng_stream_listener`).
 *
 * A program that speaks another protocol dials and listens here, and gets a `ByteStream`. A transport of SP messages is
 * made by `make`: the handshake, its deadline, the framing and the receive limit are here, once, so a new byte transport
 * says how to connect and how to listen, and nothing else.
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
 *     connect: ({ url }) => Effect.map(open(url.path), ByteTransport.opened),
 *     listen: () => new Errors.ENOTSUP({ operation: "listen", reason: "a serial line has no listener" })
 *   })
 * ```
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { ByteStream } from "./ByteStream.js"
import type * as Errors from "./Errors.js"
import * as handshake from "./internal/connection/handshake.js"
import { byScheme, choose } from "./internal/ports/choose.js"
import { SharingPool } from "./internal/wire/sharing.js"
import type { PipeProperties } from "./Pipe.js"
import type {
  AcceptError,
  Acceptor,
  CheckError,
  Connection,
  DialError,
  Fitting,
  HandshakeError,
  ListenError,
  Target,
  Transport,
  TransportOptions
} from "./Transport.js"
import type { Url } from "./Url.js"

/**
 * What is asked of a byte transport.
 *
 * @since 0.1.0
 * @category models
 */
export type ByteTarget = Pick<Target, "url" | "options">

/**
 * A connection that was made, by either side, and that may have to be upgraded before it carries bytes, as TLS does.
 *
 * @since 0.1.0
 * @category models
 */
export interface ByteConnection {
  /** What is known before it is opened. */
  readonly properties: PipeProperties
  /**
   * Opens it, once. It runs off the accept loop, and whoever asks for it sets it a deadline: ten seconds, together with
   * the SP handshake if there is one. **Interruption** leaves the connection to its scope, which closes it.
   */
  readonly open: Effect.Effect<ByteStream, HandshakeError, Scope.Scope>
}

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
  readonly accept: Effect.Effect<ByteConnection, AcceptError, Scope.Scope>
  /**
   * Takes a connection that is there already, and accepts it; it owns it then. Absent where connections are made by
   * listening. **Interruption**: none, it does not wait.
   */
  readonly adopt?: Acceptor["adopt"]
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
  /** Connects. **Interruption** gives up. The scope closes the connection, or what was half made. */
  readonly connect: (target: ByteTarget) => Effect.Effect<ByteConnection, DialError, Scope.Scope>
  /** Binds and listens for as long as the scope lives. **Interruption** gives up; the scope closes what was bound. */
  readonly listen: (target: ByteTarget) => Effect.Effect<ByteAcceptor, ListenError, Scope.Scope>
  /** The byte in front of every message's length; ipc has one. Default none. */
  readonly marker?: number | undefined
}

/**
 * A connection that is open as it is.
 *
 * @since 0.1.0
 * @category constructors
 */
export const opened = (stream: ByteStream): ByteConnection => ({
  properties: stream.properties,
  open: Effect.succeed(stream)
})

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
  handshake.connection(Effect.succeed(stream), {
    protocol: options.protocol,
    recvMaxSize: options.recvMaxSize,
    format: { marker: options.marker },
    pool: new SharingPool(),
    address: handshake.peerOf(stream.properties)
  })

/**
 * The transport of SP messages over a transport of bytes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (self: ByteTransport): Transport => {
  const format = { marker: self.marker }
  const pool = new SharingPool()
  const greet = ({ open }: ByteConnection, { protocol, recvMaxSize }: Target, address: string | undefined) =>
    handshake.connection(open, { protocol, recvMaxSize, format, pool, address })
  return {
    schemes: self.schemes,
    options: self.options,
    check: self.check,
    dial: (target) => Effect.flatMap(self.connect(target), (made) => greet(made, target, target.url.href)),
    listen: (target) =>
      Effect.map(self.listen(target), (acceptor) => ({
        url: acceptor.url,
        accept: Effect.map(acceptor.accept, (made) => ({
          properties: made.properties,
          handshake: greet(made, target, handshake.peerOf(made.properties))
        })),
        adopt: acceptor.adopt
      }))
  }
}

/**
 * The byte transports of a program, by scheme.
 *
 * @since 0.1.0
 * @category tags
 */
export class ByteTransports extends Context.Tag("effect-nng/ByteTransports")<
  ByteTransports,
  ReadonlyMap<string, ByteTransport>
>() {
  /**
   * A layer of these transports and no others. Two that serve one scheme are `NNG_EEXIST`.
   */
  static readonly layer = (...members: ReadonlyArray<ByteTransport>): Layer.Layer<ByteTransports, Errors.EEXIST> =>
    Layer.effect(
      ByteTransports,
      Effect.suspend(() => byScheme(members, "ByteTransports.layer"))
    )
}

/**
 * Connects, for any protocol (`nng_stream_dialer_dial`). Fails as a transport does, with `NNG_ETIMEDOUT` when an upgrade
 * takes longer than ten seconds too.
 *
 * **Interruption** gives up; the scope closes the stream.
 *
 * @since 0.1.0
 * @category constructors
 */
export const dial = <Url extends string>(
  url: Url,
  options?: TransportOptions & Fitting<Url>
): Effect.Effect<ByteStream, DialError, ByteTransports | Scope.Scope> =>
  Effect.gen(function* () {
    const { transport, ...target } = yield* choose(yield* ByteTransports, "dial", url, options ?? {})
    return yield* inTime(yield* transport.connect(target))
  })

/**
 * Listens, for any protocol (`nng_stream_listener_listen`). Each connection that it accepts is still to be opened, in a
 * fiber of its own, so that nobody waits for one who is slow; `NNG_ETIMEDOUT` when that takes longer than ten seconds.
 *
 * **Interruption** gives up; the scope ends it.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as ByteTransport from "effect-nng/ByteTransport"
 *
 * export const greeter = Effect.gen(function* () {
 *   const { accept } = yield* ByteTransport.listen("ipc:///tmp/greeter")
 *   const serve = Effect.flatMap(accept, ({ open }) =>
 *     Effect.forkScoped(Effect.flatMap(open, (stream) => stream.write(new TextEncoder().encode("hello"))))
 *   )
 *   yield* Effect.forever(serve)
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const listen = <Url extends string>(
  url: Url,
  options?: TransportOptions & Fitting<Url>
): Effect.Effect<ByteAcceptor, CheckError | ListenError, ByteTransports | Scope.Scope> =>
  Effect.gen(function* () {
    const { transport, ...target } = yield* choose(yield* ByteTransports, "listen", url, options ?? {})
    const acceptor = yield* transport.listen(target)
    return {
      ...acceptor,
      accept: Effect.map(acceptor.accept, (made) => ({ properties: made.properties, open: inTime(made) }))
    }
  })

const inTime = ({ open }: ByteConnection) => handshake.inTime(open, "end of the upgrade")
