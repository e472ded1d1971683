import * as Protocol from "../../Protocol.js"
import type { Buffers } from "./machine.js"
import { PairMachine } from "./pair.js"

/**
 * A pair whose messages have no header of their own. Cooked and raw alike.
 *
 * @internal
 */
export class Pair0Machine extends PairMachine {
  constructor(buffers: Buffers) {
    super(Protocol.pair0, buffers)
  }

  /** A header that the application gave it goes out in front of the body. */
  protected prepare(): void {}
}
