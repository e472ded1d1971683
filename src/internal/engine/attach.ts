import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Errors from "../../Errors.js"
import type { Origin } from "../../Pipe.js"
import type { Connection } from "../../Transport.js"
import type { PipeImpl } from "./pipe.js"
import type { SocketImpl } from "./socket.js"

/** What an endpoint wants to know of the pipes it makes. */
export interface Watcher {
  /** It is usable. */
  readonly attached: (pipe: PipeImpl) => void
  /** It has ended by itself; the scope of its connection is to be closed. */
  readonly ended: (pipe: PipeImpl) => void
  /** It was usable, and is gone. */
  readonly removed?: () => void
}

/** What the socket's own look at the connection, or its protocol, says against it. */
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
    return socket.attach(pipe)
  })
}

const remove = (socket: SocketImpl, pipe: PipeImpl, watcher: Watcher): void => {
  if (socket.detach(pipe)) watcher.removed?.()
  socket.emit({ _tag: "RemPost", pipe, reason: pipe.reason! })
}

/**
 * Makes a pipe of a connection that has greeted: AddPre, the socket's look, the protocol's, AddPost. Gives the reason
 * if it was refused. RemPost comes with the end of the connection's scope. No fiber stays behind: an idle pipe is a few
 * objects.
 *
 * @internal
 */
export const attach = (
  socket: SocketImpl,
  connection: Connection,
  origin: Origin,
  scope: Scope.Scope,
  watcher: Watcher
): Effect.Effect<Errors.NngError | undefined> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.suspend(() => {
      const pipe = socket.open(connection, origin)
      socket.emit({ _tag: "AddPre", pipe })
      return Effect.zipRight(
        Scope.addFinalizer(
          scope,
          Effect.sync(() => remove(socket, pipe, watcher))
        ),
        Effect.map(restore(refusal(socket, pipe)), (reason) => {
          if (reason !== undefined) {
            pipe.cut(reason)
            socket.reject++
            return reason
          }
          socket.emit({ _tag: "AddPost", pipe })
          watcher.attached(pipe)
          pipe.watch(watcher)
          return undefined
        })
      )
    })
  )
