import * as Effect from "effect/Effect"
import type { Transport } from "../../Transport.js"
import { check } from "../connection/wsUrl.js"
import { dial } from "./wsDial.js"
import { Supplies } from "./wsFrames.js"
import { Hosts, listen } from "./wsListen.js"

/**
 * The servers live in the transport: listeners of one share them.
 *
 * @internal
 */
export const make: Effect.Effect<Transport> = Effect.sync(() => {
  const supplies = new Supplies()
  return {
    schemes: ["ws", "ws4", "ws6"],
    options: ["tcp", "ws"],
    check,
    dial: dial(supplies),
    listen: listen(new Hosts(), supplies)
  }
})
