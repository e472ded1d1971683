import * as Esbuild from "esbuild"
import { fileURLToPath } from "node:url"

export const root = fileURLToPath(new URL("../../", import.meta.url))

export interface Bundle {
  readonly code: string
  /** The files that are in it. */
  readonly files: ReadonlyArray<string>
}

/** A page's script in one file, by esbuild. What is `external` is left out. */
export const bundle = async (entry: string, external: ReadonlyArray<string> = []): Promise<Bundle> => {
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
    alias: { "effect-nng": `${root}src` }
  })
  return { code: outputFiles[0]!.text, files: Object.keys(metafile.inputs) }
}
