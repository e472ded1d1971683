import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import * as Http from "node:http"
import * as Net from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Tls from "node:tls"
import { getSystemErrorMap } from "node:util"
import * as Errors from "../../src/Errors.js"
import * as Errno from "../../src/internal/node/errno.js"

interface Fields {
  readonly [x: string]: unknown
}

const nodeError = (code: string, fields: Fields = {}): Error =>
  Object.assign(new Error(`something ${code}`), { code }, fields)

// libuv's numbers are the system's, but for Windows
const errnoOf = (code: string): number => -[...getSystemErrorMap()].find(([, [name]]) => name === code)![0]

const posix = (context: Errno.Context = {}): Errno.Context => ({ platform: "linux", ...context })

// the rows of the reference that need nothing but Node's code
const codes: ReadonlyArray<readonly [code: string, tag: Errors.Tag]> = [
  ["EINTR", "NNG_EINTR"],
  ["ENOMEM", "NNG_ENOMEM"],
  ["ENOBUFS", "NNG_ENOMEM"],
  ["EAI_MEMORY", "NNG_ENOMEM"],
  ["OUT_OF_MEM", "NNG_ENOMEM"],
  ["ERR_BUFFER_TOO_LARGE", "NNG_ENOMEM"],
  ["ERR_MEMORY_ALLOCATION_FAILED", "NNG_ENOMEM"],
  ["EINVAL", "NNG_EINVAL"],
  ["ENAMETOOLONG", "NNG_EINVAL"],
  ["ENOTSOCK", "NNG_EINVAL"],
  ["EAI_BADFLAGS", "NNG_EINVAL"],
  ["EBADFLAGS", "NNG_EINVAL"],
  ["ERR_OUT_OF_RANGE", "NNG_EINVAL"],
  ["ERR_MISSING_ARGS", "NNG_EINVAL"],
  ["ERR_UNESCAPED_CHARACTERS", "NNG_EINVAL"],
  ["ERR_SOCKET_BAD_TYPE", "NNG_EINVAL"],
  ["ERR_INVALID_ARG_VALUE", "NNG_EINVAL"],
  ["ERR_INVALID_ARG_TYPE", "NNG_EINVAL"],
  ["ERR_INVALID_URL", "NNG_EINVAL"],
  ["ERR_HTTP_INVALID_HEADER_VALUE", "NNG_EINVAL"],
  ["EBUSY", "NNG_EBUSY"],
  ["EISCONN", "NNG_EBUSY"],
  ["ERR_SOCKET_DGRAM_IS_CONNECTED", "NNG_EBUSY"],
  ["ETIMEDOUT", "NNG_ETIMEDOUT"],
  ["ETIME", "NNG_ETIMEDOUT"],
  ["ETIMEOUT", "NNG_ETIMEDOUT"],
  ["ERR_SOCKET_CONNECTION_TIMEOUT", "NNG_ETIMEDOUT"],
  ["ERR_TLS_HANDSHAKE_TIMEOUT", "NNG_ETIMEDOUT"],
  ["ECONNREFUSED", "NNG_ECONNREFUSED"],
  ["EBADF", "NNG_ECLOSED"],
  ["EPIPE", "NNG_ECLOSED"],
  ["ENOTCONN", "NNG_ECLOSED"],
  ["EOF", "NNG_ECLOSED"],
  ["ERR_SOCKET_CLOSED", "NNG_ECLOSED"],
  ["ERR_SOCKET_CLOSED_BEFORE_CONNECTION", "NNG_ECLOSED"],
  ["ERR_SERVER_NOT_RUNNING", "NNG_ECLOSED"],
  ["ERR_STREAM_DESTROYED", "NNG_ECLOSED"],
  ["ERR_STREAM_WRITE_AFTER_END", "NNG_ECLOSED"],
  ["ERR_STREAM_PREMATURE_CLOSE", "NNG_ECLOSED"],
  ["ERR_STREAM_ALREADY_FINISHED", "NNG_ECLOSED"],
  ["ERR_SOCKET_DGRAM_NOT_RUNNING", "NNG_ECLOSED"],
  ["ERR_SOCKET_DGRAM_NOT_CONNECTED", "NNG_ECLOSED"],
  ["EAGAIN", "NNG_EAGAIN"],
  ["EWOULDBLOCK", "NNG_EAGAIN"],
  ["ENOTSUP", "NNG_ENOTSUP"],
  ["EOPNOTSUPP", "NNG_ENOTSUP"],
  ["ENOSYS", "NNG_ENOTSUP"],
  ["EAFNOSUPPORT", "NNG_ENOTSUP"],
  ["ENOPROTOOPT", "NNG_ENOTSUP"],
  ["EPROTONOSUPPORT", "NNG_ENOTSUP"],
  ["EAI_SOCKTYPE", "NNG_ENOTSUP"],
  ["EAI_FAMILY", "NNG_ENOTSUP"],
  ["EBADFAMILY", "NNG_ENOTSUP"],
  ["ERR_FEATURE_UNAVAILABLE_ON_PLATFORM", "NNG_ENOTSUP"],
  ["ERR_TLS_INVALID_PROTOCOL_VERSION", "NNG_ENOTSUP"],
  ["ERR_TLS_PROTOCOL_VERSION_CONFLICT", "NNG_ENOTSUP"],
  ["EADDRINUSE", "NNG_EADDRINUSE"],
  ["ERR_SERVER_ALREADY_LISTEN", "NNG_ESTATE"],
  ["ERR_SOCKET_ALREADY_BOUND", "NNG_ESTATE"],
  ["ERR_INVALID_STATE", "NNG_ESTATE"],
  ["ENOENT", "NNG_ENOENT"],
  ["EPROTO", "NNG_EPROTO"],
  ["HPE_INVALID_CONSTANT", "NNG_EPROTO"],
  ["WS_ERR_EXPECTED_FIN", "NNG_EPROTO"],
  ["WS_ERR_EXPECTED_MASK", "NNG_EPROTO"],
  ["WS_ERR_INVALID_CLOSE_CODE", "NNG_EPROTO"],
  ["WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH", "NNG_EPROTO"],
  ["WS_ERR_INVALID_OPCODE", "NNG_EPROTO"],
  ["WS_ERR_INVALID_UTF8", "NNG_EPROTO"],
  ["WS_ERR_UNEXPECTED_MASK", "NNG_EPROTO"],
  ["WS_ERR_UNEXPECTED_RSV_1", "NNG_EPROTO"],
  ["WS_ERR_UNEXPECTED_RSV_2_3", "NNG_EPROTO"],
  ["EHOSTUNREACH", "NNG_EUNREACHABLE"],
  ["ENETUNREACH", "NNG_EUNREACHABLE"],
  ["EADDRNOTAVAIL", "NNG_EADDRINVAL"],
  ["ENOTFOUND", "NNG_EADDRINVAL"],
  ["ENODATA", "NNG_EADDRINVAL"],
  ["ENONAME", "NNG_EADDRINVAL"],
  ["EBADNAME", "NNG_EADDRINVAL"],
  ["ESERVFAIL", "NNG_EADDRINVAL"],
  ["EREFUSED", "NNG_EADDRINVAL"],
  ["EAI_NONAME", "NNG_EADDRINVAL"],
  ["EAI_NODATA", "NNG_EADDRINVAL"],
  ["EAI_SERVICE", "NNG_EADDRINVAL"],
  ["EAI_AGAIN", "NNG_EADDRINVAL"],
  ["ERR_SOCKET_BAD_PORT", "NNG_EADDRINVAL"],
  ["ERR_INVALID_ADDRESS_FAMILY", "NNG_EADDRINVAL"],
  ["ERR_INVALID_IP_ADDRESS", "NNG_EADDRINVAL"],
  ["EACCES", "NNG_EPERM"],
  ["EPERM", "NNG_EPERM"],
  ["ERR_ACCESS_DENIED", "NNG_EPERM"],
  ["ERR_IP_BLOCKED", "NNG_EPERM"],
  ["EMSGSIZE", "NNG_EMSGSIZE"],
  ["WS_ERR_UNSUPPORTED_MESSAGE_LENGTH", "NNG_EMSGSIZE"],
  ["WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH", "NNG_EMSGSIZE"],
  ["ECONNABORTED", "NNG_ECONNABORTED"],
  ["ECONNRESET", "NNG_ECONNRESET"],
  ["ECANCELED", "NNG_ECANCELED"],
  ["ECANCELLED", "NNG_ECANCELED"],
  ["EAI_CANCELED", "NNG_ECANCELED"],
  ["ABORT_ERR", "NNG_ECANCELED"],
  ["EMFILE", "NNG_ENOFILES"],
  ["ENFILE", "NNG_ENOFILES"],
  ["ENOSPC", "NNG_ENOSPC"],
  ["EDQUOT", "NNG_ENOSPC"],
  ["EFBIG", "NNG_ENOSPC"],
  ["EEXIST", "NNG_EEXIST"],
  ["ERR_SSL_UNEXPECTED_EOF_WHILE_READING", "NNG_ECONNSHUT"],
  ["UNABLE_TO_GET_ISSUER_CERT", "NNG_EPEERAUTH"],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "NNG_EPEERAUTH"],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "NNG_EPEERAUTH"],
  ["SELF_SIGNED_CERT_IN_CHAIN", "NNG_EPEERAUTH"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "NNG_EPEERAUTH"],
  ["CERT_SIGNATURE_FAILURE", "NNG_EPEERAUTH"],
  ["CERT_UNTRUSTED", "NNG_EPEERAUTH"],
  ["CERT_HAS_EXPIRED", "NNG_EPEERAUTH"],
  ["CERT_NOT_YET_VALID", "NNG_EPEERAUTH"],
  ["CERT_REVOKED", "NNG_EPEERAUTH"],
  ["CERT_REJECTED", "NNG_EPEERAUTH"],
  ["CRL_HAS_EXPIRED", "NNG_EPEERAUTH"],
  ["ERROR_IN_CERT_NOT_AFTER_FIELD", "NNG_EPEERAUTH"],
  ["ERROR_IN_CRL_NEXT_UPDATE_FIELD", "NNG_EPEERAUTH"],
  ["INVALID_CA", "NNG_EPEERAUTH"],
  ["INVALID_PURPOSE", "NNG_EPEERAUTH"],
  ["PATH_LENGTH_EXCEEDED", "NNG_EPEERAUTH"],
  ["HOSTNAME_MISMATCH", "NNG_EPEERAUTH"],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "NNG_EPEERAUTH"],
  ["ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE", "NNG_EPEERAUTH"],
  ["ERR_SSL_CERTIFICATE_VERIFY_FAILED", "NNG_EPEERAUTH"],
  ["ERR_SSL_NO_SHARED_CIPHER", "NNG_EPEERAUTH"],
  ["ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE", "NNG_EPEERAUTH"],
  ["ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN", "NNG_EPEERAUTH"],
  ["ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", "NNG_EPEERAUTH"],
  ["ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", "NNG_EPEERAUTH"],
  ["ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE", "NNG_EPEERAUTH"],
  ["ERR_SSL_WRONG_VERSION_NUMBER", "NNG_ECRYPTO"],
  ["ERR_SSL_PACKET_LENGTH_TOO_LONG", "NNG_ECRYPTO"],
  ["ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION", "NNG_ECRYPTO"],
  ["ERR_SSL_UNSUPPORTED_PROTOCOL", "NNG_ECRYPTO"],
  ["ERR_OSSL_PEM_NO_START_LINE", "NNG_ECRYPTO"],
  ["ERR_OSSL_X509_KEY_VALUES_MISMATCH", "NNG_ECRYPTO"],
  ["ERR_TLS_SESSION_ATTACK", "NNG_ECRYPTO"],
  ["ERR_CRYPTO_OPERATION_FAILED", "NNG_ECRYPTO"],
  ["ERR_MISSING_PASSPHRASE", "NNG_ECRYPTO"]
]

