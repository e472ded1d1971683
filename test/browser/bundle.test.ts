import { describe, expect, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { gzipSync } from "node:zlib"
import * as Vite from "vite"
import { bundle, root } from "../support/bundle.js"

const page = "test/browser/pages/req.ts"

/** Of Node, or made to stand in for it. */
const foreign = /["'`]node:[a-z]|__vite-browser-external|polyfill|\brequire\(/

const allowed = /^(src|test\/browser\/pages|node_modules\/(effect|@effect\/platform|fast-check|pure-rand))\//

const byVite = async (entry: string): Promise<string> => {
  const built = await Vite.build({
    root,
    configFile: false,
    logLevel: "silent",
    resolve: {
      alias: [
        { find: /^effect-nng$/, replacement: `${root}src/index.ts` },
        { find: /^effect-nng\/(.*)$/, replacement: `${root}src/$1.ts` }
      ]
    },
    build: { write: false, rollupOptions: { input: root + entry, preserveEntrySignatures: "strict" } }
  })
  const outputs = (Array.isArray(built) ? built : [built]) as ReadonlyArray<{
    readonly output: ReadonlyArray<{ readonly code?: string }>
  }>
  return outputs.flatMap(({ output }) => output.map(({ code = "" }) => code)).join("\n")
}

const zipped = (code: string): number => gzipSync(code, { level: 9 }).length

/** What docs/browser.md says of the size of a page, in KiB. */
const stated = (what: string): number =>
  Number(new RegExp(`\\| ${what} +\\| +(\\d+) KiB`).exec(readFileSync(`${root}docs/browser.md`, "utf8"))?.[1])

describe("the library in a page", { timeout: 180_000 }, () => {
  for (const entry of ["src/index.ts", page]) {
    it(`${entry} is bundled by esbuild, without anything of Node`, async () => {
      const { code, files } = await bundle(entry)
      expect(files.filter((file) => !allowed.test(file))).toEqual([])
      expect(files.some((file) => file.startsWith("src/internal/node/"))).toBe(false)
      expect(foreign.exec(code)?.[0]).toBeUndefined()
    })

    it(`${entry} is bundled by Vite, without anything of Node`, async () => {
      const code = await byVite(entry)
      expect(code.length).toBeGreaterThan(50_000)
      expect(foreign.exec(code)?.[0]).toBeUndefined()
    })
  }

  it("notices what is of Node", async () => {
    await expect(bundle("src/NodeTransport.ts")).rejects.toThrow(/Could not resolve "node:/)
    await expect(byVite("src/NodeTransport.ts")).rejects.toThrow(/__vite-browser-external/)
  })

  it("has the size that its documentation says, for a page that asks over ws", async () => {
    const whole = zipped((await bundle(page)).code)
    const own = zipped((await bundle(page, ["effect/*", "@effect/platform/*"])).code)
    expect(own).toBeLessThan(26 * 1024)
    expect(whole).toBeLessThan(88 * 1024)
    // within one, as versions of zlib differ by some bytes
    expect(Math.abs(own / 1024 - stated("of that, this library"))).toBeLessThan(1)
    expect(Math.abs(whole / 1024 - stated("the whole page"))).toBeLessThan(1)
  })
})
