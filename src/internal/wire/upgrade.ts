import * as Either from "effect/Either"
import * as Url from "../../Url.js"

/**
 * A request to a listener, with the names of its headers in lower case.
 *
 * @internal
 */
export interface Request {
  readonly method: string
  readonly target: string
  readonly httpVersion: string
  readonly headers: { readonly [name: string]: string | undefined }
}

/**
 * Whose pages may connect: those of the host that they connect to, those of these origins, or any.
 *
 * @internal
 */
export type Origins = "same" | "any" | ReadonlyArray<string>

/** @internal */
export interface Rules {
  /** The host of the listener's URL; empty is any. */
  readonly host: string
  readonly subprotocol: string
  readonly origins: Origins
}

/** @internal */
export interface Refusal {
  readonly status: 400 | 403 | 404 | 405 | 413 | 503 | 505
  readonly reason: string
}

const refusal = (status: Refusal["status"], reason: string): Refusal => ({ status, reason })

/** Host and port of an authority as URLs have it, which knows one form for each address; undefined if it is none. */
const authority = (text: string, scheme = "http:"): URL | undefined => {
  if (/[/?#@\\]/.test(text)) return undefined
  try {
    return new URL(`${scheme}//${text}`)
  } catch {
    return undefined
  }
}

const bare = (hostname: string): string => hostname.replace(/\.$/, "")

const bracketed = (host: string): string => (host.includes(":") ? `[${host}]` : host)

const wildcards = new Set(["", "0.0.0.0", "::", "*"])

/** @internal */
export const isWildcard = (host: string): boolean => wildcards.has(host)

/**
 * Whether a Host header names the host of the listener's URL; ports are not compared.
 *
 * @internal
 */
export const hostMatches = (host: string, header: string): boolean => {
  if (isWildcard(host)) return true
  const wanted = authority(bracketed(host))
  const named = authority(header)
  return wanted !== undefined && named !== undefined && bare(wanted.hostname) === bare(named.hostname)
}

/**
 * The path that a request is for, in the form of URLs here: without query, absolute targets cut down, escapes decoded.
 *
 * @internal
 */
export const pathOf = (target: string): string | undefined => {
  const relative = target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, "")
  if (relative !== "" && !/^[/?#]/.test(relative)) return undefined
  const url = Url.parse(`ws://host${relative}`)
  return Either.isRight(url) ? normal(url.right.path) : undefined
}

/**
 * `` and `/` are the same path.
 *
 * @internal
 */
export const normal = (path: string): string => (path === "" ? "/" : path)

/**
 * The paths of listeners that a request for this one may be meant for, the closest first.
 *
 * @internal
 */
export const candidates = (path: string): ReadonlyArray<string> =>
  path !== "/" && path.endsWith("/") ? [path, normal(path.slice(0, -1))] : [path]

/**
 * What is wrong with a request before it is known whom it is for.
 *
 * @internal
 */
export const checkRequest = ({ headers, httpVersion }: Request): Refusal | undefined => {
  if (httpVersion !== "1.1") return refusal(505, `HTTP ${httpVersion} has no upgrade`)
  return headers["host"] === undefined ? refusal(400, "no Host header") : undefined
}

const hasWord = (list: string | undefined, word: string): boolean =>
  (list ?? "").split(",").some((each) => each.trim().toLowerCase() === word)

/** Only a name that the listener's URL vouches for can be trusted not to have been pointed here by somebody else's DNS. */
const vouched = (host: string, hostname: string): boolean =>
  !isWildcard(host) || hostname === "localhost" || /^(\d+\.){3}\d+$|^\[/.test(hostname)

const isSameOrigin = (origin: string, rules: Rules, host: string): boolean => {
  const [scheme, rest] = origin.split("//", 2)
  if (rest === undefined || !/^https?:$/.test(scheme!)) return false
  const from = authority(rest, scheme)
  const here = authority(host, scheme)
  return from !== undefined && from.host === here?.host && vouched(rules.host, bare(here.hostname))
}

/** Who sends no Origin is no browser. */
const mayConnect = (rules: Rules, origin: string | undefined, host: string): boolean => {
  if (origin === undefined || rules.origins === "any") return true
  if (rules.origins === "same") return isSameOrigin(origin, rules, host)
  return rules.origins.some((allowed) => allowed.toLowerCase() === origin.toLowerCase())
}

const keyLength = 24

/**
 * What is wrong with a request that is for a listener with these rules, in the order that libnng looks at it.
 *
 * @internal
 */
export const checkUpgrade = ({ headers, method }: Request, rules: Rules): Refusal | undefined => {
  if (method !== "GET" && method !== "HEAD") return refusal(405, `method ${method}`)
  if (method !== "GET") return refusal(400, "not a GET")
  if (Number(headers["content-length"] ?? 0) !== 0 || headers["transfer-encoding"] !== undefined) {
    return refusal(413, "a request with a body")
  }
  if (!hasWord(headers["upgrade"], "websocket")) return refusal(400, "no upgrade to websocket")
  if (!hasWord(headers["connection"], "upgrade")) return refusal(400, "no Connection: Upgrade")
  if (headers["sec-websocket-version"] !== "13") return refusal(400, "not version 13 of WebSocket")
  if (headers["sec-websocket-key"]?.length !== keyLength) return refusal(400, "no key, or one of another length")
  if (!mayConnect(rules, headers["origin"], headers["host"] ?? "")) {
    return refusal(403, `pages of origin ${headers["origin"]} may not connect`)
  }
  // the whole value, so a list of several is refused
  const asked = headers["sec-websocket-protocol"]
  if (asked === undefined) return refusal(400, `no sub-protocol, this is ${rules.subprotocol}`)
  if (asked.trim().toLowerCase() !== rules.subprotocol) {
    return refusal(400, `sub-protocol ${asked.slice(0, 80)}, this is ${rules.subprotocol}`)
  }
  return undefined
}

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const own = /^(connection|upgrade|host|content-length|transfer-encoding|sec-websocket-.*)$/i

/**
 * What is wrong with headers that a user wants sent, if anything.
 *
 * @internal
 */
export const badHeader = (headers: Readonly<Record<string, string>>): string | undefined => {
  for (const [name, value] of Object.entries(headers)) {
    if (!token.test(name)) return `${JSON.stringify(name.slice(0, 40))} is not the name of a header`
    if (own.test(name)) return `the header ${name} is set by the handshake`
    if (/[^\t\x20-\x7e\x80-\xff]/.test(value))
      return `the value of the header ${name} has characters that it cannot have`
  }
  return undefined
}