const named = (name: string, message: string, fields: Fields = {}): Error =>
  Object.assign(new Error(message), { name }, fields)

const longPath = { syscall: "connect", address: `/tmp/${"x".repeat(200)}`, port: undefined }
const tcpAddress = { syscall: "connect", address: "127.0.0.1", port: 1 }
const noDirectory = { syscall: "listen", address: "/no/such/directory/x", port: -1 }
const disconnected = { message: "Client network socket disconnected before secure TLS connection was established" }

// the rows that depend on what was done, where, or on the text
const cases: ReadonlyArray<readonly [title: string, cause: unknown, context: Errno.Context, tag: Errors.Tag]> = [
  ["ipc path missing", nodeError("ENOENT", { syscall: "connect" }), { during: "dial" }, "NNG_ECONNREFUSED"],
  ["certificate missing", nodeError("ENOENT", { syscall: "open" }), { during: "dial" }, "NNG_ENOENT"],
  ["file missing", nodeError("ENOENT", { syscall: "open" }), { during: "file" }, "NNG_ENOENT"],
  ["directory missing", nodeError("ENOENT", { syscall: "listen" }), { during: "listen" }, "NNG_ENOENT"],
  ["directory missing, as libuv", nodeError("EACCES", noDirectory), { during: "listen" }, "NNG_ENOENT"],
  ["directory closed", nodeError("EACCES", { ...noDirectory, address: "/x" }), { during: "listen" }, "NNG_EPERM"],
  ["port privileged", nodeError("EACCES", tcpAddress), { during: "listen" }, "NNG_EPERM"],
  ["ipc path long", nodeError("EINVAL", longPath), { during: "dial" }, "NNG_EADDRINVAL"],
  ["ipc path long", nodeError("EINVAL", { ...longPath, port: -1 }), { during: "listen" }, "NNG_EADDRINVAL"],
  ["ipc URL long", nodeError("EINVAL"), { during: "dial", address: "ipc:///x" }, "NNG_EADDRINVAL"],
  ["ipc path long", nodeError("ENAMETOOLONG", longPath), { during: "listen" }, "NNG_EADDRINVAL"],
  ["tcp argument", nodeError("EINVAL", tcpAddress), { during: "dial", address: "tcp://127.0.0.1:1" }, "NNG_EINVAL"],
  ["ipc read", nodeError("EINVAL"), { during: "read", address: "ipc:///x" }, "NNG_EINVAL"],
  ["file name long", nodeError("ENAMETOOLONG"), { during: "file" }, "NNG_EINVAL"],
  ["TLS peer gone", nodeError("ECONNRESET", disconnected), {}, "NNG_ECONNSHUT"],
  ["no answer", nodeError("ECONNRESET", { message: "socket hang up" }), { during: "dial" }, "NNG_ECONNSHUT"],
  ["no answer", nodeError("ECONNRESET", { message: "socket hang up" }), { during: "handshake" }, "NNG_ECONNSHUT"],
  ["hang up later", nodeError("ECONNRESET", { message: "socket hang up" }), { during: "read" }, "NNG_ECONNRESET"],
  ["reset in dial", nodeError("ECONNRESET", { message: "read ECONNRESET" }), { during: "dial" }, "NNG_ECONNRESET"],
  ["stream ends", nodeError("ERR_STREAM_PREMATURE_CLOSE"), { during: "read" }, "NNG_ECONNSHUT"],
  ["stream ends", nodeError("ERR_STREAM_PREMATURE_CLOSE"), { during: "write" }, "NNG_ECLOSED"],
  ["pipe ends", nodeError("EOF"), { during: "read" }, "NNG_ECONNSHUT"],
  ["aborted on Windows", nodeError("ECONNABORTED"), { platform: "win32" }, "NNG_ETIMEDOUT"],
  ["reset on Windows", nodeError("ECONNRESET"), { platform: "win32" }, "NNG_ECLOSED"],
  ["no net on Windows", nodeError("ENETDOWN"), { platform: "win32" }, "NNG_EUNREACHABLE"],
  ["no host on Windows", nodeError("EHOSTDOWN"), { platform: "win32" }, "NNG_EUNREACHABLE"],
  ["no net elsewhere", nodeError("ENETDOWN"), {}, "NNG_ESYSERR"],
  ["pipe name taken on Windows", nodeError("EADDRINUSE"), { platform: "win32" }, "NNG_EADDRINUSE"],
  ["pipe broken on Windows", nodeError("EPIPE"), { platform: "win32" }, "NNG_ECLOSED"],
  ["buffer", nodeError("ERR_OUT_OF_RANGE", { message: 'The value of "size" is out of range.' }), {}, "NNG_ENOMEM"],
  ["array buffer", named("RangeError", "Array buffer allocation failed"), {}, "NNG_ENOMEM"],
  ["array buffer", named("RangeError", "Invalid array buffer length"), {}, "NNG_ENOMEM"],
  ["other range", named("RangeError", "Maximum call stack size exceeded"), {}, "NNG_EINTERNAL"],
  ["ws slow", new Error("Opening handshake has timed out"), {}, "NNG_ETIMEDOUT"],
  ["ws key", new Error("Invalid Sec-WebSocket-Accept header"), {}, "NNG_EPROTO"],
  ["ws upgrade", new Error("Invalid Upgrade header"), {}, "NNG_EPROTO"],
  ["ws subprotocol", new Error("Server sent no subprotocol"), {}, "NNG_EPROTO"],
  ["ws subprotocol", new Error("Server sent an invalid subprotocol"), {}, "NNG_EPROTO"],
  ["ws closed", new Error("WebSocket is not open: readyState 3 (CLOSED)"), {}, "NNG_ECLOSED"],
  ["ws closed", new Error("WebSocket was closed before the connection was established"), {}, "NNG_ECLOSED"],
  ["ws URL", new SyntaxError("Invalid URL: x"), {}, "NNG_EINVAL"],
  ["ws status", new Error("Unexpected server response: 403"), {}, "NNG_EPERM"],
  ["ws status", new Error("Unexpected server response: 404"), {}, "NNG_ECONNREFUSED"],
  ["ws status", new Error("Unexpected server response: 500"), {}, "NNG_EPROTO"],
  ["abort", AbortSignal.abort().reason, {}, "NNG_ECANCELED"],
  ["abort", new DOMException("late", "TimeoutError"), {}, "NNG_ETIMEDOUT"],
  ["effect timeout", new Cause.TimeoutException("late"), {}, "NNG_ETIMEDOUT"],
  ["errno without code", { errno: -errnoOf("ECONNREFUSED") }, {}, "NNG_ECONNREFUSED"],
  ["Node's SystemError", nodeError("ERR_SYSTEM_ERROR", { errno: -errnoOf("EBADF") }), {}, "NNG_ECLOSED"],
  ["wrapped", new Error("outer", { cause: nodeError("EMFILE") }), {}, "NNG_ENOFILES"],
  ["wrapped twice", { error: { cause: nodeError("EMFILE") } }, {}, "NNG_ENOFILES"],
  ["wrapped NNG error", new Error("outer", { cause: new Errors.ESTATE() }), {}, "NNG_ESTATE"],
  ["plain error", new Error("oops"), {}, "NNG_EINTERNAL"],
  ["unknown Node code", nodeError("ERR_WHATEVER"), {}, "NNG_EINTERNAL"],
  ["text", "oops", {}, "NNG_EINTERNAL"],
  ["nothing", undefined, {}, "NNG_EINTERNAL"]
]

