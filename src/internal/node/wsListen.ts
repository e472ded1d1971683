import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type * as Http from "node:http"
import { TLSSocket } from "node:tls"
import { WebSocketServer } from "ws"
import * as Errors from "../../Errors.js"
import type {
  Acceptor,
  Accepted,
  Connection,
  HandshakeError,
  ListenError,
  Target,
  TcpOptions
} from "../../Transport.js"
import * as Transport from "../../Transport.js"
import * as Url from "../../Url.js"
import { FrameMessages } from "../connection/frames.js"
import { acquireRelease } from "../ports/scoped.js"
import { checkUpgrade, isWildcard, normal } from "../wire/upgrade.js"
import { sendMaxFrame } from "../wire/websocket.js"
import { familyOf } from "./names.js"
import * as Tcp from "./tcp.js"
import * as TlsPeer from "./tlsPeer.js"
import { plain } from "./wsDial.js"
import type { Supplies } from "./wsFrames.js"
import { settings, WsFrames } from "./wsFrames.js"
import type { Asking } from "./wsRoutes.js"
import { Route } from "./wsRoutes.js"
import type { Host } from "./wsServer.js"
import { attach, open, refused, toRequest } from "./wsServer.js"

interface Shared {
  readonly host: Host
  readonly scope: Scope.CloseableScope
  users: number
}

/**
 * The servers of one transport: listeners whose URLs have the same host and port share one, and so do those that are on
 * one server of somebody else.
 *
 * @internal
 */
export class Hosts {
  private readonly shared = new Map<unknown, Shared>()
  /** Binding takes a while, and two must not bind the same. */
  private readonly one = Effect.unsafeMakeSemaphore(1)

  /** A host that is there as long as somebody uses it. **Interruption** opens none. */
  use<E>(
    key: (host: Host) => unknown,
    wanted: unknown,
    make: Effect.Effect<Host, E, Scope.Scope>
  ): Effect.Effect<Host, E, Scope.Scope> {
    return Effect.map(
      Effect.acquireRelease(
        this.one.withPermits(1)(
          Effect.gen(this, function* () {
            const there = this.shared.get(wanted)
            const shared = there ?? (yield* this.make(make))
            this.shared.set(key(shared.host), shared)
            shared.users++
            return shared
          })
        ),
        (shared) => this.release(key(shared.host), shared)
      ),
      ({ host }) => host
    )
  }

  private make<E>(make: Effect.Effect<Host, E, Scope.Scope>): Effect.Effect<Shared, E> {
    return Effect.gen(function* () {
      const scope = yield* Scope.make()
      const host = yield* Effect.onError(Effect.interruptible(Scope.extend(make, scope)), (cause) =>
        Scope.close(scope, Exit.failCause(cause))
      )
      return { host, scope, users: 0 }
    })
  }

  private release(key: unknown, shared: Shared): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (--shared.users > 0) return Effect.void
      this.shared.delete(key)
      return Scope.close(shared.scope, Exit.void)
    })
  }
}

/** Where a URL listens: the same text for all that share a server. */
const placeOf = (url: Url.Url, port: number | undefined): string => {
  const host = url.host ?? ""
  return `${isWildcard(host) ? familyOf(url.scheme) : ""} ${host} ${port}`
}

/** A server speaks TLS or does not, and shows one certificate at a time. */
const fits = (host: Host, { options, url }: Target): Effect.Effect<Host, Errors.EADDRINUSE> =>
  host.tls === options.tls
    ? Effect.succeed(host)
    : new Errors.EADDRINUSE({
        operation: "listen",
        address: url.href,
        reason: `the listeners of this port ${host.tls === undefined ? "have no TLS" : "have TLS by another value"}`
      })

const use = (hosts: Hosts, target: Target): Effect.Effect<Host, ListenError, Scope.Scope> => {
  const { options, url } = target
  const server = options.ws?.server
  if (server !== undefined) return hosts.use(() => server, server, attach(server))
  const wanted = url.port === 0 ? undefined : placeOf(url, url.port)
  const host = hosts.use(({ port }) => placeOf(url, port), wanted, open(url, options))
  return Effect.flatMap(host, (host) => fits(host, target))
}

