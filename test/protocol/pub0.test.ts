import { describe, expect, it } from "@effect/vitest"
import * as FC from "effect/FastCheck"
import * as Message from "effect-nng/Message"
import { Pub0Machine } from "../../src/internal/protocol/pub0.js"
import { FakeLane } from "../support/lanes.js"
import { FakeWorld } from "../support/world.js"

const sub0 = 0x21

const lane = (id: number, room = Infinity) => new FakeLane(id, sub0, room)

const setup = (send: number, ...lanes: ReadonlyArray<FakeLane>) => {
  const world = new FakeWorld()
  const machine = new Pub0Machine({ send, recv: 0 }, world)
  for (const lane of lanes) expect(machine.attach(lane)).toBeUndefined()
  return { machine, losses: world.losses }
}

const publish = (machine: Pub0Machine, ...texts: ReadonlyArray<string>) => {
  for (const text of texts) expect(machine.send(Message.make(text))).toBe(true)
}

/** It takes so many more. */
const relieve = (machine: Pub0Machine, lane: FakeLane, room = Infinity) => {
  lane.room = room
  machine.writable(lane)
}

describe("the pub0 machine", () => {
  it("accepts subscribers, and nobody else", () => {
    const { machine } = setup(1)
    expect(machine.attach(new FakeLane(1, 0x20))).toMatchObject({ _tag: "NNG_EPROTO" })
    publish(machine, "a")
    for (let id = 2; id < 10; id++) expect(machine.attach(lane(id))).toBeUndefined()
  })

  it("[PUB-01] publishes to nobody, which is no loss", () => {
    const { losses, machine } = setup(1)
    publish(machine, "a", "b")
    expect([machine.queued, losses]).toEqual([0, new FakeWorld().losses])
  })

  it("gives each message to each, in order", () => {
    const lanes = [lane(1), lane(2), lane(3)]
    const { machine } = setup(1, ...lanes)
    publish(machine, "a", "b", "c")
    expect(lanes.map(({ pushed }) => pushed)).toEqual(lanes.map(() => ["a", "b", "c"]))
  })

  it("says which messages others have as well, so that they stay as they are", () => {
    const lanes = [lane(1), lane(2)]
    const { machine } = setup(1, lanes[0]!)
    publish(machine, "a")
    expect(lanes[0]!.shared).toBe(0)
    machine.attach(lanes[1]!)
    publish(machine, "b")
    expect(lanes.map(({ shared }) => shared)).toEqual([1, 1])
    lanes[0]!.room = 0
    publish(machine, "c")
    machine.detach(lanes[1]!, [])
    relieve(machine, lanes[0]!)
    expect(lanes.map(({ shared }) => shared)).toEqual([2, 2])
    expect(lanes[0]!.messages[2]).toBe(lanes[1]!.messages[1])
  })

  it("[PUB-03] can always send, and never receive", () => {
    const { machine } = setup(1, lane(1, 0))
    expect([machine.canSend, machine.canRecv, machine.recv()]).toEqual([true, false, undefined])
    publish(machine, "a", "b", "c")
    expect(machine.canSend).toBe(true)
  })

  it("[PUB-04, PUB-07] drops the oldest for who is slow, and for nobody else", () => {
    const [slow, fast] = [lane(1, 1), lane(2)]
    const { losses, machine } = setup(3, slow, fast)
    publish(machine, ..."abcdefgh")
    expect([slow.pushed.join(""), fast.pushed.join(""), machine.queued, losses.full]).toEqual(["a", "abcdefgh", 3, 4])
    relieve(machine, slow)
    expect([slow.pushed.join(""), machine.queued]).toEqual(["afgh", 0])
    publish(machine, "i")
    expect([slow.pushed.join(""), fast.pushed.join(""), losses.full]).toEqual(["afghi", "abcdefghi", 4])
  })

  it("keeps the order when a subscriber takes some at a time", () => {
    const slow = lane(1, 0)
    const { machine } = setup(8, slow)
    publish(machine, ..."abcd")
    relieve(machine, slow, 2)
    publish(machine, "e")
    relieve(machine, slow, 1)
    relieve(machine, slow)
    expect(slow.pushed.join("")).toBe("abcde")
  })

  it("[PUB-05] its queues are made shorter, keeping the oldest, and those of later subscribers have the new length", () => {
    const lanes = [lane(1, 0), lane(2, 0), lane(3, 0)]
    const { losses, machine } = setup(4, lanes[0]!, lanes[1]!)
    publish(machine, ..."abcd")
    expect(machine.resize({ send: 2, recv: 0 })).toBe(4)
    machine.attach(lanes[2]!)
    publish(machine, ..."xyz")
    expect(losses.full).toBe(3 + 3 + 1)
    for (const lane of lanes) relieve(machine, lane)
    expect(lanes.map(({ pushed }) => pushed.join(""))).toEqual(["yz", "yz", "yz"])
    expect(machine.resize({ send: 3, recv: 0 })).toBe(0)
  })

  it("[PUB-05] what fits a shorter queue stays", () => {
    const slow = lane(1, 0)
    const { machine } = setup(4, slow)
    publish(machine, ..."abcd")
    machine.resize({ send: 2, recv: 0 })
    relieve(machine, slow)
    expect(slow.pushed.join("")).toBe("ab")
  })

  it("[PUB-06] cuts off a subscriber that says something", () => {
    const [loud, quiet] = [lane(1), lane(2)]
    const { machine } = setup(4, loud, quiet)
    loud.arrived.push(Message.make("x"))
    machine.readable(loud)
    expect(loud.error).toMatchObject({ _tag: "NNG_EPROTO" })
    expect(quiet.error).toBeUndefined()
  })

  it("[PUB-08] gives a subscriber what comes after it", () => {
    const { machine } = setup(4, lane(1, 0))
    publish(machine, "a")
    const late = lane(2)
    machine.attach(late)
    publish(machine, "b")
    expect(late.pushed).toEqual(["b"])
  })

  it("loses a subscriber's queue with it, and all of them when it closes", () => {
    const lanes = [lane(1, 0), lane(2, 0), lane(3, 0)]
    const { machine } = setup(4, ...lanes)
    publish(machine, "a", "b")
    expect(machine.detach(lanes[0]!, [Message.make("unsent")])).toBe(3)
    expect(machine.detach(lanes[0]!, [])).toBe(0)
    expect([machine.queued, machine.close(), machine.queued]).toEqual([4, 4, 0])
    publish(machine, "c")
    expect(lanes.flatMap(({ pushed }) => pushed)).toEqual([])
  })
})

