import { node, two } from "../driver.js"
import { anyPort, libnng, zeromq } from "../peers.js"

const pair = (listener, dialer) => () => two({ listener, dialer, counts: "dialer" })

export const row = {
  title: "requests of 64 B over tcp, 1 000 in flight, two processes: Req0.request and Rep0.serve",
  unit: "requests/s",
  contenders: {
    ours: pair(node("ours", "server", anyPort), (url) => node("ours", "client", url)),
    ...libnng("reqrep", (path) => pair([path, "server", anyPort, "1000"], (url) => [path, "client", url, "1000"])),
    ...zeromq(pair(node("zeromq", "server", anyPort), (url) => node("zeromq", "client", url))),
    "node:net, corked": pair(node("net", "server-corked", anyPort), (url) => node("net", "client-corked", url))
  },
  floors: []
}
