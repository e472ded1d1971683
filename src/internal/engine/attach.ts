import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Cause from "effect/Cause"
import * as Errors from "../../Errors.js"
import type { Origin } from "../../Pipe.js"
import type { Connection } from "../../Transport.js"
import type { PipeImpl } from "./pipe.js"
import type { SocketImpl } from "./socket.js"

/** What an endpoint wants to know of a pipe. */
export interface Watcher {
  readonly attached: (pipe: PipeImpl) => void
  readonly refused: (pipe: PipeImpl, reason: Errors.NngError) => void
}

/** What the socket's own look at the connection says against it. */
const refusal = (socket: SocketImpl, pipe: PipeImpl): Effect.Effect<Errors.NngError | undefined> => {
  const look = socket.beforeAttach
  if (look === undefined) return Effect.sync(() => socket.attach(pipe))
  return Effect.map(Effect.exit(Effect.suspend(() => look(pipe))), (exit) => {
    if (Exit.isFailure(exit)) {
      const error = Cause.squash(exit.cause)
      return Errors.isNngError(error)
        ? error
        : new Errors.EINTERNAL({ operation: "beforeAttach", reason: "the hook died", cause: error })
    }
    return pipe.isGone ? pipe.reason : socket.attach(pipe)
  })
}

/**
 * The life of a pipe, from a connection that has greeted to its end, in the fiber that owns the connection: AddPre,
 * the socket's look, the protocol's, AddPost, and RemPost after all that. Gives the reason of the end.
 *
 * @internal
 */
export const run = (
  socket: SocketImpl,
  connection: Connection,
  origin: Origin,
  watcher: Watcher
): Effect.Effect<{ readonly pipe: PipeImpl; readonly reason: Errors.NngError }> =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const pipe = socket.open(connection, origin)
      socket.emit({ _tag: "AddPre", pipe })
      return pipe
    }),
    (pipe) =>
      Effect.flatMap(refusal(socket, pipe), (reason) => {
        if (reason !== undefined) {
          pipe.cut(reason)
          socket.reject++
          watcher.refused(pipe, reason)
          return Effect.succeed({ pipe, reason })
        }
        socket.emit({ _tag: "AddPost", pipe })
        watcher.attached(pipe)
        return Effect.map(pipe.awaitGone, () => ({ pipe, reason: pipe.reason! }))
      }),
    (pipe) =>
      Effect.sync(() => {
        socket.detach(pipe)
        socket.emit({ _tag: "RemPost", pipe, reason: pipe.reason! })
      })
  )
