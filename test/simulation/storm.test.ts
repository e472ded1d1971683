import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import * as Message from "effect-nng/Message"
import * as Pair0 from "effect-nng/Pair0"
import * as Rep0 from "effect-nng/Rep0"
import * as Req0 from "effect-nng/Req0"
import * as Socket from "effect-nng/Socket"
import * as TestTransport from "effect-nng/TestTransport"
import { shout } from "../support/reqrep.js"
import { eventsOf, onNetwork } from "../support/simulation.js"

const numbers = (n: number) => Array.from({ length: n }, (_, i) => i)
const urlOf = (i: number) => `tcp://10.2.0.${i}:5555`

/** What a client may see of a network where others come and go. */
const allowed = new Set(["NNG_ETIMEDOUT", "NNG_ESTATE", "NNG_ECANCELED", "NNG_ECLOSED"])

/** Asks until time is up, closing and opening its socket at random; gives how many answers it had in each of its lives. */
const client = (name: string, services: number, until: number) =>
  Effect.gen(function* () {
    let answers = 0
    const clock = yield* Effect.clock
    while (clock.unsafeCurrentTimeMillis() < until) {
      const scope = yield* Scope.make()
      const req = yield* Scope.extend(Req0.make({ reconnectMin: 50, recvTimeout: 200, sendTimeout: 200 }), scope)
      for (const i of numbers(services)) {
        yield* Scope.extend(TestTransport.on(name)(Socket.dial(req, urlOf(i), { nonblocking: true })), scope)
      }
      const closing = yield* Effect.fork(
        Effect.zipRight(Effect.sleep(yield* Random.nextIntBetween(20, 400)), Scope.close(scope, Exit.void))
      )
      for (let open = true; open;) {
        const asked = yield* Effect.either(
          Effect.zipRight(Socket.send(req, name), Effect.map(Socket.recv(req), Message.text))
        )
        if (asked._tag === "Right") {
          expect(asked.right).toBe(name.toUpperCase())
          answers++
        } else {
          expect(allowed).toContain(asked.left._tag)
          open = asked.left._tag !== "NNG_ECLOSED"
        }
        yield* Effect.sleep(yield* Random.nextIntBetween(1, 50))
      }
      yield* closing
    }
    return answers
  })

describe("clients that come and go", () => {
  it.effect("[ALL-21] see nothing but answers, time-outs, and ends of their own, and all make progress", () =>
    onNetwork(
      Effect.gen(function* () {
        const [services, clients] = [8, 12]
        yield* TestTransport.latency(TestTransport.everywhere, 1, { jitter: 5 })
        for (const i of numbers(services)) {
          const rep = yield* TestTransport.on(`service${i}`)(Rep0.make())
          yield* Socket.listen(rep, urlOf(i))
          yield* Effect.forkScoped(Rep0.serve(rep, shout))
        }
        const answers = yield* Effect.forEach(
          numbers(clients),
          (n) => Effect.withRandom(client(`client${n}`, services, 500), Random.make(n)),
          { concurrency: "unbounded" }
        )
        expect(Math.min(...answers)).toBeGreaterThan(0)
      }),
      { seed: 21 }
    )
  )

  it.effect("[SOCK-28] two hundred of them are answered one after another", () =>
    onNetwork(
      Effect.gen(function* () {
        const rep = yield* Rep0.make()
        yield* Socket.listen(rep, urlOf(0))
        yield* Effect.forkScoped(Rep0.serve(rep, shout))
        for (const n of numbers(200)) {
          const req = yield* Req0.make({ recvTimeout: 100, sendTimeout: 100 })
          yield* Socket.dial(req, urlOf(0))
          yield* Socket.send(req, `q${n}`)
          expect(Message.text(yield* Socket.recv(req))).toBe(`Q${n}`)
        }
        expect((yield* rep.statistics).pipes).toBe(200)
      })
    )
  )

  it.effect(
    "[SOCK-29] ten that ask every 50 ms are answered by one that never waits, and all ends with the sockets",
    () =>
      onNetwork(
        Effect.gen(function* () {
          const rep = yield* Rep0.make()
          yield* Socket.listen(rep, urlOf(0))
          const polling = yield* Effect.fork(
            Effect.forever(
              Effect.gen(function* () {
                while (yield* Socket.isReadable(rep)) {
                  const request = yield* Socket.recv(rep, { nonblocking: true })
                  yield* Socket.send(rep, request, { nonblocking: true })
                }
                yield* Effect.sleep(10)
                if ((yield* Effect.clock).unsafeCurrentTimeMillis() > 3000) yield* rep.close
              })
            )
          )
          const asking = numbers(10).map((n) =>
            Effect.gen(function* () {
              const req = yield* Req0.make({ recvTimeout: 1000 })
              yield* Socket.dial(req, urlOf(0))
              for (let asked = 0; asked < 40; asked++) {
                yield* Socket.send(req, `${n}-${asked}`)
                expect(Message.text(yield* Socket.recv(req))).toBe(`${n}-${asked}`)
                yield* Effect.sleep(50)
              }
            })
          )
          yield* Effect.all(asking, { concurrency: "unbounded" })
          const exit = yield* polling
          return yield* Effect.dieMessage(String(exit))
        }).pipe(Effect.catchTag("NNG_ECLOSED", () => Effect.void))
      )
  )
})

describe("a listener with a limit", () => {
  it.effect("[ALL-22] takes what is within, cuts off who sends more, and is dialed again", () =>
    onNetwork(
      Effect.gen(function* () {
        const listening = yield* TestTransport.on("here")(Pair0.make({ recvMaxSize: 10 }))
        const dialing = yield* TestTransport.on("there")(Pair0.make({ reconnectMin: 10 }))
        yield* Socket.listen(listening, urlOf(0))
        yield* Socket.dial(dialing, urlOf(0))
        yield* Socket.send(dialing, "0123456789")
        yield* Socket.send(dialing, "0123456789x")
        expect(Message.text(yield* Socket.recv(listening))).toBe("0123456789")
        expect((yield* Effect.flip(Socket.recv(listening, { timeout: 1000 })))._tag).toBe("NNG_ETIMEDOUT")
        yield* Socket.awaitPeers(dialing, 1)
        expect((yield* eventsOf("Accepted")).length).toBe(2)
        yield* Socket.send(dialing, "again")
        expect(Message.text(yield* Socket.recv(listening))).toBe("again")
      })
    )
  )
})
