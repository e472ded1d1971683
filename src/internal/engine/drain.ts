import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Errors from "../../Errors.js"
import type { SocketImpl } from "./socket.js"

/** Until all that it accepted is handed over, or it is closed. */
const handedOver = (socket: SocketImpl): Effect.Effect<void> => {
  const { changed, machine } = socket
  const nothingWaits = () => machine.queued === 0 && !socket.pipes.some((pipe) => pipe.isGone)
  return Effect.zipRight(
    changed.until(() => socket.closing || nothingWaits()),
    Effect.suspend(() => {
      if (socket.closing) return Effect.void
      const { pipes } = socket
      // what one had not sent when it ended goes to another
      const allThere = () => pipes.every((pipe) => !pipe.isGone && socket.getPipe(pipe.id) === pipe)
      return Effect.zipRight(
        Effect.forEach(pipes, (pipe) => pipe.allSent, { concurrency: "unbounded", discard: true }),
        Effect.suspend(() => (machine.queued === 0 && allThere() ? Effect.void : handedOver(socket)))
      )
    })
  )
}

/**
 * Sends no more, waits until all is handed over or time is up, and closes; gives how much was not.
 *
 * @internal
 */
export const drain = (
  socket: SocketImpl,
  timeout: Duration.DurationInput
): Effect.Effect<number, Errors.ECLOSED | Errors.EBUSY> =>
  Effect.suspend((): Effect.Effect<number, Errors.ECLOSED | Errors.EBUSY> => {
    const refusal = socket.refuses("Socket.drain")
    if (refusal !== undefined) return refusal
    const error = new Errors.ECLOSED({ operation: "Socket", reason: "the socket is being drained" })
    socket.shared.sendsClosed ??= Exit.fail(error)
    socket.conversation.closeSends(error)
    for (const context of socket.contexts) context.closeSends(error)
    return Effect.zipRight(
      Effect.timeoutOption(handedOver(socket), timeout),
      Effect.uninterruptible(
        Effect.flatMap(Effect.forkIn(socket.shutdown, socket.services.home), (fiber) =>
          Effect.map(fiber.await, () => socket.notHandedOver)
        )
      )
    )
  })
