/**
 * A connection that carries bytes: tcp, ipc, TLS, a descriptor (`nng_stream`). A transport of SP messages is made of one
 * by `ByteTransport`; a program can also speak any other protocol over it: `ByteTransport.dial` and `listen` give it one.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import * as ByteStream from "effect-nng/ByteStream"
 *
 * export const hello = (stream: ByteStream.ByteStream) =>
 *   Effect.zipRight(
 *     stream.write(new TextEncoder().encode("hello")),
 *     Stream.runFold(ByteStream.stream(stream), 0, (size, bytes) => size + bytes.length)
 *   )
 * ```
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { Pipeable } from "effect/Pipeable"
import { pipeArguments } from "effect/Pipeable"
import * as Predicate from "effect/Predicate"
import * as Stream from "effect/Stream"
import * as Duplex from "./Duplex.js"
import * as Errors from "./Errors.js"
import type { PipeProperties } from "./Pipe.js"

/**
 * @since 0.1.0
 * @category symbols
 */
export const TypeId: unique symbol = Symbol.for("effect-nng/ByteStream")

/**
 * @since 0.1.0
 * @category symbols
 */
export type TypeId = typeof TypeId

/**
 * Why no more bytes come or go:
 *
 * - `NNG_ECONNSHUT`: the peer closed in good order;
 * - `NNG_ECONNRESET`: the peer, or the network, cut the connection;
 * - `NNG_ETIMEDOUT`: the operating system gave up on the peer (keepalive, retransmission);
 * - `NNG_ECLOSED`: it was closed on this side;
 * - `NNG_ECRYPTO`, `NNG_EPEERAUTH`: TLS failed on the way;
 * - `NNG_ESYSERR`: the operating system said something else.
 *
 * @since 0.1.0
 * @category errors
 */
export type StreamError =
  | Errors.ECONNSHUT
  | Errors.ECONNRESET
  | Errors.ETIMEDOUT
  | Errors.ECLOSED
  | Errors.ECRYPTO
  | Errors.EPEERAUTH
  | Errors.ESYSERR

/**
 * The synchronous face of a byte stream. `push` takes the pieces of one write, which must stay unchanged until the
 * write is done: true says that it is, false that `onDrain` will.
 *
 * @since 0.1.0
 * @category models
 */
export interface Bytes extends Duplex.Duplex<Uint8Array, ReadonlyArray<Uint8Array>, StreamError> {
  /**
   * For an owner that knows, in its `onPull`, where the next bytes belong: they may then be put there, from its
   * beginning on, and the next chunk is a view of it. A stream need not have this, and need not make use of it.
   */
  readonly offer?: (room: Uint8Array) => void
}

/**
 * @since 0.1.0
 * @category models
 */
export interface ByteStream extends Pipeable {
  readonly [TypeId]: TypeId
  readonly properties: PipeProperties
  /**
   * The next bytes, as many as one read brought (`nng_stream_recv`). An orderly end is `NNG_ECONNSHUT`.
   * **Interruption** takes nothing.
   */
  readonly read: Effect.Effect<Uint8Array, StreamError>
  /**
   * Waits until the bytes before are with the operating system, then hands these over (`nng_stream_send`).
   * **Interruption** while it waits has written nothing.
   */
  readonly write: (...pieces: ReadonlyArray<Uint8Array>) => Effect.Effect<void, StreamError>
  /**
   * Closes at once (`nng_stream_close`). **Interruption**: none, it does not wait.
   */
  readonly close: Effect.Effect<void>
  /**
   * For whoever drives the stream synchronously; then `read` and `write` are not to be used.
   */
  readonly bytes: Bytes
}

/**
 * @since 0.1.0
 * @category guards
 */
export const isByteStream = (u: unknown): u is ByteStream => Predicate.hasProperty(u, TypeId)

/**
 * Makes the Effects of a stream from its synchronous face.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (bytes: Bytes, properties: PipeProperties): ByteStream => {
  const effects = Duplex.effects(bytes, (): StreamError => new Errors.ECLOSED({ operation: "stream" }))
  return {
    [TypeId]: TypeId,
    properties,
    read: effects.pull,
    write: (...pieces) => effects.pushAll([pieces]),
    close: effects.close,
    bytes,
    pipe() {
      // eslint-disable-next-line prefer-rest-params
      return pipeArguments(this, arguments)
    }
  }
}

/**
 * The bytes that come, one element for each read; it ends when the peer closes in good order.
 *
 * **Interruption** while it waits takes nothing.
 *
 * @since 0.1.0
 * @category combinators
 */
export const stream = (self: ByteStream): Stream.Stream<Uint8Array, Exclude<StreamError, Errors.ECONNSHUT>> =>
  Stream.repeatEffect(self.read).pipe(Stream.catchTag("NNG_ECONNSHUT", () => Stream.empty))
