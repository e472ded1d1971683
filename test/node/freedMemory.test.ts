import { expect, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Pull0 from "effect-nng/Pull0"
import * as Push0 from "effect-nng/Push0"
import * as Socket from "effect-nng/Socket"

const largest = 31 * 1024 * 1024

it.scopedLive("large bodies show the allocator a larger block, once, and small ones do not", () =>
  Effect.gen(function* () {
    const allocate = vi.spyOn(Buffer, "allocUnsafeSlow")
    yield* Effect.addFinalizer(() => Effect.sync(() => allocate.mockRestore()))
    const shown = () => allocate.mock.calls.filter(([size]) => size > largest).length
    const [push, pull] = [yield* Push0.make(), yield* Pull0.make()]
    const listener = yield* Socket.listen(pull, "tcp://127.0.0.1:0")
    yield* Socket.dial(push, listener.url)
    const through = (size: number) =>
      Effect.gen(function* () {
        yield* Effect.fork(Socket.send(push, new Uint8Array(size)))
        expect((yield* Socket.recv(pull)).length).toBe(size)
      })
    for (let i = 0; i < 5; i++) yield* through(4 * 1024)
    expect(shown()).toBe(0)
    for (let i = 0; i < 5; i++) yield* through(4 * 1024 * 1024)
    expect(shown()).toBe(process.platform === "linux" ? 1 : 0)
  }).pipe(Effect.provide(NodeTransport.layerTcp))
)
