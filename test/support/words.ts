import * as Message from "effect-nng/Message"

/** 32 bits each, big-endian. */
export const bytesOf = (...words: ReadonlyArray<number>): Uint8Array => {
  const bytes = new Uint8Array(4 * words.length)
  const view = new DataView(bytes.buffer)
  words.forEach((word, at) => view.setUint32(4 * at, word))
  return bytes
}

/** The words in these bytes. */
export const wordsOf = (bytes: Uint8Array): Array<number> =>
  Array.from({ length: bytes.length >> 2 }, (_, at) =>
    new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(4 * at)
  )

/** A message as the wire has it: words, then the rest. */
export const wire = (words: ReadonlyArray<number>, rest = ""): Message.Message => {
  const message = Message.make(bytesOf(...words))
  Message.Body.append(message, new TextEncoder().encode(rest))
  return message
}

/** A message of a raw socket: words in the header. */
export const headed = (words: ReadonlyArray<number>, body = ""): Message.Message => {
  const message = Message.make(body)
  Message.Header.append(message, bytesOf(...words))
  return message
}

/** The words of its header. */
export const headerOf = (message: Message.Message): Array<number> => wordsOf(message.header)

/** An id of a request. */
export const id = (n: number): number => (0x80000000 | n) >>> 0
