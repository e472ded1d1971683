import { describe, expect, it } from "@effect/vitest"
import * as FC from "effect/FastCheck"
import * as Message from "effect-nng/Message"
import { Topics } from "../../src/internal/protocol/topics.js"
import { bytesOf } from "../support/words.js"

const make = (...topics: ReadonlyArray<Uint8Array>) => {
  const made = new Topics<object>()
  for (const topic of topics) made.set(topic, {})
  return made
}

const utf8 = (text: string) => new TextEncoder().encode(text)

const matches = (topics: Topics<object>, body: string | Uint8Array) => topics.match(Message.make(body))

describe("topics", () => {
  it("[SUB-15] are bytes, zero and all", () => {
    const topics = make(Uint8Array.of(0, 0xff, 0))
    expect(matches(topics, Uint8Array.of(0, 0xff, 0, 1))).toBe(true)
    expect(matches(topics, Uint8Array.of(0, 0xff, 1))).toBe(false)
    expect(matches(topics, Uint8Array.of(0, 0xff))).toBe(false)
    expect(matches(make(Uint8Array.of(0)), "")).toBe(false)
    expect(matches(make(Uint8Array.of(0)), Uint8Array.of(0))).toBe(true)
    expect(matches(make(utf8("é")), "è")).toBe(false)
  })

  it("[SUB-16] match no message that is shorter", () => {
    const topics = make(utf8("abc"))
    expect(["", "a", "ab", "abc", "abcd"].map((body) => matches(topics, body))).toEqual([
      false,
      false,
      false,
      true,
      true
    ])
  })

  it("that are empty match everything, and none match nothing", () => {
    expect([matches(make(), ""), matches(make(), "a")]).toEqual([false, false])
    expect([matches(make(new Uint8Array(0)), ""), matches(make(new Uint8Array(0)), "a")]).toEqual([true, true])
  })

  it("look at the body alone, and where it is in its buffer", () => {
    const message = Message.make("xxabc")
    Message.Body.trim(message, 2)
    Message.Header.append(message, utf8("zz"))
    expect(make(utf8("abc")).match(message)).toBe(true)
    expect(make(utf8("xx")).match(message)).toBe(false)
    Message.Body.chop(message, 1)
    expect(make(utf8("abc")).match(message)).toBe(false)
  })

  it("are ten thousand, and each is found by itself", () => {
    const topics = make(...Array.from({ length: 10_000 }, (_, n) => bytesOf(n * 7)))
    for (let n = 0; n < 70_000; n += 3) expect(topics.match(Message.make(bytesOf(n, 1)))).toBe(n % 7 === 0)
  })

  it("do what a list of them does, whatever is added and taken away", () => {
    const bytes = FC.uint8Array({ maxLength: 5, max: 2 })
    const step = FC.tuple(FC.boolean(), bytes)
    FC.assert(
      FC.property(FC.array(step, { maxLength: 40 }), FC.array(bytes), (steps, bodies) => {
        const topics = make()
        const list = new Map<string, object>()
        for (const [add, topic] of steps) {
          const key = topic.join()
          expect(topics.get(topic)).toBe(list.get(key))
          if (add) {
            const value = {}
            topics.set(topic, value)
            list.set(key, value)
          } else if (list.delete(key)) {
            topics.delete(topic)
          }
          for (const body of bodies) {
            const some = [...list.keys()].some((key) => `${body.join()},`.startsWith(key === "" ? "" : `${key},`))
            expect(topics.match(Message.fromBytes(body))).toBe(some)
          }
        }
        // and nothing stays of what is gone
        for (const key of list.keys()) topics.delete(Uint8Array.from(key === "" ? [] : key.split(",").map(Number)))
        expect(topics).toEqual(make())
      }),
      { numRuns: 300 }
    )
  })
})
