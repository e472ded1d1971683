import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as FC from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Dialer from "effect-nng/Dialer"
import * as Listener from "effect-nng/Listener"
import * as Message from "effect-nng/Message"
import * as Pair0 from "effect-nng/Pair0"
import * as Protocol from "effect-nng/Protocol"
import * as Socket from "effect-nng/Socket"
import type { Connection, Target } from "effect-nng/Transport"
import { Transports } from "effect-nng/Transport"
import * as Url from "effect-nng/Url"
import * as Handles from "../support/handles.js"
import { backTo, leavesNone, open } from "../support/handles.js"
import * as Transport from "effect-nng/Transport"
import { header, pair0, record, tagged } from "../support/peers.js"

/** A connection played by hand. */
export interface Client {
  readonly write: (...pieces: ReadonlyArray<Uint8Array>) => Effect.Effect<void, unknown>
  /** Exactly so many bytes. */
  readonly read: (size: number) => Effect.Effect<Uint8Array, unknown>
  /** Waits until the other side has closed. */
  readonly closed: Effect.Effect<unknown>
  /** Closes in good order. */
  readonly end: Effect.Effect<void>
}

export interface Subject<R = never> {
  /** Built anew for each test; so there is no need for one `layer` per file. */
  readonly layer: Layer.Layer<Transports | R>
  /** Whose time the tests run in: the operating system's, or one of the layer's own, which goes on by itself. */
  readonly time: "real" | "simulated"
  /** Where a test listens: nobody else does. What is dialed is the URL that the listener then has. */
  readonly address: Effect.Effect<string, never, Scope.Scope>
  /** Where nobody listens. */
  readonly nobody: Effect.Effect<string, never, Scope.Scope>
  /** URLs that no endpoint can be made with, and the error. */
  readonly badWhenMade: ReadonlyArray<readonly [role: "dial" | "listen", url: string, error: string]>
  /** URLs that only a start finds bad. */
  readonly badWhenStarted: ReadonlyArray<readonly [role: "dial" | "listen", url: string, error: string]>
  /** Whether the receive limit is enforced. */
  readonly limits: boolean
  /** Whether the handshake itself finds out that the peer speaks another protocol. Default not. */
  readonly tellsProtocol?: boolean | undefined
  /** Most bytes that are on their way when the receiver has stopped. */
  readonly inFlight: number
  /** What part of the usual bulk is moved where much is moved. Default all of it. */
  readonly bulk?: number | undefined
  /** For transports of bytes: connects by hand to where a listener is. */
  readonly connect?: ((url: string) => Effect.Effect<Client, unknown, R | Scope.Scope>) | undefined
}

const target = (url: string, protocol: Protocol.Protocol = Protocol.pair0): Target => ({
  url: Either.getOrThrow(Url.parse(url)),
  protocol,
  recvMaxSize: 0,
  options: {}
})

/** The transport itself, without sockets. */
const transportOf = (url: string) =>
  Effect.map(Transports, (transports) => {
    const transport = transports.get(Either.getOrThrow(Url.parse(url)).scheme)
    if (transport === undefined) throw new Error(`no transport for ${url}`)
    return transport
  })

const listenRaw = (url: string, protocol?: Protocol.Protocol) =>
  Effect.flatMap(transportOf(url), (transport) => transport.listen(target(url, protocol)))

const dialRaw = (url: string, protocol?: Protocol.Protocol) =>
  Effect.flatMap(transportOf(url), (transport) => transport.dial(target(url, protocol)))

const text = (message: Message.Message): string => Message.text(message)

