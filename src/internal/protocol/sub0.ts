// hot path: bench/src/rows/pub-10.js
import type { Message } from "../../Message.js"
import * as Protocol from "../../Protocol.js"
import { copy } from "../vocabulary/message.js"
import { Fifo } from "./fifo.js"
import type { Lane, Machine, Refusal, Verbs, World } from "./machine.js"
import { unlessPeer } from "./machine.js"

import { Topics } from "./topics.js"

/** Who wants a topic: the verbs, which count no further than one, and so many scopes. */
class Wish {
  plain = false
  scopes = 0
}

/**
 * What a subscriber wants to hear, and what it has heard and not been given yet.
 *
 * @internal
 */
export class Subscriber implements Verbs {
  readonly canSend = false
  private readonly topics = new Topics<Wish>()
  private readonly received = new Fifo<Message>()
  /** How many messages those who wait for one take; there is room for these in any case. */
  demand: () => number = () => 0

  constructor(
    private readonly world: World,
    private capacity: number,
    /** What goes when there is no room: the oldest, or else what comes. */
    public preferNew: boolean
  ) {}

  get canRecv(): boolean {
    return this.received.length > 0
  }

  get queued(): number {
    return this.received.length
  }

  send(): boolean {
    return false
  }

  recv(): Message | undefined {
    return this.received.shift()
  }

  /** Once, however often. */
  addTopic(topic: Uint8Array): void {
    this.wish(topic).plain = true
  }

  /** False: there is no such topic. */
  removeTopic(topic: Uint8Array): boolean {
    const wish = this.topics.get(topic)
    if (wish?.plain !== true) return false
    wish.plain = false
    this.forget(topic, wish)
    return true
  }

  /** As often as it is released. */
  hold(topic: Uint8Array): void {
    this.wish(topic).scopes++
  }

  release(topic: Uint8Array): void {
    const wish = this.topics.get(topic)!
    wish.scopes--
    this.forget(topic, wish)
  }

  wants(message: Message): boolean {
    return this.topics.match(message)
  }

  /** Takes a message that it wants; it is its own. */
  offer(message: Message): void {
    const { received, world } = this
    while (received.length >= this.capacity && received.length >= this.capacity + this.demand()) {
      world.losses.full++
      if (!this.preferNew) return
      received.shift()
    }
    received.push(message)
  }

  /** Returns how many messages had to go. */
  resize(capacity: number): number {
    this.capacity = capacity
    return this.received.truncate(capacity)
  }

  private wish(topic: Uint8Array): Wish {
    let wish = this.topics.get(topic)
    if (wish === undefined) {
      wish = new Wish()
      this.topics.set(topic, wish)
    }
    return wish
  }

  /** Unless somebody wants it still. What is there and has no topic any more goes with it. */
  private forget(topic: Uint8Array, wish: Wish): void {
    if (wish.plain || wish.scopes > 0) return
    this.topics.delete(topic)
    for (let left = this.received.length; left > 0; left--) {
      const message = this.received.shift()!
      if (this.topics.match(message)) this.received.push(message)
      else this.world.losses.unsubscribed++
    }
  }
}

/**
 * What publishers say, to each subscriber that wants it: the socket's own and those of its contexts. It is always read,
 * so that no publisher feels whether anybody receives.
 *
 * @internal
 */
export class Sub0Machine implements Machine {
  /** In the order of their making. */
  private readonly subscribers = new Set<Subscriber>()
  readonly queued = 0

  constructor(private readonly world: World) {}

  open(capacity: number, preferNew: boolean): Subscriber {
    const subscriber = new Subscriber(this.world, capacity, preferNew)
    this.subscribers.add(subscriber)
    return subscriber
  }

  /** Drops what it has; returns how many messages that were. */
  shut(subscriber: Subscriber): number {
    this.subscribers.delete(subscriber)
    return subscriber.resize(0)
  }

  attach(lane: Lane): Refusal | undefined {
    return unlessPeer(Protocol.sub0, lane)
  }

  detach(_lane: Lane, unsent: ReadonlyArray<Message>): number {
    return unsent.length
  }

  readable(lane: Lane): void {
    for (let message = lane.next(); message !== undefined; message = lane.next()) this.deliver(message)
  }

  writable(): void {}

  /** Each subscriber's own, as those of contexts are their own too. */
  resize(): number {
    return 0
  }

  close(): number {
    let dropped = 0
    for (const subscriber of this.subscribers) dropped += this.shut(subscriber)
    return dropped
  }

  /** Whoever is last has the message itself, and the others copies: what one does to its own no other sees. */
  private deliver(message: Message): void {
    let taker: Subscriber | undefined
    for (const subscriber of this.subscribers) {
      if (!subscriber.wants(message)) continue
      taker?.offer(copy(message))
      taker = subscriber
    }
    taker?.offer(message)
  }
}
