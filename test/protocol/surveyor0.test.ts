import { describe, expect, it } from "@effect/vitest"
import * as FC from "effect/FastCheck"
import * as Message from "effect-nng/Message"
import * as Protocol from "effect-nng/Protocol"
import { Rep0Machine } from "../../src/internal/protocol/rep0.js"
import type { Survey } from "../../src/internal/protocol/surveyor0.js"
import { Surveyor0Machine } from "../../src/internal/protocol/surveyor0.js"
import { respondent0, XRep0Machine } from "../../src/internal/protocol/xrep0.js"
import { XSurveyor0Machine } from "../../src/internal/protocol/xsurveyor0.js"
import { FakeLane } from "../support/lanes.js"
import { headed, headerOf, id, wire } from "../support/words.js"
import { FakeWorld } from "../support/world.js"

type Machine = Surveyor0Machine<string>

const make = (chance = 0) => {
  const world = new FakeWorld(chance)
  return { world, machine: new Surveyor0Machine<string>(world) }
}

const resp = (n: number, room = 100, byReference = false) => new FakeLane(n, 0x63, room, byReference)

const attached = (machine: Machine | XSurveyor0Machine, ...lanes: ReadonlyArray<FakeLane>) => {
  for (const lane of lanes) expect(machine.attach(lane)).toBeUndefined()
}

const arrive = (
  machine: { readonly readable: (lane: FakeLane) => void },
  lane: FakeLane,
  ...messages: ReadonlyArray<Message.Message>
): void => {
  lane.arrived.push(...messages)
  machine.readable(lane)
}

const takeAll = (survey: Survey<string>): Array<string> => {
  const all: Array<string> = []
  for (let next = survey.responses.shift(); next !== undefined; next = survey.responses.shift()) {
    all.push(Message.text(next))
  }
  return all
}

