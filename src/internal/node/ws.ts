import * as Effect from "effect/Effect"
import type { Transport } from "../../Transport.js"
import { check } from "../connection/wsUrl.js"
import { dial } from "./wsDial.js"
import { Hosts, listen } from "./wsListen.js"

/**
 * The servers live in the transport: listeners of one share them.
 *
 * @internal
 */
export const make: Effect.Effect<Transport> = Effect.sync(() => ({
  schemes: ["ws", "ws4", "ws6"],
  options: ["tcp", "ws"],
  check,
  dial,
  listen: listen(new Hosts())
}))
