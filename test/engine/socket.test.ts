import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { inspect } from "node:util"
import * as Dialer from "effect-nng/Dialer"
import * as Errors from "effect-nng/Errors"
import * as InprocTransport from "effect-nng/InprocTransport"
import * as Listener from "effect-nng/Listener"
import * as Message from "effect-nng/Message"
import * as Pair0 from "effect-nng/Pair0"
import * as Pipe from "effect-nng/Pipe"
import * as Protocol from "effect-nng/Protocol"
import * as Socket from "effect-nng/Socket"
import { hand, Script } from "../support/scripted.js"
import {
  begin,
  collect,
  drain,
  ended,
  failing,
  marry,
  network,
  pair,
  recording,
  recvText,
  settle,
  tagged,
  tags,
  taken,
  until
} from "../support/sockets.js"

const names = (messages: Iterable<Message.Message>): Array<string> => Array.from(messages, Message.text)

describe("what a socket is", () => {
  it.scoped("[SOCK-01] its id is positive", () =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make()
      expect(socket.id).toBeGreaterThan(0)
      expect(Number.isSafeInteger(socket.id)).toBe(true)
    }).pipe(Effect.provide(network))
  )

  it.scoped("[SOCK-23] an id is not used again by the socket after it", () =>
    Effect.gen(function* () {
      const first = yield* Effect.scoped(Effect.map(Pair0.make(), ({ id }) => id))
      const second = yield* Pair0.make()
      expect(second.id).not.toBe(first)
    }).pipe(Effect.provide(network))
  )

  it.scoped("it knows its protocol, and what it can do", () =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make()
      expect(socket.protocol).toBe(Protocol.pair0)
      expect(socket.raw).toBe(false)
      expect([Socket.isSocket(socket), Socket.canSend(socket), Socket.canRecv(socket)]).toEqual([true, true, true])
      for (const other of [undefined, null, {}, "socket", Socket]) expect(Socket.isSocket(other)).toBe(false)
    }).pipe(Effect.provide(network))
  )

  it.scoped("shown, it tells what it is and nothing of what it carries", () =>
    Effect.gen(function* () {
      const { dialer, left, listener, right } = yield* pair({ right: { sendBuffer: 4 } })
      const secret = "s3cr3t-payload"
      for (let n = 0; n < 5; n++) yield* Socket.send(right, secret)
      yield* settle
      const [pipe] = yield* Socket.pipes(left).get
      const things = { left, right, listener, dialer, pipe, message: yield* Socket.recv(left) }
      for (const [name, thing] of Object.entries(things)) {
        for (const text of [JSON.stringify(thing), inspect(thing), String(thing)]) {
          expect(text, name).not.toContain(secret)
          expect(text, name).not.toContain(Buffer.from(secret).toString("hex"))
          expect(text.length, name).toBeLessThan(600)
        }
      }
      expect(left.toJSON()).toEqual({
        _id: "effect-nng/Socket",
        id: left.id,
        protocol: "pair",
        raw: false,
        closed: false,
        pipes: [pipe!.id]
      })
      expect(dialer.toJSON()).toMatchObject({ _id: "effect-nng/Dialer", url: "inproc://pair", state: "Connected" })
      expect(listener.toJSON()).toMatchObject({ _id: "effect-nng/Listener", url: "inproc://pair", state: "Listening" })
      expect(pipe!.toJSON()).toMatchObject({ _id: "effect-nng/Pipe", id: pipe!.id, socketId: left.id })
    }).pipe(Effect.provide(network))
  )
})

