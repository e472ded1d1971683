import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { RuntimeFiber } from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as Scheduler from "effect/Scheduler"
import { nextTurn } from "../ports/nextTurn.js"
import { soon } from "../ports/soon.js"
import { Timeline } from "../ports/timeline.js"

/** So many rounds of ready fibers without a turn of the event loop; then whoever limits a test's time gets a word in. */
const roundsPerTurn = 100_000

/** effect's own hops over a timer now and then, and its fibers then seem idle; this one tells whether any is ready. */
class SimulatedScheduler implements Scheduler.Scheduler {
  running = false
  private tasks = new Scheduler.PriorityBuckets()

  shouldYield(fiber: RuntimeFiber<unknown, unknown>): number | false {
    return fiber.currentOpCount > fiber.getFiberRef(FiberRef.currentMaxOpsBeforeYield)
      ? fiber.getFiberRef(FiberRef.currentSchedulingPriority)
      : false
  }

  scheduleTask(task: Scheduler.Task, priority: number): void {
    this.tasks.scheduleTask(task, priority)
    if (this.running) return
    this.running = true
    this.go(0)
  }

  private go(rounds: number): void {
    if (rounds < roundsPerTurn) soon(() => this.round(rounds))
    else nextTurn(() => this.round(0))
  }

  private round(rounds: number): void {
    const { buckets } = this.tasks
    this.tasks.buckets = []
    for (const [, tasks] of buckets) for (const task of tasks) task()
    if (this.tasks.buckets.length > 0) this.go(rounds + 1)
    else this.running = false
  }
}

/**
 * Time that stands still while anything is ready, and then goes on to the next instant that somebody waits for; all who
 * wait for that are woken together.
 *
 * @internal
 */
export class SimulatedTime implements Clock.Clock {
  readonly [Clock.ClockTypeId]: Clock.ClockTypeId = Clock.ClockTypeId
  readonly scheduler = new SimulatedScheduler()
  private readonly timeline = new Timeline()
  private now = 0
  private cancelTurn: (() => void) | undefined = undefined

  readonly currentTimeMillis: Effect.Effect<number> = Effect.sync(() => this.now)
  readonly currentTimeNanos: Effect.Effect<bigint> = Effect.sync(() => this.unsafeCurrentTimeNanos())

  unsafeCurrentTimeMillis(): number {
    return this.now
  }

  unsafeCurrentTimeNanos(): bigint {
    return BigInt(Math.round(this.now * 1e6))
  }

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    const millis = Duration.toMillis(duration)
    return millis === Infinity
      ? Effect.never
      : Effect.async<void>((resume) => {
          const cancel = this.after(millis, () => resume(Effect.void))
          return Effect.sync(cancel)
        })
  }

  /** Runs something when so much time has passed; gives what cancels it. */
  readonly after = (millis: number, run: () => void): (() => void) => {
    const deadline = this.timeline.add(this.now + millis, run)
    this.arm()
    return () => this.timeline.remove(deadline)
  }

  close(): void {
    this.timeline.clear()
    this.cancelTurn?.()
    this.cancelTurn = undefined
  }

  private arm(): void {
    if (this.cancelTurn === undefined && this.timeline.next < Infinity) this.cancelTurn = nextTurn(this.turn)
  }

  private readonly turn = () => {
    this.cancelTurn = undefined
    if (!this.scheduler.running) {
      this.now = Math.max(this.now, this.timeline.next === Infinity ? this.now : this.timeline.next)
      this.timeline.fire(this.now)
    }
    this.arm()
  }
}
