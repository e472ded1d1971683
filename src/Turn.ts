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
import { afterTurn, nextTurn } from "./internal/ports/nextTurn.js"

/**
 * What one who runs, a socket, has done of late; kept by `unsafeDue`.
 *
 * @since 0.1.0
 * @category models
 */
export class Stint {
  /** The turn that it runs in, and since when it does. */
  turn = -1
  since = 0
  due = false
}

/**
 * @since 0.1.0
 * @category models
 */
export interface TurnShape {
  /**
   * Counts operations, one by default; true when the loop has had no chance to turn since this one began to run, for so long
   * that a `hop` is due, until it has turned. An operation that does much counts for several.
   */
  readonly unsafeDue: (stint: Stint, operations?: number) => boolean
  /**
   * Waits for one turn of the event loop. **Interruption** cancels the wait.
   */
  readonly hop: Effect.Effect<void>
}

const operationsPerLook = 64
const longestRunMillis = { one: 4, all: 25 } as const

/** So many fibers go on in one turn: together enough to share a write, and not long enough to be due again. */
const fibersPerTurn = 64

/**
 * Looks at the clock every few operations and asks for a hop when the same one has run for some milliseconds in one turn, or
 * all together for some more: a busy loop pays for about two hundred hops a second, an idle one for none, and neither do many
 * who have little to do each, as when all of their connections have something to be read. Fibers that hop at the same time
 * share turns.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (): TurnShape => {
  let unlooked = 0
  let turns = 0
  /** Since when anybody has run in this turn; undefined when nobody has been seen to. */
  let since: number | undefined = undefined
  let cancel = () => {}
  const waiting = new Set<() => void>()
  const turned = () => {
    turns++
    since = undefined
  }
  const turn = () => {
    turned()
    let left = fibersPerTurn
    for (const goOn of waiting) {
      if (left-- === 0) break
      waiting.delete(goOn)
      goOn()
    }
    if (waiting.size > 0) cancel = nextTurn(turn)
  }
  const look = (stint: Stint) => {
    const now = performance.now()
    if (stint.turn !== turns) {
      stint.turn = turns
      stint.since = now
    }
    if (since === undefined) {
      since = now
      afterTurn(turned)
    }
    stint.due = now - stint.since > longestRunMillis.one || now - since > longestRunMillis.all
  }
  return {
    unsafeDue: (stint, operations = 1) => {
      unlooked += operations
      if (unlooked >= operationsPerLook) {
        unlooked = 0
        look(stint)
      }
      return stint.due && stint.turn === turns
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
