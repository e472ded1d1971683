import type * as Chunk from "effect/Chunk"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Sink from "effect/Sink"
import type * as Stream from "effect/Stream"
import { describe, expect, it } from "tstyche"
import type * as Dialer from "../../src/Dialer.js"
import type * as Errors from "../../src/Errors.js"
import * as InprocTransport from "../../src/InprocTransport.js"
import * as Listener from "../../src/Listener.js"
import type * as Message from "../../src/Message.js"
import * as NodeTransport from "../../src/NodeTransport.js"
import * as Pair0 from "../../src/Pair0.js"
import type * as Pipe from "../../src/Pipe.js"
import * as Socket from "../../src/Socket.js"
import type { Transports } from "../../src/Transport.js"
import type * as Layer from "effect/Layer"

declare const pair: Pair0.Pair0
declare const sender: Socket.CanSend
declare const receiver: Socket.CanRecv
declare const socket: Socket.Socket
declare const bytes: Uint8Array
declare const listener: Listener.Listener

describe("errors", () => {
  it("of a send and a receive are these", () => {
    expect<Socket.SendError>().type.toBe<Errors.ECLOSED | Errors.ETIMEDOUT | Errors.EAGAIN>()
    expect<Socket.RecvError>().type.toBe<Errors.ECLOSED | Errors.ETIMEDOUT | Errors.EAGAIN>()
  })

  it("of making and starting a listener are these", () => {
    expect<Listener.MakeError>().type.toBe<Errors.EADDRINVAL | Errors.EINVAL | Errors.ENOTSUP | Errors.ECLOSED>()
    expect<Listener.StartError["_tag"]>().type.toBe<
      | "NNG_EADDRINUSE"
      | "NNG_EADDRINVAL"
      | "NNG_ECLOSED"
      | "NNG_ECRYPTO"
      | "NNG_EINVAL"
      | "NNG_ENOENT"
      | "NNG_ENOFILES"
      | "NNG_ENOMEM"
      | "NNG_ENOTSUP"
      | "NNG_EPERM"
      | "NNG_ESTATE"
      | "NNG_ESYSERR"
    >()
  })

  it("of making a socket are its options alone", () => {
    expect(Pair0.make()).type.toBe<Effect.Effect<Pair0.Pair0, Errors.EINVAL, Scope.Scope | Transports>>()
  })

  it("of its other operations are as few as can be", () => {
    expect(pair.close).type.toBe<Effect.Effect<void, Errors.ECLOSED>>()
    expect(Socket.settings(pair)).type.toBe<Effect.Effect<Socket.Settings<Pair0.Options>, Errors.ECLOSED>>()
    expect(socket.statistics).type.toBe<Effect.Effect<Socket.Statistics>>()
    expect(Socket.events(socket)).type.toBe<Stream.Stream<Pipe.PipeEvent>>()
    expect(Socket.isWritable(sender)).type.toBe<Effect.Effect<boolean>>()
    expect(Socket.isReadable(receiver)).type.toBe<Effect.Effect<boolean>>()
  })
})

describe("sending", () => {
  it("has its socket first or last", () => {
    expect(Socket.send(pair, "text")).type.toBe<Effect.Effect<void, Socket.SendError>>()
    expect(Socket.send(pair, bytes, { timeout: "1 second" })).type.toBe<Effect.Effect<void, Socket.SendError>>()
    expect(pair.pipe(Socket.send("text"))).type.toBe<Effect.Effect<void, Socket.SendError>>()
    expect(pair.pipe(Socket.send("text", { nonblocking: true }))).type.toBe<Effect.Effect<void, Socket.SendError>>()
    expect(Socket.sendAll(pair, ["a", bytes])).type.toBe<Effect.Effect<void, Socket.SendError>>()
    expect(pair.pipe(Socket.sendAll(["a"], { timeout: 1 }))).type.toBe<Effect.Effect<void, Socket.SendError>>()
    expect(Socket.sink(pair)).type.toBe<Sink.Sink<void, Message.Input, never, Socket.SendError>>()
  })

  it("takes a message, and nothing that is none (SOCK-10)", () => {
    expect(Socket.send).type.not.toBeCallableWith(pair, undefined)
    expect(Socket.send).type.not.toBeCallableWith(pair, null)
    expect(Socket.send).type.not.toBeCallableWith(pair, 1)
    expect(Socket.send).type.not.toBeCallableWith(pair, "x", { timeot: 1 })
  })

  it("needs a socket that sends", () => {
    expect(Socket.send).type.toBeCallableWith(sender, "x")
    expect(Socket.send).type.not.toBeCallableWith(receiver, "x")
    expect(Socket.sendAll).type.not.toBeCallableWith(receiver, ["x"])
    expect(Socket.sink).type.not.toBeCallableWith(receiver)
    expect(Socket.isWritable).type.not.toBeCallableWith(receiver)
    expect(Socket.send("x")).type.not.toBeCallableWith(receiver)
  })
})

