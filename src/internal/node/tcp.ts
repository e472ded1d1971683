import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Dns from "node:dns"
import * as Net from "node:net"
import * as Address from "../../Address.js"
import type { ByteStream } from "../../ByteStream.js"
import * as ByteStreams from "../../ByteStream.js"
import type { ByteAcceptor } from "../../ByteTransport.js"
import * as ByteTransport from "../../ByteTransport.js"
import * as Errors from "../../Errors.js"
import type { AcceptError, DialError, ListenError, Target, TcpOptions, Transport } from "../../Transport.js"
import * as Url from "../../Url.js"
import { check, hosts } from "../connection/tcpUrl.js"
import { acquireRelease } from "../ports/scoped.js"
import { NodeDuplex } from "./duplex.js"
import { fromNode, narrow } from "./errno.js"
import { adopt, makeSocket } from "./reading.js"

const dialErrors = [
  "NNG_EADDRINVAL",
  "NNG_ECANCELED",
  "NNG_ECLOSED",
  "NNG_ECONNREFUSED",
  "NNG_ECONNRESET",
  "NNG_ECONNSHUT",
  "NNG_ECRYPTO",
  "NNG_EINVAL",
  "NNG_ENOENT",
  "NNG_ENOFILES",
  "NNG_ENOMEM",
  "NNG_ENOTSUP",
  "NNG_EPEERAUTH",
  "NNG_EPERM",
  "NNG_EPROTO",
  "NNG_ETIMEDOUT",
  "NNG_EUNREACHABLE"
] as const

const listenErrors = [
  "NNG_EADDRINUSE",
  "NNG_EADDRINVAL",
  "NNG_EINVAL",
  "NNG_ENOENT",
  "NNG_ENOFILES",
  "NNG_ENOMEM",
  "NNG_ENOTSUP",
  "NNG_EPERM"
] as const

const acceptErrors = ["NNG_ECLOSED", "NNG_ECONNABORTED", "NNG_ENOFILES", "NNG_ENOMEM"] as const

const toDialError = (cause: unknown, address: string): DialError =>
  narrow(fromNode(cause, { operation: "dial", address, during: "dial" }), dialErrors)

const toListenError = (cause: unknown, address: string): ListenError =>
  narrow(fromNode(cause, { operation: "listen", address, during: "listen" }), listenErrors)

type Family = 0 | 4 | 6

const familyOf = (scheme: string): Family => (scheme.endsWith("4") ? 4 : scheme.endsWith("6") ? 6 : 0)

const lookup = (host: string, family: Family): Effect.Effect<ReadonlyArray<Dns.LookupAddress>, NodeJS.ErrnoException> =>
  Effect.async((resume) => {
    Dns.lookup(host, { all: true, family, verbatim: true }, (error, addresses) =>
      resume(error === null ? Effect.succeed(addresses) : Effect.fail(error))
    )
  })

const resolve = <E>(
  url: Url.Url,
  host: string,
  toError: (cause: unknown, address: string) => E
): Effect.Effect<ReadonlyArray<Dns.LookupAddress>, E | Errors.EADDRINVAL> => {
  const family = familyOf(url.scheme)
  const literal = Net.isIP(host)
  if (literal === 0) return Effect.mapError(lookup(host, family), (cause) => toError(cause, url.href))
  if (family === 0 || literal === family) return Effect.succeed([{ address: host, family: literal }])
  return new Errors.EADDRINVAL({
    address: url.href,
    reason: `${host} is an IPv${literal} address, and ${url.scheme} is for IPv${family}`
  })
}

const destroy = (socket: Net.Socket) => Effect.sync(() => void socket.destroy())

