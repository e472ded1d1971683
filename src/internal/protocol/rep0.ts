// hot path: bench/src/rows/reqrep.js
import type { Message } from "../../Message.js"
import * as Protocol from "../../Protocol.js"
import { unsafeSetHeader } from "../vocabulary/message.js"
import * as Backtrace from "./backtrace.js"
import { Fifo } from "./fifo.js"
import type { Lane, Machine, Refusal, World } from "./machine.js"
import { cutFor, unlessPeer } from "./machine.js"

const noHeader = new Uint8Array(0)

/**
 * A request that was received: what it says, and where its answer goes.
 *
 * @internal
 */
export class Inquiry {
  constructor(
    readonly lane: Lane,
    readonly backtrace: Uint8Array,
    readonly message: Message
  ) {}
}

/**
 * Requests, or surveys, one of each peer in turn, and answers to whom they came from.
 *
 * @internal
 */
export class Rep0Machine implements Machine {
  private readonly lanes = new Set<Lane>()
  /** The next request of each peer that has one, looked at already, and the peers in the order of their coming. */
  private readonly held = new Map<Lane, Inquiry>()
  private readonly askers = new Fifo<Lane>()
  readonly queued = 0

  constructor(
    /** Most words of a backtrace. */
    public ttl: number,
    private readonly world: World,
    /** Or its likeness, respondent0. */
    private readonly protocol: Protocol.Protocol = Protocol.rep0
  ) {}

  get canRecv(): boolean {
    return this.askers.length > 0
  }

  /** The request of whoever has waited longest. */
  take(): Inquiry | undefined {
    for (let lane = this.askers.shift(); lane !== undefined; lane = this.askers.shift()) {
      const inquiry = this.held.get(lane)!
      this.held.delete(lane)
      // nothing: it was cut meanwhile
      const taken = lane.next()
      // one is with the application now, and the next may be held
      this.readable(lane)
      if (taken !== undefined) return inquiry
    }
    return undefined
  }

  /** Whether an answer would go out at once, or nowhere. */
  canReply(inquiry: Inquiry): boolean {
    return inquiry.lane.writable || !this.isThere(inquiry)
  }

  /** Whether whoever asked is still there; what he left behind may be. */
  isThere({ lane }: Inquiry): boolean {
    return !lane.ended && this.lanes.has(lane)
  }

  /** False: it would have to wait. Whoever asked may be gone; then the answer is dropped. */
  reply(inquiry: Inquiry, message: Message): boolean {
    const { backtrace, lane } = inquiry
    if (!this.isThere(inquiry)) {
      this.world.losses.unroutable++
      return true
    }
    if (!lane.writable) return false
    unsafeSetHeader(message, backtrace)
    lane.push(message)
    return true
  }

  attach(lane: Lane): Refusal | undefined {
    const refusal = unlessPeer(this.protocol, lane)
    if (refusal === undefined) this.lanes.add(lane)
    return refusal
  }

  detach(lane: Lane, unsent: ReadonlyArray<Message>): number {
    this.lanes.delete(lane)
    this.askers.remove(lane)
    this.held.delete(lane)
    return unsent.length
  }

  readable(lane: Lane): void {
    if (this.held.has(lane)) return
    for (let message = lane.peek; message !== undefined; message = lane.peek) {
      const verdict = Backtrace.take(message, this.ttl)
      if (verdict === "good") {
        const { header } = message
        unsafeSetHeader(message, noHeader)
        this.held.set(lane, new Inquiry(lane, header, message))
        this.askers.push(lane)
        return
      }
      if (verdict === "short") {
        return cutFor(message, lane, this.world.losses, "a backtrace that ends before the id")
      }
      this.world.losses.hops++
      lane.next()
    }
  }

  writable(): void {}

  resize(): number {
    return 0
  }

  close(): number {
    return 0
  }
}
