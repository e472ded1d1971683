import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as Message from "effect-nng/Message"
import * as Protocol from "effect-nng/Protocol"
import * as Rep0 from "effect-nng/Rep0"
import * as Req0 from "effect-nng/Req0"
import * as Socket from "effect-nng/Socket"
import * as TestTransport from "effect-nng/TestTransport"
import { contextsOf, join, rawRep, receivedText, reqRep, shout } from "../support/reqrep.js"
import { begin, drain, ended, failing, inproc, interruptedAfter, settle } from "../support/sockets.js"
import { headed, id, wire } from "../support/words.js"

class Sorry extends Data.TaggedError("Sorry")<{ readonly because: string }> {}

const ask = (req: Req0.Req0, text: string) => receivedText(Req0.request(req, text))

/** Handlers that run until they are told to go on, and how many run at once. */
class Gate {
  running = 0
  most = 0
  readonly begun: Array<string> = []
  readonly ended: Array<string> = []
  readonly interrupted: Array<string> = []
  private readonly doors = new Map<string, Deferred.Deferred<void>>()

  readonly handler = (request: Message.Message): Effect.Effect<string> => {
    const text = Message.text(request)
    return Effect.suspend(() => {
      this.begun.push(text)
      this.most = Math.max(this.most, ++this.running)
      return Effect.zipRight(Deferred.await(this.door(text)), Effect.succeed(text.toUpperCase()))
    }).pipe(
      Effect.onExit((exit) =>
        Effect.sync(() => {
          this.running--
          ;(Exit.isSuccess(exit) ? this.ended : this.interrupted).push(text)
        })
      )
    )
  }

  readonly open = (text: string) => Effect.zipRight(Deferred.succeed(this.door(text), undefined), settle)

  private door(text: string) {
    const door = this.doors.get(text) ?? Deferred.unsafeMake<void>(undefined as never)
    this.doors.set(text, door)
    return door
  }
}

const concurrencies = [1, 4, "unbounded"] as const

