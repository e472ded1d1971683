import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import * as Bus0 from "effect-nng/Bus0"
import type * as Errors from "effect-nng/Errors"
import * as Message from "effect-nng/Message"
import * as Pair0 from "effect-nng/Pair0"
import * as Pair1 from "effect-nng/Pair1"
import * as Socket from "effect-nng/Socket"
import * as TestTransport from "effect-nng/TestTransport"
import type { Transports } from "effect-nng/Transport"
import type { FreeConversation } from "../../src/internal/engine/free.js"
import { delays, impatiently, oneIn, reasons, total, trouble } from "../support/storm.js"
import { nextDeadline } from "../support/surveys.js"

type Talking = Pair0.Pair0 | Pair1.Pair1 | Pair1.Pair1Poly | Bus0.Bus0

/** The buffers of all. */
const [sendBuffer, recvBuffer] = [2, 3]

/** A connection takes 256 KiB, and the network as much: eight of these. */
const large = (text: string) => Message.make(text.padEnd(64 * 1024))

const textOf = (message: Message.Message) => Message.text(message).trimEnd()

interface Heard {
  readonly pipe: number
  readonly text: string
}

/** A socket on a node of its own, and what became of its operations. */
interface Member {
  readonly name: string
  readonly socket: Talking
  /** Texts of sends that succeeded. */
  readonly said: Set<string>
  readonly heard: Array<Heard>
  readonly failed: Array<string>
  sends: number
  recvs: number
  interrupted: number
  answers: number
}

const member = (
  name: string,
  make: Effect.Effect<Talking, Errors.EINVAL, Scope.Scope | Transports>,
  listens: string | undefined,
  dials: ReadonlyArray<string>
) =>
  TestTransport.on(name)(
    Effect.gen(function* () {
      const socket = yield* make
      if (listens !== undefined) yield* Socket.listen(socket, listens)
      for (const url of dials) yield* Socket.dial(socket, url, { nonblocking: true })
      const one: Member = {
        name,
        socket,
        said: new Set(),
        heard: [],
        failed: [],
        sends: 0,
        recvs: 0,
        interrupted: 0,
        answers: 0
      }
      return one
    })
  )

const urlOf = (name: string) => `tcp://${name}:5555`

interface Inside {
  readonly machine: { readonly queued: number; readonly received: Queued }
  readonly conversation: FreeConversation
}

type Queued = { readonly length: number } | { readonly received: { readonly length: number } }

/** Its queues are within their bounds. */
const bounded = ({ socket }: Member) =>
  Effect.map(Socket.pipes(socket).get, (pipes) => {
    const { conversation, machine } = socket as unknown as Inside
    const received = "received" in machine.received ? machine.received.received : machine.received
    expect(machine.queued).toBeLessThanOrEqual(sendBuffer * Math.max(1, pipes.length))
    expect(received.length).toBeLessThanOrEqual(recvBuffer + conversation.receivers.demand)
  })

/** What befell an operation whose exit this is; undefined: it succeeded. */
const fate = (one: Member, exit: Exit.Exit<unknown, Errors.NngError>): void => {
  if (Exit.isSuccess(exit)) return
  if (Cause.isInterruptedOnly(exit.cause)) return void one.interrupted++
  const error = Cause.failureOption(exit.cause)
  one.failed.push(error._tag === "Some" ? error.value._tag : Cause.pretty(exit.cause))
}

/** Now and then there is none. */
const patience = Effect.flatMap(oneIn(5), (soon) => (soon ? Random.nextIntBetween(0, 20) : Effect.succeed(10_000)))

/** Says one thing after the other. */
const saying = (one: Member, series: string, count: number) =>
  Effect.gen(function* () {
    for (let n = 0; n < count; n++) {
      const text = `${one.name}.${series} ${n}`
      one.sends++
      const timeout = yield* Random.nextIntBetween(0, 100)
      const exit = yield* impatiently(Socket.send(one.socket, large(text), { timeout }), yield* patience)
      if (Exit.isSuccess(exit)) one.said.add(text)
      fate(one, exit)
      yield* bounded(one)
      yield* Effect.sleep(yield* Random.nextIntBetween(0, 40))
    }
  })

