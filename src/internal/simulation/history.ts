import type * as Api from "../../TestTransport.js"
import * as Protocol from "../../Protocol.js"
import * as Header from "../wire/header.js"

/** An event that does not know its time yet. */
export type Happening = Api.Event extends infer E ? (E extends Api.Event ? Omit<E, "at"> : never) : never

/** So much of what is sent is kept, to tell what it was. */
const sample = 48

/** @internal */
export const head = (bytes: Uint8Array): Uint8Array => bytes.slice(0, sample)

/**
 * What has happened, the latest of it.
 *
 * @internal
 */
export class History {
  private events: Array<Api.Event> = []
  /** Of all events, the forgotten too. */
  count = 0

  constructor(
    private readonly now: () => number,
    private readonly size: number
  ) {}

  add(happening: Happening): void {
    this.count++
    if (this.size === 0) return
    this.events.push({ ...happening, at: this.now() })
    if (this.events.length >= 2 * this.size) this.events = this.events.slice(-this.size)
  }

  get all(): ReadonlyArray<Api.Event> {
    return this.size === 0 ? [] : this.events.slice(-this.size)
  }
}

const printable = (bytes: Uint8Array): string =>
  /^[\x20-\x7e]*$/.test(String.fromCharCode(...bytes))
    ? JSON.stringify(String.fromCharCode(...bytes))
    : Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ")

/** What bytes look like to somebody who knows SP. */
const describe = (bytes: Uint8Array, size: number): string => {
  const protocol = bytes.length < Header.length ? undefined : Header.decode(bytes)
  if (size === Header.length && typeof protocol === "number") return `SP header, ${Protocol.describe(protocol)}`
  for (const skip of [0, 1]) {
    if (bytes.length < skip + 8) continue
    const length = new DataView(bytes.buffer, bytes.byteOffset + skip).getBigUint64(0)
    if (skip === 1 && bytes[0] !== 1) continue
    if (length === BigInt(size - 8 - skip)) {
      const body = bytes.subarray(8 + skip, 8 + skip + 16)
      return `message of ${length} B ${printable(body)}${length > BigInt(body.length) ? "…" : ""}`
    }
  }
  return `${size} B, ${printable(bytes.subarray(0, 12))}${size > 12 ? "…" : ""}`
}

/** One line of a diagram: something that goes from one to the other, or is done by one. */
interface Line {
  readonly at: number
  readonly from: string
  readonly to?: string | undefined
  readonly text: string
  /** Nothing comes over. */
  readonly broken?: boolean
  /** It has not arrived yet, and perhaps never does. */
  readonly leaving?: boolean
}

const numbered = (connection: number, text: string): string => `#${connection} ${text}`

const line = (event: Api.Event): Line => {
  const { at } = event
  switch (event._tag) {
    case "Listening":
      return { at, from: event.url, text: `listens, on ${event.node}` }
    case "ListenFailed":
      return { at, from: event.node, text: `cannot listen on ${event.url}: ${event.error}` }
    case "NotListening":
      return { at, from: event.url, text: "listens no more" }
    case "Dialing":
      return { at, from: event.from, to: event.to, text: numbered(event.connection, "dials") }
    case "DialFailed":
      return { at, from: event.to, to: event.from, text: numbered(event.connection, event.error), broken: true }
    case "Accepted":
      return { at, from: event.to, to: event.from, text: numbered(event.connection, "accepts") }
    case "AcceptFailed":
      return { at, from: event.url, text: `accept fails: ${event.error}` }
    case "Sent":
      return {
        at,
        from: event.from,
        to: event.to,
        text: numbered(event.connection, describe(event.head, event.size))
      }
    case "Arrived":
      return { at, from: event.from, to: event.to, text: numbered(event.connection, `${event.size} B arrive`) }
    case "Closed":
      return { at, from: event.by, text: numbered(event.connection, "closes") }
    case "Ended":
      return { at, from: event.to, text: numbered(event.connection, `is told ${event.error}`) }
    case "ProgramFailed":
      return { at, from: event.node, text: `its program fails: ${event.error}` }
    case "Control":
      return { at, from: "", text: event.what }
  }
}

