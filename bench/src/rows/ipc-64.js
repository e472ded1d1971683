import { tmpdir } from "node:os"
import { join } from "node:path"
import { node, two } from "../driver.js"
import { libnng } from "../peers.js"

let sockets = 0
const fresh = () => `ipc://${join(tmpdir(), `effect-nng-bench-${process.pid}-${sockets++}`)}`

const overIpc = (listener, dialer) => () => {
  const url = fresh()
  return two({ listener: listener(url), dialer: () => dialer(url) })
}

export const row = {
  title: "64 B one way over ipc, push to pull, an Effect for each message on both sides",
  unit: "messages/s",
  contenders: {
    ours: overIpc(
      (url) => node("ours", "recv-op", url, 64),
      (url) => node("ours", "send-op", url, 64)
    ),
    ...libnng("oneway", (path) =>
      overIpc(
        (url) => [path, "pull", url],
        (url) => [path, "push", url, "64"]
      )
    )
  },
  floors: [{ peer: "libnng", atLeast: 6 }]
}
