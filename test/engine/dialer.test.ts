import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import type * as Queue from "effect/Queue"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/TestClock"
import * as Aio from "effect-nng/Aio"
import * as Dialer from "effect-nng/Dialer"
import * as Errors from "effect-nng/Errors"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Pair0 from "effect-nng/Pair0"
import * as Socket from "effect-nng/Socket"
import type * as Transport from "effect-nng/Transport"
import * as Url from "effect-nng/Url"
import { hand, Hanging, Script } from "../support/scripted.js"
import {
  begin,
  collect,
  ended,
  failing,
  interruptedAfter,
  marry,
  network,
  pair,
  recording,
  recvText,
  settle,
  tagged,
  tags,
  taken,
  until
} from "../support/sockets.js"

const refused = new Errors.ECONNREFUSED({ operation: "dial" })

/** A generator that always gives the largest number, and keeps the bounds that it was asked for. */
const largest = () => {
  const bounds: Array<number> = []
  const random: Random.Random = Object.assign(Object.create(Random.make("seed")) as Random.Random, {
    nextIntBetween: (min: number, max: number) =>
      Effect.sync(() => {
        expect(min).toBe(0)
        bounds.push(max)
        return max - 1
      })
  })
  return { bounds, random }
}

/** The next failure that a dialer tells, as milliseconds until its next attempt; undefined when there is to be none. */
const nextWait = (events: Queue.Dequeue<Dialer.Event>): Effect.Effect<number | undefined> =>
  Effect.map(
    until(
      events,
      (event): event is Extract<Dialer.Event, { next: unknown }> =>
        event._tag === "Failed" || event._tag === "Disconnected"
    ),
    ({ next }) => Option.getOrUndefined(Option.map(next, Duration.toMillis))
  )

const stateTag = (dialer: Dialer.Dialer): Effect.Effect<Dialer.State["_tag"]> =>
  Effect.map(Effect.zipRight(settle, dialer.state), ({ _tag }) => _tag)

describe("a dialer", () => {
  it.scoped("[DIAL-01] has a positive id, and does nothing before it is started", () => {
    const script = new Script()
    return Effect.gen(function* () {
      const dialer = yield* Dialer.make(yield* Pair0.make(), "inproc://x")
      expect(dialer.id).toBeGreaterThan(0)
      expect([Dialer.isDialer(dialer), Dialer.isDialer({})]).toEqual([true, false])
      expect(yield* stateTag(dialer)).toBe("Idle")
      expect(script.dialed).toEqual([])
    }).pipe(Effect.provide(script.layer))
  })

  it.scoped("[DIAL-10] is not made for a scheme that nobody serves, nor for what is no URL", () =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make()
      const error = yield* failing(Socket.dial(socket, "bogus://x"), "NNG_ENOTSUP")
      expect(error.message).toContain("inproc")
      yield* failing(Socket.dial(socket, "nonsense"), "NNG_EINVAL")
      yield* failing(Dialer.make(socket, "inproc://x" as string, { tcp: { noDelay: true } }), "NNG_ENOTSUP")
    }).pipe(Effect.provide(network))
  )

  it.scopedLive("is not made for an address that cannot be dialed", () =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make()
      for (const url of ["tcp://127.0.0.1", "tcp://:80", "tcp://127.0.0.1:0", "tcp://127.0.0.1:80/path"]) {
        yield* failing(Dialer.make(socket, url), "NNG_EADDRINVAL")
      }
    }).pipe(Effect.provide(NodeTransport.layer))
  )

  it.scoped("[DIAL-11, DIAL-16] gives its URL back", () =>
    Effect.gen(function* () {
      const parsed = yield* Url.parse("inproc://url2")
      const dialer = yield* Dialer.make(yield* Pair0.make(), parsed.href)
      const url = yield* Url.parse(dialer.url)
      expect([url.scheme, url.path]).toEqual([parsed.scheme, parsed.path])
      expect([url.scheme, url.path, url.host, url.port, url.query, url.fragment, url.userinfo]).toEqual([
        "inproc",
        "url2",
        ...Array<undefined>(5)
      ])
    }).pipe(Effect.provide(network))
  )

  it.scoped("[DIAL-12] has options of its own", () => {
    const script = new Script().dial(refused)
    return Effect.gen(function* () {
      const socket = yield* Pair0.make()
      const dialer = yield* Dialer.make(socket, "inproc://x", {
        recvMaxSize: 678,
        reconnectMin: "3 seconds",
        reconnectMax: "1 minute"
      })
      expect(dialer.configuration).toEqual({
        recvMaxSize: 678,
        reconnectMin: Duration.seconds(3),
        reconnectMax: Duration.minutes(1)
      })
      yield* failing(Dialer.start(dialer), "NNG_ECONNREFUSED")
      expect(script.dialed).toMatchObject([{ recvMaxSize: 678, protocol: socket.protocol, url: { path: "x" } }])
    }).pipe(Effect.provide(script.layer))
  })

  it.scoped("[DIAL-17] takes over what its socket says when it is made, and keeps it", () =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make({ reconnectMin: 5, reconnectMax: 50, recvMaxSize: 500 })
      const before = yield* Dialer.make(socket, "inproc://x")
      yield* Socket.configure(socket, { reconnectMin: 7, reconnectMax: 70, recvMaxSize: 700 })
      const after = yield* Dialer.make(socket, "inproc://x")
      expect([before.configuration, after.configuration]).toEqual([
        { reconnectMin: Duration.millis(5), reconnectMax: Duration.millis(50), recvMaxSize: 500 },
        { reconnectMin: Duration.millis(7), reconnectMax: Duration.millis(70), recvMaxSize: 700 }
      ])
    }).pipe(Effect.provide(network))
  )

  it.scoped("[DIAL-19] a negative or endless reconnect time is NNG_EINVAL", () =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make()
      for (const wrong of [-5, -1, Duration.infinity]) {
        yield* failing(Dialer.make(socket, "inproc://x", { reconnectMax: wrong }), "NNG_EINVAL")
        yield* failing(Dialer.make(socket, "inproc://x", { reconnectMin: wrong }), "NNG_EINVAL")
      }
      yield* failing(Dialer.make(socket, "inproc://x", { recvMaxSize: -1 }), "NNG_EINVAL")
    }).pipe(Effect.provide(network))
  )

  it.scoped("[DIAL-20] that is closed takes its pipe with it and does not dial again", () => {
    const script = new Script()
    return Effect.gen(function* () {
      const [left, right] = [yield* Pair0.make(), yield* Pair0.make({ reconnectMin: 10 })]
      const { dialer } = yield* marry(left, right)
      yield* dialer.close
      expect(yield* Socket.pipes(right).get).toEqual([])
      yield* settle
      expect(yield* Socket.pipes(left).get).toEqual([])
      yield* TestClock.adjust("1 hour")
      expect(script.dialed).toHaveLength(1)
      expect(yield* stateTag(dialer)).toBe("Closed")
      yield* failing(dialer.close, "NNG_ENOENT")
    }).pipe(Effect.provide(script.layer))
  })

  it.scoped("is closed by the scope that it was made in", () =>
    Effect.gen(function* () {
      const [left, right] = [yield* Pair0.make(), yield* Pair0.make()]
      yield* Socket.listen(left, "inproc://x")
      const dialer = yield* Effect.scoped(Socket.dial(right, "inproc://x"))
      expect(yield* dialer.state).toEqual({ _tag: "Closed" })
      expect(yield* Socket.pipes(right).get).toEqual([])
    }).pipe(Effect.provide(network))
  )

  it.scoped("that cannot be started by dial is closed, as when dial is interrupted", () => {
    const hanging = new Hanging()
    const script = new Script().dial(refused, hanging.dial)
    return Effect.gen(function* () {
      const socket = yield* Pair0.make()
      yield* failing(Socket.dial(socket, "inproc://x"), "NNG_ECONNREFUSED")
      const dialing = yield* begin(socket.pipe(Socket.dial("inproc://x")))
      expect(hanging).toMatchObject({ begun: 1, tornDown: 0 })
      yield* Fiber.interrupt(dialing)
      expect(hanging).toMatchObject({ begun: 1, tornDown: 1 })
      yield* TestClock.adjust("1 hour")
      expect(script.dialed).toHaveLength(2)
    }).pipe(Effect.provide(script.layer))
  })
})

