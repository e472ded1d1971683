import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Bus0 from "effect-nng/Bus0"
import { Entropy } from "effect-nng/Entropy"
import type * as Errors from "effect-nng/Errors"
import * as Message from "effect-nng/Message"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Pair0 from "effect-nng/Pair0"
import * as Pub0 from "effect-nng/Pub0"
import * as Pair1 from "effect-nng/Pair1"
import * as Pull0 from "effect-nng/Pull0"
import * as Push0 from "effect-nng/Push0"
import * as Rep0 from "effect-nng/Rep0"
import * as Req0 from "effect-nng/Req0"
import * as Respondent0 from "effect-nng/Respondent0"
import * as Socket from "effect-nng/Socket"
import * as Sub0 from "effect-nng/Sub0"
import * as Surveyor0 from "effect-nng/Surveyor0"
import type { Transports } from "effect-nng/Transport"
import { readFileSync } from "node:fs"
import { leavesNone } from "../support/handles.js"
import * as Paths from "../support/paths.js"
import type { Peer } from "../support/peers.js"
import * as Peers from "../support/peers.js"
import { bytes, hex, portOf } from "../support/peers.js"
import * as Ws from "../support/wsPeer.js"

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
    readonly vary?: unknown
  }>
}

const fixture = JSON.parse(
  readFileSync(new URL("../fixtures/golden-wire.json", import.meta.url), "utf8")
) as Array<Entry>

type Form = "cooked" | "raw"

/** What one of our sockets does with payloads, which are a body and the words before it, as they are on the wire. */
interface Player {
  readonly socket: Socket.Socket
  readonly send: (payload: Uint8Array) => Effect.Effect<void, unknown>
  /** What came, as far as the application sees it. */
  readonly recv: Effect.Effect<string, unknown>
  /** How much of a payload that is. */
  readonly seen: (payload: string) => string
}

interface Options {
  readonly recvMaxSize: number | undefined
}

type Make = (options: Options) => Effect.Effect<Player, Errors.EINVAL, Scope.Scope | Transports>

const player =
  <S extends Socket.Socket>(
    make: (options: Options) => Effect.Effect<S, Errors.EINVAL, Scope.Scope | Transports>,
    play: (socket: S) => Partial<Player>
  ): Make =>
  (options) =>
    Effect.map(make(options), (socket) => ({
      socket,
      send: () => Effect.dieMessage("it does not send"),
      recv: Effect.dieMessage("it does not receive"),
      seen: (payload) => payload,
      ...play(socket)
    }))

/** How many bytes the words take, up to the one whose top bit is set. */
const wordsOf = (payload: Uint8Array): number => {
  for (let at = 0; at + 4 <= payload.length; at += 4) if (payload[at]! >= 0x80) return at + 4
  return payload.length
}

const body = (payload: string): string => payload.slice(2 * wordsOf(bytes(payload)))

const headed = (header: Uint8Array, rest: Uint8Array): Message.Message => {
  const message = Message.fromBytes(rest)
  Message.Header.append(message, header)
  return message
}

const whole = ({ body, header }: Message.Message, from = 0): string => hex(header.subarray(from)) + hex(body)

const plain = (socket: Socket.CanSend<unknown> & Socket.CanRecv<unknown>): Partial<Player> => ({
  send: (payload) => Socket.send(socket, Message.fromBytes(payload)),
  recv: Effect.map(Socket.recv(socket), (message) => whole(message))
})

/** A word of hops goes before the body. */
const hopsOf = (payload: Uint8Array): number => Math.min(4, payload.length)

const pair1 = (socket: Socket.CanSend & Socket.CanRecv): Partial<Player> => ({
  send: (payload) => Socket.send(socket, Message.fromBytes(payload.slice(hopsOf(payload)))),
  recv: Effect.map(Socket.recv(socket), (message) => whole(message))
})

const rawPair1 = (socket: Pair1.Pair1Raw): Partial<Player> => ({
  send: (payload) => {
    const header = payload.slice(0, 4)
    // it adds one
    header[3]!--
    return Socket.send(socket, headed(header, payload.slice(4)))
  },
  recv: Effect.map(Socket.recv(socket), (message) => whole(message))
})

