import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { Deadlines } from "../../src/internal/ports/deadlines.js"
import { Waiters } from "../../src/internal/engine/waiters.js"
import { atomically } from "../../src/internal/ports/atomically.js"
import { afterOps, begin, ended, failing, interruptedAfter, settle } from "../support/sockets.js"
import * as Errors from "effect-nng/Errors"

/** A basket of things to take, and who waits for them. */
class Basket {
  readonly waiters: Waiters<Errors.ETIMEDOUT | Errors.ECLOSED>
  readonly taken: Array<number> = []
  private next = 0

  constructor(
    deadlines: Deadlines,
    public stock = 0
  ) {
    this.waiters = new Waiters<Errors.ETIMEDOUT | Errors.ECLOSED>(() => this.stock > 0, deadlines)
  }

  readonly attempt = {
    try: (): Exit.Exit<number> | undefined => {
      if (this.stock === 0) return undefined
      this.stock--
      this.taken.push(this.next)
      return Exit.succeed(this.next++)
    },
    late: () => new Errors.ETIMEDOUT()
  }

  take(millis?: number): Effect.Effect<number, Errors.ETIMEDOUT | Errors.ECLOSED> {
    return this.waiters.wait<number, Errors.ETIMEDOUT | Errors.ECLOSED>(this.attempt, millis)
  }

  add(n = 1): void {
    for (let added = 0; added < n; added++) {
      this.stock++
      this.waiters.notify()
    }
  }

  /** Takes one without waiting in line, as somebody may who came just now. */
  steal(): void {
    this.stock--
  }
}

const basket = (stock?: number): Effect.Effect<Basket> =>
  Effect.map(
    Effect.all([Effect.runtime<never>(), Effect.clock]),
    ([runtime, clock]) => new Basket(new Deadlines(runtime, clock), stock)
  )

