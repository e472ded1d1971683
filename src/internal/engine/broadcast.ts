import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

/** What one slow subscriber may have waiting; then it loses the oldest. */
const capacity = 1024

/**
 * Events for whoever listens, and the last one for whoever comes late.
 *
 * @internal
 */
export class Broadcast<A> {
  private readonly subscribers = new Set<{ readonly next: (event: A) => void; readonly end: () => void }>()
  private ended = false
  last: A | undefined = undefined

  get heard(): boolean {
    return this.subscribers.size > 0
  }

  emit(event: A): void {
    if (this.ended) return
    this.last = event
    for (const subscriber of this.subscribers) subscriber.next(event)
  }

  end(): void {
    this.ended = true
    for (const subscriber of this.subscribers) subscriber.end()
    this.subscribers.clear()
  }

  /** The events from now on; first comes what `current` gives, if anything. Ends when they do. */
  stream(current: () => A | undefined): Stream.Stream<A> {
    return Stream.asyncPush<A>(
      (emit) =>
        Effect.acquireRelease(
          Effect.sync(() => {
            const first = current()
            if (first !== undefined) emit.single(first)
            const subscriber = { next: (event: A) => void emit.single(event), end: () => emit.end() }
            if (this.ended) emit.end()
            else this.subscribers.add(subscriber)
            return subscriber
          }),
          (subscriber) => Effect.sync(() => void this.subscribers.delete(subscriber))
        ),
      { bufferSize: capacity, strategy: "sliding" }
    )
  }
}