describe("receiving", () => {
  it("gives messages", () => {
    expect(Socket.recv(pair)).type.toBe<Effect.Effect<Message.Message, Socket.RecvError>>()
    expect(Socket.recv(pair, { timeout: "1 second" })).type.toBe<Effect.Effect<Message.Message, Socket.RecvError>>()
    expect(Socket.recvChunk(pair, { max: 3 })).type.toBe<
      Effect.Effect<Chunk.NonEmptyChunk<Message.Message>, Socket.RecvError>
    >()
    expect(Socket.stream(pair)).type.toBe<Stream.Stream<Message.Message, Errors.ETIMEDOUT>>()
  })

  it("needs a socket that receives", () => {
    expect(Socket.recv).type.toBeCallableWith(receiver)
    expect(Socket.recv).type.not.toBeCallableWith(sender)
    expect(Socket.recvChunk).type.not.toBeCallableWith(sender)
    expect(Socket.stream).type.not.toBeCallableWith(sender)
    expect(Socket.isReadable).type.not.toBeCallableWith(sender)
    expect(Socket.recv).type.not.toBeCallableWith(socket)
  })

  it("can be asked for at run time", () => {
    if (Socket.canRecv(socket)) expect(socket).type.toBeAssignableTo<Socket.CanRecv<Socket.StateError | Errors.EBUSY>>()
    if (Socket.canSend(socket))
      expect(socket).type.toBeAssignableTo<Socket.CanSend<Socket.StateError | Errors.EBUSY | Errors.EPROTO>>()
    const u: unknown = socket
    if (Socket.isSocket(u)) expect(u).type.toBe<Socket.Socket>()
  })
})

describe("options", () => {
  it("are those of the protocol, and no others (SOCK-06)", () => {
    expect(Socket.configure(pair, { sendBuffer: 1, recvTimeout: "1 second" })).type.toBe<
      Effect.Effect<void, Errors.EINVAL | Errors.ECLOSED>
    >()
    expect(pair.pipe(Socket.configure({ sendBuffer: 1 }))).type.toBe<
      Effect.Effect<void, Errors.EINVAL | Errors.ECLOSED>
    >()
    expect(Socket.configure).type.not.toBeCallableWith(pair, { unknown: 1 })
    expect(Socket.configure).type.not.toBeCallableWith(pair, { sendBuffer: true })
    expect(Socket.configure).type.not.toBeCallableWith(pair, { ttl: 3 })
    expect(Socket.configure).type.not.toBeCallableWith(pair, { beforeAttach: undefined })
    expect(Socket.configure).type.not.toBeCallableWith(socket, {})
    expect(Pair0.make).type.not.toBeCallableWith({ unknown: 1 })
    expect(Pair0.make).type.toBeCallableWith({ sendBuffer: undefined, recvTimeout: undefined })
  })

  it("that tell what a socket is cannot be set (SOCK-24)", () => {
    for (const name of ["raw", "protocol", "id"] as const) expect(name).type.toBeAssignableTo<keyof Socket.Socket>()
    expect(Socket.configure).type.not.toBeCallableWith(pair, { raw: true })
    expect(Socket.configure).type.not.toBeCallableWith(pair, { protocol: 1 })
    expect<Pick<Socket.Socket, "id" | "raw">>().type.toBe<{ readonly id: number; readonly raw: boolean }>()
  })

  it("are read as durations and numbers", () => {
    expect<Socket.Settings<Pair0.Options>["recvTimeout"]>().type.toBe<Duration.Duration>()
    expect<Socket.Settings<Pair0.Options>["recvBuffer"]>().type.toBe<number>()
  })
})

describe("peers and endpoints", () => {
  it("have their socket first or last", () => {
    expect(Socket.awaitPeers(socket, 1)).type.toBe<Effect.Effect<void, Errors.ECLOSED>>()
    expect(socket.pipe(Socket.awaitPeers(1))).type.toBe<Effect.Effect<void, Errors.ECLOSED>>()
    expect(Socket.getPipe(socket, 1)).type.toBe<Effect.Effect<Pipe.Pipe, Errors.ENOENT>>()
    expect(socket.pipe(Socket.getPipe(1))).type.toBe<Effect.Effect<Pipe.Pipe, Errors.ENOENT>>()
    expect(Socket.setBeforeAttach(pair, undefined)).type.toBe<Effect.Effect<void, Errors.ECLOSED>>()
    expect(pair.pipe(Socket.setBeforeAttach(undefined))).type.toBe<Effect.Effect<void, Errors.ECLOSED>>()
  })

  it("dial and listen need a scope, and no transports any more", () => {
    expect(Socket.dial(pair, "tcp://127.0.0.1:1")).type.toBe<
      Effect.Effect<Dialer.Dialer, Dialer.MakeError | Dialer.StartError, Scope.Scope>
    >()
    expect(pair.pipe(Socket.dial("tcp://127.0.0.1:1", { nonblocking: true, reconnectMin: 5 }))).type.toBe<
      Effect.Effect<Dialer.Dialer, Dialer.MakeError | Dialer.StartError, Scope.Scope>
    >()
    expect(Socket.listen(pair, "tcp://127.0.0.1:1", { recvMaxSize: 5 })).type.toBe<
      Effect.Effect<Listener.Listener, Listener.MakeError | Listener.StartError, Scope.Scope>
    >()
    expect(pair.pipe(Socket.listen("tcp://127.0.0.1:1"))).type.toBe<
      Effect.Effect<Listener.Listener, Listener.MakeError | Listener.StartError, Scope.Scope>
    >()
  })

  it("a listener has no options of dialers (LSTN-06)", () => {
    expect(Socket.listen).type.not.toBeCallableWith(socket, "inproc://x", { reconnectMin: 1 })
    expect(Listener.make).type.not.toBeCallableWith(socket, "inproc://x", { sendTimeout: 1 })
    expect(Listener.start).type.not.toBeCallableWith(socket)
    expect(Listener.start(listener)).type.toBe<Effect.Effect<void, Listener.StartError>>()
    expect(Listener.make(pair, "x")).type.toBe<Effect.Effect<Listener.Listener, Listener.MakeError, Scope.Scope>>()
    expect(listener.close).type.toBe<Effect.Effect<void, Errors.ENOENT>>()
  })

  it("layers need nothing and cannot fail", () => {
    expect(InprocTransport.layer).type.toBe<Layer.Layer<Transports>>()
    expect(NodeTransport.layer).type.toBe<Layer.Layer<Transports>>()
  })
})
