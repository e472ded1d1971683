import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Socket from "effect-nng/Socket"
import { leavesNone } from "../support/handles.js"
import type { Case, Join } from "./cases.js"
import { cases } from "./cases.js"

/** Both ends here; one listens, the other dials. */
const run = ({ ends, results }: Case, listening: 0 | 1) =>
  Effect.gen(function* () {
    const url = yield* Deferred.make<string>()
    const listen: Join = (socket) =>
      Effect.gen(function* () {
        const listener = yield* Socket.listen(socket, "ws://127.0.0.1:0/case")
        yield* Deferred.succeed(url, listener.url)
        yield* Socket.awaitPeers(socket, 1)
      })
    const dial: Join = (socket) => Effect.flatMap(Deferred.await(url), (url) => Socket.dial(socket, url))
    const got = yield* Effect.all(
      ends.map((end, i) => end(i === listening ? listen : dial)),
      { concurrency: "unbounded" }
    )
    expect(got).toEqual(results)
  }).pipe(leavesNone, Effect.provide(NodeTransport.layerWs))

describe.each([
  ["the first end listens", 0],
  ["the second end listens", 1]
] as const)("both ends on Node over ws, %s", (_, listening) => {
  for (const one of cases) it.live(one.title, () => run(one, listening))
})
