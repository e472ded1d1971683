import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Runtime from "effect/Runtime"
import * as Scope from "effect/Scope"
import { Entropy } from "../../Entropy.js"
import * as Errors from "../../Errors.js"
import type { Origin, Pipe, PipeEvent } from "../../Pipe.js"
import type { Protocol } from "../../Protocol.js"
import type * as Api from "../../Socket.js"
import type * as Contexts from "../../SocketContext.js"
import type { Connection } from "../../Transport.js"
import { Transports } from "../../Transport.js"
import { Stint, Turn } from "../../Turn.js"
import type { Losses, Machine } from "../protocol/machine.js"
import { Broadcast } from "./broadcast.js"
import type { Conversation, Core, Shared } from "./conversation.js"
import { Deadlines } from "../ports/deadlines.js"
import type { IdSpaces } from "../ports/ids.js"
import { allocate, Ids } from "../ports/ids.js"
import * as Options from "./options.js"
import { PipeImpl } from "./pipe.js"
import { Signal } from "../ports/signal.js"
import { Shown } from "../vocabulary/shown.js"

/** @internal */
export const TypeId: Api.TypeId = Symbol.for("effect-nng/Socket") as Api.TypeId
/** @internal */
export const CanSendTypeId: Api.CanSendTypeId = Symbol.for("effect-nng/Socket/CanSend") as Api.CanSendTypeId
/** @internal */
export const CanRecvTypeId: Api.CanRecvTypeId = Symbol.for("effect-nng/Socket/CanRecv") as Api.CanRecvTypeId
/** @internal */
export const HasContextsTypeId: Contexts.HasContextsTypeId = Symbol.for(
  "effect-nng/Socket/HasContexts"
) as Contexts.HasContextsTypeId
/** @internal */
export const ConfigurableTypeId: Api.ConfigurableTypeId = Symbol.for(
  "effect-nng/Socket/Configurable"
) as Api.ConfigurableTypeId

/** @internal Stand in for the types in a mark. */
export const anyError = { _E: (error: never): never => error }
const anyContext = { _C: (context: never): never => context, _O: () => {} }
/** @internal */
export const anyOptions = (): void => {}

/**
 * What a protocol module says of its sockets.
 *
 * @internal
 */
export interface Spec {
  readonly protocol: Protocol
  readonly raw: boolean
  readonly canSend: boolean
  readonly canRecv: boolean
  /** The options that it has beside those of every socket. */
  readonly options: ReadonlyArray<keyof Options.Settings>
  /** Those that its contexts have beside those of every context; undefined: it has no contexts. */
  readonly contextOptions?: ReadonlyArray<keyof Options.Settings>
  /** Where its settings begin otherwise than those of most. */
  readonly defaults?: Partial<Options.Settings>
  /** Whether it has many peers where others of its protocol have one. */
  readonly polyamorous?: boolean
  readonly core: (shared: Shared, settings: Options.Settings) => Core
}

/** @internal */
export type Input = Options.Input & { readonly beforeAttach?: Api.BeforeAttach | undefined }

interface Services {
  readonly now: () => number
  readonly random: () => number
  /** Runs what nobody waits for: the end of a connection that ended by itself. */
  readonly fork: (effect: Effect.Effect<unknown>) => void
  readonly transports: Transports["Type"]
  readonly deadlines: Deadlines
  readonly turn: Turn["Type"]
  readonly ids: IdSpaces
  readonly pipeIds: ReturnType<IdSpaces["pipes"]>
  /** Where the socket was made; what `close` starts is finished there. */
  readonly home: Scope.Scope
  /** Holds the endpoints, and ends with the socket. */
  readonly scope: Scope.CloseableScope
}

const nothing: ReadonlyArray<never> = []

const closedError = (operation: string) => new Errors.ECLOSED({ operation, reason: "the socket is closed" })

/** @internal */
export class SocketImpl extends Shown implements Api.Socket {
  readonly [TypeId]: Api.TypeId = TypeId
  /** What it can do; undefined: it cannot. Every socket has the fields, and so the same shape. */
  readonly [CanSendTypeId]: typeof anyError | undefined
  readonly [CanRecvTypeId]: typeof anyError | undefined
  readonly [ConfigurableTypeId] = anyOptions
  readonly [HasContextsTypeId]: typeof anyContext | undefined
  readonly id: number
  readonly protocol: Protocol
  readonly raw: boolean
  readonly polyamorous: boolean
  readonly core: Core
  readonly machine: Machine
  readonly conversation: Conversation
  /** Those of its contexts that are open. */
  readonly contexts = new Set<Conversation>()
  settings: Options.Settings
  beforeAttach: Api.BeforeAttach | undefined
  reject = 0
  readonly dropped: Losses = {
    disconnected: 0,
    resized: 0,
    closed: 0,
    stale: 0,
    hops: 0,
    unexpected: 0,
    unroutable: 0,
    full: 0,
    unsubscribed: 0,
    malformed: 0
  }
  readonly counts = { sent: 0, received: 0 }

