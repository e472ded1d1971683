import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Push0 from "effect-nng/Push0"
import * as Socket from "effect-nng/Socket"
import { randomBytes } from "node:crypto"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Format } from "../../src/internal/cli/format.js"
import { format, formats } from "../../src/internal/cli/format.js"
import { wallet } from "../support/certificates.js"
import type { Command } from "../support/commands.js"
import * as Commands from "../support/commands.js"
import { freePort, missing } from "../support/nngcat.js"
import { suite } from "../support/programs.js"

const printed = (as: Format, body: Uint8Array): string =>
  Buffer.concat([...format(as, body)].map((piece) => Buffer.from(piece))).toString("latin1")

const content = Buffer.from('he said "hi"\\\n\r\t\0\x7f\x80\xff, and left', "latin1")

/** One end: its protocol, how it is told to send, and whether it shows what comes. */
interface End {
  readonly protocol: string
  readonly sends?: ReadonlyArray<string>
  readonly shows?: true
}

// what does not wait for a peer says it again and again
const again = ["-i", "1"]

const ends: ReadonlyArray<readonly [End, End]> = [
  [
    { protocol: "push0", sends: [] },
    { protocol: "pull0", shows: true }
  ],
  [
    { protocol: "pub0", sends: again },
    { protocol: "sub0", shows: true }
  ],
  [
    { protocol: "req0", sends: [], shows: true },
    { protocol: "rep0", sends: [], shows: true }
  ],
  [
    { protocol: "surveyor0", sends: again, shows: true },
    { protocol: "respondent0", sends: [], shows: true }
  ],
  [
    { protocol: "pair0", sends: [], shows: true },
    { protocol: "pair0", sends: [], shows: true }
  ],
  [
    { protocol: "pair1", sends: [], shows: true },
    { protocol: "pair1", sends: [], shows: true }
  ],
  [
    { protocol: "bus0", sends: again, shows: true },
    { protocol: "bus0", sends: again, shows: true }
  ]
]

interface Side {
  readonly command: Command
  readonly end: End
  readonly address: ReadonlyArray<string>
}

const shown: ReadonlyArray<Format> = formats.filter((format) => format !== "no")

/** Both run until each that shows something has shown the message; gives what they have printed, as far as expected. */
const exchange = (sides: readonly [Side, Side], path: string, as: Format, body: Uint8Array) =>
  Effect.gen(function* () {
    const expected = printed(as, body)
    const running = yield* Effect.forEach(sides, ({ address, command, end: { protocol, sends, shows } }) =>
      Effect.map(
        Commands.start(command, [
          `--${protocol}`,
          ...address,
          ...(sends === undefined ? [] : ["--file", path, ...sends]),
          ...(shows === undefined ? [] : ["--format", as, "--recv-maxsz", "0"])
        ]),
        (running) => ({ running, shows })
      )
    )
    return yield* Effect.forEach(
      running,
      ({ running, shows }) =>
        shows === undefined
          ? Effect.succeed(true)
          : Effect.map(
              running.until((out) => out.length >= expected.length),
              (out) => out.toString("latin1", 0, expected.length) === expected
            ),
      { concurrency: 2 }
    )
  }).pipe(Effect.scoped)

/** A fresh address of that transport. */
const addresses: Readonly<Record<string, Effect.Effect<string, never, Scope.Scope>>> = {
  tcp: Effect.map(freePort, (port) => `tcp://127.0.0.1:${port}`),
  ipc: Effect.map(Commands.directory, (path) => `ipc://${path}/s`),
  ws: Effect.map(freePort, (port) => `ws://127.0.0.1:${port}/here`)
}

const test = (name: string, effect: (ours: Command) => Effect.Effect<void, unknown, Scope.Scope>) =>
  it.live(name, () => Effect.scoped(Effect.flatMap(Commands.ours, effect)), 120_000)

const file = (bytes: Uint8Array | string) =>
  Effect.map(Commands.directory, (path) => {
    writeFileSync(join(path, "content"), bytes)
    return join(path, "content")
  })

/** Everything that two ends, two tools and two ways to meet can be. */
const pairings = (ours: Command) =>
  ends.flatMap(([one, other]) =>
    (one.protocol === other.protocol
      ? [[one, other] as const]
      : [[one, other] as const, [other, one] as const]
    ).flatMap(([mine, theirs]) =>
      [true, false].map((weDial) => ({
        name: `${mine.protocol} here, ${theirs.protocol} there, ${weDial ? "dialing" : "dialed"}`,
        sides: (url: string): readonly [Side, Side] => {
          const dial = ["--async", "--dial", url]
          const listen = ["--listen", url]
          return [
            { command: ours, end: mine, address: weDial ? dial : listen },
            { command: Commands.debian, end: theirs, address: weDial ? listen : dial }
          ]
        }
      }))
    )
  )

