import * as Effect from "effect/Effect"
import * as Net from "node:net"
import * as Tls from "node:tls"
import * as Errors from "../../Errors.js"
import type { TlsProperties } from "../../Pipe.js"
import type { AuthMode, Config, Source } from "../../Tls.js"
import type { HandshakeError } from "../../Transport.js"
import { fromNode, narrow } from "./errno.js"
import type { MaterialError } from "./tlsOptions.js"
import { authModeOf, ready } from "./tlsOptions.js"
import { properties } from "./tlsPeer.js"

const handshakeErrors = [
  "NNG_ECLOSED",
  "NNG_ECONNRESET",
  "NNG_ECONNSHUT",
  "NNG_ECRYPTO",
  "NNG_EPEERAUTH",
  "NNG_EPROTO",
  "NNG_ETIMEDOUT"
] as const

const toHandshakeError = (cause: unknown): HandshakeError =>
  narrow(fromNode(cause, { operation: "handshake", during: "handshake" }), handshakeErrors)

/**
 * A connection that TLS is spoken over, and who is at its other end.
 *
 * @internal
 */
export interface Secured {
  readonly socket: Tls.TLSSocket
  readonly properties: TlsProperties
}

/**
 * One side of TLS, ready for connections.
 *
 * @internal
 */
export interface Side {
  /**
   * Does the TLS handshake over a connection. It has no deadline of its own.
   * **Interruption** leaves the connection to its scope, which ends the handshake with it.
   */
  readonly upgrade: (raw: Net.Socket) => Effect.Effect<Secured, HandshakeError>
}

const gone = (raw: Net.Socket): HandshakeError =>
  raw.errored ? toHandshakeError(raw.errored) : new Errors.ECONNSHUT({ operation: "handshake" })

const secured = (socket: Tls.TLSSocket, authMode: AuthMode): Secured => ({
  socket,
  properties: properties(socket, authMode !== "none" && socket.authorized)
})

/** Once TLS is up Node tells of what is wrong with it, and leaves the connection open. */
const cutOnError = (socket: Tls.TLSSocket): void => void socket.on("error", () => void socket.destroy())

class Client implements Side {
  private readonly authMode: AuthMode
  private readonly context: Tls.SecureContext
  private readonly names: { readonly host: string; readonly servername?: string }

  constructor(options: Tls.SecureContextOptions, config: Config, host: string) {
    const name = config.serverName ?? host
    this.authMode = authModeOf("dial", config)
    this.context = Tls.createSecureContext(options)
    // an address is looked for in the certificate, and not told
    this.names = Net.isIP(name) === 0 ? { host: name, servername: name } : { host: name }
  }

  upgrade(raw: Net.Socket): Effect.Effect<Secured, HandshakeError> {
    return Effect.async((resume) => {
      if (raw.destroyed) return resume(Effect.fail(gone(raw)))
      const socket = Tls.connect({
        ...this.names,
        socket: raw,
        secureContext: this.context,
        rejectUnauthorized: this.authMode === "required"
      })
      cutOnError(socket)
      socket.once("error", (cause) => resume(Effect.fail(toHandshakeError(cause))))
      socket.once("close", () => resume(Effect.fail(gone(raw))))
      socket.once("secureConnect", () => resume(Effect.sync(() => secured(socket, this.authMode))))
    })
  }
}

type Resume = (result: Effect.Effect<Secured, HandshakeError>) => void

/** The connection below, by which Node's server, which tells nothing else, is asked whom it speaks of. */
const below = (socket: Tls.TLSSocket): Net.Socket | undefined =>
  (socket as unknown as { readonly _parent?: Net.Socket })._parent

const refused = (cause: Error, { authorizationError }: Tls.TLSSocket): HandshakeError =>
  // the type says Error, and it is the code
  (authorizationError as unknown) === null
    ? toHandshakeError(cause)
    : new Errors.EPEERAUTH({ operation: "handshake", reason: `the client's certificate: ${authorizationError}`, cause })

class Server implements Side {
  private readonly server: Tls.Server
  private readonly pending = new Map<Net.Socket, Resume>()

  constructor(options: Tls.SecureContextOptions, config: Config) {
    const authMode = authModeOf("listen", config)
    this.server = Tls.createServer({
      ...options,
      requestCert: authMode !== "none",
      rejectUnauthorized: authMode === "required"
    })
    this.server.on("secureConnection", (socket) => {
      cutOnError(socket)
      socket.disableRenegotiation()
      this.settle(
        socket,
        Effect.sync(() => secured(socket, authMode))
      )
    })
    this.server.on("tlsClientError", (cause, socket) => this.settle(socket, Effect.fail(refused(cause, socket))))
  }

  upgrade(raw: Net.Socket): Effect.Effect<Secured, HandshakeError> {
    return Effect.async((resume) => {
      if (raw.destroyed) return resume(Effect.fail(gone(raw)))
      this.pending.set(raw, resume)
      this.server.emit("connection", raw)
    })
  }

  private settle(socket: Tls.TLSSocket, result: Effect.Effect<Secured, HandshakeError>): void {
    const raw = below(socket)
    const resume = raw && this.pending.get(raw)
    if (raw === undefined || resume === undefined) return void socket.destroy()
    this.pending.delete(raw)
    resume(result)
  }
}

/**
 * The dialing side for a host, made ready anew for each connection.
 *
 * **Interruption** is the source's own.
 *
 * @internal
 */
export const client = (source: Source | undefined, host: string, address: string): Effect.Effect<Side, MaterialError> =>
  ready("dial", source, address, (options, config) => new Client(options, config, host))

/**
 * The listening side, made ready anew for each connection.
 *
 * **Interruption** is the source's own.
 *
 * @internal
 */
export const server = (source: Source | undefined, address: string): Effect.Effect<Side, MaterialError> =>
  ready("listen", source, address, (options, config) => new Server(options, config))

/**
 * A side that is made ready when a connection has come, and the connection upgraded by it.
 *
 * **Interruption** leaves the connection to its scope.
 *
 * @internal
 */
export const upgrade = (
  side: Effect.Effect<Side, MaterialError>,
  raw: Net.Socket
): Effect.Effect<Secured, HandshakeError> =>
  Effect.flatMap(Effect.mapError(side, toHandshakeError), (side) => side.upgrade(raw))
