// hot path: bench/src/rows/oneway.js, rtt.js
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import * as Exit from "effect/Exit"
import * as Duration from "effect/Duration"
import { SingleShotGen, YieldWrap } from "effect/Utils"
import * as Errors from "../../Errors.js"
import type { Input, Message } from "../../Message.js"
import type * as Api from "../../Socket.js"
import { fromInput } from "../vocabulary/message.js"
import type { TurnShape } from "../../Turn.js"
import { aboutToYield, inFiber } from "../ports/atomically.js"
import type { Verbs } from "../protocol/machine.js"
import type { Deadlines } from "../ports/deadlines.js"
import type { Attempt } from "./waiters.js"
import { Waiters } from "./waiters.js"

/**
 * How long an operation may wait: undefined for ever, 0 not at all, else milliseconds.
 *
 * @internal
 */
export type Patience = number | undefined

/**
 * How long operations wait that do not say so themselves.
 *
 * @internal
 */
export interface DefaultPatience {
  readonly sendTimeout: Patience
  readonly recvTimeout: Patience
}

/** @internal */
export type WaitError = Errors.ECLOSED | Errors.ETIMEDOUT | Errors.EAGAIN

/** About as many as effect's own budget of ops allows. */
const uncountedAtMost = 1024

/**
 * The sends and receives of a socket or of one of its contexts: who waits, for how long, and in which order.
 *
 * @internal
 */
export class Conversation {
  readonly senders: Waiters<WaitError>
  readonly receivers: Waiters<WaitError>
  closed: Exit.Exit<never, Errors.ECLOSED> | undefined = undefined
  /** Messages taken from and given to the application. */
  sent = 0
  received = 0
  /** Operations since the runtime counted one. */
  private uncounted = 0

  constructor(
    readonly verbs: Verbs,
    deadlines: Deadlines,
    readonly turn: TurnShape,
    public patience: DefaultPatience
  ) {
    this.senders = new Waiters(() => this.closed !== undefined || verbs.canSend, deadlines)
    this.receivers = new Waiters(() => this.closed !== undefined || verbs.canRecv, deadlines)
  }

  /** To be called after every event of the protocol. */
  notify(): void {
    this.receivers.notify()
    this.senders.notify()
  }

  /** Whether other fibers, or the event loop, have waited long enough for a fiber that loops over ready operations. */
  isOthersTurn(): boolean {
    this.uncounted++
    return this.uncounted > uncountedAtMost || this.turn.unsafeDue()
  }

  /** What has to come before an operation: the event loop's turn, or other fibers'. */
  beforehand(): Effect.Effect<void> | undefined {
    if (this.uncounted > uncountedAtMost || aboutToYield()) {
      this.uncounted = 0
      return Effect.yieldNow()
    }
    return this.turn.unsafeDue() ? this.turn.hop : undefined
  }

  close(error: Errors.ECLOSED): void {
    this.closed = Exit.fail(error)
    this.senders.end(this.closed)
    this.receivers.end(this.closed)
  }
}

const patienceOf = ({ nonblocking, timeout }: Api.OperationOptions, byDefault: Patience): Patience => {
  if (nonblocking === true) return 0
  if (timeout === undefined) return byDefault
  const millis = Duration.toMillis(timeout)
  return millis === Infinity ? undefined : millis
}

/**
 * An effect without closures: what runs millions of times a second is one small object, with nothing in it that sees
 * the operation before. (Closures over an effect and its waiter make a chain from each operation to the next, and
 * garbage collection several times as dear.)
 */
abstract class Operation<A> extends Effectable.Class<A, WaitError> implements Attempt<A, WaitError> {
  constructor(
    readonly conversation: Conversation,
    private readonly waiters: Waiters<WaitError>,
    private readonly options: Api.OperationOptions | undefined
  ) {
    super()
  }

  /** What it is called, and how long it waits when nobody says. */
  protected abstract get name(): "send" | "recv"
  protected abstract get patience(): Patience

  abstract try(): Exit.Exit<A, WaitError> | undefined

  /**
   * `yield*` asks for this at the moment when it runs the effect, and a generator takes an exit without a step of the
   * runtime: an operation that need not wait is then done here, in half the time. The runtime does not count it; so
   * every so often it goes the long way, for others to run. Whoever takes an iterator outside of a fiber runs nothing.
   */
  override [Symbol.iterator](): Effect.EffectGenerator<Effect.Effect<A, WaitError>> {
    const { conversation, waiters } = this
    const now = !conversation.isOthersTurn() && conversation.closed === undefined && waiters.none && inFiber()
    return new SingleShotGen(new YieldWrap(now ? (this.try() ?? this.wait()) : this))
  }

