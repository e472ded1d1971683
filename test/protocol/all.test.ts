import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Aio from "effect-nng/Aio"
import * as Errors from "effect-nng/Errors"
import * as Message from "effect-nng/Message"
import * as Socket from "effect-nng/Socket"
import type { Transports } from "effect-nng/Transport"
import { counted, failure } from "../support/aios.js"
import type { Kind } from "../support/protocols.js"
import { kinds } from "../support/protocols.js"
import { drain, failing, inproc, marry, settle } from "../support/sockets.js"

type Body = (kind: Kind) => Effect.Effect<void, unknown, Scope.Scope | Transports>

/** The same for all that it concerns. */
const each = (title: string, concerns: (kind: Kind) => unknown, body: Body): void => {
  for (const kind of kinds.filter(concerns)) {
    it.scoped(title.replace("$", kind.name), () => Effect.provide(body(kind), inproc))
  }
}

const receives = (kind: Kind) => kind.receives
const blocks = (kind: Kind) => kind.blocks

/** A socket with a receive that waits. */
const receiving = (kind: Kind) =>
  Effect.gen(function* () {
    const socket = yield* kind.make()
    yield* kind.ready?.(socket) ?? Effect.void
    const { aio, results } = yield* counted()
    const pending = yield* Socket.recvAio(socket, aio)
    yield* settle
    expect(yield* Aio.busy(aio)).toBe(true)
    return { socket, aio, results, pending }
  })

/** A message that its application has made as it has to be. */
const back = (kind: Kind): Message.Message => {
  const message = Message.make("back")
  if (kind.header !== undefined) Message.Header.append(message, kind.header)
  return message
}

/** A socket with a send that waits. */
const sending = (kind: Kind) =>
  Effect.gen(function* () {
    const socket = yield* kind.make()
    const { aio, results } = yield* counted()
    const pending = yield* Socket.sendAio(socket, aio, back(kind))
    yield* settle
    expect(yield* Aio.busy(aio)).toBe(true)
    return { socket, aio, results, pending }
  })

const returned = (aio: Aio.Aio) => Effect.map(Aio.message(aio), Option.map(Message.text))

const peerOf = (kind: Kind) => kinds.find((other) => other.protocol.number === kind.protocol.peer)!

