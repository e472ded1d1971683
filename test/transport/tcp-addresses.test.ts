import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Address from "effect-nng/Address"
import * as Dialer from "effect-nng/Dialer"
import * as Listener from "effect-nng/Listener"
import * as Message from "effect-nng/Message"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Pair0 from "effect-nng/Pair0"
import * as Socket from "effect-nng/Socket"
import type { TcpOptions, Transports } from "effect-nng/Transport"
import * as Net from "node:net"
import { connecting, leavesNone } from "../support/handles.js"
import * as Peers from "../support/peers.js"
import { hex, names, pair0, portOf, record, tagged } from "../support/peers.js"

const test = <E>(name: string, effect: () => Effect.Effect<void, E, Scope.Scope | Transports>): void =>
  it.scopedLive(name, () => leavesNone(Effect.suspend(effect)).pipe(Effect.provide(NodeTransport.layer)))

const known = names({
  localhost: ["127.0.0.1", "::1"],
  v6first: ["::1", "127.0.0.1"],
  v4only: ["127.0.0.1"],
  v6only: ["::1"]
})

/** Both ends, connected and proven by a message. */
const connected = (
  listenOn: string,
  dialTo: (port: number) => string,
  options: { readonly listener?: TcpOptions; readonly dialer?: TcpOptions } = {}
) =>
  Effect.gen(function* () {
    const left = yield* Pair0.make()
    const right = yield* Pair0.make()
    const events = yield* record(Socket.events(left))
    const listener = yield* Socket.listen(left, listenOn, { tcp: options.listener })
    const dialer = yield* Socket.dial(right, dialTo(portOf(listener)), { tcp: options.dialer })
    yield* Socket.send(right, "hello")
    expect(Message.text(yield* Socket.recv(left))).toBe("hello")
    const { pipe } = yield* events.find(tagged("AddPost"))
    const [dialed] = yield* Socket.pipes(right).get
    return { listener, dialer, accepted: pipe, dialed: dialed!, port: portOf(listener) }
  })

/** What Node asks of the operating system for its connections. */
const watchOptions = Effect.gen(function* () {
  const calls: Array<string> = []
  const prototype = yield* Effect.scoped(
    Effect.gen(function* () {
      const { port } = yield* Peers.listen()
      const { socket } = yield* Peers.dial(port)
      return Object.getPrototypeOf((socket as unknown as { readonly _handle: object })._handle) as Record<
        string,
        (...args: ReadonlyArray<unknown>) => unknown
      >
    })
  )
  yield* Effect.forEach(["setNoDelay", "setKeepAlive"], (name) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const before = prototype[name]!
        prototype[name] = function (this: unknown, ...args) {
          if (args[0] === true) calls.push(name)
          return before.apply(this, [...args])
        }
        return before
      }),
      (before) => Effect.sync(() => (prototype[name] = before))
    )
  )
  return calls
})

