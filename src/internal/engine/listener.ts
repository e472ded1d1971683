import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import type { ByteStream } from "../../ByteStream.js"
import * as Errors from "../../Errors.js"
import type * as Api from "../../Listener.js"
import type { Socket } from "../../Socket.js"
import type { Accepted, AcceptError, Acceptor, HandshakeError } from "../../Transport.js"
import type { Watcher } from "./attach.js"
import { attach } from "./attach.js"
import type { Endpoint } from "./endpoint.js"
import * as Endpoints from "./endpoint.js"
import * as Options from "./options.js"
import type { SocketImpl } from "./socket.js"

/** @internal */
export const TypeId: Api.TypeId = Symbol.for("effect-nng/Listener") as Api.TypeId

type State = Api.State | { readonly _tag: "Starting" }

/** What to wait after a failure to accept: little where memory or descriptors may soon be free again. */
const coolDown = (error: AcceptError): Duration.Duration =>
  error._tag === "NNG_ENOMEM" || error._tag === "NNG_ENOFILES" ? Duration.millis(10) : Duration.millis(100)

/** Connections that have not greeted yet, or that the socket is looking at; the next takes the place of the oldest. */
const mostGreeting = 1024

/** A pipe of this listener, and the scope that its connection lives in. */
class Serving implements Watcher {
  constructor(
    private readonly listener: ListenerImpl,
    private readonly scope: Scope.CloseableScope
  ) {}

  attached(): void {
    this.listener.accepts++
    this.listener.pipes++
  }

  ended(): void {
    this.listener.endpoint.socket.services.fork(Scope.close(this.scope, Exit.void))
  }

  removed(): void {
    this.listener.pipes--
  }
}

/** @internal */
export class ListenerImpl extends Endpoints.EndpointImpl<State, Api.Event> implements Api.Listener {
  readonly [TypeId]: Api.TypeId = TypeId
  current: State = { _tag: "Idle" }
  pipes = 0
  accepts = 0
  private reject = 0
  /** Those whose connections are not pipes yet, in the order of their coming. */
  private readonly greeting = new Map<Fiber.RuntimeFiber<void>, Accepted>()
  /** What it holds while it listens. */
  private bound: Scope.CloseableScope | undefined = undefined
  private acceptor: Acceptor | undefined = undefined
  /** Its URL with the port that it had last. */
  private resolved: string | undefined = undefined

  constructor(
    endpoint: Endpoint,
    readonly configuration: Api.Configuration
  ) {
    super("Listener", endpoint.socket.services.ids.listeners, endpoint)
  }

  get url(): string {
    return this.resolved ?? this.endpoint.url.href
  }

  get state(): Effect.Effect<Api.State> {
    return Effect.sync(() => (this.current._tag === "Starting" ? { _tag: "Idle" } : this.current))
  }

  get statistics(): Effect.Effect<Api.Statistics> {
    return Effect.sync(() => ({
      pipes: this.pipes,
      accepts: this.accepts,
      reject: this.reject,
      failures: this.failures.snapshot
    }))
  }

  get start(): Effect.Effect<void, Api.StartError> {
    return Effect.uninterruptibleMask((restore) => {
      const refusal = this.refuseStart()
      if (refusal !== undefined) return refusal
      this.current = { _tag: "Starting" }
      return Effect.gen(this, function* () {
        const bound = yield* Deferred.make<void, Api.StartError>()
        // in the endpoint's scope, so that it ends with it, however long the transport takes
        const fiber = yield* Effect.forkIn(this.bind(bound), this.endpoint.scope)
        yield* Effect.onInterrupt(restore(Deferred.await(bound)), () =>
          Effect.zipRight(Fiber.interrupt(fiber), this.unbind)
        )
      })
    }).pipe(Effect.withSpan("effect-nng.Listener.start", { attributes: { url: this.url }, captureStackTrace: false }))
  }

  /** Back to where it was before it was started. */
  private readonly unbind: Effect.Effect<void> = Effect.suspend(() => {
    const { bound } = this
    if (bound === undefined || this.current._tag !== "Listening") return Effect.void
    this.current = { _tag: "Idle" }
    this.bound = undefined
    return Scope.close(bound, Exit.void)
  })

  adopt(connection: number | ByteStream): Effect.Effect<void, Api.AdoptError> {
    return Effect.suspend((): Effect.Effect<void, Api.AdoptError> => {
      const details = { operation: "adopt", address: this.url }
      if (this.current._tag === "Closed") return new Errors.ECLOSED(details)
      if (this.current._tag !== "Listening" || this.acceptor === undefined) {
        return new Errors.ESTATE({ ...details, reason: "it is not started" })
      }
      return this.acceptor.adopt === undefined
        ? new Errors.ENOTSUP({ ...details, reason: "its transport makes its connections itself" })
        : this.acceptor.adopt(connection)
    })
  }

