import * as Either from "effect/Either"
import * as Errors from "../../Errors.js"
import type { CheckError, Transport, WsOptions } from "../../Transport.js"
import type { Url } from "../../Url.js"
import { badHeader } from "../wire/upgrade.js"

/**
 * The URL in the form that platforms want. libnng 1.x sends the fragment too, and nothing where there is no path.
 *
 * @internal
 */
export const platformUrl = ({ host = "", path, port, query, scheme }: Url): string => {
  const name = host.includes(":") ? `[${host}]` : host
  return `${scheme.replace(/[46]$/, "")}://${name}:${port}${path}${query === undefined ? "" : `?${query}`}`
}

/**
 * Whether there is TLS below.
 *
 * @internal
 */
export const isSecure = ({ scheme }: Url): boolean => scheme.startsWith("wss")

type Check = Either.Either<void, CheckError>

const details = (role: "dial" | "listen", url: Url, reason: string) => ({ operation: role, address: url.href, reason })

/**
 * Of a URL that is to be dialed, whatever dials it.
 *
 * @internal
 */
export const checkDialed = (url: Url): Check => {
  const invalid = (reason: string) => Either.left(new Errors.EADDRINVAL(details("dial", url, reason)))
  if (url.userinfo !== undefined) return invalid(noUserinfo)
  if (url.host === undefined || url.host === "") return invalid("no host to dial")
  if (url.port === 0) return invalid("port 0 cannot be dialed")
  return URL.canParse(platformUrl(url)) ? Either.void : invalid("no host that HTTP can name")
}

const noUserinfo = "send credentials in a header, not in the URL"

const checkListened = (url: Url): Check => {
  const invalid = (reason: string) => Either.left(new Errors.EADDRINVAL(details("listen", url, reason)))
  if (url.userinfo !== undefined) return invalid(noUserinfo)
  return url.query === undefined && url.fragment === undefined
    ? Either.void
    : invalid("a listener has a path, and no query or fragment")
}

/**
 * Of the options that a dialer may have on every platform.
 *
 * @internal
 */
export const checkOptions = (role: "dial" | "listen", url: Url, ws: WsOptions): Check => {
  const { sendMaxFrame = 0 } = ws
  if (!Number.isSafeInteger(sendMaxFrame) || sendMaxFrame < 0) {
    return Either.left(new Errors.EINVAL(details(role, url, `sendMaxFrame is ${sendMaxFrame}`)))
  }
  for (const name of ["origins", "server"] as const) {
    if (role === "dial" && ws[name] !== undefined) {
      return Either.left(new Errors.ENOTSUP(details(role, url, `${name} is an option of listeners`)))
    }
  }
  return Either.void
}

const checkHeaders = (role: "dial" | "listen", url: Url, headers: WsOptions["headers"]): Check => {
  const bad = badHeader(headers ?? {})
  return bad === undefined ? Either.void : Either.left(new Errors.EINVAL(details(role, url, bad)))
}

/**
 * What Node's WebSockets want.
 *
 * @internal
 */
export const check: Transport["check"] = (role, url, { tcp, tls, ws = {} }): Check => {
  if (tls !== undefined && !isSecure(url)) {
    return Either.left(new Errors.ENOTSUP(details(role, url, `${url.scheme} has no TLS, wss has`)))
  }
  if (tls !== undefined && ws.server !== undefined) {
    return Either.left(new Errors.EINVAL(details(role, url, "TLS is up to the server that is given")))
  }
  if (tcp?.listenFd !== undefined) {
    return Either.left(new Errors.ENOTSUP(details(role, url, "there is no listenFd for WebSocket")))
  }
  if (role === "listen" && tcp?.localAddress !== undefined) {
    return Either.left(new Errors.ENOTSUP(details(role, url, "localAddress is an option of dialers")))
  }
  return (role === "dial" ? checkDialed(url) : checkListened(url)).pipe(
    Either.flatMap(() => checkHeaders(role, url, ws.headers)),
    Either.flatMap(() => checkOptions(role, url, ws))
  )
}
