import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import type { Command } from "../../src/internal/cli/command.js"
import { fromOptions } from "../../src/internal/cli/command.js"
import { libnng } from "../../src/internal/cli/options.js"
import { scan } from "../../src/internal/cli/scan.js"

const meant = (line: string) => Either.flatMap(scan(libnng, line.split(" ")), fromOptions)

const command = (line: string): Command => {
  const request = Either.getOrThrow(meant(line))
  if (request._tag !== "Run") throw new Error(`${line} asks for ${request._tag}`)
  return request.command
}

const refusal = (line: string): string => Either.match(meant(line), { onLeft: (e) => e.message, onRight: () => "" })

const to = "--dial tcp://a:1"

describe("what is asked for", () => {
  it("is this without options", () => {
    expect(command(`--pull ${to}`)).toEqual({
      protocol: "pull0",
      endpoints: [{ role: "dial", url: "tcp://a:1" }],
      topics: [],
      format: "no",
      source: undefined,
      count: 0,
      interval: undefined,
      delay: 0,
      recvTimeout: undefined,
      sendTimeout: undefined,
      recvMaxSize: undefined,
      background: false,
      verbose: false,
      tls: { insecure: false, cacert: undefined, cert: undefined, key: undefined },
      json: false,
      raw: false,
      header: undefined
    })
  })

  it("has its endpoints in their order", () => {
    expect(command("--rep -L 5555 -x /tmp/a -X b --bind ws://*:1 -l 65536").endpoints).toEqual([
      { role: "listen", url: "tcp://127.0.0.1:5555" },
      { role: "dial", url: "ipc:////tmp/a" },
      { role: "listen", url: "ipc:///b" },
      { role: "listen", url: "ws://*:1" },
      { role: "dial", url: "tcp://127.0.0.1:65536" }
    ])
  })

  it("has times in milliseconds, and zero for a time-out is none", () => {
    expect(command(`--pair0 ${to} -D x -i 2 -d 3 --recv-timeout 4 --send-timeout 0`)).toMatchObject({
      interval: 2000,
      delay: 3000,
      recvTimeout: 4000,
      sendTimeout: undefined
    })
    expect(command(`--pair0 ${to} -D x -i 0`).interval).toBe(0)
  })

  it("has times with units", () => {
    expect(command(`--pair0 ${to} -D x -i 250ms -d 1.5s --recv-timeout 2m --send-timeout 1h`)).toMatchObject({
      interval: 250,
      delay: 1500,
      recvTimeout: 120_000,
      sendTimeout: 3_600_000
    })
    expect(refusal(`--sub ${to} -d 25h`)).toMatch(/^Time argument too large/)
    expect(refusal(`--sub ${to} -C 5s`)).toMatch(/^Integer argument expected/)
  })

  it("takes zero for a size as the largest", () => {
    expect(command(`--pull ${to} -Z 0`).recvMaxSize).toBe(0x7fffffff)
    expect(command(`--pull ${to} -Z 5`).recvMaxSize).toBe(5)
  })

  it("of pair alone is pair1, and pair0 where nanocat is to be understood", () => {
    expect(command(`--pair ${to}`)).toMatchObject({ protocol: "pair1", background: false })
    expect(command(`--pair ${to} --compat`)).toMatchObject({ protocol: "pair0", background: true })
  })

  it("of a sub without topics is everything", () => {
    expect(command(`--sub ${to}`).topics).toEqual([""])
    expect(command(`--sub ${to} --subscribe a --subscribe b`).topics).toEqual(["a", "b"])
  })

  it("has the key in the certificate's file unless it has one of its own", () => {
    expect(command(`--sub ${to} --cert c -k --cacert ca`).tls).toEqual({
      insecure: true,
      cacert: "ca",
      cert: "c",
      key: "c"
    })
    expect(command(`--sub ${to} --cert c --key k`).tls).toMatchObject({ cert: "c", key: "k" })
  })

  it("is silent if it says so last", () => {
    expect(command(`--sub ${to} -v`).verbose).toBe(true)
    expect(command(`--sub ${to} -v -q`).verbose).toBe(false)
    expect(command(`--sub ${to} -q -v`).verbose).toBe(true)
  })

  it("is help or the version where that is met first, and not behind a mistake", () => {
    expect(meant("--pull --pull")).toEqual(expect.objectContaining({ _tag: "Left" }))
    expect(Either.getOrThrow(meant("-h"))).toEqual({ _tag: "Help" })
    expect(Either.getOrThrow(meant("--req --version --rep"))).toEqual({ _tag: "Version" })
    expect(refusal("--req --rep --help")).toMatch(/only once/)
  })
})

describe("what does not go together is refused", () => {
  const cases: ReadonlyArray<readonly [line: string, reason: RegExp]> = [
    ["--req --rep", /^A protocol may be specified only once/],
    ["--req --req", /^A protocol may be specified only once/],
    ["--pair --pair0", /^A protocol may be specified only once/],
    ["--pull", /^No address/],
    ["-D x", /^No address/],
    [to, /^No protocol/],
    [`${to} -D x`, /^No protocol/],
    [`--pull ${to} -A -Q`, /^Format may be specified only once/],
    [`--pull ${to} --format=no --raw`, /^Format may be specified only once/],
    [`--pull ${to} --format=json`, /^Invalid format "json"/],
    [`--push ${to} -D a -F b`, /^Data .* only once/],
    [`--push ${to} -D a -D b`, /^Data .* only once/],
    [`--pull ${to} --cacert a --cacert b`, /^CA certificate .* only once/],
    [`--pull ${to} --cert a -E b`, /^Certificate .* only once/],
    [`--pull ${to} --key a --key b`, /^Key .* only once/],
    [`--pull ${to} --subscribe a`, /does not support --subscribe/],
    [`${to} --subscribe a`, /does not support --subscribe/],
    [`--pull ${to} -D a`, /does not support --file or --data/],
    [`--sub ${to} -F a`, /does not support --file or --data/],
    [`--sub ${to} -i 1`, /does not support --interval/],
    [`--pull ${to} -i 1`, /does not support --interval/],
    [`--rep ${to} -D a -i 1`, /does not support --interval/],
    [`--respondent ${to} -i 0`, /does not support --interval/],
    [`--push ${to} -D a -A`, /does not support --format/],
    [`--pub ${to} -D a --format no`, /does not support --format/],
    [`--push ${to}`, /requires either --file or --data/],
    [`--pub ${to}`, /requires either --file or --data/],
    [`--req ${to}`, /requires either --file or --data/],
    [`--surveyor ${to}`, /requires either --file or --data/],
    [`--pair0 ${to} -i 1`, /--interval requires/],
    [`--bus0 ${to} -i 1`, /--interval requires/],
    [`--pair1 ${to} --compat`, /does not support --compat/],
    [`--sub ${to} --compat -C 1`, /--count and --compat/],
    [`--sub ${to} --compat --async`, /--async and --compat/],
    [`--sub ${to} --count x`, /^Integer argument expected/],
    [`--sub ${to} -d 86401`, /^Integer argument too large/],
    ["--sub -L 65537", /^Integer argument too large/]
  ]

  it.each(cases)("%s", (line, reason) => expect(refusal(line)).toMatch(reason))

  it("but no count is none to be incompatible with", () => {
    expect(command(`--sub ${to} --compat -C 0`).count).toBe(0)
  })
})
