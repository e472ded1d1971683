/**
 * A network in memory, for tests: it serves any scheme and address, opens no socket of the operating system, and runs
 * the library's own handshake and framing over its bytes. The program under test is unchanged; its `Transports` are
 * this layer's.
 *
 * **Seeded.** Ids, jitter and all that is random here come from one seed, so that a history can be had again. It is
 * recorded as data, `history`, and printed as a sequence diagram when what the layer is provided to fails.
 *
 * **Time.** `layer` goes by effect's `Clock`: in a test by `TestClock`, step by step. `layerSimulated` brings a clock of
 * its own, which goes on by itself to the next instant that somebody waits for as soon as nothing is ready, and wakes
 * all who wait for that together: ten minutes of redials take milliseconds. Whoever waits for something else in it, a
 * file or a promise, finds that time has gone on meanwhile.
 *
 * **Places.** Controls act on places: a node (a machine, by its name), a host, or a URL. `Where` is one of them, several,
 * `between` two groups, `toward` one of them, or `everywhere`. A place that nobody has listened at, dialed or named in
 * `places` is `NNG_EADDRINVAL`, whose reason names those that are known. What is said of a place holds for the
 * connections that are there and for those to come, until `heal`.
 *
 * **Nodes.** The layer's own `Transports` are those of one node, `local`. `on` and `run` bring programs to others. Hosts
 * belong to the node that first listens there; `localhost`, and schemes without a host, stay on their node. A node's
 * name is a host too, and so is its IP address.
 *
 * **Interruption**: controls do not wait; what waits says what it does then.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Pair0 from "effect-nng/Pair0"
 * import * as Socket from "effect-nng/Socket"
 * import * as TestTransport from "effect-nng/TestTransport"
 *
 * // What does it do when its peer cannot be reached for a minute?
 * export const test = Effect.gen(function* () {
 *   const server = yield* Pair0.make()
 *   yield* Socket.listen(server, "tcp://10.0.0.1:5555")
 *   const client = yield* Pair0.make()
 *   yield* Socket.dial(client, "tcp://10.0.0.1:5555")
 *   yield* TestTransport.partition("local", "10.0.0.1", { reset: true })
 *   yield* Effect.sleep("1 minute")
 *   yield* TestTransport.heal()
 *   yield* Socket.awaitPeers(client, 1)
 * }).pipe(Effect.scoped, Effect.provide(TestTransport.layerSimulated()))
 * ```
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { StreamError } from "./ByteStream.js"
import type { Entropy } from "./Entropy.js"
import type * as Errors from "./Errors.js"
import * as controls from "./internal/simulation/controls.js"
import * as diagrams from "./internal/simulation/history.js"
import * as layers from "./internal/simulation/layer.js"
import type { Network as NetworkImpl } from "./internal/simulation/network.js"
import * as internal from "./internal/simulation/network.js"
import * as peers from "./internal/simulation/peer.js"
import * as residents from "./internal/simulation/resident.js"
import { transports } from "./internal/simulation/transports.js"
import * as Ways from "./internal/simulation/where.js"
import type { Input, Message } from "./Message.js"
import type { PipeProperties } from "./Pipe.js"
import type { Protocol } from "./Protocol.js"
import type { AcceptError, DialError, ListenError } from "./Transport.js"
import { Transports } from "./Transport.js"
import type { Turn } from "./Turn.js"
import * as Url from "./Url.js"

/**
 * @since 0.1.0
 * @category symbols
 */
export const TypeId: unique symbol = internal.TypeId

/**
 * @since 0.1.0
 * @category symbols
 */
export type TypeId = typeof TypeId

/**
 * @since 0.1.0
 * @category models
 */
export interface NetworkShape {
  readonly [TypeId]: TypeId
  /** What all that is random comes from. */
  readonly seed: number
}

/**
 * The network of a test, which the functions of this module act on.
 *
 * @since 0.1.0
 * @category tags
 */
export class Network extends Context.Tag("effect-nng/TestTransport/Network")<Network, NetworkShape>() {}

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** What all that is random comes from, a whole number. Default 1. */
  readonly seed?: number | undefined
  /** Places that controls may name before anybody has listened there or dialed. Default none. */
  readonly places?: ReadonlyArray<Place> | undefined
  /** The name of the node whose `Transports` the layer gives. Default `local`. */
  readonly node?: string | undefined
  /** How many events the history keeps, the latest. Default 10 000. */
  readonly historySize?: number | undefined
  /** Whether a diagram is printed when what the layer is provided to fails. Default true. */
  readonly printOnFailure?: boolean | undefined
}

