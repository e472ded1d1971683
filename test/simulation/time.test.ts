import { afterEach, describe, expect, it, vi } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Dialer from "effect-nng/Dialer"
import * as Pair0 from "effect-nng/Pair0"
import * as Socket from "effect-nng/Socket"
import { SimulatedTime } from "../../src/internal/simulation/time.js"
import { turn } from "../support/handles.js"
import { yields } from "../support/sockets.js"
import { eventsOf, onNetwork, simulated, timing } from "../support/simulation.js"

const now = Clock.currentTimeMillis

afterEach(() => {
  vi.restoreAllMocks()
})

describe("sleepers", () => {
  simulated("of one instant wake together, in the order in which they lay down", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const sleeper = (name: string, ...naps: ReadonlyArray<number>) =>
        Effect.gen(function* () {
          for (const nap of naps) yield* Effect.sleep(nap)
          log.push(`${name} ${yield* now}`)
          yield* yields(10)
          log.push(`${name} again ${yield* now}`)
        })
      const fibers = [sleeper("a", 10), sleeper("b", 5, 5), sleeper("c", 10), sleeper("d", 7), sleeper("e", 10)]
      yield* Effect.all(fibers, { concurrency: "unbounded" })
      expect(log).toEqual([
        ...["d 7", "d again 7"],
        // b lay down for it last
        ...["a 10", "c 10", "e 10", "b 10"],
        ...["a again 10", "c again 10", "e again 10", "b again 10"]
      ])
    })
  )

  simulated("of no time at all let those who are ready go first", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const fiber = yield* Effect.fork(Effect.andThen(yields(5000), () => log.push("ready")))
      yield* Effect.sleep(0)
      log.push(`slept until ${yield* now}`)
      yield* Fiber.join(fiber)
      expect(log).toEqual(["ready", "slept until 0"])
    })
  )

  simulated("that begin while their instant lasts are woken in it", () =>
    Effect.gen(function* () {
      yield* Effect.sleep(3)
      const [, zero] = yield* timing(Effect.all([Effect.sleep(0), Effect.sleep(0)], { concurrency: 2 }))
      expect([zero, yield* now]).toEqual([0, 3])
    })
  )

  simulated("for ever do not keep time from going on, nor does time wake them", () =>
    Effect.gen(function* () {
      const forever = yield* Effect.fork(Effect.sleep(Duration.infinity))
      yield* Effect.sleep("3650 days")
      expect(forever.unsafePoll()).toBeNull()
      expect(Exit.isInterrupted(yield* Fiber.interrupt(forever))).toBe(true)
    })
  )

  simulated("that are interrupted are not waited for", () =>
    Effect.gen(function* () {
      const late = yield* Effect.fork(Effect.sleep("1 hour"))
      const early = yield* Effect.fork(Effect.sleep(1))
      yield* yields(3)
      yield* Fiber.interrupt(early)
      yield* Effect.sleep("2 seconds")
      expect(yield* now).toBe(2000)
      yield* Fiber.join(late)
      expect(yield* now).toBe(3_600_000)
    })
  )

  it.effect("that are interrupted let time stand still", () =>
    onNetwork(
      Effect.gen(function* () {
        const fiber = yield* Effect.fork(Effect.sleep("1 hour"))
        yield* yields(3)
        yield* Fiber.interrupt(fiber)
        for (let i = 0; i < 3; i++) yield* turn
        expect(yield* now).toBe(0)
      })
    )
  )

  simulated("of fractions of a millisecond wake at theirs", () =>
    Effect.gen(function* () {
      yield* Effect.sleep(Duration.micros(250n))
      expect(yield* now).toBe(0.25)
      expect(yield* Clock.currentTimeNanos).toBe(250_000n)
      yield* Effect.sleep(Duration.nanos(1n))
      expect(yield* Clock.currentTimeNanos).toBe(250_001n)
    })
  )

  simulated("many thousands of one instant are one turn of the event loop", () =>
    Effect.gen(function* () {
      const turns = vi.spyOn(globalThis, "setImmediate")
      yield* Effect.forEach(
        Array.from({ length: 5000 }),
        () => Effect.sleep("1 minute").pipe(Effect.zipRight(Effect.sleep("1 minute"))),
        { concurrency: "unbounded", discard: true }
      )
      expect(yield* now).toBe(120_000)
      expect(turns.mock.calls.length).toBeLessThan(10)
    })
  )
})

