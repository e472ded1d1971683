import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { Signal } from "../../src/internal/ports/signal.js"
import { Steps, wherever } from "../support/steps.js"

class Counter {
  private readonly signal = new Signal()
  asked = 0
  n = 0

  add(): void {
    this.n++
    this.signal.wake()
  }

  atLeast(n: number): Effect.Effect<string> {
    const wait = this.signal.until(() => {
      this.asked++
      return this.n >= n
    })
    return Effect.as(wait, `at least ${n}`)
  }
}

describe("a signal", () => {
  it("is not waited for when it is there already", () => {
    const steps = new Steps()
    expect(steps.got(steps.run(new Counter().atLeast(0)))).toBe("at least 0")
  })

  it("wakes those whose wait is over, and no others", () => {
    const steps = new Steps()
    const counter = new Counter()
    const waiting = [1, 2, 1, 3].map((n) => steps.run(counter.atLeast(n)))
    steps.all()
    const got = () => waiting.map((fiber) => steps.got(fiber))
    expect(got()).toEqual(["it waits", "it waits", "it waits", "it waits"])
    counter.add()
    expect(got()).toEqual(["at least 1", "it waits", "at least 1", "it waits"])
    counter.add()
    expect(got()).toEqual(["at least 1", "at least 2", "at least 1", "it waits"])
  })

  it("is waited for again when somebody else was faster", () => {
    const steps = new Steps()
    const counter = new Counter()
    const waiting = steps.run(counter.atLeast(1))
    steps.all()
    counter.add()
    counter.n = 0
    expect(steps.got(waiting)).toBe("it waits")
    counter.add()
    expect(steps.got(waiting)).toBe("at least 1")
  })

  it("forgets who was interrupted", () => {
    const steps = new Steps()
    const counter = new Counter()
    const waiting = steps.run(counter.atLeast(1))
    steps.all()
    steps.run(Fiber.interrupt(waiting))
    steps.all()
    const { asked } = counter
    counter.add()
    expect(counter.asked).toBe(asked)
  })

  it("wakes who has looked, whichever step of it the runtime has come to", () => {
    const results = wherever(
      () => new Counter(),
      (counter) => counter.atLeast(1),
      ({ asked }) => asked > 0,
      (counter) => counter.add()
    )
    expect(results).toEqual(results.map(() => "at least 1"))
  })
})
