import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FC from "effect/FastCheck"
import { Unmasking } from "../../src/internal/wire/masking.js"
import * as Ws from "../support/wsPeer.js"

/** The bytes at an odd place of their memory. */
const placed = (bytes: Uint8Array, offset: number): Uint8Array => {
  const room = new Uint8Array(offset + bytes.length)
  room.set(bytes, offset)
  return room.subarray(offset)
}

const patterned = (size: number): Uint8Array => new Uint8Array(size).map((_, i) => (i * 31) ^ (i >> 8))

/** A frame as it is masked, and with the zeros that are left of its mask. */
const both = (size: number, mask: boolean): readonly [masked: Uint8Array, unmasked: Uint8Array] => {
  const payload = patterned(size)
  const masked = Ws.frame(2, payload, { mask })
  const unmasked = Uint8Array.from(masked)
  unmasked.set(payload, masked.length - size)
  if (mask) unmasked.fill(0, masked.length - size - 4, masked.length - size)
  return [masked, unmasked]
}

describe("frames are unmasked in place", () => {
  const frame = FC.record({
    size: FC.oneof(FC.nat(300), FC.constantFrom(0, 1, 125, 126, 127, 128, 65535, 65536, 70_001)),
    mask: FC.boolean()
  })
  it.effect.prop(
    "whatever their lengths, wherever they are cut, and wherever they lie",
    [
      FC.array(frame, { minLength: 1, maxLength: 6 }),
      FC.array(FC.tuple(FC.integer({ min: 1, max: 40_000 }), FC.nat(7)))
    ],
    ([frames, cuts]) =>
      Effect.sync(() => {
        const made = frames.map(({ mask, size }) => both(size, mask))
        const masked = Buffer.concat(made.map(([masked]) => masked))
        const unmasking = new Unmasking()
        const got: Array<Uint8Array> = []
        let at = 0
        for (const [length, offset] of [...cuts, [masked.length, 0] as const]) {
          const piece = placed(masked.subarray(at, at + length), offset)
          at += length
          unmasking.push(piece)
          got.push(piece)
        }
        expect(Buffer.compare(Buffer.concat(got), Buffer.concat(made.map(([, unmasked]) => unmasked)))).toBe(0)
      })
  )

  it("byte by byte", () => {
    const [masked, unmasked] = both(70_001, true)
    const unmasking = new Unmasking()
    const got = Array.from(masked, (byte) => Uint8Array.of(byte))
    for (const piece of got) unmasking.push(piece)
    expect(Buffer.compare(Buffer.concat(got), unmasked)).toBe(0)
  })

  it("and lengths that no number holds have no end", () => {
    const unmasking = new Unmasking()
    unmasking.push(Ws.frame(2, "", { length: 2n ** 64n - 1n }))
    const payload = Uint8Array.from(Ws.frame(2, "abcd").subarray(-4))
    unmasking.push(payload)
    expect(Buffer.from(payload).toString()).toBe("abcd")
  })
})