describe("sending and receiving", () => {
  it.scoped("[SOCK-07] the bytes that were sent arrive", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair()
      yield* Socket.send(left, new Uint8Array([0x61, 0x62, 0, 0xff]))
      expect((yield* Socket.recv(right)).body).toEqual(new Uint8Array([0x61, 0x62, 0, 0xff]))
    }).pipe(Effect.provide(network))
  )

  it.scoped("[SOCK-08] an empty message arrives as one of length 0", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair()
      yield* Socket.send(left, Message.make())
      yield* Socket.send(left, "")
      yield* settle
      expect((yield* Socket.recv(right)).length).toBe(0)
      expect((yield* Socket.recv(right)).length).toBe(0)
    }).pipe(Effect.provide(network))
  )

  it.scoped("[SOCK-10] text, bytes and messages can be sent, with the socket first or last", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair({ right: { recvBuffer: 10 } })
      yield* Socket.send(left, "text")
      yield* Socket.send(left, new TextEncoder().encode("bytes"))
      yield* Socket.send(left, Message.make("message"))
      yield* settle
      yield* left.pipe(Socket.send("piped"))
      yield* left.pipe(Socket.send("piped, with options", { timeout: "1 second" }))
      yield* left.pipe(Socket.sendAll(["a", "b"]))
      yield* Socket.sendAll(left, ["c"], { timeout: "1 second" })
      expect(yield* drain(right)).toEqual(["text", "bytes", "message", "piped", "piped, with options", "a", "b", "c"])
    }).pipe(Effect.provide(network))
  )

  it.scoped("[SOCK-22] a send that failed leaves the message with its sender, as it was", () =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make()
      const message = Message.make("mine")
      yield* failing(Socket.send(socket, message, { nonblocking: true }), "NNG_EAGAIN")
      yield* failing(Socket.send(socket, message, { timeout: 0 }), "NNG_ETIMEDOUT")
      const peer = yield* Pair0.make()
      yield* marry(peer, socket)
      const blocked = yield* begin(Effect.zipRight(Socket.sendAll(socket, ["1", "2"]), Socket.send(socket, message)))
      yield* Fiber.interrupt(blocked)
      expect(Message.text(message)).toBe("mine")
      yield* socket.close
      yield* failing(Socket.send(socket, message), "NNG_ECLOSED")
      expect([Message.text(message), message.headerLength]).toEqual(["mine", 0])
      expect(yield* drain(peer)).not.toContain("mine")
    }).pipe(Effect.provide(network))
  )

  it.scoped("[SOCK-30] receives complete in the order in which they began", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair()
      const order: Array<string> = []
      for (const name of ["first", "second", "third"]) {
        yield* begin(Effect.map(Socket.recv(left), (message) => order.push(`${name} ${Message.text(message)}`)))
      }
      yield* Socket.sendAll(right, ["1", "2", "3"])
      yield* settle
      expect(order).toEqual(["first 1", "second 2", "third 3"])
    }).pipe(Effect.provide(network))
  )

  it.scoped("an effect that sends text makes a message each time it runs", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair({ right: { recvBuffer: 2 } })
      const hello = Socket.send(left, "hello")
      yield* hello
      yield* settle
      const first = yield* Socket.recv(right)
      Message.Body.clear(first)
      yield* hello
      yield* settle
      const second = yield* Socket.recv(right)
      expect(second).not.toBe(first)
      expect(Message.text(second)).toBe("hello")
    }).pipe(Effect.provide(network))
  )

  it.scoped("an effect that receives can be run again and again, by many at once", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair()
      const next = recvText(left)
      const all = yield* begin(Effect.all([next, next, next], { concurrency: "unbounded" }))
      yield* Socket.sendAll(right, ["1", "2", "3", "4"])
      expect(yield* Fiber.join(all)).toEqual(["1", "2", "3"])
      expect(yield* next).toBe("4")
    }).pipe(Effect.provide(network))
  )

  it.scoped("a time-out that was set holds from the next operation, and so for an effect made before", () =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make()
      const receive = Socket.recv(socket)
      const send = Socket.send(socket, "x")
      yield* Socket.configure(socket, { recvTimeout: 0, sendTimeout: 0 })
      const both = yield* begin(Effect.all([Effect.flip(receive), Effect.flip(send)], { concurrency: "unbounded" }))
      expect(yield* ended(both)).toBe(true)
    }).pipe(Effect.provide(network))
  )

  it.scoped("recvChunk takes what is there, and at most max", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair({ left: { recvBuffer: 10 } })
      const waiting = yield* begin(Socket.recvChunk(left))
      expect(yield* ended(waiting)).toBe(false)
      yield* Socket.send(right, "0")
      expect(names(yield* Fiber.join(waiting))).toEqual(["0"])
      yield* Socket.sendAll(right, ["1", "2", "3", "4", "5"])
      yield* settle
      expect(names(yield* Socket.recvChunk(left, { max: 2 }))).toEqual(["1", "2"])
      expect(names(yield* Socket.recvChunk(left))).toEqual(["3", "4", "5"])
      yield* failing(Socket.recvChunk(left, { nonblocking: true }), "NNG_EAGAIN")
      yield* failing(Socket.recvChunk(left, { timeout: 0 }), "NNG_ETIMEDOUT")
    }).pipe(Effect.provide(network))
  )

  it.scoped("sendAll that is interrupted has sent a beginning, and leaves out the rest", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair({ left: { sendBuffer: 2 } })
      const before = (yield* left.statistics).sent
      const all = yield* begin(Socket.sendAll(left, ["1", "2", "3", "4", "5", "6", "7"]))
      expect(yield* ended(all)).toBe(false)
      yield* Fiber.interrupt(all)
      const sent = (yield* left.statistics).sent - before
      expect(sent).toBe(4)
      expect(yield* drain(right)).toEqual(["1", "2", "3", "4"])
    }).pipe(Effect.provide(network))
  )

  it.scoped("sendAll that failed has sent a beginning too", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair()
      yield* failing(Socket.sendAll(left, ["1", "2", "3", "4"], { timeout: 0 }), "NNG_ETIMEDOUT")
      yield* failing(Socket.sendAll(left, ["5"], { nonblocking: true }), "NNG_EAGAIN")
      const sent = (yield* left.statistics).sent
      expect(yield* drain(right)).toEqual(["1", "2", "3", "4"].slice(0, sent))
      yield* Socket.sendAll(left, [])
    }).pipe(Effect.provide(network))
  )

  it.scoped("nobody overtakes a sendAll that waits", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair()
      yield* begin(Socket.sendAll(left, ["1", "2", "3", "4"]))
      yield* begin(Socket.send(left, "5"))
      yield* failing(Socket.send(left, "6", { nonblocking: true }), "NNG_EAGAIN")
      expect(yield* drain(right)).toEqual(["1", "2", "3", "4", "5"])
    }).pipe(Effect.provide(network))
  )

  it.scoped("[SOCK-27] a socket is readable while there is something to receive", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair()
      expect(yield* Socket.isReadable(left)).toBe(false)
      yield* Socket.send(right, "x")
      yield* settle
      expect(yield* Socket.isReadable(left)).toBe(true)
      yield* Socket.recv(left)
      yield* settle
      expect(yield* Socket.isReadable(left)).toBe(false)
    }).pipe(Effect.provide(network))
  )

  for (const [how, busyWith] of [
    [
      "combinators",
      (left: Pair0.Pair0, right: Pair0.Pair0, done: () => void) =>
        Effect.forever(Effect.zipRight(Socket.send(right, "x"), Effect.map(Socket.recv(left), done)))
    ],
    [
      "a generator",
      (left: Pair0.Pair0, right: Pair0.Pair0, done: () => void) =>
        Effect.gen(function* () {
          for (;;) {
            yield* Socket.send(right, "x")
            yield* Socket.recv(left)
            done()
          }
        })
    ]
  ] as const) {
    it.scopedLive(`who never has to wait, in ${how}, lets timers and other fibers run all the same`, () =>
      Effect.gen(function* () {
        const left = yield* Pair0.make({ recvBuffer: 1 })
        const right = yield* Pair0.make()
        yield* Socket.listen(left, "inproc://busy")
        yield* Socket.dial(right, "inproc://busy")
        let [rounds, turns] = [0, 0]
        yield* Effect.forkScoped(Effect.forever(Effect.map(Effect.yieldNow(), () => turns++)))
        const timer = yield* Effect.forkScoped(Effect.sleep("100 millis"))
        yield* Effect.raceFirst(
          busyWith(left, right, () => void rounds++),
          Fiber.join(timer)
        )
        expect(rounds).toBeGreaterThan(0)
        expect(turns).toBeGreaterThan(0)
      }).pipe(Effect.provide(InprocTransport.layer))
    )
  }

  it.scoped("in a generator operations do what they do elsewhere", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair()
      yield* Socket.send(left, "1")
      yield* Socket.send(left, "2", { nonblocking: true })
      yield* settle
      yield* failing(Socket.send(left, "3", { nonblocking: true }), "NNG_EAGAIN")
      const blocked = yield* begin(
        Effect.gen(function* () {
          yield* Socket.send(left, "3")
          return "sent"
        })
      )
      // nobody overtakes, however he asks
      const overtaking = yield* Effect.exit(
        Effect.gen(function* () {
          yield* Socket.send(left, "4", { nonblocking: true })
        })
      )
      expect(overtaking).toMatchObject({ _tag: "Failure", cause: { error: { _tag: "NNG_EAGAIN" } } })
      expect(Message.text(yield* Socket.recv(right))).toBe("1")
      expect(yield* Fiber.join(blocked)).toBe("sent")
      expect(yield* drain(right)).toEqual(["2", "3"])
      yield* left.close
      const closed = yield* Effect.exit(
        Effect.gen(function* () {
          yield* Socket.recv(left)
        })
      )
      expect(closed).toMatchObject({ _tag: "Failure", cause: { error: { _tag: "NNG_ECLOSED" } } })
    }).pipe(Effect.provide(network))
  )

  it.scoped("nobody overtakes who was woken and has not run yet, however he asks", () =>
    Effect.gen(function* () {
      const left = yield* Pair0.make()
      const first = yield* begin(Socket.send(left, "first"))
      const asking = Effect.gen(function* () {
        // this makes room and wakes the first, which runs after us
        yield* Socket.configure(left, { sendBuffer: 1 })
        yield* Socket.send(left, "second", { nonblocking: true })
      })
      yield* failing(asking, "NNG_EAGAIN")
      yield* Fiber.join(first)
      const right = yield* Pair0.make()
      yield* marry(left, right)
      expect(yield* drain(right)).toEqual(["first"])
    }).pipe(Effect.provide(network))
  )

  it.scoped("an effect that only is looked at does nothing", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair()
      yield* Socket.send(left, "x")
      yield* settle
      const receive = Socket.recv(right)
      expect(inspect(receive)).not.toContain("x".repeat(3))
      Effect.isEffect(receive)
      JSON.stringify(receive)
      expect(yield* drain(right)).toEqual(["x"])
    }).pipe(Effect.provide(network))
  )
})

