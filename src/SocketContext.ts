/**
 * A state of its own on a socket that is shared (`nng_ctx`): a socket of req has one request at a time, and each of its
 * contexts has another; likewise the request that a rep answers, a survey, and the subscriptions of a sub. What a context
 * can do is in its type, as with sockets: that of a sub has no `send`.
 *
 * Most programs want `Req0.request` and `Rep0.serve` instead, which use one context for each call, or each worker.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Message from "effect-nng/Message"
 * import type * as Req0 from "effect-nng/Req0"
 * import * as SocketContext from "effect-nng/SocketContext"
 *
 * export const ask = (socket: Req0.Req0, question: string) =>
 *   Effect.gen(function* () {
 *     const context = yield* SocketContext.make(socket, { recvTimeout: "1 second" })
 *     yield* SocketContext.send(context, question)
 *     return Message.text(yield* SocketContext.recv(context))
 *   }).pipe(Effect.scoped)
 * ```
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type { Inspectable } from "effect/Inspectable"
import type { Pipeable } from "effect/Pipeable"
import type * as Scope from "effect/Scope"
import type * as Types from "effect/Types"
import type { Aio, Pending } from "./Aio.js"
import type * as Errors from "./Errors.js"
import * as internal from "./internal/engine/context.js"
import type { Input, Message } from "./Message.js"
import type { OperationOptions, RecvError, SendError, Settings, Socket } from "./Socket.js"

/**
 * @since 0.1.0
 * @category symbols
 */
export const TypeId: unique symbol = internal.TypeId

/**
 * @since 0.1.0
 * @category symbols
 */
export type TypeId = typeof TypeId

/**
 * Marks a context that sends.
 *
 * @since 0.1.0
 * @category symbols
 */
export const CanSendTypeId: unique symbol = internal.CanSendTypeId

/**
 * @since 0.1.0
 * @category symbols
 */
export type CanSendTypeId = typeof CanSendTypeId

/**
 * Marks a context that receives.
 *
 * @since 0.1.0
 * @category symbols
 */
export const CanRecvTypeId: unique symbol = internal.CanRecvTypeId

/**
 * @since 0.1.0
 * @category symbols
 */
export type CanRecvTypeId = typeof CanRecvTypeId

/**
 * Marks a context whose options can be changed.
 *
 * @since 0.1.0
 * @category symbols
 */
export const ConfigurableTypeId: unique symbol = internal.ConfigurableTypeId

/**
 * @since 0.1.0
 * @category symbols
 */
export type ConfigurableTypeId = typeof ConfigurableTypeId

/**
 * Marks a socket whose protocol has contexts.
 *
 * @since 0.1.0
 * @category symbols
 */
export const HasContextsTypeId: unique symbol = internal.HasContextsTypeId

/**
 * @since 0.1.0
 * @category symbols
 */
export type HasContextsTypeId = typeof HasContextsTypeId

/**
 * @since 0.1.0
 * @category models
 */
export interface SocketContext extends Inspectable, Pipeable {
  readonly [TypeId]: TypeId
  /** Unique in the process, from 1 (`nng_ctx_id`). */
  readonly id: number
  /**
   * Closes it before its scope does, or its socket (`nng_ctx_close`): who waits on it fails with `NNG_ECLOSED`. The same
   * when it is closed already. **Interruption**: none, it does not wait.
   */
  readonly close: Effect.Effect<void, Errors.ECLOSED>
}

/**
 * A context that sends. `E`: what its protocol adds to the errors of a send.
 *
 * @since 0.1.0
 * @category models
 */
export interface CanSend<out E = never> extends SocketContext {
  readonly [CanSendTypeId]: { readonly _E: Types.Covariant<E> }
}

/**
 * A context that receives. `E`: what its protocol adds to the errors of a receive.
 *
 * @since 0.1.0
 * @category models
 */
export interface CanRecv<out E = never> extends SocketContext {
  readonly [CanRecvTypeId]: { readonly _E: Types.Covariant<E> }
}

/**
 * A context whose options of type `O` can be changed while it lives.
 *
 * @since 0.1.0
 * @category models
 */
export interface Configurable<in O> extends SocketContext {
  readonly [ConfigurableTypeId]: (options: O) => void
}

/**
 * A socket whose protocol has contexts: `C` is what they are, `O` their options.
 *
 * @since 0.1.0
 * @category models
 */
