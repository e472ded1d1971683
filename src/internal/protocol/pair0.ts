import * as Errors from "../../Errors.js"
import type { Message } from "../../Message.js"
import * as Protocol from "../../Protocol.js"
import type { Buffers, Lane, Machine, Refusal, Verbs } from "./machine.js"
import { unlessPeer } from "./machine.js"
import { Queue } from "./queue.js"

/**
 * One peer, both ways. Queued messages outlive the peer and go to the next; what it had been given does not.
 *
 * @internal
 */
export class Pair0Machine implements Machine, Verbs {
  private peer: Lane | undefined = undefined
  private readonly sending: Queue
  private readonly received: Queue

  constructor(buffers: Buffers) {
    this.sending = new Queue(buffers.send)
    this.received = new Queue(buffers.recv)
  }

  get canSend(): boolean {
    return this.peer?.writable === true || !this.sending.full
  }

  get canRecv(): boolean {
    return this.received.length > 0 || this.peer?.hasNext === true
  }

  get queued(): number {
    return this.sending.length
  }

  attach(lane: Lane): Refusal | undefined {
    const stranger = unlessPeer(Protocol.pair0, lane)
    if (stranger !== undefined) return stranger
    if (this.peer !== undefined) {
      return new Errors.EBUSY({ operation: "attach", reason: "a pair0 socket has one peer, and this one has it" })
    }
    this.peer = lane
    this.flush(lane)
    return undefined
  }

  detach(lane: Lane, unsent: ReadonlyArray<Message>): number {
    if (this.peer === lane) this.peer = undefined
    return unsent.length
  }

  /** The next peer is worth more than what the last one left behind. */
  ended(lane: Lane, wanted: boolean): void {
    if (wanted || this.sending.length > 0) lane.giveUp()
  }

  readable(lane: Lane): void {
    while (lane.hasNext && !this.received.full) this.received.push(lane.next()!)
  }

  writable(lane: Lane): void {
    this.flush(lane)
  }

  send(message: Message): boolean {
    if (this.peer?.writable === true) {
      this.peer.push(message)
      return true
    }
    if (this.peer?.ended === true) this.peer.giveUp()
    if (this.sending.full) return false
    this.sending.push(message)
    return true
  }

  recv(): Message | undefined {
    const message = this.received.shift() ?? this.peer?.next()
    if (this.peer !== undefined) this.readable(this.peer)
    return message
  }

  resize(buffers: Buffers): number {
    const dropped = this.sending.resize(buffers.send) + this.received.resize(buffers.recv)
    if (this.peer !== undefined) this.readable(this.peer)
    return dropped
  }

  close(): number {
    return this.sending.resize(0) + this.received.resize(0)
  }

  /** As long as the peer takes messages none is queued, so a send may go past the queue. */
  private flush(lane: Lane): void {
    while (lane.writable && this.sending.length > 0) lane.push(this.sending.shift()!)
  }
}
