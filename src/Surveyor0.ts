/**
 * Asks everybody, and collects responses until a deadline (nng_surveyor(7)). How many there will be is not known: none,
 * or several from each; one that has too many surveys unread misses the next.
 *
 * **Operations.** `survey` asks, and is the stream of the responses that come until its time is over, as often at once as
 * you like. `Socket.send` asks with the socket's own survey, and never waits: who is there is asked, and nobody is not an
 * error. `Socket.recv` waits for a response, at most until the survey is over, which is `NNG_ETIMEDOUT`; after that, and
 * without a survey, a receive is `NNG_ESTATE`. A new survey takes the place of the one before: who waits for its
 * responses fails with `NNG_ECANCELED`, and those that are there, or come later, are dropped and counted
 * (`dropped.stale`). Nothing but that, the deadline and closing ends a survey: not a receive that times out or is
 * interrupted.
 *
 * A response is taken from a respondent that was there when the survey was made, and from nobody else. Of each survey
 * 128 may wait to be received; further ones are dropped and counted (`dropped.full`), and so are surveys for a respondent
 * that has 8 of them before it.
 *
 * **Contexts.** Each has a survey of its own, with its `surveyTime`.
 *
 * **Options.** Those of every socket, and `surveyTime`.
 *
 * **Wire headers.** Four bytes, the survey id, with its top bit set; in front of it the pipe ids of devices. A response
 * that is received has the id for its header. In raw mode the application has the header.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import * as Message from "effect-nng/Message"
 * import * as Socket from "effect-nng/Socket"
 * import * as Surveyor0 from "effect-nng/Surveyor0"
 *
 * export const whoIsThere = Effect.gen(function* () {
 *   const socket = yield* Surveyor0.make()
 *   yield* Socket.listen(socket, "tcp://127.0.0.1:5555")
 *   yield* Socket.awaitPeers(socket, 3)
 *   const names = Stream.map(Surveyor0.survey(socket, "who is there?", { timeout: "200 millis" }), Message.text)
 *   return yield* Stream.runCollect(names)
 * }).pipe(Effect.scoped)
 * ```
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type * as Errors from "./Errors.js"
import * as internal from "./internal/engine/api.js"
import * as free from "./internal/engine/free.js"
import * as surveys from "./internal/engine/surveys.js"
import { XSurveyor0Machine } from "./internal/protocol/xsurveyor0.js"
import type { Input, Message } from "./Message.js"
import * as Protocol from "./Protocol.js"
import type * as Socket from "./Socket.js"
import type * as SocketContext from "./SocketContext.js"
import type { Transports } from "./Transport.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface ContextOptions extends SocketContext.Options {
  /**
   * How long responses are taken (`NNG_OPT_SURVEYOR_SURVEYTIME`). Holds from the next survey. Zero: none is taken.
   * Infinity: until the next survey. Default 1 second.
   */
  readonly surveyTime?: Duration.DurationInput | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Options extends Socket.Options, ContextOptions {}

/**
 * Options of a new socket.
 *
 * @since 0.1.0
 * @category models
 */
export interface MakeOptions extends Options, Socket.MakeOptions {}

/**
 * Why there is no response, beside the end of the survey: there is none, or it is over (`NNG_ESTATE`), or another one
 * took its place (`NNG_ECANCELED`).
 *
 * @since 0.1.0
 * @category errors
 */
export type RecvError = Errors.ESTATE | Errors.ECANCELED

/**
 * A context of such a socket.
 *
 * @since 0.1.0
 * @category models
 */
export interface Context
  extends SocketContext.CanSend, SocketContext.CanRecv<RecvError>, SocketContext.Configurable<ContextOptions> {}

/**
 * @since 0.1.0
 * @category models
 */
export interface Surveyor0
  extends
    Socket.CanSend,
    Socket.CanRecv<RecvError>,
    Socket.Configurable<Options>,
    SocketContext.HasContexts<Context, ContextOptions> {
  readonly raw: false
  /** As with every socket, but no device ever has it. **Interruption** stops the waiting, not the closing. */
  readonly close: Effect.Effect<void, Errors.ECLOSED>
}

/**
 * Options of a raw socket.
 *
 * @since 0.1.0
 * @category models
 */
export interface RawOptions extends Socket.Options {
  /** Messages that may wait for a receive (`NNG_OPT_RECVBUF`): 0 to 8192, default 1. */
  readonly recvBuffer?: number | undefined
}

/**
 * One without deadlines: messages with their headers, to all respondents, and as they come. A send never waits: a
 * respondent with 16 surveys before it misses the next, which is counted.
 *
 * @since 0.1.0
 * @category models
 */
export interface Surveyor0Raw
  extends Socket.CanSend<Errors.EBUSY>, Socket.CanRecv<Errors.EBUSY>, Socket.Configurable<RawOptions, Errors.EBUSY> {
  readonly raw: true
  readonly protocol: Protocol.Protocol<"surveyor", "respondent">
}

/**
 * Makes a socket (`nng_surveyor0_open`). `NNG_EINVAL` names the option that is out of range.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options?: MakeOptions): Effect.Effect<Surveyor0, Errors.EINVAL, Scope.Scope | Transports> =>
  internal.makeSocket<Surveyor0>(
    {
      protocol: Protocol.surveyor0,
      raw: false,
      canSend: true,
      canRecv: true,
      options: ["surveyTime"],
      contextOptions: ["surveyTime"],
      core: surveys.core
    },
    options
  )

/**
 * Makes a raw socket (`nng_surveyor0_open_raw`): for devices, and for those who keep books of surveys themselves.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeRaw = (
  options?: RawOptions & Socket.MakeOptions
): Effect.Effect<Surveyor0Raw, Errors.EINVAL, Scope.Scope | Transports> =>
  internal.makeSocket<Surveyor0Raw>(
    {
      protocol: Protocol.surveyor0,
      raw: true,
      canSend: true,
      canRecv: true,
      options: ["recvBuffer"],
      core: free.core(
        ({ recvBuffer, sendBuffer }, world) => new XSurveyor0Machine({ send: sendBuffer, recv: recvBuffer }, world)
      )
    },
    { recvBuffer: 1, ...options }
  )

/**
 * @since 0.1.0
 * @category models
 */
export interface SurveyOptions {
  /**
   * Until the stream ends, instead of the socket's `surveyTime`. Zero asks, and is over at once; infinity ends with its
   * reader.
   */
  readonly timeout?: Duration.DurationInput | undefined
}

/**
 * Why a survey has no end: the socket is closed, or was before it was over (`NNG_ECLOSED`).
 *
 * @since 0.1.0
 * @category errors
 */
export type SurveyError = Errors.ECLOSED

/**
 * Asks everybody who is there when the stream is run, and gives the responses that come in time; then the stream ends.
 * Any number at once, each with its own responses. It has nothing to do with the socket's own survey.
 *
 * What came in time is given even if it is read later. With 128 responses unread, further ones are dropped and counted
 * (`dropped.full`). A stream that is run again asks again, and needs a message that is text or bytes: a `Message` belongs
 * to the library once it is sent.
 *
 * **Interruption**, or an end of the stream before its time, ends the survey: responses that come later, or are unread,
 * are dropped and counted (`dropped.stale`).
 *
 * @since 0.1.0
 * @category surveys
 */
export const survey: {
  (message: Input, options?: SurveyOptions): (socket: Surveyor0) => Stream.Stream<Message, SurveyError>
  (socket: Surveyor0, message: Input, options?: SurveyOptions): Stream.Stream<Message, SurveyError>
} = internal.survey
