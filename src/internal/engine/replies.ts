// hot path: bench/src/rows/reqrep.js
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Errors from "../../Errors.js"
import type { Input, Message } from "../../Message.js"
import * as Protocol from "../../Protocol.js"
import type * as Api from "../../Socket.js"
import type { Lane } from "../protocol/machine.js"
import type { Inquiry } from "../protocol/rep0.js"
import { Rep0Machine } from "../protocol/rep0.js"
import { fromInput } from "../vocabulary/message.js"
import type { Core, OperationError, Patience, Shared } from "./conversation.js"
import { Conversation, late, patienceOf } from "./conversation.js"
import type { Settings } from "./options.js"
import type { Attempt, Waiting } from "./waiters.js"
import { Waiters } from "./waiters.js"

const state = (operation: "send" | "recv", reason: string): Exit.Exit<never, Errors.ESTATE> =>
  Exit.fail(new Errors.ESTATE({ operation, reason }))

/** Somebody who wants to know when a requester is gone. */
interface Watcher {
  readonly inquiry: Inquiry
  readonly gone: () => void
}

/** What tells rep0 from respondent0. */
interface Kind {
  readonly protocol: Protocol.Protocol
  /** Whether what was received may still be answered when an answer was not to wait, and would have had to. */
  readonly triesAgain: boolean
}

/** The requests and answers of one socket, with all of its contexts'. */
class Replies {
  readonly machine: Rep0Machine
  readonly receivers: Waiters<OperationError>
  closed = false
  /** Answers that wait for their peer to take them. */
  private readonly lines = new Map<Lane, Waiters<OperationError>>()
  private readonly watchers = new Set<Watcher>()

  constructor(
    readonly shared: Shared,
    settings: Settings,
    readonly kind: Kind
  ) {
    this.machine = new Rep0Machine(settings.ttl, shared.world, kind.protocol)
    this.receivers = new Waiters<OperationError>(() => this.closed || this.machine.canRecv, shared.deadlines)
  }

  get wantsRoom(): boolean {
    return this.lines.size > 0
  }

  notify(): void {
    this.receivers.notify()
    for (const [lane, line] of this.lines) {
      line.notify()
      if (line.none) this.lines.delete(lane)
    }
    for (const { gone, inquiry } of this.watchers) if (!this.machine.isThere(inquiry)) gone()
  }

  take(): Inquiry | undefined {
    const inquiry = this.machine.take()
    if (inquiry !== undefined) this.shared.counts.received++
    return inquiry
  }

  reply(inquiry: Inquiry, message: Message): boolean {
    if (!this.machine.reply(inquiry, message)) return false
    this.shared.counts.sent++
    return true
  }

  /** The line of those who have an answer for the same peer; undefined: there is none. */
  lineTo({ lane }: Inquiry): Waiters<OperationError> | undefined {
    const line = this.lines.get(lane)
    return line === undefined || line.none ? undefined : line
  }

  newLine(inquiry: Inquiry): Waiters<OperationError> {
    const line = new Waiters<OperationError>(() => this.machine.canReply(inquiry), this.shared.deadlines)
    this.lines.set(inquiry.lane, line)
    return line
  }

  /** Until whoever asked is gone. */
  gone(inquiry: Inquiry): Effect.Effect<void> {
    return Effect.async<void>((resume) => {
      if (!this.machine.isThere(inquiry)) return resume(Effect.void)
      const watcher = {
        inquiry,
        gone: () => {
          this.watchers.delete(watcher)
          resume(Effect.void)
        }
      }
      this.watchers.add(watcher)
      return Effect.sync(() => void this.watchers.delete(watcher))
    })
  }

  endSends(closed: Exit.Exit<never, Errors.ECLOSED>): void {
    for (const line of this.lines.values()) line.end(closed)
    this.lines.clear()
  }

  endRecvs(closed: Exit.Exit<never, Errors.ECLOSED>): void {
    this.closed = true
    this.receivers.end(closed)
  }
}

/**
 * A socket's own request, or survey, or that of one of its contexts: one at a time is with the application, to be answered once.
 *
 * @internal
 */
export class ReplyContext extends Conversation {
  /** What a send would answer. */
  private inquiry: Inquiry | undefined = undefined
  private receiving: Waiting | undefined = undefined
  private readonly sending = new Map<Waiting, Waiters<OperationError>>()

  constructor(
    readonly replies: Replies,
    settings: Settings
  ) {
    super(replies.shared, settings)
  }

  get canSend(): boolean {
    const { inquiry, replies } = this
    return inquiry !== undefined && replies.lineTo(inquiry) === undefined && replies.machine.canReply(inquiry)
  }

  get canRecv(): boolean {
    return this.replies.machine.canRecv
  }

