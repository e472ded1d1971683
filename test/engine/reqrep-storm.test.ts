import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Message from "effect-nng/Message"
import * as Protocol from "effect-nng/Protocol"
import * as Rep0 from "effect-nng/Rep0"
import * as Req0 from "effect-nng/Req0"
import * as Socket from "effect-nng/Socket"
import * as TestTransport from "effect-nng/TestTransport"
import { nothingRemains, remains } from "../support/reqrep.js"
import { delays, impatiently, reasons, trouble } from "../support/storm.js"
import { wire, wordsOf } from "../support/words.js"

const servers = ["s0", "s1", "s2"]
const clients = ["c0", "c1", "c2", "c3"]
const urlOf = (server: string) => `tcp://${server}:5555`

/** Takes its time, and tells who it is. */
const answering = (server: string, slow: number) => (request: Message.Message) =>
  Effect.gen(function* () {
    yield* Effect.sleep(yield* Random.nextIntBetween(0, slow))
    return `${Message.text(request)} by ${server}`
  })

/** A replier that lives on its node; begun anew after a crash. */
const server = (name: string) =>
  Effect.gen(function* () {
    const rep = yield* Rep0.make({ sendTimeout: 500 })
    yield* Socket.listen(rep, urlOf(name))
    yield* Rep0.serve(rep, answering(name, 40), { concurrency: 2, interruptWhenGone: name === "s1" })
  })

interface Tally {
  asked: number
  answered: number
  interrupted: number
  readonly failed: Map<string, number>
}

const newTally = (): Tally => ({ asked: 0, answered: 0, interrupted: 0, failed: new Map() })

/** Asks, and looks at what becomes of it. */
const askOnce = (req: Req0.Req0, tally: Tally, text: string, timeout: number, patience: number) =>
  Effect.gen(function* () {
    tally.asked++
    const exit = yield* impatiently(Req0.request(req, text, { timeout }), patience)
    if (Exit.isSuccess(exit)) {
      tally.answered++
      expect(Message.text(exit.value).split(" by ")[0]).toBe(text)
      return
    }
    if (Cause.isInterruptedOnly(exit.cause)) {
      tally.interrupted++
      return
    }
    const error = Cause.failureOption(exit.cause)
    const tag = error._tag === "Some" ? error.value._tag : Cause.pretty(exit.cause)
    tally.failed.set(tag, (tally.failed.get(tag) ?? 0) + 1)
  })

/** Some requests at once, again and again. */
const asking = (req: Req0.Req0, tally: Tally, name: string, rounds: number) =>
  Effect.forEach(
    Array.from({ length: 3 }, (_, n) => n),
    (n) =>
      Effect.gen(function* () {
        for (let round = 0; round < rounds; round++) {
          const impatient = (yield* Random.nextIntBetween(0, 6)) === 0
          yield* askOnce(
            req,
            tally,
            `${name}.${n}.${round}`,
            yield* Random.nextIntBetween(20, 400),
            impatient ? yield* Random.nextIntBetween(0, 60) : 1000
          )
          yield* Effect.sleep(yield* Random.nextIntBetween(0, 20))
        }
      }),
    { concurrency: "unbounded", discard: true }
  )

const makeClient = (name: string, options: Req0.MakeOptions) =>
  TestTransport.on(name)(
    Effect.gen(function* () {
      const req = yield* Req0.make({ reconnectMin: 20, resendTick: 10, ...options })
      for (const server of servers) yield* Socket.dial(req, urlOf(server), { nonblocking: true })
      return { name, req, tally: newTally() }
    })
  )

