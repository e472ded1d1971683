/**
 * Hears what publishers say (nng_sub(7)): the messages whose body begins with one of its topics. What it does not want is
 * sorted out here; every publisher sends everything.
 *
 * It never makes a publisher wait. Messages wait for a receive in a buffer, and when that is full the oldest goes, or
 * with `preferNew: false` the newest. Over tcp one read may bring a thousand short messages at once: those that receives
 * wait for are kept in any case, `stream` waits for a chunk of them, and `recvBuffer` holds the rest.
 *
 * **Operations.** Without a topic nothing is heard. `stream` hears one topic, by itself; `subscribe` has one for as long as
 * a scope, `addTopic` until `removeTopic`. A topic is bytes, and matches a body that begins with them; the empty one
 * matches all. `Socket.recv` waits for a message; callers are served in order. There is no send: it does not compile.
 *
 * **Contexts.** Each has topics and a buffer of its own, and a message that several want goes to each of them. A new one
 * has no topics.
 *
 * **Options.** Those of every socket, `recvBuffer` and `preferNew`.
 *
 * **Wire headers.** None: the topic is the beginning of the body, and stays there. In raw mode there are no topics, and
 * all is heard.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import * as Message from "effect-nng/Message"
 * import * as Socket from "effect-nng/Socket"
 * import * as Sub0 from "effect-nng/Sub0"
 *
 * export const listen = Effect.gen(function* () {
 *   const socket = yield* Sub0.make()
 *   yield* Socket.dial(socket, "tcp://127.0.0.1:5555")
 *   const news = Stream.map(Sub0.stream(socket, "news."), Message.text)
 *   const weather = Stream.map(Sub0.stream(socket, "weather."), Message.text)
 *   yield* Stream.runForEach(Stream.merge(news, weather), (text) => Effect.log(text))
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
import * as free from "./internal/engine/free.js"
import * as subscriptions from "./internal/engine/subscriptions.js"
import * as topics from "./internal/engine/topics.js"
import { XSub0Machine } from "./internal/protocol/xsub0.js"
import type { Message } from "./Message.js"
import * as Protocol from "./Protocol.js"
import type * as Socket from "./Socket.js"
import type * as SocketContext from "./SocketContext.js"
import type { Transports } from "./Transport.js"

/**
 * How the body of a message begins; a string stands for its UTF-8. The empty one is how every message begins.
 *
 * @since 0.1.0
 * @category models
 */
export type Topic = string | Uint8Array

/**
 * @since 0.1.0
 * @category models
 */
export interface Options extends Socket.Options {
  /** Messages that may wait for a receive (`NNG_OPT_RECVBUF`): 1 to 8192, default 128. */
  readonly recvBuffer?: number | undefined
  /** When that is full the oldest of them goes, or else what comes (`NNG_OPT_SUB_PREFNEW`). Default true. */
  readonly preferNew?: boolean | undefined
}

/**
 * Options of a new socket.
 *
 * @since 0.1.0
 * @category models
 */
export interface MakeOptions extends Options, Socket.MakeOptions {}

/**
 * Options of a context. It takes over its socket's as they are when it is made.
 *
 * @since 0.1.0
 * @category models
 */
export interface ContextOptions extends SocketContext.Options {
  /** Messages that may wait for a receive of it (`NNG_OPT_RECVBUF`): 1 to 8192. */
  readonly recvBuffer?: number | undefined
  /** When that is full the oldest of them goes, or else what comes (`NNG_OPT_SUB_PREFNEW`). */
  readonly preferNew?: boolean | undefined
}

/**
 * A context of such a socket.
 *
 * @since 0.1.0
 * @category models
 */
export interface Context extends SocketContext.CanRecv, SocketContext.Configurable<ContextOptions> {}

/**
 * @since 0.1.0
 * @category models
 */
export interface Sub0
  extends Socket.CanRecv, Socket.Configurable<Options>, SocketContext.HasContexts<Context, ContextOptions> {
  readonly raw: false
  /** As with every socket, but no device ever has it. **Interruption** stops the waiting, not the closing. */
  readonly close: Effect.Effect<void, Errors.ECLOSED>
}

/**
 * Options of a raw socket.
 *
 * @since 0.1.0
 * @category models
 */
export interface RawOptions extends Socket.Options {
  /** Messages that may wait for a receive (`NNG_OPT_RECVBUF`), and what comes then goes: 0 to 8192, default 1. */
  readonly recvBuffer?: number | undefined
}

/**
 * One without topics, which hears everything.
 *
 * @since 0.1.0
 * @category models
 */
