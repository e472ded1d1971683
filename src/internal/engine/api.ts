import type * as Chunk from "effect/Chunk"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import * as Sink from "effect/Sink"
import * as Stream from "effect/Stream"
import * as Subscribable from "effect/Subscribable"
import type { Aio, Pending } from "../../Aio.js"
import type { ByteStream } from "../../ByteStream.js"
import type * as DialerApi from "../../Dialer.js"
import * as Errors from "../../Errors.js"
import type * as ListenerApi from "../../Listener.js"
import type { Input, Message } from "../../Message.js"
import type { Pipe, PipeEvent } from "../../Pipe.js"
import type * as Pair1Api from "../../Pair1.js"
import type * as Rep0Api from "../../Rep0.js"
import type * as Req0Api from "../../Req0.js"
import type * as Respondent0Api from "../../Respondent0.js"
import type * as Api from "../../Socket.js"
import type * as Surveyor0Api from "../../Surveyor0.js"
import type { Transports } from "../../Transport.js"
import * as Aios from "../ports/aio.js"
import { fromInput } from "../vocabulary/message.js"
import * as Broadcasts from "./broadcast.js"
import * as Devices from "./device.js"
import * as Dialers from "./dialer.js"
import type { DialerImpl } from "./dialer.js"
import { drain as drainSocket } from "./drain.js"
import type { FreeConversation } from "./free.js"
import * as Listeners from "./listener.js"
import type { ListenerImpl } from "./listener.js"
import * as OnAio from "./onAio.js"
import type { Input as OptionsInput } from "./options.js"
import * as Options from "./options.js"
import type { PolyConversation } from "./pairs.js"
import type { RequestContext } from "./requests.js"
import * as Servers from "./serve.js"
import * as Sockets from "./socket.js"
import type { SocketImpl, Spec } from "./socket.js"
import type { SurveyContext } from "./surveys.js"

export { CanRecvTypeId, CanSendTypeId, ConfigurableTypeId, TypeId as SocketTypeId } from "./socket.js"
export { TypeId as DialerTypeId } from "./dialer.js"
export { TypeId as ListenerTypeId } from "./listener.js"

const impl = (socket: Api.Socket): SocketImpl => socket as SocketImpl

/** Of a socket whose type says that its operations stand each for itself. */
const free = (socket: Api.Socket): FreeConversation => impl(socket).conversation as FreeConversation

/** @internal */
export const isSocket = (u: unknown): u is Api.Socket => Predicate.hasProperty(u, Sockets.TypeId)

/** @internal */
export const canSend = (socket: Api.Socket): socket is Api.CanSend<Api.StateError | Errors.EBUSY | Errors.EPROTO> =>
  impl(socket).spec.canSend

/** @internal */
export const canRecv = (socket: Api.Socket): socket is Api.CanRecv<Api.StateError | Errors.EBUSY> =>
  impl(socket).spec.canRecv

/** @internal */
export const isRaw = (socket: Api.Socket): socket is Api.Raw => socket.raw

/**
 * A socket of this protocol. Its type is the protocol module's to say.
 *
 * @internal
 */
export const makeSocket = <S extends Api.Socket>(
  spec: Spec,
  input: Sockets.Input | undefined
): Effect.Effect<S, Errors.EINVAL, Scope.Scope | Transports> =>
  Effect.map(Sockets.make(spec, input), (socket) => socket as Api.Socket as S)

/** The errors of an operation are in the type of its socket. */
const typed = <A, E>(operation: Effect.Effect<A, unknown>): Effect.Effect<A, E> => operation as Effect.Effect<A, E>

/** @internal By hand what `dual` does, which looks at a list of arguments for every message. */
export const send: {
  (
    message: Input,
    options?: Api.OperationOptions
  ): <E>(socket: Api.CanSend<E>) => Effect.Effect<void, Api.SendError | E>
  <E>(socket: Api.CanSend<E>, message: Input, options?: Api.OperationOptions): Effect.Effect<void, Api.SendError | E>
} = ((first: Api.Socket | Input, second: Input | Api.OperationOptions | undefined, third?: Api.OperationOptions) =>
  first instanceof Sockets.SocketImpl
    ? first.conversation.send(second as Input, third)
    : (socket: Api.Socket) =>
        impl(socket).conversation.send(first as Input, second as Api.OperationOptions | undefined)) as never

