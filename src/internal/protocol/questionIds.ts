import * as Backtrace from "./backtrace.js"
import type { World } from "./machine.js"

/**
 * Ids of questions, one after the other from a start that nobody can guess.
 *
 * @internal
 */
export class QuestionIds {
  private last: number

  constructor(world: World) {
    this.last = (Backtrace.firstId | world.random()) >>> 0
  }

  /** One that is not among these. */
  next(open: ReadonlyMap<number, unknown>): number {
    do {
      this.last = this.last === Backtrace.lastId ? Backtrace.firstId : this.last + 1
    } while (open.has(this.last))
    return this.last
  }
}
