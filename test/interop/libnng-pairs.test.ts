import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Bus0 from "effect-nng/Bus0"
import type * as Errors from "effect-nng/Errors"
import * as Message from "effect-nng/Message"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Pair1 from "effect-nng/Pair1"
import * as Socket from "effect-nng/Socket"
import type { Transports } from "effect-nng/Transport"
import * as Peers from "../support/cpeer.js"
import { MiB, inC, numbers, padded } from "../support/cpeer.js"
import { leavesNone } from "../support/handles.js"
import { roles } from "../support/meet.js"
import { record, tagged } from "../support/peers.js"
import type { Program } from "../support/programs.js"
import { headed, headerOf } from "../support/words.js"

type Any = Effect.Effect<void, unknown, Scope.Scope | Transports>

const test = (name: string, effect: () => Any): void =>
  it.scopedLive(name, () => leavesNone(Effect.suspend(effect)).pipe(Effect.provide(NodeTransport.layer)), 30_000)

const pairs: ReadonlyArray<Effect.Effect<Pair1.Pair1 | Pair1.Pair1Poly, Errors.EINVAL, Scope.Scope | Transports>> = [
  Pair1.make(),
  Pair1.makePoly()
]

const seen = (message: Message.Message) => [headerOf(message), Message.text(message)]

/** So many of what comes. */
const take = (socket: Socket.CanRecv<Errors.EBUSY>, count: number) =>
  Effect.map(Stream.runCollect(Stream.take(Socket.stream(socket), count)), (messages) => Array.from(messages))

/** What each of the others said. */
const byPipe = (messages: ReadonlyArray<Message.Message>) => {
  const pipes = new Map<number, Array<string>>()
  for (const message of messages) {
    const texts = pipes.get(message.pipeId) ?? []
    pipes.set(message.pipeId, [...texts, Message.text(message)])
  }
  return pipes
}

/** How it prints them. */
const shown = (texts: ReadonlyArray<string | number>) => texts.map((text) => `${String(text).length} ${text}`)

/** A bus of ours that listens, and so many of theirs that dialed it. */
const busOf = <S extends Bus0.Bus0 | Bus0.Bus0Raw>(
  make: (options: Bus0.MakeOptions) => Effect.Effect<S, unknown, Scope.Scope | Transports>,
  count: number,
  mode: string,
  ...args: ReadonlyArray<string>
) =>
  Effect.gen(function* () {
    const socket = yield* make({ sendBuffer: 8192, recvBuffer: 8192 })
    const { url } = yield* Socket.listen(socket, "tcp://127.0.0.1:0")
    const peers: ReadonlyArray<Program> = yield* Effect.replicateEffect(Peers.run(mode, "dial", url, ...args), count)
    yield* Socket.awaitPeers(socket, count)
    return { socket, peers }
  })

