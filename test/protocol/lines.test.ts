import { describe, expect, it } from "@effect/vitest"
import * as FC from "effect/FastCheck"
import * as Message from "effect-nng/Message"
import { Collector } from "../../src/internal/protocol/collector.js"
import { Distributor } from "../../src/internal/protocol/distributor.js"
import { Fifo } from "../../src/internal/protocol/fifo.js"
import { Router } from "../../src/internal/protocol/router.js"
import { FakeLane } from "../support/lanes.js"
import { headed, headerOf } from "../support/words.js"
import { FakeWorld } from "../support/world.js"

const message = (text: string) => Message.make(text)
const textOf = (received: Message.Message | undefined) => (received === undefined ? undefined : Message.text(received))

describe("a fifo", () => {
  interface Item {
    readonly n: number
  }

  it("does what a list does, whatever is asked of it", () => {
    const step = FC.oneof(
      { weight: 4, arbitrary: FC.record({ do: FC.constant("push" as const), n: FC.integer({ min: 1, max: 400 }) }) },
      { weight: 4, arbitrary: FC.record({ do: FC.constant("shift" as const), n: FC.integer({ min: 1, max: 400 }) }) },
      FC.record({
        do: FC.constantFrom("unshift" as const, "remove" as const, "truncate" as const),
        n: FC.integer({ min: 0, max: 5 })
      }),
      FC.record({ do: FC.constant("rotate" as const), n: FC.constant(1) })
    )
    FC.assert(
      FC.property(FC.array(step, { maxLength: 60 }), (steps) => {
        const fifo = new Fifo<Item>()
        let list: Array<Item> = []
        let made = 0
        const make = () => ({ n: made++ })
        for (const step of steps) {
          switch (step.do) {
            case "push":
              for (let n = 0; n < step.n; n++) {
                const item = make()
                fifo.push(item)
                list.push(item)
              }
              break
            case "shift":
              for (let n = 0; n < step.n; n++) expect(fifo.shift()).toBe(list.shift())
              break
            case "unshift": {
              const items = Array.from({ length: step.n }, make)
              fifo.unshift(items)
              list.unshift(...items)
              break
            }
            case "remove": {
              const item = list[step.n]
              expect(fifo.remove(item ?? { n: -1 })).toBe(item !== undefined)
              list = list.filter((other) => other !== item)
              break
            }
            case "rotate":
              fifo.rotate()
              if (list.length > 0) list.push(list.shift()!)
              break
            case "truncate":
              expect(fifo.truncate(step.n)).toBe(list.splice(step.n).length)
              break
          }
          expect([fifo.length, fifo.first]).toEqual([list.length, list[0]])
        }
        expect(Array.from(list, () => fifo.shift())).toEqual(list)
        expect(fifo.shift()).toBeUndefined()
      })
    )
  })

  it("keeps its order over thousands, and lets go of what it gave", () => {
    const fifo = new Fifo<Item>()
    let next = 0
    for (let n = 0; n < 5000; n++) {
      fifo.push({ n })
      if (n % 3 !== 0) expect(fifo.shift()!.n).toBe(next++)
    }
    while (fifo.length > 0) expect(fifo.shift()!.n).toBe(next++)
    expect(next).toBe(5000)
  })
})

describe("a distributor", () => {
  it("gives to each that is ready in turn", () => {
    const distributor = new Distributor()
    const lanes = [1, 2, 3].map((n) => new FakeLane(n, 0x31, 10))
    for (const lane of lanes) distributor.add(lane)
    for (const text of "abcdef") expect(distributor.give(message(text))).toBe(true)
    expect(lanes.map((lane) => lane.pushed.join(""))).toEqual(["ad", "be", "cf"])
  })

  it("leaves out who is full until he has room again, and then he is the last", () => {
    const distributor = new Distributor()
    const [first, second] = [new FakeLane(1, 0x31, 1), new FakeLane(2, 0x31, 10)]
    distributor.add(first)
    distributor.add(second)
    for (const text of "abc") distributor.give(message(text))
    first.room = 1
    distributor.add(first)
    for (const text of "de") distributor.give(message(text))
    expect([first.pushed.join(""), second.pushed.join("")]).toEqual(["ae", "bcd"])
  })

  it("has nobody to give to when none is ready", () => {
    const distributor = new Distributor()
    expect([distributor.isReady, distributor.next, distributor.give(message("a"))]).toEqual([false, undefined, false])
    const lane = new FakeLane(1, 0x31, 0)
    distributor.add(lane)
    expect(distributor.isReady).toBe(false)
    lane.room = 1
    distributor.add(lane)
    expect([distributor.isReady, distributor.next]).toEqual([true, lane])
    distributor.remove(lane)
    expect(distributor.isReady).toBe(false)
  })

  it("one that has ended, and says so, is given nothing more", () => {
    const distributor = new Distributor()
    const lane = new FakeLane(1, 0x31, 5)
    distributor.add(lane)
    lane.ended = true
    lane.room = 0
    distributor.add(lane)
    expect([distributor.isReady, distributor.give(message("a"))]).toEqual([false, false])
  })
})

