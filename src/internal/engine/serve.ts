import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Errors from "../../Errors.js"
import type { Input, Message } from "../../Message.js"
import type * as Api from "../../Rep0.js"
import type { OperationError } from "./conversation.js"
import type { ReplyContext } from "./replies.js"
import type { SocketImpl } from "./socket.js"

type Handler<E, R> = (request: Message) => Effect.Effect<Input, E, R>

const forEver = { timeout: Duration.infinity }

/** Of all that can befall a receive or a send here, only this is not of our own making. */
const onlyClosed = <A>(operation: Effect.Effect<A, OperationError>): Effect.Effect<A, Errors.ECLOSED> =>
  Effect.catchAll(operation, (error) => (error._tag === "NNG_ECLOSED" ? Effect.fail(error) : Effect.die(error)))

class Server<E, R> {
  private readonly contexts = new Set<ReplyContext>()

  constructor(
    private readonly socket: SocketImpl,
    private readonly handler: Handler<E, R>,
    private readonly interruptWhenGone: boolean
  ) {}

  /** One request after the other. */
  readonly worker: Effect.Effect<never, E | Errors.ECLOSED, R> = Effect.suspend(() => {
    const context = this.open()
    return Effect.ensuring(
      Effect.gen(this, function* () {
        for (;;) yield* this.answer(context, yield* this.next(context))
      }),
      this.release(context)
    )
  })

  /** Each request in a fiber of its own. */
  readonly unbounded: Effect.Effect<never, E | Errors.ECLOSED, R> = Effect.scoped(
    Effect.gen(this, function* () {
      const handlers = yield* FiberSet.make<void, E | Errors.ECLOSED>()
      const receive = Effect.gen(this, function* () {
        for (;;) {
          const context = this.open()
          const request = yield* Effect.onError(this.next(context), () => this.release(context))
          yield* FiberSet.run(handlers, Effect.ensuring(this.answer(context, request), this.release(context)))
        }
      })
      return yield* Effect.raceFirst(receive, Effect.zipRight(FiberSet.join(handlers), Effect.never))
    })
  )

  private open(): ReplyContext {
    const context = this.socket.core.open!(this.socket.settings) as ReplyContext
    this.contexts.add(context)
    this.socket.contexts.add(context)
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
    const sent = (reply: Input) =>
      onlyClosed(
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
  socket: SocketImpl,
  handler: Handler<E, R>,
  { concurrency = 1, interruptWhenGone = false }: Api.ServeOptions = {}
): Effect.Effect<never, E | Errors.ECLOSED | Errors.EINVAL, R> => {
  const server = new Server(socket, handler, interruptWhenGone)
  if (concurrency === "unbounded") return server.unbounded
  if (!Number.isSafeInteger(concurrency) || concurrency < 1) {
    return new Errors.EINVAL({
      operation: "Rep0.serve",
      reason: `concurrency is ${concurrency}, not a whole number from 1`
    })
  }
  return concurrency === 1
    ? server.worker
    : Effect.zipRight(
        Effect.all(
          Array.from({ length: concurrency }, () => server.worker),
          { concurrency: "unbounded", discard: true }
        ),
        Effect.never
      )
}
