import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import type * as Errors from "effect-nng/Errors"
import * as Message from "effect-nng/Message"
import * as Pair0 from "effect-nng/Pair0"
import * as Rep0 from "effect-nng/Rep0"
import * as Req0 from "effect-nng/Req0"
import * as Respondent0 from "effect-nng/Respondent0"
import * as Socket from "effect-nng/Socket"
import * as Surveyor0 from "effect-nng/Surveyor0"
import * as TestTransport from "effect-nng/TestTransport"
import type { Transports } from "effect-nng/Transport"
import { shout } from "../support/reqrep.js"
import { eventsOf, onNetwork } from "../support/simulation.js"

const numbers = (n: number) => Array.from({ length: n }, (_, i) => i)
const urlOf = (i: number) => `tcp://10.2.0.${i}:5555`

/** What a client may see of a network where others come and go. */
const allowed = new Set(["NNG_ETIMEDOUT", "NNG_ESTATE", "NNG_ECANCELED", "NNG_ECLOSED"])

type Asking = Socket.CanSend<Socket.StateError> & Socket.CanRecv<Socket.StateError>

interface Kind {
  readonly name: string
  readonly asking: Effect.Effect<Asking, Errors.EINVAL, Scope.Scope | Transports>
  /** A socket that answers until its scope ends. */
  readonly answering: Effect.Effect<Socket.Socket, Errors.EINVAL, Scope.Scope | Transports>
}

const patience = { reconnectMin: 50, recvTimeout: 200, sendTimeout: 200 }

const kinds: ReadonlyArray<Kind> = [
  {
    name: "req and rep",
    asking: Req0.make(patience),
    answering: Effect.tap(Rep0.make(patience), (rep) => Effect.forkScoped(Rep0.serve(rep, shout)))
  },
  {
    name: "surveyor and respondent",
    asking: Surveyor0.make({ ...patience, surveyTime: 200 }),
    answering: Effect.tap(Respondent0.make(patience), (respondent) =>
      Effect.forkScoped(Respondent0.serve(respondent, shout))
    )
  }
]

/** One question after the other until the socket is closed, or time is up; gives how many answers there were. */
const askAll = (socket: Asking, name: string, until = Infinity) =>
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    for (let answers = 0; ;) {
      const asked = yield* Effect.either(
        Effect.zipRight(Socket.send(socket, name), Effect.map(Socket.recv(socket), Message.text))
      )
      if (Either.isRight(asked)) {
        expect(asked.right).toBe(name.toUpperCase())
        answers++
      } else {
        expect(allowed).toContain(asked.left._tag)
        if (asked.left._tag === "NNG_ECLOSED") return answers
      }
      if (clock.unsafeCurrentTimeMillis() > until) return answers
      yield* Effect.sleep(yield* Random.nextIntBetween(1, 50))
    }
  })

/** Lives of random length, one after the other, until time is up; `live` begins one. */
const comeAndGo = <A, R>(until: number, live: (scope: Scope.Scope) => Effect.Effect<A, unknown, R>) =>
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    const lives: Array<A> = []
    while (clock.unsafeCurrentTimeMillis() < until) {
      const scope = yield* Scope.make()
      const closing = yield* Effect.fork(
        Effect.zipRight(Effect.sleep(yield* Random.nextIntBetween(20, 400)), Scope.close(scope, Exit.void))
      )
      lives.push(yield* live(scope))
      yield* closing
    }
    return lives
  })

const dialAll = (socket: Socket.Socket, name: string, services: number) =>
  Effect.forEach(numbers(services), (i) => TestTransport.on(name)(Socket.dial(socket, urlOf(i), { nonblocking: true })))

const [services, clients, until] = [8, 16, 1500]

const storm = <A, E, R>(
  name: (n: number) => string,
  one: (name: string, n: number) => Effect.Effect<A, E, R>,
  n: number
) => Effect.forEach(numbers(n), (i) => Effect.withRandom(one(name(i), i), Random.make(i)), { concurrency: "unbounded" })

describe("clients that come and go", () => {
  for (const { answering, asking, name } of kinds) {
    it.effect(`[ALL-21] see nothing but answers, time-outs, and ends of their own, and make progress: ${name}`, () =>
      onNetwork(
        Effect.gen(function* () {
          yield* TestTransport.latency(TestTransport.everywhere, 1, { jitter: 5 })
          for (const i of numbers(services)) {
            yield* Socket.listen(yield* TestTransport.on(`service${i}`)(answering), urlOf(i))
          }
          const client = (name: string) =>
            comeAndGo(until, (scope) =>
              Effect.gen(function* () {
                const socket = yield* Scope.extend(asking, scope)
                yield* Scope.extend(dialAll(socket, name, services), scope)
                return yield* askAll(socket, name)
              })
            )
          const answers = yield* storm((n) => `client${n}`, client, clients)
          for (const lives of answers) expect(lives.reduce((sum, life) => sum + life, 0)).toBeGreaterThan(0)
        }),
        { seed: 21 }
      )
    )

    it.effect(`[ALL-21] answer all the same, whoever is there: ${name}, dialed the other way`, () =>
      onNetwork(
        Effect.gen(function* () {
          yield* TestTransport.latency(TestTransport.everywhere, 1, { jitter: 5 })
          const asked = yield* Effect.forEach(numbers(services), (i) =>
            Effect.gen(function* () {
              const socket = yield* TestTransport.on(`service${i}`)(asking)
              yield* Socket.listen(socket, urlOf(i))
              return yield* Effect.fork(Effect.withRandom(askAll(socket, `service${i}`, until), Random.make(100 + i)))
            })
          )
          const client = (name: string) =>
            comeAndGo(until, (scope) =>
              Effect.gen(function* () {
                const socket = yield* Scope.extend(answering, scope)
                yield* Scope.extend(dialAll(socket, name, services), scope)
              })
            )
          yield* storm((n) => `client${n}`, client, clients)
          for (const fiber of asked) expect(yield* fiber).toBeGreaterThan(0)
        }),
        { seed: 22 }
      )
    )
  }

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
