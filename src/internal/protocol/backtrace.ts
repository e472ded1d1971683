import type { Message } from "../../Message.js"
import { unsafeMoveToHeader, unsafeSetHeader, unsafeWord } from "../vocabulary/message.js"

/**
 * Where a message came through, as words in front of its body: the pipes of devices, and last, with its top bit set,
 * the id of the request.
 */

/** Marks the last word. */
const topBit = 0x80000000

const wordSize = 4

/** @internal */
export const firstId = topBit

/** @internal */
export const lastId = 0xffffffff

/** @internal */
export const encodeWord = (word: number): Uint8Array =>
  Uint8Array.of(word >>> 24, (word >>> 16) & 0xff, (word >>> 8) & 0xff, word & 0xff)

/** @internal The first word of at least four bytes. */
export const decodeWord = (bytes: Uint8Array): number =>
  ((bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!) >>> 0

/**
 * - `good`: the words are in the header now;
 * - `hops`: there are more than may be;
 * - `short`: the message ends before the last word.
 *
 * @internal
 */
export type Verdict = "good" | "hops" | "short"

/**
 * Moves the words from the body to the header, which had better be empty. The number of words is looked at before there
 * being any.
 *
 * @internal
 */
export const take = (message: Message, mostWords: number): Verdict => {
  for (let words = 1; ; words++) {
    if (words > mostWords) return "hops"
    if (message.length < words * wordSize) return "short"
    if (unsafeWord(message, (words - 1) * wordSize) >= topBit) {
      unsafeMoveToHeader(message, words * wordSize)
      return "good"
    }
  }
}

/**
 * Puts a word in front of the header.
 *
 * @internal
 */
export const prepend = (message: Message, word: number): void => {
  const header = new Uint8Array(wordSize + message.headerLength)
  header.set(encodeWord(word))
  header.set(message.header, wordSize)
  unsafeSetHeader(message, header)
}

/**
 * Takes the first word off the header; undefined if there is none.
 *
 * @internal
 */
export const takeFirst = (message: Message): number | undefined => {
  const { header } = message
  if (header.length < wordSize) return undefined
  unsafeSetHeader(message, header.slice(wordSize))
  return decodeWord(header)
}
