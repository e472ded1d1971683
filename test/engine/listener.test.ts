import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as Errors from "effect-nng/Errors"
import * as Listener from "effect-nng/Listener"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Pair0 from "effect-nng/Pair0"
import * as Socket from "effect-nng/Socket"
import type * as Transport from "effect-nng/Transport"
import * as Url from "effect-nng/Url"
import { hand, Script } from "../support/scripted.js"
import {
  begin,
  collect,
  ended,
  failing,
  interruptedAfter,
  isSimulated,
  marry,
  network,
  recording,
  recvText,
  settle,
  tagged,
  tags,
  taken,
  until
} from "../support/sockets.js"

describe("a listener", () => {
  it.scoped("[LSTN-01] has a positive id", () =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make()
      const listener = yield* Socket.listen(socket, "inproc://x")
      expect(listener.id).toBeGreaterThan(0)
      expect([Listener.isListener(listener), Listener.isListener(socket)]).toEqual([true, false])
    }).pipe(Effect.provide(network))
  )

  it.scoped("[LSTN-02] has its inproc name alone, on the same socket or another", () =>
    Effect.gen(function* () {
      const [one, other] = [yield* Pair0.make(), yield* Pair0.make()]
      yield* Socket.listen(one, "inproc://taken")
      yield* failing(Socket.listen(one, "inproc://taken"), "NNG_EADDRINUSE")
      yield* failing(Socket.listen(other, "inproc://taken"), "NNG_EADDRINUSE")
      yield* Socket.listen(other, "inproc://free")
    }).pipe(Effect.provide(network))
  )

  it.scopedLive("[LSTN-02] has its tcp address alone, on the same socket or another", () =>
    Effect.gen(function* () {
      const [one, other] = [yield* Pair0.make(), yield* Pair0.make()]
      const { url } = yield* Socket.listen(one, "tcp://127.0.0.1:0")
      expect(url).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+$/)
      expect(url).not.toMatch(/:0$/)
      yield* failing(Socket.listen(one, url), "NNG_EADDRINUSE")
      yield* failing(Socket.listen(other, url), "NNG_EADDRINUSE")
    }).pipe(Effect.provide(NodeTransport.layer))
  )

  it.scoped("[LSTN-03] is started once", () =>
    Effect.gen(function* () {
      const listener = yield* Socket.listen(yield* Pair0.make(), "inproc://x")
      yield* failing(Listener.start(listener), "NNG_ESTATE")
      expect(yield* listener.state).toEqual({ _tag: "Listening", url: "inproc://x" })
    }).pipe(Effect.provide(network))
  )

  it.scoped("[LSTN-04] whose start failed can be started again", () =>
    Effect.gen(function* () {
      const [one, other] = [yield* Pair0.make(), yield* Pair0.make()]
      const first = yield* Socket.listen(one, "inproc://x")
      const second = yield* Listener.make(other, "inproc://x")
      yield* failing(Listener.start(second), "NNG_EADDRINUSE")
      expect(yield* second.state).toEqual({ _tag: "Idle" })
      yield* first.close
      yield* Listener.start(second)
      expect(yield* second.state).toEqual({ _tag: "Listening", url: "inproc://x" })
    }).pipe(Effect.provide(network))
  )

  it.scoped("[LSTN-05] is not made for a scheme that nobody serves, nor for what is no URL", () =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make()
      const error = yield* failing(Socket.listen(socket, "bogus://x"), "NNG_ENOTSUP")
      expect(error.message).toContain("inproc")
      yield* failing(Socket.listen(socket, "nonsense"), "NNG_EINVAL")
      yield* failing(Listener.make(socket, "inproc://x" as string, { tcp: {} }), "NNG_ENOTSUP")
    }).pipe(Effect.provide(network))
  )

  it.scopedLive("is not made for an address that its transport cannot have", () =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make()
      yield* failing(Listener.make(socket, "tcp://127.0.0.1:80/path"), "NNG_EADDRINVAL")
      yield* failing(Listener.make(socket, "tcp://:1", { tcp: { localAddress: "127.0.0.1" } }), "NNG_ENOTSUP")
    }).pipe(Effect.provide(NodeTransport.layer))
  )

  it.scoped("[LSTN-06] takes its receive limit from its options, or else from its socket as that is now", () =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make({ recvMaxSize: 1234 })
      const before = yield* Listener.make(socket, "inproc://x")
      yield* Socket.configure(socket, { recvMaxSize: 99 })
      const after = yield* Listener.make(socket, "inproc://x")
      const own = yield* Listener.make(socket, "inproc://x", { recvMaxSize: 678 })
      expect([before, after, own].map(({ configuration }) => configuration)).toEqual([
        { recvMaxSize: 1234 },
        { recvMaxSize: 99 },
        { recvMaxSize: 678 }
      ])
      yield* failing(Listener.make(socket, "inproc://x", { recvMaxSize: -1 }), "NNG_EINVAL")
    }).pipe(Effect.provide(network))
  )

  it.scoped("[LSTN-09] gives its URL back", () =>
    Effect.gen(function* () {
      const listener = yield* Listener.make(yield* Pair0.make(), "inproc://url1")
      const url = yield* Url.parse(listener.url)
      expect([url.scheme, url.path, url.host, url.port, url.query, url.fragment, url.userinfo]).toEqual([
        "inproc",
        "url1",
        ...Array<undefined>(5)
      ])
    }).pipe(Effect.provide(network))
  )

  it.scoped("[LSTN-10] that is closed takes its pipes with it and refuses new dials", () =>
    Effect.gen(function* () {
      const [left, right] = [yield* Pair0.make(), yield* Pair0.make({ reconnectMin: "1 hour" })]
      const events = yield* collect(Socket.events(left))
      const { listener } = yield* marry(left, right)
      yield* taken(events)
      yield* listener.close
      expect(yield* Socket.pipes(left).get).toEqual([])
      expect(yield* taken(events)).toMatchObject([{ _tag: "RemPost", reason: { _tag: "NNG_ECLOSED" } }])
      yield* failing(Socket.dial(yield* Pair0.make(), "inproc://pair"), "NNG_ECONNREFUSED")
      yield* failing(listener.close, "NNG_ENOENT")
      yield* failing(Listener.start(listener), "NNG_ENOENT")
      expect(yield* listener.state).toEqual({ _tag: "Closed" })
      expect((yield* listener.statistics).pipes).toBe(0)
    }).pipe(Effect.provide(network))
  )

  it.scoped("[LSTN-11] that closes refuses who was waiting to be accepted", () =>
    Effect.gen(function* () {
      const script = new Script()
      const test = Effect.gen(function* () {
        // bound, and accepting nobody
        let bound: Transport.Acceptor | undefined
        script.listen((target) =>
          Effect.map(bind(target), (acceptor) => ({ ...(bound = acceptor), accept: Effect.never }))
        )
        const listener = yield* Socket.listen(yield* Pair0.make(), "inproc://x")
        const dialing = yield* begin(Socket.dial(yield* Pair0.make(), "inproc://x"))
        expect(yield* ended(dialing)).toBe(false)
        expect(bound).toBeDefined()
        yield* listener.close
        // on a network it is connected by then
        yield* failing(Fiber.join(dialing), isSimulated ? "NNG_ECONNRESET" : "NNG_ECONNREFUSED")
      })
      const bind: Transport.Transport["listen"] = (target) => script.inproc.listen(target)
      yield* test.pipe(Effect.provide(script.layer))
    })
  )

  it.scoped("is closed by the scope that it was made in", () =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make()
      const listener = yield* Effect.scoped(Socket.listen(socket, "inproc://x"))
      expect(yield* listener.state).toEqual({ _tag: "Closed" })
      yield* Socket.listen(socket, "inproc://x")
    }).pipe(Effect.provide(network))
  )

  it.scoped("that cannot be started by listen is closed", () =>
    Effect.gen(function* () {
      const script = new Script()
      yield* Effect.gen(function* () {
        script.listen(new Errors.EPERM())
        const scope = yield* Scope.make()
        yield* failing(Scope.extend(Socket.listen(yield* Pair0.make(), "inproc://x"), scope), "NNG_EPERM")
        yield* Scope.close(scope, Exit.void)
      }).pipe(Effect.provide(script.layer))
    })
  )

  it.scoped("tells its story, and to who comes late what happened last", () =>
    Effect.gen(function* () {
      const listener = yield* Listener.make(yield* Pair0.make(), "inproc://x")
      const all = yield* recording(Listener.events(listener))
      yield* Listener.start(listener)
      const late = yield* collect(Listener.events(listener))
      expect(yield* Queue.take(late)).toEqual({ _tag: "Listening", url: "inproc://x" })
      yield* listener.close
      expect(yield* Fiber.join(all)).toEqual([{ _tag: "Listening", url: "inproc://x" }, { _tag: "Closed" }])
      const last = yield* recording(Listener.events(listener))
      expect(yield* Fiber.join(last)).toEqual([{ _tag: "Closed" }])
    }).pipe(Effect.provide(network))
  )
})