/** It does not wait for a peer by itself. */
const bus = (socket: Socket.CanSend<unknown> & Socket.CanRecv<unknown>): Partial<Player> => ({
  send: (payload) => Effect.zipRight(Socket.awaitPeers(socket, 1), Socket.send(socket, Message.fromBytes(payload))),
  recv: Effect.map(Socket.recv(socket), (message) => whole(message))
})

const rawBus = (socket: Bus0.Bus0Raw): Partial<Player> => ({
  ...bus(socket),
  recv: Effect.map(Socket.recv(socket), (message) => whole(message, 4))
})

const cooked = (socket: Socket.CanSend<unknown> & Socket.CanRecv<unknown>): Partial<Player> => ({
  send: (payload) => Socket.send(socket, Message.fromBytes(payload.slice(wordsOf(payload)))),
  recv: Effect.map(Socket.recv(socket), (message) => whole(message)),
  seen: body
})

const push = (socket: Socket.CanSend<unknown>): Partial<Player> => ({
  send: (payload) => Socket.send(socket, Message.fromBytes(payload))
})

const pull = (socket: Socket.CanRecv<unknown>): Partial<Player> => ({
  recv: Effect.map(Socket.recv(socket), (message) => whole(message))
})

const rawReq = (socket: Req0.Req0Raw | Surveyor0.Surveyor0Raw): Partial<Player> => ({
  send: (payload) => {
    const words = wordsOf(payload)
    return Socket.send(socket, headed(payload.slice(0, words), payload.slice(words)))
  },
  recv: Effect.map(Socket.recv(socket), (message) => whole(message))
})

const rawRep = (socket: Rep0.Rep0Raw | Respondent0.Respondent0Raw): Partial<Player> => {
  let pipe = new Uint8Array(4)
  return {
    send: (payload) => Socket.send(socket, headed(pipe, payload)),
    recv: Effect.map(Socket.recv(socket), (message) => {
      pipe = message.header.slice(0, 4)
      return whole(message, 4)
    })
  }
}

/** Who publishes waits for nobody, so the test does. */
const publish = (socket: Socket.CanSend<unknown>): Partial<Player> => ({
  send: (payload) => Effect.zipRight(Socket.awaitPeers(socket, 1), Socket.send(socket, Message.fromBytes(payload)))
})

const subscribed = (options: Options) =>
  Effect.tap(Sub0.make(options), (socket) => Effect.orDie(Sub0.addTopic(socket, "")))

/** With room for all that comes in one write. */
const hearing = (options: Options) => Sub0.makeRaw({ ...options, recvBuffer: 8 })
/** Whom nobody hears yet waits. */
const heard = (socket: Socket.Socket, { send, ...rest }: Partial<Player>): Partial<Player> => ({
  send: (payload) => Effect.zipRight(Socket.awaitPeers(socket, 1), send!(payload)),
  ...rest
})

/** The answer to a survey has its id for a header. */
const surveyor = (socket: Surveyor0.Surveyor0): Partial<Player> => ({
  ...heard(socket, cooked(socket)),
  seen: (payload) => payload
})

const rawSurveyor = (socket: Surveyor0.Surveyor0Raw): Partial<Player> => heard(socket, rawReq(socket))

/** It has no time to end in. */
const makeSurveyor = (options: Options) => Surveyor0.make({ ...options, surveyTime: Duration.infinity })

