import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import type { ExitCodes, Failure } from "./failure.js"
import { nngcatCodes, oneLine } from "./failure.js"
import * as NodeTerminal from "./nodeTerminal.js"
import { Terminal } from "./terminal.js"

/** What is said of a failure, always one line. */
const complaint = (cause: Cause.Cause<Failure>): string | undefined => {
  const failure = Cause.failureOption(cause)
  if (failure._tag === "Some") {
    return failure.value._tag === "OutputClosed" ? undefined : oneLine(failure.value.message)
  }
  if (Cause.isInterruptedOnly(cause)) return undefined
  const [defect] = Cause.prettyErrors(cause)
  return oneLine(`This is a bug: ${defect?.message ?? "unknown"}`)
}

/**
 * Says on standard error why a command failed.
 *
 * @internal
 */
export const complaining = <E extends Failure, R>(
  command: Effect.Effect<number, E, R>
): Effect.Effect<number, E, R | Terminal> =>
  Effect.tapErrorCause(command, (cause) => {
    const text = complaint(cause)
    return text === undefined ? Effect.void : Effect.flatMap(Terminal, (terminal) => terminal.complain(`${text}\n`))
  })

/**
 * The exit code of a command that was not interrupted.
 *
 * @internal
 */
export const exitCode = (exit: Exit.Exit<number, Failure>, codes: ExitCodes = nngcatCodes): number => {
  if (Exit.isSuccess(exit)) return exit.value
  const failure = Cause.failureOption(exit.cause)
  return failure._tag === "Some" ? codes[failure.value._tag] : 1
}

/**
 * Runs a command as the program of this process. A signal ends it as it ends any program, after all is closed.
 *
 * @internal
 */
export const main = (
  command: (args: ReadonlyArray<string>) => Effect.Effect<number, Failure, Terminal>,
  codes: ExitCodes = nngcatCodes
): void => {
  let signal: NodeJS.Signals = "SIGINT"
  process.once("SIGTERM", () => (signal = "SIGTERM"))
  NodeRuntime.runMain(
    complaining(command(process.argv.slice(2))).pipe(
      Effect.provide(NodeTerminal.layer),
      // the library's words are not this program's output
      Effect.provide(Logger.remove(Logger.defaultLogger))
    ),
    {
      disableErrorReporting: true,
      disablePrettyLogger: true,
      teardown: (exit, onExit) => {
        if (Exit.isInterrupted(exit)) return void process.kill(process.pid, signal)
        onExit(exitCode(exit as Exit.Exit<number, Failure>, codes))
      }
    }
  )
}
