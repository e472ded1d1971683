import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as InprocTransport from "effect-nng/InprocTransport"
import * as Message from "effect-nng/Message"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Pair0 from "effect-nng/Pair0"
import * as Socket from "effect-nng/Socket"
import * as Turn from "effect-nng/Turn"
import { afterOps, drain, inproc, interruptedAfter, marry, pair, settle, yields } from "../support/sockets.js"

/** A small generator with a seed, so that a run that failed can be run again. */
const dice = (seed: number) => {
  let state = seed >>> 0
  return (sides: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * sides)
  }
}

/** What two married sockets did, as seen from outside. */
interface Tally {
  readonly sent: Array<string>
  readonly received: Array<string>
  interruptedSends: number
  interruptedReceives: number
}

const newTally = (): Tally => ({ sent: [], received: [], interruptedSends: 0, interruptedReceives: 0 })

/**
 * Sends and receives that are interrupted here and there: before they begin, while they wait, in the tick in which they
 * are woken, and where the runtime yields because the op budget is spent.
 */
const storm = (
  left: Pair0.Pair0,
  right: Pair0.Pair0,
  options: { readonly rounds: number; readonly seed: number; readonly budget: number }
): Effect.Effect<Tally> =>
  Effect.gen(function* () {
    const roll = dice(options.seed)
    const tally = newTally()
    const running = new Set<Fiber.RuntimeFiber<unknown, unknown>>()
    const launch = <A, E>(effect: Effect.Effect<A, E>, done: (exit: Exit.Exit<A, E>) => void) =>
      Effect.map(
        Effect.withMaxOpsBeforeYield(Effect.forkDaemon(afterOps(effect, roll(options.budget))), options.budget),
        (fiber) => {
          running.add(fiber)
          fiber.addObserver((exit) => {
            running.delete(fiber)
            done(exit)
          })
          return fiber
        }
      )
    const interrupted = { send: () => tally.interruptedSends++, recv: () => tally.interruptedReceives++ }
    const ways: ReadonlyArray<(name: string) => Effect.Effect<Fiber.RuntimeFiber<unknown, unknown>>> = [
      (name) =>
        launch(Socket.send(left, name), (exit) => {
          if (Exit.isSuccess(exit)) tally.sent.push(name)
          else interrupted.send()
        }),
      () =>
        launch(Socket.recv(right), (exit) => {
          if (Exit.isSuccess(exit)) tally.received.push(Message.text(exit.value))
          else interrupted.recv()
        }),
      // in a generator what was done is told by its next line, whatever becomes of the fiber afterwards
      (name) =>
        launch(
          Effect.gen(function* () {
            for (const part of ["a", "b", "c"]) {
              yield* Socket.send(left, name + part)
              tally.sent.push(name + part)
            }
          }),
          (exit) => void (Exit.isFailure(exit) && interrupted.send())
        ),
      () =>
        launch(
          Effect.gen(function* () {
            for (let n = 0; n < 3; n++) {
              const message = yield* Socket.recv(right)
              tally.received.push(Message.text(message))
            }
          }),
          (exit) => void (Exit.isFailure(exit) && interrupted.recv())
        )
    ]
    for (let round = 0; round < options.rounds; round++) {
      const fiber = yield* ways[roll(ways.length)]!(String(round))
      yield* yields(roll(4))
      if (roll(3) === 0) fiber.unsafeInterruptAsFork(FiberId.none)
      if (roll(10) === 0) for (const other of running) if (roll(2) === 0) other.unsafeInterruptAsFork(FiberId.none)
      if (roll(7) === 0) yield* yields(roll(20))
    }
    yield* Fiber.interruptAll(running)
    return tally
  })

/** What was sent is what was received and what is still there: nothing lost, nothing twice, nothing of the interrupted. */
const balanced = (tally: Tally, rest: ReadonlyArray<string>): void => {
  const all = [...tally.received, ...rest]
  expect(new Set(all).size).toBe(all.length)
  expect(all.sort()).toEqual(tally.sent.slice().sort())
}

