import type { Message } from "../../Message.js"
import * as Backtrace from "./backtrace.js"
import type { Lane, World } from "./machine.js"
import { Outboxes } from "./outboxes.js"
import type { Queue } from "./queue.js"

/**
 * Sends each message to the lane that is named. What finds no such lane is dropped.
 *
 * @internal
 */
export class Router extends Outboxes {
  constructor(capacity: number, world: World) {
    super(capacity, world, "push")
  }

  /** The lane that has been there longest, of those whose peers are. */
  get oldest(): number | undefined {
    for (const { lane } of this.boxes.values()) if (!lane.ended) return lane.id
    return undefined
  }

  /** To the lane that the first word of its header names. */
  send(message: Message): void {
    this.sendTo(Backtrace.takeFirst(message), message)
  }

  sendTo(id: number | undefined, message: Message): void {
    const box = id === undefined ? undefined : this.boxes.get(id)
    if (box === undefined) this.world.losses.unroutable++
    else this.give(box, message)
  }

  /** All of these, whether there is room for them or not. */
  entrust(lane: Lane, messages: Queue): void {
    const { waiting } = this.boxes.get(lane.id)!
    for (let message = messages.shift(); message !== undefined; message = messages.shift()) waiting.push(message)
    this.writable(lane)
  }
}