describe("every socket", () => {
  each(
    "[ALL-02] $ says whether it is raw",
    () => true,
    (kind) =>
      Effect.gen(function* () {
        const socket = yield* kind.make()
        expect([socket.raw, Socket.isRaw(socket)]).toEqual([kind.raw, kind.raw])
        expect(socket.protocol).toBe(kind.protocol)
      })
  )

  each(
    "[ALL-03] $ that listens refuses who is not its peer",
    () => true,
    (kind) =>
      Effect.gen(function* () {
        for (const [at, other] of kinds.entries()) {
          if (other.protocol.number === kind.protocol.peer) continue
          const [listening, dialing] = [yield* kind.make(), yield* other.make()]
          const url = `inproc://stranger-${at}`
          yield* Socket.listen(listening, url)
          yield* failing(Socket.dial(dialing, url), "NNG_EPROTO")
          expect([(yield* Socket.pipes(listening).get).length, (yield* Socket.pipes(dialing).get).length]).toEqual([
            0, 0
          ])
          yield* settle
          expect((yield* listening.statistics).reject).toBeGreaterThan(0)
        }
      })
  )

  each("[ALL-05] $ receives nothing on a stopped aio", receives, (kind) =>
    Effect.gen(function* () {
      const socket = yield* kind.make()
      yield* kind.ready?.(socket) ?? Effect.void
      const { aio, results } = yield* counted()
      yield* Aio.stop(aio)
      yield* failing(yield* Socket.recvAio(socket, aio), "NNG_ESTOPPED")
      yield* settle
      expect(results.map((result) => result._tag)).toEqual(["Failure"])
    })
  )

  each(
    "[ALL-06] $ sends nothing on a stopped aio",
    (kind) => ["pair", "pair1", "push", "bus"].includes(kind.protocol.name),
    (kind) =>
      Effect.gen(function* () {
        const [socket, peer] = [yield* kind.make(), yield* peerOf(kind).make()]
        yield* marry(socket, peer)
        const { aio } = yield* counted()
        yield* Aio.stop(aio)
        yield* failing(yield* Socket.sendAio(socket, aio, back(kind)), "NNG_ESTOPPED")
        expect(yield* returned(aio)).toEqual(Option.some("back"))
        expect(yield* drain(peer)).toEqual([])
      })
  )

  each("[ALL-07] $ has a receive that can be cancelled", receives, (kind) =>
    Effect.gen(function* () {
      const { aio, pending, results } = yield* receiving(kind)
      yield* Aio.cancel(aio)
      yield* failing(pending, "NNG_ECANCELED")
      expect(results).toMatchObject([failure("NNG_ECANCELED")])
    })
  )

  each("[ALL-08] $ has a send that can be cancelled, and gives back the message", blocks, (kind) =>
    Effect.gen(function* () {
      const { aio, pending } = yield* sending(kind)
      yield* Aio.cancel(aio)
      yield* failing(pending, "NNG_ECANCELED")
      expect(yield* returned(aio)).toEqual(Option.some("back"))
    })
  )

  each("[ALL-09] $ has a receive that ends with what it is aborted with", receives, (kind) =>
    Effect.gen(function* () {
      for (const error of [new Errors.ESTATE(), new Errors.EINTERNAL()]) {
        const { aio, pending } = yield* receiving(kind)
        yield* Aio.abort(aio, error)
        expect(yield* Effect.flip(pending)).toBe(error)
      }
    })
  )

  each("[ALL-10] $ that is closed ends its receives, and there is no message", receives, (kind) =>
    Effect.gen(function* () {
      const { aio, pending, socket } = yield* receiving(kind)
      yield* socket.close
      yield* failing(pending, "NNG_ECLOSED")
      expect(yield* Aio.message(aio)).toEqual(Option.none())
    })
  )

  each("[ALL-11] $ that is closed ends its sends, and gives back the message", blocks, (kind) =>
    Effect.gen(function* () {
      const { aio, pending, socket } = yield* sending(kind)
      yield* socket.close
      yield* failing(pending, "NNG_ECLOSED")
      expect(yield* returned(aio)).toEqual(Option.some("back"))
    })
  )

  each(
    "[ALL-12] $ with nothing to receive times out at once, or says that it would wait",
    (kind) => kind.receives && kind.protocol.name !== "surveyor",
    (kind) =>
      Effect.gen(function* () {
        const socket = yield* kind.make()
        yield* kind.ready?.(socket) ?? Effect.void
        yield* failing(Socket.recv(socket, { nonblocking: true }), "NNG_EAGAIN")
        const { aio } = yield* counted({ timeout: 0 })
        yield* failing(yield* Socket.recvAio(socket, aio), "NNG_ETIMEDOUT")
      })
  )
})

describe("its options", () => {
  const options = ["sendBuffer", "recvBuffer"] as const

  each(
    "[ALL-14, ALL-15] $ takes buffers in their range, and no others",
    (kind) => kind.sendBuffer ?? kind.recvBuffer,
    (kind) =>
      Effect.gen(function* () {
        const socket = yield* kind.make()
        for (const name of options) {
          const range = kind[name]
          if (range === undefined) continue
          const [least, most] = range
          for (const value of new Set([least, 1, 3, 100, most])) {
            yield* Socket.configure(socket, { [name]: value })
            expect((yield* Socket.settings(socket))[name]).toBe(value)
          }
          for (const value of [least - 1, -1, most + 1, 8193, 100_000, 1_000_000, 1.5]) {
            yield* failing(Socket.configure(socket, { [name]: value }), "NNG_EINVAL")
            yield* failing(kind.make({ [name]: value }), "NNG_EINVAL")
            expect((yield* Socket.settings(socket))[name]).toBe(most)
          }
        }
      })
  )

  each(
    "[ALL-16] $ has these buffers by default",
    (kind) => kind.sendBuffer ?? kind.recvBuffer,
    (kind) =>
      Effect.gen(function* () {
        const settings = yield* Socket.settings(yield* kind.make())
        for (const name of options) if (kind[name] !== undefined) expect(settings[name]).toBe(kind[name][2])
      })
  )

  each(
    "[ALL-17] $ counts devices, 8 by default",
    (kind) => kind.ttl,
    (kind) =>
      Effect.gen(function* () {
        const socket = yield* kind.make()
        expect((yield* Socket.settings(socket)).ttl).toBe(8)
        for (const ttl of [1, 3, 15]) {
          yield* Socket.configure(socket, { ttl })
          expect((yield* Socket.settings(socket)).ttl).toBe(ttl)
        }
        for (const ttl of [0, -1, 16, 256, 1000]) {
          yield* failing(Socket.configure(socket, { ttl }), "NNG_EINVAL")
          yield* failing(kind.make({ ttl }), "NNG_EINVAL")
        }
        expect((yield* Socket.settings(socket)).ttl).toBe(15)
      })
  )
})