export interface HasContexts<out C extends SocketContext, in O> extends Socket {
  readonly [HasContextsTypeId]: { readonly _C: Types.Covariant<C>; readonly _O: Types.Contravariant<O> }
}

/**
 * The options that every context has. A context takes over its socket's as they are when it is made; what is changed
 * later reaches neither the other.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** How long a receive waits (`NNG_OPT_RECVTIMEO`). */
  readonly recvTimeout?: Duration.DurationInput | undefined
  /** How long a send waits (`NNG_OPT_SENDTIMEO`). */
  readonly sendTimeout?: Duration.DurationInput | undefined
}

/**
 * @since 0.1.0
 * @category guards
 */
export const isSocketContext: (u: unknown) => u is SocketContext = internal.isSocketContext

/**
 * Makes a context (`nng_ctx_open`), which lives as long as its scope and its socket do. `NNG_ECLOSED` when the socket is
 * closed, `NNG_EINVAL` for an option out of range.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: <C extends SocketContext, O>(
  socket: HasContexts<C, O>,
  options?: NoInfer<O>
) => Effect.Effect<C, Errors.ECLOSED | Errors.EINVAL, Scope.Scope> = internal.make as never

/**
 * Sends on a context (`nng_ctx_sendmsg`), as `Socket.send` does on a socket.
 *
 * **Interruption**: one that is interrupted has sent nothing.
 *
 * @since 0.1.0
 * @category sending
 */
export const send: {
  (message: Input, options?: OperationOptions): <E>(context: CanSend<E>) => Effect.Effect<void, SendError | E>
  <E>(context: CanSend<E>, message: Input, options?: OperationOptions): Effect.Effect<void, SendError | E>
} = internal.send

/**
 * Starts a send of a context on an aio (`nng_ctx_send`), as `Socket.sendAio` does on a socket.
 *
 * **Interruption** does not reach the send; cancel the aio. One that is cancelled has sent nothing.
 *
 * @since 0.1.0
 * @category sending
 */
export const sendAio: {
  (
    aio: Aio,
    message: Input,
    options?: OperationOptions
  ): <E>(context: CanSend<E>) => Effect.Effect<Pending<void, SendError | E>, Errors.EBUSY>
  <E>(
    context: CanSend<E>,
    aio: Aio,
    message: Input,
    options?: OperationOptions
  ): Effect.Effect<Pending<void, SendError | E>, Errors.EBUSY>
} = internal.sendAio

/**
 * Receives on a context (`nng_ctx_recvmsg`), as `Socket.recv` does on a socket.
 *
 * **Interruption**: one that is interrupted has taken nothing.
 *
 * @since 0.1.0
 * @category receiving
 */
export const recv: <E>(context: CanRecv<E>, options?: OperationOptions) => Effect.Effect<Message, RecvError | E> =
  internal.recv

/**
 * Starts a receive of a context on an aio (`nng_ctx_recv`), as `Socket.recvAio` does on a socket.
 *
 * **Interruption** does not reach the receive; cancel the aio. One that is cancelled has taken nothing.
 *
 * @since 0.1.0
 * @category receiving
 */
export const recvAio: {
  (
    aio: Aio,
    options?: OperationOptions
  ): <E>(context: CanRecv<E>) => Effect.Effect<Pending<Message, RecvError | E>, Errors.EBUSY>
  <E>(
    context: CanRecv<E>,
    aio: Aio,
    options?: OperationOptions
  ): Effect.Effect<Pending<Message, RecvError | E>, Errors.EBUSY>
} = internal.recvAio

/**
 * Changes options of a context, all or none of them; they hold from the next operation (`nng_ctx_set`). `NNG_EINVAL`
 * names the one that is out of range.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category options
 */
export const configure: {
  <O>(options: NoInfer<O>): (context: Configurable<O>) => Effect.Effect<void, Errors.EINVAL | Errors.ECLOSED>
  <O>(context: Configurable<O>, options: NoInfer<O>): Effect.Effect<void, Errors.EINVAL | Errors.ECLOSED>
} = internal.configure

/**
 * What a context's options are now, times as `Duration`s (`nng_ctx_get`).
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category options
 */
export const settings: <O>(context: Configurable<O>) => Effect.Effect<Settings<O>, Errors.ECLOSED> = internal.settings
