import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FC from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as Address from "effect-nng/Address"
import * as Dialer from "effect-nng/Dialer"
import * as Listener from "effect-nng/Listener"
import * as Message from "effect-nng/Message"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Pair0 from "effect-nng/Pair0"
import * as Socket from "effect-nng/Socket"
import type { Transports } from "effect-nng/Transport"
import { spawn } from "node:child_process"
import Fs from "node:fs"
import { syncBuiltinESMExports } from "node:module"
import * as Net from "node:net"
import { basename, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { leavesNone, turn } from "../support/handles.js"
import * as Paths from "../support/paths.js"

const test = <E>(name: string, effect: () => Effect.Effect<void, E, Scope.Scope | Transports>): void =>
  it.scopedLive(name, () => leavesNone(Effect.suspend(effect)).pipe(Effect.provide(NodeTransport.layer)), 60_000)

const listen = (path: string, options: Listener.Options = {}) =>
  Effect.flatMap(Pair0.make(), (socket) =>
    Effect.map(Socket.listen(socket, `ipc://${path}` as string, options), (listener) => ({ socket, listener }))
  )

const dial = (path: string) => Effect.tap(Pair0.make(), (socket) => Socket.dial(socket, `ipc://${path}`))

/** Somebody who dials the path reaches this socket. */
const reaches = (path: string, socket: Pair0.Pair0) =>
  Effect.scoped(
    Effect.gen(function* () {
      yield* Socket.send(yield* dial(path), "to you")
      expect(Message.text(yield* Socket.recv(socket))).toBe("to you")
    })
  )

/** A server of Node's own at a path, until its scope ends; then Node removes whatever is there. */
const serve = (path: string) =>
  Effect.tap(
    Effect.acquireRelease(
      Effect.sync(() => Net.createServer((socket) => socket.on("error", () => {}).end("node"))),
      (server) => Effect.sync(() => server.close())
    ),
    (server) => Effect.async<void>((resume) => void server.listen(path, () => resume(Effect.void)))
  )

/** A socket file that nobody is behind any more. */
const abandon = (path: string) =>
  Effect.scoped(Effect.flatMap(serve(`${path}-old`), () => Effect.sync(() => Fs.linkSync(`${path}-old`, path))))

const saysNode = (path: string) =>
  Effect.async<string>((resume) => {
    Net.connect(path, function (this: Net.Socket) {
      this.once("data", (text) => {
        this.destroy()
        resume(Effect.succeed(text.toString()))
      })
    })
  })

/** What stands at a path, and all that is in it. */
const look = (path: string): unknown => {
  const found = Fs.lstatSync(path)
  const { dev, ino, mode } = found
  if (found.isFile()) return { dev, ino, mode, content: Fs.readFileSync(path, "utf8") }
  if (found.isSymbolicLink()) return { dev, ino, mode, to: Fs.readlinkSync(path) }
  return { dev, ino, mode }
}

/** For as long as the scope lives, this is called before a function of `node:fs`. */
const before = <Name extends "linkSync" | "renameSync">(name: Name, hook: (from: string, to: string) => void) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const original = Fs[name]
      Fs[name] = (from, to) => {
        hook(String(from), String(to))
        original(from, to)
      }
      syncBuiltinESMExports()
      return original
    }),
    (original) =>
      Effect.sync(() => {
        Fs[name] = original
        syncBuiltinESMExports()
      })
  )

interface Internals {
  readonly binding: (name: "pipe_wrap") => {
    readonly Pipe: new (type: number) => { readonly bind: (path: string) => number; readonly close: () => void }
    readonly constants: { readonly SERVER: number }
  }
}

