import { describe, expect } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Errors from "effect-nng/Errors"
import * as Pair0 from "effect-nng/Pair0"
import * as Socket from "effect-nng/Socket"
import * as TestTransport from "effect-nng/TestTransport"
import { record } from "../support/peers.js"
import { recvText } from "../support/sockets.js"
import {
  begin,
  client,
  connect,
  drain,
  ended,
  eventsOf,
  exchange,
  listening,
  seen,
  server,
  settle,
  simulated,
  timing,
  url
} from "../support/simulation.js"

const { crash, everywhere, restart, run } = TestTransport

/** Says back what it hears, for ever. */
const echo = Effect.gen(function* () {
  const socket = yield* Pair0.make()
  yield* Socket.listen(socket, url)
  for (;;) yield* Effect.flatMap(Socket.recv(socket), (message) => Socket.send(socket, message))
})

describe("a crash", () => {
  simulated("resets connections, both as seen there and by peers, and dials are refused", () =>
    Effect.gen(function* () {
      const listener = yield* listening()
      const ends = yield* connect(listener)
      const own = yield* Effect.fork(ends.accepted.closed)
      const accepting = yield* begin(Effect.flip(listener.accept))
      yield* crash(server)
      expect(yield* ends.dialing.closed).toMatchObject({ _tag: "NNG_ECONNRESET" })
      expect(yield* Fiber.join(own)).toMatchObject({ _tag: "NNG_ECONNRESET" })
      expect(yield* Fiber.join(accepting)).toMatchObject({ _tag: "NNG_ECLOSED" })
      expect(yield* Effect.flip(TestTransport.dial(url, { node: client }))).toMatchObject({ _tag: "NNG_ECONNREFUSED" })
      // up again, and nobody listens
      yield* restart(server)
      expect(yield* Effect.flip(TestTransport.dial(url, { node: client }))).toMatchObject({ _tag: "NNG_ECONNREFUSED" })
      yield* connect(yield* listening())
    })
  )

  simulated("lets what was on its way arrive before the reset; a silent one lets nothing", () =>
    Effect.gen(function* () {
      for (const silent of [false, true]) {
        const { accepted, dialing } = yield* connect(yield* listening())
        yield* TestTransport.latency(everywhere, 100)
        yield* accepted.write("last words")
        yield* crash(server, { silent })
        expect(yield* seen(dialing)).toMatchObject(
          silent ? { text: "", end: undefined } : { text: "last words", end: "NNG_ECONNRESET" }
        )
        yield* restart(server)
        yield* TestTransport.heal()
      }
    })
  )

  simulated("that is silent is seen by nobody, until the node is up again and somebody sends", () =>
    Effect.gen(function* () {
      const { dialing: talker } = yield* connect(yield* listening())
      const other = yield* connect(yield* listening("tcp://10.0.0.1:6666"), "third")
      yield* crash(server, { silent: true })
      yield* talker.write("anybody?")
      yield* Effect.sleep("1 hour")
      expect(yield* seen(talker)).toMatchObject({ text: "", end: undefined })
      const [error, took] = yield* timing(Effect.flip(TestTransport.dial(url, { node: client })))
      expect([error._tag, took]).toEqual(["NNG_ETIMEDOUT", 127_000])
      // what was not answered is sent again
      yield* restart(server)
      expect(yield* seen(talker)).toMatchObject({ end: "NNG_ECONNRESET", millis: 0 })
      expect(yield* seen(other.dialing)).toMatchObject({ end: undefined })
      yield* other.dialing.write("now?")
      expect(yield* seen(other.dialing)).toMatchObject({ end: "NNG_ECONNRESET" })
      expect(yield* Effect.flip(TestTransport.dial(url, { node: client }))).toMatchObject({ _tag: "NNG_ECONNREFUSED" })
    })
  )

  simulated("that is silent lets a writer wait for room, and is a reset when the node is up again", () =>
    Effect.gen(function* () {
      const { dialing } = yield* connect(yield* listening())
      yield* TestTransport.limitBuffer(everywhere, 10)
      yield* dialing.write("0123456789")
      yield* settle
      yield* crash(server, { silent: true })
      const writing = yield* begin(Effect.flip(Effect.forever(dialing.write("0123456789"))))
      yield* Effect.sleep("1 hour")
      expect(yield* ended(writing)).toBe(false)
      yield* TestTransport.heal()
      expect(yield* ended(writing)).toBe(false)
      yield* restart(server)
      expect(yield* Fiber.join(writing)).toMatchObject({ _tag: "NNG_ECONNRESET" })
    })
  )

  simulated("that is silent is so for connections that it had closed before, too", () =>
    Effect.gen(function* () {
      const { accepted, dialing } = yield* connect(yield* listening())
      yield* TestTransport.blackHole(TestTransport.toward(server, client))
      yield* accepted.end
      yield* crash(server, { silent: true })
      yield* dialing.write("anybody?")
      yield* TestTransport.heal()
      yield* Effect.sleep(1)
      expect(yield* seen(dialing)).toMatchObject({ end: "NNG_ECONNSHUT" })
      expect((yield* eventsOf("Ended")).map(({ error }) => error)).toEqual(["NNG_ECONNSHUT"])
    })
  )

  simulated("after a silent one makes dials refused", () =>
    Effect.gen(function* () {
      yield* listening()
      yield* crash(server, { silent: true })
      const dialing = yield* begin(Effect.flip(TestTransport.dial(url, { node: client })))
      yield* Effect.sleep("1 minute")
      yield* crash(server)
      expect(yield* Fiber.join(dialing)).toMatchObject({ _tag: "NNG_ECONNREFUSED" })
    })
  )

  simulated("resets those who wait to be accepted", () =>
    Effect.gen(function* () {
      yield* listening()
      const waiting = yield* TestTransport.dial(url, { node: client })
      yield* TestTransport.hold(everywhere)
      const held = yield* TestTransport.dial(url, { node: client })
      yield* crash(server)
      expect([(yield* waiting.closed)._tag, (yield* held.closed)._tag]).toEqual(["NNG_ECONNRESET", "NNG_ECONNRESET"])
    })
  )

  simulated("keeps the node from dialing and listening, even in the middle of it", () =>
    Effect.gen(function* () {
      const listener = yield* listening()
      yield* connect(listener)
      yield* TestTransport.latency(everywhere, 100)
      const early = yield* begin(Effect.flip(TestTransport.dial(url, { node: client })))
      yield* Effect.sleep(50)
      yield* crash(client)
      expect(yield* Fiber.join(early)).toMatchObject({ _tag: "NNG_EUNREACHABLE" })
      expect(yield* Effect.flip(TestTransport.dial(url, { node: client }))).toMatchObject({ _tag: "NNG_EUNREACHABLE" })
      expect(yield* Effect.flip(TestTransport.listen("tcp://10.0.0.2:1", { node: client }))).toMatchObject({
        _tag: "NNG_EADDRINVAL"
      })
      yield* restart(client)
      const late = yield* begin(Effect.flip(TestTransport.dial(url, { node: client })))
      yield* Effect.sleep(150)
      yield* crash(client)
      expect(yield* Fiber.join(late)).toMatchObject({ _tag: "NNG_EUNREACHABLE" })
      expect(yield* eventsOf("Accepted")).toHaveLength(1)
    })
  )

  simulated("leaves other nodes alone", () =>
    Effect.gen(function* () {
      const ends = yield* connect(yield* listening())
      yield* Effect.scoped(TestTransport.dial(url, { node: "third" }))
      yield* crash("third")
      expect((yield* exchange(ends)).out).toMatchObject({ text: "0123456789", end: undefined })
    })
  )

  simulated("is told to whoever comes to an end of a connection after it", () =>
    Effect.gen(function* () {
      const ends = yield* connect(yield* listening())
      yield* crash(server)
      expect([(yield* ends.accepted.closed)._tag, (yield* ends.dialing.closed)._tag]).toEqual([
        "NNG_ECONNRESET",
        "NNG_ECONNRESET"
      ])
    })
  )

  simulated("of a node that nobody knows is NNG_EADDRINVAL, for a host too", () =>
    Effect.gen(function* () {
      yield* listening()
      for (const place of ["nobody", "10.0.0.1", url]) {
        expect(yield* Effect.flip(crash(place))).toMatchObject({ _tag: "NNG_EADDRINVAL" })
        expect(yield* Effect.flip(restart(place))).toMatchObject({ _tag: "NNG_EADDRINVAL" })
      }
      yield* crash("SERVER")
      yield* restart("Server")
    })
  )
})

