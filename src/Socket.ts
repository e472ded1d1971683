/**
 * What all sockets have in common. A socket is made by the module of its protocol, `Pair0.make`, and what it can do is
 * in its type: only one with `CanRecv` has a `recv`.
 *
 * A socket lives as long as its scope. When that closes, or `close` is called, its listeners and dialers end, its pipes
 * are cut, whoever waits on it fails with `NNG_ECLOSED`, and what is still queued in the library is lost; what the
 * operating system has taken still goes out.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as InprocTransport from "effect-nng/InprocTransport"
 * import * as Message from "effect-nng/Message"
 * import * as Pair0 from "effect-nng/Pair0"
 * import * as Socket from "effect-nng/Socket"
 *
 * const program = Effect.gen(function* () {
 *   const left = yield* Pair0.make()
 *   const right = yield* Pair0.make()
 *   yield* Socket.listen(left, "inproc://example")
 *   yield* Socket.dial(right, "inproc://example")
 *   yield* Socket.send(right, "hello")
 *   return Message.text(yield* Socket.recv(left))
 * })
 *
 * export const main = program.pipe(Effect.scoped, Effect.provide(InprocTransport.layer))
 * ```
 *
 * @since 0.1.0
 */
import type * as Chunk from "effect/Chunk"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type { Inspectable } from "effect/Inspectable"
import type { Pipeable } from "effect/Pipeable"
import type * as Scope from "effect/Scope"
import type * as Sink from "effect/Sink"
import type * as Stream from "effect/Stream"
import type * as Subscribable from "effect/Subscribable"
import type * as Types from "effect/Types"
import type { Aio, Pending } from "./Aio.js"
import type * as Dialer from "./Dialer.js"
import type * as Errors from "./Errors.js"
import * as internal from "./internal/engine/api.js"
import type * as Listener from "./Listener.js"
import type { Input, Message } from "./Message.js"
import type { Pipe, PipeEvent } from "./Pipe.js"
import type { Protocol } from "./Protocol.js"
import type { Fitting } from "./Transport.js"

/**
 * @since 0.1.0
 * @category symbols
 */
export const TypeId: unique symbol = internal.SocketTypeId

/**
 * @since 0.1.0
 * @category symbols
 */
export type TypeId = typeof TypeId

/**
 * Marks a socket that sends.
 *
 * @since 0.1.0
 * @category symbols
 */
export const CanSendTypeId: unique symbol = internal.CanSendTypeId

/**
 * @since 0.1.0
 * @category symbols
 */
export type CanSendTypeId = typeof CanSendTypeId

/**
 * Marks a socket that receives.
 *
 * @since 0.1.0
 * @category symbols
 */
export const CanRecvTypeId: unique symbol = internal.CanRecvTypeId

/**
 * @since 0.1.0
 * @category symbols
 */
export type CanRecvTypeId = typeof CanRecvTypeId

/**
 * Why a message was not sent; the caller still owns it.
 *
 * - `NNG_ECLOSED`: the socket is closed, or was while the send waited;
 * - `NNG_ETIMEDOUT`: it had to wait for longer than `timeout`, or the socket's `sendTimeout`;
 * - `NNG_EAGAIN`: it would have had to wait, and was asked not to (`nonblocking`).
 *
 * @since 0.1.0
 * @category errors
 */
export type SendError = Errors.ECLOSED | Errors.ETIMEDOUT | Errors.EAGAIN

/**
 * Why no message was received; none was taken.
 *
 * - `NNG_ECLOSED`: the socket is closed, or was while the receive waited;
 * - `NNG_ETIMEDOUT`: none came within `timeout`, or the socket's `recvTimeout`;
 * - `NNG_EAGAIN`: none was there, and it was asked not to wait (`nonblocking`).
 *
 * @since 0.1.0
 * @category errors
 */
export type RecvError = Errors.ECLOSED | Errors.ETIMEDOUT | Errors.EAGAIN

