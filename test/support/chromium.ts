import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Context from "effect/Context"
import type * as Scope from "effect/Scope"
import { existsSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import * as Http from "node:http"
import type * as Net from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { BrowserContext, Page } from "playwright-core"
import { chromium } from "playwright-core"
import { byEsbuild } from "./bundle.js"

const executablePath = "/usr/bin/chromium"

export const missing: string | undefined = existsSync(executablePath)
  ? undefined
  : `there is no ${executablePath}; on Debian it is in the package chromium`

const args = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync"
]

/** A tab that has our page open. */
export interface Tab {
  readonly page: Page
  /** Calls one of the page's functions, and gives what it comes to, as JSON. **Interruption** stops waiting for it. */
  readonly call: (name: string, ...args: ReadonlyArray<unknown>) => Effect.Effect<unknown, Error>
  /** Closes it, whatever it is doing. */
  readonly close: Effect.Effect<void>
  /** What nobody caught in it, and what it said on its console as an error. */
  readonly complaints: ReadonlyArray<string>
  /** Connections that did not open: of those the browser itself tells its console. */
  readonly refusals: ReadonlyArray<string>
}

export class Browser extends Context.Tag("test/Browser")<
  Browser,
  {
    /** Where our pages come from. */
    readonly origin: string
    readonly open: Effect.Effect<Tab, never, Scope.Scope>
    /** Somebody else's page. */
    readonly openAt: (url: string) => Effect.Effect<Tab, never, Scope.Scope>
  }
>() {}

const refusal = /^WebSocket connection to '.*' failed: /

const tab = (context: BrowserContext, origin: string): Effect.Effect<Tab, never, Scope.Scope> =>
  Effect.gen(function* () {
    const page = yield* Effect.acquireRelease(
      Effect.promise(() => context.newPage()),
      (page) => Effect.promise(() => page.close())
    )
    const complaints: Array<string> = []
    const refusals: Array<string> = []
    page.on("pageerror", (error) => complaints.push(String(error)))
    page.on("console", (message) => {
      if (message.type() !== "error") return
      ;(refusal.test(message.text()) ? refusals : complaints).push(message.text())
    })
    yield* Effect.promise(() => page.goto(origin))
    return {
      call: (name, ...args) =>
        Effect.tryPromise({
          try: () =>
            page.evaluate(
              ([name, args]) =>
                (globalThis as unknown as Record<string, (...args: ReadonlyArray<unknown>) => unknown>)[name]!(...args),
              [name, args] as const
            ),
          catch: (error) => error as Error
        }),
      page,
      close: Effect.promise(() => page.close()),
      complaints,
      refusals
    }
  })

/** Serves one page, which has this script. */
const serve = (script: string): Effect.Effect<string, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.async<Http.Server>((resume) => {
        const server = Http.createServer((request, response) => {
          const [type, body] =
            request.url === "/page.js"
              ? ["text/javascript", script]
              : [
                  "text/html",
                  `<!doctype html><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>`
                ]
          response.writeHead(200, { "content-type": type }).end(body)
        })
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) =>
        Effect.async<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    ),
    (server) => `http://127.0.0.1:${(server.address() as Net.AddressInfo).port}`
  )

/** One Chromium with an empty profile, for pages that have this script. */
export const layer = (script: string): Layer.Layer<Browser> =>
  Layer.scoped(
    Browser,
    Effect.gen(function* () {
      const { code } = yield* Effect.promise(() => byEsbuild(script))
      const origin = yield* serve(code)
      const profile = yield* Effect.acquireRelease(
        Effect.promise(() => mkdtemp(join(tmpdir(), "effect-nng-chromium-"))),
        (path) => Effect.promise(() => rm(path, { recursive: true, force: true, maxRetries: 5 }))
      )
      const context = yield* Effect.acquireRelease(
        Effect.promise(() =>
          chromium.launchPersistentContext(profile, { executablePath, headless: true, args, ignoreHTTPSErrors: true })
        ),
        (context) => Effect.promise(() => context.close())
      )
      return { origin, open: tab(context, origin), openAt: (url) => tab(context, url) }
    })
  )
