import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Intervals from "effect/ScheduleIntervals"
import * as Clock from "effect/Clock"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type * as Schedule from "effect/Schedule"
import type * as Errors from "../../Errors.js"

/**
 * When to dial again.
 *
 * @internal
 */
export interface Backoff {
  /** The wait after this error; none: give up. */
  readonly next: (error: Errors.NngError) => Effect.Effect<Option.Option<Duration.Duration>>
  /** To be called when there was a connection. */
  readonly reset: () => void
}

/**
 * libnng's: a random time below a bound, which doubles up to `max` if that is above 0.
 *
 * @internal
 */
export const random = (min: number, max: number): Backoff => {
  let bound = min
  return {
    next: () =>
      Effect.suspend(() => {
        const below = bound
        if (max > 0) bound = Math.min(2 * bound, max)
        return below < 1
          ? Effect.succeedSome(Duration.zero)
          : Effect.map(Random.nextIntBetween(0, Math.floor(below)), (millis) => Option.some(Duration.millis(millis)))
      }),
    reset: () => {
      bound = min
    }
  }
}

/** @internal */
export const scheduled = (schedule: Schedule.Schedule<unknown, Errors.NngError>): Backoff => {
  let state: unknown = schedule.initial
  return {
    next: (error) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        Effect.map(schedule.step(now, error, state), ([after, , decision]) => {
          state = after
          return decision._tag === "Done"
            ? Option.none()
            : Option.some(Duration.millis(Math.max(0, Intervals.start(decision.intervals) - now)))
        })
      ),
    reset: () => {
      state = schedule.initial
    }
  }
}
