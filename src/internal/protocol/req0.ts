// hot path: bench/src/rows/reqrep.js
import type { Message } from "../../Message.js"
import * as Protocol from "../../Protocol.js"
import { copy, unsafeSetHeader, unsafeTrim, unsafeWord } from "../vocabulary/message.js"
import * as Backtrace from "./backtrace.js"
import { Distributor } from "./distributor.js"
import { Fifo } from "./fifo.js"
import type { Lane, Machine, Refusal, World } from "./machine.js"
import { cutFor, unlessPeer } from "./machine.js"
import { QuestionIds } from "./questionIds.js"

/**
 * - `new`: given to nobody yet;
 * - `sent`: its answer may come;
 * - `again`: it was sent, and is to be sent again as soon as somebody takes it;
 * - `answered`: `reply` is there;
 * - `lost`: whoever had it is gone, and it is not to be sent again;
 * - `retired`: nobody wants the answer any more.
 */
type State = "new" | "sent" | "again" | "answered" | "lost" | "retired"

const noHeader = new Uint8Array(0)

/**
 * One question, from the moment it is put until its answer is taken.
 *
 * @internal
 */
export class Request<W> {
  state: State = "new"
  reply: Message | undefined = undefined
  /** Who wants to know what becomes of it. */
  waking: W | undefined = undefined
  /** Who had it last, and who had it before, as far as they are still there. */
  lane: Lane | undefined = undefined
  earlier: Array<Lane> | undefined = undefined
  resendAt = Infinity

  constructor(
    readonly id: number,
    readonly message: Message,
    /** Milliseconds until it is sent again; Infinity: never. */
    readonly resendTime: number
  ) {}
}

const without = (lanes: ReadonlyArray<Lane>, lane: Lane): Array<Lane> => lanes.filter((other) => other !== lane)

/** Another one has it now. */
const remember = (request: Request<unknown>, lane: Lane): void => {
  const { earlier, lane: before } = request
  if (before !== undefined) request.earlier = [...without(earlier ?? [], lane), before]
  request.lane = lane
}

/**
 * Requests, each with an id, to one peer after the other; an answer is taken from whoever had the request.
 *
 * @internal
 */
export class Req0Machine<W> implements Machine {
  private readonly repliers = new Distributor()
  private readonly open = new Map<number, Request<W>>()
  private readonly again = new Fifo<Request<W>>()
  private readonly ids: QuestionIds
  private woken: Array<Request<W>> = []

  constructor(private readonly world: World) {
    this.ids = new QuestionIds(world)
  }

  get outstanding(): Iterable<Request<W>> {
    return this.open.values()
  }

  /** Whether a new request would find a taker now. */
  get canSend(): boolean {
    return this.repliers.isReady
  }

  /** Whether there are requests that time may send again. */
  get mayResend(): boolean {
    for (const { resendTime } of this.open.values()) if (resendTime < Infinity) return true
    return false
  }

  get queued(): number {
    return this.again.length
  }

  /** Puts a question; it belongs to the machine until it is answered, lost or retired. */
  ask(message: Message, resendTime: number): Request<W> {
    const id = this.ids.next(this.open)
    unsafeSetHeader(message, Backtrace.encodeWord(id))
    const request = new Request<W>(id, message, resendTime)
    this.open.set(id, request)
    return request
  }

  /** False: nobody takes it now. */
  submit(request: Request<W>): boolean {
    const lane = this.repliers.next
    if (lane === undefined) return false
    const kept = request.resendTime < Infinity
    if (request.lane !== lane) remember(request, lane)
    request.state = "sent"
    if (kept) request.resendAt = this.world.now() + request.resendTime
    this.repliers.give(kept && lane.byReference ? copy(request.message) : request.message)
    return true
  }

  /** Nobody wants its answer. One that nobody was given is as it was before. */
  retire(request: Request<W>): void {
    if (request.state === "new") unsafeSetHeader(request.message, noHeader)
    if (request.state === "again") this.again.remove(request)
    if (request.reply !== undefined) this.world.losses.stale++
    this.open.delete(request.id)
    request.state = "retired"
    request.reply = undefined
  }

  /** Requests of which something has become since this was asked last. */
  takeWoken(): ReadonlyArray<Request<W>> {
    const { woken } = this
    if (woken.length > 0) this.woken = []
    return woken
  }

  attach(lane: Lane): Refusal | undefined {
    const refusal = unlessPeer(Protocol.req0, lane)
    if (refusal === undefined) this.writable(lane)
    return refusal
  }

  /** Whether this, which was given to a lane, goes to another if that is lost. */
  keeps(message: Message): boolean {
    const words = message.headerLength > 0 ? message.header : message.body
    const request = words.length < 4 ? undefined : this.open.get(Backtrace.decodeWord(words))
    return request !== undefined && request.resendTime < Infinity
  }

  /** What it had goes to somebody else at once, or is lost. */
  detach(lane: Lane, unsent: ReadonlyArray<Message>): number {
    this.repliers.remove(lane)
    for (const request of this.open.values()) {
      if (request.lane !== lane) {
        if (request.earlier !== undefined) request.earlier = without(request.earlier, lane)
        continue
      }
      request.lane = undefined
      if (request.state !== "sent") continue
      if (request.resendTime < Infinity) {
        this.sendAgain(request)
      } else {
        request.state = "lost"
        this.open.delete(request.id)
        this.woken.push(request)
      }
    }
    this.flush()
    return unsent.filter((message) => !this.keeps(message)).length
  }

  readable(lane: Lane): void {
    for (let message = lane.next(); message !== undefined; message = lane.next()) {
      if (message.length < 4) {
        return cutFor(message, lane, this.world.losses, `a reply of ${message.length} bytes has no request id`)
      }
      this.answer(lane, message)
    }
  }

  writable(lane: Lane): void {
    this.repliers.add(lane)
    this.flush()
  }

  resize(): number {
    return 0
  }

  close(): number {
    const unanswered = this.again.length
    this.open.clear()
    this.again.truncate(0)
    return unanswered
  }

  /** Time has passed: what has waited long enough for its answer is sent again. */
  tick(): void {
    const now = this.world.now()
    for (const request of this.open.values()) {
      if (request.state === "sent" && request.resendAt <= now) this.sendAgain(request)
    }
    this.flush()
  }

  private answer(lane: Lane, message: Message): void {
    const request = this.open.get(unsafeWord(message, 0))
    if (request === undefined || (request.lane !== lane && request.earlier?.includes(lane) !== true)) {
      this.world.losses.stale++
      return
    }
    if (request.state === "again") this.again.remove(request)
    unsafeTrim(message, 4)
    request.reply = message
    request.state = "answered"
    this.open.delete(request.id)
    this.woken.push(request)
  }

  private sendAgain(request: Request<W>): void {
    request.state = "again"
    this.again.push(request)
  }

  private flush(): void {
    while (this.repliers.isReady && this.again.length > 0) this.submit(this.again.shift()!)
  }
}
