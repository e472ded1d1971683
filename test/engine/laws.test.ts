/**
 * The law: a receive whose own exit is interruption has taken nothing, a send whose own exit is interruption has sent
 * nothing; and no message is lost that is not counted as lost. Here by storms of chance; at every phase of the op budget
 * in laws-phases, the order of those who wait and their deadlines in laws-order, streams and sinks in laws-streams.
 */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as InprocTransport from "effect-nng/InprocTransport"
import * as Message from "effect-nng/Message"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Pair0 from "effect-nng/Pair0"
import * as Socket from "effect-nng/Socket"
import * as Turn from "effect-nng/Turn"
import type { Dice } from "../support/laws.js"
import { dice, elsewhere, forSeeds, HandClock, inprocAlone, interruptNow } from "../support/laws.js"
import { afterOps, drain, inproc, marry, pair, settle, yields } from "../support/sockets.js"

/** What went one way between two sockets, as seen from outside. */
class Tally {
  /** Messages whose send succeeded, in that order. */
  readonly sent: Array<string> = []
  /** Batches whose `sendAll` succeeded. */
  readonly batches: Array<ReadonlyArray<string>> = []
  /** Batches of which an unknown number went before it was interrupted, or failed. */
  readonly broken: Array<ReadonlyArray<string>> = []
  readonly received: Array<string> = []
  /** Ends of operations whose own exit was interruption. */
  interruptedSends = 0
  interruptedReceives = 0
}

/** Two sockets, and what is done with them. */
interface World {
  readonly left: Pair0.Pair0
  readonly right: Pair0.Pair0
  /** From left to right, and back. */
  readonly there: Tally
  readonly back: Tally
  /** Names given to messages. */
  names: number
}

const world = (left: Pair0.Pair0, right: Pair0.Pair0): World => ({
  left,
  right,
  there: new Tally(),
  back: new Tally(),
  names: 0
})

/** Something that happens while others send and receive. */
type Event = (world: World, roll: Dice) => Effect.Effect<unknown, unknown>

interface Weather {
  readonly rounds: number
  /** Ops that a fiber has before it yields. */
  readonly budget: number
  readonly events?: ReadonlyArray<Event>
  /** Of so many rounds one has an event. */
  readonly eventEvery?: number
  /** Whether messages go back, too. */
  readonly bothWays?: boolean
  readonly clock?: HandClock
}

type Launch = <A, E>(effect: Effect.Effect<A, E>, done: (exit: Exit.Exit<A, E>) => void) => Effect.Effect<void>

/** The ways to send and receive; each writes down what its own exit says, and nothing else. */
const operations = (from: Pair0.Pair0, to: Pair0.Pair0, tally: Tally, launch: Launch, roll: Dice) => {
  const sent = (name: string) => (exit: Exit.Exit<void, unknown>) => {
    if (Exit.isSuccess(exit)) tally.sent.push(name)
    else if (Exit.isInterrupted(exit)) tally.interruptedSends++
  }
  const received = (exit: Exit.Exit<Iterable<Message.Message>, unknown>) => {
    if (Exit.isSuccess(exit)) tally.received.push(...Array.from(exit.value, Message.text))
    else if (Exit.isInterrupted(exit)) tally.interruptedReceives++
  }
  const one = Effect.map((message: Message.Message) => [message])
  return [
    (name: string) => launch(Socket.send(from, name), sent(name)),
    () => launch(one(Socket.recv(to)), received),
    () => launch(Socket.recvChunk(to, { max: 1 + roll(3) }), received),
    // those that do not wait, or not for long, stand in line with those that do
    (name: string) => launch(Socket.send(from, name, { nonblocking: true }), sent(name)),
    () => launch(one(Socket.recv(to, { timeout: 0 })), received),
    () => launch(one(Socket.recv(to, { timeout: "1 hour" })), received),
    (name: string) => {
      const batch = ["a", "b", "c", "d"].slice(0, 1 + roll(4)).map((letter) => name + letter)
      return launch(Socket.sendAll(from, batch), (exit) => {
        if (Exit.isInterrupted(exit)) tally.interruptedSends++
        ;(Exit.isSuccess(exit) ? tally.batches : tally.broken).push(batch)
      })
    },
    // in a generator what was done is told by its next line, whatever becomes of the fiber afterwards
    (name: string) =>
      launch(
        Effect.gen(function* () {
          for (const part of ["x", "y", "z"]) {
            yield* Socket.send(from, name + part)
            tally.sent.push(name + part)
          }
        }),
        (exit) => void (Exit.isInterrupted(exit) && tally.interruptedSends++)
      ),
    () =>
      launch(
        Effect.gen(function* () {
          for (let n = 0; n < 3; n++) {
            const message = yield* Socket.recv(to)
            tally.received.push(Message.text(message))
          }
        }),
        (exit) => void (Exit.isInterrupted(exit) && tally.interruptedReceives++)
      )
  ]
}

