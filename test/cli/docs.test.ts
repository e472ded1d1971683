import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readFileSync, writeFileSync } from "node:fs"
import * as Commands from "../support/commands.js"
import { freePort } from "../support/programs.js"

const page = readFileSync(new URL("../../docs/nngcat.md", import.meta.url), "utf8")

const oneLiners = Array.from(
  page.matchAll(/<!-- run -->\n\n```sh\n([^]*?)```\n\n```text\n([^]*?)```/g),
  ([, script, output]) => ({ script: script!, output: output! })
)

/** With files and ports of its own. */
const apart = (script: string, directory: string) =>
  Effect.gen(function* () {
    const ports = new Set(Array.from(script.matchAll(/127\.0\.0\.1:(\d+)/g), ([, port]) => port!))
    let here = script.replaceAll("/tmp/", `${directory}/`)
    for (const port of ports) here = here.replaceAll(`:${port}`, `:${yield* freePort}`)
    return here
  })

it("docs/nngcat.md has ten one-liners", () => {
  expect(oneLiners).toHaveLength(10)
})

it.live("and they do what it says", () =>
  Effect.gen(function* () {
    const tool = yield* Commands.ours
    const path = yield* Commands.directory
    writeFileSync(`${path}/nngcat`, `#!/bin/sh\nexec ${tool.map((word) => `'${word}'`).join(" ")} "$@"\n`, {
      mode: 0o755
    })
    const results = yield* Effect.forEach(
      oneLiners,
      ({ output, script }) =>
        Effect.gen(function* () {
          const here = yield* apart(script, yield* Commands.directory)
          const { err, out } = yield* Commands.run(["bash", "-c", `PATH=${path}:$PATH\n${here}`], [])
          return { script, said: out, err, output }
        }),
      { concurrency: 3 }
    )
    for (const { err, output, said, script } of results)
      expect({ said, err }, script).toEqual({ said: output, err: "" })
  }).pipe(Effect.scoped)
)
