import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as Message from "effect-nng/Message"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Rep0 from "effect-nng/Rep0"
import * as Req0 from "effect-nng/Req0"
import * as Socket from "effect-nng/Socket"
import * as SocketContext from "effect-nng/SocketContext"
import { answerTo, exchange, join, rawRep, receivedText, reply, reqRaw, reqRep, shout } from "../support/reqrep.js"
import { begin, drain, failing, inproc, marry, settle, yields } from "../support/sockets.js"
import { bytesOf, headed, headerOf, id } from "../support/words.js"

/** Puts a question by hand. */
const question = (raw: Req0.Req0Raw, n: number, text: string) =>
  Effect.zipLeft(Socket.send(raw, headed([id(n)], text)), settle)

/** A requester that has sent so many requests, and reads no answers; the replier has received them all, each in a context. */
const stalled = (count: number, options: SocketContext.Options = {}) =>
  Effect.gen(function* () {
    const { raw, rep, ...rest } = yield* rawRep({ req: { recvBuffer: 0 } })
    const contexts: Array<Rep0.Context> = []
    for (let n = 0; n < count; n++) {
      const context = yield* SocketContext.make(rep, options)
      yield* question(raw, n, String(n))
      yield* SocketContext.recv(context)
      contexts.push(context)
    }
    return { raw, rep, contexts, ...rest }
  })

