// hot path: bench/src/rows/oneway.js, rtt.js
import type { Message } from "../../Message.js"

/**
 * A bounded first-in first-out queue. With no capacity it is always full.
 *
 * @internal
 */
export class Queue {
  private items: Array<Message | undefined> = []
  private head = 0

  constructor(private capacity: number) {}

  get length(): number {
    return this.items.length - this.head
  }

  get full(): boolean {
    return this.length >= this.capacity
  }

  push(message: Message): void {
    this.items.push(message)
  }

  shift(): Message | undefined {
    if (this.head === this.items.length) return undefined
    const message = this.items[this.head]
    this.items[this.head++] = undefined
    if (this.head === this.items.length) {
      this.items = []
      this.head = 0
    } else if (this.head === 1024) {
      this.items = this.items.slice(this.head)
      this.head = 0
    }
    return message
  }

  /** Keeps the oldest that fit, and returns how many did not. */
  resize(capacity: number): number {
    this.capacity = capacity
    const over = Math.max(0, this.length - capacity)
    this.items.length -= over
    return over
  }
}
