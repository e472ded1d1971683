/** Of two who wait, the first is interrupted about when it is its turn: if it has done nothing, the second has its turn. */
import { describe, expect } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Message from "effect-nng/Message"
import * as Pair0 from "effect-nng/Pair0"
import * as Socket from "effect-nng/Socket"
import * as TestTransport from "effect-nng/TestTransport"
import { simulated, url } from "../support/simulation.js"
import { yields } from "../support/sockets.js"

const pair = Effect.gen(function* () {
  const [left, right] = [yield* Pair0.make(), yield* Pair0.make()]
  yield* Socket.listen(left, url)
  yield* Socket.dial(right, url)
  yield* Effect.all([Socket.awaitPeers(left, 1), Socket.awaitPeers(right, 1)])
  yield* TestTransport.latency(TestTransport.everywhere, 10)
  return { left, right }
})

/** Interrupts it after so much time and so many turns of others, in the very step. When this returns, it is waiting. */
const interruptAfter = (fiber: Fiber.RuntimeFiber<unknown, unknown>, millis: number, turns: number) =>
  Effect.zipRight(
    Effect.fork(
      Effect.zipRight(
        Effect.zipRight(Effect.sleep(millis), yields(turns)),
        Effect.sync(() => fiber.unsafeInterruptAsFork(FiberId.none))
      )
    ),
    yields(3)
  )

/** Every moment about the instant, and whether the interrupter is woken before or after what it races with. */
const moments = Array.from({ length: 40 }, (_, n) => ({ turns: n >> 1, first: n % 2 === 0 }))

const both = new Set(["Success", "Failure"])

describe("of two who wait", () => {
  simulated("to receive, the second has the message that the first did not take", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair
      const exits = new Set<string>()
      for (const { first, turns } of moments) {
        const one = yield* Effect.fork(Socket.recv(left))
        yield* yields(3)
        const other = yield* Effect.fork(Socket.recv(left, { timeout: "1 second" }))
        yield* yields(3)
        if (first) yield* interruptAfter(one, 10, turns)
        yield* Socket.send(right, "message")
        // the bytes are on their way, and come in 10 ms
        yield* yields(3)
        if (!first) yield* interruptAfter(one, 10, turns)
        const exit = yield* Fiber.await(one)
        exits.add(exit._tag)
        if (Exit.isSuccess(exit)) yield* Socket.send(right, "another")
        const what = `${first ? "before" : "after"}, ${turns} turns`
        const got = yield* Effect.map(Fiber.join(other), Message.text)
        expect(got, what).toBe(Exit.isSuccess(exit) ? "another" : "message")
      }
      expect(exits).toEqual(both)
    })
  )

  simulated("to send, the second has the room that the first did not use", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair
      const exits = new Set<string>()
      // as much as a pipe takes at once
      const filling = new Uint8Array(256 * 1024)
      for (const { first, turns } of moments) {
        // one is with the receiver, one on its way, and the next has to wait
        yield* Socket.sendAll(right, [filling, filling])
        yield* Effect.sleep(100)
        const one = yield* Effect.fork(Socket.send(right, "one"))
        yield* yields(3)
        const other = yield* Effect.fork(Socket.send(right, "other", { timeout: "1 second" }))
        yield* yields(3)
        expect([one.unsafePoll(), other.unsafePoll()]).toEqual([null, null])
        if (first) yield* interruptAfter(one, 10, turns)
        yield* Effect.fork(Effect.zipRight(Effect.sleep(10), Socket.recv(left)))
        yield* yields(3)
        if (!first) yield* interruptAfter(one, 10, turns)
        const exit = yield* Fiber.await(one)
        exits.add(exit._tag)
        const what = `${first ? "before" : "after"}, ${turns} turns`
        expect((yield* Socket.recv(left)).length, what).toBe(filling.length)
        yield* Fiber.join(other)
        const rest = yield* Effect.replicateEffect(
          Effect.map(Socket.recv(left), Message.text),
          Exit.isSuccess(exit) ? 2 : 1
        )
        expect(rest, what).toEqual(Exit.isSuccess(exit) ? ["one", "other"] : ["other"])
      }
      expect(exits).toEqual(both)
    })
  )
})