const named = (
  basket: Basket,
  order: Array<string>,
  ...names: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<Fiber.RuntimeFiber<number, Errors.ETIMEDOUT | Errors.ECLOSED>>, never, Scope.Scope> =>
  Effect.forEach(names, (name) =>
    begin(
      Effect.map(basket.take(), (thing) => {
        order.push(name)
        return thing
      })
    )
  )

describe("Waiters", () => {
  it.scoped("serve one for each thing, first come first served", () =>
    Effect.gen(function* () {
      const it = yield* basket()
      const order: Array<string> = []
      yield* named(it, order, "a", "b", "c")
      it.add(2)
      yield* settle
      expect([order, it.stock]).toEqual([["a", "b"], 0])
      it.add()
      yield* settle
      expect([order, it.waiters.none]).toEqual([["a", "b", "c"], true])
    })
  )

  it.scoped("serve at once who comes when there is something", () =>
    Effect.gen(function* () {
      const it = yield* basket(2)
      expect([yield* it.take(), yield* it.take(), it.stock]).toEqual([0, 1, 0])
    })
  )

  it.scoped("let nobody overtake: somebody who was woken still counts", () =>
    Effect.gen(function* () {
      const it = yield* basket()
      expect(it.waiters.none).toBe(true)
      const [fiber] = yield* named(it, [], "a")
      expect(it.waiters.none).toBe(false)
      it.add()
      expect(it.waiters.none).toBe(false)
      yield* Fiber.join(fiber!)
      expect(it.waiters.none).toBe(true)
    })
  )

  it.scoped("forget who is interrupted while queued, wherever he stands", () =>
    Effect.gen(function* () {
      for (const leaving of ["a", "b", "c"]) {
        const it = yield* basket()
        const order: Array<string> = []
        const names = ["a", "b", "c"]
        const fibers = yield* named(it, order, ...names)
        yield* Fiber.interrupt(fibers[names.indexOf(leaving)]!)
        it.add(2)
        yield* settle
        expect(order).toEqual(names.filter((name) => name !== leaving))
        expect([it.stock, it.waiters.none]).toEqual([0, true])
      }
    })
  )

  it.scoped("pass the wake on when the woken one is interrupted in the same tick", () =>
    Effect.gen(function* () {
      const it = yield* basket()
      const order: Array<string> = []
      const [a, b, c] = yield* named(it, order, "a", "b", "c")
      it.add()
      a!.unsafeInterruptAsFork(FiberId.none)
      yield* settle
      expect(Exit.isInterrupted(yield* Fiber.await(a!))).toBe(true)
      expect([order, it.stock]).toEqual([["b"], 0])
      expect([yield* ended(b!), yield* ended(c!)]).toEqual([true, false])
    })
  )

  it.scoped("and again, when that one is interrupted too, until nobody is left", () =>
    Effect.gen(function* () {
      const it = yield* basket()
      const order: Array<string> = []
      const fibers = yield* named(it, order, "a", "b", "c")
      it.add()
      for (const fiber of fibers) fiber.unsafeInterruptAsFork(FiberId.none)
      yield* settle
      expect([order, it.stock, it.waiters.none]).toEqual([[], 1, true])
      expect(yield* it.take()).toBe(0)
    })
  )

  it.scoped("interrupted first and woken then, in one tick, one takes nothing", () =>
    Effect.gen(function* () {
      const it = yield* basket()
      const order: Array<string> = []
      const [a] = yield* named(it, order, "a", "b")
      a!.unsafeInterruptAsFork(FiberId.none)
      it.add()
      yield* settle
      expect([order, it.stock]).toEqual([["b"], 0])
    })
  )

  it.scoped("who finds that somebody was quicker keeps his place", () =>
    Effect.gen(function* () {
      const it = yield* basket()
      const order: Array<string> = []
      yield* named(it, order, "a", "b")
      it.add()
      it.steal()
      yield* settle
      expect([order, it.waiters.none]).toEqual([[], false])
      it.add()
      yield* settle
      expect(order).toEqual(["a"])
      it.add()
      yield* settle
      expect(order).toEqual(["a", "b"])
    })
  )

  it.scoped("who keeps his place may be interrupted there, too", () =>
    Effect.gen(function* () {
      const it = yield* basket()
      const order: Array<string> = []
      const [a] = yield* named(it, order, "a", "b")
      it.add()
      it.steal()
      yield* settle
      yield* Fiber.interrupt(a!)
      it.add()
      yield* settle
      expect([order, it.waiters.none]).toEqual([["b"], true])
    })
  )

  it.scoped("end: all of them fail, the woken one included if it finds nothing", () =>
    Effect.gen(function* () {
      const it = yield* basket()
      const fibers = yield* named(it, [], "a", "b", "c")
      it.waiters.end(Exit.fail(new Errors.ECLOSED()))
      for (const fiber of fibers) yield* failing(Fiber.join(fiber), "NNG_ECLOSED")
      expect(it.waiters.none).toBe(true)
    })
  )

  it.scoped("interrupted at any step, whether one waits or not, nothing is lost", () =>
    Effect.gen(function* () {
      const exits: Array<string> = []
      for (let steps = 0; steps < 60; steps++) {
        const it = yield* basket(1)
        const exit = yield* interruptedAfter(
          atomically(() => it.attempt.try() ?? it.take()),
          steps
        )
        exits.push(exit._tag)
        expect(it.stock, `after ${steps} steps`).toBe(Exit.isSuccess(exit) ? 0 : 1)
        expect(it.waiters.none).toBe(true)
      }
      expect(exits).toEqual(expect.arrayContaining(["Success", "Failure"]))
    })
  )
})

describe("Waiters with a deadline", () => {
  it.scoped("fail when the time is up, having taken nothing", () =>
    Effect.gen(function* () {
      const it = yield* basket()
      const late = yield* begin(it.take(10))
      const patient = yield* begin(it.take(20))
      yield* TestClock.adjust(10)
      yield* failing(Fiber.join(late), "NNG_ETIMEDOUT")
      it.add()
      yield* settle
      expect(yield* Fiber.join(patient)).toBe(0)
      yield* TestClock.adjust(100)
      expect([it.taken, it.waiters.none]).toEqual([[0], true])
    })
  )

  it.scoped("woken in the instant that the time is up, one takes and does not fail", () =>
    Effect.gen(function* () {
      const deadlines = new Deadlines(yield* Effect.runtime<never>(), yield* Effect.clock)
      const it = new Basket(deadlines)
      // due at the same time, and set before: it wakes the waiter, whose own deadline finds him awake
      deadlines.add(10, () => it.add())
      const fiber = yield* begin(it.take(10))
      yield* TestClock.adjust(10)
      expect(yield* Fiber.join(fiber)).toBe(0)
      expect([it.stock, it.waiters.none]).toEqual([0, true])
    })
  )

  it.scoped("woken in vain in that instant, one fails as soon as he knows", () =>
    Effect.gen(function* () {
      const deadlines = new Deadlines(yield* Effect.runtime<never>(), yield* Effect.clock)
      const it = new Basket(deadlines)
      deadlines.add(10, () => {
        it.add()
        it.steal()
      })
      const fiber = yield* begin(it.take(10))
      const behind = yield* begin(it.take())
      yield* TestClock.adjust(10)
      expect(yield* ended(fiber)).toBe(true)
      yield* failing(Fiber.join(fiber), "NNG_ETIMEDOUT")
      it.add()
      yield* settle
      expect([yield* Fiber.join(behind), it.waiters.none]).toEqual([0, true])
    })
  )

  it.scoped("interrupted, it leaves no deadline behind", () =>
    Effect.gen(function* () {
      let added = 0
      let removed = 0
      const deadlines = new Deadlines(yield* Effect.runtime<never>(), yield* Effect.clock)
      const { add, remove } = deadlines
      deadlines.add = (...args) => (added++, add.apply(deadlines, args))
      deadlines.remove = (deadline) => (removed++, remove.call(deadlines, deadline))
      const it = new Basket(deadlines)
      const fiber = yield* begin(it.take(10))
      yield* Fiber.interrupt(fiber)
      const served = yield* begin(it.take(10))
      it.add()
      yield* Fiber.join(served)
      expect([added, removed]).toEqual([2, 2])
    })
  )
})

describe("atomically", () => {
  it.effect("yields first where the runtime would yield between the doing and the exit", () =>
    Effect.gen(function* () {
      const outcomes: Array<string> = []
      for (let ops = 0; ops < 128; ops++) {
        let done = 0
        const exit = yield* interruptedAfter(
          atomically(() => Exit.succeed(++done)),
          ops
        )
        outcomes.push(exit._tag)
        expect(done, `with ${ops} ops left`).toBe(Exit.isSuccess(exit) ? 1 : 0)
      }
      expect(outcomes).toEqual(expect.arrayContaining(["Success", "Failure"]))
    })
  )

  it.effect("runs even where the budget of ops is small", () =>
    Effect.gen(function* () {
      for (const budget of [24, 32, 63, 64, 65, 128]) {
        for (let ops = 0; ops < 70; ops++) {
          const one = atomically(() => Exit.succeed(1))
          expect(yield* Effect.withMaxOpsBeforeYield(afterOps(one, ops), budget)).toBe(1)
        }
      }
    })
  )
})
