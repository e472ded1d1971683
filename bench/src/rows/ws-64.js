import { oneWayWs } from "../peers.js"

export const row = {
  title: "64 B one way over ws, push to pull, an Effect for each message on both sides",
  unit: "messages/s",
  contenders: oneWayWs(64),
  floors: [{ peer: "libnng", atLeast: 5 }]
}
