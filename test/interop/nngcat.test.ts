import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Dialer from "effect-nng/Dialer"
import type * as Errors from "effect-nng/Errors"
import * as Message from "effect-nng/Message"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Pair0 from "effect-nng/Pair0"
import * as Pair1 from "effect-nng/Pair1"
import * as Socket from "effect-nng/Socket"
import type { Transports } from "effect-nng/Transport"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { leavesNone } from "../support/handles.js"
import type { Nngcat } from "../support/nngcat.js"
import * as Nngcats from "../support/nngcat.js"
import { record, tagged } from "../support/peers.js"

const test = <E>(name: string, effect: () => Effect.Effect<void, E, Scope.Scope | Transports>): void =>
  it.scopedLive(name, () => leavesNone(Effect.suspend(effect)).pipe(Effect.provide(NodeTransport.layer)), 30_000)

type Any = Pair0.Pair0 | Pair1.Pair1 | Pair1.Pair1Poly

interface Kind<S extends Any = Any> {
  /** What nngcat calls it. */
  readonly protocol: string
  readonly make: Effect.Effect<S, Errors.EINVAL, Scope.Scope | Transports>
}

const pair0: Kind<Pair0.Pair0> = { protocol: "--pair0", make: Pair0.make() }

const kinds: ReadonlyArray<readonly [string, Kind]> = [
  ["--pair0", pair0],
  ["--pair1", { protocol: "--pair1", make: Pair1.make() }],
  ["--pair1 and a polyamorous one", { protocol: "--pair1", make: Pair1.makePoly() }]
]

interface Met {
  readonly socket: Any
  readonly cat: Nngcat
}

/** We listen, and nngcat dials. */
const weListen = ({ make, protocol }: Kind, ...args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const socket = yield* make
    const listener = yield* Socket.listen(socket, "tcp://127.0.0.1:0")
    const cat = yield* Nngcats.run(protocol, "--dial", listener.url, ...args)
    return { socket, cat }
  })

class PortTaken extends Error {}

/** nngcat listens, and we dial until it answers. */
const weDial = ({ make, protocol }: Kind, ...args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const port = yield* Nngcats.freePort
    const url = `tcp://127.0.0.1:${port}`
    const socket = yield* make
    const dialer = yield* Dialer.make(socket, url, { reconnectMin: "50 millis" })
    const told = yield* record(Dialer.events(dialer))
    const start = Nngcats.run(protocol, "--listen", url, ...args)
    const cat = yield* start
    yield* Dialer.start(dialer, { nonblocking: true })
    yield* Effect.raceFirst(
      told.find(tagged("Connected")),
      Effect.flatMap(cat.ended, (errors) => Effect.fail(new PortTaken(errors)))
    )
    return { socket, cat, start, told, dialer }
  }).pipe(Effect.retry({ times: 3, while: (error) => error instanceof PortTaken }))

const roles: ReadonlyArray<
  readonly [
    name: string,
    meet: (kind: Kind, ...args: ReadonlyArray<string>) => Effect.Effect<Met, unknown, Scope.Scope | Transports>
  ]
> = [
  ["that dials us", weListen],
  ["that we dial", weDial]
]

const MiB = 1024 * 1024
const large = Buffer.alloc(MiB, Array.from({ length: 251 }, (_, i) => String.fromCharCode(33 + (i % 90))).join(""))

const temporary = (content: Uint8Array) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(() => mkdtemp(join(tmpdir(), "effect-nng-"))),
      (directory) => Effect.promise(() => rm(directory, { recursive: true }))
    ),
    (directory) => join(directory, "content")
  ).pipe(Effect.tap((path) => Effect.promise(() => writeFile(path, content))))

