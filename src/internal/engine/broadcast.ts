import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { scopedStream } from "../ports/scopedStream.js"
import { Signal } from "../ports/signal.js"

/** What one slow subscriber may have waiting; then it loses the oldest. */
const capacity = 1024

interface Listening<A> {
  readonly next: (event: A) => void
  readonly end: () => void
}

/** What one who listens has not taken yet. */
class Subscriber<A> implements Listening<A> {
  private events: Array<A> = []
  private ended = false
  private readonly signal = new Signal()

  next(event: A): void {
    if (this.events.length === capacity) this.events.shift()
    this.events.push(event)
    this.signal.wake()
  }

  end(): void {
    this.ended = true
    this.signal.wake()
  }

  /** All that there is, as soon as there is something; no error: there will be nothing more. */
  readonly take: Effect.Effect<Chunk.Chunk<A>, Option.Option<never>> = Effect.zipRight(
    Effect.suspend(() => this.signal.until(() => this.events.length > 0 || this.ended)),
    Effect.suspend(() => {
      const { events } = this
      this.events = []
      return events.length === 0 ? Effect.fail(Option.none()) : Effect.succeed(Chunk.unsafeFromArray(events))
    })
  )
}

/**
 * Events for whoever listens, and the last one for whoever comes late.
 *
 * @internal
 */
export class Broadcast<A> {
  private readonly subscribers = new Set<Listening<A>>()
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

  subscribe(subscriber: Listening<A>): void {
    if (this.ended) subscriber.end()
    else this.subscribers.add(subscriber)
  }

  unsubscribe(subscriber: Listening<A>): void {
    this.subscribers.delete(subscriber)
  }
}

/**
 * The events from now on; first comes what `current` gives, if anything. Ends when they do. No method, so that who
 * listens to none does without streams.
 *
 * @internal
 */
export const streamOf = <A>(broadcast: Broadcast<A>, current: () => A | undefined): Stream.Stream<A> => {
  const subscribe = Effect.sync(() => {
    const subscriber = new Subscriber<A>()
    const first = current()
    if (first !== undefined) subscriber.next(first)
    broadcast.subscribe(subscriber)
    return subscriber
  })
  const subscribed = Effect.acquireRelease(subscribe, (subscriber) =>
    Effect.sync(() => broadcast.unsubscribe(subscriber))
  )
  return scopedStream(Effect.map(subscribed, ({ take }) => Stream.repeatEffectChunkOption(take)))
}