describe("time stands still", () => {
  /** Somebody waits for the next instant, and must not have been woken when it ends. */
  const still = <E>(title: string, busy: () => Effect.Effect<unknown, E, Scope.Scope>): void =>
    simulated(title, () =>
      Effect.gen(function* () {
        yield* Effect.sleep(1)
        const alarm = yield* Effect.forkScoped(Effect.sleep(Duration.nanos(1000n)))
        yield* yields(2)
        yield* busy()
        expect(yield* now).toBe(1)
        expect(alarm.unsafePoll()).toBeNull()
        yield* Fiber.join(alarm)
        expect(yield* Clock.currentTimeNanos).toBe(1_001_000n)
      })
    )

  still("while a fiber yields, however often", () => yields(250_000))

  still("while a fiber has more to do than it may without a yield", () =>
    Effect.iterate(0, { while: (i) => i < 10_000, body: (i) => Effect.succeed(i + 1) })
  )

  still("while fibers fork fibers", () =>
    Effect.gen(function* () {
      const fork = (depth: number): Effect.Effect<number> =>
        depth === 0
          ? Effect.as(Effect.yieldNow(), 1)
          : Effect.flatMap(Effect.all([Effect.fork(fork(depth - 1)), Effect.fork(fork(depth - 1))]), ([a, b]) =>
              Effect.zipWith(Fiber.join(a), Fiber.join(b), (a, b) => a + b)
            )
      expect(yield* fork(8)).toBe(256)
    })
  )

  still("while something is handed from fiber to fiber", () =>
    Effect.gen(function* () {
      const links = yield* Effect.forEach(Array.from({ length: 3000 }), () => Deferred.make<number>())
      for (const [i, link] of links.entries()) {
        const next = links[i + 1]
        if (next !== undefined) {
          yield* Effect.forkScoped(Effect.flatMap(Deferred.await(link), (n) => Deferred.succeed(next, n + 1)))
        }
      }
      yield* Deferred.succeed(links[0]!, 0)
      expect(yield* Deferred.await(links.at(-1)!)).toBe(2999)
    })
  )

  still("while promises resolve one another", () =>
    Effect.promise(async () => {
      for (let i = 0; i < 20_000; i++) await Promise.resolve(i)
    })
  )

  still("while promises and fibers take turns", () =>
    Effect.repeatN(
      Effect.zipRight(
        Effect.promise(() => Promise.resolve()),
        Effect.yieldNow()
      ),
      3000
    )
  )

  simulated("but goes on while somebody waits for the event loop, as it is told in the manual", () =>
    Effect.gen(function* () {
      const alarm = yield* Effect.fork(Effect.sleep("1 hour"))
      yield* yields(2)
      yield* turn
      expect(yield* now).toBe(3_600_000)
      yield* Fiber.join(alarm)
    })
  )

  simulated("and the event loop turns all the same, for whoever ends a test that never does", () =>
    Effect.gen(function* () {
      let turned = false
      setImmediate(() => {
        turned = true
      })
      while (!turned) yield* Effect.yieldNow()
      expect(yield* now).toBe(0)
    })
  )
})

