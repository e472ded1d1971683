import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Equal from "effect/Equal"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Errors from "../src/Errors.js"

const both = ["1.x", "2.x"]

// name, number, text and lines as in nng.h and nng_strerror of 1.12 and 2.0
const table: ReadonlyArray<
  readonly [name: Exclude<Errors.Tag, "NNG_ESYSERR" | "NNG_ETRANERR">, number, string, ReadonlyArray<string>]
> = [
  ["NNG_EINTR", 1, "Interrupted", both],
  ["NNG_ENOMEM", 2, "Out of memory", both],
  ["NNG_EINVAL", 3, "Invalid argument", both],
  ["NNG_EBUSY", 4, "Resource busy", both],
  ["NNG_ETIMEDOUT", 5, "Timed out", both],
  ["NNG_ECONNREFUSED", 6, "Connection refused", both],
  ["NNG_ECLOSED", 7, "Object closed", both],
  ["NNG_EAGAIN", 8, "Try again", both],
  ["NNG_ENOTSUP", 9, "Not supported", both],
  ["NNG_EADDRINUSE", 10, "Address in use", both],
  ["NNG_ESTATE", 11, "Incorrect state", both],
  ["NNG_ENOENT", 12, "Entry not found", both],
  ["NNG_EPROTO", 13, "Protocol error", both],
  ["NNG_EUNREACHABLE", 14, "Destination unreachable", both],
  ["NNG_EADDRINVAL", 15, "Address invalid", both],
  ["NNG_EPERM", 16, "Permission denied", both],
  ["NNG_EMSGSIZE", 17, "Message too large", both],
  ["NNG_ECONNABORTED", 18, "Connection aborted", both],
  ["NNG_ECONNRESET", 19, "Connection reset", both],
  ["NNG_ECANCELED", 20, "Operation canceled", both],
  ["NNG_ENOFILES", 21, "Out of files", both],
  ["NNG_ENOSPC", 22, "Out of space", both],
  ["NNG_EEXIST", 23, "Resource already exists", both],
  ["NNG_EREADONLY", 24, "Read only resource", both],
  ["NNG_EWRITEONLY", 25, "Write only resource", both],
  ["NNG_ECRYPTO", 26, "Cryptographic error", both],
  ["NNG_EPEERAUTH", 27, "Peer could not be authenticated", both],
  ["NNG_ENOARG", 28, "Option requires argument", ["1.x"]],
  ["NNG_EAMBIGUOUS", 29, "Ambiguous option", ["1.x"]],
  ["NNG_EBADTYPE", 30, "Incorrect type", both],
  ["NNG_ECONNSHUT", 31, "Connection shutdown", both],
  ["NNG_ESTOPPED", 999, "Operation stopped", ["2.x"]],
  ["NNG_EINTERNAL", 1000, "Internal error detected", both]
]

const classOf = (tag: string): Errors.NngErrorClass<string, number> =>
  (Errors as unknown as Record<string, Errors.NngErrorClass<string, number>>)[tag.slice("NNG_".length)]!

const details: Errors.Details = { operation: "dial", address: "tcp://127.0.0.1:1", reason: "connect ECONNREFUSED" }