describe("fromNode", () => {
  it.each(codes)("%s is %s", (code, tag) => {
    const cause = nodeError(code)
    const context = posix({ operation: "dial", address: "tcp://127.0.0.1:1" })
    const error = Errno.fromNode(cause, context)
    expect(error._tag).toBe(tag)
    expect(error.cause).toBe(cause)
    expect(error).toMatchObject({ operation: "dial", address: "tcp://127.0.0.1:1", reason: `something ${code}` })
  })

  it.each(cases)("%s (%s, %j) is %s", (_, cause, context, tag) => {
    expect(Errno.fromNode(cause, posix(context))._tag).toBe(tag)
  })

  it("has no row without a test", () => {
    const hit = new Set([
      ...codes.map(([code]) => Errno.findRow(nodeError(code), posix())),
      ...cases.map(([, cause, context]) => Errno.findRow(cause, posix(context)))
    ])
    expect(Errno.rows.filter((row) => !hit.has(row))).toEqual([])
  })

  it.each(["write EPROTO 80AC:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:x.c:350:\n"])(
    "EPROTO with OpenSSL's plaintext complaint is NNG_ECRYPTO: %s",
    (message) => {
      expect(Errno.fromNode(nodeError("EPROTO", { message }))).toMatchObject({
        _tag: "NNG_ECRYPTO",
        reason: "wrong version number"
      })
    }
  )

  it("EPROTO with an alert about the certificate is NNG_EPEERAUTH", () => {
    const message = "write EPROTO 80:error:0A000418:SSL routines:ssl3_read_bytes:tlsv1 alert unknown ca:x.c:1590:"
    expect(Errno.fromNode(nodeError("EPROTO", { message }))).toMatchObject({
      _tag: "NNG_EPEERAUTH",
      reason: "tlsv1 alert unknown ca"
    })
  })

  it("an errno without a row is NNG_ESYSERR with the system's text [MISC-03]", () => {
    const errno = errnoOf("ENOTDIR")
    const cause = nodeError("ENOTDIR", { errno: -errno })
    expect(Errno.fromNode(cause, { operation: "listen" })).toMatchObject({
      _tag: "NNG_ESYSERR",
      code: 0x10000000 + errno,
      errno,
      text: "not a directory",
      message: "not a directory: listen (something ENOTDIR)",
      cause
    })
    expect(Errno.fromNode(nodeError("ENOTDIR"))).toMatchObject({ _tag: "NNG_ESYSERR", errno })
    expect(Errno.fromNode({ errno: -12345 })).toMatchObject({ errno: 12345, text: "System error #12345" })
    expect(Errno.strerror(0x10000000 + errno)).toBe("not a directory")
    expect([0, 6, 4711, 0x10000000 + 12345].map(Errno.strerror)).toEqual([
      "Hunky dory",
      "Connection refused",
      "Unknown error #4711",
      "System error #12345"
    ])
  })

  it("of several addresses the last decides, and all are named", () => {
    const cause = Object.assign(
      new AggregateError([
        nodeError("ECONNREFUSED", { message: "connect ECONNREFUSED ::1:80" }),
        nodeError("EHOSTUNREACH", { message: "connect EHOSTUNREACH 127.0.0.1:80" })
      ]),
      { code: "ECONNREFUSED" }
    )
    const error = Errno.fromNode(cause, { during: "dial" })
    expect(error._tag).toBe("NNG_EUNREACHABLE")
    expect(error.reason).toBe("connect ECONNREFUSED ::1:80; connect EHOSTUNREACH 127.0.0.1:80")
    expect(error.cause).toBe(cause)
  })

  it("an NNG error stays itself", () => {
    const error = new Errors.ESTATE({ operation: "recv" })
    expect(Errno.fromNode(error, { operation: "dial" })).toBe(error)
  })

  it("what is its own cause is answered too", () => {
    const cause: { cause?: unknown } = {}
    cause.cause = cause
    expect(Errno.fromNode(cause)._tag).toBe("NNG_EINTERNAL")
  })

  it.effect.prop("anything at all gives an NNG error", [FastCheck.anything()], ([cause]) =>
    Effect.sync(() => {
      expect(Errors.isNngError(Errno.fromNode(cause))).toBe(true)
    })
  )

  it.effect.prop("any errno gives an NNG error", [FastCheck.integer({ min: 1, max: 5000 })], ([errno]) =>
    Effect.sync(() => {
      expect(Errno.fromNode({ errno: -errno })._tag).not.toBe("NNG_EINTERNAL")
    })
  )
})

