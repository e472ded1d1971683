/** @internal */
export interface Deadline {
  readonly at: number
  readonly fire: () => void
  /** Among those of one instant, the first that was made comes first. */
  readonly order: number
  /** Its place in the heap; negative when it is not there. */
  index: number
}

/**
 * What is to happen, by time: a heap.
 *
 * @internal
 */
export class Timeline {
  private readonly heap: Array<Deadline> = []
  private made = 0

  /** When the first is due; none: never. */
  get next(): number {
    return this.heap[0]?.at ?? Infinity
  }

  add(at: number, fire: () => void): Deadline {
    const deadline = { at, fire, order: this.made++, index: this.heap.length }
    this.heap.push(deadline)
    this.up(deadline)
    return deadline
  }

  remove(deadline: Deadline): void {
    const { index } = deadline
    if (index < 0) return
    deadline.index = -1
    const last = this.heap.pop()!
    if (last === deadline) return
    this.place(last, index)
    this.up(last)
    this.down(last)
  }

  /** Fires what is due at this time; what that adds too, if it is due. */
  fire(now: number): void {
    for (let first = this.heap[0]; first !== undefined && first.at <= now; first = this.heap[0]) {
      this.remove(first)
      first.fire()
    }
  }

  clear(): void {
    // whoever is awake still has one, and will take it back
    for (const deadline of this.heap) deadline.index = -1
    this.heap.length = 0
  }

  private place(deadline: Deadline, index: number): void {
    this.heap[index] = deadline
    deadline.index = index
  }

  private up(deadline: Deadline): void {
    while (deadline.index > 0) {
      const { index } = deadline
      const parent = this.heap[(index - 1) >> 1]!
      if (before(parent, deadline)) return
      this.place(parent, index)
      this.place(deadline, (index - 1) >> 1)
    }
  }

  private down(deadline: Deadline): void {
    for (;;) {
      const { index } = deadline
      const left = this.heap[2 * index + 1]
      const right = this.heap[2 * index + 2]
      const child = right !== undefined && before(right, left!) ? right : left
      if (child === undefined || before(deadline, child)) return
      const place = child.index
      this.place(child, index)
      this.place(deadline, place)
    }
  }
}

const before = (a: Deadline, b: Deadline): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)
