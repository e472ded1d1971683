import { describe, expect, it } from "@effect/vitest"
import * as FC from "effect/FastCheck"
import * as Message from "effect-nng/Message"
import type { Buffers } from "../../src/internal/protocol/machine.js"
import { Pair0Machine } from "../../src/internal/protocol/pair0.js"
import { Pair1Machine } from "../../src/internal/protocol/pair1.js"
import { FakeLane } from "../support/lanes.js"
import { headed, wire } from "../support/words.js"
import { FakeWorld } from "../support/world.js"

type Pair = Pair0Machine | Pair1Machine

/** What all pairs do; pair1's hops are looked at in pair1.test.ts. */
const kinds = [
  {
    name: "pair0",
    number: 0x10,
    make: (buffers: Buffers): Pair => new Pair0Machine(buffers),
    outgoing: (text: string) => Message.make(text),
    incoming: (text: string) => Message.make(text)
  },
  {
    name: "pair1",
    number: 0x11,
    make: (buffers: Buffers): Pair => new Pair1Machine(buffers, 8, false, new FakeWorld()),
    outgoing: (text: string) => Message.make(text),
    incoming: (text: string) => wire([1], text)
  },
  {
    name: "raw pair1",
    number: 0x11,
    make: (buffers: Buffers): Pair => new Pair1Machine(buffers, 8, true, new FakeWorld()),
    outgoing: (text: string) => headed([0], text),
    incoming: (text: string) => wire([1], text)
  }
]

const textOf = (received: Message.Message | undefined) => (received === undefined ? undefined : Message.text(received))

/** The peer has room for so many more. */
const makeRoom = (machine: Pair, lane: FakeLane, room = 1): void => {
  lane.room += room
  machine.writable(lane)
}

const recvAll = (machine: Pair): Array<string> => {
  const texts: Array<string> = []
  for (let next = machine.recv(); next !== undefined; next = machine.recv()) texts.push(Message.text(next))
  return texts
}

