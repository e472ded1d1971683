import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { scopedStream } from "../ports/scopedStream.js"

/** What one slow subscriber may have waiting; then it loses the oldest. */
const capacity = 1024

/** What one who listens has not taken yet. */
class Subscriber<A> {
  private events: Array<A> = []
  private ended = false
  private wake: (() => void) | undefined = undefined

  next(event: A): void {
    if (this.events.length === capacity) this.events.shift()
    this.events.push(event)
    this.wake?.()
  }

  end(): void {
    this.ended = true
    this.wake?.()
  }

  /** All that there is, as soon as there is something; no error: there will be nothing more. */
  readonly take: Effect.Effect<Chunk.Chunk<A>, Option.Option<never>> = Effect.suspend(() => {
    const { events } = this
    if (events.length === 0) return this.ended ? Effect.fail(Option.none()) : Effect.zipRight(this.changed, this.take)
    this.events = []
    return Effect.succeed(Chunk.unsafeFromArray(events))
  })

  private readonly changed = Effect.async<void>((resume) => {
    this.wake = () => {
      this.wake = undefined
      resume(Effect.void)
    }
    return Effect.sync(() => {
      this.wake = undefined
    })
  })
}

/**
 * Events for whoever listens, and the last one for whoever comes late.
 *
 * @internal
 */
export class Broadcast<A> {
  private readonly subscribers = new Set<Subscriber<A>>()
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
    const subscribe = Effect.sync(() => {
      const subscriber = new Subscriber<A>()
      const first = current()
      if (first !== undefined) subscriber.next(first)
      if (this.ended) subscriber.end()
      else this.subscribers.add(subscriber)
      return subscriber
    })
    const subscribed = Effect.acquireRelease(subscribe, (subscriber) =>
      Effect.sync(() => void this.subscribers.delete(subscriber))
    )
    return scopedStream(Effect.map(subscribed, ({ take }) => Stream.repeatEffectChunkOption(take)))
  }
}
