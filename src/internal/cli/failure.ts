import * as Data from "effect/Data"
import type { NngError, Tag } from "../../Errors.js"
import type { Endpoint, Protocol } from "./command.js"
import type { UsageError } from "./scan.js"
import type { FileError, WriteError } from "./terminal.js"

/**
 * Something of the network did not work.
 *
 * @internal
 */
export class Failed extends Data.TaggedError("Failed")<{
  /** What could not be done, as libnng's nngcat has it. */
  readonly what: string
  readonly error: NngError
  readonly hint?: string | undefined
}> {
  override get message(): string {
    const { reason, text } = this.error
    const details = reason === undefined ? "" : ` (${reason})`
    return `${this.what}: ${text}${details}${this.hint === undefined ? "" : `. ${this.hint}`}`
  }
}

/** @internal */
export type Failure = UsageError | FileError | Failed | WriteError

/**
 * What a command that failed says to the shell.
 *
 * @internal
 */
export type ExitCodes = Readonly<Record<Failure["_tag"], number>>

// one that writes where nobody reads ends as a program does that SIGPIPE has killed
const closed = 128 + 13

/** @internal */
export const nngcatCodes: ExitCodes = { UsageError: 1, FileError: 1, Failed: 1, OutputError: 1, OutputClosed: closed }

/** @internal */
export const nngperfCodes: ExitCodes = { UsageError: 2, FileError: 2, Failed: 2, OutputError: 2, OutputClosed: closed }

const controls = /[\u0000-\u001f\u007f-\u009f]/g

/**
 * A text on one line that leaves a terminal as it is.
 *
 * @internal
 */
export const oneLine = (text: string): string =>
  text
    .replaceAll(/\s*\n\s*/g, " ")
    .replaceAll(controls, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`)

const peers: Readonly<Record<Protocol, string>> = {
  req0: "--rep0",
  rep0: "--req0",
  pub0: "--sub0",
  sub0: "--pub0",
  push0: "--pull0",
  pull0: "--push0",
  surveyor0: "--respondent0",
  respondent0: "--surveyor0",
  pair0: "--pair0",
  pair1: "--pair1",
  bus0: "--bus0"
}

type Hints = { readonly [K in Tag]?: string }

const forBoth: Hints = {
  NNG_EINVAL: "A URL is like tcp://127.0.0.1:5555, ipc:///tmp/name or ws://host:80/path",
  NNG_EADDRINVAL: "Check the host's name and the port",
  NNG_ECRYPTO: "Check the certificate and the key (--cert, --key, --cacert), and that both sides speak TLS",
  NNG_EPERM: "It needs rights: check the permissions of the file, and take a port from 1024 on",
  NNG_ENOFILES: "Too many files are open: raise the limit with ulimit -n"
}

const forDial: Hints = {
  ...forBoth,
  NNG_ECONNREFUSED: "Nobody listens there: start the other side first, or dial in the background with --async",
  NNG_ENOENT: "Nobody listens there: start the other side first, or dial in the background with --async",
  NNG_ETIMEDOUT: "It does not answer: check the address, and for a firewall on the way",
  NNG_EUNREACHABLE: "There is no way there: check the address and the network",
  NNG_EPEERAUTH: "Name the CA that signed its certificate with --cacert, or trust anybody with --insecure",
  NNG_ECONNSHUT: "It closed at once: check that it speaks NNG, and the same transport",
  NNG_ECONNRESET: "It closed at once: check that it speaks NNG, and the same transport"
}

const forListen: Hints = {
  ...forBoth,
  NNG_EADDRINUSE: "Somebody listens there already: stop it, or take another address",
  NNG_ENOENT: "The directory does not exist: make it first"
}

/**
 * What to try when an endpoint cannot be made or started.
 *
 * @internal
 */
export const hint = (role: Endpoint["role"], protocol: Protocol, tag: Tag): string | undefined =>
  role === "dial" && tag === "NNG_EPROTO"
    ? `--${protocol} talks to ${peers[protocol]}: check what the other side is`
    : (role === "dial" ? forDial : forListen)[tag]
