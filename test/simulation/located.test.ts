import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Errors from "effect-nng/Errors"
import * as Pair0 from "effect-nng/Pair0"
import * as Socket from "effect-nng/Socket"
import type * as TestTransport from "effect-nng/TestTransport"
import { located } from "../../src/internal/vocabulary/located.js"
import { header } from "../support/peers.js"
import { listening, simulated, url } from "../support/simulation.js"

describe("a handshake that fails", () => {
  for (const [how, tag, act] of [
    [
      "as the peer talks of something else",
      "NNG_EPROTO",
      (hand: TestTransport.Peer) => hand.write(header(0x10).with(2, 0))
    ],
    ["as the peer leaves", "NNG_ECONNSHUT", (hand: TestTransport.Peer) => hand.end],
    ["as the peer is silent", "NNG_ETIMEDOUT", () => Effect.void]
  ] as const) {
    simulated(`${how}, names the URL`, () =>
      Effect.gen(function* () {
        const listener = yield* listening()
        yield* Effect.forkScoped(Effect.flatMap(listener.accept, (hand) => Effect.zipRight(act(hand), Effect.never)))
        const error = yield* Effect.flip(Socket.dial(yield* Pair0.make(), url))
        expect(error).toMatchObject({ _tag: tag, address: url })
        expect(error.message).toContain(url)
      })
    )
  }
})

describe("an error that is told where", () => {
  it("is the same otherwise", () => {
    const cause = new Error("original")
    const error = new Errors.ESYSERR({ errno: 5, text: "I/O error", operation: "read", reason: "EIO", cause })
    const told = located(error, "tcp://a:1")
    expect(told).toBeInstanceOf(Errors.ESYSERR)
    expect(told).toMatchObject({
      errno: 5,
      code: error.code,
      text: "I/O error",
      operation: "read",
      reason: "EIO",
      cause
    })
    expect(told.message).toBe("I/O error: read tcp://a:1 (EIO)")
  })

  it("says where it was first", () => {
    const error = new Errors.EPROTO({ address: "tcp://a:1" })
    expect(located(error, "tcp://b:2")).toBe(error)
    expect(located(new Errors.EPROTO(), undefined).address).toBe(undefined)
  })
})
