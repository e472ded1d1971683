import { describe, expect, it } from "@effect/vitest"
import * as FC from "effect/FastCheck"
import * as Message from "effect-nng/Message"
import { Sub0Machine } from "../../src/internal/protocol/sub0.js"
import type { Subscriber } from "../../src/internal/protocol/sub0.js"
import { XSub0Machine } from "../../src/internal/protocol/xsub0.js"
import { FakeLane } from "../support/lanes.js"
import { FakeWorld, noLosses } from "../support/world.js"

const pub0 = 0x20

const utf8 = (text: string) => new TextEncoder().encode(text)

const setup = () => {
  const world = new FakeWorld()
  const machine = new Sub0Machine(world)
  const lane = new FakeLane(1, pub0, 0)
  expect(machine.attach(lane)).toBeUndefined()
  return { machine, lane, losses: world.losses }
}

const arrive = (machine: Sub0Machine | XSub0Machine, lane: FakeLane, ...texts: ReadonlyArray<string>): void => {
  lane.arrived.push(...texts.map((text) => Message.make(text)))
  machine.readable(lane)
  expect(lane.hasNext).toBe(false)
}

const recvAll = (from: Subscriber | XSub0Machine): Array<string> => {
  const texts: Array<string> = []
  while (from.canRecv) texts.push(Message.text(from.recv()!))
  expect(from.recv()).toBeUndefined()
  return texts
}