describe("starting", () => {
  it.scoped("[DIAL-02] with nobody there fails with NNG_ECONNREFUSED", () =>
    Effect.gen(function* () {
      const error = yield* failing(Socket.dial(yield* Pair0.make(), "inproc://nobody"), "NNG_ECONNREFUSED")
      expect(error.address).toBe("inproc://nobody")
    }).pipe(Effect.provide(network))
  )

  it.scoped("[DIAL-03] that failed can be tried again, and nothing is tried by itself", () => {
    const script = new Script()
    return Effect.gen(function* () {
      const dialer = yield* Dialer.make(yield* Pair0.make(), "inproc://x")
      yield* failing(Dialer.start(dialer), "NNG_ECONNREFUSED")
      yield* failing(Dialer.start(dialer), "NNG_ECONNREFUSED")
      expect(yield* stateTag(dialer)).toBe("Idle")
      yield* TestClock.adjust("1 hour")
      expect(script.dialed).toHaveLength(2)
      yield* Socket.listen(yield* Pair0.make(), "inproc://x")
      yield* Dialer.start(dialer)
      expect(yield* dialer.statistics).toEqual({ pipes: 1, connects: 1, reject: 0, failures: { NNG_ECONNREFUSED: 2 } })
    }).pipe(Effect.provide(script.layer))
  })

  it.scoped("[DIAL-04] what is started is NNG_ESTATE: connecting, waiting or connected", () => {
    const script = new Script().dial(refused, Effect.never)
    return Effect.gen(function* () {
      const dialer = yield* Dialer.make(yield* Pair0.make(), "inproc://x", { reconnectMin: 10 })
      yield* Dialer.start(dialer, { nonblocking: true })
      yield* failing(Dialer.start(dialer), "NNG_ESTATE")
      expect(yield* stateTag(dialer)).toBe("Waiting")
      yield* failing(Dialer.start(dialer, { nonblocking: true }), "NNG_ESTATE")
      yield* TestClock.adjust(9)
      expect(yield* stateTag(dialer)).toBe("Connecting")
      yield* failing(Dialer.start(dialer), "NNG_ESTATE")
      const { dialer: connected } = yield* marry(yield* Pair0.make(), yield* Pair0.make())
      yield* failing(Dialer.start(connected), "NNG_ESTATE")
    }).pipe(Effect.withRandom(largest().random), Effect.provide(script.layer))
  })

  it.scoped("[DIAL-14] a closed dialer is NNG_ENOENT, one of a closed socket NNG_ECLOSED", () =>
    Effect.gen(function* () {
      const socket = yield* Pair0.make()
      const [one, other] = [yield* Dialer.make(socket, "inproc://x"), yield* Dialer.make(socket, "inproc://x")]
      yield* one.close
      yield* failing(Dialer.start(one), "NNG_ENOENT")
      yield* failing(Dialer.start(one, { nonblocking: true }), "NNG_ENOENT")
      yield* failing(one.close, "NNG_ENOENT")
      yield* socket.close
      yield* failing(Dialer.start(other), "NNG_ECLOSED")
      yield* failing(Dialer.start(one), "NNG_ECLOSED")
    }).pipe(Effect.provide(network))
  )

  const transportErrors: ReadonlyArray<Transport.DialError> = [
    // of the eleven that the manual names; NNG_EINVAL, NNG_ENOENT, NNG_ESTATE and NNG_ECLOSED have tests of their own too
    new Errors.EADDRINVAL(),
    new Errors.ECLOSED(),
    new Errors.ECONNREFUSED(),
    new Errors.ECONNRESET(),
    new Errors.EINVAL(),
    new Errors.ENOENT(),
    new Errors.ENOMEM(),
    new Errors.EPEERAUTH(),
    new Errors.EPROTO(),
    new Errors.EUNREACHABLE(),
    // what a network adds
    new Errors.ETIMEDOUT(),
    new Errors.ECONNSHUT(),
    new Errors.ECRYPTO(),
    new Errors.EPERM(),
    new Errors.ENOTSUP(),
    new Errors.ECANCELED(),
    new Errors.ENOFILES(),
    new Errors.ESYSERR({ errno: 71, text: "protocol error" })
  ]
  for (const error of transportErrors) {
    it.scoped(`fails with ${error._tag} as its transport does, and leaves the dialer startable`, () => {
      const script = new Script().dial(error, hand().dial)
      return Effect.gen(function* () {
        const dialer = yield* Dialer.make(yield* Pair0.make(), "inproc://x")
        expect(yield* failing(Dialer.start(dialer), error._tag)).toMatchObject({ code: error.code })
        expect(yield* stateTag(dialer)).toBe("Idle")
        expect((yield* dialer.statistics).failures).toEqual({ [error._tag]: 1 })
        yield* Dialer.start(dialer)
        expect(yield* stateTag(dialer)).toBe("Connected")
      }).pipe(Effect.provide(script.layer))
    })
  }

  it.scoped("fails with NNG_EPROTO when the peer speaks another protocol", () => {
    const script = new Script().dial(hand(0x30).dial)
    return Effect.gen(function* () {
      const socket = yield* Pair0.make()
      const dialer = yield* Dialer.make(socket, "inproc://x")
      yield* failing(Dialer.start(dialer), "NNG_EPROTO")
      expect(yield* stateTag(dialer)).toBe("Idle")
      expect((yield* dialer.statistics).reject).toBe(1)
      expect((yield* socket.statistics).reject).toBe(1)
    }).pipe(Effect.provide(script.layer))
  })

  it.scoped("succeeds when its own socket has its peer already, and tries again later", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair()
      yield* Socket.listen(yield* Pair0.make(), "inproc://other")
      const dialer = yield* Socket.dial(right, "inproc://other", { reconnectMin: 10 })
      expect(yield* stateTag(dialer)).toBe("Waiting")
      expect(yield* dialer.state).toMatchObject({ error: { _tag: "NNG_EBUSY" } })
      expect(yield* dialer.statistics).toEqual({ pipes: 0, connects: 0, reject: 1, failures: { NNG_EBUSY: 1 } })
      yield* left.close
      yield* TestClock.adjust(10)
      expect(yield* stateTag(dialer)).toBe("Connected")
    }).pipe(Effect.withRandom(largest().random), Effect.provide(network))
  )

  it.scoped("succeeds when beforeAttach turned the connection away, and tries again later", () =>
    Effect.gen(function* () {
      let looks = 0
      const right = yield* Pair0.make({
        reconnectMin: 10,
        beforeAttach: () => (looks++ === 0 ? new Errors.EPEERAUTH() : Effect.void)
      })
      yield* Socket.listen(yield* Pair0.make(), "inproc://x")
      const dialer = yield* Socket.dial(right, "inproc://x")
      expect(yield* dialer.state).toMatchObject({ _tag: "Waiting", error: { _tag: "NNG_EPEERAUTH" } })
      yield* TestClock.adjust(10)
      expect(yield* stateTag(dialer)).toBe("Connected")
    }).pipe(Effect.withRandom(largest().random), Effect.provide(network))
  )

  it.scoped("[DIAL-21] succeeds when the peer's socket turns it away, and tries again until that has room", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair()
      const late = yield* Pair0.make({ reconnectMin: 10 })
      const dialer = yield* Socket.dial(late, "inproc://pair")
      const events = yield* collect(Dialer.events(dialer))
      for (let n = 0; n < 5; n++) {
        yield* until(events, tagged("Disconnected"))
        yield* TestClock.adjust(10)
      }
      yield* right.close
      yield* TestClock.adjust(10)
      yield* Socket.send(late, "at last")
      expect(yield* recvText(left)).toBe("at last")
      expect((yield* left.statistics).reject).toBeGreaterThan(4)
    }).pipe(Effect.provide(network))
  )

  it.scoped("interrupted tears down the attempt and leaves the dialer startable", () => {
    const hanging = new Hanging()
    const script = new Script().dial(hanging.dial, hand().dial)
    return Effect.gen(function* () {
      const dialer = yield* Dialer.make(yield* Pair0.make(), "inproc://x")
      const starting = yield* begin(Dialer.start(dialer))
      expect(yield* dialer.state).toEqual({ _tag: "Connecting", attempt: 1 })
      expect(Exit.isInterrupted(yield* Fiber.interrupt(starting))).toBe(true)
      expect(hanging).toMatchObject({ begun: 1, tornDown: 1 })
      expect(yield* dialer.state).toEqual({ _tag: "Idle" })
      yield* TestClock.adjust("1 hour")
      expect(script.dialed).toHaveLength(1)
      yield* Dialer.start(dialer)
      expect(yield* stateTag(dialer)).toBe("Connected")
    }).pipe(Effect.provide(script.layer))
  })

  it.scoped("interrupted at any step leaves the dialer as it was", () =>
    Effect.gen(function* () {
      const exits: Array<string> = []
      for (let run = 0; run < 300; run++) {
        const [steps, yields] = [run % 100, Math.floor(run / 100) * 4]
        yield* Effect.scoped(
          Effect.gen(function* () {
            const left = yield* Pair0.make()
            const right = yield* Pair0.make()
            yield* Socket.listen(left, "inproc://x")
            const dialer = yield* Dialer.make(right, "inproc://x")
            const exit = yield* interruptedAfter(Dialer.start(dialer), steps, yields)
            exits.push(exit._tag)
            const { _tag } = yield* dialer.state
            expect(_tag, `run ${run}`).toBe(Exit.isSuccess(exit) ? "Connected" : "Idle")
            expect(yield* Socket.pipes(right).get, `run ${run}`).toHaveLength(Exit.isSuccess(exit) ? 1 : 0)
            if (Exit.isFailure(exit)) yield* Dialer.start(dialer)
            expect(yield* stateTag(dialer), `run ${run}`).toBe("Connected")
            expect(yield* Socket.pipes(left).get, `run ${run}`).toHaveLength(1)
          })
        )
      }
      expect(exits).toEqual(expect.arrayContaining(["Success", "Failure"]))
    }).pipe(Effect.provide(network))
  )

  it.scoped("with nonblocking, interrupted at any step, it is as it was or is started", () =>
    Effect.gen(function* () {
      for (let steps = 0; steps < 100; steps++) {
        yield* Effect.scoped(
          Effect.gen(function* () {
            yield* Socket.listen(yield* Pair0.make(), "inproc://x")
            const dialer = yield* Dialer.make(yield* Pair0.make(), "inproc://x")
            yield* interruptedAfter(Dialer.start(dialer, { nonblocking: true }), steps)
            if ((yield* stateTag(dialer)) === "Idle") yield* Dialer.start(dialer, { nonblocking: true })
            expect(yield* stateTag(dialer), `after ${steps} steps`).toBe("Connected")
          })
        )
      }
    }).pipe(Effect.provide(network))
  )

  for (const what of ["dialer", "socket"] as const) {
    it.scoped(`fails with NNG_ECLOSED when the ${what} is closed while it dials`, () => {
      const hanging = new Hanging()
      const script = new Script().dial(hanging.dial)
      return Effect.gen(function* () {
        const socket = yield* Pair0.make()
        const dialer = yield* Dialer.make(socket, "inproc://x")
        const starting = yield* begin(Dialer.start(dialer))
        yield* what === "socket" ? socket.close : dialer.close
        yield* failing(Fiber.join(starting), "NNG_ECLOSED")
        expect(hanging.tornDown).toBe(1)
        expect(yield* dialer.state).toEqual({ _tag: "Closed" })
      }).pipe(Effect.provide(script.layer))
    })
  }

  it.scoped("dies when its transport does, and can be tried again", () => {
    const script = new Script().dial(Effect.die("a bug"), hand().dial)
    return Effect.gen(function* () {
      const dialer = yield* Dialer.make(yield* Pair0.make(), "inproc://x")
      const exit = yield* Effect.exit(Dialer.start(dialer))
      expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toBe("a bug")
      yield* Dialer.start(dialer)
    }).pipe(Effect.provide(script.layer), Effect.provide(Logger.remove(Logger.defaultLogger)))
  })

  it.scoped("with nonblocking returns at once, and keeps trying", () => {
    const script = new Script().dial(refused, refused, Effect.never)
    return Effect.gen(function* () {
      const dialer = yield* Dialer.make(yield* Pair0.make(), "inproc://x", { reconnectMin: 10 })
      yield* Dialer.start(dialer, { nonblocking: true })
      yield* settle
      yield* TestClock.adjust(10)
      yield* TestClock.adjust(10)
      expect(script.dialed).toHaveLength(3)
      expect(yield* dialer.state).toEqual({ _tag: "Connecting", attempt: 3 })
      const dialed = yield* Socket.dial(yield* Pair0.make(), "inproc://nobody", { nonblocking: true })
      expect(yield* stateTag(dialed)).toBe("Waiting")
    }).pipe(Effect.withRandom(largest().random), Effect.provide(script.layer))
  })
})

