import type { Message } from "../../Message.js"
import type { Lane, World } from "./machine.js"
import { Queue } from "./queue.js"

/**
 * A lane, and what waits until it takes more.
 *
 * @internal
 */
export interface Outbox {
  readonly lane: Lane
  readonly waiting: Queue
}

/**
 * Sends that never wait: what a lane does not take now waits in its outbox, and what finds that full is dropped.
 *
 * @internal
 */
export abstract class Outboxes {
  /** By the ids of their lanes, in the order in which they came. */
  protected readonly boxes = new Map<number, Outbox>()

  constructor(
    private capacity: number,
    protected readonly world: World,
    /** How a message gets to a lane: it is for that one alone, or for others as well. */
    private readonly verb: "push" | "share"
  ) {}

  get queued(): number {
    let queued = 0
    for (const { waiting } of this.boxes.values()) queued += waiting.length
    return queued
  }

  add(lane: Lane): void {
    this.boxes.set(lane.id, { lane, waiting: new Queue(this.capacity) })
  }

  /** Returns how many messages for it are lost. */
  remove(lane: Lane): number {
    const box = this.boxes.get(lane.id)
    this.boxes.delete(lane.id)
    return box?.waiting.length ?? 0
  }

  writable(lane: Lane): void {
    const box = this.boxes.get(lane.id)
    while (box !== undefined && lane.writable && box.waiting.length > 0) lane[this.verb](box.waiting.shift()!)
  }

  /** Changes how many may wait for each, and returns how many were more. */
  resize(capacity: number): number {
    this.capacity = capacity
    let dropped = 0
    for (const { waiting } of this.boxes.values()) dropped += waiting.resize(capacity)
    return dropped
  }

  close(): number {
    const { queued } = this
    this.boxes.clear()
    return queued
  }

  protected give({ lane, waiting }: Outbox, message: Message): void {
    if (lane.writable) lane[this.verb](message)
    else if (waiting.full) this.world.losses.full++
    else waiting.push(message)
  }
}
