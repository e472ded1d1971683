import { describe, expect, it } from "@effect/vitest"
import * as Aio from "effect-nng/Aio"
import * as ByteStream from "effect-nng/ByteStream"
import * as Dialer from "effect-nng/Dialer"
import * as Listener from "effect-nng/Listener"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Pair0 from "effect-nng/Pair0"
import * as Socket from "effect-nng/Socket"
import { Transports } from "effect-nng/Transport"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { PassThrough } from "node:stream"
import { NodeDuplex } from "../../src/internal/node/duplex.js"
import { leavesNone, turn } from "../support/handles.js"
import { awaitReadable, begin, failing, network, pair, recvText, settle, yields } from "../support/sockets.js"

describe("a pair whose peer left messages behind", () => {
  /** A socket with one unread message of a peer that is gone. */
  const bereft = Effect.gen(function* () {
    const socket = yield* Pair0.make()
    yield* Socket.listen(socket, "inproc://x")
    const life = yield* Scope.make()
    const peer = yield* Scope.extend(Pair0.make(), life)
    yield* Scope.extend(Socket.dial(peer, "inproc://x"), life)
    yield* Socket.send(peer, "left behind")
    yield* awaitReadable(socket)
    return { socket, leave: Scope.close(life, Exit.void) }
  })

  it.scoped("keeps them as long as nobody sends", () =>
    Effect.gen(function* () {
      const { leave, socket } = yield* bereft
      yield* leave
      yield* settle
      expect(yield* recvText(socket)).toBe("left behind")
    }).pipe(Effect.provide(network))
  )

  for (const order of ["before", "after"] as const) {
    it.scoped(`gives them up for a send that came ${order} the end, which waits for the next peer`, () =>
      Effect.gen(function* () {
        const { leave, socket } = yield* bereft
        // one is in between and one with the peer, so the third has to wait
        if (order === "before") yield* Socket.sendAll(socket, ["1", "2"])
        const third = order === "before" ? yield* begin(Socket.send(socket, "to the next")) : undefined
        yield* leave
        yield* settle
        const sending = third ?? (yield* begin(Socket.send(socket, "to the next")))
        yield* settle
        const next = yield* Pair0.make()
        yield* Socket.dial(next, "inproc://x")
        expect(yield* recvText(next)).toBe("to the next")
        yield* Fiber.join(sending)
        expect((yield* socket.statistics).dropped.disconnected).toBeGreaterThan(0)
      }).pipe(Effect.provide(network))
    )
  }

  it.scoped("gives them up for what is in its send buffer", () =>
    Effect.gen(function* () {
      const { leave, socket } = yield* bereft
      yield* Socket.configure(socket, { sendBuffer: 1 })
      yield* Socket.sendAll(socket, ["1", "2", "to the next"])
      yield* leave
      yield* settle
      const next = yield* Pair0.make()
      yield* Socket.dial(next, "inproc://x")
      expect(yield* recvText(next)).toBe("to the next")
    }).pipe(Effect.provide(network))
  )
})

