import { oneWayWs } from "../peers.js"

export const row = {
  title: "1 KiB one way over ws, push to pull, an Effect for each message on both sides",
  unit: "messages/s",
  contenders: oneWayWs(1024),
  floors: [{ peer: "libnng", atLeast: 1.5 }]
}
