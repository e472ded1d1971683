import { describe, expect, it } from "@effect/vitest"
import * as FC from "effect/FastCheck"
import * as Message from "effect-nng/Message"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import type { Format } from "../../src/internal/wire/framing.js"
import * as Framing from "../../src/internal/wire/framing.js"

const ipc: Format = { marker: 1 }
const formats: ReadonlyArray<Format> = [Framing.plain, ipc]
const anyFormat = FC.constantFrom(...formats)

const MiB = 1024 * 1024
const GiB = 1024 * MiB

/** Every body is a piece of this, so that large ones are cheap to make and to tell apart. */
const pattern = Uint8Array.from({ length: 4 * MiB }, (_, i) => (i * 31 + (i >> 8) * 17 + (i >> 16)) & 0xff)

/** A length as the wire has it, made without the code under test. */
const announce = (length: bigint | number, { marker }: Format = Framing.plain): Uint8Array => {
  const at = marker === undefined ? 0 : 1
  const bytes = new Uint8Array(at + 8)
  if (marker !== undefined) bytes[0] = marker
  new DataView(bytes.buffer).setBigUint64(at, BigInt(length))
  return bytes
}

const frames = (bodies: ReadonlyArray<Uint8Array>, format: Format): Uint8Array =>
  Buffer.concat(bodies.flatMap((body) => [announce(body.length, format), body]))

const size = FC.oneof(
  { weight: 3, arbitrary: FC.constant(0) },
  { weight: 6, arbitrary: FC.integer({ min: 1, max: 40 }) },
  { weight: 3, arbitrary: FC.integer({ min: 1000, max: 1100 }) },
  { weight: 1, arbitrary: FC.integer({ min: 64 * 1024 - 20, max: 200_000 }) }
)
const body = FC.tuple(FC.nat(MiB), size).map(([from, length]) => pattern.subarray(from, from + length))
const bodies = FC.array(body, { maxLength: 30 })
const header = FC.oneof(FC.constant(new Uint8Array(0)), FC.uint8Array({ minLength: 4, maxLength: 64 }))