/** @internal */
export const sendAll: {
  (
    messages: Iterable<Input>,
    options?: Api.OperationOptions
  ): <E extends Errors.EBUSY>(socket: Api.CanSend<E>) => Effect.Effect<void, Api.SendError | E>
  <E extends Errors.EBUSY>(
    socket: Api.CanSend<E>,
    messages: Iterable<Input>,
    options?: Api.OperationOptions
  ): Effect.Effect<void, Api.SendError | E>
} = dual(
  (args) => isSocket(args[0]),
  <E extends Errors.EBUSY>(socket: Api.CanSend<E>, messages: Iterable<Input>, options?: Api.OperationOptions) =>
    Effect.suspend((): Effect.Effect<void, Api.SendError | E> => {
      const batch = Array.from(messages, fromInput)
      return batch.length === 0 ? Effect.void : typed(free(socket).sendAll(batch, options))
    })
)

/** @internal */
export const sink = <E extends Errors.EBUSY>(
  socket: Api.CanSend<E>
): Sink.Sink<void, Input, never, Api.SendError | E> =>
  Sink.forEachChunk((chunk: Chunk.Chunk<Input>) => sendAll(socket, chunk))

/** @internal */
export const recv = <E>(
  socket: Api.CanRecv<E>,
  options?: Api.OperationOptions
): Effect.Effect<Message, Api.RecvError | E> => typed(impl(socket).conversation.recv(options))

/** @internal */
export const sendAio: {
  (
    aio: Aio,
    message: Input,
    options?: Api.OperationOptions
  ): <E>(socket: Api.CanSend<E>) => Effect.Effect<Pending<void, Api.SendError | E>, Errors.EBUSY>
  <E>(
    socket: Api.CanSend<E>,
    aio: Aio,
    message: Input,
    options?: Api.OperationOptions
  ): Effect.Effect<Pending<void, Api.SendError | E>, Errors.EBUSY>
} = dual(
  (args) => isSocket(args[0]),
  (socket: Api.Socket, aio: Aio, input: Input, options?: Api.OperationOptions): Effect.Effect<never, Errors.EBUSY> =>
    OnAio.send(impl(socket).conversation, aio, input, options) as never
)

/** @internal */
export const recvAio: {
  (
    aio: Aio,
    options?: Api.OperationOptions
  ): <E>(socket: Api.CanRecv<E>) => Effect.Effect<Pending<Message, Api.RecvError | E>, Errors.EBUSY>
  <E>(
    socket: Api.CanRecv<E>,
    aio: Aio,
    options?: Api.OperationOptions
  ): Effect.Effect<Pending<Message, Api.RecvError | E>, Errors.EBUSY>
} = dual(
  (args) => isSocket(args[0]),
  (socket: Api.Socket, aio: Aio, options?: Api.OperationOptions): Effect.Effect<never, Errors.EBUSY> =>
    OnAio.recv(impl(socket).conversation, aio, options) as never
)

const defaultChunkSize = 1024

/** @internal */
export const recvChunk = <E extends Errors.EBUSY>(
  socket: Api.CanRecv<E>,
  options?: Api.OperationOptions & { readonly max?: number | undefined }
): Effect.Effect<Chunk.NonEmptyChunk<Message>, Api.RecvError | E> =>
  typed(free(socket).recvChunk(options?.max ?? defaultChunkSize, options))

/**
 * What a conversation receives, until it is closed.
 *
 * @internal
 */
export const streamOf = <E extends Errors.EBUSY>(
  conversation: FreeConversation,
  chunkSize: number | undefined
): Stream.Stream<Message, Errors.ETIMEDOUT | E> =>
  Stream.catchAll(
    Stream.repeatEffectChunk(
      typed<Chunk.Chunk<Message>, Api.RecvError | E>(conversation.recvChunk(chunkSize ?? defaultChunkSize, undefined))
    ),
    (error): Stream.Stream<never, Errors.ETIMEDOUT | E> =>
      error._tag === "NNG_ECLOSED" || error._tag === "NNG_EAGAIN" ? Stream.empty : Stream.fail(error)
  )

/** @internal */
export const stream = <E extends Errors.EBUSY>(
  socket: Api.CanRecv<E>,
  options?: { readonly chunkSize?: number | undefined }
): Stream.Stream<Message, Errors.ETIMEDOUT | E> => streamOf(free(socket), options?.chunkSize)

