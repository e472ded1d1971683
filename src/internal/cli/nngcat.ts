import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import type { Transports } from "../../Transport.js"
import type { Command } from "./command.js"
import { fromOptions } from "./command.js"
import { attach } from "./endpoints.js"
import type { Failure } from "./failure.js"
import * as loops from "./loops.js"
import { all } from "./options.js"
import type { Event } from "./report.js"
import { line, make, tell } from "./report.js"
import { scan } from "./scan.js"
import { open, transports } from "./sockets.js"
import type { FileError } from "./terminal.js"
import { Terminal } from "./terminal.js"
import { version } from "./version.js"

const encoder = new TextEncoder()

const dataOf = ({ source }: Command): Effect.Effect<Uint8Array | undefined, FileError, Terminal> => {
  if (source === undefined) return Effect.succeed(undefined)
  return source._tag === "Data"
    ? Effect.succeed(encoder.encode(source.text))
    : Effect.flatMap(Terminal, ({ read }) => read(source.path))
}

const perform = (command: Command): Effect.Effect<void, Failure, Scope.Scope | Terminal | Transports> =>
  Effect.gen(function* () {
    const report = yield* make(command)
    const data = yield* dataOf(command)
    const socket = yield* open(command)
    yield* attach(command, socket)
    yield* loops.run({ command, socket, data, report })
  })

/** A failure of the network goes by the name of its error. */
const failed = (failure: Failure): Event => ({
  event: "error",
  tag: failure._tag === "Failed" ? failure.error._tag : failure._tag,
  message: failure.message
})

const print = (text: string) => Effect.flatMap(Terminal, (terminal) => terminal.write(line(text)))

/**
 * nngcat, from its arguments to its exit code.
 *
 * @internal
 */
export const nngcat = (args: ReadonlyArray<string>): Effect.Effect<number, Failure, Terminal> =>
  Effect.gen(function* () {
    const request = yield* Either.flatMap(scan(all, args), fromOptions)
    switch (request._tag) {
      case "Help": {
        const { usage } = yield* Effect.promise(() => import("./usage.js"))
        // as in libnng's
        return yield* Effect.as(print(usage), 1)
      }
      case "Version":
        return yield* Effect.as(print(version), 0)
      case "Completion": {
        const { completion } = yield* Effect.promise(() => import("./completion.js"))
        return yield* Effect.as(print(completion(request.shell)), 0)
      }
      case "Run": {
        const { command } = request
        const layer = yield* transports(command.endpoints.map(({ url }) => url))
        return yield* perform(command).pipe(
          Effect.scoped,
          Effect.provide(layer),
          Effect.tapError((failure) => (command.json ? Effect.ignore(tell(failed(failure))) : Effect.void)),
          Effect.as(0)
        )
      }
    }
  })
