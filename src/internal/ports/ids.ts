import * as Context from "effect/Context"
import * as Either from "effect/Either"
import type { EntropyShape } from "../../Entropy.js"
import { IdMap } from "../vocabulary/idMap.js"

const bounds = { lo: 1, hi: 0x7fffffff }

/**
 * The numbers of a process's sockets, dialers, listeners and pipes. Those of pipes start anywhere, as they travel in
 * the headers of raw sockets.
 *
 * @internal
 */
export class IdSpaces {
  readonly sockets = new IdMap<object>(bounds)
  readonly contexts = new IdMap<object>(bounds)
  readonly dialers = new IdMap<object>(bounds)
  readonly listeners = new IdMap<object>(bounds)
  private pipeIds: IdMap<object> | undefined = undefined

  pipes(entropy: EntropyShape): IdMap<object> {
    return (this.pipeIds ??= new IdMap<object>({ ...bounds, start: entropy.unsafeUint32() >>> 1 }))
  }
}

/**
 * Of the process by default; a simulation has its own.
 *
 * @internal
 */
export class Ids extends Context.Reference<Ids>()("effect-nng/internal/Ids", { defaultValue: () => new IdSpaces() }) {}

/**
 * Two thousand million at a time are enough; running out is a leak, and a defect.
 *
 * @internal
 */
export const allocate = (ids: IdMap<object>, owner: object): number => Either.getOrThrow(ids.alloc(owner))
