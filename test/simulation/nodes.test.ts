import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Address from "effect-nng/Address"
import * as Pair0 from "effect-nng/Pair0"
import * as Socket from "effect-nng/Socket"
import * as TestTransport from "effect-nng/TestTransport"
import { Transports } from "effect-nng/Transport"
import { recvText } from "../support/sockets.js"
import { connect, eventsOf, onNetwork, simulated, text } from "../support/simulation.js"

const { dial, layerNode, on } = TestTransport

const listen = (url: string, node = "a") => TestTransport.listen(url, { node })

/** Whether a dial from a node gets somewhere. */
const reaches = (node: string, url: string) => Effect.isSuccess(Effect.scoped(dial(url, { node })))

const failure = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.match(effect, { onFailure: ({ _tag }) => _tag, onSuccess: () => "none" })

describe("a host", () => {
  simulated("is the node's that first listens there, for good", () =>
    Effect.gen(function* () {
      expect(yield* reaches("b", "tcp://10.0.0.1:1")).toBe(false)
      yield* Effect.scoped(listen("tcp://10.0.0.1:1"))
      const error = yield* Effect.flip(listen("tcp://10.0.0.1:2", "b"))
      expect(error).toMatchObject({ _tag: "NNG_EADDRINVAL", address: "tcp://10.0.0.1:2" })
      expect(error.reason).toContain("node a")
      yield* listen("tcp://10.0.0.1:2")
      for (const node of ["a", "b", "local"]) expect(yield* reaches(node, "tcp://10.0.0.1:2")).toBe(true)
    })
  )

  simulated("may be a name, in any case", () =>
    Effect.gen(function* () {
      yield* listen("tcp://Example.org:1")
      expect(yield* reaches("b", "tcp://EXAMPLE.ORG:1")).toBe(true)
      expect(yield* failure(listen("tcp://example.org:2", "b"))).toBe("NNG_EADDRINVAL")
      yield* TestTransport.refuse("eXample.Org")
      expect(yield* reaches("b", "tcp://example.org:1")).toBe(false)
    })
  )

  simulated("is a node's name, and its address", () =>
    Effect.gen(function* () {
      yield* listen("tcp://a:1")
      const { accepted, dialing } = yield* connect(yield* listen("tcp://a:2"), "b")
      const address = dialing.properties.remoteAddress!
      expect(address).toEqual(accepted.properties.localAddress)
      const ip = Address.format(address).split(":")[0]!
      expect(ip).not.toMatch(/^127/)
      expect(yield* reaches("b", `tcp://${ip}:1`)).toBe(true)
      expect(yield* reaches("b", "tcp://a:1")).toBe(true)
      expect(yield* failure(listen("tcp://a:3", "b"))).toBe("NNG_EADDRINVAL")
      expect(yield* failure(listen(`tcp://${ip}:3`, "b"))).toBe("NNG_EADDRINVAL")
      // name and address are one, to bind them too
      expect(yield* failure(listen(`tcp://${ip}:1`))).toBe("NNG_EADDRINUSE")
    })
  )

  simulated("is the node's whose name is an address", () =>
    Effect.gen(function* () {
      yield* listen("tcp://10.0.0.7:1", "10.0.0.7")
      expect(yield* failure(listen("tcp://10.0.0.7:2", "b"))).toBe("NNG_EADDRINVAL")
      const { accepted } = yield* connect(yield* listen("tcp://c:1", "c"), "10.0.0.7")
      expect(Address.format(accepted.properties.remoteAddress!)).toMatch(/^10\.0\.0\.7:/)
    })
  )
})

