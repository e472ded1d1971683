import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import * as Errors from "../../Errors.js"
import type { Input, Message } from "../../Message.js"
import type * as Api from "../../Socket.js"
import { scopedStream } from "../ports/scopedStream.js"
import type { Deadline } from "../ports/timeline.js"
import type { Survey } from "../protocol/surveyor0.js"
import { Surveyor0Machine } from "../protocol/surveyor0.js"
import { fromInput } from "../vocabulary/message.js"
import type { Core, OperationError, Shared } from "./conversation.js"
import { Conversation, late, patienceOf } from "./conversation.js"
import type { Settings } from "./options.js"
import { Waiters } from "./waiters.js"

type Verdict = Exit.Exit<never, OperationError>

const canceled = (reason: string): Verdict => Exit.fail(new Errors.ECANCELED({ operation: "survey", reason }))

/** The surveys of one socket, with all of its contexts'. */
class Surveys {
  readonly machine: Surveyor0Machine<Surveying>

  constructor(readonly shared: Shared) {
    this.machine = new Surveyor0Machine(shared.world)
  }

  notify(): void {
    for (const { waking } of this.machine.takeWoken()) waking?.receivers.notify()
  }

  ask(input: Input, surveyTime: number, whenOver: "hide" | "keep"): Surveying {
    this.shared.counts.sent++
    return new Surveying(this, this.machine.ask(fromInput(input), surveyTime), surveyTime, whenOver)
  }

  endAll(verdict: Verdict): void {
    for (const { waking } of this.machine.running) waking?.end(verdict)
  }
}

/** A survey, and who waits for its responses. */
class Surveying {
  readonly receivers: Waiters<OperationError>
  /** Why there will be no more. */
  private verdict: Verdict | undefined = undefined
  private deadline: Deadline | undefined = undefined

  constructor(
    readonly surveys: Surveys,
    readonly survey: Survey<Surveying>,
    surveyTime: number,
    /** What becomes of responses that came in time, and for which nobody waits when the time is over. */
    private readonly whenOver: "hide" | "keep"
  ) {
    const { deadlines } = surveys.shared
    this.receivers = new Waiters<OperationError>(
      () => this.verdict !== undefined || survey.responses.length > 0,
      deadlines
    )
    survey.waking = this
    if (surveyTime < Infinity) this.deadline = deadlines.add(surveyTime, () => this.expire())
  }

  get hasResponse(): boolean {
    return this.survey.responses.length > 0
  }

  get isOver(): boolean {
    return this.surveys.machine.isOver(this.survey)
  }

  /** A response, or why there is none and will be none; undefined: one may still come. */
  readonly take = (): Exit.Exit<Message, OperationError> | undefined => {
    const response = this.survey.responses.shift()
    if (response === undefined) return this.verdict
    this.surveys.shared.counts.received++
    return Exit.succeed(response)
  }

  /** All the responses that are there, as soon as there are any. */
  pull(): Effect.Effect<Chunk.Chunk<Message>, OperationError> {
    return (
      this.takeAll() ?? this.receivers.wait({ try: this.takeAll, late: () => late("survey", undefined) }, undefined)
    )
  }

  private readonly takeAll = (): Exit.Exit<Chunk.Chunk<Message>, OperationError> | undefined => {
    const responses: Array<Message> = []
    const { survey, surveys } = this
    for (let next = survey.responses.shift(); next !== undefined; next = survey.responses.shift()) responses.push(next)
    surveys.shared.counts.received += responses.length
    return responses.length === 0 ? this.verdict : Exit.succeed(Chunk.unsafeFromArray(responses))
  }

  /** It takes no more responses; those that it has are for who waits for them already, and then comes the verdict. */
  end(verdict: Verdict): void {
    if (this.verdict !== undefined) return
    this.verdict = verdict
    this.surveys.machine.end(this.survey)
    if (this.deadline !== undefined) this.surveys.shared.deadlines.remove(this.deadline)
    this.deadline = undefined
    this.receivers.notify()
  }

