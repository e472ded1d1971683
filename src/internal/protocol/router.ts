import type { Message } from "../../Message.js"
import * as Backtrace from "./backtrace.js"
import type { Lane, World } from "./machine.js"
import { Queue } from "./queue.js"

interface Route {
  readonly lane: Lane
  readonly waiting: Queue
}

/**
 * Sends each message to the lane that the first word of its header names. It never waits: what finds no such lane, or
 * too many before it, is dropped.
 *
 * @internal
 */
export class Router {
  private readonly routes = new Map<number, Route>()

  constructor(
    private readonly capacity: number,
    private readonly world: World
  ) {}

  get queued(): number {
    let queued = 0
    for (const { waiting } of this.routes.values()) queued += waiting.length
    return queued
  }

  add(lane: Lane): void {
    this.routes.set(lane.id, { lane, waiting: new Queue(this.capacity) })
  }

  /** Returns how many messages for it are lost. */
  remove(lane: Lane): number {
    const route = this.routes.get(lane.id)
    this.routes.delete(lane.id)
    return route?.waiting.length ?? 0
  }

  send(message: Message): void {
    const id = Backtrace.takeFirst(message)
    const route = id === undefined ? undefined : this.routes.get(id)
    if (route === undefined) this.world.losses.unroutable++
    else if (route.lane.writable) route.lane.push(message)
    else if (route.waiting.full) this.world.losses.full++
    else route.waiting.push(message)
  }

  writable(lane: Lane): void {
    const route = this.routes.get(lane.id)
    while (route !== undefined && lane.writable && route.waiting.length > 0) lane.push(route.waiting.shift()!)
  }

  close(): number {
    const { queued } = this
    this.routes.clear()
    return queued
  }
}
