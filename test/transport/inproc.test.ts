import * as Effect from "effect/Effect"
import * as InprocTransport from "effect-nng/InprocTransport"
import { transportSuite } from "./suite.js"

let names = 0
const name = Effect.sync(() => `inproc://suite-${names++}`)

transportSuite("inproc", {
  layer: InprocTransport.layer,
  time: "real",
  address: name,
  nobody: name,
  badWhenMade: [
    ["dial", "nosuch://name", "NNG_ENOTSUP"],
    ["listen", "nosuch://name", "NNG_ENOTSUP"],
    ["dial", "inproc", "NNG_EINVAL"],
    ["listen", "inproc", "NNG_EINVAL"]
  ],
  badWhenStarted: [],
  limits: false,
  inFlight: 1024 * 1024
})
