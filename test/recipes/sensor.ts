import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Message from "effect-nng/Message"
import * as Pair0 from "effect-nng/Pair0"
import * as Socket from "effect-nng/Socket"

export const url = "tcp://sensor.example:5555"

/** Asks the sensor for its reading, once. */
export const reading = Effect.gen(function* () {
  const socket = yield* Pair0.make()
  yield* Socket.dial(socket, url)
  yield* Socket.send(socket, "reading?")
  return Message.text(yield* Socket.recv(socket, { timeout: "1 second" }))
}).pipe(Effect.scoped)

/** The same, with patience for a sensor that is not there yet. */
export const patientReading = reading.pipe(
  Effect.retry({
    while: (error) => error._tag === "NNG_ECONNREFUSED" || error._tag === "NNG_ETIMEDOUT",
    schedule: Schedule.intersect(Schedule.exponential("100 millis"), Schedule.recurs(5))
  })
)

/** The same, in words. */
export const report = reading.pipe(
  Effect.map((value) => `it says ${value}`),
  Effect.catchTags({
    NNG_ECONNREFUSED: () => Effect.succeed("it is switched off"),
    NNG_ETIMEDOUT: () => Effect.succeed("it does not answer"),
    NNG_EPROTO: () => Effect.succeed("something else answers in its place")
  })
)

/** A sensor that answers everything. */
export const sensor = Effect.gen(function* () {
  const socket = yield* Pair0.make()
  yield* Socket.listen(socket, url)
  for (;;) {
    yield* Socket.recv(socket)
    yield* Socket.send(socket, "21.5")
  }
}).pipe(Effect.scoped)
