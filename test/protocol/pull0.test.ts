import { describe, expect, it } from "@effect/vitest"
import * as FC from "effect/FastCheck"
import * as Message from "effect-nng/Message"
import { Pull0Machine } from "../../src/internal/protocol/pull0.js"
import { FakeLane } from "../support/lanes.js"

const push0 = 0x50

const lane = (id: number) => new FakeLane(id, push0, 0)

/** What one read brings: the machine is told when there was nothing before. */
const arrive = (machine: Pull0Machine, lane: FakeLane, ...texts: ReadonlyArray<string>): void => {
  const more = lane.hasNext
  lane.arrived.push(...texts.map((text) => Message.make(text)))
  if (!more && lane.hasNext) machine.readable(lane)
}

const recv = (machine: Pull0Machine): string | undefined => {
  const message = machine.recv()
  return message === undefined ? undefined : Message.text(message)
}

const recvAll = (machine: Pull0Machine): Array<string> => {
  const texts: Array<string> = []
  for (let next = recv(machine); next !== undefined; next = recv(machine)) texts.push(next)
  return texts
}

describe("the pull0 machine", () => {
  it("accepts as many pushers as come, and nobody else", () => {
    const machine = new Pull0Machine()
    expect(machine.attach(new FakeLane(1, 0x51))).toMatchObject({ _tag: "NNG_EPROTO" })
    for (let id = 2; id < 10; id++) expect(machine.attach(lane(id))).toBeUndefined()
  })

  it("sends nothing", () => {
    const machine = new Pull0Machine()
    machine.attach(new FakeLane(1, push0, 5))
    expect([machine.canSend, machine.send(), machine.queued]).toEqual([false, false, 0])
  })

  it("[PULL-01] can receive while a message is there", () => {
    const machine = new Pull0Machine()
    const pusher = lane(1)
    machine.attach(pusher)
    expect([machine.canRecv, recv(machine)]).toEqual([false, undefined])
    arrive(machine, pusher, "a")
    expect([machine.canRecv, recv(machine), machine.canRecv]).toEqual([true, "a", false])
  })

  it("[PULL-02] loses what a pusher left when its pipe is cut, and is not readable any more", () => {
    const machine = new Pull0Machine()
    const [gone, other] = [lane(1), lane(2)]
    machine.attach(gone)
    machine.attach(other)
    arrive(machine, gone, "a", "b")
    arrive(machine, other, "c")
    gone.giveUp()
    expect([machine.canRecv, recv(machine), machine.canRecv]).toEqual([true, "c", false])
    machine.detach(gone, [])
    arrive(machine, other, "d")
    expect(recvAll(machine)).toEqual(["d"])
  })

  it("[PULL-03] takes one of each in turn", () => {
    const machine = new Pull0Machine()
    const lanes = [lane(1), lane(2), lane(3)]
    for (const lane of lanes) machine.attach(lane)
    arrive(machine, lanes[0]!, "a1", "a2", "a3")
    arrive(machine, lanes[1]!, "b1")
    arrive(machine, lanes[2]!, "c1", "c2")
    expect(recvAll(machine)).toEqual(["a1", "b1", "c1", "a2", "c2", "a3"])
  })

  it("one that comes back goes behind the others", () => {
    const machine = new Pull0Machine()
    const [first, second] = [lane(1), lane(2)]
    arrive(machine, first, "a1")
    arrive(machine, second, "b1", "b2")
    expect(recv(machine)).toBe("a1")
    arrive(machine, first, "a2")
    expect(recvAll(machine)).toEqual(["b1", "a2", "b2"])
  })

  it("[PULL-04] takes no message from a pipe before it is asked for one", () => {
    const machine = new Pull0Machine()
    const pusher = lane(1)
    machine.attach(pusher)
    expect(machine.resize()).toBe(0)
    arrive(machine, pusher, "a", "b", "c")
    expect([machine.canRecv, pusher.arrived.length]).toEqual([true, 3])
    expect([recv(machine), pusher.arrived.length]).toEqual(["a", 2])
  })

  it("has nothing of its own to lose", () => {
    const machine = new Pull0Machine()
    const pusher = lane(1)
    arrive(machine, pusher, "a")
    expect([machine.close(), machine.detach(pusher, []), machine.canRecv]).toEqual([0, 0, false])
  })

  it("keeps the order of each pusher, loses nothing, takes nothing twice, and nobody waits longer than a round", () => {
    type Step =
      | { readonly _tag: "recv" }
      | { readonly _tag: "arrive"; readonly which: number; readonly n: number }
      | { readonly _tag: "cut"; readonly which: number }
    const steps: FC.Arbitrary<ReadonlyArray<Step>> = FC.array(
      FC.oneof(
        { weight: 5, arbitrary: FC.constant<Step>({ _tag: "recv" }) },
        {
          weight: 4,
          arbitrary: FC.record({
            _tag: FC.constant("arrive" as const),
            which: FC.nat(3),
            n: FC.integer({ min: 1, max: 4 })
          })
        },
        { weight: 1, arbitrary: FC.record({ _tag: FC.constant("cut" as const), which: FC.nat(3) }) }
      ),
      { maxLength: 100 }
    )
    FC.assert(
      FC.property(steps, (steps) => {
        const machine = new Pull0Machine()
        const lanes = [lane(0), lane(1), lane(2), lane(3)]
        for (const lane of lanes) machine.attach(lane)
        let [next, lost] = [0, 0]
        const taken: Array<string> = []
        /** How often others were served while it had something. */
        const passedOver = [0, 0, 0, 0]
        for (const step of steps) {
          if (step._tag === "arrive") {
            arrive(
              machine,
              lanes[step.which]!,
              ...Array.from({ length: step.n }, () => `${lanes[step.which]!.id}:${next++}`)
            )
          } else if (step._tag === "cut") {
            const lane = lanes[step.which]!
            lost += lane.arrived.length
            lane.giveUp()
            machine.detach(lane, [])
            lanes[step.which] = new FakeLane(lane.id + 4, push0, 0)
            machine.attach(lanes[step.which]!)
            passedOver[step.which] = 0
          } else {
            const could = lanes.some(({ hasNext }) => hasNext)
            expect(machine.canRecv).toBe(could)
            const waiting = lanes.map(({ hasNext }) => hasNext)
            const text = recv(machine)
            expect(text !== undefined).toBe(could)
            if (text === undefined) continue
            taken.push(text)
            const from = lanes.findIndex(({ id }) => id === Number(text.split(":")[0]))
            for (const [i, waits] of waiting.entries()) passedOver[i] = waits && i !== from ? passedOver[i]! + 1 : 0
            expect(Math.max(...passedOver)).toBeLessThan(lanes.length)
          }
        }
        taken.push(...recvAll(machine))
        expect(new Set(taken).size).toBe(taken.length)
        expect(taken.length + lost).toBe(next)
        const numbers = new Map<string, number>()
        for (const text of taken) {
          const [from, n] = text.split(":") as [string, string]
          expect(Number(n)).toBeGreaterThan(numbers.get(from) ?? -1)
          numbers.set(from, Number(n))
        }
      }),
      { numRuns: 300 }
    )
  })
})
