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
import * as Pair0 from "effect-nng/Pair0"
import * as Socket from "effect-nng/Socket"
import { begin, drain, ended, failing, inproc, interruptedAfter, pair, settle, yields } from "../support/sockets.js"

/** An aio whose callback keeps the results. */
const counted = (options: { readonly timeout?: number } = {}) =>
  Effect.gen(function* () {
    const results: Array<Aio.Result> = []
    const aio = yield* Aio.make({ ...options, callback: (result) => Effect.sync(() => void results.push(result)) })
    return { aio, results }
  })

const failure = (tag: Errors.Tag) => ({ _tag: "Failure", cause: { _tag: "Fail", error: { _tag: tag } } })

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

describe("sockets with an aio", () => {
  it.scoped("[AIO-08, AIO-24] a receive for ever that is cancelled ends once, with NNG_ECANCELED", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair()
      const { aio, results } = yield* counted()
      yield* Aio.start(aio, Socket.recv(left))
      yield* settle
      yield* Aio.cancel(aio)
      yield* Aio.wait(aio)
      expect(results).toMatchObject([failure("NNG_ECANCELED")])
      yield* Socket.send(right, "still there")
      expect(yield* drain(left)).toEqual(["still there"])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[AIO-09] a receive and the send that answers it both succeed, once", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair()
      const [receiving, sending] = [yield* counted(), yield* counted()]
      const received = yield* Aio.start(receiving.aio, Socket.recv(left))
      yield* settle
      const sent = yield* Aio.start(sending.aio, Socket.send(right, "hello"))
      yield* sent
      expect(Message.text(yield* received)).toBe("hello")
      yield* Aio.wait(receiving.aio)
      yield* Aio.wait(sending.aio)
      expect([receiving.results.length, sending.results]).toEqual([1, [Exit.void]])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[AIO-10] a receive from nobody ends once, with NNG_ETIMEDOUT", () =>
    Effect.gen(function* () {
      const { left } = yield* pair()
      const { aio, results } = yield* counted({ timeout: 40 })
      yield* Aio.start(aio, Socket.recv(left))
      yield* settle
      yield* TestClock.adjust(40)
      yield* Aio.wait(aio)
      expect(results).toMatchObject([failure("NNG_ETIMEDOUT")])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[AIO-33] a receive from a closed socket ends with NNG_ECLOSED", () =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make()
      const { aio, results } = yield* counted()
      yield* Aio.start(aio, Socket.recv(socket))
      yield* settle
      yield* socket.close
      yield* Aio.wait(aio)
      yield* Aio.start(aio, Socket.recv(socket))
      yield* Aio.wait(aio)
      expect(results).toMatchObject([failure("NNG_ECLOSED"), failure("NNG_ECLOSED")])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[AIO-31] a completion that won against a cancel stands, and so no message is lost", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair({ left: { recvBuffer: 4 } })
      for (let steps = 0; steps < 40; steps++) {
        const { aio, results } = yield* counted()
        yield* Aio.start(aio, Socket.recv(left))
        if (steps % 3 === 0) yield* settle
        yield* Socket.send(right, String(steps))
        yield* yields(steps >> 2)
        yield* Aio.cancel(aio)
        yield* Aio.wait(aio)
        const rest = yield* drain(left)
        expect(results).toHaveLength(1)
        const got = Exit.isSuccess(results[0]!) ? [Message.text(results[0].value as Message.Message)] : []
        expect([...got, ...rest], `after ${steps} steps`).toEqual([String(steps)])
      }
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("a receive that timed out as the message came has taken nothing", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair({ left: { recvBuffer: 4 } })
      for (let steps = 0; steps < 12; steps++) {
        const { aio, results } = yield* counted({ timeout: 10 })
        yield* Aio.start(aio, Socket.recv(left))
        yield* settle
        const sending = Effect.zipRight(yields(steps), Socket.send(right, String(steps)))
        yield* Effect.forkScoped(Effect.zipRight(Effect.sleep(10), sending))
        yield* settle
        yield* TestClock.adjust(10)
        yield* Aio.wait(aio)
        yield* settle
        const rest = yield* drain(left)
        const got = Exit.isSuccess(results[0]!) ? [Message.text(results[0].value as Message.Message)] : []
        expect([...got, ...rest], `after ${steps} steps`).toEqual([String(steps)])
      }
    }).pipe(Effect.provide(inproc))
  )
})
