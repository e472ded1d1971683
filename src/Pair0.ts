/**
 * One peer, both ways (nng_pair(7)). What one side sends the other receives, in order, and a peer that does not receive
 * makes the other's `send` wait.
 *
 * **Operations.** `Socket.send` waits while there is no peer, or the peer has no room. `Socket.recv` waits for a message.
 * Both may be called concurrently and are served in order. A second peer is refused (`NNG_EBUSY`) as long as the first is
 * there. Messages in the send buffer outlive the peer and go to the next; what the connection had taken may be lost with it.
 *
 * **Contexts.** None.
 *
 * **Options.** Those of every socket, and `sendBuffer` and `recvBuffer`.
 *
 * **Wire headers.** None. Raw mode is the same.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Message from "effect-nng/Message"
 * import * as Pair0 from "effect-nng/Pair0"
 * import * as Socket from "effect-nng/Socket"
 *
 * export const echo = Effect.gen(function* () {
 *   const socket = yield* Pair0.make({ sendBuffer: 16 })
 *   yield* Socket.listen(socket, "tcp://127.0.0.1:5555")
 *   for (;;) {
 *     const message = yield* Socket.recv(socket)
 *     yield* Effect.log(`heard ${Message.text(message)}`)
 *     yield* Socket.send(socket, message)
 *   }
 * })
 * ```
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Errors from "./Errors.js"
import * as internal from "./internal/engine/api.js"
import { core } from "./internal/engine/free.js"
import type { Spec } from "./internal/engine/socket.js"
import { Pair0Machine } from "./internal/protocol/pair0.js"
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
export interface Pair0 extends Socket.CanSend, Socket.CanRecv, Socket.Configurable<Options> {
  readonly raw: false
  /** As with every socket, but no device ever has it. **Interruption** stops the waiting, not the closing. */
  readonly close: Effect.Effect<void, Errors.ECLOSED>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Pair0Raw
  extends Socket.CanSend<Errors.EBUSY>, Socket.CanRecv<Errors.EBUSY>, Socket.Configurable<Options, Errors.EBUSY> {
  readonly raw: true
  readonly protocol: Protocol.Protocol<"pair", "pair">
}

const spec = (raw: boolean): Spec => ({
  protocol: Protocol.pair0,
  raw,
  canSend: true,
  canRecv: true,
  options: ["sendBuffer", "recvBuffer"],
  core: core(({ recvBuffer, sendBuffer }) => new Pair0Machine({ send: sendBuffer, recv: recvBuffer }))
})

/**
 * Makes a socket (`nng_pair0_open`). `NNG_EINVAL` names the option that is out of range.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options?: MakeOptions): Effect.Effect<Pair0, Errors.EINVAL, Scope.Scope | Transports> =>
  internal.makeSocket<Pair0>(spec(false), options)

/**
 * Makes a raw socket (`nng_pair0_open_raw`), for devices.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeRaw = (options?: MakeOptions): Effect.Effect<Pair0Raw, Errors.EINVAL, Scope.Scope | Transports> =>
  internal.makeSocket<Pair0Raw>(spec(true), options)
