import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as Aio from "effect-nng/Aio"
import { Hand } from "../support/aios.js"
import { begin, ended, failing, settle } from "../support/sockets.js"

describe("in its own callback an aio", () => {
  for (const [name, use] of [
    ["is not waited for", Aio.wait],
    ["can be stopped", Aio.stop]
  ] as const)
    it.scoped(`${name}, also by what the callback forks`, () =>
      Effect.gen(function* () {
        let done = 0
        const count = Effect.sync(() => void done++)
        const aio: Aio.Aio = yield* Aio.make({
          callback: () =>
            Effect.zipRight(use(aio), count).pipe(
              Effect.zipRight(Effect.flatten(Effect.fork(Effect.asVoid(use(aio))))),
              Effect.zipRight(count)
            )
        })
        yield* Aio.start(aio, Effect.void)
        yield* Aio.wait(aio)
        expect(done).toBe(2)
      })
    )

  it.scoped("is waited for as far as the operation goes that it started", () =>
    Effect.gen(function* () {
      const hand = new Hand()
      const gate = yield* Deferred.make<void>()
      const log: Array<string> = []
      const aio: Aio.Aio = yield* Aio.make({
        callback: () =>
          Effect.gen(function* () {
            if (hand.tasks.length === 1) return yield* Deferred.await(gate)
            yield* Effect.orDie(Aio.start(aio, hand.operation))
            yield* Aio.wait(aio)
            log.push("waited")
          })
      })
      yield* Aio.start(aio, Effect.void)
      const waiting = yield* begin(Aio.wait(aio))
      expect(log).toEqual([])
      hand.last.finish(Exit.succeed(1))
      expect(yield* ended(waiting)).toBe(false)
      // the second callback runs, and the first did not wait for it
      expect([log, yield* Aio.busy(aio)]).toEqual([["waited"], true])
      yield* Deferred.succeed(gate, void 0)
      expect(yield* ended(waiting)).toBe(true)
    })
  )

  it.scoped("is waited for, callback and all, by what the last callback left behind", () =>
    Effect.gen(function* () {
      const gates = [yield* Deferred.make<void>(), yield* Deferred.make<void>()] as const
      let callbacks = 0
      let waited = false
      const aio: Aio.Aio = yield* Aio.make({
        callback: () => {
          if (++callbacks === 2) return Deferred.await(gates[1])
          const wait = Effect.zipRight(
            Aio.wait(aio),
            Effect.sync(() => (waited = true))
          )
          return Effect.asVoid(Effect.forkDaemon(Effect.zipRight(Deferred.await(gates[0]), wait)))
        }
      })
      yield* Aio.start(aio, Effect.void)
      yield* Aio.wait(aio)
      yield* Aio.start(aio, Effect.void)
      yield* settle
      yield* Deferred.succeed(gates[0], void 0)
      yield* settle
      expect([callbacks, waited]).toEqual([2, false])
      yield* Deferred.succeed(gates[1], void 0)
      yield* settle
      expect(waited).toBe(true)
    })
  )

  it.scoped("may start the next while its callback goes on, and is busy until both callbacks have ended", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      let callbacks = 0
      const aio: Aio.Aio = yield* Aio.make({
        callback: () =>
          ++callbacks === 1
            ? Effect.zipRight(Effect.orDie(Aio.start(aio, Effect.void)), Deferred.await(gate))
            : Effect.void
      })
      yield* Aio.start(aio, Effect.void)
      const waiting = yield* begin(Aio.wait(aio))
      expect([callbacks, yield* ended(waiting), yield* Aio.busy(aio)]).toEqual([2, false, true])
      yield* Deferred.succeed(gate, void 0)
      expect([yield* ended(waiting), yield* Aio.busy(aio)]).toEqual([true, false])
    })
  )

  it.scoped("[AIO-14] can be given up: its scope closes and nothing is left", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      let closed = false
      const aio = yield* Scope.extend(
        Aio.make({
          callback: () =>
            Effect.zipRight(
              Scope.close(scope, Exit.void),
              Effect.sync(() => void (closed = true))
            )
        }),
        scope
      )
      yield* Aio.sleep(aio, 10)
      const waiting = yield* begin(Aio.wait(aio))
      yield* TestClock.adjust(10)
      yield* Fiber.join(waiting)
      expect(closed).toBe(true)
      yield* failing(Effect.flatten(Aio.sleep(aio, 10)), "NNG_ESTOPPED")
    })
  )

  it.scoped("made in it serves callbacks of its own", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const outer: Aio.Aio = yield* Aio.make({
        callback: () =>
          Effect.gen(function* () {
            const inner: Aio.Aio = yield* Aio.make({
              callback: () =>
                Effect.all([Aio.wait(inner), Aio.stop(outer), Effect.sync(() => void log.push("inner"))], {
                  discard: true
                })
            })
            yield* Effect.orDie(Aio.start(inner, Effect.void))
            yield* Aio.wait(inner)
            log.push("outer")
          }).pipe(Effect.scoped)
      })
      yield* Aio.start(outer, Effect.void)
      yield* Aio.wait(outer)
      expect(log).toEqual(["inner", "outer"])
    })
  )

  it.scoped("is told in the log when that dies, and not when it is interrupted", () => {
    const logged: Array<unknown> = []
    const logger = Logger.add(Logger.make(({ message }) => void logged.push(message)))
    return Effect.gen(function* () {
      for (const callback of [Effect.interrupt, Effect.die("boom"), Effect.void]) {
        const aio = yield* Aio.make({ callback: () => callback })
        yield* Aio.start(aio, Effect.void)
        yield* Aio.wait(aio)
      }
      expect(logged).toEqual([["the callback of an aio died"]])
    }).pipe(Effect.provide(logger))
  })
})
