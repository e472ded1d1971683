// hot path: bench/
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type { Deadline, Deadlines } from "./deadlines.js"

/**
 * Tries an operation: its exit, or undefined if it would have to wait.
 *
 * @internal
 */
export type Attempt<A, E> = () => Exit.Exit<A, E> | undefined

interface Waiter {
  readonly attempt: Attempt<unknown, unknown>
  resume: (effect: Effect.Effect<never, never>) => void
  deadline: Deadline | undefined
  place: "queued" | "woken" | "gone"
  previous: Waiter | undefined
  next: Waiter | undefined
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

  /** To be called when an operation may have become possible. */
  notify(): void {
    if (this.first !== undefined && this.awake === undefined && this.ready()) this.wakeFirst()
  }

  /**
   * Waits until `attempt` gives an exit. After `millis` it ends with `late` instead, having done nothing.
   */
  wait<A, E1 extends E>(
    attempt: Attempt<A, E1>,
    millis: number | undefined,
    late: () => Exit.Exit<never, E1>
  ): Effect.Effect<A, E1> {
    return Effect.async<A, E1>((resume) => {
      const waiter: Waiter = {
        attempt,
        resume: resume as Waiter["resume"],
        deadline: undefined,
        place: "gone",
        previous: undefined,
        next: undefined
      }
      if (millis !== undefined) waiter.deadline = this.deadlines.add(millis, () => this.expire(waiter, late()))
      this.append(waiter)
      this.notify()
      return Effect.sync(() => this.cancel(waiter))
    })
  }

  /** Ends every wait with this exit. */
  end(exit: Exit.Exit<never, E>): void {
    for (let waiter = this.first; waiter !== undefined; waiter = this.first) {
      this.leave(waiter)
      waiter.resume(exit as Exit.Exit<never, never>)
    }
  }

  private wakeFirst(): void {
    const waiter = this.first!
    this.unlink(waiter)
    waiter.place = "woken"
    this.awake = waiter
    waiter.resume(this.retry(waiter))
  }

  private retry(waiter: Waiter): Effect.Effect<never, never> {
    return Effect.suspend(() => {
      const exit = waiter.attempt()
      if (exit === undefined) return this.waitAgain(waiter)
      this.leave(waiter)
      this.notify()
      return exit as Exit.Exit<never, never>
    })
  }

  /** Somebody took away what it was woken for; it keeps its place in the line. */
  private waitAgain(waiter: Waiter): Effect.Effect<never, never> {
    return Effect.async((resume) => {
      waiter.resume = resume
      this.awake = undefined
      this.prepend(waiter)
      if (waiter.deadline !== undefined && waiter.deadline.index < 0) waiter.deadline.fire()
      this.notify()
      return Effect.sync(() => this.cancel(waiter))
    })
  }

  private expire(waiter: Waiter, exit: Exit.Exit<never, unknown>): void {
    if (waiter.place !== "queued") return
    this.leave(waiter)
    waiter.resume(exit as Exit.Exit<never, never>)
  }

  private cancel(waiter: Waiter): void {
    if (waiter.place === "gone") return
    this.leave(waiter)
    this.notify()
  }

  private leave(waiter: Waiter): void {
    if (waiter.place === "queued") this.unlink(waiter)
    if (this.awake === waiter) this.awake = undefined
    waiter.place = "gone"
    if (waiter.deadline !== undefined) this.deadlines.remove(waiter.deadline)
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
