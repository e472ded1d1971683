import { describe, expect, it } from "@effect/vitest"
import * as Message from "effect-nng/Message"
import * as Protocol from "effect-nng/Protocol"
import type { Machine } from "../../src/internal/protocol/machine.js"
import { Pair1Machine } from "../../src/internal/protocol/pair1.js"
import { Poly1Machine } from "../../src/internal/protocol/poly1.js"
import { Rep0Machine } from "../../src/internal/protocol/rep0.js"
import { Req0Machine } from "../../src/internal/protocol/req0.js"
import { Surveyor0Machine } from "../../src/internal/protocol/surveyor0.js"
import { XRep0Machine } from "../../src/internal/protocol/xrep0.js"
import { XReq0Machine } from "../../src/internal/protocol/xreq0.js"
import { XSurveyor0Machine } from "../../src/internal/protocol/xsurveyor0.js"
import { FakeLane } from "../support/lanes.js"
import { FakeWorld } from "../support/world.js"

const buffers = { send: 1, recv: 1 }
const { rep0, req0, respondent0, surveyor0 } = Protocol

/** What reads something of every message, and the protocol of its peers. */
const machines: ReadonlyArray<readonly [name: string, peer: number, make: (world: FakeWorld) => Machine]> = [
  ["req0", rep0.number, (world) => new Req0Machine(world)],
  ["raw req0", rep0.number, (world) => new XReq0Machine(buffers, world)],
  ["rep0", req0.number, (world) => new Rep0Machine(8, world)],
  ["raw rep0", req0.number, (world) => new XRep0Machine(buffers, 8, world)],
  ["surveyor0", respondent0.number, (world) => new Surveyor0Machine(world)],
  ["raw surveyor0", respondent0.number, (world) => new XSurveyor0Machine(buffers, world)],
  ["respondent0", surveyor0.number, (world) => new Rep0Machine(8, world, respondent0)],
  ["pair1", Protocol.pair1.number, (world) => new Pair1Machine(buffers, 8, false, world)],
  ["raw pair1", Protocol.pair1.number, (world) => new Pair1Machine(buffers, 8, true, world)],
  ["polyamorous pair1", Protocol.pair1.number, (world) => new Poly1Machine(buffers, 8, world)]
]

describe("a message that the protocol cannot read", () => {
  for (const [name, peer, make] of machines) {
    it(`is counted by ${name}, and cuts its pipe alone`, () => {
      const world = new FakeWorld()
      const machine = make(world)
      const [bad, good] = [new FakeLane(1, peer, 9), new FakeLane(2, peer, 9)]
      expect([machine.attach(bad), machine.attach(good)][0]).toBeUndefined()
      bad.arrived.push(Message.make("abc"))
      machine.readable(bad)
      expect(bad.error).toMatchObject({ _tag: "NNG_EPROTO" })
      expect(world.losses).toEqual({ ...new FakeWorld().losses, malformed: 1 })
      expect(good.error).toBeUndefined()
    })
  }
})