/** The sockets that there are. A new protocol comes in here, and leaves the list at the end of this file. */
const sockets = new Map<string, { readonly cooked: Make; readonly raw?: Make; readonly peer: string }>([
  ["pair0", { cooked: player(Pair0.make, plain), raw: player(Pair0.makeRaw, plain), peer: "pair0" }],
  ["pair1", { cooked: player(Pair1.make, pair1), raw: player(Pair1.makeRaw, rawPair1), peer: "pair1" }],
  ["bus0", { cooked: player(Bus0.make, bus), raw: player(Bus0.makeRaw, rawBus), peer: "bus0" }],
  ["req0", { cooked: player(Req0.make, cooked), raw: player(Req0.makeRaw, rawReq), peer: "rep0" }],
  ["rep0", { cooked: player(Rep0.make, cooked), raw: player(Rep0.makeRaw, rawRep), peer: "req0" }],
  ["push0", { cooked: player(Push0.make, push), raw: player(Push0.makeRaw, push), peer: "pull0" }],
  ["pull0", { cooked: player(Pull0.make, pull), raw: player(Pull0.makeRaw, pull), peer: "push0" }],
  ["pub0", { cooked: player(Pub0.make, publish), raw: player(Pub0.makeRaw, publish), peer: "sub0" }],
  ["sub0", { cooked: player(subscribed, pull), raw: player(hearing, pull), peer: "pub0" }],
  [
    "surveyor0",
    { cooked: player(makeSurveyor, surveyor), raw: player(Surveyor0.makeRaw, rawSurveyor), peer: "respondent0" }
  ],
  [
    "respondent0",
    { cooked: player(Respondent0.make, cooked), raw: player(Respondent0.makeRaw, rawRep), peer: "surveyor0" }
  ]
])

const tcp = fixture.filter(({ transport }) => transport === "tcp")
/** A number of hops that begins at 0, as none of ours does. */
const begunAtZero = "mangos-tcp-pair1"
const entries = tcp.filter(({ name, protocol }) => sockets.has(protocol) && name !== begunAtZero)
const ipc = fixture.filter(({ transport }) => transport === "ipc")
const ipcEntries = ipc.filter(({ protocol }) => sockets.has(protocol))

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
const recvMaxSize: Readonly<Record<string, number>> = { "tcp-recvmaxsz": 10, "ipc-recvmaxsz": 10 }

/** In this one the requester comes back for its answer; others that dial twice are two. */
const comesBack = "tcp-req-resend-on-reconnect"

