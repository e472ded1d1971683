import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Protocol from "effect-nng/Protocol"
import * as Transport from "effect-nng/Transport"
import { pair } from "../../src/internal/inproc/end.js"
import { network } from "./sockets.js"

type Dial = Transport.Transport["dial"]
type Listen = Transport.Transport["listen"]

/**
 * Inproc that does as it is told: each dial, and each listen, takes the next step of its script, and one without a step
 * does what inproc does.
 */
export class Script {
  /** What was asked of it. */
  readonly dialed: Array<Transport.Target> = []
  readonly listened: Array<Transport.Target> = []
  /** What it stands before; there once the layer is built. */
  inproc!: Transport.Transport
  private readonly dials: Array<Dial> = []
  private readonly listens: Array<Listen> = []

  /** Steps for the next dials. */
  dial(...steps: ReadonlyArray<Effect.Effect<Transport.Connection, Transport.DialError, Scope.Scope> | Dial>): this {
    this.dials.push(...steps.map((step) => (Effect.isEffect(step) ? () => step : step)))
    return this
  }

  /** Steps for the next listens. */
  listen(
    ...steps: ReadonlyArray<Effect.Effect<Transport.Acceptor, Transport.ListenError, Scope.Scope> | Listen>
  ): this {
    this.listens.push(...steps.map((step) => (Effect.isEffect(step) ? () => step : step)))
    return this
  }

  /** A fresh inproc under this script. */
  get layer(): Layer.Layer<Transport.Transports> {
    return Layer.provideMerge(Layer.orDie(Transport.Transports.layer(this.make)), network)
  }

  private get make(): Effect.Effect<Transport.Transport, never, Transport.Transports> {
    return Effect.map(Transport.Transports, (transports): Transport.Transport => {
      const inproc = transports.get("inproc")!
      this.inproc = inproc
      return {
        ...inproc,
        dial: (target) =>
          Effect.suspend(() => {
            this.dialed.push(target)
            return (this.dials.shift() ?? inproc.dial)(target)
          }),
        listen: (target) =>
          Effect.suspend(() => {
            this.listened.push(target)
            return (this.listens.shift() ?? inproc.listen)(target)
          })
      }
    })
  }
}

/** A dial that never ends, and counts how often it was begun and torn down. */
export class Hanging {
  begun = 0
  tornDown = 0

  readonly dial: Effect.Effect<never, never, Scope.Scope> = Effect.zipRight(
    Effect.acquireRelease(
      Effect.sync(() => void this.begun++),
      () => Effect.sync(() => void this.tornDown++)
    ),
    Effect.never
  )
}

/** Our end of a connection whose other end the test plays by hand. */
export interface Hand {
  readonly connection: Transport.Connection
  readonly peer: Transport.Messages
  /** What a dial gives that has connected to it. */
  readonly dial: Effect.Effect<Transport.Connection, never, Scope.Scope>
  /** What an acceptor gives. */
  readonly accepted: Effect.Effect<Transport.Accepted, never, Scope.Scope>
}

export const hand = (peerProtocol: number = Protocol.pair0.number): Hand => {
  const [ours, peer] = pair()
  const connection = Transport.connection(ours, { peerProtocol, properties: {} })
  const dial = Effect.acquireRelease(Effect.succeed(connection), () => Effect.sync(() => void ours.close()))
  return {
    connection,
    peer,
    dial,
    accepted: Effect.map(dial, (connection) => ({
      properties: connection.properties,
      handshake: Effect.succeed(connection)
    }))
  }
}