describe("streams and sinks", () => {
  it.scoped("stream gives the messages that come, and ends when the socket is closed", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair()
      const all = yield* recording(Stream.map(Socket.stream(left), Message.text))
      yield* Socket.sendAll(right, ["1", "2", "3"])
      yield* settle
      yield* left.close
      expect(yield* Fiber.join(all)).toEqual(["1", "2", "3"])
      expect(yield* Stream.runCollect(Socket.stream(left))).toEqual(Chunk.empty())
    }).pipe(Effect.provide(network))
  )

  it.scoped("a stream comes in chunks of what is there", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair({ left: { recvBuffer: 10 } })
      yield* Socket.sendAll(right, ["1", "2", "3", "4", "5"])
      yield* settle
      const chunks = yield* recording(
        Stream.map(Stream.chunks(Socket.stream(left, { chunkSize: 3 })), (chunk) => names(chunk))
      )
      yield* left.close
      expect(yield* Fiber.join(chunks)).toEqual([
        ["1", "2", "3"],
        ["4", "5"]
      ])
    }).pipe(Effect.provide(network))
  )

  it.scoped("ending a stream early discards the rest of its chunk, and with chunkSize 1 nothing", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair({ left: { recvBuffer: 10 } })
      const firstTwo = (chunkSize: number | undefined) =>
        Effect.map(Stream.runCollect(Stream.take(Socket.stream(left, { chunkSize }), 2)), (chunk) => names(chunk))
      yield* Socket.sendAll(right, ["1", "2", "3", "4", "5"])
      yield* settle
      expect(yield* firstTwo(1)).toEqual(["1", "2"])
      expect(yield* firstTwo(3)).toEqual(["3", "4"])
      expect(yield* drain(left)).toEqual([])
      yield* Socket.sendAll(right, ["6", "7", "8", "9"])
      yield* settle
      expect(yield* firstTwo(undefined)).toEqual(["6", "7"])
      expect(yield* drain(left)).toEqual([])
    }).pipe(Effect.provide(network))
  )

  it.scoped("a stream fails with the socket's time-out", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair({ left: { recvTimeout: 0 } })
      yield* Socket.send(right, "1")
      yield* settle
      const seen: Array<string> = []
      const run = Stream.runForEach(Socket.stream(left), (message) =>
        Effect.sync(() => seen.push(Message.text(message)))
      )
      yield* failing(run, "NNG_ETIMEDOUT")
      expect(seen).toEqual(["1"])
    }).pipe(Effect.provide(network))
  )

  it.scoped("a sink sends what it is given and waits where a send would", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair()
      const texts = Array.from({ length: 100 }, (_, n) => String(n))
      const sending = yield* begin(Stream.run(Stream.fromIterable(texts), Socket.sink(left)))
      expect(yield* ended(sending)).toBe(false)
      expect(yield* drain(right)).toEqual(texts)
      yield* Fiber.join(sending)
      yield* left.close
      yield* failing(Stream.run(Stream.make("x"), Socket.sink(left)), "NNG_ECLOSED")
    }).pipe(Effect.provide(network))
  )
})

