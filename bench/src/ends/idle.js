// Idle connections by the thousand; see rows/idle-memory.js.
//   idle.js ROLE [URL] [PIPES] [PROTOCOL]
import * as Effect from "effect/Effect"
import { connect, greetingOf, listen } from "../frames.js"
import * as NodeTransport from "../../../dist/NodeTransport.js"
import * as Pull0 from "../../../dist/Pull0.js"
import * as Socket from "../../../dist/Socket.js"
import { say } from "./child.js"

const [, , role, url, pipesText, protocolText] = process.argv
const pipes = Number(pipesText)
const greeting = greetingOf(Number(protocolText ?? 0x50))

const settled = async () => {
  for (let i = 0; i < 3; i++) {
    global.gc()
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return { heap: process.memoryUsage().heapUsed, rss: process.memoryUsage.rss() }
}

const report = (before, after) =>
  say({
    idle: { heapKib: (after.heap - before.heap) / 1024 / pipes, rssKib: (after.rss - before.rss) / 1024 / pipes }
  })

const run = (program) => Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(NodeTransport.layer)))

const dial = async (port) => {
  const socket = await connect(port)
  socket.on("error", () => {})
  socket.on("data", () => {})
  socket.write(greeting)
  return socket
}

/** So many connections, a hundred at a time. */
const dialMany = async (port, count) => {
  const sockets = []
  while (sockets.length < count) {
    const some = Math.min(100, count - sockets.length)
    sockets.push(...(await Promise.all(Array.from({ length: some }, () => dial(port)))))
  }
  return sockets
}

const roles = {
  /** Accepts anything, says the SP header of push, and keeps quiet. Where it is told a port, it is the one that dials. */
  peer: async () => {
    const server = await listen((socket) => {
      socket.on("error", () => {})
      socket.once("data", (text) => {
        const order = /^dial (\d+) (\d+)/.exec(String(text))
        if (order !== null) void dialMany(Number(order[1]), Number(order[2]))
      })
      socket.write(greeting)
    })
    say({ port: server.address().port })
  },
  dialed: () =>
    run(
      Effect.gen(function* () {
        const socket = yield* Pull0.make()
        yield* Socket.dial(socket, url)
        const before = yield* Effect.promise(settled)
        for (let i = 0; i < pipes; i++) yield* Socket.dial(socket, url)
        yield* Socket.awaitPeers(socket, pipes + 1)
        report(before, yield* Effect.promise(settled))
        yield* Effect.never
      })
    ),
  accepted: () =>
    run(
      Effect.gen(function* () {
        const socket = yield* Pull0.make()
        const listener = yield* Socket.listen(socket, "tcp://127.0.0.1:0")
        const control = yield* Effect.promise(() => connect(Number(url.split(":").at(-1))))
        const before = yield* Effect.promise(settled)
        control.write(`dial ${listener.url.split(":").at(-1)} ${pipes}`)
        yield* Socket.awaitPeers(socket, pipes)
        report(before, yield* Effect.promise(settled))
        yield* Effect.never
      })
    ),
  /** Connects so often and keeps quiet. */
  crowd: async () => {
    const port = Number(url.split(":").at(-1))
    await dialMany(port, pipes)
    say({ there: pipes })
  },
  net: async () => {
    const port = Number(url.split(":").at(-1))
    const kept = [await dial(port)]
    const before = await settled()
    kept.push(...(await dialMany(port, pipes)))
    report(before, await settled())
    setInterval(() => kept.length, 1000)
  }
}

await roles[role]()