describe("the surveyor0 machine", () => {
  it("accepts any number of respondents, and nobody else", () => {
    const { machine } = make()
    attached(machine, resp(1), resp(2))
    expect(machine.attach(new FakeLane(3, 0x62))).toMatchObject({ _tag: "NNG_EPROTO" })
    machine.ask(Message.make("s"), 10)
  })

  it("sends one survey to all who are there, with its id, and to nobody without an error", () => {
    const { machine, world } = make(6)
    const alone = machine.ask(Message.make("nobody"), 10)
    const lanes = [resp(1), resp(2, 9, true), resp(3)]
    attached(machine, ...lanes)
    const survey = machine.ask(Message.make("s"), 10)
    expect(survey.id).toBe(alone.id + 1)
    expect(lanes.map((lane) => [lane.pushed, lane.messages.map(headerOf)])).toEqual(
      lanes.map(() => [["s"], [[survey.id]]])
    )
    // who has it by reference may do with it what he likes
    Message.Body.clear(lanes[1]!.messages[0]!)
    expect(Message.text(lanes[0]!.messages[0]!)).toBe("s")
    expect(world.losses).toEqual(new FakeWorld().losses)
  })

  it("replaces a header that the application had put on it", () => {
    const { machine } = make()
    const lane = resp(1)
    attached(machine, lane)
    const { id } = machine.ask(headed([1, 2], "s"), 10)
    expect(lane.messages.map(headerOf)).toEqual([[id]])
  })

  it("ids count up from chance, from the last to the first, past those that are open", () => {
    expect(make(0x12345678).machine.ask(Message.make(), 10).id).toBe(0x92345679)
    const { machine } = make(0x7ffffffe)
    const ids = Array.from({ length: 3 }, () => machine.ask(Message.make(), 10).id)
    expect(ids).toEqual([0xffffffff, 0x80000000, 0x80000001])
  })

  it("[SURV-21] a response comes with the id for its header, and its survey is woken", () => {
    const { machine } = make()
    const lane = resp(1)
    attached(machine, lane)
    const [one, two] = [machine.ask(Message.make("1"), 10), machine.ask(Message.make("2"), 10)]
    arrive(machine, lane, wire([two.id], "to two"))
    expect(machine.takeWoken()).toEqual([two])
    expect(machine.takeWoken()).toEqual([])
    const response = two.responses.shift()!
    expect([Message.text(response), headerOf(response)]).toEqual(["to two", [two.id]])
    expect([one.responses.length, two.responses.length]).toEqual([0, 0])
  })

  it("takes any number of responses of one respondent, up to 128 of all, and drops the newest", () => {
    const { machine, world } = make()
    const lanes = [resp(1), resp(2)]
    attached(machine, ...lanes)
    const survey = machine.ask(Message.make("s"), 10)
    for (let n = 0; n < 200; n++) arrive(machine, lanes[n % 2]!, wire([survey.id], String(n)))
    expect([survey.responses.length, world.losses.full]).toEqual([128, 72])
    expect(takeAll(survey)).toEqual(Array.from({ length: 128 }, (_, n) => String(n)))
    arrive(machine, lanes[0]!, wire([survey.id], "again"))
    expect(takeAll(survey)).toEqual(["again"])
  })

  it("drops and counts what comes at the deadline or later, is unknown, or was given up", () => {
    const { machine, world } = make()
    const lane = resp(1)
    attached(machine, lane)
    const survey = machine.ask(Message.make("s"), 10)
    const endless = machine.ask(Message.make("e"), Infinity)
    const none = machine.ask(Message.make("n"), 0)
    expect([survey, endless, none].map((one) => machine.isOver(one))).toEqual([false, false, true])
    world.time = 9.9
    arrive(machine, lane, wire([survey.id], "in time"), wire([none.id], "no"), wire([5], "no"), wire([id(5)], "no"))
    expect(world.losses.stale).toBe(3)
    world.time = 10
    arrive(machine, lane, wire([survey.id], "late"), wire([endless.id], "in time"))
    expect([machine.isOver(survey), machine.isOver(endless), world.losses.stale]).toEqual([true, false, 4])
    machine.end(endless)
    arrive(machine, lane, wire([endless.id], "late"))
    expect([machine.isOver(endless), world.losses.stale]).toEqual([true, 5])
    expect([takeAll(survey), takeAll(endless), lane.error]).toEqual([["in time"], ["in time"], undefined])
  })

  it("counts responses that nobody wants any more", () => {
    const { machine, world } = make()
    const lane = resp(1)
    attached(machine, lane)
    const survey = machine.ask(Message.make("s"), 10)
    arrive(machine, lane, wire([survey.id], "a"), wire([survey.id], "b"))
    machine.discard(survey)
    machine.discard(survey)
    expect([survey.responses.length, world.losses.stale]).toEqual([0, 2])
  })

  it("takes no response of somebody who was not there to be asked", () => {
    const { machine, world } = make()
    const [early, late] = [resp(1), resp(2)]
    attached(machine, early)
    const survey = machine.ask(Message.make("s"), 10)
    attached(machine, late)
    arrive(machine, late, wire([survey.id], "guessed"))
    expect([late.pushed, world.losses.stale]).toEqual([[], 1])
    const next = machine.ask(Message.make("t"), 10)
    arrive(machine, late, wire([next.id], "late"))
    arrive(machine, early, wire([survey.id], "early"))
    expect([takeAll(survey), takeAll(next), world.losses.stale]).toEqual([["early"], ["late"], 1])
  })

  it("[SURV-04] cuts off who responds with less than an id", () => {
    for (const size of [0, 1, 2, 3]) {
      const { machine } = make()
      const lane = resp(1)
      attached(machine, lane)
      const survey = machine.ask(Message.make("s"), 10)
      arrive(machine, lane, Message.make(size), wire([survey.id], "after"))
      expect([lane.error?._tag, takeAll(survey)]).toEqual(["NNG_EPROTO", []])
    }
  })

  it("keeps 8 surveys for a respondent that does not read, and drops the newest for him alone", () => {
    const { machine, world } = make()
    const [slow, quick] = [resp(1, 1), resp(2)]
    attached(machine, slow, quick)
    for (let n = 0; n < 20; n++) machine.ask(Message.make(String(n)), 10)
    expect([slow.pushed, quick.pushed.length, machine.queued, world.losses.full]).toEqual([["0"], 20, 8, 11])
    slow.room = 3
    machine.writable(slow)
    expect([slow.pushed, machine.queued]).toEqual([["0", "1", "2", "3"], 5])
    slow.room = 10
    machine.writable(slow)
    machine.ask(Message.make("20"), 10)
    expect([slow.pushed, machine.queued]).toEqual([["0", "1", "2", "3", "4", "5", "6", "7", "8", "20"], 0])
  })

  it("counts what is lost with a peer and what with the socket", () => {
    const { machine } = make()
    const [a, b] = [resp(1, 0), resp(2, 0)]
    attached(machine, a, b)
    for (let n = 0; n < 3; n++) machine.ask(Message.make(), 10)
    expect(machine.detach(a, [Message.make("unsent")])).toBe(4)
    expect([machine.queued, machine.close(), machine.queued]).toEqual([3, 3, 0])
    expect([[...machine.running], machine.resize()]).toEqual([[], 0])
  })
})

