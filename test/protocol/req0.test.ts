import { describe, expect, it } from "@effect/vitest"
import * as FC from "effect/FastCheck"
import * as Message from "effect-nng/Message"
import type { Request } from "../../src/internal/protocol/req0.js"
import { Req0Machine } from "../../src/internal/protocol/req0.js"
import { FakeLane } from "../support/lanes.js"
import { headerOf, id, wire } from "../support/words.js"
import { FakeWorld } from "../support/world.js"

type Machine = Req0Machine<string>

const make = (chance = 0) => {
  const world = new FakeWorld(chance)
  return { world, machine: new Req0Machine<string>(world) }
}

const rep = (n: number, room = 1, byReference = false) => new FakeLane(n, 0x31, room, byReference)

const attached = (machine: Machine, ...lanes: ReadonlyArray<FakeLane>) => {
  for (const lane of lanes) expect(machine.attach(lane)).toBeUndefined()
}

const ask = (machine: Machine, text: string, resendTime = Infinity): Request<string> => {
  const request = machine.ask(Message.make(text), resendTime)
  machine.submit(request)
  return request
}

/** Something comes from a replier, and the machine is told. */
const arrive = (machine: Machine, lane: FakeLane, ...messages: ReadonlyArray<Message.Message>): void => {
  lane.arrived.push(...messages)
  machine.readable(lane)
}

const makeRoom = (machine: Machine, lane: FakeLane, room = 1): void => {
  lane.room += room
  machine.writable(lane)
}

const replyOf = ({ reply }: Request<string>) => (reply === undefined ? undefined : Message.text(reply))

const states = (...requests: ReadonlyArray<Request<string>>) => requests.map(({ state }) => state)

