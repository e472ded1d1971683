import { describe, expect } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as Errors from "effect-nng/Errors"
import * as TestTransport from "effect-nng/TestTransport"
import { client, connect, exchange, host, listening, server, simulated, timing, url } from "../support/simulation.js"
import type { Provided, Seen } from "../support/simulation.js"

const elsewhere = "elsewhere"
const options = { places: [elsewhere, client] }

const { between, everywhere, toward } = TestTransport

/** What is said of these holds for what the client sends (out), and for what it is sent (back). */
const wheres: ReadonlyArray<readonly [name: string, where: TestTransport.Where, out: boolean, back: boolean]> = [
  ["the node that dials", client, true, true],
  ["the node that listens, in capitals", server.toUpperCase(), true, true],
  ["a host", host, true, true],
  ["a URL", url, true, true],
  ["a URL in capitals", url.toUpperCase(), true, true],
  ["a list", [elsewhere, client], true, true],
  ["a list of both", [server, client], true, true],
  ["everywhere", everywhere, true, true],
  ["between", between(client, server), true, true],
  ["between, the other way round", between([host, elsewhere], [elsewhere, client]), true, true],
  ["toward the server", toward(client, server), true, false],
  ["toward the URL", toward([client, elsewhere], url), true, false],
  ["toward the client", toward(host, client), false, true],
  ["toward the client, in lists", toward([elsewhere, server], [elsewhere, client]), false, true],
  ["another place", elsewhere, false, false],
  ["between others", between(client, elsewhere), false, false],
  ["from another", toward(elsewhere, server), false, false],
  ["from the server to itself", between(server, server), false, false]
]

type Control = (
  where: TestTransport.Where
) => Effect.Effect<void, Errors.EADDRINVAL | Errors.EINVAL, TestTransport.Network>

const fair = (text: string): Seen => ({ text, chunks: [text.length], millis: 0, end: undefined })
const nothing: Seen = { text: "", chunks: [], millis: 0, end: undefined }

const each = <E>(
  title: string,
  check: (
    where: TestTransport.Where,
    out: boolean,
    back: boolean,
    name: string
  ) => Effect.Effect<void, E, Scope.Scope | Provided>
): void => {
  describe(title, () => {
    for (const [name, where, out, back] of wheres) simulated(name, () => check(where, out, back, name), options)
  })
}

interface Bytes {
  readonly control: Control
  /** What one direction is like then. */
  readonly changed: (text: string) => Seen
  /** Whether the connection is of no more use. */
  readonly final?: boolean
}

const bytes: Readonly<Record<string, Bytes>> = {
  latency: {
    control: (where) => TestTransport.latency(where, 100),
    changed: (text) => ({ ...fair(text), millis: 100 })
  },
  bandwidth: {
    control: (where) => TestTransport.bandwidth(where, 10),
    changed: (text) => ({ ...fair(text), millis: 1000 })
  },
  limitBuffer: {
    control: (where) => TestTransport.limitBuffer(where, 4),
    changed: (text) => ({ ...fair(text), chunks: [4, 4, 2] })
  },
  split: {
    control: (where) => TestTransport.split(where, 3),
    changed: (text) => ({ ...fair(text), chunks: [3, 3, 3, 1] })
  },
  corrupt: {
    control: (where) => TestTransport.corrupt(where, 9, { xor: 1 }),
    changed: (text) => fair(text.slice(0, 9) + String.fromCharCode(text.charCodeAt(9) ^ 1))
  },
  truncate: {
    control: (where) => TestTransport.truncate(where, 4),
    changed: (text) => ({ ...fair(text.slice(0, 4)), end: "NNG_ECONNSHUT" }),
    final: true
  }
}

const [out, back] = ["0123456789", "abcdefghij"]

for (const [name, { changed, control, final = false }] of Object.entries(bytes)) {
  const expected = (way: { readonly out: boolean; readonly back: boolean }) => ({
    out: way.out ? changed(out) : fair(out),
    back: way.back ? changed(back) : fair(back)
  })
  const fairly = { out: fair(out), back: fair(back) }

  each(`${name} of connections that are there, and heal`, (where, out, back) =>
    Effect.gen(function* () {
      const listener = yield* listening()
      const ends = yield* connect(listener)
      expect(yield* exchange(ends)).toEqual(fairly)
      yield* control(where)
      expect(yield* exchange(ends)).toEqual(expected({ out, back }))
      yield* TestTransport.heal(where)
      expect(yield* exchange(final ? yield* connect(listener) : ends)).toEqual(fairly)
    })
  )

  each(`${name} of connections that come, and heal`, (where, out, back) =>
    Effect.gen(function* () {
      const listener = yield* listening()
      yield* control(where)
      const ends = yield* connect(listener)
      expect(yield* exchange(ends)).toEqual(expected({ out, back }))
      yield* TestTransport.heal()
      expect(yield* exchange(final ? yield* connect(listener) : ends)).toEqual(fairly)
      expect(yield* exchange(yield* connect(listener))).toEqual(fairly)
    })
  )
}