describe("a tcp listener", () => {
  const loopback = "127.0.0.1"

  describe("tells the port that the system chose", () => {
    const cases: ReadonlyArray<readonly [url: string, resolved: RegExp, host: string]> = [
      ["tcp://127.0.0.1:0", /^tcp:\/\/127\.0\.0\.1:(\d+)$/, loopback],
      ["tcp://127.0.0.1", /^tcp:\/\/127\.0\.0\.1:(\d+)$/, loopback],
      ["tcp://127.0.0.1:0/", /^tcp:\/\/127\.0\.0\.1:(\d+)\/?$/, loopback],
      ["tcp4://127.0.0.1:0", /^tcp4:\/\/127\.0\.0\.1:(\d+)$/, loopback],
      ["tcp://[::1]:0", /^tcp:\/\/\[::1\]:(\d+)$/, "::1"],
      ["tcp6://[::1]:0", /^tcp6:\/\/\[::1\]:(\d+)$/, "::1"],
      ["tcp://localhost:0", /^tcp:\/\/localhost:(\d+)$/, loopback],
      ["tcp://v6first:0", /^tcp:\/\/v6first:(\d+)$/, "::1"],
      ["tcp4://v6first:0", /^tcp4:\/\/v6first:(\d+)$/, loopback],
      ["tcp6://LOCALHOST:0", /^tcp6:\/\/localhost:(\d+)$/, "::1"],
      ["tcp://:0", /^tcp:\/\/:(\d+)$/, loopback],
      ["tcp://*:0", /^tcp:\/\/:(\d+)$/, loopback],
      ["tcp4://:0", /^tcp4:\/\/:(\d+)$/, loopback],
      ["tcp6://:0", /^tcp6:\/\/:(\d+)$/, "::1"]
    ]
    for (const [url, resolved, host] of cases) {
      test(`${url}, where ${host} gets in`, () =>
        Effect.gen(function* () {
          yield* known
          const socket = yield* Pair0.make()
          const listener = yield* Listener.make(socket, url)
          yield* Listener.start(listener)
          expect(listener.url).toMatch(resolved)
          expect(yield* listener.state).toEqual({ _tag: "Listening", url: listener.url })
          const port = portOf(listener)
          expect(port).toBeGreaterThan(0)
          const client = yield* Peers.dial(port, { host })
          expect(hex(yield* client.read(8))).toBe(hex(pair0))
        }))
    }

    test("tcp://:0, where IPv6 gets in as well", () =>
      Effect.gen(function* () {
        const socket = yield* Pair0.make()
        const listener = yield* Socket.listen(socket, "tcp://:0")
        const client = yield* Peers.dial(portOf(listener), { host: "::1" })
        expect(hex(yield* client.read(8))).toBe(hex(pair0))
      }))

    test("tcp6://:0, where IPv4 does not", () =>
      Effect.gen(function* () {
        const socket = yield* Pair0.make()
        const listener = yield* Socket.listen(socket, "tcp6://:0")
        expect(yield* Effect.flip(Peers.dial(portOf(listener)))).toMatchObject({ code: "ECONNREFUSED" })
      }))
  })

  describe("cannot be made for", () => {
    const cases: ReadonlyArray<readonly [url: string, error: string]> = [
      ["tcp://*", "NNG_EADDRINVAL"],
      ["tcp://", "NNG_EADDRINVAL"],
      ["tcp://127.0.0.1:0/path", "NNG_EADDRINVAL"],
      ["tcp://127.0.0.1:0?query", "NNG_EADDRINVAL"],
      ["tcp://127.0.0.1:0#fragment", "NNG_EADDRINVAL"],
      ["tcp://user@127.0.0.1:0", "NNG_EADDRINVAL"],
      ["tcp://127.0.0.1;127.0.0.1:0", "NNG_EADDRINVAL"],
      ["tcp://*;127.0.0.1:0", "NNG_EADDRINVAL"],
      ["tcp://127.0.0.1:65536", "NNG_EINVAL"],
      ["tcp://::1:5055", "NNG_EINVAL"],
      ["tcp://[::1:0", "NNG_EINVAL"],
      ["127.0.0.1:0", "NNG_EINVAL"],
      ["nosuch://127.0.0.1:0", "NNG_ENOTSUP"]
    ]
    for (const [url, error] of cases) {
      test(`${url}: ${error}`, () =>
        Effect.gen(function* () {
          const socket = yield* Pair0.make()
          expect(yield* Effect.flip(Listener.make(socket, url))).toMatchObject({ _tag: error })
        }))
    }

    test("a source address: NNG_ENOTSUP", () =>
      Effect.gen(function* () {
        const socket = yield* Pair0.make()
        const made = Listener.make(socket, "tcp://127.0.0.1:0", { tcp: { localAddress: "127.0.0.1" } })
        expect(yield* Effect.flip(made)).toMatchObject({ _tag: "NNG_ENOTSUP" })
      }))
  })

  describe("cannot be started on", () => {
    const cases: ReadonlyArray<readonly [url: string, error: string]> = [
      ["tcp4://[::1]:0", "NNG_EADDRINVAL"],
      ["tcp6://127.0.0.1:0", "NNG_EADDRINVAL"],
      ["tcp://nosuch.invalid:0", "NNG_EADDRINVAL"],
      ["tcp6://v4only:0", "NNG_EADDRINVAL"],
      ["tcp4://v6only:0", "NNG_EADDRINVAL"],
      ["tcp://192.0.2.1:0", "NNG_EADDRINVAL"]
    ]
    for (const [url, error] of cases) {
      test(`${url}: ${error}, and is idle then`, () =>
        Effect.gen(function* () {
          yield* known
          const socket = yield* Pair0.make()
          const listener = yield* Listener.make(socket, url)
          for (let i = 0; i < 2; i++) {
            expect(yield* Effect.flip(Listener.start(listener))).toMatchObject({ _tag: error, address: url })
            expect(yield* listener.state).toEqual({ _tag: "Idle" })
          }
        }))
    }

    test("an address in use: NNG_EADDRINUSE, and can be once it is free", () =>
      Effect.gen(function* () {
        const socket = yield* Pair0.make()
        const listener = yield* Effect.scoped(
          Effect.gen(function* () {
            const { port } = yield* Peers.listen()
            const made = yield* Effect.succeed(yield* Listener.make(socket, `tcp://127.0.0.1:${port}`))
            expect(yield* Effect.flip(Listener.start(made))).toMatchObject({ _tag: "NNG_EADDRINUSE" })
            return port
          })
        ).pipe(Effect.flatMap((port) => Listener.make(socket, `tcp://127.0.0.1:${port}`)))
        yield* Listener.start(listener)
        expect(yield* Effect.flip(Listener.start(listener))).toMatchObject({ _tag: "NNG_ESTATE" })
      }))
  })
})

