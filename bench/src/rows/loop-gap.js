// The longest interval between two ticks of a 10 ms timer beside a fiber that loops over an operation: 10 is perfect.
import { node, one, two } from "../driver.js"
import { anyPort, zeromq } from "../peers.js"

const env = { WATCH_GAPS: "1" }

/** `at`: whose gap it is, the listener's (0) or the dialer's (1). */
const gapOf =
  (at, { dialer, listener }) =>
  async () => {
    const sample = await two({ listener, dialer, env })
    const side = sample.sides[at]
    return { ...sample, value: side.gapMs, gapMs: side.gapMs, gapCpuMs: side.gapCpuMs }
  }

const ours = {
  listener: node("ours", "recv-op", anyPort),
  dialer: (url) => node("ours", "send-op", url)
}
const bare = { listener: node("net", "recv", anyPort), dialer: (url) => node("net", "send-coalesced", url) }
const zmq = { listener: node("zeromq", "recv", anyPort), dialer: (url) => node("zeromq", "send", url) }
const batch = {
  listener: node("ours", "recv-stream", anyPort),
  dialer: (url) => node("ours", "send-all", url)
}

const inproc = (role) => () => one({ command: node("ours", role, "inproc://bench"), env, value: "gapMs" })

export const row = {
  title: "longest interval of a 10 ms timer beside a fiber that loops, 64 B",
  unit: "ms",
  contenders: {
    ours: gapOf(1, ours),
    "ours, recv": gapOf(0, ours),
    "ours, sendAll": gapOf(1, batch),
    "ours, stream": gapOf(0, batch),
    "ours, inproc send and recv": inproc("both"),
    "ours, inproc request": inproc("trips"),
    "node:net, send": gapOf(1, bare),
    "node:net, recv": gapOf(0, bare),
    ...zeromq(gapOf(1, zmq))
  },
  limits: {
    ours: 20,
    "ours, recv": 20,
    "ours, sendAll": 20,
    "ours, stream": 20,
    "ours, inproc send and recv": 20,
    "ours, inproc request": 20
  },
  floors: []
}