describe("the surveyor0 machine, whatever happens", () => {
  type Step =
    | { readonly _tag: "ask"; readonly time: number }
    | { readonly _tag: "pass"; readonly time: number }
    | { readonly _tag: "join" | "leave" | "room"; readonly lane: number }
    | { readonly _tag: "respond"; readonly lane: number; readonly survey: number }
    | { readonly _tag: "take" | "end"; readonly survey: number }

  const lane = FC.nat(3)
  const survey = FC.nat(9)
  const step: FC.Arbitrary<Step> = FC.oneof(
    FC.record({ _tag: FC.constant("ask" as const), time: FC.nat(20) }),
    FC.record({ _tag: FC.constant("pass" as const), time: FC.nat(8) }),
    FC.record({ _tag: FC.constantFrom("join" as const, "leave" as const, "room" as const), lane }),
    { weight: 3, arbitrary: FC.record({ _tag: FC.constant("respond" as const), lane, survey }) },
    FC.record({ _tag: FC.constantFrom("take" as const, "end" as const), survey })
  )

  /** What it should do, in the simplest words. */
  class Model {
    time = 0
    readonly surveys: Array<{ until: number; asked: Set<number>; stored: Array<string>; ended: boolean }> = []
    readonly there = new Set<number>()
    readonly waiting = new Map<number, number>()
    taken = 0
    stale = 0
    full = 0
    lost = 0
  }

  it("each survey has its own responses, in their order, and the books balance", () => {
    FC.assert(
      FC.property(FC.array(step, { maxLength: 80 }), (steps) => {
        const { machine, world } = make(7)
        const model = new Model()
        const lanes = [0, 1, 2, 3].map((n) => resp(n, 0))
        const surveys: Array<Survey<string>> = []
        let [responses, lost] = [0, 0]
        for (const [n, step] of steps.entries()) {
          switch (step._tag) {
            case "ask":
              surveys.push(machine.ask(Message.make(String(surveys.length)), step.time))
              for (const there of model.there) {
                const before = model.waiting.get(there)!
                if (before < 8) model.waiting.set(there, before + 1)
                else model.full++
              }
              model.surveys.push({
                until: model.time + step.time,
                asked: new Set(model.there),
                stored: [],
                ended: false
              })
              break
            case "pass":
              model.time += step.time
              world.time = model.time
              break
            case "join":
              if (model.there.has(step.lane)) break
              attached(machine, lanes[step.lane]!)
              model.there.add(step.lane)
              model.waiting.set(step.lane, 0)
              break
            case "leave":
              if (!model.there.delete(step.lane)) break
              lost += machine.detach(lanes[step.lane]!, [])
              model.lost += model.waiting.get(step.lane)!
              // one that comes again was not asked
              for (const { asked } of model.surveys) asked.delete(step.lane)
              break
            case "room":
              if (!model.there.has(step.lane)) break
              lanes[step.lane]!.room = 2
              machine.writable(lanes[step.lane]!)
              model.waiting.set(step.lane, Math.max(0, model.waiting.get(step.lane)! - 2))
              lanes[step.lane]!.room = 0
              break
            case "respond": {
              const [of, mine] = [surveys[step.survey], model.surveys[step.survey]]
              if (of === undefined || mine === undefined || !model.there.has(step.lane)) break
              responses++
              arrive(machine, lanes[step.lane]!, wire([of.id], String(n)))
              if (mine.ended || model.time >= mine.until || !mine.asked.has(step.lane)) model.stale++
              else mine.stored.push(String(n))
              break
            }
            case "take": {
              const mine = model.surveys[step.survey]
              if (mine === undefined) break
              expect(takeAll(surveys[step.survey]!)).toEqual(mine.stored)
              model.taken += mine.stored.length
              mine.stored = []
              break
            }
            case "end": {
              const mine = model.surveys[step.survey]
              if (mine === undefined) break
              machine.end(surveys[step.survey]!)
              mine.ended = true
              break
            }
          }
          expect([world.losses.stale, world.losses.full, lost]).toEqual([model.stale, model.full, model.lost])
          expect(surveys.map((one) => machine.isOver(one))).toEqual(
            model.surveys.map(({ ended, until }) => ended || model.time >= until)
          )
        }
        const stored = model.surveys.reduce((sum, one) => sum + one.stored.length, 0)
        expect(surveys.reduce((sum, one) => sum + one.responses.length, 0)).toBe(stored)
        expect(model.taken + model.stale + stored).toBe(responses)
        for (const lane of lanes) expect([...lane.pushed].sort((a, b) => Number(a) - Number(b))).toEqual(lane.pushed)
      })
    )
  })
})

