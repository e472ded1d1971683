import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Dialer from "effect-nng/Dialer"
import * as Listener from "effect-nng/Listener"
import * as Message from "effect-nng/Message"
import * as NodeHttpUpgrades from "effect-nng/NodeHttpUpgrades"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Pair0 from "effect-nng/Pair0"
import * as Rep0 from "effect-nng/Rep0"
import * as Req0 from "effect-nng/Req0"
import * as Socket from "effect-nng/Socket"
import type { Transports } from "effect-nng/Transport"
import * as Http from "node:http"
import type * as Net from "node:net"
import { leavesNone } from "../support/handles.js"
import * as Peers from "../support/peers.js"
import { record, tagged } from "../support/peers.js"
import * as Ws from "../support/wsPeer.js"

const test = (title: string, effect: () => Effect.Effect<void, unknown, Scope.Scope | Transports>): void =>
  it.scopedLive(title, () => leavesNone(Effect.suspend(effect)).pipe(Effect.provide(NodeTransport.layerWs)))

const portOf = ({ url }: { readonly url: string }): number => Number(/:(\d+)/.exec(url)?.[1])

/** A listener that answers each question with its name. */
const answering = (name: string, url: string, options?: Listener.Options) =>
  Effect.gen(function* () {
    const socket = yield* Rep0.make()
    const listener = yield* Socket.listen(socket, url, options)
    yield* Effect.forkScoped(Rep0.serve(socket, () => Effect.succeed(name)))
    return listener
  })

const asking = (url: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const socket = yield* Req0.make()
      yield* Socket.dial(socket, url)
      return Message.text(yield* Req0.request(socket, "who?"))
    })
  )

const refused = (url: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const dialer = yield* Dialer.make(yield* Req0.make(), url)
      return (yield* Effect.flip(Dialer.start(dialer)))._tag
    })
  )

/** A server of node:http that says hello. */
const helloServer = Effect.acquireRelease(
  Effect.async<Http.Server>((resume) => {
    const server = Http.createServer((_, response) => response.end("hello"))
    server.listen({ host: "127.0.0.1", port: 0 }, () => resume(Effect.succeed(server)))
  }),
  (server) =>
    Effect.sync(() => {
      server.closeAllConnections()
      server.close()
    })
)

const at = (server: Http.Server): string => `127.0.0.1:${(server.address() as Net.AddressInfo).port}`

const get = (url: string): Effect.Effect<{ readonly status: number; readonly text: string }, unknown> =>
  Effect.async((resume) => {
    Http.get(url, { agent: false }, (response) => {
      let text = ""
      response.on("data", (chunk) => (text += String(chunk)))
      response.on("end", () => resume(Effect.succeed({ status: response.statusCode ?? 0, text })))
    }).on("error", (error) => resume(Effect.fail(error)))
  })

