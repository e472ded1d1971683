import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Net from "node:net"
import * as ByteStream from "../../ByteStream.js"
import type { ByteConnection, ByteTransport } from "../../ByteTransport.js"
import type { HandshakeError, TcpOptions } from "../../Transport.js"
import { check, hosts } from "../connection/tcpUrl.js"
import { NodeDuplex } from "./duplex.js"
import * as Tcp from "./tcp.js"
import * as TlsOptions from "./tlsOptions.js"
import type { Secured } from "./tlsUpgrade.js"
import * as TlsUpgrade from "./tlsUpgrade.js"

const toConnection = (
  raw: Net.Socket,
  tcp: TcpOptions = {},
  secured: Effect.Effect<Secured, HandshakeError>
): ByteConnection => {
  const properties = Tcp.properties(raw, tcp)
  return {
    properties,
    open: Effect.map(secured, (secured) =>
      ByteStream.make(new NodeDuplex(secured.socket), { ...properties, tls: secured.properties })
    )
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
