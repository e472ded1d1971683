/**
 * How messages get to a peer and back: the port that every transport implements, and the service that holds the
 * transports of a program.
 *
 * An SP transport is its streams: a listener is a stream of connections, a connection a stream of messages in and a sink
 * of messages out, and interrupting one cancels what is in flight, as aio cancel does.
 *
 * A transport that carries bytes is made by `ByteTransport`, which brings the handshake, the framing and the limits;
 * one that carries messages (inproc, ws) implements this port itself.
 *
 * @example
 * ```ts
 * import * as InprocTransport from "effect-nng/InprocTransport"
 * import * as NodeTransport from "effect-nng/NodeTransport"
 * import { Transports } from "effect-nng/Transport"
 *
 * export const layer = Transports.layer(InprocTransport.make, NodeTransport.makeTcp)
 * ```
 *
 * @since 0.1.0
 */
import * as Chunk from "effect/Chunk"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Sink from "effect/Sink"
import * as Stream from "effect/Stream"
import type { ByteStream, StreamError } from "./ByteStream.js"
import * as Duplex from "./Duplex.js"
import * as Errors from "./Errors.js"
import { byScheme } from "./internal/ports/choose.js"
import type { Message } from "./Message.js"
import type { PipeProperties } from "./Pipe.js"
import type { Protocol } from "./Protocol.js"
import type * as Tls from "./Tls.js"
import type { Url } from "./Url.js"

/**
 * Why an endpoint cannot be made: `NNG_EADDRINVAL` when the URL lacks what the transport needs or has what it does not
 * allow, `NNG_EINVAL` for an option value out of range, `NNG_ENOTSUP` for an option or a role that it does not have.
 *
 * @since 0.1.0
 * @category errors
 */
export type CheckError = Errors.EADDRINVAL | Errors.EINVAL | Errors.ENOTSUP

/**
 * Why an attempt to connect failed.
 *
 * - `NNG_ECONNREFUSED`: nobody listens; `NNG_EUNREACHABLE`: no way there; `NNG_ETIMEDOUT`: no answer in time;
 * - `NNG_EADDRINVAL`: the name does not resolve, or the address is no address here; `NNG_ENOENT`: a file is missing;
 * - `NNG_ECONNSHUT`, `NNG_ECONNRESET`: the peer closed, or cut the connection, during the handshake;
 * - `NNG_EPROTO`: what answered does not speak SP; `NNG_ECRYPTO`, `NNG_EPEERAUTH`: TLS failed;
 * - `NNG_EPERM`, `NNG_ENOFILES`, `NNG_ENOMEM`, `NNG_EINVAL`, `NNG_ENOTSUP`, `NNG_ESYSERR`: the operating system refused;
 * - `NNG_ECLOSED`, `NNG_ECANCELED`: it was closed, or cancelled, underneath.
 *
 * @since 0.1.0
 * @category errors
 */
export type DialError =
  | Errors.EADDRINVAL
  | Errors.ECANCELED
  | Errors.ECLOSED
  | Errors.ECONNREFUSED
  | Errors.ECONNRESET
  | Errors.ECONNSHUT
  | Errors.ECRYPTO
  | Errors.EINVAL
  | Errors.ENOENT
  | Errors.ENOFILES
  | Errors.ENOMEM
  | Errors.ENOTSUP
  | Errors.EPEERAUTH
  | Errors.EPERM
  | Errors.EPROTO
  | Errors.ETIMEDOUT
  | Errors.EUNREACHABLE
  | Errors.ESYSERR

/**
 * Why a listener could not bind: `NNG_EADDRINUSE` somebody has the address, `NNG_EADDRINVAL` it is not ours or does not
 * resolve, `NNG_EPERM` it needs rights, `NNG_ENOENT` its directory is missing, `NNG_ECRYPTO` its certificate or key is not
 * good; the rest as the operating system said.
 *
 * @since 0.1.0
 * @category errors
 */
export type ListenError =
  | Errors.EADDRINUSE
  | Errors.EADDRINVAL
  | Errors.ECRYPTO
  | Errors.EINVAL
  | Errors.ENOENT
  | Errors.ENOFILES
  | Errors.ENOMEM
  | Errors.ENOTSUP
  | Errors.EPERM
  | Errors.ESYSERR

/**
 * Why a connection could not be accepted. The listener tries again; only `NNG_ECLOSED` ends it.
 *
 * @since 0.1.0
 * @category errors
 */
export type AcceptError = Errors.ECLOSED | Errors.ECONNABORTED | Errors.ENOFILES | Errors.ENOMEM | Errors.ESYSERR

/**
 * Why a connection that is there already could not be handed to a listener: `NNG_EINVAL` it is no open socket of a kind
 * that is known, `NNG_ENOSPC` so many wait already, `NNG_ECLOSED` it listens no more.
 *
 * @since 0.1.0
 * @category errors
 */
