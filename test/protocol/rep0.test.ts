import { describe, expect, it } from "@effect/vitest"
import * as FC from "effect/FastCheck"
import * as Message from "effect-nng/Message"
import type { Inquiry } from "../../src/internal/protocol/rep0.js"
import { Rep0Machine } from "../../src/internal/protocol/rep0.js"
import { FakeLane } from "../support/lanes.js"
import { headerOf, id, wire, wordsOf } from "../support/words.js"
import { FakeWorld } from "../support/world.js"

const make = (ttl = 8) => {
  const world = new FakeWorld()
  return { world, machine: new Rep0Machine(ttl, world) }
}

const req = (n: number, room = 1) => new FakeLane(n, 0x30, room)

const attached = (machine: Rep0Machine, ...lanes: ReadonlyArray<FakeLane>) => {
  for (const lane of lanes) expect(machine.attach(lane)).toBeUndefined()
}

const arrive = (machine: Rep0Machine, lane: FakeLane, ...messages: ReadonlyArray<Message.Message>): void => {
  lane.arrived.push(...messages)
  machine.readable(lane)
}

const textOf = (inquiry: Inquiry | undefined) => (inquiry === undefined ? undefined : Message.text(inquiry.message))

const takeAll = (machine: Rep0Machine): Array<string> => {
  const texts: Array<string> = []
  for (let next = machine.take(); next !== undefined; next = machine.take()) texts.push(Message.text(next.message))
  return texts
}

