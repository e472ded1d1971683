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
   * Counts operations, one by default; true when the loop has had no chance to turn for so long that a `hop` is due,
   * until one is done. An operation that does much counts for several.
   */
  readonly unsafeDue: (operations?: number) => boolean
  /**
   * Waits for one turn of the event loop. **Interruption** cancels the wait.
   */
  readonly hop: Effect.Effect<void>
}

const operationsPerLook = 64
const longestRunMillis = 4

/** So many fibers go on in one turn: together enough to share a write, and not long enough to be due again. */
const fibersPerTurn = 64

/**
 * Looks at the clock every few operations and asks for a hop when the last one is some milliseconds ago: a busy
 * loop pays for about two hundred hops a second, an idle one for none. Fibers that hop at the same time share turns.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (): TurnShape => {
  let unlooked = 0
  let turned = performance.now()
  let due = false
  let cancel = () => {}
  const waiting = new Set<() => void>()
  const turn = () => {
    turned = performance.now()
    due = false
    let left = fibersPerTurn
    for (const goOn of waiting) {
      if (left-- === 0) break
      waiting.delete(goOn)
      goOn()
    }
    if (waiting.size > 0) cancel = nextTurn(turn)
  }
  return {
    unsafeDue: (operations = 1) => {
      unlooked += operations
      if (unlooked < operationsPerLook) return due
      unlooked = 0
      return (due ||= performance.now() - turned > longestRunMillis)
    },
    hop: Effect.async<void>((resume) => {
      const goOn = () => resume(Effect.void)
      if (waiting.size === 0) cancel = nextTurn(turn)
      waiting.add(goOn)
      return Effect.sync(() => {
        if (waiting.delete(goOn) && waiting.size === 0) cancel()
      })
    })
  }
}

/**
 * @since 0.1.0
 * @category tags
 */
export class Turn extends Context.Reference<Turn>()("effect-nng/Turn", { defaultValue: make }) {}
