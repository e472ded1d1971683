/** When a dialer dials, to the millisecond, over ten minutes in which it mostly fails. */
import { describe, expect } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as Dialer from "effect-nng/Dialer"
import * as Errors from "effect-nng/Errors"
import * as Pair0 from "effect-nng/Pair0"
import * as Socket from "effect-nng/Socket"
import * as TestTransport from "effect-nng/TestTransport"
import { eventsOf, simulated, url } from "../support/simulation.js"

const tenMinutes = 600_000

/** The same numbers each time, and an end to them: who did not wait in between would dial for ever. */
const seeded = (): Random.Random => {
  const random = Random.make("redial")
  let left = 5000
  return Object.assign(Object.create(random) as Random.Random, {
    nextIntBetween: (min: number, max: number) =>
      Effect.suspend(() => (left-- > 0 ? random.nextIntBetween(min, max) : Effect.dieMessage("dialed too often")))
  })
}

/** When it was dialed, from some time on. */
const dialsSince = (start: number): Effect.Effect<ReadonlyArray<number>, never, TestTransport.Network> =>
  Effect.map(eventsOf("Dialing"), (events) => events.map(({ at }) => at).filter((at) => at >= start))

/** The times of libnng's back-off: each wait below a bound, which doubles up to the maximum if there is one. */
const backoff = (
  random: Random.Random,
  from: number,
  until: number,
  { max, min }: { readonly min: number; readonly max: number }
): Effect.Effect<ReadonlyArray<number>> =>
  Effect.gen(function* () {
    const times: Array<number> = []
    let bound = min
    for (let at = from; ;) {
      at += yield* random.nextIntBetween(0, bound)
      times.push(at)
      if (at >= until) return times
      if (max > 0) bound = Math.min(2 * bound, max)
    }
  })

const gaps = (times: ReadonlyArray<number>): ReadonlyArray<number> => times.slice(1).map((at, n) => at - times[n]!)

const closePipes = (socket: Socket.Socket) =>
  Effect.flatMap(Socket.pipes(socket).get, (pipes) => Effect.forEach(pipes, (pipe) => pipe.close, { discard: true }))

const isConnected = (dialer: Dialer.Dialer) => Effect.map(dialer.state, ({ _tag }) => _tag === "Connected")

describe("a dialer that is refused", () => {
  for (const [min, max] of [
    [2000, 0],
    [100, 5000],
    [10, 60_000],
    [300, 2000],
    // a maximum below the minimum holds from the second wait on
    [10_000, 2000]
  ] as const) {
    simulated(`dials again within ${min} ms, and at most ${max}`, () =>
      Effect.gen(function* () {
        const socket = yield* Pair0.make({ reconnectMin: min, reconnectMax: max })
        yield* Socket.dial(socket, url, { nonblocking: true })
        yield* Effect.sleep(tenMinutes)
        const times = yield* dialsSince(0)
        const expected = yield* backoff(Random.make("redial"), 0, tenMinutes, { min, max })
        // the last of these is yet to come
        expect(times).toEqual([0, ...expected.slice(0, -1)])
        // of the model itself: it grows, and stops growing
        const largest = Math.max(...gaps(times))
        expect(largest).toBeLessThan(Math.max(min, max))
        expect(largest).toBeGreaterThan(Math.max(min, max) / 2)
      }).pipe(Effect.withRandom(seeded()))
    )
  }

  simulated("dials again at once if the minimum is 0, and time does not pass", () =>
    Effect.gen(function* () {
      const dials = 200
      for (let n = 0; n < dials; n++) {
        yield* TestTransport.failNextDial(TestTransport.everywhere, new Errors.ECONNREFUSED())
      }
      yield* Socket.listen(yield* Pair0.make(), url)
      const socket = yield* Pair0.make({ reconnectMin: 0 })
      yield* Socket.dial(socket, url, { nonblocking: true })
      yield* Socket.awaitPeers(socket, 1)
      expect(yield* dialsSince(0)).toEqual(Array<number>(dials + 1).fill(0))
    })
  )

  simulated("counts its wait from the end of an attempt, however long that took", () =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make({ reconnectMin: 10_000 })
      const dialer = yield* Dialer.make(socket, url)
      yield* TestTransport.blackHole(TestTransport.everywhere)
      yield* Dialer.start(dialer, { nonblocking: true })
      yield* Effect.sleep(tenMinutes)
      const random = Random.make("redial")
      const expected = [0]
      for (let at = 0; ;) {
        // nobody answers, for as long as Linux waits
        at += 127_000 + (yield* random.nextIntBetween(0, 10_000))
        if (at > tenMinutes) break
        expected.push(at)
      }
      expect(yield* dialsSince(0)).toEqual(expected)
      expect((yield* dialer.statistics).failures).toEqual({ NNG_ETIMEDOUT: expected.length - 1 })
    }).pipe(Effect.withRandom(seeded()))
  )

  simulated("and then closed, dials no more", () =>
    Effect.gen(function* () {
      const dialer = yield* Socket.dial(yield* Pair0.make(), url, { nonblocking: true, reconnectMin: 10 })
      yield* Effect.sleep(1000)
      yield* dialer.close
      const closed = yield* Clock.currentTimeMillis
      yield* Effect.sleep(tenMinutes)
      expect(yield* dialsSince(closed + 1)).toEqual([])
    }).pipe(Effect.withRandom(seeded()))
  )
})

