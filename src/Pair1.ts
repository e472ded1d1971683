/**
 * One peer, both ways, through devices if need be (nng_pair(7)); or, polyamorous, many peers, each message for one of
 * them.
 *
 * **Operations.** Of one made by `make`, those of `Pair0`: `Socket.send` waits while there is no peer, or it has no room,
 * `Socket.recv` for a message, and a second peer is refused (`NNG_EBUSY`).
 *
 * One made by `makePoly` takes any number of peers, of either kind. A message that was received has the id of the pipe it
 * came from (`pipeId`): `Socket.getPipe` gives the pipe, with the dialer or listener that made it, its addresses and its
 * protocol, and `sendTo` answers there, as does `Socket.send` of the message itself. What names no pipe goes to the peer
 * that has been there longest. From the first peer on a send never waits: what names a pipe that is gone, or never was, is
 * dropped and counted (`dropped.unroutable`), and so is, with two messages waiting already, what a slow peer has no room
 * for (`dropped.full`). A message that came over another socket names a pipe of that one: use `sendTo`, or
 * `Message.unsafeSetPipe(message, 0)`. Receiving, a peer that floods makes itself wait, and nobody else.
 *
 * **Contexts.** None.
 *
 * **Options.** Those of every socket, `sendBuffer`, `recvBuffer` and `ttl`.
 *
 * **Wire headers.** Four bytes, the number of sockets that the message has left, and so 1 from a direct peer. A message
 * that is received has them in its header; one that is sent gets new ones. In raw mode the application has the header,
 * and its number is increased by one on the way out.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import * as Message from "effect-nng/Message"
 * import * as Pair1 from "effect-nng/Pair1"
 * import * as Socket from "effect-nng/Socket"
 *
 * export const hub = Effect.gen(function* () {
 *   const socket = yield* Pair1.makePoly({ recvBuffer: 64 })
 *   yield* Socket.listen(socket, "tcp://127.0.0.1:5555")
 *   // tell everybody how many they are, whenever that changes
 *   yield* Effect.fork(
 *     Stream.runForEach(Socket.pipes(socket).changes, (pipes) =>
 *       Effect.forEach(pipes, (pipe) => Pair1.sendTo(socket, pipe.id, `you are ${pipes.length}`))
 *     )
 *   )
 *   // and answer each by itself
 *   yield* Stream.runForEach(Socket.stream(socket), (message) =>
 *     Pair1.sendTo(socket, message.pipeId, `you said ${Message.text(message)}`)
 *   )
 * }).pipe(Effect.scoped)
 * ```
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Errors from "./Errors.js"
import * as internal from "./internal/engine/api.js"
import * as pairs from "./internal/engine/pairs.js"
import type { Spec } from "./internal/engine/socket.js"
import type { Input } from "./Message.js"
import * as Protocol from "./Protocol.js"
import type * as Socket from "./Socket.js"
import type { Transports } from "./Transport.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options extends Socket.Options {
  /** Messages that may wait for a peer with room (`NNG_OPT_SENDBUF`): 0 to 8192, default 0. */
  readonly sendBuffer?: number | undefined
  /** Messages that may wait for a receive (`NNG_OPT_RECVBUF`): 0 to 8192, default 0. */
  readonly recvBuffer?: number | undefined
  /**
   * Most sockets that a message may have left when it is received (`NNG_OPT_MAXTTL`); others are dropped and counted
   * (`dropped.hops`). 1 to 15, default 8.
   */
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
 * @since 0.1.0
 * @category models
 */
export interface Pair1 extends Socket.CanSend, Socket.CanRecv, Socket.Configurable<Options> {
  readonly raw: false
  /** As with every socket, but no device ever has it. **Interruption** stops the waiting, not the closing. */
  readonly close: Effect.Effect<void, Errors.ECLOSED>
  /** Whether it has many peers (`NNG_OPT_PAIR1_POLY`). */
  readonly polyamorous: false
}

/**
 * Why a raw socket did not send: the header is not four bytes with a number below 255 (`NNG_EPROTO`), or a device has
 * the socket (`NNG_EBUSY`).
 *
 * @since 0.1.0
 * @category errors
 */
