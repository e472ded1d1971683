import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Errors from "effect-nng/Errors"
import * as Pair0 from "effect-nng/Pair0"
import * as Socket from "effect-nng/Socket"
import * as TestTransport from "effect-nng/TestTransport"

it.scoped("a program of a node that fails is told, logged and recorded", () => {
  const logged: Array<unknown> = []
  const logger = Logger.replace(
    Logger.defaultLogger,
    Logger.make(({ message }) => void logged.push(message))
  )
  const url = "tcp://b.example:7"
  return Effect.gen(function* () {
    yield* TestTransport.failNextListen(url, new Errors.EADDRINUSE())
    const server = Effect.flatMap(Pair0.make(), (socket) => Effect.zipRight(Socket.listen(socket, url), Effect.never))
    const fiber = yield* TestTransport.run("b", server)
    expect(yield* Effect.flip(Fiber.join(fiber))).toMatchObject({ _tag: "NNG_EADDRINUSE" })
    const failed = (yield* TestTransport.history).filter(({ _tag }) => _tag === "ProgramFailed")
    expect(failed).toEqual([
      { _tag: "ProgramFailed", at: 0, node: "b", error: expect.stringContaining("Address in use") }
    ])
    expect(JSON.stringify(logged)).toContain("the program of node b failed")
    expect(yield* TestTransport.diagram()).toContain("its program fails")
  }).pipe(Effect.provide(TestTransport.layerSimulated({ places: [url] })), Effect.provide(logger))
})

it.scoped("what has not arrived is drawn as such, and told once more when it does", () =>
  Effect.gen(function* () {
    const listener = yield* TestTransport.listen("tcp://b.example:7", { node: "b" })
    const peer = yield* TestTransport.dial(listener.url)
    yield* peer.write("arrives")
    yield* Effect.sleep(1)
    yield* TestTransport.partition("local", "b")
    yield* peer.write("waits")
    yield* Effect.sleep(1)
    const cut = yield* TestTransport.diagram()
    expect(cut).toMatch(/◁.*7 B/)
    expect(cut).toMatch(/….*5 B/)
    yield* TestTransport.heal()
    yield* Effect.sleep(1)
    expect(yield* TestTransport.diagram()).toMatch(/◁.*5 B arrive/)
  }).pipe(Effect.provide(TestTransport.layerSimulated()))
)
