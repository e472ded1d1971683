import * as Effect from "effect/Effect"
import * as Duration from "effect/Duration"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import * as Http from "node:http"
import * as Net from "node:net"
import * as Address from "../../Address.js"
import * as Errors from "../../Errors.js"
import type { HandshakeError, HttpUpgrades, ListenError, TcpOptions, TransportOptions } from "../../Transport.js"
import type * as Tls from "../../Tls.js"
import type { Url } from "../../Url.js"
import { deadline } from "../connection/handshake.js"
import { isSecure } from "../connection/wsUrl.js"
import { acquireRelease } from "../ports/scoped.js"
import type { Refusal, Request } from "../wire/upgrade.js"
import { checkRequest } from "../wire/upgrade.js"
import { mendTarget } from "./emptyTarget.js"
import { fromNode, narrow } from "./errno.js"
import { toListenError } from "./errors.js"
import { familyOf, resolve } from "./names.js"
import type { MaterialError } from "./tlsOptions.js"
import type { Side } from "./tlsUpgrade.js"
import * as TlsUpgrade from "./tlsUpgrade.js"
import { maxHeaderSize } from "./wsDial.js"
import { answer, Asking, Routes } from "./wsRoutes.js"

const handshakeErrors = [
  "NNG_ECONNSHUT",
  "NNG_ECONNRESET",
  "NNG_ETIMEDOUT",
  "NNG_ECRYPTO",
  "NNG_EPEERAUTH",
  "NNG_EPROTO"
] as const

const toHandshakeError = (cause: Error): HandshakeError =>
  narrow(fromNode(cause, { operation: "handshake", during: "handshake" }), handshakeErrors)

/** @internal */
export const refused = ({ reason, status }: Refusal): HandshakeError => {
  const details = { operation: "handshake", reason: `${reason} (answered ${status})` }
  return status === 403 ? new Errors.EPEERAUTH(details) : new Errors.EPROTO(details)
}

/**
 * A request as the rules look at it.
 *
 * @internal
 */
export const toRequest = ({ headers, httpVersion, method = "", url = "" }: Http.IncomingMessage): Request => ({
  method,
  target: url,
  httpVersion,
  headers: headers as Request["headers"]
})

/**
 * What listeners share: one server, ours or somebody's.
 *
 * @internal
 */
export interface Host {
  readonly routes: Routes
  /** Where it listens, if it is ours. */
  readonly port: number | undefined
  /** The certificates that it shows, if it is ours and has TLS. */
  readonly tls: Tls.Source | undefined
}

/** Connections that have not asked for anything yet; the next one takes the place of the oldest. */
const mostHalfOpen = 256

interface HalfOpen {
  readonly remoteAddress: Address.Address
  /** What goes on until it asks for something: its time runs out, and TLS is agreed on. */
  readonly fibers: Array<Fiber.RuntimeFiber<void>>
  /** TLS is being agreed on, and tells itself if that fails. */
  securing: boolean
  error: Error | undefined
}

type Fork = (effect: Effect.Effect<void>) => Fiber.RuntimeFiber<void>

/** Certificates, and what makes them ready for a connection. */
interface Secure {
  readonly tls: Tls.Source | undefined
  readonly side: Effect.Effect<Side, MaterialError>
}

/** A server of our own: nothing but upgrades lives here, and whoever does not ask for one in time is cut. */
class OwnServer implements Host {
  readonly routes = new Routes()
  port: number | undefined = undefined
  private readonly net: Net.Server
  private readonly http: Http.Server
  /** By the connection below TLS, if there is TLS. */
  private readonly halfOpen = new Map<Net.Socket, HalfOpen>()
  private readonly below = new WeakMap<Net.Socket, Net.Socket>()
  private closed = false

  constructor(
    { keepAlive = true, noDelay = true }: TcpOptions,
    private readonly secure: Secure | undefined,
    private readonly fork: Fork
  ) {
    // HTTP answers who has said all there is to say; in TLS that is the end
    const allowHalfOpen = secure === undefined
    this.net = Net.createServer({ noDelay, keepAlive, allowHalfOpen, pauseOnConnect: true }, this.onConnection)
    this.net.on("error", () => {})
    // time is ours: Node's own limits are looked at every half minute, and begin anew with each request
    this.http = Http.createServer({ maxHeaderSize, headersTimeout: 0, requestTimeout: 0, requireHostHeader: false })
    this.http.on("upgrade", this.onUpgrade)
    this.http.on("request", this.onRequest)
    this.http.on("clientError", this.onClientError)
  }