  private readonly attached = new Map<number, PipeImpl>()
  readonly broadcast = new Broadcast<PipeEvent>()
  readonly changes = new Broadcast<ReadonlyArray<Pipe>>()
  /** For those who wait for its pipes, or what waits for them, to be otherwise. */
  readonly changed = new Signal()
  private readonly closed = Deferred.unsafeMake<void>(FiberId.none)
  closing = false
  /** A device has it. */
  lent = false
  readonly shared: Shared
  /** Messages that were accepted, and lost before they were handed over, since it sends no more. */
  notHandedOver = 0

  constructor(
    readonly spec: Spec,
    readonly services: Services,
    settings: Options.Settings,
    beforeAttach: Api.BeforeAttach | undefined
  ) {
    super()
    this[CanSendTypeId] = spec.canSend ? anyError : undefined
    this[CanRecvTypeId] = spec.canRecv ? anyError : undefined
    this[HasContextsTypeId] = spec.contextOptions === undefined ? undefined : anyContext
    this.id = allocate(services.ids.sockets, this)
    this.protocol = spec.protocol
    this.raw = spec.raw
    this.polyamorous = spec.polyamorous === true
    this.settings = settings
    this.beforeAttach = beforeAttach
    const { deadlines, now, random, turn } = services
    this.shared = {
      deadlines,
      turn,
      stint: new Stint(),
      counts: this.counts,
      world: { now, random, losses: this.dropped },
      sendsClosed: undefined,
      changed: () => this.changed.wake()
    }
    this.core = spec.core(this.shared, settings)
    this.machine = this.core.machine
    this.conversation = this.core.conversation
  }

  get pipes(): ReadonlyArray<PipeImpl> {
    return [...this.attached.values()]
  }

  get statistics(): Effect.Effect<Api.Statistics> {
    return Effect.sync(() => ({
      pipes: this.attached.size,
      reject: this.reject,
      sent: this.counts.sent,
      received: this.counts.received,
      dropped: { ...this.dropped }
    }))
  }

  /** Why nothing can be done with it any more, or for now. */
  refuses(operation: string, address?: string): Errors.ECLOSED | Errors.EBUSY | undefined {
    const details = { operation, ...(address === undefined ? {} : { address }) }
    if (this.closing) return new Errors.ECLOSED({ ...details, reason: "the socket is closed" })
    return this.lent ? new Errors.EBUSY({ ...details, reason: "a device has the socket" }) : undefined
  }

  get close(): Effect.Effect<void, Errors.ECLOSED | Errors.EBUSY> {
    return Effect.suspend(
      (): Effect.Effect<void, Errors.ECLOSED | Errors.EBUSY> =>
        this.refuses("Socket.close") ??
        Effect.flatMap(Effect.forkIn(this.shutdown, this.services.home), (fiber) => Effect.asVoid(fiber.await))
    )
  }

  /** Ends everything, once; whoever asks again waits for that. */
  readonly shutdown: Effect.Effect<void> = Effect.suspend(() => {
    if (this.closing) return Deferred.await(this.closed)
    this.closing = true
    this.notHandedOver += this.machine.queued
    this.conversation.close(closedError("Socket"))
    for (const context of this.contexts) context.close(closedError("Socket"))
    this.dropped.closed += this.machine.close()
    this.changed.wake()
    return Effect.zipRight(
      Scope.close(this.services.scope, Exit.void),
      Effect.suspend(() => {
        this.services.deadlines.close()
        this.broadcast.end()
        this.changes.end()
        this.services.ids.sockets.remove(this.id)
        return Deferred.succeed(this.closed, void 0)
      })
    )
  }).pipe(Effect.uninterruptible)

  emit(event: PipeEvent): void {
    this.broadcast.emit(event)
  }

  open(connection: Connection, origin: Origin): PipeImpl {
    const { pipeIds } = this.services
    const pipe: PipeImpl = new PipeImpl(this, allocate(pipeIds, this), origin, connection)
    return pipe
  }

  /** Gives a pipe to the protocol, or says why not. */
  attach(pipe: PipeImpl): Errors.NngError | undefined {
    if (this.closing) return closedError("attach")
    if (pipe.isGone) return pipe.reason
    pipe.start()
    const refusal = this.machine.attach(pipe)
    if (refusal !== undefined) return refusal
    this.attached.set(pipe.id, pipe)
    pipe.listen()
    this.pipesChanged()
    return undefined
  }