describe("many requesters and repliers", () => {
  for (const seed of [1, 2, 3, 4]) {
    it.scopedLive(`[REQ-37] whatever goes wrong, nobody has somebody else's answer (seed ${seed})`, () =>
      Effect.gen(function* () {
        for (const name of servers) yield* TestTransport.run(name, server(name))
        const all = yield* Effect.forEach(clients, (name, n) =>
          makeClient(name, { resendTime: n === 0 ? Infinity : 60 * n })
        )
        const troubled = yield* Effect.fork(trouble(servers, clients, servers))
        yield* Effect.forEach(all, ({ name, req, tally }) => asking(req, tally, name, 40), {
          concurrency: "unbounded"
        })
        yield* Fiber.interrupt(troubled)
        let answered = 0
        for (const { req, tally } of all) {
          const failed = [...tally.failed.values()].reduce((sum, count) => sum + count, 0)
          expect(tally.answered + tally.interrupted + failed).toBe(tally.asked)
          for (const tag of tally.failed.keys()) expect(["NNG_ETIMEDOUT", "NNG_ECONNRESET"]).toContain(tag)
          // what is to be sent again is never lost
          if (req !== all[0]!.req) expect(tally.failed.has("NNG_ECONNRESET")).toBe(false)
          answered += tally.answered
          expect(remains(req)).toEqual(nothingRemains)
          const { dropped, received, sent } = yield* req.statistics
          // an answer that came and was not taken in the moment of an interruption is stale
          expect(received).toBe(tally.answered)
          expect(sent).toBeLessThanOrEqual(tally.asked)
          expect({ ...dropped, stale: 0, disconnected: 0 }).toEqual({
            disconnected: 0,
            resized: 0,
            closed: 0,
            stale: 0,
            hops: 0,
            unexpected: 0,
            unroutable: 0,
            full: 0,
            unsubscribed: 0,
            malformed: 0
          })
        }
        expect(answered).toBeGreaterThan(100)
        // and when all is well again, all is well
        yield* TestTransport.heal()
        for (const name of servers) yield* Effect.ignore(TestTransport.restart(name))
        yield* Effect.sleep("2 seconds")
        for (const { name, req, tally } of all) {
          yield* Effect.forEach(
            Array.from({ length: 9 }, (_, n) => n),
            (n) => askOnce(req, newTally(), `${name} at last ${n}`, 5000, 10_000)
          )
          const before = tally.answered
          yield* askOnce(req, tally, `${name} at the end`, 5000, 10_000)
          expect(tally.answered).toBe(before + 1)
        }
      }).pipe(Effect.provide(TestTransport.layerSimulated({ seed, places: [...servers, ...clients] })))
    )
  }

  for (const seed of [11, 12, 13]) {
    it.scopedLive(`the books add up where no connection is lost (seed ${seed})`, () =>
      Effect.gen(function* () {
        const reps = yield* Effect.forEach(servers, (name) =>
          TestTransport.on(name)(
            Effect.gen(function* () {
              const rep = yield* Rep0.make()
              yield* Socket.listen(rep, urlOf(name))
              yield* Effect.forkScoped(Rep0.serve(rep, answering(name, 60), { concurrency: "unbounded" }))
              return rep
            })
          )
        )
        const all = yield* Effect.forEach(clients, (name, n) => makeClient(name, { resendTime: 50 * (n + 1) }))
        const troubled = yield* Effect.fork(delays(servers, clients))
        yield* Effect.forEach(all, ({ name, req, tally }) => asking(req, tally, name, 30), {
          concurrency: "unbounded"
        })
        yield* Fiber.interrupt(troubled)
        yield* TestTransport.heal()
        yield* Effect.sleep("5 seconds")

        let [asked, sent, received, stale, answered, requests, replies] = [0, 0, 0, 0, 0, 0, 0]
        for (const { req, tally } of all) {
          const { dropped, ...counts } = yield* req.statistics
          expect(remains(req)).toEqual(nothingRemains)
          expect(reasons(dropped).filter((name) => name !== "stale")).toEqual([])
          asked += tally.asked
          answered += tally.answered
          sent += counts.sent
          received += counts.received
          stale += dropped.stale
          expect([...tally.failed.keys()].filter((tag) => tag !== "NNG_ETIMEDOUT")).toEqual([])
        }
        for (const rep of reps) {
          const { dropped, ...counts } = yield* rep.statistics
          expect(reasons(dropped)).toEqual([])
          requests += counts.received
          replies += counts.sent
        }
        // every request that arrived was answered, and every answer was received or dropped, counted
        expect(replies).toBe(requests)
        expect(received + stale).toBe(replies)
        expect(received).toBe(answered)
        expect([sent <= asked, requests >= sent]).toEqual([true, true])
        expect([answered > 50, stale > 10]).toEqual([true, true])
      }).pipe(Effect.provide(TestTransport.layerSimulated({ seed, places: [...servers, ...clients] })))
    )
  }
})

describe("a replier that is killed in the middle of a request", () => {
  for (const silent of [false, true]) {
    it.scoped(`is replaced, and the request sent again with its id (${silent ? "power cut" : "crash"})`, () =>
      Effect.gen(function* () {
        const [first, second] = [
          yield* TestTransport.listen(urlOf("s0"), { node: "s0" }),
          yield* TestTransport.listen(urlOf("s1"), { node: "s1" })
        ]
        const req = yield* Req0.make({ resendTime: "30 seconds" })
        yield* Socket.dial(req, urlOf("s0"), { nonblocking: true })
        const peer = yield* first.accept
        yield* peer.greet(Protocol.rep0)
        yield* Socket.awaitPeers(req, 1)
        const asking = yield* Effect.fork(Req0.request(req, "q"))
        const before = yield* peer.recv
        yield* Socket.dial(req, urlOf("s1"), { nonblocking: true })
        const other = yield* second.accept
        yield* other.greet(Protocol.rep0)
        yield* Socket.awaitPeers(req, 2)
        const start = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
        yield* TestTransport.crash("s0", { silent })
        const again = yield* other.recv
        const after = (yield* Effect.clockWith((clock) => clock.currentTimeMillis)) - start
        // nobody tells of a power cut: then it is time that does it
        if (silent) expect(after).toBeGreaterThanOrEqual(29_000)
        else expect(after).toBe(0)
        expect(again.body).toEqual(before.body)
        yield* other.send(wire(wordsOf(again.body).slice(0, 1), "a"))
        expect(Message.text(yield* Fiber.join(asking))).toBe("a")
        expect((yield* req.statistics).sent).toBe(1)
      }).pipe(Effect.provide(TestTransport.layerSimulated({ places: servers })))
    )
  }
})
