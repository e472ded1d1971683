import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Sink from "effect/Sink"
import type * as Stream from "effect/Stream"
import { describe, expect, it } from "tstyche"
import type * as Aio from "../../src/Aio.js"
import * as Device from "../../src/Device.js"
import * as Dialer from "../../src/Dialer.js"
import type * as Errors from "../../src/Errors.js"
import * as Listener from "../../src/Listener.js"
import type { Input, Message } from "../../src/Message.js"
import type * as Pair0 from "../../src/Pair0.js"
import type * as Pull0 from "../../src/Pull0.js"
import type * as Push0 from "../../src/Push0.js"
import type * as Rep0 from "../../src/Rep0.js"
import type * as Req0 from "../../src/Req0.js"
import * as Socket from "../../src/Socket.js"

declare const aio: Aio.Aio
declare const req: Req0.Req0
declare const pair: Pair0.Pair0
declare const rawReq: Req0.Req0Raw
declare const rawRep: Rep0.Rep0Raw
declare const rawPush: Push0.Push0Raw
declare const rawPull: Pull0.Pull0Raw
declare const bus: Socket.Raw<"bus", "bus">
declare const socket: Socket.Socket
declare const raw: Socket.Raw

describe("a device", () => {
  it("ends only with its errors", () => {
    expect(Device.run(rawReq, rawRep)).type.toBe<Effect.Effect<never, Device.DeviceError>>()
    expect(Device.run(bus)).type.toBe<Effect.Effect<never, Device.DeviceError>>()
    expect<Device.DeviceError>().type.toBe<Errors.EINVAL | Errors.EBUSY | Errors.ECLOSED>()
    expect(Device.runAio(aio, rawReq, rawRep)).type.toBe<
      Effect.Effect<Aio.Pending<never, Device.DeviceError>, Errors.EBUSY>
    >()
  })

  it("is between raw sockets that are each other's peers, in any order", () => {
    expect(Device.run).type.toBeCallableWith(rawReq, rawRep)
    expect(Device.run).type.toBeCallableWith(rawRep, rawReq)
    expect(Device.run).type.toBeCallableWith(rawPush, rawPull)
    expect(Device.run).type.toBeCallableWith(bus, bus)
    expect(Device.run).type.not.toBeCallableWith(rawRep, rawRep)
    expect(Device.run).type.not.toBeCallableWith(rawReq, rawPull)
    expect(Device.run).type.not.toBeCallableWith(req, rawRep)
    expect(Device.run).type.not.toBeCallableWith(rawRep, req)
    expect(Device.run).type.not.toBeCallableWith(socket, rawRep)
    expect(Device.runAio).type.toBeCallableWith(aio, rawReq, rawRep)
    expect(Device.runAio).type.not.toBeCallableWith(aio, rawReq, rawReq)
  })

  it("reflects within a socket that is its own peer", () => {
    expect(Device.run).type.toBeCallableWith(bus)
    expect(Device.run).type.not.toBeCallableWith(rawReq)
    expect(Device.run).type.not.toBeCallableWith(pair)
    expect(Device.runAio).type.toBeCallableWith(aio, bus)
    expect(Device.runAio).type.not.toBeCallableWith(aio, rawReq)
  })

  it("has at least one socket (DEV-03)", () => {
    expect(Device.run).type.not.toBeCallableWith()
    expect(Device.run).type.not.toBeCallableWith(undefined, undefined)
    expect(Device.runAio).type.not.toBeCallableWith(aio)
  })

  it("takes sockets whose protocols are chosen at run time, if they are raw", () => {
    expect(Device.run).type.toBeCallableWith(raw, raw)
    expect(Device.run).type.toBeCallableWith(raw)
    if (Socket.isRaw(socket)) expect(socket).type.toBe<Socket.Raw>()
  })
})

describe("a socket that a device can have", () => {
  it("can be busy", () => {
    expect(Socket.send(rawReq, "x")).type.toBe<Effect.Effect<void, Socket.SendError | Errors.EBUSY>>()
    expect(Socket.sendAll(rawReq, ["x"])).type.toBe<Effect.Effect<void, Socket.SendError | Errors.EBUSY>>()
    expect(rawReq.pipe(Socket.sendAll(["x"]))).type.toBe<Effect.Effect<void, Socket.SendError | Errors.EBUSY>>()
    expect(Socket.sink(rawPush)).type.toBe<Sink.Sink<void, Input, never, Socket.SendError | Errors.EBUSY>>()
    expect(Socket.recv(rawReq)).type.toBe<Effect.Effect<Message, Socket.RecvError | Errors.EBUSY>>()
    expect(Socket.stream(rawPull)).type.toBe<Stream.Stream<Message, Errors.ETIMEDOUT | Errors.EBUSY>>()
    expect(Socket.drain(rawReq)).type.toBe<Effect.Effect<number, Errors.ECLOSED | Errors.EBUSY>>()
    expect(Socket.configure(rawRep, { ttl: 1 })).type.toBe<
      Effect.Effect<void, Errors.EINVAL | Errors.ECLOSED | Errors.EBUSY>
    >()
    expect(rawRep.pipe(Socket.configure({ ttl: 1 }))).type.toBe<
      Effect.Effect<void, Errors.EINVAL | Errors.ECLOSED | Errors.EBUSY>
    >()
    expect(Socket.setBeforeAttach(rawReq, undefined)).type.toBe<Effect.Effect<void, Errors.ECLOSED | Errors.EBUSY>>()
    expect(rawReq.close).type.toBe<Effect.Effect<void, Errors.ECLOSED | Errors.EBUSY>>()
    expect(Dialer.make(rawReq, "x")).type.toBe<
      Effect.Effect<Dialer.Dialer, Dialer.MakeError | Errors.EBUSY, Scope.Scope>
    >()
    expect(Listener.make(rawReq, "x")).type.toBe<
      Effect.Effect<Listener.Listener, Listener.MakeError | Errors.EBUSY, Scope.Scope>
    >()
    expect(Socket.dial(rawReq, "x")).type.toBe<
      Effect.Effect<Dialer.Dialer, Dialer.MakeError | Dialer.StartError | Errors.EBUSY, Scope.Scope>
    >()
    expect(rawReq.pipe(Socket.listen("x"))).type.toBe<
      Effect.Effect<Listener.Listener, Listener.MakeError | Listener.StartError | Errors.EBUSY, Scope.Scope>
    >()
  })

  it("may be any of which that is not known", () => {
    expect<Socket.BusyError<Socket.Socket>>().type.toBe<Errors.EBUSY>()
    expect<Socket.BusyError<Req0.Req0Raw>>().type.toBe<Errors.EBUSY>()
    expect(socket.close).type.toBe<Effect.Effect<void, Errors.ECLOSED | Errors.EBUSY>>()
  })

  it("is never cooked", () => {
    expect<Socket.BusyError<Req0.Req0>>().type.toBe<never>()
    expect(req.close).type.toBe<Effect.Effect<void, Errors.ECLOSED>>()
    expect(Socket.drain(req)).type.toBe<Effect.Effect<number, Errors.ECLOSED>>()
    expect(Socket.configure(req, { resendTime: 1 })).type.toBe<Effect.Effect<void, Errors.EINVAL | Errors.ECLOSED>>()
    expect(Dialer.make(pair, "x")).type.toBe<Effect.Effect<Dialer.Dialer, Dialer.MakeError, Scope.Scope>>()
  })
})