describe("a collector", () => {
  const lanes = (count: number) => Array.from({ length: count }, (_, n) => new FakeLane(n + 1))
  const arrive = (collector: Collector, lane: FakeLane, ...texts: ReadonlyArray<string>) => {
    for (const text of texts) {
      lane.arrived.push(message(text))
      collector.readable(lane)
    }
  }
  const all = (collector: Collector) => {
    const texts: Array<string> = []
    for (let next = collector.recv(); next !== undefined; next = collector.recv()) texts.push(Message.text(next))
    return texts
  }

  it("fills its queue, then holds one of each lane, and takes them in the order of their coming", () => {
    const collector = new Collector(2, () => true)
    const [a, b] = lanes(2) as [FakeLane, FakeLane]
    arrive(collector, a, "a1", "a2", "a3", "a4")
    arrive(collector, b, "b1", "b2")
    expect([a.arrived.length, b.arrived.length]).toEqual([2, 2])
    expect(all(collector)).toEqual(["a1", "a2", "a3", "b1", "a4", "b2"])
    expect(collector.canRecv).toBe(false)
  })

  it("looks at each message once, however long it waits", () => {
    const seen: Array<string> = []
    const collector = new Collector(0, (_, message) => {
      seen.push(Message.text(message))
      return true
    })
    const [a] = lanes(1) as [FakeLane]
    arrive(collector, a, "1", "2")
    collector.readable(a)
    collector.readable(a)
    expect(seen).toEqual(["1"])
    expect([all(collector), seen]).toEqual([
      ["1", "2"],
      ["1", "2"]
    ])
  })

  it("drops what is refused, and goes on", () => {
    const collector = new Collector(0, (_, message) => Message.text(message) !== "bad")
    const [a] = lanes(1) as [FakeLane]
    arrive(collector, a, "bad", "1", "bad", "bad", "2", "bad")
    expect(all(collector)).toEqual(["1", "2"])
    expect(a.arrived).toEqual([])
  })

  it("a lane that is cut while it waits gives nothing, and does not hide the next", () => {
    const collector = new Collector(0, () => true)
    const [a, b] = lanes(2) as [FakeLane, FakeLane]
    arrive(collector, a, "a1")
    arrive(collector, b, "b1")
    // the socket learns of it later
    a.arrived.length = 0
    expect(textOf(collector.recv())).toBe("b1")
    expect([collector.canRecv, collector.recv()]).toEqual([false, undefined])
  })

  it("a lane that is gone takes what it held with it, not what is queued", () => {
    const collector = new Collector(1, () => true)
    const [a, b] = lanes(2) as [FakeLane, FakeLane]
    arrive(collector, a, "a1", "a2")
    arrive(collector, b, "b1")
    collector.remove(a)
    expect(all(collector)).toEqual(["a1", "b1"])
  })

  it("made shorter it drops the newest, made longer it takes what is held, closed it drops what is queued", () => {
    const collector = new Collector(3, () => true)
    const [a] = lanes(1) as [FakeLane]
    arrive(collector, a, "1", "2", "3", "4", "5")
    expect(collector.resize(1)).toBe(2)
    expect(a.arrived.length).toBe(2)
    expect(collector.resize(4)).toBe(0)
    expect(a.arrived.length).toBe(0)
    expect(collector.close()).toBe(3)
    expect(all(collector)).toEqual([])
  })

  it("keeps the order of each lane and bounds its queue, whatever happens; all that came is received or counted", () => {
    const step = FC.oneof(
      { weight: 8, arbitrary: FC.record({ do: FC.constant("arrive" as const), n: FC.nat(2) }) },
      { weight: 5, arbitrary: FC.record({ do: FC.constant("recv" as const), n: FC.constant(0) }) },
      FC.record({ do: FC.constantFrom("gone" as const, "resize" as const), n: FC.nat(2) })
    )
    FC.assert(
      FC.property(FC.array(step, { maxLength: 80, size: "max" }), FC.nat(4), (steps, first) => {
        let capacity = first
        const refused = (text: string) => Number(text) % 7 === 3
        const collector = new Collector(capacity, (_, message) => !refused(Message.text(message)))
        let current = lanes(3)
        let [arrived, dropped, lost] = [0, 0, 0]
        const byLane = new Map<number, FakeLane>()
        const received: Array<number> = []
        for (const step of steps) {
          if (step.do === "arrive") {
            const lane = current[step.n]!
            byLane.set(arrived, lane)
            arrive(collector, lane, String(arrived++))
          } else if (step.do === "gone") {
            const lane = current[step.n]!
            collector.remove(lane)
            for (const message of lane.arrived) if (!refused(Message.text(message))) lost++
            current = current.map((other) => (other === lane ? new FakeLane(other.id) : other))
          } else if (step.do === "recv") {
            const could = collector.canRecv
            const next = collector.recv()
            expect(next !== undefined).toBe(could)
            if (next !== undefined) received.push(Number(Message.text(next)))
          } else {
            dropped += collector.resize((capacity = step.n))
          }
        }
        const held = current.reduce(
          (sum, lane) => sum + lane.arrived.filter((message) => !refused(Message.text(message))).length,
          0
        )
        const queued = collector.close()
        expect(queued).toBeLessThanOrEqual(capacity)
        const good = Array.from({ length: arrived }, (_, n) => n).filter((n) => !refused(String(n))).length
        expect(received.length + queued + held + lost + dropped).toBe(good)
        for (const lane of new Set(byLane.values())) {
          const own = received.filter((n) => byLane.get(n) === lane)
          expect(own).toEqual(own.slice().sort((x, y) => x - y))
        }
        expect(new Set(received).size).toBe(received.length)
      })
    )
  })
})