/**
 * A node's name, a host or a URL. Case does not matter.
 *
 * @since 0.1.0
 * @category models
 */
export type Place = string

/**
 * One place or several.
 *
 * @since 0.1.0
 * @category models
 */
export type Places = Place | ReadonlyArray<Place>

/**
 * From one group of places to another; undefined is any place.
 *
 * @since 0.1.0
 * @category models
 */
export interface Way {
  readonly _tag: "Way"
  readonly from: ReadonlySet<Place> | undefined
  readonly to: ReadonlySet<Place> | undefined
  /** Back, too. */
  readonly both: boolean
}

/**
 * What a control acts on. Places alone: whatever comes from them or goes there.
 *
 * @since 0.1.0
 * @category models
 */
export type Where = Places | Way

/**
 * All there is.
 *
 * @since 0.1.0
 * @category places
 */
export const everywhere: Where = Ways.everywhere

/**
 * What goes from one group to the other, both ways.
 *
 * @since 0.1.0
 * @category places
 */
export const between: (left: Places, right: Places) => Where = Ways.between

/**
 * What goes from one group to the other, and nothing that comes back.
 *
 * @since 0.1.0
 * @category places
 */
export const toward: (from: Places, to: Places) => Where = Ways.toward

/**
 * Something that happened, and when: milliseconds since the network was made. `connection` counts the dials, from 1.
 * `from`, `to` and `by` are ends: the node that dialed, or the URL that was listened on.
 *
 * @since 0.1.0
 * @category models
 */
export type Event = { readonly at: number } & (
  | { readonly _tag: "Listening"; readonly node: string; readonly url: string }
  | {
      readonly _tag: "ListenFailed"
      readonly node: string
      readonly url: string
      readonly error: Errors.Tag
    }
  | { readonly _tag: "NotListening"; readonly node: string; readonly url: string }
  | { readonly _tag: "Dialing"; readonly connection: number; readonly from: string; readonly to: string }
  | {
      readonly _tag: "DialFailed"
      readonly connection: number
      readonly from: string
      readonly to: string
      readonly error: Errors.Tag
    }
  | { readonly _tag: "Accepted"; readonly connection: number; readonly from: string; readonly to: string }
  | { readonly _tag: "AcceptFailed"; readonly url: string; readonly error: Errors.Tag }
  | {
      readonly _tag: "Sent"
      readonly connection: number
      readonly from: string
      readonly to: string
      readonly size: number
      /** The first bytes of it. */
      readonly head: Uint8Array
    }
  | {
      readonly _tag: "Arrived"
      readonly connection: number
      readonly from: string
      readonly to: string
      readonly size: number
    }
  | { readonly _tag: "Closed"; readonly connection: number; readonly by: string }
  | { readonly _tag: "Ended"; readonly connection: number; readonly to: string; readonly error: Errors.Tag }
  | { readonly _tag: "ProgramFailed"; readonly node: string; readonly error: string }
  | { readonly _tag: "Control"; readonly what: string }
)

// layers

/**
 * A network that goes by effect's `Clock`, as it is where the layer is built: in a test by `TestClock`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options?: Options): Layer.Layer<Network | Transports | Turn | Entropy> =>
  layers.layer(Network, options)

/**
 * A network with a `Clock` of its own, which goes on by itself; effect's `Clock`, `Random` and scheduler are replaced
 * for what the layer is provided to.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerSimulated = (options?: Options): Layer.Layer<Network | Transports | Turn | Entropy> =>
  layers.layerSimulated(Network, options)

const withNetwork = <A, E, R>(
  use: (network: NetworkImpl) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R | Network> => Effect.flatMap(Network, (network) => use(network as NetworkImpl))

// nodes

/**
 * Runs an effect on a node, which is made if there is none of this name. A socket belongs to the node that it is made on:
 * it is `make` that has to be in here, wherever it listens or dials.
 *
 * @since 0.1.0
 * @category nodes
 */
export const on: {
  (node: string): <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, Exclude<R, Transports> | Network>
} =
  (node) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    withNetwork((network) => Effect.provideService(effect, Transports, transports(network, network.node(node))))

