import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import type { Aio } from "../../Aio.js"
import type * as Api from "../../Dialer.js"
import * as Errors from "../../Errors.js"
import type { Socket } from "../../Socket.js"
import * as aio from "../ports/aio.js"
import type { Watcher } from "./attach.js"
import { attach } from "./attach.js"
import type { Backoff } from "./backoff.js"
import * as Backoffs from "./backoff.js"
import type { Endpoint } from "./endpoint.js"
import * as Endpoints from "./endpoint.js"
import * as Options from "./options.js"
import type { PipeImpl } from "./pipe.js"
import type { SocketImpl } from "./socket.js"

/** @internal */
export const TypeId: Api.TypeId = Symbol.for("effect-nng/Dialer") as Api.TypeId

/** Why an attempt came to nothing, or a connection to its end. */
type Setback =
  | {
      readonly _tag: "Failed"
      readonly error: Errors.NngError
      /** What a first attempt fails with; without it there was a connection, and the dialer counts as started. */
      readonly startError: Api.StartError | undefined
    }
  | { readonly _tag: "Disconnected"; readonly pipe: PipeImpl; readonly error: Errors.NngError }

type Restore = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

type First = Deferred.Deferred<void, Api.StartError>

/** @internal */
export class DialerImpl extends Endpoints.EndpointImpl<Api.State, Api.Event> implements Api.Dialer, Watcher {
  readonly [TypeId]: Api.TypeId = TypeId
  current: Api.State = { _tag: "Idle" }
  private connects = 0
  private reject = 0
  /** While it attempts or waits. */
  private fiber: Fiber.RuntimeFiber<void> | undefined = undefined
  /** While it is connected, or about to be. */
  private connectionScope: Scope.CloseableScope | undefined = undefined
  /** To be told of the first connection. */
  private first: First | undefined = undefined

  constructor(
    endpoint: Endpoint,
    readonly settings: Options.Settings,
    private readonly backoff: Backoff
  ) {
    super("Dialer", endpoint.socket.services.ids.dialers, endpoint)
  }

  get url(): string {
    return this.endpoint.url.href
  }

  get configuration(): Api.Configuration {
    const { reconnectMax, reconnectMin, recvMaxSize } = this.settings
    return { reconnectMin: Duration.millis(reconnectMin), reconnectMax: Duration.millis(reconnectMax), recvMaxSize }
  }

  get state(): Effect.Effect<Api.State> {
    return Effect.sync(() => this.current)
  }

  get statistics(): Effect.Effect<Api.Statistics> {
    return Effect.sync(() => ({
      pipes: this.current._tag === "Connected" ? 1 : 0,
      connects: this.connects,
      reject: this.reject,
      failures: this.failures.snapshot
    }))
  }

  start({ nonblocking = false }: Api.StartOptions = {}): Effect.Effect<void, Api.StartError> {
    return Effect.uninterruptibleMask((restore) => {
      const refusal = this.refuseStart()
      if (refusal !== undefined) return refusal
      this.current = { _tag: "Connecting", attempt: 1 }
      return nonblocking ? this.fork(undefined, this.loop(undefined)) : this.startAndWait(restore)
    }).pipe(Effect.withSpan("effect-nng.Dialer.start", { attributes: { url: this.url }, captureStackTrace: false }))
  }

  private startAndWait(restore: Restore): Effect.Effect<void, Api.StartError> {
    return Effect.gen(this, function* () {
      const first = yield* Deferred.make<void, Api.StartError>()
      yield* this.fork(first, this.loop(first))
      yield* Effect.onInterrupt(restore(Deferred.await(first)), () => this.abandon)
    })
  }

  /** Back to where it was before it was started. */
  private readonly abandon = Effect.suspend(() => {
    const { fiber } = this
    return Effect.zipRight(
      fiber === undefined ? Effect.void : Fiber.interrupt(fiber),
      Effect.suspend(() => {
        this.toIdle()
        return this.disconnect
      })
    )
  })

  private readonly disconnect = Effect.suspend(() => {
    const scope = this.connectionScope
    this.connectionScope = undefined
    return scope === undefined ? Effect.void : Scope.close(scope, Exit.void)
  })

  private toIdle(): void {
    if (this.current._tag !== "Closed") this.current = { _tag: "Idle" }
    this.fiber = undefined
    this.backoff.reset()
  }

  /**
   * Runs the attempts until one succeeds; a connected dialer has no fiber. Masked from birth, so that its end is told
   * even if it never gets to begin.
   */
  private fork(first: First | undefined, attempts: Effect.Effect<boolean>): Effect.Effect<void> {
    const life = Effect.flatMap(Effect.exit(Effect.interruptible(attempts)), (exit) =>
      Effect.withFiberRuntime<void>((self) => {
        // it may have connected, lost the connection and begun anew in the meantime
        const current = this.fiber === self
        if (current) this.fiber = undefined
        if (Exit.isSuccess(exit) && exit.value) return Effect.void
        if (current) this.toIdle()
        const told = first === undefined ? Effect.void : Deferred.failCause(first, this.causeOfEnd(exit))
        return Exit.isFailure(exit) && !Exit.isInterrupted(exit)
          ? Effect.zipRight(told, Effect.logError("the dialer died", exit.cause))
          : Effect.asVoid(told)
      })
    )
    return Effect.uninterruptible(
      Effect.map(Effect.forkIn(life, this.endpoint.scope), (fiber) => {
        this.fiber = fiber
      })
    )
  }

  private causeOfEnd(exit: Exit.Exit<boolean>): Cause.Cause<Api.StartError> {
    return Exit.isFailure(exit) && !Exit.isInterrupted(exit)
      ? exit.cause
      : Cause.fail(new Errors.ECLOSED({ operation: "dial", address: this.url, reason: "closed while it dialed" }))
  }

