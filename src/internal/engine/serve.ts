import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Errors from "../../Errors.js"
import type { Input, Message } from "../../Message.js"
import type * as Api from "../../Rep0.js"
import type { OperationError } from "./conversation.js"
import type { ReplyContext } from "./replies.js"
import type { SocketImpl } from "./socket.js"

/** Undefined: it gives no answer. */
type Handler<E, R> = (request: Message) => Effect.Effect<Input | undefined, E, R>

const forEver = { timeout: Duration.infinity }

/** A handler that interrupts itself is not to vanish unseen. */
const loudly = { propagateInterruption: true }

/** Of all that can befall a receive or a send here, only this is not of our own making. */
const onlyClosed = <A>(operation: Effect.Effect<A, OperationError>): Effect.Effect<A, Errors.ECLOSED> =>
  Effect.catchAll(operation, (error) => (error._tag === "NNG_ECLOSED" ? Effect.fail(error) : Effect.die(error)))

class Server<E, R> {
  /** Those that are open; what is left of them when it ends goes with it. */
  private readonly contexts = new Set<ReplyContext>()

  constructor(
    private readonly socket: SocketImpl,
    private readonly handler: Handler<E, R>,
    private readonly interruptWhenGone: boolean
  ) {}

  /** One request after the other. */
  readonly worker: Effect.Effect<never, E | Errors.ECLOSED, R> = Effect.gen(this, function* () {
    const context = this.open()
    for (;;) yield* this.answer(context, yield* this.next(context))
  })

  /** Several of these. (An `Effect.all` of them that is interrupted while it forks may never end: effect 3.22.) */
  workers(count: number): Effect.Effect<never, E | Errors.ECLOSED, R> {
    return Effect.scoped(
      Effect.gen(this, function* () {
        const workers = yield* FiberSet.make<never, E | Errors.ECLOSED>()
        for (let n = 0; n < count; n++) yield* FiberSet.run(workers, this.worker, loudly)
        return yield* Effect.zipRight(FiberSet.join(workers), Effect.never)
      })
    )
  }

  /** Each request in a fiber of its own. */
  readonly unbounded: Effect.Effect<never, E | Errors.ECLOSED, R> = Effect.scoped(
    Effect.gen(this, function* () {
      const handlers = yield* FiberSet.make<void, E | Errors.ECLOSED>()
      const receive = Effect.gen(this, function* () {
        for (;;) {
          const context = this.open()
          const request = yield* this.next(context)
          const answered = Effect.ensuring(this.answer(context, request), this.release(context))
          yield* FiberSet.run(handlers, answered, loudly)
        }
      })
      return yield* Effect.raceFirst(receive, Effect.zipRight(FiberSet.join(handlers), Effect.never))
    })
  )

  readonly releaseAll = Effect.sync(() => {
    for (const context of this.contexts) this.socket.contexts.delete(context)
  })

  private open(): ReplyContext {
    const context = this.socket.openContext(this.socket.settings) as ReplyContext
    this.contexts.add(context)
    return context
  }

  private release(context: ReplyContext): Effect.Effect<void> {
    return Effect.sync(() => {
      this.contexts.delete(context)
      this.socket.contexts.delete(context)
    })
  }

  private next(context: ReplyContext): Effect.Effect<Message, Errors.ECLOSED> {
    return onlyClosed(context.recv(forEver))
  }

  private answer(context: ReplyContext, request: Message): Effect.Effect<void, E | Errors.ECLOSED, R> {
    const handled = Effect.suspend(() => this.handler(request))
    const sent = (reply: Input | undefined): Effect.Effect<void, Errors.ECLOSED> =>
      reply === undefined
        ? Effect.void
        : onlyClosed(
            Effect.catchTags(context.send(reply, undefined), {
              // whoever asked does not read: that must not keep the others waiting
              NNG_ETIMEDOUT: () => Effect.sync(() => void this.socket.dropped.full++)
            })
          )
    return this.interruptWhenGone
      ? Effect.flatMap(
          Effect.raceFirst(Effect.asSome(handled), Effect.as(context.requesterGone, undefined)),
          (reply) => (reply === undefined || reply._tag === "None" ? Effect.void : sent(reply.value))
        )
      : Effect.flatMap(handled, sent)
  }
}

/** @internal */
export const serve = <E, R>(
  operation: string,
  socket: SocketImpl,
  handler: Handler<E, R>,
  { concurrency = 1, interruptWhenGone = false }: Api.ServeOptions = {}
): Effect.Effect<never, E | Errors.ECLOSED | Errors.EINVAL, R> => {
  if (concurrency !== "unbounded" && !(Number.isSafeInteger(concurrency) && concurrency > 0)) {
    return new Errors.EINVAL({
      operation,
      reason: `concurrency is ${concurrency}, not a whole number from 1`
    })
  }
  return Effect.suspend(() => {
    const server = new Server(socket, handler, interruptWhenGone)
    return Effect.ensuring(
      concurrency === "unbounded" ? server.unbounded : concurrency === 1 ? server.worker : server.workers(concurrency),
      server.releaseAll
    )
  })
}
