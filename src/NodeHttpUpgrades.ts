/**
 * WebSocket listeners on a route of an Effect `HttpServer` of Node, beside whatever else it serves.
 *
 * The listener is given `upgrades` as its `ws.server`, and the route `app`. The path of the route and the path of the
 * listener's URL are the same; host and port of that URL are not bound, and a host that is no wildcard must be the one
 * that the requests name.
 *
 * A server of `node:http` needs nothing of this: it can be the `ws.server` itself.
 *
 * @example
 * ```ts
 * import * as HttpRouter from "@effect/platform/HttpRouter"
 * import * as HttpServer from "@effect/platform/HttpServer"
 * import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
 * import * as Effect from "effect/Effect"
 * import * as NodeHttpUpgrades from "effect-nng/NodeHttpUpgrades"
 * import * as Rep0 from "effect-nng/Rep0"
 * import * as Socket from "effect-nng/Socket"
 *
 * export const program = Effect.gen(function* () {
 *   const nng = yield* NodeHttpUpgrades.make
 *   const socket = yield* Rep0.make()
 *   yield* Socket.listen(socket, "ws://*:8080/nng", { ws: { server: nng.upgrades } })
 *   yield* HttpRouter.empty.pipe(
 *     HttpRouter.get("/", HttpServerResponse.text("hello")),
 *     HttpRouter.get("/nng", nng.app),
 *     HttpServer.serveEffect()
 *   )
 *   yield* Rep0.serve(socket, () => Effect.succeed("hello"))
 * })
 * ```
 *
 * @since 0.1.0
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as Effect from "effect/Effect"
import { EventEmitter } from "node:events"
import type { HttpUpgrades } from "./Transport.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface NodeHttpUpgrades {
  /**
   * For the route: it passes upgrades on, and answers other requests with 400, and those that nobody takes with 404.
   * **Interruption** leaves a connection to the listener that has it.
   */
  readonly app: HttpApp.Default
  /** For the listeners: their `ws.server`. */
  readonly upgrades: HttpUpgrades
}

const nothing = Buffer.alloc(0)

/**
 * Makes a route's app and what listeners get its upgrades from. A request that is passed on occupies a fiber of the
 * server until the connection ends, as its own upgrades do.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<NodeHttpUpgrades> = Effect.sync(() => {
  const upgrades = new EventEmitter()
  const app = Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
    Effect.async<HttpServerResponse.HttpServerResponse>((resume) => {
      const answer = (text: string, status: number) => resume(Effect.succeed(HttpServerResponse.text(text, { status })))
      const incoming = NodeHttpServerRequest.toIncomingMessage(request)
      if (incoming.headers.upgrade === undefined) return answer("no upgrade to websocket", 400)
      if (upgrades.listenerCount("upgrade") === 0) return answer("nobody listens", 404)
      const { socket } = incoming
      // nothing more is to be written to it by the server
      socket.once("close", () => resume(Effect.succeed(HttpServerResponse.empty())))
      upgrades.emit("upgrade", incoming, socket, nothing)
    })
  )
  return { app, upgrades }
})
