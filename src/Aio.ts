/**
 * One pending operation at a time, with a handle to steer it (`nng_aio`): for those who know NNG, for `startAio`, and
 * for those who provide operations themselves. Everything else in this library is plain Effects, whose interruption
 * does what cancelling an aio does.
 *
 * An aio is reused: start an operation, wait, look at the result, start the next. The callback runs once for each
 * operation, however it ended.
 *
 * **Interruption** of a fiber that uses an aio never reaches the operation, which `cancel` and `stop` are for. Only
 * `wait`, `stop` and a pending result wait at all; interrupted, they stop waiting.
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
 * Whoever provides operations gets a `Task` for each, and tells its end. One that cannot end at once is scheduled, and
 * so can be cancelled. The same operation serves those with an aio and those with an Effect; a larger example is
 * `examples/aio-provider.ts`.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Exit from "effect/Exit"
 * import * as Aio from "effect-nng/Aio"
 *
 * const bell = () => {
 *   const listeners = new Set<Aio.Task<string, never>>()
 *   const hear: Aio.Operation<string, never> = (task) => {
 *     const waits = task.schedule((reason) => {
 *       listeners.delete(task)
 *       task.finish(Exit.fail(reason))
 *     })
 *     if (waits) listeners.add(task)
 *   }
 *   const ring = Effect.sync(() => {
 *     for (const task of listeners) {
 *       listeners.delete(task)
 *       task.finish(Exit.succeed("ding"))
 *     }
 *   })
 *   return { ring, hear: Aio.toEffect(hear), hearAio: (aio: Aio.Aio) => Aio.start(aio, hear) }
 * }
 *
 * export const program = Effect.gen(function* () {
 *   const { hear, hearAio, ring } = bell()
 *   const heard = yield* Effect.fork(hear)
 *   const pending = yield* hearAio(yield* Aio.make({ timeout: "1 minute" }))
 *   yield* Effect.yieldNow()
 *   yield* ring
 *   return [yield* heard, yield* pending]
 * }).pipe(Effect.scoped)
 * ```
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type { Inspectable } from "effect/Inspectable"
import type * as Option from "effect/Option"
import type { Pipeable } from "effect/Pipeable"
import type * as Scope from "effect/Scope"
import type * as Errors from "./Errors.js"
import * as internal from "./internal/ports/aio.js"
import type { Message } from "./Message.js"

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
 * What an end has besides its result. What is left out is 0 and no message, or for a success that is a message its
 * length and the message.
 *
 * @since 0.1.0
 * @category models
 */
export interface Details {
  /** Bytes transferred; of messages, the body's. */
  readonly count?: number | undefined
  /** The message that a receive brought, or that a failed send still holds. */
  readonly message?: Message | undefined
}

/**
 * An operation as its provider sees it. Both methods are synchronous, and neither runs a callback or resumes anybody
 * before it returns.
 *
 * @since 0.1.0
 * @category models
 */
export interface Task<in A, in E> {
  /**
   * Whether its end was told, so that whoever would take something for it had better not. At its beginning that is so
   * on a stopped aio alone, and `start` then does not call the operation at all.
   */
  readonly ended: boolean
  /**
   * To be called when it cannot end at once (`nng_aio_start`, in 1.x `nng_aio_defer`). False: do not go on, its end has
   * been told, and is
   *
   * - `NNG_ESTOPPED`, as the aio was stopped;
   * - what it was aborted with since it began;
   * - `NNG_ETIMEDOUT`, as its time-out is zero or its expiry is past.
   *
   * True: its time runs, and it may be aborted, which calls `cancel` with the reason, once and never from within this
   * call. That has to lead to `finish`, then or later: with the reason, or with a result that came first. An operation
   * that was never scheduled cannot be aborted, and has no time-out.
   */
  readonly schedule: (cancel: (reason: Errors.NngError) => void) => boolean
  /**
   * Tells its end (`nng_aio_finish`). Only the first counts: false means that another was told before, and that nobody
   * has this result.
   */
  readonly finish: (exit: Exit.Exit<A, E | Errors.NngError>, details?: Details) => boolean
}

/**
 * An operation as a value: it begins when it is called, and sees to it that its task ends. It is synchronous, and what
 * it throws is told as a defect.
 *
 * @since 0.1.0
 * @category models
 */
export type Operation<A, E> = (task: Task<A, E>) => void

/**
 * An operation that began: the provider's side and the consumer's.
 *
 * @since 0.1.0
 * @category models
 */
export interface Begun<A, E> {
  readonly task: Task<A, E>
  readonly pending: Pending<A, E>
}

/**
 * @since 0.1.0
 * @category guards
 */
export const isAio: (u: unknown) => u is Aio = internal.isAio

/**
 * Makes an idle aio (`nng_aio_alloc`); when its scope closes it is stopped (`nng_aio_free`), also in its own callback
 * (`nng_aio_reap`).
 *
 * `timeout` is for every operation, as `setTimeout` sets it. `callback` runs in a fiber of its own after the operation
 * has ended, never within a call of the provider or of whoever started it. It may start the next operation; `wait` and
 * `stop` in it, and in what it forks, do not wait for callbacks.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: (options?: {
  readonly timeout?: Duration.DurationInput | undefined
  readonly callback?: ((result: Result) => Effect.Effect<void>) | undefined
}) => Effect.Effect<Aio, never, Scope.Scope> = internal.make

/**
 * Starts an operation or an effect and returns at once, with a handle on its typed result. On a stopped aio it is not
 * begun and ends with `NNG_ESTOPPED`. `NNG_EBUSY` when one is in progress: nothing changes then.
 *
 * An effect runs in a fiber of its own, and whatever aborts it interrupts that: the result is the reason, or its own if
 * it ended all the same. Without time to wait it is aborted when it first has to.
 *
 * @since 0.1.0
 * @category combinators
 */
