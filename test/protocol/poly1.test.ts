import { describe, expect, it } from "@effect/vitest"
import * as FC from "effect/FastCheck"
import * as Message from "effect-nng/Message"
import { Poly1Machine } from "../../src/internal/protocol/poly1.js"
import { FakeLane } from "../support/lanes.js"
import { headed, headerOf, wire } from "../support/words.js"
import { FakeWorld } from "../support/world.js"

const setUp = ({ recv = 1, send = 0, ttl = 8 } = {}) => {
  const world = new FakeWorld()
  return { world, machine: new Poly1Machine({ send, recv }, ttl, world) }
}

const peer = (id: number, room = 0) => new FakeLane(id, 0x11, room)

const arrive = (machine: Poly1Machine, lane: FakeLane, ...messages: ReadonlyArray<Message.Message>): void => {
  lane.arrived.push(...messages)
  machine.readable(lane)
}

const received = (machine: Poly1Machine): Array<string> => {
  const texts: Array<string> = []
  for (let next = machine.recv(); next !== undefined; next = machine.recv()) texts.push(Message.text(next))
  return texts
}

describe("the polyamorous pair1 machine", () => {
  it("takes any number of peers, of its protocol", () => {
    const { machine } = setUp()
    expect([1, 2, 3].map((id) => machine.attach(peer(id)))).toEqual([undefined, undefined, undefined])
    expect(machine.attach(new FakeLane(4, 0x10))).toMatchObject({ _tag: "NNG_EPROTO" })
  })

  it("[POLY-08] before the first peer it queues, and then waits; all of that goes to the first peer, in order", () => {
    const { machine, world } = setUp({ send: 5 })
    const sent = ["a", "b", "c", "d", "e", "f"].map((text) => machine.send(Message.make(text)))
    expect([sent, machine.canSend]).toEqual([[true, true, true, true, true, false], false])
    const [first, second] = [peer(1, 1), peer(2, 9)]
    machine.attach(first)
    machine.attach(second)
    expect([machine.canSend, machine.queued, first.pushed]).toEqual([true, 4, ["a"]])
    // more than may wait otherwise; what comes now has no room
    machine.send(Message.make("f"))
    expect(world.losses.full).toBe(1)
    first.room = 9
    machine.writable(first)
    expect([first.pushed, second.pushed]).toEqual([["a", "b", "c", "d", "e"], []])
  })

  it("what names a pipe before there is any goes to nobody at once", () => {
    const { machine, world } = setUp()
    const message = Message.make("x")
    Message.unsafeSetPipe(message, 7)
    expect([machine.send(message), world.losses.unroutable]).toEqual([true, 1])
  })

  it("[POLY-01] from then on a send never waits: two wait for a peer, and the others are dropped and counted", () => {
    const { machine, world } = setUp({ send: 1 })
    const slow = peer(1, 1)
    machine.attach(slow)
    for (let n = 0; n < 10; n++) expect(machine.send(Message.make(String(n)))).toBe(true)
    expect([slow.pushed, machine.queued, world.losses.full]).toEqual([["0"], 2, 7])
    slow.room = 9
    machine.writable(slow)
    expect(slow.pushed).toEqual(["0", "1", "2"])
  })

  it("[POLY-09, POLY-10] without a peer, or the one it names, a message is dropped and counted", () => {
    const { machine, world } = setUp()
    const lane = peer(1, 9)
    machine.attach(lane)
    machine.sendTo(2, Message.make("unknown"))
    expect([lane.pushed, world.losses.unroutable]).toEqual([[], 1])
    machine.detach(lane, [])
    expect([machine.send(Message.make("nobody")), machine.canSend, world.losses.unroutable]).toEqual([true, true, 2])
  })

  it("[POLY-03] what names no pipe goes to the oldest peer, and not to one that has ended", () => {
    const { machine } = setUp()
    const lanes = [peer(5, 9), peer(3, 9), peer(4, 9)] as const
    for (const lane of lanes) machine.attach(lane)
    machine.send(Message.make("a"))
    machine.detach(lanes[0], [])
    machine.send(Message.make("b"))
    // it is gone, and stays for what it had sent
    lanes[1].ended = true
    machine.send(Message.make("c"))
    expect(lanes.map(({ pushed }) => pushed)).toEqual([["a"], ["b"], ["c"]])
  })

  it("gives each message the header of one that comes directly", () => {
    const { machine } = setUp({ send: 1 })
    machine.send(headed([3, 4], "a"))
    const lane = peer(1, 9)
    machine.attach(lane)
    machine.send(headed([3, 4], "b"))
    machine.sendTo(1, headed([5], "c"))
    expect(lane.messages.map(headerOf)).toEqual([[1], [1], [1]])
  })

  it("[POLY-05] what does not begin with a number of hops cuts its lane, and no other", () => {
    const { machine } = setUp()
    const [bad, worse, good] = [peer(1), peer(2), peer(3)]
    for (const lane of [bad, worse, good]) machine.attach(lane)
    arrive(machine, bad, Message.make("abc"))
    arrive(machine, worse, wire([0x1000], "abc"))
    arrive(machine, good, wire([1], "good"))
    expect([bad, worse, good].map(({ error }) => error?._tag)).toEqual(["NNG_EPROTO", "NNG_EPROTO", undefined])
    expect(received(machine)).toEqual(["good"])
  })

  it("[POLY-06] drops what has come too far, and counts it", () => {
    for (const [ttl, passes] of [
      [4, [3, 4]],
      [15, [14, 15]]
    ] as const) {
      const { machine, world } = setUp({ ttl })
      const lane = peer(1)
      machine.attach(lane)
      arrive(machine, lane, wire([ttl + 1], "far"), ...passes.map((hops) => wire([hops], String(hops))))
      expect([received(machine), world.losses.hops]).toEqual([passes.map(String), 1])
    }
  })

  it("[POLY-11] one that floods is held up at one message more than the queue; another is heard in between", () => {
    const { machine } = setUp({ recv: 2 })
    const [flood, quiet] = [peer(1), peer(2)]
    machine.attach(flood)
    machine.attach(quiet)
    arrive(machine, flood, ...Array.from({ length: 50 }, (_, n) => wire([1], `flood ${n}`)))
    expect(flood.arrived.length).toBe(48)
    arrive(machine, quiet, wire([1], "quiet"))
    expect(flood.arrived.length).toBe(48)
    expect(received(machine).indexOf("quiet")).toBe(3)
  })

  it("made shorter and closed it says how much it dropped", () => {
    const { machine } = setUp({ send: 3, recv: 3 })
    for (const text of ["a", "b", "c"]) machine.send(Message.make(text))
    expect(machine.resize({ send: 1, recv: 3 })).toBe(2)
    const lane = peer(1)
    machine.attach(lane)
    arrive(machine, lane, wire([1], "1"), wire([1], "2"))
    expect(machine.resize({ send: 1, recv: 1 })).toBe(1)
    expect([machine.close(), machine.canRecv]).toEqual([2, false])
  })

  it("whatever happens: each message once, to the right peer, in order; bounds are kept, and the books balance", () => {
    const step = FC.oneof(
      { weight: 6, arbitrary: FC.record({ do: FC.constant("send" as const), n: FC.nat(4) }) },
      { weight: 4, arbitrary: FC.record({ do: FC.constant("arrive" as const), n: FC.nat(2) }) },
      { weight: 3, arbitrary: FC.record({ do: FC.constantFrom("recv" as const, "room" as const), n: FC.nat(2) }) },
      FC.record({ do: FC.constantFrom("come" as const, "go" as const), n: FC.nat(2) })
    )
    FC.assert(
      FC.property(FC.array(step, { maxLength: 80, size: "max" }), FC.nat(3), FC.nat(3), (steps, send, recv) => {
        const { machine, world } = setUp({ send, recv })
        const all: Array<FakeLane> = []
        const here = new Map<number, FakeLane>()
        let [ids, sent, arrived, lost, held] = [0, 0, 0, 0, 0]
        const target = new Map<number, number>()
        const got: Array<number> = []
        for (const step of steps) {
          const lane = here.get(step.n)
          if (step.do === "come" && lane === undefined) {
            const next = peer(++ids, 1)
            here.set(step.n, next)
            all.push(next)
            expect(machine.attach(next)).toBeUndefined()
          } else if (step.do === "go" && lane !== undefined) {
            here.delete(step.n)
            held += lane.arrived.length
            lost += machine.detach(lane, [])
          } else if (step.do === "room" && lane !== undefined) {
            lane.room += 2
            machine.writable(lane)
          } else if (step.do === "arrive" && lane !== undefined) {
            arrive(machine, lane, wire([1], String(arrived++)))
          } else if (step.do === "recv") {
            const could = machine.canRecv
            const next = machine.recv()
            expect(next !== undefined).toBe(could)
            if (next !== undefined) got.push(Number(Message.text(next)))
          } else if (step.do === "send") {
            const message = Message.make(String(sent))
            // to one that is here, to one that may be gone, or to whoever is the oldest
            const id = step.n < 3 ? (lane?.id ?? 0) : step.n === 3 ? 1 : 0
            Message.unsafeSetPipe(message, id)
            const could = machine.canSend
            const did = machine.send(message)
            if (id === 0) expect(did).toBe(could)
            else expect(did).toBe(true)
            if (did) target.set(sent++, id)
          }
          expect(machine.queued).toBeLessThanOrEqual(send + 2 * here.size)
        }
        const pushed = all.flatMap((lane) => lane.pushed.map(Number))
        for (const lane of all) {
          const own = lane.pushed.map(Number)
          expect(own).toEqual(own.slice().sort((a, b) => a - b))
          for (const n of own) expect([0, lane.id]).toContain(target.get(n))
        }
        for (const lane of here.values()) held += lane.arrived.length
        expect(new Set(pushed).size).toBe(pushed.length)
        expect(new Set(got).size).toBe(got.length)
        const { queued } = machine
        const closed = machine.close()
        const inRecv = closed - queued
        expect(inRecv).toBeLessThanOrEqual(recv)
        expect(pushed.length + lost + queued + world.losses.full + world.losses.unroutable).toBe(sent)
        expect(got.length + held + inRecv).toBe(arrived)
      })
    )
  })
})