describe("starting a listener", () => {
  const errors: ReadonlyArray<Transport.ListenError> = [
    new Errors.EADDRINUSE(),
    new Errors.EADDRINVAL(),
    new Errors.EINVAL(),
    new Errors.ENOENT(),
    new Errors.ENOFILES(),
    new Errors.ENOMEM(),
    new Errors.ENOTSUP(),
    new Errors.EPERM(),
    new Errors.ESYSERR({ errno: 71, text: "protocol error" })
  ]
  for (const error of errors) {
    it.scoped(`fails with ${error._tag} as the transport does, and can be tried again`, () => {
      const script = new Script().listen(error)
      return Effect.gen(function* () {
        const listener = yield* Listener.make(yield* Pair0.make(), "inproc://x")
        expect(yield* failing(Listener.start(listener), error._tag)).toMatchObject({ code: error.code })
        yield* Listener.start(listener)
      }).pipe(Effect.provide(script.layer))
    })
  }

  it.scoped("and interrupting it leaves it as it was, and nothing bound", () => {
    const script = new Script()
    return Effect.gen(function* () {
      let released = 0
      script.listen(
        Effect.zipRight(
          Effect.addFinalizer(() => Effect.sync(() => void released++)),
          Effect.never
        )
      )
      const listener = yield* Listener.make(yield* Pair0.make(), "inproc://x")
      const starting = yield* begin(Listener.start(listener))
      yield* failing(Listener.start(listener), "NNG_ESTATE")
      yield* Fiber.interrupt(starting)
      expect([yield* listener.state, released]).toEqual([{ _tag: "Idle" }, 1])
      yield* Listener.start(listener)
    }).pipe(Effect.provide(script.layer))
  })

  it.scoped("interrupted at any step, it is as it was", () =>
    Effect.gen(function* () {
      const exits: Array<string> = []
      for (let run = 0; run < 160; run++) {
        const [steps, yields] = [run % 80, run < 80 ? 0 : 3]
        const listener = yield* Listener.make(yield* Pair0.make(), `inproc://run-${run}`)
        const exit = yield* interruptedAfter(Listener.start(listener), steps, yields)
        exits.push(exit._tag)
        const { _tag } = yield* listener.state
        expect(_tag, `run ${run}`).toBe(Exit.isSuccess(exit) ? "Listening" : "Idle")
        if (Exit.isFailure(exit)) yield* Listener.start(listener)
        expect((yield* listener.state)._tag, `run ${run}`).toBe("Listening")
        yield* failing(Socket.listen(yield* Pair0.make(), `inproc://run-${run}`), "NNG_EADDRINUSE")
      }
      expect(exits).toContain("Failure")
    }).pipe(Effect.provide(network))
  )

  for (const what of ["listener", "socket"] as const) {
    it.scoped(`fails with NNG_ECLOSED when the ${what} is closed meanwhile`, () => {
      const script = new Script()
      return Effect.gen(function* () {
        const gate = yield* Deferred.make<void>()
        script.listen(({ url }) => Effect.as(Deferred.await(gate), { url, accept: Effect.never }))
        const socket = yield* Pair0.make()
        const listener = yield* Listener.make(socket, "inproc://x")
        const starting = yield* begin(Listener.start(listener))
        yield* what === "socket" ? socket.close : listener.close
        yield* Deferred.succeed(gate, void 0)
        yield* failing(Fiber.join(starting), "NNG_ECLOSED")
        expect(yield* listener.state).toEqual({ _tag: "Closed" })
      }).pipe(Effect.provide(script.layer))
    })

    it.scoped(`does not outlast the ${what}, however long the transport takes`, () => {
      const script = new Script().listen(Effect.never)
      return Effect.gen(function* () {
        const socket = yield* Pair0.make()
        const listener = yield* Listener.make(socket, "inproc://x")
        const starting = yield* begin(Effect.flip(Listener.start(listener)))
        yield* what === "socket" ? socket.close : listener.close
        expect(yield* ended(starting)).toBe(true)
        expect((yield* Fiber.join(starting))._tag).toBe("NNG_ECLOSED")
      }).pipe(Effect.provide(script.layer))
    })
  }
})

