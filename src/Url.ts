/**
 * Addresses of sockets as URLs, parsed and in canonical form.
 *
 * Where the two lines of nng differ, this parser does the following.
 *
 * - Any scheme is accepted and made lower case: the set of transports is open. Whether one serves the scheme is asked by
 *   dial and listen, which answer `NNG_ENOTSUP` (1.x).
 * - For `inproc`, `ipc`, `unix`, `abstract` and `socket` everything after `://` is the path, as it stands; there is no
 *   host (2.x; in 1.x `socket` had one).
 * - A host of `*` means any address, as does an empty one: both are the empty host (1.x).
 * - A port is a number up to 65535 or the name of a well known service, and always a number afterwards (2.x). One that is
 *   missing is the default of the scheme, or undefined: `:0` is not the same as none.
 * - A host has at most 255 bytes (2.x). An IPv6 address needs brackets, which are not part of the host (both).
 * - User info is kept, but never shown: not in `href`, in errors or in logs (2.x does not print it either).
 * - Control characters are refused (stricter than both), because URLs end up in HTTP headers.
 * - In the path, query and fragment, escapes that need not be are decoded and the others made upper case; in the path,
 *   runs of slashes become one, and dot segments are resolved. The result must be valid UTF-8 (both).
 * - User info, query and fragment are undefined when there are none. The path and the host are then empty (both).
 *
 * @example
 * ```ts
 * import * as Either from "effect/Either"
 * import * as Url from "effect-nng/Url"
 *
 * const url = Either.getOrThrow(Url.parse("WS://[::1]:http/chat/../%7Enews?since=1"))
 *
 * console.log(url.host, url.port, url.path, url.query) // ::1 80 /~news since=1
 * console.log(`${Url.withPort(url, 8080)}`) // ws://[::1]:8080/~news?since=1
 * ```
 *
 * @since 0.1.0
 */
import type * as Either from "effect/Either"
import type * as Equal from "effect/Equal"
import type { Inspectable } from "effect/Inspectable"
import type { Pipeable } from "effect/Pipeable"
import type * as Errors from "./Errors.js"
import * as internal from "./internal/vocabulary/url.js"

/**
 * Marks a value as a URL of this module.
 *
 * @since 0.1.0
 * @category symbols
 */
export const TypeId: unique symbol = internal.TypeId

/**
 * The type of {@link TypeId}.
 *
 * @since 0.1.0
 * @category symbols
 */
export type TypeId = typeof TypeId

/**
 * A parsed URL (`nng_url`). Two are equal if all their parts are; as a string it is its `href`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Url extends Equal.Equal, Inspectable, Pipeable {
  readonly [TypeId]: TypeId
  /** In lower case (`nng_url_scheme`). */
  readonly scheme: string
  /** What stands before the `@` (`nng_url_userinfo`). */
  readonly userinfo: string | undefined
  /** In lower case and without brackets; empty for any address, undefined if the rest is a path (`nng_url_hostname`). */
  readonly host: string | undefined
  /** The port, or the scheme's default, or undefined if it has none (`nng_url_port`). */
  readonly port: number | undefined
  /** In canonical form, or as it stands if there is no host (`nng_url_path`). */
  readonly path: string
  /** What stands between the `?` and the `#` (`nng_url_query`). */
  readonly query: string | undefined
  /** What stands behind the `#` (`nng_url_fragment`). */
  readonly fragment: string | undefined
  /** The canonical text, without user info and default port. */
  readonly href: string
}

/**
 * Tells whether a value is a URL of this module.
 *
 * @since 0.1.0
 * @category guards
 */
export const isUrl: (u: unknown) => u is Url = internal.isUrl

/**
 * Parses a URL (`nng_url_parse`). Fails with `NNG_EINVAL`, whose `reason` names the part that is wrong.
 *
 * @since 0.1.0
 * @category constructors
 */
export const parse: (text: string) => Either.Either<Url, Errors.EINVAL> = internal.parse

/**
 * The canonical text of a URL, without user info and default port (`nng_url_sprintf`).
 *
 * @since 0.1.0
 * @category getters
 */
export const format: (url: Url) => string = internal.format

/**
 * The same URL with another port: what a listener on port 0 got (`nng_url_resolve_port`). One without a host is returned
 * unchanged.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withPort: {
  (port: number): (self: Url) => Url
  (self: Url, port: number): Url
} = internal.withPort

/**
 * The port that a scheme has if the URL names none; a 4 or 6 at its end does not matter. tcp and tls+tcp have none.
 *
 * @since 0.1.0
 * @category getters
 */
export const defaultPort: (scheme: string) => number | undefined = internal.defaultPort

/**
 * Decodes every percent escape of a text into at most `capacity` bytes; the name of an abstract socket is written so.
 * Fails with `NNG_EINVAL` if an escape is cut off or has a bad digit, or if the result is too long.
 *
 * @since 0.1.0
 * @category constructors
 */
export const decode: (text: string, capacity: number) => Either.Either<Uint8Array, Errors.EINVAL> = internal.decode
