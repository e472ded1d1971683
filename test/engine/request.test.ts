import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/TestClock"
import * as Message from "effect-nng/Message"
import * as Protocol from "effect-nng/Protocol"
import * as Rep0 from "effect-nng/Rep0"
import * as Req0 from "effect-nng/Req0"
import * as Socket from "effect-nng/Socket"
import * as TestTransport from "effect-nng/TestTransport"
import {
  answerTo,
  exchange,
  nothingRemains,
  receivedText,
  remains,
  reply,
  reqRaw,
  reqRep,
  serveAt,
  shout
} from "../support/reqrep.js"
import { begin, drain, ended, failing, inproc, interruptedAfter, marry, settle, yields } from "../support/sockets.js"
import { headerOf, id, wire, wordsOf } from "../support/words.js"

const ask = (req: Req0.Req0, text: string, options?: Socket.OperationOptions) =>
  receivedText(Req0.request(req, text, options))

const stale = (req: Req0.Req0) => Effect.map(req.statistics, ({ dropped }) => dropped.stale)

describe("a request", () => {
  it.scoped("is answered, with the socket first or last", () =>
    Effect.gen(function* () {
      const { rep, req } = yield* reqRep()
      yield* Effect.forkScoped(Rep0.serve(rep, shout))
      expect(yield* ask(req, "q")).toBe("Q")
      expect(Message.text(yield* req.pipe(Req0.request("r", { timeout: "1 second" })))).toBe("R")
      const answer = yield* Req0.request(req, new TextEncoder().encode("bytes"))
      expect([Message.text(answer), answer.headerLength, answer.pipeId > 0]).toEqual(["BYTES", 0, true])
      expect(remains(req)).toEqual(nothingRemains)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("that timed out before anybody took it leaves its message as it was", () =>
    Effect.gen(function* () {
      const req = yield* Req0.make()
      const message = Message.make("hi")
      const asking = yield* begin(Effect.flip(Req0.request(req, message, { timeout: 20 })))
      expect(message.headerLength).toBe(4)
      yield* TestClock.adjust(20)
      expect(yield* Fiber.join(asking)).toMatchObject({ _tag: "NNG_ETIMEDOUT" })
      expect([message.headerLength, Message.text(message)]).toEqual([0, "hi"])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("one of a thousand at once has its own answer, in whatever order they come", () =>
    Effect.gen(function* () {
      const { raw, req } = yield* reqRaw({ rep: { recvBuffer: 1000 } })
      const texts = Array.from({ length: 1000 }, (_, n) => `q${n}`)
      const asking = yield* Effect.forkScoped(
        Effect.forEach(texts, (text) => ask(req, text), { concurrency: "unbounded" })
      )
      const requests: Array<Message.Message> = []
      for (let n = 0; n < 1000; n++) requests.push(yield* Socket.recv(raw))
      expect(new Set(requests.map((request) => headerOf(request)[1])).size).toBe(1000)
      let seed = 17
      for (let n = requests.length - 1; n > 0; n--) {
        seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
        const other = seed % (n + 1)
        const request = requests[n]!
        requests[n] = requests[other]!
        requests[other] = request
      }
      for (const request of requests) {
        yield* Socket.send(raw, answerTo(request, `re ${Message.text(request)}`))
        yield* yields(3)
      }
      expect(yield* Fiber.join(asking)).toEqual(texts.map((text) => `re ${text}`))
      const { dropped, received, sent } = yield* req.statistics
      expect([sent, received, dropped.stale]).toEqual([1000, 1000, 0])
      expect(remains(req)).toEqual(nothingRemains)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("times out, and its answer is then dropped and counted", () =>
    Effect.gen(function* () {
      const { raw, req } = yield* reqRaw({ req: { recvTimeout: 100 } })
      for (const [timeout, options] of [
        [100, undefined],
        [30, { timeout: 30 }],
        [500, { timeout: 500 }]
      ] as const) {
        const asking = yield* begin(ask(req, "q", options))
        const request = yield* Socket.recv(raw)
        yield* TestClock.adjust(timeout - 1)
        expect(yield* ended(asking)).toBe(false)
        yield* TestClock.adjust(1)
        yield* failing(Fiber.join(asking), "NNG_ETIMEDOUT")
        expect(remains(req)).toEqual(nothingRemains)
        yield* reply(raw, request, "late")
      }
      expect(yield* stale(req)).toBe(3)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("that may not wait asks nobody", () =>
    Effect.gen(function* () {
      const { raw, req } = yield* reqRaw()
      yield* failing(Req0.request(req, "q", { timeout: 0 }), "NNG_ETIMEDOUT")
      yield* failing(Req0.request(req, "q", { timeout: 0 }), "NNG_ETIMEDOUT")
      yield* Socket.configure(req, { recvTimeout: 0 })
      yield* failing(Req0.request(req, "q"), "NNG_ETIMEDOUT")
      yield* settle
      expect([yield* Socket.isReadable(raw), (yield* req.statistics).sent]).toEqual([false, 0])
      expect(remains(req)).toEqual(nothingRemains)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("waits for a peer, and is served when one comes, those before it first", () =>
    Effect.gen(function* () {
      const [req, raw] = [yield* Req0.make(), yield* Rep0.makeRaw({ recvBuffer: 10 })]
      const asking = yield* Effect.forEach(["1", "2", "3"], (text) => begin(ask(req, text)))
      expect([yield* Socket.isWritable(req), (yield* req.statistics).sent]).toEqual([false, 0])
      yield* marry(raw, req)
      for (const text of ["1", "2", "3"]) {
        const request = yield* Socket.recv(raw)
        expect(Message.text(request)).toBe(text)
        yield* reply(raw, request, `re ${text}`)
      }
      expect(yield* Effect.forEach(asking, Fiber.join)).toEqual(["re 1", "re 2", "re 3"])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("waits for its peer and for its answer no longer than it was told to, together", () =>
    Effect.gen(function* () {
      const [req, raw] = [yield* Req0.make({ recvTimeout: 100 }), yield* Rep0.makeRaw()]
      const never = yield* begin(ask(req, "never", { timeout: 50 }))
      const asking = yield* begin(ask(req, "q"))
      const patient = yield* begin(ask(req, "patient", { timeout: Infinity }))
      yield* TestClock.adjust(60)
      yield* failing(Fiber.join(never), "NNG_ETIMEDOUT")
      yield* marry(raw, req)
      const request = yield* Socket.recv(raw)
      expect(Message.text(request)).toBe("q")
      yield* TestClock.adjust(39)
      expect(yield* ended(asking)).toBe(false)
      yield* TestClock.adjust(1)
      yield* failing(Fiber.join(asking), "NNG_ETIMEDOUT")
      yield* TestClock.adjust("5 seconds")
      expect(yield* ended(patient)).toBe(false)
      yield* Fiber.interrupt(patient)
      expect(remains(req)).toEqual(nothingRemains)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("is not overtaken, also not in the moment in which a peer takes questions again", () =>
    Effect.gen(function* () {
      const { raw, req } = yield* reqRaw({ rep: { recvBuffer: 0 } })
      for (const text of ["0", "1"]) yield* begin(ask(req, text))
      let next = 2
      for (let steps = 0; steps < 12; steps++) {
        const waiting = yield* begin(ask(req, String(next++)))
        yield* Socket.recv(raw)
        yield* yields(steps)
        const newcomer = yield* Effect.forkScoped(ask(req, String(next++)))
        yield* settle
        const rest: Array<string> = []
        for (let n = 0; n < 3; n++) {
          rest.push(yield* receivedText(Socket.recv(raw)))
          yield* settle
        }
        expect(rest.map(Number), `${steps} steps`).toEqual(rest.map(Number).sort((x, y) => x - y))
        for (let n = 0; n < 2; n++) yield* begin(ask(req, String(next++)))
        void [waiting, newcomer]
      }
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("goes to another when its replier is gone, with the same id, and is answered there", () =>
    Effect.gen(function* () {
      const req = yield* Req0.make()
      const first = yield* serveAt(Rep0.makeRaw(), req, "inproc://first")
      const asking = yield* begin(ask(req, "q"))
      const before = yield* Socket.recv(first)
      const second = yield* serveAt(Rep0.makeRaw(), req, "inproc://second", 2)
      yield* first.close
      const after = yield* Socket.recv(second)
      expect(headerOf(after)[1]).toBe(headerOf(before)[1])
      yield* reply(second, after, "a")
      expect(yield* Fiber.join(asking)).toBe("a")
      const { dropped, sent } = yield* req.statistics
      expect([sent, dropped.stale, dropped.disconnected]).toEqual([1, 0, 0])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("never to be sent again, it is lost with its replier", () =>
    Effect.gen(function* () {
      const req = yield* Req0.make({ resendTime: Infinity })
      const rep = yield* serveAt(Rep0.make(), req, "inproc://first")
      const asking = yield* begin(ask(req, "q"))
      yield* Socket.recv(rep)
      yield* rep.close
      yield* failing(Fiber.join(asking), "NNG_ECONNRESET")
      expect(remains(req)).toEqual(nothingRemains)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("ends when the socket closes, while it waits for a peer and while it waits for its answer", () =>
    Effect.gen(function* () {
      const { raw, req } = yield* reqRaw({ rep: { recvBuffer: 0 } })
      const asking = yield* Effect.forEach(["taken", "between", "waits", "waits"], (text) => begin(ask(req, text)))
      expect((yield* req.statistics).sent).toBe(2)
      yield* req.close
      for (const one of asking) yield* failing(Fiber.join(one), "NNG_ECLOSED")
      yield* failing(Req0.request(req, "q"), "NNG_ECLOSED")
      yield* failing(Req0.request(req, "q", { timeout: 0 }), "NNG_ECLOSED")
      expect(remains(req)).toEqual(nothingRemains)
      void raw
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("ends when the socket closes in the very moment in which a peer takes it, or answers it", () =>
    Effect.gen(function* () {
      const outcomes = new Set<string>()
      for (const moment of ["peer", "answer"] as const) {
        for (let steps = 0; steps < 40; steps++) {
          yield* Effect.scoped(
            Effect.gen(function* () {
              const [req, raw] = [yield* Req0.make(), yield* Rep0.makeRaw({ recvBuffer: 4 })]
              yield* Socket.listen(raw, "inproc://moment")
              const asking = yield* Effect.fork(
                Effect.exit(Effect.all([ask(req, "1"), ask(req, "2")], { concurrency: 2 }))
              )
              if (moment === "answer") {
                yield* Socket.dial(req, "inproc://moment")
                const requests = [yield* Socket.recv(raw), yield* Socket.recv(raw)]
                for (const request of requests) yield* Socket.send(raw, answerTo(request, "a"))
              } else {
                yield* settle
                yield* Effect.forkScoped(Effect.ignore(Socket.dial(req, "inproc://moment")))
              }
              yield* yields(steps)
              yield* req.close
              yield* settle
              const ended = asking.unsafePoll()
              expect(ended, `${moment}, ${steps} steps`).not.toBeNull()
              const result = yield* Fiber.join(asking)
              outcomes.add(`${moment} ${result._tag}`)
              if (Exit.isFailure(result)) expect(JSON.stringify(result.cause)).toContain("NNG_ECLOSED")
            })
          )
        }
      }
      expect([...outcomes]).toEqual(expect.arrayContaining(["answer Success", "peer Failure"]))
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("has nothing to do with the socket's own question", () =>
    Effect.gen(function* () {
      const { raw, req } = yield* reqRaw({ rep: { recvBuffer: 10 } })
      yield* Socket.send(req, "own")
      const receiving = yield* begin(receivedText(Socket.recv(req)))
      const asking = yield* begin(ask(req, "asked"))
      const requests = [yield* Socket.recv(raw), yield* Socket.recv(raw)]
      expect(requests.map(Message.text)).toEqual(["own", "asked"])
      yield* reply(raw, requests[1]!, "to the asked")
      expect(yield* Fiber.join(asking)).toBe("to the asked")
      expect(yield* ended(receiving)).toBe(false)
      yield* Effect.all([begin(ask(req, "another")), Socket.send(req, "own again")])
      yield* failing(Fiber.join(receiving), "NNG_ECANCELED")
      expect(remains(req).open).toBe(2)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("and the socket's own questions go on side by side, hundreds of each", () =>
    Effect.gen(function* () {
      const { rep, req } = yield* reqRep()
      yield* Effect.forkScoped(Rep0.serve(rep, shout, { concurrency: 4 }))
      const own = Effect.forEach(Array.from({ length: 300 }), (_, n) => exchange(req, `own${n}`))
      const asked = Effect.forEach(Array.from({ length: 300 }), (_, n) => ask(req, `asked${n}`), { concurrency: 7 })
      const [first, second] = yield* Effect.all([own, asked], { concurrency: "unbounded" })
      expect(first).toEqual(Array.from({ length: 300 }, (_, n) => `OWN${n}`))
      expect(second).toEqual(Array.from({ length: 300 }, (_, n) => `ASKED${n}`))
      expect((yield* req.statistics).dropped.stale).toBe(0)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("an effect that asks can be run again, and asks anew each time", () =>
    Effect.gen(function* () {
      const { raw, req } = yield* reqRaw()
      const asking = yield* begin(Effect.retry(Req0.request(req, "q", { timeout: 100 }), Schedule.recurs(2)))
      const ids: Array<number> = []
      for (let n = 0; n < 3; n++) {
        const request = yield* Socket.recv(raw)
        ids.push(headerOf(request)[1]!)
        if (n === 2) yield* reply(raw, request, "a")
        else yield* TestClock.adjust(100)
        yield* settle
      }
      expect(Message.text(yield* Fiber.join(asking))).toBe("a")
      expect(new Set(ids).size).toBe(3)
    }).pipe(Effect.provide(inproc))
  )
})

describe("an interrupted request", () => {
  it.scoped("is given up at whichever step; an answer that comes then is dropped and counted", () =>
    Effect.gen(function* () {
      const { raw, req } = yield* reqRaw({ rep: { recvBuffer: 10 } })
      let asked = 0
      for (let steps = 0; steps < 100; steps++) {
        const exit = yield* interruptedAfter(Req0.request(req, String(steps)), steps, steps % 4)
        expect(Exit.isInterrupted(exit), `after ${steps} steps`).toBe(true)
        yield* settle
        while (yield* Socket.isReadable(raw)) {
          asked++
          yield* reply(raw, yield* Socket.recv(raw), "late")
        }
        expect(remains(req), `after ${steps} steps`).toEqual(nothingRemains)
      }
      expect(asked).toBeGreaterThan(10)
      const { dropped, received, sent } = yield* req.statistics
      expect([sent, dropped.stale, received]).toEqual([asked, asked, 0])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("is given up while it waits for a peer, and those behind it move up", () =>
    Effect.gen(function* () {
      const [req, raw] = [yield* Req0.make(), yield* Rep0.makeRaw({ recvBuffer: 10 })]
      for (let steps = 0; steps < 60; steps++) {
        expect(Exit.isInterrupted(yield* interruptedAfter(Req0.request(req, "given up"), steps, 2))).toBe(true)
        expect(remains(req), `after ${steps} steps`).toEqual(nothingRemains)
      }
      const asking = yield* Effect.forEach(["1", "2", "3"], (text) => begin(ask(req, text)))
      yield* Fiber.interrupt(asking[0]!)
      yield* Fiber.interrupt(asking[1]!)
      yield* marry(raw, req)
      expect(yield* drain(raw)).toEqual(["3"])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("in the tick in which it is answered, has its answer or has dropped it, counted", () =>
    Effect.gen(function* () {
      const { raw, req } = yield* reqRaw({ rep: { recvBuffer: 10 } })
      let [answered, interrupted] = [0, 0]
      for (let run = 0; run < 40; run++) {
        const asking = yield* begin(ask(req, "q"))
        const request = yield* Socket.recv(raw)
        yield* Socket.send(raw, answerTo(request, String(run)))
        yield* yields(run % 10)
        const exit = yield* Fiber.interrupt(asking)
        if (Exit.isSuccess(exit)) {
          answered++
          expect(exit.value).toBe(String(run))
        } else {
          interrupted++
        }
        yield* settle
        expect(remains(req)).toEqual(nothingRemains)
      }
      expect([answered > 0, interrupted > 0]).toEqual([true, true])
      const { dropped, received } = yield* req.statistics
      expect([received, dropped.stale]).toEqual([answered, interrupted])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("in the tick in which a peer comes, leaves the peer to the others", () =>
    Effect.gen(function* () {
      for (let steps = 0; steps < 30; steps++) {
        yield* Effect.scoped(
          Effect.gen(function* () {
            const [req, rep] = [yield* Req0.make(), yield* Rep0.make()]
            yield* Effect.forkScoped(Rep0.serve(rep, shout))
            yield* Socket.listen(rep, "inproc://moment")
            const given = yield* begin(ask(req, "given up"))
            const asking = yield* begin(ask(req, "q"))
            yield* Effect.forkScoped(Effect.ignore(Socket.dial(req, "inproc://moment")))
            yield* yields(steps)
            yield* Fiber.interrupt(given)
            expect(yield* Fiber.join(asking)).toBe("Q")
            yield* settle
            expect(remains(req), `${steps} steps`).toEqual(nothingRemains)
          })
        )
      }
    }).pipe(Effect.provide(inproc))
  )
})

describe("a request over the simulated network", () => {
  const url = "tcp://10.0.0.1:5555"

  /** A replier that is played by hand. */
  const played = (options?: Req0.MakeOptions) =>
    Effect.gen(function* () {
      const req = yield* Req0.make(options)
      const listener = yield* TestTransport.listen(url)
      yield* Socket.dial(req, url, { nonblocking: true })
      const peer = yield* listener.accept
      yield* peer.greet(Protocol.rep0)
      yield* Socket.awaitPeers(req, 1)
      return { req, peer, listener }
    })

  it.scoped("is four bytes, its id, before its body; and so is the answer", () =>
    Effect.gen(function* () {
      const { peer, req } = yield* played()
      const asking = yield* Effect.fork(ask(req, "q"))
      const { body } = yield* peer.recv
      const [first] = wordsOf(body)
      expect([body.length, first! >= 0x80000000, String.fromCharCode(body[4]!)]).toEqual([5, true, "q"])
      yield* peer.send(wire([first!], "a"))
      expect(yield* Fiber.join(asking)).toBe("a")
    }).pipe(Effect.provide(TestTransport.layer()))
  )

  it.scoped("[REQ-16] a replier that answers in fewer than four bytes is cut off, and the question asked again", () =>
    Effect.gen(function* () {
      const { listener, peer, req } = yield* played({ reconnectMin: 10 })
      const asking = yield* Effect.fork(ask(req, "q"))
      const first = yield* peer.recv
      yield* peer.send("abc")
      yield* peer.closed
      const better = yield* listener.accept
      yield* better.greet(Protocol.rep0)
      const again = yield* better.recv
      expect(again.body).toEqual(first.body)
      yield* better.send(wire(wordsOf(again.body).slice(0, 1), "a"))
      expect(yield* Fiber.join(asking)).toBe("a")
    }).pipe(Effect.provide(TestTransport.layerSimulated()))
  )

  it.scoped("does not believe another peer that guesses its id, however often (S18)", () =>
    Effect.gen(function* () {
      const { listener, peer, req } = yield* played()
      yield* Socket.dial(req, url, { nonblocking: true })
      const spy = yield* listener.accept
      yield* spy.greet(Protocol.rep0)
      yield* Socket.awaitPeers(req, 2)
      const asking = yield* Effect.fork(ask(req, "balance?"))
      const [requestId] = wordsOf((yield* peer.recv).body)
      for (const guess of [requestId!, requestId! + 1, requestId! - 1, 0x80000000])
        yield* spy.send(wire([guess >>> 0], "0"))
      yield* settle
      expect([yield* stale(req), asking.unsafePoll()]).toEqual([4, null])
      expect((yield* req.statistics).pipes).toBe(2)
      yield* peer.send(wire([requestId!], "100"))
      expect(yield* Fiber.join(asking)).toBe("100")
      // one that has it now, by being asked again, is believed
      const second = yield* Effect.fork(ask(req, "and now?"))
      const [secondId] = wordsOf((yield* spy.recv).body)
      yield* spy.reset
      const [again] = wordsOf((yield* peer.recv).body)
      expect(again).toBe(secondId)
      yield* peer.send(wire([secondId!], "99"))
      expect(yield* Fiber.join(second)).toBe("99")
    }).pipe(Effect.provide(TestTransport.layer()))
  )

  it.scoped("ids begin anywhere, by the seed, and count up", () =>
    Effect.gen(function* () {
      const { peer, req } = yield* played()
      const ids: Array<number> = []
      for (let n = 0; n < 3; n++) {
        const asking = yield* Effect.fork(ask(req, "q"))
        ids.push(wordsOf((yield* peer.recv).body)[0]!)
        yield* peer.send(wire([ids[n]!]))
        yield* Fiber.join(asking)
      }
      return ids
    }).pipe(
      (run) => Effect.forEach([1, 2, 1], (seed) => Effect.scoped(Effect.provide(run, TestTransport.layer({ seed })))),
      Effect.map(([first, second, third]) => {
        expect(first).toEqual(third)
        expect(first).not.toEqual(second)
        const [start] = first!
        expect(first).toEqual([0, 1, 2].map((n) => id((start! + n) & 0x7fffffff)))
      })
    )
  )

  it.scoped("answers to nothing do not pile up", () =>
    Effect.gen(function* () {
      const { peer, req } = yield* played()
      for (let n = 0; n < 1000; n++) yield* peer.send(wire([id(n)], "spam"))
      yield* settle
      expect([yield* stale(req), remains(req)]).toEqual([1000, nothingRemains])
    }).pipe(Effect.provide(TestTransport.layer()))
  )
})
