import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Aio from "effect-nng/Aio"
import type * as Errors from "effect-nng/Errors"

/** An aio whose callback keeps the results. */
export const counted = (options: { readonly timeout?: number } = {}) =>
  Effect.gen(function* () {
    const results: Array<Aio.Result> = []
    const aio = yield* Aio.make({ ...options, callback: (result) => Effect.sync(() => void results.push(result)) })
    return { aio, results }
  })

/** What a result with this code matches. */
export const failure = (tag: Errors.Tag) => ({ _tag: "Failure", cause: { _tag: "Fail", error: { _tag: tag } } })

/** A provider that does nothing by itself, and keeps what is asked of it. */
export class Hand<A = number> {
  readonly tasks: Array<Aio.Task<A, string>> = []
  /** What was told to go on and wait. */
  readonly scheduled: Array<boolean> = []
  readonly cancelled: Array<Errors.NngError> = []

  /** Waits at once, and is cancelled at once. */
  readonly operation: Aio.Operation<A, string> = (task) => {
    this.tasks.push(task)
    this.schedule(task)
  }

  schedule(task: Aio.Task<A, string>): void {
    this.scheduled.push(
      task.schedule((reason) => {
        this.cancelled.push(reason)
        task.finish(Exit.fail(reason))
      })
    )
  }

  get last(): Aio.Task<A, string> {
    return this.tasks[this.tasks.length - 1]!
  }
}
