import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { format, NodeInspectSymbol } from "effect/Inspectable"
import * as Option from "effect/Option"
import { pipeArguments } from "effect/Pipeable"
import * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { Aio } from "../../Aio.js"
import type * as Api from "../../Dialer.js"
import * as Errors from "../../Errors.js"
import type { Socket } from "../../Socket.js"
import * as aio from "../ports/aio.js"
import { run as runPipe } from "./attach.js"
import type { Backoff } from "./backoff.js"
import * as Backoffs from "./backoff.js"
import { Broadcast } from "./broadcast.js"
import type { Endpoint } from "./endpoint.js"
import * as Endpoints from "./endpoint.js"
import { allocate } from "./ids.js"
import * as Options from "./options.js"
import type { PipeImpl } from "./pipe.js"
import type { SocketImpl } from "./socket.js"

/** @internal */
export const TypeId: Api.TypeId = Symbol.for("effect-nng/Dialer") as Api.TypeId

/** How one attempt ended, and what came of it. */
type Outcome =
  | {
      readonly _tag: "Failed"
      readonly error: Errors.NngError
      /** What a first attempt fails with; without it there was a connection, and the dialer counts as started. */
      readonly startError: Api.StartError | undefined
    }
  | { readonly _tag: "Disconnected"; readonly pipe: PipeImpl; readonly reason: Errors.NngError }

type First = Deferred.Deferred<void, Api.StartError>

class DialerImpl implements Api.Dialer {
  readonly [TypeId]: Api.TypeId = TypeId
  readonly id: number
  current: Api.State = { _tag: "Idle" }
  private readonly broadcast = new Broadcast<Api.Event>()
  private readonly failures = new Endpoints.Tally()
  private connects = 0
  private reject = 0