/** @internal */
export const request: {
  (
    message: Input,
    options?: Req0Api.RequestOptions
  ): (socket: Req0Api.Req0) => Effect.Effect<Message, Req0Api.RequestError>
  (socket: Req0Api.Req0, message: Input, options?: Req0Api.RequestOptions): Effect.Effect<Message, Req0Api.RequestError>
} = dual(
  (args) => isSocket(args[0]),
  (socket: Req0Api.Req0, message: Input, options?: Req0Api.RequestOptions) =>
    typed((impl(socket).conversation as RequestContext).request(message, options))
)

/** @internal */
export const serve: {
  <E, R>(
    handler: (request: Message) => Effect.Effect<Input, E, R>,
    options?: Rep0Api.ServeOptions
  ): (socket: Rep0Api.Rep0) => Effect.Effect<never, E | Errors.ECLOSED | Errors.EINVAL, R>
  <E, R>(
    socket: Rep0Api.Rep0,
    handler: (request: Message) => Effect.Effect<Input, E, R>,
    options?: Rep0Api.ServeOptions
  ): Effect.Effect<never, E | Errors.ECLOSED | Errors.EINVAL, R>
} = dual(
  (args) => isSocket(args[0]),
  <E, R>(
    socket: Rep0Api.Rep0,
    handler: (request: Message) => Effect.Effect<Input, E, R>,
    options?: Rep0Api.ServeOptions
  ) => Servers.serve("Rep0.serve", impl(socket), handler, options)
)

/** @internal */
export const survey: {
  (
    message: Input,
    options?: Surveyor0Api.SurveyOptions
  ): (socket: Surveyor0Api.Surveyor0) => Stream.Stream<Message, Surveyor0Api.SurveyError>
  (
    socket: Surveyor0Api.Surveyor0,
    message: Input,
    options?: Surveyor0Api.SurveyOptions
  ): Stream.Stream<Message, Surveyor0Api.SurveyError>
} = dual(
  (args) => isSocket(args[0]),
  (socket: Surveyor0Api.Surveyor0, message: Input, options?: Surveyor0Api.SurveyOptions) =>
    (impl(socket).conversation as SurveyContext).survey(message, options) as Stream.Stream<
      Message,
      Surveyor0Api.SurveyError
    >
)

/** @internal */
export const respond: {
  <E, R>(
    handler: (survey: Message) => Effect.Effect<Input | undefined, E, R>,
    options?: Respondent0Api.ServeOptions
  ): (socket: Respondent0Api.Respondent0) => Effect.Effect<never, E | Errors.ECLOSED | Errors.EINVAL, R>
  <E, R>(
    socket: Respondent0Api.Respondent0,
    handler: (survey: Message) => Effect.Effect<Input | undefined, E, R>,
    options?: Respondent0Api.ServeOptions
  ): Effect.Effect<never, E | Errors.ECLOSED | Errors.EINVAL, R>
} = dual(
  (args) => isSocket(args[0]),
  <E, R>(
    socket: Respondent0Api.Respondent0,
    handler: (survey: Message) => Effect.Effect<Input | undefined, E, R>,
    options?: Respondent0Api.ServeOptions
  ) => Servers.serve("Respondent0.serve", impl(socket), handler, options)
)

/** @internal */
export const sendTo: {
  (pipeId: number, message: Input): (socket: Pair1Api.Pair1Poly) => Effect.Effect<void, Errors.ECLOSED>
  (socket: Pair1Api.Pair1Poly, pipeId: number, message: Input): Effect.Effect<void, Errors.ECLOSED>
} = dual(3, (socket: Pair1Api.Pair1Poly, pipeId: number, message: Input) =>
  (impl(socket).conversation as PolyConversation).sendTo(pipeId, message)
)

/** @internal */
export const isWritable = (socket: Api.CanSend<unknown>): Effect.Effect<boolean> =>
  Effect.sync(() => !impl(socket).closing && impl(socket).conversation.canSend)

/** @internal */
export const isReadable = (socket: Api.CanRecv<unknown>): Effect.Effect<boolean> =>
  Effect.sync(() => !impl(socket).closing && impl(socket).conversation.canRecv)

const drainTime = Duration.seconds(10)

/** @internal */
export const drain = (
  socket: Api.CanSend<unknown>,
  options?: { readonly timeout?: Duration.DurationInput | undefined }
): Effect.Effect<number, Errors.ECLOSED | Errors.EBUSY> => drainSocket(impl(socket), options?.timeout ?? drainTime)

