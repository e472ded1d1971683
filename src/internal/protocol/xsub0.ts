import type { Message } from "../../Message.js"
import * as Protocol from "../../Protocol.js"
import { Fifo } from "./fifo.js"
import type { Buffers, Lane, Machine, Refusal, Verbs, World } from "./machine.js"
import { unlessPeer } from "./machine.js"

/**
 * All that publishers say, for one application. It is always read; what finds no room is dropped.
 *
 * @internal
 */
export class XSub0Machine implements Machine, Verbs {
  private readonly received = new Fifo<Message>()

  readonly canSend = false
  readonly queued = 0

  constructor(
    private capacity: number,
    private readonly world: World,
    /** How many messages those who wait for one take; there is room for these in any case. */
    private readonly demand: () => number
  ) {}

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
    for (let message = lane.next(); message !== undefined; message = lane.next()) {
      if (this.received.length >= this.capacity && this.received.length >= this.capacity + this.demand())
        this.world.losses.full++
      else this.received.push(message)
    }
  }

  writable(): void {}

  send(): boolean {
    return false
  }

  recv(): Message | undefined {
    return this.received.shift()
  }

  resize(buffers: Buffers): number {
    this.capacity = buffers.recv
    return this.received.truncate(buffers.recv)
  }

  close(): number {
    return this.received.truncate(0)
  }
}
