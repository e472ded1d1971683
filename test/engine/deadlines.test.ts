import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FC from "effect/FastCheck"
import * as TestClock from "effect/TestClock"
import * as Message from "effect-nng/Message"
import * as Pair0 from "effect-nng/Pair0"
import * as Socket from "effect-nng/Socket"
import type { Deadline } from "../../src/internal/ports/timeline.js"
import { Deadlines } from "../../src/internal/ports/deadlines.js"
import { begin, drain, ended, failing, network, pair, settle, yields } from "../support/sockets.js"

const make: Effect.Effect<Deadlines> = Effect.map(
  Effect.all([Effect.runtime<never>(), Effect.clock]),
  ([runtime, clock]) => new Deadlines(runtime, clock)
)

describe("Deadlines", () => {
  it.effect("fire at their time, in order of time, and once", () =>
    Effect.gen(function* () {
      const deadlines = yield* make
      const fired: Array<number> = []
      for (const millis of [30, 10, 20, 10, 40]) deadlines.add(millis, () => fired.push(millis))
      yield* TestClock.adjust(9)
      expect(fired).toEqual([])
      yield* TestClock.adjust(1)
      expect(fired).toEqual([10, 10])
      yield* TestClock.adjust(15)
      expect(fired).toEqual([10, 10, 20])
      yield* TestClock.adjust(100)
      expect(fired).toEqual([10, 10, 20, 30, 40])
    })
  )

  it.effect("do not fire once removed, and may be removed twice", () =>
    Effect.gen(function* () {
      const deadlines = yield* make
      const fired: Array<string> = []
      const [a, b] = [deadlines.add(10, () => fired.push("a")), deadlines.add(20, () => fired.push("b"))]
      deadlines.add(30, () => fired.push("c"))
      deadlines.remove(a)
      deadlines.remove(a)
      yield* TestClock.adjust(20)
      deadlines.remove(b)
      yield* TestClock.adjust(20)
      expect(fired).toEqual(["b", "c"])
    })
  )

  it.effect("an earlier one replaces the sleeper, a later one does not", () =>
    Effect.gen(function* () {
      const deadlines = yield* make
      const fired: Array<string> = []
      const sleeping = Effect.map(TestClock.sleeps(), (times) => Array.from(times).length)
      deadlines.add(1000, () => fired.push("late"))
      deadlines.add(2000, () => fired.push("later"))
      yield* settle
      expect(yield* sleeping).toBe(1)
      deadlines.add(10, () => fired.push("early"))
      yield* settle
      yield* TestClock.adjust(10)
      expect(fired).toEqual(["early"])
      yield* TestClock.adjust(3000)
      expect(fired).toEqual(["early", "late", "later"])
    })
  )

  it.effect("may add and remove others as they fire", () =>
    Effect.gen(function* () {
      const deadlines = yield* make
      const fired: Array<string> = []
      const others: Array<Deadline> = []
      deadlines.add(10, () => {
        fired.push("first")
        for (const other of others) deadlines.remove(other)
        deadlines.add(5, () => fired.push("added"))
        deadlines.add(0, () => fired.push("at once"))
      })
      others.push(deadlines.add(10, () => fired.push("other")))
      yield* TestClock.adjust(10)
      expect(fired).toEqual(["first", "at once"])
      yield* TestClock.adjust(5)
      expect(fired).toEqual(["first", "at once", "added"])
    })
  )

  it.effect("fire at times that are no whole milliseconds", () =>
    Effect.gen(function* () {
      const deadlines = yield* make
      const fired: Array<number> = []
      yield* TestClock.adjust(27_682)
      for (const millis of [601.9, 130.8, 0.1 + 0.2]) deadlines.add(millis, () => fired.push(millis))
      yield* TestClock.adjust(1000)
      expect(fired).toEqual([0.1 + 0.2, 130.8, 601.9])
    })
  )

  it.effect("are quiet once closed, and may be closed twice", () =>
    Effect.gen(function* () {
      const deadlines = yield* make
      let fired = 0
      deadlines.add(10, () => fired++)
      deadlines.close()
      deadlines.close()
      yield* TestClock.adjust(100)
      expect(fired).toBe(0)
    })
  )

  it.effect.prop(
    "whatever is added and removed, each that stays fires at its time and no other does",
    [FC.array(FC.record({ millis: FC.integer({ min: 1, max: 20 }), remove: FC.boolean() }), { maxLength: 30 })],
    ([plan]) =>
      Effect.gen(function* () {
        const deadlines = yield* make
        const clock = yield* Effect.clock
        const start = clock.unsafeCurrentTimeMillis()
        const fired: Array<readonly [number, number]> = []
        const all = plan.map(({ millis }, n) =>
          deadlines.add(millis, () => fired.push([n, clock.unsafeCurrentTimeMillis() - start]))
        )
        all.forEach((deadline, n) => {
          if (plan[n]!.remove) deadlines.remove(deadline)
        })
        // clocks are adjusted step by step, or all would fire late at the last moment
        for (const at of new Set(plan.map(({ millis }) => millis).sort((a, b) => a - b))) {
          yield* TestClock.setTime(start + at)
        }
        expect(fired.slice().sort(([a], [b]) => a - b)).toEqual(
          plan.flatMap(({ millis, remove }, n) => (remove ? [] : [[n, millis]]))
        )
        deadlines.close()
      }),
    { fastCheck: { numRuns: 15 } }
  )
})

