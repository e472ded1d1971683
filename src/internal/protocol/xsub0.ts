import type { Message } from "../../Message.js"
import * as Protocol from "../../Protocol.js"
import { Inbox } from "./inbox.js"
import type { Buffers, Lane, Machine, Refusal, Verbs, World } from "./machine.js"
import { unlessPeer } from "./machine.js"

/**
 * All that publishers say, for one application. It is always read; what finds no room is dropped.
 *
 * @internal
 */
export class XSub0Machine implements Machine, Verbs {
  private readonly received: Inbox

  readonly canSend = false
  readonly queued = 0

  constructor(
    buffers: Buffers,
    world: World,
    /** How many messages those who wait for one take. */
    demand: () => number
  ) {
    this.received = new Inbox(buffers.recv, demand, world)
  }

  get canRecv(): boolean {
    return this.received.length > 0
  }

  attach(lane: Lane): Refusal | undefined {
    return unlessPeer(Protocol.sub0, lane)
  }

  detach(_lane: Lane, unsent: ReadonlyArray<Message>): number {
    return unsent.length
  }

  readable(lane: Lane): void {
    for (let message = lane.next(); message !== undefined; message = lane.next()) this.received.offer(message)
  }

  writable(): void {}

  send(): boolean {
    return false
  }

  recv(): Message | undefined {
    return this.received.shift()
  }

  resize(buffers: Buffers): number {
    return this.received.resize(buffers.recv)
  }

  close(): number {
    return this.received.resize(0)
  }
}
