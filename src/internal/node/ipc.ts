import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { randomBytes } from "node:crypto"
import type * as Net from "node:net"
import * as Address from "../../Address.js"
import * as ByteStream from "../../ByteStream.js"
import * as ByteTransport from "../../ByteTransport.js"
import * as Errors from "../../Errors.js"
import type { DialError, IpcOptions, ListenError } from "../../Transport.js"
import * as Url from "../../Url.js"
import { connectOne } from "./connect.js"
import { NodeDuplex } from "./duplex.js"
import { toDialError, toListenError } from "./errors.js"
import type { Place } from "./ipcUrl.js"
import { check, maxPath, place, system } from "./ipcUrl.js"
import * as Server from "./server.js"
import * as SocketFile from "./socketFile.js"

/** Both ends know each other by where the listener is. */
const toConnection = (socket: Net.Socket, place: Place): ByteTransport.ByteConnection => {
  const address = place._tag === "Abstract" ? Address.abstract(place.name) : Address.ipc(place.path)
  return ByteTransport.opened(
    ByteStream.make(new NodeDuplex(socket), { localAddress: address, remoteAddress: address })
  )
}

/** A listener that has as many waiting as it wants says so at once; over tcp one would wait. */
const whenThereIsRoom = <A, R>(self: Effect.Effect<A, Error, R>): Effect.Effect<A, Error, R> =>
  Effect.retry(self, {
    schedule: Schedule.spaced("10 millis").pipe(Schedule.upTo("10 seconds")),
    while: (error) => (error as NodeJS.ErrnoException).code === "EAGAIN"
  })

const connect = ({
  url
}: ByteTransport.ByteTarget): Effect.Effect<ByteTransport.ByteConnection, DialError, Scope.Scope> =>
  Effect.gen(function* () {
    const to = yield* place(url)
    const socket = yield* whenThereIsRoom(connectOne({ path: to.path })).pipe(
      Effect.mapError((cause) =>
        (cause as NodeJS.ErrnoException).code === "EAGAIN"
          ? new Errors.ETIMEDOUT({ operation: "dial", address: url.href, reason: "the listener has no room", cause })
          : toDialError(cause, url.href)
      )
    )
    return toConnection(socket, to)
  })

/** Where it listens in the end: an abstract listener without a name gets one. */
const named = (url: Url.Url): Url.Url =>
  url.scheme === "abstract" && url.path === ""
    ? Either.getOrThrow(Url.parse(`abstract://${randomBytes(8).toString("hex")}`))
    : url

const serve = (
  url: Url.Url,
  place: Place,
  { listenFd, permissions }: IpcOptions
): Effect.Effect<Server.Server, Error, Scope.Scope> => {
  if (listenFd === undefined && place._tag === "File") {
    return SocketFile.listen(place.path, {
      permissions,
      most: maxPath(system.platform),
      inUse: (reason) => new Errors.EADDRINUSE({ operation: "listen", address: url.href, reason })
    })
  }
  return Effect.tap(Server.make(), (server) =>
    server.listen(listenFd === undefined ? { path: place.path, exclusive: true } : { fd: listenFd })
  )
}

const listen = (
  target: ByteTransport.ByteTarget
): Effect.Effect<ByteTransport.ByteAcceptor, ListenError, Scope.Scope> =>
  Effect.gen(function* () {
    const url = named(target.url)
    const at = yield* place(url)
    const server = yield* Effect.mapError(serve(url, at, target.options.ipc ?? {}), (cause) =>
      toListenError(cause, url.href)
    )
    return { url, accept: Effect.map(server.accept, (socket) => toConnection(socket, at)) }
  })

/**
 * Socket files, abstract names and named pipes.
 *
 * @internal
 */
export const bytes: ByteTransport.ByteTransport = {
  schemes: ["ipc", "unix", "abstract"],
  options: ["ipc"],
  check,
  connect,
  listen,
  marker: 1
}