describe("the rep0 machine", () => {
  it("accepts any number of requesters, and nobody else", () => {
    const { machine } = make()
    attached(machine, req(1), req(2))
    expect(machine.attach(new FakeLane(3, 0x31))).toMatchObject({ _tag: "NNG_EPROTO" })
  })

  it("[REP-17] a request comes without its header, which goes back with the answer", () => {
    const { machine } = make()
    const lane = req(1)
    attached(machine, lane)
    expect([machine.canRecv, machine.take()]).toEqual([false, undefined])
    arrive(machine, lane, wire([5, 6, id(7)], "question"))
    expect(machine.canRecv).toBe(true)
    const inquiry = machine.take()!
    expect([textOf(inquiry), inquiry.message.headerLength, wordsOf(inquiry.backtrace)]).toEqual([
      "question",
      0,
      [5, 6, id(7)]
    ])
    expect(machine.reply(inquiry, Message.make("answer"))).toBe(true)
    expect([lane.pushed, lane.messages.map(headerOf)]).toEqual([["answer"], [[5, 6, id(7)]]])
  })

  it("replaces a header that the application had put on its answer", () => {
    const { machine } = make()
    const lane = req(1)
    attached(machine, lane)
    arrive(machine, lane, wire([id(7)], "question"))
    const answer = Message.make("answer")
    Message.Header.append(answer, Uint8Array.of(1, 2, 3))
    machine.reply(machine.take()!, answer)
    expect(lane.messages.map(headerOf)).toEqual([[id(7)]])
  })

  it("[REP-18, REP-19] takes one request of each in the order of their coming, and holds one of each", () => {
    const { machine } = make()
    const [a, b, c] = [req(1), req(2), req(3)]
    attached(machine, a, b, c)
    arrive(machine, b, wire([id(1)], "b1"))
    arrive(machine, a, wire([id(1)], "a1"), wire([id(2)], "a2"), wire([id(3)], "a3"))
    arrive(machine, c, wire([id(1)], "c1"))
    machine.readable(a)
    expect(a.arrived.length).toBe(3)
    expect(textOf(machine.take())).toBe("b1")
    expect(textOf(machine.take())).toBe("a1")
    expect(a.arrived.length).toBe(2)
    expect(takeAll(machine)).toEqual(["c1", "a2", "a3"])
  })

  it("at every ttl, of every number of words: as many as that come, those with more are dropped and counted", () => {
    for (let ttl = 1; ttl <= 15; ttl++) {
      const { machine, world } = make(ttl)
      const lane = req(1)
      attached(machine, lane)
      const requests = Array.from({ length: 18 }, (_, n) => wire([...Array<number>(n).fill(9), id(n)], String(n + 1)))
      arrive(machine, lane, ...requests)
      expect(takeAll(machine)).toEqual(Array.from({ length: ttl }, (_, n) => String(n + 1)))
      expect([world.losses.hops, lane.error]).toEqual([18 - ttl, undefined])
    }
  })

  it("[REP-12] at every ttl, of every number of words without an end: shorter than that it cuts the requester off", () => {
    for (let ttl = 1; ttl <= 15; ttl++) {
      for (let words = 0; words <= 17; words++) {
        for (const odd of ["", "x", "xyz"]) {
          const { machine, world } = make(ttl)
          const lane = req(1)
          attached(machine, lane)
          arrive(machine, lane, wire(Array<number>(words).fill(9), odd), wire([id(1)], "after"))
          const short = words < ttl
          expect([lane.error?._tag, world.losses.hops], `${words} words, ttl ${ttl}`).toEqual(
            short ? ["NNG_EPROTO", 0] : [undefined, 1]
          )
          expect(takeAll(machine)).toEqual(short ? [] : ["after"])
        }
      }
    }
  })

  it("a changed ttl holds for what is looked at from then on", () => {
    const { machine, world } = make(2)
    const lane = req(1)
    attached(machine, lane)
    arrive(machine, lane, wire([1, id(1)], "held"), wire([1, id(2)], "next"))
    machine.ttl = 1
    expect([takeAll(machine), world.losses.hops]).toEqual([["held"], 1])
  })

  it("[REP-06] an answer to somebody who is gone is dropped and counted, and has been sent", () => {
    const { machine, world } = make()
    const lane = req(1)
    attached(machine, lane)
    arrive(machine, lane, wire([id(1)], "q"))
    const inquiry = machine.take()!
    expect([machine.isThere(inquiry), machine.canReply(inquiry)]).toEqual([true, true])
    machine.detach(lane, [])
    expect([machine.isThere(inquiry), machine.canReply(inquiry)]).toEqual([false, true])
    expect(machine.reply(inquiry, Message.make("a"))).toBe(true)
    expect([lane.pushed, world.losses.unroutable]).toEqual([[], 1])
  })

  it("one who has left requests behind and gone is as gone as any other, for answers", () => {
    const { machine, world } = make()
    const lane = req(1, 0)
    attached(machine, lane)
    arrive(machine, lane, wire([id(1)], "first"), wire([id(2)], "second"))
    const inquiry = machine.take()!
    expect([machine.canReply(inquiry), machine.reply(inquiry, Message.make("a"))]).toEqual([false, false])
    lane.ended = true
    expect([machine.isThere(inquiry), machine.canReply(inquiry)]).toEqual([false, true])
    expect(machine.reply(inquiry, Message.make("a"))).toBe(true)
    expect(world.losses.unroutable).toBe(1)
    expect(takeAll(machine)).toEqual(["second"])
  })

  it("an answer waits for its requester, not for others", () => {
    const { machine, world } = make()
    const [slow, quick] = [req(1, 0), req(2, 1)]
    attached(machine, slow, quick)
    arrive(machine, slow, wire([id(1)], "s"))
    arrive(machine, quick, wire([id(1)], "q"))
    const [first, second] = [machine.take()!, machine.take()!]
    expect([machine.canReply(first), machine.reply(first, Message.make("1"))]).toEqual([false, false])
    expect([machine.canReply(second), machine.reply(second, Message.make("2"))]).toEqual([true, true])
    slow.room = 1
    expect([machine.canReply(first), machine.reply(first, Message.make("1"))]).toEqual([true, true])
    expect([slow.pushed, quick.pushed, world.losses]).toEqual([["1"], ["2"], new FakeWorld().losses])
  })

  it("one that is gone takes the request that was held with it", () => {
    const { machine } = make()
    const [a, b] = [req(1), req(2)]
    attached(machine, a, b)
    arrive(machine, a, wire([id(1)], "a1"))
    arrive(machine, b, wire([id(1)], "b1"))
    expect(machine.detach(a, [Message.make("unsent")])).toBe(1)
    expect(takeAll(machine)).toEqual(["b1"])
    expect(machine.canRecv).toBe(false)
  })

  it("one that is cut while a request of his is held gives nothing, and does not hide the next", () => {
    const { machine } = make()
    const [a, b] = [req(1), req(2)]
    attached(machine, a, b)
    arrive(machine, a, wire([id(1)], "a1"))
    arrive(machine, b, wire([id(1)], "b1"))
    // the socket learns of it later
    a.cut(undefined as never)
    expect(takeAll(machine)).toEqual(["b1"])
  })

  it("has no queues", () => {
    const { machine } = make()
    expect([machine.queued, machine.resize(), machine.close()]).toEqual([0, 0, 0])
  })
})

