import type { Message } from "../../Message.js"
import * as Protocol from "../../Protocol.js"
import { Collector } from "./collector.js"
import * as Hops from "./hops.js"
import type { Buffers, Lane, Machine, Refusal, Verbs, World } from "./machine.js"
import { unlessPeer } from "./machine.js"
import { Queue } from "./queue.js"
import { Router } from "./router.js"

/** Messages that may wait for one peer. */
const mostWaiting = 2

/**
 * Pair1 with many peers. A message goes to the one that it names, or else to the one that has been there longest, and
 * is dropped where that has no room; only before there ever was a peer does a send wait.
 *
 * @internal
 */
export class Poly1Machine implements Machine, Verbs {
  private readonly peers: Router
  /** What is to go to the first peer. */
  private readonly sending: Queue
  private readonly received: Collector
  private begun = false

  constructor(
    buffers: Buffers,
    /** Most hops of a message that is received. */
    public ttl: number,
    world: World
  ) {
    this.peers = new Router(mostWaiting, world)
    this.sending = new Queue(buffers.send)
    this.received = new Collector(buffers.recv, (lane, message) => Hops.check(lane, message, this.ttl, world.losses))
  }

  get canSend(): boolean {
    return this.begun || !this.sending.full
  }

  get canRecv(): boolean {
    return this.received.canRecv
  }

  get queued(): number {
    return this.sending.length + this.peers.queued
  }

  attach(lane: Lane): Refusal | undefined {
    const refusal = unlessPeer(Protocol.pair1, lane)
    if (refusal !== undefined) return refusal
    this.peers.add(lane)
    if (!this.begun) {
      this.begun = true
      // all of it, however much: it was accepted for this peer
      this.peers.entrust(lane, this.sending)
    }
    return undefined
  }

  detach(lane: Lane, unsent: ReadonlyArray<Message>): number {
    this.received.remove(lane)
    return unsent.length + this.peers.remove(lane)
  }

  readable(lane: Lane): void {
    this.received.readable(lane)
  }

  writable(lane: Lane): void {
    this.peers.writable(lane)
  }

  send(message: Message): boolean {
    if (message.pipeId !== 0) {
      this.sendTo(message.pipeId, message)
    } else if (this.begun) {
      this.sendTo(this.peers.oldest, message)
    } else {
      if (this.sending.full) return false
      Hops.begin(message)
      this.sending.push(message)
    }
    return true
  }

  /** Does not wait: without such a peer, or room, it is dropped and counted. */
  sendTo(peer: number | undefined, message: Message): void {
    Hops.begin(message)
    this.peers.sendTo(peer, message)
  }

  recv(): Message | undefined {
    return this.received.recv()
  }

  resize(buffers: Buffers): number {
    return this.sending.resize(buffers.send) + this.received.resize(buffers.recv)
  }

  close(): number {
    return this.sending.resize(0) + this.peers.close() + this.received.close()
  }
}