describe("closing", () => {
  it.scoped("[SOCK-11] a socket that is closed cannot be closed again", () =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make()
      yield* socket.close
      yield* failing(socket.close, "NNG_ECLOSED")
    }).pipe(Effect.provide(network))
  )

  it.scoped("close gives nothing", () =>
    Effect.gen(function* () {
      const { dialer, left, listener } = yield* pair()
      expect([yield* dialer.close, yield* listener.close, yield* left.close]).toEqual([undefined, undefined, undefined])
    }).pipe(Effect.provide(network))
  )

  it.scoped("[SOCK-12] on a closed socket every operation fails with NNG_ECLOSED", () =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make({ sendBuffer: 1 })
      const dialer = yield* Dialer.make(socket, "inproc://somewhere")
      const listener = yield* Listener.make(socket, "inproc://somewhere")
      yield* socket.close
      yield* failing(Socket.send(socket, "x"), "NNG_ECLOSED")
      yield* failing(Socket.send(socket, "x", { nonblocking: true }), "NNG_ECLOSED")
      yield* failing(Socket.sendAll(socket, ["x"]), "NNG_ECLOSED")
      yield* failing(Socket.recv(socket), "NNG_ECLOSED")
      yield* failing(Socket.recv(socket, { timeout: 0 }), "NNG_ECLOSED")
      yield* failing(Socket.recvChunk(socket), "NNG_ECLOSED")
      yield* failing(Socket.settings(socket), "NNG_ECLOSED")
      yield* failing(Socket.configure(socket, { sendBuffer: 2 }), "NNG_ECLOSED")
      yield* failing(Socket.setBeforeAttach(socket, undefined), "NNG_ECLOSED")
      yield* failing(Socket.awaitPeers(socket, 0), "NNG_ECLOSED")
      yield* failing(Socket.dial(socket, "inproc://elsewhere"), "NNG_ECLOSED")
      yield* failing(Socket.dial(socket, "no url at all"), "NNG_ECLOSED")
      yield* failing(Socket.listen(socket, "inproc://elsewhere"), "NNG_ECLOSED")
      yield* failing(Dialer.make(socket, "inproc://elsewhere"), "NNG_ECLOSED")
      yield* failing(Listener.make(socket, "inproc://elsewhere"), "NNG_ECLOSED")
      yield* failing(Dialer.start(dialer), "NNG_ECLOSED")
      yield* failing(Listener.start(listener), "NNG_ECLOSED")
      expect([yield* Socket.isReadable(socket), yield* Socket.isWritable(socket)]).toEqual([false, false])
      expect(yield* Socket.pipes(socket).get).toEqual([])
      expect(socket.toJSON()).toMatchObject({ closed: true })
      expect(yield* Stream.runCollect(Socket.events(socket))).toEqual(Chunk.empty())
    }).pipe(Effect.provide(network))
  )

  it.scoped("whoever waits fails with NNG_ECLOSED", () =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make()
      const waiting = yield* Effect.forEach(
        [
          Socket.send(socket, "x"),
          Socket.sendAll(socket, ["x"]),
          Socket.recv(socket),
          Socket.recvChunk(socket),
          Socket.awaitPeers(socket, 1)
        ],
        (operation) => begin(Effect.asVoid(operation) as Effect.Effect<void, Errors.NngError>)
      )
      yield* socket.close
      for (const fiber of waiting) yield* failing(Fiber.join(fiber), "NNG_ECLOSED")
    }).pipe(Effect.provide(network))
  )

  it.scoped("[SOCK-13] of five queued messages the peer receives only the one handed over, and no error", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair({ right: { sendBuffer: 10 } })
      yield* Socket.sendAll(right, ["1", "2", "3", "4", "5"])
      yield* right.close
      expect(yield* recvText(left)).toBe("1")
      yield* failing(Socket.recv(left, { nonblocking: true }), "NNG_EAGAIN")
      const { dropped, sent } = yield* right.statistics
      expect([sent, dropped]).toMatchObject([5, { disconnected: 1, resized: 0, closed: 3 }])
    }).pipe(Effect.provide(network))
  )

  it.scoped("[SOCK-14] when close returns RemPost has happened for all its pipes", () =>
    Effect.gen(function* () {
      const { left } = yield* pair()
      const [pipe] = yield* Socket.pipes(left).get
      const events = yield* recording(Socket.events(left))
      yield* left.close
      expect(yield* Fiber.join(events)).toMatchObject([{ _tag: "RemPost", pipe, reason: { _tag: "NNG_ECLOSED" } }])
    }).pipe(Effect.provide(network))
  )

  it.scoped("waiters fail first, then the pipes go, then close returns", () => {
    const script = new Script()
    return Effect.gen(function* () {
      const slow = yield* Deferred.make<void>()
      const { dial } = hand()
      script.dial(
        Effect.zipRight(
          Effect.addFinalizer(() => Deferred.await(slow)),
          dial
        )
      )
      const socket = yield* Pair0.make()
      yield* Socket.dial(socket, "inproc://by-hand")
      const events = yield* collect(Socket.events(socket))
      const receiving = yield* begin(Socket.recv(socket))
      const closing = yield* begin(socket.close)
      yield* failing(Fiber.join(receiving), "NNG_ECLOSED")
      expect(tags(yield* taken(events))).toEqual(["RemPost"])
      yield* failing(socket.close, "NNG_ECLOSED")
      expect(yield* ended(closing)).toBe(false)
      yield* Deferred.succeed(slow, void 0)
      yield* Fiber.join(closing)
    }).pipe(Effect.provide(script.layer))
  })

  it.scoped("interrupting close stops the waiting, not the closing", () => {
    const script = new Script()
    return Effect.gen(function* () {
      const slow = yield* Deferred.make<void>()
      script.dial(
        Effect.zipRight(
          Effect.addFinalizer(() => Deferred.await(slow)),
          hand().dial
        )
      )
      const socket = yield* Pair0.make()
      yield* Socket.dial(socket, "inproc://by-hand")
      const closing = yield* begin(socket.close)
      const interrupting = yield* begin(Fiber.interrupt(closing))
      expect(yield* ended(interrupting)).toBe(true)
      const events = yield* recording(Socket.events(socket))
      expect(yield* ended(events)).toBe(false)
      yield* Deferred.succeed(slow, void 0)
      expect(yield* ended(events)).toBe(true)
    }).pipe(Effect.provide(script.layer))
  })

  it.scoped("its scope closes it, with its listeners, dialers and pipes", () =>
    Effect.gen(function* () {
      const peer = yield* Pair0.make()
      const events = yield* collect(Socket.events(peer))
      const scope = yield* Scope.make()
      const socket = yield* Scope.extend(Pair0.make(), scope)
      const dialer = yield* Dialer.make(socket, "inproc://pair")
      const { listener } = yield* marry(socket, peer)
      const receiving = yield* begin(Socket.recv(socket))
      yield* Scope.close(scope, Exit.void)
      yield* failing(Fiber.join(receiving), "NNG_ECLOSED")
      yield* failing(socket.close, "NNG_ECLOSED")
      expect([yield* listener.state, yield* dialer.state]).toEqual([{ _tag: "Closed" }, { _tag: "Closed" }])
      const gone = yield* until(events, tagged("RemPost"))
      expect(gone.reason._tag).toBe("NNG_ECONNSHUT")
    }).pipe(Effect.provide(network))
  )

  for (const side of ["listening", "dialing"] as const) {
    it.scoped(`the ${side} socket can be closed from within its beforeAttach`, () =>
      Effect.gen(function* () {
        const self = yield* Deferred.make<Pair0.Pair0>()
        const beforeAttach: Socket.BeforeAttach = () => Effect.flatMap(Deferred.await(self), (socket) => socket.close)
        const closing = yield* Pair0.make({ beforeAttach })
        yield* Deferred.succeed(self, closing)
        const other = yield* Pair0.make()
        const events = yield* recording(Socket.events(closing))
        const [listening, dialing] = side === "listening" ? [closing, other] : [other, closing]
        yield* Socket.listen(listening, "inproc://pair")
        yield* begin(Effect.ignore(Socket.dial(dialing, "inproc://pair")))
        expect(tags(yield* Fiber.join(events))).toEqual(["AddPre", "RemPost"])
        yield* failing(closing.close, "NNG_ECLOSED")
        expect(yield* Socket.pipes(closing).get).toEqual([])
      }).pipe(Effect.provide(network))
    )
  }
})

