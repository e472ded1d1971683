import { describe, expect, it } from "@effect/vitest"
import * as FC from "effect/FastCheck"
import * as Message from "effect-nng/Message"
import * as Hops from "../../src/internal/protocol/hops.js"
import { Pair1Machine } from "../../src/internal/protocol/pair1.js"
import { FakeLane } from "../support/lanes.js"
import { bytesOf, headed, headerOf, wire } from "../support/words.js"
import { FakeWorld } from "../support/world.js"

const setUp = ({ raw = false, recv = 0, ttl = 8 } = {}) => {
  const world = new FakeWorld()
  const machine = new Pair1Machine({ send: 0, recv }, ttl, raw, world)
  const lane = new FakeLane(1, 0x11, 5)
  machine.attach(lane)
  const arrive = (...messages: ReadonlyArray<Message.Message>) => {
    for (const message of messages) {
      lane.arrived.push(message)
      machine.readable(lane)
    }
  }
  return { arrive, lane, machine, world }
}

describe("the hops of pair1", () => {
  it("[PAIR1-02] a raw header is one word below 255", () => {
    const refused = [[], [0xdead0000], [0xff], [0x100], [1, 1]].map((words) => Hops.refuse(headed(words))?._tag)
    expect(refused).toEqual(refused.map(() => "NNG_EPROTO"))
    const short = Message.make()
    Message.Header.append(short, Uint8Array.of(0, 0, 1))
    expect(Hops.refuse(short)).toMatchObject({ _tag: "NNG_EPROTO" })
    expect([[0], [1], [254]].map((words) => Hops.refuse(headed(words)))).toEqual([undefined, undefined, undefined])
  })

  it("a cooked one begins at 1, whatever header the message had; a raw one adds 1", () => {
    const cooked = setUp()
    cooked.machine.send(Message.make("none"))
    cooked.machine.send(headed([7, 8], "two"))
    expect(cooked.lane.messages.map(headerOf)).toEqual([[1], [1]])
    const raw = setUp({ raw: true })
    for (const hops of [0, 1, 254]) raw.machine.send(headed([hops]))
    expect(raw.lane.messages.map(headerOf)).toEqual([[1], [2], [255]])
  })

  it("a message that was not taken is as it was", () => {
    const { lane, machine } = setUp({ raw: true })
    lane.room = 0
    const message = headed([3])
    expect(machine.send(message)).toBe(false)
    expect(headerOf(message)).toEqual([3])
    const cooked = setUp()
    cooked.lane.room = 0
    const other = headed([3, 4])
    expect(cooked.machine.send(other)).toBe(false)
    expect(headerOf(other)).toEqual([3, 4])
  })

  it("one that waited in the queue counts as much as one that did not", () => {
    const { lane, machine } = setUp({ raw: true })
    lane.room = 0
    machine.resize({ send: 1, recv: 0 })
    machine.send(headed([3]))
    lane.room = 1
    machine.writable(lane)
    expect(lane.messages.map(headerOf)).toEqual([[4]])
  })

  it("as many as ttl are received, and are in the header; more are dropped and counted, once", () => {
    const { arrive, lane, machine, world } = setUp({ ttl: 4 })
    arrive(wire([5], "over"), wire([4], "as many"), wire([255], "far over"), wire([0], "none"))
    machine.readable(lane)
    const received = [machine.recv()!, machine.recv()!]
    expect(received.map((message) => [headerOf(message), Message.text(message)])).toEqual([
      [[4], "as many"],
      [[0], "none"]
    ])
    expect([machine.recv(), machine.canRecv, world.losses.hops, lane.error]).toEqual([undefined, false, 2, undefined])
    machine.ttl = 5
    arrive(wire([5], "as many now"))
    expect(headerOf(machine.recv()!)).toEqual([5])
  })

  it("what does not begin with a number up to 255 cuts the lane, behind what came before it", () => {
    for (const bad of [
      wire([256]),
      wire([0x1000]),
      wire([0x01000001]),
      Message.make(Uint8Array.of(0, 0, 1)),
      wire([])
    ]) {
      const { arrive, lane, machine, world } = setUp({ recv: 2 })
      arrive(wire([1], "good"), bad)
      expect(lane.error).toMatchObject({ _tag: "NNG_EPROTO" })
      expect(Message.text(machine.recv()!)).toBe("good")
      expect([machine.canRecv, machine.recv(), world.losses.hops]).toEqual([false, undefined, 0])
    }
  })

  it("a message that is held when its peer goes does not stand for one of the next", () => {
    const { arrive, lane, machine } = setUp()
    arrive(wire([1], "held"))
    machine.detach(lane, [])
    const next = new FakeLane(2, 0x11)
    machine.attach(next)
    next.arrived.push(wire([0x1000], "bad"))
    machine.readable(next)
    expect([machine.canRecv, next.error?._tag]).toEqual([false, "NNG_EPROTO"])
  })

  it("whatever comes: what may pass does, in order, with its number; the rest is counted, up to what is malformed", () => {
    const hops = FC.oneof({ weight: 9, arbitrary: FC.nat(12) }, FC.constantFrom(255, 256, 0xffffffff))
    FC.assert(
      FC.property(FC.array(hops), FC.integer({ min: 1, max: 15 }), FC.nat(3), (numbers, ttl, recv) => {
        const { arrive, lane, machine, world } = setUp({ ttl, recv })
        const received: Array<readonly [number, string]> = []
        const take = () => {
          for (let next = machine.recv(); next !== undefined; next = machine.recv()) {
            received.push([headerOf(next)[0]!, Message.text(next)])
          }
        }
        for (const [n, number] of numbers.entries()) {
          if (lane.error !== undefined) break
          arrive(wire([number], String(n)))
          if (n % 3 === 0) take()
        }
        take()
        const bad = numbers.findIndex((number) => number > 255)
        const before = numbers.map((number, n) => [number, String(n)] as const).slice(0, bad < 0 ? undefined : bad)
        const good = before.filter(([number]) => number <= ttl)
        expect(lane.error !== undefined).toBe(bad >= 0)
        // what was held when it was cut is gone with it
        if (bad < 0) expect(received).toEqual(good)
        else expect(good.slice(0, received.length)).toEqual(received)
        if (bad < 0) expect(world.losses.hops).toBe(before.length - good.length)
      })
    )
  })

  it("the bytes of a header are its own", () => {
    const { lane, machine } = setUp()
    machine.send(Message.make("a"))
    lane.messages[0]!.header.set(bytesOf(9))
    machine.send(Message.make("b"))
    expect(headerOf(lane.messages[1]!)).toEqual([1])
  })
})
