// What an idle pipe costs, over 1 000 of them on one socket: JavaScript heap, and beside it resident memory.
import { End, node } from "../driver.js"
import { libnng } from "../peers.js"

const pipes = 1000

const idle = async (command) => {
  const peer = new End(node("idle", "peer"))
  const end = new End(command(`tcp://127.0.0.1:${await peer.said("port")}`))
  try {
    const { heapKib, rssKib } = await end.said("idle")
    return { value: heapKib ?? rssKib, rssKib }
  } finally {
    end.stop()
    peer.stop()
  }
}

const withGc = ([command, ...args]) => [command, "--expose-gc", ...args]
const measured = (role) => () => idle((url) => withGc(node("idle", role, url, pipes)))

export const row = {
  title: "idle tcp pipe, its dialer or its share of the listener included",
  unit: "KiB of heap",
  contenders: {
    ours: measured("dialed"),
    "ours, accepted": measured("accepted"),
    "node:net": measured("net"),
    ...libnng("idle", (path) => () => idle((url) => [path, url, String(pipes)]))
  },
  units: { libnng: "KiB resident" },
  limits: { ours: 12, "ours, accepted": 12 },
  floors: []
}
