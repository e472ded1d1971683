// Round trips of 64 bytes over tcp, one at a time, both ends in one process: microseconds each.
import * as Effect from "effect/Effect"
import * as Message from "../../../dist/Message.js"
import * as NodeTransport from "../../../dist/NodeTransport.js"
import * as Pair0 from "../../../dist/Pair0.js"
import * as Socket from "../../../dist/Socket.js"
import { connect, frame, listen, parser } from "../frames.js"

const size = 64
const warmUp = 25_000
const count = 75_000

const perTrip = (started) => ((performance.now() - started) * 1000) / count

/** An echo by hand. */
const bare = async () => {
  const answer = frame(size)
  const server = await listen((socket) =>
    socket.on(
      "data",
      parser(() => socket.write(answer))
    )
  )
  const socket = await connect(server.address().port)
  const trips = (n) =>
    new Promise((resolve) => {
      let left = n
      socket.removeAllListeners("data")
      socket.on(
        "data",
        parser(() => (--left === 0 ? resolve() : socket.write(answer)))
      )
      socket.write(answer)
    })
  await trips(warmUp)
  const started = performance.now()
  await trips(count)
  const result = perTrip(started)
  socket.destroy()
  server.close()
  return result
}

const ours = () =>
  Effect.gen(function* () {
    const server = yield* Pair0.make()
    const client = yield* Pair0.make()
    const { url } = yield* Socket.listen(server, "tcp://127.0.0.1:0")
    yield* Socket.dial(client, url)
    yield* Effect.forkScoped(
      Effect.gen(function* () {
        for (;;) yield* Socket.send(server, yield* Socket.recv(server))
      })
    )
    const body = new Uint8Array(size)
    const trips = (n) =>
      Effect.gen(function* () {
        for (let i = 0; i < n; i++) {
          yield* Socket.send(client, Message.fromBytes(body))
          yield* Socket.recv(client)
        }
      })
    yield* trips(warmUp)
    const started = performance.now()
    yield* trips(count)
    return perTrip(started)
  }).pipe(Effect.scoped, Effect.provide(NodeTransport.layer), Effect.runPromise)

export const contenders = { ours, "node:net": bare }
