import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Errors from "effect-nng/Errors"
import * as Message from "effect-nng/Message"
import * as NodeTransport from "effect-nng/NodeTransport"
import type * as Pipe from "effect-nng/Pipe"
import * as Rep0 from "effect-nng/Rep0"
import * as Req0 from "effect-nng/Req0"
import * as Respondent0 from "effect-nng/Respondent0"
import * as Socket from "effect-nng/Socket"
import * as Surveyor0 from "effect-nng/Surveyor0"
import type { Transports } from "effect-nng/Transport"
import { leavesNone } from "../support/handles.js"
import * as Peers from "../support/peers.js"
import { frame, header, hex, record, tagged } from "../support/peers.js"
import { bytesOf, id, wordsOf } from "../support/words.js"

/**
 * The network is real and the clock stands still: whatever is served here is served without waiting for any time.
 */
const test = <E>(name: string, effect: () => Effect.Effect<void, E, Scope.Scope | Transports>): void =>
  it.effect(name, () => leavesNone(Effect.suspend(effect)).pipe(Effect.provide(NodeTransport.layer)))

const endless = { surveyTime: Duration.infinity }

/** A socket that listens, and a client that speaks its peer's protocol by hand. */
const serving = <S extends Socket.Socket>(make: Effect.Effect<S, Errors.EINVAL, Scope.Scope | Transports>) =>
  Effect.gen(function* () {
    const socket = yield* make
    const pipes = yield* record(Socket.events(socket))
    const listener = yield* Socket.listen(socket, "tcp://127.0.0.1:0")
    const client = yield* Peers.dial(Peers.portOf(listener))
    yield* client.write(header(socket.protocol.peer))
    expect(hex(yield* client.read(8))).toBe(hex(header(socket.protocol.number)))
    yield* Socket.awaitPeers(socket, 1)
    return { socket, pipes, client }
  })

const framed = (words: ReadonlyArray<number>, body = "") => frame(Buffer.concat([bytesOf(...words), Buffer.from(body)]))

/** What a client reads: the words of it, as many as there are, and the rest as text. */
const readFrame = (client: Peers.Peer, words: number, body: string) =>
  Effect.map(client.read(8 + 4 * words + body.length), (bytes) => {
    expect(hex(bytes.slice(0, 8))).toBe(hex(Peers.length(4 * words + body.length)))
    expect(Buffer.from(bytes.slice(8 + 4 * words)).toString()).toBe(body)
    return wordsOf(bytes.slice(8, 8 + 4 * words))
  })

/** The pipe has ended for what the peer did wrong, and the client sees that. */
const cutOff = ({ client, pipes }: { readonly client: Peers.Peer; readonly pipes: Peers.Recorder<Pipe.PipeEvent> }) =>
  Effect.gen(function* () {
    const { reason } = yield* pipes.find(tagged("RemPost"))
    expect(reason).toMatchObject({ _tag: "NNG_EPROTO" })
    yield* client.closed
  })

type Any = Effect.Effect<Socket.Socket, Errors.EINVAL, Scope.Scope | Transports>

const answerers: ReadonlyArray<readonly [name: string, make: Any]> = [
  ["rep", Rep0.make()],
  ["raw rep", Rep0.makeRaw({ recvBuffer: 9 })],
  ["respondent", Respondent0.make()],
  ["raw respondent", Respondent0.makeRaw({ recvBuffer: 9 })]
]

const askers: ReadonlyArray<readonly [name: string, make: Any]> = [
  ["req", Req0.make()],
  ["raw req", Req0.makeRaw()],
  ["surveyor", Surveyor0.make(endless)],
  ["raw surveyor", Surveyor0.makeRaw()]
]

const recvText = (socket: Socket.Socket) => Effect.map(Socket.recv(socket as Socket.CanRecv), Message.text)

