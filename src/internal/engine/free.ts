// hot path: bench/src/rows/oneway.js, rtt.js
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import * as Exit from "effect/Exit"
import { SingleShotGen, YieldWrap } from "effect/Utils"
import * as Errors from "../../Errors.js"
import type { Input, Message } from "../../Message.js"
import type * as Api from "../../Socket.js"
import { inFiber } from "../ports/atomically.js"
import type { Machine, Verbs, World } from "../protocol/machine.js"
import { fromInput } from "../vocabulary/message.js"
import type { Core, OperationError, Patience, Shared, WaitError } from "./conversation.js"
import { Conversation, late, patienceOf } from "./conversation.js"
import type { Settings } from "./options.js"
import type { Attempt } from "./waiters.js"
import { Waiters } from "./waiters.js"

type FreeError = WaitError | Errors.EBUSY

/**
 * Who sends and receives in place of the application, as long as it has the socket.
 *
 * @internal
 */
export interface Borrower {
  /** Something has become possible. */
  readonly notify: () => void
  /** The socket is closed. */
  readonly end: (closed: Exit.Exit<never, Errors.ECLOSED>) => void
  /** Whether it has something to send there. */
  readonly wantsRoom: (conversation: FreeConversation) => boolean
}

/**
 * For protocols whose sends and receives stand each for itself.
 *
 * @internal
 */
export class FreeConversation extends Conversation {
  readonly senders: Waiters<FreeError>
  readonly receivers: Waiters<FreeError>
  private borrower: Borrower | undefined = undefined
  /** What operations fail with meanwhile. */
  private busy: Exit.Exit<never, Errors.EBUSY> | undefined = undefined
  /** The plain receive, made once. */
  private readonly plainRecv: Recv

  constructor(
    readonly verbs: Verbs,
    shared: Shared,
    settings: Settings
  ) {
    super(shared, settings)
    this.senders = new Waiters<FreeError>(() => this.refusesSends !== undefined || verbs.canSend, shared.deadlines)
    this.receivers = new Waiters<FreeError>(() => this.refusesRecvs !== undefined || verbs.canRecv, shared.deadlines)
    this.plainRecv = new Recv(this, undefined)
  }

  /** Why nobody sends any more, or for now. */
  get refusesSends(): Exit.Exit<never, Errors.ECLOSED | Errors.EBUSY> | undefined {
    return this.sendsClosed ?? this.busy
  }

  get refusesRecvs(): Exit.Exit<never, Errors.ECLOSED | Errors.EBUSY> | undefined {
    return this.closed ?? this.busy
  }

  get canSend(): boolean {
    return this.busy === undefined && this.verbs.canSend
  }

  get canRecv(): boolean {
    return this.busy === undefined && this.verbs.canRecv
  }

  get wantsRoom(): boolean {
    return this.borrower === undefined ? !this.senders.none : this.borrower.wantsRoom(this)
  }

  override get awaits(): boolean {
    return this.receivers.waiting
  }

  notify(): void {
    this.receivers.notify()
    this.senders.notify()
    this.borrower?.notify()
  }

  /** Nobody but the borrower sends or receives until it is given back; who waits to does not any more. */
  lend(borrower: Borrower): void {
    this.borrower = borrower
    this.busy = Exit.fail(new Errors.EBUSY({ operation: "Socket", reason: "a device has the socket" }))
    this.senders.end(this.busy)
    this.receivers.end(this.busy)
  }

  takeBack(): void {
    this.borrower = undefined
    this.busy = undefined
  }

  send(input: Input, options: Api.OperationOptions | undefined): Effect.Effect<void, OperationError> {
    return new Send(this, input, options)
  }

  recv(options: Api.OperationOptions | undefined): Recv {
    return options === undefined ? this.plainRecv : new Recv(this, options)
  }

  sendAll(
    messages: ReadonlyArray<Message>,
    options: Api.OperationOptions | undefined
  ): Effect.Effect<void, OperationError> {
    return new SendAll(this, messages, options)
  }

  recvChunk(max: number, options: Api.OperationOptions | undefined): RecvChunk {
    return new RecvChunk(this, max, options)
  }

  protected endSends(closed: Exit.Exit<never, Errors.ECLOSED>): void {
    this.senders.end(closed)
  }

  protected endRecvs(closed: Exit.Exit<never, Errors.ECLOSED>): void {
    this.receivers.end(closed)
    this.borrower?.end(closed)
  }
}

/**
 * A core of such a protocol.
 *
 * @internal
 */
export const core =
  <M extends Machine & Verbs>(
    /** `demand`: how many messages those who wait to receive take. */
    make: (settings: Settings, world: World, demand: () => number) => M,
    configured?: (machine: M, settings: Settings) => void,
    Conversation: new (machine: M, shared: Shared, settings: Settings) => FreeConversation = FreeConversation
  ) =>
  (shared: Shared, settings: Settings): Core => {
    const machine: M = make(settings, shared.world, () => conversation.receivers.demand)
    const conversation: FreeConversation = new Conversation(machine, shared, settings)
    return {
      machine,
      conversation,
      configured: (settings) => configured?.(machine, settings)
    }
  }

/**
 * An effect without closures: what runs millions of times a second is one small object, with nothing in it that sees
 * the operation before. (Closures over an effect and its waiter make a chain from each operation to the next, and
 * garbage collection several times as dear.)
 */
