/**
 * `ws://` and `wss://` of browsers, and of whatever else has the `WebSocket` of browsers: a page dials, in any protocol,
 * a listener of this library or of libnng. docs/browser.md has what works and what the limits are.
 *
 * It never mentions Node. What makes a WebSocket is `WebSocketConstructor` of `@effect/platform/Socket`; in a page that is
 * its `layerWebSocketConstructorGlobal`.
 *
 * A page cannot slow its peer down. What comes and is not asked for is held, up to `recvBuffer` bytes; one message more
 * and the connection is closed: what is held is still received, then the pipe ends with `NNG_ENOMEM`, and what the peer
 * had on its way is lost. Sending waits while the browser has more than 256 KiB of its own to send.
 *
 * @example
 * ```ts
 * import * as PlatformSocket from "@effect/platform/Socket"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import * as Message from "effect-nng/Message"
 * import * as Req0 from "effect-nng/Req0"
 * import * as Socket from "effect-nng/Socket"
 * import * as WebSocketTransport from "effect-nng/WebSocketTransport"
 *
 * export const program = Effect.gen(function* () {
 *   const socket = yield* Req0.make()
 *   yield* Socket.dial(socket, "ws://localhost:8080/time")
 *   return Message.text(yield* Req0.request(socket, "what time is it?"))
 * }).pipe(
 *   Effect.scoped,
 *   Effect.provide(Layer.provide(WebSocketTransport.layer, PlatformSocket.layerWebSocketConstructorGlobal))
 * )
 * ```
 *
 * @since 0.1.0
 */
import type { WebSocketConstructor } from "@effect/platform/Socket"
import type * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Errors from "./Errors.js"
import * as InprocTransport from "./InprocTransport.js"
import * as internal from "./internal/web/transport.js"
import type { Transport } from "./Transport.js"
import { Transports } from "./Transport.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * Most bytes of each connection that came before somebody asked for them, 64 more counted for each message; a single
   * message may be longer. Default 16 MiB.
   */
  readonly recvBuffer?: number | undefined
}

/**
 * ws and wss, dialing alone: to listen is `NNG_ENOTSUP`, as are headers, which a browser sets itself. A `recvBuffer` that
 * is no positive whole number is `NNG_EINVAL`.
 *
 * Of the options `ws` has, `sendMaxFrame` is the longest message: a browser cannot send one in several frames, and libnng
 * refuses a frame above 1 MiB. A longer one ends the pipe with `NNG_EMSGSIZE`. Default 1 MiB; 0, no limit, is for peers
 * that have none either, such as this library's listeners.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: (options?: Options) => Effect.Effect<Transport, Errors.EINVAL, WebSocketConstructor> = internal.make

/**
 * What a page has: ws, wss, and inproc with them.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<Transports, never, WebSocketConstructor> = Layer.orDie(
  Transports.layer(make(), InprocTransport.make)
)
