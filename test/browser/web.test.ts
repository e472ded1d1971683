import { describe, expect, it } from "@effect/vitest"
import * as PlatformSocket from "@effect/platform/Socket"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as Message from "effect-nng/Message"
import * as Protocol from "effect-nng/Protocol"
import type { Target, TransportOptions } from "effect-nng/Transport"
import * as Url from "effect-nng/Url"
import * as WebSocketTransport from "effect-nng/WebSocketTransport"
import { closeError } from "../../src/internal/wire/websocket.js"
import * as Transport from "effect-nng/Transport"
import { settle } from "../support/sockets.js"

/** A browser's WebSocket, whose other side is the test. */
class Played extends EventTarget {
  binaryType = "blob"
  readyState = 0
  bufferedAmount = 0
  protocol = ""
  readonly sent: Array<string> = []
  readonly closes: Array<number> = []

  constructor(
    readonly url: string,
    readonly asked: ReadonlyArray<string>
  ) {
    super()
  }

  send(bytes: Uint8Array): void {
    // as browsers do, it takes no offence when it has closed
    this.sent.push(Buffer.from(bytes).toString())
    this.bufferedAmount += bytes.length
  }

  close(code: number): void {
    if (code !== 1000 && (code < 3000 || code > 4999)) throw new Error(`a page may not close with ${code}`)
    if (this.readyState < 2) this.readyState = 2
    this.closes.push(code)
  }

  open(protocol = this.asked[0]!): void {
    this.readyState = 1
    this.protocol = protocol
    this.dispatchEvent(new Event("open"))
  }

  says(data: unknown): void {
    this.dispatchEvent(Object.assign(new Event("message"), { data }))
  }

  closed(code: number): void {
    this.readyState = 3
    this.dispatchEvent(new Event("error"))
    this.dispatchEvent(Object.assign(new Event("close"), { code }))
  }
}

const bytes = (text: string): ArrayBuffer => Uint8Array.from(Buffer.from(text)).buffer

const target = (options: TransportOptions = {}, recvMaxSize = 0, url = "ws://host:80/path?query"): Target => ({
  url: Either.getOrThrow(Url.parse(url)),
  protocol: Protocol.req0,
  recvMaxSize,
  options
})

/** The transport, and the WebSockets that it has made. */
const making = (options?: WebSocketTransport.Options) => {
  const made: Array<Played> = []
  const constructor = Layer.succeed(PlatformSocket.WebSocketConstructor, (url, protocols) => {
    const ws = new Played(url, protocols as ReadonlyArray<string>)
    made.push(ws)
    return ws as unknown as WebSocket
  })
  return Effect.map(Effect.provide(WebSocketTransport.make(options), constructor), (transport) => ({ transport, made }))
}

const connecting = (to: Target, options?: WebSocketTransport.Options) =>
  Effect.gen(function* () {
    const { made, transport } = yield* making(options)
    const dialing = yield* Effect.forkScoped(transport.dial(to))
    yield* settle
    return { ws: made[0]!, dialing, transport }
  })

const connected = (to: Target = target(), options?: WebSocketTransport.Options) =>
  Effect.gen(function* () {
    const { dialing, ws } = yield* connecting(to, options)
    ws.open()
    return { ws, connection: yield* Fiber.join(dialing) }
  })

const texts = (chunk: Chunk.Chunk<Message.Message>) => Chunk.toReadonlyArray(chunk).map(Message.text)

const send = (...all: ReadonlyArray<string>) => Chunk.fromIterable(all.map((each) => Message.make(each)))

