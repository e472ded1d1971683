/** What the tests call in a page. */
import * as PlatformSocket from "@effect/platform/Socket"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Dialer from "effect-nng/Dialer"
import * as InprocTransport from "effect-nng/InprocTransport"
import * as Message from "effect-nng/Message"
import * as Pair0 from "effect-nng/Pair0"
import * as Pub0 from "effect-nng/Pub0"
import * as Rep0 from "effect-nng/Rep0"
import * as Req0 from "effect-nng/Req0"
import * as Socket from "effect-nng/Socket"
import * as Sub0 from "effect-nng/Sub0"
import * as TestTransport from "effect-nng/TestTransport"
import { Transports } from "effect-nng/Transport"
import * as WebSocketTransport from "effect-nng/WebSocketTransport"
import { cases } from "../cases.js"

const live = ManagedRuntime.make(
  Layer.provide(WebSocketTransport.layer, PlatformSocket.layerWebSocketConstructorGlobal)
)

/** What has been started lives until `stop`. */
let lifetime = Effect.runSync(Scope.make())

const start = <A, E>(effect: Effect.Effect<A, E, Scope.Scope | Transports>): Promise<A> =>
  live.runPromise(Scope.extend(effect, lifetime))

const stop = async (): Promise<void> => {
  const ended = lifetime
  lifetime = Effect.runSync(Scope.make())
  await Effect.runPromise(Scope.close(ended, Exit.void))
}

/** Plays one end of a case. */
const play = (title: string, end: 0 | 1, url: string): Promise<unknown> =>
  start(cases.find((one) => one.title === title)!.ends[end]((socket) => Socket.dial(socket, url)))

/** Asks something, once. */
const ask = (url: string, question: string): Promise<string> =>
  live.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const socket = yield* Req0.make()
        yield* Socket.dial(socket, url)
        return Message.text(yield* Req0.request(socket, question))
      })
    )
  )

/** The error of a dial, and what it says. */
const refused = (url: string, listen = false): Promise<ReadonlyArray<string>> =>
  live.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const socket = yield* Pair0.make()
        const { _tag, message } = yield* listen
          ? Effect.flip(Socket.listen(socket, url))
          : Effect.flip(Socket.dial(socket, url))
        return [_tag, message]
      })
    )
  )

let asking: Req0.Req0 | undefined
const happened: Array<string> = []

/** A socket that asks, and comes back when its server does. */
const keepAsking = (url: string): Promise<void> =>
  start(
    Effect.gen(function* () {
      asking = yield* Req0.make({ resendTime: "100 millis", resendTick: "20 millis" })
      const dialer = yield* Dialer.make(asking, url, { reconnectMin: "20 millis", reconnectMax: "100 millis" })
      yield* Effect.forkScoped(
        Stream.runForEach(Dialer.events(dialer), ({ _tag }) => Effect.sync(() => happened.push(_tag)))
      )
      yield* Dialer.start(dialer)
    })
  )

const again = (question: string): Promise<string> =>
  live.runPromise(Effect.map(Req0.request(asking!, question), Message.text))

const events = (): ReadonlyArray<string> => happened

/** Serves, but never answers what it is asked to keep to itself. */
const serveQuietly = (url: string): Promise<void> =>
  start(
    Effect.gen(function* () {
      const socket = yield* Rep0.make()
      yield* Socket.dial(socket, url)
      yield* Effect.forkScoped(Rep0.serve(socket, () => Effect.never))
    })
  )

const serve = (url: string): Promise<void> =>
  start(
    Effect.gen(function* () {
      const socket = yield* Rep0.make()
      yield* Socket.dial(socket, url)
      yield* Effect.forkScoped(Rep0.serve(socket, (request) => Effect.succeed(`${Message.text(request)}!`)))
    })
  )

