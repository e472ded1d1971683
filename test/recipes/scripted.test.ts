import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as Message from "effect-nng/Message"
import * as Pair0 from "effect-nng/Pair0"
import * as Protocol from "effect-nng/Protocol"
import * as Socket from "effect-nng/Socket"
import * as TestTransport from "effect-nng/TestTransport"
import { reading, report, url } from "./sensor.js"

it.scoped("the question goes out as it should, and the answer is what comes back", () =>
  Effect.gen(function* () {
    const listener = yield* TestTransport.listen(url)
    const result = yield* Effect.fork(reading)
    const peer = yield* listener.accept
    expect(yield* peer.greet(Protocol.pair0)).toBe(Protocol.pair0.number)
    expect(Message.text(yield* peer.recv)).toBe("reading?")
    yield* peer.send("-3")
    expect(yield* Fiber.join(result)).toBe("-3")
  }).pipe(Effect.provide(TestTransport.layer()))
)

it.scoped("a web server is not mistaken for a sensor", () =>
  Effect.gen(function* () {
    const listener = yield* TestTransport.listen(url)
    const result = yield* Effect.fork(report)
    const peer = yield* listener.accept
    yield* peer.write("HTTP/1.1 400 Bad Request\r\n\r\n")
    expect(yield* Fiber.join(result)).toBe("something else answers in its place")
  }).pipe(Effect.provide(TestTransport.layer()))
)

it.scoped("a peer that announces more than the limit is cut off, and the next one is served", () =>
  Effect.gen(function* () {
    const socket = yield* Pair0.make({ recvMaxSize: 1024 })
    const removed = yield* Effect.forkScoped(
      Stream.runHead(Stream.filter(Socket.events(socket), (event) => event._tag === "RemPost"))
    )
    yield* Effect.yieldNow()
    yield* Socket.listen(socket, "tcp://10.0.0.1:5555")
    const peer = yield* TestTransport.dial("tcp://10.0.0.1:5555")
    yield* peer.greet(Protocol.pair0)
    yield* peer.write(Uint8Array.of(0, 0, 0, 0, 0, 0, 4, 1))
    expect(yield* Fiber.join(removed)).toMatchObject({ value: { reason: { _tag: "NNG_EMSGSIZE" } } })
    expect((yield* peer.closed)._tag).toBe("NNG_ECONNSHUT")

    const better = yield* TestTransport.dial("tcp://10.0.0.1:5555")
    yield* better.greet(Protocol.pair0)
    yield* better.send("fine")
    expect(Message.text(yield* Socket.recv(socket))).toBe("fine")
  }).pipe(Effect.provide(TestTransport.layer()))
)
