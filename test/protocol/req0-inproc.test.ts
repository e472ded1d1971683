import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as Message from "effect-nng/Message"
import * as Rep0 from "effect-nng/Rep0"
import * as Req0 from "effect-nng/Req0"
import * as Socket from "effect-nng/Socket"
import * as SocketContext from "effect-nng/SocketContext"
import { contextExchange, exchange, nothingRemains, receivedText, remains, reply } from "../support/reqrep.js"
import { reqRaw, reqRep, serveAt, shout } from "../support/reqrep.js"
import { begin, drain, ended, failing, inproc, marry, recvText, settle } from "../support/sockets.js"
import { headerOf } from "../support/words.js"

/** Lets so much time go by, in small steps. */
const pass = (millis: number, step = 10): Effect.Effect<void> =>
  Effect.forEach(
    Array.from({ length: Math.ceil(millis / step) }),
    () => Effect.zipRight(TestClock.adjust(step), settle),
    {
      discard: true
    }
  )

const stale = (req: Req0.Req0) => Effect.map(req.statistics, ({ dropped }) => dropped.stale)

const rep60 = { reconnectMin: "1 hour" } as const

describe("req0 over inproc", () => {
  it.scoped("[REQ-01] a question and its answer", () =>
    Effect.gen(function* () {
      const { rep, req } = yield* reqRep()
      yield* Socket.send(req, "ping")
      expect(yield* receivedText(Socket.recv(rep))).toBe("ping")
      yield* Socket.send(rep, "pong")
      expect(yield* receivedText(Socket.recv(req))).toBe("pong")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REQ-02] without a question there is no answer to wait for", () =>
    Effect.gen(function* () {
      const { req } = yield* reqRep()
      const context = yield* SocketContext.make(req)
      yield* failing(Socket.recv(req), "NNG_ESTATE")
      yield* failing(Socket.recv(req, { timeout: 0 }), "NNG_ESTATE")
      yield* failing(SocketContext.recv(context), "NNG_ESTATE")
      expect(yield* Socket.isReadable(req)).toBe(false)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REQ-03] without a peer a send that may not wait fails, and leaves no question", () =>
    Effect.gen(function* () {
      const req = yield* Req0.make()
      const message = Message.make("q")
      yield* failing(Socket.send(req, message, { timeout: 0 }), "NNG_ETIMEDOUT")
      yield* failing(Socket.send(req, message, { nonblocking: true }), "NNG_EAGAIN")
      expect([message.headerLength, Message.text(message)]).toEqual([0, "q"])
      yield* failing(Socket.recv(req), "NNG_ESTATE")
      expect(remains(req)).toEqual(nothingRemains)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REQ-04] a receive that may not wait fails, and leaves the question as it is", () =>
    Effect.gen(function* () {
      const { raw, req } = yield* reqRaw()
      yield* Socket.send(req, "q")
      yield* failing(Socket.recv(req, { timeout: 0 }), "NNG_ETIMEDOUT")
      yield* failing(Socket.recv(req, { nonblocking: true }), "NNG_EAGAIN")
      yield* reply(raw, yield* Socket.recv(raw), "a")
      expect(yield* receivedText(Socket.recv(req, { nonblocking: true }))).toBe("a")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REQ-05] the times of sending again: a minute, looked at every second; read back as they were set", () =>
    Effect.gen(function* () {
      const req = yield* Req0.make()
      expect(yield* Socket.settings(req)).toMatchObject({
        resendTime: Duration.seconds(60),
        resendTick: Duration.seconds(1)
      })
      yield* Socket.configure(req, { resendTime: 10, resendTick: 10 })
      expect(yield* Socket.settings(req)).toMatchObject({
        resendTime: Duration.millis(10),
        resendTick: Duration.millis(10)
      })
      for (const never of [0, Infinity, "0 millis"] as const) {
        yield* Socket.configure(req, { resendTime: never })
        expect((yield* Socket.settings(req)).resendTime).toEqual(Duration.infinity)
      }
      for (const wrong of [{ resendTime: -1 }, { resendTick: 0 }, { resendTick: -1 }, { resendTick: Infinity }]) {
        expect((yield* failing(Socket.configure(req, wrong), "NNG_EINVAL")).message).toContain(Object.keys(wrong)[0])
      }
    }).pipe(Effect.provide(inproc))
  )

  it.scoped(
    "[REQ-06, REQ-33] an unanswered question comes again and again, with the same id; another has another",
    () =>
      Effect.gen(function* () {
        const { raw, req } = yield* reqRaw({ req: { resendTime: 100, resendTick: 10 }, rep: { recvBuffer: 100 } })
        yield* Socket.send(req, "q")
        yield* pass(1000)
        const headers: Array<Array<number>> = []
        while (yield* Socket.isReadable(raw)) headers.push(headerOf(yield* Socket.recv(raw)))
        expect(headers.length).toBeGreaterThan(3)
        expect(new Set(headers.map(([, id]) => id)).size).toBe(1)
        yield* Socket.send(req, "another")
        yield* settle
        expect(headerOf(yield* Socket.recv(raw))[1]).not.toBe(headers[0]![1])
        expect((yield* req.statistics).sent).toBe(2)
      }).pipe(Effect.provide(inproc))
  )

  it.scoped(
    "a question is sent again at the first tick after its time, and then each time that it has passed anew",
    () =>
      Effect.gen(function* () {
        const { raw, req } = yield* reqRaw({ req: { resendTime: 300, resendTick: 100 }, rep: { recvBuffer: 100 } })
        const at: Array<number> = []
        yield* Socket.send(req, "q")
        yield* settle
        for (let time = 0; time <= 1500; time += 50) {
          while (yield* Socket.isReadable(raw)) {
            yield* Socket.recv(raw)
            at.push(time)
          }
          yield* pass(50, 50)
        }
        expect(at).toEqual([0, 300, 600, 900, 1200, 1500])
      }).pipe(Effect.provide(inproc))
  )

  it.scoped("a question that was answered is not sent again, nor one that was given up", () =>
    Effect.gen(function* () {
      const { raw, req } = yield* reqRaw({ req: { resendTime: 100, resendTick: 10 }, rep: { recvBuffer: 100 } })
      yield* Socket.send(req, "answered")
      yield* settle
      yield* reply(raw, yield* Socket.recv(raw), "a")
      yield* pass(500)
      expect(yield* receivedText(Socket.recv(req))).toBe("a")
      yield* Socket.send(req, "given up")
      const receiving = yield* begin(Socket.recv(req, { timeout: 50 }))
      yield* pass(500)
      yield* failing(Fiber.join(receiving), "NNG_ETIMEDOUT")
      expect(yield* drain(raw)).toEqual(["given up"])
      expect(remains(req)).toEqual(nothingRemains)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REQ-08] what a replier had that closes goes to the other at once, whose answer is the answer", () =>
    Effect.gen(function* () {
      const req = yield* Req0.make({ resendTime: "60 seconds" })
      const first = yield* serveAt(Rep0.make(), req, "inproc://first")
      yield* Socket.send(req, "q")
      yield* settle
      expect(yield* receivedText(Socket.recv(first))).toBe("q")
      const second = yield* serveAt(Rep0.make(), req, "inproc://second", 2)
      yield* first.close
      yield* settle
      expect(yield* receivedText(Socket.recv(second, { timeout: 0 }))).toBe("q")
      yield* Socket.send(second, "from the second")
      expect(yield* receivedText(Socket.recv(req))).toBe("from the second")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REQ-09] what a replier had that closes goes to the next that comes", () =>
    Effect.gen(function* () {
      const req = yield* Req0.make({ resendTime: "60 seconds" })
      const first = yield* serveAt(Rep0.make(), req, "inproc://first")
      yield* Socket.send(req, "q")
      yield* settle
      const pending = yield* begin(receivedText(Socket.recv(req)))
      yield* Socket.recv(first)
      yield* first.close
      yield* settle
      expect(yield* Socket.isWritable(req)).toBe(false)
      const second = yield* serveAt(Rep0.make(), req, "inproc://second")
      expect(yield* receivedText(Socket.recv(second))).toBe("q")
      yield* Socket.send(second, "from the second")
      expect(yield* Fiber.join(pending)).toBe("from the second")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REQ-10, REQ-12] never to be sent again, it is lost with its replier, which is told once", () =>
    Effect.gen(function* () {
      const req = yield* Req0.make({ resendTime: 0 })
      const first = yield* serveAt(Rep0.make(), req, "inproc://first")
      yield* Socket.send(req, "q")
      yield* settle
      yield* Socket.recv(first)
      const second = yield* serveAt(Rep0.make(), req, "inproc://second", 2)
      yield* first.close
      yield* settle
      expect(yield* Socket.isReadable(req)).toBe(true)
      yield* failing(Socket.recv(req), "NNG_ECONNRESET")
      yield* failing(Socket.recv(req), "NNG_ESTATE")
      yield* failing(Socket.recv(second, { timeout: 0 }), "NNG_ETIMEDOUT")
      // and the next question is like any other
      yield* Effect.forkScoped(Rep0.serve(second, shout))
      expect(yield* exchange(req, "next")).toBe("NEXT")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REQ-11, REQ-12] whoever waits for its answer then is told at once", () =>
    Effect.gen(function* () {
      const req = yield* Req0.make({ resendTime: Infinity })
      const context = yield* SocketContext.make(req)
      const rep = yield* serveAt(Rep0.make(), req, "inproc://first")
      yield* SocketContext.send(context, "q")
      yield* settle
      const receiving = yield* begin(SocketContext.recv(context))
      yield* Socket.recv(rep)
      yield* rep.close
      yield* settle
      yield* failing(Fiber.join(receiving), "NNG_ECONNRESET")
      yield* failing(SocketContext.recv(context), "NNG_ESTATE")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REQ-13] of two questions one after the other, both answered, the answer to the second is received", () =>
    Effect.gen(function* () {
      const { raw, req } = yield* reqRaw({ rep: { recvBuffer: 5 } })
      yield* Socket.send(req, "abc")
      yield* settle
      yield* Socket.send(req, "def")
      yield* settle
      for (const text of ["abc", "def"]) {
        const request = yield* Socket.recv(raw)
        expect(Message.text(request)).toBe(text)
        yield* reply(raw, request, `re ${text}`)
      }
      expect(yield* receivedText(Socket.recv(req))).toBe("re def")
      yield* failing(Socket.recv(req), "NNG_ESTATE")
      expect(yield* stale(req)).toBe(1)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REQ-14] a new question cancels the receive of the one before, and goes on", () =>
    Effect.gen(function* () {
      const { raw, req } = yield* reqRaw({ rep: { recvBuffer: 5 } })
      yield* Socket.send(req, "old")
      yield* settle
      const receiving = yield* begin(Socket.recv(req))
      yield* Socket.send(req, "new")
      yield* settle
      yield* failing(Fiber.join(receiving), "NNG_ECANCELED")
      yield* Socket.recv(raw)
      yield* reply(raw, yield* Socket.recv(raw), "to the new")
      expect(yield* receivedText(Socket.recv(req))).toBe("to the new")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REQ-14] so it does when the answer has come in the same moment", () =>
    Effect.gen(function* () {
      const { raw, req } = yield* reqRaw({ rep: { recvBuffer: 5 } })
      let [canceled, answered] = [0, 0]
      for (let n = 0; n < 12; n++) {
        yield* Socket.send(req, `old${n}`)
        yield* settle
        const receiving = yield* begin(Effect.either(receivedText(Socket.recv(req))))
        const old = yield* Socket.recv(raw)
        yield* Socket.send(raw, Message.copy(old))
        for (let step = 0; step < n; step++) yield* Effect.yieldNow()
        yield* Socket.send(req, `new${n}`)
        yield* settle
        const result = yield* Fiber.join(receiving)
        if (result._tag === "Right") {
          answered++
          expect(result.right).toBe(`old${n}`)
        } else {
          canceled++
          expect(result.left._tag).toBe("NNG_ECANCELED")
        }
        yield* reply(raw, yield* Socket.recv(raw), `re${n}`)
        expect(yield* receivedText(Socket.recv(req))).toBe(`re${n}`)
      }
      expect([canceled > 0, answered > 0]).toEqual([true, true])
      // every answer was received, or counted
      const { dropped, received, sent } = yield* req.statistics
      expect([received, dropped.stale, sent]).toEqual([12 + answered, canceled, 24])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REQ-15] a new question discards an answer that was not received, which is counted", () =>
    Effect.gen(function* () {
      const { raw, req } = yield* reqRaw()
      yield* Socket.send(req, "old")
      yield* settle
      yield* reply(raw, yield* Socket.recv(raw), "stored")
      expect(yield* Socket.isReadable(req)).toBe(true)
      yield* Socket.send(req, "new")
      yield* settle
      expect(yield* Socket.isReadable(req)).toBe(false)
      yield* reply(raw, yield* Socket.recv(raw), "to the new")
      expect(yield* receivedText(Socket.recv(req))).toBe("to the new")
      expect(yield* stale(req)).toBe(1)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REQ-17] its header is the id alone, with the top bit set, after the pipe that raw rep puts there", () =>
    Effect.gen(function* () {
      const { raw, req } = yield* reqRaw()
      yield* Socket.send(req, "body")
      const request = yield* Socket.recv(raw)
      const [pipe, id] = headerOf(request)
      expect([request.headerLength, pipe, id! >= 0x80000000, Message.text(request)]).toEqual([
        8,
        request.pipeId,
        true,
        "body"
      ])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REQ-18] it is writable while a replier takes questions", () =>
    Effect.gen(function* () {
      const [req, rep] = [yield* Req0.make(), yield* Rep0.make()]
      expect(yield* Socket.isWritable(req)).toBe(false)
      yield* marry(rep, req)
      expect(yield* Socket.isWritable(req)).toBe(true)
      let sent = 0
      while ((yield* Effect.either(Socket.send(req, "q", { nonblocking: true })))._tag === "Right") {
        sent++
        yield* settle
      }
      expect([sent, yield* Socket.isWritable(req)]).toEqual([2, false])
      yield* Socket.recv(rep)
      yield* settle
      expect(yield* Socket.isWritable(req)).toBe(true)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REQ-19, REQ-22] questions that wait go to the first that comes, and meanwhile it is not writable", () =>
    Effect.gen(function* () {
      const [req, rep] = [yield* Req0.make(), yield* Rep0.make()]
      const texts = ["1", "2", "3", "4", "5", "6"]
      const sends: Array<Fiber.RuntimeFiber<void, unknown>> = []
      for (const text of texts) {
        const context = yield* SocketContext.make(req)
        sends.push(yield* begin(SocketContext.send(context, text)))
      }
      expect(yield* Socket.isWritable(req)).toBe(false)
      yield* marry(rep, req)
      const received: Array<string> = []
      for (let n = 0; n < texts.length; n++) {
        const waiting = sends.filter((send) => send.unsafePoll() === null)
        if (waiting.length > 0) expect(yield* Socket.isWritable(req)).toBe(false)
        received.push(yield* receivedText(Socket.recv(rep)))
        yield* settle
      }
      expect(received).toEqual(texts)
      yield* Effect.forEach(sends, Fiber.join)
      expect(yield* Socket.isWritable(req)).toBe(true)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REQ-20, REQ-32] two repliers get one question each, and between them it is writable", () =>
    Effect.gen(function* () {
      const req = yield* Req0.make()
      const first = yield* serveAt(Rep0.make(), req, "inproc://first")
      const second = yield* serveAt(Rep0.make(), req, "inproc://second", 2)
      const contexts = [yield* SocketContext.make(req), yield* SocketContext.make(req)] as const
      yield* SocketContext.send(contexts[0], "one")
      expect(yield* Socket.isWritable(req)).toBe(true)
      yield* SocketContext.send(contexts[1], "two")
      yield* settle
      expect([
        yield* receivedText(Socket.recv(first, { timeout: 0 })),
        yield* receivedText(Socket.recv(second, { timeout: 0 }))
      ]).toEqual(["one", "two"])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REQ-21] it is readable from the answer on until that is received", () =>
    Effect.gen(function* () {
      const { rep, req } = yield* reqRep()
      yield* Socket.send(req, "q")
      expect(yield* Socket.isReadable(req)).toBe(false)
      yield* Socket.recv(rep)
      yield* Socket.send(rep, "a")
      yield* settle
      expect(yield* Socket.isReadable(req)).toBe(true)
      yield* Socket.recv(req)
      expect(yield* Socket.isReadable(req)).toBe(false)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REQ-23] closing contexts ends their questions that nobody has taken, and the line moves up", () =>
    Effect.gen(function* () {
      const [req, rep] = [yield* Req0.make(), yield* Rep0.make()]
      const waiting = yield* Effect.forEach(["1", "2", "3", "4"], (text) =>
        Effect.gen(function* () {
          const context = yield* SocketContext.make(req)
          const message = Message.make(text)
          return { context, message, sending: yield* begin(SocketContext.send(context, message)) }
        })
      )
      for (const n of [0, 2]) {
        yield* waiting[n]!.context.close
        yield* settle
        yield* failing(Fiber.join(waiting[n]!.sending), "NNG_ECLOSED")
        expect(waiting[n]!.message.headerLength).toBe(0)
      }
      yield* marry(rep, req)
      expect([yield* receivedText(Socket.recv(rep)), yield* receivedText(Socket.recv(rep))]).toEqual(["2", "4"])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REQ-24] interrupted questions that nobody has taken are with their senders again", () =>
    Effect.gen(function* () {
      const req = yield* Req0.make()
      const waiting = yield* Effect.forEach(["1", "2", "3"], (text) =>
        Effect.gen(function* () {
          const context = yield* SocketContext.make(req)
          const message = Message.make(text)
          return { context, message, sending: yield* begin(SocketContext.send(context, message)) }
        })
      )
      for (const { context, message, sending } of waiting) {
        expect(Exit.isInterrupted(yield* Fiber.interrupt(sending))).toBe(true)
        expect(message.headerLength).toBe(0)
        yield* failing(SocketContext.recv(context), "NNG_ESTATE")
      }
      expect(remains(req)).toEqual({ ...nothingRemains, contexts: 3 })
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REQ-25] a second question ends the first that nobody has taken; closing ends the second", () =>
    Effect.gen(function* () {
      const req = yield* Req0.make()
      const context = yield* SocketContext.make(req)
      const [first, second] = [Message.make("first"), Message.make("second")]
      const sendingFirst = yield* begin(SocketContext.send(context, first))
      const sendingSecond = yield* begin(SocketContext.send(context, second))
      yield* failing(Fiber.join(sendingFirst), "NNG_ECANCELED")
      yield* context.close
      yield* settle
      yield* failing(Fiber.join(sendingSecond), "NNG_ECLOSED")
      expect([first.headerLength, second.headerLength]).toEqual([0, 0])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REQ-26] a receive that times out gives up the question, and its send with it", () =>
    Effect.gen(function* () {
      const req = yield* Req0.make()
      const context = yield* SocketContext.make(req, { recvTimeout: 100 })
      const message = Message.make("q")
      const sending = yield* begin(SocketContext.send(context, message))
      const receiving = yield* begin(SocketContext.recv(context))
      yield* TestClock.adjust(100)
      yield* settle
      yield* failing(Fiber.join(receiving), "NNG_ETIMEDOUT")
      yield* failing(Fiber.join(sending), "NNG_ECANCELED")
      expect([message.headerLength, Message.text(message)]).toEqual([0, "q"])
      expect(remains(req)).toEqual({ ...nothingRemains, contexts: 1 })
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("a send that times out while its answer is waited for ends that receive too", () =>
    Effect.gen(function* () {
      const req = yield* Req0.make({ sendTimeout: 100 })
      const sending = yield* begin(Socket.send(req, "q"))
      const receiving = yield* begin(Socket.recv(req))
      yield* TestClock.adjust(100)
      yield* settle
      yield* failing(Fiber.join(sending), "NNG_ETIMEDOUT")
      yield* failing(Fiber.join(receiving), "NNG_ECANCELED")
      yield* failing(Socket.recv(req), "NNG_ESTATE")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("a receive may wait before its question has been taken, and ends with the answer", () =>
    Effect.gen(function* () {
      const [req, rep] = [yield* Req0.make(), yield* Rep0.make()]
      const sending = yield* begin(Socket.send(req, "q"))
      const receiving = yield* begin(receivedText(Socket.recv(req)))
      yield* marry(rep, req)
      yield* Fiber.join(sending)
      yield* Socket.recv(rep)
      yield* Socket.send(rep, "a")
      expect(yield* Fiber.join(receiving)).toBe("a")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REQ-27] closing the socket ends a receive of a context's", () =>
    Effect.gen(function* () {
      const { req } = yield* reqRep()
      const context = yield* SocketContext.make(req)
      yield* SocketContext.send(context, "q")
      const receiving = yield* begin(SocketContext.recv(context))
      yield* req.close
      yield* failing(Fiber.join(receiving), "NNG_ECLOSED")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REQ-28] an answer has no header", () =>
    Effect.gen(function* () {
      const { rep, req } = yield* reqRep()
      yield* Socket.send(req, "q")
      yield* Socket.recv(rep)
      yield* Socket.send(rep, "a")
      const answer = yield* Socket.recv(req)
      expect([answer.headerLength, Message.text(answer), answer.pipeId > 0]).toEqual([0, "a", true])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REQ-29] a receive that timed out, or was interrupted, has given up the question", () =>
    Effect.gen(function* () {
      const { raw, req } = yield* reqRaw()
      for (const end of [TestClock.adjust(100), Effect.void]) {
        yield* Socket.send(req, "q")
        const receiving = yield* begin(Socket.recv(req, { timeout: 100 }))
        const request = yield* Socket.recv(raw)
        yield* end
        yield* settle
        yield* Fiber.interrupt(receiving)
        yield* reply(raw, request, "late")
        yield* failing(Socket.recv(req), "NNG_ESTATE")
      }
      expect(yield* stale(req)).toBe(2)
      expect(remains(req)).toEqual(nothingRemains)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REQ-30] an answer that comes twice is received once", () =>
    Effect.gen(function* () {
      const { raw, req } = yield* reqRaw()
      yield* Socket.send(req, "q")
      const request = yield* Socket.recv(raw)
      yield* reply(raw, request, "a")
      yield* reply(raw, request, "a")
      yield* Socket.recv(req)
      yield* failing(Socket.recv(req), "NNG_ESTATE")
      expect(yield* stale(req)).toBe(1)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REQ-31] one receive at a time", () =>
    Effect.gen(function* () {
      const { raw, req } = yield* reqRaw()
      yield* Socket.send(req, "q")
      const receiving = yield* begin(receivedText(Socket.recv(req)))
      yield* failing(Socket.recv(req), "NNG_ESTATE")
      yield* reply(raw, yield* Socket.recv(raw), "a")
      expect(yield* Fiber.join(receiving)).toBe("a")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REQ-34] sent to one and again to another, the first one's answer is taken", () =>
    Effect.gen(function* () {
      const req = yield* Req0.make({ resendTime: 100, resendTick: 10 })
      const first = yield* serveAt(Rep0.make(), req, "inproc://first")
      yield* Socket.send(req, "q")
      yield* settle
      yield* Socket.recv(first)
      const second = yield* serveAt(Rep0.make(), req, "inproc://second", 2)
      // one each, in turn
      yield* pass(250)
      expect(yield* receivedText(Socket.recv(second, { timeout: 0 }))).toBe("q")
      yield* Socket.send(first, "from the first")
      yield* settle
      yield* Socket.send(second, "too late")
      yield* settle
      expect(yield* receivedText(Socket.recv(req))).toBe("from the first")
      expect(yield* stale(req)).toBe(1)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REQ-36] a send that may not wait fails, and the question before it is gone all the same", () =>
    Effect.gen(function* () {
      const { raw, req } = yield* reqRaw({ req: rep60, rep: { recvBuffer: 0 } })
      yield* Socket.send(req, "1")
      yield* settle
      yield* Socket.send(req, "2")
      yield* settle
      yield* failing(Socket.send(req, "3", { nonblocking: true }), "NNG_EAGAIN")
      yield* failing(Socket.recv(req), "NNG_ESTATE")
      yield* reply(raw, yield* Socket.recv(raw), "to 1")
      yield* reply(raw, yield* Socket.recv(raw), "to 2")
      yield* failing(Socket.recv(req), "NNG_ESTATE")
      expect(yield* stale(req)).toBe(2)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REQ-38] contexts at once, each with the answer to its own question", () =>
    Effect.gen(function* () {
      const { rep, req } = yield* reqRep()
      yield* Effect.forkScoped(Rep0.serve(rep, shout, { concurrency: 3 }))
      const answers = yield* Effect.forEach(
        Array.from({ length: 20 }, (_, n) => n),
        (n) =>
          Effect.gen(function* () {
            const context = yield* SocketContext.make(req)
            const own: Array<string> = []
            for (let round = 0; round < 10; round++) own.push(yield* contextExchange(context, `q${n}.${round}`))
            return own
          }),
        { concurrency: "unbounded" }
      )
      expect(answers).toEqual(
        Array.from({ length: 20 }, (_, n) => Array.from({ length: 10 }, (_, round) => `Q${n}.${round}`))
      )
      expect((yield* req.statistics).dropped.stale).toBe(0)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("a resend time that was changed holds from the next question, and contexts keep theirs", () =>
    Effect.gen(function* () {
      const { raw, req } = yield* reqRaw({ req: { resendTime: 100, resendTick: 10 }, rep: { recvBuffer: 100 } })
      const context = yield* SocketContext.make(req)
      yield* Socket.send(req, "before")
      yield* settle
      yield* Socket.configure(req, { resendTime: 0 })
      yield* pass(150)
      expect(yield* drain(raw)).toEqual(["before", "before"])
      yield* Socket.send(req, "after")
      yield* SocketContext.send(context, "context")
      yield* pass(150)
      expect((yield* drain(raw)).sort()).toEqual(["after", "context", "context"])
      yield* SocketContext.configure(context, { resendTime: 0 })
      yield* SocketContext.send(context, "once")
      yield* pass(300)
      expect(yield* drain(raw)).toEqual(["once"])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("a question that is sent again by reference is whole each time, whatever was done to the first", () =>
    Effect.gen(function* () {
      const { raw, req } = yield* reqRaw({ req: { resendTime: 100, resendTick: 10 }, rep: { recvBuffer: 10 } })
      const message = Message.make("question")
      yield* Socket.send(req, message)
      yield* settle
      const first = yield* Socket.recv(raw)
      Message.Body.clear(first)
      yield* pass(150)
      const again = yield* Socket.recv(raw)
      expect([Message.text(again), headerOf(again)[1]]).toEqual(["question", headerOf(first)[1]])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("a peer that is no replier is refused", () =>
    Effect.gen(function* () {
      const [one, other] = [yield* Req0.make(), yield* Req0.make({ reconnectMin: "1 hour" })]
      yield* Socket.listen(one, "inproc://req")
      yield* Socket.dial(other, "inproc://req", { nonblocking: true })
      yield* settle
      expect([(yield* one.statistics).reject, (yield* one.statistics).pipes]).toEqual([1, 0])
    }).pipe(Effect.provide(inproc))
  )
})

describe("raw req0 over inproc", () => {
  const rawPair = (options: { readonly req?: Req0.RawOptions; readonly rep?: Rep0.RawOptions } = {}) =>
    Effect.gen(function* () {
      const req = yield* Req0.makeRaw(options.req)
      const rep = yield* Rep0.makeRaw(options.rep)
      yield* marry(rep, req)
      return { req, rep }
    })

  it.scoped("[XREQ-01] it is writable with a peer", () =>
    Effect.gen(function* () {
      const [req, rep] = [yield* Req0.makeRaw(), yield* Rep0.makeRaw()]
      expect(yield* Socket.isWritable(req)).toBe(false)
      yield* marry(rep, req)
      expect(yield* Socket.isWritable(req)).toBe(true)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[XREQ-02] an id in its body goes to a cooked rep and comes back in the header", () =>
    Effect.gen(function* () {
      const req = yield* Req0.makeRaw()
      const rep = yield* Rep0.make()
      yield* marry(rep, req)
      const message = Message.make("hello")
      Message.Body.insertU32(message, 0x80000023)
      yield* Socket.send(req, message)
      const request = yield* Socket.recv(rep)
      expect(Message.text(request)).toBe("hello")
      yield* Socket.send(rep, request)
      yield* settle
      expect(yield* Socket.isReadable(req)).toBe(true)
      const answer = yield* Socket.recv(req)
      expect([headerOf(answer), Message.text(answer), yield* Socket.isReadable(req)]).toEqual([
        [0x80000023],
        "hello",
        false
      ])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[XREQ-05] closing with answers that were not read does not hang, and counts them", () =>
    Effect.gen(function* () {
      const { rep, req } = yield* rawPair({ req: { recvBuffer: 5 } })
      const message = Message.make("q")
      Message.Header.appendU32(message, 0x80000001)
      yield* Socket.send(req, message)
      const request = yield* Socket.recv(rep)
      for (let n = 0; n < 20; n++) yield* reply(rep, Message.copy(request), String(n))
      yield* req.close
      const { dropped } = yield* req.statistics
      expect([dropped.closed, dropped.disconnected]).toEqual([5, 1])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[XREQ-06] a pipe that closes under queued questions does no harm: they wait for the next", () =>
    Effect.gen(function* () {
      const { rep, req } = yield* rawPair({ req: { sendBuffer: 20 } })
      for (let n = 0; n < 20; n++) {
        const message = Message.make(String(n))
        Message.Header.appendU32(message, 0x80000000 + n)
        yield* Socket.send(req, message)
        yield* settle
      }
      const received = [yield* recvText(rep)]
      yield* settle
      const [pipe] = yield* Socket.pipes(req).get
      yield* pipe!.close
      yield* settle
      yield* TestClock.adjust("2 seconds")
      yield* settle
      received.push(...(yield* drain(rep)))
      const lost = (yield* req.statistics).dropped.disconnected + (yield* rep.statistics).dropped.disconnected
      expect(received.length + lost).toBe(20)
      expect(received.map(Number)).toEqual(received.map(Number).sort((x, y) => x - y))
      expect(lost).toBeLessThan(4)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[XREQ-07] questions go round among those who read", () =>
    Effect.gen(function* () {
      const req = yield* Req0.makeRaw()
      const first = yield* serveAt(Rep0.makeRaw({ recvBuffer: 10 }), req, "inproc://first")
      const second = yield* serveAt(Rep0.makeRaw({ recvBuffer: 10 }), req, "inproc://second", 2)
      const lazy = yield* serveAt(Rep0.makeRaw({ recvBuffer: 0 }), req, "inproc://lazy", 3)
      for (let n = 0; n < 14; n++) {
        const message = Message.make(String(n))
        Message.Header.appendU32(message, 0x80000000 + n)
        yield* Socket.send(req, message)
        yield* settle
      }
      const counts = [(yield* drain(first)).length, (yield* drain(second)).length]
      expect(counts).toEqual([6, 6])
      expect(yield* drain(lazy)).toHaveLength(2)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[XREQ-08] without a peer, and without a buffer, a send waits", () =>
    Effect.gen(function* () {
      const req = yield* Req0.makeRaw()
      const sending = yield* begin(Socket.send(req, "q"))
      expect(yield* ended(sending)).toBe(false)
      yield* failing(Socket.send(req, "q", { timeout: 0 }), "NNG_ETIMEDOUT")
      yield* Socket.configure(req, { sendBuffer: 1 })
      expect(yield* ended(sending)).toBe(true)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("a buffer of eight thousand messages may be set, and no larger", () =>
    Effect.gen(function* () {
      const req = yield* Req0.makeRaw({ sendBuffer: 8192, recvBuffer: 8192 })
      expect(yield* Socket.settings(req)).toMatchObject({ sendBuffer: 8192, recvBuffer: 8192 })
      yield* failing(Socket.configure(req, { recvBuffer: 8193 }), "NNG_EINVAL")
      expect(yield* Socket.settings(yield* Req0.makeRaw())).toMatchObject({ sendBuffer: 0, recvBuffer: 1 })
    }).pipe(Effect.provide(inproc))
  )
})
