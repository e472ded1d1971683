import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestTransport from "effect-nng/TestTransport"
import type { Subject } from "./suite.js"
import { transportSuite } from "./suite.js"

const { everywhere } = TestTransport

const fair = TestTransport.layerSimulated({ printOnFailure: false })

/** All arrives, but late and at odd times, through a narrow pipe. */
const slow = Effect.all([
  TestTransport.latency(everywhere, "3 millis", { jitter: "20 millis" }),
  TestTransport.bandwidth(everywhere, 4_000_000),
  TestTransport.limitBuffer(everywhere, 10_000)
])

/** And in pieces of any size. */
const crumbs = Effect.zipRight(slow, TestTransport.split(everywhere, "random"))

const on = (conditions: Effect.Effect<unknown, unknown, TestTransport.Network>) =>
  Layer.effectDiscard(Effect.orDie(conditions)).pipe(Layer.provideMerge(fair))

type Bad = Subject["badWhenMade"]

/** What no endpoint of tcp, or of something upon it, can be made with. */
const badStreams = (origin: string): Bad => [
  ["dial", origin, "NNG_EADDRINVAL"],
  ["dial", `${origin}:0`, "NNG_EADDRINVAL"],
  ["dial", `${origin}:65536`, "NNG_EINVAL"],
  ["listen", origin.replace(/[^/]*$/, ""), "NNG_EADDRINVAL"],
  ["listen", `${origin}:0/path`, "NNG_EADDRINVAL"]
]

const badNames = (scheme: string): Bad => [
  ["dial", scheme, "NNG_EINVAL"],
  ["listen", scheme, "NNG_EINVAL"]
]

let places = 0
const nth = (at: (n: number) => string) => Effect.sync(() => at(places++))
const ported =
  (origin: string, path = "") =>
  (n: number) =>
    `${origin}:${5000 + n}${path}`

const schemes: ReadonlyArray<readonly [name: string, at: (n: number) => string, bad: Bad]> = [
  ["tcp", ported("tcp://10.0.0.1"), badStreams("tcp://10.0.0.1")],
  ["tcp6", ported("tcp6://[fd00::1]"), badStreams("tcp6://[fd00::1]")],
  ["ipc", (n) => `ipc:///tmp/suite-${n}`, badNames("ipc")],
  ["ws", ported("ws://10.0.0.1", "/suite"), [["dial", "ws://10.0.0.1:65536", "NNG_EINVAL"]]],
  ["tls+tcp", ported("tls+tcp://10.0.0.1"), badStreams("tls+tcp://10.0.0.1")],
  ["inproc", (n) => `inproc://suite-${n}`, badNames("inproc")]
]

const bytes = schemes.filter(([name]) => name === "tcp" || name === "ipc")

for (const [way, layer, served, bulk] of [
  ["", fair, schemes, 1],
  [", on slow ways", on(slow), bytes, 1],
  // crumbs make more crumbs where a writer waits for room, so not much can be moved
  [", on slow ways and in crumbs", on(crumbs), bytes, 0.01]
] as const) {
  for (const [name, at, badWhenMade] of served) {
    transportSuite<TestTransport.Network>(`the simulated network, ${name}${way}`, {
      layer,
      time: "simulated",
      address: nth(at),
      nobody: nth(at),
      badWhenMade,
      badWhenStarted: [],
      limits: true,
      inFlight: 1024 * 1024,
      bulk,
      connect: TestTransport.dial
    })
  }
}
