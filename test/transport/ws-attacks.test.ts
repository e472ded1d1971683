import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as Dialer from "effect-nng/Dialer"
import * as Listener from "effect-nng/Listener"
import * as Message from "effect-nng/Message"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Pair0 from "effect-nng/Pair0"
import * as Protocol from "effect-nng/Protocol"
import * as Pull0 from "effect-nng/Pull0"
import * as Socket from "effect-nng/Socket"
import { Transports } from "effect-nng/Transport"
import * as Url from "effect-nng/Url"
import { EventEmitter } from "node:events"
import * as Http from "node:http"
import type * as Net from "node:net"
import * as Stream from "node:stream"
import { leavesNone, turn, until } from "../support/handles.js"
import * as Peers from "../support/peers.js"
import { record, tagged } from "../support/peers.js"
import * as Ws from "../support/wsPeer.js"

type Test = (title: string, effect: () => Effect.Effect<void, unknown, Scope.Scope | Transports>) => void

const test: Test = (title, effect) =>
  it.scopedLive(title, () => leavesNone(Effect.suspend(effect)).pipe(Effect.provide(NodeTransport.layerWs)))

/** Where time passes only when the test says so. */
const testStill: Test = (title, effect) =>
  it.scoped(title, () => leavesNone(Effect.suspend(effect)).pipe(Effect.provide(NodeTransport.layerWs)))

const portOf = ({ url }: { readonly url: string }): number => Number(/:(\d+)/.exec(url)?.[1])

const pullProtocol = { "Sec-WebSocket-Protocol": "pull.sp.nanomsg.org" }

/** A pull socket that listens, and how one gets in by hand. */
const serving = (options: { readonly recvMaxSize?: number } = {}) =>
  Effect.gen(function* () {
    const socket = yield* Pull0.make(options)
    const pipes = yield* record(Socket.events(socket))
    const listener = yield* Listener.make(socket, "ws://127.0.0.1:0/path")
    const told = yield* record(Listener.events(listener))
    yield* Listener.start(listener)
    const connect = Peers.dial(portOf(listener))
    const enter = Effect.tap(connect, (peer) =>
      Effect.map(Ws.ask(peer, "/path", pullProtocol), (head) => expect(Ws.statusOf(head)).toBe(101))
    )
    /** Somebody who behaves gets in, and is heard. */
    const othersLive = Effect.scoped(
      Effect.gen(function* () {
        const peer = yield* enter
        yield* peer.write(Ws.frame(2, "good"))
        expect(Message.text(yield* Socket.recv(socket))).toBe("good")
      })
    )
    return { socket, pipes, told, listener, connect, enter, othersLive }
  })

/** The code of the close frame that comes. */
const closedWith = (peer: Peers.Peer) =>
  Effect.map(Ws.readFrame(peer), ({ op, payload }) => (op === 8 ? (payload[0]! << 8) | payload[1]! : `op ${op}`))

const MiB = 1024 * 1024

