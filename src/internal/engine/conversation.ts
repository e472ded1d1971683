// hot path: bench/src/rows/oneway.js, rtt.js
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Errors from "../../Errors.js"
import type { Input, Message } from "../../Message.js"
import type * as Api from "../../Socket.js"
import type { Stint, TurnShape } from "../../Turn.js"
import { aboutToYield } from "../ports/atomically.js"
import type { Deadlines } from "../ports/deadlines.js"
import type { Machine, World } from "../protocol/machine.js"
import type { Settings } from "./options.js"

/**
 * How long an operation may wait: undefined for ever, 0 not at all, else milliseconds.
 *
 * @internal
 */
export type Patience = number | undefined

/** @internal */
export type WaitError = Errors.ECLOSED | Errors.ETIMEDOUT | Errors.EAGAIN

/** What protocols with a state add: an operation that has no place in it, or that another one has put an end to. */
export type StateError = Errors.ESTATE | Errors.ECANCELED | Errors.ECONNRESET

/** @internal */
export type OperationError = WaitError | StateError | Errors.EPROTO | Errors.EBUSY

/**
 * What the conversations of one socket share.
 *
 * @internal
 */
export interface Shared {
  readonly deadlines: Deadlines
  readonly turn: TurnShape
  readonly stint: Stint
  /** To be called when something that is to go out does not have to any more, and somebody waits for the end of that. */
  readonly changed: () => void
  readonly world: World
  /** Messages given by and to the application. */
  readonly counts: { sent: number; received: number }
  /** Set when the socket only receives any more, for conversations that are opened later. */
  sendsClosed: Exit.Exit<never, Errors.ECLOSED> | undefined
}

/**
 * A protocol at work for one socket.
 *
 * @internal
 */
export interface Core {
  readonly machine: Machine
  /** The socket's own. */
  readonly conversation: Conversation
  /** Another one beside it, where the protocol has contexts. */
  readonly open?: (settings: Settings) => Conversation
  /** Settings of the socket have changed. */
  readonly configured?: (settings: Settings) => void
}

/** About as many as effect's own budget of ops allows. */
const uncountedAtMost = 1024

/**
 * The sends and receives of a socket or of one of its contexts: who waits, for how long, and in which order.
 *
 * @internal
 */
export abstract class Conversation {
  closed: Exit.Exit<never, Errors.ECLOSED> | undefined = undefined
  /** Set before `closed` is when it only receives any more. */
  sendsClosed: Exit.Exit<never, Errors.ECLOSED> | undefined
  /** Operations since the runtime counted one. */
  private uncounted = 0

  constructor(
    readonly shared: Shared,
    public settings: Settings
  ) {
    this.sendsClosed = shared.sendsClosed
  }

  /** Whether a send, or a receive, would not have to wait. */
  abstract get canSend(): boolean
  abstract get canRecv(): boolean

  abstract send(input: Input, options: Api.OperationOptions | undefined): Effect.Effect<void, OperationError>

  abstract recv(options: Api.OperationOptions | undefined): Effect.Effect<Message, OperationError>

  /** Whether somebody waits to send. */
  abstract get wantsRoom(): boolean

  /** Whether somebody waits to receive, and is not awake yet. */
  get awaits(): boolean {
    return false
  }

  /** To be called after every event of the protocol. */
  abstract notify(): void

  /** Ends who waits to send; called once, with `sendsClosed` set. */
  protected abstract endSends(closed: Exit.Exit<never, Errors.ECLOSED>): void

  /** Ends who waits to receive; called once, with `closed` set. */
  protected abstract endRecvs(closed: Exit.Exit<never, Errors.ECLOSED>): void

  /** Takes these settings over; they hold from the next operation. */
  configure(settings: Settings): void {
    this.settings = settings
  }

  /** Nothing more is sent; what is there can still be received. */
  closeSends(error: Errors.ECLOSED): void {
    if (this.sendsClosed !== undefined) return
    this.sendsClosed = Exit.fail(error)
    this.endSends(this.sendsClosed)
  }

  close(error: Errors.ECLOSED): void {
    if (this.closed !== undefined) return
    this.closed = Exit.fail(error)
    this.closeSends(error)
    this.sendsClosed = this.closed
    this.endRecvs(this.closed)
  }

  /** Whether other fibers, or the event loop, have waited long enough for a fiber that loops over ready operations. */
  isOthersTurn(): boolean {
    this.uncounted++
    return this.uncounted > uncountedAtMost || this.shared.turn.unsafeDue(this.shared.stint)
  }

  /** An operation, and before it what has to come before. */
  protected gated<A, E>(operation: () => Effect.Effect<A, E>): Effect.Effect<A, E> {
    return Effect.suspend(() => {
      const first = this.beforehand()
      return first === undefined ? operation() : Effect.zipRight(first, this.gated(operation))
    })
  }

  /** What has to come before an operation: the event loop's turn, or other fibers'. */
  beforehand(): Effect.Effect<void> | undefined {
    if (this.uncounted > uncountedAtMost || aboutToYield()) {
      this.uncounted = 0
      return Effect.yieldNow()
    }
    const { stint, turn } = this.shared
    return turn.unsafeDue(stint) ? turn.hop : undefined
  }
}

/**
 * What an operation fails with that may not wait, or has waited too long.
 *
 * @internal
 */
export const late = (operation: string, options: Api.OperationOptions | undefined): WaitError =>
  options?.nonblocking === true ? new Errors.EAGAIN({ operation }) : new Errors.ETIMEDOUT({ operation })

/** @internal */
export const patienceOf = (options: Api.OperationOptions | undefined, byDefault: Patience): Patience => {
  if (options === undefined) return byDefault
  if (options.nonblocking === true) return 0
  if (options.timeout === undefined) return byDefault
  const millis = Duration.toMillis(options.timeout)
  return millis === Infinity ? undefined : millis
}
