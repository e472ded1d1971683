import type { Message } from "../../Message.js"
import * as Protocol from "../../Protocol.js"
import { unsafeSetHeader } from "../vocabulary/message.js"
import { Announcer } from "./announcer.js"
import * as Backtrace from "./backtrace.js"
import { Inbox } from "./inbox.js"
import type { Buffers, Lane, Machine, Refusal, Verbs, World } from "./machine.js"
import { unlessPeer } from "./machine.js"

const noHeader = new Uint8Array(0)

/**
 * Each message to all peers, where they have room, and what comes from any of them. A raw one has the pipe that a
 * message came from in its header, and sends it to all others.
 *
 * @internal
 */
export class Bus0Machine implements Machine, Verbs {
  private readonly peers: Announcer
  private readonly received: Inbox

  constructor(
    buffers: Buffers,
    private readonly raw: boolean,
    world: World,
    /** How many messages those who wait for one take. */
    demand: () => number
  ) {
    this.peers = new Announcer(buffers.send, world)
    this.received = new Inbox(buffers.recv, demand, world)
  }

  readonly canSend = true

  get canRecv(): boolean {
    return this.received.length > 0
  }

  get queued(): number {
    return this.peers.queued
  }

  attach(lane: Lane): Refusal | undefined {
    const refusal = unlessPeer(Protocol.bus0, lane)
    if (refusal === undefined) this.peers.add(lane)
    return refusal
  }

  detach(lane: Lane, unsent: ReadonlyArray<Message>): number {
    return unsent.length + this.peers.remove(lane)
  }

  /** It never holds one, and so never makes a peer wait. */
  readable(lane: Lane): void {
    for (let message = lane.next(); message !== undefined; message = lane.next()) {
      if (this.raw) Backtrace.prepend(message, lane.id)
      this.received.offer(message)
    }
  }

  writable(lane: Lane): void {
    this.peers.writable(lane)
  }

  send(message: Message): boolean {
    let origin: number | undefined = undefined
    if (this.raw) origin = Backtrace.takeFirst(message)
    else unsafeSetHeader(message, noHeader)
    this.peers.send(message, origin)
    return true
  }

  recv(): Message | undefined {
    return this.received.shift()
  }

  resize(buffers: Buffers): number {
    return this.peers.resize(buffers.send) + this.received.resize(buffers.recv)
  }

  close(): number {
    return this.peers.close() + this.received.resize(0)
  }
}
