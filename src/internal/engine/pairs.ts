import * as Effect from "effect/Effect"
import type * as Errors from "../../Errors.js"
import type { Input } from "../../Message.js"
import type * as Api from "../../Socket.js"
import * as Hops from "../protocol/hops.js"
import { Pair1Machine } from "../protocol/pair1.js"
import { Poly1Machine } from "../protocol/poly1.js"
import { fromInput } from "../vocabulary/message.js"
import type { Core, OperationError, Shared } from "./conversation.js"
import { FreeConversation, core as freeCore } from "./free.js"
import type { Settings } from "./options.js"

const configured = (machine: { ttl: number }, { ttl }: Settings): void => {
  machine.ttl = ttl
}

const makePair =
  (raw: boolean) =>
  ({ recvBuffer, sendBuffer, ttl }: Settings, world: Shared["world"]): Pair1Machine =>
    new Pair1Machine({ send: sendBuffer, recv: recvBuffer }, ttl, raw, world)

/** Sends a message at once or says what is wrong with its header, whether it would have to wait or not. */
class RawConversation extends FreeConversation {
  override send(input: Input, options: Api.OperationOptions | undefined): Effect.Effect<void, OperationError> {
    return Effect.suspend(() => {
      const message = fromInput(input)
      const refused = this.sendsClosed === undefined ? Hops.refuse(message) : undefined
      return refused ?? super.send(message, options)
    })
  }
}

/** @internal */
export class PolyConversation extends FreeConversation {
  constructor(
    private readonly machine: Poly1Machine,
    shared: Shared,
    settings: Settings
  ) {
    super(machine, shared, settings)
  }

  /** To this peer or to nobody; it does not wait. */
  sendTo(pipeId: number, input: Input): Effect.Effect<void, Errors.ECLOSED> {
    return this.gated((): Effect.Effect<void, Errors.ECLOSED> => {
      if (this.sendsClosed !== undefined) return this.sendsClosed
      this.machine.sendTo(pipeId, fromInput(input))
      this.shared.counts.sent++
      return Effect.void
    })
  }
}

/** @internal */
export const core: (shared: Shared, settings: Settings) => Core = freeCore(makePair(false), configured)

/** @internal */
export const rawCore: (shared: Shared, settings: Settings) => Core = freeCore(
  makePair(true),
  configured,
  RawConversation
)

/** @internal */
export const polyCore: (shared: Shared, settings: Settings) => Core = freeCore(
  ({ recvBuffer, sendBuffer, ttl }, world) => new Poly1Machine({ send: sendBuffer, recv: recvBuffer }, ttl, world),
  configured,
  PolyConversation
)
