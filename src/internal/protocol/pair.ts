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
export abstract class PairMachine implements Machine, Verbs {
  private peer: Lane | undefined = undefined
  /** Whether the peer's first message has been checked, and waits for room. */
  private held = false
  private readonly sending: Queue
  private readonly received: Queue

  constructor(
    private readonly protocol: Protocol.Protocol,
    buffers: Buffers
  ) {
    this.sending = new Queue(buffers.send)
    this.received = new Queue(buffers.recv)
  }

  /** Gives a message that is about to leave its header. */
  protected abstract prepare(message: Message): void

  /**
   * Looks at one that has come, and may edit it; false: it is to be dropped, or its lane has been cut. Without it all are
   * received as they are.
   */
  protected check?(lane: Lane, message: Message): boolean

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
    const stranger = unlessPeer(this.protocol, lane)
    if (stranger !== undefined) return stranger
    if (this.peer !== undefined) {
      const reason = `a ${Protocol.describe(this.protocol.number)} socket has one peer, and this one has it`
      return new Errors.EBUSY({ operation: "attach", reason })
    }
    this.peer = lane
    this.flush(lane)
    return undefined
  }

  detach(lane: Lane, unsent: ReadonlyArray<Message>): number {
    if (this.peer === lane) {
      this.peer = undefined
      this.held = false
    }
    return unsent.length
  }

  /** The next peer is worth more than what the last one left behind. */
  ended(lane: Lane, wanted: boolean): void {
    if (wanted || this.sending.length > 0) lane.giveUp()
  }

  readable(lane: Lane): void {
    if (this.check === undefined) {
      while (lane.hasNext && !this.received.full) this.received.push(lane.next()!)
      return
    }
    for (let message = lane.peek; message !== undefined; message = lane.peek) {
      this.held ||= this.check(lane, message)
      if (!this.held) lane.next()
      else if (this.received.full) return
      else this.received.push(this.take(lane)!)
    }
  }

  writable(lane: Lane): void {
    this.flush(lane)
  }

  send(message: Message): boolean {
    if (this.peer?.writable === true) {
      this.prepare(message)
      this.peer.push(message)
      return true
    }
    if (this.peer?.ended === true) this.peer.giveUp()
    if (this.sending.full) return false
    this.prepare(message)
    this.sending.push(message)
    return true
  }

  recv(): Message | undefined {
    const { peer } = this
    const message = this.received.shift() ?? (peer === undefined ? undefined : this.take(peer))
    if (peer !== undefined) this.readable(peer)
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

  private take(lane: Lane): Message | undefined {
    this.held = false
    return lane.next()
  }

  /** As long as the peer takes messages none is queued, so a send may go past the queue. */
  private flush(lane: Lane): void {
    while (lane.writable && this.sending.length > 0) lane.push(this.sending.shift()!)
  }
}