/**
 * The transports of a node, as a layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerNode = (node: string): Layer.Layer<Transports, never, Network> =>
  Layer.effect(
    Transports,
    withNetwork((network) => Effect.sync(() => transports(network, network.node(node))))
  )

/**
 * A program that lives on a node: a crash of the node interrupts it, and when the node is up again it is begun anew.
 * Returns at once, with a fiber that ends when the program ends by itself: one that fails fails it, which is logged, and
 * who joins the fiber has it. Sockets that the program makes belong to the node; one that was made elsewhere does not move.
 *
 * **Interruption** of that fiber, and the end of the scope, end the program.
 *
 * @since 0.1.0
 * @category nodes
 */
export const run = <E, R>(
  node: string,
  program: Effect.Effect<void, E, R>
): Effect.Effect<
  Fiber.RuntimeFiber<void, E>,
  never,
  Exclude<Exclude<R, Scope.Scope>, Transports> | Network | Scope.Scope
> => withNetwork((network) => residents.run(network, network.node(node), on(node)(Effect.scoped(program))))

/**
 * Waits until somebody listens at this URL, as seen from a node (default: the layer's own). `NNG_EINVAL` when it is no
 * URL.
 *
 * **Interruption** stops the waiting.
 *
 * @since 0.1.0
 * @category nodes
 */
export const awaitListening = (url: string, options?: HandOptions): Effect.Effect<void, Errors.EINVAL, Network> =>
  withNetwork((network) =>
    Effect.flatMap(Url.parse(url), (url) => network.awaitListening(placeOf(network, options), url))
  )

/**
 * A node crashes: what listens there is gone, its connections are cut, its programs are interrupted, and what it says
 * in its last moments goes nowhere. Peers see a reset, and dials are refused; with `silent`, as when a machine loses its
 * power, they see nothing at all. `NNG_EADDRINVAL` if there is no such node.
 *
 * A socket that is not of a program of `run` survives: its connections are reset, its listeners listen no more.
 *
 * @since 0.1.0
 * @category nodes
 */
export const crash = (
  node: string,
  options?: { readonly silent?: boolean | undefined }
): Effect.Effect<void, Errors.EADDRINVAL, Network> => withNetwork((network) => controls.crash(network, node, options))

/**
 * A node that crashed is up again, and its programs are begun anew. Peers of connections that it had when it crashed
 * silently see a reset as soon as they send, or at once if they have sent meanwhile. `NNG_EADDRINVAL` if there is no such
 * node.
 *
 * @since 0.1.0
 * @category nodes
 */
export const restart = (node: string): Effect.Effect<void, Errors.EADDRINVAL, Network> =>
  withNetwork((network) => controls.restart(network, node))

// controls

/**
 * Dials are refused (`NNG_ECONNREFUSED`) from now on. Connections stay.
 *
 * @since 0.1.0
 * @category controls
 */
export const refuse = (where: Where): Effect.Effect<void, Errors.EADDRINVAL, Network> =>
  withNetwork((network) => controls.refuse(network, where))

/**
 * Cuts the connections that are there: both ends see `NNG_ECONNRESET` at once.
 *
 * @since 0.1.0
 * @category controls
 */
export const reset = (where: Where): Effect.Effect<void, Errors.EADDRINVAL, Network> =>
  withNetwork((network) => controls.reset(network, where))

/**
 * Nothing comes through, and nobody is told. A dial waits, and fails with `NNG_ETIMEDOUT` after 127 seconds, as on
 * Linux. What was sent is there to arrive after `heal`, as tcp would send it again.
 *
 * @since 0.1.0
 * @category controls
 */
export const blackHole = (where: Where): Effect.Effect<void, Errors.EADDRINVAL, Network> =>
  withNetwork((network) => controls.blackHole(network, where))

/**
 * A black hole between two groups of places. With `reset` the connections between them are also cut, as by operating
 * systems that have lost patience.
 *
 * @since 0.1.0
 * @category controls
 */
export const partition = (
  left: Places,
  right: Places,
  options?: { readonly reset?: boolean | undefined }
): Effect.Effect<void, Errors.EADDRINVAL, Network> =>
  withNetwork((network) => controls.partition(network, left, right, options))

/**
 * Makes the ways good again, in every respect, latency and all; by default all of them. What was held back by a black hole
 * arrives. Controls of the same kind replace each other, and the latest wins.
 *
 * @since 0.1.0
 * @category controls
 */
export const heal = (where?: Where): Effect.Effect<void, Errors.EADDRINVAL, Network> =>
  withNetwork((network) => controls.heal(network, where))