/** @internal */
export const awaitPeers: {
  (n: number): (socket: Api.Socket) => Effect.Effect<void, Errors.ECLOSED>
  (socket: Api.Socket, n: number): Effect.Effect<void, Errors.ECLOSED>
} = dual(2, (socket: Api.Socket, n: number) => impl(socket).awaitPeers(n))

/** @internal */
export const pipes = (socket: Api.Socket): Subscribable.Subscribable<ReadonlyArray<Pipe>> => {
  const now = () => impl(socket).pipes
  return Subscribable.make({ get: Effect.sync(now), changes: Broadcasts.streamOf(impl(socket).changes, now) })
}

/** @internal */
export const socketEvents = (socket: Api.Socket): Stream.Stream<PipeEvent> =>
  Broadcasts.streamOf(impl(socket).broadcast, () => undefined)

/** A late subscriber first gets what happened last. */
const eventsOf = <Event>({ broadcast }: { readonly broadcast: Broadcasts.Broadcast<Event> }): Stream.Stream<Event> =>
  Broadcasts.streamOf(broadcast, () => broadcast.last)

/** @internal */
export const getPipe: {
  (id: number): (socket: Api.Socket) => Effect.Effect<Pipe, Errors.ENOENT>
  (socket: Api.Socket, id: number): Effect.Effect<Pipe, Errors.ENOENT>
} = dual(2, (socket: Api.Socket, id: number) =>
  Effect.suspend(() => {
    const pipe = impl(socket).getPipe(id)
    return pipe === undefined || pipe.isGone
      ? new Errors.ENOENT({ operation: "Socket.getPipe", reason: `socket ${socket.id} has no pipe ${id}` })
      : Effect.succeed(pipe)
  })
)

/** Only raw sockets are ever busy. */
const whenFree = <S extends Api.Socket, A, E>(
  socket: S,
  operation: string,
  use: (socket: SocketImpl) => Effect.Effect<A, E>
): Effect.Effect<A, E | Errors.ECLOSED | Api.BusyError<S>> =>
  typed(Effect.suspend((): Effect.Effect<A, unknown> => impl(socket).refuses(operation) ?? use(impl(socket))))

/** @internal */
export const setBeforeAttach: {
  (
    hook: Api.BeforeAttach | undefined
  ): <S extends Api.Socket>(socket: S) => Effect.Effect<void, Errors.ECLOSED | Api.BusyError<S>>
  <S extends Api.Socket>(
    socket: S,
    hook: Api.BeforeAttach | undefined
  ): Effect.Effect<void, Errors.ECLOSED | Api.BusyError<S>>
} = dual(2, <S extends Api.Socket>(socket: S, hook: Api.BeforeAttach | undefined) =>
  whenFree(socket, "Socket.setBeforeAttach", (socket) =>
    Effect.sync(() => {
      socket.beforeAttach = hook
    })
  )
)

/** @internal */
export const configure: {
  <O, E extends Errors.EBUSY>(
    options: NoInfer<O>
  ): (socket: Api.Configurable<O, E>) => Effect.Effect<void, Errors.EINVAL | Errors.ECLOSED | E>
  <O, E extends Errors.EBUSY>(
    socket: Api.Configurable<O, E>,
    options: NoInfer<O>
  ): Effect.Effect<void, Errors.EINVAL | Errors.ECLOSED | E>
} = dual(2, <O, E extends Errors.EBUSY>(socket: Api.Configurable<O, E>, options: O) =>
  typed<void, Errors.EINVAL | Errors.ECLOSED | E>(
    whenFree(socket, "Socket.configure", (socket) => socket.configure(options as OptionsInput))
  )
)

/** @internal */
export const settings = <O>(socket: Api.Configurable<O, unknown>): Effect.Effect<Api.Settings<O>, Errors.ECLOSED> =>
  Effect.suspend((): Effect.Effect<Api.Settings<O>, Errors.ECLOSED> => {
    const { closing, settings, spec } = impl(socket)
    return closing
      ? new Errors.ECLOSED({ operation: "Socket.settings", reason: "the socket is closed" })
      : Effect.succeed(Options.show(settings, [...Options.common, ...spec.options]) as Api.Settings<O>)
  })

/** @internal */
export const runDevice = Devices.run

