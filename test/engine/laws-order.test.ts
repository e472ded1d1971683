/**
 * Who waits is served in order, whoever else is interrupted, late or robbed; and a deadline is decided together with the
 * operation: what is late has taken nothing, what has taken something is not late.
 */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as Errors from "effect-nng/Errors"
import type * as Message from "effect-nng/Message"
import * as Pair0 from "effect-nng/Pair0"
import * as Socket from "effect-nng/Socket"
import { Waiters } from "../../src/internal/engine/waiters.js"
import { Deadlines } from "../../src/internal/ports/deadlines.js"
import type { Dice } from "../support/laws.js"
import { elsewhere, forSeeds, HandClock, inprocAlone, interruptNow } from "../support/laws.js"
import { begin, drain, pair, recvText, settle, yields } from "../support/sockets.js"

const outcome = (exit: Exit.Exit<unknown, Errors.NngError>): "done" | "late" | "interrupted" => {
  if (Exit.isSuccess(exit)) return "done"
  if (Exit.isInterrupted(exit)) return "interrupted"
  expect(exit.cause).toMatchObject({ _tag: "Fail", error: { _tag: "NNG_ETIMEDOUT" } })
  return "late"
}

/** Somebody in the line, and what he knows of it himself. */
interface Customer {
  readonly number: number
  /** When his time is over. */
  due: number
  /** What was done to him, at the very moment. */
  fate: "waiting" | "served" | "late" | "cancelled"
  readonly fiber: Fiber.RuntimeFiber<void, Errors.ETIMEDOUT>
}

/** Things to take, and a line of those who wait for them. */
class Shop {
  readonly clock = new HandClock()
  readonly customers: Array<Customer> = []
  readonly violations: Array<string> = []
  stock = 0
  added = 0
  stolen = 0
  private readonly waiters: Waiters<Errors.ETIMEDOUT>

  constructor(deadlines: (clock: HandClock) => Deadlines) {
    this.waiters = new Waiters(() => this.stock > 0, deadlines(this.clock))
  }

  /** Comes, and waits in any case. */
  arrive(millis: number | undefined): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { customers } = this
      const number = customers.length
      const customer = (): Customer => customers[number]!
      const attempt = {
        try: () => {
          if (this.stock === 0) return undefined
          this.stock--
          this.serve(customer())
          return Exit.void
        },
        late: () => {
          if (customer().fate !== "cancelled") this.become(customer(), "late")
          return new Errors.ETIMEDOUT()
        }
      }
      const wait = Effect.suspend(() => {
        customer().due = this.clock.unsafeCurrentTimeMillis() + (millis ?? Infinity)
        return this.waiters.wait(attempt, millis)
      })
      return Effect.map(Effect.forkDaemon(wait), (fiber) => {
        customers.push({ number, due: Infinity, fate: "waiting", fiber })
      })
    })
  }

  private serve(customer: Customer): void {
    const before = this.customers.find(({ fate, number }) => fate === "waiting" && number < customer.number)
    if (before !== undefined) this.violations.push(`${customer.number} was served before ${before.number}`)
    this.become(customer, "served")
  }

  private become(customer: Customer, fate: "served" | "late"): void {
    if (customer.fate !== "waiting") this.violations.push(`${customer.number} is ${fate} and was ${customer.fate}`)
    customer.fate = fate
  }

  add(n: number): void {
    for (let added = 0; added < n; added++) {
      this.stock++
      this.added++
      this.waiters.notify()
    }
  }

  /** Takes one away from under those who wait, as another protocol event may. */
  steal(): void {
    if (this.stock === 0) return
    this.stock--
    this.stolen++
  }

  cancel(customer: Customer | undefined): void {
    if (customer === undefined) return
    interruptNow(customer.fiber)
    if (customer.fate === "waiting") customer.fate = "cancelled"
  }

  /** When all that is ready has run nobody is forgotten: not while there is something to take, nor beyond his time. */
  lookAround(): void {
    const { stock, violations, waiting, waiters } = this
    const now = this.clock.unsafeCurrentTimeMillis()
    if (waiting.length > 0 && stock > 0) violations.push(`${waiting[0]!.number} waits before a stock of ${stock}`)
    if (waiters.none !== (waiting.length === 0)) violations.push(`the line is ${waiters.none ? "empty" : "not empty"}`)
    for (const { due, number } of waiting) if (due <= now) violations.push(`${number} waits beyond his time`)
  }

  get waiting(): ReadonlyArray<Customer> {
    return this.customers.filter(({ fate }) => fate === "waiting")
  }
}