const lanesOf = (lines: ReadonlyArray<Line>): ReadonlyArray<string> => {
  const lanes = new Set<string>()
  for (const { from, to } of lines) {
    if (from !== "") lanes.add(from)
    if (to !== undefined) lanes.add(to)
  }
  return [...lanes]
}

const timeWidth = 12
const mostLanes = 4

const millis = (at: number): string => `${Number(at.toFixed(3))} ms`.padStart(timeWidth)

/** From lane to lane, an arrow with its text above the line it makes. */
const arrow = (lanes: ReadonlyArray<string>, width: number, { broken, from, leaving, text, to }: Line): string => {
  const cells: Array<string> = Array.from({ length: lanes.length * width }, (_, i) => (i % width === 0 ? "│" : " "))
  const put = (at: number, what: string): void => {
    for (let i = 0; i < what.length && at + i < cells.length; i++) cells[at + i] = what[i]!
  }
  const start = lanes.indexOf(from) * width
  if (to === undefined || to === from) {
    put(start + 2, `${to === undefined ? "" : "↺ "}${text}`)
    return cells.join("").trimEnd()
  }
  const end = lanes.indexOf(to) * width
  const [left, right] = start < end ? [start, end] : [end, start]
  for (let i = left + 1; i < right; i++) if (cells[i] === " ") cells[i] = broken === true ? "╌" : "─"
  if (start < end) put(right - 1, leaving === true ? "…" : "▷")
  else put(left + 1, leaving === true ? "…" : "◁")
  put(left + (start < end ? 2 : 3), ` ${text} `.slice(0, width - 4))
  return cells.join("").trimEnd()
}

const table = (lines: ReadonlyArray<Line>): ReadonlyArray<string> =>
  lines.map(({ at, from, text, to }) => `${millis(at)}  ${from}${to === undefined ? "" : ` → ${to}`}  ${text}`)

const chart = (lines: ReadonlyArray<Line>, lanes: ReadonlyArray<string>): ReadonlyArray<string> => {
  const width = Math.max(46, ...lanes.map((lane) => lane.length + 4))
  return [
    `${"time".padStart(timeWidth)}  ${lanes.map((lane) => lane.padEnd(width)).join("")}`.trimEnd(),
    ...lines.map((each) =>
      each.from === "" ? `${millis(each.at)}  ══ ${each.text}` : `${millis(each.at)}  ${arrow(lanes, width, each)}`
    )
  ]
}

/** What arrives in the moment it is sent, and whole, is told once; what does not, has an arrow without a head. */
const linesOf = (events: ReadonlyArray<Api.Event>): ReadonlyArray<Line> => {
  const sent = new Map<string, Array<number>>()
  const arrivals = new Set<number>()
  const lines: Array<Line | undefined> = events.map((event, i) => {
    if (event._tag !== "Sent" && event._tag !== "Arrived") return line(event)
    const key = `${event.connection} ${event.from} ${event.to} ${event.size} ${event.at}`
    const earlier = sent.get(key) ?? []
    if (event._tag === "Sent") {
      sent.set(key, [...earlier, i])
      return line(event)
    }
    const whole = earlier.shift()
    if (whole === undefined) return line(event)
    arrivals.add(whole)
    return undefined
  })
  return lines.flatMap((each, i) => {
    if (each === undefined) return []
    return [events[i]!._tag === "Sent" && !arrivals.has(i) ? { ...each, leaving: true } : each]
  })
}

/**
 * A sequence diagram for people, or a list when there are too many lanes.
 *
 * @internal
 */
export const diagram = (history: History, seed: number, last: number): string => {
  const { all } = history
  const shown = last > 0 ? all.slice(-last) : []
  const lines = linesOf(shown)
  const lanes = lanesOf(lines)
  return [
    `simulated network, seed ${seed}, ${history.count} events${shown.length < history.count ? `, the last ${shown.length}` : ""}`,
    ...(lanes.length <= mostLanes ? chart(lines, lanes) : table(lines))
  ].join("\n")
}