export type AdoptError = Errors.ECLOSED | Errors.EINVAL | Errors.ENOSPC

/**
 * Why a connection that was made did not become a pipe: a peer that is silent (`NNG_ETIMEDOUT`), speaks something else
 * (`NNG_EPROTO`, `NNG_ECRYPTO`), is not who it should be (`NNG_EPEERAUTH`) or goes away.
 *
 * @since 0.1.0
 * @category errors
 */
export type HandshakeError = StreamError | Errors.EPROTO

/**
 * Why no more messages come: what ends a byte stream, or a frame against the rules (`NNG_EPROTO`), over the receive
 * limit (`NNG_EMSGSIZE`) or too big for memory (`NNG_ENOMEM`).
 *
 * @since 0.1.0
 * @category errors
 */
export type ReceiveError = StreamError | Errors.EPROTO | Errors.EMSGSIZE | Errors.ENOMEM

/**
 * Why no more messages go: what ends a connection.
 *
 * @since 0.1.0
 * @category errors
 */
export type SendError = ReceiveError

/**
 * The synchronous face of a connection. `push` takes a message and says whether there is room for another.
 *
 * @since 0.1.0
 * @category models
 */
export interface Messages extends Duplex.Duplex<ReadonlyArray<Message>, Message, ReceiveError> {
  /**
   * Calls back, later and once, when all that was accepted has been handed over, or cannot be any more.
   */
  readonly whenSent: (done: () => void) => void
  /**
   * Pushes a message that goes to other connections as well, so that what it takes to send it can be done once for all of
   * them. Nobody changes such a message. Where this is absent it is pushed, or, by reference, a copy of it.
   */
  readonly share?: (message: Message) => boolean
}

/**
 * A connection to a peer that has told which protocol it speaks.
 *
 * @since 0.1.0
 * @category models
 */
export interface Connection {
  readonly peerProtocol: number
  readonly properties: PipeProperties
  /**
   * Closes at once; a `pull` or `send` that waits fails with `NNG_ECLOSED`. The scope that it was made in does so too.
   * **Interruption**: none, it does not wait.
   */
  readonly close: Effect.Effect<void>
  /** Messages are handed to the peer as they are, and are the peer's from then on. Default false. */
  readonly byReference?: boolean | undefined
  /** For whoever drives it synchronously, as a socket does; then `receive`, `sink`, `pull` and `send` are not to be used. */
  readonly messages: Messages
}

/**
 * Options of the tcp family.
 *
 * @since 0.1.0
 * @category models
 */
export interface TcpOptions {
  /** Send small messages at once (`NNG_OPT_TCP_NODELAY`). Default true. */
  readonly noDelay?: boolean | undefined
  /** Let the operating system probe an idle peer (`NNG_OPT_TCP_KEEPALIVE`). Default true; libnng's is false. */
  readonly keepAlive?: boolean | undefined
  /** A dialer's source address, without a port (`NNG_OPT_LOCADDR`). Default: the system chooses. */
  readonly localAddress?: string | undefined
  /** A listener's: a descriptor that listens already, from then on the listener's (`NNG_OPT_LISTEN_FD`). */
  readonly listenFd?: number | undefined
}

/**
 * Options of the ipc family.
 *
 * @since 0.1.0
 * @category models
 */
export interface IpcOptions {
  /**
   * A listener's: who may connect, as the mode of its socket file, 0 to 0o7777 (`NNG_OPT_IPC_PERMISSIONS`). It holds
   * before anybody can reach the file. Default: 0o777 without the bits of the process's umask.
   */
  readonly permissions?: number | undefined
  /** A listener's: a descriptor that listens already, from then on the listener's (`NNG_OPT_LISTEN_FD`). */
  readonly listenFd?: number | undefined
}

/**
 * Where upgrade requests come from: a server of `node:http` or `node:https`, or the `upgrades` of
 * `NodeHttpUpgrades`, which are an Effect `HttpServer`'s.
 *
 * @since 0.1.0
 * @category models
 */
export interface HttpUpgrades {
  on(event: "upgrade", listener: (request: unknown, socket: unknown, head: unknown) => void): unknown
  off(event: "upgrade", listener: (request: unknown, socket: unknown, head: unknown) => void): unknown
  listenerCount(event: "upgrade"): number
}

/**
 * Options of `ws://` and `wss://`.
 *
 * @since 0.1.0
 * @category models
 */
