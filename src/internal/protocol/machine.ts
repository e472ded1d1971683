import * as Errors from "../../Errors.js"
import type { Message } from "../../Message.js"
import * as Protocol from "../../Protocol.js"

/**
 * One peer, as a protocol sees it. Nothing here calls back into the machine.
 *
 * @internal
 */
export interface Lane {
  readonly id: number
  readonly peerProtocol: number
  /** Whether a message may be pushed now; `Machine.writable` says when that becomes true again. */
  readonly writable: boolean
  readonly push: (message: Message) => void
  /** Pushes a message that others are given as well, and that nobody changes any more: it stays as it is. */
  readonly share: (message: Message) => void
  /** What is pushed is handed to the peer as it is, and is the peer's from then on: who keeps it pushes a copy. */
  readonly byReference: boolean
  /** Whether a message has arrived and was not taken; `Machine.readable` says when more come. */
  readonly hasNext: boolean
  /** The first that was not taken. */
  readonly peek: Message | undefined
  /** Takes it. Nothing more is read from the peer while one is left here, and so it feels that nobody takes it. */
  readonly next: () => Message | undefined
  /** The peer is gone; what it had sent is all that is left of it. It is detached when that is taken. */
  readonly ended: boolean
  /** Drops what is left, so that it is detached soon. */
  readonly giveUp: () => void
  /** Ends it, for what the peer did wrong. */
  readonly cut: (error: Errors.NngError) => void
}

/**
 * How many messages nobody will have, by why.
 *
 * @internal
 */
export interface Losses {
  /** With a connection that ended. */
  disconnected: number
  /** With a queue made shorter. */
  resized: number
  /** With the socket itself. */
  closed: number
  /** Answers that nobody waits for any more, or ever did. */
  stale: number
  /** They had come through too many devices. */
  hops: number
  /** The protocol's peers do not send any. */
  unexpected: number
  /** There is no such peer. */
  unroutable: number
  /** There was no room, and the protocol does not wait for it. */
  full: number
  /** Their topic was unsubscribed before they were received. */
  unsubscribed: number
  /** What the protocol cannot read; whoever sent it was cut. */
  malformed: number
}

/**
 * What a machine has of the world around it.
 *
 * @internal
 */
export interface World {
  /** Milliseconds. */
  readonly now: () => number
  /** 32 random bits. */
  readonly random: () => number
  readonly losses: Losses
}

/**
 * What an application can do on a socket whose sends and receives stand each for itself. What would have to wait does
 * nothing and says so; the engine asks again when something has happened.
 *
 * @internal
 */
export interface Verbs {
  /** False: it would have to wait. */
  readonly send: (message: Message) => boolean
  /** Undefined: it would have to wait. */
  readonly recv: () => Message | undefined
  /** Whether a send would not have to wait (the send descriptor is ready). */
  readonly canSend: boolean
  /** Whether a receive would not have to wait (the receive descriptor is ready). */
  readonly canRecv: boolean
}

/** @internal */
export type Refusal = Errors.EPROTO | Errors.EBUSY

/** @internal */
export interface Buffers {
  readonly send: number
  readonly recv: number
}

/**
 * The state of one socket's protocol: events in, and what follows from them done to the lanes or left for the verbs.
 *
 * @internal
 */
export interface Machine {
  /** A peer is there. Refused, it is never heard of again. */
  readonly attach: (lane: Lane) => Refusal | undefined
  /**
   * It is gone, and so are these, which it was given and had not begun to send. Returns how many messages, of these and
   * of its own, nobody will have.
   */
  readonly detach: (lane: Lane, unsent: ReadonlyArray<Message>) => number
  readonly readable: (lane: Lane) => void
  /** It takes messages again, or has ended. */
  readonly writable: (lane: Lane) => void
  /** Changes the capacities of the queues; returns how many messages had to go. */
  readonly resize: (buffers: Buffers) => number
  /** Drops what is queued; returns how many that were. */
  readonly close: () => number
  /** Messages that are to go out and were given to nobody yet. */
  readonly queued: number
  /** Whether this, which was given to a peer that is gone, is sent to another one. Default: nothing is. */
  readonly keeps?: (message: Message) => boolean
  /** A peer has gone and left messages behind; `wanted`: somebody waits for its place. Default: it stays until they are read. */
  readonly ended?: (lane: Lane, wanted: boolean) => void
}

/**
 * Refuses a peer of another protocol.
 *
 * @internal
 */
export const unlessPeer = (self: Protocol.Protocol, lane: Lane): Errors.EPROTO | undefined =>
  lane.peerProtocol === self.peer
    ? undefined
    : new Errors.EPROTO({
        operation: "attach",
        reason:
          `the peer speaks ${Protocol.describe(lane.peerProtocol)}, ` +
          `a socket of ${Protocol.describe(self.number)} needs ${Protocol.describe(self.peer)}`
      })

/**
 * Counts a message that the protocol cannot read, taken or the next to be, and cuts its lane.
 *
 * @internal
 */
export const cutFor = (message: Message, lane: Lane, losses: Losses, reason: string): void => {
  if (lane.peek === message) lane.next()
  losses.malformed++
  lane.cut(new Errors.EPROTO({ operation: "recv", reason }))
}