  get tls(): Tls.Source | undefined {
    return this.secure?.tls
  }

  readonly listen = (options: Net.ListenOptions): Effect.Effect<number, Error> =>
    Effect.async((resume) => {
      const onError = (error: Error) => resume(Effect.fail(error))
      this.net.once("error", onError)
      this.net.listen(options, () => {
        // Node binds whatever happened meanwhile
        if (this.closed) return void this.net.close()
        this.net.off("error", onError)
        this.port = (this.net.address() as Net.AddressInfo).port
        resume(Effect.succeed(this.port))
      })
    })

  readonly close: Effect.Effect<void> = Effect.sync(() => {
    this.closed = true
    for (const socket of [...this.halfOpen.keys()]) {
      this.leave(socket)
      socket.destroy()
    }
    if (this.net.listening) this.net.close()
  })

  private readonly onConnection = (socket: Net.Socket) => {
    this.keepError(socket)
    if (this.closed) return void socket.destroy()
    const [oldest] = this.halfOpen.size >= mostHalfOpen ? this.halfOpen.keys() : []
    if (oldest !== undefined) this.cut(oldest, "others came, and it had not asked for anything")
    const { remoteAddress, remotePort } = socket
    const half: HalfOpen = {
      remoteAddress: remoteAddress === undefined ? Address.unspecified : Address.fromIp(remoteAddress, remotePort ?? 0),
      fibers: [],
      securing: this.secure !== undefined,
      error: undefined
    }
    this.halfOpen.set(socket, half)
    socket.once("close", () => this.onClose(socket))
    const expire = Effect.sync(() => this.cut(socket, `no upgrade within ${Duration.format(deadline)}`))
    half.fibers.push(this.fork(Effect.zipRight(Effect.sleep(deadline), expire)))
    if (this.secure === undefined) return this.serve(socket)
    half.fibers.push(this.fork(this.agree(this.secure, socket, half)))
  }

  private keepError(socket: Net.Socket): void {
    socket.on("error", (error) => {
      const half = this.halfOpenOf(socket)
      if (half !== undefined) half.error ??= error
    })
  }

  private halfOpenOf(socket: Net.Socket): HalfOpen | undefined {
    return this.halfOpen.get(this.below.get(socket) ?? socket)
  }

  /** Whatever is wrong with the certificates, the connection does not outlive it. */
  private agree({ side }: Secure, raw: Net.Socket, half: HalfOpen): Effect.Effect<void> {
    return TlsUpgrade.upgrade(side, raw).pipe(
      Effect.match({
        onSuccess: ({ socket }) => {
          half.securing = false
          if (raw.destroyed) return this.onClose(raw)
          this.below.set(socket, raw)
          this.keepError(socket)
          this.serve(socket)
        },
        onFailure: (error) => {
          this.fail(raw, error)
          raw.destroy()
        }
      }),
      Effect.onError(() =>
        Effect.sync(() => {
          half.securing = false
          raw.destroy()
        })
      )
    )
  }

  private serve(socket: Net.Socket): void {
    mendTarget(socket, () => this.http.emit("connection", socket))
  }

  private cut(socket: Net.Socket, reason: string): void {
    this.fail(socket, new Errors.ETIMEDOUT({ operation: "handshake", reason }))
    socket.destroy()
  }

  private readonly onClose = (socket: Net.Socket) => {
    const half = this.halfOpen.get(socket)
    if (half === undefined || half.securing) return
    const { error } = half
    this.fail(
      socket,
      error === undefined
        ? new Errors.ECONNSHUT({ operation: "handshake", reason: "the peer closed before it asked for an upgrade" })
        : toHandshakeError(error)
    )
  }

  private readonly onUpgrade = (request: Http.IncomingMessage, socket: Net.Socket, head: Buffer) => {
    const asking = new Asking(request, socket, head)
    const bad = checkRequest(toRequest(request))
    const route = bad === undefined ? this.routes.find(request) : undefined
    if (route !== undefined) {
      this.leave(socket)
      return route.ask(asking)
    }
    const refusal = bad ?? nobody(request)
    this.fail(socket, refused(refusal))
    asking.refuse(refusal)
  }

