import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import { dual } from "effect/Function"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import type * as Api from "../../Aio.js"
import * as Errors from "../../Errors.js"
import type { Message } from "../../Message.js"
import type { TurnShape } from "../../Turn.js"
import { Turn } from "../../Turn.js"
import { isMessage } from "../vocabulary/message.js"
import { Shown } from "../vocabulary/shown.js"
import { Deadlines } from "./deadlines.js"
import { acquireRelease } from "./scoped.js"
import { canceled, fromEffect, interruptible, stopped, TaskImpl, timedOut } from "./task.js"
import type { Deadline } from "./timeline.js"

export { fromEffect, toEffect } from "./task.js"

/** @internal */
export const TypeId: Api.TypeId = Symbol.for("effect-nng/Aio") as Api.TypeId

type Callback = (result: Api.Result) => Effect.Effect<void>

/** Details that the provider left out. */
type Describe = (exit: Api.Result) => Api.Details

const describeMessage: Describe = (exit) =>
  Exit.isSuccess(exit) && isMessage(exit.value) ? { count: exit.value.length, message: exit.value } : {}

/** The callbacks that a fiber runs for, or was forked in. */
const callbacks = FiberRef.unsafeMake<ReadonlyArray<AioTask<unknown, unknown>>>([])

interface Wait {
  /** Whether it is a callback of this aio that waits, which does not wait for callbacks. */
  readonly within: boolean
  readonly wake: () => void
}

class AioImpl extends Shown implements Api.Aio {
  readonly [TypeId]: Api.TypeId = TypeId
  stopped = false
  /** In milliseconds; undefined is what the operation has by itself. */
  timeout: number | undefined
  expire: number | undefined = undefined
  /** The operation, until it has ended. */
  current: AioTask<unknown, unknown> | undefined = undefined
  last: Api.Result | undefined = undefined
  count = 0
  message: Message | undefined = undefined
  readonly deadlines: Deadlines
  /** Those whose callback runs, or is about to. */
  private readonly calling = new Set<AioTask<unknown, unknown>>()
  private readonly waits = new Set<Wait>()

  constructor(
    readonly runtime: Runtime.Runtime<never>,
    readonly clock: Clock.Clock,
    readonly turn: TurnShape,
    private readonly callback: Callback | undefined
  ) {
    super()
    this.deadlines = new Deadlines(runtime, clock)
  }

  get now(): number {
    return this.clock.unsafeCurrentTimeMillis()
  }

  get busy(): boolean {
    return this.current !== undefined || this.calling.size > 0
  }

  begin<A, E>(timing: Timing, describe: Describe): AioTask<A, E> {
    const task = new AioTask<A, E>(this, timing, describe)
    this.current = task as AioTask<unknown, unknown>
    this.expire = undefined
    this.clear()
    if (this.stopped) task.finish(Exit.fail(stopped()))
    return task
  }

  clear(): void {
    this.last = undefined
    this.count = 0
    this.message = undefined
  }

  over(task: AioTask<unknown, unknown>, exit: Api.Result, { count, message }: Api.Details): void {
    this.current = undefined
    this.last = exit
    this.count = count ?? 0
    this.message = message
    if (this.callback !== undefined) this.call(task, this.callback, exit)
    this.wakeWaits()
  }

  private call(task: AioTask<unknown, unknown>, callback: Callback, exit: Api.Result): void {
    this.calling.add(task)
    const call = Effect.suspend(() => callback(exit)).pipe(
      Effect.catchAllCause((cause) =>
        Cause.isInterruptedOnly(cause) ? Effect.void : Effect.logError("the callback of an aio died", cause)
      ),
      // those that have ended would be kept for nothing, as aios made in callbacks inherit the list
      Effect.locallyWith(callbacks, (outer) => [...outer.filter((task) => task.isCalling), task])
    )
    Runtime.runFork(this.runtime, call, { immediate: false }).addObserver(() => {
      this.calling.delete(task)
      this.wakeWaits()
    })
  }

  isCalling(task: AioTask<unknown, unknown>): boolean {
    return this.calling.has(task)
  }