describe("listeners of one host and port", () => {
  test("share a server, each with its path, even those of other sockets", () =>
    Effect.gen(function* () {
      const first = yield* answering("first", "ws://127.0.0.1:0/first")
      const base = `ws://127.0.0.1:${portOf(first)}`
      yield* answering("second", `${base}/second`)
      yield* answering("nested", `${base}/second/nested`)
      yield* answering("root", base)
      for (const [path, name] of [
        ["/first", "first"],
        ["/second", "second"],
        ["/second/nested", "nested"],
        ["", "root"],
        ["/", "root"],
        ["/first/", "first"],
        ["/first?query", "first"]
      ] as const) {
        expect(yield* asking(base + path), path).toBe(name)
      }
      expect(yield* refused(`${base}/third`)).toBe("NNG_ECONNREFUSED")
      expect(yield* refused(`${base}/first/x`)).toBe("NNG_ECONNREFUSED")
    }))

  test("may not have the same path, and `` and / are the same", () =>
    Effect.gen(function* () {
      const first = yield* answering("first", "ws://127.0.0.1:0/a")
      const base = `ws://127.0.0.1:${portOf(first)}`
      yield* answering("root", base)
      for (const path of ["/a", "", "/"]) {
        const again = yield* Listener.make(yield* Rep0.make(), base + path)
        expect(yield* Effect.flip(Listener.start(again)), path).toMatchObject({ _tag: "NNG_EADDRINUSE" })
      }
      yield* answering("with a slash", `${base}/a/`)
      expect(yield* asking(`${base}/a/`)).toBe("with a slash")
      expect(yield* asking(`${base}/a`)).toBe("first")
    }))

  test("of another text for the host do not share: the port is taken", () =>
    Effect.gen(function* () {
      const first = yield* answering("first", "ws://127.0.0.1:0/a")
      const other = yield* Listener.make(yield* Rep0.make(), `ws://localhost:${portOf(first)}/b`)
      expect(yield* Effect.flip(Listener.start(other))).toMatchObject({ _tag: "NNG_EADDRINUSE" })
    }))

  test("let the server go with the last of them, and no earlier", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const first = yield* Scope.extend(answering("first", "ws://127.0.0.1:0/first"), scope)
      const base = `ws://127.0.0.1:${portOf(first)}`
      const own = yield* Scope.make()
      yield* Scope.extend(answering("second", `${base}/second`), own)
      yield* Scope.close(scope, Exit.void)
      expect(yield* asking(`${base}/second`)).toBe("second")
      expect(yield* refused(`${base}/first`)).toBe("NNG_ECONNREFUSED")
      yield* answering("first again", `${base}/first`).pipe(Scope.extend(own))
      expect(yield* asking(`${base}/first`)).toBe("first again")
      yield* Scope.close(own, Exit.void)
      const peer = yield* Effect.either(Peers.dial(portOf(first)))
      expect(peer).toMatchObject({ _tag: "Left", left: { code: "ECONNREFUSED" } })
    }))

  test("started at once on a port that nobody has yet bind it once", () =>
    Effect.gen(function* () {
      const probe = yield* Scope.make()
      const { url } = yield* Scope.extend(answering("probe", "ws://127.0.0.1:0"), probe)
      yield* Scope.close(probe, Exit.void)
      const names = Array.from({ length: 8 }, (_, i) => `name-${i}`)
      yield* Effect.forEach(names, (name) => answering(name, `${url}/${name}`), { concurrency: "unbounded" })
      expect(yield* Effect.forEach(names, (name) => asking(`${url}/${name}`))).toEqual(names)
    }))

  test("of different layers know nothing of each other: the port is taken", () =>
    Effect.gen(function* () {
      const first = yield* answering("first", "ws://127.0.0.1:0/a")
      const other = Effect.gen(function* () {
        const listener = yield* Listener.make(yield* Rep0.make(), `ws://127.0.0.1:${portOf(first)}/b`)
        return (yield* Effect.flip(Listener.start(listener)))._tag
      })
      expect(yield* other.pipe(Effect.scoped, Effect.provide(Layer.fresh(NodeTransport.layerWs)))).toBe(
        "NNG_EADDRINUSE"
      )
    }))

  test("answer what is no upgrade, and stay", () =>
    Effect.gen(function* () {
      const listener = yield* answering("one", "ws://127.0.0.1:0/one")
      const base = `http://127.0.0.1:${portOf(listener)}`
      expect(yield* get(`${base}/one`)).toEqual({ status: 400, text: "no upgrade to websocket\n" })
      expect((yield* get(`${base}/two`)).status).toBe(404)
      const peer = yield* Peers.dial(portOf(listener))
      yield* peer.write(Buffer.from("POST /one HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n"))
      expect(Ws.statusOf(yield* Ws.readHead(peer))).toBe(405)
      expect(yield* asking(listener.url)).toBe("one")
    }))
})