describe("startAio", () => {
  const into = (results: Array<Aio.Result>) => (result: Aio.Result) => Effect.sync(() => void results.push(result))

  it.scoped("[DIAL-22] without the nonblocking flag ends with NNG_EINVAL, and nothing is dialed", () => {
    const script = new Script()
    return Effect.gen(function* () {
      const results: Array<Aio.Result> = []
      const aio = yield* Aio.make({ callback: into(results) })
      const dialer = yield* Dialer.make(yield* Pair0.make(), "inproc://x")
      for (const options of [undefined, {}, { nonblocking: false }]) {
        yield* Dialer.startAio(dialer, aio, options)
        yield* Aio.wait(aio)
      }
      expect(results).toHaveLength(3)
      for (const result of results)
        expect(result).toMatchObject({ _tag: "Failure", cause: { error: { _tag: "NNG_EINVAL" } } })
      expect(script.dialed).toEqual([])
      expect(yield* stateTag(dialer)).toBe("Idle")
    }).pipe(Effect.provide(script.layer))
  })

  it.scoped("[DIAL-22] tells the first result, once, and that only", () => {
    const script = new Script().dial(hand().dial, refused, hand().dial)
    return Effect.gen(function* () {
      const results: Array<Aio.Result> = []
      const aio = yield* Aio.make({ callback: into(results) })
      const socket = yield* Pair0.make({ reconnectMin: 1 })
      const dialer = yield* Dialer.make(socket, "inproc://x")
      yield* dialer.pipe(Dialer.startAio(aio, { nonblocking: true }))
      expect(results).toEqual([])
      yield* Aio.wait(aio)
      expect(results).toEqual([Exit.void])
      // it goes on, and says no more
      const [pipe] = yield* Socket.pipes(socket).get
      yield* pipe!.close
      yield* settle
      yield* TestClock.adjust(1)
      yield* TestClock.adjust(1)
      expect(script.dialed).toHaveLength(3)
      expect(yield* stateTag(dialer)).toBe("Connected")
      expect(results).toHaveLength(1)
    }).pipe(Effect.provide(script.layer))
  })

  it.scoped("a first attempt that failed leaves the dialer startable", () => {
    const script = new Script().dial(refused)
    return Effect.gen(function* () {
      const results: Array<Aio.Result> = []
      const aio = yield* Aio.make({ callback: into(results) })
      const dialer = yield* Dialer.make(yield* Pair0.make(), "inproc://x", { reconnectMin: 1 })
      yield* Dialer.startAio(dialer, aio, { nonblocking: true })
      yield* Aio.wait(aio)
      expect(results).toMatchObject([{ _tag: "Failure", cause: { error: { _tag: "NNG_ECONNREFUSED" } } }])
      yield* TestClock.adjust("1 hour")
      expect(script.dialed).toHaveLength(1)
      expect(yield* stateTag(dialer)).toBe("Idle")
      yield* Socket.listen(yield* Pair0.make(), "inproc://x")
      yield* Dialer.startAio(dialer, aio, { nonblocking: true })
      yield* Aio.wait(aio)
      expect(results).toHaveLength(2)
      expect(results[1]).toEqual(Exit.void)
    }).pipe(Effect.provide(script.layer))
  })

  it.scoped("cancelling tears down the attempt, tells NNG_ECANCELED and leaves the dialer startable", () => {
    const hanging = new Hanging()
    const script = new Script().dial(hanging.dial, hand().dial)
    return Effect.gen(function* () {
      const results: Array<Aio.Result> = []
      const aio = yield* Aio.make({ callback: into(results) })
      const dialer = yield* Dialer.make(yield* Pair0.make(), "inproc://x")
      yield* Dialer.startAio(dialer, aio, { nonblocking: true })
      yield* settle
      expect(yield* Aio.busy(aio)).toBe(true)
      yield* Aio.cancel(aio)
      yield* Aio.wait(aio)
      expect(results).toMatchObject([{ _tag: "Failure", cause: { error: { _tag: "NNG_ECANCELED" } } }])
      expect(hanging).toMatchObject({ begun: 1, tornDown: 1 })
      expect(yield* stateTag(dialer)).toBe("Idle")
      yield* Dialer.start(dialer)
    }).pipe(Effect.provide(script.layer))
  })

  it.scoped("the aio's time-out is NNG_ETIMEDOUT, and leaves the dialer startable", () => {
    const hanging = new Hanging()
    const script = new Script().dial(hanging.dial, hand().dial)
    return Effect.gen(function* () {
      const results: Array<Aio.Result> = []
      const aio = yield* Aio.make({ callback: into(results), timeout: "1 second" })
      const dialer = yield* Dialer.make(yield* Pair0.make(), "inproc://x")
      yield* Dialer.startAio(dialer, aio, { nonblocking: true })
      yield* settle
      yield* TestClock.adjust("1 second")
      yield* Aio.wait(aio)
      expect(results).toMatchObject([{ _tag: "Failure", cause: { error: { _tag: "NNG_ETIMEDOUT" } } }])
      expect(hanging.tornDown).toBe(1)
      yield* Dialer.start(dialer)
    }).pipe(Effect.provide(script.layer))
  })

  it.scoped("tells NNG_ESTATE, NNG_ENOENT, NNG_ECLOSED and NNG_ESTOPPED as results", () => {
    const script = new Script()
    return Effect.gen(function* () {
      const aio = yield* Aio.make()
      const startedAs = (dialer: Dialer.Dialer) =>
        Effect.gen(function* () {
          yield* Dialer.startAio(dialer, aio, { nonblocking: true })
          yield* Aio.wait(aio)
          return Option.getOrThrow(yield* Aio.result(aio))
        })
      const expected = (tag: Errors.Tag) => ({ _tag: "Failure", cause: { error: { _tag: tag } } })
      const { dialer: started } = yield* pair()
      expect(yield* startedAs(started)).toMatchObject(expected("NNG_ESTATE"))
      const socket = yield* Pair0.make()
      const [one, other] = [yield* Dialer.make(socket, "inproc://x"), yield* Dialer.make(socket, "inproc://x")]
      yield* one.close
      expect(yield* startedAs(one)).toMatchObject(expected("NNG_ENOENT"))
      yield* Aio.stop(aio)
      expect(yield* startedAs(other)).toMatchObject(expected("NNG_ESTOPPED"))
      expect(yield* stateTag(other)).toBe("Idle")
      const fresh = yield* Aio.make()
      yield* socket.close
      yield* Dialer.startAio(other, fresh, { nonblocking: true })
      yield* Aio.wait(fresh)
      expect(Option.getOrThrow(yield* Aio.result(fresh))).toMatchObject(expected("NNG_ECLOSED"))
    }).pipe(Effect.provide(script.layer))
  })

  it.scoped("a busy aio is a defect, NNG_EBUSY, and neither it nor the dialer notices", () => {
    const script = new Script()
    return Effect.gen(function* () {
      const aio = yield* Aio.make()
      const pending = yield* Aio.start(aio, Effect.never)
      const dialer = yield* Dialer.make(yield* Pair0.make(), "inproc://x")
      const exit = yield* Effect.exit(Dialer.startAio(dialer, aio, { nonblocking: true }))
      expect(Exit.isFailure(exit) && Cause.isDie(exit.cause) && Cause.squash(exit.cause)).toMatchObject({
        _tag: "NNG_EBUSY"
      })
      expect(yield* stateTag(dialer)).toBe("Idle")
      expect(script.dialed).toEqual([])
      yield* Aio.cancel(aio)
      yield* failing(pending, "NNG_ECANCELED")
    }).pipe(Effect.provide(script.layer))
  })

  it.scoped("returns at once, and interrupting its caller later changes nothing", () => {
    const gate = Deferred.unsafeMake<void>(FiberId.none)
    const script = new Script().dial(Effect.zipRight(Deferred.await(gate), hand().dial))
    return Effect.gen(function* () {
      const aio = yield* Aio.make()
      const dialer = yield* Dialer.make(yield* Pair0.make(), "inproc://x")
      const caller = yield* begin(Effect.zipRight(Dialer.startAio(dialer, aio, { nonblocking: true }), Effect.never))
      yield* Fiber.interrupt(caller)
      expect(yield* Aio.busy(aio)).toBe(true)
      yield* Deferred.succeed(gate, void 0)
      yield* Aio.wait(aio)
      expect(yield* stateTag(dialer)).toBe("Connected")
    }).pipe(Effect.provide(script.layer))
  })
})

