import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { describe, expect, it } from "tstyche"
import * as Aio from "../../src/Aio.js"
import type * as Errors from "../../src/Errors.js"
import type { Message } from "../../src/Message.js"
import * as Socket from "../../src/Socket.js"

interface Service {
  readonly _: unique symbol
}

declare const aio: Aio.Aio
declare const operation: Aio.Operation<number, "mine">
declare const effect: Effect.Effect<number, "mine", Service>
declare const task: Aio.Task<number | string, "mine">
declare const sender: Socket.CanSend
declare const receiver: Socket.CanRecv
declare const date: DateTime.Zoned

type Started = Effect.Effect<Aio.Pending<number, "mine">, Errors.EBUSY>

describe("the consumer's verbs", () => {
  it("cannot fail, but for these", () => {
    expect(Aio.make({ timeout: "1 second" })).type.toBe<Effect.Effect<Aio.Aio, never, Scope.Scope>>()
    expect(Aio.wait(aio)).type.toBe<Effect.Effect<void>>()
    expect(Aio.stop(aio)).type.toBe<Effect.Effect<void>>()
    expect(Aio.cancel(aio)).type.toBe<Effect.Effect<void>>()
    expect(Aio.reset(aio)).type.toBe<Effect.Effect<void, Errors.EBUSY>>()
    expect(Aio.setExpire(aio, 0)).type.toBe<Effect.Effect<void, Errors.EINVAL>>()
  })

  it("tell how the last operation ended", () => {
    expect(Aio.result(aio)).type.toBe<Effect.Effect<Option.Option<Exit.Exit<unknown, unknown>>>>()
    expect(Aio.count(aio)).type.toBe<Effect.Effect<number>>()
    expect(Aio.message(aio)).type.toBe<Effect.Effect<Option.Option<Message>>>()
    expect(Aio.busy(aio)).type.toBe<Effect.Effect<boolean>>()
  })

  it("have their aio first or last", () => {
    expect(aio.pipe(Aio.setTimeout("1 second"))).type.toBe<Effect.Effect<void>>()
    expect(aio.pipe(Aio.setTimeout(undefined))).type.toBe<Effect.Effect<void>>()
    expect(aio.pipe(Aio.setExpire(date))).type.toBe<Effect.Effect<void, Errors.EINVAL>>()
    expect(Aio.sleep(aio, "1 second")).type.toBe<Effect.Effect<Effect.Effect<void, Errors.NngError>, Errors.EBUSY>>()
    expect(aio.pipe(Aio.sleep(5))).type.toBe<Effect.Effect<Effect.Effect<void, Errors.NngError>, Errors.EBUSY>>()
    expect(Aio.setTimeout).type.not.toBeCallableWith(aio, "soon")
    expect(Aio.setExpire).type.not.toBeCallableWith(aio, undefined)
  })
})

describe("starting", () => {
  it("takes an operation or an effect, and keeps what the effect needs", () => {
    expect(Aio.start(aio, operation)).type.toBe<Started>()
    expect(aio.pipe(Aio.start(operation))).type.toBe<Started>()
    expect(Aio.start(aio, effect)).type.toBe<Effect.Effect<Aio.Pending<number, "mine">, Errors.EBUSY, Service>>()
    expect(aio.pipe(Aio.start(effect))).type.toBe<Effect.Effect<Aio.Pending<number, "mine">, Errors.EBUSY, Service>>()
    expect(Aio.start).type.not.toBeCallableWith(aio, 1)
    expect(Aio.start).type.not.toBeCallableWith(aio)
  })

  it("takes its types from the task of an operation that is written in place", () => {
    expect(
      Aio.start(aio, (task: Aio.Task<number, "mine">) => void task.finish(Effect.runSyncExit(Effect.never)))
    ).type.toBe<Started>()
    expect(Aio.begin<number, "mine">(aio)).type.toBe<Effect.Effect<Aio.Begun<number, "mine">, Errors.EBUSY>>()
  })

  it("goes from effects to operations and back", () => {
    expect(Aio.toEffect(operation)).type.toBe<Effect.Effect<number, "mine" | Errors.NngError>>()
    expect(Aio.fromEffect(effect)).type.toBe<Effect.Effect<Aio.Operation<number, "mine">, never, Service>>()
  })
})

describe("a task", () => {
  it("takes what it is for, and the codes of an abort", () => {
    expect(task.finish).type.toBeCallableWith({} as Exit.Exit<number, "mine" | Errors.ECANCELED>)
    expect(task.finish).type.not.toBeCallableWith({} as Exit.Exit<boolean>)
    expect(task.finish).type.not.toBeCallableWith({} as Exit.Exit<number, "another's">)
    expect<Aio.Task<number | string, "mine">>().type.toBeAssignableTo<Aio.Task<number, "mine">>()
    expect<Aio.Task<number, "mine">>().type.not.toBeAssignableTo<Aio.Task<number | string, "mine">>()
  })

  it("makes an operation give at most what it is for", () => {
    expect<Aio.Operation<number, never>>().type.toBeAssignableTo<Aio.Operation<number | string, "mine">>()
    expect<Aio.Operation<number | string, never>>().type.not.toBeAssignableTo<Aio.Operation<number, never>>()
  })
})

describe("sockets", () => {
  it("send and receive on an aio, socket first or last", () => {
    type Sent = Effect.Effect<Aio.Pending<void, Socket.SendError>, Errors.EBUSY>
    type Received = Effect.Effect<Aio.Pending<Message, Socket.RecvError>, Errors.EBUSY>
    expect(Socket.sendAio(sender, aio, "text")).type.toBe<Sent>()
    expect(sender.pipe(Socket.sendAio(aio, "text", { timeout: 5 }))).type.toBe<Sent>()
    expect(Socket.recvAio(receiver, aio, { nonblocking: true })).type.toBe<Received>()
    expect(receiver.pipe(Socket.recvAio(aio))).type.toBe<Received>()
    expect(Socket.sendAio).type.not.toBeCallableWith(receiver, aio, "text")
    expect(Socket.recvAio).type.not.toBeCallableWith(sender, aio)
    expect(Socket.sendAio).type.not.toBeCallableWith(sender, aio)
  })
})
