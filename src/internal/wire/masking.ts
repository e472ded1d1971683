// hot path: bench/src/rows/ws-64k.js

/**
 * The mask of a frame.
 *
 * @internal
 */
export class Mask {
  readonly key = new Uint8Array(4)
  /** The same as a word that begins anywhere in it. */
  private readonly turned = new Uint8Array(4)
  private readonly word = new Uint32Array(this.turned.buffer)

  /**
   * Masks, or unmasks, bytes[start, end) by the word, of which the first and the last few bytes make none. The words are
   * those of the bytes from `shift` on, and `phase` bytes of the payload came before.
   */
  apply(bytes: Uint8Array, words: Uint32Array, shift: number, start: number, end: number, phase: number): void {
    const { key, turned } = this
    const from = phase - start
    const first = (start - shift + 3) >> 2
    const last = (end - shift) >> 2
    if (first >= last) {
      for (let i = start; i < end; i++) bytes[i]! ^= key[(from + i) & 3]!
      return
    }
    const aligned = shift + first * 4
    for (let i = start; i < aligned; i++) bytes[i]! ^= key[(from + i) & 3]!
    for (let i = 0; i < 4; i++) turned[i] = key[(from + aligned + i) & 3]!
    const word = this.word[0]!
    for (let i = first; i < last; i++) words[i]! ^= word
    for (let i = shift + last * 4; i < end; i++) bytes[i]! ^= key[(from + i) & 3]!
  }
}

/** Less is not worth a view of its words. */
const small = 128

/**
 * Takes the masks off the frames of a stream, in place as they come. What is left of a mask is zeros, which change nothing
 * for who reads the frames. Nothing else is looked at: what is wrong with them is for the reader to say.
 *
 * @internal
 */
export class Unmasking {
  private readonly mask = new Mask()
  private masked = false
  /** Bytes of the head that have come, and how many it has, as far as that is known. */
  private come = 0
  private size = 2
  /** Bytes of the payload that are to come; in the head, what is known of its length. */
  private left = 0
  private phase = 0

  push(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length;) {
      if (this.come < this.size) {
        this.head(bytes, i++)
      } else {
        const end = Math.min(bytes.length, i + this.left)
        if (this.masked) this.unmask(bytes, i, end)
        this.left -= end - i
        i = end
      }
      if (this.come === this.size && this.left === 0) this.next()
    }
  }

  private next(): void {
    this.come = 0
    this.size = 2
    this.phase = 0
  }

  private head(bytes: Uint8Array, i: number): void {
    const byte = bytes[i]!
    const at = this.come++
    if (at === 0) return
    if (at === 1) {
      const length = byte & 0x7f
      this.masked = (byte & 0x80) !== 0
      this.size = 2 + (length === 126 ? 2 : length === 127 ? 8 : 0) + (this.masked ? 4 : 0)
      this.left = length < 126 ? length : 0
    } else if (this.masked && at >= this.size - 4) {
      this.mask.key[at - this.size + 4] = byte
      bytes[i] = 0
    } else {
      this.left = this.left * 256 + byte
    }
  }

  private unmask(bytes: Uint8Array, start: number, end: number): void {
    if (end - start < small) {
      const { key } = this.mask
      for (let i = start; i < end; i++) bytes[i]! ^= key[(this.phase + i - start) & 3]!
    } else {
      const shift = -bytes.byteOffset & 3
      const words = new Uint32Array(bytes.buffer, bytes.byteOffset + shift, (bytes.length - shift) >> 2)
      this.mask.apply(bytes, words, shift, start, end, this.phase)
    }
    this.phase = (this.phase + end - start) & 3
  }
}
