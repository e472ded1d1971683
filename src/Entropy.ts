/**
 * The source of random ids: pipe ids, request ids, survey ids. Not of jitter, which is effect's `Random`.
 *
 * A `Context.Reference` whose default is the platform's cryptographic generator, so that nobody can guess the next
 * id; a test or a simulation provides a seeded one.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Entropy } from "effect-nng/Entropy"
 *
 * let next = 1
 *
 * // Ids that are the same in every run.
 * export const counted = Effect.provideService(Entropy, { unsafeUint32: () => next++ })
 * ```
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"

/**
 * @since 0.1.0
 * @category models
 */
export interface EntropyShape {
  /**
   * 32 random bits, as an integer from 0 to 2^32 - 1.
   */
  readonly unsafeUint32: () => number
}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (): EntropyShape => {
  const word = new Uint32Array(1)
  return { unsafeUint32: () => globalThis.crypto.getRandomValues(word)[0]! }
}

/**
 * @since 0.1.0
 * @category tags
 */
export class Entropy extends Context.Reference<Entropy>()("effect-nng/Entropy", { defaultValue: make }) {}
