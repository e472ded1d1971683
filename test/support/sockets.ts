import { expect } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as Dialer from "effect-nng/Dialer"
import type * as Errors from "effect-nng/Errors"
import * as InprocTransport from "effect-nng/InprocTransport"
import type * as Listener from "effect-nng/Listener"
import * as Message from "effect-nng/Message"
import * as Pair0 from "effect-nng/Pair0"
import * as Socket from "effect-nng/Socket"
import * as TestTransport from "effect-nng/TestTransport"
import type * as Transport from "effect-nng/Transport"
import * as Turn from "effect-nng/Turn"

/** No hop ever becomes due, so that a test which counts steps does not depend on how fast the machine is. */
export const stillTurn: Layer.Layer<never> = Layer.succeed(Turn.Turn, { unsafeDue: () => false, hop: Effect.void })

/** Which network the tests of sockets run on; see `projects` in vitest.config.ts. */
export const isSimulated: boolean = process.env["NETWORK"] === "simulated"

/**
 * The network that sockets meet on, with names of its own: inproc, or the simulated network, where the same addresses
 * are reached over bytes, with handshakes and framing. Build it once in each test.
 */
export const network: Layer.Layer<Transport.Transports> = Layer.merge(
  isSimulated ? TestTransport.layer({ printOnFailure: false }) : InprocTransport.layer,
  stillTurn
)

/** What it was called when there was no other. */
export const inproc = network

/** Lets others run so many times. */
export const yields = (times: number): Effect.Effect<void> =>
  times < 1 ? Effect.void : Effect.repeatN(Effect.yieldNow(), times - 1)

const { hop } = Turn.make()

/** Lets everything that is ready run: goes on when the event loop turns, and so when no microtask is left. */
export const settle: Effect.Effect<void> = hop

export interface Endpoints {
  readonly listener: Listener.Listener
  readonly dialer: Dialer.Dialer
}

/** Joins two sockets and returns when both see the pipe. The first listens. */
export const marry = (
  listening: Socket.Socket,
  dialing: Socket.Socket,
  url = "inproc://pair",
  options?: Dialer.DialOptions
): Effect.Effect<
  Endpoints,
  Dialer.MakeError | Dialer.StartError | Listener.MakeError | Listener.StartError | Errors.EBUSY,
  Scope.Scope
> =>
  Effect.gen(function* () {
    const listener = yield* Socket.listen(listening, url)
    const dialer = yield* Socket.dial(dialing, listener.url, options)
    yield* Socket.awaitPeers(listening, 1)
    yield* Socket.awaitPeers(dialing, 1)
    yield* settle
    return { listener, dialer }
  })

/** Two married pair0 sockets; `left` listens. */
export const pair = (options: { readonly left?: Pair0.MakeOptions; readonly right?: Pair0.MakeOptions } = {}) =>
  Effect.gen(function* () {
    const left = yield* Pair0.make(options.left)
    const right = yield* Pair0.make(options.right)
    const endpoints = yield* marry(left, right)
    return { left, right, ...endpoints }
  })

/** What comes out of a stream from now on, in a queue. */
export const collect = <A, E>(stream: Stream.Stream<A, E>): Effect.Effect<Queue.Dequeue<A>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const queue = yield* Queue.unbounded<A>()
    yield* Effect.forkScoped(Stream.runForEach(stream, (event) => Queue.offer(queue, event)))
    yield* settle
    return queue
  })

/** All that a stream gives until it ends, whose collecting has begun when this returns. */
export const recording = <A, E>(
  stream: Stream.Stream<A, E>
): Effect.Effect<Fiber.RuntimeFiber<ReadonlyArray<A>, E>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const all: Array<A> = []
    const fiber = yield* Effect.forkScoped(
      Effect.as(
        Stream.runForEach(stream, (event) => Effect.sync(() => void all.push(event))),
        all
      )
    )
    yield* settle
    return fiber
  })

