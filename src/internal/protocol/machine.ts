import type { Message } from "../../Message.js"
import type * as Errors from "../../Errors.js"

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
  /** Whether a message has arrived and was not taken; `Machine.readable` says when more come. */
  readonly hasNext: boolean
  /** Takes it. Nothing more is read from the peer while one is left here, and so it feels that nobody takes it. */
  readonly next: () => Message | undefined
  /** The peer is gone; what it had sent is all that is left of it. It is detached when that is taken. */
  readonly ended: boolean
  /** Drops what is left, so that it is detached soon. */
  readonly giveUp: () => void
}

/**
 * What an application can do on a socket, or on a context. What would have to wait does nothing and says so; the
 * engine asks again when something has happened.
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

/**
 * The state of one socket's protocol: events in, and what follows from them done to the lanes or left for the verbs.
 *
 * @internal
 */
export interface Machine extends Verbs {
  /** A peer is there. Refused, it is never heard of again. */
  readonly attach: (lane: Lane) => Refusal | undefined
  readonly detach: (lane: Lane) => void
  readonly readable: (lane: Lane) => void
  /** It takes messages again, or has ended. */
  readonly writable: (lane: Lane) => void
  /** Changes the capacities of the queues; returns how many messages had to go. */
  readonly resize: (buffers: { readonly send: number; readonly recv: number }) => number
  /** Drops what is queued; returns how many that were. */
  readonly close: () => number
}
