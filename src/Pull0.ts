/**
 * Takes work from its pushers (nng_pull(7)): one message of each in turn. A socket that does not receive takes no more than a
 * read ahead of each pusher; what is behind that stays with the operating systems, see `Push0`.
 *
 * **Operations.** `Socket.recv` waits for a message; callers are served in order. There is no send: it does not compile.
 *
 * **Contexts.** None.
 *
 * **Options.** Those of every socket.
 *
 * **Wire headers.** None. Raw mode is the same.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import * as Message from "effect-nng/Message"
 * import * as Pull0 from "effect-nng/Pull0"
 * import * as Socket from "effect-nng/Socket"
 *
 * export const work = Effect.gen(function* () {
 *   const socket = yield* Pull0.make()
 *   yield* Socket.dial(socket, "tcp://127.0.0.1:5555")
 *   yield* Stream.runForEach(Pull0.stream(socket), (message) => Effect.log(Message.text(message)))
 * }).pipe(Effect.scoped)
 * ```
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type * as Errors from "./Errors.js"
import * as internal from "./internal/engine/api.js"
import { core } from "./internal/engine/free.js"
import type { Spec } from "./internal/engine/socket.js"
import { Pull0Machine } from "./internal/protocol/pull0.js"
import type { Message } from "./Message.js"
import * as Protocol from "./Protocol.js"
import * as Socket from "./Socket.js"
import type { Transports } from "./Transport.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options extends Socket.Options {}

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
export interface Pull0 extends Socket.CanRecv, Socket.Configurable<Options> {
  readonly raw: false
  /** As with every socket, but no device ever has it. **Interruption** stops the waiting, not the closing. */
  readonly close: Effect.Effect<void, Errors.ECLOSED>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Pull0Raw extends Socket.CanRecv<Errors.EBUSY>, Socket.Configurable<Options, Errors.EBUSY> {
  readonly raw: true
  readonly protocol: Protocol.Protocol<"pull", "push">
}

const spec = (raw: boolean): Spec => ({
  protocol: Protocol.pull0,
  raw,
  canSend: false,
  canRecv: true,
  options: [],
  core: core(() => new Pull0Machine())
})

/**
 * Makes a socket (`nng_pull0_open`). `NNG_EINVAL` names the option that is out of range.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options?: MakeOptions): Effect.Effect<Pull0, Errors.EINVAL, Scope.Scope | Transports> =>
  internal.makeSocket<Pull0>(spec(false), options)

/**
 * Makes a raw socket (`nng_pull0_open_raw`), for devices.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeRaw = (options?: MakeOptions): Effect.Effect<Pull0Raw, Errors.EINVAL, Scope.Scope | Transports> =>
  internal.makeSocket<Pull0Raw>(spec(true), options)

/**
 * The messages that come, in chunks of what is there; it ends when the socket is closed. Ending it early discards the
 * rest of a chunk, which `chunkSize` (default 1024) bounds.
 *
 * **Interruption** while it waits takes nothing.
 *
 * @since 0.1.0
 * @category receiving
 */
export const stream: {
  (socket: Pull0, options?: { readonly chunkSize?: number | undefined }): Stream.Stream<Message, Errors.ETIMEDOUT>
  (
    socket: Pull0Raw,
    options?: { readonly chunkSize?: number | undefined }
  ): Stream.Stream<Message, Errors.ETIMEDOUT | Errors.EBUSY>
} = Socket.stream
