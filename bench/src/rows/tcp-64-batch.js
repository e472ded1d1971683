import { oneWay, oneWayPeers } from "../peers.js"

export const row = {
  title: "64 B one way over tcp, Socket.sendAll of 512 to chunks of Pull0.stream",
  unit: "messages/s",
  contenders: {
    ours: oneWay(64, { sender: "send-all", receiver: "recv-stream" }),
    "ours, Push0.sink": oneWay(64, { sender: "send-sink", receiver: "recv-stream" }),
    ...oneWayPeers(64)
  },
  floors: [
    { peer: "libnng", atLeast: 9 },
    { peer: "zeromq.js", atLeast: 9 }
  ]
}