describe("[S1] lengths", () => {
  const limit = 1000
  for (const length of [
    1001n,
    65535n,
    2n ** 31n,
    2n ** 32n,
    2n ** 53n - 1n,
    2n ** 53n,
    2n ** 60n,
    2n ** 63n,
    2n ** 64n - 1n
  ]) {
    test(`of ${length} bytes, announced to a limit of ${limit}, end the pipe before they come`, () =>
      Effect.gen(function* () {
        const { enter, othersLive, pipes } = yield* serving({ recvMaxSize: limit })
        const peer = yield* enter
        yield* peer.write(Ws.frame(2, "", { length }))
        expect(yield* closedWith(peer)).toBe(1009)
        expect((yield* pipes.find(tagged("RemPost"))).reason).toMatchObject({ _tag: "NNG_EMSGSIZE" })
        yield* othersLive
      }))
  }

  test("that add up over fragments end the pipe when the sum is over the limit", () =>
    Effect.gen(function* () {
      const { enter, othersLive, pipes, socket } = yield* serving({ recvMaxSize: limit })
      const peer = yield* enter
      yield* peer.write(Ws.frame(2, new Uint8Array(600), { fin: false }), Ws.frame(0, new Uint8Array(400)))
      expect((yield* Socket.recv(socket)).length).toBe(1000)
      yield* peer.write(Ws.frame(2, new Uint8Array(600), { fin: false }), Ws.frame(0, new Uint8Array(401)))
      expect(yield* closedWith(peer)).toBe(1009)
      expect((yield* pipes.find(tagged("RemPost"))).reason).toMatchObject({ _tag: "NNG_EMSGSIZE" })
      yield* othersLive
    }))

  test("hold for dialers too", () =>
    Effect.gen(function* () {
      const server = yield* Peers.listen()
      const socket = yield* Pull0.make({ recvMaxSize: limit })
      const pipes = yield* record(Socket.events(socket))
      yield* Socket.dial(socket, `ws://127.0.0.1:${server.port}`, { nonblocking: true, reconnectMin: "1 hour" })
      const peer = yield* server.accept
      yield* Effect.flatMap(Ws.readHead(peer), (asked) => Ws.grant(peer, asked))
      yield* peer.write(Ws.frame(2, "", { length: limit + 1, mask: false }))
      expect(yield* closedWith(peer)).toBe(1009)
      expect((yield* pipes.find(tagged("RemPost"))).reason).toMatchObject({ _tag: "NNG_EMSGSIZE" })
    }))

  test("that no number can hold are refused where there is no limit", () =>
    Effect.gen(function* () {
      const { enter, othersLive } = yield* serving({ recvMaxSize: 0 })
      const peer = yield* enter
      yield* peer.write(Ws.frame(2, "", { length: 2n ** 53n }))
      expect(yield* closedWith(peer)).toBe(1009)
      yield* othersLive
    }))
})

describe("[S2] memory", () => {
  test("is not given to what 500 peers announced and did not send", () =>
    Effect.gen(function* () {
      const { enter, othersLive, socket } = yield* serving()
      const before = process.memoryUsage()
      yield* Effect.forEach(
        Array.from({ length: 500 }),
        () => Effect.tap(enter, (peer) => peer.write(Ws.frame(2, "0123456789", { length: 1024 * MiB - 1 }))),
        { concurrency: 20 }
      )
      yield* Socket.awaitPeers(socket, 500)
      yield* othersLive
      const after = process.memoryUsage()
      // both ends of the connections are in here
      expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(500 * 64 * 1024)
    }))
})

describe("[S3] tiny fragments", () => {
  for (const [what, byte] of [
    ["empty", ""],
    ["one byte long", "x"]
  ] as const) {
    test(`without end, ${what}, end the pipe`, () =>
      Effect.gen(function* () {
        const { enter, othersLive, pipes } = yield* serving()
        const peer = yield* enter
        const fragment = Ws.frame(0, byte, { fin: false })
        yield* peer.write(Ws.frame(2, byte, { fin: false }), ...Array.from({ length: 16 * 1024 }, () => fragment))
        expect(yield* closedWith(peer)).toBe(1008)
        expect((yield* pipes.find(tagged("RemPost"))).reason).toMatchObject({ _tag: "NNG_EPROTO" })
        yield* othersLive
      }))
  }

  test("as many as are allowed make a message", () =>
    Effect.gen(function* () {
      const { enter, socket } = yield* serving()
      const peer = yield* enter
      const fragment = Ws.frame(0, "x", { fin: false })
      yield* peer.write(
        Ws.frame(2, "x", { fin: false }),
        ...Array.from({ length: 16 * 1024 - 2 }, () => fragment),
        Ws.frame(0, "x")
      )
      expect((yield* Socket.recv(socket)).length).toBe(16 * 1024)
    }))
})

/** A connection without a network, so that what is pushed is read in just these pieces, and the server that has it. */
const byHand = Effect.gen(function* () {
  const written: Array<Uint8Array> = []
  const socket = Object.assign(
    new Stream.Duplex({
      read: () => {},
      write: (chunk: Uint8Array, _encoding, done) => {
        written.push(chunk)
        done()
      }
    }),
    { setNoDelay: () => {}, setKeepAlive: () => {}, setTimeout: () => {} }
  )
  yield* Effect.addFinalizer(() => Effect.sync(() => socket.destroy()))
  const request = new Http.IncomingMessage(socket as unknown as Net.Socket)
  const [first, ...fields] = Ws.request("/path", pullProtocol).toString().trim().split("\r\n")
  const [method = "", url = ""] = first!.split(" ")
  const headers = Object.fromEntries(
    fields.map((field) => {
      const [name = "", value = ""] = field.split(": ")
      return [name.toLowerCase(), value]
    })
  )
  Object.assign(request, { method, url, headers, httpVersion: "1.1" })
  const server = new EventEmitter()
  return {
    server,
    enter: Effect.sync(() => server.emit("upgrade", request, socket, Buffer.alloc(0))),
    crumbs: (bytes: Uint8Array) => Effect.sync(() => bytes.forEach((byte) => socket.push(Uint8Array.of(byte)))),
    written: () => Buffer.concat(written)
  }
})

