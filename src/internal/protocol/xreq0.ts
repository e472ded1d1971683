import type { Message } from "../../Message.js"
import * as Protocol from "../../Protocol.js"
import { answers } from "./answers.js"
import type { Collector } from "./collector.js"
import { Distributor } from "./distributor.js"
import type { Buffers, Lane, Machine, Refusal, Verbs, World } from "./machine.js"
import { unlessPeer } from "./machine.js"
import { Queue } from "./queue.js"

/**
 * Requests with the header that the application gave them, to one peer after the other; answers as they come.
 *
 * @internal
 */
export class XReq0Machine implements Machine, Verbs {
  private readonly repliers = new Distributor()
  private readonly sending: Queue
  private readonly replies: Collector

  constructor(buffers: Buffers, world: World) {
    this.sending = new Queue(buffers.send)
    this.replies = answers(buffers.recv, world.losses)
  }

  get canSend(): boolean {
    return this.repliers.isReady || !this.sending.full
  }

  get canRecv(): boolean {
    return this.replies.canRecv
  }

  get queued(): number {
    return this.sending.length
  }

  attach(lane: Lane): Refusal | undefined {
    const refusal = unlessPeer(Protocol.req0, lane)
    if (refusal === undefined) this.writable(lane)
    return refusal
  }

  detach(lane: Lane, unsent: ReadonlyArray<Message>): number {
    this.repliers.remove(lane)
    this.replies.remove(lane)
    this.sending.unshift(unsent)
    this.flush()
    return 0
  }

  readable(lane: Lane): void {
    this.replies.readable(lane)
  }

  writable(lane: Lane): void {
    this.repliers.add(lane)
    this.flush()
  }

  send(message: Message): boolean {
    if (this.repliers.give(message)) return true
    if (this.sending.full) return false
    this.sending.push(message)
    return true
  }

  recv(): Message | undefined {
    return this.replies.recv()
  }

  resize(buffers: Buffers): number {
    return this.sending.resize(buffers.send) + this.replies.resize(buffers.recv)
  }

  close(): number {
    return this.sending.resize(0) + this.replies.close()
  }

  private flush(): void {
    while (this.repliers.isReady && this.sending.length > 0) this.repliers.give(this.sending.shift()!)
  }
}