export type RawSendError = Errors.EPROTO | Errors.EBUSY

/**
 * One whose application has the header.
 *
 * @since 0.1.0
 * @category models
 */
export interface Pair1Raw
  extends Socket.CanSend<RawSendError>, Socket.CanRecv<Errors.EBUSY>, Socket.Configurable<Options, Errors.EBUSY> {
  readonly raw: true
  readonly protocol: Protocol.Protocol<"pair1", "pair1">
  /** Whether it has many peers (`NNG_OPT_PAIR1_POLY`). */
  readonly polyamorous: false
}

/**
 * @since 0.1.0
 * @category models
 */
export interface PolyOptions extends Socket.Options {
  /** Messages that may wait for the first peer (`NNG_OPT_SENDBUF`): 0 to 8192, default 0. They all go to it. */
  readonly sendBuffer?: number | undefined
  /** Messages, of all peers, that may wait for a receive (`NNG_OPT_RECVBUF`): 0 to 8192, default 1. */
  readonly recvBuffer?: number | undefined
  /**
   * Most sockets that a message may have left when it is received (`NNG_OPT_MAXTTL`); others are dropped and counted
   * (`dropped.hops`). 1 to 15, default 8.
   */
  readonly ttl?: number | undefined
}

/**
 * One with many peers.
 *
 * @since 0.1.0
 * @category models
 */
export interface Pair1Poly extends Socket.CanSend, Socket.CanRecv, Socket.Configurable<PolyOptions> {
  readonly raw: false
  /** As with every socket, but no device ever has it. **Interruption** stops the waiting, not the closing. */
  readonly close: Effect.Effect<void, Errors.ECLOSED>
  /** Whether it has many peers (`NNG_OPT_PAIR1_POLY`). */
  readonly polyamorous: true
}

const spec = {
  protocol: Protocol.pair1,
  canSend: true,
  canRecv: true,
  options: ["sendBuffer", "recvBuffer", "ttl"]
} as const

const cooked: Spec = { ...spec, raw: false, core: pairs.core }

const raw: Spec = { ...spec, raw: true, core: pairs.rawCore }

const poly: Spec = { ...spec, raw: false, polyamorous: true, defaults: { recvBuffer: 1 }, core: pairs.polyCore }

/**
 * Makes a socket for one peer (`nng_pair1_open`). `NNG_EINVAL` names the option that is out of range.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options?: MakeOptions): Effect.Effect<Pair1, Errors.EINVAL, Scope.Scope | Transports> =>
  internal.makeSocket<Pair1>(cooked, options)

/**
 * Makes a raw socket for one peer (`nng_pair1_open_raw`), for devices.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeRaw = (options?: MakeOptions): Effect.Effect<Pair1Raw, Errors.EINVAL, Scope.Scope | Transports> =>
  internal.makeSocket<Pair1Raw>(raw, options)

/**
 * Makes a socket for many peers (`nng_pair1_open_poly`). `NNG_EINVAL` names the option that is out of range.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makePoly = (
  options?: PolyOptions & Socket.MakeOptions
): Effect.Effect<Pair1Poly, Errors.EINVAL, Scope.Scope | Transports> => internal.makeSocket<Pair1Poly>(poly, options)

/**
 * Sends a message to the peer of one pipe (`nng_msg_set_pipe` and `nng_sendmsg`), whatever pipe the message itself names.
 * It never waits, before the first peer either: a pipe that is gone, never was, or has no room gets nothing, which is
 * counted (`dropped.unroutable`, `dropped.full`). `NNG_ECLOSED` when the socket is closed.
 *
 * **Interruption**: a send that is interrupted has sent nothing.
 *
 * @since 0.1.0
 * @category sending
 */
export const sendTo: {
  (pipeId: number, message: Input): (socket: Pair1Poly) => Effect.Effect<void, Errors.ECLOSED>
  (socket: Pair1Poly, pipeId: number, message: Input): Effect.Effect<void, Errors.ECLOSED>
} = internal.sendTo
