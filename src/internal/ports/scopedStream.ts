import * as Channel from "effect/Channel"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

/**
 * `Stream.unwrapScoped`, which brings the machinery of concurrent streams into a page that has no other use for it.
 * This brings what it needs alone.
 *
 * @internal
 */
export const scopedStream = <A, E, E2, R>(
  effect: Effect.Effect<Stream.Stream<A, E>, E2, R>
): Stream.Stream<A, E | E2, Exclude<R, Scope.Scope>> =>
  Stream.fromChannel(Channel.unwrapScoped(Effect.map(effect, Stream.toChannel)))
