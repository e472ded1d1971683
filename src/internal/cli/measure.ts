import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Errors from "../../Errors.js"
import type * as Message from "../../Message.js"
import * as Socket from "../../Socket.js"
import type { Transports } from "../../Transport.js"
import { Failed } from "./failure.js"
import type { Figures } from "./figures.js"
import { UsageError } from "./scan.js"

type Both = Socket.CanSend<Errors.NngError> & Socket.CanRecv<Errors.NngError>
type In = Socket.CanRecv<Errors.NngError>
type Out = Socket.CanSend<Errors.NngError>

/** @internal */
export type Made<S> = Effect.Effect<S, Errors.EINVAL, Scope.Scope | Transports>

/**
 * The sockets of one protocol: those that echo and ask, and those that take and send.
 *
 * @internal
 */
export interface Sockets {
  readonly latency: { readonly server: Made<Both>; readonly client: Made<Both> } | undefined
  readonly throughput: { readonly server: Made<In>; readonly client: Made<Out> } | undefined
}

/** @internal */
export type Failing = Failed | UsageError

/** @internal */
export interface Load {
  readonly url: string
  readonly size: number
  readonly count: number
}

/** @internal */
export const failing = <A, R>(
  what: string,
  effect: Effect.Effect<A, Errors.NngError, R>
): Effect.Effect<A, Failed, R> => Effect.mapError(effect, (error) => new Failed({ what, error }))

const now = Effect.map(Clock.currentTimeNanos, Number)

/** @internal */
export const timed = <E, R>(effect: Effect.Effect<void, E, R>): Effect.Effect<number, E, R> =>
  Effect.gen(function* () {
    const start = yield* now
    yield* effect
    return ((yield* now) - start) / 1e9
  })

/** @internal */
export const listening = <S extends Socket.Socket>(make: Made<S>, url: string) =>
  Effect.tap(failing("Cannot open socket", make), (socket) =>
    failing(`Cannot listen on ${url}`, Socket.listen(socket, url))
  )

/** @internal */
export const dialing = <S extends Socket.Socket>(make: Made<S>, url: string) =>
  Effect.tap(failing("Cannot open socket", make), (socket) => failing(`Cannot dial ${url}`, Socket.dial(socket, url)))

const send = (socket: Out, message: Message.Input) => failing("Cannot send", Socket.send(socket, message))
const recv = (socket: In, options?: Socket.OperationOptions) => failing("Cannot receive", Socket.recv(socket, options))

const sized = (message: Message.Message, size: number): Effect.Effect<void, UsageError> =>
  message.length === size
    ? Effect.void
    : new UsageError({
        message: `Wrong message size: ${message.length} and not ${size}. Give both sides the same one.`
      })

const times = <E, R>(count: number, effect: Effect.Effect<void, E, R>): Effect.Effect<void, E, R> =>
  Effect.gen(function* () {
    for (let i = 0; i < count; i++) yield* effect
  })

const drained = (socket: Out) => Effect.ignore(Socket.drain(socket))

/** @internal */
export const echo = (socket: Both, { count, size }: Load): Effect.Effect<void, Failing> =>
  times(
    count,
    Effect.flatMap(recv(socket), (message) => Effect.zipRight(sized(message, size), send(socket, message)))
  ).pipe(
    // until who asks has the last one
    Effect.zipRight(Effect.sleep(100)),
    Effect.zipRight(drained(socket))
  )

/** @internal */
export const latency = (socket: Both, { count, size }: Load): Effect.Effect<Figures, Failing> =>
  Effect.gen(function* () {
    const body = new Uint8Array(size)
    const trip = Effect.zipRight(send(socket, body), Effect.asVoid(recv(socket)))
    const seconds = yield* timed(times(count, trip))
    return { mode: "latency", seconds, size, trips: count }
  })

/** @internal */
export const take = (socket: In, { count, size }: Load): Effect.Effect<Figures, Failing> =>
  Effect.gen(function* () {
    // the first says that it begins
    yield* recv(socket)
    const seconds = yield* timed(
      times(
        count,
        Effect.flatMap(recv(socket), (message) => sized(message, size))
      )
    )
    if (Socket.canSend(socket)) yield* Effect.zipRight(Effect.ignore(send(socket, "")), drained(socket))
    return { mode: "throughput", seconds, size, count }
  })

/** How long it waits for word that all has come. */
const patience = "5 seconds"

/** @internal */
export const flood = (socket: Out, { count, size }: Load): Effect.Effect<void, Failing> =>
  Effect.gen(function* () {
    const body = new Uint8Array(size)
    yield* send(socket, "")
    yield* times(count, send(socket, body))
    if (Socket.canRecv(socket)) yield* Effect.ignore(recv(socket, { timeout: patience }))
    yield* drained(socket)
  })