  discard(): void {
    this.surveys.machine.discard(this.survey)
  }

  private expire(): void {
    this.end(Exit.fail(new Errors.ETIMEDOUT({ operation: "recv", reason: "the survey is over" })))
    if (this.whenOver === "hide" && this.receivers.none) this.discard()
  }
}

/**
 * A socket's own survey, or that of one of its contexts: one at a time, and a new one takes the place of the one before.
 *
 * @internal
 */
export class SurveyContext extends Conversation {
  private surveying: Surveying | undefined = undefined
  readonly canSend = true
  readonly wantsRoom = false

  constructor(
    readonly surveys: Surveys,
    settings: Settings
  ) {
    super(surveys.shared, settings)
  }

  get canRecv(): boolean {
    return this.surveying !== undefined && !this.surveying.isOver && this.surveying.hasResponse
  }

  notify(): void {
    this.surveys.notify()
  }

  send(input: Input): Effect.Effect<void, OperationError> {
    return this.gated(() => this.sendNow(input))
  }

  recv(options: Api.OperationOptions | undefined): Effect.Effect<Message, OperationError> {
    return this.gated(() => this.recvNow(options))
  }

  /** Asks beside this context's own survey; the responses that come until it is over. */
  survey(input: Input, options: Api.OperationOptions | undefined): Stream.Stream<Message, OperationError> {
    const ask = this.gated((): Effect.Effect<Surveying, OperationError> => {
      const surveyTime = patienceOf(options, this.settings.surveyTime) ?? Infinity
      return this.sendsClosed ?? Exit.succeed(this.surveys.ask(input, surveyTime, "keep"))
    })
    const running = Effect.acquireRelease(ask, (surveying) =>
      Effect.sync(() => {
        surveying.end(canceled("nobody reads its responses any more"))
        surveying.discard()
      })
    )
    return scopedStream(
      Effect.map(running, (surveying) => Stream.repeatEffectChunk(this.gated(() => surveying.pull())))
    ).pipe(Stream.catchTag("NNG_ETIMEDOUT", () => Stream.empty))
  }

  /** Nothing waits to be sent, and responses may still come. */
  protected endSends(): void {}

  protected endRecvs(closed: Exit.Exit<never, Errors.ECLOSED>): void {
    this.forget(closed)
  }

  private sendNow(input: Input): Effect.Effect<void, OperationError> {
    if (this.sendsClosed !== undefined) return this.sendsClosed
    this.forget(canceled("another survey took its place"))
    this.surveying = this.surveys.ask(input, this.settings.surveyTime, "hide")
    return Exit.void
  }

  private recvNow(options: Api.OperationOptions | undefined): Effect.Effect<Message, OperationError> {
    if (this.closed !== undefined) return this.closed
    const { surveying } = this
    if (surveying === undefined || surveying.isOver) {
      return Exit.fail(new Errors.ESTATE({ operation: "recv", reason: "there is no survey, or it is over" }))
    }
    if (surveying.receivers.none && surveying.hasResponse) return surveying.take()!
    const patience = patienceOf(options, this.settings.recvTimeout)
    if (patience === 0) return Exit.fail(late("recv", options))
    return surveying.receivers.wait({ try: surveying.take, late: () => late("recv", options) }, patience)
  }

  /** There is no survey any more, and whoever waits for a response is told why. */
  private forget(verdict: Verdict): void {
    const { surveying } = this
    this.surveying = undefined
    surveying?.discard()
    surveying?.end(verdict)
  }
}

/** The socket's own, with which all the others end. */
class OwnContext extends SurveyContext {
  protected override endRecvs(closed: Exit.Exit<never, Errors.ECLOSED>): void {
    super.endRecvs(closed)
    this.surveys.endAll(closed)
  }
}

/** @internal */
export const core = (shared: Shared, settings: Settings): Core => {
  const surveys = new Surveys(shared)
  return {
    machine: surveys.machine,
    conversation: new OwnContext(surveys, settings),
    open: (settings) => new SurveyContext(surveys, settings)
  }
}
