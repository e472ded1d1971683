/**
 * The law of interruption at every phase of the runtime's budget: an operation that begins after any number of ops, up
 * to where the runtime makes the fiber yield in the middle of it, and is interrupted there.
 */
import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Message from "effect-nng/Message"
import * as Pair0 from "effect-nng/Pair0"
import * as Protocol from "effect-nng/Protocol"
import * as Socket from "effect-nng/Socket"
import { Transports } from "effect-nng/Transport"
import * as Url from "effect-nng/Url"
import {
  dice,
  elsewhere,
  inprocAlone,
  interruptedAtPhase,
  interruptNow,
  spending,
  wholeBudget
} from "../support/laws.js"
import * as Transport from "effect-nng/Transport"
import { begin, drain, ended, marry, pair, yields } from "../support/sockets.js"

/** From an operation that begins with the whole budget to one that begins after the yield. */
const phases = Array.from({ length: wholeBudget + 32 }, (_, phase) => phase)

/** Where the yield falls into an operation; there the interruption comes at different times, too. */
const critical = phases.slice(-96)

const plan = [
  ...phases.map((phase) => [phase, 1] as const),
  ...[2, 3, 4].flatMap((turns) => critical.map((phase) => [phase, turns] as const))
]

/** Both must have happened, or nothing was shown. */
const both = (exits: ReadonlyArray<string>): void => expect(new Set(exits)).toEqual(new Set(["Success", "Failure"]))

/** Says as text what was received, as soon as the receive has given it. */
type Receive = (socket: Socket.CanRecv, got: Array<string>) => Effect.Effect<void, Socket.RecvError>

const plainly =
  (recv: (socket: Socket.CanRecv) => Effect.Effect<Iterable<Message.Message>, Socket.RecvError>): Receive =>
  (socket, got) =>
    Effect.map(recv(socket), (messages) => void got.push(...Array.from(messages, Message.text)))

const receives: { readonly [name: string]: Receive } = {
  recv: plainly((socket) => Effect.map(Socket.recv(socket), Chunk.of)),
  "recv with a time-out": plainly((socket) => Effect.map(Socket.recv(socket, { timeout: "1 hour" }), Chunk.of)),
  recvChunk: plainly((socket) => Socket.recvChunk(socket, { max: 2 })),
  "recv in a generator": (socket, got) =>
    Effect.gen(function* () {
      got.push(Message.text(yield* Socket.recv(socket)))
    }),
  "three times recv in a generator, with ops between": (socket, got) =>
    Effect.gen(function* () {
      for (let n = 0; n < 3; n++) {
        got.push(Message.text(yield* Socket.recv(socket)))
        yield* spending(n, Effect.void)
      }
    })
}

/** Sends with names that begin with this one, and says which were sent. */
type Send = (socket: Socket.CanSend, name: string, sent: Array<string>) => Effect.Effect<void, Socket.SendError>

const sends: { readonly [name: string]: Send } = {
  send: (socket, name, sent) => Effect.map(Socket.send(socket, name), () => void sent.push(name)),
  "send with a time-out": (socket, name, sent) =>
    Effect.map(Socket.send(socket, name, { timeout: "1 hour" }), () => void sent.push(name)),
  "send in a generator": (socket, name, sent) =>
    Effect.gen(function* () {
      yield* Socket.send(socket, name)
      sent.push(name)
    }),
  "three times send in a generator, with ops between": (socket, name, sent) =>
    Effect.gen(function* () {
      for (let n = 0; n < 3; n++) {
        yield* Socket.send(socket, name + n)
        sent.push(name + n)
        yield* spending(n, Effect.void)
      }
    }),
  "sendAll of two": (socket, name, sent) => {
    const batch = [`${name}a`, `${name}b`]
    return Effect.map(Socket.sendAll(socket, batch), () => void sent.push(...batch))
  }
}

const numbered = (count: number, from = 0): Array<string> => Array.from({ length: count }, (_, n) => String(from + n))