describe("a dial", () => {
  it.scoped("asks for the peer's sub-protocol, and tells what it knows of the pipe", () =>
    Effect.gen(function* () {
      const { connection, ws } = yield* connected()
      expect([ws.url, ws.asked, ws.binaryType]).toEqual([
        "ws://host:80/path?query",
        ["rep.sp.nanomsg.org"],
        "arraybuffer"
      ])
      expect(connection.peerProtocol).toBe(Protocol.rep0.number)
      expect(connection.properties).toEqual({
        ws: { requestUri: "/path?query", subprotocol: "rep.sp.nanomsg.org", requestHeaders: {}, responseHeaders: {} }
      })
    })
  )

  it.scoped("that does not open is refused", () =>
    Effect.gen(function* () {
      const { dialing, ws } = yield* connecting(target())
      ws.closed(1006)
      expect(yield* Effect.flip(Fiber.join(dialing))).toMatchObject({ _tag: "NNG_ECONNREFUSED" })
    })
  )

  it.scoped("that is answered for another protocol fails, and is closed", () =>
    Effect.gen(function* () {
      const { made, transport } = yield* making()
      const dialing = yield* Effect.forkScoped(Effect.scoped(transport.dial(target())))
      yield* settle
      made[0]!.open("")
      expect(yield* Effect.flip(Fiber.join(dialing))).toMatchObject({ _tag: "NNG_EPROTO" })
      expect(made[0]!.closes).toEqual([1000])
    })
  )

  it.scoped("has ten seconds", () =>
    Effect.gen(function* () {
      const { dialing } = yield* connecting(target())
      yield* TestClock.adjust("9999 millis")
      expect(Option.isNone(yield* Fiber.poll(dialing))).toBe(true)
      yield* TestClock.adjust("1 millis")
      expect(yield* Effect.flip(Fiber.join(dialing))).toMatchObject({ _tag: "NNG_ETIMEDOUT" })
    })
  )

  it.effect("leaves nobody asleep, whether it succeeds, fails, or is interrupted", () =>
    Effect.gen(function* () {
      let asleep = 0
      const sleep = () =>
        Effect.acquireUseRelease(
          Effect.sync(() => asleep++),
          () => Effect.never,
          () => Effect.sync(() => asleep--)
        )
      const clock: Clock.Clock = Object.assign(Object.create(Clock.make()), { sleep })
      const after = (end: (ws: Played, dialing: Fiber.RuntimeFiber<unknown, unknown>) => Effect.Effect<unknown>) =>
        Effect.scoped(
          Effect.gen(function* () {
            const { made, transport } = yield* making()
            const dialing = yield* Effect.fork(Effect.scoped(Effect.zipRight(transport.dial(target()), Effect.never)))
            yield* settle
            expect(asleep).toBe(1)
            yield* end(made[0]!, dialing)
            yield* settle
            return asleep
          })
        )
      const all = Effect.all([
        after((ws) => Effect.sync(() => ws.open())),
        after((ws) => Effect.sync(() => ws.closed(1006))),
        after((_, dialing) => Fiber.interrupt(dialing))
      ])
      expect(yield* Effect.withClock(all, clock)).toEqual([0, 0, 0])
    })
  )

  it.scoped("that is interrupted is closed, also in the tick in which it opened", () =>
    Effect.gen(function* () {
      for (const opens of [false, true]) {
        const { made, transport } = yield* making()
        const dialing = yield* Effect.fork(Effect.scoped(transport.dial(target())))
        yield* settle
        if (opens) made[0]!.open()
        expect(Exit.isInterrupted(yield* Fiber.interrupt(dialing))).toBe(true)
        expect(made[0]!.closes).toEqual([1000])
      }
    })
  )

  for (const [name, tag] of [
    ["SecurityError", "NNG_EPERM"],
    ["SyntaxError", "NNG_EADDRINVAL"],
    ["ReferenceError", "NNG_ENOTSUP"]
  ] as const) {
    it.scoped(`that the platform does not try for a ${name} is ${tag}`, () =>
      Effect.gen(function* () {
        const constructor = Layer.succeed(PlatformSocket.WebSocketConstructor, () => {
          throw Object.assign(new Error("no"), { name })
        })
        const transport = yield* Effect.provide(WebSocketTransport.make(), constructor)
        expect(yield* Effect.flip(transport.dial(target()))).toMatchObject({ _tag: tag, reason: "no" })
      })
    )
  }
})

describe("what cannot be had", () => {
  it.effect("is told before anything is tried", () =>
    Effect.gen(function* () {
      const { transport } = yield* making()
      const url = target().url
      const tag = (role: "dial" | "listen", options: TransportOptions) =>
        Either.match(transport.check(role, url, options), { onLeft: ({ _tag }) => _tag, onRight: () => "fine" })
      expect([
        tag("dial", {}),
        tag("listen", {}),
        tag("dial", { ws: { headers: { a: "b" } } }),
        tag("dial", { ws: { origins: "any" } }),
        tag("dial", { ws: { sendMaxFrame: -1 } })
      ]).toEqual(["fine", "NNG_ENOTSUP", "NNG_ENOTSUP", "NNG_ENOTSUP", "NNG_EINVAL"])
      expect(yield* Effect.flip(Effect.scoped(transport.listen(target())))).toMatchObject({ _tag: "NNG_ENOTSUP" })
      expect(yield* Effect.flip(making({ recvBuffer: 0 }))).toMatchObject({ _tag: "NNG_EINVAL" })
      expect(yield* Effect.flip(making({ recvBuffer: 1.5 }))).toMatchObject({ _tag: "NNG_EINVAL" })
    })
  )
})