export interface WsOptions {
  /**
   * Headers that a dialer's request, or a listener's answer, has besides those of the handshake (`NNG_OPT_WS_HEADER`). A
   * name or a value that HTTP does not allow, or the name of one of the handshake's own, is `NNG_EINVAL`.
   */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /**
   * Longest frame that is sent, in bytes; a longer message goes in several (`NNG_OPT_WS_SENDMAXFRAME`). 0 sends each
   * message in one, which libnng refuses above 1 MiB. Default: 64 KiB for what a listener accepted, 1 MiB for a dialer.
   */
  readonly sendMaxFrame?: number | undefined
  /**
   * Whose web pages may connect to a listener: `"same"`, those that the host itself served; a list of origins, as
   * `"https://example.com"`; or `"any"`. Others are answered with 403. Requests without an Origin do not come from a page
   * and are let in. Default `"same"`; libnng has no such check.
   */
  readonly origins?: "same" | "any" | ReadonlyArray<string> | undefined
  /**
   * A listener serves its path of this server, which is not the library's, instead of a port. TLS is that server's own
   * business: `tls` besides it is `NNG_EINVAL`. Default: none.
   */
  readonly server?: HttpUpgrades | undefined
}

/**
 * Options for the transport of an endpoint, by family. One that the URL's transport does not have is `NNG_ENOTSUP`.
 *
 * @since 0.1.0
 * @category models
 */
export interface TransportOptions {
  readonly tcp?: TcpOptions | undefined
  /** Certificates and what is asked of the peer's (`NNG_OPT_TLS_CONFIG`). **Interruption** is the Effect's own. */
  readonly tls?: Tls.Source | undefined
  readonly ipc?: IpcOptions | undefined
  readonly ws?: WsOptions | undefined
}

/**
 * The families of options that the transports of this package have, by scheme.
 *
 * @since 0.1.0
 * @category models
 */
export interface SchemeFamilies {
  readonly inproc: never
  readonly socket: never
  readonly tcp: "tcp"
  readonly tcp4: "tcp"
  readonly tcp6: "tcp"
  readonly "tls+tcp": "tcp" | "tls"
  readonly "tls+tcp4": "tcp" | "tls"
  readonly "tls+tcp6": "tcp" | "tls"
  readonly ipc: "ipc"
  readonly unix: "ipc"
  readonly abstract: "ipc"
  readonly ws: "tcp" | "ws"
  readonly ws4: "tcp" | "ws"
  readonly ws6: "tcp" | "ws"
  readonly wss: "tcp" | "tls" | "ws"
  readonly wss4: "tcp" | "tls" | "ws"
  readonly wss6: "tcp" | "tls" | "ws"
}

/**
 * Forbids the options that the transport of a URL does not have, where its scheme is known to the compiler. Where it is
 * not, they are `NNG_ENOTSUP` at run time.
 *
 * @since 0.1.0
 * @category models
 */
export type Fitting<Url extends string> = Url extends `${infer Scheme}://${string}`
  ? Scheme extends keyof SchemeFamilies
    ? { readonly [Family in Exclude<keyof TransportOptions, SchemeFamilies[Scheme]>]?: undefined }
    : {}
  : {}

/**
 * What a dialer or listener asks of its transport.
 *
 * @since 0.1.0
 * @category models
 */
export interface Target {
  readonly url: Url
  /** The protocol of the socket. */
  readonly protocol: Protocol
  /** Most bytes of one message; 0 is no limit. */
  readonly recvMaxSize: number
  readonly options: TransportOptions
}

/**
 * A connection that was accepted and not yet greeted. Its handshake runs off the accept loop.
 *
 * @since 0.1.0
 * @category models
 */
