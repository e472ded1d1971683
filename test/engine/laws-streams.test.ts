/**
 * What the end of a stream, or of a sink, does to messages: one delivers what it has pulled, a chunk at a time, and what
 * is left of the chunk is lost with it.
 */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as Message from "effect-nng/Message"
import * as Pair0 from "effect-nng/Pair0"
import * as Socket from "effect-nng/Socket"
import { elsewhere, forSeeds, inprocAlone, interruptNow } from "../support/laws.js"
import { begin, drain, ended, marry, pair, recvText, settle, yields } from "../support/sockets.js"

const numbered = (count: number, from = 0): Array<string> => Array.from({ length: count }, (_, n) => String(from + n))

const texts = (socket: Socket.CanRecv, chunkSize?: number): Stream.Stream<string, Socket.RecvError> =>
  Stream.map(Socket.stream(socket, chunkSize === undefined ? {} : { chunkSize }), Message.text)

const collect = <A, E>(stream: Stream.Stream<A, E>): Effect.Effect<ReadonlyArray<A>, E> =>
  Effect.map(Stream.runCollect(stream), (chunk) => Array.from(chunk))

/** A pair whose left side has so many messages to receive. */
const stocked = (count: number) =>
  Effect.gen(function* () {
    const sockets = yield* pair({ left: { recvBuffer: count }, right: { sendBuffer: count } })
    yield* Socket.sendAll(sockets.right, numbered(count))
    yield* yields(4 * count)
    yield* settle
    return sockets
  })

describe.skipIf(elsewhere)("a stream that ends early", () => {
  it.scoped("with chunks of one leaves the rest, exactly, to whoever receives next", () =>
    forSeeds(40, (roll) =>
      Effect.gen(function* () {
        const count = 1 + roll(60)
        const { left } = yield* stocked(count)
        const got: Array<string> = []
        // whatever has a way to end early, and single receives in between
        while (got.length < count) {
          const n = 1 + roll(Math.min(7, count - got.length))
          const stream = texts(left, 1)
          const last = String(got.length + n - 1)
          const ways = [
            collect(Stream.take(stream, n)),
            collect(Stream.takeUntil(stream, (text) => text === last)),
            collect(
              Stream.take(
                Stream.tap(stream, () => Effect.yieldNow()),
                n
              )
            ),
            Effect.replicateEffect(recvText(left), n)
          ]
          got.push(...(yield* ways[roll(ways.length)]!))
          expect((yield* left.statistics).received).toBe(got.length)
        }
        expect(got).toEqual(numbered(count))
      }).pipe(Effect.scoped, Effect.provide(inprocAlone))
    )
  )

  it.scoped("loses what it had pulled in the same chunk, and so less than `chunkSize`", () => {
    let most = 0
    return Effect.map(
      forSeeds(60, (roll) =>
        Effect.gen(function* () {
          const [count, chunkSize] = [40 + roll(40), 1 + roll(10)]
          const { left } = yield* stocked(count)
          const taken = 1 + roll(count)
          const got = yield* collect(Stream.take(texts(left, chunkSize), taken))
          const { received } = yield* left.statistics
          expect(got).toEqual(numbered(taken))
          // whole chunks were pulled, and no more of them than needed
          expect(received).toBe(Math.min(count, Math.ceil(taken / chunkSize) * chunkSize))
          expect(received - taken).toBeLessThan(chunkSize)
          most = Math.max(most, received - taken)
          expect(yield* drain(left)).toEqual(numbered(count - received, received))
        }).pipe(Effect.scoped, Effect.provide(inprocAlone))
      ),
      () => expect(most).toBeGreaterThan(5)
    )
  })

  it.scoped("has chunks of 1024 if nobody says otherwise", () =>
    Effect.gen(function* () {
      const { left } = yield* stocked(2000)
      expect(yield* collect(Stream.take(texts(left), 3))).toEqual(numbered(3))
      expect((yield* left.statistics).received).toBe(1024)
      expect(yield* recvText(left)).toBe("1024")
    }).pipe(Effect.provide(inprocAlone))
  )
})