describe("[S12] a listener at a path", () => {
  type Prepare = (path: string) => Effect.Effect<unknown, never, Scope.Scope>
  const file: Prepare = (path) => Effect.sync(() => Fs.writeFileSync(path, "precious"))
  const linkTo =
    (prepare: Prepare): Prepare =>
    (path) =>
      Effect.zipRight(
        prepare(`${path}-target`),
        Effect.sync(() => Fs.symlinkSync(`${path}-target`, path))
      )
  /** A socket that is bound and does not listen. */
  const bound: Prepare = (path) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        // nothing public does one without the other
        const { Pipe, constants } = (process as unknown as Internals).binding("pipe_wrap")
        const pipe = new Pipe(constants.SERVER)
        expect(pipe.bind(path)).toBe(0)
        return pipe
      }),
      (pipe) => Effect.sync(() => pipe.close())
    )

  const others: ReadonlyArray<readonly [what: string, prepare: Prepare]> = [
    ["a file", file],
    ["an empty file", (path) => Effect.sync(() => Fs.writeFileSync(path, ""))],
    ["a directory", (path) => Effect.sync(() => Fs.mkdirSync(path))],
    ["a link to a file", linkTo(file)],
    ["a link to a directory", linkTo((path) => Effect.sync(() => Fs.mkdirSync(path)))],
    ["a link to a socket that is served", linkTo(serve)],
    ["a link to a socket that is abandoned", linkTo(abandon)],
    ["a link to nothing", linkTo(() => Effect.void)],
    ["a socket that is served", serve],
    ["a socket that is bound and does not listen yet", bound]
  ]
  for (const [what, prepare] of others) {
    test(`leaves ${what} as it is`, () =>
      Effect.gen(function* () {
        const path = yield* Paths.path
        yield* prepare(path)
        const all = () => Fs.readdirSync(dirname(path)).map((name) => [name, look(join(dirname(path), name))])
        const was = all()
        expect(yield* Effect.flip(listen(path))).toMatchObject({
          _tag: "NNG_EADDRINUSE",
          address: `ipc://${path}`,
          reason: expect.stringContaining("there")
        })
        expect(all()).toEqual(was)
        if (what === "a socket that is served") expect(yield* saysNode(path)).toBe("node")
      }))
  }

  test("takes the place of a socket that is abandoned", () =>
    Effect.gen(function* () {
      const path = yield* Paths.path
      yield* abandon(path)
      const { socket } = yield* listen(path)
      yield* reaches(path, socket)
    }))

  test("takes the place of one that was killed", () =>
    Effect.gen(function* () {
      const path = yield* Paths.path
      const program = fileURLToPath(new URL("../support/children/echo.ts", import.meta.url))
      yield* Effect.async<void>((resume) => {
        const args = ["--import", "tsx", program, `unix://${path}`]
        const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] })
        child.stdout.once("data", () => child.kill("SIGKILL"))
        child.once("close", () => resume(Effect.void))
      })
      expect(Fs.readdirSync(dirname(path))).toEqual([basename(path)])
      const { socket } = yield* listen(path)
      yield* reaches(path, socket)
    }))

  test("and another, at an abandoned socket at once: one of them has it, and is reached", () =>
    Effect.gen(function* () {
      for (let i = 0; i < 10; i++) {
        yield* Effect.scoped(
          Effect.gen(function* () {
            const path = yield* Paths.path
            yield* abandon(path)
            const tries = yield* Effect.forEach([1, 2, 3, 4], () => Effect.either(listen(path)), {
              concurrency: "unbounded"
            })
            const won = tries.filter(Either.isRight)
            expect(won.length).toBe(1)
            for (const lost of tries.filter(Either.isLeft)) expect(lost.left).toMatchObject({ _tag: "NNG_EADDRINUSE" })
            yield* reaches(path, won[0]!.right.socket)
          })
        )
      }
    }))

  test("leaves what came between its question and its answer", () =>
    Effect.gen(function* () {
      const path = yield* Paths.path
      yield* abandon(path)
      const server = Net.createServer((socket) => socket.on("error", () => {}).end("node"))
      yield* Effect.addFinalizer(() => Effect.sync(() => server.close()))
      let came = false
      yield* before("renameSync", (from) => {
        if (came || from !== path) return
        came = true
        Fs.rmSync(path)
        server.listen(path)
      })
      expect(yield* Effect.flip(listen(path))).toMatchObject({ _tag: "NNG_EADDRINUSE" })
      expect(came).toBe(true)
      expect(yield* saysNode(path)).toBe("node")
    }))

  test("leaves its successor's socket when it is closed", () =>
    Effect.gen(function* () {
      const path = yield* Paths.path
      const { listener } = yield* listen(path)
      Fs.rmSync(path)
      yield* serve(path)
      yield* listener.close
      expect(yield* saysNode(path)).toBe("node")
    }))

  test("removes its own when it is closed, and leaves nothing beside it at any time", () =>
    Effect.gen(function* () {
      const path = yield* Paths.path
      const { listener } = yield* listen(path)
      expect(Fs.readdirSync(dirname(path))).toEqual([basename(path)])
      yield* listener.close
      expect(Fs.readdirSync(dirname(path))).toEqual([])
    }))

  test("that somebody removed the socket of can be closed", () =>
    Effect.gen(function* () {
      const path = yield* Paths.path
      const { listener } = yield* listen(path)
      Fs.rmSync(dirname(path), { recursive: true })
      yield* listener.close
      expect(yield* listener.state).toEqual({ _tag: "Closed" })
    }))

  it.effect.prop(
    "that is interrupted at any step leaves nothing",
    [FC.nat(60)],
    ([steps]) =>
      Effect.gen(function* () {
        const path = yield* Paths.path
        const listener = yield* Effect.flatMap(Pair0.make(), (socket) => Listener.make(socket, `ipc://${path}`))
        const starting = yield* Effect.fork(Listener.start(listener))
        yield* Effect.repeatN(steps % 2 === 0 ? Effect.yieldNow() : turn, steps)
        yield* Fiber.interrupt(starting)
        const there = (yield* listener.state)._tag === "Listening"
        expect(Fs.readdirSync(dirname(path))).toEqual(there ? [basename(path)] : [])
        yield* listener.close
        expect(Fs.readdirSync(dirname(path))).toEqual([])
      }).pipe(leavesNone, Effect.provide(NodeTransport.layer)),
    { fastCheck: { numRuns: 30 } }
  )

  test("works where there are no hard links", () =>
    Effect.gen(function* () {
      const path = yield* Paths.path
      yield* abandon(path)
      yield* before("linkSync", () => {
        throw Object.assign(new Error("no links here"), { code: "EPERM" })
      })
      const { listener, socket } = yield* listen(path)
      yield* reaches(path, socket)
      expect(yield* Effect.flip(listen(path))).toMatchObject({ _tag: "NNG_EADDRINUSE" })
      yield* listener.close
      expect(Fs.readdirSync(dirname(path)).filter((name) => name === basename(path))).toEqual([])
    }))
})