const day = (roll: Dice, events: number) =>
  Effect.gen(function* () {
    const runtime = yield* Effect.runtime<never>()
    const shop = new Shop((clock) => new Deadlines(runtime, clock))
    for (let event = 0; event < events; event++) {
      switch (roll(8)) {
        case 0:
        case 1:
          yield* shop.arrive(roll(3) === 0 ? 1 + roll(4) : undefined)
          break
        case 2:
          yield* shop.arrive(undefined)
          yield* yields(2)
          break
        case 3:
          shop.add(roll(3))
          break
        case 4:
          // anybody, served or not
          shop.cancel(shop.customers[roll(shop.customers.length + 1)])
          break
        case 5: {
          // a chain, from the first on, in the tick in which the first is woken or in none
          if (roll(2) === 0) shop.add(1)
          for (const customer of shop.waiting.slice(0, 1 + roll(4))) {
            shop.cancel(customer)
            yield* yields(roll(2))
          }
          break
        }
        case 6: {
          // in one tick, in either order
          const late = roll(3)
          if (late === 1) shop.clock.advance(1)
          if (roll(2) === 0) shop.add(1)
          if (roll(2) === 0) shop.steal()
          if (late === 2) shop.clock.advance(1)
          break
        }
        case 7:
          if (roll(3) > 0) yield* yields(roll(4))
          else {
            yield* settle
            shop.lookAround()
          }
      }
    }
    yield* settle
    shop.lookAround()
    return shop
  })

/** What holds when all that is ready has run. */
const closing = (shop: Shop) =>
  Effect.gen(function* () {
    expect(shop.violations).toEqual([])
    const served = shop.customers.filter(({ fate }) => fate === "served").length
    expect(served + shop.stock + shop.stolen).toBe(shop.added)
    for (const { fate, fiber, number } of shop.customers) {
      if (fate === "waiting") {
        expect(fiber.unsafePoll(), `of ${number}`).toBeNull()
        continue
      }
      const said = outcome(yield* Fiber.await(fiber))
      // whoever was interrupted as he failed may say either
      expect(
        { served: ["done"], late: ["late", "interrupted"], cancelled: ["interrupted"] }[fate],
        `of ${number}`
      ).toContain(said)
    }
  })

/** By the long way of an effect or the short one of a generator. */
const eitherWay = <A, E>(roll: Dice, effect: Effect.Effect<A, E>): Effect.Effect<Option.Option<A>> =>
  Effect.option(
    roll(2) === 0
      ? effect
      : Effect.gen(function* () {
          return yield* effect
        })
  )

