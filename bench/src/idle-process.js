// Makes many idle connections and tells what one of them costs; see rows/idle.js.
import * as Effect from "effect/Effect"
import { fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import * as NodeTransport from "../../dist/NodeTransport.js"
import * as Pair0 from "../../dist/Pair0.js"
import * as Socket from "../../dist/Socket.js"
import { connect, greeting, listen } from "./frames.js"

const pipes = 1000
const [, , role] = process.argv

const heap = async () => {
  for (let i = 0; i < 3; i++) {
    global.gc()
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return process.memoryUsage().heapUsed
}

/** Accepts anything, says the SP header, and keeps quiet. */
const peer = async () => {
  const server = await listen((socket) => {
    socket.on("error", () => {})
    socket.resume()
    socket.write(greeting)
  })
  process.send(server.address().port)
}

const startPeer = () =>
  new Promise((resolve) => {
    const child = fork(fileURLToPath(import.meta.url), ["peer"])
    child.once("message", (port) => resolve({ child, port }))
  })

const report = (child, before, after) => {
  child.kill("SIGKILL")
  process.send((after - before) / 1024 / pipes)
}

const ours = async () => {
  const { child, port } = await startPeer()
  await Effect.gen(function* () {
    const warm = yield* Pair0.make()
    yield* Socket.dial(warm, `tcp://127.0.0.1:${port}`)
    const sockets = yield* Effect.replicateEffect(Pair0.make(), pipes)
    const before = yield* Effect.promise(heap)
    for (const socket of sockets) yield* Socket.dial(socket, `tcp://127.0.0.1:${port}`)
    yield* Effect.forEach(sockets, (socket) => Socket.awaitPeers(socket, 1))
    report(child, before, yield* Effect.promise(heap))
    yield* Effect.never
  }).pipe(Effect.scoped, Effect.provide(NodeTransport.layer), Effect.runPromise)
}

const bare = async () => {
  const { child, port } = await startPeer()
  const kept = [await connect(port)]
  const before = await heap()
  for (let i = 0; i < pipes; i++) {
    const socket = await connect(port)
    socket.on("data", () => {})
    kept.push(socket)
  }
  const after = await heap()
  report(child, before, kept.length > 0 ? after : 0)
}

await { ours, bare, peer }[role]()
