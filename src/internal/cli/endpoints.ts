import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Dialer from "../../Dialer.js"
import type { NngError } from "../../Errors.js"
import * as Listener from "../../Listener.js"
import * as Socket from "../../Socket.js"
import type * as Tls from "../../Tls.js"
import type { Command, Endpoint, TlsFiles } from "./command.js"
import type { Failure } from "./failure.js"
import { Failed, hint } from "./failure.js"
import type { Event } from "./report.js"
import { attached, failed, gone, line, tell } from "./report.js"
import type { FileError, WriteError } from "./terminal.js"
import { Terminal } from "./terminal.js"

const decoder = new TextDecoder()

const text = (path: string): Effect.Effect<string, FileError, Terminal> =>
  Effect.flatMap(Terminal, ({ read }) => Effect.map(read(path), (bytes) => decoder.decode(bytes)))

const maybe = (path: string | undefined) => (path === undefined ? Effect.succeed(undefined) : text(path))

const secured = ({ cacert, cert, insecure, key }: TlsFiles): Effect.Effect<Tls.Config, FileError, Terminal> =>
  Effect.gen(function* () {
    const [ca, ownCert, ownKey] = [yield* maybe(cacert), yield* maybe(cert), yield* maybe(key)]
    return {
      ca,
      ...(insecure ? { authMode: "none" as const } : undefined),
      ...(ownCert === undefined ? undefined : { ownCert: { cert: ownCert, key: Redacted.make(ownKey ?? ownCert) } })
    }
  })

const isSecure = ({ url }: Endpoint): boolean => /^(?:tls\+|wss)/i.test(url)

const announce = (command: Command, what: "Connected to" | "Listening at", url: string) =>
  command.verbose && !command.json
    ? Effect.flatMap(Terminal, (terminal) => terminal.write(line(`${what}: ${url}`)))
    : Effect.void

/** For who watches; a write that fails is found by the next message. */
const follow = <A>(events: Stream.Stream<A>, show: (event: A) => Event | undefined) =>
  Stream.runForEach(events, (event) => {
    const shown = show(event)
    return shown === undefined ? Effect.void : Effect.ignore(tell(shown))
  }).pipe(
    Effect.forkScoped,
    // it subscribes in its first run
    Effect.zipRight(Effect.yieldNow()),
    Effect.zipRight(Effect.yieldNow())
  )

const failure =
  (command: Command, { role, url }: Endpoint, what: string) =>
  (error: NngError) =>
    new Failed({ what: `${what} ${url}`, error, hint: hint(role, command.protocol, error._tag) })

const dial = (command: Command, socket: Socket.Socket, endpoint: Endpoint, tls: Tls.Config | undefined) =>
  Effect.gen(function* () {
    const dialer = yield* Effect.mapError(
      Dialer.make(socket, endpoint.url, { tls }),
      failure(command, endpoint, "Unable to create dialer for")
    )
    if (command.json) {
      yield* follow(Dialer.events(dialer), (event) =>
        event._tag === "Failed" ? failed(dialer.url, event.error) : undefined
      )
    }
    yield* Effect.mapError(
      Dialer.start(dialer, { nonblocking: command.background }),
      failure(command, endpoint, "Unable to dial on")
    )
    yield* announce(command, "Connected to", dialer.url)
  })

const listen = (command: Command, socket: Socket.Socket, endpoint: Endpoint, tls: Tls.Config | undefined) =>
  Effect.gen(function* () {
    const listener = yield* Effect.mapError(
      Listener.make(socket, endpoint.url, { tls }),
      failure(command, endpoint, "Unable to create listener for")
    )
    if (command.json) {
      yield* follow(Listener.events(listener), (event) => {
        if (event._tag === "Listening") return { event: "listening", url: event.url }
        return event._tag === "HandshakeFailed" || event._tag === "AcceptFailed"
          ? failed(listener.url, event.error)
          : undefined
      })
    }
    yield* Effect.mapError(Listener.start(listener), failure(command, endpoint, "Unable to listen on"))
    yield* announce(command, "Listening at", listener.url)
  })

/** One that was never attached was refused. */
const watch = (socket: Socket.Socket) => {
  const usable = new Set<number>()
  return follow(Socket.events(socket), (event) => {
    switch (event._tag) {
      case "AddPre":
        return undefined
      case "AddPost":
        usable.add(event.pipe.id)
        return attached(event.pipe)
      case "RemPost":
        return gone(usable.delete(event.pipe.id) ? "lost" : "refused", event.pipe, event.reason)
    }
  })
}

/**
 * Makes the endpoints of a command in their order, for as long as the scope lives.
 *
 * @internal
 */
export const attach = (
  command: Command,
  socket: Socket.Socket
): Effect.Effect<void, Failure | WriteError, Scope.Scope | Terminal> =>
  Effect.gen(function* () {
    if (command.json) yield* watch(socket)
    const { endpoints } = command
    // as in libnng's, certificates that are named have to be there
    const tls = yield* secured(command.tls)
    yield* Effect.forEach(
      endpoints,
      (endpoint) =>
        (endpoint.role === "dial" ? dial : listen)(command, socket, endpoint, isSecure(endpoint) ? tls : undefined),
      { discard: true }
    )
  })
