import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import { existsSync } from "node:fs"
import { isIP } from "node:net"
import { dirname } from "node:path"
import { getSystemErrorMap } from "node:util"
import * as Errors from "../../Errors.js"

/**
 * What was being done; some conditions read differently in each.
 *
 * @internal
 */
export type Phase = "dial" | "listen" | "accept" | "handshake" | "read" | "write" | "file"

/** @internal */
export interface Context {
  readonly operation?: string | undefined
  readonly address?: string | undefined
  readonly during?: Phase | undefined
  /** Whose conventions hold, by default those of the running system. */
  readonly platform?: NodeJS.Platform | undefined
}

/** @internal */
export interface Condition {
  readonly during?: ReadonlyArray<Phase>
  readonly platform?: NodeJS.Platform
  readonly ipc?: true
  readonly parentMissing?: true
  readonly syscall?: RegExp
  readonly text?: RegExp
}

type FixedClass = new (details?: Errors.Details) => Errors.FixedError

/** @internal */
export interface Row {
  /** Node's `code`, else the error's `_tag` or `name`; a star stands for any characters. */
  readonly match: string
  readonly error: FixedClass
  readonly when?: Condition
}

const all = (error: FixedClass, ...matches: ReadonlyArray<string>): ReadonlyArray<Row> =>
  matches.map((match) => ({ match, error }))

/**
 * Node's conditions and their NNG errors: the first row that fits is taken, so the particular stand above the general.
 *
 * @internal
 */