type Step =
  | { readonly _tag: "publish" }
  | { readonly _tag: "attach"; readonly room: number }
  | { readonly _tag: "detach"; readonly which: number }
  | { readonly _tag: "relieve"; readonly which: number; readonly room: number }
  | { readonly _tag: "resize"; readonly send: number }

const which = FC.nat(3)
const steps: FC.Arbitrary<Array<Step>> = FC.array(
  FC.oneof(
    { weight: 5, arbitrary: FC.record({ _tag: FC.constant("publish" as const) }) },
    { weight: 1, arbitrary: FC.record({ _tag: FC.constant("attach" as const), room: FC.nat(3) }) },
    { weight: 1, arbitrary: FC.record({ _tag: FC.constant("detach" as const), which }) },
    { weight: 3, arbitrary: FC.record({ _tag: FC.constant("relieve" as const), which, room: FC.nat(4) }) },
    { weight: 1, arbitrary: FC.record({ _tag: FC.constant("resize" as const), send: FC.integer({ min: 1, max: 5 }) }) }
  ),
  { maxLength: 60 }
)

describe("the pub0 machine, whatever happens", () => {
  it("each subscriber gets in order what was published while it was there, but what is counted as lost", () => {
    FC.assert(
      FC.property(steps, (steps) => {
        const { losses, machine } = setup(2)
        /** The subscribers, and how much was published while each was there. */
        const there: Array<{ readonly lane: FakeLane; readonly from: number }> = []
        let [published, owed, ids, capacity] = [0, 0, 0, 2]
        let lost = 0
        const all: Array<FakeLane> = []
        for (const step of steps) {
          const at = "which" in step ? there[step.which] : undefined
          if (step._tag === "publish") {
            publish(machine, String(published++))
            owed += there.length
          } else if (step._tag === "attach") {
            const one = lane(++ids, step.room)
            machine.attach(one)
            there.push({ lane: one, from: published })
            all.push(one)
          } else if (step._tag === "resize") {
            capacity = step.send
            lost += machine.resize({ send: capacity, recv: 0 })
          } else if (at !== undefined && step._tag === "detach") {
            there.splice(step.which, 1)
            lost += machine.detach(at.lane, [])
          } else if (at !== undefined && step._tag === "relieve") {
            relieve(machine, at.lane, step.room)
          }
          expect(machine.queued).toBeLessThanOrEqual(capacity * there.length)
          expect(machine.canSend).toBe(true)
        }
        const given = all.flatMap(({ pushed }) => pushed).length
        expect(given + lost + losses.full + machine.queued).toBe(owed)
        for (const { from, lane } of there) {
          const numbers = lane.pushed.map(Number)
          expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b))
          for (const n of numbers) expect(n).toBeGreaterThanOrEqual(from)
        }
      }),
      { numRuns: 300 }
    )
  })
})
