import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import * as RuntimeFlags from "effect/RuntimeFlags"
import type * as Api from "../../Aio.js"
import * as Errors from "../../Errors.js"
import { aboutToYield } from "./atomically.js"
import { soon } from "./soon.js"

type End<A, E> = Exit.Exit<A, E | Errors.NngError>

type Cancel = (reason: Errors.NngError) => void

/** @internal */
export const canceled = (): Errors.NngError => new Errors.ECANCELED({ operation: "aio" })

/** @internal */
export const stopped = (): Errors.NngError => new Errors.ESTOPPED({ operation: "aio" })

/** @internal */
export const timedOut = (): Errors.NngError => new Errors.ETIMEDOUT({ operation: "aio" })

/**
 * One operation, from its beginning to its end, which is told once: whoever comes first.
 *
 * @internal
 */
export abstract class TaskImpl<A, E> implements Api.Task<A, E> {
  exit: End<A, E> | undefined = undefined
  /** Set by the first abort, and by no other. */
  private aborted: Errors.NngError | undefined = undefined
  /** While it waits. */
  private cancel: Cancel | undefined = undefined

  get ended(): boolean {
    return this.exit !== undefined
  }

  get waiting(): boolean {
    return this.cancel !== undefined
  }

  schedule(cancel: Cancel): boolean {
    if (this.ended) return false
    const refusal = this.refusal ?? (this.late ? timedOut() : undefined)
    if (refusal !== undefined) {
      this.finish(Exit.fail(refusal))
      return false
    }
    this.cancel = cancel
    this.arm()
    return true
  }

  /**
   * For an effect, of which nobody knows beforehand whether it has to wait: where others are refused it is cancelled,
   * and its own end counts. Without time to wait it is cancelled when it does.
   */
  scheduleFiber(fiber: Fiber.RuntimeFiber<A, E>, cancel: Cancel): void {
    this.cancel = cancel
    if (this.refusal !== undefined) this.withdraw(this.refusal)
    else if (this.late) this.armFor(fiber)
    else this.arm()
  }

  finish(exit: End<A, E>, details?: Api.Details): boolean {
    if (this.ended) return false
    this.exit = exit
    this.cancel = undefined
    this.over(exit, details)
    return true
  }

  abort(reason: Errors.NngError): void {
    if (this.ended || this.aborted !== undefined) return
    this.aborted = reason
    this.withdraw(reason)
  }

  run(operation: Api.Operation<A, E>): void {
    try {
      operation(this)
    } catch (defect) {
      this.finish(Exit.die(defect))
    }
  }

  private withdraw(reason: Errors.NngError): void {
    try {
      this.cancel?.(reason)
    } catch (defect) {
      this.finish(Exit.die(defect))
    }
  }

  /** Why it may not go on to wait, apart from time. */
  protected get refusal(): Errors.NngError | undefined {
    return this.aborted
  }

  /** Whether it has no time to wait. */
  protected get late(): boolean {
    return false
  }

  /** Aborts it when its time is over. */
  protected arm(): void {}

  /** Aborts it when this fiber has to wait. */
  protected armFor(_fiber: Fiber.RuntimeFiber<A, E>): void {}

  protected abstract over(exit: End<A, E>, details: Api.Details | undefined): void
}

/** An operation that a fiber waits for, without an aio. */
class FiberTask<A, E> extends TaskImpl<A, E> {
  private resume: (effect: Effect.Effect<void>) => void = () => undefined

  readonly end: Effect.Effect<void> = Effect.async((resume) => {
    if (this.ended) resume(Effect.void)
    else this.resume = resume
  })

  protected over(): void {
    this.resume(Effect.void)
  }
}

/**
 * A runtime whose fibers can be interrupted, though it was captured where nothing can be.
 *
 * @internal
 */
export const interruptible = <R>(runtime: Runtime.Runtime<R>): Runtime.Runtime<R> =>
  Runtime.enableRuntimeFlag(runtime, RuntimeFlags.Interruption)

/** @internal */
export const fromEffect = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<Api.Operation<A, E>, never, R> =>
  Effect.map(Effect.runtime<R>(), (runtime) => {
    const forking = interruptible(runtime)
    return (task) => {
      let reason: Errors.NngError | undefined = undefined
      const fiber = Runtime.runFork(forking, effect, { immediate: false })
      const cancel: Cancel = (why) => {
        reason = why
        fiber.unsafeInterruptAsFork(FiberId.none)
      }
      fiber.addObserver((exit) => task.finish(endOf(exit, reason)))
      if (task instanceof TaskImpl) task.scheduleFiber(fiber, cancel)
      // somebody's own, which has no try for it
      else if (!task.schedule(cancel)) cancel(canceled())
    }
  })

/** An interruption is told by its reason; defects on the way out are told too. */
const endOf = <A, E>(exit: Exit.Exit<A, E>, reason: Errors.NngError | undefined): End<A, E> => {
  if (Exit.isSuccess(exit) || !Cause.isInterrupted(exit.cause)) return exit
  const failure = Cause.fail(reason ?? canceled())
  return Exit.failCause(
    Option.match(Cause.keepDefects(exit.cause), {
      onNone: () => failure,
      onSome: (defects) => Cause.sequential(failure, defects)
    })
  )
}

/** @internal */
export const toEffect = <A, E>(operation: Api.Operation<A, E>): Effect.Effect<A, E | Errors.NngError> =>
  Effect.withFiberRuntime((fiber, { runtimeFlags }) => {
    const told = RuntimeFlags.interruptible(runtimeFlags) ? standing(fiber) : stays
    return Effect.uninterruptibleMask((restore) => {
      const task = new FiberTask<A, E>()
      task.run(operation)
      if (task.exit !== undefined) return told(task.exit)
      return Effect.flatMap(Effect.exit(restore(task.end)), (waited) => {
        if (task.exit !== undefined) return told(task.exit)
        task.abort(canceled())
        const interruption = Exit.isFailure(waited) ? waited.cause : Cause.empty
        return Effect.zipRight(
          task.end,
          Effect.suspend(() => {
            const exit = task.exit!
            if (Exit.isSuccess(exit)) return told(exit)
            const defects = Cause.keepDefects(exit.cause)
            return Effect.failCause(
              Option.isNone(defects) ? interruption : Cause.sequential(interruption, defects.value)
            )
          })
        )
      })
    })
  })

const stays = <A, E>(exit: Exit.Exit<A, E>): Effect.Effect<A, E> => exit

/**
 * The last step of an uninterruptible region whose result has to get out, as nobody else has it. The runtime makes an
 * interruption of any result there, if one has come; so it is taken back, to come again when this fiber next waits.
 */
const standing =
  (fiber: Fiber.RuntimeFiber<unknown, unknown>) =>
  <A, E>(exit: Exit.Exit<A, E>): Effect.Effect<A, E> => {
    const effect: Effect.Effect<A, E> = Effect.suspend(() => {
      if (aboutToYield()) return Effect.zipRight(Effect.yieldNow(), effect)
      const interruptors = Cause.interruptors(fiber.getFiberRef(FiberRef.interruptedCause))
      for (const interruptor of interruptors) soon(() => fiber.unsafeInterruptAsFork(interruptor))
      return Effect.zipRight(FiberRef.set(FiberRef.interruptedCause, Cause.empty), exit)
    })
    return effect
  }
