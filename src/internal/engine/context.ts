import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import * as Errors from "../../Errors.js"
import type { Input, Message } from "../../Message.js"
import type { OperationOptions, Socket } from "../../Socket.js"
import type * as Api from "../../SocketContext.js"
import { Shown } from "../vocabulary/shown.js"
import type { Conversation } from "./conversation.js"
import { allocate } from "../ports/ids.js"
import * as Options from "./options.js"
import type { SocketImpl } from "./socket.js"

/** @internal */
export const TypeId: Api.TypeId = Symbol.for("effect-nng/SocketContext") as Api.TypeId

const closedError = (operation: string) => new Errors.ECLOSED({ operation, reason: "the context is closed" })

class ContextImpl extends Shown {
  readonly [TypeId]: Api.TypeId = TypeId
  readonly id: number
  private ended = false

  constructor(
    readonly socket: SocketImpl,
    readonly conversation: Conversation
  ) {
    super()
    this.id = allocate(socket.services.ids.contexts, this)
  }

  get isClosed(): boolean {
    return this.ended || this.socket.closing
  }

  /** Ends what waits on it; nothing more happens the second time. */
  readonly release = Effect.sync(() => {
    if (this.ended) return
    this.ended = true
    this.socket.contexts.delete(this.conversation)
    this.socket.services.ids.contexts.remove(this.id)
    this.conversation.close(closedError("SocketContext"))
  })

  get close(): Effect.Effect<void, Errors.ECLOSED> {
    return Effect.suspend(() => (this.isClosed ? closedError("SocketContext.close") : this.release))
  }

  toJSON(): unknown {
    return { _id: "effect-nng/SocketContext", id: this.id, socketId: this.socket.id, closed: this.isClosed }
  }
}

type Any = Api.SocketContext<unknown, unknown, never>

const impl = (context: Any): ContextImpl => context as unknown as ContextImpl

/** @internal */
export const isSocketContext = (u: unknown): u is Any => Predicate.hasProperty(u, TypeId)

/** @internal */
export const make = (
  socket: Socket,
  options: Options.Input = {}
): Effect.Effect<ContextImpl, Errors.ECLOSED | Errors.EINVAL, Scope.Scope> => {
  const self = socket as SocketImpl
  return Effect.acquireRelease(
    Effect.suspend((): Effect.Effect<ContextImpl, Errors.ECLOSED | Errors.EINVAL> => {
      if (self.closing) return new Errors.ECLOSED({ operation: "SocketContext.make", reason: "the socket is closed" })
      return Either.map(
        Options.change(self.settings, options),
        (settings) => new ContextImpl(self, self.openContext(settings))
      )
    }),
    (context) => context.release
  )
}

/** @internal */
export const send = (context: Any, message: Input, options?: OperationOptions): Effect.Effect<void, unknown> =>
  impl(context).conversation.send(message, options)

/** @internal */
export const recv = (context: Any, options?: OperationOptions): Effect.Effect<Message, unknown> =>
  impl(context).conversation.recv(options)

/** @internal */
export const configure = (context: Any, options: Options.Input): Effect.Effect<void, Errors.EINVAL | Errors.ECLOSED> =>
  Effect.suspend((): Effect.Effect<void, Errors.EINVAL | Errors.ECLOSED> => {
    const { conversation, isClosed } = impl(context)
    if (isClosed) return closedError("SocketContext.configure")
    return Effect.map(Options.change(conversation.settings, options), (settings) => {
      conversation.configure(settings)
    })
  })

/** @internal */
export const settings = (context: Any): Effect.Effect<Record<string, unknown>, Errors.ECLOSED> =>
  Effect.suspend(() => {
    const { conversation, isClosed, socket } = impl(context)
    return isClosed
      ? closedError("SocketContext.settings")
      : Effect.succeed(
          Options.show(conversation.settings, [...Options.commonOfContexts, ...(socket.spec.contextOptions ?? [])])
        )
  })
