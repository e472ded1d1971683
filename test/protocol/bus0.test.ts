import { describe, expect, it } from "@effect/vitest"
import * as FC from "effect/FastCheck"
import * as Message from "effect-nng/Message"
import { Bus0Machine } from "../../src/internal/protocol/bus0.js"
import { FakeLane } from "../support/lanes.js"
import { headed, headerOf } from "../support/words.js"
import { FakeWorld } from "../support/world.js"

const setUp = ({ demand = (): number => 0, raw = false, recv = 16, send = 16 } = {}) => {
  const world = new FakeWorld()
  return { world, machine: new Bus0Machine({ send, recv }, raw, world, demand) }
}

const peer = (id: number, room = 9, byReference = false) => new FakeLane(id, 0x70, room, byReference)

const arrive = (machine: Bus0Machine, lane: FakeLane, ...texts: ReadonlyArray<string>): void => {
  lane.arrived.push(...texts.map((text) => Message.make(text)))
  machine.readable(lane)
}

const received = (machine: Bus0Machine): Array<string> => {
  const texts: Array<string> = []
  for (let next = machine.recv(); next !== undefined; next = machine.recv()) texts.push(Message.text(next))
  return texts
}

describe("the bus0 machine", () => {
  it("takes any number of peers, of its protocol", () => {
    const { machine } = setUp()
    expect([1, 2, 3].map((id) => machine.attach(peer(id)))).toEqual([undefined, undefined, undefined])
    expect(machine.attach(new FakeLane(4, 0x10))).toMatchObject({ _tag: "NNG_EPROTO" })
  })

  it("[BUS-02] sends to nobody, which is all well", () => {
    const { machine, world } = setUp()
    expect([machine.send(Message.make("a")), machine.send(Message.make("b"))]).toEqual([true, true])
    expect(world.losses).toEqual(new FakeWorld().losses)
  })

  it("has room for those who wait, whatever its buffer", () => {
    let waiting = 2
    const { machine, world } = setUp({ demand: () => waiting, recv: 1 })
    const lane = peer(1)
    machine.attach(lane)
    arrive(machine, lane, "a", "b", "c", "d")
    expect([received(machine), world.losses.full]).toEqual([["a", "b", "c"], 1])
    waiting = 0
    arrive(machine, lane, "e", "f")
    expect([received(machine), world.losses.full]).toEqual([["e"], 2])
  })

  it("[BUS-01] sends to every peer", () => {
    const { machine } = setUp()
    const lanes = [peer(1), peer(2), peer(3)]
    for (const lane of lanes) machine.attach(lane)
    machine.send(Message.make("a"))
    machine.detach(lanes[1]!, [])
    machine.send(Message.make("b"))
    expect(lanes.map(({ pushed }) => pushed)).toEqual([["a", "b"], ["a"], ["a", "b"]])
  })

  it("[BUS-03] a slow peer has so many waiting and misses the newest, by itself", () => {
    const { machine, world } = setUp({ send: 2 })
    const [slow, quick] = [peer(1, 0), peer(2)]
    machine.attach(slow)
    machine.attach(quick)
    for (const text of "abcd") expect([machine.send(Message.make(text)), machine.canSend]).toEqual([true, true])
    expect([quick.pushed.join(""), machine.queued, world.losses.full]).toEqual(["abcd", 2, 2])
    slow.room = 9
    machine.writable(slow)
    machine.send(Message.make("e"))
    expect(slow.pushed.join("")).toBe("abe")
  })

  it("peers that share memory get a copy each, at once or later, and the others the message", () => {
    const { machine } = setUp()
    const lanes = [peer(1, 9, true), peer(2, 0, true), peer(3), peer(4, 0)] as const
    for (const lane of lanes) machine.attach(lane)
    const message = Message.make("x")
    machine.send(message)
    for (const lane of lanes) {
      lane.room = 9
      machine.writable(lane)
    }
    const got = lanes.map(({ messages }) => messages[0])
    expect(lanes.map(({ pushed }) => pushed)).toEqual([["x"], ["x"], ["x"], ["x"]])
    expect(got.map((one) => one === message)).toEqual([false, false, true, true])
    expect(got[0]).not.toBe(got[1])
  })

  it("[BUS-11] a full receive queue drops the newest, and all is read", () => {
    const { machine, world } = setUp({ recv: 2 })
    const [one, two] = [peer(1), peer(2)]
    machine.attach(one)
    machine.attach(two)
    arrive(machine, one, "a", "b", "c")
    arrive(machine, two, "d")
    expect([one.arrived, two.arrived, world.losses.full]).toEqual([[], [], 2])
    expect([machine.canRecv, received(machine), machine.canRecv]).toEqual([true, ["a", "b"], false])
    arrive(machine, two, "e")
    expect(received(machine)).toEqual(["e"])
  })

  it("[BUS-08] raw, a message has its pipe in its header; cooked, it has none", () => {
    for (const [raw, header] of [
      [true, [0x1234567]],
      [false, []]
    ] as const) {
      const { machine } = setUp({ raw })
      const lane = peer(0x1234567)
      machine.attach(lane)
      arrive(machine, lane, "a")
      expect(headerOf(machine.recv()!)).toEqual(header)
    }
  })

  it("[BUS-09, BUS-10] raw, a message goes to all but the pipe in its header, without that word", () => {
    const { machine } = setUp({ raw: true })
    const lanes = [peer(1), peer(2), peer(3)]
    for (const lane of lanes) machine.attach(lane)
    machine.send(headed([2], "not 2"))
    machine.send(headed([3, 2], "not 3"))
    machine.send(headed([9], "all"))
    machine.send(Message.make("all too"))
    expect(lanes.map(({ pushed }) => pushed)).toEqual([
      ["not 2", "not 3", "all", "all too"],
      ["not 3", "all", "all too"],
      ["not 2", "all", "all too"]
    ])
    expect(lanes[0]!.messages.map(headerOf)).toEqual([[], [2], [], []])
  })

  it("[BUS-14] raw, a header that is no word stays, and nobody is left out", () => {
    const { machine } = setUp({ raw: true })
    const lanes = [peer(1), peer(2)]
    for (const lane of lanes) machine.attach(lane)
    const message = Message.make("x")
    Message.Header.append(message, Uint8Array.of(0, 0, 1))
    machine.send(message)
    expect(lanes.map(({ messages }) => [...messages[0]!.header])).toEqual([
      [0, 0, 1],
      [0, 0, 1]
    ])
  })

  it("[BUS-12] cooked, a header is removed, and a message goes back to where it came from too", () => {
    const { machine } = setUp()
    const lane = peer(1)
    machine.attach(lane)
    machine.send(headed([1], "x"))
    expect(lane.messages.map(headerOf)).toEqual([[]])
  })

  it("[BUS-06] changes the queues of the peers there are, dropping the newest", () => {
    const { machine } = setUp({ send: 3, recv: 3 })
    const slow = peer(1, 0)
    machine.attach(slow)
    for (const text of "abc") machine.send(Message.make(text))
    arrive(machine, slow, "1", "2", "3")
    expect(machine.resize({ send: 2, recv: 1 })).toBe(3)
    machine.send(Message.make("d"))
    expect([machine.queued, received(machine)]).toEqual([2, ["1"]])
    // what comes later finds the new bounds
    arrive(machine, slow, "4", "5")
    expect(received(machine)).toEqual(["4"])
    machine.resize({ send: 3, recv: 2 })
    arrive(machine, slow, "6", "7", "8")
    expect(received(machine)).toEqual(["6", "7"])
    machine.send(Message.make("e"))
    slow.room = 9
    machine.writable(slow)
    expect(slow.pushed.join("")).toBe("abe")
  })

  it("says what is lost with a peer, and with itself", () => {
    const { machine } = setUp()
    const lanes = [peer(1, 0), peer(2, 0)]
    for (const lane of lanes) machine.attach(lane)
    for (const text of "abc") machine.send(Message.make(text))
    expect(machine.detach(lanes[0]!, [Message.make("unsent")])).toBe(4)
    arrive(machine, lanes[1]!, "x")
    expect([machine.close(), machine.close(), machine.canRecv]).toEqual([4, 0, false])
  })

  it("whatever happens: each peer gets what it should once and in order, bounds are kept, and the books balance", () => {
    const step = FC.oneof(
      { weight: 6, arbitrary: FC.record({ do: FC.constant("send" as const), n: FC.nat(4) }) },
      { weight: 4, arbitrary: FC.record({ do: FC.constant("arrive" as const), n: FC.nat(2) }) },
      { weight: 3, arbitrary: FC.record({ do: FC.constantFrom("recv" as const, "room" as const), n: FC.nat(2) }) },
      FC.record({ do: FC.constantFrom("come" as const, "go" as const, "resize" as const), n: FC.nat(2) })
    )
    const bound = FC.integer({ min: 1, max: 3 })
    FC.assert(
      FC.property(FC.array(step, { maxLength: 80, size: "max" }), bound, bound, FC.boolean(), (steps, s, recv, raw) => {
        let send = s
        const { machine, world } = setUp({ raw, send, recv })
        const all: Array<FakeLane> = []
        const here = new Map<number, FakeLane>()
        let [ids, sent, copies, arrived, lost] = [0, 0, 0, 0, 0]
        const origin = new Map<number, number>()
        const got: Array<number> = []
        for (const step of steps) {
          const lane = here.get(step.n)
          if (step.do === "come" && lane === undefined) {
            const next = peer(++ids, 1, step.n === 0)
            here.set(step.n, next)
            all.push(next)
            machine.attach(next)
          } else if (step.do === "go" && lane !== undefined) {
            here.delete(step.n)
            lost += machine.detach(lane, [])
          } else if (step.do === "room" && lane !== undefined) {
            lane.room += 2
            machine.writable(lane)
          } else if (step.do === "arrive" && lane !== undefined) {
            arrive(machine, lane, String(arrived++))
          } else if (step.do === "recv") {
            const could = machine.canRecv
            const next = machine.recv()
            expect(next !== undefined).toBe(could)
            if (next !== undefined) got.push(Number(Message.text(next)))
          } else if (step.do === "resize") {
            lost += machine.resize({ send: (send = step.n + 1), recv })
          } else if (step.do === "send") {
            const from = lane === undefined ? [] : [lane.id]
            copies += here.size - (raw ? from.length : 0)
            if (raw && lane !== undefined) origin.set(sent, lane.id)
            expect(machine.send(headed(from, String(sent++)))).toBe(true)
          }
          expect(machine.queued).toBeLessThanOrEqual(send * here.size)
        }
        for (const lane of all) {
          const own = lane.pushed.map(Number)
          expect(own).toEqual([...new Set(own)].sort((a, b) => a - b))
          for (const n of own) expect(origin.get(n)).not.toBe(lane.id)
        }
        expect(got).toEqual([...new Set(got)].sort((a, b) => a - b))
        const pushed = all.reduce((sum, lane) => sum + lane.pushed.length, 0)
        const { queued } = machine
        const inRecv = machine.close() - queued
        expect(inRecv).toBeLessThanOrEqual(recv)
        expect(pushed + queued + got.length + inRecv + lost + world.losses.full).toBe(copies + arrived)
      })
    )
  })
})
