// hot path: bench/src/rows/reqrep.js
import * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import * as Exit from "effect/Exit"
import * as Errors from "../../Errors.js"
import type { Input, Message } from "../../Message.js"
import type * as Api from "../../Socket.js"
import type { Deadline } from "../ports/timeline.js"
import type { Request } from "../protocol/req0.js"
import { Req0Machine } from "../protocol/req0.js"
import { fromInput } from "../vocabulary/message.js"
import type { Core, OperationError, Patience, Shared } from "./conversation.js"
import { Conversation, late, patienceOf } from "./conversation.js"
import type { Settings } from "./options.js"
import type { Attempt, Waiting } from "./waiters.js"
import { Waiters } from "./waiters.js"

const canceled = (reason: string): Exit.Exit<never, Errors.ECANCELED> =>
  Exit.fail(new Errors.ECANCELED({ operation: "request", reason }))

const state = (reason: string): Exit.Exit<never, Errors.ESTATE> =>
  Exit.fail(new Errors.ESTATE({ operation: "recv", reason }))

/** The requests of one socket, with all of its contexts': one line for peers that take any. */
class Requests {
  readonly machine: Req0Machine<Waiters<OperationError>>
  readonly senders: Waiters<OperationError>
  closed = false
  private tick: Deadline | undefined = undefined

  constructor(
    readonly shared: Shared,
    public settings: Settings
  ) {
    this.machine = new Req0Machine(shared.world)
    this.senders = new Waiters<OperationError>(() => this.closed || this.machine.canSend, shared.deadlines)
  }

  notify(): void {
    for (const { waking } of this.machine.takeWoken()) waking?.notify()
    this.senders.notify()
  }

  ask(input: Input, resendTime: number): Asking {
    return new Asking(this, this.machine.ask(fromInput(input), resendTime))
  }

  submit(request: Request<Waiters<OperationError>>): boolean {
    if (!this.machine.submit(request)) return false
    this.shared.counts.sent++
    if (this.tick === undefined && request.resendTime < Infinity) this.arm()
    return true
  }

  retire(request: Request<Waiters<OperationError>>): void {
    this.machine.retire(request)
    if (this.shared.sendsClosed !== undefined) this.shared.changed()
  }

  endSends(closed: Exit.Exit<never, Errors.ECLOSED>): void {
    this.closed = true
    this.senders.end(closed)
  }

  endRecvs(closed: Exit.Exit<never, Errors.ECLOSED>): void {
    for (const { waking } of this.machine.outstanding) waking?.end(closed)
  }

  private arm(): void {
    this.tick = this.shared.deadlines.add(this.settings.resendTick, () => {
      this.tick = undefined
      this.machine.tick()
      this.notify()
      if (this.machine.mayResend) this.arm()
    })
  }
}

/** A request, and who waits for its answer. */
class Asking implements Attempt<Message, OperationError> {
  readonly answered: Waiters<OperationError>
  /** Why there will be no answer. */
  private verdict: Exit.Exit<never, OperationError> | undefined = undefined

  constructor(
    readonly requests: Requests,
    readonly request: Request<Waiters<OperationError>>
  ) {
    this.answered = new Waiters<OperationError>(this.settled, requests.shared.deadlines)
    request.waking = this.answered
  }

  /** Its answer, or that there will be none; undefined: it may still come. */
  try(): Exit.Exit<Message, OperationError> | undefined {
    const { request, requests } = this
    if (this.verdict !== undefined) return this.verdict
    if (request.state === "answered") {
      requests.shared.counts.received++
      return Exit.succeed(request.reply!)
    }
    return request.state === "lost"
      ? Exit.fail(new Errors.ECONNRESET({ operation: "recv", reason: "the peer that had the request is gone" }))
      : undefined
  }

  late(): Errors.ETIMEDOUT {
    this.left()
    return new Errors.ETIMEDOUT({ operation: "request" })
  }

  left(): void {
    this.requests.retire(this.request)
  }

  /** Nobody is to have its answer; who waits for it is told why. */
  end(verdict: Exit.Exit<never, OperationError>): void {
    const { request } = this
    this.verdict = verdict
    this.requests.retire(request)
    this.answered.end(verdict)
  }

  private readonly settled = (): boolean => {
    const { state } = this.request
    return this.verdict !== undefined || state === "answered" || state === "lost"
  }
}

/**
 * Asks and waits for the answer, beside whatever else is asked on the socket.
 *
 * @internal
 */
class Ask extends Effectable.Class<Message, OperationError> {
  constructor(
    private readonly context: RequestContext,
    private readonly input: Input,
    private readonly options: Api.OperationOptions | undefined
  ) {
    super()
  }

  commit(): Effect.Effect<Message, OperationError> {
    const { context, options } = this
    const first = context.beforehand()
    if (first !== undefined) return Effect.zipRight(first, this)
    if (context.sendsClosed !== undefined) return context.sendsClosed
    const { requests, settings } = context
    const patience = patienceOf(options, settings.recvTimeout)
    // its answer would come too late: it is not even asked
    if (patience === 0) return Exit.fail(late("request", options))
    const asking = requests.ask(this.input, settings.resendTime)
    return requests.senders.none && requests.submit(asking.request)
      ? asking.answered.wait(asking, patience)
      : this.waitTwice(asking, patience)
  }