describe("what stays on its node", () => {
  for (const url of [
    ...["tcp://localhost:1", "tcp://127.0.0.1:1", "tcp://127.1.2.3:1", "tcp6://[::1]:1", "ws://localhost/x"],
    ...["ipc:///tmp/x", "inproc://x", "abstract://x", "unix:///tmp/x"]
  ]) {
    simulated(url, () =>
      Effect.gen(function* () {
        yield* listen(url)
        expect([yield* reaches("a", url), yield* reaches("b", url)]).toEqual([true, false])
        // the same on another is another's
        yield* listen(url, "b")
        expect(yield* failure(listen(url))).toBe("NNG_EADDRINUSE")
        const { accepted, dialing } = yield* connect(yield* listen(`${url}${url.includes("/x") ? "y" : "0"}`, "b"), "b")
        yield* dialing.write("hello")
        expect(text(yield* accepted.read(5))).toBe("hello")
      })
    )
  }

  simulated("is not reached by the name of the node", () =>
    Effect.gen(function* () {
      for (const node of ["a", "local"]) {
        yield* listen("tcp://127.0.0.1:1", node)
        yield* listen("tcp://localhost:2", node)
        for (const port of [1, 2]) expect(yield* reaches("b", `tcp://${node}:${port}`)).toBe(false)
      }
    })
  )

  simulated("localhost is one place, whatever it is called", () =>
    Effect.gen(function* () {
      yield* listen("tcp://localhost:1")
      expect(yield* reaches("a", "tcp://127.0.0.1:1")).toBe(true)
      expect(yield* failure(listen("tcp://127.0.0.1:1"))).toBe("NNG_EADDRINUSE")
    })
  )

  simulated("a control at localhost is for all nodes, one at a node for that", () =>
    Effect.gen(function* () {
      for (const node of ["a", "b"]) yield* listen("tcp://localhost:1", node)
      yield* TestTransport.refuse("a")
      expect([yield* reaches("a", "tcp://localhost:1"), yield* reaches("b", "tcp://localhost:1")]).toEqual([
        false,
        true
      ])
      yield* TestTransport.refuse("localhost")
      expect(yield* reaches("b", "tcp://localhost:1")).toBe(false)
    })
  )
})

describe("a wildcard", () => {
  for (const any of ["*", "", "0.0.0.0", "[::]"]) {
    simulated(`'${any}' is every address of its node, and of no other`, () =>
      Effect.gen(function* () {
        yield* Effect.scoped(listen("tcp://10.0.0.1:9"))
        const listener = yield* listen(`tcp://${any}:1`)
        for (const [node, host, there] of [
          ["b", "a", true],
          ["b", "10.0.0.1", true],
          ["a", "localhost", true],
          ["a", "127.0.0.1", true],
          ["b", "localhost", false],
          ["b", "10.0.0.2", false],
          ["b", "b", false]
        ] as const) {
          expect([node, host, yield* reaches(node, `tcp://${host}:1`)]).toEqual([node, host, there])
        }
        expect(yield* failure(listen("tcp://10.0.0.1:1"))).toBe("NNG_EADDRINUSE")
        expect(yield* failure(listen("tcp://localhost:1"))).toBe("NNG_EADDRINUSE")
        expect(yield* failure(listen("tcp://*:1"))).toBe("NNG_EADDRINUSE")
        // other nodes have theirs
        yield* listen(`tcp://${any}:1`, "b")
        yield* connect({ ...listener, url: "tcp://a:1" }, "c")
      })
    )
  }

  simulated("cannot be had where one address is taken", () =>
    Effect.gen(function* () {
      yield* listen("tcp://10.0.0.1:1")
      for (const any of ["*", "0.0.0.0"]) expect(yield* failure(listen(`tcp://${any}:1`))).toBe("NNG_EADDRINUSE")
    })
  )
})

