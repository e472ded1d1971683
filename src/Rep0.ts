/**
 * Answers requests (nng_rep(7)).
 *
 * **Operations.** `serve` does it all: it hands each request to a function and sends back what that gives. By hand,
 * `Socket.recv` waits for a request and `Socket.send` answers the one that was received last, once: without one it is
 * `NNG_ESTATE`, and so is a second receive while one waits. An answer to a requester that is gone is dropped and counted
 * (`dropped.unroutable`), and the send succeeds. One that has to wait for a slow requester and is given up is lost.
 *
 * **Contexts.** Each has a request of its own, so that several are answered at once.
 *
 * **Options.** Those of every socket, and `ttl`.
 *
 * **Wire headers.** The request's, returned. A message that is received has none. In raw mode the application has it,
 * with the id of the pipe in front.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Message from "effect-nng/Message"
 * import * as Rep0 from "effect-nng/Rep0"
 * import * as Socket from "effect-nng/Socket"
 *
 * export const server = Effect.gen(function* () {
 *   const socket = yield* Rep0.make()
 *   yield* Socket.listen(socket, "tcp://127.0.0.1:5555")
 *   yield* Rep0.serve(socket, (request) => Effect.succeed(Message.text(request).toUpperCase()), { concurrency: 16 })
 * }).pipe(Effect.scoped)
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
import { XRep0Machine } from "./internal/protocol/xrep0.js"
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
  /** A request that came through as many devices or more is dropped (`NNG_OPT_MAXTTL`): 1 to 15, default 8. */
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
export interface Rep0
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
 * One without questions and answers: requests with their headers, and messages to where theirs say. A send never waits:
 * what has no such pipe, or finds 64 before it, is dropped and counted.
 *
 * @since 0.1.0
 * @category models
 */
export interface Rep0Raw
  extends Socket.CanSend<Errors.EBUSY>, Socket.CanRecv<Errors.EBUSY>, Socket.Configurable<RawOptions, Errors.EBUSY> {
  readonly raw: true
  readonly protocol: Protocol.Protocol<"rep", "req">
}

/**
 * Makes a socket (`nng_rep0_open`). `NNG_EINVAL` names the option that is out of range.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options?: MakeOptions): Effect.Effect<Rep0, Errors.EINVAL, Scope.Scope | Transports> =>
  internal.makeSocket<Rep0>(
    {
      protocol: Protocol.rep0,
      raw: false,
      canSend: true,
      canRecv: true,
      options: ["ttl"],
      contextOptions: [],
      core: replies.rep0
    },
    options
  )

/**
 * Makes a raw socket (`nng_rep0_open_raw`): for devices, and for those who keep books of requests themselves.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeRaw = (
  options?: RawOptions & Socket.MakeOptions
): Effect.Effect<Rep0Raw, Errors.EINVAL, Scope.Scope | Transports> =>
  internal.makeSocket<Rep0Raw>(
    {
      protocol: Protocol.rep0,
      raw: true,
      canSend: true,
      canRecv: true,
      options: ["ttl", "recvBuffer"],
      defaults: { recvBuffer: 1 },
      core: free.core(
        ({ recvBuffer, sendBuffer, ttl }, world) =>
          new XRep0Machine({ send: sendBuffer, recv: recvBuffer }, ttl, world),
        (machine, { ttl }) => {
          machine.ttl = ttl
        }
      )
    },
    options
  )

/**
 * @since 0.1.0
 * @category models
 */
export interface ServeOptions {
  /** How many requests are answered at once. Default 1: one after the other. */
  readonly concurrency?: number | "unbounded" | undefined
  /**
   * Interrupt the handler of a request when whoever asked is gone. Default false: it ends, and its answer is dropped. A
   * requester with more requests unread behind this one may be gone without anybody's knowing, as nothing is read past
   * them; where a handler may take for ever, limit its time as well.
   */
  readonly interruptWhenGone?: boolean | undefined
}

/**
 * Hands each request to `handler` and sends back what it gives, until the handler fails, with that error, or the socket
 * closes, with `NNG_ECLOSED`. To go on after a failure, let the handler answer it. An answer that a slow requester does
 * not take within the socket's `sendTimeout` is dropped and counted. An answer that is a `Message` belongs to the
 * library afterwards: make a new one for each.
 *
 * **Interruption** interrupts the handlers; what they had not answered is not answered, and a requester may ask again.
 *
 * @since 0.1.0
 * @category serving
 */
export const serve: {
  <E, R>(
    handler: (request: Message) => Effect.Effect<Input, E, R>,
    options?: ServeOptions
  ): (socket: Rep0) => Effect.Effect<never, E | Errors.ECLOSED | Errors.EINVAL, R>
  <E, R>(
    socket: Rep0,
    handler: (request: Message) => Effect.Effect<Input, E, R>,
    options?: ServeOptions
  ): Effect.Effect<never, E | Errors.ECLOSED | Errors.EINVAL, R>
} = internal.serve
