import { oneWay, oneWayPeers } from "../peers.js"

export const row = {
  title: "1 MiB one way over tcp, push to pull, an Effect for each message on both sides",
  unit: "messages/s",
  contenders: { ours: oneWay(1048576), ...oneWayPeers(1048576) },
  floors: [{ peer: "libnng", atLeast: 0.75 }]
}
