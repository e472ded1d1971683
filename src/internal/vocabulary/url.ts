import * as Either from "effect/Either"
import * as Equal from "effect/Equal"
import { dual } from "effect/Function"
import * as Hash from "effect/Hash"
import { NodeInspectSymbol } from "effect/Inspectable"
import { pipeArguments } from "effect/Pipeable"
import { hasProperty } from "effect/Predicate"
import * as Errors from "../../Errors.js"
import type * as Api from "../../Url.js"

/** @internal */
export const TypeId: Api.TypeId = Symbol.for("effect-nng/Url") as Api.TypeId

const maxHostLength = 255
const maxPort = 65535

/** Schemes whose rest is a name or a path, taken as it stands. */
const verbatim: ReadonlySet<string> = new Set(["inproc", "ipc", "unix", "abstract", "socket"])

/** The service names that can stand for a port. */
const services: ReadonlyMap<string, number> = new Map([
  ["echo", 7],
  ["discard", 9],
  ["daytime", 13],
  ["ftp", 21],
  ["ssh", 22],
  ["telnet", 23],
  ["smtp", 25],
  ["domain", 53],
  ["gopher", 70],
  ["http", 80],
  ["pop3", 110],
  ["ntp", 123],
  ["imap", 143],
  ["snmp", 161],
  ["irc", 194],
  ["ldap", 389],
  ["https", 443],
  ["ldaps", 636],
  ["imaps", 993],
  ["git", 9418]
])

/** The schemes with a default port, each by the service it speaks. */
const schemeServices: ReadonlyMap<string, string> = new Map([
  ["git", "git"],
  ["gopher", "gopher"],
  ["http", "http"],
  ["https", "https"],
  ["ssh", "ssh"],
  ["telnet", "telnet"],
  ["ws", "http"],
  ["wss", "https"]
])

/** @internal */
export const defaultPort = (scheme: string): number | undefined => {
  const service = schemeServices.get(scheme.replace(/[46]$/, ""))
  return service === undefined ? undefined : services.get(service)
}

interface Parts {
  readonly scheme: string
  readonly userinfo: string | undefined
  readonly host: string | undefined
  readonly port: number | undefined
  readonly path: string
  readonly query: string | undefined
  readonly fragment: string | undefined
}

class UrlImpl implements Api.Url {
  readonly scheme: string
  readonly userinfo: string | undefined
  readonly host: string | undefined
  readonly port: number | undefined
  readonly path: string
  readonly query: string | undefined
  readonly fragment: string | undefined
  readonly href: string

  constructor(parts: Parts) {
    this.scheme = parts.scheme
    this.userinfo = parts.userinfo
    this.host = parts.host
    this.port = parts.port
    this.path = parts.path
    this.query = parts.query
    this.fragment = parts.fragment
    this.href = render(parts)
  }
  get [TypeId](): Api.TypeId {
    return TypeId
  }
  [Equal.symbol](that: Equal.Equal): boolean {
    // the text says everything but the user info
    return isUrl(that) && this.href === that.href && this.userinfo === that.userinfo
  }
  [Hash.symbol](): number {
    return Hash.cached(this, Hash.string(this.href))
  }
  toString(): string {
    return this.href
  }
  toJSON(): unknown {
    return { _id: "effect-nng/Url", href: this.href }
  }
  [NodeInspectSymbol](): unknown {
    return this.toJSON()
  }
  pipe() {
    // eslint-disable-next-line prefer-rest-params
    return pipeArguments(this, arguments)
  }
}

