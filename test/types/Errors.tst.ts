import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import { describe, expect, it } from "tstyche"
import * as Errors from "../../src/Errors.js"
import { narrow } from "../../src/internal/node/errno.js"

describe("NngError", () => {
  it("has these members", () => {
    expect<Errors.Tag>().type.toBe<
      | "NNG_EINTR"
      | "NNG_ENOMEM"
      | "NNG_EINVAL"
      | "NNG_EBUSY"
      | "NNG_ETIMEDOUT"
      | "NNG_ECONNREFUSED"
      | "NNG_ECLOSED"
      | "NNG_EAGAIN"
      | "NNG_ENOTSUP"
      | "NNG_EADDRINUSE"
      | "NNG_ESTATE"
      | "NNG_ENOENT"
      | "NNG_EPROTO"
      | "NNG_EUNREACHABLE"
      | "NNG_EADDRINVAL"
      | "NNG_EPERM"
      | "NNG_EMSGSIZE"
      | "NNG_ECONNABORTED"
      | "NNG_ECONNRESET"
      | "NNG_ECANCELED"
      | "NNG_ENOFILES"
      | "NNG_ENOSPC"
      | "NNG_EEXIST"
      | "NNG_EREADONLY"
      | "NNG_EWRITEONLY"
      | "NNG_ECRYPTO"
      | "NNG_EPEERAUTH"
      | "NNG_ENOARG"
      | "NNG_EAMBIGUOUS"
      | "NNG_EBADTYPE"
      | "NNG_ECONNSHUT"
      | "NNG_ESTOPPED"
      | "NNG_EINTERNAL"
      | "NNG_ESYSERR"
      | "NNG_ETRANERR"
    >()
  })

  it("is told apart by its tag", () => {
    expect<Errors.FromTag<"NNG_ECONNREFUSED">>().type.toBe<Errors.ECONNREFUSED>()
    expect<Errors.FromTag<"NNG_ECLOSED" | "NNG_ESYSERR">>().type.toBe<Errors.ECLOSED | Errors.ESYSERR>()
    expect<Errors.ECLOSED>().type.not.toBeAssignableTo<Errors.ESTATE>()
  })
})

describe("the classes", () => {
  it("carry tag and number as literals", () => {
    expect<Errors.ECONNREFUSED["code"]>().type.toBe<6>()
    expect<Errors.ECONNREFUSED["_tag"]>().type.toBe<"NNG_ECONNREFUSED">()
    expect<Errors.ESTOPPED["code"]>().type.toBe<999>()
    expect(Errors.EINTERNAL.code).type.toBe<1000>()
    expect<Errors.ESYSERR["code"]>().type.toBe<number>()
    expect<Errors.ESYSERR["errno"]>().type.toBe<number>()
    expect<Errors.ETRANERR["number"]>().type.toBe<number>()
    expect<Errors.ECLOSED["address"]>().type.toBe<string | undefined>()
    expect<Errors.ECLOSED["cause"]>().type.toBe<unknown>()
  })

  it("are made with details or without, the ranges with a number", () => {
    expect(Errors.ECLOSED).type.toBeConstructableWith()
    expect(Errors.ECLOSED).type.toBeConstructableWith({ address: undefined, operation: "recv", cause: 1 })
    expect(Errors.ECLOSED).type.not.toBeConstructableWith({ adress: "x" })
    expect(Errors.ESYSERR).type.toBeConstructableWith({ errno: 71, text: "protocol error", operation: "read" })
    expect(Errors.ESYSERR).type.not.toBeConstructableWith({})
    expect(Errors.ETRANERR).type.toBeConstructableWith({ number: 3 })
    expect(Errors.ETRANERR).type.not.toBeConstructableWith({ errno: 3 })
  })

  it("fail an effect with themselves, until their tag is caught", () => {
    const program: Effect.Effect<string, Errors.ECONNREFUSED | Errors.ECLOSED> = new Errors.ECONNREFUSED()
    expect(Effect.fail(new Errors.ECLOSED())).type.toBe<Effect.Effect<never, Errors.ECLOSED>>()
    expect(program.pipe(Effect.catchTag("NNG_ECONNREFUSED", (error) => Effect.succeed(error.code)))).type.toBe<
      Effect.Effect<string | 6, Errors.ECLOSED>
    >()
  })
})

describe("functions", () => {
  it("are typed by the union", () => {
    expect(Errors.fromCode(6)).type.toBe<Option.Option<Errors.NngError>>()
    expect(Errors.NngErrorFromJson).type.toBe<Schema.Schema<Errors.NngError, Errors.NngErrorEncoded>>()
    const u: unknown = undefined
    if (Errors.isNngError(u)) {
      expect(u).type.toBe<Errors.NngError>()
    }
  })

  it("narrow gives the union that was asked for, and ESYSERR", () => {
    const error: Errors.NngError = new Errors.ECLOSED() as Errors.NngError
    expect(narrow(error, ["NNG_ECLOSED", "NNG_EPERM"])).type.toBe<Errors.ECLOSED | Errors.EPERM | Errors.ESYSERR>()
    expect(narrow(error, [])).type.toBe<Errors.ESYSERR>()
    expect(narrow).type.not.toBeCallableWith(error, ["NNG_EWHATEVER"])
  })
})
