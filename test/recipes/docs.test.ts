import { expect, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const read = (path: string): string => readFileSync(fileURLToPath(new URL(path, import.meta.url)), "utf8")

it("docs/testing.md shows the recipes as they are, all of them", () => {
  const page = read("../../docs/testing.md")
  const shown = new Map(
    Array.from(page.matchAll(/<!-- test\/recipes\/(\S+) -->\n\n```ts\n([^]*?)```/g), ([, name, code]) => [name, code])
  )
  const files = readdirSync(new URL(".", import.meta.url)).filter((name) => name !== "docs.test.ts")
  expect([...shown.keys()].sort()).toEqual(files.sort())
  for (const [name, code] of shown) expect(code, name).toBe(read(`./${name}`))
})
