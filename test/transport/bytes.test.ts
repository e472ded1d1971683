import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as ByteStream from "effect-nng/ByteStream"
import * as ByteTransport from "effect-nng/ByteTransport"
import * as NodeTransport from "effect-nng/NodeTransport"
import { networkInterfaces } from "node:os"
import * as Tcp from "../../src/internal/node/tcp.js"
import { leavesNone } from "../support/handles.js"
import * as Paths from "../support/paths.js"

const test = <E>(
  name: string,
  effect: () => Effect.Effect<void, E, Scope.Scope | ByteTransport.ByteTransports>
): void => it.scopedLive(name, () => leavesNone(Effect.suspend(effect)).pipe(Effect.provide(NodeTransport.layerBytes)))

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const encoded = (text: string) => new TextEncoder().encode(text)

/** An address of this machine that only a scope makes one. */
const linkLocal = Object.entries(networkInterfaces()).flatMap(([name, all = []]) =>
  all.flatMap(({ address }) => (address.startsWith("fe80:") ? [`tcp://[${address}%${name}]:0`] : []))
)

const places: ReadonlyArray<readonly [name: string, url: Effect.Effect<string, never, Scope.Scope>]> = [
  ["tcp", Effect.succeed("tcp://127.0.0.1:0")],
  ["tcp over IPv6", Effect.succeed("tcp://[::1]:0")],
  ...linkLocal.slice(0, 1).map((url) => ["a link-local address", Effect.succeed(url)] as const),
  ["ipc", Paths.url("ipc")],
  ["unix", Paths.url("unix")],
  ...(Paths.abstract
    ? [["abstract", Paths.name] as const, ["an abstract name of its own", Effect.succeed("abstract://")] as const]
    : [])
]

for (const [name, url] of places) {
  describe(`bytes over ${name}`, () => {
    test("go both ways, as another protocol wants them, until one end closes in good order", () =>
      Effect.gen(function* () {
        const acceptor = yield* ByteTransport.listen(yield* url)
        const serving = yield* Effect.fork(
          Effect.scoped(
            Effect.gen(function* () {
              const stream = yield* Effect.flatMap(acceptor.accept, ({ open }) => open)
              yield* stream.write(encoded("you said: "), yield* stream.read)
            })
          )
        )
        const stream = yield* ByteTransport.dial(acceptor.url.href)
        yield* stream.write(encoded("GET /"))
        const answer = yield* Stream.runFold(ByteStream.stream(stream), "", (all, bytes) => all + text(bytes))
        expect(answer).toBe("you said: GET /")
        yield* Fiber.join(serving)
        expect(stream.properties.remoteAddress).toBeDefined()
        expect(yield* Effect.flip(stream.read)).toMatchObject({ _tag: "NNG_ECONNSHUT" })
      }))

    test("a read that waits is ended by closing, and writing to what is closed fails", () =>
      Effect.gen(function* () {
        const acceptor = yield* ByteTransport.listen(yield* url)
        const stream = yield* ByteTransport.dial(acceptor.url.href)
        const reading = yield* Effect.fork(Effect.flip(stream.read))
        yield* Effect.yieldNow()
        yield* stream.close
        expect(yield* Fiber.join(reading)).toMatchObject({ _tag: "NNG_ECLOSED" })
        expect(yield* Effect.flip(stream.write(encoded("x")))).toMatchObject({ _tag: "NNG_ECLOSED" })
      }))
  })
}

describe("transports of bytes", () => {
  test("refuse what they do not have", () =>
    Effect.gen(function* () {
      const failing = <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.flip(self)
      const ipc: string = "ipc:///tmp/x"
      expect(yield* failing(ByteTransport.dial("http://127.0.0.1:1"))).toMatchObject({ _tag: "NNG_ENOTSUP" })
      expect(yield* failing(ByteTransport.dial("nonsense"))).toMatchObject({ _tag: "NNG_EINVAL" })
      expect(yield* failing(ByteTransport.dial("socket://"))).toMatchObject({ _tag: "NNG_ENOTSUP" })
      expect(yield* failing(ByteTransport.dial(ipc, { tcp: {} }))).toMatchObject({
        _tag: "NNG_ENOTSUP",
        address: ipc,
        reason: "ipc:// has no tcp options"
      })
      expect(yield* failing(ByteTransport.listen("tcp://127.0.0.1:0" as string, { ipc: {} }))).toMatchObject({
        reason: "tcp:// has no ipc options"
      })
      expect(yield* failing(ByteTransport.dial("ipc:///no/such/socket"))).toMatchObject({ _tag: "NNG_ECONNREFUSED" })
    }))

  it.effect("serve a scheme once", () =>
    Effect.gen(function* () {
      const layer = ByteTransport.ByteTransports.layer(Tcp.bytes, Tcp.bytes)
      expect(yield* Effect.flip(Effect.scoped(Layer.build(layer)))).toMatchObject({
        _tag: "NNG_EEXIST",
        reason: "two transports serve tcp://"
      })
    })
  )
})
