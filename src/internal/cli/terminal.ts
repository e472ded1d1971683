import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"

/**
 * Nobody reads the output any more.
 *
 * @internal
 */
export class OutputClosed extends Data.TaggedError("OutputClosed") {}

/** @internal */
export class OutputError extends Data.TaggedError("OutputError")<{ readonly message: string }> {}

/** @internal */
export class FileError extends Data.TaggedError("FileError")<{ readonly message: string }> {}

/** @internal */
export type WriteError = OutputClosed | OutputError

/**
 * What a command has of the world around it, besides the network.
 *
 * @internal
 */
export interface Shape {
  /** To standard output; waits until it is taken. */
  readonly write: (bytes: Uint8Array) => Effect.Effect<void, WriteError>
  /** To standard error, as it is. */
  readonly complain: (text: string) => Effect.Effect<void>
  /** All of a file, or of standard input (`-`). */
  readonly read: (path: string) => Effect.Effect<Uint8Array, FileError>
  /** Whether somebody sees standard error while the output goes to a file. */
  readonly watched: Effect.Effect<boolean>
}

/** @internal */
export class Terminal extends Context.Tag("effect-nng/cli/Terminal")<Terminal, Shape>() {}
