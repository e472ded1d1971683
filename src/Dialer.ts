/**
 * Makes outgoing connections for one socket, one at a time, and keeps making them.
 *
 * A dialer is made on a socket with a URL and options; once started its configuration is fixed. From then on it dials
 * again whenever its connection is lost, until its scope closes. Its first attempts run with the services of whoever
 * starts it (random numbers, loggers), those after a connection with the ones that its socket was made with.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Dialer from "effect-nng/Dialer"
 * import * as Pair0 from "effect-nng/Pair0"
 *
 * export const program = Effect.gen(function* () {
 *   const socket = yield* Pair0.make()
 *   const dialer = yield* Dialer.make(socket, "tcp://127.0.0.1:5555", { reconnectMin: "100 millis" })
 *   yield* Dialer.start(dialer)
 * }).pipe(
 *   Effect.catchTag("NNG_ECONNREFUSED", () => Effect.logWarning("nobody listens")),
 *   Effect.scoped
 * )
 * ```
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type { Inspectable } from "effect/Inspectable"
import type * as Option from "effect/Option"
import type { Pipeable } from "effect/Pipeable"
import type * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { Aio } from "./Aio.js"
import type * as Errors from "./Errors.js"
import * as internal from "./internal/engine/api.js"
import type { Pipe } from "./Pipe.js"
import type { BusyError, Socket } from "./Socket.js"
import type { Fitting, TransportOptions } from "./Transport.js"

/**
 * @since 0.1.0
 * @category symbols
 */
export const TypeId: unique symbol = internal.DialerTypeId

/**
 * @since 0.1.0
 * @category symbols
 */
export type TypeId = typeof TypeId

/**
 * Why a dialer cannot be made:
 *
 * - `NNG_EADDRINVAL`: the URL lacks something its transport needs, a host or a port, or has something it does not allow;
 * - `NNG_EINVAL`: it is no URL at all, or an option is out of range;
 * - `NNG_ENOTSUP`: no transport for its scheme, none that dials, or none with such an option;
 * - `NNG_ECLOSED`: the socket is closed.
 *
 * @since 0.1.0
 * @category errors
 */
export type MakeError = Errors.EADDRINVAL | Errors.EINVAL | Errors.ENOTSUP | Errors.ECLOSED

/**
 * The eleven errors of the manual page nng_dialer_start_aio(3):
 *
 * - `NNG_EADDRINVAL`: the address does not resolve, or is none that can be reached;
 * - `NNG_ECLOSED`: the socket is closed, or it or the dialer was while it dialed;
 * - `NNG_ECONNREFUSED`: nobody listens there;
 * - `NNG_ECONNRESET`: the peer cut the connection during the handshake;
 * - `NNG_EINVAL`: `startAio` without `nonblocking`; or the system found an argument invalid;
 * - `NNG_ENOENT`: the dialer is closed; or a file it needs does not exist;
 * - `NNG_ENOMEM`: no memory;
 * - `NNG_EPEERAUTH`: the peer is not who it should be;
 * - `NNG_EPROTO`: what answered does not speak SP, or not the protocol that this socket needs;
 * - `NNG_ESTATE`: the dialer is started already;
 * - `NNG_EUNREACHABLE`: no way to that network or host.
 *
 * @since 0.1.0
 * @category errors
 */
export type DocumentedStartError =
  | Errors.EADDRINVAL
  | Errors.ECLOSED
  | Errors.ECONNREFUSED
  | Errors.ECONNRESET
  | Errors.EINVAL
  | Errors.ENOENT
  | Errors.ENOMEM
  | Errors.EPEERAUTH
  | Errors.EPROTO
  | Errors.ESTATE
  | Errors.EUNREACHABLE

/**
 * Those, and what a real network adds:
 *
 * - `NNG_ETIMEDOUT`: no answer to the connection, or no SP header within 10 seconds;
 * - `NNG_ECONNSHUT`: the peer closed during the handshake;
 * - `NNG_ECRYPTO`: TLS failed;
 * - `NNG_EPERM`: the system, or the peer, does not allow it;
 * - `NNG_ENOTSUP`: the system cannot do it;
 * - `NNG_ECANCELED`: the attempt was cancelled underneath, or by `Aio.cancel`;
 * - `NNG_ENOFILES`: no file descriptor is free;
 * - `NNG_ESYSERR`: the system said something that NNG has no name for; its errno is kept.
 *
 * @since 0.1.0
 * @category errors
 */
export type StartError =
  | DocumentedStartError
  | Errors.ETIMEDOUT
  | Errors.ECONNSHUT
  | Errors.ECRYPTO
  | Errors.EPERM
  | Errors.ENOTSUP
  | Errors.ECANCELED
  | Errors.ENOFILES
  | Errors.ESYSERR

/**
 * What a dialer is doing. `Waiting` for the next attempt, until that time of the clock, after that error.
 *
 * @since 0.1.0
 * @category models
 */
export type State =
  | { readonly _tag: "Idle" }
  | { readonly _tag: "Connecting"; readonly attempt: number }
  | { readonly _tag: "Connected"; readonly pipe: Pipe }
  | { readonly _tag: "Waiting"; readonly until: number; readonly error: Errors.NngError }
  | { readonly _tag: "Closed" }

/**
 * What happens to a dialer. `attempt` counts from 1, anew after every connection; `next` is the time to the next
 * attempt, none when there is to be none.
 *
 * @since 0.1.0
 * @category models
 */