describe("the req0 machine", () => {
  it("accepts any number of repliers, and nobody else", () => {
    const { machine } = make()
    attached(machine, rep(1), rep(2))
    expect(machine.attach(new FakeLane(3, 0x30))).toMatchObject({ _tag: "NNG_EPROTO" })
    expect(machine.attach(new FakeLane(3, 0x30))?.message).toMatch(/req.*rep/s)
  })

  it("counts as lost what a replier had not been sent and nobody else gets", () => {
    for (const [resendTime, lost] of [
      [100, 0],
      [Infinity, 1]
    ] as const) {
      const { machine } = make()
      const lane = rep(1)
      attached(machine, lane)
      const request = machine.ask(Message.make("question"), resendTime)
      expect(machine.submit(request)).toBe(true)
      expect(machine.keeps(request.message)).toBe(lost === 0)
      expect(machine.detach(lane, [request.message])).toBe(lost)
    }
  })

  it("gives a request a header of four bytes, its id, with the top bit set", () => {
    const { machine } = make(41)
    const lane = rep(1)
    attached(machine, lane)
    const request = ask(machine, "question")
    expect([request.state, lane.pushed, lane.messages.map(headerOf)]).toEqual(["sent", ["question"], [[id(42)]]])
  })

  it("replaces a header that the application had put there", () => {
    const { machine } = make()
    const lane = rep(1)
    attached(machine, lane)
    const message = Message.make("body")
    Message.Header.append(message, Uint8Array.of(1, 2, 3))
    machine.submit(machine.ask(message, Infinity))
    expect(lane.messages.map(headerOf)).toEqual([[id(1)]])
  })

  it("counts ids up, from the last to the first, past those that are open", () => {
    const { machine } = make(0x7ffffffd)
    const ids = Array.from({ length: 4 }, () => machine.ask(Message.make("q"), Infinity).id)
    expect(ids).toEqual([0xfffffffe, 0xffffffff, 0x80000000, 0x80000001])
    const round = make(0x7fffffff).machine
    const first = round.ask(Message.make("q"), Infinity)
    expect(first.id).toBe(0x80000000)
    // all the way round
    ;(round as unknown as { ids: { last: number } }).ids.last = 0xffffffff
    expect(round.ask(Message.make("q"), Infinity).id).toBe(0x80000001)
    round.retire(first)
    ;(round as unknown as { ids: { last: number } }).ids.last = 0xffffffff
    expect(round.ask(Message.make("q"), Infinity).id).toBe(0x80000000)
  })

  it("[REQ-28] an answer comes without its id, and belongs to its request", () => {
    const { machine } = make()
    const lane = rep(1, 2)
    attached(machine, lane)
    const [first, second] = [ask(machine, "1"), ask(machine, "2")]
    arrive(machine, lane, wire([second.id], "two"))
    expect([states(first, second), replyOf(first), replyOf(second), second.reply!.headerLength]).toEqual([
      ["sent", "answered"],
      undefined,
      "two",
      0
    ])
    arrive(machine, lane, wire([first.id], ""))
    expect(replyOf(first)).toBe("")
  })

  it("tells once of each request that something has become of it", () => {
    const { machine } = make()
    const [one, other] = [rep(1, 2), rep(2, 2)]
    attached(machine, one, other)
    const [first, second] = [ask(machine, "1"), ask(machine, "2")]
    expect(machine.takeWoken()).toEqual([])
    arrive(machine, one, wire([first.id], "a"), wire([first.id], "a"))
    machine.detach(other, [])
    expect(machine.takeWoken()).toEqual([first, second])
    expect(machine.takeWoken()).toEqual([])
  })

  it("[REQ-30] drops and counts answers that come twice, late, or to no question", () => {
    const { machine, world } = make()
    const lane = rep(1, 3)
    attached(machine, lane)
    const [answered, retired] = [ask(machine, "1"), ask(machine, "2")]
    arrive(machine, lane, wire([answered.id], "a"))
    arrive(machine, lane, wire([answered.id], "again"))
    expect([replyOf(answered), world.losses.stale]).toEqual(["a", 1])
    machine.retire(retired)
    arrive(machine, lane, wire([retired.id], "late"), wire([id(999)], "never asked"), wire([5], "no id at all"))
    expect([states(retired), replyOf(retired), world.losses.stale]).toEqual([["retired"], undefined, 4])
    expect(lane.error).toBeUndefined()
  })

  it("does not take an answer from somebody who was not asked (S18)", () => {
    const { machine, world } = make()
    const [asked, spy] = [rep(1, 5), rep(2, 5)]
    attached(machine, asked, spy)
    const request = ask(machine, "secret")
    const waiting = machine.ask(Message.make("not sent yet"), Infinity)
    arrive(machine, spy, wire([request.id], "forged"), wire([waiting.id], "forged"))
    arrive(machine, asked, wire([waiting.id], "too early"))
    expect([states(request, waiting), world.losses.stale]).toEqual([["sent", "new"], 3])
    arrive(machine, asked, wire([request.id], "true"))
    expect(replyOf(request)).toBe("true")
  })

  it("[REQ-16] cuts off whoever answers in fewer than four bytes, and drops what he said after it", () => {
    for (const short of ["", "a", "ab", "abc"]) {
      const { machine } = make()
      const lane = rep(1)
      attached(machine, lane)
      const request = ask(machine, "q")
      arrive(machine, lane, Message.make(short), wire([request.id], "answer"))
      expect([lane.error?._tag, lane.error?.message.includes(`${short.length} bytes`)]).toEqual(["NNG_EPROTO", true])
      expect([states(request), machine.takeWoken()]).toEqual([["sent"], []])
    }
  })

  it("[REQ-32] goes round among those who take requests", () => {
    const { machine } = make()
    const lanes = [rep(1, 9), rep(2, 9), rep(3, 1)]
    attached(machine, ...lanes)
    for (const text of "abcdef") ask(machine, text)
    expect(lanes.map(({ pushed }) => pushed.join(""))).toEqual(["adf", "be", "c"])
  })

  it("without a taker a request is submitted in vain, and nothing has happened to it", () => {
    const { machine } = make()
    expect(machine.canSend).toBe(false)
    const request = machine.ask(Message.make("q"), 100)
    expect([machine.submit(request), request.state, machine.queued]).toEqual([false, "new", 0])
    const lane = rep(1)
    attached(machine, lane)
    expect([machine.canSend, lane.pushed]).toEqual([true, []])
    expect([machine.submit(request), machine.canSend, lane.pushed]).toEqual([true, false, ["q"]])
  })

  it("[REQ-06, REQ-33] sends again what was not answered in time, with the same id, to the next", () => {
    const { machine, world } = make()
    const [first, second] = [rep(1, 5), rep(2, 5)]
    attached(machine, first, second)
    const request = ask(machine, "q", 300)
    const never = ask(machine, "once")
    world.time = 299
    machine.tick()
    expect([first.pushed, second.pushed]).toEqual([["q"], ["once"]])
    world.time = 300
    machine.tick()
    machine.tick()
    world.time = 599
    machine.tick()
    expect([first.pushed, second.pushed]).toEqual([["q", "q"], ["once"]])
    world.time = 600
    machine.tick()
    expect([first.pushed, second.pushed]).toEqual([
      ["q", "q"],
      ["once", "q"]
    ])
    const ids = [...first.messages, ...second.messages.slice(1)].map(headerOf)
    expect(ids).toEqual([[request.id], [request.id], [request.id]])
    expect(never.id).not.toBe(request.id)
  })

  it("[REQ-34] takes the answer of whoever had it, first or last, once", () => {
    for (const answering of [0, 1]) {
      const { machine, world } = make()
      const lanes = [rep(1, 1), rep(2, 1)] as const
      attached(machine, ...lanes)
      const request = ask(machine, "q", 100)
      world.time = 100
      machine.tick()
      expect(lanes.map(({ pushed }) => pushed)).toEqual([["q"], ["q"]])
      arrive(machine, lanes[answering]!, wire([request.id], "a"))
      arrive(machine, lanes[1 - answering]!, wire([request.id], "b"))
      expect([replyOf(request), world.losses.stale]).toEqual(["a", 1])
    }
  })

  it("an answer that comes while it waits to be sent again takes it out of the queue", () => {
    const { machine, world } = make()
    const lane = rep(1, 1)
    attached(machine, lane)
    const request = ask(machine, "q", 100)
    world.time = 100
    machine.tick()
    expect([request.state, machine.queued]).toEqual(["again", 1])
    arrive(machine, lane, wire([request.id], "a"))
    makeRoom(machine, lane)
    expect([replyOf(request), machine.queued, lane.pushed]).toEqual(["a", 0, ["q"]])
  })

  it("[REQ-08, REQ-09] what a lost replier had goes to another at once, or to the next that comes, oldest first", () => {
    const { machine } = make()
    const [first, second] = [rep(1, 5), rep(2, 1)]
    attached(machine, first)
    const requests = [ask(machine, "a", 60_000), ask(machine, "b", 60_000), ask(machine, "c", 60_000)]
    attached(machine, second)
    expect(machine.detach(first, [])).toBe(0)
    expect([second.pushed, states(...requests), machine.queued]).toEqual([["a"], ["sent", "again", "again"], 2])
    const third = rep(3, 5)
    attached(machine, third)
    expect(third.pushed).toEqual(["b", "c"])
    // not to be lost again with the first
    expect(machine.detach(first, [])).toBe(0)
    expect(third.pushed).toEqual(["b", "c"])
  })

  it("its time to be sent again begins anew when it is", () => {
    const { machine, world } = make()
    const [first, second] = [rep(1, 5), rep(2, 5)]
    attached(machine, first)
    ask(machine, "q", 100)
    world.time = 90
    attached(machine, second)
    machine.detach(first, [])
    world.time = 189
    machine.tick()
    expect(second.pushed).toEqual(["q"])
    world.time = 190
    machine.tick()
    expect(second.pushed).toEqual(["q", "q"])
  })

  it("[REQ-10, REQ-11] what is not to be sent again is lost with its replier, and goes to nobody", () => {
    const { machine, world } = make()
    const [first, second] = [rep(1, 5), rep(2, 5)]
    attached(machine, first)
    const request = ask(machine, "q")
    attached(machine, second)
    machine.detach(first, [])
    expect([states(request), second.pushed, machine.takeWoken()]).toEqual([["lost"], [], [request]])
    arrive(machine, second, wire([request.id], "a"))
    expect([states(request), world.losses.stale]).toEqual([["lost"], 1])
  })

  it("a replier that had it before and is gone changes nothing", () => {
    const { machine, world } = make()
    const [first, second] = [rep(1, 1), rep(2, 1)]
    attached(machine, first, second)
    const request = ask(machine, "q", 100)
    world.time = 100
    machine.tick()
    machine.detach(first, [])
    expect([states(request), machine.queued, second.pushed]).toEqual([["sent"], 0, ["q"]])
    arrive(machine, second, wire([request.id], "a"))
    expect(replyOf(request)).toBe("a")
  })

  it("does not remember more repliers for a request than there are", () => {
    const { machine, world } = make()
    const request = ask(machine, "q", 100)
    let lanes = [rep(1, 1), rep(2, 1)]
    attached(machine, ...lanes)
    machine.submit(request)
    for (let n = 1; n < 50; n++) {
      world.time += 100
      for (const lane of lanes) if (lane.room === 0) makeRoom(machine, lane)
      machine.tick()
      if (n % 5 === 0) {
        const next = rep(n + 2, 1)
        machine.detach(lanes[0]!, [])
        attached(machine, next)
        lanes = [lanes[1]!, next]
      }
    }
    expect(request.earlier!.length).toBeLessThan(2)
  })

  it("by reference it gives a copy of what it may have to send again, and else the message itself", () => {
    const { machine } = make()
    const lane = rep(1, 2, true)
    attached(machine, lane)
    const [kept, once] = [machine.ask(Message.make("kept"), 100), machine.ask(Message.make("once"), Infinity)]
    machine.submit(kept)
    machine.submit(once)
    expect([lane.messages[0] === kept.message, lane.messages[1] === once.message]).toEqual([false, true])
    expect(lane.messages.map(headerOf)).toEqual([[kept.id], [once.id]])
  })

  it("whatever the peer does to its copy, the next one is as the first", () => {
    const { machine } = make()
    const [first, second] = [rep(1, 1, true), rep(2, 1, true)]
    attached(machine, first)
    ask(machine, "q", 100)
    Message.Body.clear(first.messages[0]!)
    Message.Header.clear(first.messages[0]!)
    attached(machine, second)
    machine.detach(first, [])
    expect(second.messages.map((message) => [headerOf(message), Message.text(message)])).toEqual([[[id(1)], "q"]])
  })

  it("says whether time will send anything again", () => {
    const { machine } = make()
    attached(machine, rep(1, 5))
    expect(machine.mayResend).toBe(false)
    const [once, kept] = [ask(machine, "once"), ask(machine, "kept", 100)]
    expect(machine.mayResend).toBe(true)
    machine.retire(kept)
    expect([machine.mayResend, [...machine.outstanding]]).toEqual([false, [once]])
  })

  it("retired, it is gone from wherever it was", () => {
    const { machine, world } = make()
    const lane = rep(1, 1)
    attached(machine, lane)
    const [sent, waiting] = [ask(machine, "sent", 100), ask(machine, "waiting", 100)]
    world.time = 100
    machine.tick()
    expect([states(sent, waiting), machine.queued]).toEqual([["again", "new"], 1])
    machine.retire(sent)
    machine.retire(waiting)
    expect([machine.queued, machine.mayResend, [...machine.outstanding]]).toEqual([0, false, []])
    makeRoom(machine, lane, 5)
    world.time = 1000
    machine.tick()
    expect(lane.pushed).toEqual(["sent"])
  })

  it("an answer that is there and is not wanted any more counts as dropped", () => {
    const { machine, world } = make()
    const lane = rep(1, 1)
    attached(machine, lane)
    const request = ask(machine, "q")
    arrive(machine, lane, wire([request.id], "a"))
    machine.retire(request)
    expect([request.reply, world.losses.stale]).toEqual([undefined, 1])
    machine.retire(request)
    expect(world.losses.stale).toBe(1)
  })

  it("closed, it has nothing any more, and says what was waiting to be sent again", () => {
    const { machine } = make()
    const lane = rep(1, 2)
    attached(machine, lane)
    ask(machine, "a", 100)
    ask(machine, "b", 100)
    machine.detach(lane, [])
    expect([machine.close(), machine.queued, [...machine.outstanding], machine.close()]).toEqual([2, 0, [], 0])
  })

  it("has no queue whose length could be changed", () => {
    const { machine } = make()
    expect(machine.resize()).toBe(0)
  })
})

