import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Message from "effect-nng/Message"
import * as Pub0 from "effect-nng/Pub0"
import * as Socket from "effect-nng/Socket"
import * as SocketContext from "effect-nng/SocketContext"
import * as Sub0 from "effect-nng/Sub0"
import { begin, drain, failing, inproc, marry, recording, recvText, settle } from "../support/sockets.js"

const url = "inproc://news"

/** One after the other, each as far as it goes. */
const publish = <E>(socket: Socket.CanSend<E>, ...texts: ReadonlyArray<string>) =>
  Effect.forEach(texts, (text) => Effect.zipRight(Socket.send(socket, text), settle), { discard: true })

const publishing = (options?: Pub0.MakeOptions) => Effect.tap(Pub0.make(options), (pub) => Socket.listen(pub, url))

/** One more subscriber of a publisher that listens. */
const joined = <S extends Socket.CanRecv<unknown>, E, R>(pub: Pub0.Pub0, make: Effect.Effect<S, E, R>) =>
  Effect.gen(function* () {
    const sub = yield* make
    const before = (yield* pub.statistics).pipes
    yield* Socket.dial(sub, url)
    yield* Socket.awaitPeers(pub, before + 1)
    yield* settle
    return sub
  })

/** A publisher and a subscriber of these topics. */
const met = (options: Sub0.MakeOptions, ...topics: ReadonlyArray<Sub0.Topic>) =>
  Effect.gen(function* () {
    const pub = yield* publishing()
    const sub = yield* joined(pub, Sub0.make({ recvTimeout: "1 second", ...options }))
    for (const topic of topics) yield* Sub0.addTopic(sub, topic)
    return { pub, sub }
  })

/** What a context has now. */
const heard = (context: Sub0.Context) =>
  Effect.gen(function* () {
    const texts: Array<string> = []
    for (;;) {
      const message = yield* Effect.option(SocketContext.recv(context, { nonblocking: true }))
      if (message._tag === "None") return texts
      texts.push(Message.text(message.value))
    }
  })

