import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Runtime from "effect/Runtime"
import type { Deadline } from "./timeline.js"
import { Timeline } from "./timeline.js"

/**
 * In milliseconds. A sleep is of whole nanoseconds: where times have finer parts one ends a little early, and the rest
 * would be no time at all.
 */
const tolerance = 0.001

/**
 * Deadlines of one owner. One sleeper on effect's Clock serves them all, and is replaced only for an earlier one.
 *
 * @internal
 */
export class Deadlines {
  private readonly timeline = new Timeline()
  private readonly clock: Clock.Clock
  private readonly fork: (effect: Effect.Effect<void>) => Fiber.RuntimeFiber<void>
  private sleeper: Fiber.RuntimeFiber<void> | undefined = undefined
  private wakesAt = Infinity

  constructor(runtime: Runtime.Runtime<never>, clock: Clock.Clock) {
    this.clock = clock
    this.fork = (effect) => Runtime.runFork(runtime, effect)
  }

  add(millis: number, fire: () => void): Deadline {
    const deadline = this.timeline.add(this.clock.unsafeCurrentTimeMillis() + millis, fire)
    this.arm()
    return deadline
  }

  remove(deadline: Deadline): void {
    this.timeline.remove(deadline)
  }

  passed(deadline: Deadline): boolean {
    return deadline.at <= this.now
  }

  close(): void {
    this.timeline.clear()
    this.wakesAt = Infinity
    this.sleeper?.unsafeInterruptAsFork(FiberId.none)
    this.sleeper = undefined
  }

  private arm(): void {
    const { next } = this.timeline
    if (next >= this.wakesAt) return
    this.sleeper?.unsafeInterruptAsFork(FiberId.none)
    this.wakesAt = next
    const wait = Math.max(0, next - this.clock.unsafeCurrentTimeMillis())
    this.sleeper = this.fork(
      Effect.zipRight(
        Effect.suspend(() => this.clock.sleep(Duration.millis(wait))),
        Effect.sync(() => this.fireDue())
      )
    )
  }

  private fireDue(): void {
    this.wakesAt = Infinity
    this.sleeper = undefined
    this.timeline.fire(this.now)
    this.arm()
  }

  private get now(): number {
    return this.clock.unsafeCurrentTimeMillis() + tolerance
  }
}
