/**
 * The server of the dashboard. Workers push readings, which are published to whoever has the page open; a question from
 * the page goes to whichever worker is free. Page, readings and questions share one port.
 */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Device from "effect-nng/Device"
import * as Message from "effect-nng/Message"
import * as Pub0 from "effect-nng/Pub0"
import * as Pull0 from "effect-nng/Pull0"
import * as Push0 from "effect-nng/Push0"
import * as Rep0 from "effect-nng/Rep0"
import * as Req0 from "effect-nng/Req0"
import * as Socket from "effect-nng/Socket"
import type { Transports } from "effect-nng/Transport"
import * as Esbuild from "esbuild"
import { readFile } from "node:fs/promises"
import * as Http from "node:http"
import type * as Net from "node:net"
import { fileURLToPath } from "node:url"
import type { Reading } from "./reading.js"
import { workers } from "./reading.js"

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))

const script = Effect.promise(() =>
  Esbuild.build({
    entryPoints: [here("page.ts")],
    bundle: true,
    format: "esm",
    minify: true,
    write: false,
    alias: { "effect-nng": here("../../src") }
  })
).pipe(Effect.map(({ outputFiles }) => outputFiles[0]!.contents))

/** Serves the page, and has the port for the rest. */
const server = (port: number): Effect.Effect<Http.Server, Error, Scope.Scope> =>
  Effect.gen(function* () {
    const html = yield* Effect.promise(() => readFile(here("index.html")))
    const code = yield* script
    const made = Http.createServer(({ url }, response) => {
      const [type, body] = url === "/page.js" ? ["text/javascript", code] : ["text/html; charset=utf-8", html]
      response.writeHead(200, { "content-type": type }).end(body)
    })
    return yield* Effect.acquireRelease(
      Effect.async<Http.Server, Error>((resume) => {
        made.once("error", (error) => resume(Effect.fail(error)))
        made.listen(port, "127.0.0.1", () => resume(Effect.succeed(made)))
      }),
      () =>
        Effect.sync(() => {
          made.close()
          made.closeAllConnections()
        })
    )
  })

/** Measures ten times a second, and answers when it is asked. */
const worker = (name: string, i: number) =>
  Effect.gen(function* () {
    const readings = yield* Push0.make()
    const questions = yield* Rep0.make()
    yield* Socket.dial(readings, "inproc://readings")
    yield* Socket.dial(questions, "inproc://questions")
    let n = 0
    const measure = Effect.suspend(() => {
      const value = 50 + 30 * Math.sin(n++ / (12 + 5 * i)) + 6 * Math.sin(n * (1.3 + i))
      return Socket.send(readings, JSON.stringify({ worker: name, value } satisfies Reading))
    })
    yield* Effect.forkScoped(Effect.repeat(measure, Schedule.spaced("100 millis")))
    yield* Effect.forkScoped(
      Rep0.serve(questions, (question) =>
        Effect.succeed(`${name} heard "${Message.text(question)}", after ${n} readings.`)
      )
    )
  })

/** Runs until its scope ends, and gives where the page is. Port 0 is any free one. */
export const serve = (port: number): Effect.Effect<string, unknown, Scope.Scope | Transports> =>
  Effect.gen(function* () {
    const http = yield* server(port)
    const { port: real } = http.address() as Net.AddressInfo
    const at = (path: string) => `ws://127.0.0.1:${real}/${path}`

    const readings = yield* Pull0.make()
    const published = yield* Pub0.make()
    yield* Socket.listen(readings, "inproc://readings")
    yield* Socket.listen(published, at("readings"), { ws: { server: http } })
    yield* Effect.forkScoped(Stream.run(Pull0.stream(readings), Pub0.sink(published)))

    const asked = yield* Rep0.makeRaw()
    const asking = yield* Req0.makeRaw()
    yield* Socket.listen(asked, at("questions"), { ws: { server: http } })
    yield* Socket.listen(asking, "inproc://questions")
    yield* Effect.forkScoped(Device.run(asked, asking))

    yield* Effect.forEach(workers, worker, { discard: true })
    return `http://127.0.0.1:${real}/`
  })
