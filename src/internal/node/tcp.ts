import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Dns from "node:dns"
import type * as Net from "node:net"
import * as Address from "../../Address.js"
import * as ByteStream from "../../ByteStream.js"
import * as ByteTransport from "../../ByteTransport.js"
import * as Errors from "../../Errors.js"
import type { PipeProperties } from "../../Pipe.js"
import type { AcceptError, DialError, ListenError, TcpOptions } from "../../Transport.js"
import * as Url from "../../Url.js"
import { check, hosts } from "../connection/tcpUrl.js"
import { connectAny, connectOne } from "./connect.js"
import { NodeDuplex } from "./duplex.js"
import { toDialError, toListenError } from "./errors.js"
import { familyOf, resolve } from "./names.js"
import * as Reading from "./reading.js"
import * as Server from "./server.js"

const address = (host: string | undefined, port: number | undefined): Address.Address =>
  host === undefined || port === undefined ? Address.unspecified : Address.fromIp(host, port)

/**
 * What is known of a tcp connection, whatever is spoken over it.
 *
 * @internal
 */
export const properties = (socket: Net.Socket, { keepAlive = true, noDelay = true }: TcpOptions): PipeProperties => ({
  localAddress: address(socket.localAddress, socket.localPort),
  remoteAddress: address(socket.remoteAddress, socket.remotePort),
  noDelay,
  keepAlive
})

const toStream = (socket: Net.Socket, options: TcpOptions): ByteStream.ByteStream =>
  ByteStream.make(new NodeDuplex(socket), properties(socket, options))

/** The source address to bind, and the addresses that can be reached from it. */
const fromSource = (
  url: Url.Url,
  source: string | undefined,
  addresses: ReadonlyArray<Dns.LookupAddress>
): Effect.Effect<readonly [string | undefined, ReadonlyArray<Dns.LookupAddress>], DialError> => {
  if (source === undefined || source === "*") return Effect.succeed([undefined, addresses])
  return Effect.flatMap(resolve(url, source, toDialError), ([local]) => {
    const reachable = addresses.filter(({ family }) => family === local?.family)
    return local === undefined || reachable.length === 0
      ? new Errors.EADDRINVAL({ operation: "dial", address: url.href, reason: `no way from source address ${source}` })
      : Effect.succeed([local.address, reachable] as const)
  })
}

/**
 * A tcp connection, closed with the scope. `make`: as its socket is to read. **Interruption** gives up.
 *
 * @internal
 */
export const connect = (
  { options: { tcp = {} }, url }: ByteTransport.ByteTarget,
  make?: (options: Net.SocketConstructorOpts) => Net.Socket
): Effect.Effect<Net.Socket, DialError, Scope.Scope> =>
  Effect.gen(function* () {
    const { host, source } = hosts(url)
    const [localAddress, addresses] = yield* fromSource(
      url,
      tcp.localAddress ?? source,
      yield* resolve(url, host, toDialError)
    )
    const { keepAlive = true, noDelay = true } = tcp
    const from = localAddress === undefined ? {} : { localAddress }
    return yield* connectAny(addresses, ({ address, family }) =>
      connectOne(
        { host: address, port: url.port!, family, ...from },
        { noDelay, keepAlive } as Net.SocketConstructorOpts,
        make
      )
    ).pipe(Effect.mapError((cause) => toDialError(cause, url.href)))
  })

/** @internal */
export interface Acceptor {
  readonly url: Url.Url
  /** The next connection, closed with the scope. **Interruption** accepts nothing. */
  readonly accept: Effect.Effect<Net.Socket, AcceptError, Scope.Scope>
}

/** What Node is to listen at. */
const where = (url: Url.Url): Effect.Effect<Server.At, ListenError> => {
  const port = url.port ?? 0
  const host = url.host ?? ""
  if (host !== "") return Effect.map(resolve(url, host, toListenError), ([first]) => ({ port, host: first?.address }))
  const family = familyOf(url.scheme)
  return Effect.succeed(
    family === 4 ? { port, host: "0.0.0.0" } : family === 6 ? { port, host: "::", ipv6Only: true } : { port }
  )
}

/**
 * Listens for tcp connections as long as the scope lives. `adopt`: as their sockets are to read.
 *
 * @internal
 */
export const listen = (
  { options: { tcp = {} }, url }: ByteTransport.ByteTarget,
  adopt?: (socket: Net.Socket) => Net.Socket
): Effect.Effect<Acceptor, ListenError, Scope.Scope> =>
  Effect.gen(function* () {
    const { keepAlive = true, listenFd, noDelay = true } = tcp
    const at: Server.At = listenFd === undefined ? yield* where(url) : { fd: listenFd }
    const server = yield* Server.make({ noDelay, keepAlive }, adopt)
    const bound = yield* Effect.mapError(server.listen(at), (cause) => toListenError(cause, url.href))
    if (typeof bound !== "object" || bound === null) {
      return yield* new Errors.EINVAL({
        operation: "listen",
        address: url.href,
        reason: `descriptor ${listenFd} is not of tcp`
      })
    }
    return { url: Url.withPort(url, bound.port), accept: server.accept }
  })

/**
 * tcp of bytes.
 *
 * @internal
 */
export const bytes: ByteTransport.ByteTransport = {
  schemes: ["tcp", "tcp4", "tcp6"],
  options: ["tcp"],
  check,
  connect: (target) =>
    Effect.map(connect(target, Reading.makeSocket), (socket) =>
      ByteTransport.opened(toStream(socket, target.options.tcp ?? {}))
    ),
  listen: (target) =>
    Effect.map(listen(target, Reading.adopt), ({ accept, url }) => ({
      url,
      accept: Effect.map(accept, (socket) => ByteTransport.opened(toStream(socket, target.options.tcp ?? {})))
    }))
}
