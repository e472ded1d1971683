import { PCGRandom } from "effect/Utils"
import type { EntropyShape } from "../../Entropy.js"

/**
 * All that is random in a simulated network, from one seed.
 *
 * @internal
 */
export class Chance implements EntropyShape {
  private readonly source: PCGRandom

  constructor(seed: number) {
    this.source = new PCGRandom(seed)
  }

  /** From 0 up to, but not, 1. */
  fraction(): number {
    return this.source.number()
  }

  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number {
    return least + Math.floor(this.fraction() * (most - least + 1))
  }

  shuffle<A>(values: ReadonlyArray<A>): Array<A> {
    const shuffled = values.slice()
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = this.between(0, i)
      ;[shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!]
    }
    return shuffled
  }

  unsafeUint32(): number {
    return Math.floor(this.fraction() * 2 ** 32) >>> 0
  }
}
