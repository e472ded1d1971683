import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type * as Http from "node:http"
import type * as Net from "node:net"
import { WebSocket } from "ws"
import * as Errors from "../../Errors.js"
import type { TlsProperties, WsProperties } from "../../Pipe.js"
import type { Connection, DialError, Target } from "../../Transport.js"
import * as Transport from "../../Transport.js"
import { FrameMessages } from "../connection/frames.js"
import { deadline } from "../connection/handshake.js"
import { isSecure, platformUrl } from "../connection/wsUrl.js"
import { acquireRelease } from "../ports/scoped.js"
import { located } from "../vocabulary/located.js"
import { asked, sendMaxFrame } from "../wire/websocket.js"
import { fromHttpStatus } from "./errno.js"
import { toDialError } from "./errors.js"
import * as Tcp from "./tcp.js"
import type { MaterialError } from "./tlsOptions.js"
import type { Side } from "./tlsUpgrade.js"
import * as TlsUpgrade from "./tlsUpgrade.js"
import type { Supplies } from "./wsFrames.js"
import { settings, WsFrames } from "./wsFrames.js"

/**
 * Most bytes of the header of a request or an answer, as in libnng.
 *
 * @internal
 */
export const maxHeaderSize = 8192

/**
 * Headers with a text for each.
 *
 * @internal
 */
export const plain = (headers: Http.OutgoingHttpHeaders): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name.toLowerCase(), Array.isArray(value) ? value.join(", ") : String(value)]]
    )
  )

interface Opened {
  readonly ws: WebSocket
  readonly frames: WsFrames
  readonly properties: WsProperties
}

/** libnng wants it to the letter, and Node does not look at Connection. */
const refusal = ({ connection = "", upgrade }: Http.IncomingHttpHeaders): string | undefined => {
  if (upgrade !== "websocket") return `the answer upgrades to ${upgrade ?? "nothing"}`
  return /\bupgrade\b/i.test(connection) ? undefined : "the answer has no Connection: Upgrade"
}

/** The upgrade over a socket that is connected. **Interruption** gives up. */
const upgrade = (
  socket: Net.Socket,
  supplies: Supplies,
  { options, protocol, recvMaxSize, url }: Target
): Effect.Effect<Opened, DialError> =>
  Effect.async((resume) => {
    const { tcp = {}, ws: { headers, sendMaxFrame: maxFrame = sendMaxFrame.dial } = {} } = options
    let request: Http.ClientRequest | undefined
    let responseHeaders: Readonly<Record<string, string>> = {}
    const fail = (error: DialError) => resume(Effect.fail(error))
    const protocolError = (reason: string) => new Errors.EPROTO({ operation: "dial", address: url.href, reason })
    const ws = new WebSocket(platformUrl(url), [asked(protocol)], {
      ...settings(recvMaxSize),
      ...(headers === undefined ? {} : { headers }),
      maxHeaderSize,
      createConnection: () => socket,
      finishRequest: (made: Http.ClientRequest) => {
        request = made
        made.end()
      }
    })
    // ends the process where nobody listens
    ws.on("error", (cause) => fail(toDialError(cause, url.href)))
    ws.on("unexpected-response", (_, { statusCode = 0 }) => {
      const reason = `the answer is HTTP status ${statusCode}`
      fail(fromHttpStatus(statusCode, { operation: "dial", address: url.href, reason }))
      ws.terminate()
    })
    ws.on("upgrade", (response) => {
      responseHeaders = plain(response.headers)
      const reason = refusal(response.headers)
      if (reason === undefined) return
      fail(protocolError(reason))
      ws.terminate()
    })
    ws.on("open", () => {
      const requestHeaders = plain(request?.getHeaders() ?? {})
      const properties = { requestUri: request?.path ?? "", subprotocol: ws.protocol, requestHeaders, responseHeaders }
      resume(
        Effect.succeed({ ws, frames: new WsFrames(ws, socket, supplies, tcp, { masks: true, maxFrame }), properties })
      )
    })
    return Effect.sync(() => ws.terminate())
  })

interface State {
  /** Of the socket, until it is a WebSocket. */
  readonly scope: Scope.CloseableScope
  connection: Connection | undefined
}

const connecting = (scope: Scope.CloseableScope): State => ({ scope, connection: undefined })

const close = ({ connection, scope }: State): Effect.Effect<void> =>
  connection === undefined ? Scope.close(scope, Exit.void) : connection.close

/** What HTTP is spoken over. */
interface Below {
  readonly socket: Net.Socket
  readonly properties?: TlsProperties
}

/** TLS for the host of the URL, if it is to be; it is made ready before anybody is called. */
const securing = ({ options, url }: Target): Effect.Effect<Side | undefined, MaterialError> =>
  isSecure(url) ? TlsUpgrade.client(options.tls, url.host ?? "", url.href) : Effect.succeed(undefined)

/** Every step counts towards one deadline. */
const open = (raw: Net.Socket, side: Side | undefined, supplies: Supplies, target: Target) =>
  Effect.gen(function* () {
    const below: Below = side === undefined ? { socket: raw } : yield* side.upgrade(raw)
    const opened = yield* upgrade(below.socket, supplies, target)
    return { ...opened, tls: below.properties }
  }).pipe(
    Effect.mapError((error) => located(error, target.url.href)),
    Effect.timeoutFail({
      duration: deadline,
      onTimeout: () =>
        new Errors.ETIMEDOUT({
          operation: "dial",
          address: target.url.href,
          reason: `no answer to the upgrade within ${Duration.format(deadline)}`
        })
    })
  )

/**
 * Connects and upgrades. Until it is a WebSocket the scope cuts what there is; then it says goodbye.
 *
 * @internal
 */
export const dial =
  (supplies: Supplies) =>
  (target: Target): Effect.Effect<Connection, DialError, Scope.Scope> =>
    Effect.gen(function* () {
      const { options, protocol } = target
      const side = yield* securing(target)
      const state = yield* acquireRelease(Effect.map(Scope.make(), connecting), close)
      const raw = yield* Scope.extend(Tcp.connect(target), state.scope)
      const { frames, properties, tls } = yield* open(raw, side, supplies, target)
      return (state.connection = Transport.connection(new FrameMessages(frames), {
        peerProtocol: protocol.peer,
        properties: {
          ...Tcp.properties(raw, options.tcp ?? {}),
          ...(tls === undefined ? {} : { tls }),
          ws: properties
        }
      }))
    })
