import type { Message } from "../../Message.js"
import { copy } from "../vocabulary/message.js"
import * as Backtrace from "./backtrace.js"
import type { Lane, World } from "./machine.js"
import { Queue } from "./queue.js"

interface Route {
  readonly lane: Lane
  readonly waiting: Queue
}

/**
 * Sends each message to the lane that is named, or to all. It never waits: what finds no such lane, or too many before
 * it, is dropped.
 *
 * @internal
 */
export class Router {
  /** In the order in which they came. */
  private readonly routes = new Map<number, Route>()

  constructor(
    private capacity: number,
    private readonly world: World
  ) {}

  get queued(): number {
    let queued = 0
    for (const { waiting } of this.routes.values()) queued += waiting.length
    return queued
  }

  /** The lane that has been there longest, of those whose peers are. */
  get oldest(): number | undefined {
    for (const { lane } of this.routes.values()) if (!lane.ended) return lane.id
    return undefined
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

  /** To the lane that the first word of its header names. */
  send(message: Message): void {
    this.sendTo(Backtrace.takeFirst(message), message)
  }

  sendTo(id: number | undefined, message: Message): void {
    const route = id === undefined ? undefined : this.routes.get(id)
    if (route === undefined) this.world.losses.unroutable++
    else this.give(route, message)
  }

  /** Each lane by itself drops it where there is no room for it. */
  sendToAll(message: Message, except: number | undefined): void {
    for (const route of this.routes.values()) if (route.lane.id !== except) this.give(route, message, true)
  }

  /** All of these, whether there is room for them or not. */
  entrust(lane: Lane, messages: Queue): void {
    const { waiting } = this.routes.get(lane.id)!
    for (let message = messages.shift(); message !== undefined; message = messages.shift()) waiting.push(message)
    this.writable(lane)
  }

  writable(lane: Lane): void {
    const route = this.routes.get(lane.id)
    while (route !== undefined && lane.writable && route.waiting.length > 0) lane.push(route.waiting.shift()!)
  }

  /** Changes how many may wait for each, and returns how many were more. */
  resize(capacity: number): number {
    this.capacity = capacity
    let dropped = 0
    for (const { waiting } of this.routes.values()) dropped += waiting.resize(capacity)
    return dropped
  }

  close(): number {
    const { queued } = this
    this.routes.clear()
    return queued
  }

  private give({ lane, waiting }: Route, message: Message, shared = false): void {
    if (!lane.writable && waiting.full) {
      this.world.losses.full++
      return
    }
    const own = shared && lane.byReference ? copy(message) : message
    if (lane.writable) lane.push(own)
    else waiting.push(own)
  }
}