  /** For somebody who takes the request, and then for the answer; together no longer than that. */
  private waitTwice(asking: Asking, patience: Patience): Effect.Effect<Message, OperationError> {
    const { context } = this
    const { requests } = asking
    const { now } = requests.shared.world
    const until = patience === undefined ? undefined : now() + patience
    const submit: Attempt<void, OperationError> = {
      // it may have been woken before the socket was closed
      try: () => context.sendsClosed ?? (requests.submit(asking.request) ? Exit.void : undefined),
      late: () => asking.late()
    }
    const rest = Effect.suspend(() =>
      asking.answered.wait(asking, until === undefined ? undefined : Math.max(0, until - now()))
    )
    return Effect.uninterruptibleMask((restore) =>
      Effect.catchAllCause(
        Effect.flatMap(restore(requests.senders.wait(submit, patience)), () => restore(rest)),
        (cause) => {
          asking.end(canceled("interrupted"))
          return Effect.failCause(cause)
        }
      )
    )
  }
}

/**
 * A socket's own requests, or those of one of its contexts: one at a time, and a new one takes the place of the one
 * before.
 *
 * @internal
 */
export class RequestContext extends Conversation {
  private asking: Asking | undefined = undefined
  /** Who waits to have it taken. */
  private sending: Waiting | undefined = undefined

  constructor(
    readonly requests: Requests,
    settings: Settings
  ) {
    super(requests.shared, settings)
  }

  get canSend(): boolean {
    return this.requests.senders.none && this.requests.machine.canSend
  }

  get canRecv(): boolean {
    const state = this.asking?.request.state
    return state === "answered" || state === "lost"
  }

  get wantsRoom(): boolean {
    return !this.requests.senders.none
  }

  notify(): void {
    this.requests.notify()
  }

  send(input: Input, options: Api.OperationOptions | undefined): Effect.Effect<void, OperationError> {
    return this.gated(() => this.sendNow(input, options))
  }

  recv(options: Api.OperationOptions | undefined): Effect.Effect<Message, OperationError> {
    return this.gated(() => this.recvNow(options))
  }

  /** Asks beside this context's own request. */
  request(input: Input, options: Api.OperationOptions | undefined): Effect.Effect<Message, OperationError> {
    return new Ask(this, input, options)
  }

  /** One that nobody has taken yet is gone; for the answer to another it may still wait. */
  protected endSends(closed: Exit.Exit<never, Errors.ECLOSED>): void {
    if (this.sending !== undefined) this.forget(closed)
  }

  protected endRecvs(closed: Exit.Exit<never, Errors.ECLOSED>): void {
    this.forget(closed)
  }

  private sendNow(input: Input, options: Api.OperationOptions | undefined): Effect.Effect<void, OperationError> {
    if (this.sendsClosed !== undefined) return this.sendsClosed
    const { requests, settings } = this
    this.forget(canceled("another request took its place"))
    const asking = requests.ask(input, settings.resendTime)
    this.asking = asking
    if (requests.senders.none && requests.submit(asking.request)) return Exit.void
    const patience = patienceOf(options, settings.sendTimeout)
    const giveUp = () => {
      if (this.asking === asking) this.forget(canceled("its send was given up"))
    }
    if (patience === 0) {
      giveUp()
      return Exit.fail(late("send", options))
    }
    const submit: Attempt<void, OperationError> = {
      try: () => {
        if (!requests.submit(asking.request)) return undefined
        this.sending = undefined
        return Exit.void
      },
      late: () => {
        this.sending = undefined
        giveUp()
        return late("send", options)
      },
      left: () => {
        this.sending = undefined
        giveUp()
      }
    }
    return requests.senders.wait(submit, patience, (waiting) => {
      this.sending = waiting
    })
  }

  private recvNow(options: Api.OperationOptions | undefined): Effect.Effect<Message, OperationError> {
    if (this.closed !== undefined) return this.closed
    const { asking } = this
    if (asking === undefined) return state("there is no request to be answered")
    const patience = patienceOf(options, this.settings.recvTimeout)
    if (!asking.answered.none) return patience === 0 ? Exit.fail(late("recv", options)) : state("another receive waits")
    const take = () => {
      const exit = asking.try()
      if (exit !== undefined && this.asking === asking) this.asking = undefined
      return exit
    }
    const exit = take()
    if (exit !== undefined) return exit
    // one that does not wait leaves the request as it is
    if (patience === 0) return Exit.fail(late("recv", options))
    const giveUp = () => {
      if (this.asking === asking) this.forget(canceled("its receive was given up"))
    }
    const attempt: Attempt<Message, OperationError> = {
      try: take,
      late: () => {
        giveUp()
        return late("recv", options)
      },
      left: giveUp
    }
    return asking.answered.wait(attempt, patience)
  }

  /** There is no request any more, and whoever waits for something of it is told why. */
  private forget(verdict: Exit.Exit<never, OperationError>): void {
    const { asking, sending } = this
    this.asking = undefined
    this.sending = undefined
    if (sending !== undefined) this.requests.senders.fail(sending, verdict)
    asking?.end(verdict)
  }
}

/** The socket's own, with which all the others end. */
class OwnContext extends RequestContext {
  protected override endSends(closed: Exit.Exit<never, Errors.ECLOSED>): void {
    super.endSends(closed)
    this.requests.endSends(closed)
  }

  protected override endRecvs(closed: Exit.Exit<never, Errors.ECLOSED>): void {
    super.endRecvs(closed)
    this.requests.endRecvs(closed)
  }
}

/** @internal */
export const core = (shared: Shared, settings: Settings): Core => {
  const requests = new Requests(shared, settings)
  return {
    machine: requests.machine,
    conversation: new OwnContext(requests, settings),
    open: (settings) => new RequestContext(requests, settings),
    configured: (settings) => {
      requests.settings = settings
    }
  }
}