describe("a tcp dialer", () => {
  describe("cannot be made for", () => {
    const cases: ReadonlyArray<readonly [url: string, error: string]> = [
      ["tcp://*:5555", "NNG_EADDRINVAL"],
      ["tcp://:5555", "NNG_EADDRINVAL"],
      ["tcp://127.0.0.1", "NNG_EADDRINVAL"],
      ["tcp://127.0.0.1:0", "NNG_EADDRINVAL"],
      ["tcp://*", "NNG_EADDRINVAL"],
      ["tcp://", "NNG_EADDRINVAL"],
      ["tcp://127.0.0.1:5555/path", "NNG_EADDRINVAL"],
      ["tcp://127.0.0.1:5555?query", "NNG_EADDRINVAL"],
      ["tcp://127.0.0.1:5555#fragment", "NNG_EADDRINVAL"],
      ["tcp://user@127.0.0.1:5555", "NNG_EADDRINVAL"],
      ["tcp://;127.0.0.1:5555", "NNG_EADDRINVAL"],
      ["tcp://127.0.0.1;:5555", "NNG_EADDRINVAL"],
      ["tcp4://[::1];127.0.0.1:5555", "NNG_EINVAL"],
      ["tcp://127.0.0.1:65536", "NNG_EINVAL"],
      ["tcp://::1:5055", "NNG_EINVAL"]
    ]
    for (const [url, error] of cases) {
      test(`${url}: ${error}`, () =>
        Effect.gen(function* () {
          const socket = yield* Pair0.make()
          expect(yield* Effect.flip(Dialer.make(socket, url))).toMatchObject({ _tag: error })
        }))
    }
  })

  describe("fails to start for", () => {
    const cases: ReadonlyArray<readonly [url: string, error: string]> = [
      ["tcp4://[::1]:PORT", "NNG_EADDRINVAL"],
      ["tcp6://127.0.0.1:PORT", "NNG_EADDRINVAL"],
      ["tcp://nosuch.invalid:PORT", "NNG_EADDRINVAL"],
      ["tcp6://v4only:PORT", "NNG_EADDRINVAL"],
      ["tcp://nosuch.invalid;127.0.0.1:PORT", "NNG_EADDRINVAL"],
      ["tcp://192.0.2.1;127.0.0.1:PORT", "NNG_EADDRINVAL"],
      ["tcp://v6only;127.0.0.1:PORT", "NNG_EADDRINVAL"],
      ["tcp6://localhost:PORT", "NNG_ECONNREFUSED"]
    ]
    for (const [url, error] of cases) {
      test(`${url}: ${error}, and is idle then`, () =>
        Effect.gen(function* () {
          yield* known
          const { port } = yield* Peers.listen()
          const socket = yield* Pair0.make()
          const dialer = yield* Dialer.make(socket, url.replace("PORT", String(port)))
          for (let i = 0; i < 2; i++) {
            expect(yield* Effect.flip(Dialer.start(dialer))).toMatchObject({ _tag: error })
            expect(yield* dialer.state).toEqual({ _tag: "Idle" })
          }
        }))
    }
  })

  describe("reaches", () => {
    const cases: ReadonlyArray<readonly [listener: string, dialer: string]> = [
      ["tcp://127.0.0.1:0", "tcp://127.0.0.1:PORT"],
      ["tcp://127.0.0.1:0", "tcp://127.0.0.1:PORT/"],
      ["tcp://127.0.0.1:0", "tcp4://127.0.0.1:PORT"],
      ["tcp://[::1]:0", "tcp://[::1]:PORT"],
      ["tcp6://[::1]:0", "tcp6://[::1]:PORT"],
      ["tcp4://127.0.0.1:0", "tcp://localhost:PORT"],
      ["tcp4://127.0.0.1:0", "tcp://v6first:PORT"],
      ["tcp6://[::1]:0", "tcp://localhost:PORT"],
      ["tcp6://[::1]:0", "tcp6://localhost:PORT"],
      ["tcp4://127.0.0.1:0", "tcp4://v6first:PORT"],
      ["tcp://localhost:0", "tcp://localhost:PORT"],
      ["tcp://v6first:0", "tcp://localhost:PORT"],
      ["tcp://:0", "tcp://v6only:PORT"],
      ["tcp://:0", "tcp://v4only:PORT"]
    ]
    for (const [listener, dialer] of cases) {
      test(`${listener} as ${dialer}`, () =>
        Effect.gen(function* () {
          yield* known
          yield* connected(listener, (port) => dialer.replace("PORT", String(port)))
        }))
    }
  })

  test("that finds nobody at any address of a name says so of each", () =>
    Effect.gen(function* () {
      yield* known
      const { port } = yield* Effect.scoped(Peers.listen())
      const socket = yield* Pair0.make()
      expect(yield* Effect.flip(Socket.dial(socket, `tcp://localhost:${port}`))).toMatchObject({
        _tag: "NNG_ECONNREFUSED",
        address: `tcp://localhost:${port}`,
        reason: expect.stringMatching(/127\.0\.0\.1:\d+.*::1:\d+/)
      })
    }))

  test("asks for the addresses of a name anew at each attempt", () =>
    Effect.gen(function* () {
      const { port } = yield* Peers.listen()
      const socket = yield* Pair0.make()
      const dialer = yield* Dialer.make(socket, `tcp://v6only:${port}`)
      const { asked } = yield* known
      for (let i = 1; i < 3; i++) {
        expect(yield* Effect.flip(Dialer.start(dialer))).toMatchObject({ _tag: "NNG_ECONNREFUSED" })
        expect(asked.length).toBe(i)
      }
    }))

  test("does not wait for an address that gives no answer, and closes what it began there", () =>
    Effect.gen(function* () {
      yield* known
      const port = yield* Peers.blackHole
      const before = connecting()
      yield* leavesNone(
        Effect.gen(function* () {
          const server = yield* Peers.listen({ host: "::1", port })
          const socket = yield* Pair0.make()
          yield* Effect.fork(Effect.flatMap(server.accept, (peer) => peer.write(pair0)))
          yield* Socket.dial(socket, `tcp://localhost:${port}`)
          const [pipe] = yield* Socket.pipes(socket).get
          expect(pipe?.properties.remoteAddress).toEqual(Address.inet6("::1", port))
          expect(connecting()).toBe(before)
        })
      )
    }))

  describe("binds its source address", () => {
    test("given as an option", () =>
      Effect.gen(function* () {
        const { accepted, dialed } = yield* connected("tcp://127.0.0.1:0", (port) => `tcp://127.0.0.1:${port}`, {
          dialer: { localAddress: "127.0.0.1" }
        })
        expect(dialed.properties.localAddress).toEqual(accepted.properties.remoteAddress)
      }))

    for (const source of ["127.0.0.1", "v4only", "*"]) {
      test(`given in the URL as ${source}`, () =>
        Effect.gen(function* () {
          yield* known
          const { accepted, dialer, port } = yield* connected(
            "tcp://127.0.0.1:0",
            (port) => `tcp://${source};127.0.0.1:${port}`
          )
          expect(dialer.url).toBe(`tcp://${source};127.0.0.1:${port}`)
          expect(accepted.properties.remoteAddress).toMatchObject({ _tag: "Inet", host: "127.0.0.1" })
        }))
    }

    // other systems have one loopback address
    it.runIf(process.platform === "linux")("and the peer sees it", () =>
      Effect.gen(function* () {
        const url = (port: number) => `tcp://127.0.0.3;127.0.0.1:${port}`
        const inUrl = yield* connected("tcp://127.0.0.1:0", url)
        expect(inUrl.accepted.properties.remoteAddress).toMatchObject({ host: "127.0.0.3" })
        const both = yield* connected("tcp://127.0.0.1:0", url, { dialer: { localAddress: "127.0.0.2" } })
        expect(both.accepted.properties.remoteAddress).toMatchObject({ host: "127.0.0.2" })
      }).pipe(leavesNone, Effect.provide(NodeTransport.layer), Effect.runPromise)
    )

    test("and takes those addresses of a name that it can reach from there", () =>
      Effect.gen(function* () {
        yield* known
        const { dialed } = yield* connected("tcp://127.0.0.1:0", (port) => `tcp://127.0.0.1;v6first:${port}`)
        expect(dialed.properties.remoteAddress).toMatchObject({ _tag: "Inet", host: "127.0.0.1" })
      }))
  })
})

