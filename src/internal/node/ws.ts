import * as Effect from "effect/Effect"
import type { Transport } from "../../Transport.js"
import { check } from "../connection/wsUrl.js"

/** What speaks HTTP comes with the first endpoint: many a program that has this transport never uses it. */
const load = Effect.promise(async () => {
  const [{ dial }, { Supplies }, { Hosts, listen }] = await Promise.all([
    import("./wsDial.js"),
    import("./wsFrames.js"),
    import("./wsListen.js")
  ])
  const supplies = new Supplies()
  return { dial: dial(supplies), listen: listen(new Hosts(), supplies) }
})

/**
 * The servers live in the transport: listeners of one share them.
 *
 * @internal
 */
export const make: Effect.Effect<Transport> = Effect.map(Effect.cached(load), (loaded) => ({
  schemes: ["ws", "ws4", "ws6"],
  options: ["tcp", "ws"],
  check,
  dial: (target) => Effect.flatMap(loaded, ({ dial }) => dial(target)),
  listen: (target) => Effect.flatMap(loaded, ({ listen }) => listen(target))
}))