describe("dialing again", () => {
  it.scoped("[DIAL-05] a non-blocking dial finds a listener that appears later", () =>
    Effect.gen(function* () {
      const [left, right] = [yield* Pair0.make(), yield* Pair0.make({ reconnectMin: 10, reconnectMax: 10 })]
      yield* Socket.dial(right, "inproc://later", { nonblocking: true })
      yield* TestClock.adjust(100)
      yield* Socket.listen(left, "inproc://later")
      yield* TestClock.adjust(10)
      yield* Socket.awaitPeers(right, 1)
      yield* Socket.send(right, "there")
      expect(yield* recvText(left)).toBe("there")
      yield* Socket.send(left, "and back")
      expect(yield* recvText(right)).toBe("and back")
    }).pipe(Effect.provide(network))
  )

  it.scoped("[DIAL-06] it finds the next listener on the address", () =>
    Effect.gen(function* () {
      const [left, right] = [yield* Pair0.make(), yield* Pair0.make({ reconnectMin: 10 })]
      const { dialer, listener } = yield* marry(left, right)
      yield* listener.close
      yield* TestClock.adjust(100)
      expect(yield* stateTag(dialer)).toBe("Waiting")
      yield* Socket.listen(left, "inproc://pair")
      yield* TestClock.adjust(10)
      yield* Socket.send(right, "again")
      expect(yield* recvText(left)).toBe("again")
    }).pipe(Effect.withRandom(largest().random), Effect.provide(network))
  )

  it.scoped("[DIAL-07] it makes a new connection for one that its own side closed", () =>
    Effect.gen(function* () {
      const [left, right] = [yield* Pair0.make(), yield* Pair0.make({ reconnectMin: 10 })]
      yield* marry(left, right)
      const [pipe] = yield* Socket.pipes(right).get
      yield* pipe!.close
      yield* settle
      yield* TestClock.adjust(10)
      yield* Socket.send(left, "again")
      expect(yield* recvText(right)).toBe("again")
    }).pipe(Effect.provide(network))
  )

  it.scoped("[DIAL-08] without a maximum the wait does not grow", () => {
    const { bounds, random } = largest()
    return Effect.gen(function* () {
      const [left, right] = [yield* Pair0.make(), yield* Pair0.make({ reconnectMin: 10, reconnectMax: 0 })]
      yield* Socket.dial(right, "inproc://late", { nonblocking: true })
      for (let n = 0; n < 50; n++) yield* TestClock.adjust(10)
      expect(bounds.length).toBeGreaterThan(40)
      expect(new Set(bounds)).toEqual(new Set([10]))
      yield* Socket.listen(left, "inproc://late")
      yield* TestClock.adjust(10)
      yield* Socket.send(right, "soon")
      expect(yield* recvText(left)).toBe("soon")
    }).pipe(Effect.withRandom(random), Effect.provide(network))
  })

  it.scoped("[DIAL-09] the bound doubles up to the maximum, and starts anew after a connection", () => {
    const { bounds, random } = largest()
    const script = new Script()
    return Effect.gen(function* () {
      const socket = yield* Pair0.make({ reconnectMin: 10, reconnectMax: 1000 })
      const dialer = yield* Dialer.make(socket, "inproc://x")
      const events = yield* collect(Dialer.events(dialer))
      script.dial(...Array.from({ length: 10 }, () => refused), hand().dial, refused, refused)
      yield* Dialer.start(dialer, { nonblocking: true })
      const grown = [10, 20, 40, 80, 160, 320, 640, 1000, 1000, 1000]
      for (const bound of grown) {
        expect(yield* nextWait(events)).toBe(bound - 1)
        expect(yield* stateTag(dialer)).toBe("Waiting")
        yield* TestClock.adjust(bound - 2)
        expect(yield* stateTag(dialer)).toBe("Waiting")
        yield* TestClock.adjust(1)
      }
      yield* Socket.awaitPeers(socket, 1)
      const [pipe] = yield* Socket.pipes(socket).get
      yield* pipe!.close
      for (const bound of [10, 20, 40]) {
        expect(yield* nextWait(events)).toBe(bound - 1)
        yield* TestClock.adjust(bound - 1)
      }
      expect(bounds.slice(0, 13)).toEqual([...grown, 10, 20, 40])
    }).pipe(Effect.withRandom(random), Effect.provide(script.layer))
  })

  it.scoped("the same seed gives the same waits, each below its bound", () => {
    const waits = Effect.gen(function* () {
      const script = new Script().dial(...Array.from({ length: 8 }, () => refused))
      return yield* Effect.gen(function* () {
        const dialer = yield* Dialer.make(yield* Pair0.make(), "inproc://x", { reconnectMin: 100, reconnectMax: 800 })
        const events = yield* collect(Dialer.events(dialer))
        yield* Dialer.start(dialer, { nonblocking: true })
        const waits: Array<number | undefined> = []
        for (let n = 0; n < 8; n++) {
          const wait = yield* nextWait(events)
          waits.push(wait)
          yield* settle
          yield* TestClock.adjust(wait ?? 0)
        }
        return waits
      }).pipe(Effect.withRandom(Random.make("seed")), Effect.provide(script.layer))
    })
    return Effect.gen(function* () {
      const [one, other] = [yield* waits, yield* waits]
      expect(one).toEqual(other)
      one.forEach((wait, n) => expect(wait).toBeLessThan(Math.min(100 * 2 ** n, 800)))
      expect(new Set(one).size).toBeGreaterThan(4)
    })
  })

  it.scoped("a minimum of 0 dials again at once", () => {
    const script = new Script().dial(...Array.from({ length: 20 }, () => refused), hand().dial)
    return Effect.gen(function* () {
      const socket = yield* Pair0.make({ reconnectMin: 0 })
      yield* Socket.dial(socket, "inproc://x", { nonblocking: true })
      yield* TestClock.adjust(0)
      yield* Socket.awaitPeers(socket, 1)
      expect(script.dialed).toHaveLength(21)
    }).pipe(Effect.provide(script.layer))
  })

  it.scoped("a Schedule may say when, and starts anew after a connection", () => {
    const script = new Script()
    return Effect.gen(function* () {
      const socket = yield* Pair0.make()
      const dialer = yield* Dialer.make(socket, "inproc://x", { reconnect: Schedule.exponential("100 millis") })
      const events = yield* collect(Dialer.events(dialer))
      script.dial(refused, refused, refused, hand().dial, refused)
      yield* Dialer.start(dialer, { nonblocking: true })
      for (const wait of [100, 200, 400]) {
        expect(yield* nextWait(events)).toBe(wait)
        yield* settle
        yield* TestClock.adjust(wait)
      }
      yield* Socket.awaitPeers(socket, 1)
      const [pipe] = yield* Socket.pipes(socket).get
      yield* pipe!.close
      expect(yield* nextWait(events)).toBe(100)
    }).pipe(Effect.provide(script.layer))
  })

  it.scoped("a Schedule is given the error, and when it is done the dialer gives up and can be started again", () => {
    const unreachable = new Errors.EUNREACHABLE()
    const script = new Script().dial(refused, refused, unreachable, refused, unreachable)
    return Effect.gen(function* () {
      const whileRefused = Schedule.recurWhile<Errors.NngError>(({ _tag }) => _tag === "NNG_ECONNREFUSED")
      const dialer = yield* Dialer.make(yield* Pair0.make(), "inproc://x", {
        reconnect: Schedule.intersect(whileRefused, Schedule.spaced("1 second"))
      })
      const events = yield* collect(Dialer.events(dialer))
      for (const waits of [
        [1000, 1000, undefined],
        [1000, undefined]
      ]) {
        yield* Dialer.start(dialer, { nonblocking: true })
        for (const wait of waits) {
          expect(yield* nextWait(events)).toBe(wait)
          yield* settle
          if (wait !== undefined) yield* TestClock.adjust(wait)
        }
        expect(yield* stateTag(dialer)).toBe("Idle")
      }
      expect(script.dialed).toHaveLength(5)
      expect((yield* dialer.statistics).failures).toEqual({ NNG_ECONNREFUSED: 3, NNG_EUNREACHABLE: 2 })
    }).pipe(Effect.provide(script.layer))
  })

  it.scoped("exactly one pipe of a dialer lives at any time", () => {
    let live = 0
    let most = 0
    const counted: Transport.Transport["dial"] = (target) =>
      Effect.zipRight(
        Effect.acquireRelease(
          Effect.sync(() => void (most = Math.max(most, ++live))),
          () => Effect.sync(() => void live--)
        ),
        script.inproc.dial(target)
      )
    const script: Script = new Script().dial(...Array.from({ length: 50 }, () => counted))
    return Effect.gen(function* () {
      const [left, right] = [yield* Pair0.make(), yield* Pair0.make({ reconnectMin: 0 })]
      const { dialer } = yield* marry(left, right)
      for (let n = 0; n < 40; n++) {
        const side = n % 2 === 0 ? left : right
        for (const pipe of yield* Socket.pipes(side).get) yield* Effect.ignore(pipe.close)
        yield* settle
        yield* TestClock.adjust(0)
        expect((yield* dialer.statistics).pipes).toBeLessThan(2)
      }
      yield* Socket.awaitPeers(right, 1)
      expect(most).toBe(1)
      expect((yield* dialer.statistics).connects).toBeGreaterThan(20)
      yield* dialer.close
      expect(live).toBe(0)
    }).pipe(Effect.provide(script.layer))
  })

  it.scoped("closing a dialer that waits ends it at once", () =>
    Effect.gen(function* () {
      const dialer = yield* Socket.dial(yield* Pair0.make(), "inproc://nobody", { nonblocking: true })
      expect(yield* stateTag(dialer)).toBe("Waiting")
      const closing = yield* begin(dialer.close)
      expect(yield* ended(closing)).toBe(true)
      expect(yield* stateTag(dialer)).toBe("Closed")
    }).pipe(Effect.withRandom(largest().random), Effect.provide(network))
  )

  it.scopedLive("over tcp it comes back to a listener that went and came back", () =>
    Effect.gen(function* () {
      const [left, right] = [yield* Pair0.make(), yield* Pair0.make({ reconnectMin: 10 })]
      const { dialer, listener } = yield* marry(left, right, "tcp://127.0.0.1:0")
      const { url } = listener
      const events = yield* collect(Dialer.events(dialer))
      yield* listener.close
      yield* until(events, tagged("Disconnected"))
      const failed = yield* until(events, tagged("Failed"))
      expect(failed.error._tag).toBe("NNG_ECONNREFUSED")
      yield* Socket.listen(left, url)
      yield* until(events, tagged("Connected"))
      yield* Socket.send(right, "again")
      expect(yield* recvText(left)).toBe("again")
    }).pipe(Effect.provide(NodeTransport.layer))
  )
})

