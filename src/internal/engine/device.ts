// hot path: bench/src/rows/oneway.js, rtt.js
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Exit from "effect/Exit"
import type * as Api from "../../Device.js"
import * as Errors from "../../Errors.js"
import type { Message } from "../../Message.js"
import { describe } from "../../Protocol.js"
import type { Socket } from "../../Socket.js"
import type { Borrower } from "./free.js"
import { FreeConversation } from "./free.js"
import type { SocketImpl } from "./socket.js"

/** Messages that one way forwards before the other has its turn. */
const burst = 256

const nothing = () => undefined

/** A socket, and what a device uses of it. */
interface Side {
  readonly socket: SocketImpl
  readonly conversation: FreeConversation
}

/** From one side to the other. A message is taken only when the other side has room for it, so none is ever in between. */
class Way {
  /**
   * Except when taking one has ended the only peer that had room, which only a socket that reflects can see: then it
   * waits here for another.
   */
  private held: Message | undefined = undefined

  constructor(
    readonly from: FreeConversation,
    readonly to: FreeConversation,
    private readonly toSocket: SocketImpl
  ) {}

  get hasNext(): boolean {
    return this.held !== undefined || this.from.verbs.canRecv
  }

  get ready(): boolean {
    return this.hasNext && this.to.verbs.canSend
  }

  /** What it can, but no more than a burst; whether there may be more. */
  forward(): boolean {
    const { from, to } = this
    for (let count = 0; count < burst; count++) {
      const message = to.verbs.canSend ? this.take() : undefined
      if (message === undefined) return false
      if (!to.verbs.send(message)) {
        this.held = message
        return false
      }
      to.shared.counts.sent++
    }
    return from.verbs.canRecv
  }

  /** The last that can be done for what is held. */
  end(): void {
    if (this.held === undefined) return
    if (this.to.verbs.send(this.held)) this.to.shared.counts.sent++
    else this.toSocket.dropped.disconnected++
    this.held = undefined
  }

  private take(): Message | undefined {
    const { from, held } = this
    this.held = undefined
    if (held !== undefined) return held
    const message = from.verbs.recv()
    if (message !== undefined) from.shared.counts.received++
    return message
  }
}

/** Runs in the fiber that it was called in, and has no other. */
class DeviceImpl implements Borrower {
  private readonly ways: ReadonlyArray<Way>
  private closed: Exit.Exit<never, Errors.ECLOSED> | undefined = undefined
  /** Whether something has happened since it last looked. */
  private stirred = false
  private resume: (effect: Effect.Effect<void>) => void = nothing

  constructor(private readonly sides: ReadonlyArray<Side>) {
    const [left, right = left] = sides as [Side, Side?]
    const there = waysBetween(left, right)
    this.ways = left === right ? there : [...there, ...waysBetween(right, left)]
    for (const { conversation, socket } of sides) {
      socket.lent = true
      conversation.lend(this)
    }
  }

  /** Forwards until a socket is closed. */
  readonly run: Effect.Effect<never, Errors.ECLOSED> = Effect.suspend(() => {
    if (this.closed !== undefined) return this.closed
    this.stirred = false
    let more = false
    for (const way of this.ways) if (way.forward()) more = true
    const others = this.sides[0]!.conversation.beforehand()
    return Effect.zipRight(others ?? (more ? Effect.yieldNow() : this.wait), this.run)
  })

  readonly release: Effect.Effect<void> = Effect.sync(() => {
    for (const way of this.ways) way.end()
    for (const { conversation, socket } of this.sides) {
      socket.lent = false
      conversation.takeBack()
    }
  })

  notify(): void {
    this.stirred = true
    if (this.resume !== nothing && this.ways.some((way) => way.ready)) this.wake()
  }

  end(closed: Exit.Exit<never, Errors.ECLOSED>): void {
    this.closed ??= closed
    this.stirred = true
    this.wake()
  }

  wantsRoom(conversation: FreeConversation): boolean {
    return this.ways.some((way) => way.to === conversation && way.hasNext)
  }

  private readonly wait: Effect.Effect<void> = Effect.async((resume) => {
    if (this.stirred) return resume(Effect.void)
    this.resume = resume
    return Effect.sync(() => {
      this.resume = nothing
    })
  })

  private wake(): void {
    const { resume } = this
    this.resume = nothing
    resume(Effect.void)
  }
}

const waysBetween = (from: Side, to: Side): ReadonlyArray<Way> =>
  from.socket.spec.canRecv && to.socket.spec.canSend ? [new Way(from.conversation, to.conversation, to.socket)] : []

const invalid = (reason: string) => Either.left(new Errors.EINVAL({ operation: "Device.run", reason }))

const sideOf = (socket: SocketImpl): Either.Either<Side, Errors.EINVAL> => {
  const { conversation, id, protocol, raw } = socket
  return raw && conversation instanceof FreeConversation
    ? Either.right({ socket, conversation })
    : invalid(`socket ${id} of ${describe(protocol.number)} is not raw`)
}

const closedError = ({ id }: SocketImpl) =>
  new Errors.ECLOSED({ operation: "Device.run", reason: `socket ${id} is about to be closed` })

/** All of the checks, and then both sockets or none. */
const borrow = (left: SocketImpl, right: SocketImpl): Either.Either<DeviceImpl, Api.DeviceError> =>
  Either.gen(function* () {
    const sides = [yield* sideOf(left)]
    if (right !== left) sides.push(yield* sideOf(right))
    if (left.protocol.peer !== right.protocol.number || right.protocol.peer !== left.protocol.number) {
      const [one, other] = [describe(left.protocol.number), describe(right.protocol.number)]
      return yield* invalid(`${one} and ${other} are not each other's peers`)
    }
    for (const { conversation, socket } of sides) {
      const refusal = socket.refuses("Device.run")
      if (refusal !== undefined) return yield* Either.left(refusal)
      // it is being drained
      if (conversation.sendsClosed !== undefined) return yield* Either.left(closedError(socket))
    }
    return new DeviceImpl(sides)
  })

/** @internal */
export const run = (left: Socket, right: Socket = left): Effect.Effect<never, Api.DeviceError> =>
  Effect.acquireUseRelease(
    Effect.suspend(() => borrow(left as SocketImpl, right as SocketImpl)),
    (device) => device.run,
    (device) => device.release
  )