each("closeHalf", (where, out, back) =>
  Effect.gen(function* () {
    const listener = yield* listening()
    const ends = yield* connect(listener)
    yield* TestTransport.closeHalf(where)
    const over: Seen = { ...nothing, end: "NNG_ECONNSHUT" }
    expect(yield* exchange(ends)).toEqual({
      out: out ? over : fair("0123456789"),
      back: back ? over : fair("abcdefghij")
    })
    // it is not for those to come
    expect(yield* exchange(yield* connect(listener))).toEqual({ out: fair("0123456789"), back: fair("abcdefghij") })
  })
)

each("reset", (where, out, back) =>
  Effect.gen(function* () {
    const listener = yield* listening()
    const ends = yield* connect(listener)
    yield* TestTransport.reset(where)
    // whichever way it is said of
    const over: Seen = { ...nothing, end: "NNG_ECONNRESET" }
    expect(yield* exchange(ends)).toEqual(
      out || back ? { out: over, back: over } : { out: fair("0123456789"), back: fair("abcdefghij") }
    )
    expect(yield* exchange(yield* connect(listener))).toEqual({ out: fair("0123456789"), back: fair("abcdefghij") })
  })
)

each("blackHole of connections that are there, and heal", (where, out, back) =>
  Effect.gen(function* () {
    const ends = yield* connect(yield* listening())
    yield* TestTransport.blackHole(where)
    expect(yield* exchange(ends, { out: "lost", back: "gone" })).toEqual({
      out: out ? nothing : fair("lost"),
      back: back ? nothing : fair("gone")
    })
    yield* TestTransport.heal(where)
    expect(yield* exchange(ends, { out: "?", back: "!" })).toMatchObject({
      out: { text: out ? "lost?" : "?", millis: 0 },
      back: { text: back ? "gone!" : "!", millis: 0 }
    })
  })
)

each("blackHole of dials, and heal", (where, out, back) =>
  Effect.gen(function* () {
    const listener = yield* listening()
    yield* TestTransport.blackHole(where)
    const [result, took] = yield* timing(Effect.either(TestTransport.dial(url, { node: client })))
    expect([result._tag, took]).toEqual(out || back ? ["Left", 127_000] : ["Right", 0])
    if (result._tag === "Left") expect(result.left._tag).toBe("NNG_ETIMEDOUT")
    // a dial that still waits gets through
    const dialing = yield* Effect.fork(timing(TestTransport.dial(url, { node: client })))
    yield* Effect.sleep("2 minutes")
    yield* TestTransport.heal(where)
    expect((yield* Fiber.join(dialing))[1]).toBe(out || back ? 120_000 : 0)
    yield* listener.accept
  })
)

each("refuse, and heal", (where, out) =>
  Effect.gen(function* () {
    const listener = yield* listening()
    const ends = yield* connect(listener)
    yield* TestTransport.refuse(where)
    // connections stay
    expect(yield* exchange(ends)).toEqual({ out: fair("0123456789"), back: fair("abcdefghij") })
    const result = yield* Effect.either(TestTransport.dial(url, { node: client }))
    if (out) expect(result).toMatchObject({ _tag: "Left", left: { _tag: "NNG_ECONNREFUSED", address: url } })
    else expect(result._tag).toBe("Right")
    yield* TestTransport.heal(where)
    yield* TestTransport.dial(url, { node: client })
  })
)

for (const undo of ["release", "heal"] as const) {
  each(`hold, and ${undo}`, (where, out) =>
    Effect.gen(function* () {
      const listener = yield* listening()
      yield* TestTransport.hold(where)
      const dialing = yield* TestTransport.dial(url, { node: client })
      const accepting = yield* Effect.fork(listener.accept)
      yield* Effect.sleep("1 hour")
      expect(accepting.unsafePoll() === null).toBe(out)
      yield* TestTransport[undo](where)
      const accepted = yield* Fiber.join(accepting)
      expect(yield* exchange({ dialing, accepted })).toEqual({ out: fair("0123456789"), back: fair("abcdefghij") })
      yield* connect(listener)
    })
  )
}

