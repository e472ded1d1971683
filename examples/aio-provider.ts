/**
 * How to provide operations: a dispenser of numbered permits, of which there are only so many. Whoever asks for one
 * gets it at once or waits in line, with an aio or as an Effect; whoever is done gives it back.
 *
 * Inside it is plain synchronous code. Each request is a task, which ends once: with a permit, or with the reason for
 * which it is cancelled, whichever comes first.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Aio from "effect-nng/Aio"
import type * as Errors from "effect-nng/Errors"

export class Dispenser {
  private readonly free: Array<number>
  /** A set keeps its order, and whoever gives up is found at once. */
  private readonly line = new Set<Aio.Task<number, never>>()

  constructor(permits: number) {
    this.free = Array.from({ length: permits }, (_, i) => i + 1)
  }

  /** What both faces run. */
  private readonly request: Aio.Operation<number, never> = (task) => {
    // nobody would get what is taken for it
    if (task.ended) return
    const permit = this.free.shift()
    if (permit !== undefined) {
      task.finish(Exit.succeed(permit))
      return
    }
    const waits = task.schedule((reason) => {
      this.line.delete(task)
      task.finish(Exit.fail(reason))
    })
    if (waits) this.line.add(task)
  }

  /** For those who know NNG: `const pending = yield* dispenser.takeAio(aio)`. */
  takeAio(aio: Aio.Aio): Effect.Effect<Aio.Pending<number, never>, Errors.EBUSY> {
    return Effect.map(Aio.begin<number, never>(aio), ({ pending, task }) => {
      this.request(task)
      return pending
    })
  }

  /** For all others. Interrupted, it has taken none. */
  readonly take: Effect.Effect<number, Errors.NngError> = Aio.toEffect(this.request)

  /** The first in line gets it. */
  give(permit: number): Effect.Effect<void> {
    return Effect.sync(() => {
      for (const task of this.line) {
        this.line.delete(task)
        if (task.finish(Exit.succeed(permit))) return
      }
      this.free.push(permit)
    })
  }

  /** A permit for as long as `use` takes. */
  withPermit<A, E, R>(use: (permit: number) => Effect.Effect<A, E, R>): Effect.Effect<A, E | Errors.NngError, R> {
    return Effect.acquireUseRelease(Effect.interruptible(this.take), use, (permit) => this.give(permit))
  }

  /** How many may be taken now, and how many wait. */
  readonly state = Effect.sync(() => ({ free: this.free.length, waiting: this.line.size }))
}