describe("what is built on it", () => {
  simulated("Clock", () =>
    Effect.gen(function* () {
      expect([yield* now, yield* Clock.currentTimeNanos]).toEqual([0, 0n])
      yield* Effect.sleep("90 seconds")
      expect([yield* now, yield* Clock.currentTimeNanos]).toEqual([90_000, 90_000_000_000n])
      const clock = yield* Effect.clock
      expect([clock.unsafeCurrentTimeMillis(), clock.unsafeCurrentTimeNanos()]).toEqual([90_000, 90_000_000_000n])
    })
  )

  simulated("Effect.timeout, delay and repeat", () =>
    Effect.gen(function* () {
      const [late, took] = yield* timing(Effect.timeoutOption(Effect.never, "10 minutes"))
      expect([late, took]).toEqual([Option.none(), 600_000])
      const [early, little] = yield* timing(Effect.timeoutOption(Effect.delay(Effect.succeed("here"), 999), 1000))
      expect([early, little]).toEqual([Option.some("here"), 999])
      const times: Array<number> = []
      yield* Effect.repeat(
        Effect.tap(now, (at) => times.push(at - 600_999)),
        Schedule.intersect(Schedule.exponential(100), Schedule.recurs(4))
      )
      expect(times).toEqual([0, 100, 300, 700, 1500])
    })
  )

  simulated("Stream.schedule and throttles", () =>
    Effect.gen(function* () {
      const times = yield* Stream.range(1, 5).pipe(
        Stream.schedule(Schedule.spaced("1 minute")),
        Stream.mapEffect((i) => Effect.map(now, (at) => [i, at])),
        Stream.runCollect
      )
      expect(Array.from(times)).toEqual([1, 2, 3, 4, 5].map((i) => [i, i * 60_000]))
    })
  )

  it.effect("is gone with the layer, and the clock before is back", () =>
    Effect.gen(function* () {
      const before = yield* Effect.clock
      const during = yield* onNetwork(Effect.zipRight(Effect.sleep("1 day"), Effect.clock))
      expect(during).not.toBe(before)
      expect(yield* Effect.clock).toBe(before)
      expect(yield* now).toBe(0)
    })
  )
})

describe("the end of the layer", () => {
  it.live("leaves no turn of the event loop asked for", () =>
    Effect.gen(function* () {
      yield* onNetwork(Effect.zipRight(Effect.forkScoped(Effect.sleep("1 hour")), yields(3)))
      // one that was asked for before may still come, and asks for none
      yield* turn
      const turns = vi.spyOn(globalThis, "setImmediate")
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 5)))
      expect(turns).not.toHaveBeenCalled()
    })
  )

  it.live("leaves a turn that was asked for undone", () =>
    Effect.gen(function* () {
      const time = new SimulatedTime()
      let fired = 0
      time.after(1, () => fired++)
      const cancel = time.after(2, () => fired++)
      const asked = vi.spyOn(globalThis, "clearImmediate")
      time.close()
      time.close()
      expect(asked).toHaveBeenCalledTimes(1)
      cancel()
      yield* turn
      yield* turn
      expect([fired, time.unsafeCurrentTimeMillis()]).toEqual([0, 0])
      // nor does it come back with what is asked for later
      time.after(3, () => (fired += 10))
      yield* turn
      expect([fired, time.unsafeCurrentTimeMillis()]).toEqual([10, 3])
    })
  )

  it.effect("runs the finalizers of what was on it in its time", () =>
    Effect.gen(function* () {
      const log: Array<number> = []
      yield* onNetwork(
        Effect.gen(function* () {
          yield* Effect.addFinalizer(() =>
            Effect.flatMap(timing(Effect.sleep("1 hour")), ([, took]) => Effect.sync(() => void log.push(took)))
          )
        })
      )
      expect(log).toEqual([3_600_000])
    })
  )

  it.effect("ends every fiber of a scope that dials in vain", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const ended: Array<string> = []
      yield* onNetwork(
        Effect.gen(function* () {
          const socket = yield* Scope.extend(Pair0.make(), scope)
          yield* Scope.extend(Socket.dial(socket, "tcp://10.0.0.1:1", { nonblocking: true }), scope)
          yield* Effect.forkIn(
            Effect.onExit(Effect.ignore(Socket.recv(socket)), () => Effect.sync(() => void ended.push("recv"))),
            scope
          )
          yield* Effect.sleep("1 minute")
          yield* Scope.close(scope, Exit.void)
        })
      )
      expect(ended).toEqual(["recv"])
    })
  )
})