Nngcats.suite("nngcat", () => {
  for (const [[name, meet], [kindName, kind]] of roles.flatMap((role) => kinds.map((kind) => [role, kind] as const))) {
    test(`${kindName} ${name} gets our messages, and we get its`, () =>
      Effect.gen(function* () {
        const { cat, socket } = yield* meet(kind, "-D", "hello", "--quoted")
        expect(Message.text(yield* Socket.recv(socket))).toBe("hello")
        yield* Socket.send(socket, "world")
        yield* Socket.send(socket, 'a "quoted" one')
        yield* cat.prints('"world"\n"a \\"quoted\\" one"\n')
      }))

    test(`${kindName} ${name} gets and gives empty messages`, () =>
      Effect.gen(function* () {
        const { cat, socket } = yield* meet(kind, "-D", "", "--quoted")
        expect((yield* Socket.recv(socket)).length).toBe(0)
        yield* Socket.sendAll(socket, ["", "between", ""])
        yield* cat.prints('""\n"between"\n""\n')
      }))

    test(`${kindName} ${name} sends us a megabyte`, () =>
      Effect.gen(function* () {
        const { socket } = yield* meet(kind, "--file", yield* temporary(large))
        const { body } = yield* Socket.recv(socket)
        expect(body.length).toBe(MiB)
        expect(Buffer.compare(body, large)).toBe(0)
      }))

    test(`${kindName} ${name} gets a megabyte, and what follows it`, () =>
      Effect.gen(function* () {
        const { cat, socket } = yield* meet(kind, "--raw")
        yield* Socket.send(socket, Uint8Array.from(large))
        yield* Socket.send(socket, "the end")
        const output = yield* cat.output(MiB + 7)
        expect(output.length).toBe(MiB + 7)
        expect(Buffer.compare(output, Buffer.concat([large, Buffer.from("the end")]))).toBe(0)
      }))

    test(`${kindName} ${name} gets a thousand messages in order`, () =>
      Effect.gen(function* () {
        const { cat, socket } = yield* meet(kind, "--quoted")
        const messages = Array.from({ length: 1000 }, (_, i) => `message ${i}`)
        yield* Socket.sendAll(socket, messages)
        yield* cat.prints(messages.map((message) => `"${message}"\n`).join(""))
      }))
  }

  test("that we dial is killed and started again: the dialer finds it again by itself", () =>
    Effect.gen(function* () {
      const { cat, dialer, socket, start, told } = yield* weDial(pair0, "-D", "first", "--quoted")
      expect(Message.text(yield* Socket.recv(socket))).toBe("first")
      yield* cat.kill
      const lost = yield* told.find(tagged("Disconnected"))
      expect(["NNG_ECONNSHUT", "NNG_ECONNRESET"]).toContain(lost.reason._tag)
      const from = told.all.indexOf(lost)
      // somebody is refused before it is back
      expect((yield* told.find(tagged("Failed"), from)).error).toMatchObject({ _tag: "NNG_ECONNREFUSED" })
      const back = yield* start
      const found = yield* told.find(tagged("Connected"), from)
      expect(found.pipe.id).not.toBe(lost.pipe.id)
      expect(Message.text(yield* Socket.recv(socket))).toBe("first")
      yield* Socket.send(socket, "welcome back")
      yield* back.prints('"welcome back"\n')
      expect(yield* dialer.state).toEqual({ _tag: "Connected", pipe: found.pipe })
      const story = told.tags().slice(from - 1)
      expect(story.slice(0, 3)).toEqual(["Connected", "Disconnected", "Attempt"])
      expect(story.slice(-2)).toEqual(["Attempt", "Connected"])
      expect(story.slice(2, -2)).toEqual(story.slice(2, -2).map((_, i) => (i % 2 === 0 ? "Attempt" : "Failed")))
      expect(yield* dialer.statistics).toMatchObject({ pipes: 1, connects: 2 })
    }))

  test("that dials us is killed, and the next one gets in", () =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make()
      const pipes = yield* record(Socket.events(socket))
      const { url } = yield* Socket.listen(socket, "tcp://127.0.0.1:0")
      for (const text of ["one", "two", "three"]) {
        const from = pipes.all.length
        const cat = yield* Nngcats.run("--pair0", "--dial", url, "-D", text, "--quoted")
        expect(Message.text(yield* Socket.recv(socket))).toBe(text)
        yield* Socket.send(socket, text)
        yield* cat.prints(`"${text}"\n`)
        yield* cat.kill
        const { reason } = yield* pipes.find(tagged("RemPost"), from)
        expect(["NNG_ECONNSHUT", "NNG_ECONNRESET"]).toContain(reason._tag)
      }
      expect(pipes.tags()).toEqual(Array.from({ length: 3 }, () => ["AddPre", "AddPost", "RemPost"]).flat())
    }))

  test("that waits for us finds our listener by itself, and finds it again", () =>
    Effect.gen(function* () {
      const port = yield* Nngcats.freePort
      const url = `tcp://127.0.0.1:${port}`
      const cat = yield* Nngcats.run("--pair0", "--async", "--dial", url, "--quoted")
      for (const [i, printed] of ['"0"\n', '"0"\n"1"\n'].entries()) {
        yield* Effect.scoped(
          Effect.gen(function* () {
            const socket = yield* Pair0.make()
            yield* Socket.listen(socket, url)
            yield* Socket.send(socket, String(i))
            yield* cat.prints(printed)
          })
        )
      }
    }))

  test("of another protocol is refused, and says nothing of it", () =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make()
      const pipes = yield* record(Socket.events(socket))
      const { url } = yield* Socket.listen(socket, "tcp://127.0.0.1:0")
      yield* Nngcats.run("--pair1", "--dial", url, "--quoted")
      const removed = yield* pipes.find(tagged("RemPost"))
      expect(removed.reason).toMatchObject({ _tag: "NNG_EPROTO" })
      expect(removed.pipe.peerProtocol).toBe(0x0011)
    }))

  test("cuts us off for a message over its limit, and we dial it again", () =>
    Effect.gen(function* () {
      const { cat, socket, told } = yield* weDial(pair0, "--recv-maxsz", "10", "--quoted")
      yield* Socket.send(socket, "0123456789")
      yield* Socket.send(socket, "0123456789A")
      const lost = yield* told.find(tagged("Disconnected"))
      yield* told.find(tagged("Connected"), told.all.indexOf(lost))
      yield* Socket.send(socket, "again")
      yield* cat.prints('"0123456789"\n"again"\n')
    }))
})