describe.skipIf(elsewhere)("who waits is served first come first served", () => {
  it.effect("whoever is interrupted, late or robbed, chains of them included", () => {
    const fates: Record<Customer["fate"], number> = { waiting: 0, served: 0, late: 0, cancelled: 0 }
    return Effect.map(
      forSeeds(400, (roll) =>
        Effect.flatMap(day(roll, 60), (shop) => {
          for (const { fate } of shop.customers) fates[fate]++
          return Effect.zipRight(closing(shop), Fiber.interruptAll(shop.customers.map(({ fiber }) => fiber)))
        })
      ),
      () => {
        for (const count of Object.values(fates)) expect(count, JSON.stringify(fates)).toBeGreaterThan(50)
      }
    )
  })

  it.scoped("receivers of a socket, with some of them interrupted", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair({ right: { sendBuffer: 8192 } })
      yield* forSeeds(60, (roll) =>
        Effect.gen(function* () {
          const order: Array<number> = []
          let newcomers = 0
          const fibers: Array<Fiber.RuntimeFiber<void, Socket.RecvError>> = []
          for (let n = 0; n < 30; n++) {
            const receive = roll(2) === 0 ? recvText(left) : Effect.asVoid(Socket.recvChunk(left, { max: 1 }))
            fibers.push(yield* Effect.fork(Effect.map(receive, () => void order.push(n))))
          }
          yield* yields(2)
          for (let n = 0; n < 12; n++) {
            yield* Socket.send(right, String(n))
            yield* yields(roll(6))
            if (roll(2) === 0) {
              // often the one that is just being woken, and those behind
              const at = roll(2) === 0 ? roll(30) : Math.max(-1, ...order) + 1
              for (const fiber of fibers.slice(at, at + 1 + roll(3))) interruptNow(fiber)
            }
            // whoever comes now, be it between the wake of another and his turn, overtakes nobody
            const newcomer = yield* eitherWay(roll, Socket.recv(left, { nonblocking: true }))
            if (Option.isSome(newcomer)) expect(fibers.filter((fiber) => fiber.unsafePoll() === null)).toEqual([])
            if (Option.isSome(newcomer)) newcomers++
            yield* yields(roll(2))
          }
          yield* settle
          expect(order).toEqual(order.slice().sort((a, b) => a - b))
          const waiting = fibers.filter((fiber) => fiber.unsafePoll() === null)
          const rest = yield* drain(left)
          expect(order.length + newcomers + rest.length).toBe(12)
          // a message is left over only if nobody is left who waits
          if (rest.length > 0) expect(waiting).toEqual([])
          yield* Fiber.interruptAll(fibers)
        })
      )
    }).pipe(Effect.provide(inprocAlone))
  )

  it.scoped("senders of a socket, with some of them interrupted", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair()
      yield* forSeeds(60, (roll) =>
        Effect.gen(function* () {
          const sent: Array<string> = []
          const got: Array<string> = []
          const fibers: Array<Fiber.RuntimeFiber<void, Socket.SendError>> = []
          for (let n = 0; n < 30; n++) {
            const name = String(n)
            fibers.push(yield* Effect.fork(Effect.map(Socket.send(right, name), () => void sent.push(name))))
          }
          yield* yields(2)
          for (let n = 0; n < 12; n++) {
            if (roll(2) === 0) {
              const at = roll(2) === 0 ? roll(30) : sent.length
              for (const fiber of fibers.slice(at, at + 1 + roll(3))) interruptNow(fiber)
            }
            yield* yields(roll(3))
            got.push(yield* recvText(left))
            yield* yields(roll(4))
            if (roll(2) === 0) for (const fiber of fibers.slice(n, n + 2)) interruptNow(fiber)
            const newcomer = String(100 + n)
            if (Option.isSome(yield* eitherWay(roll, Socket.send(right, newcomer, { nonblocking: true })))) {
              expect(fibers.filter((fiber) => fiber.unsafePoll() === null)).toEqual([])
              sent.push(newcomer)
            }
          }
          yield* settle
          got.push(...(yield* drain(left)))
          expect(fibers.filter((fiber) => fiber.unsafePoll() === null)).toEqual([])
          expect(sent.map(Number)).toEqual(sent.map(Number).sort((a, b) => a - b))
          expect(got).toEqual(sent)
        })
      )
    }).pipe(Effect.provide(inprocAlone))
  )
})

type Outcomes = Record<ReturnType<typeof outcome>, number>

const noOutcomes = (): Outcomes => ({ done: 0, late: 0, interrupted: 0 })

const eachOften = (outcomes: Outcomes): void => {
  for (const count of Object.values(outcomes)) expect(count, JSON.stringify(outcomes)).toBeGreaterThan(50)
}

/** Does these things in an order of chance, with others' turns in between, or all in one tick. */
const inAnyOrder = (roll: Dice, things: ReadonlyArray<Effect.Effect<unknown, Socket.SendError>>) =>
  Effect.gen(function* () {
    const left = [...things]
    while (left.length > 0) {
      yield* left.splice(roll(left.length), 1)[0]!
      yield* yields(roll(4))
    }
  })

