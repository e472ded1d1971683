import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Message from "effect-nng/Message"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Pub0 from "effect-nng/Pub0"
import * as Socket from "effect-nng/Socket"
import type { Transports } from "effect-nng/Transport"
import { leavesNone } from "../support/handles.js"
import * as Peers from "../support/peers.js"
import { frame, header, portOf } from "../support/peers.js"
import { settle } from "../support/sockets.js"

const test = <E>(name: string, effect: () => Effect.Effect<void, E, Scope.Scope | Transports>): void =>
  it.scopedLive(name, () => leavesNone(Effect.suspend(effect)).pipe(Effect.provide(NodeTransport.layer)))

const sub0 = header(0x21)

const size = 100_000

/** Message number n, which begins with its number. */
const numbered = (n: number): Message.Message => {
  const body = new Uint8Array(size)
  new DataView(body.buffer).setUint32(0, n)
  return Message.fromBytes(body)
}

test("[WIRE-11] of a hundred messages a client that does not read has the first that fit, and the last three", () =>
  Effect.gen(function* () {
    const pub = yield* Pub0.make({ sendBuffer: 3 })
    const listener = yield* Socket.listen(pub, "tcp://127.0.0.1:0")
    const peer = yield* Peers.dial(portOf(listener))
    yield* peer.write(sub0)
    yield* peer.read(8)
    yield* Socket.awaitPeers(pub, 1)
    peer.socket.pause()
    for (let n = 0; n < 100; n++) yield* Effect.zipRight(Socket.send(pub, numbered(n), { nonblocking: true }), settle)
    peer.socket.resume()
    const { full } = (yield* pub.statistics).dropped
    const numbers: Array<number> = []
    while (numbers.length < 100 - full) {
      const bytes = yield* peer.read(8 + size)
      expect(bytes.subarray(0, 8)).toEqual(frame(new Uint8Array(size)).subarray(0, 8))
      numbers.push(new DataView(bytes.buffer, bytes.byteOffset + 8, 4).getUint32(0))
    }
    const leading = numbers.length - 3
    expect(leading).toBeGreaterThan(0)
    expect(full).toBeGreaterThan(0)
    expect(numbers).toEqual([...Array.from({ length: leading }, (_, n) => n), 97, 98, 99])
  }))

test("[PUB-07] a client that does not read costs the others nothing", () =>
  Effect.gen(function* () {
    const pub = yield* Pub0.make({ sendBuffer: 1 })
    const listener = yield* Socket.listen(pub, "tcp://127.0.0.1:0")
    const join = Effect.tap(Peers.dial(portOf(listener)), (peer) => Effect.zipRight(peer.write(sub0), peer.read(8)))
    const [slow, fast] = [yield* join, yield* join]
    yield* Socket.awaitPeers(pub, 2)
    slow.socket.pause()
    for (let n = 0; n < 200; n++) {
      yield* Socket.send(pub, numbered(n))
      const bytes = yield* fast.read(8 + size)
      expect(new DataView(bytes.buffer, bytes.byteOffset + 8, 4).getUint32(0)).toBe(n)
    }
    expect((yield* pub.statistics).dropped.full).toBeGreaterThan(0)
  }))