const claim = ({ routes }: Host, { url }: Target): Effect.Effect<Route, Errors.EADDRINUSE, Scope.Scope> =>
  acquireRelease(
    Effect.suspend(() => {
      const route = new Route(url.host ?? "", normal(url.path))
      return routes.add(route)
        ? Effect.succeed(route)
        : new Errors.EADDRINUSE({ operation: "listen", address: url.href, reason: "somebody has this path" })
    }),
    (route) => Effect.sync(() => routes.remove(route))
  )

/** Upgrades for one listener. */
class Upgrader {
  private readonly server: WebSocketServer
  private readonly tcp: TcpOptions
  private readonly maxFrame: number
  /** What the answer to the request under way says. */
  private answer: ReadonlyArray<string> = []

  constructor(
    private readonly target: Target,
    private readonly supplies: Supplies
  ) {
    const { tcp = {}, ws: { headers = {}, sendMaxFrame: maxFrame = sendMaxFrame.listen } = {} } = target.options
    this.tcp = tcp
    this.maxFrame = maxFrame
    this.server = new WebSocketServer({ ...settings(target.recvMaxSize), noServer: true, clientTracking: false })
    const own = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
    this.server.on("headers", (lines) => {
      lines.push(...own)
      this.answer = lines
    })
  }

  accepted(asking: Asking): Accepted {
    const { socket } = asking
    const properties = {
      ...Tcp.properties(socket, this.tcp),
      ...(socket instanceof TLSSocket ? { tls: TlsPeer.properties(socket, socket.authorized) } : {})
    }
    return {
      properties,
      handshake: Effect.suspend(() => {
        const { options, protocol, url } = this.target
        const rules = {
          host: url.host ?? "",
          subprotocol: protocol.wsName,
          origins: options.ws?.origins ?? "same"
        }
        const refusal = checkUpgrade(toRequest(asking.request), rules)
        if (refusal === undefined) return this.upgrade(asking, properties)
        asking.refuse(refusal)
        return Effect.fail(refused(refusal))
      })
    }
  }

  private upgrade(
    asking: Asking,
    properties: Accepted["properties"]
  ): Effect.Effect<Connection, HandshakeError, Scope.Scope> {
    return acquireRelease(
      Effect.suspend(() => {
        const { head, request, socket } = asking
        let made: FrameMessages | undefined
        asking.hand()
        // calls back before it returns, or not at all
        this.server.handleUpgrade(request, socket, head, (ws) => {
          made = new FrameMessages(
            new WsFrames(ws, socket, this.supplies, this.tcp, {
              masks: false,
              maxFrame: this.maxFrame
            })
          )
        })
        if (made === undefined) {
          return new Errors.ECONNSHUT({ operation: "handshake", reason: "the peer closed before it was answered" })
        }
        return Effect.succeed(
          Transport.connection(made, {
            peerProtocol: this.target.protocol.peer,
            properties: { ...properties, ws: this.properties(request) }
          })
        )
      }),
      ({ close }) => close
    )
  }

  private properties({ headers, url = "" }: Http.IncomingMessage) {
    return {
      requestUri: url,
      subprotocol: headers["sec-websocket-protocol"] ?? "",
      requestHeaders: plain(headers),
      responseHeaders: plain(
        Object.fromEntries(
          this.answer.slice(1).map((line) => {
            const colon = line.indexOf(":")
            return [line.slice(0, colon), line.slice(colon + 1).trim()]
          })
        )
      )
    }
  }
}

/** @internal */
export const listen =
  (hosts: Hosts, supplies: Supplies) =>
  (target: Target): Effect.Effect<Acceptor, ListenError, Scope.Scope> =>
    Effect.gen(function* () {
      const host = yield* use(hosts, target)
      const route = yield* claim(host, target)
      const upgrader = new Upgrader(target, supplies)
      return {
        url: host.port === undefined ? target.url : Url.withPort(target.url, host.port),
        accept: Effect.map(
          route.accept,
          Either.match({
            onLeft: ({ error, remoteAddress }): Accepted => ({
              properties: { remoteAddress },
              handshake: Effect.fail(error)
            }),
            onRight: (asking) => upgrader.accepted(asking)
          })
        )
      }
    })
