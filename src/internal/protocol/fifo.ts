// hot path: bench/src/rows/oneway.js, rtt.js
/**
 * First in, first out.
 *
 * @internal
 */
export class Fifo<A extends object> {
  private items: Array<A | undefined> = []
  private head = 0

  get length(): number {
    return this.items.length - this.head
  }

  get first(): A | undefined {
    return this.items[this.head]
  }

  push(item: A): void {
    this.items.push(item)
  }

  shift(): A | undefined {
    if (this.head === this.items.length) return undefined
    const item = this.items[this.head]
    this.items[this.head++] = undefined
    if (this.head === this.items.length) {
      this.items = []
      this.head = 0
    } else if (this.head === 1024) {
      this.items = this.items.slice(this.head)
      this.head = 0
    }
    return item
  }

  /** In front of all others, in this order. */
  unshift(items: ReadonlyArray<A>): void {
    this.items = [...items, ...this.items.slice(this.head)]
    this.head = 0
  }

  /** The first goes behind the last. */
  rotate(): void {
    if (this.length > 1) this.push(this.shift()!)
  }

  /** Takes out an item wherever it is; false if it is not there. */
  remove(item: A): boolean {
    const at = this.items.indexOf(item, this.head)
    if (at < 0) return false
    this.items.splice(at, 1)
    return true
  }

  /** Keeps the oldest so many, and returns how many there were more. */
  truncate(length: number): number {
    const over = Math.max(0, this.length - length)
    this.items.length -= over
    return over
  }
}
