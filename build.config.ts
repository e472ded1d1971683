import { build } from "esbuild"
import { execFileSync } from "node:child_process"
import { chmodSync, copyFileSync, realpathSync, rmSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"

const root = fileURLToPath(new URL(".", import.meta.url))

const node = (script: string, ...args: ReadonlyArray<string>): void => {
  execFileSync(process.execPath, [join(root, "node_modules", script), ...args], { cwd: root, stdio: "inherit" })
}

/**
 * Makes the modules in this directory. Calls that only make a value are marked as such, as effect's are: a bundler then
 * leaves out what a page does not use.
 */
export const library = (outdir: string): void => {
  rmSync(outdir, { recursive: true, force: true })
  node("typescript/bin/tsc", "-p", "tsconfig.build.json", "--outDir", outdir)
  const babel = ["--no-babelrc", "--compact", "false", "--source-maps", "--quiet"]
  node("@babel/cli/bin/babel.js", outdir, "--out-dir", outdir, "--plugins", "annotate-pure-calls", ...babel)
}

/** Makes the commands in this directory: all they need is in it, and loaded when it is needed. */
export const commands = async (outdir: string): Promise<void> => {
  rmSync(outdir, { recursive: true, force: true })
  await build({
    absWorkingDir: root,
    entryPoints: { nngcat: "src/internal/cli/nngcatMain.ts", nngperf: "src/internal/cli/nngperfMain.ts" },
    outdir,
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    platform: "node",
    target: "node20.12",
    chunkNames: "chunks/[hash]",
    // for what is CommonJS in there
    banner: {
      js: '#!/usr/bin/env node\nimport { createRequire as makeRequireForBundle } from "node:module"; const require = makeRequireForBundle(import.meta.url);'
    },
    logLevel: "warning"
  })
  for (const name of ["nngcat", "nngperf"]) chmodSync(join(outdir, `${name}.js`), 0o755)
  for (const name of ["effect", "ws"]) {
    copyFileSync(join(root, "node_modules", name, "LICENSE"), join(outdir, `${name}.LICENSE`))
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href) {
  library(join(root, "dist"))
  await commands(join(root, "bin"))
}
