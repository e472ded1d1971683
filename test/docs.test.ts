import { describe, expect, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import ts from "typescript"

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const read = (path: string) => readFileSync(join(root, path), "utf8")

const modules = readdirSync(join(root, "src")).filter((name) => name.endsWith(".ts") && name !== "index.ts")

/** The code of a module's examples, each as a file beside those of examples/. */
const examplesOf = (name: string): ReadonlyArray<readonly [path: string, code: string]> =>
  Array.from(read(`src/${name}`).matchAll(/ \* @example\n \* ```ts\n([^]*?) \* ```/g), ([, block], i) => [
    join(root, "examples", `${name.replace(".ts", "")}-${i}.ts`),
    block!.replaceAll(/^ \* ?/gm, "")
  ])

const errorsIn = (files: ReadonlyMap<string, string>): ReadonlyArray<string> => {
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  const host = ts.createCompilerHost(options)
  const { fileExists, getSourceFile, readFile } = host
  host.fileExists = (path) => files.has(path) || fileExists(path)
  host.readFile = (path) => files.get(path) ?? readFile(path)
  host.getSourceFile = (path, languageVersion, ...rest) => {
    const code = files.get(path)
    return code === undefined
      ? getSourceFile(path, languageVersion, ...rest)
      : ts.createSourceFile(path, code, languageVersion)
  }
  const program = ts.createProgram([...files.keys()], options, host)
  return Array.from(files.keys()).flatMap((path) =>
    ts
      .getPreEmitDiagnostics(program, program.getSourceFile(path))
      .map(({ messageText }) => `${path}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`)
  )
}

describe("the documentation", () => {
  it("shows how to use every public module", () => {
    expect(modules.filter((name) => examplesOf(name).length === 0)).toEqual([])
  })

  it("has examples that compile", { timeout: 120_000 }, () => {
    const files = new Map(modules.flatMap(examplesOf))
    expect(files.size).toBeGreaterThanOrEqual(modules.length)
    expect(errorsIn(files)).toEqual([])
    const [path, code] = [...files][0]!
    expect(errorsIn(new Map([[path, `${code}\nconst wrong: number = "text"\nexport { wrong }\n`]]))).toHaveLength(1)
  })

  it("has a first program that is the one in examples/hello.ts", () => {
    const [, program] = /## A first program\n\n```ts\n([^]*?)```/.exec(read("README.md"))!
    expect(program).toBe(read("examples/hello.ts"))
  })

  it("names every public module in README's map", () => {
    const map = read("README.md")
    expect(modules.filter((name) => !map.includes(`(src/${name})`))).toEqual([])
  })
})
