/**
 * The transports of Node: tcp (`tcp://`, `tcp4://`, `tcp6://`), TLS over it (`tls+tcp://`, `tls+tcp4://`, `tls+tcp6://`),
 * ipc (`ipc://`, `unix://`, `abstract://`), WebSocket (`ws://`, `ws4://`, `ws6://`), WebSocket over TLS (`wss://`,
 * `wss4://`, `wss6://`), connections that are there already (`socket://`), and `inproc://` with them. docs/transports has a page for each.
 *
 * A program that takes URLs from others provides those only that they may choose: a layer of tcp alone never opens a file.
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
import type { Duplex } from "node:stream"
import type { ByteStream } from "./ByteStream.js"
import * as ByteTransport from "./ByteTransport.js"
import * as InprocTransport from "./InprocTransport.js"
import * as Descriptors from "./internal/node/descriptors.js"
import * as Ipc from "./internal/node/ipc.js"
import * as Tcp from "./internal/node/tcp.js"
import * as Tls from "./internal/node/tls.js"
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
export const makeTcp: Effect.Effect<Transport> = Effect.sync(() => ByteTransport.make(Tcp.bytes))

/**
 * ws and wss over `node:http`, `node:tls` and the `ws` package. Its listeners share servers: those of one host and port, each with a path of
 * its own, are on one, if they have the same value for `tls`.
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
 * ws and wss alone.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerWs: Layer.Layer<Transports> = Layer.orDie(Transports.layer(makeWs))

/**
 * TLS over tcp, by `node:tls`.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeTls: Effect.Effect<Transport> = Effect.sync(() => ByteTransport.make(Tls.bytes))

/**
 * TLS alone: a program with this layer speaks nothing in plain.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerTls: Layer.Layer<Transports> = Layer.orDie(Transports.layer(makeTls))

/**
 * Socket files, abstract names and named pipes over `node:net`.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeIpc: Effect.Effect<Transport> = Effect.sync(() => ByteTransport.make(Ipc.bytes))

/**
 * ipc alone.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerIpc: Layer.Layer<Transports> = Layer.orDie(Transports.layer(makeIpc))

/**
 * Connections that are there already, given to a listener on `socket://` by `Listener.adopt`.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeSocket: Effect.Effect<Transport> = Effect.sync(() => ByteTransport.make(Descriptors.bytes))

/**
 * `socket://` alone.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerSocket: Layer.Layer<Transports> = Layer.orDie(Transports.layer(makeSocket))

/**
 * Any of Node's duplex streams as a stream of bytes, which a listener on `socket://` adopts: a child's extra stdio pipe,
 * or what another library connected. It is the stream's only reader and writer from then on, and closes it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromDuplex: (stream: Duplex) => ByteStream = Descriptors.fromDuplex

/**
 * All of them.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<Transports> = Layer.orDie(
  Transports.layer(InprocTransport.make, makeTcp, makeTls, makeIpc, makeSocket, makeWs)
)

/**
 * Those that carry bytes, for programs that speak other protocols over them: `ByteTransport.dial` and `listen`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerBytes: Layer.Layer<ByteTransport.ByteTransports> = Layer.orDie(
  ByteTransport.ByteTransports.layer(Tcp.bytes, Tls.bytes, Ipc.bytes, Descriptors.bytes)
)
