import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as Aio from "effect-nng/Aio"
import * as Device from "effect-nng/Device"
import * as Dialer from "effect-nng/Dialer"
import * as Errors from "effect-nng/Errors"
import * as InprocTransport from "effect-nng/InprocTransport"
import * as Listener from "effect-nng/Listener"
import * as Message from "effect-nng/Message"
import * as Pair0 from "effect-nng/Pair0"
import * as Pub0 from "effect-nng/Pub0"
import * as Pull0 from "effect-nng/Pull0"
import * as Push0 from "effect-nng/Push0"
import * as Rep0 from "effect-nng/Rep0"
import * as Req0 from "effect-nng/Req0"
import * as Respondent0 from "effect-nng/Respondent0"
import * as Socket from "effect-nng/Socket"
import * as Sub0 from "effect-nng/Sub0"
import * as Surveyor0 from "effect-nng/Surveyor0"
import { counted, failure } from "../support/aios.js"
import { exchange, shout } from "../support/reqrep.js"
import { begin, drain, ended, failing, inproc, interruptedAfter, marry, recvText, settle } from "../support/sockets.js"

/** As a socket whose type nobody knows any more. */
const widened = (socket: Socket.Socket): Socket.Raw => socket as Socket.Raw

const broker = (options: Rep0.RawOptions = {}) =>
  Effect.gen(function* () {
    const clients = yield* Rep0.makeRaw(options)
    const workers = yield* Req0.makeRaw({ reconnectMin: "1 hour" })
    return { clients, workers }
  })

/** Workers, clients, and a device between them, which runs. */
const brokered = Effect.gen(function* () {
  const { clients, workers } = yield* broker()
  yield* Socket.listen(clients, "inproc://clients")
  yield* Socket.listen(workers, "inproc://workers")
  const device = yield* begin(Device.run(clients, workers))
  return { clients, workers, device }
})

const worker = Effect.gen(function* () {
  const rep = yield* Rep0.make()
  yield* Socket.dial(rep, "inproc://workers")
  yield* Effect.forkScoped(Rep0.serve(rep, shout))
  return rep
})

const client = Effect.gen(function* () {
  const req = yield* Req0.make()
  yield* Socket.dial(req, "inproc://clients")
  return req
})

/** A pusher, a device, and a puller. */
const pipeline = (options: { readonly sendBuffer?: number } = {}) =>
  Effect.gen(function* () {
    const [source, into] = [yield* Push0.make(), yield* Pull0.makeRaw()]
    yield* marry(into, source, "inproc://in")
    const out = yield* Push0.makeRaw(options)
    return { source, into, out }
  })

const texts = (n: number): Array<string> => Array.from({ length: n }, (_, i) => String(i))

