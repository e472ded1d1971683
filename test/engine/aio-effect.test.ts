import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as Aio from "effect-nng/Aio"
import type * as Errors from "effect-nng/Errors"
import * as Turn from "effect-nng/Turn"
import { counted, failure, Hand } from "../support/aios.js"
import { begin, ended, failing, settle, stillTurn, yields } from "../support/sockets.js"

describe("an effect on an aio", () => {
  it.scoped("runs after the start, with what its starter has", () =>
    Effect.gen(function* () {
      class Name extends Context.Tag("Name")<Name, string>() {}
      const ref = yield* FiberRef.make("default")
      let ran = false
      const aio = yield* Aio.make()
      const effect = Effect.zipRight(
        Effect.sync(() => void (ran = true)),
        Effect.all([Name, FiberRef.get(ref)])
      )
      const pending = yield* Aio.start(aio, effect).pipe(
        Effect.provideService(Name, "provided"),
        Effect.locally(ref, "local")
      )
      expect(ran).toBe(false)
      expect(yield* pending).toEqual(["provided", "local"])
    })
  )

  it.scoped("can be interrupted, and calls back, though it was made and started where nothing can be", () =>
    Effect.gen(function* () {
      const { aio, results } = yield* Effect.uninterruptible(counted({ timeout: 10 }))
      yield* Effect.uninterruptible(Aio.start(aio, Effect.never))
      yield* settle
      yield* Aio.cancel(aio)
      yield* Aio.wait(aio)
      yield* Effect.uninterruptible(Aio.start(aio, Effect.never))
      yield* TestClock.adjust(10)
      expect(results).toMatchObject([failure("NNG_ECANCELED"), failure("NNG_ETIMEDOUT")])
    })
  )

  it.scoped("is not interrupted from birth, nor is the callback, in the finalizer of what was", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const got = yield* Deferred.make<readonly [number, number]>()
      const fiber = yield* begin(
        Effect.onInterrupt(Effect.never, () =>
          Effect.gen(function* () {
            const { aio, results } = yield* Scope.extend(counted(), scope)
            const n = yield* Effect.flatten(Aio.start(aio, Effect.as(Effect.yieldNow(), 1)))
            yield* Aio.wait(aio)
            yield* Deferred.succeed(got, [n, results.length])
          }).pipe(Effect.orDie)
        )
      )
      yield* Fiber.interrupt(fiber)
      expect(yield* Deferred.await(got)).toEqual([1, 1])
      yield* Scope.close(scope, Exit.void)
    })
  )

  it.scoped("that is cancelled ends when its finalizers have", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const { aio, results } = yield* counted()
      yield* Aio.start(
        aio,
        Effect.onInterrupt(Effect.never, () => Deferred.await(gate))
      )
      yield* settle
      const stopping = yield* begin(Aio.stop(aio))
      expect([yield* ended(stopping), results.length]).toEqual([false, 0])
      yield* Deferred.succeed(gate, void 0)
      yield* Fiber.join(stopping)
      expect(results).toMatchObject([failure("NNG_ESTOPPED")])
    })
  )

  it.scoped("[AIO-31] that ended before it could be interrupted has its own result", () =>
    Effect.gen(function* () {
      const { aio, results } = yield* counted()
      const hand = new Hand()
      for (const exit of [Exit.succeed(1), Exit.fail("mine")]) {
        yield* Aio.start(aio, Aio.toEffect(hand.operation))
        yield* settle
        hand.last.finish(exit)
        yield* Aio.cancel(aio)
        yield* Aio.wait(aio)
      }
      expect([results, hand.cancelled]).toEqual([[Exit.succeed(1), Exit.fail("mine")], []])
    })
  )

  it.scoped("that interrupts itself is cancelled, and defects of its finalizers are told", () =>
    Effect.gen(function* () {
      const { aio, results } = yield* counted()
      yield* Effect.exit(Effect.flatten(Aio.start(aio, Effect.interrupt)))
      expect(results).toMatchObject([failure("NNG_ECANCELED")])
      yield* Aio.start(
        aio,
        Effect.onInterrupt(Effect.never, () => Effect.die("boom"))
      )
      yield* settle
      yield* Aio.cancel(aio)
      yield* Aio.wait(aio)
      const last = results[1]!
      expect(Exit.isFailure(last) && Array.from(Cause.defects(last.cause))).toEqual(["boom"])
      expect(Exit.isFailure(last) && Array.from(Cause.failures(last.cause))).toMatchObject([{ _tag: "NNG_ECANCELED" }])
    })
  )

  it.scoped("[AIO-13] without time to wait ends when it first has to, however much it does before", () =>
    Effect.gen(function* () {
      const { aio, results } = yield* counted({ timeout: 0 })
      const busy = Effect.zipRight(yields(200), Effect.succeed("done"))
      expect(yield* Effect.flatten(Aio.start(aio, busy))).toBe("done")
      let steps = 0
      const step = Effect.sync(() => void steps++)
      const waits = Effect.all([yields(100), step, Effect.sleep(1), step], { discard: true })
      yield* failing(Effect.flatten(Aio.start(aio, waits)), "NNG_ETIMEDOUT")
      yield* Aio.wait(aio)
      expect([steps, results]).toMatchObject([1, [Exit.succeed("done"), failure("NNG_ETIMEDOUT")]])
    }).pipe(Effect.provide(stillTurn))
  )

  it.scoped("without time to wait may hop over the event loop, once", () => {
    let hops = 0
    const turns: Array<() => void> = []
    const hop = Effect.async<void>((resume) => {
      hops++
      turns.push(() => resume(Effect.void))
    })
    const turn = Effect.sync(() => {
      for (const run of turns.splice(0)) run()
    })
    return Effect.gen(function* () {
      const aio = yield* Aio.make({ timeout: 0 })
      const one = yield* Aio.start(aio, Effect.as(Effect.zipRight(hop, yields(5)), "hopped"))
      yield* settle
      // the aio hops behind it
      expect(hops).toBe(2)
      yield* turn
      expect(yield* one).toBe("hopped")
      const two = yield* Aio.start(aio, Effect.zipRight(hop, Effect.never))
      yield* settle
      yield* turn
      yield* failing(two, "NNG_ETIMEDOUT")
      const before = Array.from(yield* Fiber.roots).length
      const three = yield* Aio.start(aio, Effect.never)
      yield* settle
      yield* Aio.cancel(aio)
      yield* failing(three, "NNG_ECANCELED")
      yield* settle
      expect(Array.from(yield* Fiber.roots)).toHaveLength(before)
    }).pipe(Effect.provide(Layer.succeed(Turn.Turn, { unsafeDue: () => false, hop })))
  })

  it.scoped("without time to wait can be cancelled while it does not wait", () =>
    Effect.gen(function* () {
      const { aio, results } = yield* counted({ timeout: 0 })
      yield* Aio.start(aio, Effect.forever(Effect.yieldNow()))
      yield* settle
      expect(results).toEqual([])
      yield* Aio.cancel(aio)
      yield* Aio.wait(aio)
      expect(results).toMatchObject([failure("NNG_ECANCELED")])
    }).pipe(Effect.provide(stillTurn))
  )

  it.scoped("is an operation that may begin late, and then finds out that it was aborted", () =>
    Effect.gen(function* () {
      let ran = 0
      const operation = yield* Aio.fromEffect(Effect.sync(() => ++ran))
      const { aio, results } = yield* counted()
      for (const abort of [Effect.void, Aio.cancel(aio)]) {
        const { pending, task } = yield* Aio.begin<number, never>(aio)
        yield* abort
        operation(task)
        yield* Effect.exit(pending)
        yield* Aio.wait(aio)
      }
      expect([ran, results]).toMatchObject([1, [Exit.succeed(1), failure("NNG_ECANCELED")]])
    })
  )

  it.scoped("runs on a task of somebody's own, who refuses it or not", () =>
    Effect.gen(function* () {
      let interrupted = 0
      const effect = Effect.onInterrupt(Effect.never, () => Effect.sync(() => void interrupted++))
      const operation = yield* Aio.fromEffect(effect)
      const ends: Array<Exit.Exit<number, Errors.NngError>> = []
      let cancel = (_: Errors.NngError): void => undefined
      const task = (accepts: boolean): Aio.Task<number, never> => ({
        ended: false,
        finish: (exit) => ends.push(exit) > 0,
        schedule: (how) => {
          cancel = how
          return accepts
        }
      })
      operation(task(true))
      yield* settle
      expect(interrupted).toBe(0)
      cancel(failing as never)
      yield* settle
      operation(task(false))
      yield* settle
      expect([interrupted, ends.length]).toEqual([1, 2])
      expect(ends[1]).toMatchObject(failure("NNG_ECANCELED"))
    })
  )
})
