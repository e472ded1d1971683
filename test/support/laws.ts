import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import type * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as InprocTransport from "effect-nng/InprocTransport"
import { stillTurn, yields } from "./sockets.js"

/**
 * Whether the tests of sockets now run on another network than inproc. What is counted to the last message, or speaks of
 * a peer without room, is shown on inproc alone: there nothing is on its way unseen, and one message fits in between.
 */
export const elsewhere = process.env["NETWORK"] === "simulated"

/** Inproc with names of its own. Build it once in each test. */
export const inprocAlone = Layer.merge(InprocTransport.layer, stillTurn)

/** A small generator with a seed, so that a run that failed can be run again. */
export const dice = (seed: number) => {
  let state = seed >>> 0
  return (sides: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * sides)
  }
}

export type Dice = ReturnType<typeof dice>

/** LAWS_SEED=7 runs that seed alone, LAWS_RUNS=10 ten times as many as usual. */
const { LAWS_RUNS, LAWS_SEED } = process.env

const seeds = (count: number): ReadonlyArray<number> =>
  LAWS_SEED === undefined
    ? Array.from({ length: count * Number(LAWS_RUNS ?? 1) }, (_, n) => n + 1)
    : [Number(LAWS_SEED)]

/** Holds a law to so many runs of chance; what fails says with which seed. */
export const forSeeds = <E, R>(
  count: number,
  law: (roll: Dice, seed: number) => Effect.Effect<void, E, R>
): Effect.Effect<void, never, R> =>
  Effect.forEach(
    seeds(count),
    (seed) =>
      Effect.catchAllCause(
        Effect.suspend(() => law(dice(seed), seed)),
        (cause) => {
          const error = Cause.squash(cause)
          if (error instanceof Error) error.message = `LAWS_SEED=${seed}: ${error.message}`
          return Effect.die(error)
        }
      ),
    { discard: true }
  )

/** The ops that a fiber has before effect's runtime yields, if nobody says otherwise. */
export const wholeBudget = 2048

/** The effect, after so many ops of its fiber and one. */
export const spending = <A, E, R>(ops: number, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    let left = ops
    const spend: Effect.Effect<A, E, R> = Effect.suspend(() => (left-- > 0 ? spend : effect))
    return spend
  })

/** Starts an effect at this phase of the whole budget, interrupts it after so many turns of others, and gives its exit. */
export const interruptedAtPhase = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  phase: number,
  turns = 1
): Effect.Effect<Exit.Exit<A, E>, never, R> =>
  Effect.flatMap(Effect.fork(spending(phase, effect)), (fiber) =>
    Effect.zipRight(yields(turns), Fiber.interrupt(fiber))
  )

export const interruptNow = (fiber: Fiber.RuntimeFiber<unknown, unknown>): void =>
  fiber.unsafeInterruptAsFork(FiberId.none)

/** A clock that is moved by hand, in the very step of a test. (TestClock lets all else settle before it wakes one.) */
export class HandClock implements Clock.Clock {
  readonly [Clock.ClockTypeId]: Clock.ClockTypeId = Clock.ClockTypeId
  private now = 0
  private readonly sleepers = new Set<{ readonly at: number; readonly wake: () => void }>()

  unsafeCurrentTimeMillis(): number {
    return this.now
  }

  unsafeCurrentTimeNanos(): bigint {
    return BigInt(this.now) * 1_000_000n
  }

  readonly currentTimeMillis = Effect.sync(() => this.now)
  readonly currentTimeNanos = Effect.sync(() => this.unsafeCurrentTimeNanos())

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    return Effect.async((resume) => {
      const sleeper = { at: this.now + Duration.toMillis(duration), wake: () => resume(Effect.void) }
      if (sleeper.at <= this.now) return sleeper.wake()
      this.sleepers.add(sleeper)
      return Effect.sync(() => void this.sleepers.delete(sleeper))
    })
  }

  /** Wakes those who are due; they run when it is their turn. */
  advance(millis: number): void {
    this.now += millis
    for (const sleeper of [...this.sleepers].sort((a, b) => a.at - b.at)) {
      if (sleeper.at > this.now) return
      this.sleepers.delete(sleeper)
      sleeper.wake()
    }
  }
}