const connectOne = (
  { address, family }: Dns.LookupAddress,
  port: number,
  localAddress: string | undefined,
  { keepAlive = true, noDelay = true }: TcpOptions
): Effect.Effect<Net.Socket, NodeJS.ErrnoException, Scope.Scope> =>
  acquireRelease(
    // the handle is inert here, and without a listener an error would end the process
    Effect.sync(() => makeSocket({ noDelay, keepAlive } as Net.SocketConstructorOpts).on("error", () => {})),
    destroy
  ).pipe(
    Effect.tap((socket) =>
      Effect.async<void, NodeJS.ErrnoException>((resume) => {
        const onError = (error: Error) => resume(Effect.fail(error))
        socket.once("error", onError)
        socket.connect(
          {
            host: address,
            port,
            family,
            ...(localAddress === undefined ? {} : { localAddress })
          },
          () => {
            socket.off("error", onError)
            resume(Effect.void)
          }
        )
      })
    )
  )

const attemptDelay = Duration.millis(250)

interface Winner {
  readonly socket: Net.Socket
  readonly scope: Scope.CloseableScope
}

/**
 * Tries the addresses of a name in their order, each when the one before has failed or is late; the first to answer
 * wins, and the others are closed.
 */
const connectAny = (
  addresses: ReadonlyArray<Dns.LookupAddress>,
  connect: (address: Dns.LookupAddress) => Effect.Effect<Net.Socket, NodeJS.ErrnoException, Scope.Scope>
): Effect.Effect<Net.Socket, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    if (addresses.length === 1) return yield* connect(addresses[0]!)
    const outer = yield* Effect.scope
    const scopes: Array<Scope.CloseableScope> = []
    const failures: Array<unknown> = []

    const attempt = Effect.fnUntraced(function* (address: Dns.LookupAddress) {
      const scope = yield* Scope.fork(outer, ExecutionStrategy.sequential)
      scopes.push(scope)
      const socket = yield* Scope.extend(connect(address), scope)
      return { socket, scope }
    })

    const from = (i: number): Effect.Effect<Winner, unknown> => {
      const here = Effect.tapError(attempt(addresses[i]!), (error) => Effect.sync(() => failures.push(error)))
      if (i === addresses.length - 1) return here
      return Effect.flatMap(Deferred.make<void>(), (failed) =>
        Effect.race(
          Effect.tapError(here, () => Deferred.succeed(failed, void 0)),
          Effect.zipRight(Effect.timeoutOption(Deferred.await(failed), attemptDelay), from(i + 1))
        )
      )
    }

    const winner = yield* Effect.mapError(from(0), () =>
      failures.length === 1 ? failures[0] : new AggregateError(failures)
    )
    yield* Effect.forEach(scopes, (scope) => (scope === winner.scope ? Effect.void : Scope.close(scope, Exit.void)))
    return winner.socket
  })

const address = (host: string | undefined, port: number | undefined): Address.Address =>
  host === undefined || port === undefined ? Address.unspecified : Address.fromIp(host, port)

const toStream = (socket: Net.Socket, { keepAlive = true, noDelay = true }: TcpOptions): ByteStream =>
  ByteStreams.make(new NodeDuplex(socket), {
    localAddress: address(socket.localAddress, socket.localPort),
    remoteAddress: address(socket.remoteAddress, socket.remotePort),
    noDelay,
    keepAlive
  })

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

const connect = ({ options, url }: Target): Effect.Effect<ByteStream, DialError, Scope.Scope> =>
  Effect.gen(function* () {
    const { host, source } = hosts(url)
    const tcp = options.tcp ?? {}
    const [localAddress, addresses] = yield* fromSource(
      url,
      tcp.localAddress ?? source,
      yield* resolve(url, host, toDialError)
    )
    const socket = yield* connectAny(addresses, (address) => connectOne(address, url.port!, localAddress, tcp)).pipe(
      Effect.mapError((cause) => toDialError(cause, url.href))
    )
    return toStream(socket, tcp)
  })

/** Connections that were made and that nobody has asked for yet; Node cannot be told to accept no more. */
const backlog = 128

/** A listening server, the connections it has made, and who waits for one. */
class Server {
  readonly server: Net.Server
  private readonly made: Array<Net.Socket> = []
  private readonly failures: Array<AcceptError> = []
  private wake: (() => void) | undefined = undefined
  private closed = false

