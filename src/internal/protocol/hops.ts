import * as Errors from "../../Errors.js"
import type { Message } from "../../Message.js"
import { unsafeMoveToHeader, unsafeSetHeader, unsafeWord } from "../vocabulary/message.js"
import { decodeWord, encodeWord } from "./backtrace.js"
import type { Lane, Losses } from "./machine.js"
import { cutFor } from "./machine.js"

/** Pair1's header: one word that counts the sockets which a message has left. */

const wordSize = 4

/** What the wire allows; `ttl` says what a socket takes. */
const most = 255

/**
 * In the place of whatever header it had: it has left one socket.
 *
 * @internal
 */
export const begin = (message: Message): void => unsafeSetHeader(message, encodeWord(1))

/**
 * Why a message of a raw socket cannot go out.
 *
 * @internal
 */
export const refuse = ({ header }: Message): Errors.EPROTO | undefined =>
  header.length === wordSize && decodeWord(header) < most
    ? undefined
    : new Errors.EPROTO({ operation: "send", reason: `the header has to be one word, a number of hops below ${most}` })

/**
 * It leaves one more; to be called for one that `refuse` has let pass.
 *
 * @internal
 */
export const increase = (message: Message): void => unsafeSetHeader(message, encodeWord(decodeWord(message.header) + 1))

/**
 * Moves the word from the body to the header. False: it is not to be received; a message that is malformed cuts its
 * lane.
 *
 * @internal
 */
export const check = (lane: Lane, message: Message, ttl: number, losses: Losses): boolean => {
  const hops = message.length < wordSize ? Infinity : unsafeWord(message, 0)
  if (hops > most) {
    cutFor(message, lane, losses, "a message that does not begin with a number of hops")
    return false
  }
  if (hops > ttl) {
    losses.hops++
    return false
  }
  unsafeMoveToHeader(message, wordSize)
  return true
}
