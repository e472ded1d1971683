/**
 * Answers surveys (nng_respondent(7)), or does not.
 *
 * **Operations.** `serve` does it all: it hands each survey to a function and sends back what that gives, if it gives
 * anything. By hand, `Socket.recv` waits for a survey and `Socket.send` answers the one that was received last, once:
 * without one it is `NNG_ESTATE`, and so is a second receive while one waits. Not to answer is no mistake; the next
 * receive takes the place of what was not answered. Whether the survey is over by then nobody tells: an answer that comes
 * too late, or for a surveyor that is gone, has been sent; here the latter is dropped and counted
 * (`dropped.unroutable`). One that has to wait for a slow surveyor and is given up is lost; one that was not to wait at
 * all can be tried again.
 *
 * **Contexts.** Each has a survey of its own, so that several are answered at once.
 *
 * **Options.** Those of every socket, and `ttl`.
 *
 * **Wire headers.** The survey's, returned. A message that is received has none. In raw mode the application has it, with
 * the id of the pipe in front.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Message from "effect-nng/Message"
 * import * as Respondent0 from "effect-nng/Respondent0"
 * import * as Socket from "effect-nng/Socket"
 *
 * export const present = (name: string) =>
 *   Effect.gen(function* () {
 *     const socket = yield* Respondent0.make()
 *     yield* Socket.dial(socket, "tcp://127.0.0.1:5555")
 *     yield* Respondent0.serve(socket, (survey) =>
 *       Effect.succeed(Message.text(survey) === "who is there?" ? name : undefined)
 *     )
 *   }).pipe(Effect.scoped)
 * ```
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Errors from "./Errors.js"
import * as internal from "./internal/engine/api.js"
import * as free from "./internal/engine/free.js"
import * as replies from "./internal/engine/replies.js"
import { respondent0, XRep0Machine } from "./internal/protocol/xrep0.js"
import type { Input, Message } from "./Message.js"
import * as Protocol from "./Protocol.js"
import type * as Socket from "./Socket.js"
import type * as SocketContext from "./SocketContext.js"
import type { Transports } from "./Transport.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options extends Socket.Options {
  /** A survey that came through as many devices or more is dropped (`NNG_OPT_MAXTTL`): 1 to 15, default 8. */
  readonly ttl?: number | undefined
}

/**
 * Options of a new socket.
 *
 * @since 0.1.0
 * @category models
 */
export interface MakeOptions extends Options, Socket.MakeOptions {}

/**
 * A context of such a socket.
 *
 * @since 0.1.0
 * @category models
 */
export interface Context
  extends
    SocketContext.CanSend<Errors.ESTATE>,
    SocketContext.CanRecv<Errors.ESTATE>,
    SocketContext.Configurable<SocketContext.Options> {}

/**
 * @since 0.1.0
 * @category models
 */
export interface Respondent0
  extends
    Socket.CanSend<Errors.ESTATE>,
    Socket.CanRecv<Errors.ESTATE>,
    Socket.Configurable<Options>,
    SocketContext.HasContexts<Context, SocketContext.Options> {
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
export interface RawOptions extends Options {
  /** Messages that may wait for a receive (`NNG_OPT_RECVBUF`): 0 to 8192, default 1. */
  readonly recvBuffer?: number | undefined
}

/**
 * One without surveys and answers: surveys with their headers, and messages to where theirs say. A send never waits: what
 * has no such pipe, or finds 2 before it, is dropped and counted.
 *
 * @since 0.1.0
 * @category models
 */
export interface Respondent0Raw
  extends Socket.CanSend<Errors.EBUSY>, Socket.CanRecv<Errors.EBUSY>, Socket.Configurable<RawOptions, Errors.EBUSY> {
  readonly raw: true
  readonly protocol: Protocol.Protocol<"respondent", "surveyor">
}

/**
 * Makes a socket (`nng_respondent0_open`). `NNG_EINVAL` names the option that is out of range.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options?: MakeOptions): Effect.Effect<Respondent0, Errors.EINVAL, Scope.Scope | Transports> =>
  internal.makeSocket<Respondent0>(
    {
      protocol: Protocol.respondent0,
      raw: false,
      canSend: true,
      canRecv: true,
      options: ["ttl"],
      contextOptions: [],
      core: replies.respondent0
    },
    options
  )

/**
 * Makes a raw socket (`nng_respondent0_open_raw`): for devices, and for those who keep books of surveys themselves.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeRaw = (
  options?: RawOptions & Socket.MakeOptions
): Effect.Effect<Respondent0Raw, Errors.EINVAL, Scope.Scope | Transports> =>
  internal.makeSocket<Respondent0Raw>(
    {
      protocol: Protocol.respondent0,
      raw: true,
      canSend: true,
      canRecv: true,
      options: ["ttl", "recvBuffer"],
      core: free.core(
        ({ recvBuffer, sendBuffer, ttl }, world) =>
          new XRep0Machine({ send: sendBuffer, recv: recvBuffer }, ttl, world, respondent0),
        (machine, { ttl }) => {
          machine.ttl = ttl
        }
      )
    },
    { recvBuffer: 1, ...options }
  )

/**
 * @since 0.1.0
 * @category models
 */
export interface ServeOptions {
  /** How many surveys are answered at once. Default 1: one after the other. */
  readonly concurrency?: number | "unbounded" | undefined
  /**
   * Interrupt the handler of a survey when the surveyor is gone. Default false: it ends, and its answer is dropped. That a
   * survey is over is not told to anybody, and a surveyor with more surveys unread behind this one may be gone without
   * anybody's knowing; where a handler may take long, limit its time as well.
   */
  readonly interruptWhenGone?: boolean | undefined
}

/**
 * Hands each survey to `handler` and sends back what it gives, or nothing where that is `undefined`, until the handler
 * fails, with that error, or the socket closes, with `NNG_ECLOSED`. To go on after a failure, let the handler catch it.
 * `NNG_EINVAL` is for a `concurrency` that is no whole number from 1. An answer that a slow surveyor does not take within
 * the socket's `sendTimeout` is dropped and counted. An answer that is a `Message` belongs to the library afterwards: make
 * a new one for each.
 *
 * **Interruption** interrupts the handlers; what they had not answered is not answered.
 *
 * @since 0.1.0
 * @category serving
 */
export const serve: {
  <E, R>(
    handler: (survey: Message) => Effect.Effect<Input | undefined, E, R>,
    options?: ServeOptions
  ): (socket: Respondent0) => Effect.Effect<never, E | Errors.ECLOSED | Errors.EINVAL, R>
  <E, R>(
    socket: Respondent0,
    handler: (survey: Message) => Effect.Effect<Input | undefined, E, R>,
    options?: ServeOptions
  ): Effect.Effect<never, E | Errors.ECLOSED | Errors.EINVAL, R>
} = internal.respond
