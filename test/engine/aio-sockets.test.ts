import { describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as Aio from "effect-nng/Aio"
import type * as Errors from "effect-nng/Errors"
import * as InprocTransport from "effect-nng/InprocTransport"
import * as Message from "effect-nng/Message"
import * as Pair0 from "effect-nng/Pair0"
import * as Socket from "effect-nng/Socket"
import * as Turn from "effect-nng/Turn"
import { counted, failure } from "../support/aios.js"
import { drain, failing, inproc, pair, settle, yields } from "../support/sockets.js"

describe("sockets with an aio", () => {
  it.scoped("[AIO-08, AIO-24] a receive for ever that is cancelled ends once, with NNG_ECANCELED", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair()
      const { aio, results } = yield* counted()
      yield* Aio.start(aio, Socket.recv(left))
      yield* settle
      yield* Aio.cancel(aio)
      yield* Aio.wait(aio)
      expect(results).toMatchObject([failure("NNG_ECANCELED")])
      yield* Socket.send(right, "still there")
      expect(yield* drain(left)).toEqual(["still there"])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[AIO-09] a receive and the send that answers it both succeed, once", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair()
      const [receiving, sending] = [yield* counted(), yield* counted()]
      const received = yield* Aio.start(receiving.aio, Socket.recv(left))
      yield* settle
      const sent = yield* Aio.start(sending.aio, Socket.send(right, "hello"))
      yield* sent
      expect(Message.text(yield* received)).toBe("hello")
      yield* Aio.wait(receiving.aio)
      yield* Aio.wait(sending.aio)
      expect([receiving.results.length, sending.results]).toEqual([1, [Exit.void]])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[AIO-10] a receive from nobody ends once, with NNG_ETIMEDOUT", () =>
    Effect.gen(function* () {
      const { left } = yield* pair()
      const { aio, results } = yield* counted({ timeout: 40 })
      yield* Aio.start(aio, Socket.recv(left))
      yield* settle
      yield* TestClock.adjust(40)
      yield* Aio.wait(aio)
      expect(results).toMatchObject([failure("NNG_ETIMEDOUT")])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[AIO-33] a receive from a closed socket ends with NNG_ECLOSED", () =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make()
      const { aio, results } = yield* counted()
      yield* Aio.start(aio, Socket.recv(socket))
      yield* settle
      yield* socket.close
      yield* Aio.wait(aio)
      yield* Aio.start(aio, Socket.recv(socket))
      yield* Aio.wait(aio)
      expect(results).toMatchObject([failure("NNG_ECLOSED"), failure("NNG_ECLOSED")])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[AIO-31] a completion that won against a cancel stands, and so no message is lost", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair({ left: { recvBuffer: 4 } })
      for (let steps = 0; steps < 40; steps++) {
        const { aio, results } = yield* counted()
        yield* Aio.start(aio, Socket.recv(left))
        if (steps % 3 === 0) yield* settle
        yield* Socket.send(right, String(steps))
        yield* yields(steps >> 2)
        yield* Aio.cancel(aio)
        yield* Aio.wait(aio)
        const rest = yield* drain(left)
        expect(results).toHaveLength(1)
        const got = Exit.isSuccess(results[0]!) ? [Message.text(results[0].value as Message.Message)] : []
        expect([...got, ...rest], `after ${steps} steps`).toEqual([String(steps)])
      }
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("a receive that timed out as the message came has taken nothing", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair({ left: { recvBuffer: 4 } })
      for (let steps = 0; steps < 12; steps++) {
        const { aio, results } = yield* counted({ timeout: 10 })
        yield* Aio.start(aio, Socket.recv(left))
        yield* settle
        const sending = Effect.zipRight(yields(steps), Socket.send(right, String(steps)))
        yield* Effect.forkScoped(Effect.zipRight(Effect.sleep(10), sending))
        yield* settle
        yield* TestClock.adjust(10)
        yield* Aio.wait(aio)
        yield* settle
        const rest = yield* drain(left)
        const got = Exit.isSuccess(results[0]!) ? [Message.text(results[0].value as Message.Message)] : []
        expect([...got, ...rest], `after ${steps} steps`).toEqual([String(steps)])
      }
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[AIO-11] a receive from nobody ends at the aio's expiry", () =>
    Effect.gen(function* () {
      const { left } = yield* pair()
      const { aio, results } = yield* counted()
      yield* Aio.setExpire(aio, (yield* Clock.currentTimeMillis) + 40)
      yield* Socket.recvAio(left, aio)
      yield* TestClock.adjust(39)
      expect(results).toEqual([])
      yield* TestClock.adjust(1)
      expect(results).toMatchObject([failure("NNG_ETIMEDOUT")])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[AIO-12] an aio without a time-out has the socket's, and its own comes first", () =>
    Effect.gen(function* () {
      const { left } = yield* pair({ left: { recvTimeout: 40, sendTimeout: 50, sendBuffer: 0 } })
      const { aio, results } = yield* counted()
      const lasts = (millis: number) =>
        Effect.gen(function* () {
          const before = results.length
          yield* TestClock.adjust(millis - 1)
          expect(results).toHaveLength(before)
          yield* TestClock.adjust(1)
          expect(results.slice(before)).toMatchObject([failure("NNG_ETIMEDOUT")])
        })
      yield* Socket.recvAio(left, aio)
      yield* lasts(40)
      yield* Aio.setTimeout(aio, 1000)
      yield* Socket.recvAio(left, aio)
      yield* lasts(1000)
      yield* left.pipe(Socket.recvAio(aio, { timeout: 2000 }))
      yield* lasts(2000)
      yield* aio.pipe(Aio.setTimeout(undefined))
      yield* Socket.recvAio(left, aio)
      yield* lasts(40)
      yield* Aio.setTimeout(aio, Duration.infinity)
      yield* Socket.recvAio(left, aio)
      yield* TestClock.adjust("1 hour")
      expect(yield* Aio.busy(aio)).toBe(true)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[AIO-13, AIO-30] without time to wait it tries, and ends with NNG_ETIMEDOUT if there is nothing", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair({ left: { recvBuffer: 4 } })
      const { aio, results } = yield* counted({ timeout: 0 })
      yield* Socket.recvAio(left, aio)
      yield* Aio.wait(aio)
      expect(results).toMatchObject([failure("NNG_ETIMEDOUT")])
      yield* Socket.send(right, "there")
      yield* settle
      expect(Message.text(yield* Effect.flatten(Socket.recvAio(left, aio)))).toBe("there")
      yield* Aio.setTimeout(aio, "1 hour")
      yield* Aio.setExpire(aio, 0)
      yield* Socket.send(right, "again")
      yield* settle
      expect(Message.text(yield* Effect.flatten(Socket.recvAio(left, aio)))).toBe("again")
      yield* Aio.setExpire(aio, 0)
      yield* failing(Effect.flatten(Socket.recvAio(left, aio)), "NNG_ETIMEDOUT")
      yield* failing(Effect.flatten(Socket.recvAio(left, aio, { nonblocking: true })), "NNG_EAGAIN")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[AIO-13] without time to wait it tries even if it is the event loop's turn", () => {
    let due = false
    const hop = Effect.tap(Turn.make().hop, () => {
      due = false
    })
    const turn = Layer.succeed(Turn.Turn, { unsafeDue: () => due, hop })
    return Effect.gen(function* () {
      const { left, right } = yield* pair({ left: { recvBuffer: 4 } })
      const aio = yield* Aio.make({ timeout: 0 })
      for (const receive of [Socket.recvAio(left, aio), Aio.start(aio, Socket.recv(left))]) {
        yield* Socket.send(right, "there")
        yield* settle
        due = true
        expect(Message.text(yield* Effect.flatten(receive))).toBe("there")
        expect(due).toBe(false)
        due = true
        yield* failing(Effect.flatten(receive), "NNG_ETIMEDOUT")
        due = false
      }
    }).pipe(Effect.provide(Layer.merge(InprocTransport.layer, turn)))
  })

  it.scoped("[AIO-25] count the bytes of the body, either way, and a receive has its message", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair({ left: { recvBuffer: 4 } })
      const aio = yield* Aio.make()
      for (const [input, length] of [
        ["hello", 5],
        ["żółw", 7],
        [new Uint8Array(3), 3],
        [Message.make("message"), 7],
        ["", 0]
      ] as const) {
        yield* Effect.flatten(Socket.sendAio(right, aio, input))
        expect([yield* Aio.count(aio), yield* Aio.message(aio)]).toEqual([length, Option.none()])
        const received = yield* Effect.flatten(Socket.recvAio(left, aio))
        expect(yield* Aio.count(aio)).toBe(length)
        expect(Option.getOrThrow(yield* Aio.message(aio))).toBe(received)
      }
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[AIO-23] a send that failed, however it did, leaves its message in the aio", () =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make()
      const { aio, results } = yield* counted()
      const message = Message.make("precious")
      const holds = (tag: Errors.Tag) =>
        Effect.gen(function* () {
          yield* Aio.wait(aio)
          expect(results.pop()).toMatchObject(failure(tag))
          expect(Option.getOrThrow(yield* Aio.message(aio))).toBe(message)
          expect([yield* Aio.count(aio), Message.text(message)]).toEqual([0, "precious"])
        })
      yield* Aio.setTimeout(aio, 10)
      yield* Socket.sendAio(socket, aio, message)
      expect(yield* Aio.message(aio)).toEqual(Option.none())
      yield* TestClock.adjust(10)
      yield* holds("NNG_ETIMEDOUT")
      yield* socket.pipe(Socket.sendAio(aio, message, { nonblocking: true }))
      yield* holds("NNG_EAGAIN")
      yield* Socket.sendAio(socket, aio, message)
      yield* settle
      yield* Aio.cancel(aio)
      yield* holds("NNG_ECANCELED")
      yield* Socket.sendAio(socket, aio, message)
      yield* settle
      yield* socket.close
      yield* holds("NNG_ECLOSED")
      yield* Socket.sendAio(socket, aio, message)
      yield* holds("NNG_ECLOSED")
      yield* Aio.stop(aio)
      yield* Socket.sendAio(socket, aio, message)
      yield* holds("NNG_ESTOPPED")
      yield* Socket.sendAio(socket, aio, "text")
      expect(Option.map(yield* Aio.message(aio), Message.text)).toEqual(Option.some("text"))
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[AIO-24] a receive that failed leaves no message, nor the one before", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair({ left: { recvBuffer: 4 } })
      const aio = yield* Aio.make({ timeout: 0 })
      yield* Socket.send(right, "one")
      yield* settle
      yield* Effect.flatten(Socket.recvAio(left, aio))
      yield* failing(Effect.flatten(Socket.recvAio(left, aio)), "NNG_ETIMEDOUT")
      expect([yield* Aio.count(aio), yield* Aio.message(aio)]).toEqual([0, Option.none()])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("a busy aio is NNG_EBUSY, and nothing is sent or taken", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair({ left: { recvBuffer: 4 } })
      const aio = yield* Aio.make()
      const pending = yield* Aio.start(aio, Effect.never)
      yield* failing(Socket.sendAio(right, aio, "never sent"), "NNG_EBUSY")
      yield* Socket.send(right, "not taken")
      yield* failing(Socket.recvAio(left, aio), "NNG_EBUSY")
      yield* Aio.cancel(aio)
      yield* failing(pending, "NNG_ECANCELED")
      expect(yield* drain(left)).toEqual(["not taken"])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("a send that was cancelled has sent nothing, and one that was sent is no more in the aio", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair({ left: { recvBuffer: 0 }, right: { sendBuffer: 0 } })
      for (let steps = 0; steps < 30; steps++) {
        const { aio, results } = yield* counted()
        yield* Socket.send(right, "before")
        yield* Socket.sendAio(right, aio, String(steps))
        if (steps % 3 === 0) yield* settle
        const drained = yield* Effect.forkScoped(Effect.zipRight(yields(steps >> 1), Socket.recv(left)))
        yield* yields(steps >> 2)
        yield* Aio.cancel(aio)
        yield* Aio.wait(aio)
        yield* settle
        const held = Option.map(yield* Aio.message(aio), Message.text)
        const got = [Message.text(yield* Fiber.join(drained)), ...(yield* drain(left))]
        expect(results).toHaveLength(1)
        expect([got, held], `after ${steps} steps`).toEqual(
          Exit.isSuccess(results[0]!)
            ? [["before", String(steps)], Option.none()]
            : [["before"], Option.some(String(steps))]
        )
      }
    }).pipe(Effect.provide(inproc))
  )
})
