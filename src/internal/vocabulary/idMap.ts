import * as Either from "effect/Either"
import * as Errors from "../../Errors.js"

/**
 * Values by number, which hands out numbers of its own (`nng_id_map`): upwards within bounds, and one that was given back
 * not again before the count has wrapped round.
 *
 * @internal
 */
export class IdMap<A extends {}> implements Iterable<[id: number, value: A]> {
  private readonly values = new Map<number, A>()
  private readonly lo: number
  private readonly hi: number
  private next: number
  /** Ids in use within the bounds; `set` takes others too. */
  private taken = 0

  /** Bounds are inclusive, and safe integers. A random `start` makes ids hard to guess, and unlike those of a run before. */
  constructor(options?: {
    readonly lo?: number | undefined
    readonly hi?: number | undefined
    readonly start?: number | undefined
  }) {
    this.lo = options?.lo ?? 1
    this.hi = options?.hi ?? 0xffffffff
    const start = options?.start ?? this.lo
    this.next = this.holds(start) ? start : this.lo
  }

  get size(): number {
    return this.values.size
  }

  /** `NNG_ENOMEM` if every id is in use. */
  alloc(value: A): Either.Either<number, Errors.ENOMEM> {
    if (this.taken > this.hi - this.lo) {
      return Either.left(
        new Errors.ENOMEM({ operation: "IdMap.alloc", reason: `all ids from ${this.lo} to ${this.hi} are in use` })
      )
    }
    let id = this.advance()
    while (this.values.has(id)) {
      id = this.advance()
    }
    this.set(id, value)
    return Either.right(id)
  }

  /** Any number will do, within the bounds or not; a value that is there is replaced. */
  set(id: number, value: A): void {
    if (this.holds(id) && !this.values.has(id)) {
      this.taken++
    }
    this.values.set(id, value)
  }

  get(id: number): A | undefined {
    return this.values.get(id)
  }

  /** Gives back the id and returns its value; `NNG_ENOENT` if there is none. */
  remove(id: number): Either.Either<A, Errors.ENOENT> {
    const value = this.values.get(id)
    if (value === undefined) {
      return Either.left(new Errors.ENOENT({ operation: "IdMap.remove", reason: `no id ${id}` }))
    }
    this.values.delete(id)
    if (this.holds(id)) {
      this.taken--
    }
    return Either.right(value)
  }

  [Symbol.iterator](): MapIterator<[id: number, value: A]> {
    return this.values.entries()
  }

  private advance(): number {
    const id = this.next
    this.next = id === this.hi ? this.lo : id + 1
    return id
  }

  private holds(id: number): boolean {
    return Number.isSafeInteger(id) && id >= this.lo && id <= this.hi
  }
}