describe("a device is refused", () => {
  const bothUsable = (left: Socket.CanSend<Errors.EBUSY>, right: Socket.CanSend<Errors.EBUSY>) =>
    Effect.forEach([left, right], (socket) => failing(Socket.send(socket, "x", { nonblocking: true }), "NNG_EAGAIN"))

  it.scoped("[DEV-01] where a socket is cooked, and both stay usable", () =>
    Effect.gen(function* () {
      const [one, other] = [yield* Pair0.make(), yield* Pair0.make()]
      const error = yield* failing(Device.run(widened(one), widened(other)), "NNG_EINVAL")
      expect(error.message).toContain("is not raw")
      yield* failing(Device.run(widened(one)), "NNG_EINVAL")
      yield* failing(Device.run(widened(yield* Req0.makeRaw()), widened(yield* Rep0.make())), "NNG_EINVAL")
      yield* failing(Device.run(widened(yield* Rep0.make()), widened(yield* Req0.makeRaw())), "NNG_EINVAL")
      yield* bothUsable(one, other)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[DEV-04] to one that is not its own peer, and to two that are not each other's", () =>
    Effect.gen(function* () {
      const [req, push] = [yield* Req0.makeRaw(), yield* Push0.makeRaw()]
      yield* failing(Device.run(widened(req)), "NNG_EINVAL")
      const error = yield* failing(Device.run(widened(req), widened(yield* Req0.makeRaw())), "NNG_EINVAL")
      expect(error.message).toContain("req0 (0x0030) and req0 (0x0030) are not each other's peers")
      yield* failing(Device.run(widened(yield* Rep0.makeRaw()), widened(yield* Rep0.makeRaw())), "NNG_EINVAL")
      yield* failing(Device.run(widened(push), widened(req)), "NNG_EINVAL")
      yield* bothUsable(req, push)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[DEV-06] where a socket is closed, or is about to be", () =>
    Effect.gen(function* () {
      const { clients, workers } = yield* broker()
      yield* workers.close
      yield* failing(Device.run(clients, workers), "NNG_ECLOSED")
      yield* failing(Device.run(workers, clients), "NNG_ECLOSED")
      expect(yield* Socket.isWritable(clients)).toBe(true)
      const draining = yield* Req0.makeRaw({ sendBuffer: 1 })
      yield* Socket.send(draining, "x")
      yield* begin(Socket.drain(draining))
      yield* failing(Device.run(clients, draining), "NNG_ECLOSED")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[DEV-14] where another device has a socket, and the other one stays usable", () =>
    Effect.gen(function* () {
      const { clients, device, workers } = yield* brokered
      const third = yield* Req0.makeRaw()
      yield* failing(Device.run(clients, third), "NNG_EBUSY")
      yield* failing(Device.run(yield* Rep0.makeRaw(), workers), "NNG_EBUSY")
      yield* failing(Device.run(clients, workers), "NNG_EBUSY")
      yield* failing(Socket.send(third, "x", { nonblocking: true }), "NNG_EAGAIN")
      yield* Socket.listen(third, "inproc://third")
      expect(yield* ended(device)).toBe(false)
    }).pipe(Effect.provide(inproc))
  )
})

describe("a device", () => {
  it.scoped("[DEV-11] brings each answer to whoever asked", () =>
    Effect.gen(function* () {
      const { clients, workers } = yield* brokered
      yield* worker
      yield* worker
      const requesters = yield* Effect.all([client, client, client])
      for (let round = 0; round < 5; round++) {
        const answers = yield* Effect.forEach(requesters, (req, n) => exchange(req, `q${n}-${round}`), {
          concurrency: "unbounded"
        })
        expect(answers).toEqual([0, 1, 2].map((n) => `Q${n}-${round}`))
      }
      // to the application they are the device's
      for (const socket of [clients, workers]) {
        expect(yield* socket.statistics).toMatchObject({ sent: 15, received: 15 })
      }
    }).pipe(Effect.provide(inproc))
  )

  for (const [order, join] of [
    ["receiving side first", (into: Pull0.Pull0Raw, out: Push0.Push0Raw) => Device.run(into, out)],
    ["sending side first", (into: Pull0.Pull0Raw, out: Push0.Push0Raw) => Device.run(out, into)]
  ] as const) {
    it.scoped(`[DEV-10] goes one way between push and pull, ${order}`, () =>
      Effect.gen(function* () {
        const { into, out, source } = yield* pipeline()
        const sink = yield* Pull0.make()
        yield* marry(out, sink, "inproc://out")
        yield* begin(join(into, out))
        yield* begin(Socket.sendAll(source, texts(600)))
        for (const text of texts(600)) expect(yield* recvText(sink)).toBe(text)
      }).pipe(Effect.provide(inproc))
    )
  }

  it.scoped("[DEV-20] holds back whoever sends until somebody takes, and then all comes in order", () =>
    Effect.gen(function* () {
      const { into, out, source } = yield* pipeline({ sendBuffer: 3 })
      yield* Socket.listen(out, "inproc://out")
      yield* begin(Device.run(into, out))
      const sending = yield* begin(Socket.sendAll(source, texts(50)))
      expect(yield* ended(sending)).toBe(false)
      expect((yield* out.statistics).sent).toBe(3)
      const sink = yield* Pull0.make()
      yield* Socket.dial(sink, "inproc://out")
      for (const text of texts(50)) expect(yield* recvText(sink)).toBe(text)
      yield* Fiber.join(sending)
      for (const socket of [source, into, out, sink]) {
        expect(Object.values((yield* socket.statistics).dropped).every((count) => count === 0)).toBe(true)
      }
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[DEV-18] pays no heed to the time-outs of its sockets", () =>
    Effect.gen(function* () {
      const clients = yield* Rep0.makeRaw({ recvTimeout: 20, sendTimeout: 20 })
      const workers = yield* Req0.makeRaw({ recvTimeout: 20, sendTimeout: 20 })
      yield* Socket.listen(clients, "inproc://clients")
      yield* Socket.listen(workers, "inproc://workers")
      const device = yield* begin(Device.run(clients, workers))
      const asking = yield* begin(Effect.flatMap(client, (req) => exchange(req, "q")))
      yield* TestClock.adjust(100)
      expect(yield* ended(device)).toBe(false)
      yield* worker
      expect(yield* Fiber.join(asking)).toBe("Q")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("lets timers run while messages never end", () =>
    Effect.gen(function* () {
      // two that reflect to each other
      const [left, right] = [yield* Pair0.makeRaw(), yield* Pair0.makeRaw()]
      yield* marry(left, right)
      yield* Socket.send(left, "for ever")
      const devices = yield* Effect.forEach([left, right], (socket) => Effect.forkScoped(Device.run(socket)))
      for (let turns = 0; turns < 20; turns++) yield* settle
      expect((yield* left.statistics).sent).toBeGreaterThan(1)
      yield* Fiber.interruptAll(devices)
    }).pipe(Effect.provide(InprocTransport.layer))
  )
})

describe("a socket that a device has", () => {
  it.scoped("[DEV-13] is busy, and can be asked what it is", () =>
    Effect.gen(function* () {
      const { clients, device, workers } = yield* brokered
      yield* failing(Socket.send(clients, "x"), "NNG_EBUSY")
      yield* failing(Socket.sendAll(workers, ["x"]), "NNG_EBUSY")
      yield* failing(Socket.recv(clients), "NNG_EBUSY")
      yield* failing(Socket.recvChunk(workers), "NNG_EBUSY")
      yield* failing(Socket.recv(workers, { nonblocking: true }), "NNG_EBUSY")
      yield* failing(Socket.dial(workers, "inproc://x"), "NNG_EBUSY")
      yield* failing(Socket.listen(clients, "inproc://x"), "NNG_EBUSY")
      yield* failing(Dialer.make(workers, "inproc://x"), "NNG_EBUSY")
      yield* failing(Listener.make(clients, "inproc://x"), "NNG_EBUSY")
      yield* failing(Socket.configure(clients, { ttl: 3 }), "NNG_EBUSY")
      yield* failing(Socket.setBeforeAttach(clients, undefined), "NNG_EBUSY")
      yield* failing(Socket.drain(workers), "NNG_EBUSY")
      yield* failing(clients.close, "NNG_EBUSY")
      yield* failing(workers.close, "NNG_EBUSY")
      expect(yield* Socket.isWritable(clients)).toBe(false)
      expect(yield* Socket.isReadable(clients)).toBe(false)
      expect([clients.protocol.name, clients.raw, (yield* Socket.settings(clients)).ttl]).toEqual(["rep", true, 8])
      // none of which did any harm
      yield* worker
      expect(yield* exchange(yield* client, "q")).toBe("Q")
      expect(yield* ended(device)).toBe(false)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("turns away who waited, and leaves a batch where it was", () =>
    Effect.gen(function* () {
      const { into, out, source } = yield* pipeline({ sendBuffer: 2 })
      const receiving = yield* begin(Socket.recv(into))
      const sending = yield* begin(Socket.sendAll(out, ["1", "2", "3"]))
      const device = yield* begin(Device.run(into, out))
      yield* failing(Fiber.join(receiving), "NNG_EBUSY")
      yield* failing(Fiber.join(sending), "NNG_EBUSY")
      yield* Socket.send(source, "4")
      yield* Fiber.interrupt(device)
      const sink = yield* Pull0.make()
      yield* marry(out, sink, "inproc://out")
      expect([...(yield* drain(sink)), ...(yield* drain(into))]).toEqual(["1", "2", "4"])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("turns away who was woken before, and takes what that one had not", () =>
    Effect.gen(function* () {
      const { into, out, source } = yield* pipeline({ sendBuffer: 2 })
      const receiving = yield* begin(Socket.recv(into))
      yield* Socket.send(source, "1")
      // it has not run yet
      const device = yield* begin(Device.run(into, out))
      const exit = yield* Fiber.await(receiving)
      const received = Exit.isSuccess(exit) ? [Message.text(exit.value)] : []
      yield* settle
      yield* Fiber.interrupt(device)
      expect(received.length + (yield* out.statistics).sent).toBe(1)
    }).pipe(Effect.provide(inproc))
  )
})

describe("the end of a device", () => {
  it.scoped("[DEV-16] leaves its sockets open, and with what is theirs", () =>
    Effect.gen(function* () {
      const { into, out, source } = yield* pipeline({ sendBuffer: 2 })
      const device = yield* begin(Device.run(into, out))
      yield* begin(Socket.sendAll(source, texts(5)))
      yield* Fiber.interrupt(device)
      const sink = yield* Pull0.make()
      yield* marry(out, sink, "inproc://out")
      yield* Socket.send(out, "own")
      expect(yield* drain(sink)).toEqual(["0", "1", "own"])
      expect(yield* recvText(into)).toBe("2")
      yield* begin(Device.run(out, into))
      expect(yield* drain(sink)).toEqual(["3", "4"])
      for (const socket of [into, out]) {
        expect(Object.values((yield* socket.statistics).dropped).every((count) => count === 0)).toBe(true)
      }
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("lets its sockets be closed", () =>
    Effect.gen(function* () {
      const { clients, device, workers } = yield* brokered
      yield* Fiber.interrupt(device)
      yield* clients.close
      yield* workers.close
      yield* failing(clients.close, "NNG_ECLOSED")
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[DEV-17] comes with that of a socket, whose scope has ended", () =>
    Effect.gen(function* () {
      for (const which of [0, 1] as const) {
        const scope = yield* Scope.make()
        const home = yield* Effect.scope
        const rep = yield* Scope.extend(Rep0.makeRaw(), which === 0 ? scope : home)
        const req = yield* Scope.extend(Req0.makeRaw(), which === 1 ? scope : home)
        const device = yield* begin(Device.run(rep, req))
        yield* Scope.close(scope, Exit.void)
        yield* failing(Fiber.join(device), "NNG_ECLOSED")
        const [closed, free] = which === 0 ? [rep, req] : [req, rep]
        yield* failing(closed.close, "NNG_ECLOSED")
        yield* free.close
      }
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("by interruption, wherever that comes, neither loses nor doubles a message", () =>
    Effect.gen(function* () {
      const { into, out, source } = yield* pipeline({ sendBuffer: 100 })
      const sink = yield* Pull0.make()
      yield* marry(out, sink, "inproc://out")
      let sent = 0
      for (let ops = 0; ops < 120; ops++) {
        yield* begin(Socket.sendAll(source, [String(sent), String(sent + 1)]))
        sent += 2
        const exit = yield* interruptedAfter(Device.run(into, out), ops, ops % 5)
        expect(Exit.isFailure(exit) && Cause.isInterruptedOnly(exit.cause)).toBe(true)
      }
      yield* begin(Device.run(into, out))
      expect(yield* drain(sink)).toEqual(texts(sent))
    }).pipe(Effect.provide(inproc))
  )
})

describe("a device on an aio", () => {
  const onAio = (options?: { readonly timeout?: number }) =>
    Effect.gen(function* () {
      const { clients, workers } = yield* broker()
      yield* Socket.listen(clients, "inproc://clients")
      yield* Socket.listen(workers, "inproc://workers")
      const { aio, results } = yield* counted(options)
      const pending = yield* Device.runAio(aio, clients, workers)
      yield* settle
      yield* failing(Socket.send(clients, "x"), "NNG_EBUSY")
      return { clients, workers, aio, results, pending }
    })

  it.scoped("[DEV-12] ends when that is cancelled", () =>
    Effect.gen(function* () {
      const { aio, clients, pending, results } = yield* onAio()
      yield* worker
      expect(yield* exchange(yield* client, "q")).toBe("Q")
      yield* failing(Device.runAio(aio, yield* Pair0.makeRaw()), "NNG_EBUSY")
      yield* Aio.cancel(aio)
      yield* failing(pending, "NNG_ECANCELED")
      expect(results).toMatchObject([failure("NNG_ECANCELED")])
      yield* clients.close
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("[DEV-19] ends with what it is aborted with, and when its time is over", () =>
    Effect.gen(function* () {
      const { aio, clients, pending, workers } = yield* onAio({ timeout: 50 })
      yield* TestClock.adjust(49)
      yield* failing(clients.close, "NNG_EBUSY")
      yield* TestClock.adjust(1)
      yield* failing(pending, "NNG_ETIMEDOUT")
      yield* Aio.setTimeout(aio, undefined)
      const again = yield* Device.runAio(aio, clients, workers)
      yield* settle
      yield* Aio.abort(aio, new Errors.EPROTO())
      yield* failing(again, "NNG_EPROTO")
      yield* Effect.all([clients.close, workers.close])
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("is refused there", () =>
    Effect.gen(function* () {
      const { aio, results } = yield* counted()
      yield* Device.runAio(aio, widened(yield* Rep0.makeRaw()), widened(yield* Rep0.makeRaw()))
      yield* Aio.wait(aio)
      expect(results).toMatchObject([failure("NNG_EINVAL")])
    }).pipe(Effect.provide(inproc))
  )
})

describe("a device of publishers and subscribers", () => {
  for (const order of ["receiving side first", "sending side first"] as const) {
    it.scoped(`[DEV-10] goes from the publishers to the subscribers, ${order}`, () =>
      Effect.gen(function* () {
        const [pub, into] = [yield* Pub0.make(), yield* Sub0.makeRaw()]
        const [out, sub] = [yield* Pub0.makeRaw(), yield* Sub0.make()]
        yield* marry(into, pub, "inproc://in")
        yield* marry(out, sub, "inproc://out")
        yield* Sub0.addTopic(sub, "a")
        const device = yield* begin(order === "receiving side first" ? Device.run(into, out) : Device.run(out, into))
        for (const text of ["a1", "b1", "a2"]) {
          yield* Socket.send(pub, text)
          yield* settle
        }
        expect(yield* drain(sub)).toEqual(["a1", "a2"])
        expect(yield* ended(device)).toBe(false)
      }).pipe(Effect.provide(inproc))
    )
  }
})

describe("a device that reflects", () => {
  it.scoped("gives its only peer everything back, and goes on with the next when that has left", () =>
    Effect.gen(function* () {
      const raw = yield* Pair0.makeRaw()
      const first = yield* Pair0.make()
      yield* marry(raw, first, "inproc://mirror")
      const device = yield* begin(Device.run(raw))
      yield* Socket.send(first, "ping")
      yield* Socket.send(first, "pong")
      expect([yield* recvText(first), yield* recvText(first)]).toEqual(["ping", "pong"])
      yield* begin(Socket.sendAll(first, texts(20)))
      yield* first.close
      yield* settle
      const second = yield* Pair0.make()
      yield* Socket.dial(second, "inproc://mirror")
      yield* Socket.awaitPeers(raw, 1)
      yield* drain(second)
      yield* Socket.send(second, "mine")
      expect(yield* drain(second)).toEqual(["mine"])
      yield* Fiber.interrupt(device)
    }).pipe(Effect.provide(inproc))
  )

  it.scoped("takes new peers on both sides where each lost its own with messages unread", () =>
    Effect.gen(function* () {
      const [left, right] = [yield* Pair0.makeRaw(), yield* Pair0.makeRaw()]
      const ends = [yield* Pair0.make(), yield* Pair0.make()] as const
      yield* marry(left, ends[0], "inproc://left")
      yield* marry(right, ends[1], "inproc://right")
      yield* begin(Device.run(left, right))
      // until nothing goes any more, both ways
      for (const end of ends) yield* begin(Socket.sendAll(end, texts(50)))
      for (const end of ends) yield* end.close
      yield* settle
      const again = [yield* Pair0.make(), yield* Pair0.make()] as const
      yield* Socket.dial(again[0], "inproc://left")
      yield* Socket.dial(again[1], "inproc://right")
      yield* Effect.forEach(again, (end) => Socket.awaitPeers(end, 1))
      yield* Effect.forEach(again, drain)
      yield* Socket.send(again[0], "new")
      expect(yield* drain(again[1])).toEqual(["new"])
    }).pipe(Effect.provide(inproc))
  )
})

describe("a device of surveyors and respondents", () => {
  it.scoped("brings each survey to all, and each answer back", () =>
    Effect.gen(function* () {
      const [front, back] = [yield* Respondent0.makeRaw(), yield* Surveyor0.makeRaw()]
      const surveyor = yield* Surveyor0.make()
      yield* marry(front, surveyor, "inproc://front")
      yield* Socket.listen(back, "inproc://back")
      const respondents = [yield* Respondent0.make(), yield* Respondent0.make()]
      for (const respondent of respondents) yield* Socket.dial(respondent, "inproc://back")
      yield* Socket.awaitPeers(back, 2)
      yield* settle
      yield* begin(Device.run(front, back))
      yield* Socket.send(surveyor, "who")
      for (const [n, respondent] of respondents.entries()) {
        expect(yield* recvText(respondent)).toBe("who")
        yield* Socket.send(respondent, `I, ${n}`)
        yield* settle
      }
      expect([yield* recvText(surveyor), yield* recvText(surveyor)].sort()).toEqual(["I, 0", "I, 1"])
    }).pipe(Effect.provide(inproc))
  )
})
