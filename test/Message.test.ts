import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Equal from "effect/Equal"
import * as FC from "effect/FastCheck"
import { pipe } from "effect/Function"
import * as Message from "effect-nng/Message"
import { inspect } from "node:util"
import { unsafeBuffer, unsafeEnd, unsafeStart } from "../src/internal/vocabulary/message.js"

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const string = (array: Uint8Array): string => new TextDecoder().decode(array)
const get = Either.getOrThrow

const expectEINVAL = (result: Either.Either<unknown, unknown>, reason?: RegExp): void => {
  expect(result).toMatchObject({ _tag: "Left", left: { _tag: "NNG_EINVAL", code: 3 } })
  if (reason !== undefined) {
    expect(Either.getLeft(result)).toMatchObject({ value: { reason: expect.stringMatching(reason) } })
  }
}

const parts = [
  { name: "body", part: Message.Body as Message.Part<unknown>, read: (m: Message.Message) => m.body },
  { name: "header", part: Message.Header as Message.Part<unknown>, read: (m: Message.Message) => m.header }
]

/** What a decoder makes: a message in the middle of a read, whose neighbours must stay as they are. */
const inChunk = (text: string): { readonly chunk: Uint8Array; readonly message: Message.Message } => {
  const chunk = bytes(`<<<${text}>>>`)
  return { chunk, message: Message.unsafeView(chunk, 3, chunk.length - 3) }
}

