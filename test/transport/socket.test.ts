import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Address from "effect-nng/Address"
import * as ByteTransport from "effect-nng/ByteTransport"
import * as Errors from "effect-nng/Errors"
import * as Listener from "effect-nng/Listener"
import * as Message from "effect-nng/Message"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Pair0 from "effect-nng/Pair0"
import * as Socket from "effect-nng/Socket"
import { Transports } from "effect-nng/Transport"
import type { StdioOptions } from "node:child_process"
import { spawn } from "node:child_process"
import { closeSync, existsSync, linkSync, openSync } from "node:fs"
import * as Net from "node:net"
import type { Duplex } from "node:stream"
import { fileURLToPath } from "node:url"
import * as Descriptors from "../../src/internal/node/descriptors.js"
import { leavesNone, until } from "../support/handles.js"
import * as Paths from "../support/paths.js"
import * as Peers from "../support/peers.js"
import { frame, hex, pair0, record, tagged } from "../support/peers.js"
import { transportSuite } from "./suite.js"

const test = <E>(name: string, effect: () => Effect.Effect<void, E, Scope.Scope | Transports>): void =>
  it.scopedLive(name, () => leavesNone(Effect.suspend(effect)).pipe(Effect.provide(NodeTransport.layer)), 60_000)

/** Two connected sockets of Node, both still unread, and nobody's. */
const loosePair: Effect.Effect<readonly [Net.Socket, Net.Socket]> = Effect.gen(function* () {
  const accepted: Array<Net.Socket> = []
  const server = Net.createServer({ pauseOnConnect: true }, (socket) => accepted.push(socket))
  yield* Effect.async<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void)))
  const { port } = server.address() as Net.AddressInfo
  const one = new Net.Socket()
  yield* Effect.async<void>((resume) => void one.connect(port, "127.0.0.1", () => resume(Effect.void)))
  yield* until(
    () => accepted.length > 0,
    () => "nobody was accepted"
  )
  server.close()
  const both = [one.pause(), accepted[0]!] as const
  for (const socket of both) socket.on("error", () => {})
  return both
})

const pair = Effect.acquireRelease(loosePair, (both) => Effect.sync(() => both.forEach((socket) => socket.destroy())))

const serving = Effect.gen(function* () {
  const socket = yield* Pair0.make()
  const pipes = yield* record(Socket.events(socket))
  const listener = yield* Listener.make(socket, "socket://")
  const told = yield* record(Listener.events(listener))
  yield* Listener.start(listener)
  return { socket, pipes, listener, told }
})