describe("a dialer whose connection is lost", () => {
  const min = 100
  const max = 10_000

  simulated("starts with the minimum each time, and dials until it is connected", () =>
    Effect.gen(function* () {
      const random = Random.make("redial")
      yield* Socket.listen(yield* Pair0.make(), url)
      const socket = yield* Pair0.make({ reconnectMin: min, reconnectMax: max })
      const dialer = yield* Socket.dial(socket, url)
      for (const away of [1, 150_000, 40, 300_000, 100_000]) {
        yield* Effect.sleep("10 seconds")
        yield* TestTransport.refuse(url)
        yield* TestTransport.reset(url)
        const lost = yield* Clock.currentTimeMillis
        // half a millisecond, so that no attempt is made in the same instant
        yield* Effect.sleep(away + 0.5)
        expect(yield* isConnected(dialer)).toBe(false)
        yield* TestTransport.heal()
        yield* Socket.awaitPeers(socket, 1)
        const expected = yield* backoff(random, lost, lost + away + 0.5, { min, max })
        expect(yield* dialsSince(lost)).toEqual(expected)
        expect(yield* Clock.currentTimeMillis).toBe(expected.at(-1))
      }
      expect((yield* dialer.statistics).connects).toBe(6)
    }).pipe(Effect.withRandom(seeded()))
  )

  for (const [how, lose] of [
    ["closed by the peer", (peer: Pair0.Pair0) => closePipes(peer)],
    ["closed here", (_: Pair0.Pair0, own: Pair0.Pair0) => closePipes(own)],
    ["reset", () => TestTransport.reset(url)],
    ["ended in the middle of a message", () => TestTransport.truncate(url, 3)]
  ] as const) {
    simulated(`dials again when it was ${how}`, () =>
      Effect.gen(function* () {
        const peer = yield* Pair0.make({ recvBuffer: 10 })
        yield* Socket.listen(peer, url)
        const own = yield* Pair0.make({ reconnectMin: 1000 })
        const dialer = yield* Socket.dial(own, url)
        yield* Effect.sleep("1 minute")
        const lost = yield* Clock.currentTimeMillis
        yield* lose(peer, own)
        yield* Effect.ignore(Socket.send(own, "cut off", { timeout: 0 }))
        yield* Effect.ignore(Socket.send(peer, "cut off", { timeout: 0 }))
        // what is done to a way holds for those to come
        yield* Effect.sleep(0)
        yield* TestTransport.heal()
        yield* Effect.sleep("1 minute")
        const wait = yield* Random.make("redial").nextIntBetween(0, 1000)
        expect(yield* dialsSince(lost)).toEqual([lost + wait])
        expect(yield* dialer.statistics).toMatchObject({ connects: 2, pipes: 1 })
      }).pipe(Effect.withRandom(seeded()))
    )
  }
})

describe("a Schedule of one's own", () => {
  simulated("says when, and is begun anew after a connection", () =>
    Effect.gen(function* () {
      yield* TestTransport.refuse(TestTransport.everywhere)
      const socket = yield* Pair0.make({ reconnectMin: 1, reconnectMax: 7 })
      const dialer = yield* Socket.dial(socket, url, {
        nonblocking: true,
        reconnect: Schedule.intersect(Schedule.exponential("100 millis"), Schedule.recurs(100))
      })
      const doubling = Array.from({ length: 13 }, (_, n) => 100 * (2 ** n - 1))
      yield* Effect.sleep(tenMinutes)
      expect(yield* dialsSince(0)).toEqual(doubling)
      yield* Socket.listen(yield* Pair0.make(), url)
      yield* TestTransport.heal()
      yield* Socket.awaitPeers(socket, 1)
      expect(yield* Clock.currentTimeMillis).toBe(100 * (2 ** 13 - 1))
      yield* TestTransport.refuse(url)
      yield* TestTransport.reset(url)
      const lost = yield* Clock.currentTimeMillis
      yield* Effect.sleep(tenMinutes)
      expect(yield* dialsSince(lost + 1)).toEqual(doubling.slice(1).map((after) => lost + after))
      expect(yield* isConnected(dialer)).toBe(false)
    })
  )

  simulated("that ends, ends the dialing; started again, it is begun anew", () =>
    Effect.gen(function* () {
      const dialer = yield* Dialer.make(yield* Pair0.make(), url, {
        reconnect: Schedule.intersect(Schedule.spaced("30 seconds"), Schedule.recurs(5))
      })
      for (let round = 0; round < 2; round++) {
        const start = yield* Clock.currentTimeMillis
        yield* Dialer.start(dialer, { nonblocking: true })
        yield* Effect.sleep(tenMinutes)
        expect(yield* dialsSince(start)).toEqual([0, 30, 60, 90, 120, 150].map((seconds) => start + seconds * 1000))
        expect(yield* dialer.state).toEqual({ _tag: "Idle" })
        yield* Effect.sleep(1)
      }
    })
  )

  simulated("that ends after a connection leaves the dialer to be started again", () =>
    Effect.gen(function* () {
      yield* Socket.listen(yield* Pair0.make(), url)
      const socket = yield* Pair0.make()
      const dialer = yield* Socket.dial(socket, url, { reconnect: Schedule.stop })
      yield* TestTransport.reset(url)
      yield* Effect.sleep(tenMinutes)
      expect(yield* dialsSince(1)).toEqual([])
      expect(yield* dialer.state).toEqual({ _tag: "Idle" })
      yield* Dialer.start(dialer)
      expect(yield* isConnected(dialer)).toBe(true)
    })
  )
})
