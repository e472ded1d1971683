import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FC from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as Aio from "effect-nng/Aio"
import * as Errors from "effect-nng/Errors"
import { settle, stillTurn, yields } from "../support/sockets.js"

/** What consumers and providers may do next. */
const verbs = [
  "begin",
  "start",
  "startAtOnce",
  "startEffect",
  "startEffectAtOnce",
  "sleep",
  "schedule",
  "finish",
  "fail",
  "cancel",
  "abort",
  "timeout",
  "noTimeout",
  "expire",
  "wait",
  "reset",
  "stop",
  "time",
  "yield"
] as const

type Verb = (typeof verbs)[number]

const rare: ReadonlyArray<Verb> = ["stop", "reset", "noTimeout"]

const step = FC.record({
  verb: FC.oneof(
    { weight: 8, arbitrary: FC.constantFrom(...verbs.filter((verb) => !rare.includes(verb))) },
    { weight: 1, arbitrary: FC.constantFrom(...rare) }
  ),
  n: FC.nat(20)
})

/** What became of one operation. */
interface Story {
  readonly task: Aio.Task<number, string> | undefined
  readonly pending: Aio.Pending<number, string>
  cancels: number
  /** How often a finish was told that it counts. */
  finishes: number
}

class World {
  readonly stories: Array<Story> = []
  readonly callbacks: Array<Aio.Result> = []
  readonly waits: Array<Fiber.RuntimeFiber<void>> = []
  readonly refused: Array<Errors.EBUSY> = []
  effects = 0
  constructor(readonly aio: Aio.Aio) {}

  get last(): Story | undefined {
    return this.stories[this.stories.length - 1]
  }

  /** Half of the providers finish within their cancel, the others when they are told to. */
  schedule(story: Story, n: number): void {
    story.task!.schedule((reason) => {
      story.cancels++
      if (n % 2 === 0 && story.task!.finish(Exit.fail(reason))) story.finishes++
    })
  }

  finish(exit: Exit.Exit<number, string>): void {
    const { last } = this
    if (last?.task?.finish(exit) === true) last.finishes++
  }

  /** Keeps what has begun; of what was refused nothing. */
  private starting(
    start: Effect.Effect<Aio.Pending<number, string>, Errors.EBUSY>,
    task: () => Aio.Task<number, string> | undefined
  ): Effect.Effect<void> {
    return Effect.match(start, {
      onFailure: (error) => void this.refused.push(error),
      onSuccess: (pending) => void this.stories.push({ task: task(), pending, cancels: 0, finishes: 0 })
    })
  }

  private start(operation: Aio.Operation<number, string>): Effect.Effect<void> {
    let task: Aio.Task<number, string> | undefined
    const keeping: Aio.Operation<number, string> = (it) => {
      task = it
      operation(it)
    }
    return this.starting(Aio.start(this.aio, keeping), () => task)
  }

  private effect(effect: Effect.Effect<number, string>): Effect.Effect<void> {
    const counted = Effect.acquireUseRelease(
      Effect.sync(() => this.effects++),
      () => effect,
      () =>
        Effect.zipRight(
          Effect.yieldNow(),
          Effect.sync(() => this.effects--)
        )
    )
    return this.starting(Aio.start(this.aio, counted), () => undefined)
  }

  do(verb: Verb, n: number): Effect.Effect<void, never, Scope.Scope> {
    const { aio, last } = this
    switch (verb) {
      case "begin":
        return Effect.matchEffect(Aio.begin<number, string>(aio), {
          onFailure: (error) => Effect.sync(() => void this.refused.push(error)),
          onSuccess: ({ pending, task }) => this.starting(Effect.succeed(pending), () => task)
        })
      case "start":
        return Effect.tap(
          this.start(() => undefined),
          () => {
            const story = this.last
            if (story?.task !== undefined && story !== last) this.schedule(story, n)
          }
        )
      case "startAtOnce":
        return this.start((task) => void task.finish(Exit.succeed(n)))
      case "startEffect":
        return this.effect(Effect.delay(Effect.succeed(n), n))
      case "startEffectAtOnce":
        return this.effect(n % 2 === 0 ? Effect.succeed(n) : Effect.fail("failed"))
      case "sleep":
        return this.starting(Effect.map(Aio.sleep(aio, n), Effect.as(n)), () => undefined)
      case "schedule":
        return Effect.sync(() => {
          if (last?.task !== undefined) this.schedule(last, n)
        })
      case "finish":
        return Effect.sync(() => this.finish(Exit.succeed(n)))
      case "fail":
        return Effect.sync(() => this.finish(Exit.fail("failed")))
      case "cancel":
        return Aio.cancel(aio)
      case "abort":
        return Aio.abort(aio, new Errors.EPROTO())
      case "timeout":
        return Aio.setTimeout(aio, n)
      case "noTimeout":
        return Aio.setTimeout(aio, undefined)
      case "expire":
        return Effect.flatMap(Effect.clock, (clock) =>
          Effect.orDie(Aio.setExpire(aio, clock.unsafeCurrentTimeMillis() + n - 5))
        )
      case "wait":
        return Effect.map(Effect.forkScoped(Aio.wait(aio)), (fiber) => void this.waits.push(fiber))
      case "reset":
        return Effect.ignore(Aio.reset(aio))
      case "stop":
        return Effect.map(Effect.forkScoped(Aio.stop(aio)), (fiber) => void this.waits.push(fiber))
      case "time":
        return TestClock.adjust(n)
      case "yield":
        return yields(n % 4)
    }
  }
}

const fibers = Effect.map(Effect.zipRight(settle, Fiber.roots), (roots) => new Set(roots))

describe("an aio, whatever is done with it and in whichever order,", () => {
  it.effect.prop(
    "calls back once for each operation, with its result, and comes to rest with nothing left",
    [FC.array(step, { minLength: 1, maxLength: 40 })],
    ([plan]) =>
      Effect.gen(function* () {
        const before = yield* fibers
        const scope = yield* Scope.make()
        const world: World = yield* Effect.map(
          Aio.make({ callback: (result) => Effect.sync(() => void world.callbacks.push(result)) }),
          (aio) => new World(aio)
        ).pipe(Scope.extend(scope))
        const { aio, callbacks, stories, waits } = world
        for (const { n, verb } of plan) yield* Scope.extend(world.do(verb, n), scope)
        // providers that were never told, or keep what they were told for themselves
        world.finish(Exit.succeed(0))
        yield* Aio.stop(aio)
        expect([yield* Aio.busy(aio), world.effects]).toEqual([false, 0])
        yield* Effect.forEach(waits, Fiber.join)
        yield* settle
        expect(callbacks).toHaveLength(stories.length)
        for (const [i, { cancels, finishes, pending, task }] of stories.entries()) {
          const exit = yield* Effect.exit(pending)
          // a sleep's result is nothing
          if (!(Exit.isSuccess(exit) && Exit.isSuccess(callbacks[i]!) && callbacks[i].value === undefined))
            expect(exit).toEqual(callbacks[i])
          expect(cancels).toBeLessThanOrEqual(1)
          expect(finishes).toBeLessThanOrEqual(1)
          expect(task?.ended ?? true).toBe(true)
        }
        yield* Scope.close(scope, Exit.void)
        const left = [...(yield* fibers)].filter((fiber) => !before.has(fiber))
        expect(left).toHaveLength(0)
      }).pipe(Effect.provide(stillTurn)),
    { fastCheck: { numRuns: 60 } }
  )
})