describe.skipIf(elsewhere)("a deadline is decided together with the operation, in the very instant", () => {
  for (const own of [true, false]) {
    const options = own ? { timeout: 10 } : undefined
    const whose = own ? "its own timeout" : "the socket's"

    it.scoped(`a receive with ${whose}: the message is received or still there, never both, never neither`, () =>
      Effect.gen(function* () {
        const clock = new HandClock()
        const { left, right } = yield* Effect.withClock(
          pair({ left: { recvBuffer: 8, ...(own ? {} : { recvTimeout: 10 }) } }),
          clock
        )
        const outcomes = noOutcomes()
        yield* forSeeds(20, (roll) =>
          Effect.gen(function* () {
            for (let run = 0; run < 100; run++) {
              const got: Array<string> = []
              // several in line, the first with company that is as late as he is
              const fibers = yield* Effect.replicateEffect(
                Effect.fork(Effect.map(recvText(left, options), (text) => void got.push(text))),
                1 + roll(3)
              )
              yield* yields(2)
              const sent = ["a", "b"].slice(0, 1 + roll(2)).map((letter) => `${run}${letter}`)
              yield* inAnyOrder(roll, [
                Effect.sync(() => clock.advance(10)),
                ...sent.map((name) => Socket.send(right, name)),
                ...(roll(3) === 0 ? [Effect.sync(() => interruptNow(fibers[0]!))] : [])
              ])
              clock.advance(10)
              for (const fiber of fibers) outcomes[outcome(yield* Fiber.await(fiber))]++
              const rest = yield* drain(left)
              expect([...got, ...rest].sort(), `run ${run}`).toEqual(sent.slice().sort())
              expect((yield* left.statistics).received).toBe((yield* right.statistics).sent)
            }
          })
        )
        eachOften(outcomes)
      }).pipe(Effect.provide(inprocAlone))
    )

    it.scoped(`a send with ${whose}: the message goes once, or not at all`, () =>
      Effect.gen(function* () {
        const clock = new HandClock()
        const { left, right } = yield* Effect.withClock(pair({ right: own ? {} : { sendTimeout: 10 } }), clock)
        const outcomes = noOutcomes()
        yield* forSeeds(20, (roll) =>
          Effect.gen(function* () {
            for (let run = 0; run < 60; run++) {
              const sent: Array<string> = []
              while (yield* Effect.zipRight(yields(3), Socket.isWritable(right))) {
                const name = `${run}before${sent.length}`
                yield* Socket.send(right, name)
                sent.push(name)
              }
              const fibers: Array<Fiber.RuntimeFiber<void, Socket.SendError>> = []
              for (const letter of ["a", "b", "c"].slice(0, 1 + roll(3))) {
                const name = `${run}${letter}`
                const send = Effect.map(Socket.send(right, name, options), () => void sent.push(name))
                fibers.push(yield* Effect.fork(send))
              }
              yield* yields(2)
              const got: Array<string> = []
              const receive = Effect.map(recvText(left, { nonblocking: true }), (text) => void got.push(text))
              yield* inAnyOrder(roll, [
                Effect.sync(() => clock.advance(10)),
                receive,
                ...(roll(2) === 0 ? [Effect.ignore(receive)] : []),
                ...(roll(3) === 0 ? [Effect.sync(() => interruptNow(fibers[0]!))] : [])
              ])
              clock.advance(10)
              for (const fiber of fibers) outcomes[outcome(yield* Fiber.await(fiber))]++
              got.push(...(yield* drain(left)))
              expect(got, `run ${run}`).toEqual(sent)
            }
          })
        )
        eachOften(outcomes)
      }).pipe(Effect.provide(inprocAlone))
    )
  }

  it.scoped("on effect's own TestClock: the sender wakes in the instant of the deadline, before it or after it", () =>
    Effect.gen(function* () {
      const outcomes = noOutcomes()
      const sockets = yield* Effect.forEach(Array.from({ length: 15 }), (_, n) =>
        Effect.gen(function* () {
          const left = yield* Pair0.make({ recvBuffer: 4, recvTimeout: 10 })
          const right = yield* Pair0.make()
          yield* Socket.listen(left, `inproc://${n}`)
          yield* Socket.dial(right, `inproc://${n}`)
          return { left, right }
        })
      )
      yield* forSeeds(6, (roll) =>
        Effect.gen(function* () {
          const races = yield* Effect.forEach(sockets, ({ left, right }) =>
            Effect.gen(function* () {
              const receive = begin(recvText(left, roll(2) === 0 ? undefined : { timeout: 10 }))
              const send = begin(
                Effect.zipRight(Effect.sleep(10), Effect.zipRight(yields(roll(3)), Socket.send(right, "message")))
              )
              if (roll(2) === 0) return { left, receiving: yield* receive, sending: yield* send }
              const sending = yield* send
              return { left, receiving: yield* receive, sending }
            })
          )
          yield* TestClock.adjust(10)
          for (const { left, receiving, sending } of races) {
            yield* Fiber.join(sending)
            const exit = yield* Fiber.await(receiving)
            outcomes[outcome(exit)]++
            const rest = yield* drain(left)
            expect([...(Exit.isSuccess(exit) ? [exit.value] : []), ...rest]).toEqual(["message"])
          }
        })
      )
      expect(outcomes.done).toBeGreaterThan(10)
      expect(outcomes.late).toBeGreaterThan(10)
    }).pipe(Effect.provide(inprocAlone))
  )
})

