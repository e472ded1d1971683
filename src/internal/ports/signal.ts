import * as Effect from "effect/Effect"

interface Waiter {
  readonly ready: () => boolean
  readonly resume: () => void
}

/**
 * Something that may be waited for. Whoever changes what a wait is for calls `wake`.
 *
 * @internal
 */
export class Signal {
  private readonly waiters = new Set<Waiter>()

  /** Wakes those whose wait is over. */
  wake(): void {
    for (const waiter of this.waiters) {
      if (!waiter.ready()) continue
      this.waiters.delete(waiter)
      waiter.resume()
    }
  }

  /** Until this holds. **Interruption** has no effect but to stop waiting. */
  until(ready: () => boolean): Effect.Effect<void> {
    return Effect.suspend(() => (ready() ? Effect.void : Effect.zipRight(this.next(ready), this.until(ready))))
  }

  private next(ready: () => boolean): Effect.Effect<void> {
    return Effect.async<void>((resume) => {
      // the runtime may have let others run since it was looked
      if (ready()) return resume(Effect.void)
      const waiter: Waiter = { ready, resume: () => resume(Effect.void) }
      this.waiters.add(waiter)
      return Effect.sync(() => void this.waiters.delete(waiter))
    })
  }
}
