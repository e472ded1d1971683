import { oneWay, oneWayPeers } from "../peers.js"

export const row = {
  title: "1 KiB one way over tcp, push to pull, an Effect for each message on both sides",
  unit: "messages/s",
  contenders: { ours: oneWay(1024), ...oneWayPeers(1024) },
  floors: [
    { peer: "libnng", atLeast: 3 },
    { peer: "zeromq.js", atLeast: 3 }
  ]
}
