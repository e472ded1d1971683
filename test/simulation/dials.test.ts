import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Address from "effect-nng/Address"
import * as Errors from "effect-nng/Errors"
import * as Pair0 from "effect-nng/Pair0"
import * as Socket from "effect-nng/Socket"
import * as TestTransport from "effect-nng/TestTransport"
import type { AcceptError, DialError, ListenError } from "effect-nng/Transport"
import { record } from "../support/peers.js"
import * as Listener from "effect-nng/Listener"
import { recvText } from "../support/sockets.js"
import {
  begin,
  client,
  connect,
  ended,
  eventsOf,
  listening,
  onNetwork,
  seen,
  server,
  settle,
  simulated,
  text,
  timing,
  url
} from "../support/simulation.js"

const { everywhere } = TestTransport

const dialErrors: ReadonlyArray<DialError> = [
  new Errors.EADDRINVAL(),
  new Errors.ECANCELED(),
  new Errors.ECLOSED(),
  new Errors.ECONNREFUSED(),
  new Errors.ECONNRESET(),
  new Errors.ECONNSHUT(),
  new Errors.ECRYPTO(),
  new Errors.EINVAL(),
  new Errors.ENOENT(),
  new Errors.ENOFILES(),
  new Errors.ENOMEM(),
  new Errors.ENOTSUP(),
  new Errors.EPEERAUTH(),
  new Errors.EPERM(),
  new Errors.EPROTO(),
  new Errors.ETIMEDOUT(),
  new Errors.EUNREACHABLE(),
  new Errors.ESYSERR({ errno: 5 })
]

const acceptErrors: ReadonlyArray<AcceptError> = [
  new Errors.ECLOSED(),
  new Errors.ECONNABORTED(),
  new Errors.ENOFILES(),
  new Errors.ENOMEM(),
  new Errors.ESYSERR({ errno: 5 })
]

const listenErrors: ReadonlyArray<ListenError> = [
  new Errors.EADDRINUSE(),
  new Errors.EADDRINVAL(),
  new Errors.EINVAL(),
  new Errors.ENOENT(),
  new Errors.ENOFILES(),
  new Errors.ENOMEM(),
  new Errors.ENOTSUP(),
  new Errors.EPERM(),
  new Errors.ESYSERR({ errno: 5 })
]

describe("failNextDial", () => {
  for (const error of dialErrors) {
    simulated(`with ${error._tag} is for one dial, of a socket too`, () =>
      Effect.gen(function* () {
        yield* listening()
        yield* TestTransport.failNextDial(server, error)
        expect(yield* Effect.flip(TestTransport.dial(url, { node: client }))).toBe(error)
        yield* TestTransport.dial(url, { node: client })
        const socket = yield* TestTransport.on(client)(Pair0.make())
        yield* TestTransport.failNextDial(client, error)
        expect(yield* Effect.flip(Socket.dial(socket, url))).toMatchObject({ _tag: error._tag })
        expect((yield* eventsOf("DialFailed")).map(({ error }) => error)).toEqual([error._tag, error._tag])
      })
    )
  }

  simulated("several times is for as many dials, in that order, each where it was said", () =>
    Effect.gen(function* () {
      const listener = yield* listening()
      yield* connect(listener)
      yield* TestTransport.failNextDial("local", new Errors.EPERM())
      yield* TestTransport.failNextDial(client, new Errors.ENOENT())
      yield* TestTransport.failNextDial(everywhere, new Errors.ENOMEM())
      const failures = yield* Effect.forEach([client, client, "local", client], (node) =>
        Effect.either(TestTransport.dial(url, { node }))
      )
      expect(failures.map((result) => (result._tag === "Left" ? result.left._tag : "connected"))).toEqual([
        "NNG_ENOENT",
        "NNG_ENOMEM",
        "NNG_EPERM",
        "connected"
      ])
    })
  )

  simulated("is seen by a dialer that tries again by itself", () =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make({ reconnectMin: 100 })
      const left = yield* TestTransport.on(server)(Pair0.make())
      yield* Socket.listen(left, url)
      for (let i = 0; i < 3; i++) yield* TestTransport.failNextDial(everywhere, new Errors.EUNREACHABLE())
      const dialer = yield* Socket.dial(socket, url, { nonblocking: true })
      yield* Socket.awaitPeers(left, 1)
      expect((yield* dialer.statistics).failures).toEqual({ NNG_EUNREACHABLE: 3 })
    })
  )
})

