import { expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Inspectable from "effect/Inspectable"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Redacted from "effect/Redacted"
import * as Tracer from "effect/Tracer"
import * as Dialer from "effect-nng/Dialer"
import * as Listener from "effect-nng/Listener"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Pair0 from "effect-nng/Pair0"
import * as Socket from "effect-nng/Socket"
import type * as Tls from "effect-nng/Tls"
import { createPrivateKey } from "node:crypto"
import { inspect } from "node:util"
import { wallet } from "../support/certificates.js"
import { record, tagged } from "../support/peers.js"

/** As a curious program shows a value: every way there is. */
const shown = (value: unknown): string =>
  [
    inspect(value, { depth: 8, getters: true, showHidden: true, maxStringLength: null, maxArrayLength: 20 }),
    Inspectable.stringifyCircular(value),
    String(value)
  ].join("\n")

/** Everything that is logged, and every span with its attributes and how it ended. */
const overhear = Effect.sync(() => {
  const heard: Array<string> = []
  const logger = Logger.make(({ annotations, cause, message }) => {
    heard.push(shown(message), shown([...annotations]), Cause.pretty(cause, { renderErrorCause: true }))
  })
  const tracer = Tracer.make({
    span: (name, parent, context, links, startTime, kind) => {
      const attributes = new Map<string, unknown>()
      return {
        _tag: "Span",
        name,
        spanId: "0",
        traceId: "0",
        parent,
        context,
        links,
        kind,
        attributes,
        sampled: true,
        status: { _tag: "Started", startTime },
        end: (_, exit) => void heard.push(name, shown([...attributes]), shown(exit)),
        attribute: (key, value) => void attributes.set(key, value),
        event: (name, _, attributes) => void heard.push(name, shown(attributes)),
        addLinks: () => {}
      }
    },
    context: (run) => run()
  })
  return { heard, logger, tracer }
})

it.scopedLive("[S20] no key and no passphrase gets into logs, spans, errors, or anything that can be shown", () =>
  Effect.gen(function* () {
    const { ca, client, server, stranger } = yield* wallet
    const passphrase = "open-sesame-4711"
    const locked = createPrivateKey(Redacted.value(server.key)).export({
      type: "pkcs8",
      format: "pem",
      cipher: "aes-256-cbc",
      passphrase
    })
    const own = { cert: server.cert, key: Redacted.make(locked.toString()), passphrase: Redacted.make(passphrase) }
    const foreign = yield* Effect.promise(() => stranger.issue())
    const secrets = [server.key, client.key, foreign.key, own.key].flatMap((key) =>
      Redacted.value(key)
        .split("\n")
        .filter((line) => line.length > 30 && !line.includes("-----"))
    )
    const { heard, logger, tracer } = yield* overhear

    const story = Effect.gen(function* () {
      const socket = yield* Pair0.make()
      const pipes = yield* record(Socket.events(socket))
      const listening = { ca: ca.pem, ownCert: own, authMode: "required" } as const
      const listener = yield* Listener.make(socket, "tls+tcp://127.0.0.1:0", { tls: listening })
      const told = yield* record(Listener.events(listener))
      yield* Listener.start(listener)
      const peer = yield* Pair0.make({ reconnectMin: "1 hour" })
      const attempts: ReadonlyArray<Tls.Source> = [
        { ca: ca.pem, ownCert: { ...foreign } },
        { ca: stranger.pem, ownCert: client },
        { ca: ca.pem, ownCert: { cert: client.cert, key: server.key } },
        { ca: ca.pem, ownCert: { cert: server.cert, key: own.key, passphrase: Redacted.make(`${passphrase}0`) } },
        {
          ca: ca.pem,
          ownCert: { cert: client.cert, key: Redacted.make(`${Redacted.value(client.key)}`.slice(0, 90)) }
        },
        Effect.succeed({ ca: "nonsense", ownCert: client })
      ]
      for (const tls of attempts) {
        const dialer = yield* Dialer.make(peer, listener.url, { tls })
        const exit = yield* Effect.exit(Dialer.start(dialer))
        expect(Exit.isFailure(exit)).toBe(true)
        heard.push(shown(exit), shown(dialer), JSON.stringify(dialer), JSON.stringify(exit))
        if (Exit.isFailure(exit)) {
          heard.push(Cause.pretty(exit.cause, { renderErrorCause: true }))
          yield* Effect.logFatal("failed", exit.cause)
        }
      }
      yield* told.find(tagged("HandshakeFailed"))
      const dialer = yield* Dialer.make(peer, listener.url, { tls: { ca: ca.pem, ownCert: client } })
      yield* Dialer.start(dialer)
      const { pipe } = yield* pipes.find(tagged("AddPost"))
      for (const value of [listening, pipe, pipe.properties, listener, dialer, socket, told.all, pipes.all]) {
        yield* Effect.log(value)
        heard.push(shown(value), JSON.stringify(value))
      }
      yield* socket.close
      yield* Effect.log(yield* Effect.exit(Socket.recv(peer, { nonblocking: true })))
    })
    yield* story.pipe(
      Effect.scoped,
      Effect.withSpan("story"),
      Effect.withTracer(tracer),
      Effect.provide([NodeTransport.layer, Logger.replace(Logger.defaultLogger, logger)]),
      Logger.withMinimumLogLevel(LogLevel.All)
    )

    const all = heard.join("\n")
    expect(heard).toContain("effect-nng.Listener.start")
    expect(all).toContain("<redacted>")
    expect(all).toContain("NNG_ECRYPTO")
    expect(all).toContain("handshake failed")
    expect(secrets.length).toBeGreaterThan(6)
    for (const secret of [...secrets, passphrase]) expect(all.includes(secret)).toBe(false)
  })
)
