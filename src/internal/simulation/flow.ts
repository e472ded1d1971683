import * as Errors from "../../Errors.js"
import type { StreamError } from "../../ByteStream.js"
import { soon } from "../ports/soon.js"
import type { Chance } from "./chance.js"
import type { History } from "./history.js"
import { head } from "./history.js"
import type { Names } from "./where.js"

/**
 * What the way from one end to the other is like now.
 *
 * @internal
 */
export interface Conditions {
  /** Dials are refused. */
  refused: boolean
  /** Nothing comes through. */
  cut: boolean
  /** New connections wait, and are not accepted. */
  held: boolean
  /** Milliseconds one way, and at most so many more. */
  latency: number
  jitter: number
  /** Bytes in a second. */
  bandwidth: number
  /** Bytes on the way and in the receiver's buffer. */
  buffer: number
  /** Bytes of one read; "random": any number, anew each time. */
  split: number | "random" | undefined
  /** The stream ends after so many bytes more. */
  truncateAfter: number | undefined
  /** Bytes to be changed, by how many come before. */
  corrupt: ReadonlyArray<Corruption>
}

interface Corruption {
  readonly after: number
  readonly xor: number
}

/** @internal */
export const fair = (): Conditions => ({
  refused: false,
  cut: false,
  held: false,
  latency: 0,
  jitter: 0,
  bandwidth: Infinity,
  buffer: 256 * 1024,
  split: undefined,
  truncateAfter: undefined,
  corrupt: []
})

/** What flows have of their network. */
export interface Medium {
  readonly chance: Chance
  readonly history: History
  readonly now: () => number
  /** Gives what cancels it. */
  readonly after: (millis: number, run: () => void) => () => void
}

type Parcel =
  { readonly _tag: "Bytes"; readonly bytes: Uint8Array } | { readonly _tag: "End" } | { readonly _tag: "Reset" }

interface OnTheWay {
  /** When it has gone out, and when it comes. */
  readonly out: number
  readonly at: number
  readonly parcel: Parcel
}

/** What a flow is between. */
export interface Terminal {
  readonly label: string
  readonly names: Names
  /** Nobody is there any more to take what comes. */
  readonly closed: boolean
  /** Not even anybody who would say so. */
  readonly silent: boolean
  readonly arrived: (bytes: Uint8Array) => void
  readonly drained: () => void
  /** No more comes; after a reset not even what is asked for. */
  readonly over: (error: StreamError) => void
}

/** At most so much comes in one piece. */
const largestPiece = 64 * 1024

/** Times are made of 64ths of a millisecond, whose sums are exact both in floating point and in whole nanoseconds. */
const ticks = 64

/** So much longer, this time. */
export const jitterOf = ({ jitter }: Conditions, chance: Chance): number =>
  jitter > 0 ? Math.floor(chance.fraction() * jitter * ticks) / ticks : 0

/**
 * The bytes of a connection one way.
 *
 * @internal
 */
export class Flow {
  reverse!: Flow
  /** Bytes on the way and in the receiver's buffer. */
  private used = 0
  /** Written, and no room for it yet. */
  private blocked: Uint8Array | undefined = undefined
  private wire: Array<OnTheWay> = []
  /** What would have arrived, had the way not been cut. */
  private stuck: Array<Parcel> = []
  private wireFreeAt = 0
  /** The bandwidth that it goes out with. */
  private pace = Infinity
  /** Nothing more goes into it. */
  private ended = false

  constructor(
    private readonly medium: Medium,
    readonly connection: number,
    readonly from: Terminal,
    readonly to: Terminal,
    readonly conditions: Conditions
  ) {}

  /** False: it is full until `from.drained`. */
  write(pieces: ReadonlyArray<Uint8Array>): boolean {
    if (this.ended) return true
    this.blocked = join(pieces)
    this.pump()
    return this.blocked === undefined
  }

  /** Whether something was written that is not on its way. */
  get isFull(): boolean {
    return this.blocked !== undefined
  }

  /** The receiver has taken so much out of its buffer. */
  taken(bytes: number): void {
    this.used -= bytes
    this.room()
  }

  /** The writer's end in good order: what is on its way arrives, what had no room does not. */
  end(): void {
    if (this.blocked !== undefined) {
      this.blocked = undefined
      soon(this.from.drained)
    }
    if (this.ended) return
    this.ended = true
    this.send({ _tag: "End" })
  }

  reset(): void {
    this.blocked = undefined
    this.ended = true
    this.send({ _tag: "Reset" })
  }

  /** Nothing of it arrives any more. */
  drop(): void {
    this.blocked = undefined
    this.ended = true
    this.wire = []
    this.stuck = []
  }