/** @internal */
export const runDeviceAio = (
  aio: Aio,
  left: Api.Socket,
  right?: Api.Socket
): Effect.Effect<Pending<never, Errors.EINVAL | Errors.EBUSY | Errors.ECLOSED>, Errors.EBUSY> =>
  Aios.start(aio, Devices.run(left, right))

/** @internal */
export const isDialer = (u: unknown): u is DialerApi.Dialer => Predicate.hasProperty(u, Dialers.TypeId)

/** @internal */
export const makeDialer: <S extends Api.Socket>(
  socket: S,
  url: string,
  options?: DialerApi.Options
) => Effect.Effect<DialerApi.Dialer, DialerApi.MakeError | Api.BusyError<S>, Scope.Scope> = Dialers.make as never

/** @internal */
export const startDialer = Dialers.start

/** @internal */
export const startDialerAio: {
  (aio: Aio, options?: DialerApi.StartOptions): (self: DialerApi.Dialer) => Effect.Effect<void>
  (self: DialerApi.Dialer, aio: Aio, options?: DialerApi.StartOptions): Effect.Effect<void>
} = dual((args) => isDialer(args[0]), Dialers.startAio)

/** @internal */
export const dialerEvents = (self: DialerApi.Dialer): Stream.Stream<DialerApi.Event> =>
  eventsOf<DialerApi.Event>(self as DialerImpl)

/** @internal */
export const isListener = (u: unknown): u is ListenerApi.Listener => Predicate.hasProperty(u, Listeners.TypeId)

/** @internal */
export const makeListener: <S extends Api.Socket>(
  socket: S,
  url: string,
  options?: ListenerApi.Options
) => Effect.Effect<ListenerApi.Listener, ListenerApi.MakeError | Api.BusyError<S>, Scope.Scope> =
  Listeners.make as never

/** @internal */
export const startListener = Listeners.start

/** @internal */
export const listenerEvents = (self: ListenerApi.Listener): Stream.Stream<ListenerApi.Event> =>
  eventsOf<ListenerApi.Event>(self as ListenerImpl)

/** @internal */
export const adopt: {
  (connection: number | ByteStream): (self: ListenerApi.Listener) => Effect.Effect<void, ListenerApi.AdoptError>
  (self: ListenerApi.Listener, connection: number | ByteStream): Effect.Effect<void, ListenerApi.AdoptError>
} = dual(2, Listeners.adopt)

/** @internal */
export const dial: {
  (
    url: string,
    options?: DialerApi.DialOptions
  ): <S extends Api.Socket>(
    socket: S
  ) => Effect.Effect<DialerApi.Dialer, DialerApi.MakeError | DialerApi.StartError | Api.BusyError<S>, Scope.Scope>
  <S extends Api.Socket>(
    socket: S,
    url: string,
    options?: DialerApi.DialOptions
  ): Effect.Effect<DialerApi.Dialer, DialerApi.MakeError | DialerApi.StartError | Api.BusyError<S>, Scope.Scope>
} = dual(
  (args) => isSocket(args[0]),
  <S extends Api.Socket>(socket: S, url: string, options: DialerApi.DialOptions = {}) =>
    Effect.tap(makeDialer(socket, url, options), (dialer) => closeOnFailure(startDialer(dialer, options), dialer))
)

/** @internal */
export const listen: {
  (
    url: string,
    options?: ListenerApi.Options
  ): <S extends Api.Socket>(
    socket: S
  ) => Effect.Effect<
    ListenerApi.Listener,
    ListenerApi.MakeError | ListenerApi.StartError | Api.BusyError<S>,
    Scope.Scope
  >
  <S extends Api.Socket>(
    socket: S,
    url: string,
    options?: ListenerApi.Options
  ): Effect.Effect<ListenerApi.Listener, ListenerApi.MakeError | ListenerApi.StartError | Api.BusyError<S>, Scope.Scope>
} = dual(
  (args) => isSocket(args[0]),
  <S extends Api.Socket>(socket: S, url: string, options: ListenerApi.Options = {}) =>
    Effect.tap(makeListener(socket, url, options), (listener) => closeOnFailure(startListener(listener), listener))
)

const closeOnFailure = <E>(
  started: Effect.Effect<void, E>,
  endpoint: { readonly close: Effect.Effect<void, Errors.ENOENT> }
): Effect.Effect<void, E> => Effect.onError(started, () => Effect.ignore(endpoint.close))
