import * as Esbuild from "esbuild"
import { copyFileSync, mkdtempSync, rmSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import * as Vite from "vite"
import { library } from "../../build.config.js"

export const root = fileURLToPath(new URL("../../", import.meta.url))

/** Where `effect-nng` is to be found. */
export interface Modules {
  readonly index: string
  readonly of: (name: string) => string
}

/** The modules as they are here. */
export const sources: Modules = { index: `${root}src/index.ts`, of: (name) => `${root}src/${name}.ts` }

/** The modules as they are published, and what takes them away again. */
export const published = (): Modules & { readonly remove: () => void } => {
  const path = mkdtempSync(join(root, "node_modules", ".effect-nng-"))
  library(join(path, "dist"))
  copyFileSync(join(root, "package.json"), join(path, "package.json"))
  return {
    index: join(path, "dist/index.js"),
    of: (name) => join(path, `dist/${name}.js`),
    remove: () => rmSync(path, { recursive: true, force: true })
  }
}

export interface Bundle {
  readonly code: string
  /** The files that it imports. */
  readonly files: ReadonlyArray<string>
  /** Those of them that something is left of. */
  readonly kept: ReadonlyArray<string>
}

/** A page's script in one file, by esbuild. What is `external` is left out. */
export const byEsbuild = async (
  entry: string,
  modules = sources,
  external: ReadonlyArray<string> = []
): Promise<Bundle> => {
  const { metafile, outputFiles } = await Esbuild.build({
    entryPoints: [entry],
    absWorkingDir: root,
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    minify: true,
    write: false,
    logLevel: "silent",
    metafile: true,
    external: [...external],
    plugins: [
      {
        name: "effect-nng",
        setup: ({ onResolve }) => {
          onResolve({ filter: /^effect-nng$/ }, () => ({ path: modules.index, sideEffects: false }))
          onResolve({ filter: /^effect-nng\// }, ({ path }) => ({
            path: modules.of(path.slice("effect-nng/".length)),
            sideEffects: false
          }))
        }
      }
    ]
  })
  const sizes = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.entries(inputs))
  return {
    code: outputFiles[0]!.text,
    files: Object.keys(metafile.inputs),
    kept: sizes.flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : []))
  }
}

/** The same by Vite, as it is without any setting. */
export const byVite = async (
  entry: string,
  modules = sources,
  external: ReadonlyArray<RegExp> = []
): Promise<string> => {
  const built = await Vite.build({
    root,
    configFile: false,
    logLevel: "silent",
    resolve: {
      alias: [
        { find: /^effect-nng$/, replacement: modules.index },
        { find: /^effect-nng\/(.*)$/, replacement: modules.of("$1") }
      ]
    },
    build: {
      write: false,
      rollupOptions: { input: root + entry, preserveEntrySignatures: "strict", external: [...external] }
    }
  })
  const outputs = (Array.isArray(built) ? built : [built]) as ReadonlyArray<{
    readonly output: ReadonlyArray<{ readonly code?: string }>
  }>
  return outputs.flatMap(({ output }) => output.map(({ code = "" }) => code)).join("\n")
}

/** So much of it goes over the network. */
export const zipped = (code: string): number => gzipSync(code, { level: 9 }).length
