/**
 * The Scalability Protocols by number and by name.
 *
 * A number is what two peers show each other when they connect: sixteen times the family plus the role in it. Raw and
 * polyamorous sockets have the numbers and names of their cooked form.
 *
 * @example
 * ```ts
 * import * as Protocol from "effect-nng/Protocol"
 *
 * console.log(Protocol.req0.peerName) // rep
 * console.log(Protocol.describe(0x0031)) // rep0 (0x0031)
 * console.log(Protocol.describe(0x1234)) // unknown protocol 0x1234
 * ```
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"

/**
 * One protocol, as its sockets show it to their peers. Its names are in its type, and so which are each other's peers.
 *
 * @since 0.1.0
 * @category models
 */
export interface Protocol<out Name extends string = string, out PeerName extends string = string> {
  /** The number sent in the handshake (`nng_socket_proto_id`). */
  readonly number: number
  /** The name that goes with it, `"pair"` or `"pair1"` (`nng_socket_proto_name`). */
  readonly name: Name
  /** The number its peers must have (`nng_socket_peer_id`). */
  readonly peer: number
  /** The name of its peers (`nng_socket_peer_name`). */
  readonly peerName: PeerName
  /** The WebSocket sub-protocol that a listener of it serves. A dialer asks for that of its peer. */
  readonly wsName: string
}

const peers = <A extends string, B extends string>(
  number: number,
  name: A,
  peer: number,
  peerName: B
): readonly [Protocol<A, B>, Protocol<B, A>] => [
  { number, name, peer, peerName, wsName: `${name}.sp.nanomsg.org` },
  { number: peer, name: peerName, peer: number, peerName: name, wsName: `${peerName}.sp.nanomsg.org` }
]

const alike = <A extends string>(number: number, name: A): Protocol<A, A> => peers(number, name, number, name)[0]

/**
 * One to one, version 0.
 *
 * @since 0.1.0
 * @category protocols
 */
export const pair0: Protocol<"pair", "pair"> = alike(0x0010, "pair")

/**
 * One to one, version 1; with polyamorous mode one to many.
 *
 * @since 0.1.0
 * @category protocols
 */
export const pair1: Protocol<"pair1", "pair1"> = alike(0x0011, "pair1")

const [pub, sub] = peers(0x0020, "pub", 0x0021, "sub")

/**
 * Sends to every subscriber.
 *
 * @since 0.1.0
 * @category protocols
 */
export const pub0: Protocol<"pub", "sub"> = pub

/**
 * Receives what it subscribed to.
 *
 * @since 0.1.0
 * @category protocols
 */
export const sub0: Protocol<"sub", "pub"> = sub

const [req, rep] = peers(0x0030, "req", 0x0031, "rep")

/**
 * Asks, and waits for the one answer.
 *
 * @since 0.1.0
 * @category protocols
 */
export const req0: Protocol<"req", "rep"> = req

/**
 * Answers requests.
 *
 * @since 0.1.0
 * @category protocols
 */
export const rep0: Protocol<"rep", "req"> = rep

const [push, pull] = peers(0x0050, "push", 0x0051, "pull")

/**
 * Hands each message to one of its pullers.
 *
 * @since 0.1.0
 * @category protocols
 */
export const push0: Protocol<"push", "pull"> = push

/**
 * Takes work from its pushers.
 *
 * @since 0.1.0
 * @category protocols
 */
export const pull0: Protocol<"pull", "push"> = pull

const [surveyor, respondent] = peers(0x0062, "surveyor", 0x0063, "respondent")

/**
 * Asks everybody, and collects answers until a deadline.
 *
 * @since 0.1.0
 * @category protocols
 */
export const surveyor0: Protocol<"surveyor", "respondent"> = surveyor

/**
 * Answers surveys.
 *
 * @since 0.1.0
 * @category protocols
 */
export const respondent0: Protocol<"respondent", "surveyor"> = respondent

/**
 * Sends to all its direct neighbours.
 *
 * @since 0.1.0
 * @category protocols
 */
export const bus0: Protocol<"bus", "bus"> = alike(0x0070, "bus")

/**
 * All protocols, in the order of their numbers.
 *
 * @since 0.1.0
 * @category protocols
 */
export const all: ReadonlyArray<Protocol> = [
  pair0,
  pair1,
  pub0,
  sub0,
  req0,
  rep0,
  push0,
  pull0,
  surveyor0,
  respondent0,
  bus0
]

const byNumber: ReadonlyMap<number, Protocol> = new Map(all.map((protocol) => [protocol.number, protocol]))

/**
 * The protocol with this number, if NNG has one.
 *
 * @since 0.1.0
 * @category getters
 */
export const fromNumber = (number: number): Option.Option<Protocol> => Option.fromNullable(byNumber.get(number))

/**
 * A protocol number for people to read: `"pair0 (0x0010)"`, or `"unknown protocol 0x1234"`.
 *
 * @since 0.1.0
 * @category getters
 */
export const describe = (number: number): string => {
  const hex = `0x${number.toString(16).padStart(4, "0")}`
  const protocol = byNumber.get(number)
  return protocol === undefined ? `unknown protocol ${hex}` : `${versioned(protocol)} (${hex})`
}

const versioned = ({ name }: Protocol): string => (/\d$/.test(name) ? name : `${name}0`)
