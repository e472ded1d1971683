import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Sink from "effect/Sink"
import type * as Stream from "effect/Stream"
import { describe, expect, it } from "tstyche"
import type { Aio } from "../../src/Aio.js"
import type * as Errors from "../../src/Errors.js"
import type { Input, Message } from "../../src/Message.js"
import * as Pub0 from "../../src/Pub0.js"
import type * as Pull0 from "../../src/Pull0.js"
import type * as Rep0 from "../../src/Rep0.js"
import type * as Req0 from "../../src/Req0.js"
import * as Socket from "../../src/Socket.js"
import * as SocketContext from "../../src/SocketContext.js"
import * as Sub0 from "../../src/Sub0.js"
import type { Transports } from "../../src/Transport.js"

declare const aio: Aio
declare const pub: Pub0.Pub0
declare const rawPub: Pub0.Pub0Raw
declare const sub: Sub0.Sub0
declare const rawSub: Sub0.Sub0Raw
declare const context: Sub0.Context
declare const pull: Pull0.Pull0
declare const req: Req0.Req0
declare const rep: Rep0.Rep0
declare const asking: Req0.Context
declare const answering: Rep0.Context

describe("a Pub0", () => {
  it("sends", () => {
    expect(Socket.send(pub, "x")).type.toBe<Effect.Effect<void, Socket.SendError>>()
    expect(Socket.sendAll(rawPub, ["x"])).type.toBe<Effect.Effect<void, Socket.SendError | Errors.EBUSY>>()
    expect(Pub0.sink(pub)).type.toBe<Sink.Sink<void, Input, never, Socket.SendError>>()
    expect(Pub0.sink(rawPub)).type.toBe<Sink.Sink<void, Input, never, Socket.SendError | Errors.EBUSY>>()
    expect(Socket.isWritable(pub)).type.toBe<Effect.Effect<boolean>>()
  })

  it("does not receive, and has no contexts", () => {
    expect(Socket.recv).type.not.toBeCallableWith(pub)
    expect(Socket.recvChunk).type.not.toBeCallableWith(pub)
    expect(Socket.stream).type.not.toBeCallableWith(pub)
    expect(Socket.isReadable).type.not.toBeCallableWith(pub)
    expect(Socket.recv).type.not.toBeCallableWith(rawPub)
    expect(Socket.recvChunk).type.not.toBeCallableWith(rawPub)
    expect(Socket.stream).type.not.toBeCallableWith(rawPub)
    expect(Socket.isReadable).type.not.toBeCallableWith(rawPub)
    expect(SocketContext.make).type.not.toBeCallableWith(pub)
  })

  it("has a send buffer, and no other", () => {
    expect(Pub0.make).type.toBeCallableWith({ sendBuffer: 1, sendTimeout: "1 second" })
    expect(Pub0.make).type.not.toBeCallableWith({ recvBuffer: 1 })
    expect(Pub0.make).type.not.toBeCallableWith({ leastBuffer: 0 })
    expect(Socket.configure).type.toBeCallableWith(pub, { sendBuffer: 1 })
    expect(Socket.configure).type.not.toBeCallableWith(pub, { preferNew: true })
  })

  it("is made with its options alone to go wrong", () => {
    expect(Pub0.make()).type.toBe<Effect.Effect<Pub0.Pub0, Errors.EINVAL, Scope.Scope | Transports>>()
    expect(Pub0.makeRaw()).type.toBe<Effect.Effect<Pub0.Pub0Raw, Errors.EINVAL, Scope.Scope | Transports>>()
    expect<Pub0.Pub0>().type.not.toBeAssignableFrom<Pub0.Pub0Raw>()
  })
})