describe("the events of a dialer", () => {
  it.scoped("tell its story", () => {
    const script = new Script()
    const { random } = largest()
    return Effect.gen(function* () {
      const dialer = yield* Dialer.make(yield* Pair0.make(), "inproc://x", { reconnectMin: 10, reconnectMax: 20 })
      const events = yield* recording(Dialer.events(dialer))
      const peer = hand()
      script.dial(refused, hand(0x11).dial, peer.dial, Effect.never)
      yield* Dialer.start(dialer, { nonblocking: true })
      yield* settle
      yield* TestClock.adjust(9)
      yield* TestClock.adjust(19)
      const state = yield* dialer.state
      const pipe = state._tag === "Connected" ? state.pipe : undefined
      peer.peer.close()
      yield* settle
      yield* TestClock.adjust(9)
      yield* dialer.close
      const in9 = Option.some(Duration.millis(9))
      expect(yield* Fiber.join(events)).toMatchObject([
        { _tag: "Attempt", attempt: 1 },
        { _tag: "Failed", attempt: 1, error: { _tag: "NNG_ECONNREFUSED" }, next: in9 },
        { _tag: "Attempt", attempt: 2 },
        { _tag: "Failed", attempt: 2, error: { _tag: "NNG_EPROTO" }, next: Option.some(Duration.millis(19)) },
        { _tag: "Attempt", attempt: 3 },
        { _tag: "Connected", pipe },
        { _tag: "Disconnected", pipe, reason: { _tag: "NNG_ECONNSHUT" }, next: in9 },
        { _tag: "Attempt", attempt: 1 },
        { _tag: "Closed" }
      ])
    }).pipe(Effect.withRandom(random), Effect.provide(script.layer))
  })

  it.scoped("tell a first attempt that failed, with nothing to follow", () => {
    const script = new Script().dial(refused)
    return Effect.gen(function* () {
      const dialer = yield* Dialer.make(yield* Pair0.make(), "inproc://x")
      const events = yield* collect(Dialer.events(dialer))
      yield* Effect.flip(Dialer.start(dialer))
      expect(yield* taken(events)).toMatchObject([
        { _tag: "Attempt", attempt: 1 },
        { _tag: "Failed", attempt: 1, error: { _tag: "NNG_ECONNREFUSED" }, next: Option.none() }
      ])
    }).pipe(Effect.provide(script.layer))
  })

  it.scoped("give a late subscriber first what happened last", () =>
    Effect.gen(function* () {
      const idle = yield* Dialer.make(yield* Pair0.make(), "inproc://nobody")
      expect(yield* taken(yield* collect(Dialer.events(idle)))).toEqual([])
      const { dialer } = yield* pair()
      const late = yield* collect(Dialer.events(dialer))
      expect(tags(yield* taken(late))).toEqual(["Connected"])
      yield* dialer.close
      expect(tags(yield* taken(late))).toEqual(["Closed"])
      const after = yield* recording(Dialer.events(dialer))
      expect(tags(yield* Fiber.join(after))).toEqual(["Closed"])
    }).pipe(Effect.provide(network))
  )

  it.scoped("say when the next attempt is, as the state does", () => {
    const { random } = largest()
    return Effect.gen(function* () {
      yield* TestClock.adjust(5000)
      const dialer = yield* Dialer.make(yield* Pair0.make(), "inproc://nobody", { reconnectMin: 1000 })
      yield* Dialer.start(dialer, { nonblocking: true })
      yield* settle
      expect(yield* dialer.state).toMatchObject({ _tag: "Waiting", until: 5999, error: { _tag: "NNG_ECONNREFUSED" } })
      expect(yield* taken(yield* collect(Dialer.events(dialer)))).toMatchObject([
        { _tag: "Failed", attempt: 1, next: Option.some(Duration.millis(999)) }
      ])
    }).pipe(Effect.withRandom(random), Effect.provide(network))
  })
})