export const rows: ReadonlyArray<Row> = [
  // a missing path is to a dialer what a closed port is; a missing file (certificates) stays missing
  { match: "ENOENT", error: Errors.ECONNREFUSED, when: { during: ["dial"], syscall: /^(connect)?$/ } },
  { match: "EINVAL", error: Errors.EADDRINVAL, when: { during: ["dial", "listen"], ipc: true } },
  { match: "ENAMETOOLONG", error: Errors.EADDRINVAL, when: { during: ["dial", "listen"], ipc: true } },
  // libuv reports a missing directory as EACCES, to be alike on Windows
  { match: "EACCES", error: Errors.ENOENT, when: { during: ["listen"], ipc: true, parentMissing: true } },
  { match: "ECONNRESET", error: Errors.ECONNSHUT, when: { text: /disconnected before secure TLS connection/ } },
  // Node's http and tls say so when the peer ended in good order before it answered; a real reset names a system call
  {
    match: "ECONNRESET",
    error: Errors.ECONNSHUT,
    when: { during: ["dial", "accept", "handshake"], text: /^socket hang up$/ }
  },
  { match: "ERR_STREAM_PREMATURE_CLOSE", error: Errors.ECONNSHUT, when: { during: ["read"] } },
  { match: "EOF", error: Errors.ECONNSHUT, when: { during: ["read"] } },
  { match: "ECONNABORTED", error: Errors.ETIMEDOUT, when: { platform: "win32" } },
  { match: "ECONNRESET", error: Errors.ECLOSED, when: { platform: "win32" } },
  { match: "ENETDOWN", error: Errors.EUNREACHABLE, when: { platform: "win32" } },
  { match: "EHOSTDOWN", error: Errors.EUNREACHABLE, when: { platform: "win32" } },
  { match: "ERR_OUT_OF_RANGE", error: Errors.ENOMEM, when: { text: /"size"/ } },
  { match: "RangeError", error: Errors.ENOMEM, when: { text: /allocation failed|array (buffer )?length/i } },

  // ws gives these no code
  { match: "Error", error: Errors.ETIMEDOUT, when: { text: /^Opening handshake has timed out/ } },
  { match: "Error", error: Errors.EPROTO, when: { text: /^(Invalid (Upgrade|Sec-WebSocket)|Server sent )/ } },
  { match: "Error", error: Errors.ECLOSED, when: { text: /^WebSocket (is not open|was closed)/ } },
  { match: "SyntaxError", error: Errors.EINVAL, when: { text: /^Invalid URL|subprotocol was specified/ } },

  ...all(Errors.EINTR, "EINTR"),
  ...all(Errors.ENOMEM, "ENOMEM", "ENOBUFS", "EAI_MEMORY", "OUT_OF_MEM"),
  ...all(Errors.ENOMEM, "ERR_BUFFER_TOO_LARGE", "ERR_MEMORY_ALLOCATION_FAILED"),
  ...all(Errors.EINVAL, "EINVAL", "ENAMETOOLONG", "ENOTSOCK", "EAI_BADFLAGS", "EBADFLAGS"),
  ...all(Errors.EINVAL, "ERR_OUT_OF_RANGE", "ERR_MISSING_ARGS", "ERR_UNESCAPED_CHARACTERS", "ERR_SOCKET_BAD_TYPE"),
  ...all(Errors.EBUSY, "EBUSY", "EISCONN", "ERR_SOCKET_DGRAM_IS_CONNECTED"),
  ...all(Errors.ETIMEDOUT, "ETIMEDOUT", "ETIME", "ETIMEOUT", "ERR_SOCKET_CONNECTION_TIMEOUT"),
  ...all(Errors.ETIMEDOUT, "ERR_TLS_HANDSHAKE_TIMEOUT", "TimeoutException", "TimeoutError"),
  ...all(Errors.ECONNREFUSED, "ECONNREFUSED"),
  ...all(Errors.ECLOSED, "EBADF", "EPIPE", "ENOTCONN", "EOF", "ERR_SOCKET_CLOSED"),
  ...all(Errors.ECLOSED, "ERR_SOCKET_CLOSED_BEFORE_CONNECTION", "ERR_SERVER_NOT_RUNNING"),
  ...all(Errors.ECLOSED, "ERR_STREAM_DESTROYED", "ERR_STREAM_WRITE_AFTER_END", "ERR_STREAM_PREMATURE_CLOSE"),
  ...all(Errors.ECLOSED, "ERR_STREAM_ALREADY_FINISHED", "ERR_SOCKET_DGRAM_NOT_RUNNING"),
  ...all(Errors.ECLOSED, "ERR_SOCKET_DGRAM_NOT_CONNECTED"),
  ...all(Errors.EAGAIN, "EAGAIN", "EWOULDBLOCK"),
  ...all(Errors.ENOTSUP, "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EAFNOSUPPORT", "ENOPROTOOPT", "EPROTONOSUPPORT"),
  ...all(Errors.ENOTSUP, "EAI_SOCKTYPE", "EAI_FAMILY", "EBADFAMILY", "ERR_FEATURE_UNAVAILABLE_ON_PLATFORM"),
  ...all(Errors.ENOTSUP, "ERR_TLS_INVALID_PROTOCOL_VERSION", "ERR_TLS_PROTOCOL_VERSION_CONFLICT"),
  ...all(Errors.EADDRINUSE, "EADDRINUSE"),
  ...all(Errors.ESTATE, "ERR_SERVER_ALREADY_LISTEN", "ERR_SOCKET_ALREADY_BOUND", "ERR_INVALID_STATE"),
  ...all(Errors.ENOENT, "ENOENT"),
  ...all(Errors.EPROTO, "EPROTO", "HPE_*"),
  ...all(Errors.EUNREACHABLE, "EHOSTUNREACH", "ENETUNREACH"),
  ...all(Errors.EADDRINVAL, "EADDRNOTAVAIL", "ENOTFOUND", "ENODATA", "ENONAME", "EBADNAME", "ESERVFAIL", "EREFUSED"),
  ...all(Errors.EADDRINVAL, "EAI_NONAME", "EAI_NODATA", "EAI_SERVICE", "EAI_AGAIN"),
  ...all(Errors.EADDRINVAL, "ERR_SOCKET_BAD_PORT", "ERR_INVALID_ADDRESS*", "ERR_INVALID_IP_ADDRESS"),
  ...all(Errors.EPERM, "EACCES", "EPERM", "ERR_ACCESS_DENIED", "ERR_IP_BLOCKED"),
  ...all(Errors.EMSGSIZE, "EMSGSIZE", "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH", "WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH"),
  ...all(Errors.ECONNABORTED, "ECONNABORTED"),
  ...all(Errors.ECONNRESET, "ECONNRESET"),
  ...all(Errors.ECANCELED, "ECANCELED", "ECANCELLED", "EAI_CANCELED", "ABORT_ERR", "AbortError"),
  ...all(Errors.ENOFILES, "EMFILE", "ENFILE"),
  ...all(Errors.ENOSPC, "ENOSPC", "EDQUOT", "EFBIG"),
  ...all(Errors.EEXIST, "EEXIST"),
  ...all(Errors.ECONNSHUT, "ERR_SSL_UNEXPECTED_EOF_WHILE_READING"),

  ...all(Errors.EPEERAUTH, "UNABLE_TO_*", "CERT_*", "CRL_*", "ERROR_IN_CERT_*", "ERROR_IN_CRL_*"),
  ...all(Errors.EPEERAUTH, "SELF_SIGNED_CERT_IN_CHAIN", "DEPTH_ZERO_SELF_SIGNED_CERT", "HOSTNAME_MISMATCH"),
  ...all(Errors.EPEERAUTH, "INVALID_CA", "PATH_LENGTH_EXCEEDED", "INVALID_PURPOSE", "ERR_TLS_CERT_ALTNAME_*"),
  ...all(Errors.EPEERAUTH, "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE", "ERR_SSL_CERTIFICATE_VERIFY_FAILED"),
  ...all(Errors.EPEERAUTH, "ERR_SSL_NO_SHARED_CIPHER", "ERR_SSL_*ALERT_*CERTIFICATE*"),
  ...all(Errors.EPEERAUTH, "ERR_SSL_*ALERT_UNKNOWN_CA", "ERR_SSL_*ALERT_HANDSHAKE_FAILURE"),

  ...all(Errors.ECRYPTO, "ERR_SSL_*", "ERR_OSSL_*", "ERR_TLS_*", "ERR_CRYPTO_*", "ERR_MISSING_PASSPHRASE"),
  ...all(Errors.EPROTO, "WS_ERR_*"),
  ...all(Errors.EINVAL, "ERR_INVALID_*", "ERR_HTTP_INVALID_*")
]

