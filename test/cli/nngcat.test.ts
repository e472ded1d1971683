import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FC from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import { oneLine } from "../../src/internal/cli/failure.js"
import { complaining, exitCode } from "../../src/internal/cli/main.js"
import { nngcat } from "../../src/internal/cli/nngcat.js"
import { all, libnng, own } from "../../src/internal/cli/options.js"
import { size } from "../../src/internal/cli/report.js"
import { scan } from "../../src/internal/cli/scan.js"
import { terminal } from "../support/terminal.js"
import { usage } from "../../src/internal/cli/usage.js"
import { completion } from "../../src/internal/cli/completion.js"

/** Runs a line to its end: its exit code, and what was seen. */
const ran = (line: string | ReadonlyArray<string>, options: Parameters<typeof terminal>[0] = {}) => {
  const { layer, seen } = terminal(options)
  const args = typeof line === "string" ? line.split(" ") : line
  return complaining(nngcat(args)).pipe(
    Effect.provide(layer),
    Effect.exit,
    Effect.map((exit) => ({ code: exitCode(exit), defects: defectsOf(exit), ...seen }))
  )
}

const defectsOf = (exit: Exit.Exit<unknown, unknown>): ReadonlyArray<unknown> =>
  Exit.isFailure(exit) ? Array.from(Cause.defects(exit.cause)) : []

const events = (out: string) =>
  out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>)

describe("a command that talks to itself", () => {
  it.live("of bus, and tells all that happens", () =>
    Effect.gen(function* () {
      const line = "--bus --json --listen inproc://a --dial inproc://a -F - --recv-timeout 20ms -d 1ms"
      const { code, err, out } = yield* ran(line)
      expect({ code, err }).toEqual({ code: 0, err: "" })
      const told = events(out)
      expect(told.map(({ event }) => event)).toContain("attached")
      expect(told).toContainEqual({ event: "sent", bytes: 6 })
      expect(told).toContainEqual({ event: "received", pipe: expect.any(Number), text: "typed\n" })
    })
  )

  it.live("tells bytes as text where they are, with a byte order mark too, and else as base64", () =>
    Effect.gen(function* () {
      const line = "--bus --json --listen inproc://a --dial inproc://a -F - --recv-timeout 20ms"
      for (const [input, told] of [
        ["\ufeffé", { text: "\ufeffé" }],
        [Uint8Array.of(0xff, 0), { base64: "/wA=" }],
        ["", { text: "" }]
      ] as const) {
        const { out } = yield* ran(line, { input: typeof input === "string" ? Buffer.from(input) : input })
        const said = events(Buffer.from(out, "latin1").toString())
        expect(said).toContainEqual({ event: "received", pipe: expect.any(Number), ...told })
      }
    })
  )

  it.live("in raw mode shows headers", () =>
    Effect.gen(function* () {
      const line = "--bus --raw-socket --json --listen inproc://a --dial inproc://a -D x --recv-timeout 50ms"
      const headers = function* (out: string) {
        for (const { event, header } of events(out)) if (event === "received") yield header
      }
      const all = yield* ran(`${line} --header 00000001`)
      expect(all.code).toBe(0)
      expect([...headers(all.out)]).toEqual([
        expect.stringMatching(/^[0-9a-f]{8}$/),
        expect.stringMatching(/^[0-9a-f]{8}$/)
      ])
    })
  )

  it.live("tells an error by its tag, on both ways out", () =>
    Effect.gen(function* () {
      const { code, err, out } = yield* ran("--pull --json --dial inproc://nobody")
      expect(code).toBe(1)
      expect(events(out).at(-1)).toMatchObject({ event: "error", tag: "NNG_ECONNREFUSED" })
      expect(err).toMatch(/^Unable to dial on inproc:\/\/nobody: Connection refused.*--async/)
    })
  )

  it.live("ends quietly when nobody reads", () =>
    Effect.map(ran("--bus --listen inproc://a --dial inproc://a -D x -A --recv-timeout 1", { closed: true }), (ended) =>
      expect(ended).toEqual({ code: 141, defects: [], out: "", err: "" })
    )
  )
})

const turn = Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))

/** Waits until somebody sleeps until then. */
const sleeping = (until: number): Effect.Effect<void> =>
  Effect.flatMap(TestClock.sleeps(), (sleeps) =>
    Chunk.contains(sleeps, until) ? Effect.void : Effect.zipRight(turn, sleeping(until))
  )

