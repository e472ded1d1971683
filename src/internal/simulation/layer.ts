import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import { Entropy } from "../../Entropy.js"
import type * as Api from "../../TestTransport.js"
import { Transports } from "../../Transport.js"
import type { TurnShape } from "../../Turn.js"
import { Turn } from "../../Turn.js"
import { Deadlines } from "../ports/deadlines.js"
import { Ids, IdSpaces } from "../ports/ids.js"
import { Chance } from "./chance.js"
import { diagram } from "./history.js"
import type { Medium } from "./flow.js"
import { Network } from "./network.js"
import { SimulatedTime } from "./time.js"
import { transports } from "./transports.js"

const defaults = {
  seed: 1,
  node: "local",
  historySize: 10_000,
  /** What Linux waits with the default number of retries. */
  connectTimeout: 127_000
}

/** Lines of a diagram that is printed unasked. */
const printed = 200

/** As many operations as a fiber may do before others have their turn; counted, so that it is the same each time. */
const operationsPerHop = 256

const countingTurn = (): TurnShape => {
  let operations = 0
  return {
    unsafeDue: () => ++operations >= operationsPerHop,
    hop: Effect.suspend(() => {
      operations = 0
      return Effect.yieldNow()
    })
  }
}

type Provided = Api.Network | Transports | Turn | Entropy

const make = (
  options: Api.Options,
  tag: Context.Tag<Api.Network, Api.NetworkShape>,
  now: () => number,
  after: Medium["after"]
): Effect.Effect<Context.Context<Provided>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const seed = options.seed ?? defaults.seed
    const network = yield* Effect.acquireRelease(
      Effect.sync(
        () =>
          new Network(
            {
              seed,
              node: options.node ?? defaults.node,
              places: options.places ?? [],
              historySize: options.historySize ?? defaults.historySize,
              connectTimeout: defaults.connectTimeout
            },
            now,
            after
          )
      ),
      (network, exit) =>
        options.printOnFailure !== false && Exit.isFailure(exit) && !Cause.isInterruptedOnly(exit.cause)
          ? Console.error(diagram(network.history, seed, printed))
          : Effect.void
    )
    yield* Effect.withRandomScoped(Random.make(seed))
    return Context.empty().pipe(
      Context.add(tag, network),
      Context.add(Transports, transports(network, network.home)),
      Context.add(Turn, countingTurn()),
      // numbered anew, as those of pipes travel in the headers of raw sockets
      Context.add(Ids, new IdSpaces()),
      // not the network's own, so that ids do not depend on what happens to bytes
      Context.add(Entropy, new Chance(seed))
    )
  })

/** @internal */
export const layer = (
  tag: Context.Tag<Api.Network, Api.NetworkShape>,
  options: Api.Options = {}
): Layer.Layer<Provided> =>
  Layer.scopedContext(
    Effect.gen(function* () {
      const clock = yield* Effect.clock
      const runtime = yield* Effect.runtime<never>()
      const deadlines = yield* Effect.acquireRelease(
        Effect.sync(() => new Deadlines(runtime, clock)),
        (deadlines) => Effect.sync(() => deadlines.close())
      )
      const after: Medium["after"] = (millis, run) => {
        const deadline = deadlines.add(millis, run)
        return () => deadlines.remove(deadline)
      }
      return yield* make(options, tag, () => clock.unsafeCurrentTimeMillis(), after)
    })
  )

/** @internal */
export const layerSimulated = (
  tag: Context.Tag<Api.Network, Api.NetworkShape>,
  options: Api.Options = {}
): Layer.Layer<Provided> =>
  Layer.scopedContext(
    Effect.gen(function* () {
      const time = yield* Effect.acquireRelease(
        Effect.sync(() => new SimulatedTime()),
        (time) => Effect.sync(() => time.close())
      )
      yield* Effect.withClockScoped(time)
      yield* Effect.locallyScoped(FiberRef.currentScheduler, time.scheduler)
      return yield* make(options, tag, () => time.unsafeCurrentTimeMillis(), time.after)
    })
  )