  constructor(readonly tcp: TcpOptions) {
    const { keepAlive = true, noDelay = true } = tcp
    this.server = Net.createServer({ pauseOnConnect: true, noDelay, keepAlive })
    this.server.on("connection", this.onConnection)
    this.server.on("error", () => {})
  }

  readonly listen = (options: Net.ListenOptions): Effect.Effect<Net.AddressInfo, Error> =>
    Effect.async((resume) => {
      const onError = (error: Error) => resume(Effect.fail(error))
      this.server.once("error", onError)
      this.server.listen(options, () => {
        // Node looks a host up before it binds, and binds whatever happened meanwhile
        if (this.closed) return void this.server.close()
        this.server.off("error", onError)
        this.server.on("error", this.onError)
        resume(Effect.succeed(this.server.address() as Net.AddressInfo))
      })
    })

  /** Takes a connection into the scope; until then the server owns it. */
  readonly accept: Effect.Effect<ByteStream, AcceptError, Scope.Scope> = Effect.suspend(() => this.next).pipe(
    Effect.zipRight(
      acquireRelease(
        Effect.suspend((): Effect.Effect<Net.Socket | undefined, AcceptError> => {
          const failure = this.failures.shift()
          if (failure !== undefined) return failure
          if (this.closed) return new Errors.ECLOSED({ operation: "accept" })
          return Effect.succeed(this.made.shift())
        }),
        (socket) => (socket === undefined ? Effect.void : destroy(socket))
      )
    ),
    Effect.flatMap((socket) => (socket === undefined ? this.accept : Effect.sync(() => toStream(socket, this.tcp))))
  )

  readonly close: Effect.Effect<void> = Effect.async((resume) => {
    this.closed = true
    for (const socket of this.made.splice(0)) socket.destroy()
    this.wake?.()
    if (!this.server.listening) return resume(Effect.void)
    // it says so only when every connection is gone, and those have scopes of their own
    this.server.close()
    resume(Effect.void)
  })

  private readonly next: Effect.Effect<void> = Effect.async((resume) => {
    if (this.made.length > 0 || this.failures.length > 0 || this.closed) return resume(Effect.void)
    this.wake = () => {
      this.wake = undefined
      resume(Effect.void)
    }
    return Effect.sync(() => (this.wake = undefined))
  })

  private readonly onConnection = (accepted: Net.Socket) => {
    if (this.closed || this.made.length >= backlog) return void accepted.destroy()
    const socket = adopt(accepted)
    socket.on("error", () => {})
    this.made.push(socket)
    this.wake?.()
  }

  private readonly onError = (cause: Error) => {
    if (this.failures.length < backlog)
      this.failures.push(narrow(fromNode(cause, { operation: "accept", during: "accept" }), acceptErrors))
    this.wake?.()
  }
}

const listen = ({ options, url }: Target): Effect.Effect<ByteAcceptor, ListenError, Scope.Scope> =>
  Effect.gen(function* () {
    const host = url.host ?? ""
    const family = familyOf(url.scheme)
    const addresses = host === "" ? [] : yield* resolve(url, host, toListenError)
    const any = family === 4 ? { host: "0.0.0.0" } : family === 6 ? { host: "::", ipv6Only: true } : {}
    const server = yield* acquireRelease(
      Effect.sync(() => new Server(options.tcp ?? {})),
      (server) => server.close
    )
    const { port } = yield* server
      .listen({ port: url.port ?? 0, backlog, ...(addresses[0] === undefined ? any : { host: addresses[0].address }) })
      .pipe(Effect.mapError((cause) => toListenError(cause, url.href)))
    return { url: Url.withPort(url, port), accept: server.accept }
  })

/** @internal */
export const transport: Transport = ByteTransport.make({
  schemes: ["tcp", "tcp4", "tcp6"],
  options: ["tcp"],
  check,
  connect,
  listen
})
