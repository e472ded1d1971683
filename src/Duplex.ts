/**
 * The synchronous face of a connection: what an adapter supplies and what the engine drives. Streams, sinks and plain
 * Effects are made from it once, by `ByteStream.make` and `Transport.connection`.
 *
 * @example
 * ```ts
 * import type { Duplex } from "effect-nng/Duplex"
 *
 * // Nothing ever comes, and all that goes is taken.
 * export const blackHole: Duplex<Uint8Array, ReadonlyArray<Uint8Array>, never> = {
 *   start: () => {},
 *   pull: () => undefined,
 *   push: () => true,
 *   close: () => ({ unsent: [], doubtful: [] })
 * }
 * ```
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { atomically } from "./internal/ports/atomically.js"
import { Signal } from "./internal/ports/signal.js"

/**
 * What the owner of a `Duplex` is told. Each call comes from outside the duplex's own methods (an I/O callback, a
 * later microtask), never from within one, so an owner needs no guard against re-entry.
 *
 * @since 0.1.0
 * @category models
 */
export interface Handler<in In, in E> {
  /**
   * The answer to a `pull` that had nothing: called once for each.
   */
  readonly onPull: (input: In) => void
  /**
   * The answer to a `push` that returned false: called once, when there is room again.
   */
  readonly onDrain: () => void
  /**
   * The other side is gone, or broke the protocol. Called at most once, and not after `close`. What had arrived
   * before can still be pulled; a pull that finds nothing more finds nothing ever.
   */
  readonly onClose: (error: E) => void
  /**
   * Whether somebody waits for the next input, and takes it as soon as it has come. Default: nobody does.
   */
  readonly awaits?: boolean
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Duplex<out In, in out Out, out E> {
  /**
   * Names the owner. Nothing is called before; a second call replaces the first, for a handshake that hands over. An
   * owner that comes after the end is told of it.
   */
  readonly start: (handler: Handler<In, E>) => void
  /**
   * What is ready now, or undefined: then `onPull` brings the next. Nothing is read ahead of the demand but what a
   * single read of the operating system brought.
   */
  readonly pull: () => In | undefined
  /**
   * Accepts `output` in any case. False: it is full now, push no more before `onDrain`.
   */
  readonly push: (output: Out) => boolean
  /**
   * Hands over what it can without waiting, closes at once, and returns what was accepted and not handed over.
   * May be called twice; calls no handler.
   */
  readonly close: () => Leftover<Out>
}

/**
 * What was accepted and has not, or perhaps not, reached the other side when a duplex closed.
 *
 * @since 0.1.0
 * @category models
 */
export interface Leftover<out Out> {
  /** It was handed over to nobody: it can be sent another way. */
  readonly unsent: ReadonlyArray<Out>
  /** Some of it may have gone out. */
  readonly doubtful: ReadonlyArray<Out>
}

const nothing: ReadonlyArray<never> = []

/**
 * Nothing is left over.
 *
 * @since 0.1.0
 * @category constructors
 */
export const noLeftover: Leftover<never> = { unsent: nothing, doubtful: nothing }

/**
 * The plain Effects made from a duplex.
 *
 * @since 0.1.0
 * @category models
 */
export interface Effects<out In, in Out, out E> {
  /**
   * The next input. **Interruption** takes nothing.
   */
  readonly pull: Effect.Effect<In, E>
  /**
   * Waits until there is room, then accepts all of `outputs`. **Interruption** while it waits has sent nothing.
   */
  readonly pushAll: (outputs: Iterable<Out>) => Effect.Effect<void, E>
  /**
   * Closes at once. **Interruption**: none, it does not wait.
   */
  readonly close: Effect.Effect<void>
}

/**
 * Takes ownership of the duplex at the first use and makes Effects of it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const effects = <In, Out, E>(duplex: Duplex<In, Out, E>, closed: () => E): Effects<In, Out, E> => {
  const owner = new Owner(duplex, closed)
  return { pull: owner.pull, pushAll: owner.pushAll, close: Effect.sync(() => owner.close()) }
}

class Owner<In, Out, E> implements Handler<In, E> {
  private started = false
  private demanded = false
  private full = false
  private arrived: In | undefined = undefined
  private error: E | undefined = undefined
  private readonly signal = new Signal()

  constructor(
    private readonly duplex: Duplex<In, Out, E>,
    private readonly closed: () => E
  ) {}

  readonly pull: Effect.Effect<In, E> = atomically(() => {
    this.own()
    const input = this.take()
    if (input !== undefined) return Exit.succeed(input)
    return this.error === undefined
      ? Effect.zipRight(
          this.signal.until(() => !this.demanded || this.error !== undefined),
          this.pull
        )
      : Exit.fail(this.error)
  })

  readonly pushAll = (outputs: Iterable<Out>): Effect.Effect<void, E> =>
    atomically(() => {
      this.own()
      if (this.error !== undefined) return Exit.fail(this.error)
      if (this.full) {
        const roomOrEnd = () => !this.full || this.error !== undefined
        return Effect.zipRight(this.signal.until(roomOrEnd), this.pushAll(outputs))
      }
      for (const output of outputs) this.full = !this.duplex.push(output) || this.full
      return Exit.void
    })

  close(): void {
    this.own()
    this.error ??= this.closed()
    this.duplex.close()
    this.signal.wake()
  }

  readonly onPull = (input: In) => {
    this.demanded = false
    this.arrived = input
    this.signal.wake()
  }

  readonly onDrain = () => {
    this.full = false
    this.signal.wake()
  }

  readonly onClose = (error: E) => {
    this.error ??= error
    this.signal.wake()
  }

  private own(): void {
    if (this.started) return
    this.started = true
    this.duplex.start(this)
  }

  private take(): In | undefined {
    const arrived = this.arrived
    if (arrived !== undefined) {
      this.arrived = undefined
      return arrived
    }
    if (this.demanded && this.error === undefined) return undefined
    const input = this.duplex.pull()
    this.demanded = input === undefined
    return input
  }
}
