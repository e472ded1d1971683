import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Address from "../../Address.js"
import type { NngError } from "../../Errors.js"
import type { Message } from "../../Message.js"
import type { Pipe } from "../../Pipe.js"
import type { Command } from "./command.js"
import { format } from "./format.js"
import type { Shape, WriteError } from "./terminal.js"
import { Terminal } from "./terminal.js"

/**
 * What is told of what happens, one JSON object a line.
 *
 * @internal
 */
export type Event =
  | { readonly event: "listening" | "connected"; readonly url: string }
  | { readonly event: "attached"; readonly pipe: number; readonly url: string; readonly peer?: string }
  | { readonly event: "lost" | "refused"; readonly pipe: number; readonly url: string; readonly tag: string }
  | { readonly event: "failed"; readonly url: string; readonly tag: string; readonly message: string }
  | { readonly event: "received"; readonly pipe: number; readonly text: string; readonly header?: string }
  | { readonly event: "received"; readonly pipe: number; readonly base64: string; readonly header?: string }
  | { readonly event: "sent"; readonly bytes: number }
  | { readonly event: "error"; readonly tag: string; readonly message: string }

const encoder = new TextEncoder()

/** @internal */
export const line = (text: string): Uint8Array => encoder.encode(`${text}\n`)

/** @internal */
export const tell = (event: Event): Effect.Effect<void, WriteError, Terminal> =>
  Effect.flatMap(Terminal, (terminal) => terminal.write(line(JSON.stringify(event))))

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const content = (body: Uint8Array): { readonly text: string } | { readonly base64: string } => {
  try {
    return { text: strict.decode(body) }
  } catch {
    let binary = ""
    for (const byte of body) binary += String.fromCharCode(byte)
    return { base64: btoa(binary) }
  }
}

const received = (raw: boolean, { body, header, pipeId }: Message): Event => ({
  event: "received",
  pipe: pipeId,
  ...content(body),
  ...(raw ? { header: hex(header) } : undefined)
})

/** @internal */
export const attached = ({ id, origin: { url }, properties: { remoteAddress } }: Pipe): Event => ({
  event: "attached",
  pipe: id,
  url,
  ...(remoteAddress === undefined ? undefined : { peer: Address.format(remoteAddress) })
})

/** @internal */
export const gone = (event: "lost" | "refused", { id, origin: { url } }: Pipe, { _tag }: NngError): Event => ({
  event,
  pipe: id,
  url,
  tag: _tag
})

/** @internal */
export const failed = (url: string, { _tag, message }: NngError): Event => ({
  event: "failed",
  url,
  tag: _tag,
  message
})

/**
 * Where messages that came, and word of those that went, are shown.
 *
 * @internal
 */
export interface Report {
  readonly received: (message: Message) => Effect.Effect<void, WriteError>
  readonly sent: (bytes: number) => Effect.Effect<void, WriteError>
}

const shown = (terminal: Shape, command: Command): Report => ({
  received: ({ body }) =>
    Effect.forEach(format(command.format, body), (piece) => terminal.write(piece), { discard: true }),
  sent: () => Effect.void
})

const told = (terminal: Shape, command: Command): Report => {
  const tell = (event: Event) => terminal.write(line(JSON.stringify(event)))
  return {
    received: (message) => tell(received(command.raw, message)),
    sent: (bytes) => tell({ event: "sent", bytes })
  }
}

const units = ["B", "KiB", "MiB", "GiB", "TiB"]

/** @internal */
export const size = (bytes: number): string => {
  const power = bytes < 1024 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), units.length - 1)
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`
}

const clear = "\r\u001b[K"

/** Keeps a line on standard error up to date for as long as the scope lives. */
const watch = (terminal: Shape, inner: Report): Effect.Effect<Report, never, Scope.Scope> =>
  Effect.gen(function* () {
    const seen = { messages: 0, bytes: 0 }
    const count = (bytes: number) => {
      seen.messages++
      seen.bytes += bytes
    }
    const show = Effect.suspend(() => terminal.complain(`${clear}${seen.messages} messages, ${size(seen.bytes)}`))
    yield* Effect.addFinalizer(() => terminal.complain(clear))
    yield* Effect.forkScoped(Effect.forever(Effect.delay(show, Duration.millis(200))))
    return {
      received: (message) => Effect.tap(inner.received(message), () => count(message.length)),
      sent: (bytes) => Effect.tap(inner.sent(bytes), () => count(bytes))
    }
  })

/** @internal */
export const make = (command: Command): Effect.Effect<Report, never, Scope.Scope | Terminal> =>
  Effect.gen(function* () {
    const terminal = yield* Terminal
    const report = (command.json ? told : shown)(terminal, command)
    return (yield* terminal.watched) ? yield* watch(terminal, report) : report
  })