describe.skipIf(elsewhere)("at every phase of the budget, when it is ready at once:", () => {
  for (const [name, receive] of Object.entries(receives)) {
    it.scoped(name, () =>
      Effect.gen(function* () {
        const { left, right } = yield* pair({ left: { recvBuffer: 8192 }, right: { sendBuffer: 8192 } })
        const all = numbered(8000)
        yield* Socket.sendAll(right, all)
        const got: Array<string> = []
        const exits: Array<string> = []
        for (const [phase, turns] of plan) {
          while (!(yield* Socket.isReadable(left))) yield* yields(1)
          const before = got.length
          const exit = yield* interruptedAtPhase(receive(left, got), phase, turns)
          exits.push(exit._tag)
          if (Exit.isSuccess(exit)) expect(got.length).toBeGreaterThan(before)
          expect((yield* left.statistics).received, `phase ${phase}, ${turns} turns`).toBe(got.length)
        }
        both(exits)
        expect(got).toEqual(all.slice(0, got.length))
      }).pipe(Effect.provide(inprocAlone))
    )
  }

  for (const [name, send] of Object.entries(sends)) {
    it.scoped(name, () =>
      Effect.gen(function* () {
        const socket = yield* Pair0.make({ sendBuffer: 8192 })
        const sent: Array<string> = []
        const exits: Array<string> = []
        for (const [phase, turns] of plan) {
          const exit = yield* interruptedAtPhase(send(socket, `${phase}.${turns}.`, sent), phase, turns)
          exits.push(exit._tag)
          expect((yield* socket.statistics).sent, `phase ${phase}, ${turns} turns`).toBe(sent.length)
        }
        both(exits)
        const peer = yield* Pair0.make({ recvBuffer: 8192 })
        yield* marry(peer, socket)
        yield* yields(3 * sent.length)
        expect(yield* drain(peer)).toEqual(sent)
      }).pipe(Effect.provide(inprocAlone))
    )
  }
})

describe.skipIf(elsewhere)("at every phase of the budget, when it has to wait and is woken:", () => {
  const roll = dice(1)
  const [early, late] = [phases.slice(0, -96), critical]
  // in the same tick as the arrival, or some turns later
  const wakings = [
    ...early.map((phase) => [phase, roll(7)] as const),
    ...numbered(7).flatMap((turns) => late.map((phase) => [phase, Number(turns)] as const))
  ]

  for (const [name, receive] of Object.entries(receives)) {
    it.scoped(name, () =>
      Effect.gen(function* () {
        const { left, right } = yield* pair({ left: { recvBuffer: 4 }, right: { sendBuffer: 8 } })
        const got: Array<string> = []
        const exits: Array<string> = []
        let sent = 0
        for (const [phase, turns] of wakings) {
          const fiber = yield* Effect.fork(spending(phase, receive(left, got)))
          yield* yields(3)
          yield* Socket.sendAll(right, numbered(3, sent))
          sent += 3
          yield* yields(turns)
          interruptNow(fiber)
          exits.push((yield* Fiber.await(fiber))._tag)
          yield* yields(3)
          const { received } = yield* left.statistics
          expect(received, `phase ${phase}, ${turns} turns`).toBe(got.length)
          // what it did not take, others get
          while (got.length < sent) yield* receives["recv"]!(left, got)
        }
        both(exits)
        expect(got).toEqual(numbered(sent))
      }).pipe(Effect.provide(inprocAlone))
    )
  }

  for (const [name, send] of Object.entries(sends)) {
    it.scoped(name, () =>
      Effect.gen(function* () {
        const { left, right } = yield* pair()
        const sent: Array<string> = []
        const got: Array<string> = []
        const exits: Array<string> = []
        const receive = receives["recv"]!
        const room = Effect.zipRight(yields(2), Socket.isWritable(right))
        for (const [phase, turns] of wakings) {
          // until it is full
          for (let n = 0; yield* room; n++) yield* sends["send"]!(right, `${phase}.${turns}.before${n}`, sent)
          const before = (yield* right.statistics).sent
          const fiber = yield* Effect.fork(spending(phase, send(right, `${phase}.${turns}.`, sent)))
          yield* yields(3)
          yield* receive(left, got)
          const more = yield* Effect.fork(Effect.forever(receive(left, got)))
          yield* yields(turns)
          interruptNow(fiber)
          const exit = yield* Fiber.await(fiber)
          exits.push(exit._tag)
          yield* yields(3)
          yield* Fiber.interrupt(more)
          const { sent: after } = yield* right.statistics
          if (name.startsWith("sendAll") && Exit.isFailure(exit)) {
            // the first of the two may have gone
            expect(after - before).toBeLessThan(2)
            if (after > before) sent.push(`${phase}.${turns}.a`)
          }
          expect(after, `phase ${phase}, ${turns} turns`).toBe(sent.length)
        }
        both(exits)
        while (got.length < sent.length) yield* receive(left, got)
        expect(got).toEqual(sent)
        expect(yield* drain(left)).toEqual([])
      }).pipe(Effect.provide(inprocAlone))
    )
  }
})