each("failNextDial", (where, out) =>
  Effect.gen(function* () {
    const listener = yield* listening()
    yield* TestTransport.failNextDial(where, new Errors.EPERM())
    const result = yield* Effect.either(TestTransport.dial(url, { node: client }))
    if (out) expect(result).toMatchObject({ _tag: "Left", left: { _tag: "NNG_EPERM" } })
    else expect(result._tag).toBe("Right")
    if (out) yield* connect(listener)
  })
)

each("failNextAccept", (where, out) =>
  Effect.gen(function* () {
    const listener = yield* listening()
    yield* TestTransport.failNextAccept(where, new Errors.ENOMEM())
    yield* TestTransport.dial(url, { node: client })
    const result = yield* Effect.either(listener.accept)
    if (out) expect(result).toMatchObject({ _tag: "Left", left: { _tag: "NNG_ENOMEM" } })
    else expect(result._tag).toBe("Right")
    if (out) yield* listener.accept
  })
)

describe("failNextListen", () => {
  const places: ReadonlyArray<readonly [TestTransport.Where, boolean]> = [
    [server, true],
    [host, true],
    [url, true],
    [[elsewhere, server], true],
    [everywhere, true],
    [client, false],
    [elsewhere, false]
  ]
  for (const [where, fails] of places) {
    simulated(
      `at ${JSON.stringify(where)}`,
      () =>
        Effect.gen(function* () {
          yield* TestTransport.failNextListen(where, new Errors.EPERM())
          const result = yield* Effect.either(listening())
          expect(result._tag).toBe(fails ? "Left" : "Right")
          if (fails) yield* listening()
        }),
      { places: [elsewhere, client, server, host, url] }
    )
  }
})

describe("partition", () => {
  simulated("keeps two groups apart, and each of them together", () =>
    Effect.gen(function* () {
      const nodes = ["a", "b", "c", "d"]
      const listeners = yield* Effect.forEach(nodes, (node) => TestTransport.listen(`tcp://${node}:1`, { node }))
      yield* TestTransport.partition(["a", "b"], ["c", "d"])
      for (const [i, from] of nodes.entries()) {
        for (const [j, to] of nodes.entries()) {
          const reached = yield* Effect.isSuccess(
            Effect.timeout(TestTransport.dial(listeners[j]!.url, { node: from }), 10)
          )
          expect([from, to, reached]).toEqual([from, to, i < 2 === j < 2])
        }
      }
    })
  )

  for (const reset of [true, false]) {
    simulated(
      `${reset ? "cuts" : "does not cut"} the connections between them${reset ? " when it is told to" : ""}`,
      () =>
        Effect.gen(function* () {
          const listener = yield* listening()
          const [theirs, others] = [yield* connect(listener), yield* connect(listener, "third")]
          yield* TestTransport.partition(client, server, { reset })
          const cut: Seen = { ...nothing, end: reset ? "NNG_ECONNRESET" : undefined }
          expect(yield* exchange(theirs)).toEqual({ out: cut, back: cut })
          expect(yield* exchange(others)).toEqual({ out: fair(out), back: fair(back) })
          yield* TestTransport.heal(between(client, server))
          if (!reset) expect((yield* exchange(theirs, { out: "", back: "" })).out.text).toBe(out)
          yield* connect(listener)
        })
    )
  }
})

describe("heal", () => {
  simulated("of one way leaves what was said of the others", () =>
    Effect.gen(function* () {
      const listener = yield* listening()
      const [first, second] = [yield* connect(listener), yield* connect(listener, "third")]
      yield* TestTransport.latency(everywhere, 10)
      yield* TestTransport.heal(client)
      yield* TestTransport.bandwidth(toward(client, server), 1000)
      const check = (first: Parameters<typeof exchange>[0], second: Parameters<typeof exchange>[0]) =>
        Effect.gen(function* () {
          const [one, two] = [yield* exchange(first), yield* exchange(second)]
          expect([one.out, one.back, two.out, two.back].map(({ millis }) => millis)).toEqual([10, 0, 10, 10])
        })
      yield* check(first, second)
      yield* check(yield* connect(listener), yield* connect(listener, "third"))
    })
  )

  simulated("is for what was said before it", () =>
    Effect.gen(function* () {
      const listener = yield* listening()
      yield* TestTransport.latency(everywhere, 10)
      yield* TestTransport.heal()
      yield* TestTransport.latency(server, 20)
      expect((yield* exchange(yield* connect(listener))).out.millis).toBe(20)
    })
  )
})

