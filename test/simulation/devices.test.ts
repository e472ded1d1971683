import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Device from "effect-nng/Device"
import * as Message from "effect-nng/Message"
import * as Pull0 from "effect-nng/Pull0"
import * as Push0 from "effect-nng/Push0"
import * as Rep0 from "effect-nng/Rep0"
import * as Req0 from "effect-nng/Req0"
import * as Socket from "effect-nng/Socket"
import * as TestTransport from "effect-nng/TestTransport"
import { onNetwork } from "../support/simulation.js"
import { headerOf } from "../support/words.js"

/** `NODES=1000` is a thousand, and takes some seconds more. */
const { branches, clients, workers } =
  process.env["NODES"] === "1000"
    ? { branches: 20, clients: 800, workers: 179 }
    : { branches: 6, clients: 160, workers: 33 }

const numbers = (n: number) => Array.from({ length: n }, (_, i) => i)
const urlOf = (level: number, i: number) => `tcp://10.3.${level}.${i}:5555`

/** A device of its own node: clients come to `front`, and what they ask goes to those who are dialed, or dial `back`. */
const device = (name: string, front: string, back: { readonly listen?: string; readonly dial?: string }) =>
  Effect.gen(function* () {
    const clients = yield* TestTransport.on(name)(Rep0.makeRaw({ ttl: 15 }))
    const workers = yield* TestTransport.on(name)(Req0.makeRaw({ reconnectMin: 100 }))
    yield* Socket.listen(clients, front)
    if (back.listen !== undefined) yield* Socket.listen(workers, back.listen)
    if (back.dial !== undefined) yield* Socket.dial(workers, back.dial)
    return { clients, workers, fiber: yield* Effect.forkScoped(Device.run(clients, workers)) }
  })

const noneDropped = (socket: Socket.Socket) =>
  Effect.map(socket.statistics, ({ dropped }) => {
    expect(Object.values(dropped).every((count) => count === 0)).toBe(true)
  })

/** A tree: clients at its leaves, devices at its forks, workers at its root, who share the work. */
const tree = ({ branches, clients, workers }: { branches: number; clients: number; workers: number }) =>
  Effect.gen(function* () {
    yield* TestTransport.latency(TestTransport.everywhere, 2, { jitter: 3 })
    const root = yield* device("root", urlOf(0, 0), { listen: urlOf(0, 1) })
    const answered = new Map<number, number>()
    for (const n of numbers(workers)) {
      const rep = yield* TestTransport.on(`worker${n}`)(Rep0.make())
      yield* Socket.dial(rep, urlOf(0, 1))
      yield* Effect.forkScoped(
        Rep0.serve(rep, (question) =>
          Effect.sync(() => {
            answered.set(n, (answered.get(n) ?? 0) + 1)
            return `${Message.text(question)} by ${n}`
          })
        )
      )
    }
    yield* Socket.awaitPeers(root.workers, workers)
    const forks = yield* Effect.forEach(numbers(branches), (i) =>
      device(`branch${i}`, urlOf(1, i), { dial: urlOf(0, 0) })
    )
    const ask = (n: number) =>
      Effect.gen(function* () {
        const req = yield* TestTransport.on(`client${n}`)(Req0.make())
        yield* Socket.dial(req, urlOf(1, n % branches))
        return Message.text(yield* Req0.request(req, `q${n}`, { timeout: "10 seconds" }))
      })
    const answers = yield* Effect.forEach(numbers(clients), ask, { concurrency: "unbounded" })
    for (const [n, answer] of answers.entries()) expect(answer.startsWith(`q${n} by `)).toBe(true)
    // in turn, as long as each takes more
    expect(answered.size).toBe(Math.min(workers, clients))
    for (const { clients, workers } of [root, ...forks]) yield* Effect.all([noneDropped(clients), noneDropped(workers)])
    return answers
  })