describe("a router", () => {
  it("sends where the first word says, without that word", () => {
    const world = new FakeWorld()
    const router = new Router(2, world)
    const [a, b] = [new FakeLane(11, 0x30, 5), new FakeLane(12, 0x30, 5)]
    router.add(a)
    router.add(b)
    router.send(headed([12, 3, 4], "to b"))
    router.send(headed([11], "to a"))
    expect([a.pushed, b.pushed, b.messages.map(headerOf)]).toEqual([["to a"], ["to b"], [[3, 4]]])
    expect(world.losses.unroutable).toBe(0)
  })

  it("drops what has no word, or one that nobody has, and counts it", () => {
    const world = new FakeWorld()
    const router = new Router(2, world)
    const lane = new FakeLane(11, 0x30, 5)
    router.add(lane)
    router.send(message("no header"))
    router.send(headed([12], "nobody"))
    router.remove(lane)
    router.send(headed([11], "gone"))
    expect([lane.pushed, world.losses.unroutable]).toEqual([[], 3])
  })

  it("lets so many wait for one lane and drops what comes then; others do not mind", () => {
    const world = new FakeWorld()
    const router = new Router(2, world)
    const [slow, quick] = [new FakeLane(11, 0x30, 0), new FakeLane(12, 0x30, 9)]
    router.add(slow)
    router.add(quick)
    for (const text of "abcd") router.send(headed([11], text))
    router.send(headed([12], "e"))
    expect([router.queued, world.losses.full, quick.pushed]).toEqual([2, 2, ["e"]])
    slow.room = 1
    router.writable(slow)
    expect([slow.pushed, router.queued]).toEqual([["a"], 1])
    expect(router.remove(slow)).toBe(1)
    expect(router.remove(slow)).toBe(0)
    expect([router.queued, router.close()]).toEqual([0, 0])
  })

  it("what waits goes before what comes, and counts when it is closed", () => {
    const router = new Router(4, new FakeWorld())
    const lane = new FakeLane(11, 0x30, 0)
    router.add(lane)
    for (const text of "abc") router.send(headed([11], text))
    lane.room = 2
    router.writable(lane)
    router.send(headed([11], "d"))
    lane.room = 9
    router.writable(lane)
    expect(lane.pushed.join("")).toBe("abcd")
    lane.room = 0
    router.send(headed([11], "e"))
    expect([router.close(), router.queued]).toEqual([1, 0])
  })
})
