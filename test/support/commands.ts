import { afterAll } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { ChildProcessWithoutNullStreams } from "node:child_process"
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { commands } from "../../build.config.js"
export { directory } from "./paths.js"

/** How a process ended. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly out: string
  readonly err: string
}

/** A process, while it runs. */
export interface Running {
  readonly child: ChildProcessWithoutNullStreams
  readonly ended: Effect.Effect<Ended>
  /** Waits until what it printed holds, and gives it. */
  readonly until: (holds: (out: Buffer) => boolean) => Effect.Effect<Buffer>
}

/** What a shell calls. */
export type Command = ReadonlyArray<string>

let built: Promise<string> | undefined

/** Where the commands of this package are, made once for each file of tests. */
export const bin: Effect.Effect<string> = Effect.promise(
  () =>
    (built ??= (async () => {
      const path = mkdtempSync(join(tmpdir(), "effect-nng-bin-"))
      await commands(path)
      return path
    })())
)

afterAll(async () => {
  if (built !== undefined) rmSync(await built, { recursive: true, force: true })
})

export const ours: Effect.Effect<Command> = Effect.map(bin, (bin) => [process.execPath, join(bin, "nngcat.js")])

export const debian: Command = ["nngcat"]

class Watched {
  out: Buffer = Buffer.alloc(0)
  err = ""
  ended: Ended | undefined = undefined
  private readonly waiting = new Set<() => void>()

  constructor(child: ChildProcessWithoutNullStreams) {
    child.stdin.on("error", () => {})
    child.stdout.on("data", (chunk: Buffer) => {
      this.out = Buffer.concat([this.out, chunk])
      this.wake()
    })
    child.stderr.on("data", (chunk: Buffer) => (this.err += chunk.toString()))
    child.on("error", (error) => (this.err += error.message))
    child.on("close", (code, signal) => {
      this.ended = { code, signal, out: this.out.toString("latin1"), err: this.err }
      this.wake()
    })
  }

  wake(): void {
    for (const one of [...this.waiting]) one()
  }

  readonly change: Effect.Effect<void> = Effect.async((resume) => {
    const one = () => {
      this.waiting.delete(one)
      resume(Effect.void)
    }
    this.waiting.add(one)
    return Effect.sync(() => void this.waiting.delete(one))
  })

  readonly end: Effect.Effect<Ended> = Effect.suspend(() =>
    this.ended === undefined ? Effect.zipRight(this.change, this.end) : Effect.succeed(this.ended)
  )
}

/** Far above what any needs. */
const longest = "50 seconds"

/** Runs a command for as long as the scope lives. */
export const start = (
  command: Command,
  args: ReadonlyArray<string>,
  input?: string
): Effect.Effect<Running, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const [file, ...first] = command
      const child = spawn(file!, [...first, ...args])
      child.stdin.end(input ?? "")
      return { child, watched: new Watched(child) }
    }),
    ({ child, watched }) =>
      Effect.zipRight(
        Effect.sync(() => child.kill("SIGKILL")),
        watched.end
      )
  ).pipe(
    Effect.map(({ child, watched }) => {
      const within = <A>(effect: Effect.Effect<A>): Effect.Effect<A> =>
        Effect.timeoutFailCause(effect, {
          duration: longest,
          onTimeout: () =>
            Cause.die(new Error(`${args.join(" ")} printed ${watched.out.subarray(0, 300)}, and said ${watched.err}`))
        })
      const until = (holds: (out: Buffer) => boolean): Effect.Effect<Buffer> =>
        Effect.suspend(() => {
          if (holds(watched.out)) return Effect.succeed(watched.out)
          return watched.ended === undefined
            ? Effect.zipRight(watched.change, until(holds))
            : Effect.dieMessage(`${args.join(" ")} ended with ${JSON.stringify(watched.ended)}`)
        })
      return { child, ended: within(watched.end), until: (holds) => within(until(holds)) }
    })
  )

/** Runs a command to its end. */
export const run = (command: Command, args: ReadonlyArray<string>, input?: string): Effect.Effect<Ended> =>
  Effect.scoped(Effect.flatMap(start(command, args, input), ({ ended }) => ended))

/** Again, until it finds its peer: one that cannot dial ends before it has sent anything. */
export const dialed = (command: Command, args: ReadonlyArray<string>, input?: string): Effect.Effect<Ended> =>
  Effect.flatMap(run(command, args, input), (ended) =>
    ended.err.startsWith("Unable to dial") ? dialed(command, args, input) : Effect.succeed(ended)
  )

/** Once more with another address, where somebody else took the port in the meantime. */
export const elsewhere = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.catchAllDefect(effect, (defect) =>
    String(defect).includes("Address in use") ? elsewhere(effect) : Effect.die(defect)
  )