describe("pub0 over inproc", () => {
  it.scoped("[PUB-01] publishes without subscribers, and waits for nothing", () =>
    Effect.gen(function* () {
      const pub = yield* publishing()
      yield* Socket.send(pub, "a", { nonblocking: true })
      yield* Socket.send(pub, "b", { timeout: 0 })
      const { dropped, sent } = yield* pub.statistics
      expect([sent, Object.values(dropped).every((n) => n === 0)]).toEqual([2, true])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[PUB-02] four messages at once arrive in order", () =>
    Effect.gen(function* () {
      const pub = yield* publishing({ sendBuffer: 10 })
      const sub = yield* joined(pub, Sub0.make({ recvBuffer: 10 }))
      yield* Sub0.addTopic(sub, "")
      yield* Socket.sendAll(pub, ["1", "2", "3", "4"])
      expect(yield* drain(sub)).toEqual(["1", "2", "3", "4"])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[PUB-03] is writable before a burst, during it, and after", () =>
    Effect.gen(function* () {
      const pub = yield* publishing({ sendBuffer: 1 })
      expect(yield* Socket.isWritable(pub)).toBe(true)
      yield* joined(pub, Sub0.make())
      for (let n = 0; n < 10; n++) {
        yield* Socket.send(pub, "x", { nonblocking: true })
        expect(yield* Socket.isWritable(pub)).toBe(true)
      }
      expect((yield* pub.statistics).dropped.full).toBe(10 - 2 - 1)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[PUB-08] a subscriber that comes later hears nothing of before", () =>
    Effect.gen(function* () {
      const pub = yield* publishing()
      yield* publish(pub, "before")
      const sub = yield* joined(pub, Sub0.make())
      yield* Sub0.addTopic(sub, "")
      yield* publish(pub, "after")
      expect(yield* drain(sub)).toEqual(["after"])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[PUB-09] a header goes before the body, raw and cooked", () =>
    Effect.gen(function* () {
      const header = Uint8Array.of(104, 45)
      for (const make of [Pub0.make(), Pub0.makeRaw()]) {
        const pub = yield* make
        const subs = [yield* Sub0.make(), yield* Sub0.make()]
        const { url } = yield* Socket.listen(pub, `inproc://headed-${pub.raw}`)
        for (const sub of subs) {
          yield* Sub0.addTopic(sub, "h-b")
          yield* Socket.dial(sub, url)
        }
        yield* Socket.awaitPeers(pub, 2)
        const message = Message.make("body")
        Message.Header.append(message, header)
        yield* Socket.send(pub, message)
        for (const sub of subs) {
          const got = yield* Socket.recv(sub)
          expect([got.headerLength, Message.text(got)]).toEqual([0, "h-body"])
        }
      }
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("each subscriber has a message of its own", () =>
    Effect.gen(function* () {
      const pub = yield* publishing()
      const subs = [yield* joined(pub, Sub0.make()), yield* joined(pub, Sub0.make())]
      for (const sub of subs) yield* Sub0.addTopic(sub, "")
      yield* Socket.send(pub, "abc")
      const [first, second] = yield* Effect.forEach(subs, (sub) => Socket.recv(sub))
      first!.body.fill(0)
      expect(Message.text(second!)).toBe("abc")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("a sink publishes what it is given, and what waits for a subscriber can be waited for", () =>
    Effect.gen(function* () {
      const { pub, sub } = yield* met({}, "")
      yield* Stream.run(Stream.make("a", "b", "c"), Pub0.sink(pub))
      expect(yield* Socket.drain(pub)).toBe(0)
      expect(yield* drain(sub)).toEqual(["a", "b", "c"])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("its options have these ranges, and can be changed", () =>
    Effect.gen(function* () {
      expect(yield* Socket.settings(yield* Pub0.make())).toMatchObject({ sendBuffer: 16 })
      const raw = yield* Pub0.makeRaw({ sendBuffer: 8192 })
      yield* Socket.configure(raw, { sendBuffer: 1 })
      expect(yield* Socket.settings(raw)).toMatchObject({ sendBuffer: 1 })
      for (const sendBuffer of [0, -1, 8193]) {
        yield* failing(Pub0.make({ sendBuffer }), "NNG_EINVAL")
        yield* failing(Socket.configure(raw, { sendBuffer }), "NNG_EINVAL")
      }
    }).pipe(Effect.provide(inproc))
  )
})

describe("sub0 over inproc", () => {
  it.scoped("[SUB-01] is readable when there is something of its topic", () =>
    Effect.gen(function* () {
      const { pub, sub } = yield* met({}, "a")
      yield* publish(pub, "def")
      expect(yield* Socket.isReadable(sub)).toBe(false)
      yield* publish(pub, "abc")
      expect(yield* Socket.isReadable(sub)).toBe(true)
      expect(yield* recvText(sub)).toBe("abc")
      expect(yield* Socket.isReadable(sub)).toBe(false)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[SUB-02] completes a receive that waits, with the empty topic", () =>
    Effect.gen(function* () {
      const { pub, sub } = yield* met({}, "")
      const waiting = yield* begin(recvText(sub))
      yield* publish(pub, "abc")
      expect(yield* Fiber.join(waiting)).toBe("abc")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[SUB-03] hears nothing without a topic", () =>
    Effect.gen(function* () {
      const { pub, sub } = yield* met({})
      yield* publish(pub, "", "a")
      expect(yield* drain(sub)).toEqual([])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[SUB-04, SUB-05] topics are added once, however often, and removed as they are, or NNG_ENOENT", () =>
    Effect.gen(function* () {
      const { pub, sub } = yield* met({}, "abc", "abc")
      yield* failing(Sub0.removeTopic(sub, "abc123"), "NNG_ENOENT")
      yield* failing(Sub0.removeTopic(sub, "ab"), "NNG_ENOENT")
      yield* sub.pipe(Sub0.removeTopic(new TextEncoder().encode("abc")))
      yield* failing(Sub0.removeTopic(sub, "abc"), "NNG_ENOENT")
      yield* publish(pub, "abc")
      expect(yield* drain(sub)).toEqual([])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[SUB-06] preferNew is true, until it is set, on the socket and on a context", () =>
    Effect.gen(function* () {
      const sub = yield* Sub0.make()
      expect(yield* Socket.settings(sub)).toMatchObject({ preferNew: true, recvBuffer: 128 })
      yield* Socket.configure(sub, { preferNew: false })
      expect(yield* Socket.settings(sub)).toMatchObject({ preferNew: false })
      const context = yield* SocketContext.make(sub)
      expect(yield* SocketContext.settings(context)).toMatchObject({ preferNew: false, recvBuffer: 128 })
      yield* SocketContext.configure(context, { preferNew: true })
      expect(yield* SocketContext.settings(context)).toMatchObject({ preferNew: true })
      expect(yield* Socket.settings(sub)).toMatchObject({ preferNew: false })
    }).pipe(Effect.provide(inproc))
  )

  for (const [id, preferNew, kept] of [
    ["[SUB-07]", false, ["1", "2"]],
    ["[SUB-08]", true, ["2", "3"]]
  ] as const) {
    it.scoped(
      `${id} of three messages for a buffer of two it keeps ${kept.join(" and ")}, preferNew: ${preferNew}`,
      () =>
        Effect.gen(function* () {
          const made = yield* met({ recvBuffer: 2, preferNew }, "")
          yield* publish(made.pub, "1", "2", "3")
          expect(yield* drain(made.sub)).toEqual(kept)
          expect((yield* made.sub.statistics).dropped.full).toBe(1)
        }).pipe(Effect.provide(inproc))
    )

    it.scoped(`${id} and so when it was set later`, () =>
      Effect.gen(function* () {
        const { pub, sub } = yield* met({ recvBuffer: 3, preferNew: !preferNew }, "")
        yield* publish(pub, "0", "1", "2")
        yield* Socket.configure(sub, { recvBuffer: 2, preferNew })
        expect((yield* sub.statistics).dropped.resized).toBe(1)
        yield* recvText(sub)
        yield* publish(pub, "2", "3")
        expect(yield* drain(sub)).toEqual(kept)
      }).pipe(Effect.provide(inproc))
    )
  }

  it.scoped("[SUB-09] what waits of a topic that is removed goes with it", () =>
    Effect.gen(function* () {
      const { pub, sub } = yield* met({}, "abc", "def", "ghi", "jkl")
      yield* publish(pub, "def", "de", "abc123", "xzy", "ghi-drop", "jkl-mno")
      yield* Sub0.removeTopic(sub, "ghi")
      expect(yield* drain(sub)).toEqual(["def", "abc123", "jkl-mno"])
      expect((yield* sub.statistics).dropped.unsubscribed).toBe(1)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[SUB-10] contexts hear their topics, each its own, and the socket nothing of them", () =>
    Effect.gen(function* () {
      const { pub, sub } = yield* met({ recvTimeout: "1 second" })
      const [first, second] = [yield* SocketContext.make(sub), yield* SocketContext.make(sub)]
      for (const topic of ["one", "all"]) yield* Sub0.addTopic(first, topic)
      for (const topic of ["two", "all"]) yield* Sub0.addTopic(second, topic)
      yield* publish(pub, "one for the money", "all dogs go to heaven", "nobody likes a snitch", "two for the show")
      expect(yield* Socket.isReadable(sub)).toBe(false)
      expect(yield* heard(first)).toEqual(["one for the money", "all dogs go to heaven"])
      expect(yield* heard(second)).toEqual(["all dogs go to heaven", "two for the show"])
      for (const context of [first, second]) {
        const more = yield* begin(Effect.flip(SocketContext.recv(context)))
        yield* TestClock.adjust("1 second")
        expect(yield* Fiber.join(more)).toMatchObject({ _tag: "NNG_ETIMEDOUT" })
      }
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[SUB-12] has no more topics when it is closed, nor has a context", () =>
    Effect.gen(function* () {
      const { sub } = yield* met({})
      const [closed, context] = [yield* SocketContext.make(sub), yield* SocketContext.make(sub)]
      yield* closed.close
      yield* failing(Sub0.addTopic(closed, "a"), "NNG_ECLOSED")
      yield* Sub0.addTopic(context, "a")
      yield* sub.close
      for (const self of [sub, context]) {
        yield* failing(Sub0.addTopic(self, "a"), "NNG_ECLOSED")
        yield* failing(Sub0.removeTopic(self, "a"), "NNG_ECLOSED")
        yield* failing(Sub0.subscribe(self, "a"), "NNG_ECLOSED")
      }
      expect(Chunk.size(yield* Stream.runCollect(Sub0.stream(sub, "a")))).toBe(0)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[SUB-14] a new context has no topics, but its socket's options", () =>
    Effect.gen(function* () {
      const { pub, sub } = yield* met({ recvBuffer: 2, preferNew: false }, "a")
      const context = yield* SocketContext.make(sub)
      yield* publish(pub, "a")
      expect(yield* heard(context)).toEqual([])
      yield* Sub0.addTopic(context, "a")
      yield* publish(pub, "a1", "a2", "a3")
      expect(yield* heard(context)).toEqual(["a1", "a2"])
      yield* SocketContext.configure(context, { recvBuffer: 3 })
      yield* publish(pub, "a4", "a5", "a6", "a7")
      expect(yield* heard(context)).toEqual(["a4", "a5", "a6"])
      expect(yield* drain(sub)).toEqual(["a", "a1"])
      yield* failing(SocketContext.make(sub, { recvBuffer: 0 }), "NNG_EINVAL")
      yield* failing(SocketContext.configure(context, { recvBuffer: 8193 }), "NNG_EINVAL")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[SUB-17] a context that is closed drops what it has, counted, and the others hear on", () =>
    Effect.gen(function* () {
      const { pub, sub } = yield* met({}, "")
      const context = yield* SocketContext.make(sub)
      yield* Sub0.addTopic(context, "")
      yield* publish(pub, "a", "b")
      yield* context.close
      yield* publish(pub, "c")
      expect((yield* sub.statistics).dropped.closed).toBe(2)
      expect(yield* drain(sub)).toEqual(["a", "b", "c"])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[SUB-18] receives that wait are served in order, on the socket and on a context", () =>
    Effect.gen(function* () {
      const { pub, sub } = yield* met({}, "")
      const context = yield* SocketContext.make(sub)
      yield* Sub0.addTopic(context, "")
      const recvs = [Socket.recv(sub), Socket.recv(sub), SocketContext.recv(context), SocketContext.recv(context)]
      const fibers = yield* Effect.forEach(recvs, (recv) => begin(Effect.map(recv, Message.text)))
      yield* Socket.sendAll(pub, ["1", "2"])
      expect(yield* Effect.forEach(fibers, (fiber) => Fiber.join(fiber))).toEqual(["1", "2", "1", "2"])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("a receive that waits has its message before the buffer is full, and one interrupted loses nothing", () =>
    Effect.gen(function* () {
      const { pub, sub } = yield* met({ recvBuffer: 1, preferNew: false }, "")
      const [first, second] = [yield* begin(recvText(sub)), yield* begin(recvText(sub))]
      yield* Socket.sendAll(pub, ["1", "2", "3"])
      expect([yield* Fiber.join(first), yield* Fiber.join(second)]).toEqual(["1", "2"])
      expect(yield* drain(sub)).toEqual(["3"])
      const gone = yield* begin(Socket.recv(sub))
      yield* Socket.sendAll(pub, ["4"])
      yield* Effect.yieldNow()
      const exit = yield* Fiber.interrupt(gone)
      expect([...(Exit.isSuccess(exit) ? [Message.text(exit.value)] : []), ...(yield* drain(sub))]).toEqual(["4"])
      expect((yield* sub.statistics).dropped.full).toBe(0)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("nobody who publishes feels that nobody receives", () =>
    Effect.gen(function* () {
      const { pub, sub } = yield* met({ recvBuffer: 1 }, "")
      yield* publish(pub, ...Array.from({ length: 100 }, (_, n) => String(n)))
      expect((yield* pub.statistics).dropped.full).toBe(0)
      expect((yield* sub.statistics).dropped.full).toBe(99)
      expect(yield* drain(sub)).toEqual(["99"])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("hears many publishers", () =>
    Effect.gen(function* () {
      const sub = yield* Sub0.make()
      yield* Sub0.addTopic(sub, "")
      const pubs = [yield* Pub0.make(), yield* Pub0.makeRaw()]
      for (const [n, pub] of pubs.entries()) yield* marry(pub, sub, `inproc://publisher-${n}`)
      for (const [n, pub] of pubs.entries()) yield* publish(pub, String(n))
      expect(yield* drain(sub)).toEqual(["0", "1"])
    }).pipe(Effect.provide(inproc))
  )
})

describe("a scoped subscription", () => {
  it.scoped("ends with its scope, and with the last of several", () =>
    Effect.gen(function* () {
      const { pub, sub } = yield* met({})
      const [outer, inner] = [yield* Scope.make(), yield* Scope.make()]
      yield* Scope.extend(Sub0.subscribe(sub, "a"), outer)
      yield* sub.pipe(Sub0.subscribe("a"), Scope.extend(inner))
      yield* Scope.close(inner, Exit.void)
      yield* publish(pub, "a1")
      expect(yield* drain(sub)).toEqual(["a1"])
      yield* publish(pub, "a2")
      yield* Scope.close(outer, Exit.void)
      yield* publish(pub, "a3")
      expect(yield* drain(sub)).toEqual([])
      expect((yield* sub.statistics).dropped.unsubscribed).toBe(1)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("is not taken away by removeTopic, nor does it take away what addTopic has added", () =>
    Effect.gen(function* () {
      const { pub, sub } = yield* met({})
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* Sub0.subscribe(sub, "a")
          yield* failing(Sub0.removeTopic(sub, "a"), "NNG_ENOENT")
          yield* sub.pipe(Sub0.addTopic("a"))
        })
      )
      yield* publish(pub, "a")
      expect(yield* drain(sub)).toEqual(["a"])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("has the topic as it was, whatever becomes of the bytes", () =>
    Effect.gen(function* () {
      const { pub, sub } = yield* met({})
      const topic = Uint8Array.of(97)
      yield* Effect.scoped(
        Effect.zipRight(
          Sub0.subscribe(sub, topic),
          Effect.sync(() => topic.fill(98))
        )
      )
      yield* publish(pub, "a", "b")
      expect(yield* drain(sub)).toEqual([])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("outlives its socket without harm", () =>
    Effect.gen(function* () {
      const { sub } = yield* met({})
      const context = yield* SocketContext.make(sub)
      yield* Sub0.subscribe(sub, "a")
      yield* Sub0.subscribe(context, "a")
      yield* sub.close
      expect((yield* sub.statistics).dropped.unsubscribed).toBe(0)
    }).pipe(Effect.provide(inproc))
  )
})

describe("a stream of a topic", () => {
  it.scoped("takes nothing from another, nor from the socket, and ends with it", () =>
    Effect.gen(function* () {
      const { pub, sub } = yield* met({}, "")
      const streams = yield* Effect.forEach(["a", "b", "a"], (topic) =>
        recording(Stream.map(Sub0.stream(sub, topic), Message.text))
      )
      yield* publish(pub, "a1", "b1", "c1", "a2")
      expect(yield* drain(sub)).toEqual(["a1", "b1", "c1", "a2"])
      yield* sub.close
      const all = yield* Effect.forEach(streams, (stream) => Fiber.join(stream))
      expect(all).toEqual([["a1", "a2"], ["b1"], ["a1", "a2"]])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("gives in chunks what is there, no larger than it was told", () =>
    Effect.gen(function* () {
      const { pub, sub } = yield* met({})
      const sizes: Array<number> = []
      const gate = yield* Effect.makeLatch()
      const stream = Sub0.stream(sub, "", { chunkSize: 2 })
      yield* begin(
        Stream.runForEachChunk(stream, ({ length }) =>
          Effect.zipRight(
            Effect.sync(() => sizes.push(length)),
            gate.await
          )
        )
      )
      yield* publish(pub, "1", "2", "3", "4")
      expect(sizes).toEqual([1])
      yield* gate.open
      yield* settle
      expect(sizes).toEqual([1, 2, 1])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("has a buffer of its own, beside the chunk that it waits for", () =>
    Effect.gen(function* () {
      const { pub, sub } = yield* met({})
      const heard: Array<string> = []
      const stream = Sub0.stream(sub, "", { chunkSize: 1, recvBuffer: 1, preferNew: false })
      yield* begin(
        Stream.runForEach(stream, (message) =>
          Effect.zipRight(
            Effect.sync(() => heard.push(Message.text(message))),
            Effect.never
          )
        )
      )
      yield* publish(pub, "1", "2", "3")
      expect(heard).toEqual(["1"])
      expect((yield* sub.statistics).dropped.full).toBe(1)
      yield* failing(Stream.runDrain(Sub0.stream(sub, "", { recvBuffer: 0 })), "NNG_EINVAL")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("leaves nothing behind when it is interrupted or ended early", () =>
    Effect.gen(function* () {
      const { pub, sub } = yield* met({})
      const interrupted = yield* begin(Stream.runDrain(Sub0.stream(sub, "a")))
      yield* Fiber.interrupt(interrupted)
      const taken = yield* begin(Stream.runCollect(Stream.take(Sub0.stream(sub, "a"), 1)))
      yield* publish(pub, "a1")
      expect(Array.from(yield* Fiber.join(taken), Message.text)).toEqual(["a1"])
      yield* publish(pub, "a2")
      const { dropped, received } = yield* sub.statistics
      expect([received, Object.values(dropped).every((n) => n === 0)]).toEqual([1, true])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("fails when nothing came in the socket's time", () =>
    Effect.gen(function* () {
      const { sub } = yield* met({ recvTimeout: "1 second" })
      const waiting = yield* begin(Effect.flip(Stream.runDrain(Sub0.stream(sub, "a"))))
      yield* TestClock.adjust("1 second")
      expect(yield* Fiber.join(waiting)).toMatchObject({ _tag: "NNG_ETIMEDOUT" })
    }).pipe(Effect.provide(inproc))
  )
})

describe("raw sub0 over inproc", () => {
  it.scoped("[XSUB-02] hears everything", () =>
    Effect.gen(function* () {
      const pub = yield* publishing()
      const sub = yield* joined(pub, Sub0.makeRaw({ recvBuffer: 3 }))
      yield* publish(pub, "", "a", "b")
      expect(yield* drain(sub)).toEqual(["", "a", "b"])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[XSUB-03] its buffer may be none, and no more than 8192", () =>
    Effect.gen(function* () {
      const sub = yield* Sub0.makeRaw()
      expect(yield* Socket.settings(sub)).toMatchObject({ recvBuffer: 1 })
      for (const recvBuffer of [1, 3, 0]) {
        yield* Socket.configure(sub, { recvBuffer })
        expect(yield* Socket.settings(sub)).toMatchObject({ recvBuffer })
      }
      for (const recvBuffer of [-1, 1_000_000]) {
        yield* failing(Sub0.makeRaw({ recvBuffer }), "NNG_EINVAL")
        yield* failing(Socket.configure(sub, { recvBuffer }), "NNG_EINVAL")
      }
      expect(yield* Socket.settings(sub)).toMatchObject({ recvBuffer: 0 })
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[XSUB-04] drops the newest that nobody waits for", () =>
    Effect.gen(function* () {
      const pub = yield* publishing()
      const sub = yield* joined(pub, Sub0.makeRaw({ recvBuffer: 2 }))
      yield* publish(pub, "1", "2", "3", "4")
      expect(yield* drain(sub)).toEqual(["1", "2"])
      expect((yield* sub.statistics).dropped.full).toBe(2)
      yield* Socket.configure(sub, { recvBuffer: 0 })
      const waiting = yield* begin(recvText(sub))
      yield* Socket.sendAll(pub, ["5", "6"])
      expect(yield* Fiber.join(waiting)).toBe("5")
      expect(yield* drain(sub)).toEqual([])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[XSUB-05] may close in the middle of a flood, which the publisher does not feel", () =>
    Effect.gen(function* () {
      const pub = yield* publishing()
      const sub = yield* joined(pub, Sub0.makeRaw())
      const flood = Effect.forEach(
        Array.from({ length: 100 }, (_, n) => String(n)),
        (text) => Effect.zipLeft(Socket.send(pub, text, { nonblocking: true }), Effect.yieldNow()),
        { discard: true }
      )
      const publisher = yield* Effect.fork(flood)
      expect(yield* recvText(sub)).toBe("0")
      yield* sub.close
      yield* Fiber.join(publisher)
      yield* settle
      expect(yield* pub.statistics).toMatchObject({ sent: 100, pipes: 0 })
    }).pipe(Effect.provide(inproc))
  )
})
