import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as Aio from "effect-nng/Aio"
import * as Errors from "effect-nng/Errors"
import { counted, failure, Hand } from "../support/aios.js"
import { wherever } from "../support/steps.js"
import { begin, ended, failing, interruptedAfter } from "../support/sockets.js"

describe("a provider", () => {
  it.scoped("[AIO-07] that scheduled an operation is told once of a cancel, and the wait returns", () =>
    Effect.gen(function* () {
      const { aio, results } = yield* counted()
      const hand = new Hand()
      const pending = yield* Aio.start(aio, hand.operation)
      expect(hand.scheduled).toEqual([true])
      const waiting = yield* begin(Aio.wait(aio))
      yield* Aio.cancel(aio)
      yield* Aio.cancel(aio)
      yield* Aio.abort(aio, new Errors.EPROTO())
      yield* Fiber.join(waiting)
      expect(hand.cancelled).toMatchObject([{ _tag: "NNG_ECANCELED" }])
      yield* failing(
        Effect.mapError(pending, (error) => error as Errors.ECANCELED),
        "NNG_ECANCELED"
      )
      expect(results).toMatchObject([failure("NNG_ECANCELED")])
    })
  )

  it.scoped("ends the wait, whichever step of it the runtime has come to", () =>
    Effect.gen(function* () {
      const aio = yield* Aio.make()
      const hand = new Hand()
      const results = wherever(
        () => Effect.runSync(Aio.start(aio, hand.operation)),
        () => Effect.as(Aio.wait(aio), "done"),
        () => true,
        () => hand.last.finish(Exit.succeed(1))
      )
      expect(results).toEqual(results.map(() => "done"))
    })
  )

  it.scoped("may end an operation at once, without being scheduled", () =>
    Effect.gen(function* () {
      const { aio, results } = yield* counted({ timeout: 0 })
      const pending = yield* Aio.start(aio, (task: Aio.Task<string, never>) => void task.finish(Exit.succeed("now")))
      expect(yield* Aio.result(aio)).toEqual(Option.some(Exit.succeed("now")))
      expect(yield* pending).toBe("now")
      yield* Aio.wait(aio)
      expect(results).toEqual([Exit.succeed("now")])
    })
  )

  it.scoped("has callbacks made neither within the start nor within its finish, and results at once", () =>
    Effect.gen(function* () {
      const { aio, results } = yield* counted()
      const hand = new Hand()
      const during: Array<number> = []
      for (const operation of [
        (task: Aio.Task<number, never>) => {
          task.finish(Exit.succeed(1))
          during.push(results.length)
        },
        hand.operation
      ]) {
        const pending = yield* Aio.start(aio, operation)
        const heard = yield* begin(pending)
        if (operation === hand.operation) hand.last.finish(Exit.succeed(2))
        during.push(results.length, heard.unsafePoll() === null ? 0 : 1)
        yield* Aio.wait(aio)
      }
      expect(during).toEqual([0, 1, 1, 1, 0])
      expect(results).toEqual([Exit.succeed(1), Exit.succeed(2)])
    })
  )

  it.scoped("may finish once: only the first end counts, and it is told so", () =>
    Effect.gen(function* () {
      const { aio, results } = yield* counted()
      const hand = new Hand()
      yield* Aio.start(aio, hand.operation)
      const { last } = hand
      expect(last.ended).toBe(false)
      expect(last.finish(Exit.succeed(1), { count: 1 })).toBe(true)
      expect([last.ended, last.finish(Exit.succeed(2), { count: 2 })]).toEqual([true, false])
      yield* Aio.cancel(aio)
      yield* Aio.wait(aio)
      expect([yield* Aio.count(aio), hand.cancelled, results]).toEqual([1, [], [Exit.succeed(1)]])
      // and a late one does not end the next operation
      yield* Aio.start(aio, hand.operation)
      expect([last.finish(Exit.succeed(3)), last.schedule(() => undefined)]).toEqual([false, false])
      expect(yield* Aio.busy(aio)).toBe(true)
      yield* Aio.cancel(aio)
      yield* Aio.wait(aio)
      expect(results).toMatchObject([Exit.succeed(1), failure("NNG_ECANCELED")])
    })
  )

  it.scoped("that is cancelled may finish later, or with what came first", () =>
    Effect.gen(function* () {
      const { aio, results } = yield* counted()
      for (const exit of [Exit.succeed(1), Exit.fail(new Errors.ECANCELED())]) {
        let told: Aio.Task<number, never> | undefined
        yield* Aio.start(aio, (task: Aio.Task<number, never>) => void task.schedule(() => (told = task)))
        yield* Aio.cancel(aio)
        const waiting = yield* begin(Aio.wait(aio))
        expect([yield* ended(waiting), yield* Aio.busy(aio)]).toEqual([false, true])
        expect(told!.finish(exit)).toBe(true)
        yield* Fiber.join(waiting)
      }
      expect(results).toMatchObject([Exit.succeed(1), failure("NNG_ECANCELED")])
    })
  )

  it.scoped(
    "is not told to wait when the operation was aborted since it began, and [AIO-20] stopping comes first",
    () =>
      Effect.gen(function* () {
        const { aio, results } = yield* counted({ timeout: 0 })
        const hand = new Hand()
        const first = yield* Aio.begin<number, string>(aio)
        yield* Aio.abort(aio, new Errors.EPROTO())
        yield* Aio.abort(aio, new Errors.ESTATE())
        expect([first.task.ended, yield* Aio.busy(aio)]).toEqual([false, true])
        hand.schedule(first.task)
        yield* Aio.wait(aio)
        const second = yield* Aio.begin<number, string>(aio)
        yield* Aio.abort(aio, new Errors.EPROTO())
        const stopping = yield* begin(Aio.stop(aio))
        expect(yield* ended(stopping)).toBe(false)
        hand.schedule(second.task)
        yield* Fiber.join(stopping)
        expect([hand.scheduled, hand.cancelled]).toEqual([[false, false], []])
        expect(results).toMatchObject([failure("NNG_EPROTO"), failure("NNG_ESTOPPED")])
        yield* Effect.exit(first.pending)
      })
  )

  it.scoped("may succeed though it was aborted, if it need not be scheduled", () =>
    Effect.gen(function* () {
      const { aio, results } = yield* counted()
      const { pending, task } = yield* Aio.begin<number, never>(aio)
      yield* failing(Aio.begin<number, never>(aio), "NNG_EBUSY")
      yield* Aio.cancel(aio)
      expect(task.finish(Exit.succeed(1))).toBe(true)
      expect(yield* pending).toBe(1)
      yield* Aio.wait(aio)
      // which the next operation does not remember
      const hand = new Hand()
      yield* Aio.start(aio, hand.operation)
      expect([hand.scheduled, results]).toEqual([[true], [Exit.succeed(1)]])
    })
  )

  it.scoped("without time to wait is not told to: NNG_ETIMEDOUT, at once", () =>
    Effect.gen(function* () {
      const { aio, results } = yield* counted({ timeout: 0 })
      const hand = new Hand()
      for (const prepare of [Effect.void, Aio.setTimeout(aio, -5), Aio.setExpire(aio, 0)]) {
        yield* prepare
        yield* Aio.start(aio, hand.operation)
        expect(yield* Aio.result(aio)).toMatchObject({ value: failure("NNG_ETIMEDOUT") })
        yield* Aio.setTimeout(aio, 100)
      }
      yield* Aio.wait(aio)
      expect([hand.scheduled, hand.cancelled, results.length]).toEqual([[false, false, false], [], 3])
    })
  )

  it.scoped("is told of a time-out once, and of none after its end", () =>
    Effect.gen(function* () {
      const { aio, results } = yield* counted({ timeout: 100 })
      const hand = new Hand()
      yield* Aio.start(aio, hand.operation)
      yield* TestClock.adjust(50)
      hand.last.finish(Exit.succeed(1))
      yield* Aio.wait(aio)
      yield* Aio.start(aio, hand.operation)
      yield* TestClock.adjust(99)
      expect(hand.cancelled).toEqual([])
      yield* TestClock.adjust(1)
      expect(hand.cancelled).toMatchObject([{ _tag: "NNG_ETIMEDOUT" }])
      expect(results).toMatchObject([Exit.succeed(1), failure("NNG_ETIMEDOUT")])
    })
  )

  it.scoped("[AIO-18] is not asked by a stopped aio, whose task has ended when it begins", () =>
    Effect.gen(function* () {
      const { aio, results } = yield* counted()
      yield* Aio.stop(aio)
      const hand = new Hand()
      yield* Aio.start(aio, hand.operation)
      yield* Aio.wait(aio)
      const { pending, task } = yield* Aio.begin<number, never>(aio)
      expect([hand.tasks.length, results.length, task.ended]).toEqual([0, 1, true])
      expect([task.schedule(() => undefined), task.finish(Exit.succeed(1))]).toEqual([false, false])
      yield* failing(pending, "NNG_ESTOPPED")
      yield* Aio.wait(aio)
      expect(results).toMatchObject([failure("NNG_ESTOPPED"), failure("NNG_ESTOPPED")])
    })
  )

  it.scoped("that throws, at its beginning or when it is cancelled, has told a defect", () =>
    Effect.gen(function* () {
      const { aio, results } = yield* counted()
      const boom = (): never => {
        throw "boom"
      }
      yield* Aio.start(aio, boom)
      yield* Aio.wait(aio)
      yield* Aio.start(aio, (task: Aio.Task<number, never>) => void task.schedule(boom))
      yield* Aio.cancel(aio)
      yield* Aio.wait(aio)
      yield* Aio.start(aio, (task: Aio.Task<number, never>) => {
        task.finish(Exit.succeed(1))
        boom()
      })
      yield* Aio.wait(aio)
      expect(results).toEqual([Exit.die("boom"), Exit.die("boom"), Exit.succeed(1)])
      const exit = yield* Effect.exit(Aio.toEffect(boom))
      expect(exit).toEqual(Exit.die("boom"))
    })
  )

  it.scoped("may schedule again, with another cancel function", () =>
    Effect.gen(function* () {
      const { aio } = yield* counted({ timeout: 100 })
      const hand = new Hand()
      yield* Aio.start(aio, hand.operation)
      let second = 0
      yield* TestClock.adjust(60)
      expect(hand.last.schedule(() => second++)).toBe(true)
      // its time runs from the first
      yield* TestClock.adjust(39)
      expect(second).toBe(0)
      yield* TestClock.adjust(1)
      expect([hand.cancelled, second]).toEqual([[], 1])
      // who does so after its time is told as if it had not waited before
      expect(hand.last.schedule(() => undefined)).toBe(false)
      yield* Aio.wait(aio)
      expect(yield* Aio.result(aio)).toMatchObject({ value: failure("NNG_ETIMEDOUT") })
    })
  )

  it.scoped("has its aio first or last", () =>
    Effect.gen(function* () {
      const aio = yield* Aio.make()
      const one: Aio.Operation<number, never> = (task) => void task.finish(Exit.succeed(1))
      expect(yield* Effect.flatten(Aio.start(aio, one))).toBe(1)
      expect(yield* Effect.flatten(aio.pipe(Aio.start(one)))).toBe(1)
    })
  )
})

