import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Errors from "effect-nng/Errors"
import * as TestTransport from "effect-nng/TestTransport"
import { reading, report, url } from "./sensor.js"

it.effect("a sensor where nobody listens is switched off", () =>
  Effect.gen(function* () {
    expect(yield* report).toBe("it is switched off")
  }).pipe(Effect.provide(TestTransport.layer()))
)

it.effect("what the operating system says reaches the caller, typed", () =>
  Effect.gen(function* () {
    yield* TestTransport.failNextDial(url, new Errors.EPERM({ reason: "a firewall" }))
    const error = yield* Effect.flip(reading)
    expect(error._tag).toBe("NNG_EPERM")
  }).pipe(Effect.provide(TestTransport.layer({ places: [url] })))
)