describe("operations with a deadline", () => {
  it.scoped("[SOCK-02] a receive fails with NNG_ETIMEDOUT after the socket's recvTimeout", () =>
    Effect.gen(function* () {
      const { left } = yield* pair({ left: { recvTimeout: 10 } })
      for (const operation of [Effect.asVoid(Socket.recv(left)), Effect.asVoid(Socket.recvChunk(left))]) {
        const receiving = yield* begin(operation)
        yield* TestClock.adjust(9)
        expect(yield* ended(receiving)).toBe(false)
        yield* TestClock.adjust(1)
        yield* failing(Fiber.join(receiving), "NNG_ETIMEDOUT")
      }
    }).pipe(Effect.provide(network))
  )

  it.scoped("[SOCK-03] a non-blocking receive fails with NNG_EAGAIN at once", () =>
    Effect.gen(function* () {
      const { left } = yield* pair({ left: { recvTimeout: 10 } })
      yield* failing(Socket.recv(left, { nonblocking: true }), "NNG_EAGAIN")
      yield* failing(Socket.recv(left, { nonblocking: true, timeout: 5 }), "NNG_EAGAIN")
    }).pipe(Effect.provide(network))
  )

  it.scoped("[SOCK-04] a send to nobody fails with NNG_ETIMEDOUT after the socket's sendTimeout", () =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make({ sendTimeout: 100 })
      for (const operation of [Socket.send(socket, "x"), Socket.sendAll(socket, ["x", "y"])]) {
        const sending = yield* begin(operation)
        yield* TestClock.adjust(99)
        expect(yield* ended(sending)).toBe(false)
        yield* TestClock.adjust(1)
        yield* failing(Fiber.join(sending), "NNG_ETIMEDOUT")
      }
    }).pipe(Effect.provide(network))
  )

  it.scoped("[SOCK-05] a non-blocking send to nobody fails with NNG_EAGAIN at once", () =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make({ sendTimeout: 500 })
      yield* failing(Socket.send(socket, "x", { nonblocking: true }), "NNG_EAGAIN")
      yield* failing(Socket.sendAll(socket, ["x"], { nonblocking: true }), "NNG_EAGAIN")
    }).pipe(Effect.provide(network))
  )

  it.scoped("a time-out of zero tries first, and so does nonblocking", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair({ left: { recvBuffer: 2 } })
      yield* Socket.send(right, "1", { timeout: 0 })
      yield* settle
      yield* Socket.send(right, "2", { nonblocking: true })
      yield* settle
      expect(Message.text(yield* Socket.recv(left, { timeout: 0 }))).toBe("1")
      expect(Message.text(yield* Socket.recv(left, { nonblocking: true }))).toBe("2")
      yield* failing(Socket.recv(left, { timeout: 0 }), "NNG_ETIMEDOUT")
      yield* failing(Socket.send(yield* Pair0.make(), "x", { timeout: 0 }), "NNG_ETIMEDOUT")
    }).pipe(Effect.provide(network))
  )

  it.scoped("an operation's own time-out goes before the socket's, and may be infinite", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair({ left: { recvTimeout: 100 } })
      const short = yield* begin(Socket.recv(left, { timeout: 10 }))
      const long = yield* begin(Socket.recv(left, { timeout: "1 hour" }))
      const forever = yield* begin(Socket.recv(left, { timeout: Infinity }))
      const byDefault = yield* begin(Socket.recv(left))
      yield* TestClock.adjust(10)
      yield* failing(Fiber.join(short), "NNG_ETIMEDOUT")
      yield* TestClock.adjust(90)
      yield* failing(Fiber.join(byDefault), "NNG_ETIMEDOUT")
      yield* TestClock.adjust("1 hour")
      yield* failing(Fiber.join(long), "NNG_ETIMEDOUT")
      yield* TestClock.adjust("1000 days")
      yield* Socket.send(right, "late")
      expect(Message.text(yield* Fiber.join(forever))).toBe("late")
    }).pipe(Effect.provide(network))
  )

  it.scoped("a time-out that is changed holds from the next operation on", () =>
    Effect.gen(function* () {
      const { left } = yield* pair({ left: { recvTimeout: 100 } })
      const before = yield* begin(Socket.recv(left))
      yield* Socket.configure(left, { recvTimeout: 10 })
      const after = yield* begin(Socket.recv(left))
      yield* TestClock.adjust(10)
      expect([yield* ended(before), yield* ended(after)]).toEqual([false, true])
    }).pipe(Effect.provide(network))
  )

  it.scoped("a message that comes as the time is up is either received or still there", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair({ left: { recvBuffer: 4 } })
      for (let steps = 0; steps < 12; steps++) {
        const receiving = yield* begin(Socket.recv(left, { timeout: 10 }))
        // the sender wakes in the same instant, and sends some steps later
        const sending = Effect.zipRight(yields(steps), Socket.send(right, String(steps)))
        yield* begin(Effect.zipRight(Effect.sleep(10), sending))
        yield* TestClock.adjust(10)
        const exit = yield* Fiber.await(receiving)
        const rest = yield* drain(left)
        const got = Exit.isSuccess(exit) ? [Message.text(exit.value)] : []
        expect([...got, ...rest], `after ${steps} steps`).toEqual([String(steps)])
      }
      // and the other way round: the message is on its way when the time comes
      for (let steps = 0; steps < 6; steps++) {
        const receiving = yield* begin(Socket.recv(left, { timeout: 10 }))
        yield* begin(Effect.zipRight(Effect.sleep(9), Socket.send(right, String(steps))))
        yield* TestClock.adjust(9)
        yield* yields(steps)
        yield* TestClock.adjust(1)
        expect(Message.text(yield* Fiber.join(receiving))).toBe(String(steps))
      }
    }).pipe(Effect.provide(network))
  )

  it.scoped("room that comes as the time of a send is up is used once or not at all", () =>
    Effect.gen(function* () {
      for (let steps = 0; steps < 12; steps++) {
        yield* Effect.scoped(
          Effect.gen(function* () {
            const { left, right } = yield* pair()
            yield* Socket.sendAll(right, ["held", "between"])
            yield* settle
            const sending = yield* begin(Socket.send(right, "late", { timeout: 10 }))
            const receiving = yield* begin(
              Effect.zipRight(Effect.sleep(10), Effect.zipRight(yields(steps), Socket.recv(left)))
            )
            yield* TestClock.adjust(10)
            const exit = yield* Fiber.await(sending)
            expect(Message.text(yield* Fiber.join(receiving))).toBe("held")
            expect(yield* drain(left), `after ${steps} steps`).toEqual(
              Exit.isSuccess(exit) ? ["between", "late"] : ["between"]
            )
          })
        ).pipe(Effect.provide(network))
      }
    })
  )
})
