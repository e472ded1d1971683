import { oneWayTls } from "../peers.js"

export const row = {
  title: "64 KiB one way over tls+tcp, push to pull, an Effect for each message on both sides",
  unit: "messages/s",
  contenders: oneWayTls(65536),
  floors: [{ peer: "libnng", atLeast: 0.7 }]
}
