import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Message from "effect-nng/Message"
import * as Respondent0 from "effect-nng/Respondent0"
import * as Socket from "effect-nng/Socket"
import * as Surveyor0 from "effect-nng/Surveyor0"
import { contextsOf, join, receivedText } from "../support/reqrep.js"
import { begin, ended, failing, inproc, interruptedAfter, settle } from "../support/sockets.js"
import { arrived, ask, nextDeadline, respond, running, survRaw, survResp, texts } from "../support/surveys.js"

class Sorry extends Data.TaggedError("Sorry")<{}> {}

const repeat = (survey: Message.Message) => Effect.succeed(`re:${Message.text(survey)}`)

describe("survey", () => {
  it.scoped("gives the responses that come in time, and ends", () =>
    Effect.gen(function* () {
      const { resp, surv } = yield* survResp()
      const other = yield* join(Respondent0.make())
      yield* Socket.awaitPeers(surv, 2)
      yield* Effect.forkScoped(Respondent0.serve(resp, () => Effect.succeed("at once")))
      yield* Effect.forkScoped(Respondent0.serve(other, () => Effect.delay(Effect.succeed("soon"), 50)))
      const survey = yield* begin(texts(surv.pipe(Surveyor0.survey("who?", { timeout: 100 }))))
      yield* TestClock.adjust(99)
      expect([yield* ended(survey), running(surv)]).toEqual([false, 1])
      yield* TestClock.adjust(1)
      expect(yield* Fiber.join(survey)).toEqual(["at once", "soon"])
      expect(running(surv)).toBe(0)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("takes the socket's time if it has none of its own, and none of what comes later", () =>
    Effect.gen(function* () {
      const { resp, surv } = yield* survResp({ surv: { surveyTime: 30 } })
      yield* Effect.forkScoped(Respondent0.serve(resp, () => Effect.delay(Effect.succeed("late"), 30)))
      const survey = yield* begin(texts(Surveyor0.survey(surv, "who?")))
      yield* TestClock.adjust(29)
      expect(yield* ended(survey)).toBe(false)
      yield* TestClock.adjust(1)
      expect(yield* Fiber.join(survey)).toEqual([])
      yield* arrived
      expect((yield* surv.statistics).dropped.stale).toBe(1)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("asks nobody until it is run, and again each time that it is", () =>
    Effect.gen(function* () {
      const { resp, surv } = yield* survResp()
      yield* Effect.forkScoped(Respondent0.serve(resp, repeat))
      const survey = texts(Stream.take(Surveyor0.survey(surv, "s"), 1))
      expect((yield* surv.statistics).sent).toBe(0)
      expect([yield* survey, yield* survey]).toEqual([["re:s"], ["re:s"]])
      expect((yield* surv.statistics).sent).toBe(2)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("with no time at all asks, and is over at once", () =>
    Effect.gen(function* () {
      const { resp, surv } = yield* survResp()
      expect(yield* texts(Surveyor0.survey(surv, "s", { timeout: 0 }))).toEqual([])
      expect(yield* receivedText(Socket.recv(resp))).toBe("s")
      expect(running(surv)).toBe(0)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("of infinite time goes on until its reader has enough", () =>
    Effect.gen(function* () {
      const { raw, surv } = yield* survRaw()
      const survey = yield* begin(texts(Stream.take(Surveyor0.survey(surv, "s", { timeout: Duration.infinity }), 2)))
      const asked = yield* Socket.recv(raw)
      for (const text of ["a", "b"]) {
        yield* TestClock.adjust("30 days")
        yield* respond(raw, asked, text)
      }
      expect(yield* Fiber.join(survey)).toEqual(["a", "b"])
      expect(running(surv)).toBe(0)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("many at once do not mix, nor with the socket's own", () =>
    Effect.gen(function* () {
      const { resp, surv } = yield* survResp()
      const other = yield* join(Respondent0.make())
      yield* Socket.awaitPeers(surv, 2)
      for (const socket of [resp, other]) {
        yield* Effect.forkScoped(Respondent0.serve(socket, repeat, { concurrency: "unbounded" }))
      }
      yield* ask(surv, "own")
      const surveys = yield* begin(
        Effect.forEach(["a", "b", "c", "d"], (text) => texts(Surveyor0.survey(surv, text, { timeout: 100 })), {
          concurrency: "unbounded"
        })
      )
      expect(running(surv)).toBe(5)
      yield* arrived
      expect([yield* receivedText(Socket.recv(surv)), yield* receivedText(Socket.recv(surv))]).toEqual([
        "re:own",
        "re:own"
      ])
      yield* TestClock.adjust(100)
      expect(yield* Fiber.join(surveys)).toEqual(["a", "b", "c", "d"].map((text) => [`re:${text}`, `re:${text}`]))
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("gives what came in time even when it is read later", () =>
    Effect.gen(function* () {
      const { raw, surv } = yield* survRaw()
      const gate = yield* Deferred.make<void>()
      const slow = Stream.mapEffect(Stream.rechunk(Surveyor0.survey(surv, "s", { timeout: 50 }), 1), (message) =>
        Effect.as(Deferred.await(gate), message)
      )
      const survey = yield* begin(texts(slow))
      const asked = yield* Socket.recv(raw)
      for (const text of ["a", "b", "c"]) yield* respond(raw, asked, text)
      yield* TestClock.adjust(50)
      yield* respond(raw, asked, "late")
      yield* Deferred.succeed(gate, undefined)
      expect(yield* Fiber.join(survey)).toEqual(["a", "b", "c"])
      const { dropped, received } = yield* surv.statistics
      expect([received, dropped.stale]).toEqual([3, 1])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("holds 128 responses for a reader that is slow, and drops the newest", () =>
    Effect.gen(function* () {
      const { raw, surv } = yield* survRaw()
      const gate = yield* Deferred.make<void>()
      const slow = Stream.tap(Surveyor0.survey(surv, "s", { timeout: 50 }), () => Deferred.await(gate))
      const survey = yield* begin(texts(slow))
      const asked = yield* Socket.recv(raw)
      yield* respond(raw, asked, "first")
      for (let n = 0; n < 140; n++) yield* respond(raw, asked, String(n))
      yield* TestClock.adjust(50)
      yield* Deferred.succeed(gate, undefined)
      expect(yield* Fiber.join(survey)).toEqual(["first", ...Array.from({ length: 128 }, (_, n) => String(n))])
      expect((yield* surv.statistics).dropped.full).toBe(12)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("that is interrupted is over, and what comes later is counted", () =>
    Effect.gen(function* () {
      const { raw, surv } = yield* survRaw()
      const survey = yield* begin(texts(Surveyor0.survey(surv, "s")))
      const asked = yield* Socket.recv(raw)
      expect([running(surv), nextDeadline(surv)]).toEqual([1, 1000])
      yield* Fiber.interrupt(survey)
      expect([running(surv), nextDeadline(surv)]).toEqual([0, Infinity])
      yield* respond(raw, asked, "r")
      expect((yield* surv.statistics).dropped.stale).toBe(1)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("that is interrupted anywhere leaves nothing behind, and every response is received or counted", () =>
    Effect.gen(function* () {
      const { resp, surv } = yield* survResp({ surv: { surveyTime: "1 minute" } })
      yield* Effect.forkScoped(Respondent0.serve(resp, repeat))
      for (let ops = 0; ops < 128; ops++) {
        yield* interruptedAfter(texts(Stream.take(Surveyor0.survey(surv, "s"), 1)), ops, ops % 7)
        yield* settle
        expect(running(surv)).toBe(0)
      }
      yield* arrived
      const { dropped, received, sent } = yield* surv.statistics
      expect(received + dropped.stale).toBe(sent)
      expect([received > 5, dropped.stale > 5]).toEqual([true, true])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("fails when the socket is closed, and on one that is", () =>
    Effect.gen(function* () {
      const { surv } = yield* survResp()
      const survey = yield* begin(texts(Surveyor0.survey(surv, "s")))
      yield* surv.close
      yield* failing(Fiber.join(survey), "NNG_ECLOSED")
      yield* failing(texts(Surveyor0.survey(surv, "s")), "NNG_ECLOSED")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("lets timers and other fibers run while responses come without end", () =>
    Effect.gen(function* () {
      const { raw, surv } = yield* survRaw()
      const seen: Array<string> = []
      const survey = yield* begin(
        Stream.runForEach(Surveyor0.survey(surv, "s"), (message) =>
          Effect.sync(() => void seen.push(Message.text(message)))
        )
      )
      const asked = yield* Socket.recv(raw)
      const flood = yield* begin(Effect.forever(Effect.suspend(() => respond(raw, asked, "r"))))
      yield* Effect.repeatN(settle, 50)
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(survey)
      yield* Fiber.interrupt(flood)
      expect(seen.length).toBeGreaterThan(5)
    }).pipe(Effect.provide(inproc))
  )
})

describe("serving surveys", () => {
  for (const concurrency of [1, 4, "unbounded"] as const) {
    it.scoped(`answers those that it likes, at concurrency ${concurrency}`, () =>
      Effect.gen(function* () {
        const { resp, surv } = yield* survResp()
        const choosy = (survey: Message.Message) =>
          Effect.succeed(Number(Message.text(survey)) % 3 === 0 ? `re:${Message.text(survey)}` : undefined)
        yield* Effect.forkScoped(Respondent0.serve(resp, choosy, { concurrency }))
        const numbers = Array.from({ length: 60 }, (_, n) => n)
        const surveys = yield* begin(
          Effect.forEach(numbers, (n) => texts(Surveyor0.survey(surv, String(n), { timeout: 100 + n })), {
            concurrency: 5
          })
        )
        yield* Effect.repeatN(TestClock.adjust(100), 100)
        expect(yield* Fiber.join(surveys)).toEqual(numbers.map((n) => (n % 3 === 0 ? [`re:${n}`] : [])))
        const { dropped, received, sent } = yield* resp.statistics
        expect([received, sent, Object.values(dropped).every((count) => count === 0)]).toEqual([60, 20, true])
      }).pipe(Effect.provide(inproc))
    )

    it.scoped(`ends when its handler fails, and lets go of its contexts, at concurrency ${concurrency}`, () =>
      Effect.gen(function* () {
        const { resp, surv } = yield* survResp()
        const serving = yield* begin(Respondent0.serve(resp, () => new Sorry(), { concurrency }))
        expect(contextsOf(resp)).toBe(concurrency === "unbounded" ? 1 : concurrency)
        yield* ask(surv, "s")
        expect(yield* Effect.flip(Fiber.join(serving))).toBeInstanceOf(Sorry)
        expect(contextsOf(resp)).toBe(0)
      }).pipe(Effect.provide(inproc))
    )

    it.scoped(`interrupts the handler of a surveyor that is gone, if it is to, at concurrency ${concurrency}`, () =>
      Effect.gen(function* () {
        const { resp, surv } = yield* survResp()
        const stopped = yield* Deferred.make<void>()
        const serving = yield* begin(
          resp.pipe(
            Respondent0.serve(() => Effect.onInterrupt(Effect.never, () => Deferred.succeed(stopped, undefined)), {
              concurrency,
              interruptWhenGone: true
            })
          )
        )
        yield* ask(surv, "s")
        yield* surv.close
        yield* Deferred.await(stopped)
        expect(yield* ended(serving)).toBe(false)
      }).pipe(Effect.provide(inproc))
    )
  }

  it.scoped("goes on when the surveyor is interrupted in waiting, and declines in time or not", () =>
    Effect.gen(function* () {
      const { resp, surv } = yield* survResp()
      yield* Effect.forkScoped(
        Respondent0.serve(resp, () => Effect.delay(Effect.succeed(undefined), 10), { interruptWhenGone: true })
      )
      const survey = yield* begin(texts(Surveyor0.survey(surv, "s", { timeout: 100 })))
      yield* TestClock.adjust(5)
      yield* Fiber.interrupt(survey)
      yield* TestClock.adjust(5)
      yield* ask(surv, "t")
      yield* TestClock.adjust(10)
      expect((yield* resp.statistics).received).toBe(2)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("an answer that a slow surveyor does not take in time is dropped, counted, and keeps nobody waiting", () =>
    Effect.gen(function* () {
      const surv = yield* Surveyor0.makeRaw({ recvBuffer: 0 })
      const resp = yield* Respondent0.make({ sendTimeout: 20 })
      yield* Socket.listen(surv, "inproc://slow")
      yield* Socket.dial(resp, "inproc://slow")
      yield* Effect.forkScoped(Respondent0.serve(resp, () => Effect.succeed("r")))
      for (let n = 0; n < 4; n++) {
        const survey = Message.make("s")
        Message.Header.appendU32(survey, 0x80000000 + n)
        yield* Socket.send(surv, survey)
        yield* arrived
      }
      yield* TestClock.adjust(20)
      yield* TestClock.adjust(20)
      const { dropped, received, sent } = yield* resp.statistics
      expect([received, sent, dropped.full]).toEqual([4, 2, 2])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("refuses a number of handlers that is none", () =>
    Effect.gen(function* () {
      const resp = yield* Respondent0.make()
      for (const concurrency of [0, -1, 1.5, NaN]) {
        const error = yield* failing(Respondent0.serve(resp, repeat, { concurrency }), "NNG_EINVAL")
        expect(error.operation).toBe("Respondent0.serve")
      }
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("ends with the socket", () =>
    Effect.gen(function* () {
      const resp = yield* Respondent0.make()
      const serving = yield* begin(Respondent0.serve(resp, repeat))
      yield* resp.close
      expect(Exit.isFailure(yield* Fiber.await(serving))).toBe(true)
      yield* failing(Fiber.join(serving), "NNG_ECLOSED")
    }).pipe(Effect.provide(inproc))
  )
})

describe("a chunk of a survey", () => {
  it.scoped("is all that has come by then", () =>
    Effect.gen(function* () {
      const { raw, surv } = yield* survRaw()
      const gate = yield* Deferred.make<void>()
      const chunks: Array<number> = []
      const survey = yield* begin(
        Surveyor0.survey(surv, "s", { timeout: 50 }).pipe(
          Stream.chunks,
          Stream.runForEach((chunk) =>
            Effect.zipRight(
              Effect.sync(() => void chunks.push(Chunk.size(chunk))),
              Deferred.await(gate)
            )
          )
        )
      )
      const asked = yield* Socket.recv(raw)
      for (const text of ["a", "b", "c"]) yield* respond(raw, asked, text)
      yield* Deferred.succeed(gate, undefined)
      yield* TestClock.adjust(50)
      yield* Fiber.join(survey)
      expect(chunks).toEqual([1, 2])
    }).pipe(Effect.provide(inproc))
  )
})
