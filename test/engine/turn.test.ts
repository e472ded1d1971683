import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Pull0 from "effect-nng/Pull0"
import * as Push0 from "effect-nng/Push0"
import * as Socket from "effect-nng/Socket"
import * as Turn from "effect-nng/Turn"
import * as InprocTransport from "effect-nng/InprocTransport"
import { marry, settle } from "../support/sockets.js"

/** How often the event loop has turned since this was made. */
const turns = () => {
  let count = 0
  let handle = setImmediate(function again() {
    count++
    handle = setImmediate(again)
  })
  return {
    get count() {
      return count
    },
    stop: () => clearImmediate(handle)
  }
}

/** Keeps the event loop for longer than a fiber may. */
const keepBusy = () => {
  const until = performance.now() + 6
  while (performance.now() <= until);
}

const hopping = (turn: Turn.TurnShape, fibers: number) =>
  Effect.gen(function* () {
    const loop = yield* Effect.acquireRelease(Effect.sync(turns), ({ stop }) => Effect.sync(stop))
    const hopped: Array<number> = []
    const hop = Effect.map(turn.hop, () => hopped.push(loop.count))
    const forked: Array<Fiber.RuntimeFiber<number>> = []
    for (let n = 0; n < fibers; n++) forked.push(yield* Effect.fork(hop))
    yield* settle
    return { forked, hopped }
  })

describe("the event loop's turn", () => {
  it.scopedLive("fibers that hop at once go on together, so many in a turn, in their order", () =>
    Effect.gen(function* () {
      const { forked, hopped } = yield* hopping(Turn.make(), 150)
      expect(hopped).toEqual([])
      yield* Fiber.joinAll(forked)
      const sizes = [...new Set(hopped)].map((at) => hopped.filter((turn) => turn === at).length)
      expect(sizes).toEqual([64, 64, 22])
      expect(hopped).toEqual([...hopped].sort((a, b) => a - b))
    })
  )

  it.scopedLive("one that is interrupted meanwhile keeps none of the others", () =>
    Effect.gen(function* () {
      const turn = Turn.make()
      const { forked, hopped } = yield* hopping(turn, 3)
      yield* Fiber.interrupt(forked[0]!)
      yield* Fiber.join(forked[1]!)
      yield* Fiber.join(forked[2]!)
      expect(hopped).toHaveLength(2)
      const alone = yield* hopping(turn, 1)
      yield* Fiber.interrupt(alone.forked[0]!)
      yield* turn.hop
      expect(alone.hopped).toEqual([])
    })
  )

  it.live("an operation that does much counts for as many as it says", () =>
    Effect.gen(function* () {
      const turn = Turn.make()
      const stint = new Turn.Stint()
      const due = (operations?: number) => turn.unsafeDue(stint, operations)
      expect(due(64)).toBe(false)
      keepBusy()
      expect([due(63), due(), due()]).toEqual([false, true, true])
      yield* turn.hop
      expect([due(), due(64)]).toEqual([false, false])
      keepBusy()
      expect(due(512)).toBe(true)
    })
  )

  it.live("who has run for so long is to hop, and nobody else, before all have run for some more", () =>
    Effect.gen(function* () {
      const turn = Turn.make()
      const one = new Turn.Stint()
      const due = (stint = new Turn.Stint()) => turn.unsafeDue(stint, 64)
      expect(due(one)).toBe(false)
      keepBusy()
      expect([due(), due(one), due()]).toEqual([false, true, false])
      for (let i = 0; i < 4; i++) keepBusy()
      expect(due()).toBe(true)
      yield* turn.hop
      expect([due(), due(one)]).toEqual([false, false])
    })
  )

  it.live("nobody is to hop whose connections keep the loop turning", () =>
    Effect.gen(function* () {
      const turn = Turn.make()
      const stint = new Turn.Stint()
      const seen: Array<boolean> = []
      for (let i = 0; i < 5; i++) {
        seen.push(turn.unsafeDue(stint, 64))
        keepBusy()
        yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      }
      expect(seen).toEqual([false, false, false, false, false])
    })
  )

  it.scoped("a batch counts for its messages, on either side", () => {
    let counted = 0
    const counting: Turn.TurnShape = {
      unsafeDue: (_, operations = 1) => {
        counted += operations
        return false
      },
      hop: Effect.void
    }
    return Effect.gen(function* () {
      const [push, pull] = [yield* Push0.make({ sendBuffer: 100 }), yield* Pull0.make()]
      counted = 0
      yield* Socket.sendAll(
        push,
        Array.from({ length: 100 }, () => "x")
      )
      expect(counted).toBeGreaterThanOrEqual(100)
      yield* marry(pull, push)
      counted = 0
      let received = 0
      while (received < 100) received += Chunk.size(yield* Socket.recvChunk(pull))
      expect(counted).toBeGreaterThanOrEqual(100)
    }).pipe(Effect.provide(Layer.merge(InprocTransport.layer, Layer.succeed(Turn.Turn, counting))))
  })
})