/**
 * What protocols whose operations depend on each other add to the errors of these:
 *
 * - `NNG_ESTATE`: it has no place now, as a reply without a request, or a receive without a question;
 * - `NNG_ECANCELED`: another operation put an end to it, as a new request to the receive of the one before;
 * - `NNG_ECONNRESET`: the peer that had the request is gone, and it is not to be sent again.
 *
 * @since 0.1.0
 * @category errors
 */
export type StateError = Errors.ESTATE | Errors.ECANCELED | Errors.ECONNRESET

/**
 * How long one operation may wait. The decision is made together with the operation itself: one that timed out has done
 * nothing, where `Effect.timeout` around it may throw away what it had already done.
 *
 * @since 0.1.0
 * @category models
 */
export interface OperationOptions {
  /**
   * Instead of the socket's `sendTimeout` or `recvTimeout`; zero (or less) tries once, and overtakes nobody who waits.
   * Then it is `NNG_ETIMEDOUT`.
   */
  readonly timeout?: Duration.DurationInput | undefined
  /** Do not wait at all: `NNG_EAGAIN` instead (`NNG_FLAG_NONBLOCK`). */
  readonly nonblocking?: boolean | undefined
}

/**
 * The options that every socket has.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** How long a receive waits (`NNG_OPT_RECVTIMEO`). Default: for ever. */
  readonly recvTimeout?: Duration.DurationInput | undefined
  /** How long a send waits (`NNG_OPT_SENDTIMEO`). Default: for ever. */
  readonly sendTimeout?: Duration.DurationInput | undefined
  /**
   * Most bytes of a message that is received (`NNG_OPT_RECVMAXSZ`); a peer that announces more is cut off. 0 is no
   * limit. Default 1 GiB, as libnng 2.x. A dialer or listener takes over the value that holds when it is made.
   */
  readonly recvMaxSize?: number | undefined
  /** Longest wait before the first redial (`NNG_OPT_RECONNMINT`); taken over by dialers. Default 1 second. */
  readonly reconnectMin?: Duration.DurationInput | undefined
  /**
   * What that wait grows to, doubling with each failure (`NNG_OPT_RECONNMAXT`); taken over by dialers. Default 0: it does
   * not grow.
   */
  readonly reconnectMax?: Duration.DurationInput | undefined
}

/**
 * Options of a socket that can only be given when it is made.
 *
 * @since 0.1.0
 * @category models
 */
export interface MakeOptions extends Options {
  /** Looks at new connections, as `setBeforeAttach` sets it. **Interruption** as `BeforeAttach` says. */
  readonly beforeAttach?: BeforeAttach | undefined
}

/**
 * Looks at a connection before the socket has it (`NNG_PIPE_EV_ADD_PRE`); failing refuses it, with that reason, and so
 * does closing the pipe. Runs in the fiber that made the connection: no other connection is held up.
 *
 * **Interruption**: it is interrupted when the dialer or listener closes, or the dial is interrupted; the connection then
 * is closed.
 *
 * @since 0.1.0
 * @category models
 */
export type BeforeAttach = (pipe: Pipe) => Effect.Effect<void, Errors.NngError>

/**
 * Messages that nobody will have, by why.
 *
 * @since 0.1.0
 * @category models
 */
export interface Dropped {
  /** With a connection that ended. */
  readonly disconnected: number
  /** With a queue that was made shorter. */
  readonly resized: number
  /** With the socket itself. */
  readonly closed: number
  /** Answers that nobody waited for any more, or that came from a peer which was not asked. */
  readonly stale: number
  /** They had come through more devices than `ttl` allows. */
  readonly hops: number
  /** What peers of this protocol do not send. */
  readonly unexpected: number
  /** Answers, and other messages for one certain peer, that is gone or never was. */
  readonly unroutable: number
  /** There was no room, and the protocol does not wait for it. */
  readonly full: number
  /** Their topic was unsubscribed before they were received. */
  readonly unsubscribed: number
  /** The protocol could not read them; the connections they came on were cut. */
  readonly malformed: number
}

