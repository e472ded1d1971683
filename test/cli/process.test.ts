import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { spawn } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import type { Command } from "../support/commands.js"
import * as Commands from "../support/commands.js"

const test = (name: string, effect: (tool: Command) => Effect.Effect<void, unknown, Scope.Scope>) =>
  it.live(name, () => Effect.scoped(Effect.flatMap(Commands.ours, effect)))

const listening = (tool: Command, ...args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const cat = yield* Commands.start(tool, ["--json", ...args])
    const out = yield* cat.until((out) => out.includes('"listening"'))
    const { url } = JSON.parse(
      out
        .toString()
        .split("\n")
        .find((line) => line.includes("listening"))!
    ) as {
      readonly url: string
    }
    return { cat, url }
  })

test("a signal ends it as it would end any program, at once, and its socket file is gone", (tool) =>
  Effect.gen(function* () {
    const path = `${yield* Commands.directory}/s`
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      const { cat } = yield* listening(tool, "--pull", "--listen", `ipc://${path}`)
      expect(existsSync(path)).toBe(true)
      cat.child.kill(signal)
      expect(yield* cat.ended).toMatchObject({ code: null, signal, err: "" })
      expect(existsSync(path)).toBe(false)
    }
  }))

test("one that dials in vain ends by a signal too", (tool) =>
  Effect.gen(function* () {
    const dialing = yield* Commands.start(tool, [
      "--json",
      "--req",
      "-D",
      "x",
      "--async",
      "--dial",
      "tcp://127.0.0.1:1"
    ])
    yield* dialing.until((out) => out.includes('"failed"'))
    dialing.child.kill("SIGINT")
    expect(yield* dialing.ended).toMatchObject({ code: null, signal: "SIGINT", err: "" })
  }))

test("one that waits for standard input ends by a signal too", (tool) =>
  Effect.gen(function* () {
    const cat = yield* Effect.acquireRelease(
      Effect.sync(() => spawn(tool[0]!, [tool[1]!, "--push", "--listen", "inproc://a", "-F", "-"])),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    const ended = new Promise((resolve) => cat.once("close", (_, signal) => resolve(signal)))
    // it takes what it is given, so it has begun to read
    yield* Effect.async<void>((resume) => {
      cat.stdin.write(Buffer.alloc(1024 * 1024), () => resume(Effect.void))
    })
    cat.kill("SIGINT")
    expect(yield* Effect.promise(() => ended)).toBe("SIGINT")
  }))

test("tells who was attached and lost, and who was refused and why", (tool) =>
  Effect.gen(function* () {
    const { cat, url } = yield* listening(tool, "--pull", "--listen", "tcp://127.0.0.1:0")
    expect(yield* Commands.run(tool, ["--push", "-D", "x", "--dial", url])).toMatchObject({ code: 0 })
    yield* cat.until((out) => out.includes('"lost"'))
    expect(yield* Commands.run(tool, ["--pub", "-D", "x", "--dial", url])).toMatchObject({ code: 1 })
    const out = yield* cat.until((out) => out.includes('"refused"'))
    const told = out
      .toString()
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as object)
    expect(told).toMatchObject([
      { event: "listening", url },
      { event: "attached", url, peer: expect.stringMatching(/^127\.0\.0\.1:/) },
      { event: "received", text: "x" },
      { event: "lost", url, tag: "NNG_ECONNSHUT" },
      { event: "refused", url, tag: "NNG_EPROTO" }
    ])
  }))

test("in raw mode sends the header that is given, and an answer with its question's", (tool) =>
  Effect.gen(function* () {
    const { cat, url } = yield* listening(tool, "--rep", "--raw-socket", "-D", "pong", "--listen", "tcp://127.0.0.1:0")
    const header = ["--header", "80000005", "-D", "ping", "--recv-timeout", "10", "-C", "1"]
    const req = yield* Commands.start(tool, ["--req", "--raw-socket", "--json", "--dial", url, ...header])
    yield* cat.until((out) => /"text":"ping","header":"[0-9a-f]{8}80000005"/.test(out.toString()))
    yield* req.until((out) => out.includes('"text":"pong","header":"80000005"'))
  }))

test("a long message leaves whole before its sender does", (tool) =>
  Effect.gen(function* () {
    const path = `${yield* Commands.directory}/s`
    const pull = yield* Commands.start(tool, ["--pull", "--listen", `ipc://${path}`, "--raw", "-C", "1", "-Z", "0"])
    const input = "0123456789abcdef".repeat(512 * 1024)
    const push = ["--push", "--dial", `ipc://${path}`, "-F", "-"]
    expect(yield* Commands.dialed(tool, push, input)).toMatchObject({ code: 0, err: "" })
    const { code, out } = yield* pull.ended
    expect({ code, length: out.length, same: out === input }).toEqual({ code: 0, length: input.length, same: true })
  }))