/** Answers on the pipe that it came from, by one way or the other. */
const answer = (one: Member, socket: Pair1.Pair1Poly, message: Message.Message) =>
  Effect.gen(function* () {
    const byMessage = yield* Random.nextBoolean
    yield* Effect.suspend((): Effect.Effect<void, Socket.SendError> => {
      const text = `${one.name}.answers ${one.answers++} to ${textOf(message)}`
      one.sends++
      one.said.add(text)
      if (!byMessage) return Pair1.sendTo(socket, message.pipeId, large(text))
      const named = large(text)
      Message.unsafeSetPipe(named, message.pipeId)
      return Socket.send(socket, named)
    })
  })

/** Hears until it is interrupted, or its socket closed. */
const hearing = (one: Member) =>
  Effect.gen(function* () {
    for (;;) {
      one.recvs++
      const timeout = yield* Random.nextIntBetween(0, 40)
      const exit = yield* impatiently(Socket.recv(one.socket, { timeout }), yield* patience)
      fate(one, exit)
      if (Exit.isSuccess(exit)) {
        one.heard.push({ pipe: exit.value.pipeId, text: textOf(exit.value) })
        if ("polyamorous" in one.socket && one.socket.polyamorous) yield* answer(one, one.socket, exit.value)
      } else if (one.failed.at(-1) === "NNG_ECLOSED") return
      yield* bounded(one)
      if (yield* oneIn(4)) yield* Effect.sleep(yield* Random.nextIntBetween(0, 30))
    }
  })

/** All talk while this goes on, and then all that is on its way arrives, and all are closed. */
const storm = <E, R>(members: ReadonlyArray<Member>, weather: Effect.Effect<never, E, R>, count: number) =>
  Effect.gen(function* () {
    const troubled = yield* Effect.fork(weather)
    const hearings = yield* Effect.forEach(
      members.flatMap((one) => [one, one]),
      (one) => Effect.fork(hearing(one))
    )
    yield* Effect.forEach(
      members.flatMap((one) => [saying(one, "a", count), saying(one, "b", count)]),
      (talk) => talk,
      { concurrency: "unbounded" }
    )
    yield* Fiber.interrupt(troubled)
    yield* TestTransport.heal()
    yield* Effect.sleep("3 seconds")
    for (const { socket } of members) yield* socket.close
    yield* Fiber.joinAll(hearings)
  })

/** Who said it, in which series, and as which. */
const parsed = ({ text }: Heard) => {
  const [, name, series, n, to] = /^(\w+)\.(\w+) (\d+)(?: to (\w+)\..*)?$/.exec(text)!
  return { name: name!, series: `${name}.${series}`, n: Number(n), to }
}

/** Nothing twice, nothing that was not said, nothing out of order, and nothing to somebody else. */
const lookAtWhatWasHeard = (members: ReadonlyArray<Member>) => {
  const said = new Set(members.flatMap((one) => [...one.said]))
  for (const one of members) {
    expect(new Set(one.heard.map(({ text }) => text)).size).toBe(one.heard.length)
    expect(one.heard.filter(({ text }) => !said.has(text))).toEqual([])
    const last = new Map<string, number>()
    for (const heard of one.heard) {
      const { n, name, series, to } = parsed(heard)
      const key = `${heard.pipe} ${series}`
      expect(name).not.toBe(one.name)
      expect(n).toBeGreaterThan(last.get(key) ?? -1)
      if (to !== undefined) expect(to).toBe(one.name)
      last.set(key, n)
    }
  }
}

/** Every operation has ended, once, and the socket counts as its user does. */
const lookAtTheCounts = ({ failed, heard, interrupted, recvs, said, sends, socket }: Member) =>
  Effect.gen(function* () {
    const { dropped, received, sent } = yield* socket.statistics
    expect(said.size + heard.length + interrupted + failed.length).toBe(sends + recvs)
    expect([sent, received]).toEqual([said.size, heard.length])
    expect(failed.filter((tag) => tag === "NNG_ECLOSED").length).toBe(2)
    expect(failed.filter((tag) => tag !== "NNG_ECLOSED" && tag !== "NNG_ETIMEDOUT")).toEqual([])
    const { conversation } = socket as unknown as Inside
    expect([conversation.senders.none, conversation.receivers.none, nextDeadline(socket)]).toEqual([
      true,
      true,
      Infinity
    ])
    return { dropped, received, sent }
  })

