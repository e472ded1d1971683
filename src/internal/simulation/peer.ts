import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import type { ByteStream, StreamError } from "../../ByteStream.js"
import * as Errors from "../../Errors.js"
import type { Input, Message } from "../../Message.js"
import * as Messages from "../../Message.js"
import type * as Protocol from "../../Protocol.js"
import type * as Api from "../../TestTransport.js"
import type { ByteTarget } from "../../ByteTransport.js"
import type { DialError, ListenError } from "../../Transport.js"
import * as Url from "../../Url.js"
import { atomically } from "../ports/atomically.js"
import * as Header from "../wire/header.js"
import type { End } from "./end.js"
import type { Network } from "./network.js"
import type { Node } from "./node.js"
import { markerOf } from "./transports.js"

const bytesOf = (piece: Uint8Array | string): Uint8Array =>
  typeof piece === "string" ? new TextEncoder().encode(piece) : piece

const lengthOf = (bytes: number): Uint8Array => {
  const length = new Uint8Array(8)
  new DataView(length.buffer).setBigUint64(0, BigInt(bytes))
  return length
}

const markerBytes = (marker: number | undefined): Uint8Array =>
  marker === undefined ? new Uint8Array(0) : Uint8Array.of(marker)

const concat = (pieces: ReadonlyArray<Uint8Array>): Uint8Array => {
  const bytes = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.length
  }
  return bytes
}

/** More than a test would send by hand; a length above this is not one. */
const largestFrame = 2 ** 30

const notFrame = (reason: string) => Exit.fail(new Errors.EPROTO({ operation: "Peer.recv", reason }))

/** One end of a connection, played by a test. */
class PeerImpl implements Api.Peer {
  /** All that came, and how much of it was read. */
  private came: Uint8Array = new Uint8Array(0)
  private at = 0

  constructor(
    private readonly stream: ByteStream,
    private readonly marker: number | undefined
  ) {}

  readonly properties = this.stream.properties

  readonly write = (...pieces: ReadonlyArray<Uint8Array | string>): Effect.Effect<void, StreamError> =>
    this.stream.write(...pieces.map(bytesOf))

  readonly read = (size: number): Effect.Effect<Uint8Array, StreamError> =>
    atomically(() => (this.unread < size ? Effect.zipRight(this.more, this.read(size)) : this.take(size)))

  private get unread(): number {
    return this.came.length - this.at
  }

  private take(size: number): Exit.Exit<Uint8Array> {
    this.at += size
    return Exit.succeed(this.came.slice(this.at - size, this.at))
  }

  /** Waits for the next bytes; they stay to be read. */
  private readonly more: Effect.Effect<void, StreamError> = Effect.suspend(() =>
    Effect.map(this.stream.read, (bytes) => {
      this.came = concat([this.came, bytes])
    })
  )

  readonly received: Effect.Effect<Uint8Array> = Effect.sync(() => this.came.slice())

  readonly greet = (protocol: Protocol.Protocol): Effect.Effect<number, StreamError | Errors.EPROTO> =>
    Effect.zipRight(
      this.write(Header.encode(protocol.number)),
      Effect.flatMap(this.read(Header.length), (bytes) => {
        const peer = Header.decode(bytes)
        return typeof peer === "number" ? Effect.succeed(peer) : Effect.fail(peer ?? new Errors.EPROTO())
      })
    )

  readonly send = (input: Input): Effect.Effect<void, StreamError> =>
    Effect.suspend(() => {
      const message = Messages.fromInput(input)
      const pieces = [message.header, message.body].map((part) => Uint8Array.from(part))
      return this.write(markerBytes(this.marker), lengthOf(message.header.length + message.body.length), ...pieces)
    })

  readonly recv: Effect.Effect<Message, StreamError | Errors.EPROTO> = atomically(() => {
    const before = this.marker === undefined ? 0 : 1
    const again = Effect.suspend(() => Effect.zipRight(this.more, this.recv))
    if (this.unread < before + 8) return again
    const head = this.came.subarray(this.at)
    if (before === 1 && head[0] !== this.marker) return notFrame(`its first byte is ${head[0]}, not ${this.marker}`)
    const length = new DataView(head.buffer, head.byteOffset).getBigUint64(before)
    if (length > BigInt(largestFrame)) return notFrame(`it has ${length} bytes`)
    if (this.unread < before + 8 + Number(length)) return again
    return Exit.map(this.take(before + 8 + Number(length)), (bytes) => Messages.fromBytes(bytes.subarray(before + 8)))
  })

  readonly closed: Effect.Effect<StreamError> = Effect.suspend(() => Effect.flip(Effect.forever(this.more)))

  readonly end: Effect.Effect<void> = Effect.suspend(() => this.stream.close)

  readonly reset: Effect.Effect<void> = Effect.sync(() => (this.stream.bytes as End).cut())
}

const targetOf = (text: string): Either.Either<ByteTarget, Errors.EINVAL> =>
  Either.map(Url.parse(text), (url) => ({ url, options: {} }))

/** @internal */
export const dial = (
  network: Network,
  node: Node,
  url: string
): Effect.Effect<Api.Peer, DialError | Errors.EINVAL, Scope.Scope> =>
  Effect.flatMap(targetOf(url), (target) =>
    Effect.map(network.connect(node, target), (stream) => new PeerImpl(stream, markerOf(target.url.scheme)))
  )

/** @internal */
export const listen = (
  network: Network,
  node: Node,
  url: string
): Effect.Effect<Api.HandListener, ListenError | Errors.EINVAL, Scope.Scope> =>
  Effect.flatMap(targetOf(url), (target) =>
    Effect.map(network.listen(node, target), ({ accept, url }) => ({
      url: url.href,
      accept: Effect.map(accept, (stream) => new PeerImpl(stream, markerOf(url.scheme)))
    }))
  )