export interface Sub0Raw extends Socket.CanRecv<Errors.EBUSY>, Socket.Configurable<RawOptions, Errors.EBUSY> {
  readonly raw: true
  readonly protocol: Protocol.Protocol<"sub", "pub">
}

/**
 * Makes a socket (`nng_sub0_open`). `NNG_EINVAL` names the option that is out of range.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options?: MakeOptions): Effect.Effect<Sub0, Errors.EINVAL, Scope.Scope | Transports> =>
  internal.makeSocket<Sub0>(
    {
      protocol: Protocol.sub0,
      raw: false,
      canSend: false,
      canRecv: true,
      options: ["recvBuffer", "preferNew"],
      contextOptions: ["recvBuffer", "preferNew"],
      defaults: { recvBuffer: 128, leastBuffer: 1 },
      core: subscriptions.core
    },
    options
  )

/**
 * Makes a raw socket (`nng_sub0_open_raw`), for devices.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeRaw = (
  options?: RawOptions & Socket.MakeOptions
): Effect.Effect<Sub0Raw, Errors.EINVAL, Scope.Scope | Transports> =>
  internal.makeSocket<Sub0Raw>(
    {
      protocol: Protocol.sub0,
      raw: true,
      canSend: false,
      canRecv: true,
      options: ["recvBuffer"],
      defaults: { recvBuffer: 1 },
      core: free.core(
        ({ recvBuffer, sendBuffer }, world, demand) =>
          new XSub0Machine({ send: sendBuffer, recv: recvBuffer }, world, demand)
      )
    },
    options
  )

/**
 * Subscribes to a topic for as long as the scope lives. Several scopes may have the same topic: it is unsubscribed with
 * the last of them, and what is in the buffer of no other topic goes with it, counted (`dropped.unsubscribed`).
 * `NNG_ECLOSED` when the socket or the context is closed.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category topics
 */
export const subscribe: {
  (topic: Topic): (self: Sub0 | Context) => Effect.Effect<void, Errors.ECLOSED, Scope.Scope>
  (self: Sub0 | Context, topic: Topic): Effect.Effect<void, Errors.ECLOSED, Scope.Scope>
} = topics.subscribe

/**
 * Subscribes to a topic until `removeTopic` (`nng_sub0_socket_subscribe`, `nng_sub0_ctx_subscribe`); more than once is
 * once. `NNG_ECLOSED` when the socket or the context is closed.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category topics
 */
export const addTopic: {
  (topic: Topic): (self: Sub0 | Context) => Effect.Effect<void, Errors.ECLOSED>
  (self: Sub0 | Context, topic: Topic): Effect.Effect<void, Errors.ECLOSED>
} = topics.addTopic

/**
 * Takes back an `addTopic` (`nng_sub0_socket_unsubscribe`, `nng_sub0_ctx_unsubscribe`). What is in the buffer of no other
 * topic goes with it, counted (`dropped.unsubscribed`). `NNG_ENOENT` when that topic was not added; one that a scope has
 * subscribed to is the scope's, and stays. `NNG_ECLOSED` when the socket or the context is closed.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category topics
 */
export const removeTopic: {
  (topic: Topic): (self: Sub0 | Context) => Effect.Effect<void, Errors.ENOENT | Errors.ECLOSED>
  (self: Sub0 | Context, topic: Topic): Effect.Effect<void, Errors.ENOENT | Errors.ECLOSED>
} = topics.removeTopic

/**
 * What is not said takes over the socket's.
 *
 * @since 0.1.0
 * @category models
 */
export interface StreamOptions {
  /** Most messages of a chunk; default 1024. */
  readonly chunkSize?: number | undefined
  /** Messages that may wait for the stream: 1 to 8192. */
  readonly recvBuffer?: number | undefined
  /** When that is full the oldest of them goes, or else what comes. */
  readonly preferNew?: boolean | undefined
}

/**
 * Why a stream ends before its socket: `NNG_EINVAL` for an option out of range, `NNG_ETIMEDOUT` when nothing came within
 * the socket's `recvTimeout`.
 *
 * @since 0.1.0
 * @category errors
 */
export type StreamError = Errors.EINVAL | Errors.ETIMEDOUT

/**
 * The messages of a topic, in chunks of what is there; it ends when the socket is closed. Each run of it has a context, and
 * so a subscription and a buffer, of its own: streams take nothing from each other, nor from `Socket.recv`. It hears
 * what is said from when it runs. Ending it early discards what is in its buffer, and the rest of a chunk, which
 * `chunkSize` bounds.
 *
 * **Interruption** while it waits takes nothing.
 *
 * @since 0.1.0
 * @category receiving
 */
export const stream: (socket: Sub0, topic: Topic, options?: StreamOptions) => Stream.Stream<Message, StreamError> =
  topics.stream
