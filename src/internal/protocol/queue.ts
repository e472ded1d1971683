import type { Message } from "../../Message.js"
import { Fifo } from "./fifo.js"

/**
 * A bounded first-in first-out queue. With no capacity it is always full.
 *
 * @internal
 */
export class Queue extends Fifo<Message> {
  constructor(private capacity: number) {
    super()
  }

  get full(): boolean {
    return this.length >= this.capacity
  }

  /** Keeps the oldest that fit, and returns how many did not. */
  resize(capacity: number): number {
    this.capacity = capacity
    return this.truncate(capacity)
  }
}
