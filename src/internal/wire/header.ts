import * as Errors from "../../Errors.js"

/**
 * The SP header: eight bytes that each side sends once.
 *
 * @internal
 */
export const length = 8

/** @internal */
export const encode = (protocol: number): Uint8Array =>
  Uint8Array.of(0x00, 0x53, 0x50, 0x00, protocol >>> 8, protocol & 0xff, 0x00, 0x00)

const expected: ReadonlyArray<number | undefined> = [0x00, 0x53, 0x50, 0x00, undefined, undefined, 0x00, 0x00]

const hex = (byte: number): string => byte.toString(16).padStart(2, "0")

/**
 * Looks at the first bytes of a connection, however few: undefined while they could still become a header.
 *
 * @internal
 */
export const decode = (bytes: Uint8Array): number | Errors.EPROTO | undefined => {
  for (let i = 0; i < expected.length && i < bytes.length; i++) {
    const byte = expected[i]
    if (byte !== undefined && bytes[i] !== byte) {
      return new Errors.EPROTO({
        operation: "handshake",
        reason: `byte ${i} of the SP header is 0x${hex(bytes[i]!)}, not 0x${hex(byte)}: the peer does not speak SP`
      })
    }
  }
  return bytes.length < length ? undefined : (bytes[4]! << 8) | bytes[5]!
}
