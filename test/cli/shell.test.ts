import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { randomBytes } from "node:crypto"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Command } from "../support/commands.js"
import * as Commands from "../support/commands.js"
import { missing } from "../support/nngcat.js"
import { suite } from "../support/programs.js"

/** What the shell tests of libnng's own nngcat expect, of whichever nngcat. */
const cases = (tool: Effect.Effect<Command>) => {
  const test = (name: string, effect: (tool: Command, ipc: string) => Effect.Effect<void>) =>
    it.live(name, () =>
      Effect.scoped(
        Effect.gen(function* () {
          yield* effect(yield* tool, `ipc://${yield* Commands.directory}/s`)
        })
      )
    )

  const refused = (tool: Command, ...args: ReadonlyArray<string>) =>
    Effect.map(Commands.run(tool, args), ({ code, err, out }) => {
      expect({ code, out }, args.join(" ")).toEqual({ code: 1, out: "" })
      expect(err, args.join(" ")).toMatch(/^[^\n]+\n$/)
      return err
    })

  test("async: who dials may be there first", (tool, ipc) =>
    Effect.gen(function* () {
      const [asked, answered] = yield* Effect.all(
        [
          Commands.run(tool, ["--async", "--connect", ipc, "--req0", "-D", "ping", "-A"]),
          Commands.run(tool, ["--rep0", "--listen", ipc, "-D", "pong", "--ascii", "-C", "1"])
        ],
        { concurrency: "unbounded" }
      )
      expect(asked).toMatchObject({ code: 0, out: "pong", err: "" })
      expect(answered).toMatchObject({ code: 0, out: "ping", err: "" })
    }))

  test("ambiguous options, two protocols, no protocol: each is refused", (tool) =>
    Effect.gen(function* () {
      expect(yield* refused(tool, "--re", "--dial=tcp://127.0.0.1:27272")).toMatch(/ambiguous/)
      yield* refused(tool, "--pub0", "--sub0", "--dial=tcp://127.0.0.1:8989")
      yield* refused(tool, "--dial=tcp://127.0.0.1:8989")
    }))

  test("help is given, and is no success", (tool) =>
    Effect.map(Commands.run(tool, ["--help"]), ({ code, err, out }) => {
      expect({ code, err }).toEqual({ code: 1, err: "" })
      expect(out).toMatch(/^Usage: /)
    }))

  test("options that do not go together are refused", (tool, ipc) =>
    Effect.forEach(
      [
        ["--req0", "--subscribe=oops"],
        ["--interval", "1", "--pull"],
        ["--compat", "--pair1"],
        ["--compat", "--count=1", "--pair0"],
        ["--count=xyz", "--pair0"],
        ["--async", "--file=/nosuchfilehere", "--push0"]
      ],
      (args) => refused(tool, ...args, "--dial", ipc),
      { concurrency: 2, discard: true }
    ))

  test("a subscriber hears its topics alone, in order", (tool, ipc) =>
    Effect.scoped(
      Effect.gen(function* () {
        const topics = ["--subscribe=one", "--subscribe=two"]
        const sub = yield* Commands.start(tool, ["--listen", ipc, "--count=3", "--sub0", ...topics, "--quoted"])
        for (const text of ["xyz", "none swam", "one flew", "twofer test", "one more"]) {
          expect(yield* Commands.dialed(tool, ["--connect", ipc, "--pub0", "--data", text])).toMatchObject({ code: 0 })
        }
        expect(yield* sub.ended).toMatchObject({ code: 0, out: '"one flew"\n"twofer test"\n"one more"\n' })
      })
    ))

  test("messages over the limit do not come, and others do", (tool, ipc) =>
    Effect.scoped(
      Effect.gen(function* () {
        const pull = yield* Commands.start(tool, ["--listen", ipc, "--count=3", "--recv-maxsz=5", "--pull0", "-Q"])
        for (const text of ["one", "55555", "666666", "7777777", "88888"]) {
          expect(yield* Commands.dialed(tool, ["--connect", ipc, "--push0", "-D", text])).toMatchObject({ code: 0 })
        }
        expect(yield* pull.ended).toMatchObject({ code: 0, out: '"one"\n"55555"\n"88888"\n' })
      })
    ))

  test("standard input is a message, its line end too", (tool, ipc) =>
    Effect.scoped(
      Effect.gen(function* () {
        const pull = yield* Commands.start(tool, ["--listen", ipc, "-C1", "--recv-maxsz=0", "--pull0", "--raw"])
        yield* Commands.dialed(tool, ["--connect", ipc, "--push0", "--file", "-"], "hello world\n")
        expect(yield* pull.ended).toMatchObject({ code: 0, out: "hello world\n" })
      })
    ))

  test("without a limit four megabytes come as they were", (tool, ipc) =>
    Effect.scoped(
      Effect.gen(function* () {
        const path = join(yield* Commands.directory, "in")
        writeFileSync(path, randomBytes(4 * 1024 * 1024))
        const pull = yield* Commands.start(tool, ["--listen", ipc, "--count=1", "--recv-maxsz=0", "--pull0", "--raw"])
        // the tool of libnng gives its message 200 ms to leave, so it is sent until it has come
        const push = yield* Commands.start(tool, ["--async", "--connect", ipc, "--push0", "--file", path, "-i", "9"])
        const { code, out } = yield* pull.ended
        yield* Effect.sync(() => push.child.kill("SIGKILL"))
        expect(code).toBe(0)
        expect(Buffer.from(out, "latin1").equals(readFileSync(path))).toBe(true)
      })
    ))
}

describe.concurrent("this nngcat does what the shell tests of libnng's expect:", () => cases(Commands.ours))

suite("and so does Debian's:", missing, () => cases(Effect.succeed(Commands.debian)))