describe("a server of somebody else", () => {
  test("serves a path of ours beside its own pages", () =>
    Effect.gen(function* () {
      const server = yield* helloServer
      const one = yield* answering("one", `ws://${at(server)}/one`, { ws: { server } })
      yield* answering("two", `ws://${at(server)}/two`, { ws: { server } })
      expect(yield* asking(one.url)).toBe("one")
      expect(yield* asking(`ws://${at(server)}/two`)).toBe("two")
      expect(yield* get(`http://${at(server)}/`)).toEqual({ status: 200, text: "hello" })
      expect(yield* get(`http://${at(server)}/one`)).toEqual({ status: 200, text: "hello" })
      // there is nobody else whose path it could be
      expect(yield* refused(`ws://${at(server)}/three`)).toBe("NNG_ECONNREFUSED")
    }))

  test("keeps the upgrades of others", () =>
    Effect.gen(function* () {
      const server = yield* helloServer
      const theirs: Array<string | undefined> = []
      const onUpgrade = (request: Http.IncomingMessage, socket: Net.Socket) => {
        if (request.url !== "/theirs") return
        theirs.push(request.url)
        socket.end("HTTP/1.1 418 I'm a teapot\r\nConnection: close\r\n\r\n")
      }
      server.on("upgrade", onUpgrade)
      const own = yield* answering("ours", `ws://${at(server)}/ours`, { ws: { server } })
      const peer = yield* Peers.dial(portOf(own))
      expect(Ws.statusOf(yield* Ws.ask(peer, "/theirs"))).toBe(418)
      expect(theirs).toEqual(["/theirs"])
      expect(yield* asking(own.url)).toBe("ours")
    }))

  test("is left as it was when the listeners close, and does not close with them", () =>
    Effect.gen(function* () {
      const server = yield* helloServer
      yield* Effect.scoped(answering("one", `ws://${at(server)}/one`, { ws: { server } }))
      expect(server.listenerCount("upgrade")).toBe(0)
      expect(server.listening).toBe(true)
      yield* answering("one", `ws://${at(server)}/one`, { ws: { server } })
      expect(server.listenerCount("upgrade")).toBe(1)
      const again = yield* Listener.make(yield* Rep0.make(), `ws://${at(server)}/one`, { ws: { server } })
      expect(yield* Effect.flip(Listener.start(again))).toMatchObject({ _tag: "NNG_EADDRINUSE" })
    }))

  test("an Effect HttpServer has a listener on a route", () =>
    Effect.gen(function* () {
      const nng = yield* NodeHttpUpgrades.make
      yield* answering("route", "ws://*:1/nng", { ws: { server: nng.upgrades } })
      yield* HttpRouter.empty.pipe(
        HttpRouter.get("/", HttpServerResponse.text("hello")),
        HttpRouter.get("/nng", nng.app),
        HttpRouter.get("/other", nng.app),
        HttpServer.serveEffect()
      )
      const { address } = yield* HttpServer.HttpServer
      const port = address._tag === "TcpAddress" ? address.port : 0
      const url = `ws://127.0.0.1:${port}`
      expect(yield* asking(`${url}/nng`)).toBe("route")
      expect(yield* Effect.replicateEffect(asking(`${url}/nng`), 5, { concurrency: "unbounded" })).toHaveLength(5)
      // its own routes, and what is not ours
      expect(yield* refused(`${url}/nothing`)).toBe("NNG_ECONNREFUSED")
      expect(yield* refused(`${url}/other`)).toBe("NNG_ECONNREFUSED")
      const responses = yield* Effect.forEach(["/", "/nng"], (path) =>
        Effect.flatMap(HttpClient.get(path), (response) => Effect.map(response.text, (text) => [response.status, text]))
      )
      expect(responses).toEqual([
        [200, "hello"],
        [400, "no upgrade to websocket"]
      ])
    }).pipe(
      Effect.scoped,
      Effect.provide(
        HttpServer.layerTestClient.pipe(
          Layer.provide(NodeHttpClient.layerWithoutAgent),
          Layer.provide(NodeHttpClient.makeAgentLayer({ keepAlive: false })),
          Layer.provideMerge(
            NodeHttpServer.layerServer(() => Http.createServer({ keepAliveTimeout: 1 }), { host: "127.0.0.1", port: 0 })
          )
        )
      )
    ))
})