  /** A bind that fails, or is interrupted, leaves nothing behind. To be run masked. */
  private bind(bound: Deferred.Deferred<void, Api.StartError>): Effect.Effect<void> {
    const { options, scope: parent, socket, transport, url } = this.endpoint
    const target = { url, protocol: socket.protocol, recvMaxSize: this.configuration.recvMaxSize, options }
    return Effect.gen(this, function* () {
      const scope = yield* Scope.fork(parent, ExecutionStrategy.sequential)
      const exit = yield* Effect.exit(Effect.interruptible(Scope.extend(transport.listen(target), scope)))
      if (Exit.isSuccess(exit)) {
        this.bound = scope
        this.acceptor = exit.value
        this.resolved = exit.value.url.href
        this.current = { _tag: "Listening", url: this.resolved }
        this.broadcast.emit(this.current)
        yield* Effect.forkIn(Effect.interruptible(this.acceptAll(exit.value, scope)), scope)
        yield* Deferred.succeed(bound, void 0)
        return
      }
      this.current = { _tag: "Idle" }
      yield* Scope.close(scope, exit)
      yield* Deferred.failCause(
        bound,
        Exit.isInterrupted(exit)
          ? Cause.fail(
              new Errors.ECLOSED({ operation: "listen", address: url.href, reason: "closed while it started" })
            )
          : exit.cause
      )
    })
  }

  private acceptAll(acceptor: Acceptor, parent: Scope.Scope): Effect.Effect<void> {
    const acceptOne = Effect.flatMap(Scope.fork(parent, ExecutionStrategy.sequential), (scope) =>
      Scope.extend(acceptor.accept, scope).pipe(
        Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause))),
        Effect.flatMap((accepted) => this.greet(accepted, scope, parent))
      )
    )
    return acceptOne.pipe(
      Effect.catchAll((error) => {
        // it was closed underneath: nothing failed, and nothing more will come
        if (error._tag === "NNG_ECLOSED") return Effect.interrupt
        this.failures.count(error)
        this.broadcast.emit({ _tag: "AcceptFailed", error })
        return Effect.sleep(coolDown(error))
      }),
      Effect.forever
    )
  }

  /** Serves a connection in a fiber of its own. Whoever says nothing costs that and no more: there are only so many. */
  private greet(accepted: Accepted, scope: Scope.CloseableScope, parent: Scope.Scope): Effect.Effect<void> {
    const [oldest] = this.greeting.size < mostGreeting ? [] : this.greeting
    const serving = Effect.map(Effect.forkIn(this.serve(accepted, scope), parent), (fiber) => {
      this.greeting.set(fiber, accepted)
      fiber.addObserver(() => this.greeting.delete(fiber))
    })
    return oldest === undefined ? serving : Effect.zipRight(this.turnAway(...oldest), serving)
  }

  private turnAway(fiber: Fiber.RuntimeFiber<void>, accepted: Accepted): Effect.Effect<void> {
    this.greeting.delete(fiber)
    const reason = `${mostGreeting} others came, and it had not greeted`
    this.failed(accepted, new Errors.ETIMEDOUT({ operation: "handshake", reason }))
    return Fiber.interruptFork(fiber)
  }

  private failed({ properties: { remoteAddress } }: Accepted, error: HandshakeError): void {
    this.failures.count(error)
    this.broadcast.emit({ _tag: "HandshakeFailed", error, remoteAddress })
  }

  /** One connection, from its handshake until it is a pipe or is turned away; nobody else waits for it. */
  private serve(accepted: Accepted, scope: Scope.CloseableScope): Effect.Effect<void> {
    const { socket } = this.endpoint
    const origin = { _tag: "Listener", id: this.id, url: this.url } as const
    return Effect.gen(this, function* () {
      const connection = yield* Scope.extend(accepted.handshake, scope)
      const refusal = yield* attach(socket, connection, origin, scope, new Serving(this, scope))
      if (refusal === undefined) return
      this.reject++
      yield* Scope.close(scope, Exit.void)
    }).pipe(
      Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause))),
      Effect.catchAll((error) => {
        this.failed(accepted, error)
        return Effect.logDebug("handshake failed").pipe(Effect.annotateLogs({ url: this.url, error: error.message }))
      })
    )
  }

  toJSON(): unknown {
    return { _id: "effect-nng/Listener", id: this.id, url: this.url, state: this.current._tag }
  }
}

/** @internal */
export const make = (
  socket: Socket,
  url: string,
  options: Api.Options = {}
): Effect.Effect<ListenerImpl, Api.MakeError | Errors.EBUSY, Scope.Scope> =>
  Endpoints.make(
    socket as SocketImpl,
    "listen",
    url,
    options,
    (endpoint) =>
      Either.map(
        Options.change(endpoint.socket.settings, { recvMaxSize: options.recvMaxSize }),
        ({ recvMaxSize }) => new ListenerImpl(endpoint, { recvMaxSize })
      ),
    (listener) => listener.release
  )

/** @internal */
export const start = (self: Api.Listener): Effect.Effect<void, Api.StartError> => (self as ListenerImpl).start

/** @internal */
export const adopt = (self: Api.Listener, connection: number | ByteStream): Effect.Effect<void, Api.AdoptError> =>
  (self as ListenerImpl).adopt(connection)
