import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Dialer from "effect-nng/Dialer"
import type * as Errors from "effect-nng/Errors"
import * as Socket from "effect-nng/Socket"
import type { Transports } from "effect-nng/Transport"
import * as Paths from "./paths.js"
import { record, tagged } from "./peers.js"
import type { Program } from "./programs.js"
import { freePort } from "./programs.js"

/** A new socket of ours and another's program, connected. */
export type Meet = <S extends Socket.Socket>(
  make: Effect.Effect<S, Errors.EINVAL, Scope.Scope | Transports>,
  run: (role: "dial" | "listen", url: string) => Effect.Effect<Program, never, Scope.Scope>
) => Effect.Effect<{ readonly socket: S; readonly peer: Program }, unknown, Scope.Scope | Transports>

type Place = Effect.Effect<string, never, Scope.Scope>

export type Scheme = "tcp" | "ipc" | "ws" | "ws without path"

const ws = (path: string): readonly [ours: Place, theirs: Place] => [
  Effect.succeed(`ws://127.0.0.1:0${path}`),
  Effect.map(freePort, (port) => `ws://127.0.0.1:${port}${path}`)
]

/** Where one of ours can listen, and where a program can. */
const places: Readonly<Record<Scheme, readonly [ours: Place, theirs: Place]>> = {
  tcp: [Effect.succeed("tcp://127.0.0.1:0"), Effect.map(freePort, (port) => `tcp://127.0.0.1:${port}`)],
  ipc: [Paths.url("ipc"), Paths.url("ipc")],
  ws: ws("/path"),
  "ws without path": ws("")
}

const listening =
  (scheme: Scheme): Meet =>
  (make, run) =>
    Effect.gen(function* () {
      const socket = yield* make
      const listener = yield* Socket.listen(socket, yield* places[scheme][0])
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
  (scheme: Scheme): Meet =>
  (make, run) =>
    Effect.gen(function* () {
      const url = yield* places[scheme][1]
      const socket = yield* make
      const dialer = yield* Dialer.make(socket, url, { reconnectMin: "20 millis" })
      const told = yield* record(Dialer.events(dialer))
      const peer = yield* run("listen", url)
      yield* Dialer.start(dialer, { nonblocking: true })
      yield* Effect.raceFirst(
        told.find(tagged("Connected")),
        Effect.flatMap(peer.ended, (errors) => Effect.fail(new PortTaken(errors)))
      )
      return { socket, peer }
    }).pipe(Effect.retry({ times: 3, while: (error) => error instanceof PortTaken }))

export const rolesOver = (scheme: Scheme): ReadonlyArray<readonly [string, Meet]> => [
  ["that dials us", listening(scheme)],
  ["that we dial", dialing(scheme)]
]

export const roles = rolesOver("tcp")

export const weListen = listening("tcp")