describe("rep0 over inproc", () => {
  it.scoped("[REP-01] without a request there is nothing to answer", () =>
    Effect.gen(function* () {
      const { rep } = yield* reqRep()
      const context = yield* SocketContext.make(rep)
      yield* failing(Socket.send(rep, "a"), "NNG_ESTATE")
      yield* failing(Socket.send(rep, "a", { timeout: 0 }), "NNG_ESTATE")
      yield* failing(SocketContext.send(context, "a"), "NNG_ESTATE")
      expect((yield* rep.statistics).sent).toBe(0)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REP-02] it is readable while a request waits", () =>
    Effect.gen(function* () {
      const { rep, req } = yield* reqRep()
      expect(yield* Socket.isReadable(rep)).toBe(false)
      yield* Socket.send(req, "q")
      yield* settle
      expect(yield* Socket.isReadable(rep)).toBe(true)
      yield* Socket.recv(rep)
      expect(yield* Socket.isReadable(rep)).toBe(false)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("a request whose pipe is gone leaves nothing to read", () =>
    Effect.gen(function* () {
      const { rep, req } = yield* reqRep({ req: { reconnectMin: "1 hour" } })
      yield* Socket.send(req, "q")
      yield* settle
      const [pipe] = yield* Socket.pipes(rep).get
      yield* pipe!.close
      yield* settle
      expect(yield* Socket.isReadable(rep)).toBe(false)
      expect((yield* rep.statistics).dropped.disconnected).toBe(1)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REP-03] it is writable from the request on until the answer", () =>
    Effect.gen(function* () {
      const { rep, req } = yield* reqRep()
      const context = yield* SocketContext.make(rep)
      expect(yield* Socket.isWritable(rep)).toBe(false)
      yield* Socket.send(req, "q")
      yield* settle
      expect(yield* Socket.isWritable(rep)).toBe(false)
      yield* Socket.recv(rep)
      expect(yield* Socket.isWritable(rep)).toBe(true)
      yield* Socket.send(rep, "a")
      expect(yield* Socket.isWritable(rep)).toBe(false)
      yield* Socket.recv(req)
      // what contexts do does not show
      yield* Socket.send(req, "q")
      yield* SocketContext.recv(context)
      expect(yield* Socket.isWritable(rep)).toBe(false)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REP-04] one receive at a time; the first ends when the socket closes", () =>
    Effect.gen(function* () {
      const { rep } = yield* reqRep()
      const first = yield* begin(Socket.recv(rep))
      yield* failing(Socket.recv(rep), "NNG_ESTATE")
      const context = yield* SocketContext.make(rep)
      const other = yield* begin(SocketContext.recv(context))
      yield* failing(SocketContext.recv(context), "NNG_ESTATE")
      yield* rep.close
      yield* failing(Fiber.join(first), "NNG_ECLOSED")
      yield* failing(Fiber.join(other), "NNG_ECLOSED")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("an answer that may not wait, and would have to, is lost like one that waits in vain", () =>
    Effect.gen(function* () {
      const { contexts } = yield* stalled(3)
      for (const context of contexts.slice(0, 2)) yield* SocketContext.send(context, "a", { timeout: 0 })
      yield* failing(SocketContext.send(contexts[2]!, "a", { timeout: 0 }), "NNG_ETIMEDOUT")
      yield* failing(SocketContext.send(contexts[2]!, "a"), "NNG_ESTATE")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REP-20] a second receive that may not wait fails for that", () =>
    Effect.gen(function* () {
      const { rep, req } = yield* reqRep()
      const first = yield* begin(receivedText(Socket.recv(rep)))
      yield* failing(Socket.recv(rep, { timeout: 0 }), "NNG_ETIMEDOUT")
      yield* failing(Socket.recv(rep, { nonblocking: true }), "NNG_EAGAIN")
      yield* Socket.send(req, "q")
      expect(yield* Fiber.join(first)).toBe("q")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("a receive that was interrupted, or timed out, leaves room for the next", () =>
    Effect.gen(function* () {
      const { rep, req } = yield* reqRep()
      yield* Fiber.interrupt(yield* begin(Socket.recv(rep)))
      const late = yield* begin(Socket.recv(rep, { timeout: 10 }))
      yield* TestClock.adjust(10)
      yield* failing(Fiber.join(late), "NNG_ETIMEDOUT")
      const next = yield* begin(receivedText(Socket.recv(rep)))
      yield* Socket.send(req, "q")
      expect(yield* Fiber.join(next)).toBe("q")
    }).pipe(Effect.provide(inproc))
  )

  const big = () => {
    const body = new Uint8Array(10 * 1024 * 1024)
    for (let n = 0; n < body.length; n += 997) body[n] = n % 251
    return body
  }

  for (const [name, url, layer] of [
    ["inproc", "inproc://big", inproc],
    ["tcp", "tcp://127.0.0.1:0", NodeTransport.layer]
  ] as const) {
    it.scopedLive(`[REP-05] an answer of 10 MB arrives whole over ${name}, and so does what comes after it`, () =>
      Effect.gen(function* () {
        const [rep, req] = [yield* Rep0.make(), yield* Req0.make()]
        yield* marry(rep, req, url)
        const body = big()
        for (let n = 0; n < 3; n++) {
          yield* Socket.send(req, `give me ${n}`)
          expect(yield* receivedText(Socket.recv(rep))).toBe(`give me ${n}`)
          yield* Socket.send(rep, n === 1 ? "small" : body.slice())
          const answer = yield* Socket.recv(req)
          if (n === 1) expect(Message.text(answer)).toBe("small")
          else expect(Buffer.compare(answer.body, body)).toBe(0)
        }
      }).pipe(Effect.provide(layer))
    )
  }

  it.scoped("[REP-06] an answer to somebody who is gone has been sent, and is counted as dropped", () =>
    Effect.gen(function* () {
      const { rep, req } = yield* reqRep()
      yield* Socket.send(req, "q")
      yield* Socket.recv(rep)
      yield* req.close
      yield* settle
      expect(yield* Socket.isWritable(rep)).toBe(true)
      yield* Socket.send(rep, "a")
      const { dropped, sent } = yield* rep.statistics
      expect([sent, dropped.unroutable]).toEqual([1, 1])
      yield* failing(Socket.send(rep, "a"), "NNG_ESTATE")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REP-07] a requester that never reads makes answers time out, and its pipe can be closed", () =>
    Effect.gen(function* () {
      const { raw, rep } = yield* rawRep({ req: { recvBuffer: 0 }, rep: { sendTimeout: 200 } })
      const results: Array<string> = []
      for (let n = 0; n < 8; n++) {
        yield* question(raw, n, String(n))
        yield* Socket.recv(rep)
        const sending = yield* begin(Effect.either(Socket.send(rep, `a${n}`)))
        yield* TestClock.adjust(200)
        const result = yield* Fiber.join(sending)
        results.push(result._tag === "Right" ? "sent" : result.left._tag)
      }
      expect(results).toEqual(["sent", "sent", ...Array<string>(6).fill("NNG_ETIMEDOUT")])
      const [pipe] = yield* Socket.pipes(rep).get
      yield* pipe!.close
      yield* settle
      expect((yield* rep.statistics).sent).toBe(2)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REP-08] when the pipe of a requester that never reads closes, all answers to it have been sent", () =>
    Effect.gen(function* () {
      const { contexts, rep } = yield* stalled(100)
      const sends = yield* Effect.forEach(contexts, (context) => begin(SocketContext.send(context, "a")))
      expect(sends.filter((send) => send.unsafePoll() === null).length).toBe(98)
      const [pipe] = yield* Socket.pipes(rep).get
      yield* pipe!.close
      yield* settle
      yield* Effect.forEach(sends, Fiber.join)
      const { dropped, sent } = yield* rep.statistics
      expect([sent, dropped.unroutable]).toEqual([100, 98])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REP-09] closing contexts ends the answers that wait, and no others", () =>
    Effect.gen(function* () {
      const { contexts } = yield* stalled(100)
      const sends = yield* Effect.forEach(contexts, (context) => begin(SocketContext.send(context, "a")))
      for (const context of contexts) yield* context.close
      const exits = yield* Effect.forEach(sends, Fiber.await)
      expect(exits.map(Exit.isSuccess).slice(0, 3)).toEqual([true, true, false])
      for (const send of sends.slice(2)) yield* failing(Fiber.join(send), "NNG_ECLOSED")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("closing one of the contexts whose answers wait lets the others keep their order", () =>
    Effect.gen(function* () {
      const { contexts, raw } = yield* stalled(6)
      const sends = yield* Effect.forEach(contexts, (context, n) => begin(SocketContext.send(context, `a${n}`)))
      yield* contexts[2]!.close
      yield* Fiber.interrupt(sends[4]!)
      expect(yield* drain(raw)).toEqual(["a0", "a1", "a3", "a5"])
      yield* failing(Fiber.join(sends[2]!), "NNG_ECLOSED")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("an answer does not overtake one that waits, also not in the moment in which there is room again", () =>
    Effect.gen(function* () {
      for (let steps = 0; steps < 12; steps++) {
        yield* Effect.scoped(
          Effect.gen(function* () {
            const { contexts, raw } = yield* stalled(5)
            for (let n = 0; n < 4; n++) yield* begin(SocketContext.send(contexts[n]!, `a${n}`))
            const first = yield* receivedText(Socket.recv(raw))
            yield* yields(steps)
            yield* Effect.forkScoped(SocketContext.send(contexts[4]!, "a4"))
            expect([first, ...(yield* drain(raw))], `${steps} steps`).toEqual(["a0", "a1", "a2", "a3", "a4"])
          })
        ).pipe(Effect.provide(inproc))
      }
    })
  )

  it.scoped("closing the socket ends the answers that wait", () =>
    Effect.gen(function* () {
      const { contexts, rep } = yield* stalled(5)
      const sends = yield* Effect.forEach(contexts, (context) => begin(SocketContext.send(context, "a")))
      yield* rep.close
      for (const send of sends.slice(2)) yield* failing(Fiber.join(send), "NNG_ECLOSED")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REP-10] an answer that need not wait may be sent without waiting", () =>
    Effect.gen(function* () {
      const { rep, req } = yield* reqRep()
      const context = yield* SocketContext.make(rep)
      yield* Socket.send(req, "q")
      yield* SocketContext.recv(context)
      yield* SocketContext.send(context, "a", { timeout: 0 })
      expect(yield* receivedText(Socket.recv(req))).toBe("a")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REP-11] of ten answers to one that does not read, without waiting, some are sent and some fail", () =>
    Effect.gen(function* () {
      const { contexts } = yield* stalled(10)
      const results = yield* Effect.forEach(contexts, (context) =>
        Effect.either(SocketContext.send(context, "a", { timeout: 0 }))
      )
      expect(
        results.map((result) => (result._tag === "Right" ? "sent" : (result.left as { _tag: string })._tag))
      ).toEqual([
        // with the requester, and in between
        "sent",
        "sent",
        ...Array<string>(8).fill("NNG_ETIMEDOUT")
      ])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REP-12] words without a top bit are no request", () =>
    Effect.gen(function* () {
      const { raw, rep } = yield* rawRep({ req: { reconnectMin: "1 hour" } })
      yield* Socket.send(raw, bytesOf(1, 2, 3))
      yield* settle
      yield* failing(Socket.recv(rep, { timeout: 0 }), "NNG_ETIMEDOUT")
      expect((yield* rep.statistics).pipes).toBe(0)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("what has come through too many devices is dropped and counted, and the requester stays", () =>
    Effect.gen(function* () {
      const { raw, rep } = yield* rawRep({ rep: { ttl: 3 } })
      const received: Array<string> = []
      for (const words of [3, 4, 2, 5]) {
        yield* Socket.send(raw, headed([...Array<number>(words - 1).fill(1), id(words)], String(words)))
        yield* settle
        if (yield* Socket.isReadable(rep)) received.push(yield* receivedText(Socket.recv(rep)))
      }
      expect(received).toEqual(["3", "2"])
      yield* settle
      const { dropped, pipes } = yield* rep.statistics
      expect([dropped.hops, pipes]).toEqual([2, 1])
      yield* Socket.configure(rep, { ttl: 15 })
      yield* Socket.send(raw, headed([...Array<number>(14).fill(1), id(1)], "15"))
      expect(yield* receivedText(Socket.recv(rep))).toBe("15")
      for (const ttl of [0, -1, 16, 256, 1000, 1.5]) yield* failing(Socket.configure(rep, { ttl }), "NNG_EINVAL")
      expect((yield* Socket.settings(rep)).ttl).toBe(15)
      expect((yield* Socket.settings(yield* Rep0.make())).ttl).toBe(8)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REP-13] a receive that timed out leaves the request before it to be answered", () =>
    Effect.gen(function* () {
      const { rep, req } = yield* reqRep()
      yield* Socket.send(req, "q")
      yield* Socket.recv(rep)
      const receiving = yield* begin(Socket.recv(rep, { timeout: 100 }))
      yield* TestClock.adjust(100)
      yield* failing(Fiber.join(receiving), "NNG_ETIMEDOUT")
      yield* Socket.send(rep, "a")
      expect(yield* receivedText(Socket.recv(req))).toBe("a")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REP-14] of two requests received one after the other the second is answered", () =>
    Effect.gen(function* () {
      const { rep, req } = yield* reqRep()
      const other = yield* join(Req0.make())
      for (const socket of [req, other]) {
        yield* Socket.send(socket, "q")
        yield* settle
        yield* Socket.recv(rep)
      }
      yield* Socket.send(rep, "a")
      expect(yield* receivedText(Socket.recv(other))).toBe("a")
      yield* failing(Socket.recv(req, { timeout: 0 }), "NNG_ETIMEDOUT")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REP-15] a request has one answer", () =>
    Effect.gen(function* () {
      const { rep, req } = yield* reqRep()
      yield* Socket.send(req, "q")
      yield* Socket.recv(rep)
      yield* Socket.send(rep, "a")
      yield* failing(Socket.send(rep, "b"), "NNG_ESTATE")
      expect((yield* rep.statistics).sent).toBe(1)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REP-16] an answer that timed out, or was interrupted, is lost, and its request with it", () =>
    Effect.gen(function* () {
      const { contexts } = yield* stalled(4)
      for (const context of contexts.slice(0, 2)) yield* SocketContext.send(context, "a")
      const message = Message.make("late")
      const late = yield* begin(SocketContext.send(contexts[2]!, message, { timeout: 100 }))
      yield* TestClock.adjust(100)
      yield* failing(Fiber.join(late), "NNG_ETIMEDOUT" as never)
      const interrupted = yield* begin(SocketContext.send(contexts[3]!, message))
      yield* Fiber.interrupt(interrupted)
      expect([message.headerLength, Message.text(message)]).toEqual([0, "late"])
      for (const context of contexts.slice(2)) yield* failing(SocketContext.send(context, "a"), "NNG_ESTATE" as never)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REP-17] a request has no header", () =>
    Effect.gen(function* () {
      const { rep, req } = yield* reqRep()
      yield* Socket.send(req, "q")
      const request = yield* Socket.recv(rep)
      expect([request.headerLength, Message.text(request), request.pipeId > 0]).toEqual([0, "q", true])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REP-18] requests are received in the order of their coming", () =>
    Effect.gen(function* () {
      const { rep, req } = yield* reqRep()
      const [second, third] = [yield* join(Req0.make()), yield* join(Req0.make())]
      for (const [n, socket] of [third, req, second].entries()) {
        yield* Socket.send(socket, String(n))
        yield* settle
      }
      const received: Array<string> = []
      for (let n = 0; n < 3; n++) received.push(yield* receivedText(Socket.recv(rep)))
      expect(received).toEqual(["0", "1", "2"])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[REP-19] of a requester that asks three times at once one request is held, and one is in between", () =>
    Effect.gen(function* () {
      const { raw, rep } = yield* rawRep({ req: { sendBuffer: 10 } })
      for (let n = 0; n < 5; n++) yield* question(raw, n, String(n))
      yield* Socket.recv(rep)
      yield* settle
      // one with the application, one held, one in between
      const waiting = yield* Socket.drain(raw, { timeout: 0 })
      expect(waiting).toBe(3)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("waiting receives of the socket and of its contexts are served in the order in which they began", () =>
    Effect.gen(function* () {
      const { rep, req } = yield* reqRep()
      const contexts = [yield* SocketContext.make(rep), yield* SocketContext.make(rep)] as const
      const order: Array<string> = []
      const receive = (name: string, receiving: Effect.Effect<Message.Message, unknown>) =>
        begin(Effect.map(receiving, () => order.push(name)))
      yield* receive("first", SocketContext.recv(contexts[0]))
      yield* receive("own", Socket.recv(rep))
      yield* receive("second", SocketContext.recv(contexts[1]))
      for (let n = 0; n < 3; n++) {
        yield* Socket.send(req, "q")
        yield* settle
      }
      expect(order).toEqual(["first", "own", "second"])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("while an answer waits, another request can be received and answered on the same context", () =>
    Effect.gen(function* () {
      const { contexts, raw, rep } = yield* stalled(3)
      const other = yield* join(Req0.make())
      const sends = yield* Effect.forEach(contexts, (context, n) => begin(SocketContext.send(context, `a${n}`)))
      yield* failing(SocketContext.send(contexts[2]!, "again"), "NNG_ESTATE" as never)
      const asking = yield* begin(exchange(other, "hello"))
      expect(yield* receivedText(SocketContext.recv(contexts[2]!))).toBe("hello")
      yield* SocketContext.send(contexts[2]!, "world")
      expect(yield* Fiber.join(asking)).toBe("world")
      expect(yield* drain(raw)).toEqual(["a0", "a1", "a2"])
      yield* Effect.forEach(sends, Fiber.join)
      expect((yield* rep.statistics).sent).toBe(4)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("whole conversations, one after the other", () =>
    Effect.gen(function* () {
      const { rep, req } = yield* reqRep()
      yield* Effect.forkScoped(Rep0.serve(rep, shout))
      for (let n = 0; n < 500; n++) expect(yield* exchange(req, `q${n}`)).toBe(`Q${n}`)
      const [of, by] = [yield* req.statistics, yield* rep.statistics]
      expect([of.sent, of.received, by.received, by.sent]).toEqual([500, 500, 500, 500])
      expect(Object.values({ ...of.dropped, ...by.dropped }).every((count) => count === 0)).toBe(true)
    }).pipe(Effect.provide(inproc))
  )
})

describe("raw rep0 over inproc", () => {
  it.scoped("[XREP-01] it is always writable", () =>
    Effect.gen(function* () {
      const raw = yield* Rep0.makeRaw()
      expect(yield* Socket.isWritable(raw)).toBe(true)
      const req = yield* Req0.make()
      yield* marry(raw, req)
      expect(yield* Socket.isWritable(raw)).toBe(true)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[XREP-02] a request has the pipe and its id as header; readable before, and not after", () =>
    Effect.gen(function* () {
      const { raw, req } = yield* reqRaw()
      yield* Socket.send(req, "q")
      yield* settle
      expect(yield* Socket.isReadable(raw)).toBe(true)
      const request = yield* Socket.recv(raw)
      expect([request.headerLength, headerOf(request)[0], headerOf(request)[1]! >= 0x80000000]).toEqual([
        8,
        request.pipeId,
        true
      ])
      expect(yield* Socket.isReadable(raw)).toBe(false)
      yield* reply(raw, request, "a")
      expect(yield* receivedText(Socket.recv(req))).toBe("a")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[XREP-03] an answer to a pipe that is closed has been sent", () =>
    Effect.gen(function* () {
      const { raw, req } = yield* reqRaw()
      yield* Socket.send(req, "q")
      const request = yield* Socket.recv(raw)
      yield* req.close
      yield* settle
      yield* Socket.send(raw, answerTo(request, "a"))
      expect((yield* raw.statistics).dropped.unroutable).toBe(1)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped(
    "[XREP-04] a hundred answers to one who does not read are sent, 64 wait, and closing the pipe is safe",
    () =>
      Effect.gen(function* () {
        const rep = yield* Rep0.makeRaw()
        const req = yield* Req0.makeRaw({ recvBuffer: 0, reconnectMin: "1 hour" })
        yield* marry(rep, req)
        yield* question(req, 1, "q")
        const request = yield* Socket.recv(rep)
        for (let n = 0; n < 100; n++) yield* reply(rep, request, String(n))
        expect((yield* rep.statistics).dropped.full).toBe(34)
        const [pipe] = yield* Socket.pipes(rep).get
        yield* pipe!.close
        yield* settle
        const { dropped, sent } = yield* rep.statistics
        expect([sent, dropped.full, dropped.disconnected]).toEqual([100, 34, 65])
      }).pipe(Effect.provide(inproc))
  )

  it.scoped("[XREP-05] a requester that floods feels it, and closing does not hang", () =>
    Effect.gen(function* () {
      const rep = yield* Rep0.makeRaw({ recvBuffer: 5 })
      const req = yield* Req0.makeRaw({ sendTimeout: 100 })
      yield* marry(rep, req)
      const results: Array<string> = []
      for (let n = 0; n < 12; n++) {
        const sending = yield* begin(Effect.either(Socket.send(req, headed([id(n)]))))
        yield* TestClock.adjust(100)
        const result = yield* Fiber.join(sending)
        results.push(result._tag === "Right" ? "sent" : result.left._tag)
      }
      // queued, held, in between
      expect(results).toEqual([...Array<string>(7).fill("sent"), ...Array<string>(5).fill("NNG_ETIMEDOUT")])
      yield* rep.close
      const { dropped } = yield* rep.statistics
      expect([dropped.closed, dropped.disconnected]).toEqual([5, 1])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[XREP-06] a message without a header has been sent, and goes nowhere", () =>
    Effect.gen(function* () {
      const { raw, req } = yield* reqRaw()
      yield* Socket.send(req, "q")
      yield* Socket.recv(raw)
      yield* Socket.send(raw, "no header")
      yield* settle
      yield* failing(Socket.recv(req, { timeout: 0 }), "NNG_ETIMEDOUT")
      const { dropped, sent } = yield* raw.statistics
      expect([sent, dropped.unroutable]).toEqual([1, 1])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[XREP-07] one word without its top bit is no request", () =>
    Effect.gen(function* () {
      const rep = yield* Rep0.makeRaw()
      const req = yield* Req0.makeRaw({ reconnectMin: "1 hour" })
      yield* marry(rep, req)
      yield* Socket.send(req, bytesOf(1))
      yield* settle
      yield* failing(Socket.recv(rep, { timeout: 0 }), "NNG_ETIMEDOUT")
      expect((yield* rep.statistics).pipes).toBe(0)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[XREP-08] with a ttl of 3 requests of two and three words come, and those of four do not", () =>
    Effect.gen(function* () {
      const rep = yield* Rep0.makeRaw({ ttl: 3, recvBuffer: 4 })
      const req = yield* Req0.makeRaw()
      yield* marry(rep, req)
      for (const words of [2, 4, 3, 4]) {
        yield* Socket.send(req, headed([...Array<number>(words - 1).fill(1), id(words)], "abcdef"))
        yield* settle
      }
      const messages = [yield* Socket.recv(rep), yield* Socket.recv(rep)]
      expect(messages.map(({ headerLength, length }) => [headerLength, length])).toEqual([
        [12, 6],
        [16, 6]
      ])
      yield* failing(Socket.recv(rep, { timeout: 0 }), "NNG_ETIMEDOUT")
      expect((yield* rep.statistics).dropped.hops).toBe(2)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("through two raw pairs, as a device would, an answer finds its way back", () =>
    Effect.gen(function* () {
      const [front, back] = [yield* Rep0.makeRaw(), yield* Req0.makeRaw()]
      const [rep, req] = [yield* Rep0.make(), yield* Req0.make()]
      yield* marry(front, req, "inproc://front")
      yield* marry(rep, back, "inproc://back")
      yield* Effect.forkScoped(Rep0.serve(rep, shout))
      const forward = (from: Socket.CanRecv<unknown>, to: Socket.CanSend<unknown>) =>
        Effect.forkScoped(Effect.forever(Effect.flatMap(Socket.recv(from), (message) => Socket.send(to, message))))
      yield* forward(front, back)
      yield* forward(back, front)
      for (let n = 0; n < 20; n++) expect(yield* exchange(req, `q${n}`)).toBe(`Q${n}`)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("a receive buffer that is taken away takes its requests with it", () =>
    Effect.gen(function* () {
      const rep = yield* Rep0.makeRaw({ recvBuffer: 4 })
      const req = yield* Req0.makeRaw()
      yield* marry(rep, req)
      for (let n = 0; n < 4; n++) yield* question(req, n, String(n))
      yield* Socket.configure(rep, { recvBuffer: 1 })
      expect(yield* drain(rep)).toEqual(["0"])
      expect((yield* rep.statistics).dropped.resized).toBe(3)
    }).pipe(Effect.provide(inproc))
  )
})
