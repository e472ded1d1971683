import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as ByteStream from "effect-nng/ByteStream"
import type * as Scope from "effect/Scope"
import * as Net from "node:net"
import { NodeDuplex } from "../../src/internal/node/duplex.js"
import { adopt, makeSocket } from "../../src/internal/node/reading.js"

/** Both ends of a connection: one that was accepted, and the one that dialed. */
const connection: Effect.Effect<{ readonly accepted: Net.Socket; readonly dialed: Net.Socket }, never, Scope.Scope> =
  Effect.acquireRelease(
    Effect.async((resume) => {
      const server = Net.createServer({ pauseOnConnect: true })
      server.listen({ host: "127.0.0.1", port: 0 }, () => {
        const dialed = makeSocket({})
        server.once("connection", (accepted) => {
          server.close()
          resume(Effect.succeed({ accepted, dialed }))
        })
        dialed.connect((server.address() as Net.AddressInfo).port, "127.0.0.1")
      })
    }),
    ({ accepted, dialed }) =>
      Effect.sync(() => {
        accepted.destroy()
        dialed.destroy()
      })
  )

const streamOf = (socket: Net.Socket) => ByteStream.make(new NodeDuplex(socket), {})

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()

/** Reads until so many bytes have come. */
const readAll = (stream: ByteStream.ByteStream, length: number) =>
  Effect.gen(function* () {
    const chunks: Array<Uint8Array> = []
    for (let left = length; left > 0; left -= chunks.at(-1)!.length) chunks.push(yield* stream.read)
    return chunks
  })

describe("the reads of Node's sockets", () => {
  it.scopedLive("what came stays as it was, whatever comes later and on which connection", () =>
    Effect.gen(function* () {
      const [one, other] = [yield* connection, yield* connection]
      const ends = [adopt(one.accepted), one.dialed, adopt(other.accepted), other.dialed].map(streamOf)
      const kept: Array<Uint8Array> = []
      for (let round = 0; round < 3; round++) {
        for (const [n, end] of ends.entries()) {
          yield* end.write(Buffer.from(`from ${n} in ${round}`))
          kept.push(...(yield* readAll(ends[n ^ 1]!, 11)))
        }
      }
      const expected = Array.from({ length: 12 }, (_, n) => `from ${n % 4} in ${Math.floor(n / 4)}`)
      expect(kept.map(text).join()).toBe(expected.join())
    })
  )

  it.scopedLive("an accepted socket that was adopted ends with its peer, and the one that had it is closed", () =>
    Effect.gen(function* () {
      const { accepted, dialed } = yield* connection
      const end = streamOf(adopt(accepted))
      expect(accepted.destroyed).toBe(true)
      dialed.end("bye")
      expect(text((yield* readAll(end, 3))[0]!)).toBe("bye")
      expect((yield* Effect.flip(end.read))._tag).toBe("NNG_ECONNSHUT")
    })
  )

  it.scopedLive("where Node has changed within, an accepted socket is read as it is", () =>
    Effect.gen(function* () {
      const { accepted, dialed } = yield* connection
      const { _handle: handle } = accepted as unknown as { _handle: { useUserBuffer: unknown } }
      handle.useUserBuffer = undefined
      expect(adopt(accepted)).toBe(accepted)
      const [left, right] = [streamOf(accepted), streamOf(dialed)]
      yield* right.write(Buffer.from("to the left"))
      expect(text((yield* readAll(left, 11))[0]!)).toBe("to the left")
      yield* left.write(Buffer.from("to the right"))
      expect(text((yield* readAll(right, 12))[0]!)).toBe("to the right")
    })
  )

  it.scopedLive("bytes are put where their owner offers, once, and elsewhere again after", () =>
    Effect.gen(function* () {
      const { accepted, dialed } = yield* connection
      const duplex = new NodeDuplex(adopt(accepted))
      const room = new Uint8Array(100)
      const chunks: Array<Uint8Array> = []
      const next = (bytes: string) =>
        Effect.async<void>((resume) => {
          duplex.start({
            onPull: (chunk) => {
              chunks.push(chunk)
              if (chunks.length === 1) duplex.offer(room)
              resume(Effect.void)
            },
            onDrain: () => {},
            onClose: () => {}
          })
          expect(duplex.pull()).toBeUndefined()
          dialed.write(bytes)
        })
      for (const bytes of ["a", "b", "c"]) yield* next(bytes)
      expect(chunks.map((chunk) => chunk.buffer === room.buffer)).toEqual([false, true, false])
      expect(chunks.map(text)).toEqual(["a", "b", "c"])
    })
  )
})