/**
 * Sends and receives that are interrupted here and there: before they begin, while they wait, in the tick in which they
 * are woken, and where the runtime yields because the op budget is spent.
 */
const storm = (world: World, roll: Dice, weather: Weather): Effect.Effect<void> =>
  Effect.gen(function* () {
    const { back, left, right, there } = world
    const { budget, bothWays = false, clock, eventEvery = 20, events = [], rounds } = weather
    const running = new Set<Fiber.RuntimeFiber<unknown, unknown>>()
    let latest: Fiber.RuntimeFiber<unknown, unknown> | undefined
    const launch: Launch = (effect, done) =>
      Effect.map(
        Effect.withMaxOpsBeforeYield(Effect.forkDaemon(afterOps(effect, roll(Math.min(budget, 300)))), budget),
        (fiber) => {
          latest = fiber
          running.add(fiber)
          fiber.addObserver((exit) => {
            running.delete(fiber)
            done(exit)
          })
        }
      )
    const ways = [
      ...operations(left, right, there, launch, roll),
      ...(bothWays ? operations(right, left, back, launch, roll) : [])
    ]
    for (let round = 0; round < rounds; round++) {
      yield* ways[roll(ways.length)]!(`${world.names++}`)
      yield* yields(roll(4))
      if (roll(3) === 0) interruptNow(latest!)
      if (roll(10) === 0) for (const other of running) if (roll(2) === 0) interruptNow(other)
      if (events.length > 0 && roll(eventEvery) === 0) {
        // sometimes in the same tick as what it races with
        yield* Effect.forkDaemon(Effect.ignore(events[roll(events.length)]!(world, roll)))
        if (roll(2) === 0) interruptNow(latest!)
      }
      if (roll(7) === 0) yield* yields(roll(20))
      if (roll(5) === 0) clock?.advance(1)
    }
    yield* Fiber.interruptAll(running)
    yield* settle
  })

const certain = (tally: Tally): ReadonlyArray<string> => [...tally.sent, ...tally.batches.flat()]

/** The numbers of both sockets, against what was seen from outside. */
const counted = (world: World): Effect.Effect<void> =>
  Effect.gen(function* () {
    for (const [socket, out, into] of [
      [world.left, world.there, world.back],
      [world.right, world.back, world.there]
    ] as const) {
      const { received, sent } = yield* socket.statistics
      // an operation that says it did nothing did nothing, and the others did what they say
      expect(received).toBe(into.received.length)
      expect(sent).toBeGreaterThanOrEqual(certain(out).length)
      expect(sent).toBeLessThanOrEqual(certain(out).length + out.broken.flat().length)
    }
  })

