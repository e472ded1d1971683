import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import * as Net from "node:net"
import type * as NodeStream from "node:stream"
import * as Address from "../../Address.js"
import type { Bytes, ByteStream, StreamError } from "../../ByteStream.js"
import * as ByteStreams from "../../ByteStream.js"
import * as ByteTransport from "../../ByteTransport.js"
import type { Handler, Leftover } from "../../Duplex.js"
import * as Errors from "../../Errors.js"
import type { AdoptError, CheckError, Transport } from "../../Transport.js"
import { acquireRelease } from "../ports/scoped.js"
import { soon } from "../ports/soon.js"
import { NodeDuplex } from "./duplex.js"
import { Arrivals } from "./server.js"

/** Connections handed in that the listener has not come to yet. */
const capacity = 16

/** @internal */
export const fromDuplex = (stream: NodeStream.Duplex): ByteStream =>
  ByteStreams.make(new NodeDuplex(stream), {
    localAddress: Address.unspecified,
    remoteAddress: Address.unspecified
  })

const nobody: Handler<Uint8Array, StreamError> = { onPull: () => {}, onDrain: () => {}, onClose: () => {} }

/** Bytes that were handed in. When the scope of their connection ends, whoever drives them is told, as with our own. */
class Adopted implements Bytes, Handler<Uint8Array, StreamError> {
  private owner = nobody

  constructor(private readonly bytes: Bytes) {}

  start(owner: Handler<Uint8Array, StreamError>): void {
    this.owner = owner
    this.bytes.start(this)
  }

  pull(): Uint8Array | undefined {
    return this.bytes.pull()
  }

  push(pieces: ReadonlyArray<Uint8Array>): boolean {
    return this.bytes.push(pieces)
  }

  close(): Leftover<ReadonlyArray<Uint8Array>> {
    this.owner = nobody
    return this.bytes.close()
  }

  end(): void {
    const { owner } = this
    this.close()
    soon(() => owner.onClose(new Errors.ECLOSED({ operation: "stream" })))
  }

  onPull(chunk: Uint8Array): void {
    this.owner.onPull(chunk)
  }

  onDrain(): void {
    this.owner.onDrain()
  }

  onClose(error: StreamError): void {
    const { owner } = this
    this.owner = nobody
    owner.onClose(error)
  }
}

/** A connection that waits to be accepted. */
interface Waiting {
  readonly bytes: Adopted
  readonly stream: ByteStream
}

const waiting = ({ bytes, properties }: ByteStream): Waiting => {
  const adopted = new Adopted(bytes)
  return { bytes: adopted, stream: ByteStreams.make(adopted, properties) }
}

const fromDescriptor = (fd: number): Either.Either<ByteStream, Errors.EINVAL> =>
  Either.try({
    try: () => fromDuplex(new Net.Socket({ fd, readable: true, writable: true })),
    catch: (cause) =>
      new Errors.EINVAL({ operation: "adopt", reason: `descriptor ${fd} is not of an open socket`, cause })
  })

const adopt =
  (arrivals: Arrivals<Waiting>) =>
  (connection: number | ByteStream): Effect.Effect<void, AdoptError> =>
    Effect.suspend((): Effect.Effect<void, AdoptError> => {
      if (arrivals.closed) return new Errors.ECLOSED({ operation: "adopt" })
      if (arrivals.full) return new Errors.ENOSPC({ operation: "adopt", reason: `${capacity} wait already` })
      const stream = typeof connection === "number" ? fromDescriptor(connection) : Either.right(connection)
      return Either.map(stream, (stream) => arrivals.add(waiting(stream)))
    })

const check: Transport["check"] = (role, url): Either.Either<void, CheckError> => {
  const details = { operation: role, address: url.href }
  if (role === "dial") {
    return Either.left(new Errors.ENOTSUP({ ...details, reason: "connections are handed to a listener, at both ends" }))
  }
  return url.path === ""
    ? Either.void
    : Either.left(new Errors.EADDRINVAL({ ...details, reason: "a socket URL ends after its slashes" }))
}

const listen = ({ url }: ByteTransport.ByteTarget): Effect.Effect<ByteTransport.ByteAcceptor, never, Scope.Scope> =>
  Effect.map(
    acquireRelease(
      Effect.sync(() => new Arrivals<Waiting>(({ bytes }) => bytes.end(), capacity)),
      (arrivals) => Effect.sync(() => arrivals.close())
    ),
    (arrivals) => ({
      url,
      accept: Effect.map(arrivals.accept, ({ stream }) => ByteTransport.opened(stream)),
      adopt: adopt(arrivals)
    })
  )

/**
 * Connections that are there already and are handed in.
 *
 * @internal
 */
export const bytes: ByteTransport.ByteTransport = {
  schemes: ["socket"],
  options: [],
  check,
  connect: ({ url }) => new Errors.ENOTSUP({ operation: "dial", address: url.href }),
  listen
}
