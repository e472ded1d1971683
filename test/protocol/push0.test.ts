import { describe, expect, it } from "@effect/vitest"
import * as FC from "effect/FastCheck"
import * as Message from "effect-nng/Message"
import { Push0Machine } from "../../src/internal/protocol/push0.js"
import { FakeLane } from "../support/lanes.js"
import { FakeWorld } from "../support/world.js"

const pull0 = 0x51

const make = (send = 0, world = new FakeWorld()) => new Push0Machine({ send, recv: 0 }, world)
const lane = (id: number, room = 1) => new FakeLane(id, pull0, room)

const sendAll = (machine: Push0Machine, ...texts: ReadonlyArray<string>): Array<boolean> =>
  texts.map((text) => machine.send(Message.make(text)))

/** The puller has room for so many more. */
const makeRoom = (machine: Push0Machine, lane: FakeLane, room = 1): void => {
  lane.room += room
  machine.writable(lane)
}

/** The puller is gone, and so are the last so many that it had. */
const lose = (machine: Push0Machine, lane: FakeLane, unsent = 0): number =>
  machine.detach(lane, lane.messages.slice(lane.messages.length - unsent))

describe("the push0 machine", () => {
  it("accepts as many pullers as come, and nobody else", () => {
    const machine = make()
    expect(machine.attach(new FakeLane(1, 0x50))).toMatchObject({ _tag: "NNG_EPROTO" })
    expect(machine.attach(new FakeLane(2, 0x10))).toMatchObject({ _tag: "NNG_EPROTO" })
    for (let id = 3; id < 10; id++) expect(machine.attach(lane(id))).toBeUndefined()
  })

  it("gives nothing to one that it refused", () => {
    const machine = make()
    machine.attach(new FakeLane(1, 0x50))
    expect([machine.canSend, ...sendAll(machine, "a")]).toEqual([false, false])
  })

  it("has nothing to receive", () => {
    const machine = make()
    expect([machine.canRecv, machine.recv()]).toEqual([false, undefined])
  })

  it("[PUSH-04] without a puller and without a buffer nothing can be sent", () => {
    const machine = make()
    expect([machine.canSend, ...sendAll(machine, "a")]).toEqual([false, false])
  })

  it("[PUSH-06] gives to those that are ready in turn, in the order in which they came", () => {
    const machine = make()
    const lanes = [lane(1, 2), lane(2, 2), lane(3, 2)]
    for (const lane of lanes) machine.attach(lane)
    expect(sendAll(machine, "1", "2", "3", "4", "5", "6", "7")).toEqual([true, true, true, true, true, true, false])
    expect(lanes.map(({ pushed }) => pushed)).toEqual([
      ["1", "4"],
      ["2", "5"],
      ["3", "6"]
    ])
  })

  it("one that becomes ready again goes behind the others", () => {
    const machine = make()
    const [first, second] = [lane(1), lane(2, 5)]
    machine.attach(first)
    machine.attach(second)
    sendAll(machine, "1", "2")
    makeRoom(machine, first)
    sendAll(machine, "3", "4", "5")
    expect([first.pushed, second.pushed]).toEqual([
      ["1", "4"],
      ["2", "3", "5"]
    ])
  })

  it("[PUSH-07] leaves out one that takes nothing", () => {
    const machine = make()
    const [slow, quick] = [lane(1, 1), lane(2, 100)]
    machine.attach(slow)
    machine.attach(quick)
    expect(sendAll(machine, ..."abcdefgh").every(Boolean)).toBe(true)
    expect([slow.pushed.length, quick.pushed.length]).toEqual([1, 7])
  })

  it("[PUSH-02] queues up to its buffer, and the first puller gets that in order", () => {
    const machine = make(2)
    expect(sendAll(machine, "a", "b", "c")).toEqual([true, true, false])
    expect([machine.canSend, machine.queued]).toEqual([false, 2])
    const puller = lane(1, 3)
    machine.attach(puller)
    expect([puller.pushed, machine.canSend, machine.queued]).toEqual([["a", "b"], true, 0])
  })

  it("shares out what is queued among pullers as they get room", () => {
    const machine = make(4)
    const [first, second] = [lane(1, 0), lane(2, 0)]
    machine.attach(first)
    machine.attach(second)
    sendAll(machine, "a", "b", "c", "d")
    makeRoom(machine, second)
    makeRoom(machine, first, 2)
    expect([first.pushed, second.pushed, machine.queued]).toEqual([["b", "c"], ["a"], 1])
  })

  it("[PUSH-03] a buffer made smaller keeps the oldest", () => {
    const machine = make(3)
    sendAll(machine, "abc", "def")
    expect([machine.resize({ send: 1, recv: 0 }), machine.canSend]).toEqual([1, false])
    const puller = lane(1, 5)
    machine.attach(puller)
    expect(puller.pushed).toEqual(["abc"])
  })

  it("[PUSH-10] what a puller had not begun to send goes to the others, before what came later", () => {
    const machine = make(2)
    const [first, second] = [lane(1, 4), lane(2, 0)]
    machine.attach(first)
    machine.attach(second)
    sendAll(machine, "1", "2", "3", "4", "5", "6")
    expect(lose(machine, first, 2)).toBe(0)
    expect([machine.queued, machine.canSend]).toEqual([4, false])
    makeRoom(machine, second, 3)
    expect([second.pushed, machine.queued]).toEqual([["3", "4", "5"], 1])
    expect(machine.canSend).toBe(true)
  })

  it("goes at once to those that are ready", () => {
    const machine = make()
    const [first, second] = [lane(1, 2), lane(2, 2)]
    machine.attach(first)
    sendAll(machine, "1", "2")
    machine.attach(second)
    lose(machine, first, 1)
    expect([second.pushed, machine.queued]).toEqual([["2"], 0])
  })

  it("what came back stays beyond the capacity, for the next puller", () => {
    const machine = make(1)
    const puller = lane(1, 3)
    machine.attach(puller)
    sendAll(machine, "1", "2", "3")
    lose(machine, puller, 3)
    expect([machine.queued, ...sendAll(machine, "4")]).toEqual([3, false])
    const next = lane(2, 5)
    machine.attach(next)
    expect(next.pushed).toEqual(["1", "2", "3"])
  })

  it("gives nothing more to one that has ended", () => {
    const machine = make(1)
    const [ended, other] = [lane(1, 5), lane(2, 5)]
    machine.attach(ended)
    machine.attach(other)
    ended.ended = true
    ended.room = 0
    machine.writable(ended)
    expect(sendAll(machine, "1", "2")).toEqual([true, true])
    expect([ended.pushed, other.pushed]).toEqual([[], ["1", "2"]])
  })

  it("[PUSH-09] throws away what pullers send, and counts it", () => {
    const world = new FakeWorld()
    const machine = make(0, world)
    const puller = lane(1)
    machine.attach(puller)
    puller.arrived.push(Message.make("x"), Message.make("y"))
    machine.readable(puller)
    expect([puller.hasNext, puller.error, world.losses.unexpected]).toEqual([false, undefined, 2])
    expect(sendAll(machine, "a")).toEqual([true])
  })

  it("close drops what is queued, and says how much that was", () => {
    const machine = make(3)
    sendAll(machine, "a", "b")
    expect([machine.close(), machine.close(), machine.queued, machine.canSend]).toEqual([2, 0, 0, false])
  })
})

