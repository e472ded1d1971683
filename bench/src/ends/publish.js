// Ours, publishing; see publish.js.
//   publish.js pub|sub URL ACKS SUBSCRIBERS
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as NodeTransport from "../../../dist/NodeTransport.js"
import * as Pub0 from "../../../dist/Pub0.js"
import * as Pull0 from "../../../dist/Pull0.js"
import * as Push0 from "../../../dist/Push0.js"
import * as Socket from "../../../dist/Socket.js"
import * as Sub0 from "../../../dist/Sub0.js"
import { burst, burstOf, counter, queue, underWay } from "./bursts.js"
import { say, state } from "./child.js"

const [, , role, url, acks, subscribersText] = process.argv
const subscribers = Number(subscribersText)

const roles = {
  pub: Effect.gen(function* () {
    const pull = yield* Pull0.make({ recvTimeout: "2 seconds" })
    yield* Socket.listen(pull, acks)
    const pub = yield* Pub0.make({ sendBuffer: queue })
    const listener = yield* Socket.listen(pub, url)
    say({ port: Number(listener.url.split(":").at(-1)) })
    yield* Socket.awaitPeers(pub, subscribers)
    yield* Socket.awaitPeers(pull, 1)
    for (let [n, open] = [1, 0]; ; n++) {
      yield* Socket.sendAll(pub, burstOf(n))
      state.n += burst * subscribers
      if (++open < underWay) continue
      // one that was lost in part is not told of
      yield* Effect.ignore(Socket.recv(pull))
      open--
    }
  }),
  sub: Effect.gen(function* () {
    const push = yield* Push0.make({ sendBuffer: 100 })
    const all = yield* Effect.replicateEffect(Sub0.make({ recvBuffer: queue }), subscribers)
    const count = counter(subscribers, () => void Effect.runFork(Socket.send(push, "")))
    for (const sub of all) {
      const hear = Stream.runForEachChunk(Sub0.stream(sub, ""), (chunk) =>
        Effect.sync(() => {
          for (const message of chunk) count(message.body)
        })
      )
      yield* Effect.forkScoped(hear)
    }
    yield* Effect.yieldNow()
    for (const sub of all) yield* Socket.dial(sub, url)
    yield* Socket.dial(push, acks)
    yield* Effect.never
  })
}

Effect.runFork(roles[role].pipe(Effect.scoped, Effect.provide(NodeTransport.layer)))