describe.skipIf(elsewhere)("a stream that is interrupted while it waits", () => {
  it.scoped("has taken nothing, in the tick of the arrival included", () =>
    forSeeds(4, (roll) =>
      Effect.gen(function* () {
        const { left, right } = yield* pair({ left: { recvBuffer: 8 }, right: { sendBuffer: 8 } })
        const got: Array<string> = []
        let sent = 0
        let interruptedInVain = 0
        for (let run = 0; run < 400; run++) {
          const chunkSize = roll(2) === 0 ? 1 : 1 + roll(4)
          const fiber = yield* Effect.fork(
            Stream.runForEach(texts(left, chunkSize), (text) => Effect.sync(() => void got.push(text)))
          )
          yield* yields(1 + roll(3))
          const before = got.length
          const batch = numbered(1 + roll(2), sent)
          yield* Socket.sendAll(right, batch)
          sent += batch.length
          yield* yields(roll(7))
          interruptNow(fiber)
          expect(Exit.isInterrupted(yield* Fiber.await(fiber))).toBe(true)
          if (got.length === before) interruptedInVain++
          expect((yield* left.statistics).received, `run ${run}`).toBe(got.length)
          yield* yields(3)
          // at times somebody else receives what it left
          if (roll(2) === 0) while (got.length < sent) got.push(yield* recvText(left))
          if (sent - got.length > 5) got.push(...(yield* drain(left)))
        }
        got.push(...(yield* drain(left)))
        expect(got).toEqual(numbered(sent))
        expect(interruptedInVain).toBeGreaterThan(20)
      }).pipe(Effect.scoped, Effect.provide(inprocAlone))
    )
  )

  it.scoped("ends where the socket is closed, having delivered all that it took", () =>
    Effect.gen(function* () {
      const { left } = yield* stocked(10)
      const got: Array<string> = []
      const fiber = yield* begin(Stream.runForEach(texts(left, 3), (text) => Effect.sync(() => void got.push(text))))
      expect(got).toEqual(numbered(10))
      yield* left.close
      yield* Fiber.join(fiber)
      expect((yield* left.statistics).received).toBe(10)
    }).pipe(Effect.provide(inprocAlone))
  )
})

describe.skipIf(elsewhere)("a sink that is interrupted while it waits", () => {
  it.scoped("leaves out that message and what follows; those before went once, in order", () =>
    forSeeds(200, (roll) =>
      Effect.gen(function* () {
        const { left, right } = yield* pair({ right: { sendBuffer: roll(4) } })
        const count = 1 + roll(30)
        const chunks = Stream.rechunk(Stream.fromIterable(numbered(count)), 1 + roll(6))
        const fiber = yield* Effect.fork(Stream.run(chunks, Socket.sink(right)))
        yield* yields(roll(5))
        const got: Array<string> = []
        for (let n = 0, reads = roll(count); n < reads; n++) {
          got.push(yield* recvText(left))
          yield* yields(roll(4))
        }
        interruptNow(fiber)
        const exit = yield* Fiber.await(fiber)
        const { sent } = yield* right.statistics
        got.push(...(yield* drain(left)))
        expect(got).toEqual(numbered(sent))
        if (Exit.isSuccess(exit)) expect(sent).toBe(count)
        // nothing of it is sent afterwards
        yield* Socket.send(right, "after")
        expect(yield* drain(left)).toEqual(["after"])
        expect((yield* right.statistics).sent).toBe(sent + 1)
      }).pipe(Effect.scoped, Effect.provide(inprocAlone))
    )
  )

  it.scoped("as long as there is no peer, has sent what the buffer holds", () =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make({ sendBuffer: 2 })
      const fiber = yield* begin(Stream.run(Stream.fromIterable(numbered(5)), Socket.sink(socket)))
      expect(yield* ended(fiber)).toBe(false)
      yield* Fiber.interrupt(fiber)
      const peer = yield* Pair0.make()
      yield* marry(peer, socket)
      expect(yield* drain(peer)).toEqual(["0", "1"])
    }).pipe(Effect.provide(inprocAlone))
  )
})
