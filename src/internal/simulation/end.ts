import type { Address } from "../../Address.js"
import type { Bytes, StreamError } from "../../ByteStream.js"
import type { Handler, Leftover } from "../../Duplex.js"
import { noLeftover } from "../../Duplex.js"
import * as Errors from "../../Errors.js"
import { soon } from "../ports/soon.js"
import type { Flow, Medium, Terminal } from "./flow.js"
import type { Names } from "./where.js"

const nobody: Handler<Uint8Array, StreamError> = { onPull: () => {}, onDrain: () => {}, onClose: () => {} }

const isOrderly = (error: StreamError): boolean => error._tag === "NNG_ECONNSHUT"

/** As much as one read of an operating system brings. */
const largestRead = 64 * 1024

/**
 * One end of a simulated connection: what it writes goes into one flow, what it reads comes out of the other.
 *
 * @internal
 */
export class End implements Bytes, Terminal {
  outward!: Flow
  inward!: Flow
  closed = false
  silent = false
  private owner = nobody
  private demanded = false
  private readonly buffer: Array<Uint8Array> = []
  private buffered = 0
  private error: StreamError | undefined = undefined
  private told = false
  /** Somebody has asked for something; as with a stream of Node, the end of one that was never read stays unheard. */
  private flowing = false
  /** Pieces of a write that has not found room. */
  private writing: ReadonlyArray<Uint8Array> | undefined = undefined

  constructor(
    private readonly medium: Medium,
    readonly connection: number,
    /** The name of the machine that it is on. */
    readonly node: string,
    readonly label: string,
    readonly names: Names,
    readonly address: Address,
    private readonly left: (end: End) => void
  ) {}

  start(owner: Handler<Uint8Array, StreamError>): void {
    this.owner = owner
    if (this.error !== undefined) soon(() => this.tellEnd())
  }

  pull(): Uint8Array | undefined {
    const read = this.read()
    this.flowing = true
    if (read !== undefined) return read
    this.demanded = true
    if (this.error !== undefined) soon(() => this.tellEnd())
    return undefined
  }

  push(pieces: ReadonlyArray<Uint8Array>): boolean {
    if (this.closed) return true
    if (this.outward.write(pieces)) return true
    this.writing = pieces
    return false
  }

  close(): Leftover<ReadonlyArray<Uint8Array>> {
    if (this.closed) return noLeftover
    this.medium.history.add({ _tag: "Closed", connection: this.connection, by: this.label })
    const { writing } = this
    this.outward.end()
    this.leave()
    return writing === undefined ? noLeftover : { unsent: [], doubtful: [writing] }
  }

  /** Its scope ends: closes, and tells the owner, whoever that is by now. */
  hangUp(): void {
    if (this.closed) return
    const { owner } = this
    this.close()
    this.tell(owner, new Errors.ECLOSED({ operation: "stream" }))
  }

  /** Its node crashes: no orderly end, and if it is silent not even a reset. */
  crash(silent: boolean): void {
    this.silent = silent
    if (this.closed) return
    const { owner } = this
    if (silent) this.outward.drop()
    else this.outward.reset()
    this.leave()
    this.tell(owner, new Errors.ECONNRESET({ operation: "stream", reason: "the node crashed" }))
  }

  /** Closes with a reset instead of an orderly end, and tells the owner. */
  cut(): void {
    if (this.closed) return
    const { owner } = this
    this.medium.history.add({ _tag: "Closed", connection: this.connection, by: this.label })
    this.outward.reset()
    this.leave()
    this.tell(owner, new Errors.ECLOSED({ operation: "stream" }))
  }

  /** Cut by the test: nothing comes or goes any more, not even an orderly end that nobody has heard of yet. */
  reset(): void {
    this.outward.drop()
    if (this.closed || this.told) return
    this.error = new Errors.ECONNRESET({ operation: "stream", reason: "reset by the test" })
    this.tellEnd()
  }

  /** Tells the owner at once that it is over; nothing goes to the peer. */
  readonly over = (error: StreamError): void => {
    if (this.closed || this.told || (this.error !== undefined && (isOrderly(error) || this.isReading))) return
    this.error = error
    if ((this.flowing && this.buffered === 0) || !isOrderly(error)) this.tellEnd()
  }

  /** Whether it comes to an orderly end by itself: there is something to read before, and it does not wait for room. */
  private get isReading(): boolean {
    return this.buffered > 0 && this.writing === undefined
  }

  readonly arrived = (bytes: Uint8Array): void => {
    if (this.error !== undefined) return
    this.buffer.push(bytes)
    this.buffered += bytes.length
    if (!this.demanded) return
    this.demanded = false
    this.owner.onPull(this.read()!)
  }

  readonly drained = (): void => {
    if (this.closed || this.writing === undefined || this.outward.isFull) return
    this.writing = undefined
    this.owner.onDrain()
  }

  /** Now, or when it comes. */
  private tell(owner: Handler<Uint8Array, StreamError>, error: StreamError): void {
    this.error = error
    owner.onClose(error)
  }

  private leave(): void {
    this.closed = true
    this.owner = nobody
    this.writing = undefined
    this.buffer.length = 0
    // there is room for whoever writes on, and will be told then
    this.inward.taken(this.buffered)
    this.buffered = 0
    this.left(this)
  }

  /** What one read brings: all that is there, or as much as the way is told to bring. */
  private read(): Uint8Array | undefined {
    const [first] = this.buffer
    if (first === undefined) return undefined
    const { split } = this.inward.conditions
    const there = this.buffered
    const size =
      split === undefined
        ? Math.min(there, largestRead)
        : Math.min(there, split === "random" ? this.medium.chance.between(1, there) : split)
    const bytes = first.length === size ? this.buffer.shift()! : this.gather(size)
    this.buffered -= size
    this.inward.taken(size)
    return bytes
  }

  private gather(size: number): Uint8Array {
    const bytes = new Uint8Array(size)
    for (let at = 0; at < size;) {
      const [first] = this.buffer
      const part = first!.subarray(0, size - at)
      bytes.set(part, at)
      at += part.length
      if (part.length === first!.length) this.buffer.shift()
      else this.buffer[0] = first!.subarray(part.length)
    }
    return bytes
  }

  private tellEnd(): void {
    const { error, owner } = this
    if (error === undefined || owner === nobody) return
    this.owner = nobody
    this.told = true
    if (!this.closed)
      this.medium.history.add({ _tag: "Ended", connection: this.connection, to: this.label, error: error._tag })
    owner.onClose(error)
  }
}
