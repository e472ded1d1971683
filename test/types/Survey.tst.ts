import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import { describe, expect, it } from "tstyche"
import type * as Errors from "../../src/Errors.js"
import type * as Message from "../../src/Message.js"
import * as Respondent0 from "../../src/Respondent0.js"
import * as Socket from "../../src/Socket.js"
import * as SocketContext from "../../src/SocketContext.js"
import * as Surveyor0 from "../../src/Surveyor0.js"
import type { Transports } from "../../src/Transport.js"

declare const surv: Surveyor0.Surveyor0
declare const resp: Respondent0.Respondent0
declare const rawSurv: Surveyor0.Surveyor0Raw
declare const rawResp: Respondent0.Respondent0Raw
declare const asking: Surveyor0.Context
declare const answering: Respondent0.Context
interface Sorry {
  readonly _tag: "Sorry"
}
interface Database {
  readonly query: string
}

describe("making", () => {
  it("fails for its options alone", () => {
    type Made<S> = Effect.Effect<S, Errors.EINVAL, Scope.Scope | Transports>
    expect(Surveyor0.make()).type.toBe<Made<Surveyor0.Surveyor0>>()
    expect(Respondent0.make()).type.toBe<Made<Respondent0.Respondent0>>()
    expect(Surveyor0.makeRaw()).type.toBe<Made<Surveyor0.Surveyor0Raw>>()
    expect(Respondent0.makeRaw()).type.toBe<Made<Respondent0.Respondent0Raw>>()
  })

  it("takes the options that the protocol has, and no others (SOCK-06)", () => {
    expect(Surveyor0.make).type.toBeCallableWith({ surveyTime: "1 minute", recvTimeout: 1 })
    expect(Surveyor0.make).type.not.toBeCallableWith({ surveyTime: true })
    expect(Surveyor0.make).type.not.toBeCallableWith({ sendBuffer: 16 })
    expect(Surveyor0.make).type.not.toBeCallableWith({ recvBuffer: 16 })
    expect(Surveyor0.make).type.not.toBeCallableWith({ ttl: 3 })
    expect(Surveyor0.makeRaw).type.toBeCallableWith({ recvBuffer: 1 })
    expect(Surveyor0.makeRaw).type.not.toBeCallableWith({ sendBuffer: 1 })
    expect(Surveyor0.makeRaw).type.not.toBeCallableWith({ surveyTime: 1 })
    expect(Respondent0.make).type.toBeCallableWith({ ttl: 3 })
    expect(Respondent0.make).type.not.toBeCallableWith({ recvBuffer: 1 })
    expect(Respondent0.make).type.not.toBeCallableWith({ surveyTime: 1 })
    expect(Respondent0.makeRaw).type.toBeCallableWith({ ttl: 3, recvBuffer: 1 })
    expect(Respondent0.makeRaw).type.not.toBeCallableWith({ sendBuffer: 1 })
  })

  it("tells raw from cooked by a literal", () => {
    expect(surv.raw).type.toBe<false>()
    expect(resp.raw).type.toBe<false>()
    expect(rawSurv.raw).type.toBe<true>()
    expect(rawResp.raw).type.toBe<true>()
  })
})

