// hot path: bench/src/rows/oneway.js, rtt.js
import * as Effect from "effect/Effect"
import * as Address from "../../Address.js"
import type { Handler, Leftover } from "../../Duplex.js"
import * as Errors from "../../Errors.js"
import type { Message } from "../../Message.js"
import * as Api from "../../Pipe.js"
import type { Connection, Messages, ReceiveError } from "../../Transport.js"
import type { Lane } from "../protocol/machine.js"
import { copy, unsafeSetPipe } from "../vocabulary/message.js"
import { soon } from "../ports/soon.js"
import { Shown } from "../vocabulary/shown.js"

/** What a pipe tells its socket. */
interface Owner {
  readonly id: number
  /** Whether somebody waits for a message. */
  readonly awaits: boolean
  readonly readable: (pipe: PipeImpl) => void
  readonly writable: (pipe: PipeImpl) => void
  /** Its peer is gone, and what it had sent is not all taken. */
  readonly ended: (pipe: PipeImpl) => void
}

/** Who is to know that a pipe has ended. */
interface Watcher {
  readonly ended: (pipe: PipeImpl) => void
}

const nothing: ReadonlyArray<Message> = []

/**
 * A connection as the socket sees it. At most one decoded read waits here for the protocol; only when that is taken
 * is the next one asked for, and only then is a peer's leaving noticed.
 *
 * @internal
 */
export class PipeImpl extends Shown implements Api.Pipe, Lane, Handler<ReadonlyArray<Message>, ReceiveError> {
  readonly [Api.TypeId]: Api.TypeId = Api.TypeId
  readonly socketId: number
  readonly peerProtocol: number
  readonly properties: Api.PipeProperties
  readonly byReference: boolean
  writable = false
  /** Why it is gone, or going. */
  reason: Api.RemovalReason | undefined = undefined

  private readonly messages: Messages
  private inbox: ReadonlyArray<Message> = nothing
  private taken = 0
  /** Messages that nobody will have, for want of a connection. */
  private lost = 0
  /** The transport has nothing more to give than what it gave. */
  ended = false
  private gone = false
  private watcher: Watcher | undefined = undefined

  constructor(
    private readonly owner: Owner,
    readonly id: number,
    readonly origin: Api.Origin,
    connection: Connection
  ) {
    super()
    this.socketId = owner.id
    this.peerProtocol = connection.peerProtocol
    this.properties = connection.properties
    this.byReference = connection.byReference === true
    this.messages = connection.messages
  }

  get scheme(): string {
    return this.origin.url.slice(0, this.origin.url.indexOf(":"))
  }

  get awaits(): boolean {
    return this.owner.awaits
  }

  get hasNext(): boolean {
    return this.taken < this.inbox.length
  }

  get peek(): Message | undefined {
    return this.inbox[this.taken]
  }

  /** True from the moment that nobody can use it any more. */
  get isGone(): boolean {
    return this.gone
  }

  get close(): Effect.Effect<void, Errors.ENOENT> {
    return Effect.suspend(() => {
      if (this.gone) return new Errors.ENOENT({ operation: "Pipe.close", reason: `pipe ${this.id} is gone` })
      this.cut(new Errors.ECLOSED({ operation: "Pipe.close" }))
      return Effect.void
    })
  }

  /** Tells, soon and once, that it has ended by itself. */
  watch(watcher: Watcher): void {
    this.watcher = watcher
    if (this.gone) this.tell()
  }

  /** The protocol is about to have it. */
  start(): void {
    this.writable = true
    this.messages.start(this)
  }

  /** Asks for the first messages. */
  listen(): void {
    this.refill()
    if (this.hasNext) this.owner.readable(this)
  }

  next(): Message | undefined {
    const { inbox } = this
    if (this.taken === inbox.length) return undefined
    const message = inbox[this.taken++]!
    unsafeSetPipe(message, this.id)
    if (this.taken === inbox.length) this.refill()
    return message
  }

  push(message: Message): void {
    this.writable = this.messages.push(message) && !this.gone
  }

  share(message: Message): void {
    const { messages } = this
    const room = messages.share?.(message) ?? messages.push(this.byReference ? copy(message) : message)
    this.writable = room && !this.gone
  }

  /** When all that was pushed is handed over, or cannot be any more. */
  get allSent(): Effect.Effect<void> {
    return Effect.async((resume) => this.messages.whenSent(() => resume(Effect.void)))
  }

  /** Ends it from this side, now. */
  cut(reason: Api.RemovalReason): void {
    this.reason ??= reason
    this.leaveBehind()
    this.leave()
  }

  giveUp(): void {
    this.leaveBehind()
    this.leave()
  }

  /** Closes the connection; returns how many messages that had come are lost with it, and what it had not sent. */
  release(): { readonly lost: number } & Leftover<Message> {
    this.watcher = undefined
    this.cut(new Errors.ECLOSED({ operation: "pipe" }))
    const { doubtful, unsent } = this.messages.close()
    const { lost } = this
    this.lost = 0
    return { lost, doubtful, unsent }
  }

  onPull(batch: ReadonlyArray<Message>): void {
    if (this.gone) {
      this.lost += batch.length
      return
    }
    this.inbox = batch
    this.taken = 0
    this.owner.readable(this)
  }

  onDrain(): void {
    if (this.ended || this.gone) return
    this.writable = true
    this.owner.writable(this)
  }

  onClose(error: ReceiveError): void {
    this.reason ??= error
    this.ended = true
    this.writable = false
    if (this.gone) return
    if (this.hasNext) return this.owner.ended(this)
    this.refill()
    if (this.hasNext) this.owner.readable(this)
  }

  private refill(): void {
    if (this.gone) return
    this.inbox = this.messages.pull() ?? nothing
    this.taken = 0
    if (this.inbox.length === 0 && this.ended) this.leave()
  }

  private leaveBehind(): void {
    this.lost += this.inbox.length - this.taken
    this.inbox = nothing
    this.taken = 0
  }

  private leave(): void {
    if (this.gone) return
    this.gone = true
    this.writable = false
    if (this.watcher !== undefined) this.tell()
  }

  /** Later: it may be the protocol, in the middle of something, that found the end. */
  private tell(): void {
    const { watcher } = this
    this.watcher = undefined
    soon(() => watcher?.ended(this))
  }

  toJSON(): unknown {
    const { localAddress, remoteAddress } = this.properties
    return {
      _id: "effect-nng/Pipe",
      id: this.id,
      socketId: this.socketId,
      origin: this.origin,
      peerProtocol: this.peerProtocol,
      ...(localAddress === undefined ? {} : { localAddress: Address.format(localAddress) }),
      ...(remoteAddress === undefined ? {} : { remoteAddress: Address.format(remoteAddress) })
    }
  }
}
