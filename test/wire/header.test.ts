import { describe, expect, it } from "@effect/vitest"
import * as FC from "effect/FastCheck"
import * as Protocol from "effect-nng/Protocol"
import * as Header from "../../src/internal/wire/header.js"

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")
const fixed: ReadonlyArray<readonly [index: number, value: number]> = [
  [0, 0x00],
  [1, 0x53],
  [2, 0x50],
  [3, 0x00],
  [6, 0x00],
  [7, 0x00]
]

describe("the SP header", () => {
  it("of every protocol is eight bytes, its number in the middle", () => {
    expect(Protocol.all.map(({ name, number }) => [name, hex(Header.encode(number))])).toEqual([
      ["pair", "0053500000100000"],
      ["pair1", "0053500000110000"],
      ["pub", "0053500000200000"],
      ["sub", "0053500000210000"],
      ["req", "0053500000300000"],
      ["rep", "0053500000310000"],
      ["push", "0053500000500000"],
      ["pull", "0053500000510000"],
      ["surveyor", "0053500000620000"],
      ["respondent", "0053500000630000"],
      ["bus", "0053500000700000"]
    ])
    expect(Header.length).toBe(8)
  })

  it.prop("reads back whatever number it was made of", [FC.integer({ min: 0, max: 0xffff })], ([number]) => {
    expect(Header.decode(Header.encode(number))).toBe(number)
  })

  it.prop("is not decided before its eighth byte", [FC.nat(0xffff), FC.nat(7)], ([number, length]) => {
    expect(Header.decode(Header.encode(number).subarray(0, length))).toBeUndefined()
  })

  it.prop("takes no notice of what follows", [FC.nat(0xffff), FC.uint8Array()], ([number, rest]) => {
    expect(Header.decode(Uint8Array.of(...Header.encode(number), ...rest))).toBe(number)
  })

  it.prop(
    "with a wrong byte is refused as soon as that byte is there, and the error names it",
    [FC.constantFrom(...fixed), FC.integer({ min: 1, max: 0xff }), FC.nat(0xffff), FC.nat(8)],
    ([[index, right], change, number, more]) => {
      const bytes = Header.encode(number)
      bytes[index] = right ^ change
      const expected = {
        _tag: "NNG_EPROTO",
        operation: "handshake",
        reason: expect.stringContaining(
          `byte ${index} of the SP header is 0x${hex(Uint8Array.of(right ^ change))}, not 0x${hex(Uint8Array.of(right))}`
        )
      }
      expect(Header.decode(bytes.subarray(0, index))).toBeUndefined()
      expect(Header.decode(bytes.subarray(0, index + 1))).toMatchObject(expected)
      expect(Header.decode(bytes.subarray(0, Math.max(index + 1, more)))).toMatchObject(expected)
    }
  )

  it.prop("[S6] of random bytes is a typed error or a number, and never throws", [FC.uint8Array()], ([bytes]) => {
    const right = fixed.every(([index, value]) => bytes.length <= index || bytes[index] === value)
    const decoded = Header.decode(bytes)
    if (!right) expect(decoded).toMatchObject({ _tag: "NNG_EPROTO" })
    else expect(decoded).toBe(bytes.length < 8 ? undefined : bytes[4]! * 256 + bytes[5]!)
  })
})