/**
 * How long it takes from one end to the other, one way; default no time. With `jitter` up to so much more, for each
 * piece by itself; what was sent first still arrives first. `NNG_EINVAL` for a time that is negative or infinite.
 *
 * @since 0.1.0
 * @category controls
 */
export const latency = (
  where: Where,
  delay: Duration.DurationInput,
  options?: { readonly jitter?: Duration.DurationInput | undefined }
): Effect.Effect<void, Errors.EADDRINVAL | Errors.EINVAL, Network> =>
  withNetwork((network) => controls.latency(network, where, delay, options))

/**
 * So many bytes a second come through, one way; default any number. It holds for what has not gone out yet, too.
 * `NNG_EINVAL` unless it is above 0.
 *
 * @since 0.1.0
 * @category controls
 */
export const bandwidth = (
  where: Where,
  bytesPerSecond: number
): Effect.Effect<void, Errors.EADDRINVAL | Errors.EINVAL, Network> =>
  withNetwork((network) => controls.bandwidth(network, where, bytesPerSecond))

/**
 * So many bytes may be on the way, or with the peer's operating system and not read yet; then the writer waits. Default
 * 256 KiB. A single byte always gets through. `NNG_EINVAL` unless it is a whole number from 0.
 *
 * @since 0.1.0
 * @category controls
 */
export const limitBuffer = (
  where: Where,
  bytes: number
): Effect.Effect<void, Errors.EADDRINVAL | Errors.EINVAL, Network> =>
  withNetwork((network) => controls.limitBuffer(network, where, bytes))

/**
 * Each read brings so many bytes at most; `random`: any number, from the seed. Default: what is there, up to 64 KiB.
 * `NNG_EINVAL` unless it is a whole number from 1.
 *
 * @since 0.1.0
 * @category controls
 */
export const split = (
  where: Where,
  size: number | "random"
): Effect.Effect<void, Errors.EADDRINVAL | Errors.EINVAL, Network> =>
  withNetwork((network) => controls.split(network, where, size))

/**
 * The bytes one way end, as if the writer had closed, after so many more; counted from now, or from the beginning of a
 * connection that comes later. The writer is not told. `NNG_EINVAL` unless it is a whole number from 0.
 *
 * @since 0.1.0
 * @category controls
 */
export const truncate = (
  where: Where,
  after: number
): Effect.Effect<void, Errors.EADDRINVAL | Errors.EINVAL, Network> =>
  withNetwork((network) => controls.truncate(network, where, after))

/**
 * The byte that comes after so many more, one way, is changed: combined with `xor`, from 1 to 255, default 255; counted
 * as for `truncate`. `NNG_EINVAL` for a number out of range.
 *
 * @since 0.1.0
 * @category controls
 */
export const corrupt = (
  where: Where,
  after: number,
  options?: { readonly xor?: number | undefined }
): Effect.Effect<void, Errors.EADDRINVAL | Errors.EINVAL, Network> =>
  withNetwork((network) => controls.corrupt(network, where, after, options))

/**
 * Ends the bytes of connections that are there, as if the writer had closed, and nothing else: what it still writes goes
 * nowhere, and the other direction stays open. With `toward` it is one direction.
 *
 * @since 0.1.0
 * @category controls
 */
export const closeHalf = (where: Where): Effect.Effect<void, Errors.EADDRINVAL, Network> =>
  withNetwork((network) => controls.closeHalf(network, where))

/**
 * New connections are made, and are not accepted before `release` or `heal`: neither side gets a pipe.
 *
 * @since 0.1.0
 * @category controls
 */
export const hold = (where: Where): Effect.Effect<void, Errors.EADDRINVAL, Network> =>
  withNetwork((network) => controls.hold(network, where))

/**
 * Lets the connections that `hold` kept back be accepted, in the order in which they came or in another, and holds no
 * more.
 *
 * @since 0.1.0
 * @category controls
 */
export const release = (
  where: Where,
  options?: { readonly order?: "arrival" | "reverse" | "shuffled" | undefined }
): Effect.Effect<void, Errors.EADDRINVAL, Network> =>
  withNetwork((network) => controls.release(network, where, options))

/**
 * The next dial fails with this error; each call is for one dial.
 *
 * @since 0.1.0
 * @category controls
 */
export const failNextDial = (where: Where, error: DialError): Effect.Effect<void, Errors.EADDRINVAL, Network> =>
  withNetwork((network) => controls.failNext(network, "dial", where, error))