describe("serve", () => {
  for (const concurrency of concurrencies) {
    it.scoped(`answers each request, at concurrency ${concurrency}`, () =>
      Effect.gen(function* () {
        const { rep, req } = yield* reqRep()
        const other = yield* join(Req0.make())
        yield* Effect.forkScoped(rep.pipe(Rep0.serve(shout, { concurrency })))
        const texts = Array.from({ length: 200 }, (_, n) => `q${n}`)
        const answers = yield* Effect.forEach(texts, (text, n) => ask(n % 2 === 0 ? req : other, text), {
          concurrency: 50
        })
        expect(answers).toEqual(texts.map((text) => text.toUpperCase()))
        const { dropped, received, sent } = yield* rep.statistics
        expect([received, sent, dropped]).toEqual([200, 200, expect.objectContaining({ unroutable: 0, full: 0 })])
      }).pipe(Effect.provide(inproc))
    )

    it.scoped(`waits for requests longer than the socket's own receives do, at concurrency ${concurrency}`, () =>
      Effect.gen(function* () {
        const { rep, req } = yield* reqRep({ rep: { recvTimeout: 10 } })
        const serving = yield* Effect.forkScoped(Rep0.serve(rep, shout, { concurrency }))
        yield* settle
        yield* TestClock.adjust("1 minute")
        expect(yield* ask(req, "late")).toBe("LATE")
        expect(yield* ended(serving)).toBe(false)
      }).pipe(Effect.provide(inproc))
    )

    it.scoped(`runs as many handlers as it may, at concurrency ${concurrency}`, () =>
      Effect.gen(function* () {
        const { rep, req } = yield* reqRep()
        const gate = new Gate()
        const serving = yield* Effect.forkScoped(Rep0.serve(rep, gate.handler, { concurrency }))
        const texts = Array.from({ length: 10 }, (_, n) => `q${n}`)
        const asking = yield* begin(Effect.forEach(texts, (text) => ask(req, text), { concurrency: "unbounded" }))
        expect(gate.begun).toEqual(texts.slice(0, concurrency === "unbounded" ? 10 : concurrency))
        for (const text of texts) yield* gate.open(text)
        expect(yield* Fiber.join(asking)).toEqual(texts.map((text) => text.toUpperCase()))
        expect(gate.most).toBe(concurrency === "unbounded" ? 10 : concurrency)
        yield* Fiber.interrupt(serving)
        expect(contextsOf(rep)).toBe(0)
      }).pipe(Effect.provide(inproc))
    )

    it.scoped(`ends with the error of a handler, and interrupts the others, at concurrency ${concurrency}`, () =>
      Effect.gen(function* () {
        const { rep, req } = yield* reqRep()
        const gate = new Gate()
        const serving = yield* begin(
          Rep0.serve(
            rep,
            (request) => (Message.text(request) === "bad" ? new Sorry({ because: "bad" }) : gate.handler(request)),
            { concurrency }
          )
        )
        const asking = yield* begin(
          Effect.forEach(concurrency === 1 ? ["bad"] : ["one", "two", "bad"], (text) => ask(req, text), {
            concurrency: "unbounded"
          })
        )
        const exit = yield* Fiber.await(serving)
        const error = Exit.isFailure(exit) ? Cause.failureOption(exit.cause) : undefined
        expect(error).toMatchObject({ _tag: "Some", value: { _tag: "Sorry", because: "bad" } })
        expect(gate.interrupted).toEqual(concurrency === 1 ? [] : ["one", "two"])
        expect(yield* ended(asking)).toBe(false)
        expect([contextsOf(rep), (yield* rep.statistics).sent]).toEqual([0, 0])
        // the socket lives, and can be served anew
        yield* Effect.forkScoped(Rep0.serve(rep, shout))
        expect(yield* ask(req, "again")).toBe("AGAIN")
      }).pipe(Effect.provide(inproc))
    )

    it.scoped(`dies with a handler that dies, at concurrency ${concurrency}`, () =>
      Effect.gen(function* () {
        const { rep, req } = yield* reqRep()
        for (const handler of [
          () => Effect.die("broken"),
          () => {
            throw "broken"
          }
        ]) {
          const serving = yield* begin(Rep0.serve(rep, handler, { concurrency }))
          yield* begin(ask(req, "q"))
          const exit = yield* Fiber.await(serving)
          expect(Exit.isFailure(exit) && [...Cause.defects(exit.cause)]).toEqual(["broken"])
          expect(contextsOf(rep)).toBe(0)
        }
      }).pipe(Effect.provide(inproc))
    )

    it.scoped(`is interrupted by a handler that interrupts itself, at concurrency ${concurrency}`, () =>
      Effect.gen(function* () {
        const { rep, req } = yield* reqRep()
        const serving = yield* begin(Rep0.serve(rep, () => Effect.interrupt, { concurrency }))
        yield* begin(ask(req, "q"))
        expect(yield* ended(serving)).toBe(true)
        expect(Exit.isInterrupted(yield* Fiber.await(serving))).toBe(true)
        expect(contextsOf(rep)).toBe(0)
      }).pipe(Effect.provide(inproc))
    )

    it.scoped(`ends with NNG_ECLOSED when the socket closes, handlers interrupted, at concurrency ${concurrency}`, () =>
      Effect.gen(function* () {
        const { rep, req } = yield* reqRep()
        const gate = new Gate()
        const idle = yield* begin(Rep0.serve(rep, gate.handler, { concurrency }))
        const serving = yield* begin(Rep0.serve(rep, gate.handler, { concurrency }))
        yield* begin(Effect.forEach(["a", "b"], (text) => ask(req, text), { concurrency: 2 }))
        yield* rep.close
        yield* settle
        // one whose worker is at work learns of it when it answers
        for (const text of ["a", "b"]) yield* gate.open(text)
        yield* failing(Fiber.join(idle), "NNG_ECLOSED")
        yield* failing(Fiber.join(serving), "NNG_ECLOSED")
        expect(contextsOf(rep)).toBe(0)
      }).pipe(Effect.provide(inproc))
    )

    it.scoped(`fails at once on a socket that is closed, at concurrency ${concurrency}`, () =>
      Effect.gen(function* () {
        const { rep } = yield* reqRep()
        yield* rep.close
        const serving = yield* begin(Rep0.serve(rep, shout, { concurrency }))
        expect(yield* ended(serving)).toBe(true)
        yield* failing(Fiber.join(serving), "NNG_ECLOSED")
        expect(contextsOf(rep)).toBe(0)
      }).pipe(Effect.provide(inproc))
    )

    it.scoped(`interrupted, interrupts its handlers and leaves nothing behind, at concurrency ${concurrency}`, () =>
      Effect.gen(function* () {
        const { rep, req } = yield* reqRep()
        const gate = new Gate()
        const serving = yield* begin(Rep0.serve(rep, gate.handler, { concurrency }))
        const asking = yield* begin(ask(req, "q"))
        expect(Exit.isInterrupted(yield* Fiber.interrupt(serving))).toBe(true)
        expect([gate.interrupted, contextsOf(rep), yield* ended(asking)]).toEqual([["q"], 0, false])
        yield* Effect.forkScoped(Rep0.serve(rep, shout))
        expect(yield* ask(req, "next")).toBe("NEXT")
      }).pipe(Effect.provide(inproc))
    )

    it.scoped(`at whichever step it is interrupted, leaves nothing behind, at concurrency ${concurrency}`, () =>
      Effect.gen(function* () {
        const { rep, req } = yield* reqRep({ rep: {} })
        for (let steps = 0; steps < 100; steps++) {
          const asking = yield* Effect.fork(ask(req, "q"))
          yield* interruptedAfter(Rep0.serve(rep, shout, { concurrency }), steps, steps % 7)
          yield* settle
          expect(contextsOf(rep), `after ${steps} steps`).toBe(0)
          yield* Fiber.interrupt(asking)
        }
        yield* Effect.forkScoped(Rep0.serve(rep, shout))
        expect(yield* ask(req, "next")).toBe("NEXT")
      }).pipe(Effect.provide(inproc))
    )

    it.scoped(`with interruptWhenGone, interrupts the handler of a requester that is gone, at ${concurrency}`, () =>
      Effect.gen(function* () {
        const { rep, req } = yield* reqRep()
        const other = yield* join(Req0.make())
        const gate = new Gate()
        const options = { concurrency, interruptWhenGone: true }
        const serving = yield* begin(Rep0.serve(rep, gate.handler, options))
        yield* begin(Effect.either(ask(req, "gone")))
        expect(gate.begun).toEqual(["gone"])
        yield* req.close
        yield* settle
        expect(gate.interrupted).toEqual(["gone"])
        expect(yield* ended(serving)).toBe(false)
        const asking = yield* begin(ask(other, "there"))
        yield* gate.open("there")
        expect(yield* Fiber.join(asking)).toBe("THERE")
        const { dropped, sent } = yield* rep.statistics
        expect([sent, dropped.unroutable]).toEqual([1, 0])
        yield* Fiber.interrupt(serving)
        expect(contextsOf(rep)).toBe(0)
      }).pipe(Effect.provide(inproc))
    )
  }

  it.scoped("without it, lets the handler go on, and drops what it gives", () =>
    Effect.gen(function* () {
      const { rep, req } = yield* reqRep()
      const gate = new Gate()
      yield* begin(Rep0.serve(rep, gate.handler))
      yield* begin(Effect.either(ask(req, "gone")))
      yield* req.close
      yield* settle
      expect(gate.interrupted).toEqual([])
      yield* gate.open("gone")
      const { dropped, sent } = yield* rep.statistics
      expect([gate.ended, sent, dropped.unroutable]).toEqual([["gone"], 1, 1])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("with interruptWhenGone a handler's error still ends it", () =>
    Effect.gen(function* () {
      const { rep, req } = yield* reqRep()
      const serving = yield* begin(
        Rep0.serve(rep, () => new Sorry({ because: "it is so" }), { interruptWhenGone: true })
      )
      yield* begin(ask(req, "q"))
      expect(yield* Effect.flip(Fiber.join(serving))).toMatchObject({ _tag: "Sorry" })
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("a number of handlers that is none is NNG_EINVAL", () =>
    Effect.gen(function* () {
      const { rep } = yield* reqRep()
      for (const concurrency of [0, -1, 1.5, NaN, Infinity]) {
        const error = yield* failing(Rep0.serve(rep, shout, { concurrency }), "NNG_EINVAL")
        expect(error.message).toContain(String(concurrency))
      }
      expect(contextsOf(rep)).toBe(0)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("a requester that does not read holds up no other for longer than sendTimeout", () =>
    Effect.gen(function* () {
      const { raw, rep } = yield* rawRep({ req: { recvBuffer: 0, sendBuffer: 20 }, rep: { sendTimeout: 100 } })
      const req = yield* join(Req0.make())
      yield* Effect.forkScoped(Rep0.serve(rep, shout))
      for (let n = 0; n < 4; n++) {
        yield* Socket.send(raw, headed([id(n)], String(n)))
        yield* settle
      }
      // the third answer waits, and after it the fourth
      const asking = yield* begin(ask(req, "q"))
      yield* TestClock.adjust(100)
      expect(yield* ended(asking)).toBe(false)
      yield* TestClock.adjust(100)
      yield* settle
      expect(yield* ended(asking)).toBe(true)
      expect(yield* Fiber.join(asking)).toBe("Q")
      const { dropped, received, sent } = yield* rep.statistics
      expect([received, sent, dropped.full]).toEqual([5, 3, 2])
      expect(yield* drain(raw)).toEqual(["0", "1"])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("a requester that does not read holds up nobody else where there are more handlers", () =>
    Effect.gen(function* () {
      for (const concurrency of [4, "unbounded"] as const) {
        yield* Effect.scoped(
          Effect.gen(function* () {
            const { raw, rep } = yield* rawRep({ req: { recvBuffer: 0, sendBuffer: 20 } })
            const req = yield* join(Req0.make())
            yield* Effect.forkScoped(Rep0.serve(rep, shout, { concurrency }))
            for (let n = 0; n < 4; n++) {
              yield* Socket.send(raw, headed([id(n)], String(n)))
              yield* settle
            }
            for (let n = 0; n < 10; n++) expect(yield* ask(req, `q${n}`)).toBe(`Q${n}`)
            expect(yield* drain(raw)).toEqual(["0", "1", "2", "3"])
          })
        ).pipe(Effect.provide(inproc))
      }
    })
  )

  it.scoped("the socket's own receive and several serves share its requests", () =>
    Effect.gen(function* () {
      const { rep, req } = yield* reqRep()
      const own = yield* begin(receivedText(Socket.recv(rep)))
      yield* begin(Rep0.serve(rep, () => Effect.succeed("first")))
      yield* begin(Rep0.serve(rep, () => Effect.succeed("second")))
      const asking = yield* begin(ask(req, "own"))
      expect(yield* Fiber.join(own)).toBe("own")
      expect([yield* ask(req, "q"), yield* ask(req, "q")]).toEqual(["first", "second"])
      yield* Socket.send(rep, "by hand")
      expect(yield* Fiber.join(asking)).toBe("by hand")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("a handler that fails can answer for itself instead", () =>
    Effect.gen(function* () {
      const { rep, req } = yield* reqRep()
      yield* begin(
        Rep0.serve(rep, () =>
          Effect.catchTag(Effect.fail(new Sorry({ because: "no" })), "Sorry", ({ because }) => Effect.succeed(because))
        )
      )
      expect([yield* ask(req, "q"), yield* ask(req, "q")]).toEqual(["no", "no"])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("a drained socket's handlers answer no more", () =>
    Effect.gen(function* () {
      const { rep, req } = yield* reqRep()
      const gate = new Gate()
      const serving = yield* begin(Rep0.serve(rep, gate.handler))
      yield* begin(Effect.either(ask(req, "q")))
      expect(yield* Socket.drain(rep)).toBe(0)
      yield* gate.open("q")
      yield* failing(Fiber.join(serving), "NNG_ECLOSED")
    }).pipe(Effect.provide(inproc))
  )
})

describe("a requester that asked twice and left", () => {
  const url = "tcp://10.0.0.1:5555"

  /** Its second request is there, unread, when it goes. */
  const leaving = (rep: Rep0.Rep0) =>
    Effect.gen(function* () {
      yield* Socket.listen(rep, url)
      const peer = yield* TestTransport.dial(url)
      yield* peer.greet(Protocol.req0)
      yield* Socket.awaitPeers(rep, 1)
      yield* peer.write(frame(wire([id(1)], "first")), frame(wire([id(2)], "second")))
      yield* settle
      return peer
    })

  const frame = (message: Message.Message) => {
    const bytes = new Uint8Array(8 + message.length)
    new DataView(bytes.buffer).setUint32(4, message.length)
    bytes.set(message.body, 8)
    return bytes
  }

  it.scoped("does not hold up who answers it", () =>
    Effect.gen(function* () {
      const rep = yield* Rep0.make()
      const peer = yield* leaving(rep)
      expect(yield* receivedText(Socket.recv(rep))).toBe("first")
      yield* peer.reset
      yield* settle
      const sending = yield* begin(Socket.send(rep, "a"))
      expect(yield* ended(sending)).toBe(true)
      expect(yield* receivedText(Socket.recv(rep))).toBe("second")
      yield* Socket.send(rep, "b")
      yield* settle
      const { dropped, pipes, received, sent } = yield* rep.statistics
      expect([received, sent, dropped.unroutable, pipes]).toEqual([2, 2, 2, 0])
    }).pipe(Effect.provide(TestTransport.layer()))
  )

  it.scoped("ends the wait of an answer that it did not read", () =>
    Effect.gen(function* () {
      yield* TestTransport.limitBuffer(TestTransport.everywhere, 16)
      const rep = yield* Rep0.make()
      const peer = yield* leaving(rep)
      yield* Socket.recv(rep)
      yield* Socket.send(rep, new Uint8Array(400_000))
      yield* settle
      expect(yield* receivedText(Socket.recv(rep))).toBe("second")
      yield* peer.write(frame(wire([id(3)], "third")))
      yield* settle
      const sending = yield* begin(Socket.send(rep, "waits"))
      expect(yield* ended(sending)).toBe(false)
      yield* peer.reset
      expect(yield* ended(sending)).toBe(true)
      yield* Fiber.join(sending)
      expect(yield* receivedText(Socket.recv(rep))).toBe("third")
    }).pipe(Effect.provide(TestTransport.layer()))
  )

  it.scoped("has its handler interrupted, and the next one begun and interrupted too", () =>
    Effect.gen(function* () {
      const rep = yield* Rep0.make()
      const gate = new Gate()
      yield* begin(Rep0.serve(rep, gate.handler, { interruptWhenGone: true }))
      const peer = yield* leaving(rep)
      expect(gate.begun).toEqual(["first"])
      yield* peer.reset
      yield* settle
      expect([gate.begun[1], gate.interrupted[0]]).toEqual(["second", "first"])
      yield* settle
      expect(gate.interrupted).toEqual(["first", "second"])
    }).pipe(Effect.provide(TestTransport.layer()))
  )

  it.scoped("by pipe.close, in the moment in which its request is taken, counts once", () =>
    Effect.gen(function* () {
      for (const order of ["close first", "take first"]) {
        yield* Effect.scoped(
          Effect.gen(function* () {
            const rep = yield* Rep0.make()
            yield* leaving(rep)
            const [pipe] = yield* Socket.pipes(rep).get
            const take = Effect.either(Socket.recv(rep, { nonblocking: true }))
            yield* order === "close first" ? Effect.zipRight(pipe!.close, take) : Effect.zipLeft(take, pipe!.close)
            yield* settle
            const { dropped, received } = yield* rep.statistics
            expect([received + dropped.disconnected, received]).toEqual([2, order === "close first" ? 0 : 1])
          })
        ).pipe(Effect.provide(TestTransport.layer()))
      }
    })
  )
})
