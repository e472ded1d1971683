import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { byEsbuild, byVite, published, root, zipped } from "../support/bundle.js"

const page = "test/browser/pages/req.ts"

/** Of Node, or made to stand in for it. */
const foreign = /["'`]node:[a-z]|__vite-browser-external|polyfill|\brequire\(/

const allowed = /^(src|test\/browser\/pages|node_modules\/(effect|@effect\/platform|fast-check|pure-rand))\//

describe("the library in a page", { timeout: 180_000 }, () => {
  for (const entry of ["src/index.ts", page]) {
    it(`${entry} is bundled by esbuild, without anything of Node`, async () => {
      const { code, files } = await byEsbuild(entry)
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
    await expect(byEsbuild("src/NodeTransport.ts")).rejects.toThrow(/Could not resolve "node:/)
    await expect(byVite("src/NodeTransport.ts")).rejects.toThrow(/__vite-browser-external/)
  })
})

describe("the size of a page that asks over ws", { timeout: 180_000 }, () => {
  const documentation = readFileSync(`${root}docs/browser.md`, "utf8")

  /** What docs/browser.md says, in KiB: of pages by Vite and by esbuild. */
  const stated = (what: string): ReadonlyArray<number> => {
    const [, vite, esbuild] = new RegExp(`\\| ${what} +\\| +(\\d+) KiB +\\| +(\\d+) KiB`).exec(documentation)!
    return [Number(vite), Number(esbuild)]
  }

  /** Within one, as versions of zlib differ by some bytes. */
  const expectStated = (what: string, codes: ReadonlyArray<string>) => {
    stated(what).forEach((kib, i) => expect(Math.abs(zipped(codes[i]!) / 1024 - kib)).toBeLessThan(1))
  }

  let modules: ReturnType<typeof published>
  beforeAll(() => {
    modules = published()
  })
  afterAll(() => modules.remove())

  it("is at most 60 KiB, and what the documentation says", async () => {
    const codes = [await byVite(page, modules), (await byEsbuild(page, modules)).code]
    expect(zipped(codes[0]!)).toBeLessThan(60 * 1024)
    expect(zipped(codes[1]!)).toBeLessThan(66 * 1024)
    expectStated("the whole page", codes)
  })

  it("is what the documentation says, without effect", async () => {
    const codes = [
      await byVite(page, modules, [/^effect\//, /^@effect\/platform\//]),
      (await byEsbuild(page, modules, ["effect/*", "@effect/platform/*"])).code
    ]
    expectStated("of that, this library", codes)
  })

  it("has nothing of listeners, devices, aios and streams, which it does not use", async () => {
    const { files, kept } = await byEsbuild(page, modules)
    const unused = /\/(Aio|Device|Listener|Stream|internal\/(engine\/(listener|device|serve|drain)|ports\/aio))\.js$/
    expect(files.filter((file) => unused.test(file)).length).toBeGreaterThan(4)
    expect(kept.filter((file) => unused.test(file))).toEqual([])
  })
})
