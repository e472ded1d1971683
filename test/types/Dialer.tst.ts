import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type * as Duration from "effect/Duration"
import { describe, expect, it } from "tstyche"
import * as Aio from "../../src/Aio.js"
import * as Dialer from "../../src/Dialer.js"
import type * as Errors from "../../src/Errors.js"
import type * as Listener from "../../src/Listener.js"
import type { Pair0 } from "../../src/Pair0.js"
import type { DialError } from "../../src/Transport.js"

declare const dialer: Dialer.Dialer
declare const listener: Listener.Listener
declare const socket: Pair0
declare const aio: Aio.Aio

describe("errors", () => {
  it("of making a dialer are these", () => {
    expect<Dialer.MakeError>().type.toBe<Errors.EADDRINVAL | Errors.EINVAL | Errors.ENOTSUP | Errors.ECLOSED>()
  })

  it("of starting one that the manual documents are exactly the eleven", () => {
    expect<Dialer.DocumentedStartError["_tag"]>().type.toBe<
      | "NNG_EADDRINVAL"
      | "NNG_ECLOSED"
      | "NNG_ECONNREFUSED"
      | "NNG_ECONNRESET"
      | "NNG_EINVAL"
      | "NNG_ENOENT"
      | "NNG_ENOMEM"
      | "NNG_EPEERAUTH"
      | "NNG_EPROTO"
      | "NNG_ESTATE"
      | "NNG_EUNREACHABLE"
    >()
  })

  it("that a network adds are eight", () => {
    expect<Exclude<Dialer.StartError, Dialer.DocumentedStartError>["_tag"]>().type.toBe<
      | "NNG_ETIMEDOUT"
      | "NNG_ECONNSHUT"
      | "NNG_ECRYPTO"
      | "NNG_EPERM"
      | "NNG_ENOTSUP"
      | "NNG_ECANCELED"
      | "NNG_ENOFILES"
      | "NNG_ESYSERR"
    >()
    expect<Dialer.DocumentedStartError>().type.toBeAssignableTo<Dialer.StartError>()
  })

  it("of a transport's dial are all among them", () => {
    expect<DialError>().type.toBeAssignableTo<Dialer.StartError>()
    expect<Exclude<Dialer.StartError, DialError>>().type.toBe<Errors.ESTATE>()
  })
})

describe("a dialer", () => {
  it("is made in a scope", () => {
    expect(Dialer.make(socket, "tcp://127.0.0.1:1")).type.toBe<
      Effect.Effect<Dialer.Dialer, Dialer.MakeError, Scope.Scope>
    >()
  })

  it("has these options and no others (DIAL-12)", () => {
    expect(Dialer.make).type.toBeCallableWith(socket, "tcp://127.0.0.1:1", {
      reconnectMin: "1 second",
      reconnectMax: undefined,
      reconnect: Schedule.exponential("1 second"),
      recvMaxSize: 678,
      tcp: { noDelay: false, keepAlive: true, localAddress: "127.0.0.1" }
    })
    expect(Dialer.make).type.toBeCallableWith(socket, "inproc://x", {
      reconnect: Schedule.recurWhile<Errors.NngError>((error) => error._tag === "NNG_ECONNREFUSED")
    })
    expect(Dialer.make).type.not.toBeCallableWith(socket, "inproc://x", { recvMaxSize: true })
    expect(Dialer.make).type.not.toBeCallableWith(socket, "inproc://x", { sendTimeout: 1 })
    expect(Dialer.make).type.not.toBeCallableWith(socket, "inproc://x", { maxTtl: 1 })
    expect(Dialer.make).type.not.toBeCallableWith(socket, "inproc://x", { nonblocking: true })
    expect(Dialer.make).type.not.toBeCallableWith("inproc://x")
  })

  it("is no listener, nor the reverse (DIAL-15)", () => {
    expect<Dialer.Dialer>().type.not.toBeAssignableTo<Listener.Listener>()
    expect<Listener.Listener>().type.not.toBeAssignableTo<Dialer.Dialer>()
    expect(Dialer.start).type.not.toBeCallableWith(listener)
  })

  it("tells typed states and events", () => {
    expect(dialer.state).type.toBe<Effect.Effect<Dialer.State>>()
    expect(Dialer.events(dialer)).type.toBe<Stream.Stream<Dialer.Event>>()
    expect(dialer.close).type.toBe<Effect.Effect<void, Errors.ENOENT>>()
    expect<Dialer.State["_tag"]>().type.toBe<"Idle" | "Connecting" | "Connected" | "Waiting" | "Closed">()
    expect<Dialer.Event["_tag"]>().type.toBe<"Attempt" | "Connected" | "Failed" | "Disconnected" | "Closed">()
    expect<Extract<Dialer.Event, { readonly _tag: "Failed" }>["next"]>().type.toBe<Option.Option<Duration.Duration>>()
    expect<Dialer.Statistics["failures"]["NNG_ECONNREFUSED"]>().type.toBe<number | undefined>()
  })
})

describe("starting", () => {
  it("needs nothing, and fails with StartError", () => {
    expect(Dialer.start(dialer)).type.toBe<Effect.Effect<void, Dialer.StartError>>()
    expect(Dialer.start(dialer, { nonblocking: true })).type.toBe<Effect.Effect<void, Dialer.StartError>>()
    expect(Dialer.start).type.not.toBeCallableWith(dialer, { blocking: true })
  })

  it("with an aio cannot fail, and has its dialer first or last", () => {
    expect(Dialer.startAio(dialer, aio, { nonblocking: true })).type.toBe<Effect.Effect<void>>()
    expect(Dialer.startAio(dialer, aio)).type.toBe<Effect.Effect<void>>()
    expect(dialer.pipe(Dialer.startAio(aio, { nonblocking: true }))).type.toBe<Effect.Effect<void>>()
    expect(dialer.pipe(Dialer.startAio(aio))).type.toBe<Effect.Effect<void>>()
    expect(Dialer.startAio).type.not.toBeCallableWith(aio, dialer)
  })
})

describe("an aio", () => {
  it("gives a pending result with the operation's types, and all codes that an abort may bring", () => {
    const start = Dialer.start(dialer)
    expect(Aio.start(aio, start)).type.toBe<Effect.Effect<Effect.Effect<void, Errors.NngError>, Errors.EBUSY>>()
    expect(aio.pipe(Aio.start(start))).type.toBe<Effect.Effect<Effect.Effect<void, Errors.NngError>, Errors.EBUSY>>()
    expect<Aio.Pending<number, "mine">>().type.toBe<Effect.Effect<number, "mine" | Errors.NngError>>()
    expect(Aio.start(aio, Dialer.make(socket, "inproc://x"))).type.toBe<
      Effect.Effect<Effect.Effect<Dialer.Dialer, Errors.NngError>, Errors.EBUSY, Scope.Scope>
    >()
  })

  it("is aborted with an NngError alone", () => {
    expect(Aio.abort).type.not.toBeCallableWith(aio, new Error())
    expect(Aio.cancel(aio)).type.toBe<Effect.Effect<void>>()
    expect(Aio.make()).type.toBe<Effect.Effect<Aio.Aio, never, Scope.Scope>>()
  })
})
