/**
 * The transports of Node: `tcp://`, `tcp4://` and `tcp6://` (nng_tcp(7)), `ws://`, `ws4://` and `ws6://` (nng_ws(7)), and
 * `inproc://` with them.
 *
 * **URLs.** A dialer needs `tcp://host:port`; `tcp://source;host:port` also names its own address. A listener takes
 * `tcp://host:port`, where port 0 is any free one, and `tcp://:port` or `tcp://*:port` for all of the machine's
 * addresses, IPv6 included where there is any (`tcp4` and `tcp6` take one family). All addresses of a name are tried.
 * ws has the same, port 80 if there is none, and a path, at which several listeners share a port.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as NodeTransport from "effect-nng/NodeTransport"
 * import * as Pair0 from "effect-nng/Pair0"
 * import * as Socket from "effect-nng/Socket"
 *
 * export const program = Effect.gen(function* () {
 *   const socket = yield* Pair0.make()
 *   yield* Socket.dial(socket, "tcp://localhost:5555", { nonblocking: true, tcp: { keepAlive: false } })
 *   yield* Socket.send(socket, "hello")
 * }).pipe(Effect.scoped, Effect.provide(NodeTransport.layer))
 * ```
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as InprocTransport from "./InprocTransport.js"
import * as Tcp from "./internal/node/tcp.js"
import * as Ws from "./internal/node/ws.js"
import type { Transport } from "./Transport.js"
import { Transports } from "./Transport.js"

/**
 * tcp over `node:net`.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeTcp: Effect.Effect<Transport> = Effect.succeed(Tcp.transport)

/**
 * ws over `node:http` and the `ws` package. Its listeners share servers: those of one host and port, each with a path of
 * its own, are on one.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeWs: Effect.Effect<Transport> = Ws.make

/**
 * tcp alone.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerTcp: Layer.Layer<Transports> = Layer.orDie(Transports.layer(makeTcp))

/**
 * ws alone.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerWs: Layer.Layer<Transports> = Layer.orDie(Transports.layer(makeWs))

/**
 * All of them.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<Transports> = Layer.orDie(Transports.layer(InprocTransport.make, makeTcp, makeWs))
