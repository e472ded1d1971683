/** `npm run example:dashboard`, or with a port: `npm run example:dashboard -- 8081`. Stop it, start it, watch the page. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as NodeTransport from "effect-nng/NodeTransport"
import { serve } from "./program.js"

const port = Number(process.argv[2] ?? 8080)

serve(port).pipe(
  Effect.flatMap((url) => Console.log(`Open ${url}`)),
  Effect.zipRight(Effect.never),
  Effect.scoped,
  Effect.provide(NodeTransport.layer),
  NodeRuntime.runMain
)