describe("[S3] crumbs", () => {
  const body = (size: number) => new Uint8Array(size).map((_, i) => i)

  /** A pull socket that a peer has come to by hand. */
  const pulling = Effect.gen(function* () {
    const { crumbs, enter, server, written } = yield* byHand
    const socket = yield* Pull0.make()
    const pipes = yield* record(Socket.events(socket))
    yield* Socket.listen(socket, "ws://127.0.0.1:80/path", { ws: { server } })
    yield* enter
    yield* Socket.awaitPeers(socket, 1)
    return { crumbs, pipes, socket, written }
  })

  test("of one byte make a message", () =>
    Effect.gen(function* () {
      const { crumbs, socket } = yield* pulling
      yield* crumbs(Ws.frame(2, body(60_000)))
      expect((yield* Socket.recv(socket)).body).toEqual(body(60_000))
    }))

  test("more than may be kept end the pipe, and no memory waits for the rest", () =>
    Effect.gen(function* () {
      const { crumbs, pipes, written } = yield* pulling
      yield* crumbs(Ws.frame(2, body(70_000)))
      expect((yield* pipes.find(tagged("RemPost"))).reason).toMatchObject({ _tag: "NNG_EPROTO" })
      const [, close] = written().toString("latin1").split("\r\n\r\n")
      expect(Ws.parseFrames(Buffer.from(close!, "latin1"))).toMatchObject([{ op: 8, payload: Buffer.of(0x03, 0xf0) }])
    }))
})

describe("[S4] compression", () => {
  test("is not agreed to, and a frame that is compressed ends the pipe", () =>
    Effect.gen(function* () {
      const { connect, othersLive, pipes } = yield* serving()
      const peer = yield* connect
      const answer = yield* Ws.ask(peer, "/path", {
        ...pullProtocol,
        "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"
      })
      expect(Ws.statusOf(answer)).toBe(101)
      expect(answer.headers["sec-websocket-extensions"]).toBeUndefined()
      yield* peer.write(Uint8Array.of(0xc2, 0x81, 1, 2, 3, 4, 5))
      expect(yield* closedWith(peer)).toBe(1002)
      expect((yield* pipes.find(tagged("RemPost"))).reason).toMatchObject({ _tag: "NNG_EPROTO" })
      yield* othersLive
    }))

  test("that a listener answers with, though nobody asked, fails the dial", () =>
    Effect.gen(function* () {
      const server = yield* Peers.listen()
      const socket = yield* Pair0.make()
      const dialing = yield* Effect.fork(Effect.flip(Socket.dial(socket, `ws://127.0.0.1:${server.port}`)))
      const peer = yield* server.accept
      const asked = yield* Ws.readHead(peer)
      expect(asked.headers["sec-websocket-extensions"]).toBeUndefined()
      yield* Ws.grant(peer, asked, ["Sec-WebSocket-Extensions: permessage-deflate"])
      expect(yield* dialing).toMatchObject({ _tag: "NNG_EPROTO" })
    }))
})