describe("options", () => {
  it.scoped("[SOCK-17] the defaults", () =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make()
      expect(yield* Socket.settings(socket)).toEqual({
        recvTimeout: Duration.infinity,
        sendTimeout: Duration.infinity,
        reconnectMin: Duration.seconds(1),
        reconnectMax: Duration.zero,
        recvMaxSize: 2 ** 30,
        sendBuffer: 0,
        recvBuffer: 0
      })
    }).pipe(Effect.provide(network))
  )

  const times = ["recvTimeout", "sendTimeout", "reconnectMin", "reconnectMax"] as const

  it.scoped("[SOCK-15] times are read back as they were set, and -5 is NNG_EINVAL", () =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make()
      for (const name of times) {
        yield* Socket.configure(socket, { [name]: 1234 })
        expect((yield* Socket.settings(socket))[name]).toEqual(Duration.millis(1234))
        const error = yield* failing(Socket.configure(socket, { [name]: -5 }), "NNG_EINVAL")
        expect(error.message).toContain(name)
        expect((yield* Socket.settings(socket))[name]).toEqual(Duration.millis(1234))
        yield* failing(Pair0.make({ [name]: -5 }), "NNG_EINVAL")
      }
    }).pipe(Effect.provide(network))
  )

  it.scoped("[SOCK-16] times may be 0 and are never negative; those of waiting may be infinite", () =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make()
      for (const name of times) {
        yield* Socket.configure(socket, { [name]: 0 })
        expect((yield* Socket.settings(socket))[name]).toEqual(Duration.zero)
        for (const wrong of [-1, -2, NaN, -Infinity]) {
          yield* failing(Socket.configure(socket, { [name]: wrong }), "NNG_EINVAL")
        }
        const infinite = Socket.configure(socket, { [name]: Duration.infinity })
        if (name.endsWith("Timeout")) yield* infinite
        else yield* failing(infinite, "NNG_EINVAL")
      }
    }).pipe(Effect.provide(network))
  )

  it.scoped("a negative time is NNG_EINVAL however it is written", () =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make()
      for (const wrong of ["-5 millis", -5n] as const) {
        yield* failing(Socket.configure(socket, { recvTimeout: wrong }), "NNG_EINVAL")
      }
    }).pipe(Effect.provide(network))
  )

  it.scoped(
    "[SOCK-18] the receive limit may be 1234 or 2^32 and must be a whole number; a wrong one changes nothing",
    () =>
      Effect.gen(function* () {
        const socket = yield* Pair0.make()
        for (const recvMaxSize of [1234, 2 ** 32, 0]) {
          yield* Socket.configure(socket, { recvMaxSize })
          expect((yield* Socket.settings(socket)).recvMaxSize).toBe(recvMaxSize)
        }
        for (const recvMaxSize of [2 ** 60, -1, 1.5, NaN, Infinity]) {
          yield* failing(Socket.configure(socket, { recvMaxSize }), "NNG_EINVAL")
          expect((yield* Socket.settings(socket)).recvMaxSize).toBe(0)
        }
      }).pipe(Effect.provide(network))
  )

  it.scoped("[SOCK-20] buffers hold 0 to 8192 messages", () =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make()
      for (const name of ["sendBuffer", "recvBuffer"] as const) {
        for (const size of [1234, 0, 100, 8192]) {
          yield* Socket.configure(socket, { [name]: size })
          expect((yield* Socket.settings(socket))[name]).toBe(size)
        }
        for (const size of [-5, -1, 8193, 0x100000, 1.5, NaN]) {
          yield* failing(Socket.configure(socket, { [name]: size }), "NNG_EINVAL")
          yield* failing(Pair0.make({ [name]: size }), "NNG_EINVAL")
        }
        expect((yield* Socket.settings(socket))[name]).toBe(8192)
      }
    }).pipe(Effect.provide(network))
  )

  it.scoped("of several options all are changed or none", () =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make({ sendBuffer: 3 })
      yield* failing(Socket.configure(socket, { sendBuffer: 7, recvBuffer: -1 }), "NNG_EINVAL")
      expect(yield* Socket.settings(socket)).toMatchObject({ sendBuffer: 3, recvBuffer: 0 })
      yield* socket.pipe(Socket.configure({ sendBuffer: 7, recvTimeout: "2 seconds", recvBuffer: undefined }))
      expect(yield* Socket.settings(socket)).toMatchObject({
        sendBuffer: 7,
        recvBuffer: 0,
        recvTimeout: Duration.seconds(2)
      })
    }).pipe(Effect.provide(network))
  )
})