test("nobody reads its output any more: it ends, and says nothing", (tool) =>
  Effect.gen(function* () {
    const { cat, url } = yield* listening(tool, "--pull", "--listen", "tcp://127.0.0.1:0")
    cat.child.stdout.destroy()
    const push = yield* Commands.start(tool, ["--push", "--dial", url, "-D", "x", "-i", "50ms"])
    expect(yield* cat.ended).toMatchObject({ code: 141, err: "" })
    push.child.kill("SIGKILL")
  }))

test("a word on standard error is one line, without a stack, whatever went wrong", (tool) =>
  Effect.gen(function* () {
    const { url } = yield* listening(tool, "--pull", "--listen", "tcp://127.0.0.1:0")
    const directory = yield* Commands.directory
    const cases: ReadonlyArray<readonly [args: ReadonlyArray<string>, says: RegExp]> = [
      [
        ["--pull", "--dial", "tcp://127.0.0.1:1"],
        /^Unable to dial on tcp:\/\/127\.0\.0\.1:1: Connection refused.*--async/
      ],
      [["--pull", "--listen", url], /^Unable to listen on tcp.*: Address in use.*another address/],
      [["--pub", "-D", "x", "--dial", url], /^Unable to dial on tcp.*: Protocol error.*--pub0 talks to --sub0/],
      [["--pull", "--dial", "zt://x"], /^Unable to create dialer for zt:\/\/x: Not supported/],
      [["--pull", "--dial", "what\nis this"], /^Unable to create dialer for .*A URL is like/],
      [["--push", "--dial", url, "-F", directory], /^Cannot open file /],
      [["--push", "--dial", url, "-F", `${directory}/none`], /^Cannot open file .*No such file or directory/],
      [["--pull", "--listen", "tls+tcp://127.0.0.1:0", "--cert", `${directory}/none`], /^Cannot open file /],
      [["--pull", "--listen", `ipc://${directory}/no/s`], /^Unable to listen on ipc/],
      [["--push", "-D", "x", "--listen", "tcp://127.0.0.1:0", "--send-timeout", "50ms"], /^Send error: Timed out/]
    ]
    yield* Effect.forEach(
      cases,
      ([args, says]) =>
        Effect.map(Commands.run(tool, args), ({ code, err, out }) => {
          expect({ code, out }, args.join(" ")).toEqual({ code: 1, out: "" })
          expect(err).toMatch(says)
          expect(err).toMatch(/^[^\n]+\n$/)
        }),
      { concurrency: 3, discard: true }
    )
  }))

test("--version and --completion; bash completes what is said of it", (tool) =>
  Effect.gen(function* () {
    const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { readonly version: string }
    expect(yield* Commands.run(tool, ["--version"])).toMatchObject({ code: 0, out: `${version}\n`, err: "" })
    const { out } = yield* Commands.run(tool, ["--completion", "bash"])
    const completed = yield* Commands.run(
      ["bash", "-c", `${out}\nCOMP_WORDS=(nngcat --recv-); COMP_CWORD=1; _nngcat; echo "\${COMPREPLY[@]}"`],
      []
    )
    expect(completed).toMatchObject({ code: 0, out: "--recv-timeout --recv-maxsz\n", err: "" })
  }))

/** The files of ours that a process has open or has read, as Node itself tells. */
const loaded = (tool: Command, ...args: ReadonlyArray<string>): Effect.Effect<string> =>
  Effect.async((resume) => {
    const [node, path] = tool
    const child = spawn(node!, [
      "--input-type=module",
      "-e",
      `
      process.argv.splice(1, 0, ${JSON.stringify(path)})
      await import(${JSON.stringify(path)})
      process.on("exit", () => console.log(process.moduleLoadList.join("\\n")))
    `,
      "--",
      ...args
    ])
    let out = ""
    child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()))
    child.on("close", () => resume(Effect.succeed(out)))
  })

test("what a command does not need is not loaded: no network for a socket of this process, HTTP for ws alone", (tool) =>
  Effect.gen(function* () {
    const push = ["--push", "-D", "x", "--send-timeout", "10ms", "--listen"]
    const net = /NativeModule net\n/
    const http = /NativeModule http\n/
    const inproc = yield* loaded(tool, ...push, "inproc://a")
    expect(inproc).toMatch(/NativeModule/)
    expect(inproc).not.toMatch(http)
    const tcp = yield* loaded(tool, ...push, "tcp://127.0.0.1:0")
    expect(tcp).toMatch(net)
    expect(tcp).not.toMatch(http)
    expect(yield* loaded(tool, ...push, "ws://127.0.0.1:0")).toMatch(http)
  }))
