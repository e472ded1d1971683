import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Address from "../../Address.js"
import type { ByteStream, StreamError } from "../../ByteStream.js"
import * as Errors from "../../Errors.js"
import type { Protocol } from "../../Protocol.js"
import type { PipeProperties } from "../../Pipe.js"
import type { Connection, HandshakeError } from "../../Transport.js"
import * as Transport from "../../Transport.js"
import { located } from "../vocabulary/located.js"
import type { Format } from "../wire/framing.js"
import type { SharingPool } from "../wire/sharing.js"
import * as Header from "../wire/header.js"
import { ByteMessages } from "./messages.js"

/**
 * For the handshake as a whole; libnng allows as much for every single read, so a peer that drips bytes holds it off.
 *
 * @internal
 */
export const deadline = Duration.seconds(10)

interface Greeting {
  readonly peerProtocol: number
  readonly glued: Uint8Array
}

const none = new Uint8Array(0)

/** Both sides speak first, so neither waits for the other. */
const greet = (stream: ByteStream, protocol: Protocol): Effect.Effect<Greeting, StreamError | Errors.EPROTO> =>
  Effect.zipRight(stream.write(Header.encode(protocol.number)), listen(stream, none))

const listen = (stream: ByteStream, before: Uint8Array): Effect.Effect<Greeting, StreamError | Errors.EPROTO> =>
  Effect.flatMap(stream.read, (chunk) => {
    const bytes = before.length === 0 ? chunk : join(before, chunk)
    const peerProtocol = Header.decode(bytes)
    if (peerProtocol === undefined) return listen(stream, bytes)
    if (typeof peerProtocol !== "number") return Effect.fail(peerProtocol)
    return Effect.succeed({ peerProtocol, glued: bytes.subarray(Header.length) })
  })

const join = (before: Uint8Array, after: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(before.length + after.length)
  bytes.set(before)
  bytes.set(after, before.length)
  return bytes
}

/**
 * Whom an error of an accepted connection is about.
 *
 * @internal
 */
export const peerOf = ({ remoteAddress }: PipeProperties): string | undefined =>
  remoteAddress === undefined ? undefined : Address.format(remoteAddress)

/**
 * Fails what has not ended when a handshake must have.
 *
 * @internal
 */
export const inTime = <A, E, R>(
  self: Effect.Effect<A, E, R>,
  what: string
): Effect.Effect<A, E | Errors.ETIMEDOUT, R> =>
  Effect.timeoutFail(self, {
    duration: deadline,
    onTimeout: () =>
      new Errors.ETIMEDOUT({ operation: "handshake", reason: `no ${what} within ${Duration.format(deadline)}` })
  })

/**
 * Opens a stream and does the SP handshake over it, all within one deadline.
 *
 * @internal
 */
export const connection = <R = never>(
  open: Effect.Effect<ByteStream, HandshakeError, R>,
  options: {
    readonly protocol: Protocol
    readonly recvMaxSize: number
    readonly format: Format
    readonly pool: SharingPool
    /** For errors: whom they are about. */
    readonly address: string | undefined
  }
): Effect.Effect<Connection, HandshakeError, R> =>
  Effect.mapError(
    inTime(
      Effect.flatMap(open, (stream) =>
        Effect.map(greet(stream, options.protocol), ({ glued, peerProtocol }) =>
          Transport.connection(
            new ByteMessages(stream.bytes, options.format, options.pool, options.recvMaxSize, glued),
            { peerProtocol, properties: stream.properties }
          )
        )
      ),
      "SP header"
    ),
    (error) => located(error, options.address)
  )