export const transportSuite = <R = never>(name: string, subject: Subject<R>): void => {
  const { address, badWhenMade, badWhenStarted, bulk = 1, connect, inFlight, layer, limits, nobody, time } = subject
  const { tellsProtocol = false } = subject

  const test = <E>(
    title: string,
    effect: () => Effect.Effect<void, E, Scope.Scope | Transports | R>,
    timeout?: number
  ): void => it.scopedLive(title, () => leavesNone(Effect.suspend(effect)).pipe(Effect.provide(layer)), timeout)

  /** The same where time passes only when the test says so. */
  const testStill = <E>(title: string, effect: () => Effect.Effect<void, E, Scope.Scope | Transports | R>): void =>
    it.scoped(title, () => leavesNone(Effect.suspend(effect)).pipe(Effect.provide(layer)))

  /** For `testStill`: time passes. */
  const pass = (millis: number): Effect.Effect<void> =>
    time === "real" ? TestClock.adjust(millis) : Effect.sleep(millis)

  /** Lets what is under way get on. */
  const turn: Effect.Effect<void> = time === "real" ? Handles.turn : Effect.sleep(1)

  /** Two sockets that have each other. */
  const meet = (options: { readonly listener?: Pair0.MakeOptions; readonly dialer?: Pair0.MakeOptions } = {}) =>
    Effect.gen(function* () {
      const left = yield* Pair0.make(options.listener)
      const right = yield* Pair0.make({ reconnectMin: "20 millis", ...options.dialer })
      const leftPipes = yield* record(Socket.events(left))
      const listener = yield* Socket.listen(left, yield* address)
      const dialer = yield* Socket.dial(right, listener.url)
      yield* Socket.awaitPeers(left, 1)
      return { left, right, listener, dialer, leftPipes }
    })

  const talk = (left: Pair0.Pair0, right: Pair0.Pair0) =>
    Effect.gen(function* () {
      yield* Socket.send(left, "from left")
      yield* Socket.send(right, "from right")
      expect(text(yield* Socket.recv(right))).toBe("from left")
      expect(text(yield* Socket.recv(left))).toBe("from right")
    })

  /** Two connections that have each other, without sockets. */
  const join = Effect.gen(function* () {
    const acceptor = yield* listenRaw(yield* address)
    const dialing = yield* Effect.forkScoped(dialRaw(acceptor.url.href))
    const accepted = yield* Effect.flatMap(acceptor.accept, ({ handshake }) => handshake)
    return { acceptor, accepted, dialed: yield* Fiber.join(dialing) }
  })

  /** Sends until there is no more room, and tells how many that were. */
  const fill = (socket: Pair0.Pair0, message: (i: number) => Uint8Array) =>
    Effect.gen(function* () {
      let sent = 0
      // no room is final when many turns of the event loop have made none
      for (let idle = 0; idle < 200; idle++) {
        const result = yield* Effect.either(Socket.send(socket, message(sent), { nonblocking: true }))
        if (Either.isRight(result)) {
          sent++
          idle = 0
        } else {
          expect(result.left._tag).toBe("NNG_EAGAIN")
          yield* turn
        }
      }
      return sent
    })

  describe(`transport ${name}`, () => {
    describe("addresses", () => {
      test("refuses when nobody listens, and the dialer can be started once somebody does", () =>
        Effect.gen(function* () {
          const url = yield* nobody
          const socket = yield* Pair0.make()
          const dialer = yield* Dialer.make(socket, url)
          for (let i = 0; i < 2; i++) {
            expect(yield* Effect.flip(Dialer.start(dialer))).toMatchObject({ _tag: "NNG_ECONNREFUSED", address: url })
            expect(yield* dialer.state).toEqual({ _tag: "Idle" })
          }
          const peer = yield* Pair0.make()
          yield* Socket.listen(peer, url)
          yield* Dialer.start(dialer)
          yield* talk(socket, peer)
        }))

      test("refuses a second listener, until the first is closed", () =>
        Effect.gen(function* () {
          const socket = yield* Pair0.make()
          const first = yield* Socket.listen(socket, yield* address)
          const { url } = first
          const second = yield* Listener.make(socket, url)
          expect(yield* Effect.flip(Listener.start(second))).toMatchObject({ _tag: "NNG_EADDRINUSE" })
          expect(yield* second.state).toEqual({ _tag: "Idle" })
          yield* first.close
          yield* Listener.start(second)
          expect(yield* second.state).toEqual({ _tag: "Listening", url })
        }))

      test("refuses a listener that listens already", () =>
        Effect.gen(function* () {
          const socket = yield* Pair0.make()
          const listener = yield* Socket.listen(socket, yield* address)
          expect(yield* Effect.flip(Listener.start(listener))).toMatchObject({ _tag: "NNG_ESTATE" })
        }))

      for (const [role, url, error] of badWhenMade) {
        test(`cannot make an endpoint to ${role} ${url}: ${error}`, () =>
          Effect.gen(function* () {
            const socket = yield* Pair0.make()
            const made =
              role === "dial" ? Effect.asVoid(Dialer.make(socket, url)) : Effect.asVoid(Listener.make(socket, url))
            expect(yield* Effect.flip(made)).toMatchObject({ _tag: error })
          }))
      }

      const startError = (role: "dial" | "listen", url: string) =>
        Effect.gen(function* () {
          const socket = yield* Pair0.make()
          if (role === "dial") return (yield* Effect.flip(Dialer.start(yield* Dialer.make(socket, url))))._tag
          return (yield* Effect.flip(Listener.start(yield* Listener.make(socket, url))))._tag
        })

      for (const [role, url, error] of badWhenStarted) {
        test(`cannot ${role} ${url}: ${error}`, () =>
          Effect.map(startError(role, url), (tag) => expect(tag).toBe(error)).pipe(Effect.asVoid))
      }

      test("a listener without a connection accepts nothing and ends with its scope", () =>
        Effect.gen(function* () {
          const socket = yield* Pair0.make()
          const url = yield* address
          const used = yield* Effect.scoped(Effect.map(Socket.listen(socket, url), (listener) => listener.url))
          yield* Socket.listen(socket, used)
        }))
    })

    describe("cancelling and closing", () => {
      test("a dial that is interrupted leaves nothing, and another succeeds", () =>
        Effect.gen(function* () {
          const acceptor = yield* listenRaw(yield* address)
          const dialing = yield* Effect.fork(Effect.scoped(dialRaw(acceptor.url.href)))
          yield* Effect.repeatN(turn, 5)
          yield* Fiber.interrupt(dialing)
          // the one that was given up may have got as far as a whole handshake, and then nothing comes of it
          const came = yield* Deferred.make<string>()
          const serve = Effect.flatMap(acceptor.accept, ({ handshake }) =>
            handshake.pipe(
              Effect.flatMap(Transport.pull),
              Effect.flatMap((messages) => Deferred.succeed(came, text(Chunk.headNonEmpty(messages)))),
              Effect.ignore,
              Effect.forkScoped
            )
          )
          yield* Effect.forkScoped(Effect.forever(serve))
          const dialed = yield* dialRaw(acceptor.url.href)
          yield* Transport.send(dialed, Chunk.of(Message.make("hello")))
          expect(yield* Deferred.await(came)).toBe("hello")
        }))

      it.effect.prop(
        "a start that is interrupted at any step leaves nothing, and the dialer can be started",
        [FC.nat(80)],
        ([steps]) =>
          Effect.gen(function* () {
            const left = yield* Pair0.make()
            const right = yield* Pair0.make()
            const listener = yield* Socket.listen(left, yield* address)
            const dialer = yield* Dialer.make(right, listener.url)
            const starting = yield* Effect.fork(Dialer.start(dialer))
            yield* Effect.repeatN(Effect.yieldNow(), steps)
            const exit = yield* Fiber.interrupt(starting)
            if (Exit.isInterrupted(exit)) {
              expect(yield* dialer.state).toEqual({ _tag: "Idle" })
              // the listener has let go of the one that was given up
              yield* Effect.repeat(Effect.zipRight(turn, Socket.pipes(left).get), {
                until: (pipes) => pipes.length === 0
              })
              yield* Dialer.start(dialer)
            }
            yield* talk(left, right)
          }).pipe(leavesNone, Effect.provide(layer)),
        { fastCheck: { numRuns: 40 } }
      )

      test("closing the socket fails a start in progress", () =>
        Effect.gen(function* () {
          // nobody accepts
          const acceptor = yield* listenRaw(yield* address)
          const socket = yield* Pair0.make()
          const dialer = yield* Dialer.make(socket, acceptor.url.href)
          const starting = yield* Effect.fork(Effect.flip(Dialer.start(dialer)))
          yield* Effect.repeatN(turn, 5)
          yield* socket.close
          expect(yield* Fiber.join(starting)).toMatchObject({ _tag: "NNG_ECLOSED" })
        }))

      test("closing the listener ends its accept", () =>
        Effect.gen(function* () {
          const own = yield* Scope.make()
          const acceptor = yield* Scope.extend(listenRaw(yield* address), own)
          const accepting = yield* Effect.fork(Effect.flip(Effect.scoped(acceptor.accept)))
          yield* Effect.yieldNow()
          yield* Scope.close(own, Exit.void)
          expect(yield* Fiber.join(accepting)).toMatchObject({ _tag: "NNG_ECLOSED" })
          expect(yield* Effect.flip(Effect.scoped(acceptor.accept))).toMatchObject({ _tag: "NNG_ECLOSED" })
        }))

      test("an accept that is interrupted accepts nothing", () =>
        Effect.gen(function* () {
          const acceptor = yield* listenRaw(yield* address)
          for (let i = 0; i < 5; i++) {
            const accepting = yield* Effect.fork(Effect.scoped(acceptor.accept))
            yield* Effect.repeatN(Effect.yieldNow(), i)
            yield* Fiber.interrupt(accepting)
          }
          const dialing = yield* Effect.forkScoped(dialRaw(acceptor.url.href))
          const connection = yield* Effect.flatMap(acceptor.accept, ({ handshake }) => handshake)
          expect(connection.peerProtocol).toBe(0x10)
          expect((yield* Fiber.join(dialing)).peerProtocol).toBe(0x10)
        }))

      test("closing the socket fails a send that waits, and a receive that waits", () =>
        Effect.gen(function* () {
          const { left, right } = yield* meet()
          yield* fill(left, () => new Uint8Array(64 * 1024))
          const sending = yield* Effect.fork(Effect.flip(Socket.send(left, "no room")))
          const receiving = yield* Effect.fork(Effect.flip(Socket.recv(left)))
          yield* Effect.yieldNow()
          yield* left.close
          expect(yield* Fiber.join(sending)).toMatchObject({ _tag: "NNG_ECLOSED" })
          expect(yield* Fiber.join(receiving)).toMatchObject({ _tag: "NNG_ECLOSED" })
          expect(yield* Effect.flip(Socket.send(left, "closed"))).toMatchObject({ _tag: "NNG_ECLOSED" })
          yield* right.close
        }))

      test("what the peer sent before it closed is received, and then the pipe ends in good order", () =>
        Effect.gen(function* () {
          const { left, leftPipes, right } = yield* meet()
          const receiving = yield* Effect.fork(Socket.recv(left))
          yield* Effect.yieldNow()
          yield* Socket.send(right, "last words")
          yield* right.close
          expect(text(yield* Fiber.join(receiving))).toBe("last words")
          expect((yield* leftPipes.find(tagged("RemPost"))).reason).toMatchObject({ _tag: "NNG_ECONNSHUT" })
        }))

      test("a pull that waits ends in good order when the peer closes, and so does the stream", () =>
        Effect.gen(function* () {
          const own = yield* Scope.make()
          const acceptor = yield* listenRaw(yield* address)
          const dialing = yield* Effect.fork(Scope.extend(dialRaw(acceptor.url.href), own))
          const connection = yield* Effect.flatMap(acceptor.accept, ({ handshake }) => handshake)
          const dialed = yield* Fiber.join(dialing)
          const streaming = yield* Effect.fork(Stream.runCollect(Transport.receive(connection)))
          yield* Transport.send(dialed, Chunk.of(Message.make("one")))
          yield* Effect.repeatN(turn, 5)
          yield* Scope.close(own, Exit.void)
          expect(Chunk.toReadonlyArray(yield* Fiber.join(streaming)).map(text)).toEqual(["one"])
          expect(yield* Effect.flip(Transport.pull(connection))).toMatchObject({ _tag: "NNG_ECONNSHUT" })
        }))

      test("a pull that waits fails when its own side closes", () =>
        Effect.gen(function* () {
          const own = yield* Scope.make()
          const acceptor = yield* listenRaw(yield* address)
          const dialing = yield* Effect.fork(Scope.extend(dialRaw(acceptor.url.href), own))
          yield* Effect.flatMap(acceptor.accept, ({ handshake }) => handshake)
          const dialed = yield* Fiber.join(dialing)
          const pulling = yield* Effect.fork(Effect.flip(Transport.pull(dialed)))
          yield* Effect.yieldNow()
          yield* Scope.close(own, Exit.void)
          expect(yield* Fiber.join(pulling).pipe(Effect.timeout("5 seconds"))).toMatchObject({ _tag: "NNG_ECLOSED" })
        }))

      test("both ends may close at once", () =>
        Effect.gen(function* () {
          for (let i = 0; i < 20; i++) {
            yield* leavesNone(
              Effect.gen(function* () {
                const { left, right } = yield* meet()
                yield* talk(left, right)
                yield* Effect.all([left.close, right.close], { concurrency: "unbounded" })
                expect([yield* Socket.pipes(left).get, yield* Socket.pipes(right).get]).toEqual([[], []])
              })
            )
          }
        }))

      test("200 connections come and go, and nothing stays", () =>
        Effect.gen(function* () {
          const left = yield* Pair0.make()
          const right = yield* Pair0.make()
          const listener = yield* Socket.listen(left, yield* address)
          const warnings: Array<Error> = []
          const onWarning = (warning: Error) => void warnings.push(warning)
          process.on("warning", onWarning)
          yield* Effect.addFinalizer(() => Effect.sync(() => process.off("warning", onWarning)))
          const before = open()
          for (let i = 0; i < 200; i++) {
            yield* Effect.scoped(
              Effect.gen(function* () {
                yield* Socket.dial(right, listener.url)
                yield* Socket.send(right, "x")
                yield* Socket.recv(left)
              })
            )
            // a pair has one peer: the next is refused until this one is gone
            yield* Effect.repeat(Effect.zipRight(turn, Socket.pipes(left).get), {
              until: (pipes) => pipes.length === 0
            })
          }
          yield* backTo(before)
          expect(yield* listener.statistics).toMatchObject({ pipes: 0, accepts: 200, reject: 0 })
          expect(warnings).toEqual([])
        }))
    })

    describe("messages", () => {
      test("go both ways", () => Effect.flatMap(meet(), ({ left, right }) => talk(left, right)))

      test("go in a batch, though nobody asks for them yet", () =>
        Effect.gen(function* () {
          const { accepted, dialed } = yield* join
          yield* Transport.send(dialed, Chunk.make("1", "2", "3").pipe(Chunk.map((each) => Message.make(each))))
          const got: Array<string> = []
          while (got.length < 3) got.push(...Array.from(yield* Transport.pull(accepted), text))
          expect(got).toEqual(["1", "2", "3"])
        }))

      test("may be empty", () =>
        Effect.gen(function* () {
          const { left, right } = yield* meet()
          const sending = yield* Effect.fork(Socket.sendAll(right, ["", "between", "", ""]))
          const got = yield* Effect.replicateEffect(Socket.recv(left), 4)
          expect(got.map(text)).toEqual(["", "between", "", ""])
          yield* Fiber.join(sending)
        }))

      test("may be huge, ten megabytes or so, both ways at once", () =>
        Effect.gen(function* () {
          const { left, right } = yield* meet()
          const huge = new Uint8Array(10 * 1024 * 1024 * bulk).map((_, i) => (i * 7) ^ (i >> 10))
          const expected = Uint8Array.from(huge)
          yield* Effect.fork(Socket.send(left, Uint8Array.from(huge)))
          yield* Effect.fork(Socket.sendAll(right, [huge, "after"]))
          expect(Buffer.compare((yield* Socket.recv(right)).body, expected)).toBe(0)
          expect(Buffer.compare((yield* Socket.recv(left)).body, expected)).toBe(0)
          expect(text(yield* Socket.recv(left))).toBe("after")
        }))

      test("keep their order, many at a time and of all sizes", () =>
        Effect.gen(function* () {
          const { left, right } = yield* meet()
          const sizes = Array.from({ length: 2000 * bulk }, (_, i) =>
            i % 97 === 0 ? 70_000 + i : i % 13 === 0 ? 0 : i % 1500
          )
          const body = (size: number, i: number) => new Uint8Array(size).fill(i & 0xff)
          yield* Effect.fork(Socket.sendAll(right, sizes.map(body)))
          for (let i = 0; i < sizes.length;) {
            for (const message of yield* Socket.recvChunk(left)) {
              if (message.length !== sizes[i] || (message.length > 0 && message.body.at(-1) !== (i & 0xff))) {
                expect([i, message.length]).toEqual([i, sizes[i]])
              }
              i++
            }
          }
        }))

      if (limits) {
        test("of the limit's size are delivered, and one byte more ends the pipe", () =>
          Effect.gen(function* () {
            const { left, leftPipes, right } = yield* meet({ listener: { recvMaxSize: 1000 } })
            yield* Effect.fork(Socket.sendAll(right, [new Uint8Array(1000), "good", new Uint8Array(1001)]))
            expect((yield* Socket.recv(left)).length).toBe(1000)
            expect(text(yield* Socket.recv(left))).toBe("good")
            expect((yield* leftPipes.find(tagged("RemPost"))).reason).toMatchObject({ _tag: "NNG_EMSGSIZE" })
            // the dialer comes again
            yield* leftPipes.find(tagged("AddPost"), 3)
            yield* Socket.send(right, "again")
            expect(text(yield* Socket.recv(left))).toBe("again")
          }))
      } else {
        test("are not held to the receive limit", () =>
          Effect.gen(function* () {
            const { left, right } = yield* meet({ listener: { recvMaxSize: 1000 } })
            yield* Socket.send(right, new Uint8Array(1001))
            expect((yield* Socket.recv(left)).length).toBe(1001)
          }))
      }

      test("wait with the sender while the receiver is slow, and none is lost", () =>
        Effect.gen(function* () {
          const { left, right } = yield* meet()
          const size = 64 * 1024
          const numbered = (i: number) => {
            const body = new Uint8Array(size)
            new DataView(body.buffer).setUint32(0, i)
            return body
          }
          const sent = yield* fill(right, numbered)
          expect(sent * size).toBeLessThan(inFlight)
          const waiting = yield* Effect.fork(Socket.send(right, numbered(sent)))
          yield* Effect.repeatN(turn, 20)
          expect(yield* Fiber.poll(waiting)).toMatchObject({ _tag: "None" })
          expect((yield* right.statistics).sent).toBe(sent)
          for (let i = 0; i <= sent; i++) {
            const { body } = yield* Socket.recv(left)
            expect(new DataView(body.buffer, body.byteOffset).getUint32(0)).toBe(i)
          }
          yield* Fiber.join(waiting)
        }))

      if (bulk === 1) {
        test("cost no memory that the limits do not name while the receiver is slow", () =>
          Effect.gen(function* () {
            const { left, right } = yield* meet()
            const before = process.memoryUsage().arrayBuffers
            const sending = yield* Effect.fork(
              Effect.forEach(Array.from({ length: 2000 }), () => Socket.send(right, new Uint8Array(64 * 1024)), {
                discard: true
              })
            )
            let sent = -1
            // it has come to a stop
            while ((yield* right.statistics).sent !== sent) {
              sent = (yield* right.statistics).sent
              yield* Effect.repeatN(turn, 300)
            }
            expect(yield* Fiber.poll(sending)).toMatchObject({ _tag: "None" })
            expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(inFlight + 16 * 1024 * 1024)
            for (let i = 0; i < 2000; i++) yield* Socket.recv(left)
            yield* Fiber.join(sending)
          }))
      }
    })

    describe("pipes", () => {
      test("have ids of their own, and each end names the other's address", () =>
        Effect.gen(function* () {
          const { left, leftPipes, listener, dialer, right } = yield* meet()
          const { pipe: accepted } = yield* leftPipes.find(tagged("AddPost"))
          const [dialed] = yield* Socket.pipes(right).get
          expect(dialed).toBeDefined()
          for (const id of [accepted.id, dialed!.id]) {
            expect(Number.isInteger(id) && id >= 1 && id < 2 ** 31).toBe(true)
          }
          expect(accepted.id).not.toBe(dialed!.id)
          expect(dialed!.properties.remoteAddress).toEqual(accepted.properties.localAddress)
          expect(dialed!.properties.localAddress).toEqual(accepted.properties.remoteAddress)
          expect(accepted.properties.localAddress).toBeDefined()
          expect([accepted.peerProtocol, dialed!.peerProtocol]).toEqual([0x10, 0x10])
          expect(accepted.origin).toEqual({ _tag: "Listener", id: listener.id, url: listener.url })
          expect(dialed!.origin).toEqual({ _tag: "Dialer", id: dialer.id, url: dialer.url })
          expect([accepted.scheme, dialed!.scheme]).toEqual([listener.url.split(":")[0], listener.url.split(":")[0]])
          yield* Socket.send(right, "x")
          expect((yield* Socket.recv(left)).pipeId).toBe(accepted.id)
        }))

      test("that break are made again by the dialer", () =>
        Effect.gen(function* () {
          const { dialer, left, leftPipes, right } = yield* meet()
          const told = yield* record(Dialer.events(dialer))
          for (let i = 0; i < 3; i++) {
            const from = leftPipes.all.length
            const [pipe] = yield* Socket.pipes(left).get
            yield* pipe!.close
            expect((yield* leftPipes.find(tagged("RemPost"), from)).reason).toMatchObject({ _tag: "NNG_ECLOSED" })
            const next = yield* leftPipes.find(tagged("AddPost"), from)
            expect(next.pipe.id).not.toBe(pipe!.id)
            yield* Socket.awaitPeers(right, 1)
            yield* talk(left, right)
          }
          // of what happened before it was asked, the recorder has the last
          const cycle = ["Disconnected", "Attempt", "Connected"]
          yield* told.find(tagged("Connected"), 9)
          expect(told.tags()).toEqual(["Connected", ...cycle, ...cycle, ...cycle])
        }))

      test("are made again when the listener is back", () =>
        Effect.gen(function* () {
          const { left, listener, right } = yield* meet()
          const { url } = listener
          yield* listener.close
          yield* Effect.repeat(Effect.zipRight(turn, Socket.pipes(right).get), { until: (pipes) => pipes.length === 0 })
          yield* Socket.listen(left, url)
          yield* Effect.all([Socket.awaitPeers(left, 1), Socket.awaitPeers(right, 1)])
          yield* talk(left, right)
        }))

      if (tellsProtocol) {
        test("are refused to a peer of another protocol, before it has connected", () =>
          Effect.gen(function* () {
            const socket = yield* Pair0.make()
            const pipes = yield* record(Socket.events(socket))
            const listener = yield* Listener.make(socket, yield* address)
            const told = yield* record(Listener.events(listener))
            yield* Listener.start(listener)
            expect(yield* Effect.flip(dialRaw(listener.url, Protocol.pair1))).toMatchObject({ _tag: "NNG_EPROTO" })
            expect((yield* told.find(tagged("HandshakeFailed"))).error).toMatchObject({ _tag: "NNG_EPROTO" })
            expect(pipes.tags()).toEqual([])
            const other = yield* Pair0.make()
            yield* Socket.dial(other, listener.url)
            yield* talk(socket, other)
          }))
      } else
        test("are refused to a peer of another protocol, after it has connected", () =>
          Effect.gen(function* () {
            const socket = yield* Pair0.make()
            const pipes = yield* record(Socket.events(socket))
            const listener = yield* Socket.listen(socket, yield* address)
            const connection: Connection = yield* dialRaw(listener.url, Protocol.pair1)
            expect(connection.peerProtocol).toBe(0x10)
            expect(yield* Effect.flip(Transport.pull(connection))).toMatchObject({
              _tag: expect.stringMatching("^NNG_ECONN(SHUT|RESET)$")
            })
            expect((yield* pipes.find(tagged("RemPost"))).reason).toMatchObject({ _tag: "NNG_EPROTO" })
            expect(pipes.tags()).toEqual(["AddPre", "RemPost"])
            const other = yield* Pair0.make()
            yield* Socket.dial(other, listener.url)
            yield* talk(socket, other)
          }))

      test("are refused by a dialer to a listener of another protocol", () =>
        Effect.gen(function* () {
          const acceptor = yield* listenRaw(yield* address, Protocol.pair1)
          const accept = Effect.flatMap(acceptor.accept, ({ handshake }) => handshake)
          yield* Effect.forkScoped(Effect.forever(accept))
          const socket = yield* Pair0.make()
          const dialer = yield* Dialer.make(socket, acceptor.url.href)
          expect(yield* Effect.flip(Dialer.start(dialer))).toMatchObject({ _tag: "NNG_EPROTO" })
          expect(yield* dialer.state).toEqual({ _tag: "Idle" })
        }))

      test("are refused to a second peer of a pair, and the first is not disturbed", () =>
        Effect.gen(function* () {
          const { left, leftPipes, listener, right } = yield* meet()
          const third = yield* Pair0.make({ reconnectMin: "1 hour" })
          yield* Socket.dial(third, listener.url)
          expect((yield* leftPipes.find(tagged("RemPost"))).reason).toMatchObject({ _tag: "NNG_EBUSY" })
          yield* talk(left, right)
        }))

      test("end in order: what one end closes, the other sees as closed in good order", () =>
        Effect.gen(function* () {
          const { accepted, dialed } = yield* join
          accepted.messages.close()
          expect(yield* Effect.flip(Transport.pull(dialed))).toMatchObject({ _tag: "NNG_ECONNSHUT" })
        }))
    })

    if (connect !== undefined) {
      describe("handshakes", () => {
        const serving = Effect.gen(function* () {
          const socket = yield* Pair0.make()
          const listener = yield* Listener.make(socket, yield* address)
          const told = yield* record(Listener.events(listener))
          yield* Listener.start(listener)
          return { socket, listener, told, client: yield* connect(listener.url) }
        })
        const serves = (socket: Pair0.Pair0, url: string) =>
          Effect.scoped(
            Effect.gen(function* () {
              const other = yield* Pair0.make()
              yield* Socket.dial(other, url)
              yield* talk(socket, other)
            })
          )
        const cases: ReadonlyArray<
          readonly [what: string, error: string, play: (client: Client) => Effect.Effect<void, unknown>]
        > = [
          ["wrong", "NNG_EPROTO", (client) => client.write(header(0x0010).with(2, 0x51))],
          ["truncated", "NNG_ECONNSHUT", (client) => Effect.zipRight(client.write(pair0.subarray(0, 5)), client.end)],
          ["missing", "NNG_ECONNSHUT", (client) => client.end],
          [
            "too slow",
            "NNG_ETIMEDOUT",
            (client) =>
              Effect.zipRight(Effect.zipRight(client.write(pair0.subarray(0, 5)), client.read(8)), pass(10_000))
          ]
        ]
        for (const [what, error, misbehave] of cases) {
          testStill(`that are ${what} end the connection, and the next one is served`, () =>
            Effect.gen(function* () {
              const { client, listener, socket, told } = yield* serving
              yield* misbehave(client)
              expect((yield* told.find(tagged("HandshakeFailed"))).error).toMatchObject({ _tag: error })
              if (what !== "missing" && what !== "truncated") yield* client.closed
              yield* serves(socket, listener.url)
            })
          )
        }
      })
    }
  })
}