  /** True if it had been attached. */
  detach(pipe: PipeImpl): boolean {
    const attached = this.attached.delete(pipe.id)
    const { doubtful, lost, unsent } = pipe.release()
    this.services.pipeIds.remove(pipe.id)
    // while it closes nobody else is to have it
    const returned = attached && !this.closing ? unsent : nothing
    const withMachine = attached ? this.machine.detach(pipe, returned) : 0
    const inDoubt = doubtful.filter((message) => this.machine.keeps?.(message) !== true).length
    const notHandedOver = unsent.length - returned.length + withMachine + inDoubt
    this.dropped.disconnected += lost + notHandedOver
    if (this.shared.sendsClosed !== undefined) this.notHandedOver += notHandedOver
    if (attached) this.pipesChanged()
    return attached
  }

  /** Another conversation beside its own; whoever opens it takes it out of `contexts` in the end. */
  openContext(settings: Options.Settings): Conversation {
    const context = this.core.open!(settings)
    if (this.closing) context.close(closedError("Socket"))
    else this.contexts.add(context)
    return context
  }

  getPipe(id: number): PipeImpl | undefined {
    return this.attached.get(id)
  }

  get awaits(): boolean {
    return this.conversation.awaits
  }

  readable(pipe: PipeImpl): void {
    this.machine.readable(pipe)
    this.conversation.notify()
    if (this.shared.sendsClosed !== undefined) this.changed.wake()
  }

  writable(pipe: PipeImpl): void {
    this.machine.writable(pipe)
    this.conversation.notify()
    if (this.shared.sendsClosed !== undefined) this.changed.wake()
  }

  ended(pipe: PipeImpl): void {
    this.machine.writable(pipe)
    this.machine.ended?.(pipe, this.conversation.wantsRoom)
    this.conversation.notify()
  }

  configure(input: Options.Input): Either.Either<void, Errors.EINVAL> {
    return Either.map(Options.change(this.settings, input), (settings) => {
      const { recvBuffer, sendBuffer } = this.settings
      this.settings = settings
      this.conversation.configure(settings)
      this.core.configured?.(settings)
      // what came back from a lost peer beyond the capacity stays, unless that is changed
      if (settings.sendBuffer !== sendBuffer || settings.recvBuffer !== recvBuffer) {
        this.dropped.resized += this.machine.resize({ send: settings.sendBuffer, recv: settings.recvBuffer })
      }
      this.conversation.notify()
      this.changed.wake()
    })
  }

  awaitPeers(n: number): Effect.Effect<void, Errors.ECLOSED> {
    return Effect.suspend(() => {
      if (this.closing) return closedError("awaitPeers")
      return this.attached.size >= n
        ? Effect.void
        : Effect.zipRight(
            this.changed.until(() => this.closing || this.attached.size >= n),
            this.awaitPeers(n)
          )
    })
  }

  private pipesChanged(): void {
    this.conversation.notify()
    if (this.changes.heard) this.changes.emit(this.pipes)
    this.changed.wake()
  }

  toJSON(): unknown {
    return {
      _id: "effect-nng/Socket",
      id: this.id,
      protocol: this.protocol.name,
      raw: this.raw,
      closed: this.closing,
      pipes: [...this.attached.keys()]
    }
  }
}

const services: Effect.Effect<Services, never, Scope.Scope | Transports> = Effect.gen(function* () {
  const home = yield* Effect.scope
  const ids = yield* Ids
  const runtime = yield* Effect.runtime<never>()
  const clock = yield* Effect.clock
  const entropy = yield* Entropy
  return {
    now: () => clock.unsafeCurrentTimeMillis(),
    random: () => entropy.unsafeUint32(),
    fork: (effect) => void Runtime.runFork(runtime, effect),
    transports: yield* Transports,
    deadlines: new Deadlines(runtime, clock),
    turn: yield* Turn,
    ids,
    pipeIds: ids.pipes(entropy),
    home,
    scope: yield* Scope.make(ExecutionStrategy.sequential)
  }
})

/** @internal */
export const make = (
  spec: Spec,
  input: Input = {}
): Effect.Effect<SocketImpl, Errors.EINVAL, Scope.Scope | Transports> =>
  Effect.flatMap(Options.change({ ...Options.defaults, ...spec.defaults }, input), (settings) =>
    Effect.flatMap(services, (services) =>
      Effect.acquireRelease(
        Effect.sync(() => new SocketImpl(spec, services, settings, input.beforeAttach)),
        (socket) => socket.shutdown
      )
    )
  )
