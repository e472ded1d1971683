import type * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { describe, expect, it } from "tstyche"
import type { Entropy } from "../../src/Entropy.js"
import * as Errors from "../../src/Errors.js"
import * as Pair0 from "../../src/Pair0.js"
import * as TestTransport from "../../src/TestTransport.js"
import type { AcceptError, DialError, ListenError, Transports } from "../../src/Transport.js"
import type { Turn } from "../../src/Turn.js"

type Control<E> = Effect.Effect<void, E, TestTransport.Network>

declare const program: Effect.Effect<void, "failed", Transports | Scope.Scope | "more">

describe("layers", () => {
  it("give a network, its transports, and what makes them the same each time", () => {
    type Provided = Layer.Layer<TestTransport.Network | Transports | Turn | Entropy>
    expect(TestTransport.layer()).type.toBe<Provided>()
    expect(
      TestTransport.layerSimulated({ seed: 1, places: ["a"], node: "b", historySize: 3, printOnFailure: false })
    ).type.toBe<Provided>()
    expect(TestTransport.layer).type.not.toBeCallableWith({ sead: 1 })
    expect(TestTransport.layerNode("a")).type.toBe<Layer.Layer<Transports, never, TestTransport.Network>>()
  })
})

describe("nodes", () => {
  it("take the need for transports away", () => {
    expect(TestTransport.on("a")(Pair0.make())).type.toBe<
      Effect.Effect<Pair0.Pair0, Errors.EINVAL, Scope.Scope | TestTransport.Network>
    >()
  })

  it("run programs, each in a scope of its own", () => {
    expect(TestTransport.run("a", program)).type.toBe<
      Effect.Effect<Fiber.RuntimeFiber<void, "failed">, never, "more" | TestTransport.Network | Scope.Scope>
    >()
  })
})

describe("controls", () => {
  it("fail for a place that nobody knows", () => {
    for (const control of [
      TestTransport.refuse,
      TestTransport.reset,
      TestTransport.blackHole,
      TestTransport.closeHalf,
      TestTransport.hold
    ]) {
      expect(control("a")).type.toBe<Control<Errors.EADDRINVAL>>()
    }
    expect(TestTransport.heal()).type.toBe<Control<Errors.EADDRINVAL>>()
    expect(TestTransport.crash("a", { silent: true })).type.toBe<Control<Errors.EADDRINVAL>>()
  })

  it("that have numbers fail for one that is invalid, too", () => {
    type Numbered = Control<Errors.EADDRINVAL | Errors.EINVAL>
    expect(TestTransport.latency("a", "1 second", { jitter: 5 })).type.toBe<Numbered>()
    expect(TestTransport.bandwidth("a", 1)).type.toBe<Numbered>()
    expect(TestTransport.limitBuffer("a", 1)).type.toBe<Numbered>()
    expect(TestTransport.split("a", "random")).type.toBe<Numbered>()
    expect(TestTransport.truncate("a", 1)).type.toBe<Numbered>()
    expect(TestTransport.corrupt("a", 1, { xor: 2 })).type.toBe<Numbered>()
    expect(TestTransport.split).type.not.toBeCallableWith("a", "evenly")
  })

  it("act on one place, several, or ways between them", () => {
    expect(TestTransport.reset).type.toBeCallableWith(["a", "b"])
    expect(TestTransport.reset).type.toBeCallableWith(TestTransport.between("a", ["b"]))
    expect(TestTransport.reset).type.toBeCallableWith(TestTransport.toward(["a"], "b"))
    expect(TestTransport.reset).type.toBeCallableWith(TestTransport.everywhere)
    expect(TestTransport.reset).type.not.toBeCallableWith(1)
    expect(TestTransport.partition).type.not.toBeCallableWith(TestTransport.everywhere, "a")
  })
})

describe("the next failure", () => {
  it("of a dial is any that a dial has, and no other", () => {
    expect<Parameters<typeof TestTransport.failNextDial>[1]>().type.toBe<DialError>()
    expect(TestTransport.failNextDial).type.toBeCallableWith("a", new Errors.ECONNREFUSED())
    expect(TestTransport.failNextDial).type.not.toBeCallableWith("a", new Errors.EADDRINUSE())
    expect(TestTransport.failNextDial).type.not.toBeCallableWith("a", new Errors.EMSGSIZE())
    expect(TestTransport.failNextDial).type.not.toBeCallableWith("a", new Error())
  })

  it("of an accept is any that an accept has, and no other", () => {
    expect<Parameters<typeof TestTransport.failNextAccept>[1]>().type.toBe<AcceptError>()
    expect(TestTransport.failNextAccept).type.toBeCallableWith("a", new Errors.ECONNABORTED())
    expect(TestTransport.failNextAccept).type.not.toBeCallableWith("a", new Errors.ECONNREFUSED())
  })

  it("of a listen is any that a listen has, and no other", () => {
    expect<Parameters<typeof TestTransport.failNextListen>[1]>().type.toBe<ListenError>()
    expect(TestTransport.failNextListen).type.toBeCallableWith("a", new Errors.EADDRINUSE())
    expect(TestTransport.failNextListen).type.not.toBeCallableWith("a", new Errors.ECONNREFUSED())
  })
})

describe("by hand", () => {
  it("a dial and a listen may be given what is no URL", () => {
    expect(TestTransport.dial("tcp://a:1", { node: "b" })).type.toBe<
      Effect.Effect<TestTransport.Peer, DialError | Errors.EINVAL, TestTransport.Network | Scope.Scope>
    >()
    expect(TestTransport.listen("tcp://a:1")).type.toBe<
      Effect.Effect<TestTransport.HandListener, ListenError | Errors.EINVAL, TestTransport.Network | Scope.Scope>
    >()
  })
})

describe("the history", () => {
  it("is data, told apart by its tags", () => {
    expect<TestTransport.Event["_tag"]>().type.toBe<
      | "Listening"
      | "ListenFailed"
      | "NotListening"
      | "Dialing"
      | "DialFailed"
      | "Accepted"
      | "AcceptFailed"
      | "Sent"
      | "Arrived"
      | "Closed"
      | "Ended"
      | "ProgramFailed"
      | "Control"
    >()
    expect(TestTransport.history).type.toBe<
      Effect.Effect<ReadonlyArray<TestTransport.Event>, never, TestTransport.Network>
    >()
  })
})