  get wantsRoom(): boolean {
    return this.replies.wantsRoom
  }

  notify(): void {
    this.replies.notify()
  }

  recv(options: Api.OperationOptions | undefined): Effect.Effect<Message, OperationError> {
    return this.gated(() => this.recvNow(options))
  }

  send(input: Input, options: Api.OperationOptions | undefined): Effect.Effect<void, OperationError> {
    return this.gated(() => this.sendNow(input, options))
  }

  /** Until whoever sent what was received last is gone. */
  get requesterGone(): Effect.Effect<void> {
    return Effect.suspend(() => (this.inquiry === undefined ? Effect.never : this.replies.gone(this.inquiry)))
  }

  protected endSends(closed: Exit.Exit<never, Errors.ECLOSED>): void {
    this.inquiry = undefined
    for (const [waiting, line] of this.sending) line.fail(waiting, closed)
  }

  protected endRecvs(closed: Exit.Exit<never, Errors.ECLOSED>): void {
    if (this.receiving !== undefined) this.replies.receivers.fail(this.receiving, closed)
  }

  private recvNow(options: Api.OperationOptions | undefined): Effect.Effect<Message, OperationError> {
    if (this.closed !== undefined) return this.closed
    const { replies } = this
    const patience = patienceOf(options, this.settings.recvTimeout)
    if (this.receiving !== undefined) {
      return patience === 0 ? Exit.fail(late("recv", options)) : state("recv", "another receive waits")
    }
    const take = (): Exit.Exit<Message> | undefined => {
      const inquiry = replies.take()
      if (inquiry === undefined) return undefined
      this.inquiry = inquiry
      this.receiving = undefined
      return Exit.succeed(inquiry.message)
    }
    if (replies.receivers.none) {
      const exit = take()
      if (exit !== undefined) return exit
    }
    if (patience === 0) return Exit.fail(late("recv", options))
    const stop = () => {
      this.receiving = undefined
    }
    const attempt: Attempt<Message, OperationError> = {
      try: () => this.closed ?? take(),
      late: () => {
        stop()
        return late("recv", options)
      },
      left: stop
    }
    return replies.receivers.wait(attempt, patience, (waiting) => {
      this.receiving = waiting
    })
  }

  private sendNow(input: Input, options: Api.OperationOptions | undefined): Effect.Effect<void, OperationError> {
    if (this.sendsClosed !== undefined) return this.sendsClosed
    const { inquiry, replies } = this
    if (inquiry === undefined) return state("send", "there is nothing to answer")
    // it has had its one answer, whatever becomes of that
    this.inquiry = undefined
    const message = fromInput(input)
    const line = replies.lineTo(inquiry)
    if (line === undefined && replies.reply(inquiry, message)) return Exit.void
    const patience = patienceOf(options, this.settings.sendTimeout)
    if (patience === 0) {
      if (replies.kind.triesAgain) this.inquiry = inquiry
      return Exit.fail(late("send", options))
    }
    return this.waitInLine(line ?? replies.newLine(inquiry), inquiry, message, patience)
  }

  private waitInLine(
    line: Waiters<OperationError>,
    inquiry: Inquiry,
    message: Message,
    patience: Patience
  ): Effect.Effect<void, OperationError> {
    let place: Waiting | undefined
    const stop = () => {
      if (place !== undefined) this.sending.delete(place)
    }
    const attempt: Attempt<void, OperationError> = {
      try: () => {
        if (!this.replies.reply(inquiry, message)) return undefined
        stop()
        return Exit.void
      },
      late: () => {
        stop()
        return late("send", undefined)
      },
      left: () => {
        stop()
      }
    }
    return line.wait(attempt, patience, (waiting) => {
      place = waiting
      this.sending.set(waiting, line)
    })
  }
}

/** The socket's own, with which all the others end. */
class OwnContext extends ReplyContext {
  protected override endSends(closed: Exit.Exit<never, Errors.ECLOSED>): void {
    super.endSends(closed)
    this.replies.endSends(closed)
  }

  protected override endRecvs(closed: Exit.Exit<never, Errors.ECLOSED>): void {
    super.endRecvs(closed)
    this.replies.endRecvs(closed)
  }
}

const core =
  (kind: Kind) =>
  (shared: Shared, settings: Settings): Core => {
    const replies = new Replies(shared, settings, kind)
    return {
      machine: replies.machine,
      conversation: new OwnContext(replies, settings),
      open: (settings) => new ReplyContext(replies, settings),
      configured: ({ ttl }) => {
        replies.machine.ttl = ttl
      }
    }
  }

/** @internal */
export const rep0 = core({ protocol: Protocol.rep0, triesAgain: false })

/** @internal */
export const respondent0 = core({ protocol: Protocol.respondent0, triesAgain: true })