describe("options of a tcp connection", () => {
  const on = { noDelay: true, keepAlive: true }
  const off = { noDelay: false, keepAlive: false }

  test("are both on by default, and the system is told so, at either end", () =>
    Effect.gen(function* () {
      const calls = yield* watchOptions
      const { accepted, dialed } = yield* connected("tcp://127.0.0.1:0", (port) => `tcp://127.0.0.1:${port}`)
      expect([accepted.properties, dialed.properties]).toMatchObject([on, on])
      expect(calls.toSorted()).toEqual(["setKeepAlive", "setKeepAlive", "setNoDelay", "setNoDelay"])
    }))

  test("are off where they are switched off", () =>
    Effect.gen(function* () {
      const calls = yield* watchOptions
      const { accepted, dialed } = yield* connected("tcp://127.0.0.1:0", (port) => `tcp://127.0.0.1:${port}`, {
        listener: off,
        dialer: off
      })
      expect([accepted.properties, dialed.properties]).toMatchObject([off, off])
      expect(calls).toEqual([])
    }))

  test("are each end's own, and independent of one another", () =>
    Effect.gen(function* () {
      const calls = yield* watchOptions
      const { accepted, dialed } = yield* connected("tcp://127.0.0.1:0", (port) => `tcp://127.0.0.1:${port}`, {
        listener: { noDelay: false },
        dialer: { noDelay: false, keepAlive: false }
      })
      expect([accepted.properties, dialed.properties]).toMatchObject([{ ...on, noDelay: false }, off])
      expect(calls).toEqual(["setKeepAlive"])
    }))

  test("each end knows its own address and the other's", () =>
    Effect.gen(function* () {
      const { accepted, dialed, port } = yield* connected("tcp://[::1]:0", (port) => `tcp://[::1]:${port}`)
      expect(accepted.properties.localAddress).toEqual(Address.inet6("::1", port))
      expect(dialed.properties.remoteAddress).toEqual(Address.inet6("::1", port))
      expect(dialed.properties.localAddress).toEqual(accepted.properties.remoteAddress)
      expect(Net.isIPv6((dialed.properties.localAddress as { readonly host: string }).host)).toBe(true)
    }))
})
