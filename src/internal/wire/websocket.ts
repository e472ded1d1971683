import * as Errors from "../../Errors.js"
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

/** @internal */
export const closeCode = { normal: 1000, unsupported: 1003, tooBig: 1009, overrun: 1013 } as const

/** A browser lets its pages close with 1000, or with codes above 3000. */
const pageCodes = 3000

/**
 * The code that a page closes with where others have this one.
 *
 * @internal
 */
export const pageCode = (code: number): number => pageCodes + code

/** What the peer says with the code of its close frame; 1005 is a frame without code, 1006 no frame at all. */
const meaning: Readonly<Record<number, string>> = {
  1002: "the peer saw a protocol error",
  1003: "the peer does not take such data",
  1007: "the peer saw data that is none",
  1008: "the peer has a policy against it",
  1009: "a message, or a frame of it, was too big for the peer",
  1010: "the peer wants an extension",
  1011: "the peer failed",
  1013: "the peer could not keep up"
}

/**
 * Why a connection has ended whose peer closed it with this code.
 *
 * @internal
 */
export const closeError = (code: number): Errors.ECONNSHUT | Errors.EPROTO | Errors.EMSGSIZE => {
  const known = code > pageCodes ? code - pageCodes : code
  const reason = meaning[known]
  const details = { operation: "websocket", reason: reason === undefined ? undefined : `${reason} (${code})` }
  if (known === closeCode.tooBig) return new Errors.EMSGSIZE(details)
  return reason === undefined || known === 1011 || known === closeCode.overrun
    ? new Errors.ECONNSHUT(details)
    : new Errors.EPROTO(details)
}