describe("[S13] the permissions of a listener", () => {
  for (const permissions of [0o600, 0o660, 0o666, 0o777, 0o000, 0o700, 0o4755]) {
    test(`are 0o${permissions.toString(8)} before anybody can reach its socket`, () =>
      Effect.gen(function* () {
        const path = yield* Paths.path
        const seen: Array<readonly [mode: number, directory: number]> = []
        yield* before("linkSync", (from) => {
          seen.push([Fs.lstatSync(from).mode & 0o7777, Fs.lstatSync(dirname(from)).mode & 0o777])
        })
        yield* listen(path, { ipc: { permissions } })
        expect(seen).toEqual([[permissions, 0o700]])
        expect(Fs.lstatSync(path).mode & 0o7777).toBe(permissions)
      }))
  }

  test("are the umask's by default", () =>
    Effect.gen(function* () {
      const path = yield* Paths.path
      yield* Effect.acquireRelease(
        Effect.sync(() => process.umask(0o027)),
        (umask) => Effect.sync(() => process.umask(umask))
      )
      yield* listen(path)
      expect(Fs.lstatSync(path).mode & 0o7777).toBe(0o750)
    }))

  // only who may become somebody else can ask as somebody else
  if (process.getuid?.() === 0) {
    test("keep out another user who tries all the while", () =>
      Effect.gen(function* () {
        const path = yield* Paths.path
        Fs.chmodSync(dirname(path), 0o755)
        const program = `
          const net = require("node:net")
          let tries = 0
          const go = () => {
            if (++tries === 100) process.stdout.write("trying\\n")
            const socket = net.connect(process.argv[1], () => { process.stdout.write("got in\\n"); process.exit(1) })
            socket.on("error", () => setImmediate(go))
          }
          go()`
        const { child, closed } = yield* Effect.acquireRelease(
          Effect.sync(() => {
            const stdio = ["ignore", "pipe", "inherit"] as ["ignore", "pipe", "inherit"]
            const child = spawn(process.execPath, ["-e", program, path], { stdio, uid: 65534, gid: 65534, cwd: "/" })
            return { child, closed: new Promise((resolve) => child.once("close", resolve)) }
          }),
          ({ child, closed }) =>
            Effect.promise(() => {
              child.kill("SIGKILL")
              return closed
            })
        )
        let said = ""
        yield* Effect.async<void>((resume) => {
          child.stdout.on("data", (text: Buffer) => {
            said += text.toString()
            if (said.includes("trying")) resume(Effect.void)
          })
        })
        for (let i = 0; i < 100; i++) {
          yield* Effect.scoped(Effect.zipRight(listen(path, { ipc: { permissions: 0o600 } }), Effect.repeatN(turn, 3)))
        }
        expect(said).toBe("trying\n")
        yield* listen(path, { ipc: { permissions: 0o666 } })
        expect(yield* Effect.promise(() => closed)).toBe(1)
      }))
  }
})

