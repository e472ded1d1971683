import { expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestTransport from "effect-nng/TestTransport"
import { patientReading, sensor } from "./sensor.js"

it.scoped("a sensor that is switched on a second later is read at the fourth retry", () =>
  Effect.gen(function* () {
    yield* Effect.forkScoped(Effect.delay(TestTransport.run("sensor", sensor), "1 second"))
    expect(yield* patientReading).toBe("21.5")
    // after 100, 200, 400 and 800 milliseconds
    expect(yield* Clock.currentTimeMillis).toBe(1500)
  }).pipe(Effect.provide(TestTransport.layerSimulated()))
)

it.scoped("a sensor that crashes is read when it is up again", () =>
  Effect.gen(function* () {
    yield* TestTransport.run("sensor", sensor)
    expect(yield* patientReading).toBe("21.5")
    yield* TestTransport.crash("sensor")
    yield* Effect.forkScoped(Effect.delay(TestTransport.restart("sensor"), "1 second"))
    expect(yield* patientReading).toBe("21.5")
  }).pipe(Effect.provide(TestTransport.layerSimulated()))
)