describe("a socket that is of no program", () => {
  simulated("survives: a dialer is back when its node is", () =>
    Effect.gen(function* () {
      const left = yield* TestTransport.on(server)(Pair0.make())
      yield* Socket.listen(left, url)
      const right = yield* TestTransport.on(client)(Pair0.make({ reconnectMin: 100 }))
      const dialer = yield* Socket.dial(right, url)
      const pipes = yield* record(Socket.events(right))
      yield* crash(client)
      yield* Effect.sleep("1 second")
      expect(pipes.all).toMatchObject([{ _tag: "RemPost", reason: { _tag: "NNG_ECONNRESET" } }])
      expect((yield* dialer.statistics).failures["NNG_EUNREACHABLE"]).toBeGreaterThan(2)
      yield* restart(client)
      yield* Socket.awaitPeers(right, 1)
      yield* Socket.send(right, "hello")
      expect(yield* recvText(left)).toBe("hello")
    })
  )

  simulated("listens no more", () =>
    Effect.gen(function* () {
      const left = yield* TestTransport.on(server)(Pair0.make())
      yield* Socket.listen(left, url)
      yield* crash(server)
      yield* restart(server)
      const right = yield* TestTransport.on(client)(Pair0.make())
      expect(yield* Effect.flip(Socket.dial(right, url))).toMatchObject({ _tag: "NNG_ECONNREFUSED" })
      yield* Socket.listen(left, "tcp://10.0.0.1:5556")
      yield* Socket.dial(right, "tcp://10.0.0.1:5556")
    })
  )
})