describe("[S14] a path", () => {
  /** A path of exactly so many bytes, in a directory that is there. */
  const ofLength = (length: number, name: string) =>
    Effect.map(Paths.directory, (root) => {
      const inner = join(root, "d".repeat(length - root.length - name.length - 2))
      Fs.mkdirSync(inner)
      const path = join(inner, name)
      expect(path.length).toBe(length)
      return path
    })

  for (const name of ["s", "a-name-that-is-not-short"]) {
    test(`of 107 bytes is reached (${name}), and nothing stays of it`, () =>
      Effect.gen(function* () {
        const path = yield* ofLength(107, name)
        const { listener, socket } = yield* listen(path)
        expect(Fs.readdirSync(dirname(path))).toEqual([name])
        yield* reaches(path, socket)
        yield* listener.close
        expect(Fs.readdirSync(dirname(path))).toEqual([])
      }))
  }

  test("of 108 bytes is refused both ways, and never cut", () =>
    Effect.gen(function* () {
      const path = yield* ofLength(108, "socket")
      yield* serve(path.slice(0, 107))
      expect(yield* Effect.flip(listen(path))).toMatchObject({ _tag: "NNG_EADDRINVAL", address: `ipc://${path}` })
      expect(yield* Effect.flip(dial(path))).toMatchObject({ _tag: "NNG_EADDRINVAL", address: `ipc://${path}` })
      expect(Fs.readdirSync(dirname(path))).toEqual(["socke"])
    }))

  test("with a zero byte is refused both ways, and never cut", () =>
    Effect.gen(function* () {
      const path = yield* Paths.path
      yield* serve(path)
      expect(yield* Effect.flip(listen(`${path}\0x`))).toMatchObject({ _tag: "NNG_EADDRINVAL" })
      expect(yield* Effect.flip(dial(`${path}\0x`))).toMatchObject({ _tag: "NNG_EADDRINVAL" })
    }))

  test("is taken as it stands: escapes, case, dots and links", () =>
    Effect.gen(function* () {
      const root = yield* Paths.directory
      Fs.mkdirSync(join(root, "real"))
      Fs.mkdirSync(join(root, "real", "inner"))
      Fs.symlinkSync(join(root, "real", "inner"), join(root, "link"))
      for (const [written, there] of [
        ["%41b", "%41b"],
        ["X?y#z", "X?y#z"],
        // the system goes where the link leads, and up from there
        ["link/../here", "real/here"],
        ["real//inner/./x", "real/inner/x"]
      ] as const) {
        const { listener, socket } = yield* listen(`${root}/${written}`)
        expect(Fs.lstatSync(join(root, there)).isSocket()).toBe(true)
        yield* reaches(`${root}/${written}`, socket)
        yield* listener.close
        expect(Fs.existsSync(join(root, there))).toBe(false)
      }
    }))

  test("may be relative, and stays where it was when the process goes elsewhere", () =>
    Effect.gen(function* () {
      const root = yield* Paths.directory
      const away = yield* Effect.acquireRelease(
        Effect.sync(() => process.cwd()),
        (away) => Effect.sync(() => process.chdir(away))
      )
      process.chdir(root)
      const { listener, socket } = yield* listen("here")
      yield* reaches("here", socket)
      expect(listener.url).toBe("ipc://here")
      process.chdir(away)
      yield* reaches(join(root, "here"), socket)
      yield* listener.close
      expect(Fs.readdirSync(root)).toEqual([])
    }))
})

