/**
 * The library in one sitting: `npm run demo`. Needs nothing but Node; with `nngcat` on the PATH it talks to that too.
 */
import * as Command from "@effect/platform/Command"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Dialer from "effect-nng/Dialer"
import * as Message from "effect-nng/Message"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Pair0 from "effect-nng/Pair0"
import * as Socket from "effect-nng/Socket"

const chapter = (title: string) => Console.log(`\n${title}`)
const say = (line: string) => Console.log(`  ${line}`)

const anywhere = "tcp://127.0.0.1:0"

/** An address where nobody listens: one that was free a moment ago. */
const nobodyThere = Effect.scoped(
  Effect.flatMap(Pair0.make(), (socket) => Effect.map(Socket.listen(socket, anywhere), ({ url }) => url))
)

const conversation = Effect.gen(function* () {
  yield* chapter("Two sockets meet over tcp.")
  const alice = yield* Pair0.make()
  const bob = yield* Pair0.make()
  const { url } = yield* Socket.listen(alice, anywhere)
  yield* say(`Alice listens at ${url}.`)
  yield* Socket.dial(bob, url)
  yield* say("Bob dials, and is connected when the dial is done.")

  yield* Socket.send(bob, "Hello, Alice.")
  yield* say(`Alice hears: ${Message.text(yield* Socket.recv(alice))}`)
  yield* Socket.send(alice, "Hello, Bob.")
  yield* say(`Bob hears: ${Message.text(yield* Socket.recv(bob))}`)

  yield* Stream.range(1, 10_000).pipe(Stream.map(String), Stream.run(Socket.sink(bob)), Effect.fork)
  const sum = yield* Socket.stream(alice).pipe(
    Stream.take(10_000),
    Stream.runFold(0, (sum, message) => sum + Number(Message.text(message)))
  )
  yield* say(`Bob streams the numbers to ten thousand, and Alice adds them up: ${sum}.`)
}).pipe(Effect.scoped)

const refused = Effect.gen(function* () {
  yield* chapter("Nobody is there.")
  const url = yield* nobodyThere
  const socket = yield* Pair0.make()
  yield* Socket.dial(socket, url).pipe(
    Effect.catchTag("NNG_ECONNREFUSED", (error) => say(`Caught by its tag, ${error._tag}, code ${error.code}.`))
  )
}).pipe(Effect.scoped)

const late = Effect.gen(function* () {
  yield* chapter("A message that does not come.")
  const socket = yield* Pair0.make()
  yield* Socket.recv(socket, { timeout: "200 millis" }).pipe(
    Effect.timed,
    Effect.catchTag("NNG_ETIMEDOUT", () =>
      say("After 200 ms the receive ends with NNG_ETIMEDOUT, and has taken nothing.")
    )
  )
}).pipe(Effect.scoped)

const tell = (event: Dialer.Event): string => {
  switch (event._tag) {
    case "Attempt":
      return `attempt ${event.attempt}`
    case "Connected":
      return "connected"
    case "Failed":
    case "Disconnected": {
      const why = event._tag === "Failed" ? event.error : event.reason
      const next = Option.map(event.next, (wait) => `, again in ${Duration.toMillis(wait)} ms`)
      return `${event._tag === "Failed" ? "failed" : "disconnected"}: ${why.text}${Option.getOrElse(next, () => "")}`
    }
    case "Closed":
      return "closed"
  }
}

const comeback = Effect.gen(function* () {
  yield* chapter("A peer dies and comes back.")
  const url = yield* nobodyThere
  const listen = Effect.tap(Pair0.make(), (socket) => Socket.listen(socket, url))

  const firstLife = yield* Scope.make()
  const mortal = yield* Scope.extend(listen, firstLife)
  const caller = yield* Pair0.make()
  const dialer = yield* Socket.dial(caller, url, { reconnectMin: "50 millis", reconnectMax: "200 millis" })
  const story = yield* Effect.fork(
    Stream.runForEach(Dialer.events(dialer), (event) => say(`the dialer: ${tell(event)}`))
  )
  yield* Socket.send(caller, "Are you well?")
  yield* say(`the peer hears: ${Message.text(yield* Socket.recv(mortal))}`)

  yield* say("(the peer goes away)")
  yield* Scope.close(firstLife, Exit.void)
  yield* Dialer.events(dialer).pipe(
    Stream.filter((event) => event._tag === "Failed"),
    Stream.take(2),
    Stream.runDrain
  )

  yield* say("(the peer is back)")
  const peer = yield* listen
  yield* Socket.send(caller, "Welcome back.")
  yield* say(`the peer hears: ${Message.text(yield* Socket.recv(peer))}`)
  yield* Fiber.interrupt(story)
}).pipe(Effect.scoped)

const onPath = (program: string) =>
  Command.exitCode(Command.make(program, "--version").pipe(Command.stdout("pipe"))).pipe(
    Effect.as(true),
    Effect.catchAll(() => Effect.succeed(false))
  )

const withNngcat = Effect.gen(function* () {
  yield* chapter("The C library's own tool, both ways.")
  if (!(yield* onPath("nngcat"))) {
    yield* say("nngcat is not on the PATH (Debian's package is nng-utils), so this chapter is left out.")
    return
  }
  const nngcat = (...args: ReadonlyArray<string>) => Command.start(Command.make("nngcat", "--pair0", "--raw", ...args))

  yield* Effect.scoped(
    Effect.gen(function* () {
      const socket = yield* Pair0.make()
      const { url } = yield* Socket.listen(socket, anywhere)
      const process = yield* nngcat("--dial", url, "--data", "Greetings from C.")
      yield* say(`nngcat dials us and says: ${Message.text(yield* Socket.recv(socket))}`)
      yield* Socket.send(socket, "Greetings from TypeScript.")
      const heard = yield* process.stdout.pipe(Stream.decodeText(), Stream.take(1), Stream.mkString)
      yield* say(`and prints our answer: ${heard}`)
    })
  )

  yield* Effect.scoped(
    Effect.gen(function* () {
      const url = yield* nobodyThere
      yield* nngcat("--listen", url, "--data", "You have reached nngcat.")
      const socket = yield* Pair0.make()
      yield* Socket.dial(socket, url, { nonblocking: true, reconnectMin: "20 millis" })
      yield* say(`We dial nngcat, and it says: ${Message.text(yield* Socket.recv(socket, { timeout: "5 seconds" }))}`)
    })
  )
})

const demo = Effect.all([conversation, refused, late, comeback, withNngcat], { discard: true }).pipe(
  Effect.zipRight(chapter("The end: every socket, timer and fiber went with its scope.")),
  Effect.provide(NodeTransport.layer),
  Effect.provide(NodeContext.layer)
)

NodeRuntime.runMain(demo)
