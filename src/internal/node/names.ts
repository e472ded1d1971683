import * as Effect from "effect/Effect"
import * as Dns from "node:dns"
import * as Net from "node:net"
import * as Errors from "../../Errors.js"
import type * as Url from "../../Url.js"

/** @internal */
export type Family = 0 | 4 | 6

/**
 * The family that a scheme is for; 0 is both.
 *
 * @internal
 */
export const familyOf = (scheme: string): Family => (scheme.endsWith("4") ? 4 : scheme.endsWith("6") ? 6 : 0)

const lookup = (host: string, family: Family): Effect.Effect<ReadonlyArray<Dns.LookupAddress>, NodeJS.ErrnoException> =>
  Effect.async((resume) => {
    Dns.lookup(host, { all: true, family, verbatim: true }, (error, addresses) =>
      resume(error === null ? Effect.succeed(addresses) : Effect.fail(error))
    )
  })

/**
 * The addresses of a name, of the family that the URL's scheme is for.
 *
 * @internal
 */
export const resolve = <E>(
  url: Url.Url,
  host: string,
  toError: (cause: unknown, address: string) => E
): Effect.Effect<ReadonlyArray<Dns.LookupAddress>, E | Errors.EADDRINVAL> => {
  const family = familyOf(url.scheme)
  const literal = Net.isIP(host)
  if (literal === 0) return Effect.mapError(lookup(host, family), (cause) => toError(cause, url.href))
  if (family === 0 || literal === family) return Effect.succeed([{ address: host, family: literal }])
  return new Errors.EADDRINVAL({
    address: url.href,
    reason: `${host} is an IPv${literal} address, and ${url.scheme} is for IPv${family}`
  })
}