describe("a listener on socket://", () => {
  test("greets a connection that is handed to it and makes it a pipe; the wire is tcp's", () =>
    Effect.gen(function* () {
      const { listener, pipes, socket } = yield* serving
      const [ours, theirs] = yield* pair
      const peer = Peers.play(theirs.resume())
      yield* Listener.adopt(listener, NodeTransport.fromDuplex(ours))
      expect(hex(yield* peer.read(8))).toBe(hex(pair0))
      yield* peer.write(pair0, frame("ping"))
      expect(Message.text(yield* Socket.recv(socket))).toBe("ping")
      yield* Socket.send(socket, "pong")
      expect(hex(yield* peer.read(12))).toBe(hex(frame("pong")))
      const { pipe } = yield* pipes.find(tagged("AddPost"))
      expect(pipe).toMatchObject({ scheme: "socket", origin: { _tag: "Listener", url: "socket://" } })
      expect(pipe.properties).toEqual({ localAddress: Address.unspecified, remoteAddress: Address.unspecified })
      yield* listener.close
      yield* peer.closed
    }))

  test("and another at the other end of the connection meet", () =>
    Effect.gen(function* () {
      const [left, right] = [yield* serving, yield* serving]
      const [one, other] = yield* pair
      yield* Listener.adopt(left.listener, NodeTransport.fromDuplex(one))
      yield* Listener.adopt(right.listener, NodeTransport.fromDuplex(other))
      yield* Socket.send(left.socket, "hello")
      expect(Message.text(yield* Socket.recv(right.socket))).toBe("hello")
    }))

  test("takes 16 before it comes to them, and no more", () =>
    Effect.gen(function* () {
      const { listener, told } = yield* serving
      const all = yield* Effect.replicateEffect(pair, 17)
      // in one go: the listener has no turn meanwhile
      const results = all.map(([one]) => Effect.runSyncExit(Listener.adopt(listener, NodeTransport.fromDuplex(one))))
      expect(results.slice(0, 16).every(Exit.isSuccess)).toBe(true)
      expect(Exit.isFailure(results[16]!) && Cause.squash(results[16].cause)).toMatchObject({ _tag: "NNG_ENOSPC" })
      expect(all[16]![0].destroyed).toBe(false)
      yield* Effect.forEach(all.slice(0, 16), ([, theirs]) => Peers.play(theirs.resume()).read(8))
      expect(told.tags()).toEqual(["Listening"])
    }))

  test("closes what it has not come to when it is closed", () =>
    Effect.gen(function* () {
      const { listener } = yield* serving
      const [ours, theirs] = yield* pair
      const peer = Peers.play(theirs.resume())
      Effect.runSync(Listener.adopt(listener, NodeTransport.fromDuplex(ours)))
      yield* listener.close
      expect((yield* peer.closed).unread.length).toBeLessThanOrEqual(8)
      expect(yield* Effect.flip(Listener.adopt(listener, 3))).toMatchObject({ _tag: "NNG_ECLOSED" })
    }))

  test("tells who reads from what it accepted that its scope has ended", () =>
    Effect.gen(function* () {
      const [ours] = yield* pair
      const own = yield* Scope.make()
      const acceptor = yield* Scope.extend(ByteTransport.listen("socket://"), own)
      yield* acceptor.adopt!(NodeTransport.fromDuplex(ours))
      const stream = yield* Scope.extend(
        Effect.flatMap(acceptor.accept, ({ open }) => open),
        own
      )
      const reading = yield* Effect.fork(Effect.flip(stream.read))
      yield* Effect.yieldNow()
      yield* Scope.close(own, Exit.void)
      expect(yield* Fiber.join(reading)).toMatchObject({ _tag: "NNG_ECLOSED" })
    }).pipe(Effect.provide(NodeTransport.layerBytes)))

  test("cannot be dialed, has no more in its URL, and takes nothing before it is started", () =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make()
      expect(yield* Effect.flip(Socket.dial(socket, "socket://"))).toMatchObject({ _tag: "NNG_ENOTSUP" })
      expect(yield* Effect.flip(Listener.make(socket, "socket://junk"))).toMatchObject({ _tag: "NNG_EADDRINVAL" })
      const listener = yield* Listener.make(socket, "socket://")
      expect(yield* Effect.flip(Listener.adopt(listener, 3))).toMatchObject({ _tag: "NNG_ESTATE" })
      const other = yield* Socket.listen(socket, "tcp://127.0.0.1:0")
      expect(yield* Effect.flip(Listener.adopt(other, 3))).toMatchObject({ _tag: "NNG_ENOTSUP", address: other.url })
    }))

  test("refuses a descriptor that is no socket, and leaves it open", () =>
    Effect.gen(function* () {
      const { listener } = yield* serving
      const file = openSync(fileURLToPath(import.meta.url), "r")
      for (const fd of [-1, 1.5, 1_000_000, file]) {
        expect(yield* Effect.flip(Listener.adopt(listener, fd))).toMatchObject({ _tag: "NNG_EINVAL" })
      }
      closeSync(file)
    }))
})

const program = fileURLToPath(new URL("../support/children/echo.ts", import.meta.url))

/** Another process, which gets `third` as its descriptor 3; gives its first line. */
const child = (third: "pipe" | Net.Socket | number, ...args: ReadonlyArray<string>) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => {
        const stdio = ["ignore", "pipe", "inherit", third] as StdioOptions
        return spawn(process.execPath, ["--import", "tsx", program, ...args], { stdio })
      }),
      (child) =>
        Effect.async<void>((resume) => {
          if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
          child.once("close", () => resume(Effect.void))
          child.kill("SIGKILL")
        })
    ),
    (child) => {
      const line = new Promise<string>((resolve) => {
        let text = ""
        child.stdout!.on("data", (chunk: Buffer) => {
          text += chunk.toString()
          if (text.includes("\n")) resolve(text.slice(0, text.indexOf("\n")))
        })
      })
      const ended = new Promise<number | null>((resolve) => child.once("close", resolve))
      return { child, line: Effect.promise(() => line), ended: Effect.promise(() => ended) }
    }
  )

