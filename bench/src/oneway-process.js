// One end of a one-way stream of 64 byte messages; see rows/oneway.js.
import * as Effect from "effect/Effect"
import * as Message from "../../dist/Message.js"
import * as NodeTransport from "../../dist/NodeTransport.js"
import * as Pair0 from "../../dist/Pair0.js"
import * as Socket from "../../dist/Socket.js"
import { afterGreeting, connect, frame, greeting, listen, parser } from "./frames.js"

const [, , role, port] = process.argv
const size = 64
const warmUpMillis = 400
const countMillis = 1200

/** Calls `count` to start with, and again later: the difference is the rate. */
const rate = (count) => {
  setTimeout(() => {
    const before = count()
    const started = performance.now()
    setTimeout(() => {
      process.send({ rate: ((count() - before) * 1000) / (performance.now() - started) })
    }, countMillis)
  }, warmUpMillis)
}

const run = (program) => Effect.runFork(program.pipe(Effect.scoped, Effect.provide(NodeTransport.layer)))

const roles = {
  send: () =>
    run(
      Effect.gen(function* () {
        const socket = yield* Pair0.make()
        yield* Socket.dial(socket, `tcp://127.0.0.1:${port}`)
        const body = new Uint8Array(size)
        for (;;) yield* Socket.send(socket, Message.fromBytes(body))
      })
    ),
  recv: () =>
    run(
      Effect.gen(function* () {
        const socket = yield* Pair0.make()
        const { url } = yield* Socket.listen(socket, "tcp://127.0.0.1:0")
        process.send({ port: Number(url.split(":").at(-1)) })
        yield* Socket.awaitPeers(socket, 1)
        let received = 0
        rate(() => received)
        for (;;) {
          yield* Socket.recv(socket)
          received++
        }
      })
    ),
  "bare-coalesced": async () => {
    const socket = await connect(port)
    const whole = frame(size)
    const block = Buffer.concat(Array.from({ length: Math.floor(65536 / whole.length) }, () => whole))
    const write = () => {
      while (socket.write(block)) {
        // until it is full
      }
    }
    socket.on("drain", write)
    socket.resume()
    socket.write(greeting)
    write()
  },
  "bare-single": async () => {
    const socket = await connect(port)
    const whole = frame(size)
    const write = () => {
      while (socket.write(whole)) {
        // until it is full
      }
    }
    socket.on("drain", write)
    socket.resume()
    socket.write(greeting)
    write()
  },
  "bare-recv": async () => {
    let received = 0
    const server = await listen((socket) => {
      rate(() => received)
      socket.write(greeting)
      socket.on(
        "data",
        afterGreeting(
          parser(() => {
            received++
          })
        )
      )
    })
    process.send({ port: server.address().port })
  }
}

roles[role]()