type Step =
  | { readonly _tag: "send" }
  | { readonly _tag: "attach" | "room"; readonly which: number; readonly room: number }
  | { readonly _tag: "detach"; readonly which: number; readonly unsent: number }
  | { readonly _tag: "resize"; readonly send: number }

const step: FC.Arbitrary<Step> = FC.oneof(
  { weight: 6, arbitrary: FC.constant<Step>({ _tag: "send" }) },
  {
    weight: 4,
    arbitrary: FC.record({
      _tag: FC.constantFrom("attach" as const, "room" as const),
      which: FC.nat(10),
      room: FC.nat(4)
    })
  },
  { weight: 1, arbitrary: FC.record({ _tag: FC.constant("detach" as const), which: FC.nat(10), unsent: FC.nat(6) }) },
  { weight: 1, arbitrary: FC.record({ _tag: FC.constant("resize" as const), send: FC.nat(4) }) }
)

/** Pushing, written down as plainly as can be. */
class Model {
  readonly got = new Map<number, Array<number>>()
  readonly room = new Map<number, number>()
  /** Those with room, the next first. */
  turns: Array<number> = []
  queue: Array<number> = []

  constructor(public capacity: number) {}

  get canSend(): boolean {
    return this.turns.length > 0 || this.queue.length < this.capacity
  }

