import { node } from "../driver.js"
import { alone, anyPort, libnng, zeromq } from "../peers.js"

export const row = {
  title: "round trip of 64 B over tcp, one at a time, both ends in one process: Req0.request and Rep0.serve",
  unit: "us (p50)",
  contenders: {
    ours: alone(node("ours", "trips", anyPort), "p50"),
    ...libnng("reqrep", (path) => alone([path, "both", anyPort], "p50")),
    ...zeromq(alone(node("zeromq", "trips", anyPort), "p50")),
    "node:net": alone(node("net", "trips"), "p50")
  },
  floors: [
    { peer: "node:net", atMost: 2 },
    { peer: "zeromq.js", atMost: 0.35 }
  ]
}
