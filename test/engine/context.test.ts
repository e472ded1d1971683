import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as Aio from "effect-nng/Aio"
import * as Message from "effect-nng/Message"
import * as Push0 from "effect-nng/Push0"
import * as Rep0 from "effect-nng/Rep0"
import * as Req0 from "effect-nng/Req0"
import * as Socket from "effect-nng/Socket"
import * as SocketContext from "effect-nng/SocketContext"
import { contextExchange, contextsOf, exchange, receivedText, reqRaw, reqRep, shout } from "../support/reqrep.js"
import { begin, ended, failing, inproc, marry, settle } from "../support/sockets.js"

describe("a context", () => {
  it.scoped("[CTX-01] has a positive id of its own", () =>
    Effect.gen(function* () {
      const { rep, req } = yield* reqRep()
      const ids = [
        (yield* SocketContext.make(req)).id,
        (yield* SocketContext.make(req)).id,
        (yield* SocketContext.make(rep)).id
      ]
      expect(ids.every((id) => id > 0)).toBe(true)
      expect(new Set(ids).size).toBe(3)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("shown, it tells what it is", () =>
    Effect.gen(function* () {
      const { req } = yield* reqRep()
      const context = yield* SocketContext.make(req)
      expect(context.toJSON()).toEqual({
        _id: "effect-nng/SocketContext",
        id: context.id,
        socketId: req.id,
        closed: false
      })
      expect([SocketContext.isSocketContext(context), SocketContext.isSocketContext(req)]).toEqual([true, false])
      yield* context.close
      expect(context.toJSON()).toMatchObject({ closed: true })
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("asks and answers on aios", () =>
    Effect.gen(function* () {
      const { rep, req } = yield* reqRep()
      const asking = yield* SocketContext.make(req)
      const answering = yield* SocketContext.make(rep)
      const aio = yield* Aio.make()
      const other = yield* Aio.make()
      yield* Effect.flatten(SocketContext.sendAio(asking, aio, "q"))
      const received = yield* Effect.flatten(SocketContext.recvAio(answering, other))
      expect(Message.text(received)).toBe("q")
      const pending = yield* asking.pipe(SocketContext.recvAio(aio))
      yield* failing(SocketContext.recvAio(asking, aio), "NNG_EBUSY")
      yield* Effect.flatten(answering.pipe(SocketContext.sendAio(other, "a")))
      expect(Message.text(yield* pending)).toBe("a")
      // one that is cancelled gives up the question, as an interrupted receive does
      yield* asking.pipe(SocketContext.send("again"))
      const given = yield* SocketContext.recvAio(asking, aio)
      yield* settle
      yield* Aio.cancel(aio)
      yield* failing(given, "NNG_ECANCELED")
      yield* failing(SocketContext.recv(asking), "NNG_ESTATE")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("shows what it can do where its type says so", () =>
    Effect.gen(function* () {
      const { rep, req } = yield* reqRep()
      const raw = yield* Req0.makeRaw()
      const push = yield* Push0.make()
      const context = yield* SocketContext.make(req)
      const has = (self: object, mark: symbol) => (self as Record<symbol, unknown>)[mark] !== undefined
      const marks = [SocketContext.CanSendTypeId, SocketContext.CanRecvTypeId, SocketContext.ConfigurableTypeId]
      expect(marks.map((mark) => has(context, mark))).toEqual([true, true, true])
      expect([req, rep, raw, push].map((socket) => has(socket, SocketContext.HasContextsTypeId))).toEqual([
        true,
        true,
        false,
        false
      ])
      expect([req, push].map((socket) => has(socket, Socket.CanSendTypeId))).toEqual([true, true])
      expect([req, push].map((socket) => has(socket, Socket.CanRecvTypeId))).toEqual([true, false])
      expect([req, push].map((socket) => has(socket, Socket.ConfigurableTypeId))).toEqual([true, true])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[CTX-02] closed, it cannot be closed again", () =>
    Effect.gen(function* () {
      const { req } = yield* reqRep()
      const context = yield* SocketContext.make(req)
      yield* context.close
      yield* failing(context.close, "NNG_ECLOSED")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("its scope closes it, and its socket lives on", () =>
    Effect.gen(function* () {
      const { rep, req } = yield* reqRep()
      const scope = yield* Scope.make()
      const context = yield* Scope.extend(SocketContext.make(req), scope)
      expect(contextsOf(req)).toBe(1)
      yield* Scope.close(scope, Exit.void)
      yield* failing(SocketContext.send(context, "q"), "NNG_ECLOSED")
      expect(contextsOf(req)).toBe(0)
      yield* Effect.forkScoped(Rep0.serve(rep, shout))
      expect(yield* exchange(req, "q")).toBe("Q")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[CTX-03, CTX-04] when it, or its socket, is closed, each of its operations fails", () =>
    Effect.gen(function* () {
      for (const close of ["context", "socket"] as const) {
        const { rep, req } = yield* Effect.map(Effect.all([Rep0.make(), Req0.make()]), ([rep, req]) => ({ rep, req }))
        for (const socket of [rep, req] as const) {
          const context = yield* SocketContext.make(socket as Req0.Req0)
          yield* close === "context" ? context.close : socket.close
          yield* failing(SocketContext.send(context, "q"), "NNG_ECLOSED")
          yield* failing(SocketContext.send(context, "q", { nonblocking: true }), "NNG_ECLOSED")
          yield* failing(SocketContext.recv(context), "NNG_ECLOSED")
          yield* failing(SocketContext.recv(context, { timeout: 0 }), "NNG_ECLOSED")
          yield* failing(SocketContext.configure(context, { recvTimeout: 1 }), "NNG_ECLOSED")
          yield* failing(SocketContext.settings(context), "NNG_ECLOSED")
          yield* failing(context.close, "NNG_ECLOSED")
          if (close === "socket") yield* failing(SocketContext.make(socket as Req0.Req0), "NNG_ECLOSED")
        }
      }
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[CTX-05, CTX-06] closing it, or its socket, ends its receive", () =>
    Effect.gen(function* () {
      for (const close of ["context", "socket"] as const) {
        const { rep, req } = yield* reqRep().pipe(Effect.provide(inproc))
        const asking = yield* SocketContext.make(req)
        yield* SocketContext.send(asking, "q")
        const answering = yield* SocketContext.make(rep)
        yield* SocketContext.recv(answering)
        const receives = [
          yield* begin(SocketContext.recv(asking)),
          yield* begin(SocketContext.recv(answering))
        ] as const
        yield* close === "context" ? asking.close : req.close
        yield* close === "context" ? answering.close : rep.close
        yield* failing(Fiber.join(receives[0]), "NNG_ECLOSED")
        yield* failing(Fiber.join(receives[1]), "NNG_ECLOSED")
      }
    })
  )

  it.scoped("[CTX-07] takes over its socket's times as they are when it is made", () =>
    Effect.gen(function* () {
      const req = yield* Req0.make({ recvTimeout: 77, sendTimeout: 78, resendTime: 79 })
      const before = yield* SocketContext.make(req)
      yield* Socket.configure(req, { recvTimeout: 1, sendTimeout: 2, resendTime: 3 })
      const after = yield* SocketContext.make(req)
      const own = yield* SocketContext.make(req, { recvTimeout: 7 })
      yield* SocketContext.configure(after, { sendTimeout: 20 })
      const [millis, show] = [Duration.millis, SocketContext.settings] as const
      expect(yield* show(before)).toEqual({ recvTimeout: millis(77), sendTimeout: millis(78), resendTime: millis(79) })
      expect(yield* show(after)).toEqual({ recvTimeout: millis(1), sendTimeout: millis(20), resendTime: millis(3) })
      expect(yield* show(own)).toEqual({ recvTimeout: millis(7), sendTimeout: millis(2), resendTime: millis(3) })
      expect(yield* Socket.settings(req)).toMatchObject({ recvTimeout: millis(1), sendTimeout: millis(2) })
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[CTX-08] has these options and no others (test/types/ReqRep.tst.ts)", () =>
    Effect.gen(function* () {
      const { rep, req } = yield* reqRep()
      const [asking, answering] = [yield* SocketContext.make(req), yield* SocketContext.make(rep)]
      expect(Object.keys(yield* SocketContext.settings(asking)).sort()).toEqual([
        "recvTimeout",
        "resendTime",
        "sendTimeout"
      ])
      expect(Object.keys(yield* SocketContext.settings(answering)).sort()).toEqual(["recvTimeout", "sendTimeout"])
      for (const wrong of [{ recvTimeout: -1 }, { sendTimeout: -1 }, { resendTime: -1 }]) {
        yield* failing(SocketContext.configure(asking, { ...wrong, recvTimeout: -1 }), "NNG_EINVAL")
        yield* failing(SocketContext.make(req, wrong), "NNG_EINVAL")
      }
      expect(contextsOf(req)).toBe(1)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("its times hold from the next operation", () =>
    Effect.gen(function* () {
      const { req } = yield* reqRaw()
      const context = yield* SocketContext.make(req, { recvTimeout: 100 })
      const receive = SocketContext.recv(context)
      for (const timeout of [100, 50]) {
        yield* SocketContext.configure(context, { recvTimeout: timeout })
        yield* SocketContext.send(context, "q")
        const receiving = yield* begin(receive)
        yield* TestClock.adjust(timeout - 1)
        expect(yield* ended(receiving)).toBe(false)
        yield* TestClock.adjust(1)
        yield* failing(Fiber.join(receiving), "NNG_ETIMEDOUT")
      }
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[CTX-10] what comes for it does not make its socket readable", () =>
    Effect.gen(function* () {
      const { raw, req } = yield* reqRaw()
      const context = yield* SocketContext.make(req)
      yield* SocketContext.send(context, "q")
      yield* settle
      yield* Socket.send(raw, yield* Socket.recv(raw))
      yield* settle
      expect(yield* Socket.isReadable(req)).toBe(false)
      expect(yield* receivedText(SocketContext.recv(context))).toBe("q")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("has nothing to do with the question of its socket, nor with that of another", () =>
    Effect.gen(function* () {
      const { rep, req } = yield* reqRep()
      yield* Effect.forkScoped(Rep0.serve(rep, shout, { concurrency: "unbounded" }))
      const [one, other] = [yield* SocketContext.make(req), yield* SocketContext.make(req)]
      yield* Socket.send(req, "socket")
      yield* SocketContext.send(one, "one")
      yield* SocketContext.send(other, "other")
      yield* settle
      yield* one.close
      expect(yield* receivedText(SocketContext.recv(other))).toBe("OTHER")
      expect(yield* receivedText(Socket.recv(req))).toBe("SOCKET")
      expect(yield* contextExchange(other, "again")).toBe("AGAIN")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("a hundred at once, on either side", () =>
    Effect.gen(function* () {
      const [rep, req] = [yield* Rep0.make(), yield* Req0.make()]
      yield* marry(rep, req)
      const answering = Effect.gen(function* () {
        const context = yield* SocketContext.make(rep)
        for (;;) {
          const request = yield* SocketContext.recv(context)
          yield* Effect.yieldNow()
          yield* SocketContext.send(context, request)
        }
      })
      yield* Effect.forkScoped(
        Effect.all(
          Array.from({ length: 100 }, () => answering),
          { concurrency: "unbounded" }
        )
      )
      const answers = yield* Effect.forEach(
        Array.from({ length: 100 }, (_, n) => `q${n}`),
        (text) => Effect.flatMap(SocketContext.make(req), (context) => contextExchange(context, text)),
        { concurrency: "unbounded" }
      )
      expect(answers).toEqual(Array.from({ length: 100 }, (_, n) => `q${n}`))
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("made while its socket is drained it sends no more", () =>
    Effect.gen(function* () {
      const { raw, req } = yield* reqRaw()
      yield* Socket.send(req, "q")
      yield* Socket.recv(raw)
      yield* raw.close
      yield* settle
      // the question waits to be sent again
      const draining = yield* begin(Socket.drain(req))
      const context = yield* SocketContext.make(req)
      yield* failing(SocketContext.send(context, "q"), "NNG_ECLOSED")
      yield* failing(Req0.request(req, "q"), "NNG_ECLOSED")
      yield* TestClock.adjust("10 seconds")
      expect(yield* Fiber.join(draining)).toBe(1)
    }).pipe(Effect.provide(inproc))
  )
})
