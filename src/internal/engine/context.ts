import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { dual } from "effect/Function"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import type { Aio, Pending } from "../../Aio.js"
import * as Errors from "../../Errors.js"
import type { Input, Message } from "../../Message.js"
import type { OperationOptions, RecvError, SendError, Settings, Socket } from "../../Socket.js"
import type * as Api from "../../SocketContext.js"
import { Shown } from "../vocabulary/shown.js"
import type { Conversation } from "./conversation.js"
import { allocate } from "../ports/ids.js"
import * as OnAio from "./onAio.js"
import * as Options from "./options.js"
import type { SocketImpl } from "./socket.js"
import { anyError, anyOptions } from "./socket.js"

/** @internal */
export const TypeId: Api.TypeId = Symbol.for("effect-nng/SocketContext") as Api.TypeId
/** @internal */
export const CanSendTypeId: Api.CanSendTypeId = Symbol.for("effect-nng/SocketContext/CanSend") as Api.CanSendTypeId
/** @internal */
export const CanRecvTypeId: Api.CanRecvTypeId = Symbol.for("effect-nng/SocketContext/CanRecv") as Api.CanRecvTypeId
/** @internal */
export const ConfigurableTypeId: Api.ConfigurableTypeId = Symbol.for(
  "effect-nng/SocketContext/Configurable"
) as Api.ConfigurableTypeId
export { HasContextsTypeId } from "./socket.js"

const closedError = (operation: string) => new Errors.ECLOSED({ operation, reason: "the context is closed" })

class ContextImpl extends Shown implements Api.SocketContext {
  readonly [TypeId]: Api.TypeId = TypeId
  /** As its socket's. */
  readonly [CanSendTypeId]: typeof anyError | undefined
  readonly [CanRecvTypeId]: typeof anyError | undefined
  readonly [ConfigurableTypeId] = anyOptions
  readonly id: number
  private ended = false

  constructor(
    readonly socket: SocketImpl,
    readonly conversation: Conversation
  ) {
    super()
    this[CanSendTypeId] = socket.spec.canSend ? anyError : undefined
    this[CanRecvTypeId] = socket.spec.canRecv ? anyError : undefined
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

/** What it can do, and how it fails, is for its protocol's module to say. */
const impl = (context: Api.SocketContext): ContextImpl => context as ContextImpl

/** @internal */
export const conversationOf = (context: Api.SocketContext): Conversation => impl(context).conversation

/** @internal */
export const isSocketContext = (u: unknown): u is Api.SocketContext => Predicate.hasProperty(u, TypeId)

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
export const send: {
  (message: Input, options?: OperationOptions): <E>(context: Api.CanSend<E>) => Effect.Effect<void, SendError | E>
  <E>(context: Api.CanSend<E>, message: Input, options?: OperationOptions): Effect.Effect<void, SendError | E>
} = dual(
  (args) => isSocketContext(args[0]),
  (context: Api.SocketContext, message: Input, options?: OperationOptions): Effect.Effect<void, never> =>
    impl(context).conversation.send(message, options) as never
)

/** @internal */
export const recv = <E>(context: Api.CanRecv<E>, options?: OperationOptions): Effect.Effect<Message, RecvError | E> =>
  impl(context).conversation.recv(options) as never

/** @internal */
export const sendAio: {
  (
    aio: Aio,
    message: Input,
    options?: OperationOptions
  ): <E>(context: Api.CanSend<E>) => Effect.Effect<Pending<void, SendError | E>, Errors.EBUSY>
  <E>(
    context: Api.CanSend<E>,
    aio: Aio,
    message: Input,
    options?: OperationOptions
  ): Effect.Effect<Pending<void, SendError | E>, Errors.EBUSY>
} = dual(
  (args) => isSocketContext(args[0]),
  (
    context: Api.SocketContext,
    aio: Aio,
    message: Input,
    options?: OperationOptions
  ): Effect.Effect<never, Errors.EBUSY> => OnAio.send(impl(context).conversation, aio, message, options) as never
)

/** @internal */
export const recvAio: {
  (
    aio: Aio,
    options?: OperationOptions
  ): <E>(context: Api.CanRecv<E>) => Effect.Effect<Pending<Message, RecvError | E>, Errors.EBUSY>
  <E>(
    context: Api.CanRecv<E>,
    aio: Aio,
    options?: OperationOptions
  ): Effect.Effect<Pending<Message, RecvError | E>, Errors.EBUSY>
} = dual(
  (args) => isSocketContext(args[0]),
  (context: Api.SocketContext, aio: Aio, options?: OperationOptions): Effect.Effect<never, Errors.EBUSY> =>
    OnAio.recv(impl(context).conversation, aio, options) as never
)

/** @internal */
export const configure: {
  <O>(options: NoInfer<O>): (context: Api.Configurable<O>) => Effect.Effect<void, Errors.EINVAL | Errors.ECLOSED>
  <O>(context: Api.Configurable<O>, options: NoInfer<O>): Effect.Effect<void, Errors.EINVAL | Errors.ECLOSED>
} = dual(2, <O>(context: Api.Configurable<O>, options: O) =>
  Effect.suspend((): Effect.Effect<void, Errors.EINVAL | Errors.ECLOSED> => {
    const { conversation, isClosed } = impl(context)
    if (isClosed) return closedError("SocketContext.configure")
    return Effect.map(Options.change(conversation.settings, options as Options.Input), (settings) => {
      conversation.configure(settings)
    })
  })
)

/** @internal */
export const settings = <O>(context: Api.Configurable<O>): Effect.Effect<Settings<O>, Errors.ECLOSED> =>
  Effect.suspend(() => {
    const { conversation, isClosed, socket } = impl(context)
    return isClosed
      ? closedError("SocketContext.settings")
      : Effect.succeed(
          Options.show(conversation.settings, [
            ...Options.commonOfContexts,
            ...(socket.spec.contextOptions ?? [])
          ]) as Settings<O>
        )
  })
