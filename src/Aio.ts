/**
 * One pending operation at a time, with a handle to steer it (`nng_aio`): for those who know NNG, and for `startAio`.
 * Everything else in this library is plain Effects, whose interruption does what cancelling an aio does.
 *
 * An aio is reused: start an operation, wait, look at the result, start the next. The callback runs once for each
 * operation, however it ended.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Aio from "effect-nng/Aio"
 *
 * export const program = Effect.gen(function* () {
 *   const aio = yield* Aio.make({ timeout: "1 second" })
 *   const pending = yield* Aio.start(aio, Effect.never)
 *   yield* Aio.cancel(aio)
 *   return yield* Effect.flip(pending) // NNG_ECANCELED
 * }).pipe(Effect.scoped)
 * ```
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type { Inspectable } from "effect/Inspectable"
import type * as Option from "effect/Option"
import type { Pipeable } from "effect/Pipeable"
import type * as Scope from "effect/Scope"
import type * as Errors from "./Errors.js"
import * as internal from "./internal/ports/aio.js"

/**
 * @since 0.1.0
 * @category symbols
 */
export const TypeId: unique symbol = internal.TypeId

/**
 * @since 0.1.0
 * @category symbols
 */
export type TypeId = typeof TypeId

/**
 * How the last operation ended. An operation that was cancelled, aborted, stopped or timed out failed with that code.
 *
 * @since 0.1.0
 * @category models
 */
export type Result = Exit.Exit<unknown, unknown>

/**
 * @since 0.1.0
 * @category models
 */
export interface Aio extends Inspectable, Pipeable {
  readonly [TypeId]: TypeId
}

/**
 * The result of an operation that was started, for whoever wants to wait for it. **Interruption** stops the waiting,
 * not the operation.
 *
 * @since 0.1.0
 * @category models
 */
export type Pending<A, E> = Effect.Effect<A, E | Errors.NngError>

/**
 * @since 0.1.0
 * @category guards
 */
export const isAio: (u: unknown) => u is Aio = internal.isAio

/**
 * Makes an idle aio (`nng_aio_alloc`); when its scope closes it is stopped.
 *
 * `timeout` is for every operation (`nng_aio_set_timeout`), by default none. `callback` runs in the fiber of the
 * operation after it has ended, and may start the next; `wait` and `stop` in it do not wait for itself.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: (options?: {
  readonly timeout?: Duration.DurationInput | undefined
  readonly callback?: ((result: Result) => Effect.Effect<void>) | undefined
}) => Effect.Effect<Aio, never, Scope.Scope> = internal.make

/**
 * Starts an operation and returns at once, with a handle on its typed result. On a stopped aio the operation is not
 * begun and ends with `NNG_ESTOPPED`. `NNG_EBUSY` when one is in progress: nothing changes then.
 *
 * @since 0.1.0
 * @category combinators
 */
export const start: {
  <A, E, R>(operation: Effect.Effect<A, E, R>): (self: Aio) => Effect.Effect<Pending<A, E>, Errors.EBUSY, R>
  <A, E, R>(self: Aio, operation: Effect.Effect<A, E, R>): Effect.Effect<Pending<A, E>, Errors.EBUSY, R>
} = internal.start

/**
 * Waits until nothing is in progress, callback included (`nng_aio_wait`). At once when idle.
 *
 * **Interruption** stops the waiting alone.
 *
 * @since 0.1.0
 * @category getters
 */
export const wait: (self: Aio) => Effect.Effect<void> = internal.wait

/**
 * How the last operation ended (`nng_aio_result`); none before the first and while one is in progress.
 *
 * @since 0.1.0
 * @category getters
 */
export const result: (self: Aio) => Effect.Effect<Option.Option<Result>> = internal.result

/**
 * Whether an operation, or its callback, is in progress (`nng_aio_busy`).
 *
 * @since 0.1.0
 * @category getters
 */
export const busy: (self: Aio) => Effect.Effect<boolean> = internal.busy

/**
 * Ends the operation in progress with this error, verbatim (`nng_aio_abort`). One that has completed meanwhile keeps its
 * own result, and on an idle aio nothing happens. Does not wait for the end.
 *
 * @since 0.1.0
 * @category combinators
 */
export const abort: {
  (error: Errors.NngError): (self: Aio) => Effect.Effect<void>
  (self: Aio, error: Errors.NngError): Effect.Effect<void>
} = internal.abort

/**
 * Aborts with `NNG_ECANCELED` (`nng_aio_cancel`).
 *
 * @since 0.1.0
 * @category combinators
 */
export const cancel: (self: Aio) => Effect.Effect<void> = internal.cancel

/**
 * Ends the operation in progress with `NNG_ESTOPPED`, waits for its callback, and refuses every later one
 * (`nng_aio_stop`).
 *
 * @since 0.1.0
 * @category combinators
 */
export const stop: (self: Aio) => Effect.Effect<void> = internal.stop

/**
 * Sets the time-out of operations started from now on (`nng_aio_set_timeout`): `NNG_ETIMEDOUT` when they take longer.
 *
 * @since 0.1.0
 * @category combinators
 */
export const setTimeout: {
  (timeout: Duration.DurationInput): (self: Aio) => Effect.Effect<void>
  (self: Aio, timeout: Duration.DurationInput): Effect.Effect<void>
} = internal.setTimeout