describe("time", () => {
  const line = "--push --listen inproc://a -D x --send-timeout 3 -d 2"

  it.effect("passes before the first message, and until nobody came", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(ran(line))
      yield* sleeping(2000)
      yield* TestClock.adjust(2000)
      yield* sleeping(5000)
      yield* TestClock.adjust(2999)
      expect(yield* Fiber.poll(fiber)).toMatchObject({ _tag: "None" })
      yield* TestClock.adjust(1)
      const { code, err } = yield* Fiber.join(fiber)
      expect(code).toBe(1)
      expect(err).toMatch(/^Send error: Timed out/)
    })
  )

  it.effect("is told on standard error where the output goes to a file and somebody watches", () =>
    Effect.gen(function* () {
      const { layer, seen } = terminal({ watched: true })
      const fiber = yield* nngcat("--pull --listen inproc://a --recv-timeout 1".split(" ")).pipe(
        Effect.provide(layer),
        Effect.fork
      )
      yield* sleeping(1000)
      yield* TestClock.adjust("1 second")
      expect(yield* Fiber.join(fiber)).toBe(0)
      expect(seen.err).toContain("0 messages, 0 B")
      expect(seen.err.endsWith("\r\u001b[K")).toBe(true)
    })
  )

  it("and sizes are told in words", () => {
    expect([0, 1023, 1024, 1536, 5 * 1024 ** 3].map(size)).toEqual(["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "5.0 GiB"])
  })
})

describe("our own options", () => {
  it("give way to libnng's wherever a beginning could mean one of them", () => {
    for (const { argument, name } of libnng) {
      for (let length = 1; length <= name.length; length++) {
        const args = [`--${name.slice(0, length)}`, ...(argument === undefined ? [] : ["1"])]
        expect(scan(all, args), args[0]).toEqual(scan(libnng, args))
      }
    }
  })

  it("are all in the usage and in every completion, as libnng's are", () => {
    const texts = [usage, completion("zsh"), completion("bash")]
    for (const text of texts) {
      const absent = ["socket-name", "zt-home"]
      const names = [...libnng, ...own].map(({ name }) => name).filter((name) => !absent.includes(name))
      expect(names.filter((name) => !text.includes(`--${name}`))).toEqual([])
    }
    expect(all.filter(({ name }) => !completion("fish").includes(` -l ${name}`))).toEqual([])
  })

  it.effect("are refused where they do not fit", () =>
    Effect.gen(function* () {
      const to = "--dial tcp://a:1"
      const cases: ReadonlyArray<readonly [string, RegExp]> = [
        [`--pull ${to} --json -A`, /--json and --format/],
        [`--push ${to} -D x --header 00`, /requires --raw-socket/],
        [`--pair1 ${to} --raw-socket --header 00`, /--header requires/],
        [`--pair1 ${to} -D x --raw-socket --header 0g`, /hexadecimal/],
        [`--completion csh`, /Invalid shell "csh"/]
      ]
      for (const [line, says] of cases)
        expect(yield* ran(line)).toMatchObject({ code: 1, err: expect.stringMatching(says) })
    })
  )
})

it("a complaint is one line, and does nothing to a terminal", () => {
  expect(oneLine("first\n  second\u001b[2J")).toBe("first second\\x1b[2J")
})

/** Addresses that come to nothing, and words that are none. */
const word = FC.oneof(
  FC.constantFrom(
    ...all.flatMap(({ name, short }) => [`--${name}`, `--${name}=x`, short === undefined ? "-" : `-${short}`])
  ),
  FC.constantFrom(
    "inproc://nobody",
    "foo://",
    "tcp://",
    "://",
    "ipc://",
    "1",
    "0",
    "5ms",
    "no",
    "-",
    "x\ny",
    "/no/such"
  ),
  FC.string()
)

describe("whatever is said", () => {
  it.effect.prop("ends with a code and one line, and is never a bug", [FC.array(word, { maxLength: 8 })], ([words]) =>
    Effect.gen(function* () {
      // nothing of this opens a network: what remains is refused, or times out at once
      const args = words.map((text) => text.replace(/^(tcp|ipc|ws|wss|tls|unix|abstract|socket)/i, "inproc"))
      const fiber = yield* Effect.fork(ran([...args, "--recv-timeout=1ms", "--send-timeout=1ms"]))
      yield* turn
      yield* Effect.forever(Effect.zipRight(TestClock.adjust("1 day"), Effect.yieldNow())).pipe(
        Effect.raceFirst(Fiber.join(fiber)),
        Effect.map((ended) => {
          expect(ended.defects).toEqual([])
          expect(ended.err).toMatch(/^(?:[^\n]*\n)?$/)
          expect(ended.err).not.toMatch(/\n {4}at |This is a bug/)
          expect(ended.code === 1 || ended.err === "").toBe(true)
        })
      )
    })
  )
})