/** Takes from the queue until something fits, and returns it. */
export const until = <A, B extends A>(queue: Queue.Dequeue<A>, fits: (event: A) => event is B): Effect.Effect<B> =>
  Effect.flatMap(Queue.take(queue), (event) => (fits(event) ? Effect.succeed(event) : until(queue, fits)))

/** For `until`: events with this tag. */
export const tagged =
  <Tag extends string>(tag: Tag) =>
  <A extends { readonly _tag: string }>(event: A): event is Extract<A, { readonly _tag: Tag }> =>
    event._tag === tag

export const tags = (events: Iterable<{ readonly _tag: string }>): Array<string> =>
  Array.from(events, (event) => event._tag)

/** Everything the queue has now. */
export const taken = <A>(queue: Queue.Dequeue<A>): Effect.Effect<Array<A>> =>
  Effect.map(Effect.zipRight(settle, Queue.takeAll(queue)), (chunk) => Array.from(chunk))

/** Runs an effect that must fail with this code, and gives the error. */
export const failing = <A, E extends Errors.NngError, R, Tag extends E["_tag"]>(
  effect: Effect.Effect<A, E, R>,
  tag: Tag
): Effect.Effect<Extract<E, { readonly _tag: Tag }>, A, R> =>
  Effect.map(Effect.flip(effect), (error) => {
    expect(error).toMatchObject({ _tag: tag })
    return error as Extract<E, { readonly _tag: Tag }>
  })

/** Forks an effect and lets it run as far as it can. */
export const begin = <A, E, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<Fiber.RuntimeFiber<A, E>, never, R | Scope.Scope> => Effect.zipLeft(Effect.forkScoped(effect), settle)

/** Whether a fiber has ended, once all that is ready has run. */
export const ended = <A, E>(fiber: Fiber.RuntimeFiber<A, E>): Effect.Effect<boolean> =>
  Effect.map(settle, () => fiber.unsafePoll() !== null)

const budget = 128

/** The effect, after so many ops of its fiber. */
export const afterOps = <A, E, R>(effect: Effect.Effect<A, E, R>, ops: number): Effect.Effect<A, E, R> => {
  let after = effect
  for (let spent = 0; spent < ops; spent++) {
    const next = after
    after = Effect.suspend(() => next)
  }
  return after
}

/**
 * Interrupts an effect where the runtime yields within it, its op budget being spent after so many of its ops, and gives
 * its exit. With every number of ops that it has, this is every place where it can be interrupted.
 */
export const interruptedAfter = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  ops: number,
  moreYields = 0
): Effect.Effect<Exit.Exit<A, E>, never, R> =>
  Effect.gen(function* () {
    const fiber = yield* Effect.withMaxOpsBeforeYield(Effect.fork(afterOps(effect, budget - ops)), budget)
    yield* Effect.yieldNow()
    yield* yields(moreYields)
    return yield* Fiber.interrupt(fiber)
  })

export const recvText = <E>(
  socket: Socket.CanRecv<E>,
  options?: Socket.OperationOptions
): Effect.Effect<string, Socket.RecvError | E> => Effect.map(Socket.recv(socket, options), Message.text)

/** All texts that can be received without waiting. */
export const drain = (socket: Socket.CanRecv<unknown>): Effect.Effect<Array<string>> =>
  Effect.gen(function* () {
    const texts: Array<string> = []
    for (;;) {
      yield* settle
      const message = yield* Effect.option(Socket.recv(socket, { nonblocking: true }))
      if (message._tag === "None") return texts
      texts.push(Message.text(message.value))
    }
  })

/** Waits, in real time, until something can be received. */
export const awaitReadable = (socket: Socket.CanRecv<unknown>): Effect.Effect<void> =>
  Effect.flatMap(Socket.isReadable(socket), (readable) =>
    readable ? Effect.void : Effect.zipRight(hop, awaitReadable(socket))
  )
