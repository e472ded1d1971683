import { describe, expect, it } from "@effect/vitest"
import * as Option from "effect/Option"
import * as Protocol from "effect-nng/Protocol"

const table: ReadonlyArray<readonly [keyof typeof Protocol, number, string, number, string]> = [
  ["pair0", 0x10, "pair", 0x10, "pair"],
  ["pair1", 0x11, "pair1", 0x11, "pair1"],
  ["pub0", 0x20, "pub", 0x21, "sub"],
  ["sub0", 0x21, "sub", 0x20, "pub"],
  ["req0", 0x30, "req", 0x31, "rep"],
  ["rep0", 0x31, "rep", 0x30, "req"],
  ["push0", 0x50, "push", 0x51, "pull"],
  ["pull0", 0x51, "pull", 0x50, "push"],
  ["surveyor0", 0x62, "surveyor", 0x63, "respondent"],
  ["respondent0", 0x63, "respondent", 0x62, "surveyor"],
  ["bus0", 0x70, "bus", 0x70, "bus"]
]

describe("Protocol", () => {
  it.each(table)("[ALL-01] %s", (constant, number, name, peer, peerName) => {
    expect(Protocol[constant]).toEqual({ number, name, peer, peerName, wsName: `${name}.sp.nanomsg.org` })
  })

  it("lists them all, once, in order", () => {
    expect(Protocol.all.map(({ number }) => number)).toEqual(table.map(([, number]) => number))
  })

  it("peers name each other", () => {
    for (const protocol of Protocol.all) {
      const peer = Option.getOrThrow(Protocol.fromNumber(protocol.peer))
      expect([peer.peer, peer.peerName, peer.name]).toEqual([protocol.number, protocol.name, protocol.peerName])
    }
  })

  it("is found by number", () => {
    expect(Protocol.fromNumber(0x62)).toEqual(Option.some(Protocol.surveyor0))
    expect([0, 0x12, 0x1234, 0x640, -1].map(Protocol.fromNumber)).toEqual(new Array(5).fill(Option.none()))
  })

  it("describes any number", () => {
    expect(Protocol.all.map(({ number }) => Protocol.describe(number))).toEqual(
      table.map(([constant, number]) => `${constant} (0x00${number.toString(16)})`)
    )
    expect(Protocol.describe(0x1234)).toBe("unknown protocol 0x1234")
    expect(Protocol.describe(0)).toBe("unknown protocol 0x0000")
  })
})
