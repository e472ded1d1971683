/**
 * Lets the event loop run. A fiber that loops over ready operations never suspends, and the yields of effect's own
 * scheduler are microtasks, so without a hop timers and I/O would starve.
 *
 * A `Context.Reference` with a default for every platform; a test or a simulation provides its own.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Turn } from "effect-nng/Turn"
 *
 * // A simulation in which nobody else waits for the event loop.
 * export const alone = Effect.provideService(Turn, { unsafeDue: () => false, hop: Effect.void })
 * ```
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { nextTurn } from "./internal/ports/nextTurn.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface TurnShape {
  /**
   * Counts one operation; true when the loop has had no chance to turn for so long that a `hop` is due, until one is
   * done.
   */
  readonly unsafeDue: () => boolean
  /**
   * Waits for one turn of the event loop. **Interruption** cancels the wait.
   */
  readonly hop: Effect.Effect<void>
}

const operationsPerLook = 64
const longestRunMillis = 4

/**
 * Looks at the clock every few operations and asks for a hop when the last one is some milliseconds ago: a busy
 * loop pays for about two hundred hops a second, an idle one for none.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (): TurnShape => {
  let operations = 0
  let turned = performance.now()
  let due = false
  return {
    unsafeDue: () => {
      if (++operations % operationsPerLook === 0) due ||= performance.now() - turned > longestRunMillis
      return due
    },
    hop: Effect.async<void>((resume) => {
      const cancel = nextTurn(() => {
        turned = performance.now()
        due = false
        resume(Effect.void)
      })
      return Effect.sync(cancel)
    })
  }
}

/**
 * @since 0.1.0
 * @category tags
 */
export class Turn extends Context.Reference<Turn>()("effect-nng/Turn", { defaultValue: make }) {}
