/**
 * One live connection to one peer, made by a dialer or a listener of a socket (`nng_pipe`).
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import * as Socket from "effect-nng/Socket"
 *
 * export const watch = (socket: Socket.Socket) =>
 *   Stream.runForEach(Socket.events(socket), (event) =>
 *     event._tag === "RemPost"
 *       ? Effect.log(`pipe ${event.pipe.id} is gone: ${event.reason.message}`)
 *       : Effect.log(`pipe ${event.pipe.id}: ${event._tag}`)
 *   )
 * ```
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { Inspectable } from "effect/Inspectable"
import type { Pipeable } from "effect/Pipeable"
import * as Predicate from "effect/Predicate"
import type { Address } from "./Address.js"
import type * as Errors from "./Errors.js"

/**
 * @since 0.1.0
 * @category symbols
 */
export const TypeId: unique symbol = Symbol.for("effect-nng/Pipe")

/**
 * @since 0.1.0
 * @category symbols
 */
export type TypeId = typeof TypeId

/**
 * What is known of the other end of a connection with TLS. The names are the certificate's own words: believe them only
 * if it was `verified`.
 *
 * @since 0.1.0
 * @category models
 */
export interface TlsProperties {
  /** Whether the peer has shown a certificate, and it was asked for and holds (`NNG_OPT_TLS_VERIFIED`). */
  readonly verified: boolean
  /** The common name in the peer's certificate, if it has shown one that has one (`NNG_OPT_TLS_PEER_CN`). */
  readonly peerCommonName?: string | undefined
  /** Its alternative names: hosts, IP addresses, URIs and mail addresses (`NNG_OPT_TLS_PEER_ALT_NAMES`). */
  readonly peerAlternativeNames: ReadonlyArray<string>
  /** The certificate itself in DER, for `crypto.X509Certificate` and the like (`nng_pipe_peer_cert`). */
  readonly peerCertificate?: Uint8Array | undefined
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly version: string
  /** By its IANA name. */
  readonly cipher: string
}

/**
 * What the two sides of a WebSocket told each other when it was opened; both know all of it. Names of headers are in
 * lower case.
 *
 * @since 0.1.0
 * @category models
 */
export interface WsProperties {
  /** What was asked for: path and query (`NNG_OPT_WS_REQUEST_URI`). */
  readonly requestUri: string
  /** The sub-protocol, `"rep.sp.nanomsg.org"` (`NNG_OPT_WS_PROTOCOL`). */
  readonly subprotocol: string
  /** The dialer's headers (`NNG_OPT_WS_REQUEST_HEADERS`). */
  readonly requestHeaders: Readonly<Record<string, string>>
  /** The listener's (`NNG_OPT_WS_RESPONSE_HEADERS`). */
  readonly responseHeaders: Readonly<Record<string, string>>
}

/**
 * What the transport knows about the connection. A property that it does not have is absent.
 *
 * @since 0.1.0
 * @category models
 */
export interface PipeProperties {
  /** Our end (`NNG_OPT_LOCADDR`). */
  readonly localAddress?: Address | undefined
  /** The peer's end (`NNG_OPT_REMADDR`). */
  readonly remoteAddress?: Address | undefined
  /** Whether small writes go out at once (`NNG_OPT_TCP_NODELAY`). */
  readonly noDelay?: boolean | undefined
  /** Whether the operating system probes an idle peer (`NNG_OPT_TCP_KEEPALIVE`). */
  readonly keepAlive?: boolean | undefined
  /** Where TLS is spoken. */
  readonly tls?: TlsProperties | undefined
  /** What only a WebSocket has. */
  readonly ws?: WsProperties | undefined
}

/**
 * Which endpoint made a pipe.
 *
 * @since 0.1.0
 * @category models
 */
export interface Origin {
  readonly _tag: "Dialer" | "Listener"
  readonly id: number
  readonly url: string
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Pipe extends Inspectable, Pipeable {
  readonly [TypeId]: TypeId
  /** The id that a message received from this pipe carries: 1 to 2^31 - 1, from a random start. */
  readonly id: number
  /** The socket that it belongs to. */
  readonly socketId: number
  /** The dialer or the listener that made it. */
  readonly origin: Origin
  /** The scheme of that endpoint's URL. */
  readonly scheme: string
  /** The number of the protocol that the peer speaks. */
  readonly peerProtocol: number
  readonly properties: PipeProperties
  /**
   * Cuts the connection; a dialer makes a new one after its back-off (`nng_pipe_close`). `NNG_ENOENT` when the pipe is
   * gone already. It does not wait for the removal, which `Socket.events` reports.
   *
   * **Interruption**: none; it does not wait.
   */
  readonly close: Effect.Effect<void, Errors.ENOENT>
}

/**
 * What happens to a pipe, in this order (`nng_pipe_notify`): `AddPre` before the protocol sees it, `AddPost` when it is
 * usable, `RemPost` when it is gone. One that was refused goes from `AddPre` to `RemPost`.
 *
 * @since 0.1.0
 * @category models
 */
export type PipeEvent =
  | { readonly _tag: "AddPre"; readonly pipe: Pipe }
  | { readonly _tag: "AddPost"; readonly pipe: Pipe }
  | { readonly _tag: "RemPost"; readonly pipe: Pipe; readonly reason: RemovalReason }

/**
 * Why a pipe is gone:
 *
 * - `NNG_ECONNSHUT`: the peer closed in good order; `NNG_ECONNRESET`: it, or the network, cut the connection;
 * - `NNG_ECLOSED`: closed on this side: the pipe, its endpoint or its socket;
 * - `NNG_EPROTO`: the peer speaks another protocol, or sent what its protocol does not allow;
 * - `NNG_EBUSY`: the socket has its one peer already;
 * - `NNG_EMSGSIZE`: a message over the receive limit; `NNG_ENOMEM`: one that memory could not hold;
 * - any other code: what an `AddPre` callback refused it with, or the operating system said.
 *
 * @since 0.1.0
 * @category errors
 */
export type RemovalReason = Errors.NngError

/**
 * @since 0.1.0
 * @category guards
 */
export const isPipe = (u: unknown): u is Pipe => Predicate.hasProperty(u, TypeId)