/**
 * What a socket has counted since it was made. What the application was given, and gave, and what nobody will have.
 *
 * @since 0.1.0
 * @category models
 */
export interface Statistics {
  /** Peers now. */
  readonly pipes: number
  /** Connections refused, by `beforeAttach` or by the protocol. */
  readonly reject: number
  /** Messages accepted for sending. */
  readonly sent: number
  /** Messages handed to the application. */
  readonly received: number
  readonly dropped: Dropped
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Socket extends Inspectable, Pipeable {
  readonly [TypeId]: TypeId
  /** Unique in the process, from 1 (`nng_socket_id`). */
  readonly id: number
  /** Its protocol, and so its peer's (`nng_socket_proto_id`). */
  readonly protocol: Protocol
  /** Whether the application sees the headers (`nng_socket_raw`). */
  readonly raw: boolean
  /** What it has counted. **Interruption**: none, it does not wait. */
  readonly statistics: Effect.Effect<Statistics>
  /**
   * Closes it before its scope does, and waits until its pipes are gone (`nng_socket_close`). `NNG_ECLOSED` when it is
   * closed already, and of a raw one `NNG_EBUSY` while a device has it.
   * **Interruption** stops the waiting, not the closing.
   */
  readonly close: Effect.Effect<void, Errors.ECLOSED | Errors.EBUSY>
}

/**
 * A raw socket of this protocol: one that a device can have, and whose operations then are `NNG_EBUSY`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Raw<out Name extends string = string, out PeerName extends string = string> extends Socket {
  readonly raw: true
  readonly protocol: Protocol<Name, PeerName>
}

/**
 * What a socket of type `S` can fail with because a device has it: a cooked one with nothing.
 *
 * @since 0.1.0
 * @category errors
 */
export type BusyError<S extends Socket> = S extends { readonly raw: false } ? never : Errors.EBUSY

/**
 * A socket that sends. `E`: what its protocol adds to the errors of a send.
 *
 * @since 0.1.0
 * @category models
 */
export interface CanSend<out E = never> extends Socket {
  readonly [CanSendTypeId]: { readonly _E: Types.Covariant<E> }
}

/**
 * A socket that receives. `E`: what its protocol adds to the errors of a receive.
 *
 * @since 0.1.0
 * @category models
 */
export interface CanRecv<out E = never> extends Socket {
  readonly [CanRecvTypeId]: { readonly _E: Types.Covariant<E> }
}

/**
 * @since 0.1.0
 * @category guards
 */
export const isSocket: (u: unknown) => u is Socket = internal.isSocket

/**
 * For a socket whose protocol is chosen at run time.
 *
 * @since 0.1.0
 * @category guards
 */
export const canSend: (socket: Socket) => socket is CanSend<StateError | Errors.EBUSY | Errors.EPROTO> =
  internal.canSend

/**
 * For a socket whose protocol is chosen at run time.
 *
 * @since 0.1.0
 * @category guards
 */
export const canRecv: (socket: Socket) => socket is CanRecv<StateError | Errors.EBUSY> = internal.canRecv

/**
 * For a socket whose protocol is chosen at run time.
 *
 * @since 0.1.0
 * @category guards
 */
export const isRaw: (socket: Socket) => socket is Raw = internal.isRaw

/**
 * Sends a message, or what one can be made of (`nng_send`, `nng_sendmsg`). Done means accepted: it is with the connection,
 * or in the socket's send buffer, and the bytes belong to the library. It waits while there is no room for it, as when
 * there is no peer; callers are served in order.
 *
 * **Interruption**: a send that is interrupted has sent nothing.
 *
 * @since 0.1.0
 * @category sending
 */
export const send: {
  (message: Input, options?: OperationOptions): <E>(socket: CanSend<E>) => Effect.Effect<void, SendError | E>
  <E>(socket: CanSend<E>, message: Input, options?: OperationOptions): Effect.Effect<void, SendError | E>
} = internal.send

/**
 * Starts a send on an aio (`nng_send_aio`), and returns at once. The aio's time-out stands in for the socket's, and
 * `options` for both. Of one that succeeded the aio has the body's length as count; of one that failed it has the
 * message, and count 0. `NNG_EBUSY` when the aio is in use: then nothing was started.
 *
 * **Interruption** does not reach the send; cancel the aio. One that is cancelled has sent nothing.
 *
 * @since 0.1.0
 * @category sending
 */
export const sendAio: {
  (
    aio: Aio,
    message: Input,
    options?: OperationOptions
  ): <E>(socket: CanSend<E>) => Effect.Effect<Pending<void, SendError | E>, Errors.EBUSY>
  <E>(
    socket: CanSend<E>,
    aio: Aio,
    message: Input,
    options?: OperationOptions
  ): Effect.Effect<Pending<void, SendError | E>, Errors.EBUSY>
} = internal.sendAio

/**
 * Sends messages one after the other, at less cost than one by one. On failure, those from the first that was not
 * accepted on are still the caller's.
 *
 * **Interruption** while it waits leaves out that message and all that follow.
 *
 * @since 0.1.0
 * @category sending
 */
export const sendAll: {
  (
    messages: Iterable<Input>,
    options?: OperationOptions
  ): <E extends Errors.EBUSY>(socket: CanSend<E>) => Effect.Effect<void, SendError | E>
  <E extends Errors.EBUSY>(
    socket: CanSend<E>,
    messages: Iterable<Input>,
    options?: OperationOptions
  ): Effect.Effect<void, SendError | E>
} = internal.sendAll

/**
 * A sink that sends what it is given, a chunk at a time.
 *
 * **Interruption** as for `sendAll`.
 *
 * @since 0.1.0
 * @category sending
 */
export const sink: <E extends Errors.EBUSY>(socket: CanSend<E>) => Sink.Sink<void, Input, never, SendError | E> =
  internal.sink

/**
 * Closes a socket when what it has accepted is with the operating system, or after `timeout` (default 10 seconds), and
 * gives the number of messages that were not handed over, or perhaps not: 0 is all well. A write that was under way counts
 * whole, though some of it may have arrived. From now on a send is `NNG_ECLOSED`, and so are
 * those that wait; what comes can be received until then. Handed over is not received: whoever must know asks, with req.
 * `NNG_EBUSY` while a device has the socket.
 *
 * NNG has no counterpart: `nng_socket_close` throws away what is queued.
 *
 * **Interruption** while it waits leaves a socket that sends no more, and closes with its scope.
 *
 * @since 0.1.0
 * @category sending
 */
export const drain: <S extends CanSend<unknown>>(
  socket: S,
  options?: { readonly timeout?: Duration.DurationInput | undefined }
) => Effect.Effect<number, Errors.ECLOSED | BusyError<S>> = internal.drain as never

/**
 * Receives the next message (`nng_recv`, `nng_recvmsg`), waiting for one if there is none; callers are served in order.
 *
 * **Interruption**: a receive that is interrupted has taken nothing. Use `timeout` rather than `Effect.timeout`, which
 * may drop a message that was received in the last moment.
 *
 * @since 0.1.0
 * @category receiving
 */
export const recv: <E>(socket: CanRecv<E>, options?: OperationOptions) => Effect.Effect<Message, RecvError | E> =
  internal.recv

/**
 * Starts a receive on an aio (`nng_recv_aio`), and returns at once. The aio's time-out stands in for the socket's, and
 * `options` for both. Of one that succeeded the aio has the message, and its body's length as count. `NNG_EBUSY` when
 * the aio is in use: then nothing was started.
 *
 * **Interruption** does not reach the receive; cancel the aio. One that is cancelled has taken nothing; one that was
 * quicker has its message in the aio.
 *
 * @since 0.1.0
 * @category receiving
 */
export const recvAio: {
  (
    aio: Aio,
    options?: OperationOptions
  ): <E>(socket: CanRecv<E>) => Effect.Effect<Pending<Message, RecvError | E>, Errors.EBUSY>
  <E>(
    socket: CanRecv<E>,
    aio: Aio,
    options?: OperationOptions
  ): Effect.Effect<Pending<Message, RecvError | E>, Errors.EBUSY>
} = internal.recvAio

/**
 * Receives what is there, at least one message and at most `max` (default 1024).
 *
 * **Interruption** as for `recv`.
 *
 * @since 0.1.0
 * @category receiving
 */
export const recvChunk: <E extends Errors.EBUSY>(
  socket: CanRecv<E>,
  options?: OperationOptions & { readonly max?: number | undefined }
) => Effect.Effect<Chunk.NonEmptyChunk<Message>, RecvError | E> = internal.recvChunk

/**
 * The messages that come, in chunks of what is there; it ends when the socket is closed.
 *
 * A stream delivers what it has pulled, and ending it early discards the rest of that chunk: `chunkSize` (default 1024)
 * bounds this, and 1 is exact. **Interruption** while it waits takes nothing.
 *
 * @since 0.1.0
 * @category receiving
 */
export const stream: <E extends Errors.EBUSY>(
  socket: CanRecv<E>,
  options?: { readonly chunkSize?: number | undefined }
) => Stream.Stream<Message, Errors.ETIMEDOUT | E> = internal.stream

/**
 * Whether a send would not have to wait now (`nng_socket_get_send_poll_fd`).
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category sending
 */
export const isWritable: (socket: CanSend<unknown>) => Effect.Effect<boolean> = internal.isWritable

/**
 * Whether a receive would not have to wait now (`nng_socket_get_recv_poll_fd`).
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category receiving
 */
export const isReadable: (socket: CanRecv<unknown>) => Effect.Effect<boolean> = internal.isReadable

/**
 * Makes a dialer and starts it (`nng_dial`): by default it waits for the first connection and fails with what prevented
 * it; the dialer then is closed. With `nonblocking` it returns at once, and keeps trying in the background. `NNG_EBUSY`
 * while a device has the socket. An attempt ends when the operating system gives it up; `Effect.timeout` sets a shorter
 * time, and loses nothing.
 *
 * **Interruption** closes the dialer and what it had opened.
 *
 * @since 0.1.0
 * @category endpoints
 */
export const dial: {
  <Url extends string>(
    url: Url,
    options?: Dialer.DialOptions & Fitting<Url>
  ): <S extends Socket>(
    socket: S
  ) => Effect.Effect<Dialer.Dialer, Dialer.MakeError | Dialer.StartError | BusyError<S>, Scope.Scope>
  <S extends Socket, Url extends string>(
    socket: S,
    url: Url,
    options?: Dialer.DialOptions & Fitting<Url>
  ): Effect.Effect<Dialer.Dialer, Dialer.MakeError | Dialer.StartError | BusyError<S>, Scope.Scope>
} = internal.dial

/**
 * Makes a listener and starts it (`nng_listen`). `NNG_EBUSY` while a device has the socket.
 *
 * **Interruption** closes it.
 *
 * @since 0.1.0
 * @category endpoints
 */
export const listen: {
  <Url extends string>(
    url: Url,
    options?: Listener.Options & Fitting<Url>
  ): <S extends Socket>(
    socket: S
  ) => Effect.Effect<Listener.Listener, Listener.MakeError | Listener.StartError | BusyError<S>, Scope.Scope>
  <S extends Socket, Url extends string>(
    socket: S,
    url: Url,
    options?: Listener.Options & Fitting<Url>
  ): Effect.Effect<Listener.Listener, Listener.MakeError | Listener.StartError | BusyError<S>, Scope.Scope>
} = internal.listen

/**
 * Waits until the socket has at least `n` peers. It promises nothing of what they do next, nor that a subscriber has
 * subscribed. `NNG_ECLOSED` when the socket is closed.
 *
 * **Interruption** has no effect but to stop waiting.
 *
 * @since 0.1.0
 * @category pipes
 */
export const awaitPeers: {
  (n: number): (socket: Socket) => Effect.Effect<void, Errors.ECLOSED>
  (socket: Socket, n: number): Effect.Effect<void, Errors.ECLOSED>
} = internal.awaitPeers

/**
 * Its peers, now and as they change.
 *
 * **Interruption** ends the subscription, and nothing else.
 *
 * @since 0.1.0
 * @category pipes
 */
export const pipes: (socket: Socket) => Subscribable.Subscribable<ReadonlyArray<Pipe>> = internal.pipes

/**
 * What happens to its pipes from now on (`nng_pipe_notify`); ends with the socket. A subscriber that falls more than 1024
 * events behind loses the oldest.
 *
 * **Interruption** ends the subscription, and nothing else.
 *
 * @since 0.1.0
 * @category pipes
 */
export const events: (socket: Socket) => Stream.Stream<PipeEvent> = internal.socketEvents

/**
 * The pipe with this id, as found on a received message. `NNG_ENOENT` when it is gone.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category pipes
 */
export const getPipe: {
  (id: number): (socket: Socket) => Effect.Effect<Pipe, Errors.ENOENT>
  (socket: Socket, id: number): Effect.Effect<Pipe, Errors.ENOENT>
} = internal.getPipe

/**
 * Sets, replaces or, with undefined, removes what looks at new connections (`nng_pipe_notify` for ADD_PRE). Connections
 * that exist are not looked at again. `NNG_EBUSY` while a device has the socket.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category pipes
 */
export const setBeforeAttach: {
  (hook: BeforeAttach | undefined): <S extends Socket>(socket: S) => Effect.Effect<void, Errors.ECLOSED | BusyError<S>>
  <S extends Socket>(socket: S, hook: BeforeAttach | undefined): Effect.Effect<void, Errors.ECLOSED | BusyError<S>>
} = internal.setBeforeAttach

/**
 * What options of type `O` are now; times are `Duration`s.
 *
 * @since 0.1.0
 * @category models
 */
export type Settings<O> = {
  readonly [K in keyof O]-?: [Exclude<O[K], undefined>] extends [number] ? number : Duration.Duration
}

/**
 * A socket whose options of type `O` can be changed while it lives. `E`: what can be in the way, a device.
 *
 * @since 0.1.0
 * @category models
 */
export interface Configurable<in O, out E = never> extends Socket {
  readonly [ConfigurableTypeId]: (options: O) => E
}

/**
 * @since 0.1.0
 * @category symbols
 */
export const ConfigurableTypeId: unique symbol = internal.ConfigurableTypeId

/**
 * @since 0.1.0
 * @category symbols
 */
export type ConfigurableTypeId = typeof ConfigurableTypeId

/**
 * Changes options of a live socket (`nng_socket_set`), all or none of them: `NNG_EINVAL` names the one that is out of
 * range, and it is `NNG_EBUSY` while a device has the socket. Timeouts hold from the next operation, buffers at once, and
 * what endpoints take over for those made later.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category options
 */
export const configure: {
  <O, E extends Errors.EBUSY>(
    options: NoInfer<O>
  ): (socket: Configurable<O, E>) => Effect.Effect<void, Errors.EINVAL | Errors.ECLOSED | E>
  <O, E extends Errors.EBUSY>(
    socket: Configurable<O, E>,
    options: NoInfer<O>
  ): Effect.Effect<void, Errors.EINVAL | Errors.ECLOSED | E>
} = internal.configure

/**
 * Reads the options of a socket (`nng_socket_get`). A buffer that its protocol does not have reads 0.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category options
 */
export const settings: <O>(socket: Configurable<O, unknown>) => Effect.Effect<Settings<O>, Errors.ECLOSED> =
  internal.settings
