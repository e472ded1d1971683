import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestTransport from "effect-nng/TestTransport"
import { report, sensor, url } from "./sensor.js"

it.scoped("during a partition the sensor does not answer, and afterwards it does", () =>
  Effect.gen(function* () {
    yield* TestTransport.run("sensor", sensor)
    yield* TestTransport.awaitListening(url)
    expect(yield* report).toBe("it says 21.5")
    yield* TestTransport.partition("local", "sensor")
    expect(yield* report).toBe("it does not answer")
    yield* TestTransport.heal()
    expect(yield* report).toBe("it says 21.5")
  }).pipe(Effect.provide(TestTransport.layerSimulated()))
)
