import type { Message } from "../../Message.js"
import { copy } from "../vocabulary/message.js"
import { Outboxes } from "./outboxes.js"

/**
 * Sends each message to every lane that is there.
 *
 * @internal
 */
export class Announcer extends Outboxes {
  send(message: Message): void {
    for (const box of this.boxes.values()) this.give(box, box.lane.byReference ? copy(message) : message)
  }
}
