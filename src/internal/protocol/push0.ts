// hot path: bench/src/rows/oneway.js
import type { Message } from "../../Message.js"
import * as Protocol from "../../Protocol.js"
import { Distributor } from "./distributor.js"
import type { Buffers, Lane, Machine, Refusal, Verbs, World } from "./machine.js"
import { unlessPeer } from "./machine.js"
import { Queue } from "./queue.js"

/**
 * Each message to one of the peers, in turn among those that take any. Cooked and raw alike.
 *
 * @internal
 */
export class Push0Machine implements Machine, Verbs {
  private readonly pullers = new Distributor()
  private readonly sending: Queue

  constructor(
    buffers: Buffers,
    private readonly world: World
  ) {
    this.sending = new Queue(buffers.send)
  }

  readonly canRecv = false

  get canSend(): boolean {
    return this.pullers.isReady || !this.sending.full
  }

  get queued(): number {
    return this.sending.length
  }

  attach(lane: Lane): Refusal | undefined {
    const refusal = unlessPeer(Protocol.push0, lane)
    if (refusal === undefined) this.writable(lane)
    return refusal
  }

  /** What it had not begun to send goes to the others, before what came later. */
  detach(lane: Lane, unsent: ReadonlyArray<Message>): number {
    this.pullers.remove(lane)
    this.sending.unshift(unsent)
    this.flush()
    return 0
  }

  /** A puller has nothing to say. */
  readable(lane: Lane): void {
    while (lane.next() !== undefined) this.world.losses.unexpected++
  }

  writable(lane: Lane): void {
    this.pullers.add(lane)
    this.flush()
  }

  /** As long as a peer takes messages none is queued, so a send may go past the queue. */
  send(message: Message): boolean {
    if (this.pullers.give(message)) return true
    if (this.sending.full) return false
    this.sending.push(message)
    return true
  }

  recv(): undefined {
    return undefined
  }

  resize(buffers: Buffers): number {
    return this.sending.resize(buffers.send)
  }

  close(): number {
    return this.sending.resize(0)
  }

  private flush(): void {
    while (this.pullers.isReady && this.sending.length > 0) this.pullers.give(this.sending.shift()!)
  }
}