describe("a program", () => {
  for (const silent of [false, true]) {
    simulated(`is ended by a ${silent ? "silent " : ""}crash, and begun anew`, () =>
      Effect.gen(function* () {
        let [begun, finished] = [0, 0]
        yield* run(
          server,
          Effect.zipRight(
            Effect.acquireRelease(
              Effect.sync(() => ++begun),
              () => Effect.sync(() => ++finished)
            ),
            echo
          )
        )
        const socket = yield* TestTransport.on(client)(Pair0.make({ reconnectMin: 100, sendTimeout: "1 second" }))
        yield* settle
        yield* Socket.dial(socket, url)
        const ask = Effect.zipRight(Socket.send(socket, "hello"), recvText(socket))
        expect(yield* ask).toBe("hello")
        for (let i = 1; i < 4; i++) {
          yield* crash(server, { silent })
          yield* Effect.sleep("1 minute")
          expect([begun, finished]).toEqual([i, i])
          yield* restart(server)
          yield* settle
          expect([begun, finished]).toEqual([i + 1, i])
          // who heard nothing finds out by sending
          if (silent) yield* Socket.send(socket, "lost")
          yield* Effect.sleep("1 second")
          expect(yield* ask).toBe("hello")
        }
      })
    )
  }

  simulated("says nothing in its last moments", () =>
    Effect.gen(function* () {
      const last: Array<string> = []
      const left = yield* TestTransport.on(server)(Pair0.make({ recvBuffer: 10 }))
      yield* Socket.listen(left, url)
      yield* listening("tcp://10.0.0.9:1", "ninth")
      yield* run(
        client,
        Effect.gen(function* () {
          const socket = yield* Pair0.make()
          yield* Socket.dial(socket, url)
          const peer = yield* Effect.orDie(TestTransport.dial("tcp://10.0.0.9:1", { node: client }))
          yield* peer.write("hello")
          yield* Effect.addFinalizer(() =>
            Effect.gen(function* () {
              const note = (name: string) => (exit: Exit.Exit<unknown, { readonly _tag: string }>) =>
                last.push(
                  `${name}: ${Exit.isSuccess(exit) ? "went" : JSON.stringify(exit.cause).match(/NNG_\w+/)?.[0]}`
                )
              note("send")(yield* Effect.exit(Socket.send(socket, "goodbye", { nonblocking: true })))
              note("write")(yield* Effect.exit(peer.write("goodbye")))
              const again = yield* Effect.orDie(Pair0.make())
              note("dial")(yield* Effect.exit(Socket.dial(again, "tcp://10.0.0.9:1")))
              note("listen")(yield* Effect.exit(Socket.listen(again, "tcp://10.0.0.5:1")))
            }).pipe(Effect.scoped)
          )
          yield* Socket.send(socket, "alive")
          yield* Effect.never
        })
      )
      yield* Socket.awaitPeers(left, 1)
      yield* Effect.sleep(1)
      const sent = (yield* eventsOf("Sent")).length
      yield* crash(client)
      yield* Effect.sleep("1 minute")
      expect(last).toEqual([
        "send: NNG_EAGAIN",
        "write: NNG_ECONNRESET",
        "dial: NNG_EUNREACHABLE",
        "listen: NNG_EADDRINVAL"
      ])
      expect(yield* drain(left)).toEqual(["alive"])
      expect((yield* eventsOf("Sent")).length).toBe(sent)
    })
  )

  simulated("that ends by itself is not begun anew, and its fiber tells how", () =>
    Effect.gen(function* () {
      let runs = 0
      const done = yield* run(
        server,
        Effect.sync(() => void runs++)
      )
      const failed = yield* run(server, new Errors.EPERM())
      expect(yield* Fiber.await(done)).toEqual(Exit.void)
      expect(yield* Effect.flip(Fiber.join(failed))).toMatchObject({ _tag: "NNG_EPERM" })
      yield* crash(server)
      yield* restart(server)
      yield* Effect.sleep(1)
      expect(runs).toBe(1)
    })
  )

  simulated("ends with its fiber, and with the scope", () =>
    Effect.gen(function* () {
      let [begun, finished] = [0, 0]
      const program = Effect.zipRight(
        Effect.acquireRelease(
          Effect.sync(() => ++begun),
          () => Effect.sync(() => ++finished)
        ),
        Effect.never
      )
      const fiber = yield* run(server, program)
      yield* settle
      yield* Fiber.interrupt(fiber)
      expect([begun, finished]).toEqual([1, 1])
      yield* Effect.scoped(Effect.zipRight(run(server, program), settle))
      expect([begun, finished]).toEqual([2, 2])
      yield* crash(server)
      yield* restart(server)
      yield* settle
      expect([begun, finished]).toEqual([2, 2])
      // while it waits for its node, too
      yield* crash(server)
      const waiting = yield* run(server, program)
      yield* settle
      yield* Fiber.interrupt(waiting)
      yield* restart(server)
      yield* settle
      expect([begun, finished]).toEqual([2, 2])
    })
  )

  simulated("is begun when its node is up", () =>
    Effect.gen(function* () {
      yield* TestTransport.on(server)(Effect.void)
      yield* crash(server)
      const times: Array<number> = []
      yield* run(
        server,
        Effect.flatMap(Clock.currentTimeMillis, (at) => Effect.sync(() => void times.push(at)))
      )
      yield* Effect.sleep(100)
      yield* restart(server)
      yield* restart(server)
      yield* settle
      expect(times).toEqual([100])
    })
  )

  simulated("that crashes its own node is begun anew with the others", () =>
    Effect.gen(function* () {
      let [own, other] = [0, 0]
      yield* run(
        server,
        Effect.suspend(() =>
          ++own === 1 ? Effect.zipRight(Effect.sleep(10), Effect.orDie(crash(server))) : Effect.never
        )
      )
      yield* run(
        server,
        Effect.suspend(() => (other++, Effect.never))
      )
      yield* Effect.sleep(100)
      expect([own, other]).toEqual([1, 1])
      yield* restart(server)
      yield* settle
      expect([own, other]).toEqual([2, 2])
    })
  )

  simulated("is begun anew once, however fast crashes and restarts follow each other", () =>
    Effect.gen(function* () {
      let [begun, finished] = [0, 0]
      yield* run(
        server,
        Effect.zipRight(
          Effect.acquireRelease(
            Effect.sync(() => ++begun),
            () => Effect.sync(() => ++finished)
          ),
          Effect.never
        )
      )
      yield* settle
      for (let i = 0; i < 10; i++) {
        yield* crash(server)
        yield* restart(server)
      }
      yield* settle
      expect(begun - finished).toBe(1)
      expect(begun).toBeGreaterThan(1)
    })
  )
})