Peers.suite("libnng, pair1 and bus", () => {
  for (const [name, meet] of roles) {
    test(`a pair1 ${name} and ours say a thousand messages in order, empty ones, and megabytes`, () =>
      Effect.gen(function* () {
        for (const make of pairs) {
          for (const [count, size] of [
            [1000, 1],
            [3, MiB]
          ] as const) {
            const { peer, socket } = yield* meet(make, inC("pair1", count, size))
            const got = yield* take(socket, count)
            expect(got.map(Message.text)).toEqual(numbers(count).map((n) => padded(n, size)))
            expect(headerOf(got[0]!)).toEqual([1])
            const ours = [...numbers(100).map(String), "", "end"]
            // a polyamorous one does not wait for room
            yield* Socket.sendAll(socket, [padded("large", MiB)])
            const large = yield* peer.lines(1)
            yield* Socket.sendAll(socket, ours)
            expect([large, (yield* peer.lines(1 + ours.length)).slice(1)]).toEqual([[`${MiB} large`], shown(ours)])
          }
        }
      }))

    test(`a raw pair1 ${name} counts hops as ours does, and drops what had too many`, () =>
      Effect.gen(function* () {
        const words = ["00000000", "00000001", "00000007", "00000008", "00000002"]
        const { peer, socket } = yield* meet(Pair1.makeRaw(), inC("raw-pair1", ...words))
        expect((yield* take(socket, 4)).map(seen)).toEqual([
          [[1], "0"],
          [[2], "1"],
          [[8], "2"],
          [[3], "4"]
        ])
        expect((yield* socket.statistics).dropped.hops).toBe(1)
        for (const hops of [0, 3, 7, 8, 1]) yield* Socket.send(socket, headed([hops], `left-${hops}`))
        expect(yield* peer.lines(4)).toEqual([
          "00000001 6 left-0",
          "00000004 6 left-3",
          "00000008 6 left-7",
          "00000002 6 left-1"
        ])
      }))

    test(`a bus ${name} and ours hear each other, in order, a thousand of ours, and megabytes`, () =>
      Effect.gen(function* () {
        const make = Bus0.make({ sendBuffer: 8192, recvBuffer: 8192 })
        // theirs keeps sixteen for each of its pipes, whatever its buffer
        for (const [count, size] of [
          [16, 1],
          [3, MiB]
        ] as const) {
          const { peer, socket } = yield* meet(make, inC("bus", count, size))
          const got = yield* take(socket, count)
          expect(got.map(Message.text)).toEqual(numbers(count).map((n) => padded(n, size)))
          expect(got[0]!.headerLength).toBe(0)
          const ours = [...numbers(1000).map(String), ""]
          yield* Socket.sendAll(socket, [...ours, padded("large", MiB)])
          expect(yield* peer.lines(1002)).toEqual([...shown(ours), `${MiB} large`])
        }
      }))

    test(`a raw bus ${name} has a pipe in its headers, as ours has, and neither sends it`, () =>
      Effect.gen(function* () {
        // no pipe of ours has this number, and what names none of its own goes to all of them
        const { peer, socket } = yield* meet(Bus0.makeRaw(), inC("raw-bus", "00000000", "00000000"))
        const [first] = yield* take(socket, 2)
        expect(seen(first!)).toEqual([[first!.pipeId], "0"])
        // back to where it came from it does not go
        yield* Socket.send(socket, first!)
        yield* Socket.send(socket, headed([first!.pipeId ^ 1], "one"))
        yield* Socket.send(socket, headed([0], "two"))
        const lines = (yield* peer.lines(2)).map((line) => /^([0-7][0-9a-f]{7}) 3 (\w+)$/.exec(line)!)
        expect(lines.map((line) => line[2])).toEqual(["one", "two"])
        expect(parseInt(lines[0]![1]!, 16)).toBeGreaterThan(0)
        expect(lines[1]![1]).toBe(lines[0]![1])
      }))
  }

  test("a polyamorous pair1 that we dial twice answers each of ours", () =>
    Effect.gen(function* () {
      const first = yield* Pair1.make()
      const { peer, socket } = yield* roles[1]![1](Pair1.makePoly(), inC("poly"))
      const [pipe] = yield* Socket.pipes(socket).get
      yield* Socket.dial(first, pipe!.origin.url)
      for (const n of numbers(20)) {
        yield* Socket.send(first, `first-${n}`)
        yield* Socket.send(socket, `second-${n}`)
        expect([yield* Socket.recv(first), yield* Socket.recv(socket)].map(Message.text)).toEqual([
          `first-${n}`,
          `second-${n}`
        ])
      }
      yield* Socket.sendAll(first, ["", padded("large", MiB)])
      expect((yield* take(first, 2)).map(Message.text)).toEqual(["", padded("large", MiB)])
      expect((yield* peer.lines(42)).length).toBe(42)
    }))

  test("our polyamorous pair1 answers several of theirs, each by its pipe, and counts what was for one that is killed", () =>
    Effect.gen(function* () {
      const socket = yield* Pair1.makePoly()
      const pipes = yield* record(Socket.events(socket))
      const { url } = yield* Socket.listen(socket, "tcp://127.0.0.1:0")
      const peers = yield* Effect.replicateEffect(Peers.run("pair1", "dial", url, "10", "1"), 3)
      const got = yield* take(socket, 30)
      const from = byPipe(got)
      expect([...from.values()]).toEqual(numbers(3).map(() => numbers(10).map(String)))
      for (const [pipe] of from) yield* Pair1.sendTo(socket, pipe, `to-${pipe}`)
      const told = yield* Effect.forEach(peers, (peer) => Effect.map(peer.lines(1), ([line]) => line!.split("-")[1]))
      expect(told.map(Number).sort()).toEqual([...from.keys()].sort())
      yield* peers[0]!.kill
      const { pipe } = yield* pipes.find(tagged("RemPost"))
      for (const [id] of from) yield* Pair1.sendTo(socket, id, "rest")
      for (const peer of peers.slice(1)) expect((yield* peer.lines(2))[1]).toBe("4 rest")
      expect([pipe.id, (yield* socket.statistics).dropped.unroutable]).toEqual([Number(told[0]), 1])
    }))

  test("three on a bus hear ours, and we each of them; one that is killed costs the others nothing", () =>
    Effect.gen(function* () {
      const { peers, socket } = yield* busOf(Bus0.make, 3, "bus", "10", "1")
      const got = yield* take(socket, 30)
      const from = byPipe(got)
      expect([...from.values()]).toEqual(numbers(3).map(() => numbers(10).map(String)))
      yield* Socket.sendAll(socket, numbers(100).map(String))
      yield* peers[0]!.kill
      yield* Socket.sendAll(
        socket,
        numbers(100).map((n) => String(100 + n))
      )
      for (const peer of peers.slice(1)) expect(yield* peer.lines(200)).toEqual(shown(numbers(200)))
    }))

  test("a raw bus of ours passes on what three of theirs say, to all but who said it", () =>
    Effect.gen(function* () {
      const { peers, socket } = yield* busOf(Bus0.makeRaw, 3, "bus", "1", "1")
      const said = yield* take(socket, 3)
      for (const message of said) yield* Socket.send(socket, message)
      yield* Socket.send(socket, headed([0], "all"))
      for (const peer of peers) expect(yield* peer.lines(3)).toEqual(["1 0", "1 0", "3 all"])
    }))

  test("a raw bus of theirs passes on what one of ours says to the others", () =>
    Effect.gen(function* () {
      const { peer, socket } = yield* roles[1]![1](Bus0.make(), inC("raw-relay", 0, 1))
      const [pipe] = yield* Socket.pipes(socket).get
      const others: Array<Bus0.Bus0> = []
      // whoever is heard is there
      for (const n of numbers(2)) {
        const other = yield* Bus0.make()
        yield* Socket.dial(other, pipe!.origin.url)
        yield* Socket.send(other, `here-${n}`)
        yield* peer.lines(n + 1)
        expect(Message.text(yield* Socket.recv(socket))).toBe(`here-${n}`)
        others.push(other)
      }
      yield* Socket.send(socket, "news")
      expect((yield* peer.lines(3))[2]).toMatch(/^[0-7][0-9a-f]{7} 4 news$/)
      expect(Message.text(yield* Socket.recv(others[1]!))).toBe("news")
      const heard = yield* take(others[0]!, 2)
      expect(heard.map(Message.text)).toEqual(["here-1", "news"])
      yield* Socket.send(others[0]!, "bye")
      expect(Message.text(yield* Socket.recv(socket))).toBe("bye")
    }))
})