describe("the sub0 machine", () => {
  it("accepts publishers, and nobody else", () => {
    const { machine } = setup()
    expect(machine.attach(new FakeLane(1, 0x21))).toMatchObject({ _tag: "NNG_EPROTO" })
  })

  it("[SUB-03] hears nothing without a topic, and that is no loss", () => {
    const { lane, losses, machine } = setup()
    const subscriber = machine.open(8, true)
    arrive(machine, lane, "", "a")
    expect([recvAll(subscriber), losses]).toEqual([[], noLosses()])
  })

  it("neither sends nor has anything to send", () => {
    const { machine } = setup()
    const subscriber = machine.open(8, true)
    expect([subscriber.canSend, subscriber.send(), machine.queued]).toEqual([false, false, 0])
    expect(machine.detach(new FakeLane(1, pub0, 0), [Message.make("unsent")])).toBe(1)
  })

  it("[SUB-04] a topic that was added twice is gone when it is removed once", () => {
    const { lane, machine } = setup()
    const subscriber = machine.open(8, true)
    subscriber.addTopic(utf8("a"))
    subscriber.addTopic(utf8("a"))
    expect(subscriber.removeTopic(utf8("a"))).toBe(true)
    expect(subscriber.removeTopic(utf8("a"))).toBe(false)
    arrive(machine, lane, "a")
    expect(recvAll(subscriber)).toEqual([])
  })

  it("[SUB-05] what is not there cannot be removed: neither an extension nor a beginning", () => {
    const { machine } = setup()
    const subscriber = machine.open(8, true)
    subscriber.addTopic(utf8("abc"))
    for (const topic of ["abc123", "ab", "", "x"]) expect(subscriber.removeTopic(utf8(topic))).toBe(false)
    expect(subscriber.removeTopic(utf8("abc"))).toBe(true)
  })

  it("a topic that scopes hold stays until the last lets go, whatever the verbs do", () => {
    const { lane, machine } = setup()
    const subscriber = machine.open(8, true)
    const topic = utf8("a")
    subscriber.hold(topic)
    subscriber.hold(topic)
    expect(subscriber.removeTopic(topic)).toBe(false)
    subscriber.addTopic(topic)
    expect(subscriber.removeTopic(topic)).toBe(true)
    subscriber.release(topic)
    arrive(machine, lane, "a1")
    expect(recvAll(subscriber)).toEqual(["a1"])
    subscriber.release(topic)
    arrive(machine, lane, "a2")
    expect(recvAll(subscriber)).toEqual([])
    subscriber.addTopic(topic)
    subscriber.hold(topic)
    subscriber.release(topic)
    arrive(machine, lane, "a3")
    expect(recvAll(subscriber)).toEqual(["a3"])
  })

  it("what waits and has no topic any more goes, counted, and the rest stays in order", () => {
    const { lane, losses, machine } = setup()
    const subscriber = machine.open(8, true)
    for (const topic of ["a", "b", "ac"]) subscriber.addTopic(utf8(topic))
    arrive(machine, lane, "a1", "b1", "ac1", "a2", "b2")
    subscriber.removeTopic(utf8("a"))
    expect([losses.unsubscribed, recvAll(subscriber)]).toEqual([2, ["b1", "ac1", "b2"]])
  })

  it("[SUB-07] keeps the first with preferNew false", () => {
    const { lane, losses, machine } = setup()
    const subscriber = machine.open(2, false)
    subscriber.addTopic(utf8(""))
    arrive(machine, lane, "1", "2", "3")
    expect([losses.full, recvAll(subscriber)]).toEqual([1, ["1", "2"]])
  })

  it("[SUB-08] keeps the last with preferNew", () => {
    const { lane, losses, machine } = setup()
    const subscriber = machine.open(2, true)
    subscriber.addTopic(utf8(""))
    arrive(machine, lane, "1", "2", "3")
    expect([losses.full, recvAll(subscriber)]).toEqual([1, ["2", "3"]])
  })

  it("drops nothing for a message that it does not want", () => {
    const { lane, losses, machine } = setup()
    const subscribers = [machine.open(1, true), machine.open(1, false)]
    for (const subscriber of subscribers) subscriber.addTopic(utf8("a"))
    arrive(machine, lane, "a", "b")
    expect([losses, subscribers.map(recvAll)]).toEqual([noLosses(), [["a"], ["a"]]])
  })

  it("has room for those who wait, and comes back to its own when they have left", () => {
    for (const [preferNew, kept] of [
      [true, ["3", "4"]],
      [false, ["1", "2", "3"]]
    ] as const) {
      const { lane, losses, machine } = setup()
      const subscriber = machine.open(2, preferNew)
      subscriber.addTopic(utf8(""))
      let waiting = 1
      subscriber.demand = () => waiting
      arrive(machine, lane, "1", "2", "3")
      expect([losses.full, subscriber.queued]).toEqual([0, 3])
      waiting = 0
      arrive(machine, lane, "4")
      expect([losses.full, recvAll(subscriber)]).toEqual([preferNew ? 2 : 1, kept])
    }
  })

  it("gives each its own: what one does to a message no other sees", () => {
    const { lane, machine } = setup()
    const subscribers = [machine.open(1, true), machine.open(1, true), machine.open(1, true)]
    for (const subscriber of subscribers) subscriber.addTopic(utf8("a"))
    const [first, second, third] = (arrive(machine, lane, "abc"), subscribers.map((one) => one.recv()!))
    first!.body.fill(0)
    Message.Body.append(second!, utf8("d"))
    expect([Message.text(second!), Message.text(third!)]).toEqual(["abcd", "abc"])
  })

  it("is made shorter, keeping the oldest", () => {
    const { lane, machine } = setup()
    const subscriber = machine.open(4, true)
    subscriber.addTopic(utf8(""))
    arrive(machine, lane, ..."abcd")
    expect([subscriber.resize(2), machine.resize()]).toEqual([2, 0])
    arrive(machine, lane, "e")
    expect(recvAll(subscriber)).toEqual(["b", "e"])
  })

  it("[SUB-17] what is shut drops what it had, and hears nothing more; the others do not notice", () => {
    const { lane, machine } = setup()
    const [shut, open] = [machine.open(4, true), machine.open(4, true)]
    for (const subscriber of [shut, open]) subscriber.addTopic(utf8(""))
    arrive(machine, lane, "a", "b")
    expect(machine.shut(shut)).toBe(2)
    arrive(machine, lane, "c")
    expect([recvAll(shut), recvAll(open)]).toEqual([[], ["a", "b", "c"]])
    arrive(machine, lane, "d")
    expect([machine.close(), machine.close()]).toEqual([1, 0])
  })
})

describe("the raw sub0 machine", () => {
  const raw = (capacity: number, demand = () => 0) => {
    const world = new FakeWorld()
    const machine = new XSub0Machine({ send: 0, recv: capacity }, world, demand)
    const lane = new FakeLane(1, pub0, 0)
    expect(machine.attach(lane)).toBeUndefined()
    return { machine, lane, losses: world.losses }
  }

  it("accepts publishers, and nobody else, and sends nothing", () => {
    const { machine } = raw(1)
    expect(machine.attach(new FakeLane(1, 0x21))).toMatchObject({ _tag: "NNG_EPROTO" })
    expect([machine.canSend, machine.send(), machine.queued]).toEqual([false, false, 0])
    expect(machine.detach(new FakeLane(1, pub0, 0), [Message.make("unsent")])).toBe(1)
  })

  it("[XSUB-02, XSUB-04] hears everything, and drops the newest", () => {
    const { lane, losses, machine } = raw(2)
    arrive(machine, lane, "a", "b", "c")
    expect([losses.full, recvAll(machine)]).toEqual([1, ["a", "b"]])
  })

  it("without a queue it has room for those who wait alone", () => {
    let waiting = 0
    const { lane, losses, machine } = raw(0, () => waiting)
    arrive(machine, lane, "a")
    waiting = 1
    arrive(machine, lane, "b", "c")
    expect([losses.full, recvAll(machine)]).toEqual([2, ["b"]])
  })

  it("is made shorter, keeping the oldest, and drops the rest when it closes", () => {
    const { lane, machine } = raw(3)
    arrive(machine, lane, "a", "b", "c")
    expect(machine.resize({ send: 0, recv: 2 })).toBe(1)
    expect([machine.close(), recvAll(machine)]).toEqual([2, []])
  })
})

