import { describe, expect, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as Aio from "effect-nng/Aio"
import * as Errors from "effect-nng/Errors"
import { counted, failure, Hand } from "../support/aios.js"
import { failing, settle } from "../support/sockets.js"

describe("a sleep", () => {
  it.scoped("[AIO-01] succeeds after its time, and not before", () =>
    Effect.gen(function* () {
      const { aio, results } = yield* counted()
      const pending = yield* Aio.sleep(aio, 200)
      yield* TestClock.adjust(199)
      expect([results.length, yield* Aio.busy(aio)]).toEqual([0, true])
      yield* TestClock.adjust(1)
      yield* pending
      yield* Aio.wait(aio)
      expect([results, yield* Aio.busy(aio)]).toEqual([[Exit.void], false])
    })
  )

  it.scoped("[AIO-02, AIO-03] ends with NNG_ETIMEDOUT if the time-out is shorter, and only then", () =>
    Effect.gen(function* () {
      const { aio, results } = yield* counted({ timeout: 100 })
      yield* aio.pipe(Aio.sleep(101))
      yield* TestClock.adjust(99)
      expect(results).toEqual([])
      yield* TestClock.adjust(1)
      expect(results).toMatchObject([failure("NNG_ETIMEDOUT")])
      yield* Aio.sleep(aio, 100)
      yield* TestClock.adjust(1000)
      expect(results.slice(1)).toEqual([Exit.void])
    })
  )

  it.scoped("[AIO-04] with a time-out of zero succeeds if it is none, and else ends with NNG_ETIMEDOUT at once", () =>
    Effect.gen(function* () {
      const { aio, results } = yield* counted({ timeout: 0 })
      yield* Effect.flatten(Aio.sleep(aio, 0))
      yield* failing(Effect.flatten(Aio.sleep(aio, 1)), "NNG_ETIMEDOUT")
      yield* failing(Effect.flatten(Aio.sleep(aio, Duration.infinity)), "NNG_ETIMEDOUT")
      yield* Aio.wait(aio)
      expect(results).toMatchObject([Exit.void, failure("NNG_ETIMEDOUT"), failure("NNG_ETIMEDOUT")])
    })
  )

  it.scoped("[AIO-16] that is cancelled ends early, and its time then is nobody's", () =>
    Effect.gen(function* () {
      const { aio, results } = yield* counted()
      yield* Aio.sleep(aio, 500)
      yield* TestClock.adjust(150)
      yield* Aio.cancel(aio)
      yield* Aio.wait(aio)
      expect(results).toMatchObject([failure("NNG_ECANCELED")])
      yield* Aio.sleep(aio, 1000)
      yield* TestClock.adjust(999)
      expect(results).toHaveLength(1)
      yield* TestClock.adjust(1)
      expect(results.slice(1)).toEqual([Exit.void])
    })
  )

  it.scoped("may be for ever", () =>
    Effect.gen(function* () {
      const { aio, results } = yield* counted()
      yield* Aio.sleep(aio, Duration.infinity)
      yield* TestClock.adjust("100 days")
      expect(results).toEqual([])
      yield* Aio.abort(aio, new Errors.EINTERNAL())
      yield* Aio.wait(aio)
      expect(results).toMatchObject([failure("NNG_EINTERNAL")])
    })
  )

  it.scoped(
    "[AIO-05] of two thousand, the end of their scope ends all, and each may close its own in the callback",
    () =>
      Effect.gen(function* () {
        const results: Array<Aio.Result> = []
        const shared = yield* Scope.make()
        for (let i = 0; i < 2000; i++) {
          const own = yield* Scope.fork(shared, ExecutionStrategy.sequential)
          const callback = (result: Aio.Result) =>
            Effect.zipRight(
              Effect.sync(() => void results.push(result)),
              Scope.close(own, Exit.void)
            )
          yield* Aio.sleep(yield* Scope.extend(Aio.make({ callback }), own), "1 hour")
        }
        yield* Scope.close(shared, Exit.void)
        expect(results).toHaveLength(2000)
        for (const result of results) expect(result).toMatchObject(failure("NNG_ESTOPPED"))
      })
  )
})

describe("an expiry", () => {
  it.scoped("stands in for the time-out of the next operation, and [AIO-29] of no other", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.UTC(2030, 0))
      const { aio, results } = yield* counted({ timeout: 1000 })
      yield* Aio.setExpire(aio, "2030-01-01T00:00:00.040Z")
      for (const [timeout, n] of [
        [40, 1],
        [1000, 2]
      ] as const) {
        yield* Aio.start(aio, new Hand().operation)
        yield* TestClock.adjust(timeout - 1)
        expect(results).toHaveLength(n - 1)
        yield* TestClock.adjust(1)
        expect(results).toHaveLength(n)
        expect(results[n - 1]).toMatchObject(failure("NNG_ETIMEDOUT"))
      }
    })
  )

  it.scoped("later than the time-out is later", () =>
    Effect.gen(function* () {
      const { aio, results } = yield* counted({ timeout: 10 })
      yield* aio.pipe(Aio.setExpire(DateTime.unsafeMake(50)))
      yield* Aio.start(aio, Effect.never)
      yield* TestClock.adjust(49)
      expect(results).toEqual([])
      yield* TestClock.adjust(1)
      expect(results).toMatchObject([failure("NNG_ETIMEDOUT")])
    })
  )

  it.scoped("[AIO-30] that is past is NNG_ETIMEDOUT at once for what has to wait, and for nothing else", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1000)
      const { aio, results } = yield* counted()
      for (const at of [1000, 999, 0]) {
        yield* Aio.setExpire(aio, at)
        expect(yield* Effect.flatten(Aio.start(aio, Effect.succeed("ready")))).toBe("ready")
        yield* Aio.setExpire(aio, at)
        yield* failing(Effect.flatten(Aio.start(aio, Effect.never)), "NNG_ETIMEDOUT")
        yield* Aio.setExpire(aio, at)
        yield* Aio.start(aio, new Hand().operation)
        expect(yield* Aio.result(aio)).toMatchObject({ value: failure("NNG_ETIMEDOUT") })
      }
      yield* Aio.wait(aio)
      expect(results).toHaveLength(9)
    })
  )

  it.scoped("set while an operation is in progress is for the next", () =>
    Effect.gen(function* () {
      const { aio, results } = yield* counted()
      const hand = new Hand()
      yield* Aio.start(aio, hand.operation)
      yield* Aio.setExpire(aio, 10)
      yield* TestClock.adjust(5)
      hand.last.finish(Exit.succeed(1))
      yield* Aio.wait(aio)
      yield* Aio.start(aio, hand.operation)
      yield* TestClock.adjust(5)
      expect(results).toMatchObject([Exit.succeed(1), failure("NNG_ETIMEDOUT")])
    })
  )

  it.scoped("is a point in time, or NNG_EINVAL", () =>
    Effect.gen(function* () {
      const aio = yield* Aio.make()
      for (const at of [NaN, Infinity, "tomorrow, perhaps", new Date(NaN)])
        yield* failing(Aio.setExpire(aio, at), "NNG_EINVAL")
      expect(yield* Effect.flatten(Aio.start(aio, Effect.succeed(1)))).toBe(1)
    })
  )
})

describe("the time of an operation that has ended", () => {
  const hand = new Hand()
  for (const [name, begin, end] of [
    [
      "its time-out",
      (aio: Aio.Aio) => Effect.zipRight(Aio.setTimeout(aio, 1000), Aio.start(aio, hand.operation)),
      () => Effect.sync(() => hand.last.finish(Exit.succeed(1)))
    ],
    ["its sleep", Aio.sleep(1000), Aio.cancel]
  ] as const)
    it.scoped(`is nobody's: ${name}`, () =>
      Effect.gen(function* () {
        const { aio } = yield* counted()
        for (const at of [0, 10]) {
          yield* TestClock.setTime(at)
          yield* begin(aio)
          yield* settle
          yield* end(aio)
          yield* Aio.wait(aio)
        }
        // the fiber that was to wait for the first finds no second
        yield* TestClock.setTime(1000)
        yield* settle
        expect(Array.from(yield* TestClock.sleeps())).toEqual([])
      })
    )
})
