import type { Message } from "../../Message.js"
import * as Protocol from "../../Protocol.js"
import * as Backtrace from "./backtrace.js"
import { Collector } from "./collector.js"
import type { Buffers, Lane, Machine, Refusal, Verbs, World } from "./machine.js"
import { cutFor, unlessPeer } from "./machine.js"
import { Router } from "./router.js"

/**
 * What tells rep0 from respondent0.
 *
 * @internal
 */
export interface Kind {
  readonly protocol: Protocol.Protocol
  /** Answers that may wait for one peer. */
  readonly mostWaiting: number
}

const rep0: Kind = { protocol: Protocol.rep0, mostWaiting: 64 }

/** @internal */
export const respondent0: Kind = { protocol: Protocol.respondent0, mostWaiting: 2 }

/**
 * Requests, or surveys, with their backtrace, the pipe in front, and answers that find their way by it.
 *
 * @internal
 */
export class XRep0Machine implements Machine, Verbs {
  private readonly askers: Router
  private readonly requests: Collector

  constructor(
    buffers: Buffers,
    /** Most words of a backtrace. */
    public ttl: number,
    private readonly world: World,
    private readonly kind = rep0
  ) {
    this.askers = new Router(kind.mostWaiting, world)
    this.requests = new Collector(buffers.recv, this.check)
  }

  readonly canSend = true

  get canRecv(): boolean {
    return this.requests.canRecv
  }

  get queued(): number {
    return this.askers.queued
  }

  attach(lane: Lane): Refusal | undefined {
    const refusal = unlessPeer(this.kind.protocol, lane)
    if (refusal === undefined) this.askers.add(lane)
    return refusal
  }

  detach(lane: Lane, unsent: ReadonlyArray<Message>): number {
    this.requests.remove(lane)
    return unsent.length + this.askers.remove(lane)
  }

  readable(lane: Lane): void {
    this.requests.readable(lane)
  }

  writable(lane: Lane): void {
    this.askers.writable(lane)
  }

  send(message: Message): boolean {
    this.askers.send(message)
    return true
  }

  recv(): Message | undefined {
    return this.requests.recv()
  }

  resize(buffers: Buffers): number {
    return this.requests.resize(buffers.recv)
  }

  close(): number {
    return this.askers.close() + this.requests.close()
  }

  private readonly check = (lane: Lane, message: Message): boolean => {
    const verdict = Backtrace.take(message, this.ttl)
    if (verdict === "good") {
      Backtrace.prepend(message, lane.id)
      return true
    }
    if (verdict === "hops") this.world.losses.hops++
    else cutFor(message, lane, this.world.losses, "a backtrace that ends before the id")
    return false
  }
}