const render = ({ fragment, host, path, port, query, scheme }: Parts): string => {
  if (host === undefined) {
    return `${scheme}://${path}`
  }
  // only a bracketed host can hold a colon or begin with a bracket
  const shownHost = /^\[|:/.test(host) ? `[${host}]` : host
  const shownPort = port === undefined || port === defaultPort(scheme) ? "" : `:${port}`
  const shownQuery = query === undefined ? "" : `?${query}`
  const shownFragment = fragment === undefined ? "" : `#${fragment}`
  return `${scheme}://${shownHost}${shownPort}${path}${shownQuery}${shownFragment}`
}

/** @internal */
export const isUrl = (u: unknown): u is Api.Url => hasProperty(u, TypeId)

/** @internal */
export const format = (url: Api.Url): string => url.href

/** @internal */
export const withPort: {
  (port: number): (self: Api.Url) => Api.Url
  (self: Api.Url, port: number): Api.Url
} = dual(2, (self: Api.Url, port: number): Api.Url =>
  self.host === undefined ? self : new UrlImpl({ ...parts(self), port })
)

const parts = ({ fragment, host, path, port, query, scheme, userinfo }: Api.Url): Parts => ({
  scheme,
  userinfo,
  host,
  port,
  path,
  query,
  fragment
})

/** A part of a URL, or the reason why it is none. */
type Parsed<A> = Either.Either<A, string>

/** @internal */
export const parse = (text: string): Either.Either<Api.Url, Errors.EINVAL> =>
  Either.mapBoth(parseText(text), {
    onLeft: (reason) => new Errors.EINVAL({ operation: "Url.parse", address: withoutUserinfo(text), reason }),
    onRight: (parsed) => new UrlImpl(parsed)
  })

/** What is shown in errors and logs holds no password. */
const withoutUserinfo = (text: string): string => text.replace(/^([^:]*:\/\/)[^/?#]*@/, "$1")

const parseText = (text: string): Parsed<Parts> => {
  const colon = text.indexOf(":")
  if (colon < 0 || !text.startsWith("://", colon)) {
    return Either.left(`no "://" after a scheme`)
  }
  const scheme = lowerCase(text.slice(0, colon))
  if (!/^[a-z][a-z0-9+.-]*$/.test(scheme)) {
    return Either.left(`${quote(scheme)} is not a scheme`)
  }
  if (/\p{Surrogate}/u.test(text)) {
    return Either.left("half a surrogate pair has no UTF-8 form")
  }
  const rest = text.slice(colon + 3)
  return verbatim.has(scheme)
    ? Either.right({
        scheme,
        userinfo: undefined,
        host: undefined,
        port: undefined,
        path: rest,
        query: undefined,
        fragment: undefined
      })
    : parseRest(scheme, rest)
}

const parseRest = (scheme: string, rest: string): Parsed<Parts> => {
  const control = /[\0-\x1f\x7f]/.exec(rest)
  if (control !== null) {
    return Either.left(`control character ${hex(control[0].charCodeAt(0))}`)
  }
  const end = rest.search(/[/?#]|$/)
  return Either.flatMap(parseAuthority(rest.slice(0, end)), ({ host, port = defaultPort(scheme), userinfo }) =>
    Either.map(parseRequest(rest.slice(end)), (request) => ({ scheme, userinfo, host, port, ...request }))
  )
}

const parseAuthority = (authority: string): Parsed<Pick<Parts, "userinfo" | "host" | "port">> => {
  const [before, after, more] = authority.split("@")
  if (more !== undefined) {
    return Either.left(`more than one "@"`)
  }
  const userinfo = after === undefined ? undefined : before
  return Either.flatMap(splitPort(lowerCase(after ?? before ?? "")), ({ host, port }) => {
    const size = new TextEncoder().encode(host).length
    return size > maxHostLength
      ? Either.left(`a host of ${size} bytes, more than ${maxHostLength}`)
      : Either.map(parsePort(port), (port) => ({ userinfo, host: host === "*" ? "" : host, port }))
  })
}

interface HostAndPort {
  readonly host: string
  readonly port: string | undefined
}

const splitPort = (text: string): Parsed<HostAndPort> => {
  if (!text.startsWith("[")) {
    const colon = text.indexOf(":")
    return Either.right(
      colon < 0 ? { host: text, port: undefined } : { host: text.slice(0, colon), port: text.slice(colon + 1) }
    )
  }
  const close = text.indexOf("]")
  if (close < 0) {
    return Either.left(`no "]" after the host ${quote(text)}`)
  }
  const host = text.slice(1, close)
  const after = text.slice(close + 1)
  return after === "" || after.startsWith(":")
    ? Either.right({ host, port: after === "" ? undefined : after.slice(1) })
    : Either.left(`${quote(after)} after the host "[${host}]"`)
}

const parsePort = (text: string | undefined): Parsed<number | undefined> => {
  if (text === undefined) {
    return Either.right(undefined)
  }
  if (text === "") {
    return Either.left("no port after the colon")
  }
  const port = /^[0-9]+$/.test(text) ? Number(text) : services.get(text)
  if (port !== undefined && port <= maxPort) {
    return Either.right(port)
  }
  return Either.left(
    text.includes(":")
      ? `the port is ${quote(text)}: an IPv6 address needs brackets`
      : `the port is ${quote(text)}, neither a number up to ${maxPort} nor a known service`
  )
}

/** Path, query and fragment. */
const parseRequest = (text: string): Parsed<Pick<Parts, "path" | "query" | "fragment">> =>
  Either.map(unescapeSafe(text), (request) => {
    const [beforeFragment, fragment] = cut(request, "#")
    const [path, query] = cut(beforeFragment, "?")
    return { path: resolveDots(path), query, fragment }
  })

const cut = (text: string, mark: string): readonly [string, string | undefined] => {
  const at = text.indexOf(mark)
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
}

/** Decodes the escapes that need none, and those of UTF-8; makes the others upper case. */
const unescapeSafe = (text: string): Parsed<string> => {
  const bytes = new TextEncoder().encode(text)
  const out = new Uint8Array(bytes.length)
  let length = 0
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] !== percent) {
      out[length++] = bytes[i]!
      continue
    }
    const escape = escapeAt(bytes, i)
    if (Either.isLeft(escape)) {
      return Either.left(escape.left)
    }
    const byte = escape.right
    if (byte >= 0x80 || /[A-Za-z0-9.~_-]/.test(String.fromCharCode(byte))) {
      out[length++] = byte
    } else {
      out[length++] = percent
      out[length++] = upperCase(bytes[i + 1]!)
      out[length++] = upperCase(bytes[i + 2]!)
    }
    i += 2
  }
  try {
    return Either.right(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(out.subarray(0, length)))
  } catch {
    return Either.left("path, query or fragment is not UTF-8 once its escapes are decoded")
  }
}

/** Not quite RFC 3986: a dot segment at the end leaves no slash. */
const resolveDots = (path: string): string => {
  const kept: Array<string> = []
  for (const segment of path.replace(/\/+/g, "/").split("/").slice(1)) {
    if (segment === "..") {
      kept.pop()
    } else if (segment !== ".") {
      kept.push(segment)
    }
  }
  return kept.map((segment) => `/${segment}`).join("")
}

/** @internal */
export const decode = (text: string, capacity: number): Either.Either<Uint8Array, Errors.EINVAL> =>
  Either.mapLeft(
    Either.gen(function* () {
      const bytes = new TextEncoder().encode(text)
      const out = new Uint8Array(Math.min(bytes.length, capacity))
      let length = 0
      for (let i = 0; i < bytes.length; i++) {
        if (length === capacity) {
          return yield* Either.left(`more than ${capacity} bytes`)
        }
        if (bytes[i] === percent) {
          out[length++] = yield* escapeAt(bytes, i)
          i += 2
        } else {
          out[length++] = bytes[i]!
        }
      }
      return out.slice(0, length)
    }),
    (reason) => new Errors.EINVAL({ operation: "Url.decode", reason })
  )

const percent = 0x25

/** The byte that the escape at this place stands for. */
const escapeAt = (bytes: Uint8Array, at: number): Parsed<number> => {
  const digits = String.fromCharCode(...bytes.subarray(at + 1, at + 3))
  return /^[0-9A-Fa-f]{2}$/.test(digits)
    ? Either.right(parseInt(digits, 16))
    : Either.left(`${quote("%" + digits)} is not an escape`)
}

const upperCase = (byte: number): number => (byte >= 0x61 ? byte - 0x20 : byte)

const lowerCase = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())

const hex = (n: number): string => `0x${n.toString(16).padStart(2, "0")}`

/** Long or unprintable text must not fill an error's message. */
const quote = (text: string): string => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text)