describe("the raw surveyor0 machine", () => {
  const makeRaw = (recv = 1) => {
    const world = new FakeWorld()
    return { world, machine: new XSurveyor0Machine({ send: 0, recv }, world) }
  }

  it("accepts any number of respondents, and nobody else", () => {
    const { machine } = makeRaw()
    attached(machine, resp(1), resp(2))
    expect(machine.attach(new FakeLane(3, 0x62))).toMatchObject({ _tag: "NNG_EPROTO" })
  })

  it("[XSURV-04] sends with the header it was given to all who are there", () => {
    const { machine } = makeRaw()
    const lanes = [resp(1, 9, true), resp(2)]
    attached(machine, ...lanes)
    expect([machine.canSend, machine.send(headed([id(2)], "hello"))]).toEqual([true, true])
    expect(lanes.map((lane) => [lane.pushed, lane.messages.map(headerOf)])).toEqual(
      lanes.map(() => [["hello"], [[id(2)]]])
    )
    expect(lanes[0]!.messages[0]).not.toBe(lanes[1]!.messages[0])
  })

  it("keeps 16 for a respondent that does not read", () => {
    const { machine, world } = makeRaw()
    const lane = resp(1, 1)
    attached(machine, lane)
    for (let n = 0; n < 20; n++) expect(machine.send(headed([id(n)]))).toBe(true)
    expect([lane.pushed.length, machine.queued, world.losses.full]).toEqual([1, 16, 3])
    lane.room = 99
    machine.writable(lane)
    expect([lane.messages.map(headerOf).map(([word]) => word), machine.queued]).toEqual([
      Array.from({ length: 17 }, (_, n) => id(n)),
      0
    ])
  })

  it("[XSURV-02] receives with the words for its header, and cuts off who sends words without an end", () => {
    const { machine } = makeRaw(9)
    const [good, bad] = [resp(1), resp(2)]
    attached(machine, good, bad)
    arrive(machine, good, wire([2, 1, 0x80000123], "r"))
    arrive(machine, bad, wire([2, 1, 0x123]), wire([id(1)]))
    const response = machine.recv()!
    expect([headerOf(response), Message.text(response)]).toEqual([[2, 1, 0x80000123], "r"])
    expect([machine.recv(), good.error, bad.error?._tag]).toEqual([undefined, undefined, "NNG_EPROTO"])
  })

  it("takes 16 words and no more", () => {
    const { machine } = makeRaw(9)
    const lane = resp(1)
    attached(machine, lane)
    arrive(machine, lane, wire([...Array<number>(15).fill(1), id(1)], "most"))
    expect([lane.error, machine.recv()!.headerLength]).toEqual([undefined, 64])
    arrive(machine, lane, wire([...Array<number>(16).fill(1), id(1)], "more"))
    expect(lane.error).toMatchObject({ _tag: "NNG_EPROTO" })
  })

  it("holds what its buffer has no room for, and counts what is lost with a peer, with less room and with the socket", () => {
    const { machine } = makeRaw(2)
    const [a, b] = [resp(1, 0), resp(2, 0)]
    attached(machine, a, b)
    machine.send(headed([id(1)]))
    arrive(machine, a, ...["1", "2", "3", "4"].map((text) => wire([id(1)], text)))
    expect([machine.canRecv, a.arrived.length]).toEqual([true, 2])
    expect(machine.resize({ send: 0, recv: 1 })).toBe(1)
    expect([Message.text(machine.recv()!), Message.text(machine.recv()!)]).toEqual(["1", "3"])
    expect(machine.detach(a, [Message.make()])).toBe(2)
    arrive(machine, b, wire([id(1)], "b"))
    expect([machine.queued, machine.close()]).toEqual([1, 2])
  })
})

describe("a raw surveyor0 machine without a buffer", () => {
  it("has nothing of a respondent that is gone", () => {
    const machine = new XSurveyor0Machine({ send: 0, recv: 0 }, new FakeWorld())
    const [gone, there] = [resp(1), resp(2)]
    attached(machine, gone, there)
    arrive(machine, gone, wire([id(1)], "held"))
    arrive(machine, there, wire([id(1)], "mine"))
    expect(machine.detach(gone, [])).toBe(0)
    expect(Message.text(machine.recv()!)).toBe("mine")
    expect([machine.canRecv, machine.recv()]).toEqual([false, undefined])
  })
})

describe("the machines of rep0, for respondents", () => {
  it("accept surveyors, and nobody else", () => {
    const world = new FakeWorld()
    for (const machine of [
      new Rep0Machine(8, world, Protocol.respondent0),
      new XRep0Machine({ send: 0, recv: 1 }, 8, world, respondent0)
    ]) {
      expect(machine.attach(new FakeLane(1, 0x62))).toBeUndefined()
      expect(machine.attach(new FakeLane(2, 0x30))).toMatchObject({ _tag: "NNG_EPROTO" })
    }
  })

  it("[XRESP-03] raw, keep 2 answers for a surveyor that does not read", () => {
    const world = new FakeWorld()
    const machine = new XRep0Machine({ send: 0, recv: 1 }, 8, world, respondent0)
    const lane = new FakeLane(5, 0x62, 0)
    machine.attach(lane)
    for (let n = 0; n < 100; n++) expect(machine.send(headed([5, id(n)], String(n)))).toBe(true)
    expect([machine.queued, world.losses.full]).toEqual([2, 98])
  })
})