describe("[S5] peers that take their time", () => {
  testStill("silent, or a byte at a time: ten seconds in all, and others get in meanwhile", () =>
    Effect.gen(function* () {
      const { connect, othersLive, told } = yield* serving()
      const silent = yield* Effect.replicateEffect(connect, 100)
      const slow = yield* connect
      const text = Ws.request("/path", pullProtocol)
      yield* slow.write(text.subarray(0, 10))
      yield* othersLive
      for (let second = 1; second < 10; second++) {
        yield* TestClock.adjust("1 second")
        yield* slow.write(text.subarray(9 + second, 10 + second))
        yield* Effect.repeatN(turn, 3)
      }
      expect(told.tags()).not.toContain("HandshakeFailed")
      yield* othersLive
      yield* TestClock.adjust("1 second")
      for (const peer of [...silent, slow]) yield* peer.closed
      yield* told.find(tagged("HandshakeFailed"), 100)
      const failures = told.all.filter(tagged("HandshakeFailed"))
      expect(failures.length).toBe(101)
      expect(new Set(failures.map(({ error }) => error._tag))).toEqual(new Set(["NNG_ETIMEDOUT"]))
      yield* othersLive
    })
  )

  testStill("a thousand that are silent: the oldest make room, and one who asks gets in", () =>
    Effect.gen(function* () {
      const { connect, listener, othersLive } = yield* serving()
      const silent = yield* Effect.forEach(Array.from({ length: 1000 }), () => connect, { concurrency: 50 })
      yield* othersLive
      let cut = 0
      yield* Effect.forEach(silent, ({ closed }) => Effect.forkScoped(Effect.andThen(closed, () => void cut++)))
      yield* until(
        () => cut >= 700,
        () => cut
      )
      yield* othersLive
      const { failures } = yield* listener.statistics
      expect(failures.NNG_ETIMEDOUT).toBeGreaterThan(0)
    })
  )

  testStill("a listener that does not answer a dialer: ten seconds, and however it drips", () =>
    Effect.gen(function* () {
      const server = yield* Peers.listen()
      const dialer = yield* Dialer.make(yield* Pair0.make(), `ws://127.0.0.1:${server.port}`)
      const starting = yield* Effect.fork(Effect.flip(Dialer.start(dialer)))
      const peer = yield* server.accept
      yield* Ws.readHead(peer)
      for (const letter of "HTTP/1.1 ") {
        yield* peer.write(Buffer.from(letter))
        yield* TestClock.adjust("1 second")
        yield* turn
      }
      expect(starting.unsafePoll()).toBeNull()
      yield* TestClock.adjust("1 second")
      expect(yield* starting).toMatchObject({ _tag: "NNG_ETIMEDOUT" })
      yield* peer.closed
    })
  )
})

describe("[S6] what is no HTTP", () => {
  for (const [what, bytes] of [
    ["an SP header", Peers.pair0],
    ["a TLS hello", Peers.bytes("16030100c8010000c40303")],
    ["zeros", new Uint8Array(100)],
    ["a line", Buffer.from("hello\r\n\r\n")]
  ] as const) {
    test(`${what} is refused, and told of`, () =>
      Effect.gen(function* () {
        const { connect, othersLive, told } = yield* serving()
        const peer = yield* connect
        yield* peer.write(bytes)
        expect(Ws.statusOf(yield* Ws.readHead(peer))).toBe(400)
        expect((yield* told.find(tagged("HandshakeFailed"))).error).toMatchObject({ _tag: "NNG_EPROTO" })
        yield* peer.closed
        yield* othersLive
      }))
  }

  for (const [what, play, error] of [
    ["nothing, and an end", (peer: Peers.Peer) => peer.end, "NNG_ECONNSHUT"],
    [
      "half a request, and an end",
      (peer: Peers.Peer) => Effect.zipRight(peer.write(Buffer.from("GET /path HTTP/1.1\r\nHo")), peer.end),
      "NNG_EPROTO"
    ],
    [
      "half a request, and a reset",
      (peer: Peers.Peer) => Effect.zipRight(peer.write(Buffer.from("GET /path HTTP/1.1\r\nHo")), peer.reset),
      "NNG_ECONNRESET|NNG_EPROTO"
    ],
    [
      "the beginning of an empty target, and an end",
      (peer: Peers.Peer) => Effect.zipRight(peer.write(Buffer.from("GET  H")), peer.end),
      "NNG_ECONNSHUT"
    ]
  ] as const) {
    test(`${what}: ${error.replace("|", ", or ")}`, () =>
      Effect.gen(function* () {
        const { connect, othersLive, told } = yield* serving()
        yield* play(yield* connect)
        expect(error.split("|")).toContain((yield* told.find(tagged("HandshakeFailed"))).error._tag)
        yield* othersLive
      }))
  }
})

