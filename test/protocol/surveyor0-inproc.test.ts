import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as Message from "effect-nng/Message"
import * as Respondent0 from "effect-nng/Respondent0"
import * as Socket from "effect-nng/Socket"
import * as SocketContext from "effect-nng/SocketContext"
import * as Surveyor0 from "effect-nng/Surveyor0"
import type { SocketImpl } from "../../src/internal/engine/socket.js"
import type { Surveyor0Machine } from "../../src/internal/protocol/surveyor0.js"
import { FakeLane } from "../support/lanes.js"
import { join, receivedText } from "../support/reqrep.js"
import { begin, ended, failing, inproc, settle } from "../support/sockets.js"
import { arrived, ask, rawRaw, respond, running, survRaw, survResp } from "../support/surveys.js"
import { headed, headerOf, id, wire } from "../support/words.js"

const nobody = Surveyor0.make({ surveyTime: 100 })

/** A surveyor whose only respondent is made of arrays, with a survey that a test can end. */
const byLane = Effect.gen(function* () {
  const surv = yield* Surveyor0.make()
  const { conversation, machine } = surv as Surveyor0.Surveyor0 & SocketImpl
  const lane = new FakeLane(1, 0x63, 9)
  machine.attach(lane)
  yield* Socket.send(surv, "s")
  const [survey] = (machine as Surveyor0Machine<{ readonly expire: () => void }>).running
  return { surv, machine, conversation, lane, survey: survey!, waking: survey!.waking! }
})

