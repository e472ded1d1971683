import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Address from "../../Address.js"
import type { ByteStream } from "../../ByteStream.js"
import * as ByteStreams from "../../ByteStream.js"
import type { PipeProperties } from "../../Pipe.js"
import type * as Url from "../../Url.js"
import { acquireRelease } from "../ports/scoped.js"
import type { End } from "./end.js"
import type { Listening, Node } from "./node.js"
import { isIp, isLoopback } from "./node.js"
import type { Names } from "./where.js"
import * as Where from "./where.js"

/**
 * What a node answers to, there or at these places.
 *
 * @internal
 */
export const namesOf = (node: Node | undefined, ...places: ReadonlyArray<string | undefined>): Names =>
  new Set(
    [node?.name, node?.ip, ...places]
      .filter((place) => place !== undefined && place !== "")
      .map((p) => Where.canonical(p!))
  )

/** @internal */
export const addressesOf = (
  node: Node,
  source: string | undefined,
  { node: there, url }: Listening,
  host: string
): readonly [dialing: Address.Address, listening: Address.Address] => {
  if (url.host === undefined) {
    const address = url.scheme === "inproc" ? Address.inproc(url.path) : Address.ipc(url.path)
    return [address, address]
  }
  const remote = isIp(host) ? host : isLoopback(host) ? "127.0.0.1" : there.ip
  const local = source !== undefined && isIp(source) ? source : isLoopback(remote) ? remote : node.ip
  return [Address.fromIp(local, node.freePort()), Address.fromIp(remote, url.port ?? 0)]
}

/** @internal */
export const streamOf = (
  end: End,
  url: Url.Url,
  localAddress: Address.Address,
  remoteAddress: Address.Address
): ByteStream => {
  const tcp: PipeProperties = url.host === undefined ? {} : { noDelay: true, keepAlive: true }
  return ByteStreams.make(end, { ...tcp, localAddress, remoteAddress })
}

/**
 * Hangs up when the scope ends.
 *
 * @internal
 */
export const own = (stream: ByteStream): Effect.Effect<ByteStream, never, Scope.Scope> =>
  acquireRelease(Effect.succeed(stream), ({ bytes }) => Effect.sync(() => (bytes as End).hangUp()))
