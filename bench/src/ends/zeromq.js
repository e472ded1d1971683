// zeromq.js, as its own documentation has it: a loop that awaits each send, and one over what comes.
//   zeromq.js ROLE [URL] [SIZE]
import * as Zmq from "zeromq"
import { addTrip, say, state, watchGaps } from "./child.js"

const [, , role, url, sizeText] = process.argv
const body = Buffer.alloc(Number(sizeText ?? 64))
const inFlight = 1000

const bound = async (socket) => {
  await socket.bind(url.replace(/:0$/, ":*"))
  if (url.startsWith("tcp")) say({ port: Number(socket.lastEndpoint.split(":").at(-1)) })
  return socket
}

const connected = (socket, to = url) => {
  socket.connect(to)
  return socket
}

const sendLoop = async (push, count) => {
  for (;;) {
    await push.send(body)
    if (count) state.n++
  }
}

const recvLoop = async (pull) => {
  for (;;) {
    await pull.receive()
    state.n++
  }
}

const echo = async (reply, count) => {
  for (;;) {
    await reply.send(await reply.receive())
    if (count) state.n++
  }
}

const roles = {
  send: () => sendLoop(connected(new Zmq.Push()), true),
  recv: async () => recvLoop(await bound(new Zmq.Pull())),
  both: async () => {
    const pull = await bound(new Zmq.Pull())
    void sendLoop(connected(new Zmq.Push()), false)
    await recvLoop(pull)
  },
  trips: async () => {
    const reply = await bound(new Zmq.Reply())
    const request = connected(new Zmq.Request(), reply.lastEndpoint)
    void echo(reply, false)
    for (;;) {
      const started = performance.now()
      await request.send(body)
      await request.receive()
      addTrip((performance.now() - started) * 1000)
      state.n++
    }
  },
  // req has one request at a time; router and dealer are what zeromq has for more
  server: async () => echo(await bound(new Zmq.Router()), true),
  client: async () => {
    const dealer = connected(new Zmq.Dealer())
    let open = 0
    let room
    void (async () => {
      for (;;) {
        if (open === inFlight) await new Promise((resolve) => (room = resolve))
        open++
        await dealer.send(body)
      }
    })()
    for (;;) {
      await dealer.receive()
      state.n++
      open--
      room?.()
      room = undefined
    }
  }
}

if (process.env.WATCH_GAPS !== undefined) watchGaps()
await roles[role]()