export type Event =
  | { readonly _tag: "Attempt"; readonly attempt: number }
  | { readonly _tag: "Connected"; readonly pipe: Pipe }
  | {
      readonly _tag: "Failed"
      readonly attempt: number
      readonly error: Errors.NngError
      readonly next: Option.Option<Duration.Duration>
    }
  | {
      readonly _tag: "Disconnected"
      readonly pipe: Pipe
      readonly reason: Errors.NngError
      readonly next: Option.Option<Duration.Duration>
    }
  | { readonly _tag: "Closed" }

/**
 * @since 0.1.0
 * @category models
 */
export interface Options extends TransportOptions {
  /** Longest wait before the first redial (`NNG_OPT_RECONNMINT`). Default: the socket's. */
  readonly reconnectMin?: Duration.DurationInput | undefined
  /** What that wait grows to (`NNG_OPT_RECONNMAXT`), doubling with each failure. Default: the socket's. */
  readonly reconnectMax?: Duration.DurationInput | undefined
  /**
   * When to dial again, instead of libnng's back-off: it is given the error, and starts anew after each connection. When
   * it is done the dialer gives up and is idle.
   */
  readonly reconnect?: Schedule.Schedule<unknown, Errors.NngError> | undefined
  /** Most bytes of a message from this connection (`NNG_OPT_RECVMAXSZ`), 0 is no limit. Default: the socket's. */
  readonly recvMaxSize?: number | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export interface StartOptions {
  /** Do not wait for the first connection (`NNG_FLAG_NONBLOCK`). */
  readonly nonblocking?: boolean | undefined
}

/**
 * Options of `Socket.dial`, which makes a dialer and starts it.
 *
 * @since 0.1.0
 * @category models
 */
export interface DialOptions extends Options, StartOptions {}

/**
 * What a dialer was configured with, read back.
 *
 * @since 0.1.0
 * @category models
 */
export interface Configuration {
  readonly reconnectMin: Duration.Duration
  readonly reconnectMax: Duration.Duration
  readonly recvMaxSize: number
}

/**
 * What a dialer has counted. Failures are counted by the `_tag` of their error.
 *
 * @since 0.1.0
 * @category models
 */
export interface Statistics {
  /** 1 when it is connected. */
  readonly pipes: number
  readonly connects: number
  /** Connections that the socket refused. */
  readonly reject: number
  readonly failures: { readonly [Tag in Errors.Tag]?: number }
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Dialer extends Inspectable, Pipeable {
  readonly [TypeId]: TypeId
  /** Unique among the dialers of the process, from 1 (`nng_dialer_id`). */
  readonly id: number
  /** Where it dials to. */
  readonly url: string
  readonly configuration: Configuration
  /** What it is doing now. **Interruption**: none, it does not wait. */
  readonly state: Effect.Effect<State>
  /** What it has counted. **Interruption**: none, it does not wait. */
  readonly statistics: Effect.Effect<Statistics>
  /**
   * Closes it before its scope does, and its connection (`nng_dialer_close`). `NNG_ENOENT` when it is closed already.
   * **Interruption** stops the waiting, not the closing.
   */
  readonly close: Effect.Effect<void, Errors.ENOENT>
}

/**
 * @since 0.1.0
 * @category guards
 */
export const isDialer: (u: unknown) => u is Dialer = internal.isDialer

/**
 * Makes a dialer (`nng_dialer_create`); it does nothing before it is started. It ends with its scope, and with its socket.
 * `NNG_EBUSY` while a device has the socket.
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
) => Effect.Effect<Dialer, MakeError | BusyError<S>, Scope.Scope> = internal.makeDialer

/**
 * Starts a dialer (`nng_dialer_start`): waits for the first attempt and fails with its error. The dialer is then as
 * before, and can be started again. Once it has connected it dials again by itself whenever the connection is lost.
 *
 * With `nonblocking` it returns at once, and the dialer keeps trying however often it fails.
 *
 * A connection that this socket refuses for its protocol is `NNG_EPROTO`; one refused for another reason (a pair that has
 * its peer, a `beforeAttach`) counts as made, and the dialer tries again.
 *
 * **Interruption** closes what the attempt had opened, and leaves the dialer as before.
 *
 * @since 0.1.0
 * @category combinators
 */
export const start: (self: Dialer, options?: StartOptions) => Effect.Effect<void, StartError> = internal.startDialer

/**
 * Starts a dialer and reports the result of its first attempt, and only that, to the aio (nng_dialer_start_aio(3)).
 * Every outcome completes the aio, once: this effect itself cannot fail. A failed or cancelled attempt leaves the dialer as
 * before. Without `nonblocking` the result is `NNG_EINVAL`.
 *
 * An aio with an operation in progress is a defect (`NNG_EBUSY`), as nothing could be told through it.
 *
 * **Interruption** does not reach the attempt; cancel the aio.
 *
 * @since 0.1.0
 * @category combinators
 */
export const startAio: {
  (aio: Aio, options?: StartOptions): (self: Dialer) => Effect.Effect<void>
  (self: Dialer, aio: Aio, options?: StartOptions): Effect.Effect<void>
} = internal.startDialerAio

/**
 * What happens to it; a late subscriber first gets what happened last. Ends when the dialer is closed. A subscriber that
 * falls more than 1024 events behind loses the oldest.
 *
 * **Interruption** ends the subscription, and nothing else.
 *
 * @since 0.1.0
 * @category getters
 */
export const events: (self: Dialer) => Stream.Stream<Event> = internal.dialerEvents
