/** Makes docs/dashboard.png: `npx tsx examples/dashboard/screenshot.ts`. Needs Chromium. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as NodeTransport from "effect-nng/NodeTransport"
import { fileURLToPath } from "node:url"
import * as Chromium from "../../test/support/chromium.js"
import { serve } from "./program.js"

const path = fileURLToPath(new URL("../../docs/dashboard.png", import.meta.url))

Effect.gen(function* () {
  const { openAt } = yield* Chromium.Browser
  const { page } = yield* openAt(yield* serve(0))
  yield* Effect.promise(() => page.getByRole("button").click())
  // until there is something to see
  yield* Effect.sleep("15 seconds")
  yield* Effect.promise(() => page.setViewportSize({ width: 700, height: 440 }))
  yield* Effect.promise(() => page.screenshot({ path }))
}).pipe(
  Effect.scoped,
  Effect.provide(Chromium.layer("test/browser/pages/req.ts")),
  Effect.provide(NodeTransport.layer),
  NodeRuntime.runMain
)
