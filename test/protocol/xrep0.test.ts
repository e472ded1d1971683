import { describe, expect, it } from "@effect/vitest"
import * as FC from "effect/FastCheck"
import * as Message from "effect-nng/Message"
import { XRep0Machine } from "../../src/internal/protocol/xrep0.js"
import { FakeLane } from "../support/lanes.js"
import { headed, headerOf, id, wire } from "../support/words.js"
import { FakeWorld } from "../support/world.js"

const make = (ttl = 8, recv = 1) => {
  const world = new FakeWorld()
  return { world, machine: new XRep0Machine({ send: 0, recv }, ttl, world) }
}

const req = (n: number, room = 1) => new FakeLane(n, 0x30, room)

const arrive = (machine: XRep0Machine, lane: FakeLane, ...messages: ReadonlyArray<Message.Message>): void => {
  lane.arrived.push(...messages)
  machine.readable(lane)
}

const recvAll = (machine: XRep0Machine): Array<Message.Message> => {
  const messages: Array<Message.Message> = []
  for (let next = machine.recv(); next !== undefined; next = machine.recv()) messages.push(next)
  return messages
}

describe("the raw rep0 machine", () => {
  it("accepts any number of requesters, and nobody else", () => {
    const { machine } = make()
    expect([machine.attach(req(1)), machine.attach(req(2))]).toEqual([undefined, undefined])
    expect(machine.attach(new FakeLane(3, 0x31))).toMatchObject({ _tag: "NNG_EPROTO" })
  })

  it("[XREP-02] puts the pipe in front of a request's words, however long it was held", () => {
    const { machine } = make(8, 0)
    const lane = req(77)
    machine.attach(lane)
    arrive(machine, lane, wire([id(1)], "a"), wire([3, id(2)], "b"))
    machine.readable(lane)
    expect(recvAll(machine).map((message) => [headerOf(message), Message.text(message)])).toEqual([
      [[77, id(1)], "a"],
      [[77, 3, id(2)], "b"]
    ])
  })

  it("[XREP-08] at every ttl, of every number of words: as many as that come, those with more are dropped", () => {
    for (let ttl = 1; ttl <= 15; ttl++) {
      const { machine, world } = make(ttl)
      const lane = req(5)
      machine.attach(lane)
      arrive(
        machine,
        lane,
        ...Array.from({ length: 18 }, (_, n) => wire([...Array<number>(n).fill(9), id(n)], "sixsix"))
      )
      expect(recvAll(machine).map(({ headerLength, length }) => [headerLength, length])).toEqual(
        Array.from({ length: ttl }, (_, n) => [4 * n + 8, 6])
      )
      expect([world.losses.hops, lane.error]).toEqual([18 - ttl, undefined])
    }
  })

  it("[XREP-07] of words without an end: shorter than ttl it cuts the requester off, else it drops them", () => {
    for (let ttl = 1; ttl <= 15; ttl++) {
      for (let words = 0; words <= 17; words++) {
        const { machine, world } = make(ttl)
        const lane = req(5)
        machine.attach(lane)
        arrive(machine, lane, wire(Array<number>(words).fill(9), words % 2 === 0 ? "" : "xyz"), wire([id(1)], "after"))
        const short = words < ttl
        expect([lane.error?._tag, world.losses.hops]).toEqual(short ? ["NNG_EPROTO", 0] : [undefined, 1])
        expect(recvAll(machine).map(Message.text)).toEqual(short ? [] : ["after"])
      }
    }
  })

  it("[XREP-01, XREP-04] always takes an answer; beyond 64 for a peer that does not read they are dropped", () => {
    const { machine, world } = make()
    const lane = req(5, 1)
    machine.attach(lane)
    for (let n = 0; n < 100; n++)
      expect([machine.canSend, machine.send(headed([5, id(n)], String(n)))]).toEqual([true, true])
    expect([lane.pushed, machine.queued, world.losses.full]).toEqual([["0"], 64, 35])
    lane.room = 100
    machine.writable(lane)
    expect(lane.pushed).toEqual(Array.from({ length: 65 }, (_, n) => String(n)))
    expect(lane.messages.map(headerOf)[64]).toEqual([id(64)])
  })

  it("[XREP-03, XREP-06] without a header, or with one that names nobody, an answer is dropped and counted", () => {
    const { machine, world } = make()
    const lane = req(5, 9)
    machine.attach(lane)
    for (const message of [Message.make("none"), headed([6, id(1)], "stranger")])
      expect(machine.send(message)).toBe(true)
    machine.detach(lane, [])
    expect(machine.send(headed([5, id(1)], "gone"))).toBe(true)
    expect([lane.pushed, world.losses.unroutable]).toEqual([[], 3])
  })

  it("counts what is lost with a peer and what with the socket", () => {
    const { machine } = make(8, 2)
    const [a, b] = [req(1, 0), req(2, 0)]
    machine.attach(a)
    machine.attach(b)
    for (let n = 0; n < 3; n++) machine.send(headed([1, id(n)]))
    for (let n = 0; n < 2; n++) machine.send(headed([2, id(n)]))
    arrive(machine, b, wire([id(1)]), wire([id(2)]), wire([id(3)]))
    expect(machine.detach(a, [Message.make("unsent")])).toBe(4)
    expect([machine.queued, machine.close(), machine.queued]).toEqual([2, 4, 0])
  })

  it("a receive buffer that is made smaller drops the newest, and larger takes what is held", () => {
    const { machine } = make(8, 3)
    const lane = req(1)
    machine.attach(lane)
    arrive(machine, lane, ...["a", "b", "c", "d"].map((text, n) => wire([id(n)], text)))
    expect(machine.resize({ send: 0, recv: 1 })).toBe(2)
    expect(machine.resize({ send: 0, recv: 5 })).toBe(0)
    expect(recvAll(machine).map(Message.text)).toEqual(["a", "d"])
  })

  it("what is received, with its body changed, goes back where it came from", () => {
    const { machine } = make(4, 2)
    const lanes = [req(11, 9), req(12, 9), req(13, 9)]
    for (const lane of lanes) machine.attach(lane)
    FC.assert(
      FC.property(
        FC.array(FC.record({ lane: FC.nat(2), words: FC.array(FC.nat(1000), { maxLength: 3 }) }), { maxLength: 12 }),
        (requests) => {
          const before = lanes.map((lane) => lane.messages.length)
          for (const [n, { lane, words }] of requests.entries())
            arrive(machine, lanes[lane]!, wire([...words, id(n)], "q"))
          for (const message of recvAll(machine)) machine.send(message)
          for (const [at, lane] of lanes.entries()) {
            expect(lane.messages.slice(before[at]).map(headerOf)).toEqual(
              requests.flatMap(({ lane, words }, n) => (lane === at ? [[...words, id(n)]] : []))
            )
            lane.room = 20
          }
        }
      )
    )
  })
})