describe("a place that nobody knows", () => {
  const controls: Readonly<Record<string, Control>> = {
    refuse: TestTransport.refuse,
    reset: TestTransport.reset,
    blackHole: TestTransport.blackHole,
    partition: (where) => TestTransport.partition(where as TestTransport.Places, server),
    heal: TestTransport.heal,
    latency: (where) => TestTransport.latency(where, 1),
    bandwidth: (where) => TestTransport.bandwidth(where, 1),
    limitBuffer: (where) => TestTransport.limitBuffer(where, 1),
    split: (where) => TestTransport.split(where, 1),
    truncate: (where) => TestTransport.truncate(where, 1),
    corrupt: (where) => TestTransport.corrupt(where, 1),
    closeHalf: TestTransport.closeHalf,
    hold: TestTransport.hold,
    release: (where) => TestTransport.release(where),
    failNextDial: (where) => TestTransport.failNextDial(where, new Errors.ECONNREFUSED()),
    failNextAccept: (where) => TestTransport.failNextAccept(where, new Errors.ENOMEM()),
    failNextListen: (where) => TestTransport.failNextListen(where, new Errors.EADDRINUSE()),
    crash: (where) => TestTransport.crash(where as string),
    restart: (where) => TestTransport.restart(where as string)
  }
  for (const [name, control] of Object.entries(controls)) {
    simulated(
      `is NNG_EADDRINVAL for ${name}, which names those that are known`,
      () =>
        Effect.gen(function* () {
          yield* connect(yield* listening())
          const before = yield* TestTransport.history
          const error = yield* Effect.flip(control("10.0.0.2"))
          expect(error).toMatchObject({
            _tag: "NNG_EADDRINVAL",
            address: "10.0.0.2",
            operation: `TestTransport.${name}`
          })
          for (const known of ["local", client, server, host, url, "named"]) expect(error.reason).toContain(known)
          expect(yield* TestTransport.history).toEqual(before)
        }),
      { places: ["named"] }
    )
  }

  simulated("is found in lists, between and toward", () =>
    Effect.gen(function* () {
      yield* connect(yield* listening())
      for (const where of [
        [client, "x"],
        between(client, ["x"]),
        between("x", client),
        toward(client, "x"),
        toward(["x"], client)
      ]) {
        expect(yield* Effect.flip(TestTransport.refuse(where))).toMatchObject({ _tag: "NNG_EADDRINVAL", address: "x" })
      }
    })
  )

  simulated("becomes known by being dialed, even in vain", () =>
    Effect.gen(function* () {
      yield* Effect.flip(TestTransport.dial("tcp://10.0.0.9:1"))
      yield* TestTransport.refuse("10.0.0.9")
      yield* TestTransport.refuse("tcp://10.0.0.9:1")
    })
  )
})

describe("invalid numbers are NNG_EINVAL", () => {
  const negative = [-1, -0.5, "-1 seconds", Infinity, NaN] as ReadonlyArray<number>
  const uncounted = [-1, 0.5, NaN, Infinity, 2 ** 53]
  const wrong: Readonly<Record<string, readonly [ReadonlyArray<number>, (n: number) => ReturnType<Control>]>> = {
    latency: [negative, (n) => TestTransport.latency(everywhere, n)],
    "latency's jitter": [negative, (jitter) => TestTransport.latency(everywhere, 1, { jitter })],
    bandwidth: [[0, -1, NaN], (n) => TestTransport.bandwidth(everywhere, n)],
    limitBuffer: [uncounted, (n) => TestTransport.limitBuffer(everywhere, n)],
    split: [[0, ...uncounted], (n) => TestTransport.split(everywhere, n)],
    truncate: [uncounted, (n) => TestTransport.truncate(everywhere, n)],
    corrupt: [uncounted, (n) => TestTransport.corrupt(everywhere, n)],
    "corrupt's xor": [[0, 256, -1, 1.5, NaN], (xor) => TestTransport.corrupt(everywhere, 0, { xor })]
  }
  for (const [name, [numbers, control]] of Object.entries(wrong)) {
    simulated(`for ${name}`, () =>
      Effect.gen(function* () {
        for (const n of numbers) {
          expect([n, (yield* Effect.flip(control(n)))._tag]).toEqual([n, "NNG_EINVAL"])
        }
        expect(yield* TestTransport.history).toEqual([])
      })
    )
  }
})