describe("Errors", () => {
  it("the table is the enum of the headers [MISC-01]", () => {
    expect(Errors.codes.map(({ code, lines, name, text }) => [name, code, text, lines])).toEqual(table)
    expect([Errors.ESYSERR.base, Errors.ETRANERR.base]).toEqual([0x10000000, 0x20000000])
  })

  it("every class of the module is in the table", () => {
    const names = Object.keys(Errors).filter((name) => /^E[A-Z]+$/.test(name))
    expect(names.sort()).toEqual([...table.map(([name]) => name.slice(4)), "ESYSERR", "ETRANERR"].sort())
  })

  it.each(table)("%s is code %i, %s", (tag, code, text) => {
    const error = new (classOf(tag))()
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({ _tag: tag, name: tag, code, text, message: text })
    expect(Option.getOrThrow(Errors.fromCode(code))).toBeInstanceOf(classOf(tag))
    expect(Errors.strerror(code)).toBe(text)
  })

  it("ESYSERR and ETRANERR add their number to a base", () => {
    expect(new Errors.ESYSERR({ errno: 71 })).toMatchObject({
      _tag: "NNG_ESYSERR",
      code: 0x10000047,
      errno: 71,
      message: "System error #71"
    })
    expect(new Errors.ESYSERR({ errno: -71 }).code).toBe(0x10000047)
    expect(new Errors.ESYSERR({ errno: 71, text: "protocol error", operation: "read" }).message).toBe(
      "protocol error: read"
    )
    expect(new Errors.ETRANERR({ number: 3 })).toMatchObject({
      _tag: "NNG_ETRANERR",
      code: 0x20000003,
      number: 3,
      message: "Transport error #3"
    })
  })

  it.each<readonly [Errors.Details, string]>([
    [{}, "Connection refused"],
    [{ address: "ipc:///x" }, "Connection refused: ipc:///x"],
    [{ operation: "dial" }, "Connection refused: dial"],
    [{ reason: "gone" }, "Connection refused (gone)"],
    [details, "Connection refused: dial tcp://127.0.0.1:1 (connect ECONNREFUSED)"]
  ])("%j reads %s", (given, message) => {
    const error = new Errors.ECONNREFUSED(given)
    expect(error.message).toBe(message)
    expect(error.stack).toContain(`NNG_ECONNREFUSED: ${message}`)
    expect(error).toMatchObject(given)
  })

  it("keeps the cause, and shows it in no JSON", () => {
    const cause = new Error("secret")
    const error = new Errors.EPROTO({ ...details, cause })
    expect(error.cause).toBe(cause)
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      _id: "NngError",
      _tag: "NNG_EPROTO",
      code: 13,
      message: "Protocol error: dial tcp://127.0.0.1:1 (connect ECONNREFUSED)",
      operation: "dial",
      address: "tcp://127.0.0.1:1"
    })
    const system = new Errors.ESYSERR({ errno: 71, text: "protocol error", cause })
    expect(JSON.parse(JSON.stringify(system))).toEqual({
      _id: "NngError",
      _tag: "NNG_ESYSERR",
      code: 0x10000047,
      message: "protocol error"
    })
  })

  it("compares by value, an absent detail being the same as an undefined one", () => {
    expect(Equal.equals(new Errors.ECLOSED({ operation: "recv" }), new Errors.ECLOSED({ operation: "recv" }))).toBe(
      true
    )
    expect(Equal.equals(new Errors.ECLOSED(), new Errors.ECLOSED({ address: undefined }))).toBe(true)
    expect(Equal.equals(new Errors.ECLOSED(), new Errors.ESTATE())).toBe(false)
    expect(Equal.equals(new Errors.ESYSERR({ errno: 1 }), new Errors.ESYSERR({ errno: 2 }))).toBe(false)
  })

  it.effect("fails an effect, and is caught by its tag", () =>
    Effect.gen(function* () {
      const program: Effect.Effect<never, Errors.ECONNREFUSED | Errors.ECLOSED> = new Errors.ECONNREFUSED(details)
      const caught = yield* program.pipe(
        Effect.catchTag("NNG_ECLOSED", () => Effect.dieMessage("wrong tag")),
        Effect.catchTag("NNG_ECONNREFUSED", (error) => Effect.succeed(error.code))
      )
      expect(caught).toBe(6)
    })
  )

  it("isNngError knows its own", () => {
    expect(Errors.codes.every(({ code }) => Errors.isNngError(Option.getOrThrow(Errors.fromCode(code))))).toBe(true)
    expect(Errors.isNngError(new Errors.ESYSERR({ errno: 1 }))).toBe(true)
    const strangers = [undefined, null, 6, "NNG_ECLOSED", new Error("x"), { _tag: "NNG_ECLOSED", code: 7 }]
    expect(strangers.filter(Errors.isNngError)).toEqual([])
  })

  it("fromCode carries the details, ranges included", () => {
    expect(Option.getOrThrow(Errors.fromCode(6, details))).toEqual(new Errors.ECONNREFUSED(details))
    const system = Option.getOrThrow(Errors.fromCode(0x10000047, details))
    expect(system).toMatchObject({ ...details, _tag: "NNG_ESYSERR", errno: 71, code: 0x10000047 })
    const transport = Option.getOrThrow(Errors.fromCode(0x2fffffff, details))
    expect(transport).toMatchObject({ ...details, _tag: "NNG_ETRANERR", number: 0x0fffffff, code: 0x2fffffff })
  })

  it.each([0, -1, 32, 998, 1001, 0x0fffffff, 0x30000000, 1.5, 0x10000000 + 0.5, NaN, Infinity])(
    "fromCode gives nothing for %d",
    (code) => {
      expect(Option.isNone(Errors.fromCode(code))).toBe(true)
    }
  )

  it("strerror tells the common codes [MISC-01]", () => {
    expect([0, 7, 5, 999].map(Errors.strerror)).toEqual([
      "Hunky dory",
      "Object closed",
      "Timed out",
      "Operation stopped"
    ])
  })

  it("strerror has a text for every number [MISC-02]", () => {
    expect([32, 5000, -1].map(Errors.strerror)).toEqual([
      "Unknown error #32",
      "Unknown error #5000",
      "Unknown error #-1"
    ])
    expect([0x10000047, 0x20000003].map(Errors.strerror)).toEqual(["System error #71", "Transport error #3"])
    FastCheck.assert(FastCheck.property(FastCheck.integer(), (code) => Errors.strerror(code) !== ""))
  })
})

