import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Dialer from "effect-nng/Dialer"
import * as Listener from "effect-nng/Listener"
import * as Message from "effect-nng/Message"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Pair0 from "effect-nng/Pair0"
import * as Pull0 from "effect-nng/Pull0"
import * as Push0 from "effect-nng/Push0"
import * as Rep0 from "effect-nng/Rep0"
import * as Req0 from "effect-nng/Req0"
import * as Socket from "effect-nng/Socket"
import type { Transports } from "effect-nng/Transport"
import { spawnSync } from "node:child_process"
import * as Peers from "../support/cpeer.js"
import { leavesNone } from "../support/handles.js"
import { rolesOver } from "../support/meet.js"
import { record, tagged } from "../support/peers.js"
import * as Programs from "../support/programs.js"

const test = (name: string, effect: () => Effect.Effect<void, unknown, Scope.Scope | Transports>): void =>
  it.scopedLive(name, () => leavesNone(Effect.suspend(effect)).pipe(Effect.provide(NodeTransport.layer)), 60_000)

const roles = rolesOver("ws")
const weDial = roles[1]![1]

/** Around what frames have other lengths for, and what libnng sends and takes in one. */
const sizes = [0, 1, 121, 122, 125, 126, 65531, 65532, 65535, 65536, 65537, 1048572, 1048576, 1048577, 5 * 1048576]

const patterned = (size: number): Uint8Array => new Uint8Array(size).map((_, i) => (i * 31) ^ (i >> 8) ^ (i >> 16))

interface Tool {
  readonly command: string
  readonly debian: string
  readonly dial: string
  readonly listen: string
}

const nngcat: Tool = { command: "nngcat", debian: "nng-utils", dial: "--dial", listen: "--listen" }

const tools: ReadonlyArray<Tool> = [
  nngcat,
  { command: "nanocat", debian: "nanomsg-utils", dial: "--connect", listen: "--bind" }
]

const missing = ({ command, debian }: Tool): string | undefined =>
  spawnSync(command, ["--help"]).error === undefined
    ? undefined
    : `${command} is not on the PATH; on Debian and Ubuntu it is in the package ${debian}`

for (const tool of tools) {
  const { command } = tool
  const run =
    (protocol: string, ...args: ReadonlyArray<string>) =>
    (role: "dial" | "listen", url: string) =>
      Programs.run(command, `--${protocol}`, tool[role], url, ...args)

  Programs.suite(`${command} over ws`, missing(tool), () => {
    // nanomsg binds to a port, and takes whatever path comes
    for (const [name, meet] of rolesOver(tool === nngcat ? "ws" : "ws without path")) {
      test(`${command} --rep ${name} answers us`, () =>
        Effect.gen(function* () {
          const { peer, socket } = yield* meet(Req0.make(), run("rep", "--quoted", "--data", "pong"))
          const answers = yield* Effect.forEach(["one", "two", "three"], (text) => Req0.request(socket, text))
          expect(answers.map(Message.text)).toEqual(["pong", "pong", "pong"])
          yield* peer.prints('"one"\n"two"\n"three"\n')
        }))

      test(`${command} --req ${name} is answered`, () =>
        Effect.gen(function* () {
          const { peer, socket } = yield* meet(Rep0.make(), run("req", "--quoted", "--data", "ping"))
          yield* Effect.forkScoped(Rep0.serve(socket, (request) => Effect.succeed(`${Message.text(request)}!`)))
          yield* peer.prints('"ping!"\n')
        }))

      test(`${command} --push ${name} pushes to us`, () =>
        Effect.gen(function* () {
          const { socket } = yield* meet(Pull0.make(), run("push", "--data", "job", "--interval", "1"))
          expect(Message.text(yield* Socket.recv(socket))).toBe("job")
        }))

      test(`${command} --pull ${name} gets what we push, in order`, () =>
        Effect.gen(function* () {
          const { peer, socket } = yield* meet(Push0.make(), run("pull", "--quoted"))
          const jobs = ["", ...Array.from({ length: 1000 }, (_, n) => `job ${n}`)]
          yield* Socket.sendAll(socket, jobs)
          expect(yield* Socket.drain(socket)).toBe(0)
          yield* peer.prints(jobs.map((job) => `"${job}"\n`).join(""))
        }))

      test(`${command} --pair ${name} talks with us, and sees us go`, () =>
        Effect.gen(function* () {
          const protocol = command === "nngcat" ? "pair0" : "pair"
          const { peer, socket } = yield* meet(Pair0.make(), run(protocol, "--quoted", "--data", "hello"))
          const pipes = yield* record(Socket.events(socket))
          expect(Message.text(yield* Socket.recv(socket))).toBe("hello")
          yield* Socket.send(socket, "world")
          yield* peer.prints('"world"\n')
          yield* peer.kill
          const { reason } = yield* pipes.find(tagged("RemPost"))
          expect(["NNG_ECONNSHUT", "NNG_ECONNRESET"]).toContain(reason._tag)
        }))
    }
  })
}

