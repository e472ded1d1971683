import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as Pub0 from "../../Pub0.js"
import * as Socket from "../../Socket.js"
import * as Sub0 from "../../Sub0.js"
import type { Transports } from "../../Transport.js"
import type { Figures } from "./figures.js"
import type { Failing, Load } from "./measure.js"
import { dialing, failing, listening, timed } from "./measure.js"

/** @internal */
export interface Publication extends Load {
  readonly subscribers: number
  /** Between two messages. */
  readonly micros: number
}

/** What a subscriber has found. */
interface Found {
  received: number
  dropped: number
  gaps: number
  errors: number
}

/** What a subscriber waits for a message, once the last has been sent and before. */
const patience = { after: 500, before: 10_000 }

const numberOf = ({ body }: { readonly body: Uint8Array }): number =>
  Number(new DataView(body.buffer, body.byteOffset).getBigUint64(0, true))

const hear = (socket: Sub0.Sub0, count: number, over: { done: boolean }): Effect.Effect<Found> =>
  Effect.gen(function* () {
    const found: Found = { received: 0, dropped: 0, gaps: 0, errors: 0 }
    const miss = (n: number) => {
      found.dropped += n
      found.gaps++
    }
    for (let next = 0, silent = 0; next < count;) {
      const result = yield* Effect.either(Socket.recv(socket, { timeout: patience.after }))
      if (result._tag === "Right") {
        const number = numberOf(result.right)
        found.received++
        if (number !== next) miss(number - next)
        next = number + 1
        silent = 0
        continue
      }
      silent += patience.after
      if (result.left._tag !== "NNG_ETIMEDOUT") found.errors++
      else if (!over.done && silent < patience.before) continue
      miss(count - next)
      break
    }
    return found
  })

const bodyOf = (size: number, number: number): Uint8Array => {
  const body = new Uint8Array(size)
  new DataView(body.buffer).setBigUint64(0, BigInt(number), true)
  return body
}

/** Waits until its time has come, and lets the others run in any case. */
const pace = (due: number): Effect.Effect<void> =>
  Effect.flatMap(Clock.currentTimeNanos, (now) => {
    const millis = (due - Number(now)) / 1e6
    return millis >= 1 ? Effect.sleep(Math.floor(millis)) : Effect.yieldNow()
  })

const publish = (socket: Pub0.Pub0, { count, micros, size }: Publication) =>
  Effect.gen(function* () {
    const start = Number(yield* Clock.currentTimeNanos)
    for (let i = 0; i < count; i++) {
      yield* failing("Cannot send", Socket.send(socket, bodyOf(size, i)))
      if (micros > 0) yield* pace(start + (i + 1) * micros * 1000)
    }
  })

/**
 * Publishes to subscribers in this process, and counts what they miss.
 *
 * @internal
 */
export const pubdrop = (publication: Publication): Effect.Effect<Figures, Failing, Scope.Scope | Transports> =>
  Effect.gen(function* () {
    const { count, size, subscribers, url } = publication
    const over = { done: false }
    const pub = yield* listening(Pub0.make(), url)
    const heard = yield* Effect.forEach(Array.from({ length: subscribers }), () =>
      Effect.gen(function* () {
        const sub = yield* dialing(
          Effect.tap(Sub0.make(), (sub) => Effect.orDie(Sub0.addTopic(sub, ""))),
          url
        )
        return yield* Effect.fork(hear(sub, count, over))
      })
    )
    yield* failing("Cannot publish", Socket.awaitPeers(pub, subscribers))
    const seconds = yield* timed(publish(pub, publication))
    yield* Effect.ignore(Socket.drain(pub))
    over.done = true
    const found = yield* Effect.forEach(heard, Fiber.join)
    const sum = (key: keyof Found) => found.reduce((sum, one) => sum + one[key], 0)
    return {
      mode: "pubdrop",
      seconds,
      size,
      count,
      subscribers,
      received: sum("received"),
      errors: sum("errors"),
      dropped: sum("dropped"),
      gaps: sum("gaps")
    }
  })