/** No message twice, none that was not sent, all in order; `rest` is what was still there. */
const inOrder = (tally: Tally, rest: ReadonlyArray<string> = []): void => {
  const all = [...tally.received, ...rest]
  const place = new Map(all.map((name, at) => [name, at]))
  expect(place.size).toBe(all.length)
  const known = new Set([...certain(tally), ...tally.broken.flat()])
  expect(all.filter((name) => !known.has(name))).toEqual([])
  for (const sequence of [tally.sent, ...tally.batches, ...tally.broken]) {
    const places = sequence.flatMap((name) => place.get(name) ?? [])
    expect(places).toEqual(places.slice().sort((a, b) => a - b))
  }
}

/** For a world where nothing may be lost: what was sent is what was received and what is still there. */
const balanced = (tally: Tally, rest: ReadonlyArray<string>): void => {
  inOrder(tally, rest)
  const all = new Set([...tally.received, ...rest])
  expect(certain(tally).filter((name) => !all.has(name))).toEqual([])
  // of a batch that was cut short: those before, and none after
  for (const batch of tally.broken) {
    const went = batch.filter((name) => all.has(name))
    expect(went).toEqual(batch.slice(0, went.length))
  }
}

/** Closes both; then what went in is what came out or is counted as lost. */
const accounted = (world: World): Effect.Effect<void> =>
  Effect.gen(function* () {
    yield* Effect.ignore(world.left.close)
    yield* Effect.ignore(world.right.close)
    yield* settle
    const [left, right] = [yield* world.left.statistics, yield* world.right.statistics]
    const lost = [left, right].flatMap(({ dropped }) => [dropped.disconnected, dropped.resized, dropped.closed])
    expect(
      left.received + right.received + lost.reduce((a, b) => a + b),
      `left ${JSON.stringify(left)}, right ${JSON.stringify(right)}`
    ).toBe(left.sent + right.sent)
  })

describe("an interrupted receive has taken nothing, an interrupted send has sent nothing", () => {
  for (const [name, left, right] of [
    ["no buffers", {}, {}],
    ["a send buffer", { sendBuffer: 3 }, {}],
    ["a receive buffer", {}, { recvBuffer: 3 }],
    ["both buffers", { sendBuffer: 1 }, { recvBuffer: 2 }]
  ] as const) {
    it.scoped(`with ${name}`, () =>
      forSeeds(4, (roll, seed) =>
        Effect.scoped(
          Effect.gen(function* () {
            const sockets = yield* pair({ left, right })
            const it = world(sockets.left, sockets.right)
            const budget = [2048, 64, 80, 200][seed % 4]!
            for (let day = 0; day < 3; day++) yield* storm(it, roll, { rounds: 400, budget })
            yield* counted(it)
            const rest = yield* drain(it.right)
            balanced(it.there, rest)
            expect(it.there.interruptedSends).toBeGreaterThan(30)
            expect(it.there.interruptedReceives).toBeGreaterThan(30)
            expect(it.there.received.length).toBeGreaterThan(30)
            it.there.received.push(...rest)
            if (!elsewhere) yield* accounted(it)
          })
        ).pipe(Effect.provide(inproc))
      )
    )
  }

  it.scoped("both ways at once", () =>
    forSeeds(3, (roll) =>
      Effect.scoped(
        Effect.gen(function* () {
          const sockets = yield* pair({ left: { sendBuffer: 1 }, right: { recvBuffer: 1 } })
          const it = world(sockets.left, sockets.right)
          yield* storm(it, roll, { rounds: 1000, budget: 100, bothWays: true })
          yield* counted(it)
          balanced(it.there, yield* drain(it.right))
          balanced(it.back, yield* drain(it.left))
          if (!elsewhere) yield* accounted(it)
        })
      ).pipe(Effect.provide(inproc))
    )
  )

  it.scopedLive("with hops of the event loop in between", () =>
    Effect.gen(function* () {
      let operations = 0
      const { hop } = Turn.make()
      const sockets = yield* pair({ right: { recvBuffer: 2 } }).pipe(
        Effect.provideService(Turn.Turn, { unsafeDue: () => ++operations % 3 === 0, hop })
      )
      const it = world(sockets.left, sockets.right)
      yield* storm(it, dice(5), { rounds: 1500, budget: 100 })
      yield* counted(it)
      balanced(it.there, yield* drainHopping(it.left, it.right))
      expect(it.there.received.length).toBeGreaterThan(30)
    }).pipe(Effect.provide(InprocTransport.layer))
  )

  it.scopedLive("over tcp", () =>
    Effect.gen(function* () {
      const [left, right] = [yield* Pair0.make({ sendBuffer: 2 }), yield* Pair0.make({ recvBuffer: 2 })]
      yield* marry(left, right, "tcp://127.0.0.1:0")
      const it = world(left, right)
      yield* storm(it, dice(6), { rounds: 1500, budget: 100 })
      yield* counted(it)
      // what is on its way comes before this
      yield* Socket.send(left, "end")
      const rest: Array<string> = []
      for (;;) {
        const text = Message.text(yield* Socket.recv(right))
        if (text === "end") break
        rest.push(text)
      }
      balanced(it.there, rest)
      expect(it.there.sent.length).toBeGreaterThan(30)
    }).pipe(Effect.provide(NodeTransport.layer))
  )
})