describe("headers", () => {
  test("of both sides, the target and the sub-protocol are known to both as properties of the pipe", () =>
    Effect.gen(function* () {
      const left = yield* Pair0.make()
      const listener = yield* Socket.listen(left, "ws://127.0.0.1:0/path", {
        ws: { headers: { "X-Server": "one", "Set-Cookie": "a=b" } }
      })
      const right = yield* Pair0.make()
      yield* Socket.dial(right, `${listener.url}?token=1`, { ws: { headers: { Authorization: "Bearer me" } } })
      yield* Socket.awaitPeers(left, 1)
      const [[accepted], [dialed]] = [yield* Socket.pipes(left).get, yield* Socket.pipes(right).get]
      const ws = accepted!.properties.ws!
      expect(ws).toMatchObject({
        requestUri: "/path?token=1",
        subprotocol: "pair.sp.nanomsg.org",
        requestHeaders: {
          authorization: "Bearer me",
          host: `127.0.0.1:${portOf(listener)}`,
          "sec-websocket-protocol": "pair.sp.nanomsg.org"
        },
        responseHeaders: { "x-server": "one", "set-cookie": "a=b", upgrade: "websocket" }
      })
      expect(ws.requestHeaders["sec-websocket-extensions"]).toBeUndefined()
      expect(ws.requestHeaders["origin"]).toBeUndefined()
      expect(dialed!.properties.ws).toEqual(ws)
    }))

  test("of a request let a listener's socket turn a pipe away before anything comes from it", () =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make()
      const pipes = yield* record(Socket.events(socket))
      const { url } = yield* Socket.listen(socket, "ws://127.0.0.1:0")
      yield* Socket.dial(yield* Pair0.make(), url, { ws: { headers: { "X-Token": "wrong" } } })
      const { pipe } = yield* pipes.find(tagged("AddPre"))
      expect(pipe.properties.ws?.requestHeaders["x-token"]).toBe("wrong")
    }))

  for (const [role, options, error] of [
    ["dial", { headers: { Host: "evil" } }, "NNG_EINVAL"],
    ["dial", { headers: { X: "a\r\nEvil: b" } }, "NNG_EINVAL"],
    ["listen", { headers: { "Sec-WebSocket-Accept": "x" } }, "NNG_EINVAL"],
    ["listen", { headers: { "X\nY": "x" } }, "NNG_EINVAL"],
    ["dial", { sendMaxFrame: -1 }, "NNG_EINVAL"],
    ["listen", { sendMaxFrame: 0.5 }, "NNG_EINVAL"],
    ["dial", { origins: "any" }, "NNG_ENOTSUP"],
    ["dial", { server: Http.createServer() }, "NNG_ENOTSUP"]
  ] as const) {
    test(`[S9] to ${role} with ${Object.keys(options).join()} that cannot be is ${error}`, () =>
      Effect.gen(function* () {
        const socket = yield* Pair0.make()
        const make: Effect.Effect<unknown, unknown, Scope.Scope> =
          role === "dial"
            ? Dialer.make(socket, "ws://127.0.0.1:1", { ws: options })
            : Listener.make(socket, "ws://127.0.0.1:0", { ws: options })
        expect(yield* Effect.flip(make)).toMatchObject({ _tag: error })
      }))
  }

  test("ws options are none of tcp's", () =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make()
      // as nobody knows the scheme of
      const url: string = "tcp://127.0.0.1:1"
      const made = Dialer.make(socket, url, { ws: { sendMaxFrame: 1 } })
      expect(yield* Effect.flip(made)).toMatchObject({ _tag: "NNG_ENOTSUP" })
    }).pipe(Effect.provide(NodeTransport.layer)))
})

