import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Message from "effect-nng/Message"
import type { Bytes } from "effect-nng/ByteStream"
import { ByteMessages } from "../../src/internal/connection/messages.js"
import { plain } from "../../src/internal/wire/framing.js"
import { SharingPool } from "../../src/internal/wire/sharing.js"
import { frame, hex } from "../support/peers.js"
import { settle } from "../support/sockets.js"

/** Keeps what is written, as it was and as it is. */
class FakeBytes implements Bytes {
  readonly writes: Array<ReadonlyArray<Uint8Array>> = []
  readonly texts: Array<string> = []
  accepting = true
  private owner: { readonly onDrain: () => void } | undefined = undefined

  readonly start = (owner: { readonly onDrain: () => void }) => {
    this.owner = owner
  }
  readonly pull = () => undefined
  readonly push = (pieces: ReadonlyArray<Uint8Array>) => {
    this.writes.push(pieces)
    this.texts.push(text(pieces))
    return this.accepting
  }
  readonly close = () => ({ unsent: [], doubtful: [] })

  drain(): void {
    this.owner!.onDrain()
  }
}

const text = (pieces: ReadonlyArray<Uint8Array>) => hex(Buffer.concat(pieces))

const framed = (...bodies: ReadonlyArray<string>) => hex(Buffer.concat(bodies.map(frame)))

const setup = (n: number) => {
  const pool = new SharingPool()
  const lanes = Array.from({ length: n }, () => {
    const bytes = new FakeBytes()
    const messages = new ByteMessages(bytes, plain, pool, 0, new Uint8Array(0))
    messages.start({ onPull: () => {}, onDrain: () => {}, onClose: () => {} })
    return { bytes, messages }
  })
  return { pool, lanes }
}

type Lanes = ReturnType<typeof setup>["lanes"]

const publish = (lanes: Lanes, ...bodies: ReadonlyArray<string>) => {
  for (const body of bodies) {
    const message = Message.make(body)
    for (const { messages } of lanes) messages.share(message)
  }
}

/** Enough for blocks of the pool. */
const long = (letter: string) => Array.from({ length: 10 }, () => letter.repeat(1000))

describe("messages that several connections send", () => {
  it.effect("are encoded once for all that send the same in a tick", () =>
    Effect.gen(function* () {
      const { lanes } = setup(5)
      for (const bodies of [["a"], ["b", "c"], long("x"), ["y".repeat(5000)]]) {
        publish(lanes, ...bodies)
        yield* settle
        const writes = lanes.map(({ bytes }) => bytes.writes.at(-1)!)
        expect(writes.map(text)).toEqual(lanes.map(() => framed(...bodies)))
        expect(new Set(writes.flat().map((piece) => piece)).size).toBe(writes[0]!.length)
      }
    })
  )

  it.effect("are encoded by themselves for who has others to send", () =>
    Effect.gen(function* () {
      const { lanes } = setup(3)
      const [first, second] = lanes
      publish([first!], "own")
      publish(lanes, "a")
      second!.messages.push(Message.make("plain"))
      yield* settle
      expect(lanes.map(({ bytes }) => bytes.texts)).toEqual([
        [framed("own", "a")],
        [framed("a", "plain")],
        [framed("a")]
      ])
    })
  )

  it.effect("are not mixed up with the same bytes of another tick, nor with as many others", () =>
    Effect.gen(function* () {
      const { lanes } = setup(2)
      publish(lanes.slice(0, 1), "a", "b")
      publish(lanes.slice(1), "c", "d")
      yield* settle
      expect(lanes.map(({ bytes }) => bytes.texts)).toEqual([[framed("a", "b")], [framed("c", "d")]])
    })
  )

  it.effect("are kept for who is slow, and for nobody else", () =>
    Effect.gen(function* () {
      const { lanes, pool } = setup(3)
      const slow = lanes[1]!
      slow.bytes.accepting = false
      publish(lanes, ...long("x"))
      yield* settle
      expect(pool.sharesNothing).toBe(true)
      const before = text(slow.bytes.writes[0]!)
      for (const letter of "yz") {
        publish(lanes, ...long(letter))
        yield* settle
        publish([lanes[0]!], ...long("o"))
        lanes[2]!.messages.push(Message.make("p".repeat(1000).repeat(5)))
        yield* settle
      }
      // what it has not handed over is as it was, whatever was written since
      expect(text(slow.bytes.writes[0]!)).toBe(before)
      expect(slow.bytes.writes.length).toBe(1)
      slow.bytes.accepting = true
      slow.bytes.drain()
      yield* settle
      expect(slow.bytes.texts[1]).toBe(framed(...long("y"), ...long("z")))
    })
  )

  it.effect("give their memory back when the last has handed it over", () =>
    Effect.gen(function* () {
      const { lanes, pool } = setup(3)
      const given: Array<number> = []
      const { give } = pool
      pool.give = (blocks) => {
        given.push(blocks.length)
        give.call(pool, blocks)
      }
      const times = () => given.filter((blocks) => blocks > 0).length
      for (const { bytes } of lanes.slice(1)) bytes.accepting = false
      publish(lanes, ...long("x"))
      yield* settle
      expect(times()).toBe(0)
      lanes[1]!.bytes.drain()
      expect(times()).toBe(0)
      lanes[2]!.bytes.drain()
      expect(times()).toBe(1)
      for (const { bytes } of lanes) bytes.accepting = true
      publish(lanes, ...long("x"))
      yield* settle
      expect(times()).toBe(2)
    })
  )

  it.effect("are forgotten by what a connection sends later, to nobody else", () =>
    Effect.gen(function* () {
      const { lanes } = setup(1)
      const [{ bytes, messages }] = lanes as [Lanes[number]]
      publish(lanes, "a")
      yield* settle
      for (const body of ["b", "c"]) {
        messages.push(Message.make(body))
        yield* settle
      }
      expect(bytes.texts).toEqual([framed("a"), framed("b"), framed("c")])
      // short ones that are a connection's own take turns in one piece of memory
      expect(bytes.writes[2]![0]).toBe(bytes.writes[1]![0])
      expect(bytes.writes[1]![0]).not.toBe(bytes.writes[0]![0])
    })
  )

  it.effect("of more kinds than are remembered are sent all the same", () =>
    Effect.gen(function* () {
      const { lanes } = setup(12)
      for (const [n, lane] of lanes.entries()) {
        publish([lane], ...long(String(n % 6)))
      }
      yield* settle
      expect(lanes.map(({ bytes }) => bytes.texts[0])).toEqual(lanes.map((_, n) => framed(...long(String(n % 6)))))
    })
  )
})
