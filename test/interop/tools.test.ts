import { expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Bus0 from "effect-nng/Bus0"
import * as Message from "effect-nng/Message"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Pair0 from "effect-nng/Pair0"
import * as Pub0 from "effect-nng/Pub0"
import * as Pull0 from "effect-nng/Pull0"
import * as Push0 from "effect-nng/Push0"
import * as Rep0 from "effect-nng/Rep0"
import * as Req0 from "effect-nng/Req0"
import * as Respondent0 from "effect-nng/Respondent0"
import * as Socket from "effect-nng/Socket"
import * as SocketContext from "effect-nng/SocketContext"
import * as Sub0 from "effect-nng/Sub0"
import * as Surveyor0 from "effect-nng/Surveyor0"
import type { Transports } from "effect-nng/Transport"
import { spawnSync } from "node:child_process"
import { leavesNone } from "../support/handles.js"
import { roles } from "../support/meet.js"
import * as Programs from "../support/programs.js"

const test = (name: string, effect: () => Effect.Effect<void, unknown, Scope.Scope | Transports>): void =>
  it.scopedLive(name, () => leavesNone(Effect.suspend(effect)).pipe(Effect.provide(NodeTransport.layer)), 30_000)

interface Tool {
  readonly command: string
  readonly debian: string
  readonly dial: string
  readonly listen: string
  readonly pair: string
  readonly bus: string
}

const heard = (socket: Sub0.Sub0, topic: string) => Stream.map(Sub0.stream(socket, topic), Message.text)

/** All lines up to this one. */
const untilLine = (peer: Programs.Program, last: string, n = 1): Effect.Effect<ReadonlyArray<string>> =>
  Effect.flatMap(peer.lines(n), (lines) =>
    lines.includes(last) ? Effect.succeed(lines) : untilLine(peer, last, lines.length + 1)
  )

const tools: ReadonlyArray<Tool> = [
  { command: "nngcat", debian: "nng-utils", dial: "--dial", listen: "--listen", pair: "pair0", bus: "bus0" },
  { command: "nanocat", debian: "nanomsg-utils", dial: "--connect", listen: "--bind", pair: "pair", bus: "bus" }
]

const missing = ({ command, debian }: Tool): string | undefined =>
  spawnSync(command, ["--help"]).error === undefined
    ? undefined
    : `${command} is not on the PATH; on Debian and Ubuntu it is in the package ${debian}`

for (const tool of tools) {
  const { command } = tool
  const run =
    (protocol: string, ...args: ReadonlyArray<string>) =>
    (role: "dial" | "listen", url: string) =>
      Programs.run(command, `--${protocol}`, tool[role], url, ...args)

  Programs.suite(command, missing(tool), () => {
    for (const [name, meet] of roles) {
      test(`${command} --rep ${name} answers us, and its answer finds who asked`, () =>
        Effect.gen(function* () {
          const { peer, socket } = yield* meet(Req0.make(), run("rep", "--quoted", "--data", "pong"))
          yield* Socket.send(socket, "by itself")
          expect(Message.text(yield* Socket.recv(socket))).toBe("pong")
          const answers = yield* Effect.forEach(["one", "two", "three"], (text) => Req0.request(socket, text), {
            concurrency: "unbounded"
          })
          expect(answers.map(Message.text)).toEqual(["pong", "pong", "pong"])
          yield* peer.prints('"by itself"\n"one"\n"two"\n"three"\n')
        }))

      test(`${command} --req ${name} is answered`, () =>
        Effect.gen(function* () {
          const { peer, socket } = yield* meet(Rep0.make(), run("req", "--quoted", "--data", "ping"))
          yield* Effect.forkScoped(
            Rep0.serve(socket, (request) => Effect.succeed(`${Message.text(request)} ${request.headerLength}`))
          )
          yield* peer.prints('"ping 0"\n')
        }))

      test(`${command} --respondent ${name} answers our surveys, each its own`, () =>
        Effect.gen(function* () {
          const { peer, socket } = yield* meet(
            Surveyor0.make({ surveyTime: "1 minute" }),
            run("respondent", "--quoted", "--data", "here")
          )
          yield* Socket.send(socket, "by itself")
          expect(Message.text(yield* Socket.recv(socket))).toBe("here")
          const ask = (text: string) => Stream.runHead(Surveyor0.survey(socket, text, { timeout: "1 minute" }))
          const answers = yield* Effect.forEach(["one", "two", "three"], ask, { concurrency: "unbounded" })
          expect(answers.map((answer) => Option.map(answer, Message.text))).toEqual([
            Option.some("here"),
            Option.some("here"),
            Option.some("here")
          ])
          yield* peer.prints('"by itself"\n"one"\n"two"\n"three"\n')
        }))

      test(`${command} --surveyor ${name} is answered`, () =>
        Effect.gen(function* () {
          // again and again, since the first may ask before anybody is there
          const { peer, socket } = yield* meet(
            Respondent0.make(),
            run("surveyor", "--quoted", "--data", "who?", "--interval", "1")
          )
          yield* Effect.forkScoped(
            Respondent0.serve(socket, (survey) => Effect.succeed(`${Message.text(survey)} ${survey.headerLength}`))
          )
          expect((yield* peer.lines(1))[0]).toBe('"who? 0"')
        }))

      test(`${command} --push ${name} pushes to us`, () =>
        Effect.gen(function* () {
          // again and again, since some end before all is sent
          const { socket } = yield* meet(Pull0.make(), run("push", "--data", "job", "--interval", "1"))
          expect(Message.text(yield* Socket.recv(socket))).toBe("job")
        }))

      test(`${command} --pull ${name} gets what we push, in order`, () =>
        Effect.gen(function* () {
          const { peer, socket } = yield* meet(Push0.make(), run("pull", "--quoted"))
          const jobs = Array.from({ length: 1000 }, (_, n) => `job ${n}`)
          yield* Socket.sendAll(socket, ["", ...jobs])
          expect(yield* Socket.drain(socket)).toBe(0)
          yield* peer.prints(["", ...jobs].map((job) => `"${job}"\n`).join(""))
        }))

      test(`${command} --${tool.pair} ${name} and ours hear each other`, () =>
        Effect.gen(function* () {
          const { peer, socket } = yield* meet(Pair0.make(), run(tool.pair, "--quoted", "--data", "hello"))
          expect(Message.text(yield* Socket.recv(socket))).toBe("hello")
          const texts = Array.from({ length: 1000 }, (_, n) => `message ${n}`)
          yield* Socket.sendAll(socket, ["", ...texts])
          yield* peer.prints(["", ...texts].map((text) => `"${text}"\n`).join(""))
        }))

      test(`${command} --${tool.bus} ${name} and ours hear each other`, () =>
        Effect.gen(function* () {
          // again and again, since the first may be said before anybody is there
          const { peer, socket } = yield* meet(
            Bus0.make({ sendBuffer: 8192 }),
            run(tool.bus, "--quoted", "--data", "hello", "--interval", "1")
          )
          const { body, headerLength } = yield* Socket.recv(socket)
          expect([Buffer.from(body).toString(), headerLength]).toEqual(["hello", 0])
          for (const text of ["", "one", "two", "three"]) {
            yield* Socket.send(socket, text)
            expect((yield* untilLine(peer, `"${text}"`)).at(-1)).toBe(`"${text}"`)
          }
        }))

      test(`${command} --pub ${name} tells us what we want to hear`, () =>
        Effect.gen(function* () {
          const { socket } = yield* meet(Sub0.make(), run("pub", "--data", "news.1", "--interval", "1"))
          const contexts = [yield* SocketContext.make(socket), yield* SocketContext.make(socket)]
          yield* Sub0.addTopic(contexts[0]!, "news.")
          yield* Sub0.addTopic(contexts[1]!, "weather.")
          const news = Effect.as(SocketContext.recv(contexts[1]!), "weather")
          const first = Effect.map(SocketContext.recv(contexts[0]!), Message.text)
          expect(yield* Effect.raceFirst(first, news)).toBe("news.1")
          expect(Chunk.toReadonlyArray(yield* Stream.runCollect(Stream.take(heard(socket, "ne"), 1)))).toEqual([
            "news.1"
          ])
        }))

      test(`${command} --sub ${name} hears its topics, in order`, () =>
        Effect.gen(function* () {
          const { peer, socket } = yield* meet(
            Pub0.make({ sendBuffer: 8192 }),
            run("sub", "--quoted", "--subscribe", "news")
          )
          // it may subscribe after it has connected
          const first = Effect.repeat(
            Effect.zipRight(Socket.send(socket, "news"), Effect.yieldNow()),
            Schedule.spaced("10 millis")
          )
          yield* Effect.raceFirst(first, peer.lines(1))
          const bodies = Array.from({ length: 100 }, (_, n) => `${["news", "new", "other"][n % 3]}.${n}`)
          yield* Socket.sendAll(socket, bodies)
          const last = `"${bodies.filter((body) => body.startsWith("news")).at(-1)}"`
          const lines = yield* untilLine(peer, last)
          expect(lines.filter((line) => line !== '"news"')).toEqual(
            bodies.filter((body) => body.startsWith("news")).map((body) => `"${body}"`)
          )
          expect(yield* socket.statistics).toMatchObject({ dropped: { full: 0 } })
        }))
    }
  })
}