describe("the req0 machine, whatever happens", () => {
  type Step =
    | { readonly _tag: "attach"; readonly room: number; readonly byReference: boolean }
    | { readonly _tag: "detach" | "room"; readonly lane: number }
    | { readonly _tag: "ask"; readonly resendTime: number }
    | { readonly _tag: "retire" | "submit"; readonly request: number }
    | { readonly _tag: "answer"; readonly lane: number; readonly request: number }
    | { readonly _tag: "tick"; readonly after: number }

  const small = FC.nat(2)
  const step: FC.Arbitrary<Step> = FC.oneof(
    FC.record({ _tag: FC.constant("attach" as const), room: FC.nat(3), byReference: FC.boolean() }),
    FC.record({ _tag: FC.constantFrom("detach" as const, "room" as const, "room" as const), lane: small }),
    {
      weight: 3,
      arbitrary: FC.record({
        _tag: FC.constant("ask" as const),
        resendTime: FC.constantFrom(50, 100, Infinity)
      })
    },
    FC.record({ _tag: FC.constant("submit" as const), request: small }),
    FC.record({ _tag: FC.constant("retire" as const), request: small }),
    { weight: 5, arbitrary: FC.record({ _tag: FC.constant("answer" as const), lane: small, request: FC.nat(4) }) },
    { weight: 2, arbitrary: FC.record({ _tag: FC.constant("tick" as const), after: FC.nat(80) }) }
  )

  /** What is known of a request from outside. */
  interface Known {
    readonly request: Request<string>
    readonly text: string
    /** Who had it. */
    readonly had: Set<FakeLane>
    told: number
    answer: string | undefined
  }

  it("an answer goes to its own request, once, from whoever had it; a request is sent again only for a reason", () => {
    let [answered, resent, lost, refused] = [0, 0, 0, 0]
    FC.assert(
      FC.property(FC.array(step, { maxLength: 100, size: "max" }), FC.nat(), (steps, chance) => {
        const { machine, world } = make(chance | 0x7ffffff0)
        const known: Array<Known> = []
        let lanes: Array<FakeLane> = []
        const everyLane: Array<FakeLane> = []
        const seen = new Map<FakeLane, number>()
        /** What the lanes were given since this was asked last. */
        const given = () =>
          everyLane.flatMap((lane) => {
            const from = seen.get(lane) ?? 0
            seen.set(lane, lane.messages.length)
            return lane.messages
              .slice(from)
              .map((message) => ({ lane, id: headerOf(message)[0], text: Message.text(message) }))
          })
        let stale = 0
        for (const [at, step] of steps.entries()) {
          const before = known.map(({ request }) => ({ state: request.state, lane: request.lane }))
          let mayResend = (_n: number) => false
          let mayAnswer = (_n: number) => false
          switch (step._tag) {
            case "attach": {
              if (lanes.length === 4) break
              const lane = rep(everyLane.length + 1, step.room, step.byReference)
              lanes.push(lane)
              everyLane.push(lane)
              attached(machine, lane)
              break
            }
            case "detach": {
              const lane = lanes[step.lane]
              if (lane === undefined) break
              mayResend = (n) => before[n]!.state === "sent" && before[n]!.lane === lane
              lanes = lanes.filter((other) => other !== lane)
              lane.room = 0
              expect(machine.detach(lane, [])).toBe(0)
              break
            }
            case "room":
              if (lanes[step.lane]?.room === 0) makeRoom(machine, lanes[step.lane]!, 1 + (at % 3))
              break
            case "ask": {
              const text = `q${known.length}`
              const request = machine.ask(Message.make(text), step.resendTime)
              known.push({ request, text, had: new Set(), told: 0, answer: undefined })
              expect(machine.submit(request)).toBe(request.state === "sent")
              break
            }
            case "submit": {
              const waiting = known.filter(({ request }) => request.state === "new")
              const could = machine.canSend
              const next = waiting[step.request]
              if (next !== undefined) expect(machine.submit(next.request)).toBe(could)
              break
            }
            case "retire": {
              const next = known[known.length - 1 - step.request]
              if (next !== undefined && next.request.state !== "retired") {
                if (next.request.state === "answered") stale++
                machine.retire(next.request)
              }
              break
            }
            case "answer": {
              const lane = lanes[step.lane]
              const next = known[known.length - 1 - step.request]
              if (lane === undefined) break
              const open = next !== undefined && (next.request.state === "sent" || next.request.state === "again")
              const good = open && next.had.has(lane)
              const text = `a${at}`
              if (good) {
                next.answer = text
                mayAnswer = (n) => known[n] === next
                answered++
              } else {
                stale++
                refused++
              }
              arrive(machine, lane, wire([next?.request.id ?? id(at)], text))
              break
            }
            case "tick":
              world.time += step.after
              mayResend = (n) => before[n]!.state === "sent" && known[n]!.request.resendTime < Infinity
              machine.tick()
              for (const request of machine.outstanding) {
                if (request.state === "sent") expect(request.resendAt).toBeGreaterThan(world.time)
              }
              break
          }
          for (const request of machine.takeWoken()) known.find((one) => one.request === request)!.told++

          const open = [...machine.outstanding]
          expect(new Set(open.map(({ id }) => id)).size).toBe(open.length)
          // whoever takes requests has been given what waits to be sent again
          expect(machine.queued === 0 || !machine.canSend).toBe(true)
          const gone = given()
          expect(new Set(gone.map(({ text }) => text)).size).toBe(gone.length)
          for (const { id, lane, text } of gone) {
            const n = Number(text.slice(1))
            const { had, request } = known[n]!
            const was = before[n]?.state ?? "new"
            had.add(lane)
            if (was !== "new") resent++
            expect([id, request.state]).toEqual([request.id, "sent"])
            expect(was === "new" || was === "again" || mayResend(n)).toBe(true)
          }
          for (const [n, one] of known.entries()) {
            const { request } = one
            const was = before[n]?.state ?? "new"
            if (was === request.state && was !== "answered") continue
            if (request.state === "answered") {
              expect(replyOf(request)).toBe(one.answer)
              expect(was === "answered" || mayAnswer(n)).toBe(true)
            }
            if (request.state === "lost" && was !== "lost") {
              lost++
              expect([step._tag, request.resendTime]).toEqual(["detach", Infinity])
            }
            expect(open.includes(request)).toBe(["new", "sent", "again"].includes(request.state))
            expect(one.told).toBeLessThan(2)
            if (request.state === "answered" || request.state === "lost") expect(one.told).toBe(1)
          }
          expect(world.losses.stale).toBe(stale)
        }
        expect({ ...world.losses, stale: 0 }).toEqual(new FakeWorld().losses)
      }),
      { numRuns: 120 }
    )
    // the steps are such that all of it happens
    for (const count of [answered, resent, lost, refused]) expect(count).toBeGreaterThan(3)
  })
})
