import { oneWayTls } from "../peers.js"

export const row = {
  title: "64 B one way over tls+tcp, push to pull, an Effect for each message on both sides",
  unit: "messages/s",
  contenders: oneWayTls(64),
  floors: [{ peer: "libnng", atLeast: 4 }]
}
