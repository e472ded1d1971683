import type { Message } from "../../Message.js"
import * as Backtrace from "./backtrace.js"
import { Collector } from "./collector.js"
import type { Lane, Losses } from "./machine.js"
import { cutFor } from "./machine.js"

/** As many words as a header holds. */
const mostWords = 16

const check = (lane: Lane, message: Message, losses: Losses): boolean => {
  if (Backtrace.take(message, mostWords) === "good") return true
  cutFor(message, lane, losses, "an answer whose backtrace does not end")
  return false
}

/**
 * What answers a raw socket, each with its backtrace as a header.
 *
 * @internal
 */
export const answers = (capacity: number, losses: Losses): Collector =>
  new Collector(capacity, (lane, message) => check(lane, message, losses))
