// hot path: bench/src/rows/oneway.js, rtt.js
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"

/**
 * How many ops a runtime may need to carry an exit out of what stands around an operation (its canceller, a mask).
 */
const opsToExit = 16

/**
 * The smallest budget that the promise below is kept for. effect's own is 2048.
 */
const smallestBudget = 64

/**
 * The runtime yields, and can then be interrupted, when the running fiber's op budget is spent. True when that could happen
 * before an operation that takes something now could give it to its caller.
 *
 * With a budget below 64 there is no such promise: then the answer is no, lest nothing ever runs.
 *
 * @internal
 */
export const aboutToYield = (): boolean => {
  const current = Fiber.getCurrentFiber()
  if (current._tag === "None") return false
  const spent = current.value.currentOpCount + opsToExit
  if (spent < smallestBudget) return false
  const budget = current.value.getFiberRef(FiberRef.currentMaxOpsBeforeYield)
  return spent > budget && budget >= smallestBudget
}

/** @internal */
export const inFiber = (): boolean => Fiber.getCurrentFiber()._tag === "Some"

/**
 * Runs `attempt` where no interruption can come between what it does and its exit, provided that `attempt` returns an
 * `Exit`: law of every send and receive, that an interrupted one has done nothing.
 *
 * @internal
 */
export const atomically = <A, E>(attempt: () => Effect.Effect<A, E>): Effect.Effect<A, E> => {
  const effect: Effect.Effect<A, E> = Effect.suspend(() =>
    aboutToYield() ? Effect.zipRight(Effect.yieldNow(), effect) : attempt()
  )
  return effect
}
