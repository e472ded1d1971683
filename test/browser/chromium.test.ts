import { afterAll, beforeAll, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Listener from "effect-nng/Listener"
import * as Message from "effect-nng/Message"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Pair0 from "effect-nng/Pair0"
import * as Pub0 from "effect-nng/Pub0"
import * as Rep0 from "effect-nng/Rep0"
import * as Req0 from "effect-nng/Req0"
import * as Socket from "effect-nng/Socket"
import * as Sub0 from "effect-nng/Sub0"
import type { Transports } from "effect-nng/Transport"
import * as Net from "node:net"
import * as Tls from "node:tls"
import { selfSigned } from "../support/certificates.js"
import * as Dashboard from "../../examples/dashboard/program.js"
import * as Chromium from "../support/chromium.js"
import * as Nngcat from "../support/nngcat.js"
import { record, tagged } from "../support/peers.js"
import * as Programs from "../support/programs.js"
import { shown } from "../support/tls.js"
import type { Case, Join } from "./cases.js"
import { cases } from "./cases.js"

Programs.suite("a page in Chromium", Chromium.missing ?? Nngcat.missing, () => {
  const lifetime = Effect.runSync(Scope.make())
  let browser: Context.Tag.Service<Chromium.Browser>

  beforeAll(async () => {
    const built = Layer.buildWithScope(Chromium.layer("test/browser/pages/all.ts"), lifetime)
    browser = Context.get(await Effect.runPromise(built), Chromium.Browser)
  }, 60_000)

  afterAll(() => Effect.runPromise(Scope.close(lifetime, Exit.void)), 60_000)

  /** With a tab of its own, which must have nothing to complain of; connections may be refused where that is the point. */
  const test = (
    title: string,
    body: (tab: Chromium.Tab) => Effect.Effect<void, unknown, Scope.Scope | Transports>,
    options: { readonly refusals?: boolean } = {}
  ): void =>
    it.scopedLive(title, () =>
      Effect.gen(function* () {
        const tab = yield* browser.open
        yield* Effect.scoped(body(tab))
        expect(tab.complaints).toEqual([])
        if (options.refusals !== true) expect(tab.refusals).toEqual([])
      }).pipe(Effect.provide(NodeTransport.layer))
    )

  const listen = (socket: Socket.Socket, url = "ws://127.0.0.1:0/page") =>
    Socket.listen(socket, url, { ws: { origins: [browser.origin] } })

  const run = (tab: Chromium.Tab, { ends, results, title }: Case, page: 0 | 1) =>
    Effect.gen(function* () {
      const url = yield* Deferred.make<string>()
      const join: Join = (socket) =>
        Effect.gen(function* () {
          yield* Deferred.succeed(url, (yield* listen(socket)).url)
          yield* Socket.awaitPeers(socket, 1)
        })
      const there = Effect.flatMap(Deferred.await(url), (url) => tab.call("play", title, page, url))
      const here = ends[1 - page]!(join)
      const got = yield* Effect.all(page === 0 ? [there, here] : [here, there], { concurrency: "unbounded" })
      expect(got).toEqual(results)
      yield* tab.call("stop")
    })

  for (const [what, page] of [
    ["first", 0],
    ["second", 1]
  ] as const) {
    for (const one of cases) test(`is the ${what} end: ${one.title}`, (tab) => run(tab, one, page))
  }

  const exclaim = (request: Message.Message) => Effect.succeed(`${Message.text(request)}!`)

  /** A server that answers at this URL until its scope ends. */
  const answering = (url?: string) =>
    Effect.gen(function* () {
      const socket = yield* Rep0.make()
      const listener = yield* listen(socket, url)
      yield* Effect.forkScoped(Rep0.serve(socket, exclaim))
      return listener.url
    })

  const survives =
    (serve: (url?: string) => Effect.Effect<string, unknown, Scope.Scope | Transports>, answer: string) =>
    (tab: Chromium.Tab) =>
      Effect.gen(function* () {
        const first = yield* Scope.make()
        const url = yield* Scope.extend(serve(), first)
        yield* tab.call("keepAsking", url)
        expect(yield* tab.call("again", "before")).toBe(answer || "before!")
        yield* Scope.close(first, Exit.void)
        const asked = yield* Effect.forkScoped(tab.call("again", "meanwhile"))
        yield* Effect.repeat(tab.call("events"), { until: (events) => (events as Array<string>).includes("Failed") })
        yield* serve(url)
        expect(yield* asked).toBe(answer || "meanwhile!")
        expect(yield* tab.call("again", "after")).toBe(answer || "after!")
        const events = (yield* tab.call("events")) as ReadonlyArray<string>
        expect(events.filter((event) => event === "Connected")).toHaveLength(2)
        expect(events.indexOf("Disconnected")).toBeLessThan(events.indexOf("Failed"))
        expect(tab.refusals.length).toBeGreaterThan(0)
        yield* tab.call("stop")
      })

  test("comes back when our server does, and its question is asked again", survives(answering, ""), { refusals: true })

  /** nngcat that listens at this URL, once it lets somebody in. */
  const nngcat = (
    probe: typeof Req0.make | typeof Sub0.make,
    url: string | undefined,
    ...args: ReadonlyArray<string>
  ) =>
    Effect.gen(function* () {
      const at = url ?? `ws://127.0.0.1:${yield* Nngcat.freePort}/page`
      yield* Nngcat.run("--listen", at, ...args)
      const other: Socket.Socket = yield* probe()
      yield* Effect.retry(Socket.dial(other, at), { while: ({ _tag }) => _tag === "NNG_ECONNREFUSED" })
      return at
    })

  const pong = (url?: string) => nngcat(Req0.make, url, "--rep", "--data", "pong", "--raw")

  test("comes back when libnng's server was killed and started again", survives(pong, "pong"), { refusals: true })

  test("asks nngcat", (tab) =>
    Effect.gen(function* () {
      const url = yield* pong()
      expect(yield* tab.call("ask", url, "ping")).toBe("pong")
      expect(yield* tab.call("ask", url, "x".repeat(1024 * 1024 - 4))).toBe("pong")
    }))

  test("hears what nngcat publishes of its topic", (tab) =>
    Effect.gen(function* () {
      const url = yield* nngcat(Sub0.make, undefined, "--pub", "--data", "weather: rain", "--interval", "1")
      expect(yield* tab.call("hear", url, "weather", 1)).toEqual(["weather: rain"])
      yield* tab.call("stop")
    }))

  /** nngcat that listens, once it does; what it prints. */
  const listening = (tab: Chromium.Tab, call: string, ...args: ReadonlyArray<string>) =>
    Effect.gen(function* () {
      const url = `ws://127.0.0.1:${yield* Nngcat.freePort}/page`
      const program = yield* Nngcat.run("--listen", url, ...args)
      yield* Effect.retry(tab.call(call, url, "weather: rain"), { times: 500 })
      return program
    })

  test(
    "publishes to nngcat",
    (tab) =>
      Effect.gen(function* () {
        const heard = yield* listening(tab, "publish", "--sub", "--subscribe", "weather", "--ascii")
        const words = "weather: rain".repeat(3)
        expect((yield* heard.output(words.length)).toString()).toContain(words)
        yield* tab.call("stop")
      }),
    { refusals: true }
  )

  test(
    "answers nngcat",
    (tab) =>
      Effect.gen(function* () {
        const answers = yield* listening(tab, "serve", "--req", "--data", "ping", "--ascii")
        yield* answers.prints("ping!")
        yield* tab.call("stop")
      }),
    { refusals: true }
  )

  test(
    "of a foreign origin is refused by our listener, and let in by name",
    (tab) =>
      Effect.gen(function* () {
        const socket = yield* Rep0.make()
        yield* Effect.forkScoped(Rep0.serve(socket, exclaim))
        const strict = yield* Listener.make(socket, "ws://127.0.0.1:0/page")
        const told = yield* record(Listener.events(strict))
        yield* Listener.start(strict)
        const [tag, message] = (yield* tab.call("refused", strict.url)) as ReadonlyArray<string>
        expect(tag).toBe("NNG_ECONNREFUSED")
        expect(message).toContain("Origin")
        const { error } = yield* told.find(tagged("HandshakeFailed"))
        expect(error.message).toContain(`pages of origin ${browser.origin} may not connect`)
        expect(tab.refusals).toHaveLength(1)
        const open = yield* listen(socket)
        expect(yield* tab.call("ask", open.url, "let me in")).toBe("let me in!")
      }),
    { refusals: true }
  )

  /** TLS in front of a port. */
  const secured = (port: number) =>
    Effect.gen(function* () {
      const pair = shown(yield* Effect.promise(() => selfSigned()))
      const server = Tls.createServer(pair, (socket) => {
        const behind = Net.connect(port, "127.0.0.1")
        socket.on("error", () => behind.destroy())
        behind.on("error", () => socket.destroy())
        socket.pipe(behind).pipe(socket)
      })
      return yield* Effect.acquireRelease(
        Effect.async<number>((resume) => {
          server.listen(0, "127.0.0.1", () => resume(Effect.succeed((server.address() as Net.AddressInfo).port)))
        }),
        () => Effect.sync(() => server.close())
      )
    })

  test("asks over wss, through a proxy that has the certificate", (tab) =>
    Effect.gen(function* () {
      const url = new URL(yield* answering())
      const port = yield* secured(Number(url.port))
      expect(yield* tab.call("ask", `wss://127.0.0.1:${port}/page`, "in secret")).toBe("in secret!")
    }))

  test("cannot listen, choose headers of a request, or dial what is no URL", (tab) =>
    Effect.gen(function* () {
      expect(yield* tab.call("refused", "ws://127.0.0.1:1/page", true)).toMatchObject({ 0: "NNG_ENOTSUP" })
      expect(yield* tab.call("refused", "ws://me@127.0.0.1/page")).toMatchObject({ 0: "NNG_EADDRINVAL" })
      expect(yield* tab.call("refused", "tcp://127.0.0.1:1")).toMatchObject({ 0: "NNG_ENOTSUP" })
    }))

  test("that does not ask for what comes holds so much and no more, and then closes", (tab) =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make()
      const { url } = yield* listen(socket)
      const pipes = yield* record(Socket.events(socket))
      const page = yield* Effect.forkScoped(tab.call("flooded", url, 1024 * 1024))
      yield* Socket.awaitPeers(socket, 1)
      const padding = " ".repeat(16 * 1024)
      const flood = Effect.iterate(0, {
        while: () => true,
        body: (n) => Effect.as(Socket.send(socket, `${n}${padding}`), n + 1)
      })
      yield* Effect.forkScoped(flood)
      const { reason } = yield* pipes.find(tagged("RemPost"))
      expect(reason).toMatchObject({ _tag: "NNG_ECONNSHUT", reason: "the peer could not keep up (4013)" })
      yield* tab.call("release")
      const { got, why } = (yield* page) as { readonly got: ReadonlyArray<string>; readonly why: ReadonlyArray<string> }
      expect(why[0]).toBe("NNG_ENOMEM")
      expect(got).toEqual(got.map((_, i) => String(i)))
      // the rest is what the socket itself and the read ahead of it hold
      const held = got.length * (16 * 1024)
      expect(held).toBeGreaterThan(1024 * 1024 - 2 * 16 * 1024)
      expect(held).toBeLessThan(1024 * 1024 + 512 * 1024)
    }))

  test("does not send what libnng would refuse, unless it may", (tab) =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make()
      const { url } = yield* listen(socket)
      yield* Effect.forkScoped(
        Effect.forever(Effect.flatMap(Socket.recv(socket), ({ length }) => Socket.send(socket, String(length))))
      )
      const said = (yield* tab.call("tooLong", url, undefined)) as string
      expect(said).toContain("NNG_EMSGSIZE")
      expect(said).toContain("a message of 1048577 bytes, and sendMaxFrame is 1048576")
      yield* Effect.repeat(Socket.pipes(socket).get, { until: (pipes) => pipes.length === 0 })
      expect(yield* tab.call("tooLong", url, 0)).toBe("1048577")
    }))

  test("that is closed in the middle of a question leaves it to another", (tab) =>
    Effect.gen(function* () {
      const socket = yield* Req0.make()
      const { url } = yield* listen(socket)
      const pipes = yield* record(Socket.events(socket))
      yield* tab.call("serveQuietly", url)
      const answer = yield* Effect.forkScoped(Req0.request(socket, "anybody"))
      yield* Effect.repeat(socket.statistics, { until: ({ sent }) => sent === 1 })
      yield* tab.close
      // Chromium says goodbye, or is gone before it can
      expect(["NNG_ECONNSHUT", "NNG_ECONNRESET"]).toContain((yield* pipes.find(tagged("RemPost"))).reason._tag)
      const other = yield* browser.open
      yield* other.call("serve", url)
      expect(Message.text(yield* answer)).toBe("anybody!")
      yield* other.call("stop")
      expect(other.complaints).toEqual([])
    }))

  test("has inproc, and the simulated network", (tab) =>
    Effect.map(tab.call("within"), (said) => {
      expect(said).toEqual(["inproc://page", "tcp://server:1"])
    }))

  test("hears what we publish, more than the browser's own buffers hold", (tab) =>
    Effect.gen(function* () {
      const socket = yield* Pub0.make({ sendBuffer: 200 })
      const { url } = yield* listen(socket)
      const body = `topic${"x".repeat(100_000)}`
      const heard = yield* Effect.forkScoped(tab.call("hear", url, "topic", 100))
      yield* Socket.awaitPeers(socket, 1)
      yield* Socket.sendAll(
        socket,
        Array.from({ length: 100 }, () => body)
      )
      expect(yield* heard).toEqual(Array.from({ length: 100 }, () => body))
      yield* tab.call("stop")
    }))

  it.scopedLive("the dashboard draws readings, asks a worker, and survives its server's restart", () =>
    Effect.gen(function* () {
      const first = yield* Scope.make()
      const url = yield* Scope.extend(Dashboard.serve(0), first)
      const { complaints, page } = yield* browser.openAt(url)
      const shows = (id: string, text: RegExp) =>
        Effect.promise(() => page.locator(`#${id}`).filter({ hasText: text }).waitFor({ timeout: 20_000 }))
      const ask = Effect.zipRight(
        Effect.promise(() => page.getByRole("button").click()),
        shows("answer", /^(Ada|Grace|Edith) heard "How are you\?", after \d+ readings\.$/)
      )
      const live = Effect.zipRight(shows("state", /^live$/), shows("legend", /Ada \d+\.\dGrace \d+\.\dEdith \d+\.\d/))
      yield* live
      yield* ask
      yield* Scope.close(first, Exit.void)
      yield* shows("state", /^away, dialing$/)
      yield* Dashboard.serve(Number(new URL(url).port))
      yield* live
      yield* ask
      expect(complaints).toEqual([])
    }).pipe(Effect.provide(NodeTransport.layer))
  )
})
