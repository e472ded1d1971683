// hot path: bench/src/rows/oneway.js
import type { Message } from "../../Message.js"
import * as Protocol from "../../Protocol.js"
import { Fifo } from "./fifo.js"
import type { Lane, Machine, Refusal, Verbs } from "./machine.js"
import { unlessPeer } from "./machine.js"

/**
 * One message of each peer that has any, in turn. Cooked and raw alike.
 *
 * @internal
 */
export class Pull0Machine implements Machine, Verbs {
  /** Those that have a message, and some that had. */
  private readonly pushers = new Fifo<Lane>()

  readonly canSend = false
  readonly queued = 0

  get canRecv(): boolean {
    return this.next() !== undefined
  }

  attach(lane: Lane): Refusal | undefined {
    return unlessPeer(Protocol.pull0, lane)
  }

  detach(lane: Lane, unsent: ReadonlyArray<Message>): number {
    this.pushers.remove(lane)
    return unsent.length
  }

  readable(lane: Lane): void {
    this.pushers.push(lane)
  }

  writable(): void {}

  send(): boolean {
    return false
  }

  recv(): Message | undefined {
    const lane = this.next()
    if (lane === undefined) return undefined
    const message = lane.next()
    if (lane.hasNext) this.pushers.rotate()
    else this.pushers.shift()
    return message
  }

  resize(): number {
    return 0
  }

  close(): number {
    return 0
  }

  /** The one that has had a message longest. */
  private next(): Lane | undefined {
    for (let lane = this.pushers.first; lane !== undefined; lane = this.pushers.first) {
      if (lane.hasNext) return lane
      this.pushers.shift()
    }
    return undefined
  }
}
