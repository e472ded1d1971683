import * as Effect from "effect/Effect"
import type * as Errors from "effect-nng/Errors"
import * as Message from "effect-nng/Message"
import * as Rep0 from "effect-nng/Rep0"
import * as Req0 from "effect-nng/Req0"
import * as Socket from "effect-nng/Socket"
import * as SocketContext from "effect-nng/SocketContext"
import type { SocketImpl } from "../../src/internal/engine/socket.js"
import type { Req0Machine } from "../../src/internal/protocol/req0.js"
import { marry, settle } from "./sockets.js"
import { headed, headerOf } from "./words.js"

/** Two married sockets; the replier listens. */
export const reqRep = (options: { readonly req?: Req0.MakeOptions; readonly rep?: Rep0.MakeOptions } = {}) =>
  Effect.gen(function* () {
    const req = yield* Req0.make(options.req)
    const rep = yield* Rep0.make(options.rep)
    const endpoints = yield* marry(rep, req)
    return { req, rep, ...endpoints }
  })

/** The replier is raw, so that a test has the headers in hand. */
export const reqRaw = (
  options: { readonly req?: Req0.MakeOptions; readonly rep?: Rep0.RawOptions & Socket.MakeOptions } = {}
) =>
  Effect.gen(function* () {
    const req = yield* Req0.make(options.req)
    const raw = yield* Rep0.makeRaw(options.rep)
    const endpoints = yield* marry(raw, req)
    return { req, raw, ...endpoints }
  })

/** A raw requester and a replier. */
export const rawRep = (
  options: { readonly req?: Req0.RawOptions & Socket.MakeOptions; readonly rep?: Rep0.MakeOptions } = {}
) =>
  Effect.gen(function* () {
    const raw = yield* Req0.makeRaw(options.req)
    const rep = yield* Rep0.make(options.rep)
    const endpoints = yield* marry(rep, raw)
    return { raw, rep, ...endpoints }
  })

/** One more socket for somebody who listens. */
export const join = <S extends Socket.Socket, E, R>(make: Effect.Effect<S, E, R>, url = "inproc://pair") =>
  Effect.gen(function* () {
    const socket = yield* make
    yield* Socket.dial(socket, url)
    yield* Socket.awaitPeers(socket, 1)
    yield* settle
    return socket
  })

/** One more to dial to: it listens, and the other one dials. */
export const serveAt = <S extends Socket.Socket, E, R>(
  make: Effect.Effect<S, E, R>,
  dialing: Socket.Socket,
  url: string,
  peers = 1
) =>
  Effect.gen(function* () {
    const socket = yield* make
    yield* Socket.listen(socket, url)
    yield* Socket.dial(dialing, url, { reconnectMin: "1 hour" })
    yield* Socket.awaitPeers(dialing, peers)
    yield* settle
    return socket
  })

/** What a raw replier answers to this. */
export const answerTo = (request: Message.Message, text: string): Message.Message => headed(headerOf(request), text)

export const reply = (
  raw: Rep0.Rep0Raw,
  request: Message.Message,
  text: string
): Effect.Effect<void, Socket.SendError | Errors.EBUSY> =>
  Effect.zipLeft(Socket.send(raw, answerTo(request, text)), settle)

/** A replier that answers everything with what it was asked, in capitals. */
export const shout = (request: Message.Message) => Effect.succeed(Message.text(request).toUpperCase())

export const receivedText = <E>(receiving: Effect.Effect<Message.Message, E>): Effect.Effect<string, E> =>
  Effect.map(receiving, Message.text)

/** Puts a question by the socket's, or the context's, own state, and gives the answer. */
export const exchange = (req: Req0.Req0, text: string) =>
  Effect.zipRight(Socket.send(req, text), receivedText(Socket.recv(req)))

export const contextExchange = (context: Req0.Context, text: string) =>
  Effect.zipRight(SocketContext.send(context, text), receivedText(SocketContext.recv(context)))

const implOf = (socket: Socket.Socket) => socket as SocketImpl

/** What a requester's socket still has in its books: nothing, unless somebody waits. */
export const remains = (req: Req0.Req0) => {
  const machine = implOf(req).machine as Req0Machine<unknown>
  return {
    open: [...machine.outstanding].length,
    queued: machine.queued,
    senders: implOf(req).conversation.wantsRoom ? 1 : 0,
    contexts: implOf(req).contexts.size
  }
}

export const nothingRemains = { open: 0, queued: 0, senders: 0, contexts: 0 }

/** How many contexts a socket has now, those of a serve included. */
export const contextsOf = (socket: Socket.Socket): number => implOf(socket).contexts.size