describe("failNextAccept", () => {
  for (const error of acceptErrors) {
    const stays = error._tag !== "NNG_ECONNABORTED"
    simulated(
      `with ${error._tag} is for one accept, ${stays ? "after which it can be accepted" : "which takes it along"}`,
      () =>
        Effect.gen(function* () {
          const listener = yield* listening()
          yield* TestTransport.failNextAccept(server, error)
          const dialing = yield* TestTransport.dial(url, { node: client })
          yield* dialing.write("hello")
          const failing = yield* Effect.flip(listener.accept)
          expect(failing).toBe(error)
          if (stays) {
            expect(text(yield* (yield* listener.accept).read(5))).toBe("hello")
          } else {
            expect(yield* dialing.closed).toMatchObject({ _tag: "NNG_ECONNRESET" })
            yield* connect(listener)
          }
          expect(yield* eventsOf("AcceptFailed")).toMatchObject([{ url, error: error._tag }])
        })
    )

    if (error._tag === "NNG_ECLOSED") continue
    simulated(`with ${error._tag} does not keep a socket from its peer`, () =>
      Effect.gen(function* () {
        const left = yield* TestTransport.on(server)(Pair0.make())
        const listener = yield* Socket.listen(left, url)
        const events = yield* record(Listener.events(listener))
        yield* TestTransport.failNextAccept(url, error)
        const right = yield* TestTransport.on(client)(Pair0.make())
        yield* Socket.dial(right, url, { nonblocking: true })
        yield* Socket.awaitPeers(left, 1)
        expect(events.all.filter(({ _tag }) => _tag === "AcceptFailed")).toMatchObject([
          { error: { _tag: error._tag } }
        ])
        yield* Socket.send(right, "hello")
        expect(yield* recvText(left)).toBe("hello")
      })
    )
  }

  simulated("waits for a connection to come", () =>
    Effect.gen(function* () {
      const listener = yield* listening()
      yield* TestTransport.failNextAccept(url, new Errors.ENOMEM())
      const accepting = yield* begin(Effect.flip(listener.accept))
      expect(yield* ended(accepting)).toBe(false)
      yield* TestTransport.dial(url, { node: client })
      expect(yield* Fiber.join(accepting)).toMatchObject({ _tag: "NNG_ENOMEM" })
    })
  )
})

describe("failNextListen", () => {
  for (const error of listenErrors) {
    simulated(`with ${error._tag} is for one listen, of a socket too`, () =>
      Effect.gen(function* () {
        yield* TestTransport.failNextListen(everywhere, error)
        expect(yield* Effect.flip(listening())).toBe(error)
        yield* Effect.scoped(listening())
        yield* TestTransport.failNextListen(server, error)
        const socket = yield* TestTransport.on(server)(Pair0.make())
        expect(yield* Effect.flip(Socket.listen(socket, url))).toMatchObject({ _tag: error._tag })
        yield* Socket.listen(socket, url)
        expect((yield* eventsOf("ListenFailed")).map(({ error, node, url }) => [error, node, url])).toEqual([
          [error._tag, server, url],
          [error._tag, server, url]
        ])
      })
    )
  }
})

