import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Message from "effect-nng/Message"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Pair0 from "effect-nng/Pair0"
import * as Rep0 from "effect-nng/Rep0"
import * as Req0 from "effect-nng/Req0"
import * as Socket from "effect-nng/Socket"
import type { Transports } from "effect-nng/Transport"
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { leavesNone } from "../support/handles.js"
import { rolesOver } from "../support/meet.js"
import * as Paths from "../support/paths.js"
import * as Programs from "../support/programs.js"

const test = (name: string, effect: () => Effect.Effect<void, unknown, Scope.Scope | Transports>): void =>
  it.scopedLive(name, () => leavesNone(Effect.suspend(effect)).pipe(Effect.provide(NodeTransport.layer)), 30_000)

const tools = [
  { command: "nngcat", debian: "nng-utils", pair: "--pair0", dial: "--dial", listen: "--listen" },
  { command: "nanocat", debian: "nanomsg-utils", pair: "--pair", dial: "--connect", listen: "--bind" }
] as const

const large = Buffer.alloc(512 * 1024, "0123456789abcdefghijklmnopqrstuvwxyz")

for (const tool of tools) {
  const { command, debian } = tool
  const missing =
    spawnSync(command, ["--help"]).error === undefined
      ? undefined
      : `${command} is not on the PATH; on Debian and Ubuntu it is in the package ${debian}`
  const run =
    (...args: ReadonlyArray<string>) =>
    (role: "dial" | "listen", url: string) =>
      Programs.run(command, tool[role], url, ...args)

  Programs.suite(`${command} over ipc`, missing, () => {
    for (const [name, meet] of rolesOver("ipc")) {
      test(`${command} ${name} gets our messages, empty and large ones too, and we get its`, () =>
        Effect.gen(function* () {
          const { peer, socket } = yield* meet(Pair0.make(), run(tool.pair, "--data", "hello", "--quoted"))
          expect(Message.text(yield* Socket.recv(socket))).toBe("hello")
          yield* Socket.sendAll(socket, ["one", "", large.toString()])
          yield* peer.prints(`"one"\n""\n"${large.toString()}"\n`)
        }))

      test(`${command} ${name} sends us half a megabyte`, () =>
        Effect.gen(function* () {
          const directory = mkdtempSync(join(tmpdir(), "nng-"))
          yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(directory, { recursive: true })))
          writeFileSync(join(directory, "large"), large)
          const { socket } = yield* meet(Pair0.make(), run(tool.pair, "--file", join(directory, "large")))
          expect(Buffer.compare((yield* Socket.recv(socket)).body, large)).toBe(0)
        }))

      test(`${command} ${name} asks us, and answers us`, () =>
        Effect.gen(function* () {
          const asked = yield* meet(Req0.make(), run("--rep", "--data", "pong"))
          expect(Message.text(yield* Req0.request(asked.socket, "ping"))).toBe("pong")
          const asks = yield* meet(Rep0.make(), run("--req", "--data", "ping", "--quoted"))
          yield* Effect.forkScoped(Rep0.serve(asks.socket, (request) => Effect.succeed(`${Message.text(request)}!`)))
          yield* asks.peer.prints('"ping!"\n')
        }))
    }

    test(`${command} that was killed leaves a socket, and we take its place`, () =>
      Effect.gen(function* () {
        const url = yield* Paths.url("ipc")
        const first = yield* Programs.run(command, tool.pair, tool.listen, url, "--data", "x")
        const dialer = yield* Pair0.make()
        yield* Socket.dial(dialer, url, { nonblocking: true, reconnectMin: "20 millis" })
        yield* Socket.recv(dialer)
        yield* first.kill
        const socket = yield* Pair0.make()
        yield* Socket.listen(socket, url)
        yield* Socket.send(dialer, "found you")
        expect(Message.text(yield* Socket.recv(socket))).toBe("found you")
      }))
  })
}
