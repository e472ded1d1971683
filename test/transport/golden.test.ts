import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Message from "effect-nng/Message"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Pair0 from "effect-nng/Pair0"
import * as Socket from "effect-nng/Socket"
import type { Transports } from "effect-nng/Transport"
import { readFileSync } from "node:fs"
import { leavesNone } from "../support/handles.js"
import type { Peer } from "../support/peers.js"
import * as Peers from "../support/peers.js"
import { bytes, hex, portOf } from "../support/peers.js"

interface Entry {
  readonly name: string
  readonly protocol: string
  readonly transport: string
  readonly role: "dialer" | "listener"
  readonly note?: string
  readonly sends: ReadonlyArray<{
    readonly dir: "peer->us" | "us->peer"
    readonly hex: string
    readonly what: string
    readonly payload?: string
    readonly conn?: number
  }>
}

const fixture = JSON.parse(
  readFileSync(new URL("../fixtures/golden-wire.json", import.meta.url), "utf8")
) as Array<Entry>

/** The sockets that there are. A new protocol comes in here, and leaves the list at the end of this file. */
const sockets = new Map([["pair0", Pair0.make]])

const tcp = fixture.filter(({ transport }) => transport === "tcp")
const entries = tcp.filter(({ protocol }) => sockets.has(protocol))

type Part = "straight" | "mirrored"
type Chunking = "as it came" | "one byte at a time" | "all in one write"

interface Step {
  readonly ours: boolean
  readonly hex: string
  readonly what: string
  readonly payload: string | undefined
  readonly conn: number
}

const otherRole = { dialer: "listener", listener: "dialer" } as const

/** An exchange as we live it: in the part of who recorded it, or in that of libnng, its peer. */
const play = (entry: Entry, part: Part) => ({
  role: part === "straight" ? entry.role : otherRole[entry.role],
  steps: entry.sends.map(({ conn = 1, dir, hex, payload, what }): Step => ({
    ours: (dir === "us->peer") === (part === "straight"),
    hex,
    what,
    payload,
    conn
  }))
})

/** What the commands of the exchanges set, when libnng's part is ours. */
const recvMaxSize: Readonly<Record<string, number>> = { "tcp-recvmaxsz": 10 }

interface Side {
  readonly socket: Pair0.Pair0
  readonly peer: Peer
}

/** Gives the two ends of connection number n, made when it is first asked for. */
const connections = (entry: Entry, role: "dialer" | "listener") =>
  Effect.gen(function* () {
    const make = Pair0.make({ recvMaxSize: recvMaxSize[entry.name] })
    const sides = new Map<number, Side>()
    let open: Effect.Effect<Side, unknown, Scope.Scope | Transports>
    if (role === "listener") {
      const socket = yield* make
      const listener = yield* Socket.listen(socket, "tcp://127.0.0.1:0")
      open = Effect.map(Peers.dial(portOf(listener)), (peer) => ({ socket, peer }))
    } else {
      const server = yield* Peers.listen()
      open = Effect.gen(function* () {
        const socket = yield* make
        yield* Socket.dial(socket, `tcp://127.0.0.1:${server.port}`, { nonblocking: true })
        return { socket, peer: yield* server.accept }
      })
    }
    return (n: number) =>
      Effect.suspend(() => {
        const side = sides.get(n)
        if (side !== undefined) return Effect.succeed(side)
        return Effect.gen(function* () {
          // the one before is a pipe by then, and not merely connected
          for (const { socket } of sides.values()) yield* Socket.awaitPeers(socket, 1)
          const side = yield* open
          sides.set(n, side)
          return side
        })
      })
  })

const feed = (peer: Peer, data: Uint8Array, chunking: Chunking) =>
  chunking === "one byte at a time" ? peer.drip(data) : peer.write(data)

const replay = (entry: Entry, part: Part, chunking: Chunking) =>
  Effect.gen(function* () {
    const { role, steps } = play(entry, part)
    const connection = yield* connections(entry, role)
    const fed = new Set<number>()
    for (const step of steps) {
      const { peer, socket } = yield* connection(step.conn)
      if (chunking === "all in one write" && !fed.has(step.conn)) {
        fed.add(step.conn)
        const all = steps.filter(({ conn, ours }) => !ours && conn === step.conn)
        yield* peer.write(...all.map((one) => bytes(one.hex)))
      }
      if (!step.ours && step.hex === "") {
        yield* peer.end
      } else if (!step.ours) {
        if (chunking !== "all in one write") yield* feed(peer, bytes(step.hex), chunking)
        if (step.payload !== undefined) {
          expect(hex((yield* Socket.recv(socket)).body), step.what).toBe(step.payload)
        }
      } else if (step.hex === "") {
        expect(hex((yield* peer.closed).unread), step.what).toBe("")
      } else {
        if (step.payload !== undefined) yield* Socket.send(socket, Message.fromBytes(bytes(step.payload)))
        expect(hex(yield* peer.read(step.hex.length / 2)), step.what).toBe(step.hex)
      }
    }
    // and not a byte more
    for (const conn of new Set(steps.map(({ conn }) => conn))) {
      const { peer } = yield* connection(conn)
      yield* peer.end
      expect(hex((yield* peer.closed).unread)).toBe("")
    }
  })

/** In these the recorder did what no implementation does; there is only libnng's part to play. */
const recorderMisbehaves = [
  "tcp-handshake-bad-magic",
  "tcp-handshake-bad-version",
  "tcp-handshake-bad-reserved",
  "tcp-handshake-protocol-mismatch",
  "tcp-handshake-eof",
  "tcp-handshake-bad-magic-to-listener",
  "tcp-recvmaxsz",
  "tcp-length-1GiB-plus-1"
]

const chunkings: ReadonlyArray<Chunking> = ["as it came", "one byte at a time", "all in one write"]

describe("exchanges with libnng over tcp, replayed", () => {
  for (const entry of entries) {
    const parts: ReadonlyArray<Part> = recorderMisbehaves.includes(entry.name) ? ["mirrored"] : ["straight", "mirrored"]
    for (const part of parts) {
      for (const chunking of chunkings) {
        const who = part === "straight" ? "" : ", in libnng's part"
        it.scopedLive(`${entry.name}${who}, ${chunking}`, () =>
          leavesNone(replay(entry, part, chunking)).pipe(Effect.provide(NodeTransport.layer))
        )
      }
    }
  }

  it(`${entries.length} of ${tcp.length}; the others wait for their protocols`, () => {
    const waiting: Record<string, number> = {}
    for (const { protocol } of tcp) if (!sockets.has(protocol)) waiting[protocol] = (waiting[protocol] ?? 0) + 1
    expect(entries.length).toBe(12)
    expect(waiting).toEqual({
      bus0: 3,
      pair1: 5,
      pub0: 2,
      pull0: 3,
      push0: 2,
      rep0: 5,
      req0: 4,
      respondent0: 4,
      sub0: 3,
      surveyor0: 3
    })
    expect(entries.map(({ name }) => name)).toEqual(expect.arrayContaining(recorderMisbehaves))
  })
})
