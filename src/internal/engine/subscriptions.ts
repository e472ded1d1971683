// hot path: bench/src/rows/pub-10.js
import type * as Exit from "effect/Exit"
import type * as Errors from "../../Errors.js"
import type { Subscriber } from "../protocol/sub0.js"
import { Sub0Machine } from "../protocol/sub0.js"
import type { Core, Shared } from "./conversation.js"
import { FreeConversation } from "./free.js"
import type { Settings } from "./options.js"

/** The subscribers of one socket. */
class Subscriptions {
  readonly machine: Sub0Machine
  readonly all = new Set<SubscriberConversation>()

  constructor(readonly shared: Shared) {
    this.machine = new Sub0Machine(shared.world)
  }
}

/**
 * A socket's own subscriptions, or those of one of its contexts.
 *
 * @internal
 */
export class SubscriberConversation extends FreeConversation {
  constructor(
    private readonly subscriptions: Subscriptions,
    readonly subscriber: Subscriber,
    settings: Settings
  ) {
    super(subscriber, subscriptions.shared, settings)
    subscriber.demand = () => this.receivers.demand
    subscriptions.all.add(this)
  }

  /** The socket calls its own alone, and a message may be for any. */
  override notify(): void {
    for (const { receivers } of this.subscriptions.all) receivers.notify()
  }

  override configure(settings: Settings): void {
    super.configure(settings)
    this.subscriber.preferNew = settings.preferNew
    this.shared.world.losses.resized += this.subscriber.resize(settings.recvBuffer)
  }

  protected override endRecvs(closed: Exit.Exit<never, Errors.ECLOSED>): void {
    super.endRecvs(closed)
    this.subscriptions.all.delete(this)
    this.shared.world.losses.closed += this.subscriptions.machine.shut(this.subscriber)
  }
}

/** @internal */
export const core = (shared: Shared, settings: Settings): Core => {
  const subscriptions = new Subscriptions(shared)
  const { machine } = subscriptions
  const open = (settings: Settings) =>
    new SubscriberConversation(subscriptions, machine.open(settings.recvBuffer, settings.preferNew), settings)
  return { machine, conversation: open(settings), open }
}
