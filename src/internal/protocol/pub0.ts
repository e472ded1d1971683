// hot path: bench/src/rows/pub-10.js
import * as Errors from "../../Errors.js"
import type { Message } from "../../Message.js"
import * as Protocol from "../../Protocol.js"
import type { Buffers, Lane, Machine, Refusal, Verbs, World } from "./machine.js"
import { unlessPeer } from "./machine.js"
import { Queue } from "./queue.js"

class Subscriber {
  readonly waiting: Queue

  constructor(
    readonly lane: Lane,
    capacity: number
  ) {
    this.waiting = new Queue(capacity)
  }
}

/**
 * Each message to all peers, and a queue for each that is slow: when that is full, its oldest goes. It never waits.
 * Cooked and raw alike.
 *
 * @internal
 */
export class Pub0Machine implements Machine, Verbs {
  private readonly subscribers = new Map<Lane, Subscriber>()
  private capacity: number

  readonly canSend = true
  readonly canRecv = false

  constructor(
    buffers: Buffers,
    private readonly world: World
  ) {
    this.capacity = buffers.send
  }

  get queued(): number {
    let queued = 0
    for (const { waiting } of this.subscribers.values()) queued += waiting.length
    return queued
  }

  attach(lane: Lane): Refusal | undefined {
    const refusal = unlessPeer(Protocol.pub0, lane)
    if (refusal === undefined) this.subscribers.set(lane, new Subscriber(lane, this.capacity))
    return refusal
  }

  detach(lane: Lane, unsent: ReadonlyArray<Message>): number {
    const queued = this.subscribers.get(lane)?.waiting.length ?? 0
    this.subscribers.delete(lane)
    return unsent.length + queued
  }

  /** A subscriber has nothing to say, and one that does is none. */
  readable(lane: Lane): void {
    lane.cut(new Errors.EPROTO({ operation: "recv", reason: "a message from a subscriber" }))
  }

  /** As long as it takes messages none is queued for it, so a send may go past its queue. */
  writable(lane: Lane): void {
    const waiting = this.subscribers.get(lane)?.waiting
    while (waiting !== undefined && lane.writable && waiting.length > 0) lane.share(waiting.shift()!)
  }

  send(message: Message): boolean {
    const alone = this.subscribers.size === 1
    for (const { lane, waiting } of this.subscribers.values()) {
      if (lane.writable) {
        if (alone) lane.push(message)
        else lane.share(message)
      } else {
        if (waiting.full) {
          waiting.shift()
          this.world.losses.full++
        }
        waiting.push(message)
      }
    }
    return true
  }

  recv(): undefined {
    return undefined
  }

  resize(buffers: Buffers): number {
    this.capacity = buffers.send
    let dropped = 0
    for (const { waiting } of this.subscribers.values()) dropped += waiting.resize(buffers.send)
    return dropped
  }

  close(): number {
    const { queued } = this
    this.subscribers.clear()
    return queued
  }
}
