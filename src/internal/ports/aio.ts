import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import { dual } from "effect/Function"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Scope from "effect/Scope"
import type * as Api from "../../Aio.js"
import * as Errors from "../../Errors.js"
import { Shown } from "../vocabulary/shown.js"

/** @internal */
export const TypeId: Api.TypeId = Symbol.for("effect-nng/Aio") as Api.TypeId

interface Busy {
  readonly _tag: "Busy"
  fiber: Fiber.RuntimeFiber<void> | undefined
  /** Aborts it when its time is over; so a result that came in the last moment stands. */
  sleeper: Fiber.RuntimeFiber<void> | undefined
  /** What to end it with; then it is being interrupted. */
  abort: Errors.NngError | undefined
  /** The operation has ended, and its callback runs. */
  ended: boolean
  readonly done: Deferred.Deferred<void>
}

type State = { readonly _tag: "Idle" } | Busy

const idle: State = { _tag: "Idle" }

class AioImpl extends Shown implements Api.Aio {
  readonly [TypeId]: Api.TypeId = TypeId
  state: State = idle
  stopped = false
  last: Api.Result | undefined = undefined

  constructor(
    readonly scope: Scope.Scope,
    public timeout: Duration.Duration,
    readonly callback: (result: Api.Result) => Effect.Effect<void>
  ) {
    super()
  }

  toJSON(): unknown {
    return { _id: "effect-nng/Aio", state: this.state._tag, stopped: this.stopped }
  }
}

const impl = (aio: Api.Aio): AioImpl => aio as AioImpl

/** @internal */
export const isAio = (u: unknown): u is Api.Aio => Predicate.hasProperty(u, TypeId)

/** @internal */
export const make = (options?: {
  readonly timeout?: Duration.DurationInput | undefined
  readonly callback?: ((result: Api.Result) => Effect.Effect<void>) | undefined
}): Effect.Effect<Api.Aio, never, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const aio = new AioImpl(
      scope,
      Duration.decode(options?.timeout ?? Duration.infinity),
      options?.callback ?? (() => Effect.void)
    )
    yield* Effect.addFinalizer((exit) => Effect.zipRight(stop(aio), Scope.close(scope, exit)))
    return aio
  })

/** @internal */
export const start: {
  <A, E, R>(operation: Effect.Effect<A, E, R>): (self: Api.Aio) => Effect.Effect<Api.Pending<A, E>, Errors.EBUSY, R>
  <A, E, R>(self: Api.Aio, operation: Effect.Effect<A, E, R>): Effect.Effect<Api.Pending<A, E>, Errors.EBUSY, R>
} = dual(
  2,
  <A, E, R>(self: Api.Aio, operation: Effect.Effect<A, E, R>): Effect.Effect<Api.Pending<A, E>, Errors.EBUSY, R> =>
    Effect.suspend((): Effect.Effect<Api.Pending<A, E>, Errors.EBUSY, R> => {
      const aio = impl(self)
      const before = aio.state
      // its own callback may start the next operation, which then is what the waiting is for
      if (before._tag === "Busy" && !before.ended) {
        return new Errors.EBUSY({ operation: "Aio.start", reason: "an operation is in progress" })
      }
      const result = Deferred.unsafeMake<A, E | Errors.NngError>(FiberId.none)
      const busy: Busy = {
        _tag: "Busy",
        fiber: undefined,
        sleeper: undefined,
        abort: aio.stopped ? stopped() : undefined,
        ended: false,
        done: Deferred.unsafeMake<void>(FiberId.none)
      }
      aio.state = busy
      aio.last = undefined
      return Effect.gen(function* () {
        const fiber = yield* Effect.forkIn(run(aio, busy, operation, result), aio.scope)
        busy.fiber = fiber
        // aborted before there was anything to interrupt
        if (busy.abort !== undefined) fiber.unsafeInterruptAsFork(FiberId.none)
        if (Duration.isFinite(aio.timeout)) {
          const late = Effect.sync(() => abortBusy(busy, new Errors.ETIMEDOUT({ operation: "aio" })))
          busy.sleeper = yield* Effect.forkIn(Effect.interruptible(Effect.delay(late, aio.timeout)), aio.scope)
        }
        return Deferred.await(result)
      })
      // the child inherits the mask: an abort before its first step must not keep it from telling the result
    }).pipe(Effect.uninterruptible)
)

const stopped = () => new Errors.ESTOPPED({ operation: "aio" })

const run = <A, E, R>(
  aio: AioImpl,
  busy: Busy,
  operation: Effect.Effect<A, E, R>,
  result: Deferred.Deferred<A, E | Errors.NngError>
): Effect.Effect<void, never, R> =>
  Effect.gen(function* () {
    const exit: Exit.Exit<A, E | Errors.NngError> = yield* busy.abort === undefined
      ? Effect.exit(Effect.interruptible(operation))
      : Effect.succeed(Exit.fail(busy.abort))
    const final: Exit.Exit<A, E | Errors.NngError> = Exit.isInterrupted(exit)
      ? Exit.fail(busy.abort ?? new Errors.ECANCELED({ operation: "aio" }))
      : exit
    aio.last = final
    busy.ended = true
    busy.sleeper?.unsafeInterruptAsFork(FiberId.none)
    yield* Deferred.done(result, final)
    yield* Effect.exit(Effect.suspend(() => aio.callback(final)))
    if (aio.state === busy) aio.state = idle
    yield* Deferred.succeed(busy.done, void 0)
  })

/** @internal */
export const wait = (self: Api.Aio): Effect.Effect<void> =>
  Effect.withFiberRuntime((fiber) => {
    const { state } = impl(self)
    // the callback runs in the operation's fiber, and would wait for itself
    return state._tag === "Idle" || state.fiber === fiber
      ? Effect.void
      : Effect.zipRight(Deferred.await(state.done), wait(self))
  })

/** @internal */
export const result = (self: Api.Aio): Effect.Effect<Option.Option<Api.Result>> =>
  Effect.sync(() => Option.fromNullable(impl(self).last))

/** @internal */
export const busy = (self: Api.Aio): Effect.Effect<boolean> => Effect.sync(() => impl(self).state._tag === "Busy")

const abortBusy = (busy: Busy, error: Errors.NngError): void => {
  if (busy.ended || busy.abort !== undefined) return
  busy.abort = error
  busy.fiber?.unsafeInterruptAsFork(FiberId.none)
}

/** @internal */
export const abort: {
  (error: Errors.NngError): (self: Api.Aio) => Effect.Effect<void>
  (self: Api.Aio, error: Errors.NngError): Effect.Effect<void>
} = dual(2, (self: Api.Aio, error: Errors.NngError): Effect.Effect<void> =>
  Effect.sync(() => {
    const { state } = impl(self)
    if (state._tag === "Busy") abortBusy(state, error)
  })
)

/** @internal */
export const cancel = (self: Api.Aio): Effect.Effect<void> => abort(self, new Errors.ECANCELED({ operation: "aio" }))

/** @internal */
export const stop = (self: Api.Aio): Effect.Effect<void> =>
  Effect.suspend(() => {
    impl(self).stopped = true
    return Effect.zipRight(abort(self, stopped()), wait(self))
  })

/** @internal */
export const setTimeout: {
  (timeout: Duration.DurationInput): (self: Api.Aio) => Effect.Effect<void>
  (self: Api.Aio, timeout: Duration.DurationInput): Effect.Effect<void>
} = dual(2, (self: Api.Aio, timeout: Duration.DurationInput): Effect.Effect<void> =>
  Effect.sync(() => {
    impl(self).timeout = Duration.decode(timeout)
  })
)