describe("a port", () => {
  simulated("of 0, or none, is one that is free, and told", () =>
    Effect.gen(function* () {
      const urls = yield* Effect.forEach(
        ["tcp://10.0.0.1:0", "tcp://10.0.0.1:0", "tcp://10.0.0.1", "tls+tcp://*:0"],
        (url) => Effect.map(listen(url), ({ url }) => url)
      )
      const ports = urls.map((url) => Number(/:(\d+)$/.exec(url)![1]))
      expect(new Set(ports).size).toBe(4)
      for (const port of ports) expect(port).toBeGreaterThanOrEqual(49_152)
      expect(yield* reaches("b", urls[0]!)).toBe(true)
      // in the history any address has a name
      expect((yield* eventsOf("Listening")).map(({ url }) => url)).toEqual(
        urls.map((url) => url.replace("//:", "//a:"))
      )
    })
  )

  simulated("that somebody listens on is not given out", () =>
    Effect.gen(function* () {
      const first = yield* listen("tcp://10.0.0.1:0")
      const port = Number(/:(\d+)$/.exec(first.url)![1])
      yield* listen(`tcp://10.0.0.1:${port + 1}`)
      expect((yield* listen("tcp://10.0.0.1:0")).url).toBe(`tcp://10.0.0.1:${port + 2}`)
    })
  )

  simulated("is free again with the scope", () =>
    Effect.gen(function* () {
      for (let i = 0; i < 3; i++) yield* Effect.scoped(listen("tcp://10.0.0.1:1"))
      yield* listen("tcp://10.0.0.1:1")
      expect(yield* failure(listen("tcp://10.0.0.1:1"))).toBe("NNG_EADDRINUSE")
      expect(yield* eventsOf("ListenFailed")).toMatchObject([{ node: "a", error: "NNG_EADDRINUSE" }])
    })
  )

  simulated("of two hosts of one node are two", () =>
    Effect.gen(function* () {
      yield* listen("tcp://10.0.0.1:1")
      yield* listen("tcp://10.0.0.2:1")
      yield* listen("tcp://10.0.0.2:2")
      expect(yield* reaches("b", "tcp://10.0.0.1:2")).toBe(false)
    })
  )

  simulated("is one scheme's, but for the paths of the web", () =>
    Effect.gen(function* () {
      yield* listen("tcp://10.0.0.1:80")
      for (const scheme of ["tcp4", "tls+tcp", "ws", "anything"]) {
        expect([scheme, yield* failure(listen(`${scheme}://10.0.0.1:80`))]).toEqual([scheme, "NNG_EADDRINUSE"])
      }
      yield* listen("ws://10.0.0.1:81/x")
      yield* listen("ws://10.0.0.1:81/y")
      expect(yield* failure(listen("ws4://10.0.0.1:81/y"))).toBe("NNG_EADDRINUSE")
      expect(yield* failure(listen("wss://10.0.0.1:81/z"))).toBe("NNG_EADDRINUSE")
      const found = yield* Effect.forEach(["x", "y", "z"], (path) => reaches("b", `ws://10.0.0.1:81/${path}`))
      expect(found).toEqual([true, true, false])
    })
  )
})

