import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Transport } from "../../Transport.js"
import * as WsUrl from "../connection/wsUrl.js"
import * as TlsOptions from "./tlsOptions.js"

/** What speaks HTTP comes with the first endpoint: many a program that has this transport never uses it. */
const load = async (): Promise<Pick<Transport, "dial" | "listen">> => {
  const [{ dial }, { Supplies }, { Hosts, listen }] = await Promise.all([
    import("./wsDial.js"),
    import("./wsFrames.js"),
    import("./wsListen.js")
  ])
  const supplies = new Supplies()
  return { dial: dial(supplies), listen: listen(new Hosts(), supplies) }
}

/** A server that is given has its own certificates. */
const check: Transport["check"] = (role, url, options) =>
  Either.flatMap(WsUrl.check(role, url, options), () =>
    WsUrl.isSecure(url) && options.ws?.server === undefined
      ? TlsOptions.check(role, options.tls, url.href)
      : Either.void
  )

/**
 * The servers live in the transport: listeners of one share them.
 *
 * @internal
 */
export const make: Effect.Effect<Transport> = Effect.sync(() => {
  let loading: ReturnType<typeof load> | undefined
  // a promise, which no interruption of who waits for it ends for the others
  const loaded = Effect.promise(() => (loading ??= load()))
  return {
    schemes: ["ws", "ws4", "ws6", "wss", "wss4", "wss6"],
    options: ["tcp", "tls", "ws"],
    check,
    dial: (target) => Effect.flatMap(loaded, ({ dial }) => dial(target)),
    listen: (target) => Effect.flatMap(loaded, ({ listen }) => listen(target))
  }
})