export const start: {
  <A, E>(operation: Operation<A, E>): (self: Aio) => Effect.Effect<Pending<A, E>, Errors.EBUSY>
  <A, E, R>(effect: Effect.Effect<A, E, R>): (self: Aio) => Effect.Effect<Pending<A, E>, Errors.EBUSY, R>
  <A, E>(self: Aio, operation: Operation<A, E>): Effect.Effect<Pending<A, E>, Errors.EBUSY>
  <A, E, R>(self: Aio, effect: Effect.Effect<A, E, R>): Effect.Effect<Pending<A, E>, Errors.EBUSY, R>
} = internal.start

/**
 * Begins an operation and leaves the rest to the caller (`nng_aio_begin`, in 2.x `nng_aio_reset`): for a provider whose
 * functions take an aio. On a stopped aio it has ended already. `NNG_EBUSY` as for `start`, which is to be preferred
 * where an `Operation` will do.
 *
 * @since 0.1.0
 * @category providers
 */
export const begin: <A, E>(self: Aio) => Effect.Effect<Begun<A, E>, Errors.EBUSY> = internal.begin

/**
 * The operation that runs this effect, with what it needs from here.
 *
 * @since 0.1.0
 * @category providers
 */
export const fromEffect: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<Operation<A, E>, never, R> =
  internal.fromEffect

/**
 * The effect that runs this operation, without an aio.
 *
 * **Interruption** cancels it with `NNG_ECANCELED` and waits for its end. A result that came first stands, and is the
 * effect's, so that nothing is lost; the interruption then comes when the fiber next waits.
 *
 * @since 0.1.0
 * @category providers
 */
export const toEffect: <A, E>(operation: Operation<A, E>) => Effect.Effect<A, E | Errors.NngError> = internal.toEffect

/**
 * Starts a sleep (`nng_sleep_aio`). It succeeds after that time; it ends with `NNG_ETIMEDOUT` if the aio's time-out is
 * shorter. An infinite one ends when it is aborted.
 *
 * @since 0.1.0
 * @category combinators
 */
export const sleep: {
  (duration: Duration.DurationInput): (self: Aio) => Effect.Effect<Pending<void, never>, Errors.EBUSY>
  (self: Aio, duration: Duration.DurationInput): Effect.Effect<Pending<void, never>, Errors.EBUSY>
} = internal.sleep

/**
 * Waits until nothing is in progress, callbacks included (`nng_aio_wait`). At once when idle. If the callback starts
 * another operation it waits for that too.
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
 * The bytes that the last operation transferred, of messages the body's (`nng_aio_count`); 0 before the first and while
 * one is in progress.
 *
 * @since 0.1.0
 * @category getters
 */
export const count: (self: Aio) => Effect.Effect<number> = internal.count

/**
 * The message that the last receive brought, or that a send which failed still holds (`nng_aio_get_msg`). None while
 * one is in progress.
 *
 * @since 0.1.0
 * @category getters
 */
export const message: (self: Aio) => Effect.Effect<Option.Option<Message>> = internal.message

/**
 * Whether an operation, or its callback, is in progress (`nng_aio_busy`).
 *
 * @since 0.1.0
 * @category getters
 */
export const busy: (self: Aio) => Effect.Effect<boolean> = internal.busy

/**
 * Forgets the last operation's result, count and message (`nng_aio_reset`), as the next operation does by itself.
 * `NNG_EBUSY` when one is in progress.
 *
 * @since 0.1.0
 * @category combinators
 */
export const reset: (self: Aio) => Effect.Effect<void, Errors.EBUSY> = internal.reset

/**
 * Ends the operation in progress with this error, verbatim (`nng_aio_abort`). Only the first counts; an operation that
 * has completed meanwhile keeps its own result, and on an idle aio nothing happens. Does not wait for the end.
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
 * **Interruption** stops the waiting alone.
 *
 * @since 0.1.0
 * @category combinators
 */
export const stop: (self: Aio) => Effect.Effect<void> = internal.stop

/**
 * Sets the time-out of operations started from now on (`nng_aio_set_timeout`): `NNG_ETIMEDOUT` when they have to wait
 * for longer. Undefined is what an operation has by itself (`NNG_DURATION_DEFAULT`), as the socket's `recvTimeout`, and
 * what an aio begins with. Zero still lets an operation succeed that need not wait.
 *
 * @since 0.1.0
 * @category combinators
 */
export const setTimeout: {
  (timeout: Duration.DurationInput | undefined): (self: Aio) => Effect.Effect<void>
  (self: Aio, timeout: Duration.DurationInput | undefined): Effect.Effect<void>
} = internal.setTimeout

/**
 * Sets when the next operation ends with `NNG_ETIMEDOUT`, instead of its time-out, and no later one (`nng_aio_set_expire`).
 * In the past it is as a time-out of zero. `NNG_EINVAL` if that is no point in time.
 *
 * @since 0.1.0
 * @category combinators
 */
export const setExpire: {
  (at: DateTime.DateTime.Input): (self: Aio) => Effect.Effect<void, Errors.EINVAL>
  (self: Aio, at: DateTime.DateTime.Input): Effect.Effect<void, Errors.EINVAL>
} = internal.setExpire