const split = (bytes: Uint8Array, cuts: ReadonlyArray<number>): Array<Uint8Array> => {
  const at = [...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return at.map((to, i) => Uint8Array.from(bytes.subarray(i === 0 ? 0 : at[i - 1]!, to)))
}

const oneByOne = (bytes: Uint8Array): Array<Uint8Array> => Array.from(bytes, (byte) => Uint8Array.of(byte))

const push = (decoder: Framing.Decoder, chunks: ReadonlyArray<Uint8Array>): Array<Message.Message> =>
  chunks.flatMap((chunk) => decoder.unsafePush(chunk))

/** As a stream does that makes use of what is offered: then the bytes are written there, over what was there. */
const readInto = (
  decoder: Framing.Decoder,
  bytes: Uint8Array,
  sizes: ReadonlyArray<number>
): Array<Message.Message> => {
  const messages: Array<Message.Message> = []
  for (let at = 0, n = 0; at < bytes.length; n++) {
    const { room } = decoder
    const length = Math.min(sizes[n % sizes.length]!, bytes.length - at, room?.length ?? Infinity)
    const read = bytes.subarray(at, at + length)
    room?.set(read)
    messages.push(...decoder.unsafePush(room === undefined ? Uint8Array.from(read) : room.subarray(0, length)))
    at += length
  }
  return messages
}

const same = (messages: ReadonlyArray<Message.Message>, expected: ReadonlyArray<Uint8Array>): void => {
  expect(messages.map(({ length }) => length)).toEqual(expected.map(({ length }) => length))
  for (const [i, message] of messages.entries()) expect(Buffer.compare(message.body, expected[i]!)).toBe(0)
}

/** A batch as the pieces of one write. */
const encode = (
  format: Format,
  messages: ReadonlyArray<Message.Message>,
  pool: Framing.BlockPool = new Framing.BlockPool()
): ReadonlyArray<Uint8Array> => write(format, messages, pool).pieces

const write = (format: Format, messages: ReadonlyArray<Message.Message>, pool: Framing.BlockPool): Framing.Write => {
  const size = messages.reduce((sum, message) => sum + Framing.frameSize(format, message), 0)
  return Framing.encode(format, messages, size, pool)
}

const withHeader = (body: Uint8Array, header: Uint8Array): Message.Message => {
  const message = Message.fromBytes(body)
  if (header.length > 0) Message.Header.append(message, header)
  return message
}

setFlagsFromString("--expose-gc")
const gc = runInNewContext("gc") as () => void
/** Buffers are freed beside the program; the second one waits for that. */
const collect = () => {
  gc()
  gc()
}

/** Bytes of buffers that are still there after `make`, what it returns included. */
const buffered = <A>(make: () => A): readonly [A, number] => {
  collect()
  const before = process.memoryUsage().arrayBuffers
  const made = make()
  collect()
  return [made, process.memoryUsage().arrayBuffers - before]
}

describe("the decoder", () => {
  it.prop(
    "gives the same messages however the bytes are split",
    [anyFormat, bodies, FC.array(FC.nat(10_000_000), { maxLength: 60 })],
    ([format, bodies, cuts]) => {
      const decoder = new Framing.Decoder(format, 0)
      same(push(decoder, split(frames(bodies, format), cuts)), bodies)
      expect([decoder.idle, decoder.failure]).toEqual([true, undefined])
    }
  )

  it.prop(
    "gives the same messages when each byte comes by itself",
    [anyFormat, FC.array(FC.uint8Array({ maxLength: 30 }), { maxLength: 20 })],
    ([format, bodies]) => {
      const decoder = new Framing.Decoder(format, 30)
      same(push(decoder, oneByOne(frames(bodies, format))), bodies)
      expect([decoder.idle, decoder.failure]).toEqual([true, undefined])
    }
  )

  it.prop(
    "judges any bytes alike, whole or split, and never throws",
    [
      anyFormat,
      FC.array(FC.oneof({ weight: 9, arbitrary: FC.constantFrom(0, 1) }, { weight: 1, arbitrary: FC.nat(255) }), {
        maxLength: 400
      }).map((bytes) => Uint8Array.from(bytes)),
      FC.array(FC.nat(500), { maxLength: 40 })
    ],
    ([format, bytes, cuts]) => {
      const whole = new Framing.Decoder(format, 12)
      const expected = push(whole, [Uint8Array.from(bytes)]).map((message) => Uint8Array.from(message.body))
      const parts = new Framing.Decoder(format, 12)
      same(push(parts, split(bytes, cuts)), expected)
      expect(parts.failure?.message).toBe(whole.failure?.message)
      expect(["NNG_EPROTO", "NNG_EMSGSIZE", undefined]).toContain(whole.failure?._tag)
      for (const { length } of expected) expect(length).toBeLessThanOrEqual(12)
    },
    { fastCheck: { numRuns: 500 } }
  )

  it.prop("[S6] never throws on random bytes", [anyFormat, FC.array(FC.uint8Array())], ([format, chunks]) => {
    const decoder = new Framing.Decoder(format, MiB)
    push(decoder, chunks)
    expect(["NNG_EPROTO", "NNG_EMSGSIZE", undefined]).toContain(decoder.failure?._tag)
  })

  it.prop(
    "gives the whole messages of bytes that are cut off anywhere, and waits for the rest",
    [anyFormat, bodies, FC.nat(10_000_000)],
    ([format, bodies, cut]) => {
      const bytes = frames(bodies, format)
      const end = cut % (bytes.length + 1)
      const prefix = format === ipc ? 9 : 8
      let at = 0
      let whole = 0
      while (whole < bodies.length && at + prefix + bodies[whole]!.length <= end) {
        at += prefix + bodies[whole++]!.length
      }
      const decoder = new Framing.Decoder(format, 0)
      same(push(decoder, [bytes.subarray(0, end)]), bodies.slice(0, whole))
      expect([decoder.idle, decoder.failure]).toEqual([at === end, undefined])
      same(push(decoder, [bytes.subarray(end)]), bodies.slice(whole))
    }
  )

  it.prop(
    "never writes to a message that it has given, nor to bytes that it was given",
    [anyFormat, bodies, FC.array(FC.nat(10_000_000), { maxLength: 30 })],
    ([format, bodies, cuts]) => {
      const decoder = new Framing.Decoder(format, 0)
      const given: Array<readonly [bytes: Uint8Array, then: Uint8Array]> = []
      for (const chunk of split(frames(bodies, format), cuts)) {
        given.push([chunk, Uint8Array.from(chunk)])
        for (const { body } of decoder.unsafePush(chunk)) given.push([body, Uint8Array.from(body)])
      }
      for (const [bytes, then] of given) expect(Buffer.compare(bytes, then)).toBe(0)
    }
  )

  it.prop(
    "gives the same messages when bytes are put where it wants them",
    [
      anyFormat,
      FC.array(
        FC.oneof(
          body,
          FC.integer({ min: 16_000, max: 200_000 }).map((length) => pattern.subarray(7, 7 + length))
        ),
        {
          maxLength: 12
        }
      ),
      FC.array(FC.integer({ min: 1, max: 70_000 }), { minLength: 1 })
    ],
    ([format, bodies, sizes]) => {
      same(readInto(new Framing.Decoder(format, 0), frames(bodies, format), sizes), bodies)
    }
  )

  it("has the rest of a large body put where it belongs, and copies nothing", () => {
    const decoder = new Framing.Decoder(Framing.plain, 0)
    const large = pattern.subarray(0, 100_000)
    const bytes = frames([large], Framing.plain)
    expect(decoder.room).toBeUndefined()
    decoder.unsafePush(bytes)
    decoder.unsafePush(bytes.subarray(0, 50_000))
    decoder.unsafePush(bytes.subarray(50_000))
    const head = decoder.room!
    head.set(bytes.subarray(0, head.length))
    expect(decoder.unsafePush(head)).toEqual([])
    const room = decoder.room!
    expect(room.length).toBe(bytes.length - head.length)
    room.set(bytes.subarray(head.length))
    const messages = decoder.unsafePush(room)
    same(messages, [large])
    expect(messages[0]!.body.buffer).toBe(room.buffer)
  })

  it("offers nothing between small messages, nor for the end of a large one", () => {
    const decoder = new Framing.Decoder(Framing.plain, 0)
    const bytes = frames([pattern.subarray(0, 100_000), pattern.subarray(0, 10)], Framing.plain)
    decoder.unsafePush(bytes.subarray(0, 90_000))
    expect(decoder.room).toBeUndefined()
    decoder.unsafePush(bytes.subarray(90_000))
    expect(decoder.room).toBeUndefined()
  })

  it("gives views on a chunk that holds whole messages, and copies nothing", () => {
    const chunk = frames([pattern.subarray(0, 10), pattern.subarray(10, 5000)], Framing.plain)
    const messages = push(new Framing.Decoder(Framing.plain, 0), [chunk])
    expect(messages.map(({ body }) => body.buffer === chunk.buffer)).toEqual([true, true])
  })

  describe("[S1] holds an announced length to the limit", () => {
    const lengths = (limit: bigint) => [
      ...new Set([0n, 1n, limit, limit + 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 53n]),
      ...[2n ** 60n - 1n, 2n ** 60n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 65n, 2n ** 64n - 1n]
    ]
    const largest = 2n ** 32n - 1n

    it.each([10, 1000, 2 ** 31 - 1, GiB, 2 ** 32 - 1, 2 ** 32, 2 ** 40, 2 ** 53 - 1, 0])("of %d bytes", (limit) => {
      const allowed = limit === 0 || BigInt(limit) > largest ? largest : BigInt(limit)
      const named = (length: bigint) => (limit !== 0 && length > BigInt(limit) ? limit : allowed)
      for (const format of formats) {
        for (const length of lengths(BigInt(limit))) {
          for (const chunks of [[announce(length, format)], oneByOne(announce(length, format))]) {
            const decoder = new Framing.Decoder(format, limit)
            expect(push(decoder, chunks).length).toBe(length === 0n ? 1 : 0)
            if (length <= allowed) expect([length, decoder.failure]).toEqual([length, undefined])
            else
              expect(decoder.failure).toMatchObject({
                _tag: "NNG_EMSGSIZE",
                operation: "receive",
                reason: `the peer announced a message of ${length} bytes, the limit is ${named(length)}`
              })
          }
        }
      }
    })

    it("and accepts a message of exactly that size", () => {
      const decoder = new Framing.Decoder(Framing.plain, 10)
      same(push(decoder, [frames([pattern.subarray(0, 10)], Framing.plain)]), [pattern.subarray(0, 10)])
      expect(decoder.failure).toBeUndefined()
    })
  })

  it("gives the messages before a length over the limit, and then stays failed", () => {
    for (const chunksOf of [(bytes: Uint8Array) => [bytes], oneByOne]) {
      const decoder = new Framing.Decoder(Framing.plain, 5)
      const good = [pattern.subarray(0, 5), pattern.subarray(5, 5), pattern.subarray(5, 8)]
      const bytes = Buffer.concat([frames(good, Framing.plain), announce(6), frames(good, Framing.plain)])
      same(push(decoder, chunksOf(bytes)), good)
      const { failure } = decoder
      expect(failure).toMatchObject({ _tag: "NNG_EMSGSIZE" })
      expect(push(decoder, [frames(good, Framing.plain), announce(7)])).toEqual([])
      expect(decoder.failure).toBe(failure)
    }
  })

  it("wants the marker byte before each length, and names the byte that is there instead", () => {
    const good = pattern.subarray(0, 3)
    for (const wrong of [0, 2, 0x53, 255]) {
      const decoder = new Framing.Decoder(ipc, 0)
      same(push(decoder, [frames([good], ipc), Uint8Array.of(wrong), announce(3), good]), [good])
      expect(decoder.failure).toMatchObject({
        _tag: "NNG_EPROTO",
        operation: "receive",
        reason: `a message begins with byte ${wrong}, not 1`
      })
      expect(push(decoder, [frames([good], ipc)])).toEqual([])
    }
  })

  describe("[S2] gives no memory to bytes that were announced and not sent", () => {
    const trusted = 4 * 1024

    it.each([10 * MiB, GiB, 2 ** 32 - 1])("500 peers announce %d bytes and send ten of them", (limit) => {
      for (const format of formats) {
        const announced = announce(limit - 1, format)
        const [decoders, grown] = buffered(() =>
          Array.from({ length: 500 }, () => {
            const decoder = new Framing.Decoder(format, limit)
            expect(push(decoder, [announced, pattern.subarray(0, 10)])).toEqual([])
            return decoder
          })
        )
        expect(decoders.filter(({ failure, idle }) => failure !== undefined || idle)).toEqual([])
        expect(grown / 500).toBeLessThan(trusted + 1024)
      }
    })

    it("a body takes at most twice what has come of it", () => {
      const decoder = new Framing.Decoder(Framing.plain, GiB)
      push(decoder, [announce(GiB)])
      let sent = 0
      const [, grown] = buffered(() => {
        for (; sent < 3 * MiB; sent += 100_000) push(decoder, [pattern.subarray(sent, sent + 100_000)])
      })
      expect(decoder.failure).toBeUndefined()
      expect(grown).toBeLessThan(2 * sent + trusted)
    })

    it("a peer that has sent much is trusted with four times that, and no more", () => {
      const decoder = new Framing.Decoder(Framing.plain, GiB)
      const mega = pattern.subarray(0, MiB)
      same(push(decoder, [announce(MiB), mega.subarray(0, 10), mega.subarray(10)]), [mega])
      const [, grown] = buffered(() => push(decoder, [announce(GiB), pattern.subarray(0, 10)]))
      expect(grown).toBeLessThan(4 * MiB + trusted)
    })
  })

  it("[S3] does not slow down with the number of pieces that a body comes in", () => {
    const decoder = new Framing.Decoder(Framing.plain, GiB)
    const expected = pattern.subarray(0, MiB)
    push(decoder, [announce(expected.length)])
    const [messages, grown] = buffered(() => push(decoder, oneByOne(expected)))
    same(messages, [expected])
    expect(grown).toBeLessThan(2 * MiB + 128 * 1024)
  })
})

describe("the encoder", () => {
  it.prop(
    "writes each message as its length, its header and its body",
    [anyFormat, FC.array(FC.tuple(body, header), { minLength: 1, maxLength: 30 })],
    ([format, parts]) => {
      const messages = parts.map(([body, header]) => withHeader(body, header))
      const expected = parts.map(([body, header]) => Buffer.concat([header, body]))
      const bytes = Buffer.concat(encode(format, messages))
      expect(Buffer.compare(bytes, frames(expected, format))).toBe(0)
      expect(messages.reduce((sum, message) => sum + Framing.frameSize(format, message), 0)).toBe(bytes.length)
      same(push(new Framing.Decoder(format, 0), [bytes]), expected)
    }
  )

  it("writes a body that was edited as it is now", () => {
    const cut = Message.make("<<hello>>")
    Message.Body.trim(cut, 2)
    Message.Body.chop(cut, 2)
    const grown = Message.make("b")
    Message.Body.insert(grown, Uint8Array.of(0x61))
    const view = Message.unsafeView(pattern, 100, 2000)
    const expected = [Buffer.from("hello"), Buffer.from("ab"), pattern.subarray(100, 2000)]
    const bytes = Buffer.concat(encode(Framing.plain, [cut, grown, view]))
    expect(Buffer.compare(bytes, frames(expected, Framing.plain))).toBe(0)
    for (const [i, message] of [cut, grown, view].entries()) {
      const alone = Buffer.concat(encode(Framing.plain, [message]))
      expect(Buffer.compare(alone, frames([expected[i]!], Framing.plain))).toBe(0)
    }
  })

  it("writes many small messages as few pieces, and large bodies by reference", () => {
    const small = Array.from({ length: 1000 }, (_, i) => Message.fromBytes(pattern.subarray(i, i + 20)))
    expect(encode(Framing.plain, small).length).toBe(1)
    expect(encode(Framing.plain, [...small, ...small, ...small, ...small]).length).toBe(2)
    const large = pattern.subarray(0, MiB)
    const pieces = encode(Framing.plain, [small[0]!, Message.fromBytes(large), small[1]!])
    expect(pieces.map(({ length }) => length)).toEqual([28 + 8, MiB, 28])
    expect(pieces[1]!.buffer).toBe(large.buffer)
  })

  it("does not write to the bytes of a batch before its blocks are given back, and then uses them again", () => {
    const pool = new Framing.BlockPool()
    const messages = Array.from({ length: 1000 }, (_, i) => Message.make(`message ${i}`))
    const first = write(Framing.plain, messages, pool)
    const then = Buffer.concat(first.pieces)
    const later = Array.from({ length: 10 }, () => write(Framing.plain, messages.toReversed(), pool))
    expect(Buffer.concat(first.pieces)).toEqual(then)
    expect(new Set([first, ...later].flatMap(({ blocks }) => blocks)).size).toBe(11)
    pool.give(first.blocks)
    expect(write(Framing.plain, messages, pool).blocks).toEqual(first.blocks)
  })

  it("counts lengths in 64 bits", () => {
    const huge = { headerLength: 0, length: 2 ** 40 + 5 } as Message.Message
    expect(Framing.frameSize(Framing.plain, huge)).toBe(2 ** 40 + 13)
    expect(Framing.frameSize(ipc, huge)).toBe(2 ** 40 + 14)
  })
})