describe("origins [S8]", () => {
  const answers = (origins: "same" | "any" | ReadonlyArray<string> | undefined, url = "ws://127.0.0.1:0/path") =>
    Effect.gen(function* () {
      const listener = yield* Listener.make(yield* Pair0.make(), url, { ws: { origins } })
      const told = yield* record(Listener.events(listener))
      yield* Listener.start(listener)
      const ask = (Origin: string | undefined, Host = `127.0.0.1:${portOf(listener)}`) =>
        Effect.flatMap(Peers.dial(portOf(listener)), (peer) =>
          Effect.map(Ws.ask(peer, "/path", { Origin, Host }), Ws.statusOf)
        )
      return { ask, told, own: `http://127.0.0.1:${portOf(listener)}` }
    })

  test("by default: none, or the listener's own; a foreign one, null and a foreign host are refused", () =>
    Effect.gen(function* () {
      const { ask, own, told } = yield* answers(undefined)
      expect(yield* ask("http://evil.example")).toBe(403)
      expect((yield* told.find(tagged("HandshakeFailed"))).error).toMatchObject({ _tag: "NNG_EPEERAUTH" })
      expect(yield* ask("null")).toBe(403)
      // the name of a page's host, pointed here by its DNS
      expect(yield* ask("http://evil.example", "evil.example")).toBe(404)
      expect(yield* ask(own)).toBe(101)
    }))

  test("a listener on all addresses does not take the name that a foreign DNS gave it", () =>
    Effect.gen(function* () {
      const { ask } = yield* answers(undefined, "ws://*:0/path")
      expect(yield* ask("http://evil.example", "evil.example")).toBe(403)
      expect(yield* ask("http://localhost", "localhost")).toBe(101)
    }))

  test("a list lets in what is on it", () =>
    Effect.gen(function* () {
      const { ask, own } = yield* answers(["https://app.example"])
      expect(yield* ask(own)).toBe(403)
      expect(yield* ask("https://app.example")).toBe(101)
    }))

  test("any, spelled out, lets in all", () =>
    Effect.gen(function* () {
      const { ask } = yield* answers("any")
      expect(yield* ask("http://evil.example")).toBe(101)
    }))

  test("who sends none is no page", () =>
    Effect.gen(function* () {
      const { ask } = yield* answers(["https://app.example"])
      expect(yield* ask(undefined)).toBe(101)
    }))
})

describe("frames sent", () => {
  for (const [what, role, sendMaxFrame, expected] of [
    ["a listener", "listener", undefined, [65536, 65536, 65536, 3392]],
    ["a dialer", "dialer", undefined, [200_000]],
    ["a dialer that is told so", "dialer", 100_000, [100_000, 100_000]],
    ["a listener that is told to send each in one", "listener", 0, [200_000]]
  ] as const) {
    test(`${what} cuts 200 000 bytes into ${expected.join(", ")}`, () =>
      Effect.gen(function* () {
        const socket = yield* Pair0.make()
        const options = { ws: { sendMaxFrame } }
        const connect = Effect.gen(function* () {
          if (role === "listener") {
            const listener = yield* Socket.listen(socket, "ws://127.0.0.1:0", options)
            const peer = yield* Peers.dial(portOf(listener))
            yield* Ws.ask(peer, "/")
            return peer
          }
          const server = yield* Peers.listen()
          yield* Socket.dial(socket, `ws://127.0.0.1:${server.port}`, { ...options, nonblocking: true })
          const peer = yield* server.accept
          yield* Effect.flatMap(Ws.readHead(peer), (asked) => Ws.grant(peer, asked))
          return peer
        })
        const peer = yield* connect
        yield* Effect.forkScoped(Socket.send(socket, new Uint8Array(200_000)))
        const frames = yield* Effect.forEach(expected, () => Ws.readFrame(peer))
        expect(frames.map(({ payload }) => payload.length)).toEqual(expected)
        expect(frames.map(({ fin, op }) => [fin, op])).toEqual(
          expected.map((_, i) => [i === expected.length - 1, i === 0 ? 2 : 0])
        )
        expect(new Set(frames.map(({ masked }) => masked))).toEqual(new Set([role === "dialer"]))
      }))
  }
})
