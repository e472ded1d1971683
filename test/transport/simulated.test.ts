import * as Effect from "effect/Effect"
import * as TestTransport from "effect-nng/TestTransport"
import { transportSuite } from "./suite.js"

let ports = 5000

transportSuite("the simulated network, tcp", {
  layer: TestTransport.layer(),
  address: Effect.sync(() => `tcp://10.0.0.1:${ports++}`),
  nobody: Effect.sync(() => `tcp://10.0.0.1:${ports++}`),
  badWhenMade: [
    ["dial", "tcp://10.0.0.1", "NNG_EADDRINVAL"],
    ["dial", "tcp://10.0.0.1:0", "NNG_EADDRINVAL"],
    ["dial", "tcp://10.0.0.1:65536", "NNG_EINVAL"],
    ["listen", "tcp://", "NNG_EADDRINVAL"],
    ["listen", "tcp://10.0.0.1:0/path", "NNG_EADDRINVAL"]
  ],
  badWhenStarted: [],
  limits: true,
  inFlight: 32 * 1024 * 1024
})
