import type { Message } from "../../Message.js"
import * as Protocol from "../../Protocol.js"
import * as Hops from "./hops.js"
import type { Buffers, Lane, World } from "./machine.js"
import { PairMachine } from "./pair.js"

/**
 * A pair whose messages count their hops. What a raw one sends has a header that `Hops.refuse` has let pass.
 *
 * @internal
 */
export class Pair1Machine extends PairMachine {
  constructor(
    buffers: Buffers,
    /** Most hops of a message that is received. */
    public ttl: number,
    private readonly raw: boolean,
    private readonly world: World
  ) {
    super(Protocol.pair1, buffers)
  }

  protected prepare(message: Message): void {
    if (this.raw) Hops.increase(message)
    else Hops.begin(message)
  }

  protected override check(lane: Lane, message: Message): boolean {
    return Hops.check(lane, message, this.ttl, this.world.losses)
  }
}
