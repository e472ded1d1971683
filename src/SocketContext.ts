/**
 * A state of its own on a socket that is shared (`nng_ctx`): a socket of req has one request at a time, and each of its
 * contexts has another. Those of rep, and later of survey and sub, likewise.
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
 * A context. `SendE` and `RecvE` are what its protocol adds to the errors of a send and a receive, `O` its options.
 *
 * @since 0.1.0
 * @category models
 */
export interface SocketContext<out SendE, out RecvE, in O> extends Inspectable, Pipeable {
  readonly [TypeId]: Variance<SendE, RecvE, O>
  /** Unique in the process, from 1 (`nng_ctx_id`). */
  readonly id: number
  /**
   * Closes it before its scope does, or its socket (`nng_ctx_close`): who waits on it fails with `NNG_ECLOSED`. The same
   * when it is closed already. **Interruption**: none, it does not wait.
   */
  readonly close: Effect.Effect<void, Errors.ECLOSED>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Variance<out SendE, out RecvE, in O> {
  readonly _SendE: Types.Covariant<SendE>
  readonly _RecvE: Types.Covariant<RecvE>
  readonly _O: Types.Contravariant<O>
}

/**
 * A socket whose protocol has contexts.
 *
 * @since 0.1.0
 * @category models
 */
export interface HasContexts<out SendE, out RecvE, in O> extends Socket {
  readonly "~effect-nng/HasContexts": Variance<SendE, RecvE, O>
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
export const isSocketContext: (u: unknown) => u is SocketContext<unknown, unknown, never> = internal.isSocketContext

/**
 * Makes a context (`nng_ctx_open`), which lives as long as its scope and its socket do. `NNG_ECLOSED` when the socket is
 * closed, `NNG_EINVAL` for an option out of range.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: <SendE, RecvE, O extends Options>(
  socket: HasContexts<SendE, RecvE, O>,
  options?: NoInfer<O>
) => Effect.Effect<SocketContext<SendE, RecvE, O>, Errors.ECLOSED | Errors.EINVAL, Scope.Scope> = internal.make as never

/**
 * Sends on a context (`nng_ctx_sendmsg`), as `Socket.send` does on a socket.
 *
 * **Interruption**: one that is interrupted has sent nothing.
 *
 * @since 0.1.0
 * @category combinators
 */
export const send: <SendE>(
  context: SocketContext<SendE, unknown, never>,
  message: Input,
  options?: OperationOptions
) => Effect.Effect<void, SendError | SendE> = internal.send as never

/**
 * Receives on a context (`nng_ctx_recvmsg`), as `Socket.recv` does on a socket.
 *
 * **Interruption**: one that is interrupted has taken nothing.
 *
 * @since 0.1.0
 * @category combinators
 */
export const recv: <RecvE>(
  context: SocketContext<unknown, RecvE, never>,
  options?: OperationOptions
) => Effect.Effect<Message, RecvError | RecvE> = internal.recv as never

/**
 * Changes options of a context, all or none of them; they hold from the next operation (`nng_ctx_set`). `NNG_EINVAL`
 * names the one that is out of range. **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category combinators
 */
export const configure: <O extends Options>(
  context: SocketContext<unknown, unknown, O>,
  options: NoInfer<O>
) => Effect.Effect<void, Errors.EINVAL | Errors.ECLOSED> = internal.configure as never

/**
 * What a context's options are now, times as `Duration`s (`nng_ctx_get`). **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category getters
 */
export const settings: <O extends Options>(
  context: SocketContext<unknown, unknown, O>
) => Effect.Effect<Settings<O>, Errors.ECLOSED> = internal.settings as never
