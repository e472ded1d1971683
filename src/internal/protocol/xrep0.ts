import * as Errors from "../../Errors.js"
import type { Message } from "../../Message.js"
import * as Protocol from "../../Protocol.js"
import * as Backtrace from "./backtrace.js"
import { Collector } from "./collector.js"
import type { Buffers, Lane, Machine, Refusal, Verbs, World } from "./machine.js"
import { unlessPeer } from "./machine.js"
import { Router } from "./router.js"

/** Answers that may wait for one peer. */
const mostWaiting = 64

/**
 * Requests with their backtrace, the pipe in front, and answers that find their way by it.
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
    private readonly world: World
  ) {
    this.askers = new Router(mostWaiting, world)
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
    const refusal = unlessPeer(Protocol.rep0, lane)
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
    else lane.cut(new Errors.EPROTO({ operation: "recv", reason: "a request that ends before its request id" }))
    return false
  }
}
