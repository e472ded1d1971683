import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import * as Message from "effect-nng/Message"
import * as Respondent0 from "effect-nng/Respondent0"
import * as Socket from "effect-nng/Socket"
import * as SocketContext from "effect-nng/SocketContext"
import * as Surveyor0 from "effect-nng/Surveyor0"
import * as TestTransport from "effect-nng/TestTransport"
import { delays, impatiently, reasons, trouble } from "../support/storm.js"
import { running } from "../support/surveys.js"

const surveyors = ["a", "b"]
const respondents = ["r0", "r1", "r2", "r3"]
const urlOf = (node: string) => `tcp://${node}:5555`

/** Takes its time and tells who it is, or says nothing. */
const answering = (name: string, slow: number) => (survey: Message.Message) =>
  Effect.gen(function* () {
    yield* Effect.sleep(yield* Random.nextIntBetween(0, slow))
    return (yield* Random.nextIntBetween(0, 5)) === 0 ? undefined : `${Message.text(survey)} by ${name}`
  })

/** A respondent that lives on its node; begun anew after a crash. */
const respondent = (name: string) =>
  Effect.gen(function* () {
    const resp = yield* Respondent0.make({ sendTimeout: 500, reconnectMin: 20 })
    for (const surveyor of surveyors) yield* Socket.dial(resp, urlOf(surveyor), { nonblocking: true })
    yield* Respondent0.serve(resp, answering(name, 60), { concurrency: 3, interruptWhenGone: name === "r1" })
  })

const makeSurveyor = (name: string) =>
  TestTransport.on(name)(
    Effect.gen(function* () {
      const surv = yield* Surveyor0.make()
      yield* Socket.listen(surv, urlOf(name))
      return surv
    })
  )

interface Tally {
  asked: number
  answered: number
  ended: number
  interrupted: number
}

const newTally = (): Tally => ({ asked: 0, answered: 0, ended: 0, interrupted: 0 })

/** Every answer is to this question, and at most one of each. */
const look = (text: string, answers: ReadonlyArray<string>) => {
  expect(answers.map((answer) => answer.split(" by ")[0])).toEqual(answers.map(() => text))
  expect(new Set(answers).size).toBe(answers.length)
}

/** Asks, and looks at what becomes of it. */
const surveyOnce = (surv: Surveyor0.Surveyor0, tally: Tally, text: string, time: number, patience: number) =>
  Effect.gen(function* () {
    tally.asked++
    const answers: Array<string> = []
    const start = yield* Clock.currentTimeMillis
    const asking = Stream.runForEach(Surveyor0.survey(surv, text, { timeout: time }), (message) =>
      Effect.sync(() => void answers.push(Message.text(message)))
    )
    const exit = yield* impatiently(asking, patience)
    const took = (yield* Clock.currentTimeMillis) - start
    look(text, answers)
    tally.answered += answers.length
    if (Exit.isSuccess(exit)) {
      tally.ended++
      expect(took).toBe(time)
    } else {
      expect(Cause.isInterruptedOnly(exit.cause)).toBe(true)
      tally.interrupted++
      expect(took).toBe(patience)
    }
  })

/** The same by hand, with several who wait at once: each of them ends once. */
const byHand = (surv: Surveyor0.Surveyor0, tally: Tally, text: string, time: number) =>
  Effect.scoped(
    Effect.gen(function* () {
      const context = yield* SocketContext.make(surv, { surveyTime: time })
      const start = yield* Clock.currentTimeMillis
      tally.asked++
      yield* SocketContext.send(context, text)
      const answers: Array<string> = []
      const ends: Array<string> = []
      const receiver = Effect.gen(function* () {
        const timeout = yield* Random.nextIntBetween(10, 2 * time)
        for (;;) answers.push(Message.text(yield* SocketContext.recv(context, { timeout })))
      }).pipe(Effect.catchAll((error) => Effect.sync(() => void ends.push(error._tag))))
      yield* Effect.all([receiver, receiver, receiver], { concurrency: "unbounded" })
      look(text, answers)
      tally.answered += answers.length
      tally.ended++
      expect(ends.length).toBe(3)
      for (const end of ends) expect(["NNG_ETIMEDOUT", "NNG_ESTATE"]).toContain(end)
      expect((yield* Clock.currentTimeMillis) - start).toBeLessThanOrEqual(time)
    })
  )

