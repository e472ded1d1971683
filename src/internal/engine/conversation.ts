// hot path: bench/
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Errors from "../../Errors.js"
import type { Message } from "../../Message.js"
import type { TurnShape } from "../../Turn.js"
import { aboutToYield } from "../ports/atomically.js"
import type { Verbs } from "../protocol/machine.js"
import type { Deadlines } from "./deadlines.js"
import type { Attempt } from "./waiters.js"
import { Waiters } from "./waiters.js"

/**
 * How long an operation may wait: undefined for ever, 0 not at all, else milliseconds.
 *
 * @internal
 */
export type Patience = number | undefined

/** @internal */
export type WaitError = Errors.ECLOSED | Errors.ETIMEDOUT | Errors.EAGAIN

/**
 * The sends and receives of a socket or of one of its contexts: who waits, for how long, and in which order.
 *
 * @internal
 */
export class Conversation {
  private readonly senders: Waiters<WaitError>
  private readonly receivers: Waiters<WaitError>
  private closed: Exit.Exit<never, Errors.ECLOSED> | undefined = undefined
  /** Messages taken and given by the application. */
  sent = 0
  received = 0

  constructor(
    private readonly verbs: Verbs,
    deadlines: Deadlines,
    private readonly turn: TurnShape
  ) {
    this.senders = new Waiters(() => this.closed !== undefined || verbs.canSend, deadlines)
    this.receivers = new Waiters(() => this.closed !== undefined || verbs.canRecv, deadlines)
  }

  /** To be called after every event of the protocol. */
  notify(): void {
    this.receivers.notify()
    this.senders.notify()
  }

  close(error: Errors.ECLOSED): void {
    this.closed = Exit.fail(error)
    this.senders.end(this.closed)
    this.receivers.end(this.closed)
  }

  send(message: Message, patience: Patience, refusal: () => WaitError): Effect.Effect<void, WaitError> {
    return this.operation(this.senders, () => this.trySend(message), patience, refusal)
  }

  recv(patience: Patience, refusal: () => WaitError): Effect.Effect<Message, WaitError> {
    return this.operation(this.receivers, this.tryRecv, patience, refusal)
  }

  /** What is there, at least one message and at most `max`. */
  recvChunk(
    max: number,
    patience: Patience,
    refusal: () => WaitError
  ): Effect.Effect<Chunk.NonEmptyChunk<Message>, WaitError> {
    return this.operation(this.receivers, () => this.tryRecvChunk(max), patience, refusal)
  }

  /** All of them, in order; each goes out as soon as it can. */
  sendAll(
    messages: ReadonlyArray<Message>,
    patience: Patience,
    refusal: () => WaitError
  ): Effect.Effect<void, WaitError> {
    let next = 0
    const attempt = () => {
      if (this.closed !== undefined) return this.closed
      const from = next
      while (next < messages.length && this.verbs.send(messages[next]!)) next++
      this.sent += next - from
      if (next > from) this.notify()
      return next === messages.length ? Exit.void : undefined
    }
    return this.operation(this.senders, attempt, patience, refusal)
  }

  private operation<A>(
    waiters: Waiters<WaitError>,
    attempt: Attempt<A, WaitError>,
    patience: Patience,
    refusal: () => WaitError
  ): Effect.Effect<A, WaitError> {
    const effect: Effect.Effect<A, WaitError> = Effect.withFiberRuntime((fiber) => {
      if (this.turn.unsafeDue()) return Effect.zipRight(this.turn.hop, effect)
      if (aboutToYield(fiber)) return Effect.zipRight(Effect.yieldNow(), effect)
      if (waiters.none) {
        const exit = attempt()
        if (exit !== undefined) return exit
      }
      if (this.closed !== undefined) return this.closed
      if (patience === 0) return Exit.fail(refusal())
      return waiters.wait(attempt, patience, () => Exit.fail(refusal()))
    })
    return effect
  }

  private trySend(message: Message): Exit.Exit<void, WaitError> | undefined {
    if (this.closed !== undefined) return this.closed
    if (!this.verbs.send(message)) return undefined
    this.sent++
    this.receivers.notify()
    return Exit.void
  }

  private readonly tryRecv = (): Exit.Exit<Message, WaitError> | undefined => {
    if (this.closed !== undefined) return this.closed
    const message = this.verbs.recv()
    if (message === undefined) return undefined
    this.received++
    this.senders.notify()
    return Exit.succeed(message)
  }

  private tryRecvChunk(max: number): Exit.Exit<Chunk.NonEmptyChunk<Message>, WaitError> | undefined {
    if (this.closed !== undefined) return this.closed
    const messages: Array<Message> = []
    for (let message = this.verbs.recv(); message !== undefined; message = this.verbs.recv()) {
      messages.push(message)
      if (messages.length === max) break
    }
    if (messages.length === 0) return undefined
    this.received += messages.length
    this.senders.notify()
    return Exit.succeed(Chunk.unsafeFromArray(messages) as Chunk.NonEmptyChunk<Message>)
  }
}
