import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FiberId from "effect/FiberId"
import type * as Scope from "effect/Scope"
import * as Address from "../../Address.js"
import * as Errors from "../../Errors.js"
import type { Acceptor, AcceptError, Accepted, Connection, DialError, Target, Transport } from "../../Transport.js"
import * as Transports from "../../Transport.js"
import type { Url } from "../../Url.js"
import { acquireRelease } from "../ports/scoped.js"
import { Signal } from "../ports/signal.js"
import * as End from "./end.js"

/** A dialer that waits to be accepted. */
interface Caller {
  readonly protocol: number
  readonly answer: Deferred.Deferred<Connection, DialError>
}

/** A bound name, and who calls it. */
class Name {
  readonly callers: Array<Caller> = []
  private readonly signal = new Signal()
  closed = false

  constructor(
    readonly url: Url,
    readonly protocol: number
  ) {}

  call(caller: Caller): void {
    this.callers.push(caller)
    this.signal.wake()
  }

  /** Until somebody calls, or nobody can any more. */
  readonly next: Effect.Effect<void> = this.signal.until(() => this.callers.length > 0 || this.closed)

  close(): void {
    this.closed = true
    this.signal.wake()
  }
}

const refused = (url: Url, reason: string) => new Errors.ECONNREFUSED({ operation: "dial", address: url.href, reason })

const join = (name: Name, caller: Caller): readonly [Connection, Connection] => {
  const address = Address.inproc(name.url.path)
  const properties = { localAddress: address, remoteAddress: address }
  const [ours, theirs] = End.pair()
  return [
    Transports.connection(ours, { peerProtocol: caller.protocol, properties, byReference: true }),
    Transports.connection(theirs, { peerProtocol: name.protocol, properties, byReference: true })
  ]
}

const closeWithScope = (connection: Connection): Effect.Effect<Connection, never, Scope.Scope> =>
  acquireRelease(Effect.succeed(connection), ({ close }) => close)

const accept = (name: Name): Effect.Effect<Accepted, AcceptError, Scope.Scope> =>
  name.next.pipe(
    Effect.zipRight(
      Effect.suspend(() => {
        if (name.closed) return new Errors.ECLOSED({ operation: "accept", address: name.url.href })
        const caller = name.callers.shift()
        if (caller === undefined) return Effect.interruptible(accept(name))
        const [ours, theirs] = join(name, caller)
        Deferred.unsafeDone(caller.answer, Effect.succeed(theirs))
        return Effect.map(closeWithScope(ours), (connection) => ({
          properties: connection.properties,
          handshake: Effect.succeed(connection)
        }))
      }).pipe(Effect.uninterruptible)
    )
  )

const unbind = (names: Map<string, Name>, name: Name): Effect.Effect<void> =>
  Effect.sync(() => {
    names.delete(name.url.path)
    name.close()
    for (const caller of name.callers.splice(0)) {
      Deferred.unsafeDone(caller.answer, refused(name.url, "the listener closed before it accepted"))
    }
  })

const listen =
  (names: Map<string, Name>) =>
  ({ protocol, url }: Target): Effect.Effect<Acceptor, Errors.EADDRINUSE, Scope.Scope> =>
    Effect.map(
      acquireRelease(
        Effect.suspend(() => {
          if (names.has(url.path)) {
            return new Errors.EADDRINUSE({ operation: "listen", address: url.href, reason: "somebody has this name" })
          }
          const name = new Name(url, protocol.number)
          names.set(url.path, name)
          return Effect.succeed(name)
        }),
        (name) => unbind(names, name)
      ),
      (name) => ({ url, accept: accept(name) })
    )

const dial =
  (names: Map<string, Name>) =>
  ({ protocol, url }: Target): Effect.Effect<Connection, DialError, Scope.Scope> =>
    Effect.suspend(() => {
      const name = names.get(url.path)
      if (name === undefined) return refused(url, "nobody listens")
      const caller: Caller = { protocol: protocol.number, answer: Deferred.unsafeMake(FiberId.none) }
      // an answer that comes when nobody waits for it any more must not stay open
      const hangUp = Effect.suspend(() => {
        const at = name.callers.indexOf(caller)
        if (at >= 0) name.callers.splice(at, 1)
        return Effect.flatMap(Deferred.poll(caller.answer), (answer) =>
          answer._tag === "None" ? Effect.void : Effect.ignore(Effect.flatMap(answer.value, ({ close }) => close))
        )
      })
      return Effect.zipRight(
        acquireRelease(
          Effect.sync(() => name.call(caller)),
          () => hangUp
        ),
        Deferred.await(caller.answer)
      )
    })

/**
 * The names of one program, or of one test: those who share a transport meet.
 *
 * @internal
 */
export const make: Effect.Effect<Transport> = Effect.sync(() => {
  const names = new Map<string, Name>()
  return {
    schemes: ["inproc"],
    options: [],
    check: () => Either.void,
    listen: listen(names),
    dial: dial(names)
  }
})