abstract class Operation<A> extends Effectable.Class<A, FreeError> implements Attempt<A, FreeError> {
  constructor(
    readonly conversation: FreeConversation,
    private readonly waiters: Waiters<FreeError>,
    private readonly options: Api.OperationOptions | undefined
  ) {
    super()
  }

  /** What it is called, and how long it waits when nobody says. */
  protected abstract get name(): "send" | "recv"
  protected abstract get patience(): Patience

  /** Why there are none of its kind any more, or for now. */
  protected abstract get ended(): Exit.Exit<never, Errors.ECLOSED | Errors.EBUSY> | undefined

  abstract try(): Exit.Exit<A, FreeError> | undefined

  /**
   * `yield*` asks for this at the moment when it runs the effect, and a generator takes an exit without a step of the
   * runtime: an operation that need not wait is then done here, in half the time. The runtime does not count it; so
   * every so often it goes the long way, for others to run. Whoever takes an iterator outside of a fiber runs nothing.
   */
  override [Symbol.iterator](): Effect.EffectGenerator<Effect.Effect<A, FreeError>> {
    const { conversation, waiters } = this
    const now = !conversation.isOthersTurn() && this.ended === undefined && waiters.none && inFiber()
    return new SingleShotGen(new YieldWrap(now ? (this.try() ?? this.wait()) : this))
  }

  commit(): Effect.Effect<A, FreeError> {
    const { conversation, waiters } = this
    const first = conversation.beforehand()
    if (first !== undefined) return Effect.zipRight(first, this)
    const { ended } = this
    if (ended !== undefined) return ended
    if (waiters.none) {
      const exit = this.try()
      if (exit !== undefined) return exit
    }
    return this.wait()
  }

  private wait(): Effect.Effect<A, FreeError> {
    const patience = patienceOf(this.options, this.patience)
    return patience === 0 ? Exit.fail(this.late()) : this.waiters.wait(this, patience)
  }

  toJSON(): unknown {
    return { _id: `effect-nng/Socket.${this.name}` }
  }

  late(): WaitError {
    return late(this.name, this.options)
  }
}

abstract class Sending extends Operation<void> {
  constructor(conversation: FreeConversation, options: Api.OperationOptions | undefined) {
    super(conversation, conversation.senders, options)
  }

  protected get name() {
    return "send" as const
  }

  protected get ended() {
    return this.conversation.refusesSends
  }

  protected get patience() {
    return this.conversation.settings.sendTimeout
  }
}

abstract class Receiving<A> extends Operation<A> {
  constructor(conversation: FreeConversation, options: Api.OperationOptions | undefined) {
    super(conversation, conversation.receivers, options)
  }

  protected get name() {
    return "recv" as const
  }

  protected get ended() {
    return this.conversation.refusesRecvs
  }

  protected get patience() {
    return this.conversation.settings.recvTimeout
  }
}

/** @internal */
export class Send extends Sending {
  constructor(
    conversation: FreeConversation,
    private readonly input: Input,
    options: Api.OperationOptions | undefined
  ) {
    super(conversation, options)
  }

  try(): Exit.Exit<void, FreeError> | undefined {
    const { conversation, ended } = this
    if (ended !== undefined) return ended
    // made anew each time, as the effect may run more than once and a message that was sent belongs to the receiver
    if (!conversation.verbs.send(fromInput(this.input))) return undefined
    conversation.shared.counts.sent++
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
    conversation: FreeConversation,
    private readonly messages: ReadonlyArray<Message>,
    options: Api.OperationOptions | undefined
  ) {
    super(conversation, options)
  }

  try(): Exit.Exit<void, FreeError> | undefined {
    const { conversation, ended, messages } = this
    if (ended !== undefined) return ended
    const from = this.next
    while (this.next < messages.length && conversation.verbs.send(messages[this.next]!)) this.next++
    const { counts, stint, turn } = conversation.shared
    counts.sent += this.next - from
    turn.unsafeDue(stint, this.next - from)
    if (this.next > from) conversation.receivers.notify()
    return this.next === messages.length ? Exit.void : undefined
  }
}

/** @internal */
export class Recv extends Receiving<Message> {
  try(): Exit.Exit<Message, FreeError> | undefined {
    const { conversation, ended } = this
    if (ended !== undefined) return ended
    const message = conversation.verbs.recv()
    if (message === undefined) return undefined
    conversation.shared.counts.received++
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
    conversation: FreeConversation,
    readonly max: number,
    options: Api.OperationOptions | undefined
  ) {
    super(conversation, options)
  }

  try(): Exit.Exit<Chunk.NonEmptyChunk<Message>, FreeError> | undefined {
    const { conversation, ended, max } = this
    if (ended !== undefined) return ended
    const { verbs } = conversation
    const messages: Array<Message> = []
    for (let message = verbs.recv(); message !== undefined; message = verbs.recv()) {
      messages.push(message)
      if (messages.length >= max) break
    }
    if (messages.length === 0) return undefined
    const { counts, stint, turn } = conversation.shared
    counts.received += messages.length
    turn.unsafeDue(stint, messages.length)
    conversation.senders.notify()
    return Exit.succeed(Chunk.unsafeFromArray(messages) as Chunk.NonEmptyChunk<Message>)
  }
}
