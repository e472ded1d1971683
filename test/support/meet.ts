import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Dialer from "effect-nng/Dialer"
import type * as Errors from "effect-nng/Errors"
import * as Socket from "effect-nng/Socket"
import type { Transports } from "effect-nng/Transport"
import { record, tagged } from "./peers.js"
import type { Program } from "./programs.js"
import { freePort } from "./programs.js"

/** A new socket of ours and another's program, connected. */
export type Meet = <S extends Socket.Socket>(
  make: Effect.Effect<S, Errors.EINVAL, Scope.Scope | Transports>,
  run: (role: "dial" | "listen", url: string) => Effect.Effect<Program, never, Scope.Scope>
) => Effect.Effect<{ readonly socket: S; readonly peer: Program }, unknown, Scope.Scope | Transports>

type At = (port: number) => string

const listening =
  (at: At): Meet =>
  (make, run) =>
    Effect.gen(function* () {
      const socket = yield* make
      const listener = yield* Socket.listen(socket, at(0))
      const peer = yield* run("dial", listener.url)
      yield* Effect.raceFirst(
        Socket.awaitPeers(socket, 1),
        Effect.flatMap(peer.ended, (errors) => Effect.dieMessage(errors))
      )
      return { socket, peer }
    })

class PortTaken extends Error {}

/** We dial until it answers. */
const dialing =
  (at: At): Meet =>
  (make, run) =>
    Effect.gen(function* () {
      const url = at(yield* freePort)
      const socket = yield* make
      const dialer = yield* Dialer.make(socket, url, { reconnectMin: "20 millis" })
      const told = yield* record(dialer.events)
      const peer = yield* run("listen", url)
      yield* Dialer.start(dialer, { nonblocking: true })
      yield* Effect.raceFirst(
        told.find(tagged("Connected")),
        Effect.flatMap(peer.ended, (errors) => Effect.fail(new PortTaken(errors)))
      )
      return { socket, peer }
    }).pipe(Effect.retry({ times: 3, while: (error) => error instanceof PortTaken }))

/** Who dials whom, at URLs with a port. */
export const rolesAt = (at: At): ReadonlyArray<readonly [string, Meet]> => [
  ["that dials us", listening(at)],
  ["that we dial", dialing(at)]
]

const tcp: At = (port) => `tcp://127.0.0.1:${port}`

export const weListen: Meet = listening(tcp)

export const weDial: Meet = dialing(tcp)

export const roles = rolesAt(tcp)
