import { describe, expect, it } from "@effect/vitest"
import * as FC from "effect/FastCheck"
import * as Message from "effect-nng/Message"
import { XReq0Machine } from "../../src/internal/protocol/xreq0.js"
import { FakeLane } from "../support/lanes.js"
import { FakeWorld } from "../support/world.js"
import { headed, headerOf, id, wire } from "../support/words.js"

const make = (send = 0, recv = 1, world = new FakeWorld()) => new XReq0Machine({ send, recv }, world)
const rep = (n: number, room = 1) => new FakeLane(n, 0x31, room)

const arrive = (machine: XReq0Machine, lane: FakeLane, ...messages: ReadonlyArray<Message.Message>): void => {
  lane.arrived.push(...messages)
  machine.readable(lane)
}

const recvAll = (machine: XReq0Machine): Array<string> => {
  const texts: Array<string> = []
  for (let next = machine.recv(); next !== undefined; next = machine.recv()) texts.push(Message.text(next))
  return texts
}

describe("the raw req0 machine", () => {
  it("accepts any number of repliers, and nobody else", () => {
    const machine = make()
    expect([machine.attach(rep(1)), machine.attach(rep(2))]).toEqual([undefined, undefined])
    expect(machine.attach(new FakeLane(3, 0x30))).toMatchObject({ _tag: "NNG_EPROTO" })
  })

  it("sends what it is given as it is, with whatever header", () => {
    const machine = make()
    const lane = rep(1, 3)
    machine.attach(lane)
    for (const words of [[id(1)], [], [1, 2]]) expect(machine.send(headed(words, "body"))).toBe(true)
    expect(lane.messages.map(headerOf)).toEqual([[id(1)], [], [1, 2]])
  })

  it("[XREQ-08] without a peer it fills its buffer, and then has to wait", () => {
    const machine = make(2)
    expect(["a", "b", "c"].map((text) => machine.send(Message.make(text)))).toEqual([true, true, false])
    expect([machine.queued, machine.canSend, make().canSend, make().send(Message.make("a"))]).toEqual([
      2,
      false,
      false,
      false
    ])
    const lane = rep(1, 3)
    machine.attach(lane)
    expect([lane.pushed, machine.queued, machine.canSend]).toEqual([["a", "b"], 0, true])
  })

  it("[XREQ-07] goes round, and past who does not read", () => {
    const machine = make()
    const [slow, quick] = [rep(1, 1), rep(2, 9)]
    machine.attach(slow)
    machine.attach(quick)
    for (const text of "abcd") machine.send(Message.make(text))
    expect([slow.pushed, quick.pushed]).toEqual([["a"], ["b", "c", "d"]])
  })

  it("what a peer was given and had not begun goes to another, before what came later", () => {
    const machine = make(2)
    const [first, second] = [rep(1, 2), rep(2, 0)]
    machine.attach(first)
    for (const text of "abcd") machine.send(Message.make(text))
    machine.attach(second)
    expect(machine.detach(first, [first.messages[1]!])).toBe(0)
    second.room = 9
    machine.writable(second)
    expect([second.pushed, machine.queued]).toEqual([["b", "c", "d"], 0])
  })

  it("[XREQ-04] moves words to the header up to the one with its top bit, at any number of them up to sixteen", () => {
    for (let words = 1; words <= 18; words++) {
      const machine = make()
      const lane = rep(1)
      machine.attach(lane)
      const trace = [...Array.from({ length: words - 1 }, (_, n) => n), id(1)]
      arrive(machine, lane, wire(trace, "body"))
      const message = machine.recv()
      if (words > 16) expect([message, lane.error?._tag]).toEqual([undefined, "NNG_EPROTO"])
      else expect([headerOf(message!), Message.text(message!)]).toEqual([trace, "body"])
    }
  })

  it("[XREQ-03] cuts off whoever answers without such a word, whatever the length", () => {
    for (let words = 0; words < 16; words++) {
      for (const odd of ["", "x", "xyz"]) {
        const machine = make()
        const lane = rep(1)
        machine.attach(lane)
        arrive(machine, lane, wire(Array<number>(words).fill(1), odd), wire([id(1)], "after"))
        expect([lane.error?._tag, machine.canRecv, recvAll(machine)]).toEqual(["NNG_EPROTO", false, []])
      }
    }
  })

  it("[XREQ-05] holds what its buffer has no room for at the peers, and closed drops and counts its queues", () => {
    const machine = make(2, 3)
    const lane = rep(1, 0)
    machine.attach(lane)
    arrive(machine, lane, ...Array.from({ length: 20 }, (_, n) => wire([id(n)], String(n))))
    expect(lane.arrived.length).toBe(17)
    for (const text of "abc") machine.send(Message.make(text))
    machine.detach(lane, [])
    expect([machine.close(), machine.canRecv, machine.queued, machine.close()]).toEqual([5, false, 0, 0])
  })

  it("what came back when its buffer was full is counted too when it is closed", () => {
    const machine = make(0)
    machine.detach(rep(1), [Message.make("a"), Message.make("b")])
    expect([machine.queued, machine.canSend, machine.close(), machine.queued]).toEqual([2, false, 2, 0])
  })

  it("one that has ended and left answers behind is given no more requests", () => {
    const machine = make(1)
    const lane = rep(1, 9)
    machine.attach(lane)
    arrive(machine, lane, wire([id(1)], "1"), wire([id(2)], "2"), wire([id(3)], "3"))
    lane.ended = true
    lane.room = 0
    machine.writable(lane)
    expect([machine.send(Message.make("kept")), machine.queued]).toEqual([true, 1])
    expect(recvAll(machine)).toEqual(["1", "2", "3"])
  })

  it("sends everything once, in the order of each peer, and says that it can exactly when it can", () => {
    const step = FC.oneof(
      { weight: 4, arbitrary: FC.record({ do: FC.constant("send" as const), n: FC.constant(0) }) },
      { weight: 3, arbitrary: FC.record({ do: FC.constantFrom("arrive" as const, "room" as const), n: FC.nat(2) }) },
      { weight: 2, arbitrary: FC.record({ do: FC.constant("recv" as const), n: FC.constant(0) }) },
      FC.record({ do: FC.constantFrom("gone" as const, "resize" as const), n: FC.nat(2) })
    )
    FC.assert(
      FC.property(FC.array(step, { maxLength: 80, size: "max" }), (steps) => {
        const machine = make(1, 1)
        let made = 0
        const newLane = () => {
          const lane = rep(++made, 1)
          machine.attach(lane)
          return lane
        }
        const current = [newLane(), newLane(), newLane()]
        const everyLane = [...current]
        let [sent, arrived, lost, dropped] = [0, 0, 0, 0]
        const received: Array<string> = []
        for (const step of steps) {
          const lane = current[step.n]!
          if (step.do === "send") {
            const could = machine.canSend
            expect(machine.send(Message.make(String(sent)))).toBe(could)
            if (could) sent++
          } else if (step.do === "arrive") {
            arrive(machine, lane, wire([id(arrived)], `${lane.id}:${arrived++}`))
          } else if (step.do === "room") {
            if (lane.room === 0) {
              lane.room = 2
              machine.writable(lane)
            }
          } else if (step.do === "recv") {
            const could = machine.canRecv
            const next = machine.recv()
            expect(next !== undefined).toBe(could)
            if (next !== undefined) received.push(Message.text(next))
          } else if (step.do === "gone") {
            lost += lane.arrived.length
            machine.detach(lane, [])
            everyLane.push((current[step.n] = newLane()))
          } else {
            dropped += machine.resize({ send: step.n, recv: step.n })
          }
          expect(machine.queued === 0 || current.every((lane) => !lane.writable)).toBe(true)
        }
        const pushed = everyLane.flatMap((lane) => lane.pushed.map(Number))
        expect(new Set(pushed).size).toBe(pushed.length)
        for (const lane of everyLane) {
          const own = lane.pushed.map(Number)
          expect(own).toEqual(own.slice().sort((x, y) => x - y))
          const answers = received
            .filter((text) => text.startsWith(`${lane.id}:`))
            .map((text) => Number(text.split(":")[1]))
          expect(answers).toEqual(answers.slice().sort((x, y) => x - y))
        }
        const left = current.reduce((sum, lane) => sum + lane.arrived.length, 0)
        expect(pushed.length + received.length + left + lost + dropped + machine.close()).toBe(sent + arrived)
      }),
      { numRuns: 200 }
    )
  })
})
