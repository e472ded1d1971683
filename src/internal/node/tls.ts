import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import type * as Net from "node:net"
import type * as NodeStream from "node:stream"
import * as ByteStream from "../../ByteStream.js"
import type { ByteConnection, ByteTransport } from "../../ByteTransport.js"
import type { PipeProperties } from "../../Pipe.js"
import type { HandshakeError, TcpOptions } from "../../Transport.js"
import { check, hosts } from "../connection/tcpUrl.js"
import { nextTurn } from "../ports/nextTurn.js"
import { acquireRelease } from "../ports/scoped.js"
import { NodeDuplex } from "./duplex.js"
import * as Tcp from "./tcp.js"
import * as TlsOptions from "./tlsOptions.js"
import type { Secured } from "./tlsUpgrade.js"
import * as TlsUpgrade from "./tlsUpgrade.js"

/** What TLS may take to hand the system what it was given before: it does one write at a time, and each ends in a turn. */
const mostTurns = 4

/** As with tcp, what was sent before the end gets out if the system takes it at once. */
const letGo = (stream: NodeStream.Duplex, turns = mostTurns, done: () => void = () => {}): void => {
  if (turns > 0 && stream.writableLength > 0 && !stream.destroyed) {
    return void nextTurn(() => letGo(stream, turns - 1, done))
  }
  stream.destroy()
  done()
}

/** A stream over TLS, which the scope lets go of before the connection below ends. */
const toStream = (
  { properties: tls, socket }: Secured,
  properties: PipeProperties
): Effect.Effect<ByteStream.ByteStream, never, Scope.Scope> =>
  acquireRelease(
    Effect.sync(() => ByteStream.make(new NodeDuplex(socket, letGo), { ...properties, tls })),
    () => Effect.async((resume) => letGo(socket, mostTurns, () => resume(Effect.void)))
  )

const toConnection = (
  raw: Net.Socket,
  tcp: TcpOptions = {},
  secured: Effect.Effect<Secured, HandshakeError>
): ByteConnection => {
  const properties = Tcp.properties(raw, tcp)
  return {
    properties,
    open: Effect.flatMap(secured, (secured) => toStream(secured, properties))
  }
}

/**
 * tls over tcp, of bytes.
 *
 * @internal
 */
export const bytes: ByteTransport = {
  schemes: ["tls+tcp", "tls+tcp4", "tls+tcp6"],
  options: ["tcp", "tls"],
  check: (role, url, options) =>
    Either.flatMap(check(role, url, options), () => TlsOptions.check(role, options.tls, url.href)),
  connect: (target) =>
    Effect.gen(function* () {
      const { tcp, tls } = target.options
      const side = yield* TlsUpgrade.client(tls, hosts(target.url).host, target.url.href)
      const raw = yield* Tcp.connect(target)
      return toConnection(raw, tcp, side.upgrade(raw))
    }),
  listen: (target) =>
    Effect.gen(function* () {
      const { tcp, tls } = target.options
      const side = TlsUpgrade.server(tls, target.url.href)
      // what is missing is missed now, and not when somebody comes
      yield* side
      const { accept, url } = yield* Tcp.listen(target)
      return { url, accept: Effect.map(accept, (raw) => toConnection(raw, tcp, TlsUpgrade.upgrade(side, raw))) }
    })
}