describe("a tree of devices", () => {
  it.effect("brings every answer of shared workers to whoever asked, in the same way for the same seed", () =>
    Effect.gen(function* () {
      const size = { branches: 3, clients: 20, workers: 5 }
      const first = yield* onNetwork(tree(size), { seed: 3 })
      expect(yield* onNetwork(tree(size), { seed: 3 })).toEqual(first)
    })
  )

  it.effect(`of ${clients + workers + branches + 1} nodes does as well`, () =>
    Effect.gen(function* () {
      const answers = yield* onNetwork(tree({ branches, clients, workers }), { seed: 4 })
      expect(answers.length).toBe(clients)
    })
  )
})

describe("a chain of devices", () => {
  it.effect("adds a word to the backtrace at each, and stops what came through too many", () =>
    onNetwork(
      Effect.gen(function* () {
        const length = 4
        const last = yield* TestTransport.on("last")(Rep0.makeRaw({ ttl: length + 1 }))
        yield* Socket.listen(last, urlOf(length, 0))
        for (let at = length - 1; at >= 0; at--) yield* device(`device${at}`, urlOf(at, 0), { dial: urlOf(at + 1, 0) })
        const req = yield* TestTransport.on("first")(Req0.make())
        yield* Socket.dial(req, urlOf(0, 0))
        const asking = yield* Effect.fork(Req0.request(req, "q"))
        const question = yield* Socket.recv(last)
        // those of the devices, its own pipe in front, and the id of the request
        expect(headerOf(question).length).toBe(length + 2)
        yield* Socket.send(last, question)
        expect(Message.text(yield* Fiber.join(asking))).toBe("q")
        yield* Socket.configure(last, { ttl: length })
        yield* Effect.fork(Req0.request(req, "lost"))
        yield* Effect.sleep("1 second")
        expect((yield* last.statistics).dropped.hops).toBe(1)
      })
    )
  )

  it.effect("forwards all of what came in one read, though nothing comes after it", () =>
    onNetwork(
      Effect.gen(function* () {
        const [source, sink] = [yield* Push0.make(), yield* Pull0.make()]
        const into = yield* Pull0.makeRaw()
        const out = yield* Push0.makeRaw()
        yield* Socket.listen(source, urlOf(0, 0))
        yield* Socket.dial(into, urlOf(0, 0))
        yield* Socket.listen(out, urlOf(1, 0))
        yield* Socket.dial(sink, urlOf(1, 0))
        yield* Socket.sendAll(source, numbers(2000).map(String))
        yield* Effect.sleep("1 second")
        yield* Effect.fork(Device.run(into, out))
        yield* Effect.sleep("1 second")
        // nobody has received: what is sent needed nobody's asking
        expect((yield* out.statistics).sent).toBe(2000)
        for (const n of numbers(2000)) expect(Message.text(yield* Socket.recv(sink))).toBe(String(n))
      })
    )
  )

  it.effect("carries back-pressure through, and loses nothing when it comes apart and together again", () =>
    onNetwork(
      Effect.gen(function* () {
        const [source, sink] = [yield* Push0.make(), yield* Pull0.make()]
        const into = yield* Pull0.makeRaw({ reconnectMin: 10 })
        const out = yield* Push0.makeRaw()
        yield* Socket.listen(source, urlOf(0, 0))
        yield* Socket.dial(into, urlOf(0, 0))
        yield* Socket.listen(out, urlOf(1, 0))
        const total = 300
        const big = "x".repeat(10_000)
        const sending = yield* Effect.fork(
          Effect.forEach(numbers(total), (n) => Socket.send(source, `${n} ${big}`), { discard: true })
        )
        const first = yield* Effect.fork(Device.run(into, out))
        yield* Effect.sleep("1 second")
        // nobody takes: the source waits
        expect((yield* source.statistics).sent).toBeLessThan(total)
        yield* Socket.dial(sink, urlOf(1, 0))
        const seen: Array<number> = []
        const take = (count: number) =>
          Effect.repeatN(
            Effect.map(Socket.recv(sink), (message) => void seen.push(Number.parseInt(Message.text(message)))),
            count - 1
          )
        yield* take(100)
        yield* Fiber.interrupt(first)
        yield* Effect.fork(Device.run(out, into))
        yield* take(total - 100)
        yield* Fiber.join(sending)
        expect(seen).toEqual(numbers(total))
        for (const socket of [into, out]) yield* noneDropped(socket)
      })
    )
  )
})
