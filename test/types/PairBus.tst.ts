import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { describe, expect, it } from "tstyche"
import * as Bus0 from "../../src/Bus0.js"
import type * as Errors from "../../src/Errors.js"
import type { Message } from "../../src/Message.js"
import * as Pair0 from "../../src/Pair0.js"
import * as Pair1 from "../../src/Pair1.js"
import * as Socket from "../../src/Socket.js"
import * as SocketContext from "../../src/SocketContext.js"
import type { Transports } from "../../src/Transport.js"

declare const pair0: Pair0.Pair0
declare const rawPair0: Pair0.Pair0Raw
declare const pair: Pair1.Pair1
declare const raw: Pair1.Pair1Raw
declare const poly: Pair1.Pair1Poly
declare const bus: Bus0.Bus0
declare const rawBus: Bus0.Bus0Raw

describe("pair1", () => {
  it("is polyamorous or not, for good", () => {
    expect(pair.polyamorous).type.toBe<false>()
    expect(raw.polyamorous).type.toBe<false>()
    expect(poly.polyamorous).type.toBe<true>()
    expect<Pair1.Pair1>().type.not.toBeAssignableFrom<Pair1.Pair1Poly>()
    expect(Socket.configure).type.not.toBeCallableWith(pair, { polyamorous: true })
    expect(Socket.configure).type.not.toBeCallableWith(poly, { polyamorous: false })
    expect(Pair1.make).type.not.toBeCallableWith({ polyamorous: true })
  })

  it("polyamorous alone sends to one pipe of many, and does not wait for that", () => {
    expect(Pair1.sendTo(poly, 1, "x")).type.toBe<Effect.Effect<void, Errors.ECLOSED>>()
    expect(Pair1.sendTo(1, "x")(poly)).type.toBe<Effect.Effect<void, Errors.ECLOSED>>()
    expect(Pair1.sendTo).type.not.toBeCallableWith(pair, 1, "x")
    expect(Pair1.sendTo).type.not.toBeCallableWith(raw, 1, "x")
  })

  it("raw alone refuses a header, and so does not send what has none", () => {
    expect(Socket.send(pair, "x")).type.toBe<Effect.Effect<void, Socket.SendError>>()
    expect(Socket.send(poly, "x")).type.toBe<Effect.Effect<void, Socket.SendError>>()
    expect(Socket.send(raw, "x")).type.toBe<Effect.Effect<void, Socket.SendError | Pair1.RawSendError>>()
    expect(Socket.sink).type.not.toBeCallableWith(raw)
    expect(Socket.recv(raw)).type.toBe<Effect.Effect<Message, Socket.RecvError | Errors.EBUSY>>()
  })

  it("is made with its options alone to go wrong", () => {
    expect(Pair1.make()).type.toBe<Effect.Effect<Pair1.Pair1, Errors.EINVAL, Scope.Scope | Transports>>()
    expect(Pair1.makeRaw()).type.toBe<Effect.Effect<Pair1.Pair1Raw, Errors.EINVAL, Scope.Scope | Transports>>()
    expect(Pair1.makePoly()).type.toBe<Effect.Effect<Pair1.Pair1Poly, Errors.EINVAL, Scope.Scope | Transports>>()
    expect(Pair1.makePoly).type.toBeCallableWith({ sendBuffer: 1, recvBuffer: 1, ttl: 1, recvTimeout: "1 second" })
  })
})

describe("pair0 and bus", () => {
  it("cooked and raw are told apart", () => {
    expect(pair0.raw).type.toBe<false>()
    expect(rawPair0.raw).type.toBe<true>()
    expect(bus.raw).type.toBe<false>()
    expect(rawBus.raw).type.toBe<true>()
    expect(Pair0.makeRaw()).type.toBe<Effect.Effect<Pair0.Pair0Raw, Errors.EINVAL, Scope.Scope | Transports>>()
    expect(Bus0.makeRaw()).type.toBe<Effect.Effect<Bus0.Bus0Raw, Errors.EINVAL, Scope.Scope | Transports>>()
  })

  it("have buffers, and no ttl", () => {
    expect(Socket.configure).type.toBeCallableWith(bus, { sendBuffer: 1, recvBuffer: 1 })
    expect(Bus0.make).type.not.toBeCallableWith({ ttl: 1 })
    expect(Pair0.makeRaw).type.not.toBeCallableWith({ ttl: 1 })
    expect(Pair1.make).type.toBeCallableWith({ ttl: 1 })
  })

  it("have no contexts", () => {
    for (const socket of [pair, raw, poly, bus, rawBus]) expect(SocketContext.make).type.not.toBeCallableWith(socket)
  })
})
