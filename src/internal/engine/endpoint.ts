import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Errors from "../../Errors.js"
import type { Transport, TransportOptions } from "../../Transport.js"
import type * as Url from "../../Url.js"
import { Broadcast } from "./broadcast.js"
import { choose } from "../ports/choose.js"
import { allocate } from "../ports/ids.js"
import type { IdMap } from "../vocabulary/idMap.js"
import { Shown } from "../vocabulary/shown.js"
import type { SocketImpl } from "./socket.js"

/**
 * What dialers and listeners are made with.
 *
 * @internal
 */
export interface Endpoint {
  readonly socket: SocketImpl
  readonly url: Url.Url
  readonly transport: Transport
  readonly options: TransportOptions
  /** Ends with the socket, and with the scope that the endpoint was made in. */
  readonly scope: Scope.CloseableScope
}

type MakeError = Errors.EADDRINVAL | Errors.EINVAL | Errors.ENOTSUP | Errors.ECLOSED

/**
 * Makes an endpoint of a socket; `release` is what its end takes.
 *
 * @internal
 */
export const make = <A>(
  socket: SocketImpl,
  role: "dial" | "listen",
  text: string,
  options: TransportOptions,
  construct: (endpoint: Endpoint) => Either.Either<A, Errors.EINVAL>,
  release: (endpoint: A) => Effect.Effect<void>
): Effect.Effect<A, MakeError | Errors.EBUSY, Scope.Scope> =>
  Effect.uninterruptible(
    Effect.scopeWith((caller): Effect.Effect<A, MakeError | Errors.EBUSY, Scope.Scope> => {
      const refusal = socket.refuses(role, text)
      if (refusal !== undefined) return refusal
      return Effect.gen(function* () {
        const found = yield* choose(socket.services.transports, role, text, options)
        const scope = yield* Scope.fork(caller, ExecutionStrategy.sequential)
        yield* endWith(scope, socket.services.scope)
        const endpoint = yield* Effect.onError(construct({ ...found, socket, scope }), (cause) =>
          Scope.close(scope, Exit.failCause(cause))
        )
        yield* Scope.addFinalizer(scope, release(endpoint))
        return endpoint
      })
    })
  )

/** Closes `scope` with `other` too, and leaves nothing there when it closes before. */
const endWith = (scope: Scope.CloseableScope, other: Scope.Scope): Effect.Effect<void> =>
  Effect.flatMap(Scope.fork(other, ExecutionStrategy.sequential), (link) =>
    Effect.zipRight(
      Scope.addFinalizer(link, Scope.close(scope, Exit.void)),
      Scope.addFinalizer(scope, Scope.close(link, Exit.void))
    )
  )

/**
 * Counts failures by their tag.
 *
 * @internal
 */
export class Tally {
  private readonly counts: { [Tag in Errors.Tag]?: number } = {}

  count(error: Errors.NngError): void {
    this.counts[error._tag] = (this.counts[error._tag] ?? 0) + 1
  }

  get snapshot(): { readonly [Tag in Errors.Tag]?: number } {
    return { ...this.counts }
  }
}

interface Idle {
  readonly _tag: "Idle"
}

const closed = { _tag: "Closed" } as const

/**
 * What a dialer and a listener have in common.
 *
 * @internal
 */
export abstract class EndpointImpl<
  State extends { readonly _tag: string },
  Event extends { readonly _tag: string }
> extends Shown {
  readonly id: number
  abstract current: State | Idle | typeof closed
  abstract get url(): string
  readonly broadcast = new Broadcast<Event | typeof closed>()
  protected readonly failures = new Tally()

  constructor(
    private readonly kind: "Dialer" | "Listener",
    private readonly ids: IdMap<object>,
    readonly endpoint: Endpoint
  ) {
    super()
    this.id = allocate(ids, this)
  }

  /** What is left to do when its fibers have ended. */
  readonly release: Effect.Effect<void> = Effect.sync(() => {
    this.current = closed
    this.broadcast.emit(closed)
    this.broadcast.end()
    this.ids.remove(this.id)
  })

  get close(): Effect.Effect<void, Errors.ENOENT> {
    return Effect.suspend(() => {
      const { scope, socket } = this.endpoint
      return this.current._tag === "Closed"
        ? new Errors.ENOENT(this.details("close"))
        : Effect.flatMap(Effect.forkIn(Scope.close(scope, Exit.void), socket.services.home), (fiber) =>
            Effect.asVoid(fiber.await)
          )
    })
  }

  /** Why it cannot be started now. */
  protected refuseStart(): Errors.ECLOSED | Errors.ENOENT | Errors.ESTATE | undefined {
    if (this.endpoint.socket.closing) {
      return new Errors.ECLOSED({ ...this.details("start"), reason: "the socket is closed" })
    }
    if (this.current._tag === "Closed") return new Errors.ENOENT(this.details("start"))
    return this.current._tag === "Idle"
      ? undefined
      : new Errors.ESTATE({ ...this.details("start"), reason: `the ${this.kind.toLowerCase()} is started already` })
  }

  private details(operation: string): Errors.Details {
    return {
      operation: `${this.kind}.${operation}`,
      address: this.url,
      reason: `the ${this.kind.toLowerCase()} is closed`
    }
  }
}