describe("the rep0 machine, whatever happens", () => {
  type Step =
    | { readonly _tag: "take" | "drop" }
    | { readonly _tag: "gone" | "room" | "full"; readonly lane: number }
    | { readonly _tag: "arrive"; readonly lane: number; readonly words: number }
    | { readonly _tag: "reply"; readonly which: number }

  const lane = FC.nat(2)
  const step: FC.Arbitrary<Step> = FC.oneof(
    {
      weight: 5,
      arbitrary: FC.record({ _tag: FC.constant("arrive" as const), lane, words: FC.integer({ min: 1, max: 5 }) })
    },
    { weight: 4, arbitrary: FC.constant<Step>({ _tag: "take" }) },
    { weight: 4, arbitrary: FC.record({ _tag: FC.constant("reply" as const), which: FC.nat(3) }) },
    FC.record({ _tag: FC.constantFrom("gone" as const, "room" as const, "full" as const), lane })
  )

  it("answers go where their request came from, with its words; all requests are received in order, or counted", () => {
    FC.assert(
      FC.property(FC.array(step, { maxLength: 80, size: "max" }), FC.integer({ min: 1, max: 5 }), (steps, ttl) => {
        const { machine, world } = make(ttl)
        let made = 0
        const newLane = () => {
          const lane = req(++made, 1)
          attached(machine, lane)
          return lane
        }
        const current = [newLane(), newLane(), newLane()]
        const everyLane = [...current]
        const origin = new Map<string, { readonly lane: FakeLane; readonly words: Array<number> }>()
        const received: Array<string> = []
        const open: Array<Inquiry> = []
        const gone = new Set<FakeLane>()
        let [arrived, hops, lost, answered, unroutable] = [0, 0, 0, 0, 0]
        for (const [at, step] of steps.entries()) {
          switch (step._tag) {
            case "arrive": {
              const lane = current[step.lane]!
              const words = [...Array<number>(step.words - 1).fill(at), id(at)]
              const text = String(arrived++)
              if (step.words <= ttl) origin.set(text, { lane, words })
              arrive(machine, lane, wire(words, text))
              break
            }
            case "take": {
              const could = machine.canRecv
              const inquiry = machine.take()
              expect(inquiry !== undefined).toBe(could)
              if (inquiry === undefined) break
              received.push(textOf(inquiry)!)
              open.push(inquiry)
              break
            }
            case "reply": {
              const [inquiry] = open.splice(step.which, 1)
              if (inquiry === undefined) break
              const lane = inquiry.lane as FakeLane
              const could = machine.canReply(inquiry)
              expect(could).toBe(gone.has(lane) || lane.writable)
              expect(machine.isThere(inquiry)).toBe(!gone.has(lane))
              expect(machine.reply(inquiry, Message.make(textOf(inquiry)))).toBe(could)
              if (!could) open.push(inquiry)
              else if (gone.has(lane)) unroutable++
              else answered++
              break
            }
            case "gone": {
              const lane = current[step.lane]!
              gone.add(lane)
              // those held back for their hops had not been looked at
              lost += lane.arrived.length
              expect(machine.detach(lane, [])).toBe(0)
              everyLane.push((current[step.lane] = newLane()))
              break
            }
            case "room":
            case "full":
              current[step.lane]!.room = step._tag === "room" ? 3 : 0
              machine.writable()
              break
          }
        }
        hops = world.losses.hops
        expect({ ...world.losses, hops: 0 }).toEqual({ ...new FakeWorld().losses, unroutable })
        const left = current.reduce((sum, lane) => sum + lane.arrived.length, 0)
        expect(received.length + hops + lost + left).toBe(arrived)
        for (const lane of everyLane) {
          const own = received.filter((text) => origin.get(text)!.lane === lane).map(Number)
          expect(own).toEqual(own.slice().sort((x, y) => x - y))
          for (const answer of lane.messages) {
            const asked = origin.get(Message.text(answer))!
            expect([asked.lane === lane, headerOf(answer)]).toEqual([true, asked.words])
          }
          expect(new Set(lane.pushed).size).toBe(lane.pushed.length)
        }
        expect(everyLane.reduce((sum, lane) => sum + lane.pushed.length, 0)).toBe(answered)
      }),
      { numRuns: 200 }
    )
  })
})