describe("any scheme", () => {
  for (const [at, dialed, wrong] of [
    ["tcp://10.0.0.1:1", "tcp4://10.0.0.1:1", "tls+tcp://10.0.0.1:1"],
    ["tcp4://10.0.0.1:1", "tcp://10.0.0.1:1", "tcp://10.0.0.1:2"],
    ["tcp6://[2001:db8::1]:1", "tcp://[2001:DB8::1]:1", "tcp://[2001:db8::2]:1"],
    ["tls+tcp://10.0.0.1:1", "tls+tcp4://10.0.0.1:1", "tcp://10.0.0.1:1"],
    ["ws://10.0.0.1/x", "ws://10.0.0.1:80/x", "wss://10.0.0.1/x"],
    ["wss://10.0.0.1/x", "wss://10.0.0.1:443/x", "wss://10.0.0.1/"],
    ["ipc:///tmp/x", "unix:///tmp/x", "ipc:///tmp/y"],
    ["inproc://x", "inproc://x", "ipc://x"],
    ["carrier+pigeon://10.0.0.1:7/roof", "carrier+pigeon://10.0.0.1:7/roof", "carrier+pigeon://10.0.0.1:7/cellar"],
    ["pigeon://roof", "pigeon://roof", "owl://roof"]
  ] as const) {
    simulated(`${at} carries the messages of sockets`, () =>
      Effect.gen(function* () {
        const [left, right] = [yield* Pair0.make(), yield* Pair0.make()]
        const listener = yield* Socket.listen(left, at)
        expect(listener.url).toBe(at)
        yield* Socket.dial(right, dialed)
        for (const body of ["", "hello", "x".repeat(100_000)]) {
          yield* Socket.send(right, body)
          expect(yield* recvText(left)).toBe(body)
          yield* Socket.send(left, body)
          expect(yield* recvText(right)).toBe(body)
        }
        expect(yield* failure(Socket.dial(yield* Pair0.make(), wrong))).toBe("NNG_ECONNREFUSED")
      })
    )
  }

  simulated("without a port has as many listeners as there are hosts, schemes and paths", () =>
    Effect.gen(function* () {
      yield* listen("pigeon://roof")
      yield* listen("owl://roof")
      yield* listen("owl://attic")
      yield* listen("owl://attic/left")
      expect(yield* failure(listen("owl://attic/left"))).toBe("NNG_EADDRINUSE")
    })
  )
})

describe("addresses", () => {
  const ends = (url: string, dialed: string, node = "b") =>
    Effect.gen(function* () {
      const listener = yield* listen(url)
      const { accepted, dialing } = yield* connect({ ...listener, url: dialed }, node)
      expect(dialing.properties.remoteAddress).toEqual(accepted.properties.localAddress)
      expect(dialing.properties.localAddress).toEqual(accepted.properties.remoteAddress)
      return [dialing.properties.localAddress!, dialing.properties.remoteAddress!] as const
    })

  simulated("are those of host and port", () =>
    Effect.gen(function* () {
      const [local, remote] = yield* ends("tcp://10.0.0.1:1", "tcp://10.0.0.1:1")
      expect(remote).toEqual(Address.inet("10.0.0.1", 1))
      expect(local).toMatchObject({ _tag: "Inet" })
      expect(Address.port(local)).toBeGreaterThanOrEqual(49_152)
      const [, six] = yield* ends("tcp://[fd00::1]:1", "tcp://[fd00::1]:1")
      expect(six).toEqual(Address.inet6("fd00::1", 1))
      const [own, localhost] = yield* ends("tcp://localhost:2", "tcp://127.0.0.1:2", "a")
      expect([own, localhost]).toMatchObject([{ host: "127.0.0.1" }, { host: "127.0.0.1", port: 2 }])
    })
  )

  simulated("of connections without hosts are paths", () =>
    Effect.gen(function* () {
      expect((yield* ends("ipc:///tmp/x", "ipc:///tmp/x", "a"))[1]).toEqual(Address.ipc("/tmp/x"))
      expect((yield* ends("inproc://x", "inproc://x", "a"))[1]).toEqual(Address.inproc("x"))
    })
  )

  simulated("of the source are in the URL, or an option", () =>
    Effect.gen(function* () {
      const left = yield* on("a")(Pair0.make())
      yield* Socket.listen(left, "tcp://10.0.0.1:1")
      for (const how of ["url", "option"] as const) {
        const right = yield* on("b")(Pair0.make())
        const url = how === "url" ? "tcp://10.0.1.1;10.0.0.1:1" : "tcp://10.0.0.1:1"
        yield* Effect.scoped(
          Effect.gen(function* () {
            yield* Socket.dial(right, url, how === "option" ? { tcp: { localAddress: "10.0.1.1" } } : {})
            const [pipe] = yield* Socket.pipes(left).get
            expect(pipe!.properties.remoteAddress).toMatchObject({ host: "10.0.1.1" })
            // it is a place, too
            yield* TestTransport.reset("10.0.1.1")
            yield* Effect.sleep(0)
            expect(yield* Socket.pipes(left).get).toEqual([])
          })
        )
        yield* Effect.sleep(1)
      }
    })
  )

  simulated("of the source that are another node's are NNG_EADDRINVAL", () =>
    Effect.gen(function* () {
      yield* listen("tcp://10.0.0.1:1")
      expect(yield* failure(dial("tcp://10.0.0.1;10.0.0.1:1", { node: "b" }))).toBe("NNG_EADDRINVAL")
      yield* dial("tcp://10.0.1.1;10.0.0.1:1", { node: "b" })
      expect(yield* failure(dial("tcp://10.0.1.1;10.0.0.1:1", { node: "c" }))).toBe("NNG_EADDRINVAL")
      expect(yield* failure(listen("tcp://10.0.1.1:1", "c"))).toBe("NNG_EADDRINVAL")
    })
  )
})

