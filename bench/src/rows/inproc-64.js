import { node } from "../driver.js"
import { alone, libnng, zeromq } from "../peers.js"

const url = "inproc://bench"

export const row = {
  title: "64 B one way over inproc, push to pull, an Effect for each message on both sides",
  unit: "messages/s",
  contenders: {
    ours: alone(node("ours", "both", url)),
    ...libnng("oneway", (path) => alone([path, "both", url, "64"])),
    ...zeromq(alone(node("zeromq", "both", url)))
  },
  floors: [{ peer: "libnng", atLeast: 30 }]
}
