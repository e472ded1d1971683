// The rows of publish and subscribe. A publisher sends bursts to subscribers that are all in one other process; each
// burst ends with a message that has its number, and when all subscribers have that one the process says so, on a way
// of its own. So many bursts are under way at once, which is less than the queues hold: nothing is lost, unless it says so.
import { createServer } from "node:net"
import { node, two } from "./driver.js"
import { anyPort, libnng, zeromq } from "./peers.js"

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer()
    server.listen({ host: "127.0.0.1", port: 0 }, () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })

const pair = (command, subscribers) => async () => {
  const acks = `tcp://127.0.0.1:${await freePort()}`
  return two({
    listener: [...command, "pub", anyPort, acks, String(subscribers)],
    dialer: (url) => [...command, "sub", url, acks, String(subscribers)],
    counts: "dialer"
  })
}

export const publishing = (subscribers, floors) => ({
  title: `64 B published to ${subscribers} subscribers over tcp, two processes: Socket.sendAll of 500 to Sub0.stream`,
  unit: "deliveries/s",
  contenders: {
    ours: pair(node("publish"), subscribers),
    ...libnng("publish", (path) => pair([path], subscribers)),
    ...zeromq(pair(node("publish-zeromq"), subscribers))
  },
  floors
})