describe.skipIf(elsewhere)("what goes in comes out, or is counted as dropped, exactly", () => {
  const buffers = [
    [{}, {}],
    [{ sendBuffer: 3 }, {}],
    [{}, { recvBuffer: 3 }],
    [
      { sendBuffer: 2, recvBuffer: 1 },
      { sendBuffer: 1, recvBuffer: 2 }
    ]
  ] as const

  /** Storms in which messages are lost, for this reason. */
  const lossy = (reason: keyof Socket.Statistics["dropped"], runs: number, weather: Omit<Weather, "budget">) => {
    let lost = 0
    return Effect.map(
      forSeeds(runs, (roll, seed) =>
        Effect.scoped(
          Effect.gen(function* () {
            const [left, right] = buffers[seed % buffers.length]!
            const clock = new HandClock()
            // who lost the peer dials again when time passes
            const sockets = yield* Effect.withClock(pair({ left, right: { ...right, reconnectMin: 2 } }), clock)
            const it = world(sockets.left, sockets.right)
            yield* storm(it, roll, { ...weather, bothWays: true, clock, budget: [2048, 64, 100][seed % 3]! })
            yield* counted(it)
            inOrder(it.there)
            inOrder(it.back)
            yield* accounted(it)
            for (const { statistics } of [it.left, it.right]) lost += (yield* statistics).dropped[reason]
          })
        ).pipe(Effect.provide(inprocAlone))
      ),
      () => expect(lost).toBeGreaterThan(20)
    )
  }

  const resize =
    (side: "left" | "right"): Event =>
    (world, roll) =>
      Socket.configure(world[side], roll(2) === 0 ? { sendBuffer: roll(4) } : { recvBuffer: roll(4) })

  const cut =
    (side: "left" | "right"): Event =>
    (world) =>
      Effect.flatMap(Socket.pipes(world[side]).get, (pipes) => pipes[0]?.close ?? Effect.void)

  it.scoped("when buffers are made shorter and longer", () =>
    lossy("resized", 8, { rounds: 400, events: [resize("left"), resize("right")], eventEvery: 5 })
  )

  it.scoped("when the connection is lost, cut on either side", () =>
    lossy("disconnected", 12, { rounds: 400, events: [cut("left"), cut("right")], eventEvery: 10 })
  )

  it.scoped("when the receiver cuts the connection in the tick in which a message comes", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair()
      const [pipe] = yield* Socket.pipes(left).get
      yield* Socket.send(right, "on its way")
      yield* pipe!.close
      yield* settle
      yield* accounted(world(left, right))
    }).pipe(Effect.provide(inprocAlone))
  )

  it.scoped("when a socket is closed in the middle of it", () =>
    lossy("closed", 60, { rounds: 60, events: [({ left }) => left.close, ({ right }) => right.close], eventEvery: 30 })
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
