import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { Transport, TransportOptions } from "effect-nng/Transport"
import { Transports } from "effect-nng/Transport"
import type * as Net from "node:net"
import { Duplex } from "node:stream"
import * as Tls from "node:tls"
import type { Pair } from "./certificates.js"
import type { Peer } from "./peers.js"
import * as Peers from "./peers.js"

/** A layer whose transports have these options where an endpoint has none. */
export const withOptions = <E, R>(
  layer: Layer.Layer<Transports, E, R>,
  options: { readonly dial: TransportOptions; readonly listen: TransportOptions }
): Layer.Layer<Transports, E, R> =>
  Layer.map(layer, (context) => {
    const changed = Array.from(Context.get(context, Transports), ([scheme, self]): [string, Transport] => [
      scheme,
      {
        ...self,
        check: (role, url, own) => self.check(role, url, { ...options[role], ...defined(own) }),
        dial: (target) => self.dial({ ...target, options: { ...options.dial, ...defined(target.options) } }),
        listen: (target) => self.listen({ ...target, options: { ...options.listen, ...defined(target.options) } })
      }
    ])
    return Context.make(Transports, new Map(changed))
  })

const defined = (options: TransportOptions): TransportOptions =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))

/** A TLS client played by hand over a connection: its handshake is done. */
export const over = (below: Peer, options: Tls.ConnectionOptions): Effect.Effect<Peer, Error, Scope.Scope> =>
  Effect.map(
    Effect.async<Tls.TLSSocket, Error>((resume) => {
      below.socket.removeAllListeners("data")
      const socket = Tls.connect({ ...options, socket: below.socket })
      socket.once("error", (error) => resume(Effect.fail(error)))
      socket.once("secureConnect", () => resume(Effect.succeed(socket)))
    }),
    (socket) => ({ ...Peers.play(socket), reset: below.reset })
  )

/** The same, connected first. */
export const dial = (port: number, options: Tls.ConnectionOptions): Effect.Effect<Peer, Error, Scope.Scope> =>
  Effect.flatMap(Peers.dial(port, { host: options.host ?? "127.0.0.1" }), (below) => over(below, options))

/** A TLS server played by hand. */
export interface Server {
  readonly port: number
  /** The next connection whose handshake is done. */
  readonly accept: Effect.Effect<Peer>
  /** The connections that TLS is spoken over. */
  readonly below: ReadonlyArray<Net.Socket>
}

export const listen = (options: Tls.TlsOptions): Effect.Effect<Server, Error, Scope.Scope> =>
  Effect.gen(function* () {
    const peers: Array<Peer> = []
    const sockets: Array<Net.Socket> = []
    let wake: () => void = () => {}
    const server = yield* Effect.acquireRelease(
      Effect.sync(() =>
        Tls.createServer(options, (socket) => {
          socket.on("error", () => {})
          peers.push(Peers.play(socket))
          wake()
        }).on("connection", (socket) => sockets.push(socket))
      ),
      (server) =>
        Effect.sync(() => {
          for (const socket of sockets) socket.destroy()
          server.close()
        })
    )
    yield* Effect.async<void, Error>((resume) => {
      server.once("error", (error) => resume(Effect.fail(error)))
      server.listen({ host: "127.0.0.1", port: 0 }, () => resume(Effect.void))
    })
    const accept: Effect.Effect<Peer> = Effect.suspend(() => {
      const peer = peers.shift()
      if (peer !== undefined) return Effect.succeed(peer)
      return Effect.zipRight(
        Effect.async<void>((resume) => {
          wake = () => resume(Effect.void)
        }),
        accept
      )
    })
    return { port: (server.address() as Net.AddressInfo).port, accept, below: sockets }
  })

/** A certificate for Node. */
export const shown = ({ cert, key }: Pair): { readonly cert: string; readonly key: string } => ({
  cert,
  key: Redacted.value(key)
})

/** What a client says first, as far as the server is concerned. */
export const clientHello: Effect.Effect<Uint8Array> = Effect.async((resume) => {
  const below = new Duplex({
    read: () => {},
    write: (chunk: Uint8Array, _, done) => {
      done()
      resume(Effect.succeed(chunk))
    }
  })
  Tls.connect({ socket: below, rejectUnauthorized: false }).on("error", () => {})
})

/** Asks for another handshake, as TLS 1.2 has it. */
export const negotiateAgain = ({ socket }: Peer): void =>
  void (socket as Tls.TLSSocket).renegotiate({ rejectUnauthorized: false }, () => {})

/** The sessions that a client could take up again, as many as there are when asked. */
export const sessionsOf = ({ socket }: Peer): (() => ReadonlyArray<Buffer>) => {
  const before = (socket as Tls.TLSSocket).getSession()
  const sessions: Array<Buffer> = before === undefined ? [] : [before]
  socket.on("session", (session: Buffer) => sessions.push(session))
  return () => sessions
}

/** Whether it has taken one up. */
export const resumed = ({ socket }: Peer): boolean => (socket as Tls.TLSSocket).isSessionReused()

/** The name that a client has told (SNI); false if it has not. */
export const toldName = ({ socket }: Peer): string | false | null => (socket as Tls.TLSSocket).servername
