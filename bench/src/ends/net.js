// Bare node:net with the same frames, as anybody would write it by hand with some care.
//   net.js ROLE [URL] [SIZE]
import { afterGreeting, assembler, connect, frame, greetingOf, listen } from "../frames.js"
import { addTrip, say, state, watchGaps } from "./child.js"

const [, , role, url, sizeText] = process.argv
const size = Number(sizeText ?? 64)
const inFlight = 1000
const pushProtocol = 0x50
const whole = frame(size)
const port = () => Number(url.split(":").at(-1))

const listening = async (onSocket) => {
  const server = await listen(onSocket)
  say({ port: server.address().port })
}

/** Without a turn now and then a socket that takes all at once would keep the loop for seconds. */
const writesPerTurn = 1000

/** `write` hands over so many messages, and says whether there is room for more. */
const sending = async (messages, write) => {
  const socket = await connect(port())
  const fill = () => {
    for (let i = 0; i < writesPerTurn; i++) {
      state.n += messages
      if (!write(socket)) return
    }
    setImmediate(fill)
  }
  socket.on("drain", fill)
  socket.resume()
  socket.write(greetingOf(pushProtocol))
  fill()
}

const blockMessages = Math.max(1, Math.floor(65536 / whole.length))
const block = Buffer.concat(Array.from({ length: blockMessages }, () => whole))

/** Trips of one message on this socket, for ever. */
const trips = (socket) => {
  let started = 0
  const ask = () => {
    started = performance.now()
    socket.write(whole)
  }
  socket.on(
    "data",
    assembler(() => {
      addTrip((performance.now() - started) * 1000)
      state.n++
      ask()
    })
  )
  ask()
}

const answering = (socket) =>
  socket.on(
    "data",
    assembler(() => {
      state.n++
      socket.write(whole)
    })
  )

/** Frames that are written in one tick go out together. */
const corked = (socket) => {
  let isCorked = false
  return (bytes) => {
    if (!isCorked) {
      isCorked = true
      socket.cork()
      process.nextTick(() => {
        isCorked = false
        socket.uncork()
      })
    }
    socket.write(bytes)
  }
}

const roles = {
  "send-coalesced": () => sending(blockMessages, (socket) => socket.write(block)),
  "send-single": () => sending(1, (socket) => socket.write(whole)),
  recv: () =>
    listening((socket) => {
      socket.on("error", () => {})
      socket.write(greetingOf(pushProtocol + 1))
      socket.on(
        "data",
        afterGreeting(
          assembler(() => {
            state.n++
          })
        )
      )
    }),
  trips: async () => {
    const server = await listen((socket) =>
      socket.on(
        "data",
        assembler(() => socket.write(whole))
      )
    )
    trips(await connect(server.address().port))
  },
  server: () =>
    listening((socket) => {
      socket.on("error", () => {})
      answering(socket)
    }),
  "server-corked": () =>
    listening((socket) => {
      socket.on("error", () => {})
      const write = corked(socket)
      socket.on(
        "data",
        assembler(() => {
          state.n++
          write(whole)
        })
      )
    }),
  "client-corked": async () => {
    const socket = await connect(port())
    const write = corked(socket)
    socket.on(
      "data",
      assembler(() => {
        state.n++
        write(whole)
      })
    )
    for (let i = 0; i < inFlight; i++) write(whole)
  }
}

if (process.env.WATCH_GAPS !== undefined) watchGaps()
await roles[role]()