for (const { incoming, make: makeMachine, name, number, outgoing } of kinds) {
  describe(`the ${name} machine`, () => {
    const make = (send = 0, recv = 0) => makeMachine({ send, recv })
    const makeLane = (id = 1, room = 1, protocol = number) => new FakeLane(id, protocol, room)
    /** A message comes from the peer, and the machine is told. */
    const arrive = (machine: Pair, lane: FakeLane, ...texts: ReadonlyArray<string>): void => {
      for (const text of texts) {
        lane.arrived.push(incoming(text))
        machine.readable(lane)
      }
    }

    const sendAll = (machine: Pair, ...texts: ReadonlyArray<string>): Array<boolean> =>
      texts.map((text) => machine.send(outgoing(text)))

    it("accepts one peer of its protocol", () => {
      const machine = make()
      expect(machine.attach(makeLane(1, 1, 0x21))).toMatchObject({ _tag: "NNG_EPROTO" })
      expect(machine.attach(makeLane(2))).toBeUndefined()
      expect(machine.attach(makeLane(3))).toMatchObject({ _tag: "NNG_EBUSY" })
      expect(machine.attach(makeLane(4, 1, 0x30))).toMatchObject({ _tag: "NNG_EPROTO" })
    })

    it("says which protocol the peer spoke, and which it needs", () => {
      expect(make().attach(makeLane(1, 1, 0x30))?.message).toMatch(number === 0x10 ? /req.*pair0/s : /req.*pair1/s)
    })

    it("accepts another when the first is gone, and is not confused by the leaving of one it refused", () => {
      const machine = make()
      const [first, second] = [makeLane(1), makeLane(2)]
      machine.attach(first)
      machine.attach(second)
      machine.detach(second, [])
      expect(machine.attach(makeLane(3))).toMatchObject({ _tag: "NNG_EBUSY" })
      machine.detach(first, [])
      expect(machine.attach(second)).toBeUndefined()
    })

    it("a peer that left messages behind is given up for whoever wants its place, and for what is queued", () => {
      for (const wanted of [true, false]) {
        const [machine, lane] = [make(), makeLane(1, 0)]
        machine.attach(lane)
        arrive(machine, lane, "a")
        lane.ended = true
        machine.ended(lane, wanted)
        expect(lane.hasNext).toBe(!wanted)
      }
      const [machine, lane] = [make(1), makeLane(1, 0)]
      machine.attach(lane)
      arrive(machine, lane, "a")
      expect(sendAll(machine, "b")).toEqual([true])
      lane.ended = true
      machine.ended(lane, false)
      expect(lane.hasNext).toBe(false)
    })

    it("a peer that left messages behind is given up for a send that comes later, queued or not", () => {
      for (const buffer of [0, 1]) {
        const [machine, lane] = [make(buffer), makeLane(1, 0)]
        machine.attach(lane)
        arrive(machine, lane, "a")
        expect(sendAll(machine, "b", "c")).toEqual([buffer === 1, false])
        expect(lane.hasNext).toBe(true)
        lane.ended = true
        expect(sendAll(machine, "d")).toEqual([false])
        expect(lane.hasNext).toBe(false)
      }
    })

    it("[PAIR0-04] without a peer and without a buffer nothing can be sent", () => {
      const machine = make()
      expect([machine.canSend, sendAll(machine, "a")]).toEqual([false, [false]])
    })

    it("[PAIR0-10] queues up to its buffer without a peer, and the first peer gets that in order", () => {
      const machine = make(2)
      expect(sendAll(machine, "a", "b", "c")).toEqual([true, true, false])
      expect(machine.canSend).toBe(false)
      const lane = makeLane(1, 1)
      machine.attach(lane)
      expect(lane.pushed).toEqual(["a"])
      expect(sendAll(machine, "c", "d")).toEqual([true, false])
      makeRoom(machine, lane, 5)
      expect(lane.pushed).toEqual(["a", "b", "c"])
      expect(sendAll(machine, "d")).toEqual([true])
      expect(lane.pushed).toEqual(["a", "b", "c", "d"])
    })

    it("hands over at once while the peer has room, past an empty buffer", () => {
      const machine = make(4)
      const lane = makeLane(1, 2)
      machine.attach(lane)
      sendAll(machine, "a", "b", "c")
      expect(lane.pushed).toEqual(["a", "b"])
      makeRoom(machine, lane)
      expect(lane.pushed).toEqual(["a", "b", "c"])
    })

    it("[PAIR0-11] what is queued outlives the peer and goes to the next", () => {
      const machine = make(4)
      const first = makeLane(1, 1)
      machine.attach(first)
      sendAll(machine, "a", "b", "c")
      machine.detach(first, [])
      expect(machine.canSend).toBe(true)
      const second = makeLane(2, 10)
      machine.attach(second)
      expect([first.pushed, second.pushed]).toEqual([["a"], ["b", "c"]])
    })

    it("[PAIR0-06] holds what it has no room for at the peer, and takes it from there", () => {
      const machine = make()
      const lane = makeLane()
      machine.attach(lane)
      expect([machine.canRecv, textOf(machine.recv())]).toEqual([false, undefined])
      arrive(machine, lane, "a", "b")
      expect([machine.canRecv, lane.arrived.length]).toEqual([true, 2])
      expect(recvAll(machine)).toEqual(["a", "b"])
      expect(machine.canRecv).toBe(false)
    })

    it("fills its receive buffer, and moves up what is held when there is room", () => {
      const machine = make(0, 2)
      const lane = makeLane()
      machine.attach(lane)
      arrive(machine, lane, "a", "b", "c", "d")
      expect(lane.arrived.length).toBe(2)
      expect(textOf(machine.recv())).toBe("a")
      expect(lane.arrived.length).toBe(1)
      expect(recvAll(machine)).toEqual(["b", "c", "d"])
    })

    it("[PAIR0-14] keeps what it had queued when the peer goes, and loses what was held", () => {
      const machine = make(0, 2)
      const lane = makeLane()
      machine.attach(lane)
      arrive(machine, lane, "a", "b", "held")
      machine.detach(lane, [])
      expect(recvAll(machine)).toEqual(["a", "b"])
    })

    it("[PAIR0-08] a send buffer that is made larger can be sent to, and made smaller drops the newest", () => {
      const machine = make()
      expect(machine.resize({ send: 1, recv: 0 })).toBe(0)
      expect([machine.canSend, ...sendAll(machine, "a", "b")]).toEqual([true, true, false])
      machine.resize({ send: 3, recv: 0 })
      sendAll(machine, "b", "c")
      expect(machine.resize({ send: 2, recv: 0 })).toBe(1)
      expect(machine.canSend).toBe(false)
      const lane = makeLane(1, 10)
      machine.attach(lane)
      expect(lane.pushed).toEqual(["a", "b"])
    })

    it("[PAIR0-09] a receive buffer that is made smaller drops the newest, and made larger takes what is held", () => {
      const machine = make(0, 3)
      const lane = makeLane()
      machine.attach(lane)
      arrive(machine, lane, "a", "b", "c")
      expect(machine.resize({ send: 0, recv: 1 })).toBe(2)
      expect([machine.canRecv, recvAll(machine), machine.canRecv]).toEqual([true, ["a"], false])
      arrive(machine, lane, "d", "e", "f")
      expect(lane.arrived.length).toBe(2)
      expect(machine.resize({ send: 0, recv: 5 })).toBe(0)
      expect(lane.arrived.length).toBe(0)
      expect(recvAll(machine)).toEqual(["d", "e", "f"])
    })

    it("close drops what is queued, and says how much that was", () => {
      const machine = make(2, 2)
      const lane = makeLane(1, 0)
      machine.attach(lane)
      sendAll(machine, "a", "b")
      arrive(machine, lane, "c")
      machine.detach(lane, [])
      expect(machine.close()).toBe(3)
      expect([recvAll(machine), machine.canSend]).toEqual([[], false])
      expect(machine.close()).toBe(0)
    })

    it("says that it can exactly when it can, and keeps every message in order, whatever happens", () => {
      type Step =
        | { readonly _tag: "attach" | "detach" | "recv" | "send" | "arrive" }
        | { readonly _tag: "room"; readonly n: number }
        | { readonly _tag: "resize"; readonly send: number; readonly recv: number }
      const step: FC.Arbitrary<Step> = FC.oneof(
        FC.constantFrom<Step>(
          { _tag: "attach" },
          { _tag: "detach" },
          { _tag: "recv" },
          { _tag: "send" },
          { _tag: "arrive" }
        ),
        FC.constantFrom<Step>(
          { _tag: "recv" },
          { _tag: "send" },
          { _tag: "send" },
          { _tag: "arrive" },
          { _tag: "arrive" }
        ),
        FC.record({ _tag: FC.constant("room" as const), n: FC.integer({ min: 1, max: 3 }) }),
        FC.record({
          _tag: FC.constant("resize" as const),
          send: FC.integer({ min: 0, max: 4 }),
          recv: FC.integer({ min: 0, max: 4 })
        })
      )
      FC.assert(
        FC.property(FC.array(step, { maxLength: 60 }), (steps) => {
          const machine = make(1, 1)
          let lane: FakeLane | undefined
          let [sent, arrived, out] = [0, 0, 0]
          let dropped = 0
          const lanes: Array<FakeLane> = []
          const received: Array<number> = []
          for (const step of steps) {
            switch (step._tag) {
              case "attach": {
                const next = makeLane(lanes.length + 1, 1)
                const refused = machine.attach(next)
                expect(refused?._tag).toBe(lane === undefined ? undefined : "NNG_EBUSY")
                if (refused === undefined) lanes.push((lane = next))
                break
              }
              case "detach": {
                if (lane === undefined) break
                machine.detach(lane, [])
                lane.arrived.length = 0
                lane = undefined
                break
              }
              case "send": {
                const could = machine.canSend
                const did = machine.send(outgoing(String(sent)))
                expect(did).toBe(could)
                if (did) sent++
                break
              }
              case "recv": {
                const could = machine.canRecv
                const next = machine.recv()
                expect(next !== undefined).toBe(could)
                if (next !== undefined) received.push(Number(Message.text(next)))
                break
              }
              case "arrive": {
                if (lane !== undefined) arrive(machine, lane, String(arrived++))
                break
              }
              case "room": {
                if (lane !== undefined) makeRoom(machine, lane, step.n)
                break
              }
              case "resize": {
                dropped += machine.resize(step)
                break
              }
            }
            // with room at the peer nothing stays queued
            if (lane !== undefined && lane.writable) expect(machine.canSend).toBe(true)
          }
          const pushed = lanes.flatMap((lane) => lane.pushed.map(Number))
          out = machine.close()
          expect(pushed).toEqual(pushed.slice().sort((a, b) => a - b))
          expect(received).toEqual(received.slice().sort((a, b) => a - b))
          expect(pushed.length).toBeLessThanOrEqual(sent)
          expect(received.length).toBeLessThanOrEqual(arrived)
          expect(new Set(pushed).size).toBe(pushed.length)
          expect(new Set(received).size).toBe(received.length)
          expect(out + dropped).toBeLessThanOrEqual(sent - pushed.length + arrived - received.length)
          expect(out + dropped).toBeGreaterThanOrEqual(sent - pushed.length)
        })
      )
    })
  })
}