  /** Tries until it is connected, which is true, or is not to try any more. */
  private loop(first: First | undefined): Effect.Effect<boolean> {
    return Effect.gen(this, function* () {
      for (let attempt = 1; ; attempt++) {
        this.current = { _tag: "Connecting", attempt }
        this.broadcast.emit({ _tag: "Attempt", attempt })
        const setback = yield* this.attempt(first)
        if (setback === undefined) return true
        this.failures.count(setback.error)
        if (first !== undefined && setback.startError !== undefined && !(yield* Deferred.isDone(first))) {
          this.current = { _tag: "Idle" }
          this.broadcast.emit({ _tag: "Failed", attempt, error: setback.error, next: Option.none() })
          yield* Deferred.fail(first, setback.startError)
          return false
        }
        if (!(yield* this.waitAfter(setback, attempt))) return false
      }
    })
  }

  /** False when the schedule has had enough. */
  private waitAfter(setback: Setback, attempt: number): Effect.Effect<boolean> {
    return Effect.gen(this, function* () {
      const { error } = setback
      const next = yield* this.backoff.next(error)
      if (Option.isSome(next)) {
        const until = (yield* Clock.currentTimeMillis) + Duration.toMillis(next.value)
        this.current = { _tag: "Waiting", until, error }
      }
      this.broadcast.emit(
        setback._tag === "Failed"
          ? { _tag: "Failed", attempt, error, next }
          : { _tag: "Disconnected", pipe: setback.pipe, reason: error, next }
      )
      yield* Effect.logDebug(setback._tag === "Failed" ? "dial failed" : "disconnected").pipe(
        Effect.annotateLogs({ url: this.url, error: error.message })
      )
      if (Option.isNone(next)) return false
      yield* Effect.sleep(next.value)
      return true
    })
  }

  /** One attempt; what it opened stays open only if it succeeds. */
  private attempt(first: First | undefined): Effect.Effect<Extract<Setback, { _tag: "Failed" }> | undefined> {
    const { options, scope: parent, socket, transport, url } = this.endpoint
    const target = { url, protocol: socket.protocol, recvMaxSize: this.settings.recvMaxSize, options }
    const origin = { _tag: "Dialer", id: this.id, url: this.url } as const
    return Effect.gen(this, function* () {
      const scope = yield* Scope.fork(parent, ExecutionStrategy.sequential)
      this.connectionScope = scope
      const connection = yield* Scope.extend(transport.dial(target), scope)
      this.first = first
      const refusal = yield* attach(socket, connection, origin, scope, this)
      if (refusal === undefined) return undefined
      this.reject++
      const startError = refusal._tag === "NNG_EPROTO" ? refusal : undefined
      // what a socket says against this peer now may not hold for ever; that it speaks another protocol does
      if (first !== undefined && startError === undefined) yield* Deferred.succeed(first, void 0)
      yield* this.disconnect
      return { _tag: "Failed", error: refusal, startError } as const
    }).pipe(
      Effect.onError(() => this.disconnect),
      Effect.catchAll((error) => Effect.succeed({ _tag: "Failed", error, startError: error } as const))
    )
  }

  attached(pipe: PipeImpl): void {
    this.connects++
    this.backoff.reset()
    this.current = { _tag: "Connected", pipe }
    this.broadcast.emit({ _tag: "Connected", pipe })
    if (this.first !== undefined) Deferred.unsafeDone(this.first, Exit.void)
    this.first = undefined
  }

  ended(pipe: PipeImpl): void {
    if (this.current._tag !== "Connected" || this.current.pipe !== pipe) return
    const again = Effect.zipRight(
      Effect.uninterruptible(this.disconnect),
      Effect.flatMap(this.waitAfter({ _tag: "Disconnected", pipe, error: pipe.reason! }, 0), (goOn) =>
        goOn ? this.loop(undefined) : Effect.succeed(false)
      )
    )
    this.endpoint.socket.services.fork(this.fork(undefined, again))
  }

  toJSON(): unknown {
    return { _id: "effect-nng/Dialer", id: this.id, url: this.url, state: this.current._tag }
  }
}

const backoffOf = (settings: Options.Settings, options: Api.Options): Backoff =>
  options.reconnect === undefined
    ? Backoffs.random(settings.reconnectMin, settings.reconnectMax)
    : Backoffs.scheduled(options.reconnect)

/** @internal */
export const make = (
  socket: Socket,
  url: string,
  options: Api.Options = {}
): Effect.Effect<DialerImpl, Api.MakeError | Errors.EBUSY, Scope.Scope> =>
  Endpoints.make(
    socket as SocketImpl,
    "dial",
    url,
    options,
    (endpoint) =>
      Either.map(
        Options.change(endpoint.socket.settings, {
          reconnectMin: options.reconnectMin,
          reconnectMax: options.reconnectMax,
          recvMaxSize: options.recvMaxSize
        }),
        (settings) => new DialerImpl(endpoint, settings, backoffOf(settings, options))
      ),
    (dialer) => dialer.release
  )

/** @internal */
export const start = (self: Api.Dialer, options?: Api.StartOptions): Effect.Effect<void, Api.StartError> =>
  (self as DialerImpl).start(options)

/** @internal */
export const startAio = (self: Api.Dialer, handle: Aio, options: Api.StartOptions = {}): Effect.Effect<void> => {
  const operation: Effect.Effect<void, Api.StartError> =
    options.nonblocking === true
      ? start(self)
      : new Errors.EINVAL({
          operation: "Dialer.startAio",
          address: self.url,
          reason: "it never waits, and wants the nonblocking flag to say so"
        })
  return Effect.asVoid(Effect.orDie(aio.start(handle, operation)))
}
