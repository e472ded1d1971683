/**
 * Hands each message to one of its pullers (nng_push(7)). Pullers that take messages get them in turn; one that does not
 * read gets no more when what is between is full, and when all are, `send` waits.
 *
 * What is between is bytes, not messages: over tcp the buffers of two operating systems and 256 KiB hold thousands of
 * small ones, which are dealt in turn whether a puller is busy or not, and which a puller that dies takes with it. Where
 * each piece of work must go to somebody who has time, or must not get lost, let workers ask for it, with `Req0`.
 *
 * **Operations.** `Socket.send` waits while nobody takes the message and the send buffer is full; callers are served in
 * order. A message goes to one puller, at most once: what a connection had begun to send when it broke is lost, what it
 * had not goes to another. There is no receive: it does not compile.
 *
 * **Contexts.** None.
 *
 * **Options.** Those of every socket, and `sendBuffer`.
 *
 * **Wire headers.** None. Raw mode is the same.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import * as Push0 from "effect-nng/Push0"
 * import * as Socket from "effect-nng/Socket"
 *
 * export const produce = (work: Stream.Stream<string>) =>
 *   Effect.gen(function* () {
 *     const socket = yield* Push0.make({ sendBuffer: 100 })
 *     yield* Socket.listen(socket, "tcp://127.0.0.1:5555")
 *     yield* Stream.run(work, Push0.sink(socket))
 *   }).pipe(Effect.scoped)
 * ```
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Sink from "effect/Sink"
import type * as Errors from "./Errors.js"
import * as internal from "./internal/engine/api.js"
import { core } from "./internal/engine/free.js"
import type { Spec } from "./internal/engine/socket.js"
import { Push0Machine } from "./internal/protocol/push0.js"
import type { Input } from "./Message.js"
import * as Protocol from "./Protocol.js"
import * as Socket from "./Socket.js"
import type { Transports } from "./Transport.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options extends Socket.Options {
  /** Messages that may wait for a puller with room (`NNG_OPT_SENDBUF`): 0 to 8192, default 0. */
  readonly sendBuffer?: number | undefined
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
export interface Push0 extends Socket.CanSend, Socket.Configurable<Options> {
  readonly raw: false
  /** As with every socket, but no device ever has it. **Interruption** stops the waiting, not the closing. */
  readonly close: Effect.Effect<void, Errors.ECLOSED>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Push0Raw extends Socket.CanSend<Errors.EBUSY>, Socket.Configurable<Options, Errors.EBUSY> {
  readonly raw: true
  readonly protocol: Protocol.Protocol<"push", "pull">
}

const spec = (raw: boolean): Spec => ({
  protocol: Protocol.push0,
  raw,
  canSend: true,
  canRecv: false,
  options: ["sendBuffer"],
  core: core(({ recvBuffer, sendBuffer }, world) => new Push0Machine({ send: sendBuffer, recv: recvBuffer }, world))
})

/**
 * Makes a socket (`nng_push0_open`). `NNG_EINVAL` names the option that is out of range.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options?: MakeOptions): Effect.Effect<Push0, Errors.EINVAL, Scope.Scope | Transports> =>
  internal.makeSocket<Push0>(spec(false), options)

/**
 * Makes a raw socket (`nng_push0_open_raw`), for devices.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeRaw = (options?: MakeOptions): Effect.Effect<Push0Raw, Errors.EINVAL, Scope.Scope | Transports> =>
  internal.makeSocket<Push0Raw>(spec(true), options)

/**
 * A sink that pushes what it is given, a chunk at a time.
 *
 * **Interruption** as for `Socket.sendAll`.
 *
 * @since 0.1.0
 * @category sending
 */
export const sink: {
  (socket: Push0): Sink.Sink<void, Input, never, Socket.SendError>
  (socket: Push0Raw): Sink.Sink<void, Input, never, Socket.SendError | Errors.EBUSY>
} = Socket.sink
