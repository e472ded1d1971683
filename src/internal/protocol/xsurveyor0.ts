import type { Message } from "../../Message.js"
import * as Protocol from "../../Protocol.js"
import { Announcer } from "./announcer.js"
import { answers } from "./answers.js"
import type { Collector } from "./collector.js"
import type { Buffers, Lane, Machine, Refusal, Verbs, World } from "./machine.js"
import { unlessPeer } from "./machine.js"

/** Surveys that may wait for one respondent. */
const mostWaiting = 16

/**
 * Surveys with the header that the application gave them, to all peers; responses as they come.
 *
 * @internal
 */
export class XSurveyor0Machine implements Machine, Verbs {
  private readonly respondents: Announcer
  private readonly responses: Collector

  constructor(buffers: Buffers, world: World) {
    this.respondents = new Announcer(mostWaiting, world)
    this.responses = answers(buffers.recv, world.losses)
  }

  readonly canSend = true

  get canRecv(): boolean {
    return this.responses.canRecv
  }

  get queued(): number {
    return this.respondents.queued
  }

  attach(lane: Lane): Refusal | undefined {
    const refusal = unlessPeer(Protocol.surveyor0, lane)
    if (refusal === undefined) this.respondents.add(lane)
    return refusal
  }

  detach(lane: Lane, unsent: ReadonlyArray<Message>): number {
    this.responses.remove(lane)
    return unsent.length + this.respondents.remove(lane)
  }

  readable(lane: Lane): void {
    this.responses.readable(lane)
  }

  writable(lane: Lane): void {
    this.respondents.writable(lane)
  }

  send(message: Message): boolean {
    this.respondents.send(message)
    return true
  }

  recv(): Message | undefined {
    return this.responses.recv()
  }

  resize(buffers: Buffers): number {
    return this.responses.resize(buffers.recv)
  }

  close(): number {
    return this.respondents.close() + this.responses.close()
  }
}