describe("over tcp, from a client that plays by hand", () => {
  test("[WIRE-05] a question of req begins with a word whose top bit is set", () =>
    Effect.gen(function* () {
      const { client, socket } = yield* serving(Req0.make())
      yield* Socket.send(socket, "q")
      const [word] = yield* readFrame(client, 1, "q")
      expect(word).toBeGreaterThanOrEqual(0x80000000)
      yield* client.write(framed([word!], "a"))
      expect(yield* Effect.map(Socket.recv(socket), Message.text)).toBe("a")
    }))

  test("[WIRE-05] a survey of a surveyor begins with a word whose top bit is set", () =>
    Effect.gen(function* () {
      const { client, socket } = yield* serving(Surveyor0.make(endless))
      yield* Socket.send(socket, "s")
      const [word] = yield* readFrame(client, 1, "s")
      expect(word).toBeGreaterThanOrEqual(0x80000000)
      yield* client.write(framed([word!], "r"))
      expect(yield* Effect.map(Socket.recv(socket), Message.text)).toBe("r")
    }))

  for (const [name, make] of [...answerers, ...askers]) {
    test(`[WIRE-06] three bytes end the pipe of a ${name}`, () =>
      Effect.gen(function* () {
        const served = yield* serving(make)
        yield* served.client.write(frame("abc"))
        yield* cutOff(served)
        expect((yield* served.socket.statistics).received).toBe(0)
      }))
  }

  for (const [name, make] of answerers) {
    test(`[WIRE-07] a word without its top bit set, and no more, ends the pipe of a ${name}`, () =>
      Effect.gen(function* () {
        const served = yield* serving(make)
        yield* served.client.write(framed([1]))
        yield* cutOff(served)
      }))

    test(`[WIRE-08, WIRE-09] nine words, with an end or without, are dropped by a ${name}, and eight arrive`, () =>
      Effect.gen(function* () {
        const { client, pipes, socket } = yield* serving(make)
        const eight = [1, 2, 3, 4, 5, 6, 7, 8]
        yield* client.write(
          framed([...eight, 9]),
          framed([...eight, id(9)], "too many"),
          framed([...eight.slice(1), id(8)], "eight")
        )
        expect(yield* recvText(socket)).toBe("eight")
        expect((yield* socket.statistics).dropped.hops).toBe(2)
        expect(pipes.tags()).toEqual(["AddPre", "AddPost"])
      }))
  }

  test("[WIRE-10] an answer that req did not ask for is dropped, and the next is received", () =>
    Effect.gen(function* () {
      const { client, pipes, socket } = yield* serving(Req0.make())
      yield* Socket.send(socket, "q")
      const [word] = yield* readFrame(client, 1, "q")
      yield* client.write(framed([(word! ^ 1) >>> 0], "no"), framed([word! & 0x7fffffff], "no"), framed([word!], "yes"))
      expect(yield* Effect.map(Socket.recv(socket), Message.text)).toBe("yes")
      expect((yield* socket.statistics).dropped.stale).toBe(2)
      expect(pipes.tags()).toEqual(["AddPre", "AddPost"])
    }))

  test("[WIRE-10] a response to no survey is dropped, and the next is received", () =>
    Effect.gen(function* () {
      const { client, pipes, socket } = yield* serving(Surveyor0.make(endless))
      yield* Socket.send(socket, "s")
      const [word] = yield* readFrame(client, 1, "s")
      yield* client.write(framed([(word! ^ 1) >>> 0], "no"), framed([word! & 0x7fffffff], "no"), framed([word!], "yes"))
      expect(yield* Effect.map(Socket.recv(socket), Message.text)).toBe("yes")
      expect((yield* socket.statistics).dropped.stale).toBe(2)
      expect(pipes.tags()).toEqual(["AddPre", "AddPost"])
    }))

  test("what a respondent answers has the words of the survey", () =>
    Effect.gen(function* () {
      const { client, socket } = yield* serving(Respondent0.make())
      yield* client.write(framed([7, 8, id(9)], "s"))
      expect(yield* Effect.map(Socket.recv(socket), Message.text)).toBe("s")
      yield* Socket.send(socket, "r")
      expect(yield* readFrame(client, 3, "r")).toEqual([7, 8, id(9)])
    }))
})
