import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Net from "node:net"
import { acquireRelease } from "../ports/scoped.js"

/** @internal */
export const destroy = (socket: Net.Socket): Effect.Effect<void> => Effect.sync(() => void socket.destroy())

const plain = (options: Net.SocketConstructorOpts) => new Net.Socket(options)

/** Whoever is told of an error by a callback too must not let it end the process. */
const ignore = () => {}

/**
 * A socket of Node that is connected; the scope destroys it. `make`: as it is to read. **Interruption** gives up.
 *
 * @internal
 */
export const connectOne = (
  to: Net.SocketConnectOpts,
  options: Net.SocketConstructorOpts = {},
  make: (options: Net.SocketConstructorOpts) => Net.Socket = plain
): Effect.Effect<Net.Socket, Error, Scope.Scope> =>
  acquireRelease(
    // the handle is inert here, and without a listener an error would end the process
    Effect.sync(() => make(options).on("error", ignore)),
    destroy
  ).pipe(
    Effect.tap((socket) =>
      Effect.async<void, Error>((resume) => {
        const onError = (error: Error) => resume(Effect.fail(error))
        socket.once("error", onError)
        try {
          socket.connect(to, () => {
            socket.off("error", onError)
            resume(Effect.void)
          })
        } catch (error) {
          resume(Effect.fail(error as Error))
        }
      })
    )
  )

const attemptDelay = Duration.millis(250)

interface Winner {
  readonly socket: Net.Socket
  readonly scope: Scope.CloseableScope
}

/**
 * Tries several places in their order, each when the one before has failed or is late; the first to answer wins, and the
 * others are closed. When none does, the error has all of theirs.
 *
 * @internal
 */
export const connectAny = <Place>(
  places: ReadonlyArray<Place>,
  connect: (place: Place) => Effect.Effect<Net.Socket, Error, Scope.Scope>
): Effect.Effect<Net.Socket, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    if (places.length === 1) return yield* connect(places[0]!)
    const outer = yield* Effect.scope
    const scopes: Array<Scope.CloseableScope> = []
    const failures: Array<unknown> = []

    const attempt = Effect.fnUntraced(function* (place: Place) {
      const scope = yield* Scope.fork(outer, ExecutionStrategy.sequential)
      scopes.push(scope)
      const socket = yield* Scope.extend(connect(place), scope)
      return { socket, scope }
    })

    const from = (i: number): Effect.Effect<Winner, unknown> => {
      const here = Effect.tapError(attempt(places[i]!), (error) => Effect.sync(() => failures.push(error)))
      if (i === places.length - 1) return here
      return Effect.flatMap(Deferred.make<void>(), (failed) =>
        Effect.race(
          Effect.tapError(here, () => Deferred.succeed(failed, void 0)),
          Effect.zipRight(Effect.timeoutOption(Deferred.await(failed), attemptDelay), from(i + 1))
        )
      )
    }

    const winner = yield* Effect.mapError(from(0), () =>
      failures.length === 1 ? failures[0] : new AggregateError(failures)
    )
    yield* Effect.forEach(scopes, (scope) => (scope === winner.scope ? Effect.void : Scope.close(scope, Exit.void)))
    return winner.socket
  })
