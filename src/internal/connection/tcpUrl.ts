import * as Either from "effect/Either"
import * as Errors from "../../Errors.js"
import type { CheckError, Transport } from "../../Transport.js"
import type { Url } from "../../Url.js"

/**
 * `tcp://SOURCE;HOST:PORT` names the dialer's own address too.
 *
 * @internal
 */
export const hosts = (url: Url): { readonly source: string | undefined; readonly host: string } => {
  const host = url.host ?? ""
  const at = host.indexOf(";")
  return at < 0 ? { source: undefined, host } : { source: host.slice(0, at), host: host.slice(at + 1) }
}

const invalid = (role: "dial" | "listen", url: Url, reason: string): Either.Either<never, Errors.EADDRINVAL> =>
  Either.left(new Errors.EADDRINVAL({ operation: role, address: url.href, reason }))

/** @internal */
export const check: Transport["check"] = (role, url, { tcp }): Either.Either<void, CheckError> => {
  const extra =
    url.userinfo !== undefined
      ? "user info"
      : url.query !== undefined
        ? "a query"
        : url.fragment !== undefined
          ? "a fragment"
          : url.path !== "" && url.path !== "/"
            ? "a path"
            : undefined
  if (extra !== undefined) return invalid(role, url, `a ${url.scheme} URL has no room for ${extra}`)
  const { host, source } = hosts(url)
  const not = (reason: string) => Either.left(new Errors.ENOTSUP({ operation: role, address: url.href, reason }))
  if (role === "listen") {
    if (source !== undefined) return invalid(role, url, "a listener has no source address")
    if (tcp?.localAddress !== undefined) return not("localAddress is an option of dialers")
    return host === "" && url.port === undefined ? invalid(role, url, "neither host nor port") : Either.void
  }
  if (tcp?.listenFd !== undefined) return not("listenFd is an option of listeners")
  if (host === "") return invalid(role, url, "no host to dial")
  if (source === "") return invalid(role, url, "the source address is empty")
  if (url.port === undefined) return invalid(role, url, "no port to dial")
  return url.port === 0 ? invalid(role, url, "port 0 cannot be dialed") : Either.void
}