describe("errors", () => {
  it("of a survey and its responses are these", () => {
    expect(Socket.send(surv, "s")).type.toBe<Effect.Effect<void, Socket.SendError>>()
    expect(Socket.recv(surv)).type.toBe<
      Effect.Effect<Message.Message, Socket.RecvError | Errors.ESTATE | Errors.ECANCELED>
    >()
    expect(SocketContext.send(asking, "s")).type.toBe<Effect.Effect<void, Socket.SendError>>()
    expect(SocketContext.recv(asking)).type.toBe<
      Effect.Effect<Message.Message, Socket.RecvError | Errors.ESTATE | Errors.ECANCELED>
    >()
  })

  it("of a survey received and its answer are these", () => {
    expect(Socket.send(resp, "r")).type.toBe<Effect.Effect<void, Socket.SendError | Errors.ESTATE>>()
    expect(Socket.recv(resp)).type.toBe<Effect.Effect<Message.Message, Socket.RecvError | Errors.ESTATE>>()
    expect(SocketContext.send(answering, "r")).type.toBe<Effect.Effect<void, Socket.SendError | Errors.ESTATE>>()
    expect(SocketContext.recv(answering)).type.toBe<Effect.Effect<Message.Message, Socket.RecvError | Errors.ESTATE>>()
  })

  it("of raw sockets are those of any", () => {
    expect(Socket.send(rawSurv, "s")).type.toBe<Effect.Effect<void, Socket.SendError | Errors.EBUSY>>()
    expect(Socket.recv(rawResp)).type.toBe<Effect.Effect<Message.Message, Socket.RecvError | Errors.EBUSY>>()
    expect(Socket.stream).type.toBeCallableWith(rawSurv)
  })

  it("of a survey as a stream is that the socket closes", () => {
    type Responses = Stream.Stream<Message.Message, Errors.ECLOSED>
    expect(Surveyor0.survey(surv, "s")).type.toBe<Responses>()
    expect(surv.pipe(Surveyor0.survey("s", { timeout: "1 second" }))).type.toBe<Responses>()
  })

  it("of serve are the handler's, a closed socket's and a wrong number of handlers'", () => {
    const handler = (_: Message.Message) => null! as Effect.Effect<string | undefined, Sorry, Database>
    type Serving = Effect.Effect<never, Sorry | Errors.ECLOSED | Errors.EINVAL, Database>
    expect(Respondent0.serve(resp, handler)).type.toBe<Serving>()
    expect(resp.pipe(Respondent0.serve(handler, { concurrency: 3, interruptWhenGone: true }))).type.toBe<Serving>()
  })
})

describe("what a protocol does not do does not compile", () => {
  it("streams of receives are not for conversations", () => {
    expect(Socket.recvChunk).type.not.toBeCallableWith(surv)
    expect(Socket.stream).type.not.toBeCallableWith(surv)
    expect(Socket.sendAll).type.not.toBeCallableWith(resp, ["r"])
    expect(Socket.stream).type.not.toBeCallableWith(resp)
  })

  it("contexts are for the cooked ones, with these options and no others (ALL-04, CTX-08)", () => {
    expect(SocketContext.make(surv)).type.toBe<
      Effect.Effect<Surveyor0.Context, Errors.ECLOSED | Errors.EINVAL, Scope.Scope>
    >()
    expect(SocketContext.make(resp)).type.toBe<
      Effect.Effect<Respondent0.Context, Errors.ECLOSED | Errors.EINVAL, Scope.Scope>
    >()
    expect(SocketContext.make).type.toBeCallableWith(surv, { surveyTime: 1, recvTimeout: 1, sendTimeout: 1 })
    expect(SocketContext.make).type.not.toBeCallableWith(surv, { resendTime: 1 })
    expect(SocketContext.make).type.not.toBeCallableWith(resp, { surveyTime: 1 })
    expect(SocketContext.make).type.not.toBeCallableWith(resp, { ttl: 1 })
    expect(SocketContext.make).type.not.toBeCallableWith(rawSurv)
    expect(SocketContext.make).type.not.toBeCallableWith(rawResp)
    expect(SocketContext.configure).type.toBeCallableWith(asking, { surveyTime: 1 })
    expect(SocketContext.configure).type.not.toBeCallableWith(answering, { surveyTime: 1 })
  })

  it("surveys are for surveyors, and serving them for respondents", () => {
    expect(Surveyor0.survey).type.not.toBeCallableWith(resp, "s")
    expect(Surveyor0.survey).type.not.toBeCallableWith(rawSurv, "s")
    expect(Respondent0.serve).type.not.toBeCallableWith(surv, () => null!)
    expect(Respondent0.serve).type.not.toBeCallableWith(rawResp, () => null!)
    expect(Respondent0.serve).type.not.toBeCallableWith(resp, () => 1)
  })

  it("who declines says so", () => {
    const forgetful = (_: Message.Message) => null! as Effect.Effect<void>
    const declining = (_: Message.Message) => null! as Effect.Effect<undefined>
    expect(Respondent0.serve).type.not.toBeCallableWith(resp, forgetful)
    expect(Respondent0.serve).type.toBeCallableWith(resp, declining)
  })
})