describe("hold", () => {
  /** Dials from many nodes, of which nobody is accepted, and the order in which they are then. */
  const order = (how: "arrival" | "reverse" | "shuffled" | undefined, seed = 1) =>
    onNetwork(
      Effect.gen(function* () {
        const nodes = Array.from("abcdefgh")
        const came: Array<string> = []
        const left = yield* TestTransport.on(server)(
          Pair0.make({
            beforeAttach: (pipe) =>
              Effect.zipRight(
                Effect.sync(() => void came.push(Address.format(pipe.properties.remoteAddress!))),
                new Errors.EPERM()
              )
          })
        )
        const pipes = yield* record(Socket.events(left))
        yield* Socket.listen(left, url)
        yield* TestTransport.hold(server)
        const from = new Map<string, string>()
        for (const node of nodes) {
          const right = yield* TestTransport.on(node)(Pair0.make({ reconnectMin: "1 day" }))
          yield* Socket.dial(right, url, { nonblocking: true })
          yield* settle
          const peer = yield* TestTransport.dial(url, { node })
          from.set(Address.format(peer.properties.localAddress!).split(":")[0]!, node)
          yield* peer.end
        }
        yield* Effect.sleep(1)
        expect([came, pipes.all]).toEqual([[], []])
        yield* TestTransport.release(server, how === undefined ? undefined : { order: how })
        yield* Effect.sleep(1)
        return came.map((address) => from.get(address.split(":")[0]!)).join("")
      }),
      { seed, printOnFailure: true }
    )

  for (const [how, expected] of [
    [undefined, "abcdefgh"],
    ["arrival", "abcdefgh"],
    ["reverse", "hgfedcba"]
  ] as const) {
    it.effect(`and release ${how ?? "without an order"} attach in that order`, () =>
      Effect.map(order(how), (came) => expect(came).toBe(expected))
    )
  }

  it.effect("and release shuffled attach in an order of the seed's", () =>
    Effect.gen(function* () {
      const [one, again, other] = [
        yield* order("shuffled", 1),
        yield* order("shuffled", 1),
        yield* order("shuffled", 2)
      ]
      expect(Array.from(one).sort().join("")).toBe("abcdefgh")
      expect(one).toBe(again)
      expect(one).not.toBe(other)
      expect(one).not.toBe("abcdefgh")
    })
  )

  simulated("leaves neither side a pipe, and the handshake to its deadline", () =>
    Effect.gen(function* () {
      const left = yield* TestTransport.on(server)(Pair0.make())
      yield* Socket.listen(left, url)
      yield* TestTransport.hold(everywhere)
      const right = yield* TestTransport.on(client)(Pair0.make())
      const [error, took] = yield* timing(Effect.flip(Socket.dial(right, url)))
      expect([error._tag, took]).toEqual(["NNG_ETIMEDOUT", 10_000])
      const later = yield* begin(Socket.dial(right, url))
      yield* Effect.sleep(9999)
      expect([(yield* left.statistics).pipes, (yield* right.statistics).pipes]).toEqual([0, 0])
      yield* TestTransport.release(everywhere)
      yield* Fiber.join(later)
      yield* Socket.awaitPeers(left, 1)
    })
  )

  simulated("of some keeps some, and a later release lets go those", () =>
    Effect.gen(function* () {
      const listener = yield* listening()
      yield* connect(listener)
      yield* connect(listener, "third")
      yield* TestTransport.hold(server)
      yield* TestTransport.dial(url, { node: client }).pipe(Effect.tap((peer) => peer.write("client")))
      yield* TestTransport.dial(url, { node: "third" }).pipe(Effect.tap((peer) => peer.write("third")))
      yield* TestTransport.release("third")
      expect(text(yield* (yield* listener.accept).read(5))).toBe("third")
      const accepting = yield* begin(listener.accept)
      expect(yield* ended(accepting)).toBe(false)
      yield* TestTransport.release(client)
      expect(text(yield* (yield* Fiber.join(accepting)).read(6))).toBe("client")
    })
  )

  simulated("ends with the listener", () =>
    Effect.gen(function* () {
      const dialing = yield* Effect.scoped(
        Effect.gen(function* () {
          yield* listening()
          yield* TestTransport.hold(everywhere)
          return yield* Effect.zip(Effect.scope, Effect.void)
        })
      )
      expect(dialing).toBeDefined()
      const listener = yield* Effect.forkScoped(Effect.scoped(Effect.zipRight(listening(), Effect.sleep(10))))
      yield* settle
      const peer = yield* TestTransport.dial(url, { node: client })
      expect((yield* seen(peer, 20)).end).toBe("NNG_ECONNRESET")
      yield* Fiber.join(listener)
    })
  )
})

