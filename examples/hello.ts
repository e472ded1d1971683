import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Message from "effect-nng/Message"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Pair0 from "effect-nng/Pair0"
import * as Socket from "effect-nng/Socket"

const program = Effect.gen(function* () {
  const server = yield* Pair0.make()
  const { url } = yield* Socket.listen(server, "tcp://127.0.0.1:0")

  const client = yield* Pair0.make()
  yield* Socket.dial(client, url)
  yield* Socket.send(client, "Hello, NNG")

  const message = yield* Socket.recv(server, { timeout: "1 second" })
  yield* Console.log(Message.text(message))
}).pipe(
  Effect.catchTag("NNG_ECONNREFUSED", (error) => Console.error(error.message)),
  Effect.scoped,
  Effect.provide(NodeTransport.layer)
)

NodeRuntime.runMain(program)