describe("[S9] upgrade requests", () => {
  for (const [what, headers, status] of [
    ["with 2 000 headers", Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`X-${i}`, "x"])), 431],
    ["with a sub-protocol of 64 KiB", { "Sec-WebSocket-Protocol": "a,".repeat(32 * 1024) }, 431],
    ["with a sub-protocol of 7 KiB", { "Sec-WebSocket-Protocol": "a, ".repeat(2400) }, 400],
    ["with a target of 7 KiB", {}, 404]
  ] as const) {
    test(`${what} are refused with ${status}`, () =>
      Effect.gen(function* () {
        const { connect, othersLive } = yield* serving()
        const peer = yield* connect
        const path = status === 404 ? `/${"a/".repeat(3500)}` : "/path"
        expect(Ws.statusOf(yield* Ws.ask(peer, path, { ...pullProtocol, ...headers }))).toBe(status)
        yield* othersLive
      }))
  }

  test("that are reset at any byte leave nothing", () =>
    Effect.gen(function* () {
      const { connect, othersLive } = yield* serving()
      const text = Ws.request("/path", pullProtocol)
      for (let at = 0; at <= text.length; at += 7) {
        const peer = yield* connect
        yield* peer.write(text.subarray(0, at))
        if (at % 2 === 0) yield* turn
        yield* peer.reset
      }
      yield* othersLive
    }))

  test("of ours have a path that HTTP can carry, whatever the URL has", () =>
    Effect.gen(function* () {
      const server = yield* Peers.listen()
      yield* Socket.dial(yield* Pair0.make(), `ws://127.0.0.1:${server.port}/%0d%0aEvil:%20b/¢?q=%0a`, {
        nonblocking: true,
        reconnectMin: "1 hour"
      })
      const { first, headers } = yield* Ws.readHead(yield* server.accept)
      expect(first).toBe("GET /%0D%0AEvil:%20b/%C2%A2?q=%0A HTTP/1.1")
      expect(headers["evil"]).toBeUndefined()
    }))
})

describe("[S10] frames", () => {
  for (const [what, bytes, code] of [
    ["text", Ws.frame(1, "text"), 1003],
    ["text that is no UTF-8", Ws.frame(1, Uint8Array.of(0xff)), 1003],
    ["an empty text", Ws.frame(1, ""), 1003],
    ["unmasked", Ws.frame(2, "x", { mask: false }), 1002],
    ["RSV2", Uint8Array.of(0xa2, 0x80, 0, 0, 0, 0), 1002],
    ["RSV3", Uint8Array.of(0x92, 0x80, 0, 0, 0, 0), 1002],
    ["opcode 3", Ws.frame(3, ""), 1002],
    ["opcode 11", Ws.frame(11, ""), 1002],
    ["a fragmented ping", Ws.frame(9, "", { fin: false }), 1002],
    ["a ping of 126 bytes", Ws.frame(9, new Uint8Array(126)), 1002],
    ["a continuation of nothing", Ws.frame(0, "x"), 1002],
    ["a message in a message", Buffer.concat([Ws.frame(2, "x", { fin: false }), Ws.frame(2, "x")]), 1002],
    ["a close of one byte", Ws.frame(8, "x"), 1002],
    ["a close with a code that nobody may send", Ws.frame(8, Uint8Array.of(3, 0xed)), 1002]
  ] as const) {
    test(`${what}: closed with ${code}, and the others live`, () =>
      Effect.gen(function* () {
        const { enter, othersLive, pipes } = yield* serving()
        const peer = yield* enter
        yield* peer.write(bytes)
        expect(yield* closedWith(peer)).toBe(code)
        expect((yield* pipes.find(tagged("RemPost"))).reason).toMatchObject({ _tag: "NNG_EPROTO" })
        yield* peer.closed
        yield* othersLive
      }))
  }

  test("a flood of pings by one who does not read is cut off", () =>
    Effect.gen(function* () {
      const { enter, othersLive, pipes } = yield* serving()
      const peer = yield* enter
      peer.socket.pause()
      const ping = Ws.frame(9, new Uint8Array(125))
      const flood = Buffer.concat(Array.from({ length: 10_000 }, () => ping))
      yield* Effect.forkScoped(Effect.repeatN(peer.write(flood), 40))
      yield* pipes.find(tagged("RemPost"))
      yield* othersLive
    }))

  for (const code of [1000, 1001, 1011, 3000]) {
    test(`a close with ${code} and a reason is answered with ${code} and ends in good order`, () =>
      Effect.gen(function* () {
        const { enter, pipes } = yield* serving()
        const peer = yield* enter
        yield* peer.write(Ws.frame(8, Buffer.concat([Uint8Array.of(code >> 8, code & 0xff), Buffer.from("why")])))
        expect(yield* closedWith(peer)).toBe(code)
        expect((yield* pipes.find(tagged("RemPost"))).reason).toMatchObject({ _tag: "NNG_ECONNSHUT" })
        yield* peer.closed
      }))
  }

  test("a close because of the size of what we sent says so", () =>
    Effect.gen(function* () {
      const { enter, pipes } = yield* serving()
      const peer = yield* enter
      yield* peer.write(Ws.frame(8, Uint8Array.of(3, 0xf1)))
      expect((yield* pipes.find(tagged("RemPost"))).reason).toMatchObject({ _tag: "NNG_EMSGSIZE" })
    }))

  test("what was sent in the tick of the close goes before the goodbye", () =>
    Effect.gen(function* () {
      const server = yield* Peers.listen()
      const transport = (yield* Transports).get("ws")!
      const url = Either.getOrThrow(Url.parse(`ws://127.0.0.1:${server.port}`))
      const target = { url, protocol: Protocol.pair0, recvMaxSize: 0, options: {} }
      const dialing = yield* Effect.fork(transport.dial(target))
      const peer = yield* server.accept
      yield* Effect.flatMap(Ws.readHead(peer), (asked) => Ws.grant(peer, asked))
      const { messages } = yield* Effect.flatten(dialing.await)
      messages.push(Message.make("last words"))
      expect(messages.close()).toEqual({ unsent: [], doubtful: [] })
      const said = yield* Ws.readFrame(peer)
      expect([said.op, Buffer.from(said.payload).toString()]).toEqual([2, "last words"])
      expect(yield* closedWith(peer)).toBe(1000)
    }).pipe(Effect.scoped))

  test("we say goodbye with 1000 and no reason, and cut who does not answer", () =>
    Effect.gen(function* () {
      const { enter, socket } = yield* serving()
      const peer = yield* enter
      yield* Socket.awaitPeers(socket, 1)
      const [pipe] = yield* Socket.pipes(socket).get
      yield* pipe!.close
      const { op, payload } = yield* Ws.readFrame(peer)
      expect([op, Peers.hex(payload)]).toEqual([8, "03e8"])
      yield* peer.closed
    }))
})

