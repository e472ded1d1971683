import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { describe, expect, it } from "tstyche"
import type * as Aio from "../../src/Aio.js"
import type * as Errors from "../../src/Errors.js"
import type * as Message from "../../src/Message.js"
import type * as Pair0 from "../../src/Pair0.js"
import type * as Push0 from "../../src/Push0.js"
import * as Rep0 from "../../src/Rep0.js"
import * as Req0 from "../../src/Req0.js"
import * as Socket from "../../src/Socket.js"
import * as SocketContext from "../../src/SocketContext.js"
import type { Transports } from "../../src/Transport.js"

declare const req: Req0.Req0
declare const rep: Rep0.Rep0
declare const rawReq: Req0.Req0Raw
declare const rawRep: Rep0.Rep0Raw
declare const pair: Pair0.Pair0
declare const push: Push0.Push0
declare const aio: Aio.Aio
declare const asking: Req0.Context
declare const answering: Rep0.Context
interface Sorry {
  readonly _tag: "Sorry"
}
interface Database {
  readonly query: string
}

describe("making", () => {
  it("fails for its options alone", () => {
    expect(Req0.make()).type.toBe<Effect.Effect<Req0.Req0, Errors.EINVAL, Scope.Scope | Transports>>()
    expect(Rep0.make()).type.toBe<Effect.Effect<Rep0.Rep0, Errors.EINVAL, Scope.Scope | Transports>>()
    expect(Req0.makeRaw()).type.toBe<Effect.Effect<Req0.Req0Raw, Errors.EINVAL, Scope.Scope | Transports>>()
    expect(Rep0.makeRaw()).type.toBe<Effect.Effect<Rep0.Rep0Raw, Errors.EINVAL, Scope.Scope | Transports>>()
  })

  it("takes the options that the protocol has, and no others (SOCK-06, REQ-35)", () => {
    expect(Req0.make).type.toBeCallableWith({ resendTime: "1 minute", resendTick: 10, recvTimeout: 1 })
    expect(Req0.make).type.not.toBeCallableWith({ sendBuffer: 16 })
    expect(Req0.make).type.not.toBeCallableWith({ ttl: 3 })
    expect(Req0.makeRaw).type.toBeCallableWith({ sendBuffer: 16, recvBuffer: 1 })
    expect(Req0.makeRaw).type.not.toBeCallableWith({ resendTime: 1 })
    expect(Rep0.make).type.toBeCallableWith({ ttl: 3 })
    expect(Rep0.make).type.not.toBeCallableWith({ recvBuffer: 1 })
    expect(Rep0.make).type.not.toBeCallableWith({ resendTime: 1 })
    expect(Rep0.makeRaw).type.toBeCallableWith({ ttl: 3, recvBuffer: 1 })
    expect(Rep0.makeRaw).type.not.toBeCallableWith({ sendBuffer: 1 })
  })

  it("tells raw from cooked by a literal", () => {
    expect(req.raw).type.toBe<false>()
    expect(rep.raw).type.toBe<false>()
    expect(rawReq.raw).type.toBe<true>()
    expect(rawRep.raw).type.toBe<true>()
    expect<Req0.Req0Raw>().type.not.toBeAssignableTo<Req0.Req0>()
    expect<Req0.Req0>().type.not.toBeAssignableTo<Req0.Req0Raw>()
    expect<Rep0.Rep0Raw>().type.not.toBeAssignableTo<Rep0.Rep0>()
  })
})

