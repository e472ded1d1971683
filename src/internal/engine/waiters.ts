// hot path: bench/src/rows/oneway.js, rtt.js
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Deadlines } from "../ports/deadlines.js"
import type { Deadline } from "../ports/timeline.js"

/**
 * An operation that may have to wait.
 *
 * @internal
 */
export interface Attempt<out A, out E> {
  /** Its exit, or undefined if it would have to wait. */
  readonly try: () => Exit.Exit<A, E> | undefined
  /** What it fails with when its time is over. */
  readonly late: () => E
  /** It was interrupted while it waited. */
  readonly left?: () => void
  /** Most messages that it takes; one, unless it says otherwise. */
  readonly max?: number
}

/** Somebody who waits, for whoever may end that. */
export interface Waiting {
  readonly attempt: Attempt<unknown, unknown>
}

/** Stand in for what a waiter no longer needs. */
const nothing = () => undefined
const noAttempt: Attempt<unknown, unknown> = { try: nothing, late: nothing }

/** Somebody who waits. A class and no literal, and emptied when done: V8 would learn to allocate it among the old. */
class Waiter implements Waiting {
  place: "queued" | "woken" | "gone" = "gone"
  deadline: Deadline | undefined = undefined
  resume: (effect: Effect.Effect<never>) => void = nothing
  previous: Waiter | undefined = undefined
  next: Waiter | undefined = undefined

  constructor(public attempt: Attempt<unknown, unknown>) {}
}

/**
 * Who waits to send, or to receive, first come first served.
 *
 * A waiter is woken with nothing and tries by itself when it runs, so an interruption in between loses nothing. At
 * most one is awake at a time: it wakes the next when it is done, and so does its canceller if it never gets to run.
 *
 * @internal
 */
export class Waiters<E> {
  private first: Waiter | undefined = undefined
  private last: Waiter | undefined = undefined
  private awake: Waiter | undefined = undefined

  constructor(
    private readonly ready: () => boolean,
    private readonly deadlines: Deadlines
  ) {}

  /** Whether a newcomer may try without overtaking anybody. */
  get none(): boolean {
    return this.first === undefined && this.awake === undefined
  }

  /** Most messages that those who wait take. */
  get demand(): number {
    let demand = this.awake === undefined ? 0 : (this.awake.attempt.max ?? 1)
    for (let waiter = this.first; waiter !== undefined; waiter = waiter.next) demand += waiter.attempt.max ?? 1
    return demand
  }

  /** Whether somebody waits, and nobody is awake already for what is there. */
  get waiting(): boolean {
    return this.first !== undefined && this.awake === undefined
  }

  /** To be called when an operation may have become possible. */
  notify(): void {
    if (this.first !== undefined && this.awake === undefined && this.ready()) this.wakeFirst()
  }

  /**
   * Waits until `attempt` gives an exit. After `millis` it fails, having done nothing.
   */
  wait<A, E1 extends E>(
    attempt: Attempt<A, E1>,
    millis: number | undefined,
    begun?: (waiting: Waiting) => void
  ): Effect.Effect<A, E1> {
    return Effect.uninterruptibleMask((restore) => {
      const waiter = new Waiter(attempt)
      if (begun !== undefined) begun(waiter)
      const line = Effect.async<A, E1>((resume) => {
        waiter.resume = resume as Waiter["resume"]
        if (millis !== undefined) waiter.deadline = this.deadlines.add(millis, () => this.expire(waiter))
        this.append(waiter)
        this.notify()
      })
      // what Effect.async does with a canceller, in half as many steps
      return Effect.catchAllCause(restore(line), (cause) => {
        this.cancel(waiter)
        return Effect.failCause(cause)
      })
    })
  }

  /** Ends one wait with this exit, even if it has been woken; not one that is over. */
  fail(waiting: Waiting, exit: Exit.Exit<never, E>): void {
    const waiter = waiting as Waiter
    if (waiter.place === "woken") {
      waiter.attempt = { try: () => exit, late: nothing }
    } else if (waiter.place === "queued") {
      const { resume } = waiter
      this.leave(waiter)
      resume(exit as Exit.Exit<never, never>)
    }
  }

  /** Ends every wait with this exit. */
  end(exit: Exit.Exit<never, E>): void {
    for (let waiter = this.first; waiter !== undefined; waiter = this.first) {
      const { resume } = waiter
      this.leave(waiter)
      resume(exit as Exit.Exit<never, never>)
    }
  }

  private wakeFirst(): void {
    const waiter = this.first!
    this.unlink(waiter)
    waiter.place = "woken"
    this.awake = waiter
    const { resume } = waiter
    waiter.resume = nothing
    resume(this.retry)
  }

  /** What a woken waiter runs; there is only one at a time. */
  private readonly retry: Effect.Effect<never> = Effect.suspend(() => {
    const waiter = this.awake!
    const exit = waiter.attempt.try()
    if (exit === undefined) return this.waitAgain(waiter)
    this.leave(waiter)
    this.notify()
    return exit as Exit.Exit<never>
  })

  /** Somebody took away what it was woken for; it keeps its place in the line. */
  private waitAgain(waiter: Waiter): Effect.Effect<never> {
    return Effect.async((resume) => {
      waiter.resume = resume
      this.awake = undefined
      this.prepend(waiter)
      if (waiter.deadline !== undefined && waiter.deadline.index < 0) waiter.deadline.fire()
      this.notify()
    })
  }

  private expire(waiter: Waiter): void {
    if (waiter.place !== "queued") return
    const { attempt, resume } = waiter
    this.leave(waiter)
    resume(Exit.fail(attempt.late()) as Exit.Exit<never, never>)
  }

  /** The wake that it had and did not use goes to the next. */
  private cancel(waiter: Waiter): void {
    if (waiter.place === "gone") return
    const { attempt } = waiter
    this.leave(waiter)
    attempt.left?.()
    this.notify()
  }

  private leave(waiter: Waiter): void {
    if (waiter.place === "queued") this.unlink(waiter)
    if (this.awake === waiter) this.awake = undefined
    waiter.place = "gone"
    waiter.attempt = noAttempt
    waiter.resume = nothing
    if (waiter.deadline !== undefined) this.deadlines.remove(waiter.deadline)
    waiter.deadline = undefined
  }

  private append(waiter: Waiter): void {
    waiter.place = "queued"
    waiter.previous = this.last
    if (this.last === undefined) this.first = waiter
    else this.last.next = waiter
    this.last = waiter
  }

  private prepend(waiter: Waiter): void {
    waiter.place = "queued"
    waiter.next = this.first
    if (this.first === undefined) this.last = waiter
    else this.first.previous = waiter
    this.first = waiter
  }

  private unlink(waiter: Waiter): void {
    if (waiter.previous === undefined) this.first = waiter.next
    else waiter.previous.next = waiter.next
    if (waiter.next === undefined) this.last = waiter.previous
    else waiter.next.previous = waiter.previous
    waiter.previous = undefined
    waiter.next = undefined
  }
}
