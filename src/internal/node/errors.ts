import type { AcceptError, DialError, ListenError } from "../../Transport.js"
import { fromNode, narrow } from "./errno.js"

const dialErrors = [
  "NNG_EADDRINVAL",
  "NNG_ECANCELED",
  "NNG_ECLOSED",
  "NNG_ECONNREFUSED",
  "NNG_ECONNRESET",
  "NNG_ECONNSHUT",
  "NNG_ECRYPTO",
  "NNG_EINVAL",
  "NNG_ENOENT",
  "NNG_ENOFILES",
  "NNG_ENOMEM",
  "NNG_ENOTSUP",
  "NNG_EPEERAUTH",
  "NNG_EPERM",
  "NNG_EPROTO",
  "NNG_ETIMEDOUT",
  "NNG_EUNREACHABLE"
] as const

const listenErrors = [
  "NNG_EADDRINUSE",
  "NNG_EADDRINVAL",
  "NNG_EINVAL",
  "NNG_ENOENT",
  "NNG_ENOFILES",
  "NNG_ENOMEM",
  "NNG_ENOTSUP",
  "NNG_EPERM"
] as const

const acceptErrors = ["NNG_ECLOSED", "NNG_ECONNABORTED", "NNG_ENOFILES", "NNG_ENOMEM"] as const

/** @internal */
export const toDialError = (cause: unknown, address: string): DialError =>
  narrow(fromNode(cause, { operation: "dial", address, during: "dial" }), dialErrors)

/** @internal */
export const toListenError = (cause: unknown, address: string): ListenError =>
  narrow(fromNode(cause, { operation: "listen", address, during: "listen" }), listenErrors)

/** @internal */
export const toAcceptError = (cause: unknown): AcceptError =>
  narrow(fromNode(cause, { operation: "accept", during: "accept" }), acceptErrors)
