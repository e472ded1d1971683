import { oneWay, oneWayPeers } from "../peers.js"

export const row = {
  title: "64 B one way over tcp, push to pull, an Effect for each message on both sides",
  unit: "messages/s",
  contenders: { ours: oneWay(64), ...oneWayPeers(64, { single: true }) },
  floors: [
    { peer: "libnng", atLeast: 6 },
    { peer: "zeromq.js", atLeast: 6 }
  ]
}