/** @internal */
export interface StatusRow {
  readonly status: number
  readonly error: new (details?: Errors.Details) => Errors.EPERM | Errors.ECONNREFUSED
}

/**
 * What a refused websocket upgrade means; every other status is a protocol error.
 *
 * @internal
 */
export const statusRows: ReadonlyArray<StatusRow> = [
  { status: 401, error: Errors.EPERM },
  { status: 403, error: Errors.EPERM },
  { status: 404, error: Errors.ECONNREFUSED },
  { status: 405, error: Errors.ECONNREFUSED },
  { status: 501, error: Errors.ECONNREFUSED }
]

const property = (u: unknown, key: string): unknown =>
  Predicate.hasProperty(u, key) ? (u as { readonly [x: string]: unknown })[key] : undefined

const stringAt = (u: unknown, key: string): string | undefined => {
  const value = property(u, key)
  return typeof value === "string" && value !== "" ? value : undefined
}

const errnoOf = (cause: unknown): number | undefined => {
  const errno = property(cause, "errno")
  return typeof errno === "number" && Number.isInteger(errno) && errno !== 0 ? Math.abs(errno) : undefined
}

const systemEntry = (errno: number): [name: string, text: string] | undefined => getSystemErrorMap().get(-errno)

const errnoNamed = (name: string | undefined): number | undefined => {
  for (const [errno, [entry]] of getSystemErrorMap()) {
    if (entry === name) return -errno
  }
  return undefined
}

const textOf = (cause: unknown): string => (typeof cause === "string" ? cause : (stringAt(cause, "message") ?? ""))

// OpenSSL's message is a line of addresses and file names around the few words that matter
const tlsReason = (cause: unknown): string | undefined =>
  stringAt(cause, "library") === undefined
    ? /:SSL routines:[^:]*:([^:]+)/.exec(textOf(cause))?.[1]
    : stringAt(cause, "reason")

const reasonOf = (cause: unknown): string | undefined => {
  const line = (tlsReason(cause) ?? textOf(cause)).split("\n", 1)[0]
  return line === "" ? undefined : line
}

// reads and writes report OpenSSL's failures as EPROTO, with Node's name for them still to be made from the text
const tlsCode = (cause: unknown): string | undefined => {
  const reason = stringAt(cause, "code") === "EPROTO" ? tlsReason(cause) : undefined
  return reason === undefined ? undefined : `ERR_SSL_${reason.toUpperCase().replaceAll(" ", "_")}`
}

const keysOf = (cause: unknown): ReadonlyArray<string> => {
  const errno = errnoOf(cause)
  return [
    tlsCode(cause),
    stringAt(cause, "code"),
    errno === undefined ? undefined : systemEntry(errno)?.[0],
    stringAt(cause, "_tag"),
    stringAt(cause, "name")
  ].filter(Predicate.isNotUndefined)
}

const isIpc = (cause: unknown, context: Context): boolean => {
  const address = stringAt(cause, "address")
  const port = property(cause, "port")
  return (
    /^(ipc|unix|abstract):/.test(context.address ?? "") ||
    (address !== undefined && isIP(address) === 0 && (port === undefined || port === -1))
  )
}

const parentMissing = (cause: unknown): boolean => {
  const path = stringAt(cause, "address")
  return path !== undefined && !existsSync(dirname(path))
}

const holds = (condition: Condition, cause: unknown, context: Context): boolean =>
  (condition.during === undefined || (context.during !== undefined && condition.during.includes(context.during))) &&
  (condition.platform === undefined || condition.platform === (context.platform ?? process.platform)) &&
  (condition.syscall === undefined || condition.syscall.test(stringAt(cause, "syscall") ?? "")) &&
  (condition.text === undefined || condition.text.test(textOf(cause))) &&
  (condition.ipc === undefined || isIpc(cause, context)) &&
  (condition.parentMissing === undefined || parentMissing(cause))

const globs: ReadonlyMap<string, RegExp> = new Map(
  rows.flatMap(({ match }) =>
    match.includes("*") ? [[match, new RegExp(`^${match.replaceAll("*", ".*")}$`)] as const] : []
  )
)

