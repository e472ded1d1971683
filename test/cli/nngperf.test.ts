import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { json, lines } from "../../src/internal/cli/figures.js"
import { nngperfCodes } from "../../src/internal/cli/failure.js"
import { complaining, exitCode } from "../../src/internal/cli/main.js"
import { nngperf } from "../../src/internal/cli/nngperf.js"
import * as Commands from "../support/commands.js"
import { terminal } from "../support/terminal.js"

/** Called by this name with these words. */
const ran = (program: string, line: string) => {
  const { layer, seen } = terminal()
  return complaining(nngperf(program, line.split(" "))).pipe(
    Effect.provide(layer),
    Effect.exit,
    Effect.map((exit) => ({ code: exitCode(exit, nngperfCodes), ...seen }))
  )
}

describe("figures are told as libnng's tools tell them:", () => {
  it("latency", () => {
    const figures = { mode: "latency", seconds: 0.5, size: 64, trips: 1000 } as const
    expect(lines(figures)).toEqual([
      "total time: 0.500 [s]",
      "message size: 64 [B]",
      "round trip count: 1000",
      "average latency: 250.000 [us]"
    ])
    expect(JSON.parse(json(figures))).toEqual({ ...figures, latencyUs: 250 })
  })

  it("throughput", () => {
    const figures = { mode: "throughput", seconds: 2, size: 1024, count: 1001 } as const
    expect(lines(figures)).toEqual([
      "total time: 2.000 [s]",
      "message size: 1024 [B]",
      "message count: 1001",
      "throughput: 501 [msg/s]",
      "throughput: 3.910 [Mb/s]"
    ])
    expect(JSON.parse(json(figures))).toEqual({ ...figures, perSecond: 500.5 })
  })

  it("pubdrop, and in no time at all", () => {
    const counts = { size: 64, count: 100, subscribers: 2, received: 150, errors: 1, dropped: 50, gaps: 3 }
    const figures = { mode: "pubdrop", seconds: 0.5, ...counts } as const
    expect(lines(figures)).toEqual([
      "Sub Sent 100 messages in 0.500 sec (200.00 msgs/sec)",
      "Expected 200 messages total",
      "Received 150 messages total",
      "Effective rate 300.00 msgs/sec",
      "Errors 1 total",
      "Reported 50 dropped messages in 3 gaps",
      "Dropped 50 messages (missing)",
      "Drop rate 25.00%"
    ])
    expect(lines({ ...figures, seconds: 0, subscribers: 0, received: 0 }).at(-1)).toBe("Drop rate 0.00%")
    expect(JSON.parse(json(figures))).toEqual({ ...figures, perSecond: 300 })
  })
})

describe("both ends in one process", () => {
  it.live.each([
    ["inproc_lat", "64 100"],
    ["/usr/bin/inproc_lat", "--pair0 64 100"],
    ["inproc_lat", "--pair1 --url=inproc://mine 0 10"],
    ["inproc_lat", "--reqrep0 64 100"],
    ["inproc_lat", "--bus0 64 100"],
    ["nngperf", "-m inproc_lat 64 100"],
    ["nngperf.js", "inproc_lat 64 100"]
  ] as const)("%s %s", ([program, line]) =>
    Effect.map(ran(program, line), ({ code, err, out }) => {
      expect({ code, err }).toEqual({ code: 0, err: "" })
      expect(out).toMatch(
        /^total time: \d+\.\d{3} \[s\]\nmessage size: \d+ \[B\]\nround trip count: \d+\naverage latency: /
      )
    })
  )

  it.live.each([
    ["inproc_thr", "1400 1000"],
    ["inproc_thr", "--pair0 1400 1000"],
    ["inproc_thr", "--pipeline0 1400 1000"],
    ["INPROC_THR.exe", "--url inproc://mine 0 1000"]
  ] as const)("%s %s", ([program, line]) =>
    Effect.map(ran(program, line), ({ code, err, out }) => {
      expect({ code, err }).toEqual({ code: 0, err: "" })
      expect(out).toMatch(/message count: 1000\nthroughput: \d+ \[msg\/s\]\nthroughput: \d+\.\d{3} \[Mb\/s\]\n$/)
    })
  )

  it.live("pubdrop counts what has come, and what has not, and both are all", () =>
    Effect.map(ran("pubdrop", "--json inproc://drop 64 1000 2 1"), ({ code, err, out }) => {
      expect({ code, err }).toEqual({ code: 0, err: "" })
      const figures = JSON.parse(out) as Record<string, number>
      expect(figures).toMatchObject({ mode: "pubdrop", count: 1000, subscribers: 2, errors: 0 })
      expect(figures["received"]! + figures["dropped"]!).toBe(2000)
    })
  )
})

describe("what is wrong is said in a line, with code 2", () => {
  it.effect.each([
    ["nngperf", "what", /^Unknown mode/],
    ["nngperf", "-m", /^Unknown mode/],
    ["nngperf", "constructor", /^Unknown mode/],
    ["local_lat", "tcp://a:1", /^Usage: local_lat/],
    ["inproc_thr", "1 2 3", /^Usage: inproc_thr/],
    ["inproc_lat", "-1 2", /^Option -1 is invalid/],
    ["inproc_lat", "1 x", /^Integer argument expected/],
    ["inproc_lat", "1 1000000001", /^Integer argument too large/],
    ["inproc_lat", "--pipeline0 1 1", /--pipeline0 does not support inproc_lat/],
    ["inproc_thr", "--reqrep0 1 1", /--reqrep0 does not support inproc_thr/],
    ["pubdrop", "inproc://a 7 1 1 1", /too small/],
    ["remote_lat", "inproc://nobody 1 1", /^Cannot dial inproc:\/\/nobody: Connection refused/]
  ] as const)("%s %s", ([program, line, says]) =>
    Effect.map(ran(program, line), (ended) =>
      expect(ended).toMatchObject({ code: 2, out: "", err: expect.stringMatching(says) })
    )
  )
})

describe("two processes", () => {
  it.live("measure latency and throughput together", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const bin = yield* Commands.bin
        const tool = [process.execPath, `${bin}/nngperf.js`]
        for (const [kind, expected] of [
          ["lat", /average latency/],
          ["thr", /message count: 100\n/]
        ] as const) {
          const url = `ipc://${yield* Commands.directory}/s`
          const local = yield* Commands.start(tool, [`local_${kind}`, url, "64", "100"])
          const again: Effect.Effect<Commands.Ended> = Effect.flatMap(
            Commands.run(tool, ["-m", `remote_${kind}`, url, "64", "100"]),
            (ended) => (ended.err.startsWith("Cannot dial") ? again : Effect.succeed(ended))
          )
          const remote = yield* again
          const ended = yield* local.ended
          expect([remote.code, ended.code]).toEqual([0, 0])
          expect(remote.out + ended.out).toMatch(expected)
        }
      })
    )
  )
})
