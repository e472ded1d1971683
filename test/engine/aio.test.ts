import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { inspect } from "node:util"
import * as Aio from "effect-nng/Aio"
import * as Errors from "effect-nng/Errors"
import * as Message from "effect-nng/Message"
import { counted, failure, Hand } from "../support/aios.js"
import { begin, ended, failing, interruptedAfter, settle } from "../support/sockets.js"

describe("an aio", () => {
  it.scoped("[AIO-27] that is idle has no result, is not busy, and is not waited for", () =>
    Effect.gen(function* () {
      const aio = yield* Aio.make()
      yield* Aio.wait(aio)
      expect(yield* Aio.busy(aio)).toBe(false)
      expect(yield* Aio.result(aio)).toEqual(Option.none())
      expect([Aio.isAio(aio), Aio.isAio({}), Aio.isAio(undefined)]).toEqual([true, false, false])
    })
  )

  it.scoped("[AIO-01, AIO-17] is busy until its operation and its callback have ended", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const aio = yield* Aio.make({ callback: () => Deferred.await(gate) })
      const pending = yield* Aio.start(aio, Effect.as(Effect.sleep(200), "slept"))
      const waiting = yield* begin(Aio.wait(aio))
      yield* TestClock.adjust(199)
      expect([yield* Aio.busy(aio), yield* Aio.result(aio)]).toEqual([true, Option.none()])
      yield* TestClock.adjust(1)
      expect(yield* pending).toBe("slept")
      expect([yield* Aio.busy(aio), yield* ended(waiting)]).toEqual([true, false])
      yield* Deferred.succeed(gate, void 0)
      yield* Fiber.join(waiting)
      expect([yield* Aio.busy(aio), yield* Aio.result(aio)]).toEqual([false, Option.some(Exit.succeed("slept"))])
    })
  )

  it.scoped("[AIO-02] ends an operation that takes too long with NNG_ETIMEDOUT, after its time-out", () =>
    Effect.gen(function* () {
      const { aio, results } = yield* counted({ timeout: 100 })
      const pending = yield* Aio.start(aio, Effect.sleep(2000))
      yield* TestClock.adjust(99)
      expect(results).toEqual([])
      yield* TestClock.adjust(1)
      yield* failing(pending, "NNG_ETIMEDOUT")
      yield* Aio.wait(aio)
      expect(results).toMatchObject([failure("NNG_ETIMEDOUT")])
    })
  )

  it.scoped("[AIO-03] lets one that is in time succeed", () =>
    Effect.gen(function* () {
      const { aio, results } = yield* counted({ timeout: 500 })
      yield* Aio.start(aio, Effect.sleep(20))
      yield* TestClock.adjust(20)
      yield* Aio.wait(aio)
      yield* TestClock.adjust(1000)
      expect(results).toEqual([Exit.void])
    })
  )

  it.scoped("[AIO-12] may be given another time-out, for operations started from then on", () =>
    Effect.gen(function* () {
      const { aio, results } = yield* counted()
      yield* Aio.setTimeout(aio, 40)
      yield* Aio.start(aio, Effect.never)
      yield* aio.pipe(Aio.setTimeout("1 hour"))
      yield* settle
      yield* TestClock.adjust(40)
      expect([results.length, yield* Aio.busy(aio)]).toEqual([1, false])
      yield* Aio.start(aio, Effect.never)
      yield* settle
      yield* TestClock.adjust("59 minutes")
      expect([results.length, yield* Aio.busy(aio)]).toEqual([1, true])
    })
  )

  it.scoped("[AIO-07, AIO-16] that is cancelled interrupts its operation, once, and ends with NNG_ECANCELED", () =>
    Effect.gen(function* () {
      let interrupted = 0
      const { aio, results } = yield* counted()
      const operation = Effect.onInterrupt(Effect.never, () => Effect.sync(() => void interrupted++))
      const pending = yield* Aio.start(aio, operation)
      yield* settle
      yield* Aio.cancel(aio)
      yield* Aio.cancel(aio)
      yield* Aio.wait(aio)
      yield* failing(pending, "NNG_ECANCELED")
      expect(interrupted).toBe(1)
      expect(results).toMatchObject([failure("NNG_ECANCELED")])
    })
  )

  it.scoped("cancelled before its operation has taken a step tells its result all the same", () =>
    Effect.gen(function* () {
      let begun = false
      const { aio, results } = yield* counted()
      const pending = yield* Aio.start(
        aio,
        Effect.sync(() => void (begun = true))
      )
      yield* Aio.cancel(aio)
      yield* failing(pending, "NNG_ECANCELED")
      yield* Aio.wait(aio)
      expect([begun, results.length]).toEqual([false, 1])
    })
  )

  it.scoped("[AIO-22] that is aborted ends with that very error, and only the first counts", () =>
    Effect.gen(function* () {
      const aio = yield* Aio.make()
      const error = new Errors.EPROTO({ reason: "because" })
      yield* Aio.start(aio, Effect.never)
      yield* settle
      yield* Aio.abort(aio, error)
      yield* aio.pipe(Aio.abort(new Errors.ESTATE()))
      yield* Aio.wait(aio)
      expect(yield* Aio.result(aio)).toEqual(Option.some(Exit.fail(error)))
    })
  )

  it.scoped("[AIO-21] that is idle is not touched by an abort", () =>
    Effect.gen(function* () {
      const { aio, results } = yield* counted()
      yield* Aio.abort(aio, new Errors.EPROTO())
      yield* Aio.start(aio, Effect.succeed(1))
      yield* Aio.wait(aio)
      yield* Aio.cancel(aio)
      expect(results).toEqual([Exit.succeed(1)])
      expect(yield* Aio.result(aio)).toEqual(Option.some(Exit.succeed(1)))
    })
  )

  it.scoped("[AIO-18, AIO-20] that is stopped ends its operation with NNG_ESTOPPED, and every later one", () =>
    Effect.gen(function* () {
      const { aio, results } = yield* counted()
      yield* Aio.start(aio, Effect.never)
      yield* settle
      yield* Aio.stop(aio)
      expect(results).toMatchObject([failure("NNG_ESTOPPED")])
      let begun = false
      const pending = yield* Aio.start(
        aio,
        Effect.sync(() => void (begun = true))
      )
      yield* failing(pending, "NNG_ESTOPPED")
      yield* Aio.wait(aio)
      expect([begun, results.length]).toEqual([false, 2])
      yield* Aio.stop(aio)
    })
  )

  it.scoped("is stopped by its scope", () =>
    Effect.gen(function* () {
      const { aio, results } = yield* Effect.scoped(
        Effect.gen(function* () {
          const { aio, results } = yield* counted()
          yield* Aio.start(aio, Effect.never)
          yield* settle
          return { aio, results }
        })
      )
      expect(results).toMatchObject([failure("NNG_ESTOPPED")])
      yield* failing(Effect.flatten(Aio.start(aio, Effect.void)), "NNG_ESTOPPED")
    })
  )

  it.scoped("has one operation at a time: another is NNG_EBUSY and changes nothing", () =>
    Effect.gen(function* () {
      const { aio, results } = yield* counted()
      const pending = yield* Aio.start(aio, Effect.delay(Effect.succeed("first"), 10))
      yield* failing(Aio.start(aio, Effect.succeed("second")), "NNG_EBUSY")
      yield* TestClock.adjust(10)
      expect(yield* pending).toBe("first")
      yield* Aio.wait(aio)
      expect(results).toEqual([Exit.succeed("first")])
    })
  )

  it.scoped("[AIO-15] may start the next operation from its callback, and waiting covers that one too", () =>
    Effect.gen(function* () {
      let callbacks = 0
      const aio: Aio.Aio = yield* Aio.make({
        callback: () =>
          Effect.suspend(() =>
            ++callbacks === 3 ? Effect.void : Effect.asVoid(Effect.orDie(Aio.start(aio, Effect.sleep(50))))
          )
      })
      yield* Aio.start(aio, Effect.sleep(100))
      const waiting = yield* begin(Aio.wait(aio))
      for (const [wait, soFar] of [
        [99, 0],
        [1, 1],
        [50, 2],
        [49, 2]
      ] as const) {
        yield* TestClock.adjust(wait)
        expect([callbacks, yield* ended(waiting)]).toEqual([soFar, false])
      }
      yield* TestClock.adjust(1)
      yield* Fiber.join(waiting)
      expect(callbacks).toBe(3)
    })
  )

  it.scoped("outlives a callback that dies, or throws", () =>
    Effect.gen(function* () {
      const callbacks: ReadonlyArray<() => Effect.Effect<void>> = [
        () => Effect.die("boom"),
        () => {
          throw new Error("boom")
        }
      ]
      for (const callback of callbacks) {
        // closing its scope would wait for ever if this went wrong
        const aio = yield* Scope.extend(Aio.make({ callback }), yield* Scope.make())
        const pending = yield* Aio.start(aio, Effect.succeed(1))
        expect(yield* pending).toBe(1)
        const waiting = yield* begin(Aio.wait(aio))
        expect(yield* ended(waiting)).toBe(true)
        expect(yield* Aio.busy(aio)).toBe(false)
      }
    })
  )

  it.scoped("tells a defect of its operation as it is", () =>
    Effect.gen(function* () {
      const { aio, results } = yield* counted()
      const pending = yield* Aio.start(aio, Effect.die("a bug"))
      const exit = yield* Effect.exit(pending)
      expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toBe("a bug")
      yield* Aio.wait(aio)
      expect(results).toEqual([Exit.die("a bug")])
    })
  )

  it.scoped("outlives the fiber that started its operation, and who only waits may be interrupted", () =>
    Effect.gen(function* () {
      const { aio, results } = yield* counted()
      const starter = yield* begin(Effect.flatMap(Aio.start(aio, Effect.delay(Effect.succeed(1), 10)), (p) => p))
      const waiter = yield* begin(Aio.wait(aio))
      yield* Fiber.interrupt(starter)
      yield* Fiber.interrupt(waiter)
      yield* TestClock.adjust(10)
      yield* Aio.wait(aio)
      expect(results).toEqual([Exit.succeed(1)])
    })
  )

  it.scoped("whose start is interrupted at any step is idle, or has a result", () =>
    Effect.gen(function* () {
      for (let steps = 0; steps < 60; steps++) {
        const { aio, results } = yield* Scope.extend(counted(), yield* Scope.make())
        yield* interruptedAfter(Aio.start(aio, Effect.void), steps)
        const waiting = yield* begin(Aio.wait(aio))
        expect(yield* ended(waiting), `after ${steps} steps`).toBe(true)
        const before = results.length
        yield* Effect.flatten(Aio.start(aio, Effect.succeed(1)))
        yield* Aio.wait(aio)
        expect(results.length).toBe(before + 1)
      }
    })
  )

  it.scoped("shown, tells its state and nothing of its result", () =>
    Effect.gen(function* () {
      const aio = yield* Aio.make()
      yield* Aio.start(aio, Effect.succeed("s3cr3t"))
      yield* Aio.wait(aio)
      for (const text of [JSON.stringify(aio), inspect(aio), String(aio)]) expect(text).not.toContain("s3cr3t")
      expect(JSON.parse(JSON.stringify(aio))).toEqual({ _id: "effect-nng/Aio", state: "Idle", stopped: false })
    })
  )
})