/**
 * The next accept fails with this error when a connection comes. `NNG_ECONNABORTED` takes that connection with it; after
 * the others it can still be accepted.
 *
 * @since 0.1.0
 * @category controls
 */
export const failNextAccept = (where: Where, error: AcceptError): Effect.Effect<void, Errors.EADDRINVAL, Network> =>
  withNetwork((network) => controls.failNext(network, "accept", where, error))

/**
 * The next listen fails with this error.
 *
 * @since 0.1.0
 * @category controls
 */
export const failNextListen = (where: Where, error: ListenError): Effect.Effect<void, Errors.EADDRINVAL, Network> =>
  withNetwork((network) => controls.failNext(network, "listen", where, error))

// by hand

/**
 * One end of a connection, played by a test.
 *
 * @since 0.1.0
 * @category models
 */
export interface Peer {
  readonly properties: PipeProperties
  /** Writes bytes as they are; text as UTF-8. **Interruption** while it waits for room has written nothing. */
  readonly write: (...pieces: ReadonlyArray<Uint8Array | string>) => Effect.Effect<void, StreamError>
  /** Exactly so many bytes. **Interruption** takes none of them. */
  readonly read: (size: number) => Effect.Effect<Uint8Array, StreamError>
  /**
   * The SP handshake: says that it speaks this protocol, and gives the number of the other's. `NNG_EPROTO` when what
   * comes is no header.
   */
  readonly greet: (protocol: Protocol) => Effect.Effect<number, StreamError | Errors.EPROTO>
  /** Writes a message in its frame. **Interruption** while it waits for room has written nothing. */
  readonly send: (message: Input) => Effect.Effect<void, StreamError>
  /** Reads a frame, the message with its header in front. `NNG_EPROTO` when what comes is none. */
  readonly recv: Effect.Effect<Message, StreamError | Errors.EPROTO>
  /** All bytes that came so far and were asked for, from the first, read or not. */
  readonly received: Effect.Effect<Uint8Array>
  /** Waits until the other side is gone, and tells how. What comes before stays to be read. */
  readonly closed: Effect.Effect<StreamError>
  /** Closes in good order. */
  readonly end: Effect.Effect<void>
  /** Closes with a reset. */
  readonly reset: Effect.Effect<void>
}

/**
 * An address that a test listens on by hand.
 *
 * @since 0.1.0
 * @category models
 */
export interface HandListener {
  /** With the real port. */
  readonly url: string
  /** The next connection, closed with the scope. **Interruption** accepts nothing. */
  readonly accept: Effect.Effect<Peer, AcceptError, Scope.Scope>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface HandOptions {
  /** The node to do it on. Default: the layer's own. */
  readonly node?: string | undefined
}

const placeOf = (network: NetworkImpl, options: HandOptions | undefined) =>
  options?.node === undefined ? network.home : network.node(options.node)

/**
 * Connects by hand: no handshake is made but that of the test.
 *
 * **Interruption** closes what it opened.
 *
 * @since 0.1.0
 * @category by hand
 */
export const dial = (
  url: string,
  options?: HandOptions
): Effect.Effect<Peer, DialError | Errors.EINVAL, Network | Scope.Scope> =>
  withNetwork((network) => peers.dial(network, placeOf(network, options), url))

/**
 * Listens by hand, as long as the scope lives.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category by hand
 */
export const listen = (
  url: string,
  options?: HandOptions
): Effect.Effect<HandListener, ListenError | Errors.EINVAL, Network | Scope.Scope> =>
  withNetwork((network) => peers.listen(network, placeOf(network, options), url))

// history

/**
 * What has happened, the latest `historySize` events of it.
 *
 * @since 0.1.0
 * @category history
 */
export const history: Effect.Effect<ReadonlyArray<Event>, never, Network> = withNetwork((network) =>
  Effect.sync(() => network.history.all)
)

/**
 * The history as a sequence diagram, or as a list when there are more than four ends; the seed on top. `last` (default
 * all) is how many events it shows.
 *
 * @since 0.1.0
 * @category history
 */
export const diagram = (options?: { readonly last?: number | undefined }): Effect.Effect<string, never, Network> =>
  withNetwork((network) =>
    Effect.sync(() => diagrams.diagram(network.history, network.seed, options?.last ?? Number.MAX_SAFE_INTEGER))
  )
