import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import * as Http from "node:http"
import type * as Net from "node:net"
import type { Address } from "../../Address.js"
import * as Errors from "../../Errors.js"
import type { AcceptError, HandshakeError } from "../../Transport.js"
import { acquireRelease } from "../ports/scoped.js"
import { Signal } from "../ports/signal.js"
import type { Refusal } from "../wire/upgrade.js"
import { candidates, hostMatches, pathOf } from "../wire/upgrade.js"

/**
 * A request for an upgrade, whole and not answered yet, and what came behind it.
 *
 * @internal
 */
export class Asking {
  private answered = false

  constructor(
    readonly request: Http.IncomingMessage,
    readonly socket: Net.Socket,
    readonly head: Buffer
  ) {
    // Node has taken its own listener away, and without one an error would end the process
    socket.on("error", () => {})
  }

  /** It is somebody else's from now on. */
  hand(): void {
    this.answered = true
  }

  refuse({ reason, status }: Refusal): void {
    if (this.answered) return
    this.answered = true
    answer(this.socket, status, reason)
  }

  readonly drop: Effect.Effect<void> = Effect.sync(() => {
    if (!this.answered) this.socket.destroy()
  })
}

/**
 * Answers and closes.
 *
 * @internal
 */
export const answer = (socket: Net.Socket, status: number, reason: string): void => {
  const body = `${reason}\n`
  const lines = [
    `HTTP/1.1 ${status} ${Http.STATUS_CODES[status]}`,
    "Connection: close",
    "Content-Type: text/plain; charset=UTF-8",
    `Content-Length: ${Buffer.byteLength(body)}`
  ]
  socket.once("finish", () => socket.destroy())
  socket.end(`${lines.join("\r\n")}\r\n\r\n${body}`)
}

/**
 * A connection that got no further.
 *
 * @internal
 */
export interface Failed {
  readonly error: HandshakeError
  readonly remoteAddress: Address
}

type Arrival = Either.Either<Asking, Failed>

/** Arrivals that nobody has asked for yet. */
const backlog = 128

/**
 * A listener's path on a server, and who has come for it.
 *
 * @internal
 */
export class Route {
  private readonly waiting: Array<Arrival> = []
  private readonly signal = new Signal()
  private closed = false

  constructor(
    readonly host: string,
    readonly path: string
  ) {}

  ask(asking: Asking): void {
    if (this.closed) return asking.refuse({ status: 503, reason: "the listener is closed" })
    if (this.waiting.length >= backlog) return asking.refuse({ status: 503, reason: "too many wait" })
    this.add(Either.right(asking))
  }

  fail(failed: Failed): void {
    if (!this.closed && this.waiting.length < backlog) this.add(Either.left(failed))
  }

  /** The next arrival, dropped with the scope if it is not answered by then. **Interruption** takes none. */
  readonly accept: Effect.Effect<Arrival, AcceptError, Scope.Scope> = Effect.suspend(() =>
    this.signal.until(() => this.waiting.length > 0 || this.closed)
  ).pipe(
    Effect.zipRight(
      acquireRelease(
        Effect.suspend((): Effect.Effect<Arrival | undefined, AcceptError> => {
          const arrival = this.waiting.shift()
          if (arrival !== undefined) return Effect.succeed(arrival)
          return this.closed ? new Errors.ECLOSED({ operation: "accept" }) : Effect.succeed(undefined)
        }),
        (arrival) => (arrival !== undefined && Either.isRight(arrival) ? arrival.right.drop : Effect.void)
      )
    ),
    Effect.flatMap((arrival) => (arrival === undefined ? this.accept : Effect.succeed(arrival)))
  )

  close(): void {
    this.closed = true
    for (const arrival of this.waiting.splice(0)) {
      if (Either.isRight(arrival)) arrival.right.refuse({ status: 503, reason: "the listener is closed" })
    }
    this.signal.wake()
  }

  private add(arrival: Arrival): void {
    this.waiting.push(arrival)
    this.signal.wake()
  }
}

/**
 * The listeners of a server, by path.
 *
 * @internal
 */
export class Routes {
  private readonly byPath = new Map<string, Route>()

  /** False: somebody has this path. */
  add(route: Route): boolean {
    if (this.byPath.has(route.path)) return false
    this.byPath.set(route.path, route)
    return true
  }

  remove(route: Route): void {
    this.byPath.delete(route.path)
    route.close()
  }

  /** Whom a request is for. */
  find({ headers, url = "" }: Http.IncomingMessage): Route | undefined {
    for (const path of candidates(pathOf(url) ?? "")) {
      const route = this.byPath.get(path)
      if (route !== undefined && hostMatches(route.host, headers.host ?? "")) return route
    }
    return undefined
  }

  /** Who is told of what was for nobody. */
  get first(): Route | undefined {
    return this.byPath.values().next().value
  }
}