describe("NngErrorFromJson", () => {
  const encode = Schema.encodeSync(Errors.NngErrorFromJson)
  const decode = Schema.decodeUnknownEither(Errors.NngErrorFromJson)

  it.effect.prop("an error survives the way through JSON", [Errors.NngErrorFromSelf], ([error]) =>
    Effect.sync(() => {
      const arrived = Either.getOrThrow(decode(JSON.parse(JSON.stringify(encode(error)))))
      expect(arrived).toEqual(error)
      expect(arrived.constructor).toBe(error.constructor)
      expect(Equal.equals(arrived, error)).toBe(true)
    })
  )

  it.effect.prop("a cause arrives with its name and message", [Schema.String], ([message]) =>
    Effect.sync(() => {
      const sent = new Errors.EPROTO({ ...details, cause: new TypeError(message) })
      const json = JSON.stringify(encode(sent))
      expect(json).not.toContain("Errors.test")
      const { cause, ...rest } = Either.getOrThrow(decode(JSON.parse(json)))
      expect(cause).toMatchObject({ name: "TypeError", message })
      expect(rest).toEqual({ ...details, _tag: "NNG_EPROTO", code: 13 })
    })
  )

  it("encodes to the documented shape", () => {
    expect(encode(new Errors.ECLOSED())).toEqual({ _tag: "NNG_ECLOSED", code: 7 })
    expect(encode(new Errors.ECONNREFUSED({ ...details, cause: "gone" }))).toEqual({
      ...details,
      _tag: "NNG_ECONNREFUSED",
      code: 6,
      cause: "gone"
    })
    expect(encode(new Errors.ESYSERR({ errno: 71, text: "protocol error" }))).toEqual({
      _tag: "NNG_ESYSERR",
      code: 0x10000047,
      text: "protocol error"
    })
  })

  it.each<readonly [string, unknown]>([
    ["an unknown tag", { _tag: "NNG_EWHATEVER", code: 7 }],
    ["an unknown code", { _tag: "NNG_ECLOSED", code: 4711 }],
    ["the code of another tag", { _tag: "NNG_ECLOSED", code: 6 }],
    ["a code of the other range", { _tag: "NNG_ESYSERR", code: 0x20000001 }],
    ["no code", { _tag: "NNG_ECLOSED" }],
    ["a fractional code", { _tag: "NNG_ECLOSED", code: 7.5 }],
    ["a detail of another type", { _tag: "NNG_ECLOSED", code: 7, address: 1 }],
    ["no object", "NNG_ECLOSED"]
  ])("refuses %s", (_, input) => {
    const result = decode(input)
    expect(Either.isLeft(result) && result.left._tag).toBe("ParseError")
  })
})