const fits = (match: string, key: string): boolean => match === key || (globs.get(match)?.test(key) ?? false)

/**
 * The row that decides about a cause, if any does.
 *
 * @internal
 */
export const findRow = (cause: unknown, context: Context = {}): Row | undefined => {
  for (const key of keysOf(cause)) {
    const row = rows.find((row) => fits(row.match, key) && (row.when === undefined || holds(row.when, cause, context)))
    if (row !== undefined) return row
  }
  return undefined
}

/**
 * The system's words for an errno of either sign, where it has any.
 *
 * @internal
 */
export const systemText = (errno: number): string | undefined => systemEntry(Math.abs(errno))?.[1]

/**
 * `Errors.strerror` that knows the system's words too.
 *
 * @internal
 */
export const strerror = (code: number): string =>
  Option.match(Errors.fromCode(code), {
    onNone: () => Errors.strerror(code),
    onSome: (error) => (error._tag === "NNG_ESYSERR" ? (systemText(error.errno) ?? error.text) : error.text)
  })

/**
 * Maps the HTTP status that answered a websocket upgrade.
 *
 * @internal
 */
export const fromHttpStatus = (
  status: number,
  details: Errors.Details = {}
): Errors.EPERM | Errors.ECONNREFUSED | Errors.EPROTO => {
  const error = statusRows.find((row) => row.status === status)?.error ?? Errors.EPROTO
  return new error({ reason: `HTTP status ${status}`, ...details })
}

const MAX_DEPTH = 8

const lastOf = (cause: unknown): unknown => {
  const errors = property(cause, "errors")
  return Array.isArray(errors) ? errors.at(-1) : undefined
}

const convert = (cause: unknown, context: Context, details: Errors.Details, depth: number): Errors.NngError => {
  if (Errors.isNngError(cause)) return cause
  const inner = depth < MAX_DEPTH ? lastOf(cause) : undefined
  if (inner !== undefined) return convert(inner, context, details, depth + 1)

  const row = findRow(cause, context)
  if (row !== undefined) return new row.error(details)

  const errno = errnoOf(cause) ?? errnoNamed(stringAt(cause, "code"))
  if (errno !== undefined) return new Errors.ESYSERR({ ...details, errno, text: systemText(errno) })

  const status = /^Unexpected server response: (\d{3})$/.exec(textOf(cause))?.[1]
  if (status !== undefined) return fromHttpStatus(Number(status), details)

  const wrapped = property(cause, "cause") ?? property(cause, "error")
  return wrapped !== undefined && depth < MAX_DEPTH
    ? convert(wrapped, context, details, depth + 1)
    : new Errors.EINTERNAL(details)
}

// Node tries the addresses of a name one after the other and reports them together
const reasonOfAll = (cause: unknown): string | undefined => {
  const errors = property(cause, "errors")
  const reasons = (Array.isArray(errors) ? errors : []).map(reasonOf).filter(Predicate.isNotUndefined)
  return reasons.length > 0 ? reasons.join("; ") : (reasonOf(cause) ?? reasonOf(property(cause, "cause")))
}

/**
 * Maps anything that Node throws, emits or calls back with.
 *
 * An errno without a row is `NNG_ESYSERR`. What no system reported, a plain `Error` or no error at all, is
 * `NNG_EINTERNAL`. Of several errors the last one decides, and the reason names them all. An NNG error stays itself.
 *
 * @internal
 */
export const fromNode = (cause: unknown, context: Context = {}): Errors.NngError =>
  convert(
    cause,
    context,
    { operation: context.operation, address: context.address, reason: reasonOfAll(cause), cause },
    0
  )

const errnoBehind = ({ cause }: Errors.NngError): number | undefined => errnoOf(cause) ?? errnoOf(lastOf(cause))

/**
 * Holds an error to the union of an operation: one that has no place there becomes `NNG_ESYSERR`, which keeps the errno
 * (the code, where there is none) and the error itself as cause.
 *
 * @internal
 */
export const narrow = <const Tags extends ReadonlyArray<Errors.Tag>>(
  error: Errors.NngError,
  allowed: Tags,
  details: Errors.Details = {}
): Errors.FromTag<Tags[number]> | Errors.ESYSERR => {
  const isAllowed = (error: Errors.NngError): error is Errors.FromTag<Tags[number]> => allowed.includes(error._tag)
  if (isAllowed(error) || error._tag === "NNG_ESYSERR") return error
  const errno = errnoBehind(error)
  return new Errors.ESYSERR({
    operation: details.operation ?? error.operation,
    address: details.address ?? error.address,
    reason: details.reason ?? error.reason,
    cause: details.cause ?? error,
    errno: errno ?? (error._tag === "NNG_ETRANERR" ? error.number : error.code),
    text: (errno === undefined ? undefined : systemText(errno)) ?? error.text
  })
}
