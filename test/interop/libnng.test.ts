import { expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Device from "effect-nng/Device"
import * as Dialer from "effect-nng/Dialer"
import * as Message from "effect-nng/Message"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Pub0 from "effect-nng/Pub0"
import * as Pull0 from "effect-nng/Pull0"
import * as Push0 from "effect-nng/Push0"
import * as Rep0 from "effect-nng/Rep0"
import * as Req0 from "effect-nng/Req0"
import * as Respondent0 from "effect-nng/Respondent0"
import * as Socket from "effect-nng/Socket"
import * as SocketContext from "effect-nng/SocketContext"
import * as Sub0 from "effect-nng/Sub0"
import * as Surveyor0 from "effect-nng/Surveyor0"
import type { Transports } from "effect-nng/Transport"
import * as Peers from "../support/cpeer.js"
import { MiB, inC, numbers, padded } from "../support/cpeer.js"
import { leavesNone } from "../support/handles.js"
import { hex, record, tagged } from "../support/peers.js"
import { roles, weListen } from "../support/meet.js"
import { freePort } from "../support/programs.js"

type Any = Effect.Effect<void, unknown, Scope.Scope | Transports>

const test = (name: string, effect: () => Any): void =>
  it.scopedLive(name, () => leavesNone(Effect.suspend(effect)).pipe(Effect.provide(NodeTransport.layer)), 30_000)

/** A sub that has its topic before it meets anybody. */
const subscribed = (topic: string, options?: Sub0.Options) =>
  Effect.tap(Sub0.make(options), (socket) => Effect.orDie(Sub0.addTopic(socket, topic)))

/** Answers with the question. */
const echo = (request: Message.Message) => Effect.succeed(Uint8Array.from(request.body))

/** A device of ours, with both sides listening. */
const ourDevice = Effect.gen(function* () {
  const [clients, workers] = [yield* Rep0.makeRaw(), yield* Req0.makeRaw()]
  const front = yield* Socket.listen(clients, "tcp://127.0.0.1:0")
  const back = yield* Socket.listen(workers, "tcp://127.0.0.1:0")
  yield* Effect.forkScoped(Device.run(clients, workers))
  return { front: front.url, back: back.url, clients, workers }
})

/** The first answer to this survey. */
const answer = (socket: Surveyor0.Surveyor0, text: string) =>
  Effect.map(Stream.runHead(Surveyor0.survey(socket, text, { timeout: "1 minute" })), (first) =>
    Option.match(first, { onNone: () => undefined, onSome: Message.text })
  )

Peers.suite("libnng", () => {
  test("asks and answers through a device of ours", () =>
    Effect.gen(function* () {
      const { back, clients, front, workers } = yield* ourDevice
      yield* Peers.run("rep", "dial", back, "1")
      yield* Peers.run("rep", "dial", back, "1")
      yield* Socket.awaitPeers(workers, 2)
      const asking = yield* Effect.replicateEffect(Peers.run("req", "dial", front, "8", "50", "20"), 3)
      for (const peer of asking) yield* peer.prints("done\n")
      const total = 3 * 8 * 50
      for (const socket of [clients, workers]) {
        expect(yield* socket.statistics).toMatchObject({ sent: total, received: total })
      }
    }))

  test("has a device too, and asks through it and ours in a chain", () =>
    Effect.gen(function* () {
      const rep = yield* Rep0.make()
      const answering = yield* Socket.listen(rep, "tcp://127.0.0.1:0")
      yield* Effect.forkScoped(Rep0.serve(rep, echo))
      const { back, front, workers } = yield* ourDevice
      yield* Peers.run("device", "dial", back, answering.url)
      yield* Socket.awaitPeers(workers, 1)
      const req = yield* Req0.make()
      yield* Socket.dial(req, front)
      const answers = yield* Effect.forEach(numbers(100), (n) => Req0.request(req, `question ${n}`), {
        concurrency: "unbounded"
      })
      expect(answers.map(Message.text)).toEqual(numbers(100).map((n) => `question ${n}`))
    }))

  for (const [name, meet] of roles) {
    test(`a rep ${name} answers many requests over one connection, the last first`, () =>
      Effect.gen(function* () {
        const { peer, socket } = yield* meet(Req0.make(), inC("rep", 32))
        const done: Array<number> = []
        const answers = yield* Effect.forEach(
          numbers(64),
          (n) => Effect.tap(Req0.request(socket, `question ${n}`), () => Effect.sync(() => done.push(n))),
          { concurrency: "unbounded" }
        )
        expect(answers.map(Message.text)).toEqual(numbers(64).map((n) => `question ${n}`))
        // they came in the other order
        expect(done.indexOf(0)).toBeGreaterThan(done.indexOf(31))
        expect(yield* peer.lines(64)).toHaveLength(64)
        expect((yield* Socket.pipes(socket).get).length).toBe(1)
        expect((yield* socket.statistics).dropped.stale).toBe(0)
      }))

    test(`a rep ${name} answers contexts, each its own`, () =>
      Effect.gen(function* () {
        const { socket } = yield* meet(Req0.make(), inC("rep", 3))
        const contexts = yield* Effect.replicateEffect(SocketContext.make(socket), 3)
        for (const [i, context] of contexts.entries()) yield* SocketContext.send(context, `context ${i}`)
        const answers = yield* Effect.forEach(contexts, (context) => SocketContext.recv(context))
        expect(answers.map(Message.text)).toEqual(["context 0", "context 1", "context 2"])
        expect(answers.map(({ headerLength }) => headerLength)).toEqual([0, 0, 0])
      }))

    test(`a rep ${name} answers a thousand requests in order, and empty ones, and a megabyte`, () =>
      Effect.gen(function* () {
        const { peer, socket } = yield* meet(Req0.make(), inC("rep", 1))
        const ask = (body: string) =>
          Effect.zipRight(Socket.send(socket, body), Effect.map(Socket.recv(socket), Message.text))
        for (const n of numbers(1000)) expect(yield* ask(String(n))).toBe(String(n))
        expect(yield* ask("")).toBe("")
        expect(yield* ask(padded("large", MiB))).toBe(padded("large", MiB))
        const lines = yield* peer.lines(1002)
        expect(lines.slice(0, 1000)).toEqual(numbers(1000).map((n) => `${String(n).length} ${n}`))
        expect(lines.slice(1000)).toEqual(["0 ", `${MiB} large`])
      }))

    test(`a req ${name} asks with many contexts at once, and we answer the last first`, () =>
      Effect.gen(function* () {
        const { peer, socket } = yield* meet(Rep0.make(), inC("req", 16, 5, 20))
        const held: Array<Deferred.Deferred<void>> = []
        const most = { now: 0 }
        yield* Effect.forkScoped(
          Rep0.serve(
            socket,
            (request) =>
              Effect.gen(function* () {
                const gate = yield* Deferred.make<void>()
                held.push(gate)
                most.now = Math.max(most.now, held.length)
                // whoever makes the number full opens the last gate, and each opens the one before
                if (held.length === 16) yield* Deferred.succeed(held.at(-1)!, void 0)
                yield* Deferred.await(gate)
                held.pop()
                if (held.length > 0) yield* Deferred.succeed(held.at(-1)!, void 0)
                return yield* echo(request)
              }),
            { concurrency: 16 }
          )
        )
        yield* peer.prints("done\n")
        expect(most.now).toBe(16)
        expect((yield* Socket.pipes(socket).get).length).toBe(1)
      }))

    test(`a req ${name} asks a thousand times, one after the other`, () =>
      Effect.gen(function* () {
        const { peer, socket } = yield* meet(Rep0.make(), inC("req", 1, 1000, 1))
        yield* Effect.forkScoped(Rep0.serve(socket, echo))
        yield* peer.prints("done\n")
      }))

    test(`a req ${name} asks with nothing, and with a megabyte`, () =>
      Effect.gen(function* () {
        for (const size of [0, MiB]) {
          const { peer, socket } = yield* meet(Rep0.make(), inC("req", 2, 3, size))
          yield* Effect.forkScoped(Rep0.serve(socket, echo, { concurrency: "unbounded" }))
          yield* peer.prints("done\n")
        }
      }))

    test(`a raw rep ${name} sees one word, the request id, and we the answer`, () =>
      Effect.gen(function* () {
        const { peer, socket } = yield* meet(Req0.make(), inC("raw-rep", 8, 1))
        const answers = yield* Effect.forEach(["one", "two"], (text) => Req0.request(socket, text))
        expect(answers.map(Message.text)).toEqual(["one", "two"])
        const lines = yield* peer.lines(2)
        const [first, second] = lines.map((line) => /^([0-9a-f]{8})([0-9a-f]{8}) 3 (one|two)$/.exec(line)!)
        // its own pipe, with the top bit clear, and our id, with the top bit set
        expect(first![1]).toBe(second![1])
        expect([/^[01234567]/.test(first![1]!), /^[89a-f]/.test(first![2]!)]).toEqual([true, true])
        expect(parseInt(second![2]!, 16)).toBe(parseInt(first![2]!, 16) + 1)
      }))

    test(`a raw rep ${name} sees the words that our raw req gave, and we get them back, but for one hop too many`, () =>
      Effect.gen(function* () {
        const { peer, socket } = yield* meet(Req0.makeRaw(), inC("raw-rep", 3, 1))
        const send = (text: string, ...words: ReadonlyArray<number>) => {
          const message = Message.make(text)
          for (const word of words) Message.Header.appendU32(message, word)
          return Socket.send(socket, message)
        }
        yield* send("direct", 0x80000001)
        yield* send("by-two", 1, 2, 0x80000002)
        yield* send("too-many", 1, 2, 3, 0x80000003)
        yield* send("last", 0xffffffff)
        const answers = [yield* Socket.recv(socket), yield* Socket.recv(socket), yield* Socket.recv(socket)]
        expect(answers.map((answer) => [hex(answer.header), Message.text(answer)])).toEqual([
          ["80000001", "direct"],
          ["000000010000000280000002", "by-two"],
          ["ffffffff", "last"]
        ])
        expect((yield* peer.lines(3)).map((line) => line.slice(8))).toEqual([
          "80000001 6 direct",
          "000000010000000280000002 6 by-two",
          "ffffffff 4 last"
        ])
      }))

    test(`a raw req ${name} gets its words back from our rep, which drops one hop too many`, () =>
      Effect.gen(function* () {
        const words = [
          "80000001",
          "0000000500000006" + "80000002",
          "0000000100000002" + "00000003" + "80000003",
          "ffffffff"
        ]
        const { peer, socket } = yield* meet(Rep0.make({ ttl: 3 }), inC("raw-req", ...words))
        yield* Effect.forkScoped(Rep0.serve(socket, (request) => Effect.succeed(`re:${Message.text(request)}`)))
        yield* peer.prints(`${words[0]} 4 re:0\n${words[1]} 4 re:1\n${words[3]} 4 re:3\n`)
        expect((yield* socket.statistics).dropped.hops).toBe(1)
      }))

    test(`a raw req ${name} has its words seen by our raw rep, its pipe in front`, () =>
      Effect.gen(function* () {
        const { peer, socket } = yield* meet(Rep0.makeRaw(), inC("raw-req", "0000000780000001"))
        const request = yield* Socket.recv(socket)
        const id = request.pipeId.toString(16).padStart(8, "0")
        expect(hex(request.header)).toBe(`${id}0000000780000001`)
        yield* Socket.send(socket, request)
        yield* peer.prints("0000000780000001 1 0\n")
      }))

    test(`a respondent ${name} answers many surveys over one connection, the last first`, () =>
      Effect.gen(function* () {
        const { peer, socket } = yield* meet(Surveyor0.make(), inC("respondent", 16))
        const done: Array<number> = []
        const answers = yield* Effect.forEach(
          numbers(32),
          (n) => Effect.tap(answer(socket, `survey ${n}`), () => Effect.sync(() => done.push(n))),
          { concurrency: 16 }
        )
        expect(answers).toEqual(numbers(32).map((n) => `survey ${n}`))
        // they came in the other order
        expect(done.indexOf(0)).toBeGreaterThan(done.indexOf(15))
        expect(yield* peer.lines(32)).toHaveLength(32)
        expect((yield* socket.statistics).dropped).toMatchObject({ stale: 0, full: 0 })
      }))

    test(`a respondent ${name} answers contexts, each its own, and empty surveys, and a megabyte`, () =>
      Effect.gen(function* () {
        const { socket } = yield* meet(Surveyor0.make({ surveyTime: "1 minute" }), inC("respondent", 3))
        const contexts = yield* Effect.replicateEffect(SocketContext.make(socket), 3)
        const surveys = ["", padded("large", MiB), "small"]
        for (const [i, context] of contexts.entries()) yield* SocketContext.send(context, surveys[i]!)
        const answers = yield* Effect.forEach(contexts, (context) => SocketContext.recv(context))
        expect(answers.map(Message.text)).toEqual(surveys)
        expect(answers.map(({ headerLength }) => headerLength)).toEqual([4, 4, 4])
      }))

    test(`a surveyor ${name} asks with many contexts at once, and we answer all`, () =>
      Effect.gen(function* () {
        const { peer, socket } = yield* meet(Respondent0.make(), inC("surveyor", 8, 20, 20))
        yield* Effect.forkScoped(Respondent0.serve(socket, echo, { concurrency: "unbounded" }))
        yield* peer.prints("done\n")
        expect((yield* socket.statistics).received).toBe(160)
      }))

    test(`a surveyor ${name} asks with nothing, and with a megabyte`, () =>
      Effect.gen(function* () {
        for (const size of [0, MiB]) {
          const { peer, socket } = yield* meet(Respondent0.make(), inC("surveyor", 2, 3, size))
          yield* Effect.forkScoped(Respondent0.serve(socket, echo, { concurrency: 2 }))
          yield* peer.prints("done\n")
        }
      }))

    test(`a raw respondent ${name} sees the words that our raw surveyor gave, and we get them back`, () =>
      Effect.gen(function* () {
        const { peer, socket } = yield* meet(Surveyor0.makeRaw(), inC("raw-respondent", 3, 1))
        const send = (text: string, ...words: ReadonlyArray<number>) => {
          const message = Message.make(text)
          for (const word of words) Message.Header.appendU32(message, word)
          return Socket.send(socket, message)
        }
        yield* send("direct", 0x80000001)
        yield* send("by-two", 1, 2, 0x80000002)
        yield* send("too-many", 1, 2, 3, 0x80000003)
        const answers = [yield* Socket.recv(socket), yield* Socket.recv(socket)]
        expect(answers.map((answer) => [hex(answer.header), Message.text(answer)])).toEqual([
          ["80000001", "direct"],
          ["000000010000000280000002", "by-two"]
        ])
        expect((yield* peer.lines(2)).map((line) => line.slice(8))).toEqual([
          "80000001 6 direct",
          "000000010000000280000002 6 by-two"
        ])
      }))

    test(`a raw respondent ${name} sees one word, the survey id`, () =>
      Effect.gen(function* () {
        const { peer, socket } = yield* meet(Surveyor0.make(), inC("raw-respondent", 8, 1))
        expect([yield* answer(socket, "one"), yield* answer(socket, "two")]).toEqual(["one", "two"])
        const [first, second] = (yield* peer.lines(2)).map((line) =>
          /^[01234567][0-9a-f]{7}([89a-f][0-9a-f]{7}) 3 /.exec(line)!
        )
        expect(parseInt(second![1]!, 16)).toBe(parseInt(first![1]!, 16) + 1)
      }))

    test(`a raw surveyor ${name} gets its words back from our respondent, which drops one hop too many`, () =>
      Effect.gen(function* () {
        const words = ["80000001", "000000050000000680000002", "00000001000000020000000380000003", "ffffffff"]
        const { peer, socket } = yield* meet(Respondent0.make({ ttl: 3 }), inC("raw-surveyor", ...words))
        yield* Effect.forkScoped(Respondent0.serve(socket, (survey) => Effect.succeed(`re:${Message.text(survey)}`)))
        yield* peer.prints(`${words[0]} 4 re:0\n${words[1]} 4 re:1\n${words[3]} 4 re:3\n`)
        expect((yield* socket.statistics).dropped.hops).toBe(1)
      }))

    test(`a raw surveyor ${name} has its words seen by our raw respondent, its pipe in front`, () =>
      Effect.gen(function* () {
        const { peer, socket } = yield* meet(Respondent0.makeRaw(), inC("raw-surveyor", "0000000780000001"))
        const survey = yield* Socket.recv(socket)
        const id = survey.pipeId.toString(16).padStart(8, "0")
        expect(hex(survey.header)).toBe(`${id}0000000780000001`)
        yield* Socket.send(socket, survey)
        yield* peer.prints("0000000780000001 1 0\n")
      }))

    test(`a push ${name} gives us a thousand messages in order, empty ones, and megabytes`, () =>
      Effect.gen(function* () {
        for (const [count, size] of [
          [1000, 1],
          [5, 0],
          [5, MiB]
        ] as const) {
          const { socket } = yield* meet(Pull0.make(), inC("push", count, size))
          const got = yield* Stream.runCollect(Stream.take(Pull0.stream(socket), count))
          expect(Array.from(got, Message.text)).toEqual(numbers(count).map((n) => (size === 0 ? "" : padded(n, size))))
        }
      }))

    test(`a pull ${name} takes a thousand messages in order, empty ones, and megabytes`, () =>
      Effect.gen(function* () {
        const { peer, socket } = yield* meet(Push0.make(), inC("pull"))
        yield* Socket.sendAll(socket, numbers(1000).map(String))
        yield* Socket.sendAll(socket, ["", padded("a", MiB), padded("b", MiB), ""])
        expect(yield* Socket.drain(socket)).toBe(0)
        const lines = yield* peer.lines(1004)
        expect(lines.slice(0, 1000)).toEqual(numbers(1000).map((n) => `${String(n).length} ${n}`))
        expect(lines.slice(1000)).toEqual(["0 ", `${MiB} a`, `${MiB} b`, "0 "])
      }))

    test(`a pub ${name} tells us a thousand messages in order, and each of our contexts what it wants`, () =>
      Effect.gen(function* () {
        const make = subscribed("", { recvBuffer: 8192 })
        for (const [count, size] of [
          [1000, 1],
          [5, 0],
          [5, MiB]
        ] as const) {
          const contexts: Array<Sub0.Context> = []
          const nines = Effect.tap(make, (socket) =>
            Effect.gen(function* () {
              const context = yield* SocketContext.make(socket)
              yield* Sub0.addTopic(context, "99")
              contexts.push(context)
            }).pipe(Effect.orDie)
          )
          const { socket } = yield* meet(nines, inC("pub", count, size))
          const got = yield* Stream.runCollect(Stream.take(Socket.stream(socket), count))
          expect(Array.from(got, Message.text)).toEqual(numbers(count).map((n) => (size === 0 ? "" : padded(n, size))))
          const expected = count < 1000 ? [] : ["99", ...numbers(10).map((n) => String(990 + n))]
          const heard = yield* Effect.replicateEffect(SocketContext.recv(contexts.at(-1)!), expected.length)
          expect(heard.map(Message.text)).toEqual(expected)
        }
      }))

    test(`a raw pub ${name} has its header before the body, for our sub, raw and cooked`, () =>
      Effect.gen(function* () {
        for (const make of [Sub0.makeRaw({ recvBuffer: 8 }), subscribed("one-")] as const) {
          const { socket } = yield* meet<Sub0.Sub0 | Sub0.Sub0Raw>(make, inC("raw-pub", 2, 1))
          const got = [yield* Socket.recv(socket), yield* Socket.recv(socket)]
          expect(got.map(Message.text)).toEqual(["one-two-0", "one-two-1"])
          expect(got.map(({ headerLength }) => headerLength)).toEqual([0, 0])
        }
      }))

    test(`a sub ${name} hears by its contexts what we publish`, () =>
      Effect.gen(function* () {
        const { peer, socket } = yield* meet(Pub0.make({ sendBuffer: 8192 }), inC("sub", "1", "", "x"))
        // it has its topics when it says so
        yield* peer.lines(1)
        yield* Socket.sendAll(socket, [...numbers(200).map(String), "", padded("1large", MiB)])
        const lines = (yield* peer.lines(1 + 202 + 112)).slice(1)
        const of = (context: string) => lines.filter((line) => line.startsWith(context)).map((line) => line.slice(3))
        const shown = numbers(200).map((n) => `${String(n).length} ${n}`)
        expect(of("1")).toEqual([...shown, "0 ", `${MiB} 1large`])
        expect(of("0")).toEqual([...shown.filter((line) => line.split(" ")[1]!.startsWith("1")), `${MiB} 1large`])
        expect(of("2")).toEqual([])
      }))

    test(`a raw sub ${name} hears all that our raw pub publishes, headers first`, () =>
      Effect.gen(function* () {
        const { peer, socket } = yield* meet(Pub0.makeRaw(), inC("raw-sub"))
        const message = Message.make("body")
        Message.Header.append(message, Uint8Array.of(104, 45))
        yield* Socket.send(socket, message)
        yield* Socket.send(socket, "")
        yield* peer.prints("6 h-body\n0 \n")
      }))
  }

  test("several subs hear the same, and one that is killed costs the others nothing", () =>
    Effect.gen(function* () {
      const socket = yield* Pub0.make({ sendBuffer: 8192 })
      const { url } = yield* Socket.listen(socket, "tcp://127.0.0.1:0")
      const peers = yield* Effect.replicateEffect(Peers.run("sub", "dial", url, ""), 3)
      yield* Socket.awaitPeers(socket, 3)
      for (const peer of peers) yield* peer.lines(1)
      yield* Socket.sendAll(socket, numbers(100).map(String))
      yield* peers[0]!.kill
      yield* Socket.sendAll(
        socket,
        numbers(100).map((n) => String(100 + n))
      )
      for (const peer of peers.slice(1)) {
        expect((yield* peer.lines(201)).slice(1)).toEqual(numbers(200).map((n) => `0: ${String(n).length} ${n}`))
      }
    }))

  test("several pulls share what we push", () =>
    Effect.gen(function* () {
      const socket = yield* Push0.make()
      const { url } = yield* Socket.listen(socket, "tcp://127.0.0.1:0")
      const peers = yield* Effect.replicateEffect(Peers.run("pull", "dial", url), 3)
      yield* Socket.awaitPeers(socket, 3)
      yield* Socket.sendAll(socket, numbers(300).map(String))
      const lines = yield* Effect.forEach(peers, (peer) => peer.lines(100))
      expect(lines.map((mine) => mine.length)).toEqual([100, 100, 100])
      expect(lines.flat().sort()).toEqual(
        numbers(300)
          .map((n) => `${String(n).length} ${n}`)
          .sort()
      )
    }))

  test("a rep that is killed with our request gets it again, with the same id, when it is back", () =>
    Effect.gen(function* () {
      const url = `tcp://127.0.0.1:${yield* freePort}`
      const socket = yield* Req0.make()
      yield* Socket.dial(socket, url, { nonblocking: true, reconnectMin: "20 millis" })
      const first = yield* Peers.run("raw-rep", "listen", url, "8", "0")
      const asking = yield* Effect.fork(Req0.request(socket, "again"))
      const [before] = yield* first.lines(1)
      yield* first.kill
      const second = yield* Peers.run("raw-rep", "listen", url, "8", "1")
      expect(Message.text(yield* Fiber.join(asking))).toBe("again")
      const [after] = yield* second.lines(1)
      expect(after!.slice(8)).toBe(before!.slice(8))
      expect(after).toMatch(/^.{8}[89a-f].{7} 5 again$/)
    }))

  test("a rep that is killed with our request loses it to another that is there", () =>
    Effect.gen(function* () {
      const socket = yield* Req0.make()
      const { url } = yield* Socket.listen(socket, "tcp://127.0.0.1:0")
      const first = yield* Peers.run("raw-rep", "dial", url, "8", "0")
      yield* Socket.awaitPeers(socket, 1)
      const asking = yield* Effect.fork(Req0.request(socket, "again"))
      const [before] = yield* first.lines(1)
      const second = yield* Peers.run("raw-rep", "dial", url, "8", "1")
      yield* Socket.awaitPeers(socket, 2)
      yield* first.kill
      expect(Message.text(yield* Fiber.join(asking))).toBe("again")
      const [after] = yield* second.lines(1)
      expect(after!.slice(8)).toBe(before!.slice(8))
    }))

  test("a rep that is killed with a request that is not to be sent again: NNG_ECONNRESET", () =>
    Effect.gen(function* () {
      const { peer, socket } = yield* weListen(Req0.make({ resendTime: 0 }), inC("raw-rep", 8, 0))
      const asking = yield* Effect.fork(Req0.request(socket, "once"))
      yield* peer.lines(1)
      yield* peer.kill
      expect(yield* Effect.flip(Fiber.join(asking))).toMatchObject({ _tag: "NNG_ECONNRESET" })
    }))

  test("a rep that is silent gets the request again after its time, with the same id", () =>
    Effect.gen(function* () {
      const { peer, socket } = yield* weListen(Req0.make({ resendTime: 50, resendTick: 10 }), inC("raw-rep", 8, 0))
      yield* Socket.send(socket, "still-there?")
      const [one, two, three] = yield* peer.lines(3)
      expect([two, three]).toEqual([one, one])
    }))

  test("a req that is killed leaves us an answer that nobody gets, and the next one is answered", () =>
    Effect.gen(function* () {
      const socket = yield* Rep0.make()
      const pipes = yield* record(Socket.events(socket))
      const { url } = yield* Socket.listen(socket, "tcp://127.0.0.1:0")
      const first = yield* Peers.run("req", "dial", url, "1", "1", "10")
      yield* Socket.recv(socket)
      yield* first.kill
      yield* pipes.find(tagged("RemPost"))
      yield* Socket.send(socket, "to nobody")
      expect((yield* socket.statistics).dropped.unroutable).toBe(1)
      const second = yield* Peers.run("req", "dial", url, "1", "1", "10")
      yield* Effect.forkScoped(Rep0.serve(socket, echo))
      yield* second.prints("done\n")
    }))

  test("several respondents answer one survey, and one that is killed does not", () =>
    Effect.gen(function* () {
      const socket = yield* Surveyor0.make({ surveyTime: "1 minute" })
      const pipes = yield* record(Socket.events(socket))
      const { url } = yield* Socket.listen(socket, "tcp://127.0.0.1:0")
      const peers = yield* Effect.replicateEffect(Peers.run("respondent", "dial", url, "1"), 3)
      yield* Socket.awaitPeers(socket, 3)
      const all = yield* Stream.runCollect(Stream.take(Surveyor0.survey(socket, "all", { timeout: "1 minute" }), 3))
      expect(Array.from(all, Message.text)).toEqual(["all", "all", "all"])
      expect(new Set(Array.from(all, ({ pipeId }) => pipeId)).size).toBe(3)
      yield* peers[0]!.kill
      yield* pipes.find(tagged("RemPost"))
      yield* Socket.send(socket, "rest")
      const rest = [yield* Socket.recv(socket), yield* Socket.recv(socket)]
      expect(rest.map(Message.text)).toEqual(["rest", "rest"])
      expect(new Set(rest.map(({ pipeId }) => pipeId)).size).toBe(2)
    }))

  test("a pull that is killed and started again gets what we push next", () =>
    Effect.gen(function* () {
      const url = `tcp://127.0.0.1:${yield* freePort}`
      const socket = yield* Push0.make()
      const dialer = yield* Dialer.make(socket, url, { reconnectMin: "20 millis" })
      const told = yield* record(Dialer.events(dialer))
      yield* Dialer.start(dialer, { nonblocking: true })
      for (const part of ["a", "b", "c"]) {
        const from = told.all.length
        const peer = yield* Peers.run("pull", "listen", url)
        yield* Socket.sendAll(
          socket,
          numbers(100).map((n) => `${part}${n}`)
        )
        const lines = yield* peer.lines(100)
        expect(lines).toEqual(numbers(100).map((n) => `${1 + String(n).length} ${part}${n}`))
        yield* peer.kill
        yield* told.find(tagged("Disconnected"), from)
      }
    }))

  test("a push that is killed and started again is heard again", () =>
    Effect.gen(function* () {
      const socket = yield* Pull0.make()
      const { url } = yield* Socket.listen(socket, "tcp://127.0.0.1:0")
      for (let n = 0; n < 3; n++) {
        const peer = yield* Peers.run("push", "dial", url, "10", "1")
        const got = yield* Stream.runCollect(Stream.take(Pull0.stream(socket), 10))
        expect(Array.from(got, Message.text)).toEqual(numbers(10).map(String))
        yield* peer.kill
      }
    }))
})
