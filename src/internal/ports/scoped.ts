import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"

/**
 * `Effect.acquireRelease` for what there is a lot of: its finalizer keeps the fiber refs of whoever acquired, several
 * KiB each, so that `release` sees them. Ours needs none.
 *
 * @internal
 */
export const acquireRelease = <A, E, R>(
  acquire: Effect.Effect<A, E, R>,
  release: (resource: A) => Effect.Effect<unknown>
): Effect.Effect<A, E, R | Scope.Scope> =>
  Effect.uninterruptible(
    Effect.tap(acquire, (resource) =>
      Effect.scopeWith((scope) =>
        Scope.addFinalizer(
          scope,
          Effect.suspend(() => release(resource))
        )
      )
    )
  )
