import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Sink from "effect/Sink"
import type * as Stream from "effect/Stream"
import { describe, expect, it } from "tstyche"
import type * as Errors from "../../src/Errors.js"
import type { Input, Message } from "../../src/Message.js"
import * as Pull0 from "../../src/Pull0.js"
import * as Push0 from "../../src/Push0.js"
import * as Socket from "../../src/Socket.js"
import * as SocketContext from "../../src/SocketContext.js"
import type { Transports } from "../../src/Transport.js"

declare const push: Push0.Push0
declare const rawPush: Push0.Push0Raw
declare const pull: Pull0.Pull0
declare const rawPull: Pull0.Pull0Raw

describe("a Push0", () => {
  it("sends", () => {
    expect(Socket.send(push, "x")).type.toBe<Effect.Effect<void, Socket.SendError>>()
    expect(Socket.sendAll(push, ["x"])).type.toBe<Effect.Effect<void, Socket.SendError>>()
    expect(Push0.sink(push)).type.toBe<Sink.Sink<void, Input, never, Socket.SendError>>()
    expect(Push0.sink(rawPush)).type.toBe<Sink.Sink<void, Input, never, Socket.SendError | Errors.EBUSY>>()
    expect(Socket.isWritable(push)).type.toBe<Effect.Effect<boolean>>()
    expect(Socket.drain(push)).type.toBe<Effect.Effect<number, Errors.ECLOSED>>()
  })

  it("does not receive", () => {
    expect(Socket.recv).type.not.toBeCallableWith(push)
    expect(Socket.recv).type.not.toBeCallableWith(rawPush)
    expect(Socket.recvChunk).type.not.toBeCallableWith(push)
    expect(Socket.recvChunk).type.not.toBeCallableWith(rawPush)
    expect(Socket.stream).type.not.toBeCallableWith(push)
    expect(Socket.stream).type.not.toBeCallableWith(rawPush)
    expect(Socket.isReadable).type.not.toBeCallableWith(push)
    expect(Socket.isReadable).type.not.toBeCallableWith(rawPush)
    expect(Pull0.stream).type.not.toBeCallableWith(push)
  })

  it("has a send buffer, and no receive buffer", () => {
    expect(Push0.make).type.toBeCallableWith({ sendBuffer: 1, sendTimeout: "1 second" })
    expect(Push0.make).type.not.toBeCallableWith({ recvBuffer: 1 })
    expect(Socket.configure).type.toBeCallableWith(push, { sendBuffer: 1 })
    expect(Socket.configure).type.not.toBeCallableWith(push, { recvBuffer: 1 })
    expect(Socket.configure).type.not.toBeCallableWith(push, { ttl: 1 })
  })

  it("is made with its options alone to go wrong", () => {
    expect(Push0.make()).type.toBe<Effect.Effect<Push0.Push0, Errors.EINVAL, Scope.Scope | Transports>>()
    expect(Push0.makeRaw()).type.toBe<Effect.Effect<Push0.Push0Raw, Errors.EINVAL, Scope.Scope | Transports>>()
  })
})

describe("a Pull0", () => {
  it("receives", () => {
    expect(Socket.recv(pull)).type.toBe<Effect.Effect<Message, Socket.RecvError>>()
    expect(Pull0.stream(pull)).type.toBe<Stream.Stream<Message, Errors.ETIMEDOUT>>()
    expect(Pull0.stream(rawPull, { chunkSize: 1 })).type.toBe<Stream.Stream<Message, Errors.ETIMEDOUT | Errors.EBUSY>>()
    expect(Socket.isReadable(pull)).type.toBe<Effect.Effect<boolean>>()
  })

  it("does not send", () => {
    expect(Socket.send).type.not.toBeCallableWith(pull, "x")
    expect(Socket.send).type.not.toBeCallableWith(rawPull, "x")
    expect(Socket.sendAll).type.not.toBeCallableWith(pull, ["x"])
    expect(Socket.sink).type.not.toBeCallableWith(pull)
    expect(Socket.sink).type.not.toBeCallableWith(rawPull)
    expect(Socket.isWritable).type.not.toBeCallableWith(pull)
    expect(Socket.isWritable).type.not.toBeCallableWith(rawPull)
    expect(Socket.drain).type.not.toBeCallableWith(pull)
    expect(Socket.drain).type.not.toBeCallableWith(rawPull)
    expect(Push0.sink).type.not.toBeCallableWith(pull)
  })

  it("has no buffers", () => {
    expect(Pull0.make).type.toBeCallableWith({ recvTimeout: "1 second" })
    expect(Pull0.make).type.not.toBeCallableWith({ recvBuffer: 1 })
    expect(Pull0.make).type.not.toBeCallableWith({ sendBuffer: 1 })
    expect(Socket.configure).type.not.toBeCallableWith(pull, { recvBuffer: 1 })
  })

  it("is made with its options alone to go wrong", () => {
    expect(Pull0.make()).type.toBe<Effect.Effect<Pull0.Pull0, Errors.EINVAL, Scope.Scope | Transports>>()
    expect(Pull0.makeRaw()).type.toBe<Effect.Effect<Pull0.Pull0Raw, Errors.EINVAL, Scope.Scope | Transports>>()
  })
})

describe("push and pull", () => {
  it("have no contexts", () => {
    expect(SocketContext.make).type.not.toBeCallableWith(push)
    expect(SocketContext.make).type.not.toBeCallableWith(pull)
  })

  it("cooked and raw are told apart", () => {
    expect<Push0.Push0>().type.not.toBeAssignableFrom<Push0.Push0Raw>()
    expect<Pull0.Pull0Raw>().type.not.toBeAssignableFrom<Pull0.Pull0>()
  })
})