Programs.suite("nngcat at our listener", missing(nngcat), () => {
  const dials = (url: string, protocol = "pair0") =>
    Programs.run("nngcat", `--${protocol}`, "--dial", url, "--data", "hello", "--quoted")

  test("with no path in its URL gets in, though its request has an empty target", () =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make()
      const { url } = yield* Socket.listen(socket, "ws://127.0.0.1:0")
      yield* dials(url)
      expect(Message.text(yield* Socket.recv(socket))).toBe("hello")
      const [pipe] = yield* Socket.pipes(socket).get
      expect(pipe!.properties.ws).toMatchObject({ requestUri: "/", subprotocol: "pair.sp.nanomsg.org" })
    }))

  for (const [what, wrong, said] of [
    ["at another path", (url: string) => dials(`${url}x`), "Connection refused"],
    [
      "by another name of the host",
      (url: string) => dials(url.replace("127.0.0.1", "localhost")),
      "Connection refused"
    ],
    ["of another protocol", (url: string) => dials(url, "req0"), "Protocol error"]
  ] as const) {
    test(`${what} is refused: ${said}`, () =>
      Effect.gen(function* () {
        const socket = yield* Pair0.make()
        const listener = yield* Listener.make(socket, "ws://127.0.0.1:0/path")
        const told = yield* record(Listener.events(listener))
        yield* Listener.start(listener)
        expect(yield* (yield* wrong(listener.url)).ended).toContain(said)
        expect((yield* told.find(tagged("HandshakeFailed"))).error).toMatchObject({ _tag: "NNG_EPROTO" })
        yield* dials(listener.url)
        expect(Message.text(yield* Socket.recv(socket))).toBe("hello")
      }))
  }

  for (const [what, wrong, error] of [
    ["at another path", (url: string) => `${url}/x`, "NNG_ECONNREFUSED"],
    ["by another name of the host", (url: string) => url.replace("127.0.0.1", "localhost"), "NNG_ECONNREFUSED"]
  ] as const) {
    test(`refuses us ${what}: ${error}`, () =>
      Effect.gen(function* () {
        let url = ""
        const { socket } = yield* weDial(Pair0.make(), (_, listening) => {
          url = listening
          return Programs.run("nngcat", "--pair0", "--listen", listening, "--quoted")
        })
        const dialer = yield* Dialer.make(socket, wrong(url))
        expect(yield* Effect.flip(Dialer.start(dialer))).toMatchObject({ _tag: error })
      }))
  }

  test("refuses us for another protocol: NNG_EPROTO", () =>
    Effect.gen(function* () {
      let url = ""
      yield* weDial(Pair0.make(), (_, listening) => {
        url = listening
        return Programs.run("nngcat", "--pair0", "--listen", listening, "--quoted")
      })
      const dialer = yield* Dialer.make(yield* Req0.make(), url)
      expect(yield* Effect.flip(Dialer.start(dialer))).toMatchObject({ _tag: "NNG_EPROTO" })
    }))
})

Peers.suite("libnng over ws", () => {
  for (const [name, meet] of roles) {
    test(`a rep ${name} gets messages of every size from us, in its frames, and sends them back in its own`, () =>
      Effect.gen(function* () {
        const { peer, socket } = yield* meet(Req0.make(), (role, url) => Peers.run("rep", role, url, "1"))
        for (const size of sizes) {
          const { body } = yield* Req0.request(socket, patterned(size))
          expect(Buffer.compare(body, patterned(size)), `${size} bytes`).toBe(0)
        }
        expect(yield* peer.lines(sizes.length)).toHaveLength(sizes.length)
        expect((yield* Socket.pipes(socket).get).length).toBe(1)
      }))

    test(`a req ${name} asks with messages of five megabytes, and a thousand small ones`, () =>
      Effect.gen(function* () {
        for (const [width, count, size] of [
          [2, 2, 5 * 1048576],
          [16, 64, 20]
        ] as const) {
          const { peer, socket } = yield* meet(Rep0.make(), (role, url) =>
            Peers.run("req", role, url, String(width), String(count), String(size))
          )
          yield* Effect.forkScoped(
            Rep0.serve(socket, (request) => Effect.succeed(Uint8Array.from(request.body)), { concurrency: "unbounded" })
          )
          yield* peer.prints("done\n")
        }
      }))
  }
})