describe("what comes", () => {
  it.scoped("is held until it is asked for, in order", () =>
    Effect.gen(function* () {
      const { connection, ws } = yield* connected()
      for (const text of ["1", "2", "3"]) ws.says(bytes(text))
      yield* settle
      const got: Array<string> = []
      while (got.length < 3) got.push(...texts(yield* Transport.pull(connection)))
      expect(got).toEqual(["1", "2", "3"])
    })
  )

  it.scoped("is given before the end is told", () =>
    Effect.gen(function* () {
      const { connection, ws } = yield* connected()
      for (const text of ["1", "2", "3"]) ws.says(bytes(text))
      ws.closed(1009)
      const got: Array<string> = []
      while (got.length < 3) got.push(...texts(yield* Transport.pull(connection)))
      expect(got).toEqual(["1", "2", "3"])
      expect(yield* Effect.flip(Transport.pull(connection))).toMatchObject({ _tag: "NNG_EMSGSIZE" })
    })
  )

  it.scoped("and is not asked for meets a bound: it is closed, and what is held is still given", () =>
    Effect.gen(function* () {
      const { connection, ws } = yield* connected(target(), { recvBuffer: 3 * (64 + 10) })
      for (let i = 0; i < 3; i++) ws.says(bytes(`${i}`.padEnd(10)))
      expect(ws.closes).toEqual([])
      ws.says(bytes(""))
      expect(ws.closes).toEqual([4013])
      ws.says(bytes("late"))
      const got: Array<string> = []
      while (got.length < 3) got.push(...texts(yield* Transport.pull(connection)))
      expect(got.map((text) => text.trim())).toEqual(["0", "1", "2"])
      expect(ws.closes).toEqual([4013])
      expect(yield* Effect.flip(Transport.pull(connection))).toMatchObject({ _tag: "NNG_ENOMEM" })
    })
  )

  it.scoped("meets no bound while it is taken", () =>
    Effect.gen(function* () {
      const { connection, ws } = yield* connected(target(), { recvBuffer: 4 * (200 + 64) })
      for (let i = 0; i < 50; i++) {
        for (let one = 0; one < 4; one++) ws.says(bytes("x".repeat(200)))
        let taken = 0
        while (taken < 4) taken += Chunk.size(yield* Transport.pull(connection))
        expect(taken).toBe(4)
      }
      expect(ws.closes).toEqual([])
    })
  )

  it.scoped("is given in parts where much of it is held", () =>
    Effect.gen(function* () {
      const { connection, ws } = yield* connected()
      for (let i = 0; i < 3000; i++) ws.says(bytes(String(i)))
      const got: Array<string> = []
      while (got.length < 3000) {
        const part = texts(yield* Transport.pull(connection))
        expect(part.length).toBeLessThanOrEqual(1024)
        got.push(...part)
      }
      expect(got).toEqual(Array.from({ length: 3000 }, (_, i) => String(i)))
    })
  )

  it.scoped("may be one message that is longer than the bound", () =>
    Effect.gen(function* () {
      const { connection, ws } = yield* connected(target(), { recvBuffer: 1 })
      ws.says(bytes("longer than one"))
      expect(texts(yield* Transport.pull(connection))).toEqual(["longer than one"])
      expect(ws.closes).toEqual([])
    })
  )

  it.scoped("is of the limit's size at most", () =>
    Effect.gen(function* () {
      const { connection, ws } = yield* connected(target({}, 4))
      ws.says(bytes("four"))
      ws.says(bytes("fives"))
      expect(ws.closes).toEqual([4009])
      expect(texts(yield* Transport.pull(connection))).toEqual(["four"])
      expect(yield* Effect.flip(Transport.pull(connection))).toMatchObject({ _tag: "NNG_EMSGSIZE" })
    })
  )

  it.scoped("is no text", () =>
    Effect.gen(function* () {
      const { connection, ws } = yield* connected()
      ws.says("text")
      expect(ws.closes).toEqual([4003])
      expect(yield* Effect.flip(Transport.pull(connection))).toMatchObject({ _tag: "NNG_EPROTO" })
    })
  )
})