describe.skipIf(elsewhere)("at every phase of the budget, below the socket:", () => {
  it.scoped("pull and send of a connection", () =>
    Effect.gen(function* () {
      const transport = (yield* Transports).get("inproc")!
      const url = yield* Url.parse("inproc://phases")
      const target = { url, protocol: Protocol.pair0, recvMaxSize: 0, options: {} }
      const acceptor = yield* transport.listen(target)
      const accepting = yield* begin(Effect.flatMap(acceptor.accept, ({ handshake }) => handshake))
      const left = yield* transport.dial(target)
      const right = yield* Fiber.join(accepting)
      const got: Array<string> = []
      const pull = Effect.map(Transport.pull(right), (batch) => void got.push(...Array.from(batch, Message.text)))
      const exits: Array<string> = []
      const sent: Array<string> = []
      for (const [phase, turns] of plan) {
        const sending = yield* interruptedAtPhase(
          Transport.send(left, Chunk.of(Message.make(String(phase)))),
          phase,
          turns
        )
        if (Exit.isSuccess(sending)) sent.push(String(phase))
        else
          yield* Transport.send(left, Chunk.of(Message.make(`instead${phase}`))).pipe(
            Effect.map(() => sent.push(`instead${phase}`))
          )
        const pulling = yield* interruptedAtPhase(pull, phase, turns)
        exits.push(sending._tag, pulling._tag)
        if (Exit.isFailure(pulling)) expect(yield* ended(yield* begin(pull)), `phase ${phase}`).toBe(true)
        expect(got.length, `phase ${phase}, ${turns} turns`).toBe(sent.length)
      }
      both(exits)
      expect(got).toEqual(sent)
    }).pipe(Effect.provide(inprocAlone))
  )
})

describe.skipIf(elsewhere)(
  "a generator that loops over what is ready takes no step of the runtime; others get their turn all the same:",
  () => {
    it.scoped("an interruption is heeded within 1024 sends, and those are all there", () =>
      Effect.gen(function* () {
        const socket = yield* Pair0.make({ sendBuffer: 8192 })
        let sent = 0
        const fiber = yield* Effect.fork(
          Effect.gen(function* () {
            for (; sent < 8000; sent++) yield* Socket.send(socket, String(sent))
          })
        )
        yield* Effect.yieldNow()
        expect(Exit.isInterrupted(yield* Fiber.interrupt(fiber))).toBe(true)
        expect(sent).toBeGreaterThan(500)
        expect(sent).toBeLessThanOrEqual(1025)
        expect((yield* socket.statistics).sent).toBe(sent)
        const peer = yield* Pair0.make({ recvBuffer: 8192 })
        yield* marry(peer, socket)
        yield* yields(3 * sent)
        expect(yield* drain(peer)).toEqual(numbered(sent))
      }).pipe(Effect.provide(inprocAlone))
    )

    it.scoped("and within 1024 receives, and the rest is still there", () =>
      Effect.gen(function* () {
        const { left, right } = yield* pair({ left: { recvBuffer: 8192 }, right: { sendBuffer: 8192 } })
        yield* Socket.sendAll(right, numbered(4000))
        yield* yields(8000)
        const got: Array<string> = []
        const fiber = yield* Effect.fork(
          Effect.gen(function* () {
            for (;;) got.push(Message.text(yield* Socket.recv(left)))
          })
        )
        yield* Effect.yieldNow()
        yield* Fiber.interrupt(fiber)
        expect(got.length).toBeGreaterThan(500)
        expect(got.length).toBeLessThanOrEqual(1025)
        expect([...got, ...(yield* drain(left))]).toEqual(numbered(4000))
      }).pipe(Effect.provide(inprocAlone))
    )
  }
)
