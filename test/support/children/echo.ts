import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Listener from "effect-nng/Listener"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Pair0 from "effect-nng/Pair0"
import * as Socket from "effect-nng/Socket"

/** Sends back what comes over descriptor 3, which is a connection, or listens at the URL given; ends when the peer does. */
const [url = "socket://"] = process.argv.slice(2)

const program = Effect.gen(function* () {
  const socket = yield* Pair0.make()
  const gone = yield* Effect.fork(
    Stream.runDrain(Stream.takeUntil(Socket.events(socket), ({ _tag }) => _tag === "RemPost"))
  )
  yield* Effect.yieldNow()
  const fd = url.startsWith("tcp:") ? { tcp: { listenFd: 3 } } : url.startsWith("ipc:") ? { ipc: { listenFd: 3 } } : {}
  const listener = yield* Socket.listen(socket, url, fd)
  if (url === "socket://") yield* Listener.adopt(listener, 3)
  process.stdout.write(`${listener.url}\n`)
  yield* Effect.raceFirst(
    gone.await,
    Effect.forever(Effect.flatMap(Socket.recv(socket), (message) => Socket.send(socket, message)))
  )
}).pipe(Effect.scoped, Effect.provide(NodeTransport.layer))

NodeRuntime.runMain(program)
