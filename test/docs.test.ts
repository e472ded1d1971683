import { describe, expect, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
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

const programOf = (files: ReadonlyMap<string, string>): ts.Program => {
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  // what is remembered of the project is not about these files
  options.incremental = false
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
  return ts.createProgram([...files.keys()], { ...options, incremental: false }, host)
}

const errorsIn = (files: ReadonlyMap<string, string>): ReadonlyArray<string> => {
  const program = programOf(files)
  return Array.from(files.keys()).flatMap((path) =>
    ts
      .getPreEmitDiagnostics(program, program.getSourceFile(path))
      .map(({ messageText }) => `${path}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`)
  )
}

/** What one can wait for; by the name of its interface, as an Either is an Effect by its structure. */
const waits = new Set(["Effect", "Stream", "Sink", "Subscribable"])

/** Whether it is something that one can wait for, or a function, curried or not, that gives one. */
const canWait = (checker: ts.TypeChecker, type: ts.Type, depth = 0): boolean => {
  if (depth > 3) return false
  if (type.isUnion()) return type.types.some((member) => canWait(checker, member, depth))
  const [declaration] = type.symbol?.declarations ?? []
  if (waits.has(type.symbol?.name) && declaration?.getSourceFile().fileName.includes("/effect/")) return true
  return type.getCallSignatures().some((signature) => canWait(checker, signature.getReturnType(), depth + 1))
}

const isExported = (statement: ts.Statement): boolean =>
  ts.canHaveModifiers(statement) &&
  ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true

/** What a statement declares: constants, the members of an interface, a type and its members. */
const declaredBy = (statement: ts.Statement): ReadonlyArray<ts.NamedDeclaration> => {
  if (ts.isVariableStatement(statement)) return statement.declarationList.declarations
  if (ts.isInterfaceDeclaration(statement)) return [...statement.members]
  if (!ts.isTypeAliasDeclaration(statement)) return []
  return [statement, ...(ts.isTypeLiteralNode(statement.type) ? statement.type.members : [])]
}

/** Whether a comment says what interruption does. */
const says = (comment: string): boolean => comment.includes("**Interruption**")

/** Operations that do not say what their interruption does: neither themselves, nor their interface, nor their module. */
const silentOnInterruption = (files: ReadonlyMap<string, string>): ReadonlyArray<string> => {
  const program = programOf(files)
  const checker = program.getTypeChecker()
  return [...files].flatMap(([path, code]) => {
    const source = program.getSourceFile(path)!
    const header = code.slice(0, code.indexOf("*/"))
    return (says(header) ? [] : source.statements.filter(isExported)).flatMap((statement) =>
      declaredBy(statement)
        .filter((part) => canWait(checker, checker.getTypeAtLocation(part)))
        .filter(
          (part) =>
            ![part, statement].some((node) =>
              ts.getJSDocCommentsAndTags(node).some((comment) => says(comment.getText(source)))
            )
        )
        .map((part) =>
          [basename(path, ".ts"), ...(ts.isInterfaceDeclaration(statement) ? [statement.name.text] : [])]
            .concat(part.name?.getText(source) ?? "")
            .join(".")
        )
    )
  })
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

  it("says of every operation what its interruption does", { timeout: 120_000 }, () => {
    const files = new Map(modules.map((name) => [join(root, "src", name), read(`src/${name}`)]))
    // and where it is taken away it is missed
    const gone = [
      "**Interruption** stops the waiting, not the closing.",
      "**Interruption**: a send that is interrupted has sent nothing."
    ]
    const socket = read("src/Socket.ts")
    expect(gone.filter((sentence) => !socket.includes(sentence))).toEqual([])
    files.set(
      join(root, "src", "Forgetful.ts"),
      gone.reduce((code, sentence) => code.replace(sentence, ""), socket)
    )
    expect(silentOnInterruption(files)).toEqual(["Forgetful.Socket.close", "Forgetful.send"])
  })
})
