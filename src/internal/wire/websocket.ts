// hot path: bench/src/rows/ws-64.js
import * as Errors from "../../Errors.js"
import type { Message } from "../../Message.js"
import type { Protocol } from "../../Protocol.js"

/**
 * The sub-protocol that a dialer asks for: there is no SP header on WebSocket, and the name is always that of the side
 * that listens.
 *
 * @internal
 */
export const asked = (protocol: Protocol): string => `${protocol.peerName}.sp.nanomsg.org`

/**
 * Longest frames that each side sends by default; libnng refuses longer ones than 1 MiB.
 *
 * @internal
 */
export const sendMaxFrame = { dial: 1024 * 1024, listen: 64 * 1024 } as const

/**
 * What a peer may spread one message over. Frames are counted because empty ones have no bytes to count, and chunks
 * because each costs more than the byte it may have.
 *
 * @internal
 */
export const bounds = { fragments: 16 * 1024, chunks: 64 * 1024 } as const

/**
 * A message as one payload, header first.
 *
 * @internal
 */
export const payload = (message: Message): Uint8Array => {
  const { headerLength } = message
  if (headerLength === 0) return message.body
  const bytes = new Uint8Array(headerLength + message.length)
  bytes.set(message.header)
  bytes.set(message.body, headerLength)
  return bytes
}

/**
 * What a message takes on the way, with the longest head that a frame has: an empty one takes room too.
 *
 * @internal
 */
export const frameSize = (message: Message): number => 14 + message.headerLength + message.length

/**
 * The payload of a message that is longer than `max`, in pieces of `max` and a rest; only the first is a copy, and only
 * if there is a header.
 *
 * @internal
 */
export const fragments = (message: Message, max: number): ReadonlyArray<Uint8Array> => {
  const { body, header, headerLength } = message
  const pieces: Array<Uint8Array> = []
  let at = 0
  if (headerLength > 0) {
    const words = header.subarray(0, max)
    const first = new Uint8Array(Math.min(max, headerLength + body.length))
    first.set(words)
    at = first.length - words.length
    first.set(body.subarray(0, at), words.length)
    pieces.push(first)
    for (let more = max; more < headerLength; more += max) pieces.push(header.subarray(more, more + max))
  }
  for (; at < body.length; at += max) pieces.push(body.subarray(at, at + max))
  return pieces
}

/** @internal */
export const closeCode = { normal: 1000, unsupported: 1003 } as const

/** What the peer says with the code of its close frame; 1005 is a frame without code, 1006 no frame at all. */
const meaning: Readonly<Record<number, string>> = {
  1002: "the peer saw a protocol error",
  1003: "the peer does not take such data",
  1007: "the peer saw data that is none",
  1008: "the peer has a policy against it",
  1009: "a message, or a frame of it, was too big for the peer",
  1010: "the peer wants an extension",
  1011: "the peer failed"
}

/**
 * Why a connection has ended whose peer closed it with this code.
 *
 * @internal
 */
export const closeError = (code: number): Errors.ECONNSHUT | Errors.EPROTO | Errors.EMSGSIZE => {
  const reason = meaning[code]
  const details = { operation: "websocket", reason: reason === undefined ? undefined : `${reason} (${code})` }
  if (code === 1009) return new Errors.EMSGSIZE(details)
  return reason === undefined || code === 1011 ? new Errors.ECONNSHUT(details) : new Errors.EPROTO(details)
}