describe("Message", () => {
  describe("making", () => {
    it("[MSG-01] a new message is empty in both parts", () => {
      const message = Message.make()
      expect([message.length, message.headerLength]).toEqual([0, 0])
      expect([message.body.length, message.header.length]).toEqual([0, 0])
      expect(Message.make(0).length).toBe(0)
    })

    it("a size gives that many zeros", () => {
      expect(Message.make(5).body).toEqual(new Uint8Array(5))
      expect(() => Message.make(-1)).toThrow(RangeError)
    })

    it("make copies bytes, fromBytes takes them over", () => {
      const data = bytes("abc")
      const copied = Message.make(data)
      const taken = Message.fromBytes(data)
      data[0] = 0x78
      expect(Message.text(copied)).toBe("abc")
      expect(Message.text(taken)).toBe("xbc")
      expect(taken.body).toBe(data)
    })

    it("text is UTF-8 both ways", () => {
      expect(Message.make("h\u00e9").body).toEqual(new Uint8Array([0x68, 0xc3, 0xa9]))
      expect(Message.fromString("h\u00e9").body).toEqual(new Uint8Array([0x68, 0xc3, 0xa9]))
      for (const text of ["", "a".repeat(64), "a".repeat(65), "\x7f\x80", "z".repeat(63) + "\u20ac", "\0"]) {
        expect(Buffer.compare(Message.fromString(text).body, Buffer.from(text))).toBe(0)
        expect(Message.text(Message.make(text))).toBe(text)
      }
      expect(Message.text(Message.fromString("\ufeffh\u00e9 \u{1f600}"))).toBe("\ufeffh\u00e9 \u{1f600}")
      expect(Message.text(Message.fromBytes(new Uint8Array([0xff, 0x61])))).toBe("\ufffda")
    })

    it("fromInput takes whatever a send takes", () => {
      const message = Message.make("m")
      const data = bytes("d")
      expect(Message.fromInput(message)).toBe(message)
      expect(Message.fromInput(data).body).toBe(data)
      expect(Message.text(Message.fromInput("s"))).toBe("s")
    })

    it("a Buffer is read as plain bytes", () => {
      const { body } = Message.fromBytes(Buffer.from("abc"))
      expect(body.constructor).toBe(Uint8Array)
      expect(string(body)).toBe("abc")
    })

    it("isMessage knows its own", () => {
      expect(Message.isMessage(Message.make())).toBe(true)
      expect([null, undefined, "m", new Uint8Array(1), { body: 1 }].some(Message.isMessage)).toBe(false)
    })

    it("[MSG-08] has no pipe until one is set, and a duplicate carries it", () => {
      const message = Message.make("x")
      expect(message.pipeId).toBe(0)
      Message.unsafeSetPipe(message, 7)
      expect(message.pipeId).toBe(7)
      expect(Message.copy(message).pipeId).toBe(7)
    })
  })

  describe("being a value", () => {
    it("shows sizes and never the payload", () => {
      const message = Message.make("secret")
      Message.Header.append(message, bytes("hidden"))
      Message.unsafeSetPipe(message, 3)
      expect(message.toJSON()).toEqual({ _id: "effect-nng/Message", length: 6, headerLength: 6, pipeId: 3 })
      for (const shown of [String(message), JSON.stringify(message), inspect(message)]) {
        expect(shown).toContain("effect-nng/Message")
        expect(shown).not.toMatch(/secret|hidden|115/)
      }
    })

    it("is equal to nothing but itself", () => {
      const message = Message.make("a")
      expect(Equal.equals(message, message)).toBe(true)
      expect(Equal.equals(message, Message.make("a"))).toBe(false)
    })

    it("is pipeable", () => {
      expect(Message.make("abc").pipe(Message.copy, Message.text)).toBe("abc")
      expect(pipe(Message.make("abc"), Message.text)).toBe("abc")
    })

    it("keeps the view of its body once that is asked for again, until an edit", () => {
      const { chunk, message } = inChunk("abc")
      const first = message.body
      const second = message.body
      expect(first).not.toBe(second)
      expect(first).toEqual(second)
      expect(message.body).toBe(second)
      expect(message.body).toBe(second)
      expect(message.body.buffer).toBe(chunk.buffer)
      const before = message.body
      get(Message.Body.trim(message, 1))
      expect(message.body).not.toBe(before)
      expect(string(message.body)).toBe("bc")
    })

    it("has its raw bytes at hand without a view", () => {
      const { chunk, message } = inChunk("abc")
      expect(unsafeBuffer(message)).toBe(chunk)
      expect([unsafeStart(message), unsafeEnd(message)]).toEqual([3, 6])
    })
  })

  describe.each(parts)("$name", ({ part, read }) => {
    const filled = (text: string): Message.Message => {
      const message = Message.make()
      get(part.append(message, bytes(text)))
      return message
    }

    it("[MSG-02] append adds to an empty part", () => {
      expect(string(read(filled("abcd")))).toBe("abcd")
    })

    it("[MSG-03, MSG-04] insert adds at the front", () => {
      const message = filled("xyz")
      get(part.insert(message, bytes("uvw")))
      get(part.insert(message, bytes("st")))
      expect(string(read(message))).toBe("stuvwxyz")
    })

    it("[MSG-05] trim takes from the front, and never more than there is", () => {
      const message = filled("abcdefg")
      expect(string(get(part.trim(message, 2)))).toBe("ab")
      expect(string(read(message))).toBe("cdefg")
      expectEINVAL(part.trim(message, 10), /10 bytes from a (body|header) of 5/)
      expect(string(read(message))).toBe("cdefg")
    })

    it("[MSG-06] chop takes from the back, and never more than there is", () => {
      const message = filled("abcdefg")
      expect(string(get(part.chop(message, 5)))).toBe("cdefg")
      expect(string(read(message))).toBe("ab")
      expectEINVAL(part.chop(message, 10))
      expect(string(read(message))).toBe("ab")
    })

    it("trim and chop refuse what is no count", () => {
      const message = filled("abc")
      for (const n of [-1, 1.5, NaN, Infinity]) {
        expectEINVAL(part.trim(message, n))
        expectEINVAL(part.chop(message, n))
      }
      expect(string(read(message))).toBe("abc")
    })

    it("what was taken is the caller's own", () => {
      const message = filled("abcdef")
      const front = get(part.trim(message, 2))
      const back = get(part.chop(message, 2))
      get(part.insert(message, bytes("XY")))
      get(part.append(message, bytes("XY")))
      expect([string(front), string(read(message)), string(back)]).toEqual(["ab", "XYcdXY", "ef"])
    })

    it("can be added to itself", () => {
      const message = filled("abc")
      get(part.append(message, read(message)))
      get(part.insert(message, read(message)))
      expect(string(read(message))).toBe("abcabcabcabc")
    })

    it("[MSG-12] integers are big-endian, at both ends", () => {
      for (const [append, insert, trim, chop, width] of [
        [part.appendU16, part.insertU16, part.trimU16, part.chopU16, 2],
        [part.appendU32, part.insertU32, part.trimU32, part.chopU32, 4],
        [
          (m: Message.Message, n: number) => part.appendU64(m, BigInt(n)),
          (m: Message.Message, n: number) => part.insertU64(m, BigInt(n)),
          (m: Message.Message) => Either.map(part.trimU64(m), Number),
          (m: Message.Message) => Either.map(part.chopU64(m), Number),
          8
        ]
      ] as const) {
        const message = Message.make()
        get(append(message, 2))
        get(insert(message, 1))
        get(append(message, 3))
        get(insert(message, 0))
        expect(get(trim(message))).toBe(0)
        const word = (n: number) => [...new Array<number>(width - 1).fill(0), n]
        expect(Array.from(read(message))).toEqual([...word(1), ...word(2), ...word(3)])
        expect([get(trim(message)), get(chop(message)), get(trim(message))]).toEqual([1, 3, 2])
        expectEINVAL(trim(message), new RegExp(`${width} bytes from`))
        expectEINVAL(chop(message))
      }
    })

    it("[MSG-13] an integer needs all its bytes", () => {
      const message = filled("a")
      for (const take of [part.trimU16, part.chopU16, part.trimU32, part.chopU32, part.trimU64, part.chopU64]) {
        expectEINVAL(take(message))
      }
      expect(string(read(message))).toBe("a")
    })

    it("integers keep every bit", () => {
      const message = Message.make()
      get(part.appendU16(message, 0xfedc))
      get(part.appendU32(message, 0xfedcba98))
      get(part.appendU64(message, 0xfedcba9876543210n))
      expect(Buffer.from(read(message)).toString("hex")).toBe("fedcfedcba98fedcba9876543210")
      expect(get(part.chopU64(message))).toBe(0xfedcba9876543210n)
      expect(get(part.chopU32(message))).toBe(0xfedcba98)
      expect(get(part.chopU16(message))).toBe(0xfedc)
    })

    it("a number that its width cannot hold is refused and changes nothing", () => {
      const message = filled("a")
      for (const n of [-1, 0x10000, 1.5, NaN, Infinity]) {
        expectEINVAL(part.appendU16(message, n), /16 bits/)
        expectEINVAL(part.insertU16(message, n), new RegExp(`^${n} `))
      }
      for (const n of [-1, 0x100000000, 0.5]) {
        expectEINVAL(part.appendU32(message, n), /32 bits/)
        expectEINVAL(part.insertU32(message, n))
      }
      for (const n of [-1n, 1n << 64n]) {
        expectEINVAL(part.appendU64(message, n), /64 bits/)
        expectEINVAL(part.insertU64(message, n))
      }
      expect(string(read(message))).toBe("a")
    })
  })

  it("[MSG-07] clearing one part leaves the other", () => {
    const make = (): Message.Message => {
      const message = Message.make("body")
      get(Message.Header.append(message, bytes("head")))
      return message
    }
    const bodiless = make()
    get(Message.Body.clear(bodiless))
    expect([string(bodiless.header), bodiless.length]).toEqual(["head", 0])
    const headless = make()
    get(Message.Header.clear(headless))
    expect([headless.headerLength, Message.text(headless)]).toEqual([0, "body"])
  })

  it("[MSG-17] a header holds 64 bytes, and what would not fit changes nothing", () => {
    const message = Message.make("body")
    get(Message.Header.append(message, new Uint8Array(64).fill(1)))
    for (const result of [
      Message.Header.append(message, new Uint8Array(1)),
      Message.Header.insert(message, new Uint8Array(1)),
      Message.Header.appendU16(message, 1),
      Message.Header.insertU32(message, 1),
      Message.Header.appendU64(message, 1n)
    ]) {
      expectEINVAL(result, /header of 6\d|header of 7\d/)
    }
    expect(message.header).toEqual(new Uint8Array(64).fill(1))
    expect(get(Message.Body.append(message, new Uint8Array(100)))).toBeUndefined()
  })

  it.effect("verbs are effects too", () =>
    Effect.gen(function* () {
      const message = Message.make("b")
      yield* Message.Body.insert(message, bytes("a"))
      yield* Message.Header.appendU32(message, 0x80000001)
      const id = yield* Message.Header.chopU32(message)
      const error = yield* Effect.flip(Message.Header.chopU32(message))
      expect([id, Message.text(message), error._tag]).toEqual([0x80000001, "ab", "NNG_EINVAL"])
      expect(error.operation).toBe("Message.header.chopU32")
    })
  )

  describe("copies", () => {
    it("[MSG-11] a duplicate is independent, header and body", () => {
      const original = Message.make("body")
      get(Message.Header.append(original, bytes("head")))
      const duplicate = Message.copy(original)
      expect(duplicate.header).toEqual(original.header)
      get(Message.Body.append(duplicate, bytes("+")))
      get(Message.Body.insert(original, bytes("-")))
      get(Message.Header.append(duplicate, bytes("+")))
      get(Message.Header.trim(original, 1))
      expect([Message.text(original), Message.text(duplicate)]).toEqual(["-body", "body+"])
      expect([string(original.header), string(duplicate.header)]).toEqual(["ead", "head+"])
    })

    it("[MSG-11] even direct writes do not reach the other", () => {
      const original = Message.make("body")
      get(Message.Header.append(original, bytes("head")))
      const duplicate = Message.copy(original)
      duplicate.body[0] = 0x58
      duplicate.header[0] = 0x58
      expect([Message.text(original), string(original.header)]).toEqual(["body", "head"])
    })

    it("a view copies before it writes, and its neighbours never change", () => {
      const edits: ReadonlyArray<(message: Message.Message) => unknown> = [
        (m) => Message.Body.append(m, bytes("!!")),
        (m) => Message.Body.insert(m, bytes("!!")),
        (m) => Message.Body.appendU32(m, 1),
        (m) => Message.Body.insertU64(m, 1n),
        (m) => [Message.Body.trim(m, 1), Message.Body.insert(m, bytes("!"))],
        (m) => [Message.Body.chop(m, 1), Message.Body.append(m, bytes("!"))],
        (m) => [Message.Body.clear(m), Message.Body.append(m, bytes("!"))],
        (m) => Message.realloc(m, 9),
        (m) => [Message.reserve(m, 40), Message.Body.append(m, bytes("!"))],
        (m) => Message.detach(m).body.fill(0x21)
      ]
      for (const edit of edits) {
        const { chunk, message } = inChunk("abcdef")
        edit(message)
        expect(string(chunk)).toBe("<<<abcdef>>>")
      }
    })

    it("bytes that were taken over are not written to either", () => {
      const data = bytes("abc")
      const message = Message.fromBytes(data)
      get(Message.Body.trim(message, 1))
      get(Message.Body.insert(message, bytes("X")))
      expect([string(data), Message.text(message)]).toEqual(["abc", "Xbc"])
    })

    it("trim and chop leave a view a view", () => {
      const { chunk, message } = inChunk("abcdef")
      get(Message.Body.trim(message, 2))
      get(Message.Body.chopU16(message))
      expect(message.body.buffer).toBe(chunk.buffer)
      expect(Message.text(message)).toBe("cd")
    })

    it("detach lets go of the read chunk, in place", () => {
      const chunk = new Uint8Array(65536)
      const message = Message.unsafeView(chunk, 100, 164)
      Message.unsafeSetPipe(message, 5)
      const before = message.body
      expect(before.buffer.byteLength).toBe(65536)
      expect(Message.detach(message)).toBe(message)
      expect(message.body.buffer.byteLength).toBe(64)
      expect(message.body).toEqual(before)
      expect(message.pipeId).toBe(5)
      const own = message.body
      expect(Message.detach(message).body).toBe(own)
    })

    it("an emptied view lets go of the read chunk", () => {
      for (const empty of [
        (m: Message.Message) => get(Message.Body.clear(m)),
        (m: Message.Message) => void get(Message.Body.trim(m, 3)),
        (m: Message.Message) => void get(Message.Body.chop(m, 3))
      ]) {
        const { chunk, message } = inChunk("abc")
        empty(message)
        expect(message.body.buffer).not.toBe(chunk.buffer)
      }
    })
  })

  describe("room", () => {
    it("[MSG-18] a new message has 32 bytes to spare, but none if it is a large power of two", () => {
      const capacities = [0, 4, 100, 512, 1000, 1023, 1024, 1025, 2048].map((n) => Message.capacity(Message.make(n)))
      expect(capacities).toEqual([32, 36, 132, 544, 1032, 1055, 1024, 1057, 2048])
    })

    it("[MSG-14] appending uses the room, then makes more", () => {
      const message = Message.make()
      expect(Message.capacity(message)).toBe(32)
      get(Message.Body.append(message, bytes("abcd")))
      expect(Message.capacity(message)).toBe(32)
      get(Message.Body.append(message, new Uint8Array(64).fill(0x7a)))
      expect(Message.capacity(message)).toBeGreaterThanOrEqual(68)
      expect(Message.text(message)).toBe("abcd" + "z".repeat(64))
    })

    it("[MSG-15] reserve makes exactly the room asked for, and takes none away", () => {
      const message = Message.make()
      get(Message.Body.append(message, bytes("abcd")))
      get(Message.reserve(message, 64))
      expect([Message.capacity(message), message.length, Message.text(message)]).toEqual([64, 4, "abcd"])
      get(Message.reserve(message, 10))
      expect(Message.capacity(message)).toBe(64)
      const buffer = unsafeBuffer(message)
      get(Message.Body.append(message, new Uint8Array(60)))
      expect(unsafeBuffer(message)).toBe(buffer)
    })

    it("a view has no room, until it has some of its own", () => {
      const { message } = inChunk("abc")
      expect(Message.capacity(message)).toBe(3)
      get(Message.reserve(message, 3))
      expect(Message.capacity(message)).toBe(3)
      get(Message.reserve(message, 16))
      expect([Message.capacity(message), Message.text(message)]).toEqual([16, "abc"])
    })

    it("[MSG-09] realloc lengthens with zeros and cuts at the back", () => {
      const message = Message.make(bytes("abc\0"))
      get(Message.realloc(message, 1500))
      expect(message.length).toBe(1500)
      expect(string(message.body.subarray(0, 3))).toBe("abc")
      expect(message.body.subarray(3).every((byte) => byte === 0)).toBe(true)
      get(Message.realloc(message, 2))
      expect(message.length).toBe(2)
      get(Message.Body.append(message, bytes("CDEF")))
      expect(Message.text(message)).toBe("abCDEF")
    })

    it("realloc does not bring back what was cut", () => {
      const message = Message.make("abcdef")
      get(Message.realloc(message, 2))
      get(Message.realloc(message, 6))
      expect(Message.text(message)).toBe("ab\0\0\0\0")
    })

    it("realloc and reserve refuse what is no size, or more than there is", () => {
      const message = Message.make("abc")
      for (const verb of [Message.realloc, Message.reserve]) {
        for (const n of [-1, 1.5, NaN]) {
          expectEINVAL(verb(message, n), /not a number of bytes/)
        }
        expect(verb(message, Number.MAX_SAFE_INTEGER)).toMatchObject({ left: { _tag: "NNG_ENOMEM", code: 2 } })
        expect(Message.text(message)).toBe("abc")
      }
    })

    it("[MSG-10] inserting much and trimming most leaves the rest in front", () => {
      const message = Message.make("abcd")
      const data = Uint8Array.from({ length: 1024 }, (_, i) => i % 251)
      get(Message.Body.insert(message, data))
      get(Message.Body.trim(message, 1022))
      expect(Array.from(message.body)).toEqual([data[1022]!, data[1023]!, 0x61, 0x62, 0x63, 0x64])
    })

    it("[MSG-16] whatever the sizes, what is inserted comes first", () => {
      for (let size = 0; size < 128; size++) {
        const body = Uint8Array.from({ length: size }, (_, i) => 255 - (i % 7))
        for (let n = 0; n < 1024; n += n < 70 ? 1 : 53) {
          const message = Message.make(body)
          const data = Uint8Array.from({ length: n }, (_, i) => (i + size) % 256)
          get(Message.Body.insert(message, data))
          expect(message.length).toBe(size + n)
          expect(Buffer.compare(message.body.subarray(0, n), data)).toBe(0)
          expect(Buffer.compare(message.body.subarray(n), body)).toBe(0)
        }
      }
    })

    it("inserting uses the headroom without moving", () => {
      const message = Message.make("abcd")
      const buffer = unsafeBuffer(message)
      for (let i = 0; i < 8; i++) {
        get(Message.Body.insertU32(message, i))
      }
      expect(unsafeBuffer(message)).toBe(buffer)
      expect(message.length).toBe(36)
      get(Message.Body.insertU16(message, 1))
      expect(unsafeBuffer(message)).not.toBe(buffer)
    })
  })

  describe("against a plain array", () => {
    const byte = FC.integer({ min: 0, max: 255 })
    const data = FC.array(byte, { maxLength: 40 })
    const n = FC.nat({ max: 48 })
    const edit = FC.oneof(
      FC.record({ verb: FC.constantFrom("append", "insert"), data }),
      FC.record({ verb: FC.constantFrom("trim", "chop", "realloc", "reserve"), n }),
      FC.record({ verb: FC.constantFrom("clear", "detach", "copy", "read") }),
      FC.record({ verb: FC.constantFrom("appendU16", "insertU16", "trimU16", "chopU16"), n: FC.nat({ max: 0xffff }) })
    )
    const start = FC.record({ kind: FC.constantFrom("make", "fromBytes", "unsafeView"), data })

    interface Edit {
      readonly verb: string
      readonly data?: ReadonlyArray<number>
      readonly n?: number
    }

    const be16 = (value: number): Array<number> => [value >> 8, value & 0xff]

    /** The edit on an array; undefined if it is not allowed. */
    const onArray = (
      model: ReadonlyArray<number>,
      { data = [], n = 0, verb }: Edit
    ): ReadonlyArray<number> | undefined => {
      const size = model.length
      switch (verb) {
        case "append":
          return [...model, ...data]
        case "insert":
          return [...data, ...model]
        case "appendU16":
          return [...model, ...be16(n)]
        case "insertU16":
          return [...be16(n), ...model]
        case "trim":
          return n > size ? undefined : model.slice(n)
        case "chop":
          return n > size ? undefined : model.slice(0, size - n)
        case "trimU16":
          return size < 2 ? undefined : model.slice(2)
        case "chopU16":
          return size < 2 ? undefined : model.slice(0, size - 2)
        case "clear":
          return []
        case "realloc":
          return [...model.slice(0, n), ...new Array<number>(Math.max(0, n - size)).fill(0)]
        default:
          return model
      }
    }

    const onMessage = <E>(
      part: Message.Part<E>,
      message: Message.Message,
      { data = [], n = 0, verb }: Edit
    ): Either.Either<unknown, unknown> => {
      switch (verb) {
        case "append":
        case "insert":
          return part[verb](message, Uint8Array.from(data))
        case "trim":
        case "chop":
          return part[verb](message, n)
        case "appendU16":
        case "insertU16":
          return part[verb](message, n)
        case "trimU16":
        case "chopU16":
        case "clear":
          return part[verb](message)
        case "realloc":
        case "reserve":
          return Message[verb](message, n)
        case "detach":
          return Either.right(Message.detach(message))
        default:
          return Either.right(message.body)
      }
    }

    it.prop("any edits of a body", { start, edits: FC.array(edit, { maxLength: 30 }) }, ({ edits, start }) => {
      const shared = Uint8Array.from([9, 9, ...start.data, 9, 9])
      const pristine = shared.slice()
      let message =
        start.kind === "make"
          ? Message.make(Uint8Array.from(start.data))
          : start.kind === "fromBytes"
            ? Message.fromBytes(shared.subarray(2, 2 + start.data.length))
            : Message.unsafeView(shared, 2, 2 + start.data.length)
      let model: ReadonlyArray<number> = start.data
      for (const step of edits as ReadonlyArray<Edit>) {
        if (step.verb === "copy") {
          message = Message.copy(message)
        }
        const expected = onArray(model, step)
        expect(Either.isRight(onMessage(Message.Body, message, step))).toBe(expected !== undefined)
        model = expected ?? model
        expect(Array.from(message.body)).toEqual(model)
        expect(message.length).toBe(model.length)
        expect(Message.capacity(message)).toBeGreaterThanOrEqual(model.length)
      }
      expect(shared).toEqual(pristine)
    })

    it.prop("any edits of a header", { edits: FC.array(edit, { maxLength: 30 }) }, ({ edits }) => {
      const message = Message.make("body")
      let model: ReadonlyArray<number> = []
      for (const step of edits as ReadonlyArray<Edit>) {
        if (["realloc", "reserve", "detach", "copy"].includes(step.verb)) {
          continue
        }
        const after = onArray(model, step)
        const expected = after === undefined || after.length > 64 ? undefined : after
        expect(Either.isRight(onMessage(Message.Header, message, step))).toBe(expected !== undefined)
        model = expected ?? model
        expect(Array.from(message.header)).toEqual(model)
      }
      expect(Message.text(message)).toBe("body")
    })
  })
})
