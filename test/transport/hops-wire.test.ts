import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Message from "effect-nng/Message"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Pair1 from "effect-nng/Pair1"
import * as Push0 from "effect-nng/Push0"
import * as Socket from "effect-nng/Socket"
import type { Transports } from "effect-nng/Transport"
import { leavesNone, turn } from "../support/handles.js"
import * as Peers from "../support/peers.js"
import { bytes, frame, header, hex, record, tagged } from "../support/peers.js"
import { headerOf } from "../support/words.js"

const test = <E>(name: string, effect: () => Effect.Effect<void, E, Scope.Scope | Transports>): void =>
  it.scopedLive(name, () => leavesNone(Effect.suspend(effect)).pipe(Effect.provide(NodeTransport.layer)))

/** A socket that listens, and a bare client that has greeted it. */
const greeted = <S extends Socket.Socket, E, R>(make: Effect.Effect<S, E, R>, protocol: number) =>
  Effect.gen(function* () {
    const socket = yield* make
    const pipes = yield* record(Socket.events(socket))
    const listener = yield* Socket.listen(socket, "tcp://127.0.0.1:0")
    const client = yield* Peers.dial(Peers.portOf(listener))
    yield* client.write(header(protocol))
    yield* client.read(8)
    yield* pipes.find(tagged("AddPost"))
    return { socket, pipes, client }
  })

const hop = (number: string, text: string) => frame(Buffer.concat([bytes(number), Buffer.from(text)]))

type Both = Effect.Effect<Socket.CanSend & Socket.CanRecv, unknown, Scope.Scope | Transports>

describe("over tcp, a bare client", () => {
  for (const [kind, make] of [
    ["pair1", Pair1.make()],
    ["polyamorous pair1", Pair1.makePoly()]
  ] as ReadonlyArray<readonly [string, Both]>) {
    test(`[WIRE-03] gets a frame of ${kind} that begins with one hop`, () =>
      Effect.gen(function* () {
        const { client, socket } = yield* greeted(make, 0x11)
        yield* Socket.send(socket, "hi")
        expect(hex(yield* client.read(14))).toBe("0000000000000006" + "00000001" + "6869")
      }))

    test(`[WIRE-04] of ${kind} is heard with 0 and 8 hops, and not with 9, which does no harm`, () =>
      Effect.gen(function* () {
        const { client, pipes, socket } = yield* greeted(make, 0x11)
        yield* client.write(hop("00000000", "zero"), hop("00000009", "nine"), hop("00000008", "eight"))
        const got = [yield* Socket.recv(socket), yield* Socket.recv(socket)]
        expect(got.map((message) => [headerOf(message), Message.text(message)])).toEqual([
          [[0], "zero"],
          [[8], "eight"]
        ])
        expect((yield* socket.statistics).dropped.hops).toBe(1)
        expect(pipes.tags()).toEqual(["AddPre", "AddPost"])
      }))

    for (const [what, bad, id] of [
      ["256 hops", hop("00000100", "x"), "[WIRE-04, PAIR1-06, POLY-05]"],
      ["hops that use the top byte", hop("01000001", "x"), "[WIRE-04, PAIR1-06, POLY-05]"],
      ["three bytes", frame(bytes("000000")), "[WIRE-04, PAIR1-05, POLY-05]"],
      ["nothing", frame(""), "[WIRE-04, PAIR1-05, POLY-05]"]
    ] as const) {
      test(`${id} of ${kind} is cut off for ${what}, and nothing is delivered`, () =>
        Effect.gen(function* () {
          const { client, pipes, socket } = yield* greeted(make, 0x11)
          yield* client.write(bad)
          expect((yield* pipes.find(tagged("RemPost"))).reason).toMatchObject({ _tag: "NNG_EPROTO" })
          yield* client.closed
          expect(yield* Socket.isReadable(socket)).toBe(false)
          expect((yield* socket.statistics).received).toBe(0)
        }))
    }
  }

  test("[WIRE-12] of push that says something is not heard, and keeps its place", () =>
    Effect.gen(function* () {
      const { client, pipes, socket } = yield* greeted(Push0.make(), 0x51)
      yield* client.write(frame("a"), frame("b"))
      while ((yield* socket.statistics).dropped.unexpected < 2) yield* turn
      yield* Socket.send(socket, "job")
      expect(hex(yield* client.read(11))).toBe(hex(frame("job")))
      expect(pipes.tags()).toEqual(["AddPre", "AddPost"])
    }))
})
