import type { Message } from "../../Message.js"
import { Fifo } from "./fifo.js"
import type { Lane } from "./machine.js"
import { Queue } from "./queue.js"

/**
 * What comes from many lanes, for one application: a queue, and behind it the lanes whose next message waits for room in
 * it.
 *
 * @internal
 */
export class Collector {
  private readonly received: Queue
  private readonly waiting = new Fifo<Lane>()
  private readonly checked = new Set<Lane>()

  constructor(
    capacity: number,
    /** Looks at a message, which it may edit; false: it is to be dropped, or its lane has been cut. */
    private readonly check: (lane: Lane, message: Message) => boolean
  ) {
    this.received = new Queue(capacity)
  }

  get canRecv(): boolean {
    return this.received.length > 0 || this.waiting.length > 0
  }

  recv(): Message | undefined {
    let message = this.received.shift()
    // one that was cut has nothing any more
    while (message === undefined && this.waiting.length > 0) {
      const lane = this.waiting.shift()!
      message = this.takeFrom(lane)
      this.readable(lane)
    }
    this.refill()
    return message
  }

  readable(lane: Lane): void {
    if (this.checked.has(lane)) return
    for (let message = lane.peek; message !== undefined; message = lane.peek) {
      if (!this.check(lane, message)) {
        lane.next()
      } else if (this.received.full) {
        this.checked.add(lane)
        this.waiting.push(lane)
        return
      } else {
        this.received.push(lane.next()!)
      }
    }
  }

  remove(lane: Lane): void {
    if (this.checked.delete(lane)) this.waiting.remove(lane)
  }

  resize(capacity: number): number {
    const dropped = this.received.resize(capacity)
    this.refill()
    return dropped
  }

  close(): number {
    return this.received.resize(0)
  }

  private refill(): void {
    while (!this.received.full && this.waiting.length > 0) {
      const lane = this.waiting.shift()!
      const message = this.takeFrom(lane)
      if (message !== undefined) this.received.push(message)
      this.readable(lane)
    }
  }

  private takeFrom(lane: Lane): Message | undefined {
    this.checked.delete(lane)
    return lane.next()
  }
}
