import { describe, expect, it } from "@effect/vitest"
import type { Format } from "../../src/internal/cli/format.js"
import { format } from "../../src/internal/cli/format.js"

const shown = (as: Format, body: Uint8Array): string =>
  Buffer.concat([...format(as, body)].map((piece) => Buffer.from(piece))).toString("latin1")

const body = Uint8Array.of(0x41, 0x22, 0x5c, 0x0a, 0x0d, 0x09, 0x00, 0x7f, 0x80, 0xff, 0xc3, 0xa9, 0x7a)

describe("a message is printed as libnng's nngcat prints it:", () => {
  it("no", () => expect(shown("no", body)).toBe(""))

  it("raw", () => expect(shown("raw", body)).toBe(Buffer.from(body).toString("latin1")))

  it("ascii", () => expect(shown("ascii", body)).toBe('A"\\.........z'))

  it("quoted", () => expect(shown("quoted", body)).toBe('"A\\"\\\\\\n\\r\\t\\x00\\x7f\\x80\\xff\\xc3\\xa9z"\n'))

  it("hex", () =>
    expect(shown("hex", body)).toBe('"\\x41\\x22\\x5c\\x0a\\x0d\\x09\\x00\\x7f\\x80\\xff\\xc3\\xa9\\x7a"\n'))

  it("msgpack, with the shortest length that fits", () => {
    const prefix = (length: number) => [...Buffer.from(shown("msgpack", new Uint8Array(length)), "latin1")].slice(0, 6)
    expect(shown("msgpack", body)).toBe(Buffer.from([0xc4, 13, ...body]).toString("latin1"))
    expect(prefix(0)).toEqual([0xc4, 0])
    expect(prefix(255).slice(0, 3)).toEqual([0xc4, 255, 0])
    expect(prefix(256).slice(0, 4)).toEqual([0xc5, 1, 0, 0])
    expect(prefix(65_535).slice(0, 4)).toEqual([0xc5, 255, 255, 0])
    expect(prefix(65_536)).toEqual([0xc6, 0, 1, 0, 0, 0])
  })

  it("nothing at all", () => {
    expect((["no", "raw", "ascii", "quoted", "hex"] as const).map((as) => shown(as, new Uint8Array(0)))).toEqual([
      "",
      "",
      "",
      '""\n',
      '""\n'
    ])
  })
})