describe("both ends of an ipc connection", () => {
  test("know each other by the listener's path, and nothing of who the peer is", () =>
    Effect.gen(function* () {
      const path = yield* Paths.path
      const { socket } = yield* listen(path)
      const other = yield* dial(path)
      yield* Socket.awaitPeers(socket, 1)
      for (const one of [socket, other]) {
        const [pipe] = yield* Socket.pipes(one).get
        expect(pipe!.properties).toEqual({ localAddress: Address.ipc(path), remoteAddress: Address.ipc(path) })
      }
    }))

  it.effect("[S5] a dial waits ten seconds for a listener that has no room, and no longer", () =>
    Effect.gen(function* () {
      const path = yield* Paths.path
      const program = `
        require("node:net").createServer().listen({ path: process.argv[1], backlog: 1 }, () => {
          require("node:fs").writeSync(1, "stands\\n")
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
        })`
      const child = yield* Effect.acquireRelease(
        Effect.sync(() => spawn(process.execPath, ["-e", program, path], { stdio: ["ignore", "pipe", "inherit"] })),
        (child) =>
          Effect.async<void>((resume) => {
            child.once("close", () => resume(Effect.void))
            child.kill("SIGKILL")
          })
      )
      yield* Effect.async<void>((resume) => void child.stdout.once("data", () => resume(Effect.void)))
      const fillers: Array<Net.Socket> = []
      yield* Effect.addFinalizer(() => Effect.sync(() => fillers.forEach((filler) => filler.destroy())))
      let full = false
      while (!full) {
        full = yield* Effect.async<boolean>((resume) => {
          const filler = new Net.Socket()
          fillers.push(filler)
          filler.once("error", () => resume(Effect.succeed(true)))
          filler.connect(path, () => resume(Effect.succeed(false)))
        })
      }
      const dialer = yield* Effect.flatMap(Pair0.make(), (socket) => Dialer.make(socket, `ipc://${path}`))
      const dialing = yield* Effect.fork(Effect.flip(Dialer.start(dialer)))
      for (let i = 0; i < 1100; i++) {
        // each time that it tries, the system answers
        yield* Effect.repeatN(turn, 3)
        if (i === 900) expect(yield* Fiber.poll(dialing)).toMatchObject({ _tag: "None" })
        yield* TestClock.adjust("10 millis")
      }
      expect(yield* Fiber.join(dialing)).toMatchObject({ _tag: "NNG_ETIMEDOUT", address: `ipc://${path}` })
    }).pipe(leavesNone, Effect.provide(NodeTransport.layer))
  )
})
