import type { PlatformError } from "@effect/platform/Error"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { FileError, OutputClosed, OutputError, Terminal } from "./terminal.js"

const isClosed = (error: NodeJS.ErrnoException): boolean => error.code === "EPIPE" || error.code === "EOF"

const write = (bytes: Uint8Array): Effect.Effect<void, OutputClosed | OutputError> =>
  Effect.async((resume) => {
    process.stdout.write(bytes, (error) => {
      if (error === null || error === undefined) return resume(Effect.void)
      resume(
        isClosed(error) ? new OutputClosed() : new OutputError({ message: `Cannot write the output: ${error.message}` })
      )
    })
  })

const texts: Readonly<Record<string, string>> = {
  NotFound: "No such file or directory",
  PermissionDenied: "Permission denied"
}

const reasonOf = (error: PlatformError): string =>
  error._tag === "SystemError" ? (texts[error.reason] ?? error.description ?? error.message) : error.message

// who names no file needs nothing of this
const files = Effect.promise(async () => {
  const [FileSystem, NodeFileSystem] = await Promise.all([
    import("@effect/platform/FileSystem"),
    import("@effect/platform-node/NodeFileSystem")
  ])
  return Effect.provide(FileSystem.FileSystem, NodeFileSystem.layer)
}).pipe(Effect.flatten)

const readFile = (path: string): Effect.Effect<Uint8Array, FileError> =>
  Effect.flatMap(files, (files) => files.readFile(path)).pipe(
    Effect.mapError((error) => new FileError({ message: `Cannot open file ${path}: ${reasonOf(error)}` }))
  )

const readInput: Effect.Effect<Uint8Array, FileError> = Effect.tryPromise({
  try: async () => {
    const parts: Array<Uint8Array> = []
    for await (const part of process.stdin) parts.push(part as Uint8Array)
    return new Uint8Array(Buffer.concat(parts))
  },
  catch: (error) => new FileError({ message: `Read from standard input failed: ${(error as Error).message}` })
})

const watched: Effect.Effect<boolean> = Effect.suspend(() =>
  process.stderr.isTTY
    ? Effect.flatMap(files, (files) => files.stat("/dev/stdout")).pipe(
        Effect.map((output) => output.type === "File"),
        Effect.catchAll(() => Effect.succeed(false))
      )
    : Effect.succeed(false)
)

/**
 * Node's own process.
 *
 * @internal
 */
export const layer: Layer.Layer<Terminal> = Layer.sync(Terminal, () => {
  // a write tells its own failure
  process.stdout.on("error", () => {})
  process.stderr.on("error", () => {})
  return {
    write,
    complain: (text) => Effect.sync(() => void process.stderr.write(text)),
    read: (path) => (path === "-" ? readInput : readFile(path)),
    watched
  }
})
