import * as Either from "effect/Either"
import * as Errors from "../../Errors.js"
import type { CheckError, TransportOptions } from "../../Transport.js"
import * as Url from "../../Url.js"

/** What a transport says of itself, whatever it carries. */
interface Offer {
  readonly options: ReadonlyArray<keyof TransportOptions>
  readonly check: (role: "dial" | "listen", url: Url.Url, options: TransportOptions) => Either.Either<void, CheckError>
}

/**
 * The transport for a URL, once it has agreed to the role, the URL and the options.
 *
 * @internal
 */
export const choose = <T extends Offer>(
  transports: ReadonlyMap<string, T>,
  role: "dial" | "listen",
  text: string,
  options: TransportOptions
): Either.Either<{ readonly url: Url.Url; readonly transport: T; readonly options: TransportOptions }, CheckError> =>
  Either.flatMap(Url.parse(text), (url) => {
    const transport = transports.get(url.scheme)
    const notSupported = (reason: string) =>
      Either.left(new Errors.ENOTSUP({ operation: role, address: url.href, reason }))
    if (transport === undefined) {
      return notSupported(`no transport for ${url.scheme}://, there are ${[...transports.keys()].join(", ")}`)
    }
    // of an endpoint's options, those that are the transport's
    const transportOptions: Required<TransportOptions> = {
      tcp: options.tcp,
      tls: options.tls,
      ipc: options.ipc,
      ws: options.ws
    }
    for (const family of Object.keys(transportOptions) as Array<keyof TransportOptions>) {
      if (transportOptions[family] !== undefined && !transport.options.includes(family)) {
        return notSupported(`${url.scheme}:// has no ${family} options`)
      }
    }
    return Either.map(transport.check(role, url, transportOptions), () => ({
      url,
      transport,
      options: transportOptions
    }))
  })

/**
 * Transports by their schemes; two that serve one scheme are `NNG_EEXIST`.
 *
 * @internal
 */
export const byScheme = <T extends { readonly schemes: ReadonlyArray<string> }>(
  transports: ReadonlyArray<T>,
  operation: string
): Either.Either<ReadonlyMap<string, T>, Errors.EEXIST> => {
  const map = new Map<string, T>()
  for (const transport of transports) {
    for (const scheme of transport.schemes) {
      if (map.has(scheme)) {
        return Either.left(new Errors.EEXIST({ operation, reason: `two transports serve ${scheme}://` }))
      }
      map.set(scheme, transport)
    }
  }
  return Either.right(map)
}