const asking = (surv: Surveyor0.Surveyor0, tally: Tally, name: string, rounds: number) =>
  Effect.forEach(
    [0, 1, 2],
    (n) =>
      Effect.gen(function* () {
        for (let round = 0; round < rounds; round++) {
          const [text, time] = [`${name}.${n}.${round}`, yield* Random.nextIntBetween(20, 200)]
          const patience = (yield* Random.nextIntBetween(0, 5)) === 0 ? yield* Random.nextIntBetween(0, 20) : 1000
          if (n === 2) yield* byHand(surv, tally, text, time)
          else yield* surveyOnce(surv, tally, text, time, patience)
          yield* Effect.sleep(yield* Random.nextIntBetween(0, 20))
        }
      }),
    { concurrency: "unbounded", discard: true }
  )

const places = [...surveyors, ...respondents]

describe("many surveyors and respondents", () => {
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    it.scopedLive(`whatever goes wrong, each survey has its own answers, and ends in time (seed ${seed})`, () =>
      Effect.gen(function* () {
        const all = yield* Effect.forEach(surveyors, (name) =>
          Effect.map(makeSurveyor(name), (surv) => ({ name, surv, tally: newTally() }))
        )
        for (const name of respondents) yield* TestTransport.run(name, respondent(name))
        for (const { surv } of all) yield* Socket.awaitPeers(surv, respondents.length)
        const troubled = yield* Effect.fork(trouble(surveyors, respondents, respondents))
        yield* Effect.forEach(all, ({ name, surv, tally }) => asking(surv, tally, name, 25), {
          concurrency: "unbounded"
        })
        yield* Fiber.interrupt(troubled)
        for (const { surv, tally } of all) {
          expect(tally.ended + tally.interrupted).toBe(tally.asked)
          expect(running(surv)).toBe(0)
          const { dropped, received, sent } = yield* surv.statistics
          expect(sent).toBe(tally.asked)
          // what was pulled in the moment of an interruption was received, and seen by nobody
          expect(received).toBeGreaterThanOrEqual(tally.answered)
          const { disconnected, full, stale, ...others } = dropped
          expect([disconnected, full, stale].every((count) => count >= 0)).toBe(true)
          expect(Object.values(others).filter((count) => count > 0)).toEqual([])
          expect(tally.answered).toBeGreaterThan(50)
        }
      }).pipe(Effect.provide(TestTransport.layerSimulated({ seed, places })))
    )
  }

  for (const seed of [11, 12, 13]) {
    it.scopedLive(`the books add up where no connection is lost (seed ${seed})`, () =>
      Effect.gen(function* () {
        const all = yield* Effect.forEach(surveyors, (name) =>
          Effect.map(makeSurveyor(name), (surv) => ({ name, surv, tally: newTally() }))
        )
        const resps = yield* Effect.forEach(respondents, (name) =>
          TestTransport.on(name)(
            Effect.gen(function* () {
              const resp = yield* Respondent0.make()
              for (const surveyor of surveyors) yield* Socket.dial(resp, urlOf(surveyor))
              yield* Effect.forkScoped(Respondent0.serve(resp, answering(name, 60), { concurrency: "unbounded" }))
              return resp
            })
          )
        )
        for (const { surv } of all) yield* Socket.awaitPeers(surv, respondents.length)
        const troubled = yield* Effect.fork(delays(surveyors, respondents))
        yield* Effect.forEach(all, ({ name, surv, tally }) => asking(surv, tally, name, 20), {
          concurrency: "unbounded"
        })
        yield* Fiber.interrupt(troubled)
        yield* TestTransport.heal()
        yield* Effect.sleep("5 seconds")

        let [copies, responses, surveys, answers, stale] = [0, 0, 0, 0, 0]
        for (const { surv, tally } of all) {
          const { dropped, received, sent } = yield* surv.statistics
          copies += respondents.length * sent - dropped.full
          responses += received + dropped.stale
          stale += dropped.stale
          expect(sent).toBe(tally.asked)
          expect(received).toBeGreaterThanOrEqual(tally.answered)
          expect([dropped.disconnected, dropped.unroutable, running(surv)]).toEqual([0, 0, 0])
        }
        for (const resp of resps) {
          const { dropped, received, sent } = yield* resp.statistics
          expect(reasons(dropped)).toEqual([])
          surveys += received
          answers += sent
        }
        // every copy of a survey arrived, and every answer was received or dropped, counted
        expect(surveys).toBe(copies)
        expect(responses).toBe(answers)
        expect([surveys > answers, answers > 100, stale > 5]).toEqual([true, true, true])
      }).pipe(Effect.provide(TestTransport.layerSimulated({ seed, places })))
    )
  }
})
