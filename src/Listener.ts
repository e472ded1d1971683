/**
 * Accepts connections for one socket, any number at a time.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import * as Listener from "effect-nng/Listener"
 * import * as Pair0 from "effect-nng/Pair0"
 *
 * export const program = Effect.gen(function* () {
 *   const socket = yield* Pair0.make()
 *   const listener = yield* Listener.make(socket, "tcp://127.0.0.1:0")
 *   yield* Listener.start(listener)
 *   yield* Effect.log(`listening at ${listener.url}`)
 *   yield* Stream.runForEach(Listener.events(listener), (event) => Effect.log(event._tag))
 * }).pipe(Effect.catchTag("NNG_EADDRINUSE", (error) => Effect.logError(error.message)))
 * ```
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { Inspectable } from "effect/Inspectable"
import type { Pipeable } from "effect/Pipeable"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { Address } from "./Address.js"
import type { ByteStream } from "./ByteStream.js"
import type * as Errors from "./Errors.js"
import * as internal from "./internal/engine/api.js"
import type { BusyError, Socket } from "./Socket.js"
import type {
  AcceptError,
  AdoptError as TransportAdoptError,
  Fitting,
  HandshakeError,
  ListenError,
  TransportOptions
} from "./Transport.js"

/**
 * @since 0.1.0
 * @category symbols
 */
export const TypeId: unique symbol = internal.ListenerTypeId

/**
 * @since 0.1.0
 * @category symbols
 */
export type TypeId = typeof TypeId

/**
 * Why a listener cannot be made: as for a dialer.
 *
 * @since 0.1.0
 * @category errors
 */
export type MakeError = Errors.EADDRINVAL | Errors.EINVAL | Errors.ENOTSUP | Errors.ECLOSED

/**
 * Why a listener could not be started; it can be started again:
 *
 * - `NNG_EADDRINUSE`: somebody has the address;
 * - `NNG_EADDRINVAL`: it does not resolve, or is none of this machine;
 * - `NNG_EPERM`: it needs rights, as ports below 1024 may;
 * - `NNG_ENOENT`: the listener is closed; or the directory of its path does not exist;
 * - `NNG_ECRYPTO`: its certificate, key or authorities are not good (TLS);
 * - `NNG_ESTATE`: it is started already;
 * - `NNG_ECLOSED`: the socket is closed, or was meanwhile;
 * - `NNG_EINVAL`, `NNG_ENOTSUP`, `NNG_ENOMEM`, `NNG_ENOFILES`, `NNG_ESYSERR`: the system refused.
 *
 * @since 0.1.0
 * @category errors
 */
export type StartError = ListenError | Errors.ESTATE | Errors.ECLOSED

/**
 * Why a connection could not be handed to a listener:
 *
 * - `NNG_ENOTSUP`: its transport makes its connections itself; only `socket://` takes them;
 * - `NNG_ESTATE`: it is not started; `NNG_ECLOSED`: it is closed;
 * - `NNG_EINVAL`: the descriptor is not of an open socket; `NNG_ENOSPC`: 16 wait already.
 *
 * @since 0.1.0
 * @category errors
 */
export type AdoptError = TransportAdoptError | Errors.ENOTSUP | Errors.ESTATE

/**
 * @since 0.1.0
 * @category models
 */
export type State =
  { readonly _tag: "Idle" } | { readonly _tag: "Listening"; readonly url: string } | { readonly _tag: "Closed" }

/**
 * What happens to a listener: it listens; a peer was turned away before it became a pipe; no connection could be
 * accepted, and it will try again; it is closed. What becomes of pipes is told by `Socket.events`.
 *
 * @since 0.1.0
 * @category models
 */
export type Event =
  | { readonly _tag: "Listening"; readonly url: string }
  | { readonly _tag: "HandshakeFailed"; readonly error: HandshakeError; readonly remoteAddress: Address | undefined }
  | { readonly _tag: "AcceptFailed"; readonly error: AcceptError }
  | { readonly _tag: "Closed" }

/**
 * @since 0.1.0
 * @category models
 */
export interface Options extends TransportOptions {
  /** Most bytes of a message from its connections (`NNG_OPT_RECVMAXSZ`), 0 is no limit. Default: the socket's. */
  readonly recvMaxSize?: number | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Configuration {
  readonly recvMaxSize: number
}

/**
 * What a listener has counted. Failures, of handshakes and of accepting, are counted by the `_tag` of their error.
 *
 * @since 0.1.0
 * @category models
 */
export interface Statistics {
  /** Pipes now. */
  readonly pipes: number
  /** Connections that became pipes. */
  readonly accepts: number
  /** Connections that the socket refused. */
  readonly reject: number
  readonly failures: { readonly [Tag in Errors.Tag]?: number }
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Listener extends Inspectable, Pipeable {
  readonly [TypeId]: TypeId
  /** Unique among the listeners of the process, from 1 (`nng_listener_id`). */
  readonly id: number
  /** Where it listens: with the real port, once started. */
  readonly url: string
  readonly configuration: Configuration
  /** What it is doing now. **Interruption**: none, it does not wait. */
  readonly state: Effect.Effect<State>
  /** What it has counted. **Interruption**: none, it does not wait. */
  readonly statistics: Effect.Effect<Statistics>
  /**
   * Closes it before its scope does, and its pipes (`nng_listener_close`). `NNG_ENOENT` when it is closed already.
   * **Interruption** stops the waiting, not the closing.
   */
  readonly close: Effect.Effect<void, Errors.ENOENT>
}

/**
 * @since 0.1.0
 * @category guards
 */
export const isListener: (u: unknown) => u is Listener = internal.isListener

/**
 * Makes a listener (`nng_listener_create`); it does nothing, and resolves nothing, before it is started. It ends with its
 * scope, and with its socket. `NNG_EBUSY` while a device has the socket.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: <S extends Socket, Url extends string>(
  socket: S,
  url: Url,
  options?: Options & Fitting<Url>
) => Effect.Effect<Listener, MakeError | BusyError<S>, Scope.Scope> = internal.makeListener

/**
 * Starts a listener (`nng_listener_start`): it is bound when this is done.
 *
 * **Interruption** leaves it as before.
 *
 * @since 0.1.0
 * @category combinators
 */
export const start: (self: Listener) => Effect.Effect<void, StartError> = internal.startListener

/**
 * Hands a listener a connection that is there already, as one on `socket://` wants (`NNG_OPT_SOCKET_FD`): a descriptor, or
 * any stream of bytes. It is the listener's from then on, which greets and makes it a pipe as if it had been accepted;
 * both ends of a connection are handed to listeners. When this fails it is still the caller's.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category combinators
 */
export const adopt: {
  (connection: number | ByteStream): (self: Listener) => Effect.Effect<void, AdoptError>
  (self: Listener, connection: number | ByteStream): Effect.Effect<void, AdoptError>
} = internal.adopt

/**
 * What happens to it; a late subscriber first gets what happened last. Ends when the listener is closed. A subscriber that
 * falls more than 1024 events behind loses the oldest.
 *
 * **Interruption** ends the subscription, and nothing else.
 *
 * @since 0.1.0
 * @category getters
 */
export const events: (self: Listener) => Stream.Stream<Event> = internal.listenerEvents
