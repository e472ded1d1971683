import { describe, expect, it } from "@effect/vitest"
import * as FC from "effect/FastCheck"
import * as Message from "effect-nng/Message"
import * as Backtrace from "../../src/internal/protocol/backtrace.js"
import { headed, headerOf, id, wire } from "../support/words.js"

/** So many words, the last with its top bit set. */
const trace = (words: number): Array<number> => [...Array.from({ length: words - 1 }, (_, n) => n + 1), id(7)]

describe("the words in front of a message", () => {
  it("at every limit, of every number of words: as many as that are good, one more is not", () => {
    for (let limit = 1; limit <= 16; limit++) {
      for (let words = 1; words <= 20; words++) {
        const message = wire(trace(words), "body")
        const verdict = Backtrace.take(message, limit)
        expect(verdict, `${words} of ${limit}`).toBe(words <= limit ? "good" : "hops")
        if (verdict === "good") expect([headerOf(message), Message.text(message)]).toEqual([trace(words), "body"])
        else expect([message.headerLength, message.length]).toEqual([0, 4 * words + 4])
      }
    }
  })

  it("at every limit, of every number of words without an end: short, but hops if the limit comes first", () => {
    for (let limit = 1; limit <= 16; limit++) {
      for (let words = 0; words <= 20; words++) {
        for (let odd = 0; odd < 4; odd++) {
          const message = wire(
            Array.from({ length: words }, (_, n) => n),
            "x".repeat(odd)
          )
          expect(Backtrace.take(message, limit), `${words} and ${odd} of ${limit}`).toBe(
            words < limit ? "short" : "hops"
          )
          expect([message.headerLength, message.length]).toEqual([0, 4 * words + odd])
        }
      }
    }
  })

  it("an id of 0x80000000 and one of 0xffffffff end them, 0x7fffffff does not", () => {
    for (const last of [Backtrace.firstId, Backtrace.lastId]) {
      const message = wire([0x7fffffff, last], "b")
      expect([Backtrace.take(message, 8), headerOf(message)]).toEqual(["good", [0x7fffffff, last]])
    }
    expect(Backtrace.take(wire([0x7fffffff]), 8)).toBe("short")
  })

  it("what follows the id is the body, whatever it looks like", () => {
    const message = wire([id(1), id(2), 3], "b")
    expect([Backtrace.take(message, 8), headerOf(message), message.length]).toEqual(["good", [id(1)], 9])
  })

  it("a view on a read is left as it was", () => {
    const read = Uint8Array.from([9, 9, 0, 0, 0, 5, 0x80, 0, 0, 1, 65, 66, 9])
    const message = Message.unsafeView(read, 2, 12)
    expect([Backtrace.take(message, 8), headerOf(message), Message.text(message)]).toEqual(["good", [5, id(1)], "AB"])
    expect(read.slice(2, 12)).toEqual(Uint8Array.from([0, 0, 0, 5, 0x80, 0, 0, 1, 65, 66]))
  })

  it("a word put in front and taken off again is the same", () => {
    FC.assert(
      FC.property(
        FC.integer({ min: 0, max: 0xffffffff }),
        FC.array(FC.integer({ min: 0, max: 0xffffffff }), { maxLength: 15 }),
        (word, words) => {
          const message = headed(words, "body")
          Backtrace.prepend(message, word)
          expect(headerOf(message)).toEqual([word, ...words])
          expect(Backtrace.takeFirst(message)).toBe(word)
          expect([headerOf(message), Message.text(message)]).toEqual([words, "body"])
        }
      )
    )
  })

  it("of a header shorter than a word there is none to take", () => {
    const message = Message.make("body")
    for (const length of [0, 1, 2, 3]) {
      expect(message.headerLength).toBe(length)
      expect(Backtrace.takeFirst(message)).toBeUndefined()
      Message.Header.append(message, Uint8Array.of(1))
    }
    expect([Backtrace.takeFirst(message), message.headerLength]).toEqual([0x01010101, 0])
  })
})