describe("an operation as an effect", () => {
  it.scoped("gives its result, at once or later", () =>
    Effect.gen(function* () {
      const hand = new Hand()
      const effect = Aio.toEffect(hand.operation)
      for (const exit of [Exit.succeed(1), Exit.fail("mine"), Exit.die("bug")]) {
        const waiting = yield* begin(effect)
        expect(yield* ended(waiting)).toBe(false)
        expect(hand.last.finish(exit)).toBe(true)
        expect(yield* Fiber.await(waiting)).toEqual(exit)
        expect(yield* Effect.exit(Aio.toEffect((task: Aio.Task<number, string>) => void task.finish(exit)))).toEqual(
          exit
        )
      }
      expect(hand.tasks).toHaveLength(3)
    })
  )

  it.scoped("interrupted as it waits is cancelled, once, and ends when the provider has ended it", () =>
    Effect.gen(function* () {
      const reasons: Array<Errors.NngError> = []
      let task: Aio.Task<number, never> | undefined
      const fiber = yield* begin(
        Aio.toEffect((it: Aio.Task<number, never>) => {
          task = it
          it.schedule((reason) => reasons.push(reason))
        })
      )
      const interrupting = yield* begin(Fiber.interrupt(fiber))
      fiber.unsafeInterruptAsFork(fiber.id())
      expect(yield* ended(interrupting)).toBe(false)
      expect(reasons).toMatchObject([{ _tag: "NNG_ECANCELED" }])
      task!.finish(Exit.fail(reasons[0]!))
      expect(Exit.isInterrupted(yield* Fiber.join(interrupting))).toBe(true)
    })
  )

  it.scoped("interrupted as it completes has its result, and the interruption comes when it next waits", () =>
    Effect.gen(function* () {
      for (const exit of [Exit.succeed(1), Exit.fail("mine")]) {
        const hand = new Hand()
        const alone = yield* begin(Aio.toEffect(hand.operation))
        hand.last.finish(exit)
        expect(yield* Fiber.interrupt(alone)).toEqual(exit)
        const log: Array<unknown> = []
        const more = yield* begin(
          Effect.exit(Aio.toEffect(hand.operation)).pipe(
            Effect.tap((exit) => Effect.sync(() => void log.push(exit))),
            Effect.zipRight(Effect.yieldNow()),
            Effect.tap(() => Effect.sync(() => void log.push("went on")))
          )
        )
        hand.last.finish(exit)
        expect(Exit.isInterrupted(yield* Fiber.interrupt(more))).toBe(true)
        expect([log, hand.cancelled]).toEqual([[exit], []])
      }
    })
  )

  it.scoped("whose cancel came too late has its result too", () =>
    Effect.gen(function* () {
      const ends: ReadonlyArray<readonly [Exit.Exit<number, string>, boolean]> = [
        [Exit.succeed(1), true],
        [Exit.fail("given up"), false]
      ]
      for (const [exit, stands] of ends) {
        let finish = (): void => undefined
        const fiber = yield* begin(
          Aio.toEffect((task: Aio.Task<number, string>) => {
            task.schedule(() => (finish = () => void task.finish(exit)))
          })
        )
        const interrupting = yield* begin(Fiber.interrupt(fiber))
        finish()
        const got = yield* Fiber.join(interrupting)
        if (stands) expect(got).toEqual(exit)
        else expect(Exit.isInterrupted(got)).toBe(true)
      }
    })
  )

  it.scoped("tells a defect of the provider's cancel beside the interruption", () =>
    Effect.gen(function* () {
      const fiber = yield* begin(
        Aio.toEffect((task: Aio.Task<number, never>) => {
          task.schedule(() => {
            throw "boom"
          })
        })
      )
      const exit = yield* Fiber.interrupt(fiber)
      expect(Exit.isInterrupted(exit)).toBe(true)
      expect(Exit.isFailure(exit) && Array.from(Cause.defects(exit.cause))).toEqual(["boom"])
    })
  )

  it.scoped("where nothing can be interrupted, waits for its end", () =>
    Effect.gen(function* () {
      const hand = new Hand()
      let got = 0
      const fiber = yield* begin(
        Effect.uninterruptible(Effect.tap(Aio.toEffect(hand.operation), (n) => Effect.sync(() => void (got = n))))
      )
      const interrupting = yield* begin(Fiber.interrupt(fiber))
      expect([yield* ended(interrupting), hand.cancelled]).toEqual([false, []])
      hand.last.finish(Exit.succeed(5))
      expect([Exit.isInterrupted(yield* Fiber.join(interrupting)), got]).toEqual([true, 5])
    })
  )

  it.scoped("interrupted at any step took nothing, or has it", () =>
    Effect.gen(function* () {
      for (let steps = 0; steps < 60; steps++) {
        for (const more of [0, 1]) {
          let taken = 0
          const take: Aio.Operation<number, never> = (task) => {
            const deliver = () => (taken += task.finish(Exit.succeed(1)) ? 1 : 0)
            if (more === 0) return void deliver()
            // comes as the fiber is interrupted
            if (task.schedule((reason) => task.finish(Exit.fail(reason)))) void Promise.resolve().then(deliver)
          }
          const exit = yield* interruptedAfter(Aio.toEffect(take), steps, more)
          expect(Exit.isSuccess(exit) ? 1 : 0, `after ${steps} steps`).toBe(taken)
        }
      }
    })
  )

  it.scoped("may be used at both ends: an effect made an operation made an effect is what it was", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<number, string>()
      let finalized = 0
      const effect = Effect.onInterrupt(Deferred.await(gate), () => Effect.sync(() => void finalized++))
      const same = Aio.toEffect(yield* Aio.fromEffect(effect))
      const one = yield* begin(same)
      const two = yield* begin(same)
      expect(Exit.isInterrupted(yield* Fiber.interrupt(one))).toBe(true)
      expect(finalized).toBe(1)
      yield* Deferred.succeed(gate, 7)
      expect(yield* Fiber.join(two)).toBe(7)
    })
  )
})
