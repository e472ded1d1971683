// hot path: bench/
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"

/**
 * How many ops a runtime may need to carry an exit out of what stands around an operation (its canceller, a mask).
 */
const opsToExit = 16

/**
 * The runtime yields, and can then be interrupted, when a fiber's op budget is spent. True when that could happen
 * before an operation that takes something now could give it to its caller.
 *
 * A budget too small to ever leave room gives no such promise; then the answer is no, lest nothing ever runs.
 *
 * @internal
 */
export const aboutToYield = (fiber: Fiber.RuntimeFiber<unknown, unknown>): boolean => {
  const budget = fiber.getFiberRef(FiberRef.currentMaxOpsBeforeYield)
  return fiber.currentOpCount + opsToExit > budget && budget > 2 * opsToExit
}

/**
 * Runs `attempt` where no interruption can come between what it does and its exit, provided that `attempt` returns an
 * `Exit`: law of every send and receive, that an interrupted one has done nothing.
 *
 * @internal
 */
export const atomically = <A, E>(attempt: () => Effect.Effect<A, E>): Effect.Effect<A, E> => {
  const effect: Effect.Effect<A, E> = Effect.withFiberRuntime((fiber) =>
    aboutToYield(fiber) ? Effect.zipRight(Effect.yieldNow(), effect) : attempt()
  )
  return effect
}
