import { describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { spawn } from "node:child_process"
import * as Net from "node:net"

/** Tests against other people's programs. Where one is missing they are skipped, loudly; in CI they fail. */
export const suite = (name: string, missing: string | undefined, tests: () => void): void => {
  if (missing === undefined) return void describe(name, tests)
  if (process.env["CI"] !== undefined && process.env["CI"] !== "") {
    return void describe(name, () => {
      it("finds its peer", () => {
        throw new Error(missing)
      })
    })
  }
  // eslint-disable-next-line no-console
  console.warn(`SKIPPED ${name}: ${missing}`)
  describe.skip(name, tests)
}

/** A program that runs. */
export interface Program {
  /** Waits until its output is at least so long, then gives all of it. */
  readonly output: (length: number) => Effect.Effect<Buffer>
  /** Waits until it has printed exactly this; dies with what it printed when that never comes. */
  readonly prints: (text: string) => Effect.Effect<void>
  /** Waits until it has printed so many lines, and gives them. */
  readonly lines: (n: number) => Effect.Effect<ReadonlyArray<string>>
  /** Waits for its end, and gives what it said on the way. */
  readonly ended: Effect.Effect<string>
  /** Kills it and waits until it is gone. */
  readonly kill: Effect.Effect<void>
}

/** Runs a program for as long as the scope lives. */
export const run = (command: string, ...args: ReadonlyArray<string>): Effect.Effect<Program, never, Scope.Scope> =>
  Effect.gen(function* () {
    let out = Buffer.alloc(0)
    let errors = ""
    let gone = false
    const waiting = new Set<() => void>()
    const wake = () => {
      for (const one of [...waiting]) one()
    }
    const change = Effect.async<void>((resume) => {
      const one = () => {
        waiting.delete(one)
        resume(Effect.void)
      }
      waiting.add(one)
      return Effect.sync(() => void waiting.delete(one))
    })
    const until = (holds: () => boolean): Effect.Effect<void> =>
      Effect.suspend(() => (holds() ? Effect.void : Effect.zipRight(change, until(holds))))
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] })
        child.stdout.on("data", (chunk: Buffer) => {
          out = Buffer.concat([out, chunk])
          wake()
        })
        child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()))
        child.on("error", (error) => (errors += error.message))
        child.on("close", () => {
          gone = true
          wake()
        })
        return child
      }),
      (child) =>
        Effect.zipRight(
          Effect.sync(() => child.kill("SIGKILL")),
          until(() => gone)
        )
    )
    const within = <A>(effect: Effect.Effect<A>): Effect.Effect<A> =>
      Effect.timeoutFailCause(effect, {
        duration: "15 seconds",
        onTimeout: () => Cause.die(new Error(`${command} ${args.join(" ")} printed ${out.subarray(0, 200)} ${errors}`))
      })
    const linesNow = () => out.toString().split("\n").slice(0, -1)
    return {
      output: (length) =>
        within(
          Effect.map(
            until(() => out.length >= length),
            () => out
          )
        ),
      prints: (text) => within(until(() => out.toString() === text)),
      lines: (n) =>
        within(
          Effect.map(
            until(() => linesNow().length >= n),
            linesNow
          )
        ),
      ended: Effect.map(
        until(() => gone),
        () => errors
      ),
      kill: Effect.zipRight(
        Effect.sync(() => child.kill("SIGKILL")),
        until(() => gone)
      )
    }
  })

/** A port that nobody had a moment ago. */
export const freePort: Effect.Effect<number> = Effect.async((resume) => {
  const server = Net.createServer()
  server.listen({ host: "127.0.0.1", port: 0 }, () => {
    const { port } = server.address() as Net.AddressInfo
    server.close(() => resume(Effect.succeed(port)))
  })
})