export interface Accepted {
  readonly properties: PipeProperties
  /** Greets. **Interruption** leaves the connection to its scope, which closes it. */
  readonly handshake: Effect.Effect<Connection, HandshakeError, Scope.Scope>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Acceptor {
  /** Where it listens, with the real port. */
  readonly url: Url
  /** The next connection; it lives as long as the scope. **Interruption** accepts nothing. */
  readonly accept: Effect.Effect<Accepted, AcceptError, Scope.Scope>
  /**
   * Takes a connection that is there already, a descriptor or a stream, and accepts it; it owns it then. Absent where
   * connections are made by listening. **Interruption**: none, it does not wait.
   */
  readonly adopt?: ((connection: number | ByteStream) => Effect.Effect<void, AdoptError>) | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Transport {
  readonly schemes: ReadonlyArray<string>
  /** The families of `TransportOptions` that it has. */
  readonly options: ReadonlyArray<keyof TransportOptions>
  /** What can be said of an endpoint before it is started; does no I/O. */
  readonly check: (role: "dial" | "listen", url: Url, options: TransportOptions) => Either.Either<void, CheckError>
  /**
   * Connects and greets. **Interruption** gives up; the scope closes what was opened.
   */
  readonly dial: (target: Target) => Effect.Effect<Connection, DialError, Scope.Scope>
  /**
   * Binds and listens for as long as the scope lives. **Interruption** gives up; the scope closes what was bound.
   */
  readonly listen: (target: Target) => Effect.Effect<Acceptor, ListenError, Scope.Scope>
}

/**
 * Makes a connection of its synchronous face.
 *
 * @since 0.1.0
 * @category constructors
 */
export const connection = (
  messages: Messages,
  self: Pick<Connection, "peerProtocol" | "properties" | "byReference">
): Connection => new ConnectionImpl(messages, self.peerProtocol, self.properties, self.byReference)

class ConnectionImpl implements Connection {
  constructor(
    readonly messages: Messages,
    readonly peerProtocol: number,
    readonly properties: PipeProperties,
    readonly byReference: boolean | undefined
  ) {}

  get close(): Effect.Effect<void> {
    return Effect.suspend(() => owned.get(this.messages)?.close ?? Effect.sync(() => void this.messages.close()))
  }
}

type Owned = Duplex.Effects<ReadonlyArray<Message>, Message, ReceiveError>

/** Of the connections that are not driven synchronously. */
const owned = new WeakMap<Messages, Owned>()

const own = ({ messages }: Connection): Owned => {
  const before = owned.get(messages)
  if (before !== undefined) return before
  const effects = Duplex.effects(messages, () => new Errors.ECLOSED({ operation: "connection" }))
  owned.set(messages, effects)
  return effects
}

/**
 * The messages that come, a chunk for each read. It ends when the peer closes in good order.
 *
 * **Interruption** while it waits takes nothing.
 *
 * @since 0.1.0
 * @category streams
 */
export const receive = (self: Connection): Stream.Stream<Message, Exclude<ReceiveError, Errors.ECONNSHUT>> =>
  Stream.repeatEffectChunk(pull(self)).pipe(Stream.catchTag("NNG_ECONNSHUT", () => Stream.empty))

/**
 * Takes the messages that go. A chunk goes out whole or not at all.
 *
 * **Interruption** while it waits for room leaves out that chunk and what follows.
 *
 * @since 0.1.0
 * @category streams
 */
export const sink = (self: Connection): Sink.Sink<void, Message, never, SendError> =>
  Sink.forEachChunk((batch: Chunk.Chunk<Message>) => send(self, batch))

/**
 * What `receive` is made of: all that the next read brought. An orderly end is `NNG_ECONNSHUT`.
 *
 * **Interruption** takes nothing.
 *
 * @since 0.1.0
 * @category streams
 */
export const pull = (self: Connection): Effect.Effect<Chunk.NonEmptyChunk<Message>, ReceiveError> =>
  Effect.map(own(self).pull, (batch) => Chunk.unsafeFromArray(batch) as Chunk.NonEmptyChunk<Message>)

/**
 * What `sink` is made of.
 *
 * **Interruption** while it waits for room has sent nothing.
 *
 * @since 0.1.0
 * @category streams
 */
export const send: {
  (batch: Chunk.Chunk<Message>): (self: Connection) => Effect.Effect<void, SendError>
  (self: Connection, batch: Chunk.Chunk<Message>): Effect.Effect<void, SendError>
} = dual(2, (self: Connection, batch: Chunk.Chunk<Message>) => own(self).pushAll(batch))

/**
 * The connections that a listener accepts, as a stream; each lives as long as the scope that the stream is pulled in.
 *
 * **Interruption** while it waits accepts nothing.
 *
 * @since 0.1.0
 * @category combinators
 */
export const connections = (acceptor: Acceptor): Stream.Stream<Accepted, AcceptError, Scope.Scope> =>
  Stream.repeatEffect(acceptor.accept)

/**
 * The transports of a program, by scheme.
 *
 * @since 0.1.0
 * @category tags
 */
export class Transports extends Context.Tag("effect-nng/Transports")<Transports, ReadonlyMap<string, Transport>>() {
  /**
   * A layer of these transports and no others. Errors and requirements are those of its members. Two that serve one
   * scheme are `NNG_EEXIST`: adding a transport never silently replaces another.
   */
  static readonly layer = <Members extends ReadonlyArray<Effect.Effect<Transport, unknown, unknown>>>(
    ...members: Members
  ): Layer.Layer<
    Transports,
    Effect.Effect.Error<Members[number]> | Errors.EEXIST,
    Exclude<Effect.Effect.Context<Members[number]>, Scope.Scope>
  > =>
    Layer.scoped(
      Transports,
      Effect.flatMap(
        Effect.all(members) as Effect.Effect<
          ReadonlyArray<Transport>,
          Effect.Effect.Error<Members[number]>,
          Effect.Effect.Context<Members[number]>
        >,
        (transports) => byScheme(transports, "Transports.layer")
      )
    )
}
