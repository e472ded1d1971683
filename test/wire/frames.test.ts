import { describe, expect, it } from "@effect/vitest"
import * as FC from "effect/FastCheck"
import * as Message from "effect-nng/Message"
import type { Format } from "../../src/internal/wire/frames.js"
import { encode, FramePool, frameSize } from "../../src/internal/wire/frames.js"
import type { Frame } from "../support/wsPeer.js"
import { parseFrames } from "../support/wsPeer.js"

const patterned = (size: number, seed = 1): Uint8Array => new Uint8Array(size).map((_, i) => (i * 31 + seed) ^ (i >> 8))

const message = (size: number, words = 0): Message.Message => {
  const made = Message.fromBytes(patterned(size))
  if (words > 0) Message.Header.append(made, patterned(4 * words, 7))
  return made
}

const masked = (maxFrame = Infinity): Format => {
  let n = 0x9d2c5680
  return { nextMask: () => (n = (Math.imul(n, 1664525) + 1013904223) >>> 0), maxFrame }
}
const plain = (maxFrame = Infinity): Format => ({ nextMask: undefined, maxFrame })

const write = (format: Format, messages: ReadonlyArray<Message.Message>, pool = new FramePool()) => {
  const size = messages.reduce((sum, each) => sum + frameSize(each), 0)
  const result = encode(format, messages, size, pool)
  return { ...result, bytes: Buffer.concat(result.pieces), pieces: result.pieces, blocks: result.blocks }
}

/** The messages that frames make. */
const assemble = (frames: ReadonlyArray<Frame>): ReadonlyArray<Buffer> => {
  const whole: Array<Buffer> = []
  let parts: Array<Uint8Array> = []
  for (const { fin, op, payload } of frames) {
    expect(op).toBe(parts.length === 0 ? 2 : 0)
    parts.push(payload)
    if (!fin) continue
    whole.push(Buffer.concat(parts))
    parts = []
  }
  expect(parts).toEqual([])
  return whole
}

const whole = ({ body, header }: Message.Message): Buffer => Buffer.concat([header, body])

const sizes = [0, 1, 2, 3, 4, 5, 124, 125, 126, 127, 1023, 1024, 1025, 65535, 65536, 65537, 131072, 200_000, 1048577]

describe("frames", () => {
  for (const [side, format] of [
    ["a client", masked],
    ["a server", plain]
  ] as const) {
    for (const maxFrame of [Infinity, 65536, 100, 3, 1]) {
      it(`of ${side}, ${maxFrame} bytes at most, are those of the messages`, () => {
        const messages = sizes
          .filter((size) => size / maxFrame < 5000)
          .flatMap((size) => [message(size), message(size, 1), message(size, 3)])
        const { bytes } = write(format(maxFrame), messages)
        const frames = parseFrames(bytes)
        expect(frames.every((frame) => frame.masked === (side === "a client"))).toBe(true)
        expect(frames.every(({ payload }) => payload.length <= maxFrame)).toBe(true)
        const got = assemble(frames)
        expect(got.length).toBe(messages.length)
        for (const [i, each] of messages.entries()) {
          expect(Buffer.compare(got[i]!, whole(each)), `message ${i}`).toBe(0)
        }
      })
    }
  }

  it("have the lengths and masks of RFC 6455, byte for byte", () => {
    const fixed: Format = { nextMask: () => 0x3d21fa37, maxFrame: Infinity }
    const hex = (format: Format, text: string) => write(format, [Message.make(text)]).bytes.toString("hex")
    expect(hex(plain(), "world")).toBe("8205776f726c64")
    expect(hex(fixed, "world")).toBe("828537fa213d4095535153")
    expect(hex(plain(), "")).toBe("8200")
    expect(hex(fixed, "")).toBe("828037fa213d")
    for (const [size, head] of [
      [125, "827d"],
      [126, "827e007e"],
      [65535, "827effff"],
      [65536, "827f0000000000010000"]
    ] as const) {
      expect(
        write(plain(), [message(size)])
          .bytes.toString("hex")
          .slice(0, head.length)
      ).toBe(head)
    }
  })

  it("of a server share memory when they are small, and leave large bodies where they are", () => {
    const large = message(5000)
    const { pieces } = write(plain(), [message(10), message(20), large, message(30)])
    expect(pieces.length).toBe(3)
    expect(pieces[1]!.buffer).toBe(large.body.buffer)
  })

  it("of a client never change the message", () => {
    const sent = message(100_000)
    write(masked(), [sent])
    expect(Buffer.compare(sent.body, patterned(100_000))).toBe(0)
  })

  it("have a mask each", () => {
    const { bytes } = write(masked(), [message(0), message(0), message(0)])
    const masks = [2, 8, 14].map((at) => bytes.subarray(at, at + 4).toString("hex"))
    expect(new Set(masks).size).toBe(3)
  })

  it("are written into blocks that come back, and into memory of their own where there is little", () => {
    const pool = new FramePool()
    expect(write(masked(), [message(10)], pool).blocks).toEqual([])
    const first = write(masked(), [message(70_000)], pool)
    expect(first.blocks.length).toBe(1)
    pool.give(first.blocks)
    const second = write(masked(), [message(70_000)], pool)
    expect(second.blocks[0]).toBe(first.blocks[0])
    // one that no block holds
    expect(write(masked(), [message(300_000)], pool).pieces.at(-1)!.length).toBe(300_014)
  })

  it("any messages, any fragments, with a mask or without: they come out as they went in", () => {
    FC.assert(
      FC.property(
        FC.array(FC.tuple(FC.nat(3000), FC.nat(16)), { maxLength: 60 }),
        FC.integer({ min: 1, max: 2000 }),
        FC.boolean(),
        (shapes, maxFrame, mask) => {
          const messages = shapes.map(([size, words]) => message(size, words))
          const { bytes } = write(mask ? masked(maxFrame) : plain(maxFrame), messages)
          const got = assemble(parseFrames(bytes))
          expect(got.map((each) => each.toString("hex"))).toEqual(messages.map((each) => whole(each).toString("hex")))
        }
      ),
      { numRuns: 60 }
    )
  })
})