  readonly wait: Effect.Effect<void> = Effect.withFiberRuntime((fiber) => {
    const within = fiber.getFiberRef(callbacks).some((task) => this.calling.has(task))
    return this.rests(within) ? Effect.void : this.awaitRest(within)
  })

  private rests(within: boolean): boolean {
    return this.current === undefined && (within || this.calling.size === 0)
  }

  private awaitRest(within: boolean): Effect.Effect<void> {
    return Effect.async((resume) => {
      // the runtime may have let others run since it was looked
      if (this.rests(within)) return resume(Effect.void)
      const wait: Wait = { within, wake: () => resume(Effect.void) }
      this.waits.add(wait)
      return Effect.sync(() => void this.waits.delete(wait))
    })
  }

  private wakeWaits(): void {
    for (const wait of this.waits) {
      if (!this.rests(wait.within)) continue
      this.waits.delete(wait)
      wait.wake()
    }
  }

  toJSON(): unknown {
    return {
      _id: "effect-nng/Aio",
      state: this.current?.state ?? (this.busy ? "Completing" : "Idle"),
      stopped: this.stopped
    }
  }
}

/** For how long an operation may wait, in milliseconds: until `expire` if there is one. */
interface Timing {
  readonly expire: number | undefined
  readonly timeout: number
}

const noTiming: Timing = { expire: undefined, timeout: Infinity }

class AioTask<A, E> extends TaskImpl<A, E> {
  readonly result = Deferred.unsafeMake<A, E | Errors.NngError>(FiberId.none)
  private deadline: Deadline | undefined = undefined
  private watcher: Fiber.RuntimeFiber<void> | undefined = undefined

  constructor(
    private readonly aio: AioImpl,
    private readonly timing: Timing,
    private readonly describe: Describe
  ) {
    super()
  }

  get pending(): Api.Pending<A, E> {
    return Deferred.await(this.result)
  }

  get state(): "Begun" | "InProgress" {
    return this.waiting ? "InProgress" : "Begun"
  }

  get isCalling(): boolean {
    return this.aio.isCalling(this as AioTask<unknown, unknown>)
  }

  protected override get refusal(): Errors.NngError | undefined {
    return this.aio.stopped ? stopped() : super.refusal
  }

  /** Milliseconds from now. */
  private get patience(): number {
    const { expire, timeout } = this.timing
    return expire === undefined ? timeout : expire - this.aio.now
  }

  protected override get late(): boolean {
    return this.patience <= 0
  }

  protected override arm(): void {
    const { patience } = this
    // its time runs from when it was first scheduled
    if (patience !== Infinity) this.deadline ??= this.aio.deadlines.add(patience, () => this.abort(timedOut()))
  }

  /** A hop over the event loop, as sockets make them, is no waiting. */
  protected override armFor(fiber: Fiber.RuntimeFiber<A, E>): void {
    const untilItWaits: Effect.Effect<void> = Effect.flatMap(fiber.status, ({ _tag }) =>
      _tag === "Running" ? Effect.zipRight(Effect.yieldNow(), untilItWaits) : Effect.void
    )
    this.watcher = Runtime.runFork(
      this.aio.runtime,
      Effect.all([untilItWaits, this.aio.turn.hop, untilItWaits, Effect.sync(() => this.abort(timedOut()))], {
        discard: true
      }),
      { immediate: false }
    )
  }

  protected over(exit: Exit.Exit<A, E | Errors.NngError>, details: Api.Details | undefined): void {
    if (this.deadline !== undefined) this.aio.deadlines.remove(this.deadline)
    this.watcher?.unsafeInterruptAsFork(FiberId.none)
    const described = this.describe(exit)
    this.aio.over(this as AioTask<unknown, unknown>, exit, {
      count: details?.count ?? described.count,
      message: details?.message ?? described.message
    })
    Deferred.unsafeDone(this.result, exit)
  }
}

const impl = (aio: Api.Aio): AioImpl => aio as AioImpl

/** @internal */
export const isAio = (u: unknown): u is Api.Aio => Predicate.hasProperty(u, TypeId)