/** What it hears of this topic, the first so many. */
const hear = (url: string, topic: string, count: number): Promise<ReadonlyArray<string>> =>
  start(
    Effect.gen(function* () {
      const socket = yield* Sub0.make()
      yield* Sub0.addTopic(socket, topic)
      yield* Socket.dial(socket, url)
      return yield* Effect.replicateEffect(Effect.map(Socket.recv(socket), Message.text), count)
    })
  )

/** Says this, again and again, to whoever subscribes. */
const publish = (url: string, words: string): Promise<void> =>
  start(
    Effect.gen(function* () {
      const socket = yield* Pub0.make()
      yield* Socket.dial(socket, url)
      yield* Effect.forkScoped(Effect.forever(Effect.zipRight(Socket.send(socket, words), Effect.sleep("5 millis"))))
    })
  )

/** Why the connection of a dialer ended. */
const endOf = (dialer: Dialer.Dialer): Effect.Effect<Fiber.RuntimeFiber<ReadonlyArray<string>>, never, Scope.Scope> =>
  Effect.forkScoped(
    Stream.runFold(
      Stream.takeUntil(Dialer.events(dialer), ({ _tag }) => _tag === "Disconnected"),
      [] as ReadonlyArray<string>,
      (last, event) => (event._tag === "Disconnected" ? [event.reason._tag, event.reason.message] : last)
    )
  )

/** Asks for nothing until the connection was closed for it, then takes what there is. */
const flooded = (url: string, recvBuffer: number): Promise<unknown> =>
  Effect.gen(function* () {
    const socket = yield* Pair0.make()
    const dialer = yield* Dialer.make(socket, url, { reconnectMin: "1 hour" })
    const end = yield* endOf(dialer)
    yield* Dialer.start(dialer)
    // the peer says when it was closed, by another connection
    yield* Effect.promise(() => released)
    const got: Array<string> = []
    const receiving = yield* Effect.forkScoped(
      Stream.runForEach(Socket.stream(socket), (message) => Effect.sync(() => got.push(Message.text(message).trim())))
    )
    const why = yield* Fiber.join(end)
    yield* socket.close
    yield* Fiber.join(receiving)
    return { got, why }
  }).pipe(
    Effect.scoped,
    Effect.provide(Transports.layer(WebSocketTransport.make({ recvBuffer }))),
    Effect.provide(PlatformSocket.layerWebSocketConstructorGlobal),
    Effect.runPromise
  )

let release = () => {}
const released = new Promise<void>((resolve) => (release = resolve))

/** A message longer than a frame may be: why the connection ended. */
const tooLong = (url: string, sendMaxFrame: number | undefined): Promise<string> =>
  live.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const socket = yield* Pair0.make()
        const dialer = yield* Dialer.make(socket, url, { reconnectMin: "1 hour", ws: { sendMaxFrame } })
        const end = yield* endOf(dialer)
        yield* Dialer.start(dialer)
        yield* Socket.send(socket, new Uint8Array(1024 * 1024 + 1))
        return yield* Effect.raceFirst(
          Effect.map(Fiber.join(end), (why) => why.join(": ")),
          Effect.map(Socket.recv(socket), Message.text)
        )
      })
    )
  )

/** A message to oneself, without any network. */
const within = async (): Promise<ReadonlyArray<string>> => {
  const talk = (url: string) =>
    Effect.scoped(
      Effect.gen(function* () {
        const [left, right] = [yield* Pair0.make(), yield* Pair0.make()]
        yield* Socket.listen(left, url)
        yield* Socket.dial(right, url)
        yield* Socket.send(right, url)
        return Message.text(yield* Socket.recv(left))
      })
    )
  return [
    await Effect.runPromise(Effect.provide(talk("inproc://page"), InprocTransport.layer)),
    await Effect.runPromise(Effect.provide(talk("tcp://server:1"), TestTransport.layer()))
  ]
}

Object.assign(globalThis, {
  again,
  ask,
  events,
  flooded,
  hear,
  keepAsking,
  play,
  publish,
  refused,
  release: () => release(),
  serve,
  serveQuietly,
  stop,
  tooLong,
  within
})