describe("[S2] memory that is lent for a write", () => {
  test("is nobody else's while it is under way, however long the peer does not read", () =>
    Effect.gen(function* () {
      const transport = (yield* Transports).get("ws")!
      const connect = Effect.gen(function* () {
        const server = yield* Peers.listen()
        const url = Either.getOrThrow(Url.parse(`ws://127.0.0.1:${server.port}`))
        const dialing = yield* Effect.fork(
          transport.dial({ url, protocol: Protocol.pair0, recvMaxSize: 0, options: {} })
        )
        const peer = yield* server.accept
        yield* Effect.flatMap(Ws.readHead(peer), (asked) => Ws.grant(peer, asked))
        const { messages } = yield* Effect.flatten(dialing.await)
        return { peer, messages }
      })
      const [slow, quick] = [yield* connect, yield* connect]
      slow.peer.socket.pause()
      // more than the system takes, and behind it what is framed in a block that is lent
      const fillers = 48
      for (let i = 0; i < fillers; i++) slow.messages.push(Message.make(new Uint8Array(MiB)))
      const small = Array.from({ length: 100 }, (_, i) => `message ${i}`)
      for (const text of small) slow.messages.push(Message.make(text))
      let sent = false
      slow.messages.whenSent(() => (sent = true))
      yield* Effect.repeatN(turn, 3)
      for (let i = 0; i < 10; i++) quick.messages.push(Message.make(new Uint8Array(5000).fill(i)))
      for (let i = 0; i < 10; i++) {
        expect(Buffer.compare((yield* Ws.readFrame(quick.peer)).payload, Buffer.alloc(5000, i))).toBe(0)
      }
      expect(sent).toBe(false)
      slow.peer.socket.resume()
      for (let i = 0; i < fillers; i++) yield* slow.peer.read(14 + MiB)
      for (const text of small) {
        expect(Buffer.from((yield* Ws.readFrame(slow.peer)).payload).toString()).toBe(text)
      }
    }).pipe(Effect.scoped))
})