const topics = ["", "a", "ab", "b"]

type Step =
  | { readonly _tag: "arrive"; readonly lane: number; readonly body: string }
  | { readonly _tag: "add" | "remove" | "hold" | "release"; readonly who: number; readonly topic: string }
  | { readonly _tag: "recv" | "leave"; readonly who: number }
  | { readonly _tag: "wait"; readonly who: number; readonly demand: number }

const who = FC.nat(2)
const topic = FC.constantFrom(...topics)
const steps: FC.Arbitrary<Array<Step>> = FC.array(
  FC.oneof(
    {
      weight: 6,
      arbitrary: FC.record({
        _tag: FC.constant("arrive" as const),
        lane: FC.nat(1),
        body: FC.constantFrom("", "a", "ab", "b", "c")
      })
    },
    {
      weight: 3,
      arbitrary: FC.record({
        _tag: FC.constantFrom("add" as const, "remove" as const, "hold" as const, "release" as const),
        who,
        topic
      })
    },
    { weight: 4, arbitrary: FC.record({ _tag: FC.constant("recv" as const), who }) },
    { weight: 1, arbitrary: FC.record({ _tag: FC.constant("wait" as const), who, demand: FC.nat(3) }) }
  ),
  { maxLength: 60 }
)

describe("the sub0 machine, whatever happens", () => {
  it("each subscriber has what it wanted when it came, once, in order of its publisher, but what is counted as lost", () => {
    FC.assert(
      FC.property(steps, (steps) => {
        const { losses, machine } = setup()
        const lanes = [new FakeLane(1, pub0, 0), new FakeLane(2, pub0, 0)]
        for (const lane of lanes) machine.attach(lane)
        const all = ([true, false, true] as const).map((preferNew, n) => {
          const subscriber = machine.open(n + 1, preferNew)
          const one = { subscriber, room: n + 1, plain: new Set<string>(), held: [] as Array<string>, demand: 0 }
          subscriber.demand = () => one.demand
          return { ...one, heard: [] as Array<string>, most: n + 1, one }
        })
        let [n, wanted, taken] = [0, 0, 0]
        const wants = ({ one }: (typeof all)[number], body: string) =>
          [...one.plain, ...one.held].some((topic) => body.startsWith(topic))
        for (const step of steps) {
          if (step._tag === "arrive") {
            wanted += all.filter((subscriber) => wants(subscriber, step.body)).length
            arrive(machine, lanes[step.lane]!, `${step.body} ${step.lane} ${n++}`)
          } else {
            const at = all[step.who]!
            const { one, subscriber } = at
            if (step._tag === "add") {
              subscriber.addTopic(utf8(step.topic))
              one.plain.add(step.topic)
            } else if (step._tag === "remove") {
              expect(subscriber.removeTopic(utf8(step.topic))).toBe(one.plain.delete(step.topic))
            } else if (step._tag === "hold") {
              subscriber.hold(utf8(step.topic))
              one.held.push(step.topic)
            } else if (step._tag === "release" && one.held.includes(step.topic)) {
              subscriber.release(utf8(step.topic))
              one.held.splice(one.held.indexOf(step.topic), 1)
            } else if (step._tag === "wait") {
              one.demand = step.demand
              at.most = Math.max(at.most, one.room + step.demand)
            } else if (step._tag === "recv") {
              const message = subscriber.recv()
              if (message === undefined) continue
              taken++
              at.heard.push(Message.text(message))
            }
          }
          for (const { most, subscriber } of all) expect(subscriber.queued).toBeLessThanOrEqual(most)
        }
        const left = all.map(({ subscriber }) => subscriber.queued).reduce((a, b) => a + b)
        expect(taken + left + losses.full + losses.unsubscribed).toBe(wanted)
        for (const { heard } of all) {
          const numbers = heard.map((text) => Number(text.split(" ")[2]))
          expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b))
        }
      }),
      { numRuns: 500 }
    )
  })
})