suite("this nngcat and Debian's understand each other:", missing, () => {
  for (const [transport, address] of Object.entries(addresses)) {
    test(`every protocol, whoever dials, over ${transport}`, (ours) =>
      Effect.gen(function* () {
        const path = yield* file(content)
        const all = pairings(ours)
        expect(all).toHaveLength(22)
        const results = yield* Effect.forEach(
          all,
          ({ name, sides }, i) =>
            Effect.gen(function* () {
              return [name, yield* exchange(sides(yield* address), path, shown[i % shown.length]!, content)] as const
            }).pipe(Commands.elsewhere),
          { concurrency: 4 }
        )
        expect(results.filter(([, both]) => both.includes(false))).toEqual([])
      }))

    test(`a megabyte of anything, either way, over ${transport}`, (ours) =>
      Effect.gen(function* () {
        const body = randomBytes(1024 * 1024)
        const path = yield* file(body)
        const push = { protocol: "push0", sends: ["-i", "9"] }
        const pull = { protocol: "pull0", shows: true as const }
        for (const [sender, receiver] of [
          [ours, Commands.debian],
          [Commands.debian, ours]
        ] as const) {
          const exchanged = Effect.flatMap(address, (url) => {
            const sides = [
              { command: sender, end: push, address: ["--async", "--dial", url] },
              { command: receiver, end: pull, address: ["--listen", url] }
            ] as const
            return exchange(sides, path, "raw", body)
          })
          expect(yield* Commands.elsewhere(exchanged)).toEqual([true, true])
        }
      }))
  }

  test("each shows the other its certificate, and who is not trusted is not spoken to", (ours) =>
    Effect.gen(function* () {
      const { ca, server, stranger } = yield* wallet
      const trust = ["--cacert", yield* file(ca.pem)]
      const show = ["--cert", yield* file(server.cert), "--key", yield* file(Redacted.value(server.key))]
      const together = ["-E", yield* file(`${server.cert}\n${Redacted.value(server.key)}`)]
      for (const [listener, dialer, own, asks] of [
        [ours, Commands.debian, show, trust],
        [ours, Commands.debian, together, ["-k"]],
        [Commands.debian, ours, show, trust],
        [Commands.debian, ours, together, ["--insecure"]]
      ] as const) {
        const url = `tls+tcp://localhost:${yield* freePort}`
        const pull = yield* Commands.start(listener, ["--pull0", "--listen", url, "--raw", "-C", "1", ...own])
        const push = ["--push0", "--dial", url, "-D", "in secret", ...asks]
        expect(yield* Commands.dialed(dialer, push)).toMatchObject({ code: 0, err: "" })
        expect(yield* pull.ended).toMatchObject({ code: 0, out: "in secret" })
      }
      const url = `tls+tcp://localhost:${yield* freePort}`
      const pull = yield* Commands.start(ours, ["--pull0", "--listen", url, "-v", ...show])
      yield* pull.until((out) => out.includes("\n"))
      const refused = yield* Commands.run(ours, [
        "--push",
        "--dial",
        url,
        "-D",
        "x",
        "--cacert",
        yield* file(stranger.pem)
      ])
      expect(refused).toMatchObject({ code: 1, out: "" })
      expect(refused.err).toMatch(
        /^Unable to dial on tls\+tcp:\/\/localhost:\d+: Peer could not be auth[^\n]*--cacert[^\n]*\n$/
      )
    }))

  test("one that we listen for is killed, and the next one gets in", (ours) =>
    Effect.gen(function* () {
      const url = yield* addresses["ipc"]!
      const pull = yield* Commands.start(ours, ["--pull", "--listen", url, "-Q"])
      for (const [i, text] of ["first", "second"].entries()) {
        const push = yield* Commands.start(Commands.debian, [
          "--push0",
          "--async",
          "--dial",
          url,
          "-D",
          text,
          "-i",
          "99"
        ])
        const out = yield* pull.until((out) => out.toString().split("\n").length > i + 1)
        expect(out.toString()).toBe(['"first"\n', '"second"\n'].slice(0, i + 1).join(""))
        push.child.kill("SIGKILL")
        yield* push.ended
      }
    }))

  test("one that we dialed is killed, and found again", (ours) =>
    Effect.gen(function* () {
      const url = yield* addresses["ipc"]!
      yield* Commands.start(ours, ["--push", "--async", "--dial", url, "-D", "still here", "-i", "100ms"])
      for (const _ of ["once", "and again"]) {
        const ended = yield* Commands.run(Commands.debian, ["--pull0", "--listen", url, "-Q", "-C", "2"])
        expect(ended).toMatchObject({ code: 0, out: '"still here"\n"still here"\n' })
      }
    }))
})

test("a thousand messages come in order, and none is missing", (ours) =>
  Effect.gen(function* () {
    const socket = yield* Push0.make()
    const { url } = yield* Socket.listen(socket, "tcp://127.0.0.1:0")
    const messages = Array.from({ length: 1000 }, (_, i) => `message ${i}`)
    const cat = yield* Commands.start(ours, ["--pull", "--dial", url, "--quoted", "--count", "1000"])
    yield* Socket.sendAll(socket, messages)
    expect(yield* cat.ended).toMatchObject({ code: 0, out: messages.map((text) => `"${text}"\n`).join("") })
  }).pipe(Effect.provide(NodeTransport.layer)))

test("a thousand messages go, and none is missing", (ours) =>
  Effect.gen(function* () {
    const url = yield* addresses["ipc"]!
    const pull = yield* Commands.start(ours, ["--pull", "--listen", url, "-Q", "-C", "1000"])
    expect(yield* Commands.dialed(ours, ["--push", "--dial", url, "-D", "x", "-C", "1000"])).toMatchObject({ code: 0 })
    expect(yield* pull.ended).toMatchObject({ code: 0, out: '"x"\n'.repeat(1000) })
  }))
