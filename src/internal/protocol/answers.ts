import * as Errors from "../../Errors.js"
import type { Message } from "../../Message.js"
import * as Backtrace from "./backtrace.js"
import { Collector } from "./collector.js"
import type { Lane } from "./machine.js"

/** As many words as a header holds. */
const mostWords = 16

const check = (lane: Lane, message: Message): boolean => {
  if (Backtrace.take(message, mostWords) === "good") return true
  lane.cut(new Errors.EPROTO({ operation: "recv", reason: "an answer whose backtrace does not end" }))
  return false
}

/**
 * What answers a raw socket, each with its backtrace as a header.
 *
 * @internal
 */
export const answers = (capacity: number): Collector => new Collector(capacity, check)
