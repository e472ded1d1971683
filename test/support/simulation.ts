import { it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type * as Errors from "effect-nng/Errors"
import * as Message from "effect-nng/Message"
import * as Socket from "effect-nng/Socket"
import * as TestTransport from "effect-nng/TestTransport"
import type { Transports } from "effect-nng/Transport"

export type Provided = TestTransport.Network | Transports

/** An effect on a simulated network of its own, whose time goes on by itself. */
export const onNetwork = <A, E>(
  effect: Effect.Effect<A, E, Scope.Scope | Provided>,
  options?: TestTransport.Options
): Effect.Effect<A, E> =>
  Effect.scoped(effect).pipe(Effect.provide(TestTransport.layerSimulated({ printOnFailure: false, ...options })))

/** A test on a simulated network of its own, whose time goes on by itself. */
export const simulated = <E>(
  title: string,
  effect: () => Effect.Effect<void, E, Scope.Scope | Provided>,
  options?: TestTransport.Options,
  timeout?: number
): void =>
  it.effect(
    title,
    // who waits in vain comes to know it soon
    () => onNetwork(Effect.timeout(Effect.suspend(effect), "100000 days"), { printOnFailure: true, ...options }),
    timeout
  )

/** Lets everything that is ready run, while time stands still. */
export const settle: Effect.Effect<void> = Effect.repeatN(Effect.yieldNow(), 100)

/** Forks an effect and lets it run as far as it can. */
export const begin = <A, E, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<Fiber.RuntimeFiber<A, E>, never, R | Scope.Scope> => Effect.zipLeft(Effect.forkScoped(effect), settle)

/** Whether a fiber has ended, once all that is ready has run. */
export const ended = <A, E>(fiber: Fiber.RuntimeFiber<A, E>): Effect.Effect<boolean> =>
  Effect.map(settle, () => fiber.unsafePoll() !== null)

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

export const server = "server"
export const client = "client"
export const host = "10.0.0.1"
export const url = `tcp://${host}:5555`

export const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1")

/** A server that plays by hand, and what it dials from. */
export const listening = (at: string = url, node: string = server) => TestTransport.listen(at, { node })

export interface Ends {
  readonly dialing: TestTransport.Peer
  readonly accepted: TestTransport.Peer
}

/** Connects client and server by hand. */
export const connect = (
  listener: TestTransport.HandListener,
  node: string = client
): Effect.Effect<
  Ends,
  | Effect.Effect.Error<ReturnType<typeof TestTransport.dial>>
  | Effect.Effect.Error<TestTransport.HandListener["accept"]>,
  TestTransport.Network | Scope.Scope
> =>
  Effect.gen(function* () {
    const accepting = yield* Effect.forkScoped(listener.accept)
    const dialing = yield* TestTransport.dial(listener.url, { node })
    return { dialing, accepted: yield* Fiber.join(accepting) }
  })

/** What came out of one direction, and how. */
export interface Seen {
  /** All bytes, as text. */
  readonly text: string
  /** How many each read brought. */
  readonly chunks: ReadonlyArray<number>
  /** When the last bytes came. */
  readonly millis: number
  /** How it ended, if it did. */
  readonly end: Errors.Tag | undefined
}

/** Reads until it ends, or for so long. */
export const seen = (peer: TestTransport.Peer, millis = 5000): Effect.Effect<Seen> =>
  Effect.gen(function* () {
    const start = yield* Clock.currentTimeMillis
    const before = (yield* peer.received).length
    const chunks: Array<number> = []
    let all = before
    let last = 0
    let end: Errors.Tag | undefined
    for (;;) {
      const left = start + millis - (yield* Clock.currentTimeMillis)
      const next = yield* peer.read(1).pipe(Effect.either, Effect.timeoutOption(Math.max(left, 0)))
      if (Option.isNone(next)) break
      if (next.value._tag === "Left") {
        end = next.value.left._tag
        break
      }
      const size = (yield* peer.received).length - all
      yield* Effect.orDie(peer.read(size - 1))
      chunks.push(size)
      all += size
      last = (yield* Clock.currentTimeMillis) - start
    }
    return { text: text((yield* peer.received).subarray(before)), chunks, millis: last, end }
  })

/** Each writes something to the other, and reads what comes. */
export const exchange = (
  { accepted, dialing }: Ends,
  { out = "0123456789", back = "abcdefghij", millis = 5000 } = {}
): Effect.Effect<{ readonly out: Seen; readonly back: Seen }> =>
  Effect.gen(function* () {
    const readers = yield* Effect.fork(
      Effect.all({ out: seen(accepted, millis), back: seen(dialing, millis) }, { concurrency: "unbounded" })
    )
    yield* Effect.yieldNow()
    yield* Effect.fork(Effect.ignore(dialing.write(out)))
    yield* Effect.fork(Effect.ignore(accepted.write(back)))
    return yield* Fiber.join(readers)
  })

/** How long an effect takes, and what it gives. */
export const timing = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<readonly [A, number], E, R> =>
  Effect.gen(function* () {
    const start = yield* Clock.currentTimeMillis
    const value = yield* effect
    return [value, (yield* Clock.currentTimeMillis) - start] as const
  })

/** Those events of the history that have this tag. */
export const eventsOf = <Tag extends TestTransport.Event["_tag"]>(tag: Tag) =>
  Effect.map(TestTransport.history, (events) =>
    events.filter((event): event is Extract<TestTransport.Event, { readonly _tag: Tag }> => event._tag === tag)
  )
