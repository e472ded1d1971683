import { node } from "../driver.js"
import { alone, libnng, zeromq } from "../peers.js"

const url = "inproc://bench"

export const row = {
  title: "round trip of 64 B over inproc, one at a time: Req0.request and Rep0.serve",
  unit: "us (p50)",
  contenders: {
    ours: alone(node("ours", "trips", url), "p50"),
    ...libnng("reqrep", (path) => alone([path, "both", url], "p50")),
    ...zeromq(alone(node("zeromq", "trips", url), "p50"))
  },
  floors: []
}
