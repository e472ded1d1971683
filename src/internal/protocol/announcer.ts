import type { Message } from "../../Message.js"
import type { World } from "./machine.js"
import { Outboxes } from "./outboxes.js"

/**
 * Sends each message to every lane that is there, as far as each has room.
 *
 * @internal
 */
export class Announcer extends Outboxes {
  constructor(capacity: number, world: World) {
    super(capacity, world, "share")
  }

  /** Not back to where it came from. */
  send(message: Message, origin?: number): void {
    for (const box of this.boxes.values()) if (box.lane.id !== origin) this.give(box, message)
  }
}
