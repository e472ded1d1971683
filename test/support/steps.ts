import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import type * as Scheduler from "effect/Scheduler"

/** A scheduler that does one thing after the other, each when it is told to. */
export class Steps implements Scheduler.Scheduler {
  private readonly tasks: Array<() => void> = []

  scheduleTask(task: () => void): void {
    this.tasks.push(task)
  }

  shouldYield(fiber: Fiber.RuntimeFiber<unknown, unknown>): number | false {
    return fiber.currentOpCount > fiber.getFiberRef(FiberRef.currentMaxOpsBeforeYield) ? 0 : false
  }

  one(): boolean {
    const task = this.tasks.shift()
    task?.()
    return task !== undefined
  }

  all(): void {
    while (this.one());
  }

  run<A, E>(effect: Effect.Effect<A, E>): Fiber.RuntimeFiber<A, E> {
    return Effect.runFork(effect, { scheduler: this })
  }

  /** What came of a fiber in the end, if it has ended. */
  got<A, E>(fiber: Fiber.RuntimeFiber<A, E>): A | string {
    this.all()
    const exit = fiber.unsafePoll()
    return exit === null ? "it waits" : Exit.getOrElse(exit, Cause.pretty)
  }
}

/**
 * What comes of an effect when something happens while it waits, or is about to, wherever the runtime lets others run:
 * `begun` is when it may happen from.
 */
export const wherever = <S, A>(
  make: () => S,
  effect: (state: S) => Effect.Effect<A>,
  begun: (state: S) => boolean,
  happens: (state: S) => void
): ReadonlyArray<A | string> => {
  const results: Array<A | string> = []
  for (let budget = 16; budget < 20; budget++) {
    for (let before = 0; before < 24; before++) {
      for (let further = 0; further < 6; further++) {
        const steps = new Steps()
        const state = make()
        const later = Array.from({ length: before }).reduce<Effect.Effect<A>>(
          (later) => Effect.zipRight(Effect.void, later),
          effect(state)
        )
        const fiber = steps.run(Effect.withMaxOpsBeforeYield(later, budget))
        while (!begun(state)) steps.one()
        for (let i = 0; i < further; i++) steps.one()
        happens(state)
        results.push(steps.got(fiber))
      }
    }
  }
  return results
}