  commit(): Effect.Effect<A, WaitError> {
    const { conversation, waiters } = this
    const first = conversation.beforehand()
    if (first !== undefined) return Effect.zipRight(first, this)
    if (conversation.closed !== undefined) return conversation.closed
    if (waiters.none) {
      const exit = this.try()
      if (exit !== undefined) return exit
    }
    return this.wait()
  }

  private wait(): Effect.Effect<A, WaitError> {
    const { options } = this
    const patience = options === undefined ? this.patience : patienceOf(options, this.patience)
    return patience === 0 ? Exit.fail(this.late()) : this.waiters.wait(this, patience)
  }

  toJSON(): unknown {
    return { _id: `effect-nng/Socket.${this.name}` }
  }

  late(): WaitError {
    return this.options?.nonblocking === true
      ? new Errors.EAGAIN({ operation: this.name })
      : new Errors.ETIMEDOUT({ operation: this.name })
  }
}

abstract class Sending extends Operation<void> {
  constructor(conversation: Conversation, options: Api.OperationOptions | undefined) {
    super(conversation, conversation.senders, options)
  }

  protected get name() {
    return "send" as const
  }

  protected get patience() {
    return this.conversation.patience.sendTimeout
  }
}

abstract class Receiving<A> extends Operation<A> {
  constructor(conversation: Conversation, options: Api.OperationOptions | undefined) {
    super(conversation, conversation.receivers, options)
  }

  protected get name() {
    return "recv" as const
  }

  protected get patience() {
    return this.conversation.patience.recvTimeout
  }
}

/** @internal */
export class Send extends Sending {
  constructor(
    conversation: Conversation,
    private readonly input: Input,
    options: Api.OperationOptions | undefined
  ) {
    super(conversation, options)
  }

  try(): Exit.Exit<void, WaitError> | undefined {
    const { conversation } = this
    if (conversation.closed !== undefined) return conversation.closed
    // made anew each time, as the effect may run more than once and a message that was sent belongs to the receiver
    if (!conversation.verbs.send(fromInput(this.input))) return undefined
    conversation.sent++
    conversation.receivers.notify()
    return Exit.void
  }
}

/**
 * All of them, in order; each goes out as soon as it can. It has its place in the batch, so it runs once.
 *
 * @internal
 */
export class SendAll extends Sending {
  private next = 0

  constructor(
    conversation: Conversation,
    private readonly messages: ReadonlyArray<Message>,
    options: Api.OperationOptions | undefined
  ) {
    super(conversation, options)
  }

  try(): Exit.Exit<void, WaitError> | undefined {
    const { conversation, messages } = this
    if (conversation.closed !== undefined) return conversation.closed
    const from = this.next
    while (this.next < messages.length && conversation.verbs.send(messages[this.next]!)) this.next++
    conversation.sent += this.next - from
    if (this.next > from) conversation.receivers.notify()
    return this.next === messages.length ? Exit.void : undefined
  }
}

/** @internal */
export class Recv extends Receiving<Message> {
  try(): Exit.Exit<Message, WaitError> | undefined {
    const { conversation } = this
    if (conversation.closed !== undefined) return conversation.closed
    const message = conversation.verbs.recv()
    if (message === undefined) return undefined
    conversation.received++
    conversation.senders.notify()
    return Exit.succeed(message)
  }
}

/**
 * What is there, at least one message and at most `max`.
 *
 * @internal
 */
export class RecvChunk extends Receiving<Chunk.NonEmptyChunk<Message>> {
  constructor(
    conversation: Conversation,
    private readonly max: number,
    options: Api.OperationOptions | undefined
  ) {
    super(conversation, options)
  }

  try(): Exit.Exit<Chunk.NonEmptyChunk<Message>, WaitError> | undefined {
    const { conversation, max } = this
    if (conversation.closed !== undefined) return conversation.closed
    const { verbs } = conversation
    const messages: Array<Message> = []
    for (let message = verbs.recv(); message !== undefined; message = verbs.recv()) {
      messages.push(message)
      if (messages.length >= max) break
    }
    if (messages.length === 0) return undefined
    conversation.received += messages.length
    conversation.senders.notify()
    return Exit.succeed(Chunk.unsafeFromArray(messages) as Chunk.NonEmptyChunk<Message>)
  }
}