describe("an interrupted receive has taken nothing, an interrupted send has sent nothing", () => {
  for (const [name, left, right] of [
    ["no buffers", {}, {}],
    ["a send buffer", { sendBuffer: 3 }, {}],
    ["a receive buffer", {}, { recvBuffer: 3 }],
    ["both buffers", { sendBuffer: 1 }, { recvBuffer: 2 }]
  ] as const) {
    it.scoped(`with ${name}`, () =>
      Effect.gen(function* () {
        const sockets = yield* pair({ left, right })
        for (const [seed, budget] of [
          [1, 2048],
          [2, 64],
          [3, 80],
          [4, 200]
        ] as const) {
          const tally = yield* storm(sockets.left, sockets.right, { rounds: 1000, seed, budget })
          balanced(tally, yield* drain(sockets.right))
          expect(tally.interruptedSends).toBeGreaterThan(50)
          expect(tally.interruptedReceives).toBeGreaterThan(50)
          expect(tally.received.length).toBeGreaterThan(50)
        }
      }).pipe(Effect.provide(inproc))
    )
  }

  it.scopedLive("with hops of the event loop in between", () =>
    Effect.gen(function* () {
      let operations = 0
      const { hop } = Turn.make()
      const sockets = yield* pair({ right: { recvBuffer: 2 } }).pipe(
        Effect.provideService(Turn.Turn, { unsafeDue: () => ++operations % 3 === 0, hop })
      )
      const tally = yield* storm(sockets.left, sockets.right, { rounds: 1500, seed: 5, budget: 100 })
      balanced(tally, yield* drainHopping(sockets.left, sockets.right))
      expect(tally.received.length).toBeGreaterThan(50)
    }).pipe(Effect.provide(InprocTransport.layer))
  )

  it.scopedLive("over tcp", () =>
    Effect.gen(function* () {
      const [left, right] = [yield* Pair0.make({ sendBuffer: 2 }), yield* Pair0.make({ recvBuffer: 2 })]
      yield* marry(left, right, "tcp://127.0.0.1:0")
      const tally = yield* storm(left, right, { rounds: 1500, seed: 6, budget: 100 })
      // what is on its way comes before this
      yield* Socket.send(left, "end")
      const rest: Array<string> = []
      for (;;) {
        const text = Message.text(yield* Socket.recv(right))
        if (text === "end") break
        rest.push(text)
      }
      balanced(tally, rest)
      expect(tally.sent.length).toBeGreaterThan(50)
    }).pipe(Effect.provide(NodeTransport.layer))
  )

  it.scoped("at whichever step it is interrupted: a receive of what is there", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair({ right: { recvBuffer: 1 } })
      const exits: Array<string> = []
      for (let steps = 0; steps < 100; steps++) {
        yield* Socket.send(left, String(steps))
        yield* settle
        const exit = yield* interruptedAfter(Socket.recv(right), steps)
        exits.push(exit._tag)
        const rest = yield* drain(right)
        const got = Exit.isSuccess(exit) ? [Message.text(exit.value)] : []
        expect([...got, ...rest], `after ${steps} steps`).toEqual([String(steps)])
      }
      expect(exits).toEqual(expect.arrayContaining(["Success", "Failure"]))
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("at whichever step it is interrupted: a send for which there is room", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair({ left: { sendBuffer: 1 } })
      for (let steps = 0; steps < 100; steps++) {
        const exit = yield* interruptedAfter(Socket.send(left, String(steps)), steps)
        expect(yield* drain(right), `after ${steps} steps`).toEqual(Exit.isSuccess(exit) ? [String(steps)] : [])
      }
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("at whichever step after it was woken: a receive that waited", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair({ right: { recvBuffer: 1 } })
      const exits: Array<string> = []
      for (let run = 0; run < 30; run++) {
        const fiber = yield* Effect.fork(Socket.recv(right))
        yield* settle
        yield* Socket.send(left, String(run))
        yield* yields(run % 15)
        const exit = yield* Fiber.interrupt(fiber)
        exits.push(exit._tag)
        const rest = yield* drain(right)
        const got = Exit.isSuccess(exit) ? [Message.text(exit.value)] : []
        expect([...got, ...rest], `run ${run}`).toEqual([String(run)])
      }
      expect(exits).toEqual(expect.arrayContaining(["Success", "Failure"]))
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("recvChunk that is interrupted has taken nothing, at whichever step", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair({ right: { recvBuffer: 3 } })
      for (let steps = 0; steps < 100; steps++) {
        const texts = ["a", "b", "c"].map((letter) => `${letter}${steps}`)
        yield* Socket.sendAll(left, texts)
        yield* settle
        const exit = yield* interruptedAfter(Socket.recvChunk(right), steps)
        const rest = yield* drain(right)
        const got = Exit.isSuccess(exit) ? Array.from(exit.value, Message.text) : []
        expect([...got, ...rest], `after ${steps} steps`).toEqual(texts)
      }
    }).pipe(Effect.provide(inproc))
  )
})

/** All that was sent and not yet received; where operations may have to hop, only the count tells when that is all. */
const drainHopping = (left: Socket.Socket, right: Socket.CanRecv): Effect.Effect<Array<string>, Socket.RecvError> =>
  Effect.gen(function* () {
    const texts: Array<string> = []
    while ((yield* right.statistics).received < (yield* left.statistics).sent) {
      texts.push(Message.text(yield* Socket.recv(right)))
    }
    return texts
  })