describe("peers", () => {
  it.scoped("awaitPeers waits until there are as many", () =>
    Effect.gen(function* () {
      const left = yield* Pair0.make()
      const right = yield* Pair0.make()
      yield* Socket.awaitPeers(left, 0)
      const waiting = yield* begin(Socket.awaitPeers(left, 1))
      const piped = yield* begin(left.pipe(Socket.awaitPeers(1)))
      const more = yield* begin(Socket.awaitPeers(left, 2))
      const interrupted = yield* begin(Socket.awaitPeers(left, 1))
      expect(yield* ended(waiting)).toBe(false)
      expect(Exit.isInterrupted(yield* Fiber.interrupt(interrupted))).toBe(true)
      yield* marry(left, right)
      yield* Fiber.join(waiting)
      yield* Fiber.join(piped)
      expect(yield* ended(more)).toBe(false)
      yield* left.close
      yield* failing(Fiber.join(more), "NNG_ECLOSED")
    }).pipe(Effect.provide(network))
  )

  it.scoped("getPipe finds a pipe by the id on a message, until it is gone", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair()
      yield* Socket.send(right, "x")
      const id = (yield* Socket.recv(left)).pipeId
      const pipe = yield* Socket.getPipe(left, id)
      expect([Pipe.isPipe(pipe), pipe.id, pipe.socketId]).toEqual([true, id, left.id])
      expect(yield* left.pipe(Socket.getPipe(id))).toBe(pipe)
      yield* failing(Socket.getPipe(right, id), "NNG_ENOENT")
      yield* right.close
      yield* settle
      yield* failing(Socket.getPipe(left, id), "NNG_ENOENT")
    }).pipe(Effect.provide(network))
  )

  it.scoped("pipes are the peers now, and as they change", () =>
    Effect.gen(function* () {
      const left = yield* Pair0.make()
      const right = yield* Pair0.make()
      const changes = yield* collect(Socket.pipes(left).changes)
      expect(yield* Queue.take(changes)).toEqual([])
      yield* marry(left, right)
      const [pipe] = yield* Socket.pipes(left).get
      expect(yield* Queue.take(changes)).toEqual([pipe])
      const late = yield* collect(Socket.pipes(left).changes)
      expect(yield* Queue.take(late)).toEqual([pipe])
      yield* right.close
      expect(yield* Queue.take(changes)).toEqual([])
      expect(yield* Socket.pipes(left).get).toEqual([])
    }).pipe(Effect.provide(network))
  )

  it.scoped("statistics count peers, refusals, and messages in and out", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair({ left: { recvBuffer: 3 } })
      yield* Socket.sendAll(right, ["1", "2"])
      yield* Socket.send(right, "3")
      yield* settle
      yield* Socket.recv(left)
      expect(yield* right.statistics).toMatchObject({
        pipes: 1,
        reject: 0,
        sent: 3,
        received: 0,
        dropped: { disconnected: 0, resized: 0, closed: 0 }
      })
      expect(yield* left.statistics).toMatchObject({ pipes: 1, sent: 0, received: 1 })
      yield* Socket.configure(left, { recvBuffer: 1 })
      expect((yield* left.statistics).dropped).toMatchObject({ disconnected: 0, resized: 1, closed: 0 })
      yield* left.close
      expect(yield* left.statistics).toMatchObject({ pipes: 0, dropped: { disconnected: 0, resized: 1, closed: 1 } })
    }).pipe(Effect.provide(network))
  )

  it.scoped("messages that die with a connection are counted", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair()
      yield* Socket.sendAll(right, ["held by left", "with the connection"])
      yield* settle
      const [pipe] = yield* Socket.pipes(left).get
      yield* pipe!.close
      yield* settle
      expect((yield* left.statistics).dropped.disconnected).toBe(1)
      expect((yield* right.statistics).dropped.disconnected).toBe(1)
    }).pipe(Effect.provide(network))
  )

  it.scoped("a message that was on its way when the receiver closed is counted by one of the two", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair()
      yield* Socket.send(right, "on its way")
      yield* left.close
      yield* settle
      const [l, r] = [yield* left.statistics, yield* right.statistics]
      expect([r.sent, l.received]).toEqual([1, 0])
      expect(l.dropped.disconnected + l.dropped.closed + r.dropped.disconnected + r.dropped.closed).toBe(1)
    }).pipe(Effect.provide(network))
  )
})

