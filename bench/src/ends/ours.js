// Ours, as a user gets it: the public API of dist, with its defaults.
//   ours.js ROLE [URL] [SIZE]
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { readFileSync } from "node:fs"
import * as InprocTransport from "../../../dist/InprocTransport.js"
import * as NodeTransport from "../../../dist/NodeTransport.js"
import * as Pull0 from "../../../dist/Pull0.js"
import * as Push0 from "../../../dist/Push0.js"
import * as Rep0 from "../../../dist/Rep0.js"
import * as Req0 from "../../../dist/Req0.js"
import * as Socket from "../../../dist/Socket.js"
import { addTrip, say, state, watchGaps } from "./child.js"

const [, , role, url, sizeText] = process.argv
const body = new Uint8Array(Number(sizeText ?? 64))
const inFlight = 1000
const batchSize = 512

const { TLS_CA, TLS_CERT_KEY } = process.env
const dialOptions = TLS_CA === undefined ? {} : { tls: { ca: readFileSync(TLS_CA, "utf8") } }
const own = TLS_CERT_KEY === undefined ? undefined : readFileSync(TLS_CERT_KEY, "utf8")
const listenOptions = own === undefined ? {} : { tls: { ownCert: { cert: own, key: Redacted.make(own) } } }

const listening = (socket) =>
  Effect.tap(Socket.listen(socket, url, listenOptions), (listener) =>
    Effect.sync(() => {
      const port = /:(\d+)/.exec(listener.url)?.[1]
      if (port !== undefined) say({ port: Number(port) })
      else if (listener.url.startsWith("ipc")) say({ port: 0 })
    })
  )

/** One Effect for each message. */
const sendLoop = (socket) =>
  Effect.gen(function* () {
    for (;;) {
      yield* Socket.send(socket, body)
      state.n++
    }
  })

const recvLoop = (socket) =>
  Effect.gen(function* () {
    for (;;) {
      yield* Socket.recv(socket)
      state.n++
    }
  })

const batch = Array.from({ length: batchSize }, () => body)

const sendAllLoop = (socket) =>
  Effect.gen(function* () {
    for (;;) {
      yield* Socket.sendAll(socket, batch)
      state.n += batchSize
    }
  })

const sinkLoop = (socket) => {
  const chunk = Chunk.unsafeFromArray(batch)
  const next = Effect.sync(() => {
    state.n += batchSize
    return chunk
  })
  return Stream.repeatEffectChunk(next).pipe(Stream.run(Push0.sink(socket)))
}

const streamLoop = (socket) =>
  Pull0.stream(socket).pipe(
    Stream.runForEachChunk((chunk) =>
      Effect.sync(() => {
        state.n += chunk.length
      })
    )
  )

const pushing = (loop) =>
  Effect.gen(function* () {
    const socket = yield* Push0.make()
    yield* Socket.dial(socket, url, dialOptions)
    yield* loop(socket)
  })

const pulling = (loop) =>
  Effect.gen(function* () {
    const socket = yield* Pull0.make()
    yield* listening(socket)
    yield* loop(socket)
  })

const serving = Effect.gen(function* () {
  const socket = yield* Rep0.make()
  yield* listening(socket)
  yield* Rep0.serve(socket, (request) => {
    state.n++
    return Effect.succeed(request)
  })
})

const tripLoop = (socket) =>
  Effect.gen(function* () {
    for (;;) {
      const started = performance.now()
      yield* Req0.request(socket, body)
      addTrip((performance.now() - started) * 1000)
      state.n++
    }
  })

const roles = {
  "send-op": pushing(sendLoop),
  "recv-op": pulling(recvLoop),
  "send-all": pushing(sendAllLoop),
  "send-sink": pushing(sinkLoop),
  "recv-stream": pulling(streamLoop),
  both: Effect.gen(function* () {
    const pull = yield* Pull0.make()
    const push = yield* Push0.make()
    yield* Socket.listen(pull, url)
    yield* Socket.dial(push, url)
    yield* Effect.forkScoped(
      Effect.gen(function* () {
        for (;;) yield* Socket.send(push, body)
      })
    )
    yield* recvLoop(pull)
  }),
  trips: Effect.gen(function* () {
    const rep = yield* Rep0.make()
    const req = yield* Req0.make()
    const listener = yield* Socket.listen(rep, url)
    yield* Socket.dial(req, listener.url)
    yield* Effect.forkScoped(Rep0.serve(rep, (request) => Effect.succeed(request)))
    yield* tripLoop(req)
  }),
  server: serving,
  client: Effect.gen(function* () {
    const socket = yield* Req0.make()
    yield* Socket.dial(socket, url)
    const asker = Effect.gen(function* () {
      for (;;) {
        yield* Req0.request(socket, body)
        state.n++
      }
    })
    yield* Effect.all(
      Array.from({ length: inFlight }, () => asker),
      { concurrency: "unbounded", discard: true }
    )
  }),
  "client-one": Effect.gen(function* () {
    const socket = yield* Req0.make()
    yield* Socket.dial(socket, url)
    yield* tripLoop(socket)
  })
}

if (process.env.WATCH_GAPS !== undefined) watchGaps()
const layer = url.startsWith("inproc") ? InprocTransport.layer : NodeTransport.layer
Effect.runFork(roles[role].pipe(Effect.scoped, Effect.provide(layer)))