describe("what goes", () => {
  it.scoped("has its header in front", () =>
    Effect.gen(function* () {
      const { connection, ws } = yield* connected()
      const message = Message.make("body")
      Message.Header.append(message, Buffer.from("head"))
      yield* Transport.send(connection, Chunk.of(message))
      yield* settle
      expect(ws.sent).toEqual(["headbody"])
    })
  )

  it.scoped("waits above the high mark until the low one", () =>
    Effect.gen(function* () {
      const { connection, ws } = yield* connected()
      const quarter = "x".repeat(64 * 1024)
      yield* Transport.send(connection, send(quarter, quarter, quarter, quarter))
      yield* settle
      expect(ws.bufferedAmount).toBe(256 * 1024)
      yield* Transport.send(connection, send("one more"))
      yield* settle
      expect(ws.sent).toHaveLength(5)
      yield* Transport.send(connection, send("waits"))
      ws.bufferedAmount = 64 * 1024 + 1
      yield* TestClock.adjust("100 millis")
      expect(ws.sent).toHaveLength(5)
      ws.bufferedAmount = 64 * 1024
      yield* TestClock.adjust("4 millis")
      yield* settle
      expect(ws.sent.slice(5)).toEqual(["waits"])
    })
  )

  it.scoped("is left over, and not sent, when it ends while it waits", () =>
    Effect.gen(function* () {
      const { connection, ws } = yield* connected()
      const { messages } = connection
      const why = yield* Deferred.make<string>()
      messages.start({
        onPull: () => {},
        onDrain: () => {},
        onClose: ({ _tag }) => Deferred.unsafeDone(why, Effect.succeed(_tag))
      })
      messages.pull()
      messages.push(Message.make("x".repeat(256 * 1024 + 1)))
      yield* settle
      messages.push(Message.make("waits"))
      ws.closed(1006)
      expect(yield* Deferred.await(why)).toBe("NNG_ECONNSHUT")
      ws.bufferedAmount = 0
      yield* TestClock.adjust("1 second")
      const { doubtful, unsent } = messages.close()
      expect([doubtful.length, unsent.map(Message.text)]).toEqual([1, ["waits"]])
      expect(ws.sent).toHaveLength(1)
    })
  )

  it.scoped("is not given to one that has closed, though nobody was told yet", () =>
    Effect.gen(function* () {
      const { connection, ws } = yield* connected()
      ws.closed(1000)
      connection.messages.push(Message.make("late"))
      yield* settle
      expect(ws.sent).toEqual([])
      expect(connection.messages.close().doubtful.map(Message.text)).toEqual(["late"])
    })
  )

  it.scoped("is of the longest frame's size at most, header included", () =>
    Effect.gen(function* () {
      const { connection, ws } = yield* connected(target({ ws: { sendMaxFrame: 8 } }))
      const message = Message.make("12345")
      Message.Header.append(message, Buffer.from("head"))
      yield* Transport.send(connection, send("12345678"))
      yield* settle
      expect([ws.sent, ws.closes]).toEqual([["12345678"], []])
      yield* Transport.send(connection, Chunk.of(message))
      yield* settle
      expect([ws.sent, ws.closes]).toEqual([["12345678"], [1000]])
      expect(yield* Effect.flip(Transport.pull(connection))).toMatchObject({ _tag: "NNG_EMSGSIZE" })
      expect(connection.messages.close().doubtful).toHaveLength(1)
    })
  )

  it.scoped("is a mebibyte at most unless it is said otherwise", () =>
    Effect.gen(function* () {
      for (const [options, closes] of [
        [{}, [1000]],
        [{ ws: { sendMaxFrame: 0 } }, []]
      ] as const) {
        const { connection, ws } = yield* connected(target(options))
        yield* Effect.forkScoped(Transport.send(connection, send("x".repeat(1024 * 1024))))
        yield* settle
        ws.bufferedAmount = 0
        yield* TestClock.adjust("4 millis")
        yield* Effect.forkScoped(Transport.send(connection, send("x".repeat(1024 * 1024 + 1))))
        yield* settle
        expect(ws.closes).toEqual(closes)
      }
    })
  )
})

it.effect("a scope that ends says goodbye, and what comes after is nobody's", () =>
  Effect.gen(function* () {
    const { made, transport } = yield* making()
    const scope = yield* Scope.make()
    const dialing = yield* Effect.fork(Scope.extend(transport.dial(target()), scope))
    yield* settle
    const ws = made[0]!
    ws.open()
    const connection = yield* Fiber.join(dialing)
    yield* Transport.send(connection, send("last"))
    yield* Scope.close(scope, Exit.void)
    expect([ws.sent, ws.closes]).toEqual([["last"], [1000]])
    ws.says(bytes("late"))
    ws.closed(1000)
    expect(yield* Effect.flip(Transport.pull(connection))).toMatchObject({ _tag: "NNG_ECLOSED" })
  })
)

describe("the codes that pages close with", () => {
  for (const [code, tag] of [
    [4003, "NNG_EPROTO"],
    [4009, "NNG_EMSGSIZE"],
    [4013, "NNG_ECONNSHUT"],
    [3009, "NNG_ECONNSHUT"],
    [4999, "NNG_ECONNSHUT"]
  ] as const) {
    it(`${code} is ${tag}`, () => expect(closeError(code)._tag).toBe(tag))
  }
})
