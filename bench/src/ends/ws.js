// The ws package by itself, as anybody would use it: a send for each message, which waits when much is buffered.
//   ws.js ROLE URL [SIZE]
import { WebSocket, WebSocketServer } from "ws"
import { say, state } from "./child.js"

const [, , role, url, sizeText] = process.argv
const body = Buffer.alloc(Number(sizeText ?? 64))
const mostBuffered = 256 * 1024
const subprotocol = "pull.sp.nanomsg.org"

const roles = {
  send: () => {
    const ws = new WebSocket(url, subprotocol, { perMessageDeflate: false })
    const fill = () => {
      // without a turn now and then a socket that takes all at once would keep the loop for seconds
      for (let i = 0; i < 1000; i++) {
        state.n++
        if (ws.bufferedAmount > mostBuffered) return ws.send(body, fill)
        ws.send(body)
      }
      setImmediate(fill)
    }
    ws.on("open", fill)
  },
  recv: () => {
    const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false }, () =>
      say({ port: server.address().port })
    )
    server.on("connection", (ws) =>
      ws.on("message", () => {
        state.n++
      })
    )
  }
}

roles[role]()
