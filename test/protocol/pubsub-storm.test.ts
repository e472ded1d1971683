import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Message from "effect-nng/Message"
import * as Pub0 from "effect-nng/Pub0"
import * as Socket from "effect-nng/Socket"
import * as SocketContext from "effect-nng/SocketContext"
import * as Sub0 from "effect-nng/Sub0"
import * as TestTransport from "effect-nng/TestTransport"
import { forSeeds, inprocAlone } from "../support/laws.js"
import { settle } from "../support/sockets.js"
import { total } from "../support/storm.js"

const topics = ["a", "b", "ab"]

/** Somebody who hears: a socket, or a context of one. */
interface Hearer {
  readonly recv: Effect.Effect<Message.Message, unknown>
  readonly self: Sub0.Sub0 | Sub0.Context
  readonly topic: string
  readonly heard: Array<string>
  readonly waiting: Set<Fiber.RuntimeFiber<void, unknown>>
}

const networks = [
  ["inproc", inprocAlone, "inproc://storm"],
  ["bytes", TestTransport.layer({ printOnFailure: false }), "tcp://10.0.0.1:5555"]
] as const

describe("pub and sub, whatever their receivers do", () => {
  for (const [name, network, url] of networks) {
    it.effect(`over ${name}: what was published for each is heard once, in order, or counted; no wait is left`, () =>
      forSeeds(8, (roll) =>
        Effect.gen(function* () {
          const pub = yield* Pub0.make({ sendBuffer: 1 + roll(4) })
          yield* Socket.listen(pub, url)
          const subs = yield* Effect.replicateEffect(
            Sub0.make({ recvBuffer: 1 + roll(4), preferNew: roll(2) === 0 }),
            3
          )
          const hearers: Array<Hearer> = []
          for (const sub of subs) {
            yield* Socket.dial(sub, url)
            const context = yield* SocketContext.make(sub)
            for (const [self, recv] of [
              [sub, Socket.recv(sub)],
              [context, SocketContext.recv(context)]
            ] as const) {
              const topic = topics[roll(3)]!
              yield* Sub0.subscribe(self, topic)
              hearers.push({ recv, self, topic, heard: [], waiting: new Set() })
            }
          }
          yield* Socket.awaitPeers(pub, subs.length)
          yield* settle
          const published: Array<string> = []
          for (let step = 0; step < 120; step++) {
            const hearer = hearers[roll(hearers.length)]!
            const what = roll(6)
            if (what < 3) {
              const burst = Array.from({ length: 1 + roll(4) }, (_, n) => `${topics[roll(3)]} ${published.length + n}`)
              published.push(...burst)
              yield* Socket.sendAll(pub, burst)
            } else if (what === 3) {
              const fiber = yield* Effect.fork(
                Effect.map(hearer.recv, (message) => void hearer.heard.push(Message.text(message)))
              )
              hearer.waiting.add(fiber)
            } else if (what === 4) {
              const [fiber] = hearer.waiting
              if (fiber === undefined) continue
              hearer.waiting.delete(fiber)
              yield* Fiber.interrupt(fiber)
            } else {
              yield* settle
            }
          }
          yield* settle
          yield* Socket.drain(pub)
          yield* settle
          // every wait ends, once, with a message or with its socket
          const left = yield* Effect.forEach(subs, (sub) => Effect.zipRight(sub.close, sub.statistics))
          for (const { waiting } of hearers) {
            for (const fiber of waiting) {
              const exit = yield* Fiber.await(fiber)
              if (Exit.isFailure(exit)) expect(exit.cause).toMatchObject({ error: { _tag: "NNG_ECLOSED" } })
            }
          }
          const { dropped } = yield* pub.statistics
          const wanted = hearers.map(({ topic }) => published.filter((text) => text.startsWith(topic)))
          for (const [n, { heard }] of hearers.entries()) {
            const places = heard.map((text) => wanted[n]!.indexOf(text))
            expect(places).toEqual([...new Set(places)].filter((at) => at >= 0).sort((a, b) => a - b))
          }
          const received = hearers.reduce((sum, { heard }) => sum + heard.length, 0)
          const lost = left.reduce((sum, { dropped }) => sum + total(dropped), 0)
          const owed = wanted.reduce((sum, texts) => sum + texts.length, 0)
          // what the publisher dropped nobody knows the topic of, nor how many of a socket would have wanted it
          expect(received + lost).toBeLessThanOrEqual(owed)
          expect(owed - received - lost).toBeLessThanOrEqual(2 * total(dropped))
          expect(left.reduce((sum, { received }) => sum + received, 0)).toBe(received)
        }).pipe(Effect.scoped, Effect.provide(network))
      )
    )
  }
})
