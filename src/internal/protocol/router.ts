import type { Message } from "../../Message.js"
import * as Backtrace from "./backtrace.js"
import type { World } from "./machine.js"
import { Outboxes } from "./outboxes.js"

/**
 * Sends each message to the lane that the first word of its header names. What finds no such lane is dropped.
 *
 * @internal
 */
export class Router extends Outboxes {
  constructor(capacity: number, world: World) {
    super(capacity, world, "push")
  }

  send(message: Message): void {
    const id = Backtrace.takeFirst(message)
    const box = id === undefined ? undefined : this.boxes.get(id)
    if (box === undefined) this.world.losses.unroutable++
    else this.give(box, message)
  }
}
