import type { Message } from "../../Message.js"
import * as Protocol from "../../Protocol.js"
import { unsafeMoveToHeader, unsafeSetHeader, unsafeWord } from "../vocabulary/message.js"
import { Announcer } from "./announcer.js"
import * as Backtrace from "./backtrace.js"
import type { Lane, Machine, Refusal, World } from "./machine.js"
import { cutFor, unlessPeer } from "./machine.js"
import { QuestionIds } from "./questionIds.js"
import { Queue } from "./queue.js"

/** Surveys that may wait for one respondent. */
const mostWaiting = 8

/** Responses to one survey that may wait to be taken. */
const mostUnread = 128

/**
 * One survey, from the moment it is made until it is over.
 *
 * @internal
 */
export class Survey<W> {
  readonly responses = new Queue(mostUnread)
  /** Who wants to know of its responses. */
  waking: W | undefined = undefined

  constructor(
    readonly id: number,
    /** Milliseconds; Infinity: it has no deadline. */
    readonly expiresAt: number,
    /** Which one it was, counted from 1. */
    readonly number: number
  ) {}
}

/**
 * Surveys, each with an id, to all peers; responses are taken until the deadline, from whoever was there to be asked.
 *
 * @internal
 */
export class Surveyor0Machine<W> implements Machine {
  private readonly respondents: Announcer
  /** How many surveys each of them has missed, as it was not there yet. */
  private readonly missed = new Map<Lane, number>()
  private readonly open = new Map<number, Survey<W>>()
  private readonly ids: QuestionIds
  private asked = 0
  private woken: Array<Survey<W>> = []

  constructor(private readonly world: World) {
    this.respondents = new Announcer(mostWaiting, world)
    this.ids = new QuestionIds(world)
  }

  /** Those that are not over. */
  get running(): Iterable<Survey<W>> {
    return this.open.values()
  }

  get queued(): number {
    return this.respondents.queued
  }

  /** Asks everybody who is there. Without any time nobody's response is taken. */
  ask(message: Message, surveyTime: number): Survey<W> {
    const id = this.ids.next(this.open)
    const survey = new Survey<W>(id, this.world.now() + surveyTime, ++this.asked)
    this.open.set(id, survey)
    unsafeSetHeader(message, Backtrace.encodeWord(id))
    this.respondents.send(message)
    return survey
  }

  /** Whether it takes no responses any more. */
  isOver(survey: Survey<W>): boolean {
    return survey.expiresAt <= this.world.now() || !this.open.has(survey.id)
  }

  /** It takes no responses any more; those that it has are still there. */
  end(survey: Survey<W>): void {
    this.open.delete(survey.id)
  }

  /** Nobody wants the responses that it has. */
  discard(survey: Survey<W>): void {
    this.world.losses.stale += survey.responses.truncate(0)
  }

  /** Surveys that have had responses since this was asked last. */
  takeWoken(): ReadonlyArray<Survey<W>> {
    const { woken } = this
    if (woken.length > 0) this.woken = []
    return woken
  }

  attach(lane: Lane): Refusal | undefined {
    const refusal = unlessPeer(Protocol.surveyor0, lane)
    if (refusal !== undefined) return refusal
    this.respondents.add(lane)
    this.missed.set(lane, this.asked)
    return undefined
  }

  detach(lane: Lane, unsent: ReadonlyArray<Message>): number {
    this.missed.delete(lane)
    return unsent.length + this.respondents.remove(lane)
  }

  readable(lane: Lane): void {
    for (let message = lane.next(); message !== undefined; message = lane.next()) {
      if (message.length < 4) {
        return cutFor(message, lane, this.world.losses, `a response of ${message.length} bytes has no survey id`)
      }
      this.respond(lane, message)
    }
  }

  writable(lane: Lane): void {
    this.respondents.writable(lane)
  }

  resize(): number {
    return 0
  }

  close(): number {
    this.open.clear()
    return this.respondents.close()
  }

  private respond(lane: Lane, message: Message): void {
    const survey = this.open.get(unsafeWord(message, 0))
    if (survey === undefined || this.isOver(survey) || this.missed.get(lane)! >= survey.number) {
      this.world.losses.stale++
    } else if (survey.responses.full) {
      this.world.losses.full++
    } else {
      unsafeMoveToHeader(message, 4)
      survey.responses.push(message)
      this.woken.push(survey)
    }
  }
}
