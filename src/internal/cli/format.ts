/**
 * How a message is shown.
 *
 * @internal
 */
export type Format = "no" | "ascii" | "hex" | "msgpack" | "quoted" | "raw"

/** @internal */
export const formats: ReadonlyArray<Format> = ["no", "ascii", "hex", "msgpack", "quoted", "raw"]

const isPrintable = (byte: number): boolean => byte >= 0x20 && byte < 0x7f

const hex = (byte: number): string => `\\x${byte.toString(16).padStart(2, "0")}`

const escapes: Readonly<Record<number, string>> = {
  0x0a: "\\n",
  0x0d: "\\r",
  0x09: "\\t",
  0x22: '\\"',
  0x5c: "\\\\"
}

const text = (body: Uint8Array, show: (byte: number) => string): string => {
  let shown = ""
  for (const byte of body) shown += show(byte)
  return shown
}

/** Before the bytes of a MessagePack `bin`. */
const binHeader = (length: number): ReadonlyArray<number> => {
  if (length < 0x100) return [0xc4, length]
  if (length < 0x10000) return [0xc5, length >>> 8, length & 0xff]
  return [0xc6, length >>> 24, (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff]
}

const encoder = new TextEncoder()

const formatters: Readonly<Record<Format, (body: Uint8Array) => ReadonlyArray<Uint8Array>>> = {
  no: () => [],
  raw: (body) => [body],
  ascii: (body) => [encoder.encode(text(body, (byte) => (isPrintable(byte) ? String.fromCharCode(byte) : ".")))],
  quoted: (body) => [
    encoder.encode(
      `"${text(body, (byte) => escapes[byte] ?? (isPrintable(byte) ? String.fromCharCode(byte) : hex(byte)))}"\n`
    )
  ],
  hex: (body) => [encoder.encode(`"${text(body, hex)}"\n`)],
  msgpack: (body) => [Uint8Array.from(binHeader(body.length)), body]
}

/**
 * The bytes to print for a message, byte for byte those of libnng's nngcat.
 *
 * @internal
 */
export const format = (as: Format, body: Uint8Array): ReadonlyArray<Uint8Array> => formatters[as](body)