describe("errors", () => {
  it("of a question and its answer are these", () => {
    expect(Socket.send(req, "q")).type.toBe<Effect.Effect<void, Socket.SendError | Errors.ECANCELED>>()
    expect(req.pipe(Socket.send("q"))).type.toBe<Effect.Effect<void, Socket.SendError | Errors.ECANCELED>>()
    expect(Socket.recv(req)).type.toBe<
      Effect.Effect<Message.Message, Socket.RecvError | Errors.ESTATE | Errors.ECANCELED | Errors.ECONNRESET>
    >()
  })

  it("of a request received and its answer are these", () => {
    expect(Socket.send(rep, "a")).type.toBe<Effect.Effect<void, Socket.SendError | Errors.ESTATE>>()
    expect(Socket.recv(rep)).type.toBe<Effect.Effect<Message.Message, Socket.RecvError | Errors.ESTATE>>()
  })

  it("of raw sockets are those of any, and that a device has them", () => {
    expect(Socket.send(rawReq, "q")).type.toBe<Effect.Effect<void, Socket.SendError | Errors.EBUSY>>()
    expect(Socket.recv(rawRep)).type.toBe<Effect.Effect<Message.Message, Socket.RecvError | Errors.EBUSY>>()
    expect(Socket.sendAll).type.toBeCallableWith(rawReq, ["q"])
    expect(Socket.recvChunk).type.toBeCallableWith(rawRep)
  })

  it("of contexts are their sockets'", () => {
    expect(SocketContext.send(asking, "q")).type.toBe<Effect.Effect<void, Socket.SendError | Errors.ECANCELED>>()
    expect(SocketContext.recv(asking)).type.toBe<
      Effect.Effect<Message.Message, Socket.RecvError | Errors.ESTATE | Errors.ECANCELED | Errors.ECONNRESET>
    >()
    expect(SocketContext.send(answering, "a")).type.toBe<Effect.Effect<void, Socket.SendError | Errors.ESTATE>>()
    expect(SocketContext.recv(answering)).type.toBe<Effect.Effect<Message.Message, Socket.RecvError | Errors.ESTATE>>()
    expect(asking.pipe(SocketContext.send("q"))).type.toBe<Effect.Effect<void, Socket.SendError | Errors.ECANCELED>>()
    expect(SocketContext.recvAio(answering, aio)).type.toBe<
      Effect.Effect<Aio.Pending<Message.Message, Socket.RecvError | Errors.ESTATE>, Errors.EBUSY>
    >()
    expect(answering.pipe(SocketContext.sendAio(aio, "a"))).type.toBe<
      Effect.Effect<Aio.Pending<void, Socket.SendError | Errors.ESTATE>, Errors.EBUSY>
    >()
    expect(asking.close).type.toBe<Effect.Effect<void, Errors.ECLOSED>>()
  })

  it("of a request are these, whichever comes first", () => {
    type Answer = Effect.Effect<Message.Message, Errors.ETIMEDOUT | Errors.ECONNRESET | Errors.ECLOSED>
    expect(Req0.request(req, "q")).type.toBe<Answer>()
    expect(req.pipe(Req0.request("q", { timeout: 1 }))).type.toBe<Answer>()
  })

  it("of serve are the handler's, a closed socket's and a wrong number of handlers'", () => {
    const handler = (_: Message.Message) => null! as Effect.Effect<string, Sorry, Database>
    type Serving = Effect.Effect<never, Sorry | Errors.ECLOSED | Errors.EINVAL, Database>
    expect(Rep0.serve(rep, handler)).type.toBe<Serving>()
    expect(Rep0.serve(rep, handler, { concurrency: "unbounded", interruptWhenGone: true })).type.toBe<Serving>()
    expect(rep.pipe(Rep0.serve(handler, { concurrency: 3 }))).type.toBe<Serving>()
  })
})

describe("what a protocol does not do does not compile", () => {
  it("streams and batches are not for conversations", () => {
    expect(Socket.sendAll).type.not.toBeCallableWith(req, ["q"])
    expect(Socket.sink).type.not.toBeCallableWith(rep)
    expect(Socket.recvChunk).type.not.toBeCallableWith(req)
    expect(Socket.stream).type.not.toBeCallableWith(rep)
  })

  it("contexts are for cooked req and rep (ALL-04)", () => {
    expect(SocketContext.make).type.toBeCallableWith(req)
    expect(SocketContext.make).type.toBeCallableWith(rep)
    expect(SocketContext.make).type.not.toBeCallableWith(pair)
    expect(SocketContext.make).type.not.toBeCallableWith(push)
    expect(SocketContext.make).type.not.toBeCallableWith(rawReq)
    expect(SocketContext.make).type.not.toBeCallableWith(rawRep)
  })

  it("a context has these options and no others (CTX-08)", () => {
    expect(SocketContext.make(req)).type.toBe<
      Effect.Effect<Req0.Context, Errors.ECLOSED | Errors.EINVAL, Scope.Scope>
    >()
    expect(SocketContext.make).type.toBeCallableWith(req, { resendTime: 1, recvTimeout: 1, sendTimeout: 1 })
    expect(SocketContext.make).type.not.toBeCallableWith(req, { resendTick: 1 })
    expect(SocketContext.make).type.not.toBeCallableWith(req, { sendBuffer: 1 })
    expect(SocketContext.make).type.toBeCallableWith(rep, { recvTimeout: 1 })
    expect(SocketContext.make).type.not.toBeCallableWith(rep, { resendTime: 1 })
    expect(SocketContext.make).type.not.toBeCallableWith(rep, { ttl: 1 })
    expect(SocketContext.make).type.not.toBeCallableWith(rep, { recvTimeout: 1, ttl: 3 })
    expect(SocketContext.make).type.not.toBeCallableWith(req, { recvTimeout: 1, recvTimout: 3 })
    expect(SocketContext.make(req, { recvTimeout: 1 })).type.toBe(SocketContext.make(req))
    expect(SocketContext.configure).type.toBeCallableWith(asking, { resendTime: 1 })
    expect(SocketContext.configure).type.not.toBeCallableWith(answering, { resendTime: 1 })
    expect(SocketContext.configure).type.not.toBeCallableWith(asking, { ttl: 1 })
  })

  it("requests are for req, and serving for rep", () => {
    expect(Req0.request).type.not.toBeCallableWith(rep, "q")
    expect(Req0.request).type.not.toBeCallableWith(rawReq, "q")
    expect(Rep0.serve).type.not.toBeCallableWith(req, () => null!)
    expect(Rep0.serve).type.not.toBeCallableWith(rawRep, () => null!)
    expect(Rep0.serve).type.not.toBeCallableWith(rep, () => 1)
    expect(Rep0.serve).type.not.toBeCallableWith(rep, () => null!, { concurrency: "many" })
  })
})
