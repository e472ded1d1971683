import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Transport } from "../../Transport.js"
import * as WsUrl from "../connection/wsUrl.js"
import * as TlsOptions from "./tlsOptions.js"
import { dial } from "./wsDial.js"
import { Supplies } from "./wsFrames.js"
import { Hosts, listen } from "./wsListen.js"

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
  const supplies = new Supplies()
  return {
    schemes: ["ws", "ws4", "ws6", "wss", "wss4", "wss6"],
    options: ["tcp", "tls", "ws"],
    check,
    dial: dial(supplies),
    listen: listen(new Hosts(), supplies)
  }
})
