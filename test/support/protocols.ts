import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Errors from "effect-nng/Errors"
import * as Bus0 from "effect-nng/Bus0"
import * as Pair0 from "effect-nng/Pair0"
import * as Pair1 from "effect-nng/Pair1"
import * as Protocol from "effect-nng/Protocol"
import * as Pub0 from "effect-nng/Pub0"
import * as Pull0 from "effect-nng/Pull0"
import * as Push0 from "effect-nng/Push0"
import * as Rep0 from "effect-nng/Rep0"
import * as Req0 from "effect-nng/Req0"
import * as Respondent0 from "effect-nng/Respondent0"
import * as Socket from "effect-nng/Socket"
import * as Sub0 from "effect-nng/Sub0"
import * as Surveyor0 from "effect-nng/Surveyor0"
import type { Transports } from "effect-nng/Transport"

/** What sockets may be made with; which of it a kind has says its row. */
export interface Options extends Socket.MakeOptions {
  readonly sendBuffer?: number
  readonly recvBuffer?: number
  readonly ttl?: number
}

/** A socket of which the row knows what it can do. */
export type Any = Socket.CanSend<Errors.NngError> &
  Socket.CanRecv<Errors.NngError> &
  Socket.Configurable<Options, Errors.EBUSY>

export type Make = (options?: Options) => Effect.Effect<Any, Errors.EINVAL, Scope.Scope | Transports>

/** From, to, and what it is by default. */
type Range = readonly [least: number, most: number, byDefault: number]

/** A kind of socket. */
export interface Kind {
  readonly name: string
  readonly protocol: Protocol.Protocol
  readonly raw: boolean
  readonly make: Make
  readonly sends: boolean
  readonly receives: boolean
  /** Without a peer its sends wait. */
  readonly blocks?: boolean
  readonly sendBuffer?: Range
  readonly recvBuffer?: Range
  readonly ttl?: boolean
  /** What the application has to put on a message. */
  readonly header?: Uint8Array
  /** What has to be done before it may receive at all; without it nothing. */
  readonly ready?: (socket: Any) => Effect.Effect<void, Errors.NngError, Scope.Scope | Transports>
}

const any = <S extends Socket.Socket>(
  make: (options?: Options) => Effect.Effect<S, Errors.EINVAL, Scope.Scope | Transports>
): Make => make as unknown as Make

/** Somebody who has the question and does not answer it. */
const ask = (socket: Any) =>
  Effect.gen(function* () {
    const silent = yield* Rep0.makeRaw()
    yield* Socket.listen(silent, `inproc://silent-${socket.id}`)
    yield* Socket.dial(socket, `inproc://silent-${socket.id}`)
    yield* Socket.send(socket, "question")
  })

const upTo8192 = (byDefault: number): Range => [0, 8192, byDefault]

const both = { sends: true, receives: true }

const pair = { ...both, blocks: true, sendBuffer: upTo8192(0), recvBuffer: upTo8192(0) }

/** A new protocol is a row or two here. */
export const kinds: ReadonlyArray<Kind> = [
  ...[false, true].map((raw): Kind => {
    const name = raw ? "raw pair0" : "pair0"
    const make = raw ? any(Pair0.makeRaw) : any(Pair0.make)
    return { ...pair, name, protocol: Protocol.pair0, raw, make }
  }),
  { ...pair, name: "pair1", protocol: Protocol.pair1, raw: false, make: any(Pair1.make), ttl: true },
  {
    ...pair,
    name: "raw pair1",
    protocol: Protocol.pair1,
    raw: true,
    make: any(Pair1.makeRaw),
    ttl: true,
    header: Uint8Array.of(0, 0, 0, 1)
  },
  {
    ...pair,
    name: "polyamorous pair1",
    protocol: Protocol.pair1,
    raw: false,
    make: any(Pair1.makePoly),
    ttl: true,
    recvBuffer: upTo8192(1)
  },
  ...[false, true].map((raw): Kind => {
    const name = raw ? "raw bus0" : "bus0"
    const make = raw ? any(Bus0.makeRaw) : any(Bus0.make)
    return { name, protocol: Protocol.bus0, raw, make, ...both, sendBuffer: [1, 8192, 16], recvBuffer: [1, 8192, 16] }
  }),
  { name: "req0", protocol: Protocol.req0, raw: false, make: any(Req0.make), ...both, blocks: true, ready: ask },
  {
    name: "raw req0",
    protocol: Protocol.req0,
    raw: true,
    make: any(Req0.makeRaw),
    ...both,
    blocks: true,
    sendBuffer: upTo8192(0),
    recvBuffer: upTo8192(1)
  },
  { name: "rep0", protocol: Protocol.rep0, raw: false, make: any(Rep0.make), ...both, ttl: true },
  {
    name: "raw rep0",
    protocol: Protocol.rep0,
    raw: true,
    make: any(Rep0.makeRaw),
    ...both,
    ttl: true,
    recvBuffer: upTo8192(1)
  },
  {
    name: "surveyor0",
    protocol: Protocol.surveyor0,
    raw: false,
    make: any(Surveyor0.make),
    ...both,
    ready: (socket) => Socket.send(socket, "survey")
  },
  {
    name: "raw surveyor0",
    protocol: Protocol.surveyor0,
    raw: true,
    make: any(Surveyor0.makeRaw),
    ...both,
    recvBuffer: upTo8192(1)
  },
  { name: "respondent0", protocol: Protocol.respondent0, raw: false, make: any(Respondent0.make), ...both, ttl: true },
  {
    name: "raw respondent0",
    protocol: Protocol.respondent0,
    raw: true,
    make: any(Respondent0.makeRaw),
    ...both,
    ttl: true,
    recvBuffer: upTo8192(1)
  },
  ...[false, true].map((raw): Kind => {
    const name = raw ? "raw push0" : "push0"
    const make = raw ? any(Push0.makeRaw) : any(Push0.make)
    return {
      name,
      protocol: Protocol.push0,
      raw,
      make,
      sends: true,
      receives: false,
      blocks: true,
      sendBuffer: upTo8192(0)
    }
  }),
  ...[false, true].map((raw): Kind => {
    const name = raw ? "raw pub0" : "pub0"
    const make = raw ? any(Pub0.makeRaw) : any(Pub0.make)
    return { name, protocol: Protocol.pub0, raw, make, sends: true, receives: false, sendBuffer: [1, 8192, 16] }
  }),
  {
    name: "sub0",
    protocol: Protocol.sub0,
    raw: false,
    make: any(Sub0.make),
    sends: false,
    receives: true,
    recvBuffer: [1, 8192, 128]
  },
  {
    name: "raw sub0",
    protocol: Protocol.sub0,
    raw: true,
    make: any(Sub0.makeRaw),
    sends: false,
    receives: true,
    recvBuffer: upTo8192(1)
  },
  ...[false, true].map((raw): Kind => {
    const name = raw ? "raw pull0" : "pull0"
    const make = raw ? any(Pull0.makeRaw) : any(Pull0.make)
    return { name, protocol: Protocol.pull0, raw, make, sends: false, receives: true }
  })
]