describe("two processes", () => {
  const echoes = (socket: Pair0.Pair0) =>
    Effect.gen(function* () {
      const big = new Uint8Array(1024 * 1024).fill(7)
      yield* Socket.send(socket, "over there and back")
      expect(Message.text(yield* Socket.recv(socket))).toBe("over there and back")
      yield* Socket.send(socket, big)
      expect((yield* Socket.recv(socket)).length).toBe(big.length)
    })

  test("talk over a child's extra stdio pipe", () =>
    Effect.gen(function* () {
      const { listener, socket } = yield* serving
      const { child: other, ended } = yield* child("pipe")
      yield* Listener.adopt(listener, NodeTransport.fromDuplex(other.stdio[3] as Duplex))
      yield* echoes(socket)
      yield* socket.close
      expect(yield* ended).toBe(0)
    }))

  test("talk over a tcp connection that one inherits from the other", () =>
    Effect.gen(function* () {
      const { listener, socket } = yield* serving
      const [ours, theirs] = yield* pair
      const { ended, line } = yield* child(theirs)
      expect(yield* line).toBe("socket://")
      theirs.destroy()
      yield* Listener.adopt(listener, NodeTransport.fromDuplex(ours))
      yield* echoes(socket)
      yield* socket.close
      expect(yield* ended).toBe(0)
    }))

  for (const scheme of ["tcp", "ipc"] as const) {
    test(`meet where one listens on a descriptor of ${scheme} that the other has bound`, () =>
      Effect.gen(function* () {
        const path = yield* Paths.path
        const server = Net.createServer()
        yield* Effect.async<void>((resume) => {
          const done = () => resume(Effect.void)
          if (scheme === "tcp") server.listen(0, "127.0.0.1", done)
          else server.listen(path, done)
        })
        const { port } = server.address() as Net.AddressInfo
        const at = scheme === "tcp" ? `tcp://127.0.0.1:${port}` : `ipc://${path}-2`
        // Node removes the name that it bound
        if (scheme === "ipc") linkSync(path, `${path}-2`)
        const { fd } = (server as unknown as { _handle: { fd: number } })._handle
        const { ended, line } = yield* child(fd, scheme === "tcp" ? "tcp://127.0.0.1:0" : at)
        const there = yield* line
        server.close()
        expect(there).toBe(at)
        const socket = yield* Pair0.make()
        yield* Socket.dial(socket, there)
        yield* echoes(socket)
        yield* socket.close
        expect(yield* ended).toBe(0)
        // the file is of whoever bound it
        expect(existsSync(`${path}-2`)).toBe(scheme === "ipc")
      }))
  }

  test("do not meet over a descriptor of another kind", () =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make()
      const refused = (options: Listener.Options, url: string) =>
        Effect.flip(Effect.flatMap(Listener.make(socket, url, options), Listener.start))
      expect(yield* refused({ tcp: { listenFd: 1_000_000 } }, "tcp://127.0.0.1:0")).toMatchObject({
        _tag: "NNG_EINVAL"
      })
      expect(yield* refused({ ipc: { listenFd: -1 } }, "ipc:///tmp/x")).toMatchObject({ _tag: "NNG_EINVAL" })
    }))
})

/**
 * Connections that are handed in, as a transport with a dialer: each dial makes a pair of sockets and hands one end to the
 * listener of that name.
 */
const handedIn = Effect.map(
  Effect.sync(() => new Map<string, ByteTransport.ByteAcceptor>()),
  (listening) =>
    ByteTransport.make({
      schemes: ["handed"],
      options: [],
      check: (role, url) =>
        url.path === "/" ? Either.left(new Errors.EADDRINVAL({ operation: role, reason: "no name" })) : Either.void,
      connect: ({ url }) =>
        Effect.gen(function* () {
          const listener = listening.get(url.href)
          if (listener?.adopt === undefined) {
            return yield* new Errors.ECONNREFUSED({ operation: "dial", address: url.href })
          }
          // the other end is the listener's, once it has it
          let adopted = false
          const [one, other] = yield* Effect.acquireRelease(loosePair, ([one, other]) =>
            Effect.sync(() => {
              one.destroy()
              if (!adopted) other.destroy()
            })
          )
          yield* Effect.orDie(listener.adopt(NodeTransport.fromDuplex(other)))
          adopted = true
          return ByteTransport.opened(NodeTransport.fromDuplex(one))
        }),
      listen: (target) =>
        Effect.gen(function* () {
          if (listening.has(target.url.href)) return yield* new Errors.EADDRINUSE({ operation: "listen" })
          const acceptor = yield* Descriptors.bytes.listen(target)
          yield* Effect.acquireRelease(
            Effect.sync(() => listening.set(target.url.href, acceptor)),
            () => Effect.sync(() => listening.delete(target.url.href))
          )
          return acceptor
        })
    })
)

let names = 0
const name = Effect.sync(() => `handed://host/${names++}`)

transportSuite("socket, by connections handed in", {
  layer: Layer.orDie(Transports.layer(handedIn)),
  time: "real",
  address: name,
  nobody: name,
  badWhenMade: [["listen", "handed://host/", "NNG_EADDRINVAL"]],
  badWhenStarted: [],
  limits: true,
  inFlight: 32 * 1024 * 1024
})
