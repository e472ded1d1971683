/**
 * Asks, and waits for the one answer (nng_req(7)). Requests go to the repliers in turn, and again, with the same id, to
 * another when one is gone or takes too long: a handler may see the same request twice, and had better not mind.
 *
 * **Operations.** `request` asks and waits, as often at once as you like. `Socket.send` puts the socket's own question,
 * waiting until a replier takes it, and `Socket.recv` waits for the answer: one at a time, and a new question takes the
 * place of the one before, whose operations fail with `NNG_ECANCELED`. Without a question a receive is `NNG_ESTATE`. A
 * receive that times out, or is interrupted, gives up the question; one that does not wait leaves it as it is.
 *
 * An answer is taken from a replier that the question went to, and from nobody else; others are dropped and counted
 * (`dropped.stale`).
 *
 * **Contexts.** Each has a question of its own, with its `resendTime`.
 *
 * **Options.** Those of every socket, `resendTime` and `resendTick`.
 *
 * **Wire headers.** Four bytes, the request id, with its top bit set; in front of it the pipe ids of devices. A message
 * that is received has none. In raw mode the application has the header.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Message from "effect-nng/Message"
 * import * as Req0 from "effect-nng/Req0"
 * import * as Socket from "effect-nng/Socket"
 *
 * export const program = Effect.gen(function* () {
 *   const socket = yield* Req0.make()
 *   yield* Socket.dial(socket, "tcp://127.0.0.1:5555")
 *   const questions = ["one", "two", "three"]
 *   const answers = yield* Effect.forEach(questions, (question) => Req0.request(socket, question, { timeout: "1 second" }), {
 *     concurrency: "unbounded"
 *   })
 *   return answers.map(Message.text)
 * }).pipe(Effect.scoped)
 * ```
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Errors from "./Errors.js"
import * as internal from "./internal/engine/api.js"
import * as free from "./internal/engine/free.js"
import * as requests from "./internal/engine/requests.js"
import { XReq0Machine } from "./internal/protocol/xreq0.js"
import type { Input, Message } from "./Message.js"
import * as Protocol from "./Protocol.js"
import type * as Socket from "./Socket.js"
import type * as SocketContext from "./SocketContext.js"
import type { Transports } from "./Transport.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface ContextOptions extends SocketContext.Options {
  /**
   * A question that was not answered for so long is sent again, to the next replier (`NNG_OPT_REQ_RESENDTIME`). Zero and
   * infinity: never; then its receive fails with `NNG_ECONNRESET` when the replier is gone. Holds from the next question.
   * Default 1 minute.
   */
  readonly resendTime?: Duration.DurationInput | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Options extends Socket.Options, ContextOptions {
  /** How often it is looked for questions to be sent again (`NNG_OPT_REQ_RESENDTICK`). Default 1 second. */
  readonly resendTick?: Duration.DurationInput | undefined
}

/**
 * Options of a new socket.
 *
 * @since 0.1.0
 * @category models
 */
export interface MakeOptions extends Options, Socket.MakeOptions {}

/**
 * Why a question was not taken: another one took its place (`NNG_ECANCELED`).
 *
 * @since 0.1.0
 * @category errors
 */
export type SendError = Errors.ECANCELED

/**
 * Why there is no answer: there is no question, or another receive waits for its answer (`NNG_ESTATE`), another one took its place (`NNG_ECANCELED`), or the
 * replier is gone and it is not to be sent again (`NNG_ECONNRESET`).
 *
 * @since 0.1.0
 * @category errors
 */
export type RecvError = Errors.ESTATE | Errors.ECANCELED | Errors.ECONNRESET

/**
 * A context of such a socket.
 *
 * @since 0.1.0
 * @category models
 */
export interface Context
  extends
    SocketContext.CanSend<SendError>,
    SocketContext.CanRecv<RecvError>,
    SocketContext.Configurable<ContextOptions> {}

/**
 * @since 0.1.0
 * @category models
 */