describe.skipIf(elsewhere)("why `timeout` is an option of the operation", () => {
  /** In so many microtasks: finer than the turns of fibers. */
  const later = (microtasks: number, run: () => void): void =>
    microtasks === 0 ? run() : void Promise.resolve().then(() => later(microtasks - 1, run))

  /** The time is up so many microtasks after the message was sent, or before; what becomes of the message. */
  const race = (
    receive: (socket: Socket.CanRecv) => Effect.Effect<Message.Message | undefined, Socket.RecvError>,
    microtasks: number
  ) =>
    Effect.gen(function* () {
      const clock = new HandClock()
      return yield* Effect.gen(function* () {
        const { left, right } = yield* pair({ left: { recvBuffer: 1 } })
        const fiber = yield* begin(receive(left))
        later(Math.max(0, microtasks), () => clock.advance(10))
        yield* yields(-microtasks)
        yield* Socket.send(right, "message")
        const exit = yield* Fiber.await(fiber)
        const rest = yield* drain(left)
        if (Exit.isSuccess(exit) && exit.value !== undefined) return rest.length === 0 ? "received" : "twice"
        return rest.length === 1 ? "still there" : "lost"
      }).pipe(Effect.withClock(clock))
    }).pipe(Effect.scoped, Effect.provide(inprocAlone))

  const all = (receive: (socket: Socket.CanRecv) => Effect.Effect<Message.Message | undefined, Socket.RecvError>) =>
    Effect.map(
      Effect.forEach(
        Array.from({ length: 30 }, (_, n) => n - 10),
        (microtasks) => race(receive, microtasks)
      ),
      (outcomes) => new Set(outcomes)
    )

  it.effect("recv({ timeout }) receives the message or leaves it", () =>
    Effect.gen(function* () {
      expect(yield* all((socket) => Socket.recv(socket, { timeout: 10 }))).toEqual(new Set(["received", "still there"]))
    })
  )

  it.effect("Effect.timeout may throw away a message that was received in the last moment", () =>
    Effect.gen(function* () {
      const outcomes = yield* all((socket) =>
        Effect.map(Effect.timeoutOption(Socket.recv(socket), 10), (option) =>
          option._tag === "Some" ? option.value : undefined
        )
      )
      expect(outcomes).toEqual(new Set(["received", "still there", "lost"]))
    })
  )

  it.scoped("Effect.race throws away what the loser had received", () =>
    Effect.gen(function* () {
      const [one, other] = [yield* Pair0.make({ recvBuffer: 1 }), yield* Pair0.make({ recvBuffer: 1 })]
      for (const [n, socket] of [one, other].entries()) {
        const peer = yield* Pair0.make()
        yield* Socket.listen(socket, `inproc://race${n}`)
        yield* Socket.dial(peer, `inproc://race${n}`)
        yield* Socket.send(peer, `message ${n}`)
      }
      yield* settle
      yield* Effect.race(Socket.recv(one), Socket.recv(other))
      expect([...(yield* drain(one)), ...(yield* drain(other))]).toEqual([])
    }).pipe(Effect.provide(inprocAlone))
  )
})
