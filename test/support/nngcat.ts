import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { spawnSync } from "node:child_process"
import * as Programs from "./programs.js"

export { freePort } from "./programs.js"

export type Nngcat = Programs.Program

const probe = spawnSync("nngcat", ["--version"], { encoding: "utf8" })

/** What nngcat says of itself, or undefined where there is none. */
export const version: string | undefined = probe.error === undefined ? (probe.stdout || probe.stderr).trim() : undefined

export const missing: string | undefined =
  version === undefined ? "nngcat is not on the PATH; on Debian and Ubuntu it is in the package nng-utils" : undefined

/** Tests against libnng's own tool. */
export const suite = (name: string, tests: () => void): void =>
  Programs.suite(version === undefined ? name : `${name} (${version})`, missing, tests)

/** Runs nngcat for as long as the scope lives. */
export const run = (...args: ReadonlyArray<string>): Effect.Effect<Nngcat, never, Scope.Scope> =>
  Programs.run("nngcat", ...args)
