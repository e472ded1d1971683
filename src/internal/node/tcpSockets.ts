import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Net from "node:net"
import * as Address from "../../Address.js"
import type { PipeProperties } from "../../Pipe.js"
import type { DialError, Target, TcpOptions } from "../../Transport.js"
import { hosts } from "../connection/tcpUrl.js"
import { connectAny, connectOne } from "./connect.js"
import { toDialError } from "./errors.js"
import { resolve } from "./names.js"

const address = (host: string | undefined, port: number | undefined): Address.Address =>
  host === undefined || port === undefined ? Address.unspecified : Address.fromIp(host, port)

/** @internal */
export const properties = (socket: Net.Socket, { keepAlive = true, noDelay = true }: TcpOptions): PipeProperties => ({
  localAddress: address(socket.localAddress, socket.localPort),
  remoteAddress: address(socket.remoteAddress, socket.remotePort),
  noDelay,
  keepAlive
})

/** @internal */
export const connect = ({
  options: { tcp = {} },
  url
}: Pick<Target, "url" | "options">): Effect.Effect<Net.Socket, DialError, Scope.Scope> =>
  Effect.gen(function* () {
    const { host } = hosts(url)
    const { keepAlive = true, localAddress, noDelay = true } = tcp
    const addresses = yield* resolve(url, host, toDialError)
    const from = localAddress === undefined ? {} : { localAddress }
    const socketOptions: Net.SocketConstructorOpts & Net.TcpSocketConnectOpts = { noDelay, keepAlive, port: url.port! }
    return yield* connectAny(addresses, ({ address, family }) =>
      connectOne({ host: address, port: url.port!, family, ...from }, socketOptions)
    ).pipe(Effect.mapError((cause) => toDialError(cause, url.href)))
  })
