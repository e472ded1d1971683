// Contenders that several rows share. A peer that this machine does not have is left out.
import { existsSync } from "node:fs"
import { certificates } from "./certificates.js"
import { node, one, two } from "./driver.js"
import { program } from "./native.js"

const hasZeromq = existsSync(new URL("../node_modules/zeromq", import.meta.url))
if (!hasZeromq) process.stderr.write("no zeromq.js in this run (npm --prefix bench ci)\n")

export const anyPort = "tcp://127.0.0.1:0"

/** What `make` gives for the path of a C program. */
export const libnng = (name, make) => {
  const path = program(name)
  return path === undefined ? {} : { libnng: make(path) }
}

export const zeromq = (run) => (hasZeromq ? { "zeromq.js": run } : {})

/** One way over tcp: the peers of ours. */
export const oneWayPeers = (size, { single = false } = {}) => ({
  ...libnng(
    "oneway",
    (path) => () => two({ listener: [path, "pull", anyPort], dialer: (url) => [path, "push", url, String(size)] })
  ),
  ...zeromq(() =>
    two({ listener: node("zeromq", "recv", anyPort, size), dialer: (url) => node("zeromq", "send", url, size) })
  ),
  "node:net, coalesced": () =>
    two({ listener: node("net", "recv", anyPort, size), dialer: (url) => node("net", "send-coalesced", url, size) }),
  ...(single
    ? {
        "node:net, a write each": () =>
          two({ listener: node("net", "recv", anyPort, size), dialer: (url) => node("net", "send-single", url, size) })
      }
    : {})
})

/** Ours one way over tcp, by the roles of its two processes. */
export const oneWay =
  (size, { receiver = "recv-op", sender = "send-op" } = {}) =>
  () =>
    two({ listener: node("ours", receiver, anyPort, size), dialer: (url) => node("ours", sender, url, size) })

const anyTlsPort = "tls+tcp://127.0.0.1:0"

/** One way over TLS, where the sender verifies the receiver, by the commands of the two. */
const overTls = (listener, dialer) => () =>
  two({ listener, dialer, env: certificates(), at: (port) => `tls+tcp://127.0.0.1:${port}` })

/** The same, ours and its peers. libnng 1.5 speaks TLS 1.2; bare node:tls and ours 1.3. */
export const oneWayTls = (size, { receiver = "recv-op", sender = "send-op" } = {}) => ({
  ours: overTls(node("ours", receiver, anyTlsPort, size), (url) => node("ours", sender, url, size)),
  ...libnng("oneway", (path) => overTls([path, "pull", anyTlsPort], (url) => [path, "push", url, String(size)])),
  "node:tls, coalesced": overTls(node("net", "recv", anyTlsPort, size), (url) =>
    node("net", "send-coalesced", url, size)
  )
})
const anyWs = "ws://127.0.0.1:0/bench"
const overWs = (port) => `ws://127.0.0.1:${port}/bench`

/** One way over ws: ours and the peers. */
export const oneWayWs = (size) => {
  const both = (listener, dialer) => () => two({ at: overWs, listener, dialer })
  return {
    ours: both(node("ours", "recv-op", anyWs, size), (url) => node("ours", "send-op", url, size)),
    ...libnng("oneway", (path) => both([path, "pull", anyWs], (url) => [path, "push", url, String(size)])),
    "ws, a send each": both(node("ws", "recv", anyWs, size), (url) => node("ws", "send", url, size))
  }
}

/** All of it in one process. */
export const alone = (command, value, env) => () => one({ command, value, env })