/** What a cooked socket, or any, throws away when it comes. */
const nobodyGets = (what: string, form: Form): boolean =>
  /dropped \(MAXTTL|greater than MAXTTL|a high byte is set|shorter than the hop word|without an id|shorter than 4 bytes|read and ignored|subscriber sends data/.test(
    what
  ) ||
  (form === "cooked" && /dropped in silence|unknown survey: dropped/.test(what))

/** What a socket sends by itself. */
const sentByItself = (what: string): boolean => what.startsWith("the same request again")

interface Side {
  readonly player: Player
  readonly peer: Peer
}

/** Gives the two ends of connection number n, made when it is first asked for. */
const connections = (entry: Entry, role: "dialer" | "listener", make: Make) =>
  Effect.gen(function* () {
    const made = make({ recvMaxSize: recvMaxSize[entry.name] })
    const sides = new Map<number, Side>()
    let open: Effect.Effect<Side, unknown, Scope.Scope | Transports>
    if (role === "listener") {
      const player = yield* made
      const path = entry.transport === "ipc" ? yield* Paths.path : undefined
      const listener = yield* Socket.listen(player.socket, path === undefined ? "tcp://127.0.0.1:0" : `ipc://${path}`)
      const client = path === undefined ? Peers.dial(portOf(listener)) : Peers.dialPath(path)
      open = Effect.map(client, (peer) => ({ player, peer }))
    } else {
      const path = entry.transport === "ipc" ? yield* Paths.path : undefined
      const server = yield* path === undefined ? Peers.listen() : Peers.listenPath(path)
      const url = path === undefined ? `tcp://127.0.0.1:${server.port}` : `ipc://${path}`
      const dialing = Effect.tap(made, ({ socket }) =>
        Socket.dial(socket, url, { nonblocking: true, reconnectMin: "10 millis" })
      )
      open = Effect.gen(function* () {
        const player = entry.name === comesBack ? sides.get(1)?.player : undefined
        return { player: player ?? (yield* dialing), peer: yield* server.accept }
      })
    }
    return (n: number) =>
      Effect.suspend(() => {
        const side = sides.get(n)
        if (side !== undefined) return Effect.succeed(side)
        return Effect.gen(function* () {
          if (entry.name !== comesBack) {
            // the one before is a pipe by then, and not merely connected
            for (const { player } of sides.values()) yield* Socket.awaitPeers(player.socket, 1)
          }
          const side = yield* open
          sides.set(n, side)
          return side
        })
      })
  })

const feed = (peer: Peer, data: Uint8Array, chunking: Chunking) =>
  chunking === "one byte at a time" ? peer.drip(data) : peer.write(data)

const replay = (entry: Entry, part: Part, chunking: Chunking, form: Form, make: Make) =>
  Effect.gen(function* () {
    const { role, steps } = play(entry, part)
    const connection = yield* connections(entry, role, make)
    const fed = new Set<number>()
    for (const step of steps) {
      const { peer, player } = yield* connection(step.conn)
      if (chunking === "all in one write" && !fed.has(step.conn)) {
        fed.add(step.conn)
        const all = steps.filter(({ conn, ours }) => !ours && conn === step.conn)
        yield* peer.write(...all.map((one) => bytes(one.hex)))
      }
      if (!step.ours && step.hex === "") {
        yield* peer.end
      } else if (!step.ours) {
        if (chunking !== "all in one write") yield* feed(peer, bytes(step.hex), chunking)
        if (step.payload !== undefined && !nobodyGets(step.what, form)) {
          expect(yield* player.recv, step.what).toBe(player.seen(step.payload))
        }
      } else if (step.hex === "") {
        if (part === "straight") for (const pipe of yield* Socket.pipes(player.socket).get) yield* pipe.close
        expect(hex((yield* peer.closed).unread), step.what).toBe("")
      } else {
        if (step.payload !== undefined && !sentByItself(step.what)) yield* player.send(bytes(step.payload))
        expect(hex(yield* peer.read(step.hex.length / 2)), step.what).toBe(step.hex)
      }
    }
    // and not a byte more
    for (const conn of new Set(steps.map(({ conn }) => conn))) {
      const { peer } = yield* connection(conn)
      yield* peer.end
      expect(hex((yield* peer.closed).unread)).toBe("")
    }
  }).pipe(Effect.provideService(Entropy, { unsafeUint32: () => before(idOf(entry)) }))

/** The id of the request that libnng made in it. */
const idOf = (entry: Entry): number => {
  const payload = entry.sends.find(({ payload, vary }) => vary !== undefined && payload !== undefined)?.payload
  return payload === undefined ? 0 : parseInt(payload.slice(0, 8), 16)
}

const before = (id: number): number => (id - 1) >>> 0

/** In these the recorder did what no implementation does; there is only libnng's part to play. */
const recorderMisbehaves = [
  "tcp-handshake-bad-magic",
  "tcp-handshake-bad-version",
  "tcp-handshake-bad-reserved",
  "tcp-handshake-protocol-mismatch",
  "tcp-handshake-eof",
  "tcp-handshake-bad-magic-to-listener",
  "tcp-recvmaxsz",
  "tcp-length-1GiB-plus-1",
  "tcp-push-receives-data",
  "tcp-pub-receives-data",
  "tcp-pair1-us-listener",
  "tcp-pair1-us-dialer",
  "tcp-pair1-hops",
  "tcp-pair1-short",
  "ipc-recvmaxsz",
  "ipc-bad-type-byte"
]

/** In these the recorder chose its headers; only a raw socket can do that. Those over others have the names of tcp's. */
const recorderIsRaw = [
  "tcp-rep-req-us-listener",
  "tcp-rep-req-us-dialer",
  "tcp-rep-ttl",
  "tcp-rep-short-request",
  "tcp-req-bad-replies",
  "tcp-surveyor-respondent-us-listener",
  "tcp-surveyor-respondent-us-dialer",
  "tcp-respondent-surveyor-us-listener",
  "tcp-respondent-surveyor-us-dialer",
  "tcp-surveyor-bad-responses",
  "tcp-respondent-short"
]

const asOverTcp = ({ name }: Entry): string => name.replace(/^(ws|ipc)-/, "tcp-")

const misbehaves = (entry: Entry): boolean =>
  recorderMisbehaves.includes(entry.name) || recorderMisbehaves.includes(asOverTcp(entry))

const formsOf = (entry: Entry, part: Part): ReadonlyArray<readonly [Form, Make]> => {
  const own = sockets.get(entry.protocol)!
  const { cooked, raw } = part === "straight" ? own : sockets.get(own.peer)!
  const forms: Array<readonly [Form, Make]> = []
  if (part === "mirrored" || !recorderIsRaw.includes(asOverTcp(entry))) forms.push(["cooked", cooked])
  // one that sends again by itself keeps books of its requests
  if (raw !== undefined && !(part === "mirrored" && entry.name === comesBack)) forms.push(["raw", raw])
  return forms
}

const answering = ["rep0", "respondent0"]

/** An answer that comes before the question is none. */
const playable = (entry: Entry, part: Part, form: Form, chunking: Chunking): boolean =>
  !(chunking === "all in one write" && part === "mirrored" && form === "cooked" && answering.includes(entry.protocol))

const chunkings: ReadonlyArray<Chunking> = ["as it came", "one byte at a time", "all in one write"]

describe("exchanges with libnng, replayed", () => {
  for (const entry of [...entries, ...ipcEntries]) {
    const parts: ReadonlyArray<Part> = misbehaves(entry) ? ["mirrored"] : ["straight", "mirrored"]
    for (const part of parts) {
      for (const [form, make] of formsOf(entry, part)) {
        for (const chunking of chunkings) {
          if (!playable(entry, part, form, chunking)) continue
          const who = `${form === "raw" ? ", raw" : ""}${part === "straight" ? "" : ", in libnng's part"}`
          it.scopedLive(`${entry.name}${who}, ${chunking}`, () =>
            leavesNone(replay(entry, part, chunking, form, make)).pipe(Effect.provide(NodeTransport.layer))
          )
        }
      }
    }
  }

  it(`are ${entries.length} of ${tcp.length}: all but one that our sockets cannot say`, () => {
    const left = tcp.filter((entry) => !entries.includes(entry)).map(({ name }) => name)
    expect(left).toEqual([begunAtZero])
    const names = [...recorderMisbehaves, ...recorderIsRaw, comesBack]
    expect([...entries, ...ipcEntries].map(({ name }) => name)).toEqual(expect.arrayContaining(names))
  })

  it(`are all ${ipc.length} over ipc`, () => {
    expect(ipcEntries).toEqual(ipc)
  })
})

const ws = fixture.filter(({ transport }) => transport === "ws")
const isExchange = ({ name }: Entry): boolean => /-us-(dialer|listener)(@|$)/.test(name) && !/-(exit|by)-/.test(name)
const isBehaviour = (prefix: string) => (entry: Entry) => entry.transport === "ws" && entry.name.startsWith(prefix)

const isHttp = (text: string): boolean => /^(GET|POST|HTTP)[ /]|^hello\r\n/.test(text)
const ascii = (data: string): string => Buffer.from(data, "hex").toString("latin1")

/** An answer of the recorder's, as the one to what was asked here. */
const answerTo = (recorded: string, asked: Ws.Head): string => {
  const key = asked.headers["sec-websocket-key"] ?? ""
  return recorded.replace(/(Sec-WebSocket-Accept: )(?!A{27}=).*/, (_, name: string) => name + Ws.acceptOf(key))
}

/** What of an HTTP message is the same whoever wrote it. */
const essence = ({ first, headers }: Ws.Head) => ({
  first,
  upgrade: headers["upgrade"],
  connection: headers["connection"],
  protocol: headers["sec-websocket-protocol"],
  version: headers["sec-websocket-version"]
})

const lower = (head: ReturnType<typeof essence>) => ({ ...head, connection: head.connection?.toLowerCase() })

/** Joins one of our sockets, in either role, with a peer that plays by hand. */
const joined = (role: "dialer" | "listener", make: Make, options: Options, path = "/golden") =>
  Effect.gen(function* () {
    const player = yield* make(options)
    if (role === "listener") {
      const listener = yield* Socket.listen(player.socket, `ws://127.0.0.1:0${path}`)
      return { player, peer: yield* Peers.dial(Number(new URL(listener.url).port)) }
    }
    const server = yield* Peers.listen()
    yield* Socket.dial(player.socket, `ws://127.0.0.1:${server.port}${path}`, {
      nonblocking: true,
      reconnectMin: "1 hour"
    })
    return { player, peer: yield* server.accept }
  })

const replayWs = (entry: Entry, part: Part, chunking: Chunking, form: Form, make: Make) =>
  Effect.gen(function* () {
    const { role, steps } = play(entry, part)
    const { peer, player } = yield* joined(role, make, { recvMaxSize: undefined })
    let asked: Ws.Head = { first: "", headers: {} }
    let fed = false
    const toBytes = (step: Step): Uint8Array => {
      const text = ascii(step.hex)
      return isHttp(text) ? Buffer.from(answerTo(text, asked), "latin1") : bytes(step.hex)
    }
    for (const step of steps) {
      const text = ascii(step.hex)
      if (!step.ours) {
        if (chunking !== "all in one write") yield* feed(peer, toBytes(step), chunking)
        else if (!fed) {
          fed = true
          yield* peer.write(...steps.filter(({ ours }) => !ours).map(toBytes))
        }
        if (text.startsWith("GET")) asked = Ws.parseHead(text)
        if (step.payload !== undefined && !nobodyGets(step.what, form)) {
          expect(yield* player.recv, step.what).toBe(player.seen(step.payload))
        }
      } else if (isHttp(text)) {
        const head = yield* Ws.readHead(peer)
        expect(lower(essence(head)), step.what).toEqual(lower(essence(Ws.parseHead(text))))
        if (head.first.startsWith("GET")) asked = head
        else expect(head.headers["sec-websocket-accept"]).toBe(Ws.acceptOf(asked.headers["sec-websocket-key"]!))
      } else {
        if (step.payload !== undefined && !sentByItself(step.what)) yield* player.send(bytes(step.payload))
        const frame = yield* Ws.readFrame(peer)
        const recorded = Ws.parseFrame(bytes(step.hex))
        expect({ ...frame, payload: hex(frame.payload) }, step.what).toEqual({
          ...recorded,
          payload: hex(recorded.payload)
        })
      }
    }
    yield* peer.end
    expect(hex((yield* peer.closed).unread)).toBe("")
  }).pipe(Effect.provideService(Entropy, { unsafeUint32: () => before(idOf(entry)) }))

const live = (title: string, effect: () => Effect.Effect<void, unknown, Scope.Scope | Transports>): void =>
  it.scopedLive(title, () => leavesNone(Effect.suspend(effect)).pipe(Effect.provide(NodeTransport.layer)))

describe("exchanges with libnng over ws, replayed", () => {
  for (const entry of ws.filter(isExchange)) {
    if (!sockets.has(entry.protocol)) continue
    const likeTcp = asOverTcp(entry)
    const parts: ReadonlyArray<Part> = recorderMisbehaves.includes(likeTcp) ? ["mirrored"] : ["straight", "mirrored"]
    for (const part of parts) {
      for (const [form, make] of formsOf(entry, part)) {
        for (const chunking of chunkings) {
          if (!playable(entry, part, form, chunking)) continue
          const who = `${form === "raw" ? ", raw" : ""}${part === "straight" ? "" : ", in libnng's part"}`
          live(`${entry.name}${who}, ${chunking}`, () => replayWs(entry, part, chunking, form, make))
        }
      }
    }
  }
})

const pair0 = sockets.get("pair0")!.cooked

/** In these the two lines of libnng differ, or we do; the status that we answer, and why. */
const otherStatus: Readonly<Record<string, readonly [status: number, why: string]>> = {
  "ws-upgrade-query@2.0-dev": [101, "the query is no part of the path, as in 1.x"],
  "ws-upgrade-encoded-path": [101, "1.5.2 has a bug, mended in 1.12"],
  "ws-upgrade-http10@2.0-dev": [505, "as 1.x"],
  "ws-upgrade-connection-list-nospace": [101, "HTTP lets a list do without spaces"]
}

describe("upgrade requests that libnng was asked, answered", () => {
  for (const entry of ws.filter(isBehaviour("ws-upgrade-"))) {
    const [asked, answered] = entry.sends
    const status = otherStatus[entry.name]?.[0] ?? Ws.statusOf(Ws.parseHead(ascii(answered!.hex)))
    for (const chunking of ["as it came", "one byte at a time"] as const) {
      live(`${entry.name}: ${status}, ${chunking}`, () =>
        Effect.gen(function* () {
          const { peer, player } = yield* joined("listener", pair0, { recvMaxSize: undefined })
          yield* feed(peer, bytes(asked!.hex), chunking)
          const head = yield* Ws.readHead(peer)
          expect(Ws.statusOf(head)).toBe(status)
          if (status !== 101) {
            expect(head.headers["connection"]).toBe("close")
            expect((yield* peer.closed).how).toBe("closed")
          }
          expect((yield* Socket.pipes(player.socket).get).length).toBe(status === 101 ? 1 : 0)
        })
      )
    }
  }
})

/** What we answer where libnng says something else, or nothing. */
const otherCode: Readonly<Record<string, number | undefined>> = {
  "ws-close-by-us-1001@1.12.0": 1001,
  "ws-close-by-us-1001-listener@1.12.0": 1001,
  "ws-close-by-us-empty@1.12.0": undefined,
  "ws-close-by-us-empty-listener@1.12.0": undefined
}

/** Frames longer than libnng's limit for them, and lengths in more bytes than they need, are read. */
const otherwise = ["ws-frame-too-long-listener", "ws-frame-too-long-dialer", "ws-length-not-minimal"]

const codeOf = (frame: Ws.Frame): number | undefined =>
  frame.payload.length === 0 ? undefined : (frame.payload[0]! << 8) | frame.payload[1]!

/** The messages that frames make. */
const messagesOf = (frames: ReadonlyArray<Ws.Frame>): ReadonlyArray<string> => {
  const messages: Array<string> = []
  let parts = ""
  for (const frame of frames) {
    if (frame.op > 2) continue
    parts += hex(frame.payload)
    if (frame.fin) messages.push(parts)
    if (frame.fin) parts = ""
  }
  return messages
}

const isOfFrames = ({ name }: Entry): boolean =>
  !/^ws-(upgrade|dial)-|-us-(dialer|listener)/.test(name) || /^ws-close-by-us-.*@/.test(name)

describe("frames that libnng was sent, answered", () => {
  const played = ws.filter(isOfFrames).filter(({ name }) => !otherwise.includes(name) && !/by-us-[^@]*$/.test(name))
  for (const entry of played) {
    for (const chunking of chunkings) {
      live(`${entry.name}, ${chunking}`, () =>
        Effect.gen(function* () {
          const { role, steps } = play(entry, "mirrored")
          const limit = entry.name === "ws-recvmaxsz-listener" ? 10 : undefined
          const { peer, player } = yield* joined(role, pair0, { recvMaxSize: limit })
          const frames = steps.filter(({ hex }) => hex !== "" && !isHttp(ascii(hex)))
          const ours = frames.filter((step) => step.ours).map((step) => Ws.parseFrame(bytes(step.hex)))
          const theirs = frames.filter((step) => !step.ours)
          if (role === "listener") yield* Ws.ask(peer, "/golden")
          else yield* Effect.flatMap(Ws.readHead(peer), (asked) => Ws.grant(peer, asked))
          const all = Buffer.concat(theirs.map((step) => bytes(step.hex)))
          if (chunking === "as it came") {
            for (const step of theirs) yield* peer.write(bytes(step.hex))
          } else yield* feed(peer, all, chunking)
          const good = theirs.filter(
            ({ what }) => !/too long|without a start|inside|RSV|11 bytes$|unmasked|masked|TEXT/.test(what)
          )
          for (const message of messagesOf(good.map((step) => Ws.parseFrame(bytes(step.hex))))) {
            if (entry.name !== "ws-fragment-restart") expect(yield* player.recv).toBe(message)
          }
          for (const frame of ours) {
            const got = yield* Ws.readFrame(peer)
            expect([got.op, got.masked]).toEqual([frame.op, role === "dialer"])
            if (frame.op !== 8) expect(hex(got.payload)).toBe(hex(frame.payload))
            else expect(codeOf(got)).toBe(entry.name in otherCode ? otherCode[entry.name] : codeOf(frame))
          }
          if (ours.some(({ op }) => op === 8)) yield* peer.closed
        })
      )
    }
  }
})

const dialError: Readonly<Record<string, string>> = {
  "Protocol error": "NNG_EPROTO",
  "Permission denied": "NNG_EPERM",
  "Connection refused": "NNG_ECONNREFUSED"
}

describe("answers that libnng was given to its upgrade, taken", () => {
  const played = ws.filter(isBehaviour("ws-dial-response-")).filter(({ name, sends }) => {
    // in the other line it is the same answer; and one has its own test, as it takes its time
    return !/silence$|-501$/.test(name) && !(name.includes("@") && sends.length > 3)
  })
  for (const entry of played) {
    const result = entry.note!.replace("result of a blocking dial: ", "")
    for (const chunking of ["as it came", "one byte at a time"] as const) {
      live(`${entry.name}: ${result}, ${chunking}`, () =>
        Effect.gen(function* () {
          const server = yield* Peers.listen()
          const { socket } = yield* pair0({ recvMaxSize: undefined })
          const dialing = yield* Effect.fork(Effect.either(Socket.dial(socket, `ws://127.0.0.1:${server.port}/golden`)))
          const peer = yield* server.accept
          const asked = yield* Ws.readHead(peer)
          const recorded = entry.sends.find(({ dir, hex }) => dir === "us->peer" && hex !== "")!
          yield* feed(peer, Buffer.from(answerTo(ascii(recorded.hex), asked), "latin1"), chunking)
          const dialed = yield* Effect.flatten(dialing.await)
          if (result === "success") expect(dialed).toMatchObject({ _tag: "Right" })
          else expect(dialed).toMatchObject({ _tag: "Left", left: { _tag: dialError[result] } })
        })
      )
    }
  }
})

/** 1.x sends no target where there is no path, and the fragment where there is one. */
const otherTarget = ["ws-dial-path-empty", "ws-dial-path-query-fragment"]

describe("targets that libnng asked for, asked for", () => {
  for (const entry of ws.filter(isBehaviour("ws-dial-path-")).filter(({ name }) => !otherTarget.includes(name))) {
    live(entry.name, () =>
      Effect.gen(function* () {
        const dialed = /dialed URL is '(.*)'/.exec(entry.note!)![1]!
        const { peer } = yield* joined("dialer", pair0, { recvMaxSize: undefined }, dialed)
        expect((yield* Ws.readHead(peer)).first).toBe(Ws.parseHead(ascii(entry.sends[0]!.hex)).first)
      })
    )
  }

  it("everything over ws is played, or said to be otherwise", () => {
    const byUs = ws.filter(({ name }) => /^ws-close-by-us-[^@]*$/.test(name)).map(({ name }) => name)
    expect(byUs.length).toBe(6)
    const unplayed = ws.filter(
      (entry) =>
        !isExchange(entry) && !isOfFrames(entry) && !/^ws-(upgrade|dial|close-by-us|peer-exit)-/.test(entry.name)
    )
    expect(unplayed.map(({ name }) => name)).toEqual([])
  })
})

describe("peers that end, as libnng's programs do", () => {
  for (const entry of ws.filter(isBehaviour("ws-peer-exit-"))) {
    live(entry.name, () =>
      Effect.gen(function* () {
        const pull = sockets.get("pull0")!.cooked
        const { peer, player } = yield* joined(entry.role, pull, { recvMaxSize: undefined })
        const pipes = yield* Peers.record(Socket.events(player.socket))
        if (entry.role === "listener")
          yield* Ws.ask(peer, "/golden", { "Sec-WebSocket-Protocol": "pull.sp.nanomsg.org" })
        else yield* Effect.flatMap(Ws.readHead(peer), (asked) => Ws.grant(peer, asked))
        for (const { dir, hex } of entry.sends) {
          if (dir === "peer->us" && hex !== "" && !isHttp(ascii(hex))) yield* peer.write(bytes(hex))
        }
        expect(yield* player.recv).toBe("627965")
        yield* peer.end
        expect((yield* pipes.find(Peers.tagged("RemPost"))).reason).toMatchObject({ _tag: "NNG_ECONNSHUT" })
      })
    )
  }
})
