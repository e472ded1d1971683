import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { Broadcast, streamOf } from "../../src/internal/engine/broadcast.js"
import { Steps, wherever } from "../support/steps.js"

const all = <A>(stream: Stream.Stream<A>) => Effect.map(Stream.runCollect(stream), Chunk.toReadonlyArray)

const fromNow = <A>(events: Broadcast<A>) => streamOf(events, () => undefined)

const withLast = <A>(events: Broadcast<A>) => streamOf(events, () => events.last)

describe("events", () => {
  it("reach all who listen, in order, and end", () => {
    const steps = new Steps()
    const events = new Broadcast<number>()
    const listening = [steps.run(all(fromNow(events))), steps.run(all(fromNow(events)))]
    steps.all()
    expect(events.heard).toBe(true)
    for (let n = 0; n < 5; n++) events.emit(n)
    expect(listening.map((fiber) => steps.got(fiber))).toEqual(["it waits", "it waits"])
    events.emit(5)
    events.end()
    expect(listening.map((fiber) => steps.got(fiber))).toEqual([
      [0, 1, 2, 3, 4, 5],
      [0, 1, 2, 3, 4, 5]
    ])
    expect(events.heard).toBe(false)
  })

  it("begin with what is current, for who comes late, even too late", () => {
    const steps = new Steps()
    const events = new Broadcast<number>()
    events.emit(1)
    events.emit(2)
    const late = steps.run(all(withLast(events)))
    steps.all()
    events.emit(3)
    events.end()
    events.emit(4)
    expect(steps.got(late)).toEqual([2, 3])
    expect(steps.got(steps.run(all(withLast(events))))).toEqual([3])
    expect(steps.got(steps.run(all(fromNow(events))))).toEqual([])
  })

  it("are the latest 1024 for who does not keep up", () => {
    const steps = new Steps()
    const events = new Broadcast<number>()
    const slow = steps.run(all(fromNow(events)))
    steps.all()
    for (let n = 0; n < 3000; n++) events.emit(n)
    events.end()
    expect(steps.got(slow)).toEqual(Array.from({ length: 1024 }, (_, i) => 3000 - 1024 + i))
  })

  it("are heard no more by who was interrupted, or took enough", () => {
    const steps = new Steps()
    const events = new Broadcast<number>()
    const waiting = steps.run(all(fromNow(events)))
    steps.all()
    steps.run(Fiber.interrupt(waiting))
    expect(steps.got(waiting)).toContain("interrupted")
    expect(events.heard).toBe(false)
    const one = steps.run(all(Stream.take(fromNow(events), 1)))
    steps.all()
    events.emit(1)
    expect(steps.got(one)).toEqual([1])
    expect(events.heard).toBe(false)
  })

  const listening = (happens: (events: Broadcast<string>) => void) =>
    wherever(
      () => new Broadcast<string>(),
      (events) => all(Stream.take(fromNow(events), 1)),
      (events) => events.heard,
      happens
    )

  it("wake who listens, whichever step of it the runtime has come to", () => {
    const heard = listening((events) => events.emit("event"))
    expect(heard).toEqual(heard.map(() => ["event"]))
  })

  it("end for who listens, whichever step of it the runtime has come to", () => {
    const heard = listening((events) => events.end())
    expect(heard).toEqual(heard.map(() => []))
  })
})
