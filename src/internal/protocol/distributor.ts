// hot path: bench/src/rows/oneway.js
import type { Message } from "../../Message.js"
import { Fifo } from "./fifo.js"
import type { Lane } from "./machine.js"

/**
 * The lanes that take messages now, in turn: the one that has been ready longest is the next.
 *
 * @internal
 */
export class Distributor {
  private readonly ready = new Fifo<Lane>()

  /** Whether any takes a message. */
  get isReady(): boolean {
    return this.next !== undefined
  }

  /** The next to be given a message. */
  get next(): Lane | undefined {
    for (let lane = this.ready.first; lane !== undefined; lane = this.ready.first) {
      if (lane.writable) return lane
      // it was cut
      this.ready.shift()
    }
    return undefined
  }

  /** It takes messages, for the first time or again; or it has ended, and takes none any more. */
  add(lane: Lane): void {
    if (lane.writable) this.ready.push(lane)
    else this.ready.remove(lane)
  }

  remove(lane: Lane): void {
    this.ready.remove(lane)
  }

  /** False: none takes it. */
  give(message: Message): boolean {
    const lane = this.next
    if (lane === undefined) return false
    lane.push(message)
    if (lane.writable) this.ready.rotate()
    else this.ready.shift()
    return true
  }
}