describe("[S11] bodies", () => {
  for (const [what, headers] of [
    ["a length", { "Content-Length": "5" }],
    ["chunks", { "Transfer-Encoding": "chunked" }]
  ] as const) {
    test(`${what} on a request for an upgrade is refused with 413, and what follows is no request`, () =>
      Effect.gen(function* () {
        const { connect, othersLive, pipes } = yield* serving()
        const peer = yield* connect
        yield* peer.write(Ws.request("/path", { ...pullProtocol, ...headers }), Ws.request("/path", pullProtocol))
        expect(Ws.statusOf(yield* Ws.readHead(peer))).toBe(413)
        const { unread } = yield* peer.closed
        expect(Buffer.from(unread).toString()).toBe("a request with a body\n")
        expect(pipes.tags()).toEqual([])
        yield* othersLive
      }))
  }

  test("of both kinds at once are no HTTP", () =>
    Effect.gen(function* () {
      const { connect, othersLive } = yield* serving()
      const peer = yield* connect
      const head = yield* Ws.ask(peer, "/path", {
        ...pullProtocol,
        "Content-Length": "5",
        "Transfer-Encoding": "chunked"
      })
      expect([400, 413]).toContain(Ws.statusOf(head))
      yield* othersLive
    }))
})

describe("[S16] redirects", () => {
  for (const status of [301, 302, 307, 308]) {
    test(`${status} is not followed: NNG_EPROTO`, () =>
      Effect.gen(function* () {
        const [from, to] = [yield* Peers.listen(), yield* Peers.listen()]
        const dialing = yield* Effect.fork(
          Effect.flip(Socket.dial(yield* Pair0.make(), `ws://127.0.0.1:${from.port}/a`))
        )
        const peer = yield* from.accept
        yield* Ws.readHead(peer)
        yield* peer.write(
          Buffer.from(
            `HTTP/1.1 ${status} Elsewhere\r\nLocation: ws://127.0.0.1:${to.port}/\r\nContent-Length: 0\r\n\r\n`
          )
        )
        expect(yield* dialing).toMatchObject({ _tag: "NNG_EPROTO" })
        expect(to.accepted()).toBe(0)
      }))
  }
})

describe("messages of any length, in frames that reads cut anywhere", () => {
  test("are whole, up to a reset", () =>
    Effect.gen(function* () {
      const { enter, pipes, socket } = yield* serving()
      const round = (round: number) =>
        Effect.gen(function* () {
          const from = pipes.all.length
          const peer = yield* enter
          const text = `${round}`.repeat(30_000 + round * 1001)
          const message = Ws.frame(2, text)
          peer.socket.write(Buffer.concat(Array.from({ length: 400 }, () => message)))
          const got: Array<string> = []
          yield* Effect.forkScoped(
            Effect.forever(Effect.map(Socket.recv(socket), (message) => void got.push(Message.text(message))))
          )
          yield* until(
            () => got.length > 10,
            () => got.length
          )
          yield* peer.reset
          yield* pipes.find(tagged("RemPost"), from)
          expect(got.every((each) => each === text)).toBe(true)
        })
      for (let i = 0; i < 10; i++) yield* Effect.scoped(round(i))
    }))
})

describe("[S17] many that come and go", () => {
  test("are reset at every stage, and nothing of them stays", () =>
    Effect.gen(function* () {
      const { connect, enter, listener, othersLive, socket } = yield* serving()
      const stages = [
        connect,
        Effect.tap(connect, (peer) => peer.write(Buffer.from("GET /pa"))),
        enter,
        Effect.tap(enter, (peer) => peer.write(Ws.frame(2, "half of it").subarray(0, 8)))
      ]
      yield* Effect.forEach(
        Array.from({ length: 400 }, (_, i) => stages[i % stages.length]!),
        (stage) => Effect.flatMap(stage, (peer) => peer.reset),
        { concurrency: 8 }
      )
      yield* Effect.repeat(Effect.zipRight(turn, Socket.pipes(socket).get), { until: (pipes) => pipes.length === 0 })
      yield* othersLive
      yield* Effect.repeat(Effect.zipRight(turn, listener.statistics), { until: ({ pipes }) => pipes === 0 })
    }))
})