  ready(id: number, room: number): void {
    this.room.set(id, room)
    if (room > 0 && !this.turns.includes(id)) this.turns.push(id)
    this.flow()
  }

  send(n: number): void {
    this.queue.push(n)
    this.flow()
  }

  lose(id: number, unsent: ReadonlyArray<number>): void {
    this.turns = this.turns.filter((other) => other !== id)
    this.queue = [...unsent, ...this.queue]
    this.flow()
  }

  private flow(): void {
    while (this.turns.length > 0 && this.queue.length > 0) {
      const id = this.turns.shift()!
      const room = this.room.get(id)! - 1
      this.got.get(id)!.push(this.queue.shift()!)
      this.room.set(id, room)
      if (room > 0) this.turns.push(id)
    }
  }
}

describe("the push0 machine, whatever happens", () => {
  it("does as its model: each message to one puller, in turn, and none is lost that a puller had not begun to send", () => {
    FC.assert(
      FC.property(FC.nat(3), FC.array(step, { maxLength: 80 }), (capacity, steps) => {
        const machine = make(capacity)
        const model = new Model(capacity)
        const lanes: Array<FakeLane> = []
        const all: Array<FakeLane> = []
        const cameBack = new Map<FakeLane, number>()
        let [sent, dropped, returned] = [0, 0, 0]
        for (const step of steps) {
          const chosen = "which" in step ? lanes[step.which % Math.max(1, lanes.length)] : undefined
          if (step._tag === "send") {
            const could = model.canSend
            expect(machine.canSend).toBe(could)
            expect(sendAll(machine, String(sent))).toEqual([could])
            if (could) model.send(sent++)
          } else if (step._tag === "attach") {
            const next = lane(all.length + 1, step.room)
            lanes.push(next)
            all.push(next)
            model.got.set(next.id, [])
            machine.attach(next)
            model.ready(next.id, step.room)
          } else if (step._tag === "room" && chosen !== undefined && chosen.room === 0 && step.room > 0) {
            makeRoom(machine, chosen, step.room)
            model.ready(chosen.id, step.room)
          } else if (step._tag === "detach" && chosen !== undefined) {
            lanes.splice(lanes.indexOf(chosen), 1)
            const unsent = Math.min(step.unsent, chosen.messages.length)
            cameBack.set(chosen, unsent)
            returned += unsent
            chosen.room = 0
            const had = chosen.pushed.map(Number)
            expect(lose(machine, chosen, unsent)).toBe(0)
            model.lose(chosen.id, had.slice(had.length - unsent))
          } else if (step._tag === "resize") {
            model.capacity = step.send
            const over = Math.max(0, model.queue.length - step.send)
            model.queue.length -= over
            expect(machine.resize({ send: step.send, recv: 0 })).toBe(over)
            dropped += over
          }
          expect(machine.queued).toBe(model.queue.length)
          expect(machine.queued).toBeLessThanOrEqual(4 + returned)
          // with room anywhere nothing waits
          if (lanes.some(({ writable }) => writable)) expect(machine.queued).toBe(0)
        }
        for (const lane of all) expect(lane.pushed.map(Number)).toEqual(model.got.get(lane.id))
        const arrived = all.flatMap((lane) => lane.pushed.slice(0, lane.pushed.length - (cameBack.get(lane) ?? 0)))
        expect(new Set(arrived).size).toBe(arrived.length)
        expect(arrived.length + machine.close() + dropped).toBe(sent)
      }),
      { numRuns: 300 }
    )
  })

  it("gives pullers that always have room the same number, but for one", () => {
    FC.assert(
      FC.property(FC.integer({ min: 1, max: 8 }), FC.nat(100), (pullers, messages) => {
        const machine = make()
        const lanes = Array.from({ length: pullers }, (_, i) => lane(i, 1000))
        for (const lane of lanes) machine.attach(lane)
        for (let n = 0; n < messages; n++) sendAll(machine, String(n))
        const counts = lanes.map(({ pushed }) => pushed.length)
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
      })
    )
  })
})