describe("beforeAttach", () => {
  const refusals: ReadonlyArray<readonly [string, Socket.BeforeAttach, Errors.Tag]> = [
    ["that fails", () => new Errors.EPERM({ reason: "not you" }), "NNG_EPERM"],
    ["that dies", () => Effect.die(new Error("boom")), "NNG_EINTERNAL"],
    [
      "that throws",
      () => {
        throw new Error("boom")
      },
      "NNG_EINTERNAL"
    ],
    ["that closes the pipe", (pipe) => Effect.orDie(pipe.close), "NNG_ECLOSED"]
  ]
  for (const [what, hook, reason] of refusals) {
    it.scoped(`one ${what} refuses the connection, with ${reason}`, () =>
      Effect.gen(function* () {
        const left = yield* Pair0.make({ beforeAttach: hook })
        const right = yield* Pair0.make({ reconnectMin: "1 hour" })
        const events = yield* collect(Socket.events(left))
        yield* Socket.listen(left, "inproc://pair")
        yield* Socket.dial(right, "inproc://pair")
        yield* until(events, tagged("AddPre"))
        const next = yield* Queue.take(events)
        expect(next).toMatchObject({ _tag: "RemPost", reason: { _tag: reason } })
        expect(yield* left.statistics).toMatchObject({ pipes: 0, reject: 1 })
        expect(yield* Socket.pipes(left).get).toEqual([])
      }).pipe(Effect.provide(network))
    )
  }

  it.scoped("one that takes its time holds up its own pipe and no other", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      let looks = 0
      const left = yield* Pair0.make({ beforeAttach: () => (looks++ === 0 ? Deferred.await(gate) : Effect.void) })
      const [first, second] = [yield* Pair0.make({ reconnectMin: "1 hour" }), yield* Pair0.make()]
      yield* Socket.listen(left, "inproc://pair")
      yield* Socket.dial(first, "inproc://pair")
      yield* settle
      expect(yield* Socket.pipes(left).get).toEqual([])
      yield* Socket.dial(second, "inproc://pair")
      yield* Socket.awaitPeers(left, 1)
      yield* Socket.send(second, "from the second")
      expect(yield* recvText(left)).toBe("from the second")
      yield* Deferred.succeed(gate, void 0)
      yield* settle
      expect(yield* left.statistics).toMatchObject({ pipes: 1, reject: 1 })
    }).pipe(Effect.provide(network))
  )

  it.scoped("[PIPE-11] a second one replaces the first, and undefined removes it", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const note = (name: string) => () => Effect.sync(() => void seen.push(name))
      const left = yield* Pair0.make({ beforeAttach: note("first") })
      yield* Socket.listen(left, "inproc://pair")
      const visit = Effect.scoped(
        Effect.gen(function* () {
          const right = yield* Pair0.make()
          yield* Socket.dial(right, "inproc://pair")
          yield* Socket.awaitPeers(left, 1)
        })
      ).pipe(Effect.zipRight(settle))
      yield* visit
      yield* Socket.setBeforeAttach(left, note("second"))
      yield* visit
      yield* left.pipe(Socket.setBeforeAttach(undefined))
      yield* visit
      expect(seen).toEqual(["first", "second"])
    }).pipe(Effect.provide(network))
  )
})