const millis = (duration: Duration.DurationInput | undefined): number | undefined =>
  duration === undefined ? undefined : Duration.toMillis(duration)

/** @internal */
export const make = (options?: {
  readonly timeout?: Duration.DurationInput | undefined
  readonly callback?: Callback | undefined
}): Effect.Effect<Api.Aio, never, Scope.Scope> =>
  Effect.flatMap(Effect.all([Effect.runtime<never>(), Effect.clock, Turn]), ([runtime, clock, turn]) =>
    acquireRelease(
      Effect.sync(() => {
        const aio = new AioImpl(interruptible(runtime), clock, turn, options?.callback)
        aio.timeout = millis(options?.timeout)
        return aio
      }),
      (aio) =>
        Effect.zipRight(
          stop(aio),
          Effect.sync(() => aio.deadlines.close())
        )
    )
  )

/** Begins one, which on a stopped aio is its end too; undefined if one is in progress. */
const tryBegin = <A, E>(aio: AioImpl): AioTask<A, E> | undefined =>
  aio.current === undefined
    ? aio.begin({ expire: aio.expire, timeout: aio.timeout ?? Infinity }, describeMessage)
    : undefined

const inProgress = (operation: string) => new Errors.EBUSY({ operation, reason: "an operation is in progress" })

/** @internal */
export const begin = <A, E>(self: Api.Aio): Effect.Effect<Api.Begun<A, E>, Errors.EBUSY> =>
  Effect.suspend((): Effect.Effect<Api.Begun<A, E>, Errors.EBUSY> => {
    const task = tryBegin<A, E>(impl(self))
    return task === undefined ? inProgress("Aio.begin") : Effect.succeed({ task, pending: task.pending })
  })

const launch = <A, E>(
  task: AioTask<A, E> | undefined,
  operation: Api.Operation<A, E>
): Effect.Effect<Api.Pending<A, E>, Errors.EBUSY> => {
  if (task === undefined) return inProgress("Aio.start")
  if (!task.ended) task.run(operation)
  return Effect.succeed(task.pending)
}

/** @internal */
export const start: {
  <A, E>(operation: Api.Operation<A, E>): (self: Api.Aio) => Effect.Effect<Api.Pending<A, E>, Errors.EBUSY>
  <A, E, R>(effect: Effect.Effect<A, E, R>): (self: Api.Aio) => Effect.Effect<Api.Pending<A, E>, Errors.EBUSY, R>
  <A, E>(self: Api.Aio, operation: Api.Operation<A, E>): Effect.Effect<Api.Pending<A, E>, Errors.EBUSY>
  <A, E, R>(self: Api.Aio, effect: Effect.Effect<A, E, R>): Effect.Effect<Api.Pending<A, E>, Errors.EBUSY, R>
} = dual(
  2,
  <A, E, R>(
    self: Api.Aio,
    work: Api.Operation<A, E> | Effect.Effect<A, E, R>
  ): Effect.Effect<Api.Pending<A, E>, Errors.EBUSY, R> => {
    const run = (operation: Api.Operation<A, E>) => Effect.suspend(() => launch(tryBegin<A, E>(impl(self)), operation))
    return Effect.isEffect(work) ? Effect.flatMap(fromEffect(work), run) : run(work)
  }
)

/**
 * Starts an effect that keeps time by itself, being told for how many milliseconds it may wait (undefined: as long as
 * it does of its own).
 *
 * @internal
 */
export const startTimed = <A, E>(
  self: Api.Aio,
  effect: (patience: number | undefined) => Effect.Effect<A, E>,
  describe: Describe = describeMessage
): Effect.Effect<Api.Pending<A, E>, Errors.EBUSY> =>
  Effect.suspend(() => {
    const aio = impl(self)
    let patience: number | undefined = undefined
    return Effect.flatMap(fromEffect(Effect.suspend(() => effect(patience))), (operation) => {
      if (aio.current !== undefined) return inProgress("Aio.start")
      patience = aio.expire === undefined ? aio.timeout : Math.max(0, aio.expire - aio.now)
      return launch(aio.begin<A, E>(noTiming, describe), operation)
    })
  })