describe("fromHttpStatus", () => {
  const statuses: ReadonlyArray<readonly [number, Errors.Tag]> = [
    [401, "NNG_EPERM"],
    [403, "NNG_EPERM"],
    [404, "NNG_ECONNREFUSED"],
    [405, "NNG_ECONNREFUSED"],
    [501, "NNG_ECONNREFUSED"],
    [200, "NNG_EPROTO"],
    [302, "NNG_EPROTO"],
    [400, "NNG_EPROTO"],
    [413, "NNG_EPROTO"],
    [426, "NNG_EPROTO"],
    [500, "NNG_EPROTO"],
    [503, "NNG_EPROTO"]
  ]

  it.each(statuses)("%i is %s", (status, tag) => {
    expect(Errno.fromHttpStatus(status, { operation: "dial" })).toMatchObject({
      _tag: tag,
      operation: "dial",
      reason: `HTTP status ${status}`
    })
  })

  it("has no row without a test", () => {
    expect(Errno.statusRows.filter((row) => !statuses.some(([status]) => status === row.status))).toEqual([])
  })
})

describe("narrow", () => {
  const mapped = (code: string) =>
    Errno.fromNode(nodeError(code, { errno: -errnoOf(code) }), posix({ operation: "dial", address: "x" }))

  it("lets an error of the union pass", () => {
    const error = mapped("ECONNREFUSED")
    expect(Errno.narrow(error, ["NNG_ECONNREFUSED"])).toBe(error)
    const system = new Errors.ESYSERR({ errno: 71 })
    expect(Errno.narrow(system, [])).toBe(system)
  })

  it("makes any other a system error that keeps the errno", () => {
    const error = mapped("EMSGSIZE")
    expect(error._tag).toBe("NNG_EMSGSIZE")
    const narrowed = Errno.narrow(error, ["NNG_ECONNREFUSED"], { operation: "start" })
    expect(narrowed).toMatchObject({
      _tag: "NNG_ESYSERR",
      errno: errnoOf("EMSGSIZE"),
      text: "message too long",
      operation: "start",
      address: "x",
      reason: "something EMSGSIZE",
      cause: error
    })
  })

  it("keeps the code where no system was involved", () => {
    expect(Errno.narrow(new Errors.ESTATE(), [])).toMatchObject({ errno: 11, text: "Incorrect state" })
    expect(Errno.narrow(new Errors.ETRANERR({ number: 3 }), [])).toMatchObject({
      code: 0x10000003,
      text: "Transport error #3"
    })
  })
})

