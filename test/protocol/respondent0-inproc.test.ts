import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as Message from "effect-nng/Message"
import * as Respondent0 from "effect-nng/Respondent0"
import * as Socket from "effect-nng/Socket"
import * as SocketContext from "effect-nng/SocketContext"
import * as Surveyor0 from "effect-nng/Surveyor0"
import { receivedText } from "../support/reqrep.js"
import { begin, drain, ended, failing, inproc, marry } from "../support/sockets.js"
import { arrived, ask, question, rawRaw, rawResp, respond, survRaw, survResp } from "../support/surveys.js"
import { headed, headerOf, id } from "../support/words.js"

/** A surveyor that has sent so many surveys, and reads no answers; each is received in a context. */
const stalled = (count: number, options: SocketContext.Options = {}) =>
  Effect.gen(function* () {
    const { raw, resp, ...rest } = yield* rawResp({ surv: { recvBuffer: 0 } })
    const contexts: Array<Respondent0.Context> = []
    for (let n = 0; n < count; n++) {
      const context = yield* SocketContext.make(resp, options)
      yield* question(raw, id(n), String(n))
      yield* SocketContext.recv(context)
      contexts.push(context)
    }
    return { raw, resp, contexts, ...rest }
  })

/** So many words, the last of them an id. */
const hops = (words: number, n: number) => [...Array<number>(words - 1).fill(7), id(n)]

