import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { FileError, OutputClosed, Terminal } from "../../src/internal/cli/terminal.js"

/** A terminal that remembers. */
export const terminal = (
  options: { readonly watched?: boolean; readonly closed?: boolean; readonly input?: Uint8Array } = {}
) => {
  const seen = { out: "", err: "" }
  const layer = Layer.succeed(Terminal, {
    write: (bytes) =>
      options.closed === true
        ? new OutputClosed()
        : Effect.sync(() => void (seen.out += Buffer.from(bytes).toString("latin1"))),
    complain: (text) => Effect.sync(() => void (seen.err += text)),
    read: (path) =>
      path === "-"
        ? Effect.succeed(options.input ?? Buffer.from("typed\n"))
        : new FileError({ message: `Cannot open file ${path}` }),
    watched: Effect.succeed(options.watched === true)
  })
  return { seen, layer }
}