describe("what Node really reports", () => {
  const directory = Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "errno-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
  )

  const emitted = (emitter: NodeJS.EventEmitter): Effect.Effect<unknown> =>
    Effect.async((resume) => {
      emitter.once("error", (error) => resume(Effect.succeed(error)))
    })

  const connecting = (options: Net.NetConnectOpts) =>
    Effect.acquireRelease(
      Effect.sync(() => Net.connect(options)),
      (socket) => Effect.sync(() => socket.destroy())
    )

  const listening = (options: Net.ListenOptions, onConnection?: (socket: Net.Socket) => void) =>
    Effect.acquireRelease(
      Effect.sync(() => Net.createServer(onConnection).listen(options)),
      (server) => Effect.sync(() => server.close())
    )

  const bound = (server: Net.Server): Effect.Effect<number> =>
    Effect.async((resume) => {
      server.once("listening", () => resume(Effect.succeed((server.address() as Net.AddressInfo).port)))
    })

  const host = "127.0.0.1"

  it.scopedLive("a closed port", () =>
    Effect.gen(function* () {
      const server = Net.createServer().listen(0, host)
      const port = yield* bound(server)
      yield* Effect.async<void>((resume) => void server.close(() => resume(Effect.void)))
      const error = Errno.fromNode(yield* emitted(yield* connecting({ host, port })), { during: "dial" })
      expect(error).toMatchObject({ _tag: "NNG_ECONNREFUSED", reason: `connect ECONNREFUSED ${host}:${port}` })
    })
  )

  it.scopedLive("a port in use", () =>
    Effect.gen(function* () {
      const port = yield* bound(yield* listening({ host, port: 0 }))
      const error = Errno.fromNode(yield* emitted(yield* listening({ host, port })), { during: "listen" })
      expect(error._tag).toBe("NNG_EADDRINUSE")
    })
  )

  it.scopedLive("an address of another machine", () =>
    Effect.gen(function* () {
      const cause = yield* emitted(yield* listening({ host: "192.0.2.1", port: 0 }))
      expect(Errno.fromNode(cause, { during: "listen" })._tag).toBe("NNG_EADDRINVAL")
    })
  )

  it.scopedLive.runIf(process.platform !== "win32")("a socket path that is missing", () =>
    Effect.gen(function* () {
      const path = join(yield* directory, "missing")
      const error = Errno.fromNode(yield* emitted(yield* connecting({ path })), { during: "dial" })
      expect(error).toMatchObject({ _tag: "NNG_ECONNREFUSED", reason: `connect ENOENT ${path}` })
    })
  )

  it.scopedLive.runIf(process.platform !== "win32")("a socket path in a missing directory, and below a file", () =>
    Effect.gen(function* () {
      const root = yield* directory
      const missing = yield* emitted(yield* listening({ path: join(root, "missing", "x") }))
      expect(Errno.fromNode(missing, { during: "listen" })._tag).toBe("NNG_ENOENT")
      writeFileSync(join(root, "file"), "")
      const below = yield* emitted(yield* listening({ path: join(root, "file", "x") }))
      expect(Errno.fromNode(below, { during: "listen" })).toMatchObject({ errno: errnoOf("ENOTDIR") })
    })
  )

  it.scopedLive("a peer without TLS, and one that hangs up", () =>
    Effect.gen(function* () {
      const plain = yield* bound(yield* listening({ host, port: 0 }, (socket) => socket.end("no TLS here\n")))
      const tls = Tls.connect({ host, port: plain, rejectUnauthorized: false })
      expect(Errno.fromNode(yield* emitted(tls), { during: "handshake" })._tag).toBe("NNG_ECRYPTO")

      const mute = yield* bound(yield* listening({ host, port: 0 }, (socket) => socket.resume().end()))
      const cut = Tls.connect({ host, port: mute, rejectUnauthorized: false })
      expect(Errno.fromNode(yield* emitted(cut), { during: "handshake" })._tag).toBe("NNG_ECONNSHUT")
      const unanswered = Http.get({ host, port: mute })
      expect(Errno.fromNode(yield* emitted(unanswered), { during: "dial" })._tag).toBe("NNG_ECONNSHUT")
    })
  )

  it("bad arguments, bad PEM and too much memory", () => {
    const thrown = (run: () => unknown): unknown => {
      try {
        return run()
      } catch (cause) {
        return cause
      }
    }
    const tag = (run: () => unknown) => Errno.fromNode(thrown(run))._tag
    expect(tag(() => Net.connect({ port: 99999 }))).toBe("NNG_EADDRINVAL")
    expect(tag(() => new URL("nothing"))).toBe("NNG_EINVAL")
    expect(tag(() => Tls.createSecureContext({ cert: "garbage" }))).toBe("NNG_ECRYPTO")
    expect(tag(() => Tls.createSecureContext({ minVersion: "x" as "TLSv1.2" }))).toBe("NNG_ENOTSUP")
    expect(tag(() => Buffer.alloc(2 ** 53))).toBe("NNG_ENOMEM")
    expect(tag(() => new ArrayBuffer(2 ** 53))).toBe("NNG_ENOMEM")
  })
})
