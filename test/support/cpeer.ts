import { afterAll } from "@effect/vitest"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Programs from "./programs.js"

const source = fileURLToPath(new URL("../interop/c/peer.c", import.meta.url))

/** Why there can be no peers in C here; undefined: they are made. */
const build = (binary: string): string | undefined => {
  const args = ["-O1", "-Wall", "-Werror", "-Wno-format-zero-length", "-o", binary, source, "-lnng", "-lpthread"]
  const { error, status, stderr } = spawnSync("gcc", args, { encoding: "utf8" })
  if (error !== undefined) return "gcc is not on the PATH; on Debian and Ubuntu it is in the package gcc"
  if (status === 0) return undefined
  if (/nng\/nng\.h: No such file|stdio\.h: No such file|cannot find -lnng/.test(stderr)) {
    return "libnng is not there to be compiled with; on Debian and Ubuntu it is in the packages libnng-dev and libc6-dev"
  }
  throw new Error(`${source} does not compile:\n${stderr}`)
}

const directory = mkdtempSync(join(tmpdir(), "effect-nng-c-"))
const clear = () => rmSync(directory, { recursive: true, force: true })

const binary = join(directory, "peer")

const missing = build(binary)
if (missing !== undefined) clear()

/** Tests against peers of our own in C, test/interop/c; one suite in a file. */
export const suite = (name: string, tests: () => void): void =>
  Programs.suite(name, missing, () => {
    afterAll(clear)
    tests()
  })

/** Runs one for as long as the scope lives. */
export const run = (...args: ReadonlyArray<string>): Effect.Effect<Programs.Program, never, Scope.Scope> =>
  Programs.run(binary, ...args)

/** The same, to be met. */
export const inC =
  (mode: string, ...args: ReadonlyArray<string | number>) =>
  (role: "dial" | "listen", url: string): Effect.Effect<Programs.Program, never, Scope.Scope> =>
    run(mode, role, url, ...args.map(String))

export const numbers = (n: number): ReadonlyArray<number> => Array.from({ length: n }, (_, i) => i)

export const MiB = 1024 * 1024

/** A body as they make them: its first characters, and spaces up to its size. */
export const padded = (text: string | number, size: number): string => String(text).padEnd(size)

/** The same with settings for its environment, each NAME=VALUE. */
export const runWith = (
  settings: ReadonlyArray<string>,
  ...args: ReadonlyArray<string>
): Effect.Effect<Programs.Program, never, Scope.Scope> => Programs.run("env", ...settings, binary, ...args)