describe("accepting", () => {
  /** Gives what the script says, then nobody. */
  const acceptor =
    (...accepts: Array<Transport.Acceptor["accept"]>): Transport.Transport["listen"] =>
    ({ url }) =>
      Effect.succeed({ url, accept: Effect.suspend(() => accepts.shift() ?? Effect.never) })

  it.scoped("a handshake that fails is told and counted, and the next is accepted", () => {
    const script = new Script()
    return Effect.gen(function* () {
      const error = new Errors.EPROTO({ reason: "not SP" })
      const good = hand()
      script.listen(acceptor(Effect.succeed({ properties: {}, handshake: error }), good.accepted))
      const socket = yield* Pair0.make()
      const listener = yield* Listener.make(socket, "inproc://x")
      const events = yield* collect(Listener.events(listener))
      yield* Listener.start(listener)
      yield* Socket.awaitPeers(socket, 1)
      expect(yield* taken(events)).toEqual([
        { _tag: "Listening", url: "inproc://x" },
        { _tag: "HandshakeFailed", error: expect.objectContaining({ _tag: "NNG_EPROTO" }), remoteAddress: undefined }
      ])
      expect(yield* listener.statistics).toEqual({ pipes: 1, accepts: 1, reject: 0, failures: { NNG_EPROTO: 1 } })
    }).pipe(Effect.provide(script.layer))
  })

  it.scoped("a handshake that hangs holds up nobody else", () => {
    const script = new Script()
    return Effect.gen(function* () {
      script.listen(acceptor(Effect.succeed({ properties: {}, handshake: Effect.never }), hand().accepted))
      const socket = yield* Pair0.make()
      yield* Socket.listen(socket, "inproc://x")
      yield* Socket.awaitPeers(socket, 1)
      yield* socket.close
    }).pipe(Effect.provide(script.layer))
  })

  for (const { error, wait } of [
    { error: new Errors.ENOFILES(), wait: 10 },
    { error: new Errors.ENOMEM(), wait: 10 },
    { error: new Errors.ECONNABORTED(), wait: 100 },
    { error: new Errors.ESYSERR({ errno: 71 }), wait: 100 }
  ]) {
    it.scoped(`after ${error._tag} it accepts again in ${wait} ms`, () => {
      const script = new Script()
      return Effect.gen(function* () {
        script.listen(acceptor(error, hand().accepted))
        const socket = yield* Pair0.make()
        const listener = yield* Listener.make(socket, "inproc://x")
        const events = yield* collect(Listener.events(listener))
        yield* Listener.start(listener)
        const failed = yield* until(events, tagged("AcceptFailed"))
        expect(failed.error).toMatchObject({ _tag: error._tag })
        yield* TestClock.adjust(wait - 1)
        expect(yield* Socket.pipes(socket).get).toEqual([])
        yield* TestClock.adjust(1)
        yield* Socket.awaitPeers(socket, 1)
        expect((yield* listener.statistics).failures).toEqual({ [error._tag]: 1 })
      }).pipe(Effect.provide(script.layer))
    })
  }

  it.scoped("NNG_ECLOSED from the transport ends the accepting, and is no failure", () => {
    const script = new Script()
    return Effect.gen(function* () {
      script.listen(acceptor(new Errors.ECLOSED(), hand().accepted))
      const socket = yield* Pair0.make()
      const listener = yield* Socket.listen(socket, "inproc://x")
      yield* TestClock.adjust("1 minute")
      expect(yield* Socket.pipes(socket).get).toEqual([])
      expect((yield* listener.statistics).failures).toEqual({})
    }).pipe(Effect.provide(script.layer))
  })

  it.scoped("its pipes are counted right, however they end", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const left = yield* Pair0.make({ beforeAttach: () => Deferred.await(gate) })
      const listener = yield* Socket.listen(left, "inproc://x")
      yield* Effect.scoped(Effect.flatMap(Pair0.make(), (right) => Socket.dial(right, "inproc://x")))
      const right = yield* Pair0.make()
      yield* Socket.dial(right, "inproc://x")
      yield* settle
      // both are being looked at; neither has been attached or refused
      yield* listener.close
      expect((yield* listener.statistics).pipes).toBe(0)
    }).pipe(Effect.provide(network))
  )

  it.scoped("many come and go at one listener", () =>
    Effect.gen(function* () {
      const left = yield* Pair0.make()
      const listener = yield* Socket.listen(left, "inproc://x")
      for (let n = 0; n < 20; n++) {
        yield* Effect.scoped(
          Effect.gen(function* () {
            const right = yield* Pair0.make()
            yield* Socket.dial(right, "inproc://x")
            yield* Socket.awaitPeers(left, 1)
            yield* Socket.send(right, `visit ${n}`)
            expect(yield* recvText(left)).toBe(`visit ${n}`)
          })
        )
        yield* settle
      }
      expect(yield* listener.statistics).toEqual({ pipes: 0, accepts: 20, reject: 0, failures: {} })
      expect(tags([yield* listener.state])).toEqual(["Listening"])
    }).pipe(Effect.provide(network))
  )
})
