import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as TestTransport from "effect-nng/TestTransport"
import { reading, report, sensor, url } from "./sensor.js"

it.scoped("a sensor behind a slow line is read, in its time", () =>
  Effect.gen(function* () {
    yield* TestTransport.run("sensor", sensor)
    yield* TestTransport.latency(url, "100 millis")
    const result = yield* Effect.fork(reading)
    // there and back to connect, there and back to ask; the greetings go along
    yield* TestClock.adjust("399 millis")
    expect(yield* Fiber.poll(result)).toMatchObject({ _tag: "None" })
    yield* TestClock.adjust("1 millis")
    expect(yield* Fiber.join(result)).toBe("21.5")
  }).pipe(Effect.provide(TestTransport.layer({ places: [url] })))
)

it.scoped("one behind a line that is too slow does not answer", () =>
  Effect.gen(function* () {
    yield* TestTransport.run("sensor", sensor)
    yield* TestTransport.latency(url, "600 millis")
    const result = yield* Effect.fork(report)
    yield* TestClock.adjust("1 minute")
    expect(yield* Fiber.join(result)).toBe("it does not answer")
  }).pipe(Effect.provide(TestTransport.layer({ places: [url] })))
)
