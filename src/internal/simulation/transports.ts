import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ByteTransport from "../../ByteTransport.js"
import type { Transport, TransportOptions } from "../../Transport.js"
import { check } from "../connection/tcpUrl.js"
import type { Network } from "./network.js"
import type { Node } from "./node.js"
import { isTcp } from "./node.js"

/** Every family of options there is: a program that sets them runs here too. */
const families: { readonly [F in keyof Required<TransportOptions>]: true } = {
  tcp: true,
  tls: true,
  ipc: true,
  ws: true
}
const options = Object.keys(families) as Array<keyof TransportOptions>

const marked = new Set(["ipc", "unix", "abstract"])

/**
 * The byte in front of a message's length, where the scheme has one.
 *
 * @internal
 */
export const markerOf = (scheme: string): number | undefined => (marked.has(scheme) ? 1 : undefined)

const make = (network: Network, node: Node, scheme: string): Transport =>
  ByteTransport.make({
    schemes: [scheme],
    options,
    check: (role, url, options) => (isTcp(url.scheme) ? check(role, url, options) : Either.void),
    connect: (target) => Effect.map(network.connect(node, target), ByteTransport.opened),
    listen: (target) =>
      Effect.map(network.listen(node, target), ({ accept, url }) => ({
        url,
        accept: Effect.map(accept, ByteTransport.opened)
      })),
    marker: markerOf(scheme)
  })

/** Has a transport for whatever scheme is asked for. */
class AnyScheme extends Map<string, Transport> {
  constructor(private readonly transportFor: (scheme: string) => Transport) {
    super()
  }

  override get(scheme: string): Transport {
    const there = super.get(scheme)
    if (there !== undefined) return there
    const made = this.transportFor(scheme)
    this.set(scheme, made)
    return made
  }

  override has(): boolean {
    return true
  }
}

/**
 * What the sockets of a node reach each other by.
 *
 * @internal
 */
export const transports = (network: Network, node: Node): ReadonlyMap<string, Transport> =>
  new AnyScheme((scheme) => make(network, node, scheme))