  /** To be called when conditions have changed. */
  changed(): void {
    const stuck = this.conditions.cut ? [] : this.stuck.splice(0)
    if (stuck.length > 0 || this.conditions.bandwidth !== this.pace) this.sendAgain(stuck)
    if (this.conditions.truncateAfter === 0) this.end()
    this.room()
  }

  /** Tells the writer, later, when all it wrote has found room. */
  private room(): void {
    if (this.blocked === undefined) return
    // not a byte at a time, when it is read so
    const { buffer } = this.conditions
    if (buffer - this.used < Math.min(this.blocked.length, buffer / 2)) return
    this.pump()
    if (this.blocked === undefined) soon(this.from.drained)
  }

  private pump(): void {
    while (this.blocked !== undefined && !this.ended) {
      // what is not being read must not keep a single piece from coming, however small the buffer
      const room = Math.max(this.conditions.buffer - this.used, this.used === 0 ? 1 : 0)
      const size = Math.min(this.blocked.length, room, largestPiece)
      if (size === 0 && this.blocked.length > 0) return
      const piece = this.blocked.subarray(0, size)
      this.blocked = size === this.blocked.length ? undefined : this.blocked.subarray(size)
      if (size > 0) this.transmit(piece)
    }
    if (this.ended) this.blocked = undefined
  }

  private transmit(written: Uint8Array): void {
    const { conditions, connection, from, medium, to } = this
    this.damage(written)
    const left = conditions.truncateAfter
    const bytes = left === undefined ? written : written.subarray(0, left)
    if (left !== undefined) conditions.truncateAfter = left - bytes.length
    if (bytes.length > 0) {
      this.used += bytes.length
      medium.history.add({
        _tag: "Sent",
        connection,
        from: from.label,
        to: to.label,
        size: bytes.length,
        head: head(bytes)
      })
      this.send({ _tag: "Bytes", bytes })
    }
    if (conditions.truncateAfter === 0) this.end()
  }

  private damage(bytes: Uint8Array): void {
    const { conditions } = this
    if (conditions.corrupt.length === 0) return
    conditions.corrupt = conditions.corrupt.flatMap(({ after, xor }) => {
      if (after >= bytes.length) return [{ after: after - bytes.length, xor }]
      bytes[after]! ^= xor
      return []
    })
  }

  private send(parcel: Parcel): void {
    const { bandwidth, latency } = this.conditions
    const now = this.medium.now()
    const size = parcel._tag === "Bytes" ? parcel.bytes.length : 0
    const out = Math.max(now, this.wireFreeAt) + Math.ceil((size / bandwidth) * 1000 * ticks) / ticks
    this.wireFreeAt = out
    const at = out + latency + jitterOf(this.conditions, this.medium.chance)
    this.pace = bandwidth
    this.wire.push({ out, at, parcel })
    if (at <= now) soon(() => this.deliver(at))
    else this.medium.after(at - now, () => this.deliver(at))
  }

  /** What was stuck goes before what is on its way, as it was sent before; what has not gone out yet goes as it can now. */
  private sendAgain(stuck: ReadonlyArray<Parcel>): void {
    const { wire } = this
    const now = this.medium.now()
    this.wire = []
    this.wireFreeAt = now
    for (const parcel of stuck) this.send(parcel)
    for (const each of wire) {
      if (each.out > now) this.send(each.parcel)
      else this.wire.push(each)
    }
  }

  /**
   * Hands over what is due by then, in the order in which it was sent: what comes early waits for what was sent before
   * it. In floating point, `now + (at - now)` may be less than `at`.
   */
  private deliver(due: number): void {
    const now = Math.max(this.medium.now(), due)
    for (let next = this.wire[0]; next !== undefined && next.at <= now; next = this.wire[0]) {
      this.wire.shift()
      if (this.conditions.cut || this.stuck.length > 0) this.stuck.push(next.parcel)
      else this.arrive(next.parcel)
    }
  }

  private arrive(parcel: Parcel): void {
    const { connection, from, medium, to } = this
    if (to.closed) return this.returned(parcel)
    switch (parcel._tag) {
      case "Bytes":
        medium.history.add({
          _tag: "Arrived",
          connection,
          from: from.label,
          to: to.label,
          size: parcel.bytes.length
        })
        return to.arrived(parcel.bytes)
      case "End":
        return to.over(new Errors.ECONNSHUT({ operation: "stream" }))
      case "Reset":
        return to.over(new Errors.ECONNRESET({ operation: "stream" }))
    }
  }

  /** Bytes for somebody who is not there are answered with a reset; without an answer they will be sent again. */
  private returned(parcel: Parcel): void {
    if (parcel._tag !== "Bytes") return
    if (this.to.silent) return void this.stuck.push(parcel)
    this.used -= parcel.bytes.length
    this.reverse.reset()
  }
}

const join = (pieces: ReadonlyArray<Uint8Array>): Uint8Array => {
  const bytes = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.length
  }
  return bytes
}
