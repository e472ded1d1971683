import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Runtime from "effect/Runtime"

/** @internal */
export interface Deadline {
  readonly at: number
  readonly fire: () => void
  /** Its place in the heap; negative when it is not there. */
  index: number
}

/**
 * The deadlines of one socket. One sleeper on effect's Clock serves them all, and is replaced only for an earlier one.
 *
 * @internal
 */
export class Deadlines {
  private readonly heap: Array<Deadline> = []
  private readonly clock: Clock.Clock
  private readonly fork: (effect: Effect.Effect<void>) => Fiber.RuntimeFiber<void>
  private sleeper: Fiber.RuntimeFiber<void> | undefined = undefined
  private wakesAt = Infinity

  constructor(runtime: Runtime.Runtime<never>, clock: Clock.Clock) {
    this.clock = clock
    this.fork = (effect) => Runtime.runFork(runtime, effect)
  }

  add(millis: number, fire: () => void): Deadline {
    const deadline = { at: this.clock.unsafeCurrentTimeMillis() + millis, fire, index: this.heap.length }
    this.heap.push(deadline)
    this.up(deadline)
    this.arm()
    return deadline
  }

  remove(deadline: Deadline): void {
    const { index } = deadline
    if (index < 0) return
    deadline.index = -1
    const last = this.heap.pop()!
    if (last === deadline) return
    this.place(last, index)
    this.up(last)
    this.down(last)
  }

  passed(deadline: Deadline): boolean {
    return deadline.at <= this.clock.unsafeCurrentTimeMillis()
  }

  close(): void {
    // whoever is awake still has one, and will take it back
    for (const deadline of this.heap) deadline.index = -1
    this.heap.length = 0
    this.wakesAt = Infinity
    this.sleeper?.unsafeInterruptAsFork(FiberId.none)
    this.sleeper = undefined
  }

  private arm(): void {
    const next = this.heap[0]
    if (next === undefined || next.at >= this.wakesAt) return
    this.sleeper?.unsafeInterruptAsFork(FiberId.none)
    this.wakesAt = next.at
    const wait = Math.max(0, next.at - this.clock.unsafeCurrentTimeMillis())
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
    for (let next = this.heap[0]; next !== undefined && this.passed(next); next = this.heap[0]) {
      this.remove(next)
      next.fire()
    }
    this.arm()
  }

  private place(deadline: Deadline, index: number): void {
    this.heap[index] = deadline
    deadline.index = index
  }

  private up(deadline: Deadline): void {
    while (deadline.index > 0) {
      const { index } = deadline
      const parent = this.heap[(index - 1) >> 1]!
      if (parent.at <= deadline.at) return
      this.place(parent, index)
      this.place(deadline, (index - 1) >> 1)
    }
  }

  private down(deadline: Deadline): void {
    for (;;) {
      const { index } = deadline
      const left = this.heap[2 * index + 1]
      const right = this.heap[2 * index + 2]
      const child = right !== undefined && right.at < left!.at ? right : left
      if (child === undefined || child.at >= deadline.at) return
      const place = child.index
      this.place(child, index)
      this.place(deadline, place)
    }
  }
}
