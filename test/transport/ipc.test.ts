import * as NodeTransport from "effect-nng/NodeTransport"
import * as Paths from "../support/paths.js"
import * as Peers from "../support/peers.js"
import type { Subject } from "./suite.js"
import { transportSuite } from "./suite.js"

const schemes: ReadonlyArray<readonly [scheme: string, url: Subject["address"], bad: Subject["badWhenStarted"]]> = [
  ["ipc", Paths.url("ipc"), [["listen", "ipc:///no/such/directory/socket", "NNG_ENOENT"]]],
  ["unix", Paths.url("unix"), [["dial", "unix:///no/such/directory/socket", "NNG_ECONNREFUSED"]]],
  ...(Paths.abstract ? [["abstract", Paths.name, []] as const] : [])
]

for (const [scheme, url, badWhenStarted] of schemes) {
  transportSuite(scheme, {
    layer: NodeTransport.layerIpc,
    time: "real",
    address: url,
    nobody: url,
    badWhenMade: [
      ["dial", "tcp://127.0.0.1:5555", "NNG_ENOTSUP"],
      ["dial", `${scheme}://`, "NNG_EADDRINVAL"],
      ["dial", `${scheme}://${"x".repeat(108)}`, "NNG_EADDRINVAL"],
      ["listen", `${scheme}://${"x".repeat(108)}`, "NNG_EADDRINVAL"]
    ],
    badWhenStarted,
    limits: true,
    inFlight: 32 * 1024 * 1024,
    connect: (url) => Peers.dialPath(Paths.pathOf({ url }))
  })
}