describe("a dial", () => {
  simulated("that is interrupted while it waits leaves nothing", () =>
    Effect.gen(function* () {
      const listener = yield* listening()
      yield* TestTransport.latency(everywhere, 100)
      for (const after of [0, 50, 110, 150]) {
        const dialing = yield* Effect.fork(Effect.scoped(TestTransport.dial(url, { node: client })))
        yield* Effect.sleep(after)
        yield* Fiber.interrupt(dialing)
      }
      yield* Effect.sleep("1 second")
      // what had come there was closed
      for (let i = 0; i < 2; i++) {
        expect(yield* (yield* listener.accept).closed).toMatchObject({ _tag: "NNG_ECONNSHUT" })
      }
      const accepting = yield* begin(listener.accept)
      expect(yield* ended(accepting)).toBe(false)
    })
  )

  simulated("waits when 128 wait to be accepted, until one is", () =>
    Effect.gen(function* () {
      const listener = yield* listening()
      for (let i = 0; i < 128; i++) yield* TestTransport.dial(url, { node: client })
      const late = yield* Effect.forEach([1, 2], () => begin(TestTransport.dial(url, { node: client })))
      yield* Effect.sleep("1 minute")
      expect(yield* Effect.forEach(late, ended)).toEqual([false, false])
      yield* listener.accept
      expect((yield* Effect.forEach(late, ended)).filter((each) => each)).toHaveLength(1)
      yield* TestTransport.failNextAccept(everywhere, new Errors.ECONNABORTED())
      yield* Effect.flip(listener.accept)
      expect(yield* Effect.forEach(late, ended)).toEqual([true, true])
      const [error, took] = yield* timing(Effect.flip(TestTransport.dial(url, { node: client })))
      expect([error._tag, took]).toEqual(["NNG_ETIMEDOUT", 127_000])
    })
  )

  simulated("that waits for room is refused when the listener goes", () =>
    Effect.gen(function* () {
      const listener = yield* Effect.fork(Effect.scoped(Effect.zipRight(listening(), Effect.sleep("1 minute"))))
      yield* settle
      for (let i = 0; i < 128; i++) yield* TestTransport.dial(url, { node: client })
      const [error, took] = yield* timing(Effect.flip(TestTransport.dial(url, { node: client })))
      expect([error._tag, took]).toEqual(["NNG_ECONNREFUSED", 60_000])
      yield* Fiber.join(listener)
    })
  )

  simulated("of what is refused on the way is refused at its end", () =>
    Effect.gen(function* () {
      yield* listening()
      yield* TestTransport.latency(everywhere, 10)
      const dialing = yield* begin(Effect.flip(TestTransport.dial(url, { node: client })))
      yield* TestTransport.refuse(everywhere)
      expect(yield* Fiber.join(dialing)).toMatchObject({ _tag: "NNG_ECONNREFUSED" })
    })
  )

  simulated("is under what was said of the URL that is listened on, whatever name it goes by", () =>
    Effect.gen(function* () {
      const listener = yield* TestTransport.listen("tcp://*:5555", { node: server })
      const dialed = `tcp://${server}:5555`
      expect(listener.url).not.toBe(dialed)
      yield* TestTransport.refuse(listener.url)
      expect(yield* Effect.flip(TestTransport.dial(dialed, { node: client }))).toMatchObject({
        _tag: "NNG_ECONNREFUSED"
      })
      yield* TestTransport.heal()
      yield* TestTransport.blackHole(listener.url)
      const dialing = yield* begin(TestTransport.dial(dialed, { node: client }))
      expect(yield* ended(dialing)).toBe(false)
      yield* TestTransport.heal(listener.url)
      yield* Fiber.join(dialing)
      yield* TestTransport.failNextDial(listener.url, new Errors.EPERM())
      expect(yield* Effect.flip(TestTransport.dial(dialed, { node: client }))).toMatchObject({ _tag: "NNG_EPERM" })
    })
  )

  simulated("is under what was said of a node that comes to listen meanwhile", () =>
    Effect.gen(function* () {
      yield* TestTransport.blackHole(everywhere)
      const dialing = yield* begin(TestTransport.dial(url, { node: client }))
      yield* listening()
      yield* TestTransport.heal()
      yield* TestTransport.blackHole(server)
      expect(yield* ended(dialing)).toBe(false)
      yield* TestTransport.heal(server)
      yield* Fiber.join(dialing)
    })
  )
})