describe("a Sub0", () => {
  it("receives, and so do its contexts", () => {
    expect(Socket.recv(sub)).type.toBe<Effect.Effect<Message, Socket.RecvError>>()
    expect(Socket.stream(rawSub)).type.toBe<Stream.Stream<Message, Errors.ETIMEDOUT | Errors.EBUSY>>()
    expect(SocketContext.recv(context)).type.toBe<Effect.Effect<Message, Socket.RecvError>>()
    expect(SocketContext.make(sub, { recvBuffer: 1, preferNew: true })).type.toBe<
      Effect.Effect<Sub0.Context, Errors.ECLOSED | Errors.EINVAL, Scope.Scope>
    >()
  })

  it("does not send, and nor do its contexts (SUB-13)", () => {
    expect(Socket.send).type.not.toBeCallableWith(sub, "x")
    expect(Socket.sendAll).type.not.toBeCallableWith(sub, "x")
    expect(Socket.send).type.not.toBeCallableWith(rawSub, "x")
    expect(Socket.sendAll).type.not.toBeCallableWith(rawSub, "x")
    expect(Socket.isWritable).type.not.toBeCallableWith(sub)
    expect(SocketContext.send).type.not.toBeCallableWith(context, "x")
    expect(SocketContext.sendAio).type.not.toBeCallableWith(context, aio, "x")
  })

  it("has topics, by name or by bytes", () => {
    expect(Sub0.subscribe(sub, "a")).type.toBe<Effect.Effect<void, Errors.ECLOSED, Scope.Scope>>()
    expect(context.pipe(Sub0.subscribe(new Uint8Array()))).type.toBe<Effect.Effect<void, Errors.ECLOSED, Scope.Scope>>()
    expect(Sub0.addTopic(context, "a")).type.toBe<Effect.Effect<void, Errors.ECLOSED>>()
    expect(sub.pipe(Sub0.addTopic("a"))).type.toBe<Effect.Effect<void, Errors.ECLOSED>>()
    expect(Sub0.removeTopic(sub, "a")).type.toBe<Effect.Effect<void, Errors.ECLOSED | Errors.ENOENT>>()
    expect(sub.pipe(Sub0.removeTopic("a"))).type.toBe<Effect.Effect<void, Errors.ECLOSED | Errors.ENOENT>>()
    expect(Sub0.stream(sub, "a", { chunkSize: 1, recvBuffer: 1, preferNew: false })).type.toBe<
      Stream.Stream<Message, Errors.EINVAL | Errors.ETIMEDOUT>
    >()
  })

  it("is the only one that has, and not when it is raw (SUB-11, XSUB-01)", () => {
    expect(Sub0.subscribe).type.not.toBeCallableWith(req, "a")
    expect(Sub0.addTopic).type.not.toBeCallableWith(req, "a")
    expect(Sub0.removeTopic).type.not.toBeCallableWith(req, "a")
    expect(Sub0.subscribe).type.not.toBeCallableWith(asking, "a")
    expect(Sub0.addTopic).type.not.toBeCallableWith(asking, "a")
    expect(Sub0.removeTopic).type.not.toBeCallableWith(asking, "a")
    expect(Sub0.subscribe).type.not.toBeCallableWith(rep, "a")
    expect(Sub0.addTopic).type.not.toBeCallableWith(rep, "a")
    expect(Sub0.removeTopic).type.not.toBeCallableWith(rep, "a")
    expect(Sub0.subscribe).type.not.toBeCallableWith(answering, "a")
    expect(Sub0.addTopic).type.not.toBeCallableWith(answering, "a")
    expect(Sub0.removeTopic).type.not.toBeCallableWith(answering, "a")
    expect(Sub0.subscribe).type.not.toBeCallableWith(pull, "a")
    expect(Sub0.addTopic).type.not.toBeCallableWith(pull, "a")
    expect(Sub0.removeTopic).type.not.toBeCallableWith(pull, "a")
    expect(Sub0.subscribe).type.not.toBeCallableWith(pub, "a")
    expect(Sub0.addTopic).type.not.toBeCallableWith(pub, "a")
    expect(Sub0.removeTopic).type.not.toBeCallableWith(pub, "a")
    expect(Sub0.subscribe).type.not.toBeCallableWith(rawSub, "a")
    expect(Sub0.addTopic).type.not.toBeCallableWith(rawSub, "a")
    expect(Sub0.removeTopic).type.not.toBeCallableWith(rawSub, "a")
    expect(Sub0.stream).type.not.toBeCallableWith(rawSub, "a")
    expect(Sub0.stream).type.not.toBeCallableWith(context, "a")
    expect(SocketContext.make).type.not.toBeCallableWith(rawSub)
  })

  it("has a receive buffer, and what goes when it is full (SUB-06)", () => {
    expect(Sub0.make).type.toBeCallableWith({ recvBuffer: 1, preferNew: false })
    expect(Sub0.make).type.not.toBeCallableWith({ preferNew: 1 })
    expect(Sub0.make).type.not.toBeCallableWith({ sendBuffer: 1 })
    expect(Sub0.makeRaw).type.toBeCallableWith({ recvBuffer: 0 })
    expect(Sub0.makeRaw).type.not.toBeCallableWith({ preferNew: true })
    expect(Socket.configure).type.toBeCallableWith(sub, { recvBuffer: 1, preferNew: false })
    expect(Socket.configure).type.not.toBeCallableWith(rawSub, { preferNew: true })
    expect(SocketContext.configure).type.toBeCallableWith(context, { recvBuffer: 1, preferNew: false })
  })

  it("is made with its options alone to go wrong", () => {
    expect(Sub0.make()).type.toBe<Effect.Effect<Sub0.Sub0, Errors.EINVAL, Scope.Scope | Transports>>()
    expect(Sub0.makeRaw()).type.toBe<Effect.Effect<Sub0.Sub0Raw, Errors.EINVAL, Scope.Scope | Transports>>()
    expect<Sub0.Sub0>().type.not.toBeAssignableFrom<Sub0.Sub0Raw>()
  })
})