  /** Something that is no request for an upgrade. */
  private readonly onRequest = (request: Http.IncomingMessage, response: Http.ServerResponse) => {
    const refusal = checkRequest(toRequest(request)) ?? this.plainRefusal(request)
    this.fail(request.socket, refused(refusal))
    response.writeHead(refusal.status, { Connection: "close", "Content-Type": "text/plain; charset=UTF-8" })
    response.end(`${refusal.reason}\n`)
  }

  private plainRefusal(request: Http.IncomingMessage): Refusal {
    if (this.routes.find(request) === undefined) return nobody(request)
    const { method = "" } = request
    if (method !== "GET" && method !== "HEAD") return { status: 405, reason: `method ${method}` }
    const length = Number(request.headers["content-length"] ?? 0)
    if (length > 0 || request.headers["transfer-encoding"] !== undefined) {
      return { status: 413, reason: "a request with a body" }
    }
    return { status: 400, reason: "no upgrade to websocket" }
  }

  private readonly onClientError = (cause: Error & { readonly code?: string }, socket: Net.Socket) => {
    this.fail(socket, toHandshakeError(cause))
    if (!socket.writable || cause.code === "ECONNRESET") return void socket.destroy()
    answer(socket, cause.code === "HPE_HEADER_OVERFLOW" ? 431 : 400, "no request that HTTP knows")
  }

  /** It is half open no more; nothing, if it was told of already. */
  private leave(socket: Net.Socket): HalfOpen | undefined {
    const half = this.halfOpenOf(socket)
    this.halfOpen.delete(this.below.get(socket) ?? socket)
    for (const fiber of half?.fibers ?? []) fiber.unsafeInterruptAsFork(FiberId.none)
    return half
  }

  private fail(socket: Net.Socket, error: HandshakeError): void {
    const half = this.leave(socket)
    if (half !== undefined) this.routes.first?.fail({ error, remoteAddress: half.remoteAddress })
  }
}

const nobody = ({ headers, url }: Http.IncomingMessage): Refusal => ({
  status: 404,
  reason: `nobody listens at ${url?.slice(0, 80)} of ${headers.host?.slice(0, 80)}`
})

/**
 * A server for the host and port of this URL, closed with the scope.
 *
 * @internal
 */
export const open = (url: Url, { tcp = {}, tls }: TransportOptions): Effect.Effect<Host, ListenError, Scope.Scope> =>
  Effect.gen(function* () {
    const host = url.host ?? ""
    const secure = isSecure(url) ? { tls, side: TlsUpgrade.server(tls, url.href) } : undefined
    // what is missing is missed now, and not when somebody comes
    if (secure !== undefined) yield* secure.side
    const family = familyOf(url.scheme)
    const addresses = host === "" ? [] : yield* resolve(url, host, toListenError)
    const any = family === 4 ? { host: "0.0.0.0" } : family === 6 ? { host: "::", ipv6Only: true } : {}
    const runFork = Runtime.runFork(yield* Effect.runtime())
    const server = yield* acquireRelease(
      Effect.sync(() => new OwnServer(tcp, secure, runFork)),
      ({ close }) => close
    )
    yield* server
      .listen({ port: url.port ?? 0, ...(addresses[0] === undefined ? any : { host: addresses[0].address }) })
      .pipe(Effect.mapError((cause) => toListenError(cause, url.href)))
    return server
  })

/**
 * Somebody's server: only requests for our paths are ours, and those that would be nobody's.
 *
 * @internal
 */
export const attach = (server: HttpUpgrades): Effect.Effect<Host, never, Scope.Scope> =>
  Effect.map(
    acquireRelease(
      Effect.sync(() => {
        const routes = new Routes()
        const onUpgrade = ((request: Http.IncomingMessage, socket: Net.Socket, head: Buffer) => {
          const route = routes.find(request)
          if (route === undefined && server.listenerCount("upgrade") > 1) return
          const asking = new Asking(request, socket, head)
          const refusal = checkRequest(toRequest(request)) ?? (route === undefined ? nobody(request) : undefined)
          if (refusal !== undefined || route === undefined) return asking.refuse(refusal ?? nobody(request))
          route.ask(asking)
        }) as Parameters<HttpUpgrades["on"]>[1]
        server.on("upgrade", onUpgrade)
        return { routes, onUpgrade }
      }),
      ({ onUpgrade }) => Effect.sync(() => void server.off("upgrade", onUpgrade))
    ),
    ({ routes }) => ({ routes, port: undefined, tls: undefined })
  )
