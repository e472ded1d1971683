import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as ByteTransport from "effect-nng/ByteTransport"
import * as Errors from "effect-nng/Errors"
import * as Protocol from "effect-nng/Protocol"
import type { HandshakeError } from "effect-nng/Transport"
import * as Url from "effect-nng/Url"
import { FakeBytes } from "../support/duplex.js"
import { pair0 } from "../support/peers.js"

const url = Either.getOrThrow(Url.parse("slow://somewhere"))
const target = { url, protocol: Protocol.pair0, recvMaxSize: 0, options: {} }

/** A transport whose connections, either way, are opened as the test says. */
const opensBy = (...opens: ReadonlyArray<ByteTransport.ByteConnection["open"]>): ByteTransport.ByteTransport => {
  let next = 0
  const made = Effect.sync(() => ({ properties: {}, open: opens[next++]! }))
  return {
    schemes: ["slow"],
    options: [],
    check: () => Either.void,
    connect: () => made,
    listen: () => Effect.succeed({ url, accept: made })
  }
}

const greeted = (): FakeBytes => {
  const bytes = new FakeBytes()
  bytes.arrive(pair0)
  return bytes
}

/** Both ways to a connection of messages, and both ways to one of bytes. */
const ways: ReadonlyArray<
  readonly [name: string, over: (transport: ByteTransport.ByteTransport) => Effect.Effect<unknown, unknown>]
> = [
  ["a dial", (transport) => Effect.scoped(ByteTransport.make(transport).dial(target))],
  [
    "an accept",
    (transport) =>
      ByteTransport.make(transport)
        .listen(target)
        .pipe(
          Effect.flatMap(({ accept }) => Effect.flatMap(accept, ({ handshake }) => handshake)),
          Effect.scoped
        )
  ],
  [
    "a dial of bytes",
    (transport) =>
      Effect.scoped(ByteTransport.dial(url.href)).pipe(
        Effect.provide(Layer.orDie(ByteTransport.ByteTransports.layer(transport)))
      )
  ],
  [
    "an accept of bytes",
    (transport) =>
      ByteTransport.listen(url.href).pipe(
        Effect.flatMap(({ accept }) => Effect.flatMap(accept, ({ open }) => open)),
        Effect.scoped,
        Effect.provide(Layer.orDie(ByteTransport.ByteTransports.layer(transport)))
      )
  ]
]

const settle = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

for (const [name, over] of ways) {
  describe(`a connection that is upgraded after ${name}`, () => {
    it.effect("has ten seconds, and is closed then", () =>
      Effect.gen(function* () {
        let closed = false
        const open = Effect.zipRight(
          Effect.addFinalizer(() => Effect.sync(() => (closed = true))),
          Effect.never
        )
        const waiting = yield* Effect.fork(Effect.flip(over(opensBy(open))))
        yield* settle
        yield* TestClock.adjust(9_999)
        expect(yield* Fiber.poll(waiting)).toMatchObject({ _tag: "None" })
        yield* TestClock.adjust(1)
        expect(yield* Fiber.join(waiting)).toMatchObject({ _tag: "NNG_ETIMEDOUT" })
        expect(closed).toBe(true)
      })
    )

    it.effect("fails as the upgrade does", () =>
      Effect.gen(function* () {
        const open: Effect.Effect<never, HandshakeError> = new Errors.ECRYPTO({ reason: "not TLS" })
        expect(yield* Effect.flip(over(opensBy(open)))).toMatchObject({ _tag: "NNG_ECRYPTO", reason: "not TLS" })
      })
    )
  })
}

describe("the deadline of a handshake", () => {
  it.effect("is one for the upgrade and the SP header, however late the first is done", () =>
    Effect.gen(function* () {
      const silent = new FakeBytes()
      const open = Effect.as(Effect.sleep("9 seconds"), silent.stream)
      const waiting = yield* Effect.fork(Effect.flip(Effect.scoped(ByteTransport.make(opensBy(open)).dial(target))))
      yield* settle
      yield* TestClock.adjust("9 seconds")
      yield* settle
      expect(silent.output.toString("hex")).toBe("0053500000100000")
      expect(yield* Fiber.poll(waiting)).toMatchObject({ _tag: "None" })
      yield* TestClock.adjust("1 second")
      expect(yield* Fiber.join(waiting)).toMatchObject({ _tag: "NNG_ETIMEDOUT" })
    })
  )

  it.scoped("is each connection's own: one that is not done holds off no other", () =>
    Effect.gen(function* () {
      const never = yield* Deferred.make<never>()
      const transport = ByteTransport.make(
        opensBy(
          Deferred.await(never),
          Effect.sync(() => greeted().stream)
        )
      )
      const { accept } = yield* transport.listen(target)
      const first = yield* Effect.fork(Effect.flatMap(accept, ({ handshake }) => handshake))
      yield* settle
      const second = yield* Effect.flatMap(accept, ({ handshake }) => handshake)
      expect(second.peerProtocol).toBe(0x10)
      expect(yield* Fiber.poll(first)).toMatchObject({ _tag: "None" })
    })
  )
})