  constructor(
    readonly endpoint: Endpoint,
    readonly settings: Options.Settings,
    private readonly backoff: Backoff
  ) {
    this.id = allocate(endpoint.socket.services.ids.dialers, this)
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

  get events(): Stream.Stream<Api.Event> {
    return this.broadcast.stream(() => this.broadcast.last)
  }

  get statistics(): Effect.Effect<Api.Statistics> {
    return Effect.sync(() => ({
      pipes: this.current._tag === "Connected" ? 1 : 0,
      connects: this.connects,
      reject: this.reject,
      failures: this.failures.snapshot
    }))
  }

  get close(): Effect.Effect<void, Errors.ENOENT> {
    return Effect.suspend(() =>
      this.current._tag === "Closed"
        ? new Errors.ENOENT({ operation: "Dialer.close", address: this.url, reason: "the dialer is closed" })
        : Effect.flatMap(
            Effect.forkIn(Scope.close(this.endpoint.scope, Exit.void), this.endpoint.socket.services.home),
            (fiber) => fiber.await
          )
    )
  }

  /** What is left to do when its fiber has ended. */
  readonly release: Effect.Effect<void> = Effect.sync(() => {
    this.current = { _tag: "Closed" }
    this.broadcast.emit({ _tag: "Closed" })
    this.broadcast.end()
    this.endpoint.socket.services.ids.dialers.remove(this.id)
  })

  start({ nonblocking = false }: Api.StartOptions = {}): Effect.Effect<void, Api.StartError> {
    return Effect.suspend(() => {
      const refusal = this.refuseStart()
      if (refusal !== undefined) return refusal
      this.current = { _tag: "Connecting", attempt: 1 }
      return nonblocking ? Effect.asVoid(this.fork(undefined)) : this.startAndWait
    }).pipe(Effect.withSpan("effect-nng.Dialer.start", { attributes: { url: this.url }, captureStackTrace: false }))
  }

  private readonly startAndWait = Effect.uninterruptibleMask((restore) =>
    Effect.gen(this, function* () {
      const first = yield* Deferred.make<void, Api.StartError>()
      const fiber = yield* this.fork(first)
      yield* Effect.onInterrupt(restore(Deferred.await(first)), () => Fiber.interrupt(fiber))
    })
  )

  private refuseStart(): Errors.ECLOSED | Errors.ENOENT | Errors.ESTATE | undefined {
    const details = (reason: string) => ({ operation: "Dialer.start", address: this.url, reason })
    if (this.endpoint.socket.closing) return new Errors.ECLOSED(details("the socket is closed"))
    if (this.current._tag === "Closed") return new Errors.ENOENT(details("the dialer is closed"))
    return this.current._tag === "Idle" ? undefined : new Errors.ESTATE(details("the dialer is started already"))
  }

  /** The one fiber of a started dialer. Masked from birth, so that its end is told even if it never gets to begin. */
  private fork(first: First | undefined): Effect.Effect<Fiber.RuntimeFiber<void>> {
    const life = Effect.flatMap(Effect.exit(Effect.interruptible(this.loop(first))), (exit) => {
      this.current = { _tag: "Idle" }
      this.backoff.reset()
      const told = first === undefined ? Effect.void : Deferred.failCause(first, this.causeOfEnd(exit))
      return Exit.isFailure(exit) && !Exit.isInterrupted(exit)
        ? Effect.zipRight(told, Effect.logError("the dialer died", exit.cause))
        : told
    })
    return Effect.uninterruptible(Effect.forkIn(Effect.asVoid(life), this.endpoint.scope))
  }

  private causeOfEnd(exit: Exit.Exit<void>): Cause.Cause<Api.StartError> {
    return Exit.isFailure(exit) && !Exit.isInterrupted(exit)
      ? exit.cause
      : Cause.fail(new Errors.ECLOSED({ operation: "dial", address: this.url, reason: "closed while it dialed" }))
  }

  private loop(first: First | undefined): Effect.Effect<void> {
    return Effect.gen(this, function* () {
      for (let attempt = 1; ; attempt++) {
        this.current = { _tag: "Connecting", attempt }
        this.broadcast.emit({ _tag: "Attempt", attempt })
        const outcome = yield* this.attempt(first)
        if (outcome._tag === "Failed") {
          const { error, startError } = outcome
          this.failures.count(error)
          if (first !== undefined && startError !== undefined && !(yield* Deferred.isDone(first))) {
            this.current = { _tag: "Idle" }
            this.broadcast.emit({ _tag: "Failed", attempt, error, next: Option.none() })
            yield* Deferred.fail(first, startError)
            return
          }
        }
        if (!(yield* this.waitAfter(outcome, attempt))) return
        if (outcome._tag === "Disconnected") attempt = 0
      }
    })
  }

  /** False when the schedule has had enough. */
  private waitAfter(outcome: Outcome, attempt: number): Effect.Effect<boolean> {
    return Effect.gen(this, function* () {
      const error = outcome._tag === "Failed" ? outcome.error : outcome.reason
      const next = yield* this.backoff.next(error)
      this.broadcast.emit(
        outcome._tag === "Failed"
          ? { _tag: "Failed", attempt, error, next }
          : { _tag: "Disconnected", pipe: outcome.pipe, reason: error, next }
      )
      yield* Effect.logDebug(outcome._tag === "Failed" ? "dial failed" : "disconnected").pipe(
        Effect.annotateLogs({ url: this.url, error: error.message })
      )
      if (Option.isNone(next)) return false
      const until = (yield* Clock.currentTimeMillis) + Duration.toMillis(next.value)
      this.current = { _tag: "Waiting", until, error }
      yield* Effect.sleep(next.value)
      return true
    })
  }

  private attempt(first: First | undefined): Effect.Effect<Outcome> {
    const { options, socket, transport, url } = this.endpoint
    const target = { url, protocol: socket.protocol, recvMaxSize: this.settings.recvMaxSize, options }
    return Effect.gen(this, function* () {
      const connection = yield* transport.dial(target)
      let refused = false
      const origin = { _tag: "Dialer", id: this.id, url: this.url } as const
      const { pipe, reason } = yield* runPipe(socket, connection, origin, {
        attached: (pipe) => this.connected(pipe, first),
        refused: (_, reason) => {
          refused = true
          this.reject++
          // what a socket says against this peer now may not hold for ever; that it speaks another protocol does
          if (first !== undefined && reason._tag !== "NNG_EPROTO") Deferred.unsafeDone(first, Exit.void)
        }
      })
      const outcome: Outcome = refused
        ? { _tag: "Failed", error: reason, startError: reason._tag === "NNG_EPROTO" ? reason : undefined }
        : { _tag: "Disconnected", pipe, reason }
      return outcome
    }).pipe(
      Effect.scoped,
      Effect.catchAll((error) => Effect.succeed<Outcome>({ _tag: "Failed", error, startError: error }))
    )
  }

  private connected(pipe: PipeImpl, first: First | undefined): void {
    this.connects++
    this.backoff.reset()
    this.current = { _tag: "Connected", pipe }
    this.broadcast.emit({ _tag: "Connected", pipe })
    if (first !== undefined) Deferred.unsafeDone(first, Exit.void)
  }

  toJSON(): unknown {
    return { _id: "effect-nng/Dialer", id: this.id, url: this.url, state: this.current._tag }
  }

  toString(): string {
    return format(this.toJSON())
  }

  [NodeInspectSymbol](): unknown {
    return this.toJSON()
  }

  pipe() {
    // eslint-disable-next-line prefer-rest-params
    return pipeArguments(this, arguments)
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
): Effect.Effect<DialerImpl, Api.MakeError, Scope.Scope> =>
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
