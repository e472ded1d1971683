import type { Message } from "../../Message.js"
import { Fifo } from "./fifo.js"
import type { World } from "./machine.js"

/**
 * What has come for one application, of a protocol that makes no peer wait: what finds no room is dropped.
 *
 * @internal
 */
export class Inbox extends Fifo<Message> {
  constructor(
    private capacity: number,
    /** How many messages those who wait for one take; there is room for these in any case. */
    private readonly demand: () => number,
    private readonly world: World
  ) {
    super()
  }

  get full(): boolean {
    return this.length >= this.capacity && this.length >= this.capacity + this.demand()
  }

  offer(message: Message): void {
    if (this.full) this.world.losses.full++
    else this.push(message)
  }

  /** Keeps the oldest that fit, and returns how many did not. */
  resize(capacity: number): number {
    this.capacity = capacity
    return this.truncate(capacity)
  }
}
