/** What a page needs that asks over ws, and nothing else: its size is that of docs/browser.md. */
import * as PlatformSocket from "@effect/platform/Socket"
import * as Effect from "effect/Effect"
import * as Message from "effect-nng/Message"
import * as Req0 from "effect-nng/Req0"
import * as Socket from "effect-nng/Socket"
import { Transports } from "effect-nng/Transport"
import * as WebSocketTransport from "effect-nng/WebSocketTransport"

const ask = (url: string, question: string): Promise<string> =>
  Effect.gen(function* () {
    const socket = yield* Req0.make()
    yield* Socket.dial(socket, url)
    return Message.text(yield* Req0.request(socket, question))
  }).pipe(
    Effect.scoped,
    Effect.provide(Transports.layer(WebSocketTransport.make())),
    Effect.provide(PlatformSocket.layerWebSocketConstructorGlobal),
    Effect.runPromise
  )

Object.assign(globalThis, { ask })