describe("result, count and message", () => {
  it.scoped("are the last operation's from its callback to the next start", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const message = Message.make("hello")
      const look = (aio: Aio.Aio) => Effect.all([Aio.result(aio), Aio.count(aio), Aio.message(aio)])
      const aio: Aio.Aio = yield* Aio.make({
        callback: () => Effect.flatMap(look(aio), (now) => Effect.sync(() => void seen.push(now)))
      })
      const none = [Option.none(), 0, Option.none()]
      expect(yield* look(aio)).toEqual(none)
      yield* Aio.start(aio, Effect.succeed(message))
      yield* Aio.wait(aio)
      const expected = [Option.some(Exit.succeed(message)), 5, Option.some(message)]
      expect([seen, yield* look(aio)]).toEqual([[expected], expected])
      yield* Aio.start(aio, Effect.never)
      expect(yield* look(aio)).toEqual(none)
    })
  )

  it.scoped("[AIO-28] are forgotten by the next operation, which keeps the time-out", () =>
    Effect.gen(function* () {
      const { aio, results } = yield* counted({ timeout: 30 })
      const hand = new Hand()
      yield* Aio.start(aio, hand.operation)
      hand.last.finish(Exit.fail("mine"), { count: 7, message: Message.make("kept") })
      yield* Aio.wait(aio)
      expect([yield* Aio.count(aio), Option.map(yield* Aio.message(aio), Message.text)]).toEqual([
        7,
        Option.some("kept")
      ])
      yield* Aio.start(aio, hand.operation)
      yield* TestClock.adjust(30)
      expect(results).toMatchObject([Exit.fail("mine"), failure("NNG_ETIMEDOUT")])
      expect([yield* Aio.count(aio), yield* Aio.message(aio)]).toEqual([0, Option.none()])
    })
  )

  it.scoped("are the provider's to say, where it does", () =>
    Effect.gen(function* () {
      const aio = yield* Aio.make()
      const [message, other] = [Message.make("message"), Message.make("other")]
      const hand = new Hand<Message.Message>()
      for (const [details, count, kept] of [
        [{}, 7, message],
        [{ count: 3 }, 3, message],
        [{ message: other }, 7, other]
      ] as const) {
        yield* Aio.start(aio, hand.operation)
        hand.last.finish(Exit.succeed(message), details)
        expect([yield* Aio.count(aio), yield* Aio.message(aio)]).toEqual([count, Option.some(kept)])
      }
    })
  )

  it.scoped("are forgotten by a reset, which is NNG_EBUSY while one is in progress", () =>
    Effect.gen(function* () {
      const { aio } = yield* counted()
      const hand = new Hand<Message.Message>()
      yield* Aio.start(aio, hand.operation)
      yield* failing(Aio.reset(aio), "NNG_EBUSY")
      hand.last.finish(Exit.succeed(Message.make("hello")))
      yield* Aio.reset(aio)
      expect(yield* Aio.result(aio)).toEqual(Option.none())
      expect([yield* Aio.count(aio), yield* Aio.message(aio)]).toEqual([0, Option.none()])
      yield* Aio.wait(aio)
    })
  )
})