describe("surveyor0 over inproc", () => {
  it.scoped("[SURV-01] asks and is answered", () =>
    Effect.gen(function* () {
      const { resp, surv } = yield* survResp()
      yield* ask(surv, "ping")
      expect(yield* receivedText(Socket.recv(resp))).toBe("ping")
      yield* Socket.send(resp, "pong")
      expect(yield* receivedText(Socket.recv(surv))).toBe("pong")
      expect([(yield* surv.statistics).sent, (yield* surv.statistics).received]).toEqual([1, 1])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[SURV-02] without a survey there is nothing to receive", () =>
    Effect.gen(function* () {
      const { surv } = yield* survResp()
      const context = yield* SocketContext.make(surv)
      yield* failing(Socket.recv(surv), "NNG_ESTATE")
      yield* failing(Socket.recv(surv, { nonblocking: true }), "NNG_ESTATE")
      yield* failing(Socket.recv(surv, { timeout: 0 }), "NNG_ESTATE")
      yield* failing(SocketContext.recv(context), "NNG_ESTATE")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped(
    "[SURV-03] the time of a survey is a second, or what it is set to, for the socket and for each context",
    () =>
      Effect.gen(function* () {
        const surv = yield* Surveyor0.make()
        expect((yield* Socket.settings(surv)).surveyTime).toEqual(Duration.seconds(1))
        yield* Socket.configure(surv, { surveyTime: 10 })
        expect((yield* Socket.settings(surv)).surveyTime).toEqual(Duration.millis(10))
        const context = yield* SocketContext.make(surv)
        const other = yield* SocketContext.make(surv, { surveyTime: "1 minute" })
        yield* SocketContext.configure(context, { surveyTime: Duration.infinity })
        expect((yield* SocketContext.settings(context)).surveyTime).toEqual(Duration.infinity)
        expect((yield* SocketContext.settings(other)).surveyTime).toEqual(Duration.minutes(1))
        expect((yield* Socket.settings(surv)).surveyTime).toEqual(Duration.millis(10))
        yield* failing(Socket.configure(surv, { surveyTime: -1 }), "NNG_EINVAL")
        yield* failing(Surveyor0.make({ surveyTime: -2 }), "NNG_EINVAL")
      }).pipe(Effect.provide(inproc))
  )

  it.scoped("[SURV-05, RESP-11] the answer to a survey that another one replaced is sent, and not received", () =>
    Effect.gen(function* () {
      const { resp, surv } = yield* survResp({ surv: { surveyTime: "1 minute" } })
      const slow = yield* SocketContext.make(resp)
      yield* ask(surv, "abc")
      expect(yield* receivedText(SocketContext.recv(slow))).toBe("abc")
      yield* TestClock.adjust(100)
      yield* ask(surv, "def")
      expect(yield* receivedText(Socket.recv(resp))).toBe("def")
      yield* SocketContext.send(slow, "to abc")
      yield* Socket.send(resp, "to def")
      yield* arrived
      expect(yield* receivedText(Socket.recv(surv))).toBe("to def")
      yield* failing(Socket.recv(surv, { nonblocking: true }), "NNG_EAGAIN")
      expect((yield* surv.statistics).dropped.stale).toBe(1)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[SURV-06] a new survey ends the receives of the one before", () =>
    Effect.gen(function* () {
      const { surv } = yield* survResp()
      yield* ask(surv, "one")
      const waiting = [yield* begin(Socket.recv(surv)), yield* begin(Socket.recv(surv))]
      yield* ask(surv, "two")
      for (const fiber of waiting) yield* failing(Fiber.join(fiber), "NNG_ECANCELED")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[SURV-07] a new survey drops the responses to the one before", () =>
    Effect.gen(function* () {
      const { raw, surv } = yield* survRaw()
      yield* ask(surv, "one")
      const one = yield* Socket.recv(raw)
      yield* respond(raw, one, "a")
      yield* respond(raw, one, "b")
      yield* ask(surv, "two")
      yield* respond(raw, yield* Socket.recv(raw), "c")
      expect(yield* receivedText(Socket.recv(surv))).toBe("c")
      expect((yield* surv.statistics).dropped.stale).toBe(2)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[SURV-08] is always writable, until it is closed", () =>
    Effect.gen(function* () {
      const surv = yield* nobody
      expect(yield* Socket.isWritable(surv)).toBe(true)
      for (let n = 0; n < 20; n++) yield* Socket.send(surv, "s")
      expect(yield* Socket.isWritable(surv)).toBe(true)
      yield* surv.close
      expect(yield* Socket.isWritable(surv)).toBe(false)
      yield* failing(Socket.send(surv, "s"), "NNG_ECLOSED")
      yield* failing(Socket.recv(surv), "NNG_ECLOSED")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[SURV-09] is readable while a response to its own survey waits and counts", () =>
    Effect.gen(function* () {
      const { raw, surv } = yield* survRaw({ surv: { surveyTime: 50 } })
      const context = yield* SocketContext.make(surv)
      expect(yield* Socket.isReadable(surv)).toBe(false)
      yield* Effect.zipRight(SocketContext.send(context, "other"), arrived)
      yield* respond(raw, yield* Socket.recv(raw), "to the other")
      expect(yield* Socket.isReadable(surv)).toBe(false)
      yield* ask(surv, "own")
      expect(yield* Socket.isReadable(surv)).toBe(false)
      const survey = yield* Socket.recv(raw)
      yield* respond(raw, survey, "a")
      expect(yield* Socket.isReadable(surv)).toBe(true)
      yield* Socket.recv(surv)
      expect(yield* Socket.isReadable(surv)).toBe(false)
      yield* respond(raw, survey, "b")
      expect(yield* Socket.isReadable(surv)).toBe(true)
      yield* TestClock.adjust(50)
      expect(yield* Socket.isReadable(surv)).toBe(false)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("a receive that may not wait fails at once, and the survey goes on", () =>
    Effect.gen(function* () {
      const { raw, surv } = yield* survRaw()
      const context = yield* SocketContext.make(surv)
      yield* SocketContext.send(context, "s")
      yield* ask(surv, "s")
      yield* failing(SocketContext.recv(context, { timeout: 0 }), "NNG_ETIMEDOUT")
      yield* failing(Socket.recv(surv, { nonblocking: true }), "NNG_EAGAIN")
      yield* respond(raw, yield* Socket.recv(raw), "r")
      yield* respond(raw, yield* Socket.recv(raw), "r")
      expect(yield* receivedText(SocketContext.recv(context, { timeout: 0 }))).toBe("r")
      expect(yield* receivedText(Socket.recv(surv, { nonblocking: true }))).toBe("r")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[SURV-11] asks though there is nobody, without any time", () =>
    Effect.gen(function* () {
      const surv = yield* nobody
      const context = yield* SocketContext.make(surv)
      yield* SocketContext.send(context, "s", { timeout: 0 })
      yield* Socket.send(surv, "s", { nonblocking: true })
      const waiting = yield* begin(SocketContext.recv(context))
      yield* TestClock.adjust(100)
      yield* failing(Fiber.join(waiting), "NNG_ETIMEDOUT")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[SURV-12] two hundred surveys of somebody who does not read: all are sent, and the books balance", () =>
    Effect.gen(function* () {
      const { raw, surv } = yield* survRaw({ resp: { recvBuffer: 0 } })
      for (let n = 0; n < 200; n++) yield* ask(surv, String(n))
      const { dropped, sent } = yield* surv.statistics
      expect(sent).toBe(200)
      const got: Array<string> = []
      for (;;) {
        yield* settle
        const next = yield* Effect.option(Socket.recv(raw, { nonblocking: true }))
        if (next._tag === "None") break
        got.push(Message.text(next.value))
      }
      // the oldest, as many as the two hold
      expect(got).toEqual(Array.from({ length: got.length }, (_, n) => String(n)))
      expect(dropped.full + got.length).toBe(200)
      expect(got.length).toBe(10)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[SURV-13] a receive ends with its survey, and the next has none, whatever comes late", () =>
    Effect.gen(function* () {
      const { resp, surv } = yield* survResp({ surv: { surveyTime: 50, recvTimeout: 100 } })
      yield* ask(surv, "s")
      const waiting = yield* begin(Socket.recv(surv))
      yield* TestClock.adjust(49)
      expect(yield* ended(waiting)).toBe(false)
      yield* TestClock.adjust(1)
      yield* failing(Fiber.join(waiting), "NNG_ETIMEDOUT")
      yield* Socket.recv(resp)
      yield* Socket.send(resp, "late")
      yield* arrived
      yield* failing(Socket.recv(surv), "NNG_ESTATE")
      expect((yield* surv.statistics).dropped.stale).toBe(1)
      expect(running(surv)).toBe(0)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[SURV-14] receives end with the socket, and with their context", () =>
    Effect.gen(function* () {
      const { surv } = yield* survResp()
      const [kept, closed] = [yield* SocketContext.make(surv), yield* SocketContext.make(surv)]
      for (const context of [kept, closed]) yield* SocketContext.send(context, "s")
      yield* ask(surv, "s")
      const waiting = [yield* begin(SocketContext.recv(kept)), yield* begin(Socket.recv(surv))]
      const first = yield* begin(SocketContext.recv(closed))
      yield* closed.close
      yield* failing(Fiber.join(first), "NNG_ECLOSED")
      expect(running(surv)).toBe(2)
      yield* surv.close
      for (const fiber of waiting) yield* failing(Fiber.join(fiber), "NNG_ECLOSED")
      yield* failing(SocketContext.recv(kept), "NNG_ECLOSED")
      yield* failing(SocketContext.send(kept, "s"), "NNG_ECLOSED")
      expect(running(surv)).toBe(0)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[SURV-15] contexts have surveys of their own, collected in any order", () =>
    Effect.gen(function* () {
      const { resp, surv } = yield* survResp({ surv: { surveyTime: 100 } })
      yield* Effect.forkScoped(Respondent0.serve(resp, (survey) => Effect.succeed(Message.text(survey))))
      const contexts = yield* Effect.replicateEffect(SocketContext.make(surv), 5)
      for (const [n, context] of contexts.entries()) yield* SocketContext.send(context, String(n))
      yield* arrived
      for (const n of [4, 1, 3, 0, 2]) {
        expect(yield* receivedText(SocketContext.recv(contexts[n]!))).toBe(String(n))
      }
      for (const context of contexts) {
        yield* failing(SocketContext.recv(context, { nonblocking: true }), "NNG_EAGAIN")
      }
      const second = yield* Effect.forEach(contexts, (context) => begin(SocketContext.recv(context)))
      yield* TestClock.adjust(100)
      for (const fiber of second) yield* failing(Fiber.join(fiber), "NNG_ETIMEDOUT")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[SURV-16] a response that was not received in time is none, and is counted", () =>
    Effect.gen(function* () {
      const { raw, surv } = yield* survRaw({ surv: { surveyTime: 50 } })
      yield* ask(surv, "s")
      yield* respond(raw, yield* Socket.recv(raw), "r")
      yield* TestClock.adjust(50)
      yield* failing(Socket.recv(surv), "NNG_ESTATE")
      const { dropped, received } = yield* surv.statistics
      expect([dropped.stale, received]).toEqual([1, 0])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[SURV-17] all who wait end with the survey", () =>
    Effect.gen(function* () {
      const { surv } = yield* survResp({ surv: { surveyTime: 50 } })
      yield* ask(surv, "s")
      const waiting = [
        yield* begin(Socket.recv(surv)),
        yield* begin(Socket.recv(surv, { timeout: Duration.infinity })),
        yield* begin(Socket.recv(surv, { timeout: 60 }))
      ]
      yield* TestClock.adjust(50)
      for (const fiber of waiting) yield* failing(Fiber.join(fiber), "NNG_ETIMEDOUT")
      yield* failing(Socket.recv(surv), "NNG_ESTATE")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("responses that came for those who wait, in the moment when the survey ends, are theirs", () =>
    Effect.gen(function* () {
      const { conversation, lane, machine, surv, survey, waking } = yield* byLane
      const waiting = [
        yield* begin(receivedText(Socket.recv(surv))),
        yield* begin(receivedText(Socket.recv(surv))),
        yield* begin(receivedText(Socket.recv(surv)))
      ]
      // none of them has run when it ends
      lane.arrived.push(wire([survey.id], "a"), wire([survey.id], "b"))
      machine.readable(lane)
      conversation.notify()
      waking.expire()
      expect(yield* Fiber.join(waiting[0]!)).toBe("a")
      expect(yield* Fiber.join(waiting[1]!)).toBe("b")
      yield* failing(Fiber.join(waiting[2]!), "NNG_ETIMEDOUT")
      yield* failing(Socket.recv(surv), "NNG_ESTATE")
      const { dropped, received } = yield* surv.statistics
      expect([received, dropped.stale]).toEqual([2, 0])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("nobody overtakes who waits for a response", () =>
    Effect.gen(function* () {
      const { conversation, lane, machine, surv, survey } = yield* byLane
      const waiting = yield* begin(receivedText(Socket.recv(surv)))
      lane.arrived.push(wire([survey.id], "a"))
      machine.readable(lane)
      conversation.notify()
      yield* failing(Socket.recv(surv, { nonblocking: true }), "NNG_EAGAIN")
      expect(yield* Fiber.join(waiting)).toBe("a")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("several receives get responses in the order in which they began", () =>
    Effect.gen(function* () {
      const { raw, surv } = yield* survRaw()
      yield* ask(surv, "s")
      const survey = yield* Socket.recv(raw)
      const waiting = [yield* begin(receivedText(Socket.recv(surv))), yield* begin(receivedText(Socket.recv(surv)))]
      for (const text of ["a", "b", "c"]) yield* respond(raw, survey, text)
      expect(yield* Effect.forEach(waiting, Fiber.join)).toEqual(["a", "b"])
      expect(yield* receivedText(Socket.recv(surv))).toBe("c")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("a receive that timed out, or was interrupted, leaves the survey to the others and to the next", () =>
    Effect.gen(function* () {
      const { raw, surv } = yield* survRaw({ surv: { surveyTime: 300, recvTimeout: 50 } })
      yield* ask(surv, "s")
      const survey = yield* Socket.recv(raw)
      const impatient = yield* begin(Socket.recv(surv))
      const interrupted = yield* begin(Socket.recv(surv, { timeout: "1 second" }))
      const patient = yield* begin(receivedText(Socket.recv(surv, { timeout: "1 second" })))
      yield* TestClock.adjust(50)
      yield* failing(Fiber.join(impatient), "NNG_ETIMEDOUT")
      yield* Fiber.interrupt(interrupted)
      yield* respond(raw, survey, "a")
      yield* respond(raw, survey, "b")
      expect(yield* Fiber.join(patient)).toBe("a")
      expect(yield* receivedText(Socket.recv(surv))).toBe("b")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("a receive that is interrupted in the moment of a response takes nothing", () =>
    Effect.gen(function* () {
      const { raw, surv } = yield* survRaw()
      yield* ask(surv, "s")
      const survey = yield* Socket.recv(raw)
      const first = yield* begin(Socket.recv(surv))
      const second = yield* begin(receivedText(Socket.recv(surv)))
      yield* respond(raw, survey, "a").pipe(Effect.zipLeft(Fiber.interruptFork(first)))
      yield* arrived
      const exit = yield* Fiber.await(first)
      if (Exit.isFailure(exit)) expect(yield* Fiber.join(second)).toBe("a")
      else yield* Fiber.interrupt(second)
      expect((yield* surv.statistics).received).toBe(1)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[SURV-20] a survey without any time is sent, and over at once", () =>
    Effect.gen(function* () {
      const { resp, surv } = yield* survResp({ surv: { surveyTime: 0 } })
      yield* ask(surv, "s")
      yield* failing(Socket.recv(surv), "NNG_ESTATE")
      expect(yield* receivedText(Socket.recv(resp))).toBe("s")
      yield* Socket.send(resp, "r")
      yield* arrived
      yield* failing(Socket.recv(surv), "NNG_ESTATE")
      expect((yield* surv.statistics).dropped.stale).toBe(1)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("a survey of infinite time ends with the next, or with its context", () =>
    Effect.gen(function* () {
      const { raw, surv } = yield* survRaw({ surv: { surveyTime: Duration.infinity } })
      yield* ask(surv, "s")
      const survey = yield* Socket.recv(raw)
      yield* TestClock.adjust("1000 days")
      yield* respond(raw, survey, "r")
      expect(yield* receivedText(Socket.recv(surv))).toBe("r")
      yield* Effect.scoped(
        Effect.gen(function* () {
          const context = yield* SocketContext.make(surv)
          yield* SocketContext.send(context, "t")
          expect(running(surv)).toBe(2)
        })
      )
      expect(running(surv)).toBe(1)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("a changed survey time holds from the next survey on", () =>
    Effect.gen(function* () {
      const { surv } = yield* survResp({ surv: { surveyTime: 50 } })
      yield* ask(surv, "s")
      yield* Socket.configure(surv, { surveyTime: 100 })
      const waiting = yield* begin(Socket.recv(surv))
      yield* TestClock.adjust(50)
      yield* failing(Fiber.join(waiting), "NNG_ETIMEDOUT")
      yield* ask(surv, "s")
      const again = yield* begin(Socket.recv(surv))
      yield* TestClock.adjust(99)
      expect(yield* ended(again)).toBe(false)
      yield* TestClock.adjust(1)
      yield* failing(Fiber.join(again), "NNG_ETIMEDOUT")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[SURV-21] a response has its survey's id for a header", () =>
    Effect.gen(function* () {
      const { raw, surv } = yield* survRaw()
      yield* ask(surv, "s")
      const survey = yield* Socket.recv(raw)
      yield* respond(raw, survey, "r")
      const response = yield* Socket.recv(surv)
      expect(headerOf(response)).toEqual(headerOf(survey).slice(1))
      expect([response.headerLength, headerOf(response)[0]! >= 0x80000000]).toEqual([4, true])
      expect(response.pipeId).toBe((yield* Socket.pipes(surv).get)[0]!.id)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[SURV-22] who comes after the survey does not get it", () =>
    Effect.gen(function* () {
      const { surv } = yield* survResp()
      yield* ask(surv, "early")
      const late = yield* join(Respondent0.make())
      yield* arrived
      yield* failing(Socket.recv(late, { nonblocking: true }), "NNG_EAGAIN")
      yield* ask(surv, "next")
      expect(yield* receivedText(Socket.recv(late))).toBe("next")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[SURV-23] who leaves is not missed", () =>
    Effect.gen(function* () {
      const { resp, surv } = yield* survResp({ surv: { surveyTime: 50 } })
      const other = yield* join(Respondent0.make())
      yield* Socket.awaitPeers(surv, 2)
      yield* ask(surv, "s")
      const waiting = yield* begin(receivedText(Socket.recv(surv)))
      yield* resp.close
      yield* arrived
      expect(yield* ended(waiting)).toBe(false)
      yield* Socket.recv(other)
      yield* Socket.send(other, "r")
      expect(yield* Fiber.join(waiting)).toBe("r")
      const rest = yield* begin(Socket.recv(surv))
      yield* TestClock.adjust(50)
      yield* failing(Fiber.join(rest), "NNG_ETIMEDOUT")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[SURV-24] everybody is asked, and every answer received", () =>
    Effect.gen(function* () {
      const { resp, surv } = yield* survResp()
      const other = yield* join(Respondent0.make())
      yield* Socket.awaitPeers(surv, 2)
      yield* ask(surv, "s")
      for (const [name, socket] of [["a", resp] as const, ["b", other] as const]) {
        expect(yield* receivedText(Socket.recv(socket))).toBe("s")
        yield* Socket.send(socket, name)
        yield* arrived
      }
      expect([yield* receivedText(Socket.recv(surv)), yield* receivedText(Socket.recv(surv))]).toEqual(["a", "b"])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[SURV-25] of more than 128 unread responses the newest are dropped and counted", () =>
    Effect.gen(function* () {
      const { raw, surv } = yield* survRaw()
      yield* ask(surv, "s")
      const survey = yield* Socket.recv(raw)
      for (let n = 0; n < 130; n++) yield* respond(raw, survey, String(n))
      for (let n = 0; n < 128; n++) expect(yield* receivedText(Socket.recv(surv))).toBe(String(n))
      yield* failing(Socket.recv(surv, { nonblocking: true }), "NNG_EAGAIN")
      expect((yield* surv.statistics).dropped.full).toBe(2)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("unread responses of a socket, or a context, that is closed are counted", () =>
    Effect.gen(function* () {
      const { raw, surv } = yield* survRaw()
      const context = yield* SocketContext.make(surv)
      yield* SocketContext.send(context, "s")
      yield* ask(surv, "s")
      for (const text of ["a", "b"]) yield* respond(raw, yield* Socket.recv(raw), text)
      yield* context.close
      expect((yield* surv.statistics).dropped.stale).toBe(1)
      yield* surv.close
      expect((yield* surv.statistics).dropped.stale).toBe(2)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("a socket that is being drained still receives, and asks nobody", () =>
    Effect.gen(function* () {
      const { raw, surv } = yield* survRaw({ resp: { recvBuffer: 0 } })
      const context = yield* SocketContext.make(surv)
      yield* Effect.zipRight(SocketContext.send(context, "held"), arrived)
      for (const text of ["between", "queued", "behind"]) yield* ask(surv, text)
      const draining = yield* begin(Socket.drain(surv))
      yield* failing(Socket.send(surv, "s"), "NNG_ECLOSED")
      yield* failing(SocketContext.send(context, "s"), "NNG_ECLOSED")
      yield* respond(raw, yield* Socket.recv(raw), "in time")
      expect(yield* ended(draining)).toBe(false)
      expect(yield* receivedText(SocketContext.recv(context))).toBe("in time")
      for (const text of ["between", "queued", "behind"]) expect(yield* receivedText(Socket.recv(raw))).toBe(text)
      expect(yield* Fiber.join(draining)).toBe(0)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[CTX-09] contexts of both ask, answer and receive as sockets do", () =>
    Effect.gen(function* () {
      const { resp, surv } = yield* survResp()
      const asking = yield* SocketContext.make(surv)
      const answering = yield* SocketContext.make(resp)
      yield* failing(SocketContext.send(answering, "r"), "NNG_ESTATE")
      yield* SocketContext.send(asking, "s")
      expect(yield* receivedText(SocketContext.recv(answering))).toBe("s")
      yield* SocketContext.send(answering, "r")
      expect(yield* receivedText(SocketContext.recv(asking))).toBe("r")
      // what contexts do is not the socket's
      yield* failing(Socket.recv(surv), "NNG_ESTATE")
      yield* failing(Socket.send(resp, "r"), "NNG_ESTATE")
    }).pipe(Effect.provide(inproc))
  )
})

describe("a raw surveyor over inproc", () => {
  it.scoped("[XSURV-01] is always writable, and readable exactly while responses wait", () =>
    Effect.gen(function* () {
      const { resp, surv } = yield* rawRaw({ resp: { recvBuffer: 0 } })
      expect([yield* Socket.isWritable(surv), yield* Socket.isReadable(surv)]).toEqual([true, false])
      for (let n = 0; n < 40; n++) yield* Socket.send(surv, headed([id(n)]))
      yield* arrived
      expect([yield* Socket.isWritable(surv), yield* Socket.isReadable(surv)]).toEqual([true, false])
      const survey = yield* Socket.recv(resp)
      for (const text of ["a", "b"]) yield* respond(resp, survey, text)
      for (const text of ["a", "b"]) {
        expect(yield* Socket.isReadable(surv)).toBe(true)
        expect(yield* receivedText(Socket.recv(surv))).toBe(text)
        yield* arrived
      }
      expect(yield* Socket.isReadable(surv)).toBe(false)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[XSURV-03] a response without an end of its words ends its pipe, and nothing is delivered", () =>
    Effect.gen(function* () {
      const surv = yield* Surveyor0.makeRaw()
      const { resp } = yield* Effect.gen(function* () {
        const resp = yield* Respondent0.makeRaw()
        yield* Socket.listen(surv, "inproc://bad")
        yield* Socket.dial(resp, "inproc://bad", { reconnectMin: "1 hour" })
        yield* Socket.awaitPeers(surv, 1)
        return { resp }
      })
      yield* arrived
      const [pipe] = yield* Socket.pipes(resp).get
      yield* Socket.send(resp, headed([pipe!.id, 1, 2]))
      yield* arrived
      expect((yield* Socket.pipes(surv).get).length).toBe(0)
      yield* failing(Socket.recv(surv, { nonblocking: true }), "NNG_EAGAIN")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[XSURV-05] closes with responses unread, which are counted", () =>
    Effect.gen(function* () {
      const { resp, surv } = yield* rawRaw({ surv: { recvBuffer: 1 } })
      yield* Socket.send(surv, headed([id(1)]))
      const survey = yield* Socket.recv(resp)
      for (let n = 0; n < 20; n++) yield* respond(resp, survey, String(n))
      const before = (yield* resp.statistics).dropped
      yield* surv.close
      yield* arrived
      const { dropped } = yield* surv.statistics
      // one in its buffer, one held; one on its way and two with the respondent, and the others were too many
      expect([dropped.closed, dropped.disconnected, before.full]).toEqual([1, 1, 15])
      expect((yield* resp.statistics).dropped.disconnected).toBe(3)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[XSURV-06] a pipe is closed with surveys on their way, which are counted", () =>
    Effect.gen(function* () {
      const { surv } = yield* rawRaw({ resp: { recvBuffer: 0, reconnectMin: "1 hour" } })
      for (let n = 0; n < 20; n++) yield* Socket.send(surv, headed([id(n)]))
      yield* arrived
      for (const pipe of yield* Socket.pipes(surv).get) yield* pipe.close
      yield* arrived
      const { dropped, pipes } = yield* surv.statistics
      // the respondent holds one
      expect([pipes, dropped.disconnected + dropped.full]).toEqual([0, 19])
    }).pipe(Effect.provide(inproc))
  )
})