describe("on and layerNode", () => {
  simulated("bring a program to a node", () =>
    Effect.gen(function* () {
      const left = yield* on("a")(Pair0.make())
      yield* Socket.listen(left, "ipc:///tmp/x")
      const right = yield* Effect.provide(Pair0.make(), layerNode("A"))
      yield* Socket.dial(right, "ipc:///tmp/x")
      const elsewhere = yield* Effect.provide(Pair0.make(), layerNode("b"))
      expect(yield* failure(Socket.dial(elsewhere, "ipc:///tmp/x"))).toBe("NNG_ECONNREFUSED")
      expect((yield* eventsOf("Dialing")).map(({ from }) => from)).toEqual(["a", "b"])
    })
  )

  simulated("nest, the inner one counts", () =>
    Effect.gen(function* () {
      yield* on("a")(on("b")(Effect.flatMap(Pair0.make(), (socket) => Socket.listen(socket, "tcp://b:1"))))
      expect(yield* eventsOf("Listening")).toMatchObject([{ node: "b" }])
    })
  )

  simulated(
    "are not needed by the layer's own node, whose name is an option",
    () =>
      Effect.gen(function* () {
        yield* Socket.listen(yield* Pair0.make(), "tcp://10.0.0.1:1")
        expect(yield* eventsOf("Listening")).toMatchObject([{ node: "home" }])
        yield* TestTransport.crash("HOME")
      }),
    { node: "home" }
  )
})

describe("two networks in one test", () => {
  it.scoped("do not meet", () =>
    Effect.gen(function* () {
      const build = Layer.build(TestTransport.layer())
      const [one, two] = [yield* build, yield* build]
      yield* Effect.provide(TestTransport.listen("tcp://10.0.0.1:1"), one)
      expect(yield* Effect.provide(failure(dial("tcp://10.0.0.1:1")), two)).toBe("NNG_ECONNREFUSED")
      expect(yield* Effect.provide(failure(TestTransport.reset("10.0.0.1")), one)).toBe("none")
      yield* Effect.provide(TestTransport.listen("tcp://10.0.0.1:1", { node: "other" }), two)
      expect((yield* Effect.provide(TestTransport.history, two)).length).toBe(3)
      expect((yield* Effect.provide(TestTransport.history, one)).length).toBe(2)
    })
  )

  it.effect("nor do they, one after the other", () =>
    Effect.gen(function* () {
      for (let i = 0; i < 2; i++) yield* onNetwork(Effect.andThen(listen("tcp://10.0.0.1:1"), eventsOf("Listening")))
      const exit = yield* Effect.exit(onNetwork(dial("tcp://10.0.0.1:1")))
      expect(Exit.isFailure(exit)).toBe(true)
    })
  )

  simulated("Transports serve what nobody else does", () =>
    Effect.gen(function* () {
      const transports = yield* Transports
      expect(transports.get("whatever")).toBe(transports.get("whatever"))
      expect(transports.has("anything")).toBe(true)
    })
  )
})
