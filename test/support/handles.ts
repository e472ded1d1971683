import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** What the operating system, or the event loop, holds for us. Others than these come and go with the test runner. */
const watched = /^(TCP|Connect|Pipe|GetAddrInfo|Timeout|Process)/

export type Handles = Readonly<Record<string, number>>

/** How many handles, requests and timers of each kind are open now. */
export const open = (): Handles => {
  const counts: Record<string, number> = {}
  for (const name of process.getActiveResourcesInfo()) {
    if (watched.test(name)) counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}

/** How many connections wait for an answer now. */
export const connecting = (): number =>
  Object.entries(open()).reduce((sum, [kind, count]) => (kind.endsWith("ConnectWrap") ? sum + count : sum), 0)

/** Lets the event loop go round once: callbacks of I/O and closed handles run. */
export const turn: Effect.Effect<void> = Effect.async<void>((resume) => {
  const handle = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(handle))
})

/** Turns of the event loop until something holds; dies with what is there instead when it takes too long. */
export const until = (holds: () => boolean, instead: () => unknown, limit: number = 10_000): Effect.Effect<void> =>
  Effect.suspend(() => {
    const end = performance.now() + limit
    const look: Effect.Effect<void> = Effect.suspend(() => {
      if (holds()) return Effect.void
      return performance.now() > end
        ? Effect.die(new Error(`waited in vain: ${JSON.stringify(instead())}`))
        : Effect.zipRight(turn, look)
    })
    return look
  })

const more = (before: Handles, now: Handles): boolean =>
  Object.entries(now).some(([name, count]) => count > (before[name] ?? 0))

/** Waits until no more is open than was then. */
export const backTo = (before: Handles): Effect.Effect<void> =>
  until(
    () => !more(before, open()),
    () => ({ before, now: open() })
  )

/** Runs an effect in a scope of its own; afterwards no handle is open that was not open before. */
export const leavesNone = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, Exclude<R, Scope.Scope>> =>
  Effect.suspend(() => {
    const before = open()
    return Effect.zipLeft(Effect.scoped(effect), backTo(before))
  })