describe("redials where nobody listens", () => {
  const nowhere: string = "tcp://10.0.0.1:5555"

  const dialsFor = (time: Duration.DurationInput, options?: Dialer.Options) =>
    Effect.gen(function* () {
      const [timers, turns] = [vi.spyOn(globalThis, "setTimeout"), vi.spyOn(globalThis, "setImmediate")]
      const socket = yield* Pair0.make()
      const dialer = yield* Dialer.make(socket, nowhere, options)
      const waits: Array<number> = []
      yield* Effect.forkScoped(
        Stream.runForEach(Dialer.events(dialer), (event) =>
          Effect.sync(() => {
            if (event._tag === "Failed")
              waits.push(Option.match(event.next, { onNone: () => -1, onSome: Duration.toMillis }))
          })
        )
      )
      yield* Effect.yieldNow()
      yield* Dialer.start(dialer, { nonblocking: true })
      yield* Effect.sleep(time)
      const dials = (yield* eventsOf("Dialing")).map(({ at }) => at)
      const failed = (yield* eventsOf("DialFailed")).map(({ at }) => at)
      return { dials, failed, waits, timers: timers.mock.calls.length, turns: turns.mock.calls.length }
    })

  simulated("come at the times that the schedule says", () =>
    Effect.gen(function* () {
      const { dials, failed, timers } = yield* dialsFor(Duration.millis(599_999), {
        reconnect: Schedule.spaced("1 second")
      })
      expect(dials).toEqual(Array.from({ length: 600 }, (_, i) => i * 1000))
      expect(failed).toEqual(dials)
      expect(timers).toBe(0)
    })
  )

  simulated("come at the times that the default back-off says, for ten minutes", () =>
    Effect.gen(function* () {
      const { dials, timers, turns, waits } = yield* dialsFor("10 minutes")
      const times = waits.reduce((all, wait) => [...all, all.at(-1)! + wait], [0])
      // the last wait was for a time that has not come
      expect(dials).toEqual(times.slice(0, -1))
      expect(times.at(-1)).toBeGreaterThan(600_000)
      expect(dials.length).toBeGreaterThan(1000)
      expect(dials.length).toBeLessThan(1500)
      expect(Math.min(...waits)).toBeGreaterThanOrEqual(0)
      expect(Math.max(...waits)).toBeLessThan(1000)
      // nothing sleeps in real time, and an instant costs few turns of the event loop
      expect(timers).toBe(0)
      expect(turns).toBeLessThan(3 * dials.length)
    })
  )

  simulated(
    "of an hour are some thousands",
    () =>
      Effect.gen(function* () {
        const { dials, timers, turns } = yield* dialsFor("1 hour", {
          reconnectMin: "1 second",
          reconnectMax: "10 seconds"
        })
        // 5 seconds each in the mean
        expect(dials.length).toBeGreaterThan(600)
        expect(dials.length).toBeLessThan(900)
        expect(dials.at(-1)).toBeGreaterThan(3_580_000)
        expect([timers, turns < 3 * dials.length]).toEqual([0, true])
      }),
    { historySize: 20_000 }
  )

  it.effect("are the same for the same seed", () =>
    Effect.gen(function* () {
      const times = (seed: number) =>
        onNetwork(
          Effect.map(dialsFor("1 minute"), ({ dials }) => dials),
          { seed }
        )
      const first = yield* times(7)
      expect(yield* times(7)).toEqual(first)
      expect(yield* times(8)).not.toEqual(first)
    })
  )
})
