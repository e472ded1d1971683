/**
 * Tells each of its subscribers everything (nng_pub(7)), at most once, in order. It does not know what they want to hear.
 *
 * A send never waits. A subscriber that reads too slowly has a queue of its own, and when that is full its oldest message
 * is dropped, and counted (`dropped.full`): the others do not notice. Without subscribers a message goes nowhere, and one
 * that comes later hears nothing of it.
 *
 * The queue begins where the connection is full: over tcp that is the buffers of two operating systems and 256 KiB, over
 * inproc one message. A burst that must arrive whole fits into the queue, `sendBuffer`, or lets the event loop turn in
 * between.
 *
 * **Operations.** `Socket.send` always succeeds, until the socket is closed. There is no receive: it does not compile. A
 * subscriber that sends something is cut off.
 *
 * **Contexts.** None.
 *
 * **Options.** Those of every socket, and `sendBuffer`.
 *
 * **Wire headers.** None; a header that the message has goes out before its body. Raw mode is the same.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import * as Pub0 from "effect-nng/Pub0"
 * import * as Socket from "effect-nng/Socket"
 *
 * export const publish = (news: Stream.Stream<string>) =>
 *   Effect.gen(function* () {
 *     const socket = yield* Pub0.make()
 *     yield* Socket.listen(socket, "tcp://127.0.0.1:5555")
 *     yield* Socket.awaitPeers(socket, 1)
 *     yield* news.pipe(
 *       Stream.map((text) => `news.${text}`),
 *       Stream.run(Pub0.sink(socket))
 *     )
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
import { Pub0Machine } from "./internal/protocol/pub0.js"
import type { Input } from "./Message.js"
import * as Protocol from "./Protocol.js"
import * as Socket from "./Socket.js"
import type { Transports } from "./Transport.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options extends Socket.Options {
  /** Messages that may wait for each subscriber (`NNG_OPT_SENDBUF`): 1 to 8192, default 16. */
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
export interface Pub0 extends Socket.CanSend, Socket.Configurable<Options> {
  readonly raw: false
  /** As with every socket, but no device ever has it. **Interruption** stops the waiting, not the closing. */
  readonly close: Effect.Effect<void, Errors.ECLOSED>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Pub0Raw extends Socket.CanSend<Errors.EBUSY>, Socket.Configurable<Options, Errors.EBUSY> {
  readonly raw: true
  readonly protocol: Protocol.Protocol<"pub", "sub">
}

const spec = (raw: boolean): Spec => ({
  protocol: Protocol.pub0,
  raw,
  canSend: true,
  canRecv: false,
  options: ["sendBuffer"],
  defaults: { sendBuffer: 16, leastBuffer: 1 },
  core: core(({ recvBuffer, sendBuffer }, world) => new Pub0Machine({ send: sendBuffer, recv: recvBuffer }, world))
})

/**
 * Makes a socket (`nng_pub0_open`). `NNG_EINVAL` names the option that is out of range.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options?: MakeOptions): Effect.Effect<Pub0, Errors.EINVAL, Scope.Scope | Transports> =>
  internal.makeSocket<Pub0>(spec(false), options)

/**
 * Makes a raw socket (`nng_pub0_open_raw`), for devices.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeRaw = (options?: MakeOptions): Effect.Effect<Pub0Raw, Errors.EINVAL, Scope.Scope | Transports> =>
  internal.makeSocket<Pub0Raw>(spec(true), options)

/**
 * A sink that publishes what it is given, a chunk at a time.
 *
 * **Interruption** as for `Socket.sendAll`.
 *
 * @since 0.1.0
 * @category sending
 */
export const sink: {
  (socket: Pub0): Sink.Sink<void, Input, never, Socket.SendError>
  (socket: Pub0Raw): Sink.Sink<void, Input, never, Socket.SendError | Errors.EBUSY>
} = Socket.sink
