import type { Message } from "../../Message.js"
import type { World } from "./machine.js"
import { Outboxes } from "./outboxes.js"

/**
 * Sends each message to every lane that is there.
 *
 * @internal
 */
export class Announcer extends Outboxes {
  constructor(capacity: number, world: World) {
    super(capacity, world, "share")
  }

  send(message: Message): void {
    for (const box of this.boxes.values()) this.give(box, message)
  }
}
