import * as PlatformSocket from "@effect/platform/Socket"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Errors from "../../Errors.js"
import type { Transport } from "../../Transport.js"
import type * as Api from "../../WebSocketTransport.js"
import * as WsUrl from "../connection/wsUrl.js"
import { dial } from "./dial.js"

const noListener = "a browser lets a page dial, not listen: let the page dial, whatever its protocol"

const noHeaders = "a browser lets no page choose the headers of its request"

const check: Transport["check"] = (role, url, { ws = {} }) => {
  const details = { operation: role, address: url.href }
  if (role === "listen") return Either.left(new Errors.ENOTSUP({ ...details, reason: noListener }))
  return ws.headers === undefined
    ? Either.flatMap(WsUrl.checkDialed(url), () => WsUrl.checkOptions(role, url, ws))
    : Either.left(new Errors.ENOTSUP({ ...details, reason: noHeaders }))
}

/** @internal */
export const defaultRecvBuffer = 16 * 1024 * 1024

/** @internal */
export const make = ({ recvBuffer = defaultRecvBuffer }: Api.Options = {}): Effect.Effect<
  Transport,
  Errors.EINVAL,
  PlatformSocket.WebSocketConstructor
> => {
  if (!Number.isSafeInteger(recvBuffer) || recvBuffer < 1) {
    return new Errors.EINVAL({ operation: "WebSocketTransport.make", reason: `recvBuffer is ${recvBuffer}` })
  }
  return Effect.map(PlatformSocket.WebSocketConstructor, (construct) => ({
    schemes: ["ws", "wss"],
    options: ["ws"],
    check,
    dial: dial(construct, recvBuffer),
    listen: ({ url }) => new Errors.ENOTSUP({ operation: "listen", address: url.href, reason: noListener })
  }))
}