describe("respondent0 over inproc", () => {
  it.scoped("[RESP-01] without a survey there is nothing to answer", () =>
    Effect.gen(function* () {
      const { resp } = yield* survResp()
      const context = yield* SocketContext.make(resp)
      yield* failing(Socket.send(resp, "r"), "NNG_ESTATE")
      yield* failing(Socket.send(resp, "r", { timeout: 0 }), "NNG_ESTATE")
      yield* failing(SocketContext.send(context, "r"), "NNG_ESTATE")
      expect((yield* resp.statistics).sent).toBe(0)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[RESP-02] it is readable while a survey waits, and writable from then until the answer", () =>
    Effect.gen(function* () {
      const { resp, surv } = yield* survResp()
      const state = Effect.all([Socket.isReadable(resp), Socket.isWritable(resp)])
      expect(yield* state).toEqual([false, false])
      yield* ask(surv, "s")
      expect(yield* state).toEqual([true, false])
      yield* Socket.recv(resp)
      expect(yield* state).toEqual([false, true])
      yield* Socket.send(resp, "r")
      expect(yield* state).toEqual([false, false])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[RESP-03] one receive at a time", () =>
    Effect.gen(function* () {
      const { resp, surv } = yield* survResp()
      const first = yield* begin(receivedText(Socket.recv(resp)))
      yield* failing(Socket.recv(resp), "NNG_ESTATE")
      yield* ask(surv, "s")
      expect(yield* Fiber.join(first)).toBe("s")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[RESP-04] an answer to somebody who is gone is sent, dropped and counted", () =>
    Effect.gen(function* () {
      const { resp, surv } = yield* survResp()
      yield* ask(surv, "s")
      yield* Socket.recv(resp)
      for (const pipe of yield* Socket.pipes(resp).get) yield* pipe.close
      yield* Socket.send(resp, "r")
      expect((yield* resp.statistics).dropped.unroutable).toBe(1)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[RESP-05] answers to somebody who does not read wait, and time out", () =>
    Effect.gen(function* () {
      const { contexts, resp } = yield* stalled(10, { sendTimeout: 200 })
      const sends = yield* Effect.forEach(contexts, (context) => begin(Effect.exit(SocketContext.send(context, "r"))))
      yield* TestClock.adjust(200)
      const exits = yield* Effect.forEach(sends, Fiber.join)
      const sent = exits.filter(Exit.isSuccess).length
      expect(exits.slice(0, sent).every(Exit.isSuccess)).toBe(true)
      for (const exit of exits.slice(sent)) {
        expect(exit).toMatchObject({ cause: { error: { _tag: "NNG_ETIMEDOUT" } } })
      }
      expect([sent, (yield* resp.statistics).sent]).toEqual([2, 2])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[RESP-06] answers that wait succeed when their pipe ends, and are counted", () =>
    Effect.gen(function* () {
      const { contexts, resp } = yield* stalled(10)
      const sends = yield* Effect.forEach(contexts, (context) => begin(SocketContext.send(context, "r")))
      for (const pipe of yield* Socket.pipes(resp).get) yield* pipe.close
      yield* Effect.forEach(sends, Fiber.join)
      expect((yield* resp.statistics).dropped.unroutable).toBe(8)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[RESP-06] answers that wait end with their contexts", () =>
    Effect.gen(function* () {
      const { contexts } = yield* stalled(10)
      const sends = yield* Effect.forEach(contexts, (context) => begin(Effect.exit(SocketContext.send(context, "r"))))
      for (const context of contexts) yield* context.close
      const exits = yield* Effect.forEach(sends, Fiber.join)
      expect(exits.filter(Exit.isSuccess).length).toBe(2)
      for (const exit of exits.filter(Exit.isFailure)) {
        expect(exit).toMatchObject({ cause: { error: { _tag: "NNG_ECLOSED" } } })
      }
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[RESP-07] an answer that may not wait and would have to can be sent again", () =>
    Effect.gen(function* () {
      const { contexts, raw, resp } = yield* stalled(3)
      for (const context of contexts.slice(0, 2)) yield* SocketContext.send(context, "r", { timeout: 0 })
      const [, , last] = contexts
      const answer = Message.make("mine")
      yield* failing(SocketContext.send(last!, answer, { timeout: 0 }), "NNG_ETIMEDOUT")
      yield* failing(SocketContext.send(last!, answer, { nonblocking: true }), "NNG_EAGAIN")
      expect(answer.headerLength).toBe(0)
      const sending = yield* begin(SocketContext.send(last!, answer))
      expect(yield* ended(sending)).toBe(false)
      expect(yield* drain(raw)).toEqual(["r", "r", "mine"])
      yield* Fiber.join(sending)
      yield* failing(SocketContext.send(last!, "r"), "NNG_ESTATE")
      expect((yield* resp.statistics).sent).toBe(3)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("an answer that waited and was given up is lost", () =>
    Effect.gen(function* () {
      const { contexts } = yield* stalled(3)
      for (const context of contexts.slice(0, 2)) yield* SocketContext.send(context, "r")
      const sending = yield* begin(SocketContext.send(contexts[2]!, "r"))
      yield* Fiber.interrupt(sending)
      yield* failing(SocketContext.send(contexts[2]!, "r"), "NNG_ESTATE")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[RESP-08] a survey of words without an end ends its pipe, and nothing is delivered", () =>
    Effect.gen(function* () {
      const raw = yield* Surveyor0.makeRaw()
      const resp = yield* Respondent0.make()
      yield* marry(resp, raw, "inproc://bad", { reconnectMin: "1 hour" })
      yield* Socket.send(raw, headed([1, 2]))
      yield* arrived
      expect((yield* Socket.pipes(resp).get).length).toBe(0)
      yield* failing(Socket.recv(resp, { nonblocking: true }), "NNG_EAGAIN")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[RESP-09] surveys that came through too many devices are dropped and counted", () =>
    Effect.gen(function* () {
      const { raw, resp } = yield* rawResp({ resp: { ttl: 3 } })
      const got: Array<string> = []
      for (const [n, words] of [2, 4, 3, 4].entries()) {
        yield* Socket.send(raw, headed(hops(words, n), String(n)))
        yield* arrived
        const next = yield* Effect.option(receivedText(Socket.recv(resp, { nonblocking: true })))
        if (next._tag === "Some") got.push(next.value)
      }
      expect([got, (yield* resp.statistics).dropped.hops]).toEqual([["0", "2"], 2])
      yield* Socket.configure(resp, { ttl: 4 })
      yield* Socket.send(raw, headed(hops(4, 9), "through four"))
      expect(yield* receivedText(Socket.recv(resp))).toBe("through four")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[RESP-10] a survey is answered once", () =>
    Effect.gen(function* () {
      const { resp, surv } = yield* survResp()
      yield* ask(surv, "s")
      yield* Socket.recv(resp)
      yield* Socket.send(resp, "r")
      yield* failing(Socket.send(resp, "r"), "NNG_ESTATE")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("a survey that was not answered gives its place to the next, and a receive that waits does not", () =>
    Effect.gen(function* () {
      const { raw, resp } = yield* rawResp()
      yield* question(raw, id(1), "one")
      yield* Socket.recv(resp)
      yield* question(raw, id(2), "two")
      yield* Socket.recv(resp)
      const waiting = yield* begin(Socket.recv(resp))
      yield* Fiber.interrupt(waiting)
      yield* Socket.send(resp, "to two")
      expect(headerOf(yield* Socket.recv(raw))).toEqual([id(2)])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("its ttl is 8, or from 1 to 15", () =>
    Effect.gen(function* () {
      const resp = yield* Respondent0.make()
      expect((yield* Socket.settings(resp)).ttl).toBe(8)
      for (const ttl of [1, 3, 15]) {
        yield* Socket.configure(resp, { ttl })
        expect((yield* Socket.settings(resp)).ttl).toBe(ttl)
      }
      for (const ttl of [0, -1, 16, 256, 1000, 1.5]) yield* failing(Socket.configure(resp, { ttl }), "NNG_EINVAL")
    }).pipe(Effect.provide(inproc))
  )
})

describe("a raw respondent over inproc", () => {
  it.scoped("[XRESP-01] is always writable, and readable exactly while surveys wait", () =>
    Effect.gen(function* () {
      const { raw, surv } = yield* survRaw()
      const state = Effect.all([Socket.isReadable(raw), Socket.isWritable(raw)])
      expect(yield* state).toEqual([false, true])
      yield* ask(surv, "s")
      expect(yield* state).toEqual([true, true])
      const survey = yield* Socket.recv(raw)
      expect(yield* state).toEqual([false, true])
      for (let n = 0; n < 9; n++) yield* respond(raw, survey, "r")
      expect(yield* state).toEqual([false, true])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[XRESP-02] an answer to somebody who is gone is sent, dropped and counted", () =>
    Effect.gen(function* () {
      const { raw, surv } = yield* survRaw()
      yield* ask(surv, "s")
      const survey = yield* Socket.recv(raw)
      for (const pipe of yield* Socket.pipes(raw).get) yield* pipe.close
      yield* arrived
      yield* respond(raw, survey, "r")
      expect((yield* raw.statistics).dropped.unroutable).toBe(1)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[XRESP-03] a hundred answers to a surveyor that does not read: all are sent, and the books balance", () =>
    Effect.gen(function* () {
      const { resp, surv } = yield* rawRaw({ surv: { recvBuffer: 0 } })
      yield* Socket.send(surv, headed([id(1)]))
      const survey = yield* Socket.recv(resp)
      for (let n = 0; n < 100; n++) yield* respond(resp, survey, String(n))
      const { dropped, sent } = yield* resp.statistics
      // one held, one on its way, two waiting
      expect([sent, dropped.full]).toEqual([100, 96])
      expect(yield* drain(surv)).toEqual(["0", "1", "2", "3"])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[XRESP-04] closes while it is flooded", () =>
    Effect.gen(function* () {
      const { resp, surv } = yield* rawRaw()
      const flood = yield* begin(Effect.forever(Effect.zipRight(Socket.send(surv, headed([id(1)])), Effect.yieldNow())))
      yield* arrived
      yield* resp.close
      yield* failing(Socket.recv(resp), "NNG_ECLOSED")
      expect(yield* ended(flood)).toBe(false)
      yield* Fiber.interrupt(flood)
      expect((yield* resp.statistics).dropped.closed).toBe(1)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[XRESP-05] a message without a header is sent, and goes nowhere", () =>
    Effect.gen(function* () {
      const { raw, surv } = yield* survRaw()
      yield* ask(surv, "s")
      yield* Socket.send(raw, "no header")
      yield* arrived
      yield* failing(Socket.recv(surv, { nonblocking: true }), "NNG_EAGAIN")
      expect((yield* raw.statistics).dropped.unroutable).toBe(1)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[XRESP-06] a survey of one word that is no end ends its pipe, and nothing is delivered", () =>
    Effect.gen(function* () {
      const surv = yield* Surveyor0.makeRaw()
      const resp = yield* Respondent0.makeRaw()
      yield* marry(resp, surv, "inproc://bad", { reconnectMin: "1 hour" })
      yield* Socket.send(surv, headed([1]))
      yield* arrived
      expect((yield* Socket.pipes(resp).get).length).toBe(0)
      yield* failing(Socket.recv(resp, { nonblocking: true }), "NNG_EAGAIN")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[XRESP-07] a survey's words come behind its pipe, and those that are too many not at all", () =>
    Effect.gen(function* () {
      const { resp, surv } = yield* rawRaw({ resp: { ttl: 3, recvBuffer: 9 } })
      const [pipe] = yield* Socket.pipes(resp).get
      for (const [n, words] of [2, 4, 3, 4].entries()) {
        yield* Socket.send(surv, headed(hops(words, n)))
        yield* arrived
      }
      expect(headerOf(yield* Socket.recv(resp))).toEqual([pipe!.id, ...hops(2, 0)])
      expect(headerOf(yield* Socket.recv(resp))).toEqual([pipe!.id, ...hops(3, 2)])
      yield* failing(Socket.recv(resp, { nonblocking: true }), "NNG_EAGAIN")
      expect((yield* resp.statistics).dropped.hops).toBe(2)
    }).pipe(Effect.provide(inproc))
  )
})