const pair = (name: "pair0" | "pair1") => {
  const make: Effect.Effect<Talking, Errors.EINVAL, Scope.Scope | Transports> =
    name === "pair0" ? Pair0.make({ ...options }) : Pair1.make({ ...options })
  return Effect.all([member("a", make, urlOf("a"), []), member("b", make, undefined, [urlOf("a")])])
}

const options = { sendBuffer, recvBuffer, reconnectMin: 20 } as const

/** The hub is polyamorous, and so is one of its peers. */
const star = Effect.all([
  member("a", Pair1.makePoly(options), urlOf("a"), []),
  member("b", Pair1.make(options), undefined, [urlOf("a")]),
  member("c", Pair1.make(options), undefined, [urlOf("a")]),
  member("d", Pair1.make(options), undefined, [urlOf("a")])
])

/** Everybody has everybody for a neighbour. */
const mesh = Effect.all(
  ["a", "b", "c", "d"].map((name, n, names) =>
    member(name, Bus0.make(options), urlOf(name), names.slice(0, n).map(urlOf))
  )
)

interface Kind {
  readonly name: string
  readonly members: Effect.Effect<ReadonlyArray<Member>, unknown, Scope.Scope | Transports | TestTransport.Network>
  readonly places: ReadonlyArray<string>
  /** Why messages may be dropped where no connection is lost. */
  readonly drops: ReadonlyArray<string>
  /** How many hear each message. */
  readonly copies: number
}

const kinds: ReadonlyArray<Kind> = [
  { name: "pair0", members: pair("pair0"), places: ["a", "b"], drops: [], copies: 1 },
  { name: "pair1", members: pair("pair1"), places: ["a", "b"], drops: [], copies: 1 },
  { name: "polyamorous pair1", members: star, places: ["a", "b", "c", "d"], drops: ["full"], copies: 1 },
  { name: "bus", members: mesh, places: ["a", "b", "c", "d"], drops: ["full"], copies: 3 }
]

describe("sockets that many use at once", () => {
  for (const { copies, drops, members, name, places } of kinds) {
    for (const seed of [1, 2]) {
      it.scopedLive(`${name}: whatever goes wrong, nothing comes twice, nor out of order (seed ${seed})`, () =>
        Effect.gen(function* () {
          const all = yield* members
          yield* storm(all, trouble(places, places), 40)
          lookAtWhatWasHeard(all)
          let [left, arrived] = [0, 0]
          for (const one of all) {
            const { dropped, received, sent } = yield* lookAtTheCounts(one)
            left += copies * sent
            arrived += received
            expect(["closed", "disconnected", "full", "unroutable"]).toEqual(
              expect.arrayContaining([...reasons(dropped)])
            )
          }
          expect([arrived <= left, arrived > 100]).toEqual([true, true])
          expect(all.some((one) => one.interrupted > 5)).toBe(true)
        }).pipe(Effect.provide(TestTransport.layerSimulated({ seed, places })))
      )

      it.scopedLive(`${name}: the books add up where no connection is lost (seed ${seed})`, () =>
        Effect.gen(function* () {
          const all = yield* members
          for (const { socket } of all) yield* Socket.awaitPeers(socket, 1)
          yield* Effect.sleep("1 second")
          yield* storm(all, delays(places, places), 40)
          lookAtWhatWasHeard(all)
          let [left, arrived, lost] = [0, 0, 0]
          for (const one of all) {
            const { dropped, received, sent } = yield* lookAtTheCounts(one)
            left += copies * sent
            arrived += received
            lost += total(dropped)
            expect(reasons(dropped).filter((reason) => !drops.includes(reason))).toEqual([])
          }
          expect(arrived + lost).toBe(left)
          // there was too much for all of them: one kind waits, the other loses
          expect(drops.length > 0 ? lost > 10 : all.every((one) => one.said.size < one.sends - 10)).toBe(true)
          expect(all.every((one) => one.interrupted > 5)).toBe(true)
        }).pipe(Effect.provide(TestTransport.layerSimulated({ seed: 10 + seed, places })))
      )
    }
  }
})
