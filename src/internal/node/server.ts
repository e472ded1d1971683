import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Net from "node:net"
import * as Errors from "../../Errors.js"
import type { AcceptError } from "../../Transport.js"
import { acquireRelease } from "../ports/scoped.js"
import { Signal } from "../ports/signal.js"
import { toAcceptError } from "./errors.js"

/** Connections that were made and that nobody has asked for yet; Node cannot be told to accept no more. */
const backlog = 128

/**
 * Connections that have come and that nobody has asked for yet, and who waits for one.
 *
 * @internal
 */
export class Arrivals<A> {
  private readonly made: Array<A> = []
  private readonly failures: Array<AcceptError> = []
  private readonly signal = new Signal()
  closed = false

  constructor(
    private readonly release: (connection: A) => void,
    private readonly capacity: number = backlog
  ) {}

  /** Takes a connection into the scope; until then it is owned here. **Interruption** takes none. */
  readonly accept: Effect.Effect<A, AcceptError, Scope.Scope> = Effect.suspend(() => this.signal.until(this.some)).pipe(
    Effect.zipRight(
      acquireRelease(
        Effect.suspend((): Effect.Effect<A | undefined, AcceptError> => {
          const failure = this.failures.shift()
          if (failure !== undefined) return failure
          if (this.closed) return new Errors.ECLOSED({ operation: "accept" })
          return Effect.succeed(this.made.shift())
        }),
        (connection) => Effect.sync(() => connection !== undefined && this.release(connection))
      )
    ),
    Effect.flatMap((connection) => (connection === undefined ? this.accept : Effect.succeed(connection)))
  )

  private readonly some = (): boolean => this.made.length > 0 || this.failures.length > 0 || this.closed

  get full(): boolean {
    return this.made.length >= this.capacity
  }

  /** Nobody will have what comes now. */
  get refuses(): boolean {
    return this.closed || this.full
  }

  readonly add = (connection: A): void => {
    if (this.refuses) return this.release(connection)
    this.made.push(connection)
    this.signal.wake()
  }

  readonly fail = (cause: Error): void => {
    if (this.failures.length < this.capacity) this.failures.push(toAcceptError(cause))
    this.signal.wake()
  }

  close(): void {
    this.closed = true
    for (const connection of this.made.splice(0)) this.release(connection)
    this.signal.wake()
  }
}

/** Makes of a socket that was accepted one that reads as it is to. */
type Adopt = (socket: Net.Socket) => Net.Socket

/**
 * Where Node is to listen; a descriptor listens already.
 *
 * @internal
 */
export type At = Net.ListenOptions | { readonly fd: number }

/**
 * A listening server of Node, and the connections it has made.
 *
 * @internal
 */
export class Server {
  private readonly server: Net.Server
  private readonly arrivals = new Arrivals<Net.Socket>((socket) => void socket.destroy())

  constructor(options: Net.ServerOpts, adopt: Adopt) {
    this.server = Net.createServer({ ...options, pauseOnConnect: true })
    this.server.on("connection", (socket: Net.Socket) => this.receive(socket, adopt))
    this.server.on("error", () => {})
  }

  readonly accept = this.arrivals.accept

  private receive(socket: Net.Socket, adopt: Adopt): void {
    if (this.arrivals.refuses) return void socket.destroy()
    this.arrivals.add(adopt(socket).on("error", () => {}))
  }

  /** Where it listens, as Node tells it. **Interruption** leaves it to `close`. */
  listen(at: At): Effect.Effect<Net.AddressInfo | string | null, Error> {
    return Effect.async((resume) => {
      const { arrivals, server } = this
      const onError = (error: Error) => resume(Effect.fail(error))
      server.once("error", onError)
      try {
        server.listen({ backlog, ...at }, () => {
          // Node looks a host up before it binds, and binds whatever happened meanwhile
          if (arrivals.closed) return void server.close()
          server.off("error", onError)
          server.on("error", arrivals.fail)
          resume(Effect.succeed(server.address()))
        })
      } catch (error) {
        resume(Effect.fail(error as Error))
      }
    })
  }

  readonly close: Effect.Effect<void> = Effect.sync(() => {
    this.arrivals.close()
    // it says that it is done only when every connection is gone, and those have scopes of their own
    if (this.server.listening) this.server.close()
  })
}

/**
 * A server that is closed with the scope.
 *
 * @internal
 */
export const make = (
  options: Net.ServerOpts = {},
  adopt: Adopt = (socket) => socket
): Effect.Effect<Server, never, Scope.Scope> =>
  acquireRelease(
    Effect.sync(() => new Server(options, adopt)),
    (server) => server.close
  )
