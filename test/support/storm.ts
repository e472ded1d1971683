import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import type * as Socket from "effect-nng/Socket"
import * as TestTransport from "effect-nng/TestTransport"

/** What storms over sockets share: trouble on a simulated network, and people without patience. */

export const pick = <A>(items: ReadonlyArray<A>): Effect.Effect<A> =>
  Effect.map(Random.nextIntBetween(0, items.length), (n) => items[n]!)

/** Once in so many times. */
export const oneIn = (n: number): Effect.Effect<boolean> =>
  Effect.map(Random.nextIntBetween(0, n), (side) => side === 0)

/** Runs it, interrupts it when it takes longer than this, and gives its exit. */
export const impatiently = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  patience: number
): Effect.Effect<Exit.Exit<A, E>, never, R> =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(effect)
    const impatient = yield* Effect.fork(Effect.delay(Fiber.interrupt(fiber), patience))
    const exit = yield* Fiber.await(fiber)
    yield* Fiber.interrupt(impatient)
    return exit
  })

/** One thing after another goes wrong between two of these; those that are mortal crash as well. */
export const trouble = (
  places: ReadonlyArray<string>,
  others: ReadonlyArray<string>,
  mortal: ReadonlyArray<string> = []
) =>
  Effect.gen(function* () {
    const down = new Set<string>()
    const kinds = mortal.length === 0 ? 5 : 7
    for (;;) {
      yield* Effect.sleep(yield* Random.nextIntBetween(5, 110))
      const [one, other] = [yield* pick(places), yield* pick(others)]
      switch (yield* Random.nextIntBetween(0, kinds)) {
        case 0:
          yield* TestTransport.reset(TestTransport.between(one, other))
          break
        case 1:
          yield* TestTransport.partition(one, other)
          break
        case 2:
          yield* TestTransport.partition(one, other, { reset: true })
          break
        case 3:
          yield* TestTransport.latency(TestTransport.between(one, other), 10, { jitter: 50 })
          break
        case 4:
          yield* TestTransport.heal()
          break
        case 5: {
          const victim = yield* pick(mortal)
          if (down.has(victim)) break
          down.add(victim)
          yield* TestTransport.crash(victim, { silent: yield* Random.nextBoolean })
          break
        }
        case 6:
          for (const name of down) yield* TestTransport.restart(name)
          down.clear()
          break
      }
    }
  })

/** It gets slow between two of these, or nothing gets through for a while; no connection is lost. */
export const delays = (places: ReadonlyArray<string>, others: ReadonlyArray<string>) =>
  Effect.forever(
    Effect.gen(function* () {
      yield* Effect.sleep(yield* Random.nextIntBetween(5, 50))
      const between = TestTransport.between(yield* pick(places), yield* pick(others))
      yield* (yield* Random.nextBoolean)
        ? TestTransport.latency(between, 5, { jitter: 50 })
        : TestTransport.blackHole(between)
      if (yield* oneIn(4)) yield* TestTransport.heal()
    })
  )

/** How many messages were dropped, whatever the reason. */
export const total = (dropped: Socket.Dropped): number => Object.values(dropped).reduce((sum, n) => sum + n, 0)

/** Why messages were dropped. */
export const reasons = (dropped: Socket.Dropped): ReadonlyArray<string> =>
  Object.entries(dropped).flatMap(([name, count]) => (count > 0 ? [name] : []))
