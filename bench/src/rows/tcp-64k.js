import { oneWay, oneWayPeers } from "../peers.js"

export const row = {
  title: "64 KiB one way over tcp, push to pull, an Effect for each message on both sides",
  unit: "messages/s",
  contenders: { ours: oneWay(65536), ...oneWayPeers(65536) },
  floors: [{ peer: "libnng", atLeast: 0.9 }]
}
