import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as Aio from "effect-nng/Aio"
import { Dispenser } from "../../examples/aio-provider.js"
import { begin, ended, failing, interruptedAfter, settle } from "../support/sockets.js"

describe("the example of a provider", () => {
  it.scoped("serves at once while there is something, and then in order", () =>
    Effect.gen(function* () {
      const dispenser = new Dispenser(2)
      const aio = yield* Aio.make({ timeout: 0 })
      expect(yield* dispenser.take).toBe(1)
      expect(yield* Effect.flatten(dispenser.takeAio(aio))).toBe(2)
      const served: Array<string> = []
      const asking = (name: string) =>
        begin(Effect.tap(dispenser.take, (permit) => Effect.sync(() => void served.push(`${name}${permit}`))))
      for (const name of ["a", "b", "c"]) yield* asking(name)
      expect(yield* dispenser.state).toEqual({ free: 0, waiting: 3 })
      yield* dispenser.give(2)
      yield* dispenser.give(1)
      yield* settle
      expect(served).toEqual(["a2", "b1"])
      yield* dispenser.give(7)
      yield* settle
      expect(served).toEqual(["a2", "b1", "c7"])
      expect(yield* dispenser.state).toEqual({ free: 0, waiting: 0 })
    })
  )

  it.scoped("one that is cancelled gives its place on", () =>
    Effect.gen(function* () {
      const dispenser = new Dispenser(0)
      const [first, second] = [yield* Aio.make(), yield* Aio.make()]
      const [lost, won] = [yield* dispenser.takeAio(first), yield* dispenser.takeAio(second)]
      yield* Aio.cancel(first)
      yield* failing(lost, "NNG_ECANCELED")
      yield* dispenser.give(1)
      expect(yield* won).toBe(1)
    })
  )

  it.scoped("waits for no longer than the aio's time-out", () =>
    Effect.gen(function* () {
      const dispenser = new Dispenser(0)
      const aio = yield* Aio.make({ timeout: "1 second" })
      const pending = yield* dispenser.takeAio(aio)
      yield* TestClock.adjust(999)
      expect(yield* Aio.busy(aio)).toBe(true)
      yield* TestClock.adjust(1)
      yield* failing(pending, "NNG_ETIMEDOUT")
      expect(yield* dispenser.state).toEqual({ free: 0, waiting: 0 })
      yield* Aio.setTimeout(aio, 0)
      yield* failing(Effect.flatten(dispenser.takeAio(aio)), "NNG_ETIMEDOUT")
      expect(yield* dispenser.state).toEqual({ free: 0, waiting: 0 })
    })
  )

  it.scoped("takes nothing for an aio that is stopped, before or while it waits", () =>
    Effect.gen(function* () {
      const dispenser = new Dispenser(1)
      const aio = yield* Aio.make()
      yield* Effect.flatten(dispenser.takeAio(aio))
      const pending = yield* dispenser.takeAio(aio)
      yield* Aio.stop(aio)
      yield* failing(pending, "NNG_ESTOPPED")
      yield* dispenser.give(1)
      yield* failing(Effect.flatten(dispenser.takeAio(aio)), "NNG_ESTOPPED")
      expect(yield* dispenser.state).toEqual({ free: 1, waiting: 0 })
    })
  )

  it.scoped("interrupted at any step has taken nothing, or has it", () =>
    Effect.gen(function* () {
      for (let steps = 0; steps < 60; steps++) {
        const dispenser = new Dispenser(1)
        const exit = yield* interruptedAfter(dispenser.take, steps)
        expect((yield* dispenser.state).free, `after ${steps} steps`).toBe(Exit.isSuccess(exit) ? 0 : 1)
        const used = yield* interruptedAfter(new Dispenser(1).withPermit(Effect.succeed), steps)
        expect(Exit.isSuccess(used) || Exit.isInterrupted(used)).toBe(true)
      }
    })
  )

  it.scoped("interrupted as it waits leaves the line; as it is served, it has what it was given", () =>
    Effect.gen(function* () {
      const dispenser = new Dispenser(0)
      const waiting = yield* begin(dispenser.take)
      expect(Exit.isInterrupted(yield* Fiber.interrupt(waiting))).toBe(true)
      expect(yield* dispenser.state).toEqual({ free: 0, waiting: 0 })
      const served = yield* begin(dispenser.take)
      yield* dispenser.give(1)
      expect(yield* Fiber.interrupt(served)).toEqual(Exit.succeed(1))
    })
  )

  it.scoped("gives back what was used, however that ended and whenever it was interrupted", () =>
    Effect.gen(function* () {
      const dispenser = new Dispenser(1)
      expect(yield* dispenser.withPermit((permit) => Effect.succeed(permit))).toBe(1)
      expect(yield* Effect.flip(dispenser.withPermit(() => Effect.fail("no use")))).toBe("no use")
      const [using, waiting] = [
        yield* begin(dispenser.withPermit(() => Effect.never)),
        yield* begin(dispenser.withPermit(() => Effect.never))
      ]
      yield* Fiber.interrupt(using)
      expect(yield* ended(waiting)).toBe(false)
      expect(yield* dispenser.state).toEqual({ free: 0, waiting: 0 })
      yield* Fiber.interrupt(waiting)
      expect(yield* dispenser.state).toEqual({ free: 1, waiting: 0 })
      for (let steps = 0; steps < 90; steps++) {
        yield* interruptedAfter(dispenser.withPermit(Effect.succeed), steps)
        expect(yield* dispenser.state, `after ${steps} steps`).toEqual({ free: 1, waiting: 0 })
      }
    })
  )

  it.scoped("ends each request once", () =>
    Effect.gen(function* () {
      const dispenser = new Dispenser(0)
      const results: Array<Aio.Result> = []
      const aio = yield* Aio.make({ callback: (result) => Effect.sync(() => void results.push(result)) })
      yield* dispenser.takeAio(aio)
      yield* dispenser.give(1)
      yield* Aio.cancel(aio)
      yield* dispenser.give(2)
      yield* Aio.stop(aio)
      expect(results).toEqual([Exit.succeed(1)])
      expect(yield* dispenser.state).toEqual({ free: 1, waiting: 0 })
    })
  )
})
