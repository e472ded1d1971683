/**
 * Each message to all direct neighbours (nng_bus(7)). It goes no further: who is to hear everybody connects to everybody,
 * and each pair of neighbours needs one connection, no matter who dialed.
 *
 * **Operations.** `Socket.send` never waits: a neighbour that does not read, and whose queue is full, misses the message,
 * and without neighbours nobody gets it. `Socket.recv` waits for a message, and `Socket.stream` gives all that come; of
 * those that come while `recvBuffer` are unread the newest is lost. What is lost is counted (`dropped.full`), for each
 * neighbour by itself. `pipeId` of a message is the neighbour that it came from, which `Socket.getPipe` knows.
 *
 * **Contexts.** None.
 *
 * **Options.** Those of every socket, `sendBuffer` and `recvBuffer`.
 *
 * **Wire headers.** None. In raw mode a message that is received has the id of its pipe in its header, four bytes, and is
 * sent to all but that pipe: sent back as it came it goes to all the others. With a header of fewer than four bytes it
 * goes to all, header first.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import * as Bus0 from "effect-nng/Bus0"
 * import * as Message from "effect-nng/Message"
 * import * as Socket from "effect-nng/Socket"
 *
 * export const member = (own: string, neighbours: ReadonlyArray<string>) =>
 *   Effect.gen(function* () {
 *     const socket = yield* Bus0.make({ recvBuffer: 1024 })
 *     yield* Socket.listen(socket, own)
 *     for (const url of neighbours) yield* Socket.dial(socket, url, { nonblocking: true })
 *     yield* Socket.awaitPeers(socket, neighbours.length)
 *     yield* Socket.send(socket, `${own} is here`)
 *     yield* Stream.runForEach(Socket.stream(socket), (message) =>
 *       Effect.log(`pipe ${message.pipeId}: ${Message.text(message)}`)
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
import { core } from "./internal/engine/free.js"
import type { Spec } from "./internal/engine/socket.js"
import { Bus0Machine } from "./internal/protocol/bus0.js"
import * as Protocol from "./Protocol.js"
import type * as Socket from "./Socket.js"
import type { Transports } from "./Transport.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options extends Socket.Options {
  /** Messages that may wait for each neighbour (`NNG_OPT_SENDBUF`): 1 to 8192, default 16. */
  readonly sendBuffer?: number | undefined
  /** Messages that may wait for a receive (`NNG_OPT_RECVBUF`): 1 to 8192, default 16. */
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
export interface Bus0 extends Socket.CanSend, Socket.CanRecv, Socket.Configurable<Options> {
  readonly raw: false
  /** As with every socket, but no device ever has it. **Interruption** stops the waiting, not the closing. */
  readonly close: Effect.Effect<void, Errors.ECLOSED>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Bus0Raw
  extends Socket.CanSend<Errors.EBUSY>, Socket.CanRecv<Errors.EBUSY>, Socket.Configurable<Options, Errors.EBUSY> {
  readonly raw: true
  readonly protocol: Protocol.Protocol<"bus", "bus">
}

const spec = (raw: boolean): Spec => ({
  protocol: Protocol.bus0,
  raw,
  canSend: true,
  canRecv: true,
  options: ["sendBuffer", "recvBuffer"],
  defaults: { sendBuffer: 16, recvBuffer: 16, leastBuffer: 1 },
  core: core(
    ({ recvBuffer, sendBuffer }, world, demand) =>
      new Bus0Machine({ send: sendBuffer, recv: recvBuffer }, raw, world, demand)
  )
})

/**
 * Makes a socket (`nng_bus0_open`). `NNG_EINVAL` names the option that is out of range.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options?: MakeOptions): Effect.Effect<Bus0, Errors.EINVAL, Scope.Scope | Transports> =>
  internal.makeSocket<Bus0>(spec(false), options)

/**
 * Makes a raw socket (`nng_bus0_open_raw`): for devices, and for the centre of a star that passes on what it hears.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeRaw = (options?: MakeOptions): Effect.Effect<Bus0Raw, Errors.EINVAL, Scope.Scope | Transports> =>
  internal.makeSocket<Bus0Raw>(spec(true), options)
