import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type * as Errors from "effect-nng/Errors"
import type * as Message from "effect-nng/Message"
import * as Messages from "effect-nng/Message"
import * as Respondent0 from "effect-nng/Respondent0"
import * as Socket from "effect-nng/Socket"
import * as Surveyor0 from "effect-nng/Surveyor0"
import type { SocketImpl } from "../../src/internal/engine/socket.js"
import type { Surveyor0Machine } from "../../src/internal/protocol/surveyor0.js"
import { marry, settle } from "./sockets.js"
import { headed } from "./words.js"

/** Two married sockets; the surveyor listens. */
export const survResp = (
  options: { readonly surv?: Surveyor0.MakeOptions; readonly resp?: Respondent0.MakeOptions } = {}
) =>
  Effect.gen(function* () {
    const surv = yield* Surveyor0.make(options.surv)
    const resp = yield* Respondent0.make(options.resp)
    const endpoints = yield* marry(surv, resp)
    return { surv, resp, ...endpoints }
  })

/** The respondent is raw, so that a test has the headers in hand. */
export const survRaw = (
  options: { readonly surv?: Surveyor0.MakeOptions; readonly resp?: Respondent0.RawOptions & Socket.MakeOptions } = {}
) =>
  Effect.gen(function* () {
    const surv = yield* Surveyor0.make(options.surv)
    const raw = yield* Respondent0.makeRaw(options.resp)
    const endpoints = yield* marry(surv, raw)
    return { surv, raw, ...endpoints }
  })

/** A raw surveyor and a respondent. */
export const rawResp = (
  options: { readonly surv?: Surveyor0.RawOptions & Socket.MakeOptions; readonly resp?: Respondent0.MakeOptions } = {}
) =>
  Effect.gen(function* () {
    const raw = yield* Surveyor0.makeRaw(options.surv)
    const resp = yield* Respondent0.make(options.resp)
    const endpoints = yield* marry(raw, resp)
    return { raw, resp, ...endpoints }
  })

/** Both raw. */
export const rawRaw = (
  options: {
    readonly surv?: Surveyor0.RawOptions & Socket.MakeOptions
    readonly resp?: Respondent0.RawOptions & Socket.MakeOptions
  } = {}
) =>
  Effect.gen(function* () {
    const surv = yield* Surveyor0.makeRaw(options.surv)
    const resp = yield* Respondent0.makeRaw(options.resp)
    const endpoints = yield* marry(surv, resp)
    return { surv, resp, ...endpoints }
  })

/** Lets all arrive that is on its way. */
export const arrived = Effect.repeatN(settle, 2)

/** Asks with the socket's own survey, and lets it arrive. */
export const ask = (surv: Surveyor0.Surveyor0, text: string) => Effect.zipLeft(Socket.send(surv, text), arrived)

/** A raw surveyor asks with this id. */
export const question = (raw: Surveyor0.Surveyor0Raw, id: number, text: string) =>
  Effect.zipLeft(Socket.send(raw, headed([id], text)), arrived)

/** A raw respondent answers this survey. */
export const respond = (
  raw: Respondent0.Respondent0Raw,
  survey: Message.Message,
  text: string
): Effect.Effect<void, Socket.SendError | Errors.EBUSY> => {
  const response = Messages.make(text)
  Messages.Header.append(response, survey.header)
  return Effect.zipLeft(Socket.send(raw, response), arrived)
}

/** What a survey has for responses, as texts, when it is over. */
export const texts = <E>(survey: Stream.Stream<Message.Message, E>): Effect.Effect<Array<string>, E> =>
  Effect.map(Stream.runCollect(survey), (messages) => Chunk.toArray(messages).map(Messages.text))

const implOf = (socket: Socket.Socket) => socket as SocketImpl

/** How many surveys a surveyor has that are not over. */
export const running = (surv: Surveyor0.Surveyor0): number =>
  [...(implOf(surv).machine as Surveyor0Machine<unknown>).running].length

/** When the next survey of a socket ends, or somebody's patience; Infinity: never. */
export const nextDeadline = (socket: Socket.Socket): number =>
  (implOf(socket).services.deadlines as unknown as { readonly timeline: { readonly next: number } }).timeline.next