describe("what ends in an unlucky moment", () => {
  it.scoped("every interleaving of a message, a close and a receive with a time-out is a result or NNG_ECLOSED", () =>
    Effect.gen(function* () {
      const ends = new Set<string>()
      for (let steps = 0; steps < 40; steps++) {
        yield* Effect.scoped(
          Effect.gen(function* () {
            const { left, right } = yield* pair()
            const waiting = yield* begin(Socket.recv(right, { timeout: "1 minute" }))
            yield* settle
            yield* Effect.fork(Effect.zipRight(yields(steps % 8), Socket.send(left, "x")))
            yield* yields(steps >> 3)
            yield* right.close
            const exit = yield* Fiber.await(waiting)
            ends.add(Exit.isSuccess(exit) ? "Success" : exit.cause._tag)
          })
        )
      }
      expect([...ends].sort()).toEqual(["Fail", "Success"])
    }).pipe(Effect.provide(network))
  )

  it.scopedLive("a tcp listener whose start was interrupted holds no port", () =>
    leavesNone(
      Effect.gen(function* () {
        const socket = yield* Pair0.make()
        for (let steps = 1; steps < 30; steps++) {
          const listener = yield* Listener.make(socket, "tcp://127.0.0.1:0")
          const starting = yield* Effect.fork(Listener.start(listener))
          yield* yields(steps)
          yield* Fiber.interrupt(starting)
        }
        // for what Node does in its next turn, whatever happened meanwhile
        yield* turn
      }).pipe(Effect.scoped, Effect.provide(NodeTransport.layer))
    )
  )

  it.scoped("a dial that succeeds while its dialer closes makes no pipe", () =>
    Effect.gen(function* () {
      const transport = (yield* Transports).get("inproc")!
      const connected = yield* Deferred.make<void>()
      const closing = yield* Deferred.make<void>()
      const goOn = yield* Deferred.make<void>()
      const slow = {
        ...transport,
        dial: (target: Parameters<typeof transport.dial>[0]) =>
          Effect.gen(function* () {
            const connection = yield* transport.dial(target)
            yield* Effect.addFinalizer(() => Effect.zipRight(Deferred.succeed(closing, void 0), Deferred.await(goOn)))
            yield* Deferred.succeed(connected, void 0)
            yield* Deferred.await(closing)
            return connection
          })
      }
      yield* Effect.gen(function* () {
        yield* Socket.listen(yield* Pair0.make(), "inproc://x")
        const socket = yield* Pair0.make()
        const dialer = yield* Socket.dial(socket, "inproc://x", { nonblocking: true })
        yield* Deferred.await(connected)
        const ending = yield* Effect.fork(dialer.close)
        yield* settle
        yield* Deferred.succeed(goOn, void 0)
        yield* Fiber.join(ending)
        yield* settle
        expect((yield* socket.statistics).pipes).toBe(0)
      }).pipe(Effect.scoped, Effect.provide(Transports.layer(Effect.succeed(slow))))
    }).pipe(Effect.provide(network))
  )

  it.scoped("dialers that failed leave nothing in the scope that they were made in", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { state } = scope as unknown as { readonly state: { readonly finalizers: ReadonlyMap<unknown, unknown> } }
      const socket = yield* Pair0.make()
      for (let i = 0; i < 10; i++) {
        yield* failing(Scope.extend(Socket.dial(socket, "inproc://nobody"), scope), "NNG_ECONNREFUSED")
      }
      expect(state.finalizers.size).toBe(0)
      yield* Scope.extend(Socket.dial(socket, "inproc://nobody", { nonblocking: true }), scope)
      expect(state.finalizers.size).toBe(1)
    }).pipe(Effect.provide(network))
  )

  it.scoped("an aio that is stopped in its own callback does not wait for itself", () =>
    Effect.gen(function* () {
      const self = yield* Deferred.make<Aio.Aio>()
      const aio = yield* Aio.make({ callback: () => Effect.flatMap(Deferred.await(self), Aio.stop) })
      yield* Deferred.succeed(self, aio)
      yield* Effect.flatten(Aio.start(aio, Effect.void))
      yield* Aio.wait(aio)
      yield* failing(Effect.flatten(Aio.start(aio, Effect.void)) as Effect.Effect<void, never>, "NNG_ESTOPPED" as never)
    })
  )

  it.scopedLive("a stream that had ended before it was wrapped says so", () =>
    Effect.gen(function* () {
      const ended = new PassThrough()
      ended.destroy()
      yield* Effect.async<void>((resume) => void ended.once("close", () => resume(Effect.void)))
      yield* failing(ByteStream.make(new NodeDuplex(ended), {}).read, "NNG_ECLOSED")
    })
  )

  it.scoped("a dialer that is closed is closed once", () =>
    Effect.gen(function* () {
      const dialer = yield* Dialer.make(yield* Pair0.make(), "inproc://x")
      yield* dialer.close
      yield* failing(dialer.close, "NNG_ENOENT")
    }).pipe(Effect.provide(network))
  )
})