/** @internal */
export const sleep: {
  (duration: Duration.DurationInput): (self: Api.Aio) => Effect.Effect<Api.Pending<void, never>, Errors.EBUSY>
  (self: Api.Aio, duration: Duration.DurationInput): Effect.Effect<Api.Pending<void, never>, Errors.EBUSY>
} = dual(2, (self: Api.Aio, duration: Duration.DurationInput) => {
  const { deadlines } = impl(self)
  const length = Duration.toMillis(duration)
  return start(self, (task: Api.Task<void, never>) => {
    if (length <= 0) return void task.finish(Exit.void)
    // made before the time-out, so that of two at one instant the sleep is over
    const alarm = length === Infinity ? undefined : deadlines.add(length, () => task.finish(Exit.void))
    const forget = () => alarm !== undefined && deadlines.remove(alarm)
    const waits = task.schedule((reason) => {
      forget()
      task.finish(Exit.fail(reason))
    })
    if (!waits) forget()
  })
})

/** @internal */
export const wait = (self: Api.Aio): Effect.Effect<void> => impl(self).wait

/** @internal */
export const result = (self: Api.Aio): Effect.Effect<Option.Option<Api.Result>> =>
  Effect.sync(() => Option.fromNullable(impl(self).last))

/** @internal */
export const count = (self: Api.Aio): Effect.Effect<number> => Effect.sync(() => impl(self).count)

/** @internal */
export const message = (self: Api.Aio): Effect.Effect<Option.Option<Message>> =>
  Effect.sync(() => Option.fromNullable(impl(self).message))

/** @internal */
export const busy = (self: Api.Aio): Effect.Effect<boolean> => Effect.sync(() => impl(self).busy)

/** @internal */
export const reset = (self: Api.Aio): Effect.Effect<void, Errors.EBUSY> =>
  Effect.suspend(() => {
    const aio = impl(self)
    return aio.current === undefined ? Effect.sync(() => aio.clear()) : inProgress("Aio.reset")
  })

/** @internal */
export const abort: {
  (error: Errors.NngError): (self: Api.Aio) => Effect.Effect<void>
  (self: Api.Aio, error: Errors.NngError): Effect.Effect<void>
} = dual(2, (self: Api.Aio, error: Errors.NngError): Effect.Effect<void> =>
  Effect.sync(() => impl(self).current?.abort(error))
)

/** @internal */
export const cancel = (self: Api.Aio): Effect.Effect<void> => Effect.suspend(() => abort(self, canceled()))

/** @internal */
export const stop = (self: Api.Aio): Effect.Effect<void> =>
  Effect.suspend(() => {
    const aio = impl(self)
    aio.stopped = true
    aio.current?.abort(stopped())
    return aio.wait
  })

/** @internal */
export const setTimeout: {
  (timeout: Duration.DurationInput | undefined): (self: Api.Aio) => Effect.Effect<void>
  (self: Api.Aio, timeout: Duration.DurationInput | undefined): Effect.Effect<void>
} = dual(2, (self: Api.Aio, timeout: Duration.DurationInput | undefined): Effect.Effect<void> =>
  Effect.sync(() => {
    impl(self).timeout = millis(timeout)
  })
)

/** @internal */
export const setExpire: {
  (at: DateTime.DateTime.Input): (self: Api.Aio) => Effect.Effect<void, Errors.EINVAL>
  (self: Api.Aio, at: DateTime.DateTime.Input): Effect.Effect<void, Errors.EINVAL>
} = dual(2, (self: Api.Aio, at: DateTime.DateTime.Input): Effect.Effect<void, Errors.EINVAL> =>
  Effect.suspend(() => {
    const expire = DateTime.make(at)
    if (Option.isNone(expire)) return new Errors.EINVAL({ operation: "Aio.setExpire", reason: "not a point in time" })
    impl(self).expire = DateTime.toEpochMillis(expire.value)
    return Effect.void
  })
)
