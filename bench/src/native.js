// The C programs of libnng's side, compiled when they are older than their sources.
import { spawnSync } from "node:child_process"
import { mkdirSync, statSync } from "node:fs"
import { fileURLToPath } from "node:url"

const here = (path) => fileURLToPath(new URL(path, import.meta.url))

const changed = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0

/** The path of the program, or undefined, with a word on stderr, where there is no compiler or no libnng. */
export const program = (name) => {
  const source = here(`./c/${name}.c`)
  const target = here(`../build/${name}`)
  if (changed(target) > Math.max(changed(source), changed(here("./c/common.h")))) return target
  mkdirSync(here("../build"), { recursive: true })
  const { error, status, stderr } = spawnSync("cc", ["-O2", "-Wall", "-o", target, source, "-lnng", "-lpthread"])
  if (status === 0) return target
  process.stderr.write(`no libnng in this run (libnng-dev and a C compiler are needed): ${error ?? stderr}\n`)
  return undefined
}