export interface Req0
  extends
    Socket.CanSend<SendError>,
    Socket.CanRecv<RecvError>,
    Socket.Configurable<Options>,
    SocketContext.HasContexts<Context, ContextOptions> {
  readonly raw: false
  /** As with every socket, but no device ever has it. **Interruption** stops the waiting, not the closing. */
  readonly close: Effect.Effect<void, Errors.ECLOSED>
}

/**
 * Options of a raw socket.
 *
 * @since 0.1.0
 * @category models
 */
export interface RawOptions extends Socket.Options {
  /** Messages that may wait for a replier (`NNG_OPT_SENDBUF`): 0 to 8192, default 0. */
  readonly sendBuffer?: number | undefined
  /** Messages that may wait for a receive (`NNG_OPT_RECVBUF`): 0 to 8192, default 1. */
  readonly recvBuffer?: number | undefined
}

/**
 * One without questions and answers: messages with their headers, to the repliers in turn, and as they come.
 *
 * @since 0.1.0
 * @category models
 */
export interface Req0Raw
  extends Socket.CanSend<Errors.EBUSY>, Socket.CanRecv<Errors.EBUSY>, Socket.Configurable<RawOptions, Errors.EBUSY> {
  readonly raw: true
  readonly protocol: Protocol.Protocol<"req", "rep">
}

/**
 * Makes a socket (`nng_req0_open`). `NNG_EINVAL` names the option that is out of range.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options?: MakeOptions): Effect.Effect<Req0, Errors.EINVAL, Scope.Scope | Transports> =>
  internal.makeSocket<Req0>(
    {
      protocol: Protocol.req0,
      raw: false,
      canSend: true,
      canRecv: true,
      options: ["resendTime", "resendTick"],
      contextOptions: ["resendTime"],
      core: requests.core
    },
    options
  )

/**
 * Makes a raw socket (`nng_req0_open_raw`): for devices, and for those who keep books of requests themselves.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeRaw = (
  options?: RawOptions & Socket.MakeOptions
): Effect.Effect<Req0Raw, Errors.EINVAL, Scope.Scope | Transports> =>
  internal.makeSocket<Req0Raw>(
    {
      protocol: Protocol.req0,
      raw: true,
      canSend: true,
      canRecv: true,
      options: ["sendBuffer", "recvBuffer"],
      defaults: { recvBuffer: 1 },
      core: free.core(
        ({ recvBuffer, sendBuffer }, world) => new XReq0Machine({ send: sendBuffer, recv: recvBuffer }, world)
      )
    },
    options
  )

/**
 * @since 0.1.0
 * @category models
 */
export interface RequestOptions {
  /** Until the answer is there, instead of the socket's `recvTimeout`. Zero asks nobody: `NNG_ETIMEDOUT`. */
  readonly timeout?: Duration.DurationInput | undefined
}

/**
 * Why a request has no answer.
 *
 * - `NNG_ETIMEDOUT`: none came within `timeout`, or the socket's `recvTimeout`; the time until a replier took it counts;
 * - `NNG_ECONNRESET`: the replier is gone, and it is not to be sent again (`resendTime`);
 * - `NNG_EAGAIN`: it was asked not to wait; like one without any time it then asks nobody;
 * - `NNG_ECLOSED`: the socket is closed, or was while it waited.
 *
 * @since 0.1.0
 * @category errors
 */
export type RequestError = Errors.ETIMEDOUT | Errors.ECONNRESET | Errors.ECLOSED

/**
 * Asks and waits for the answer; any number at once, answered in any order. It has nothing to do with the socket's own
 * question.
 *
 * **Interruption**, like a time-out, gives up the question: its answer, should it come, is dropped and counted.
 *
 * @since 0.1.0
 * @category requests
 */
export const request: {
  (message: Input, options?: RequestOptions): (socket: Req0) => Effect.Effect<Message, RequestError>
  (socket: Req0, message: Input, options?: RequestOptions): Effect.Effect<Message, RequestError>
} = internal.request
