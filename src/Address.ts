/**
 * The address of one end of a connection, as the operating system knows it.
 *
 * Unlike a URL it names what really was used: the port that was free, the interface that was chosen. Addresses are equal
 * if their kind and all their parts are.
 *
 * @example
 * ```ts
 * import * as Equal from "effect/Equal"
 * import * as Address from "effect-nng/Address"
 *
 * const address = Address.fromIp("fe80::4%2", 80)
 *
 * console.log(Address.format(address)) // [fe80::4%2]:80
 * console.log(Equal.equals(address, Address.inet6("fe80::4", 80, "2"))) // true
 * ```
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"

/**
 * The address of one end of a connection (`nng_sockaddr`).
 *
 * - `Unspecified`: none is known, as for the two ends of a socket pair.
 * - `Inproc`: a name within this process.
 * - `Ipc`: the path of a socket file, or of a named pipe.
 * - `Abstract`: the name of a Linux abstract socket. It may hold any byte, so all but letters, digits and `.~_-` are
 *   percent escapes with upper-case digits, as made by `abstract`; `Url.decode` gives the bytes.
 * - `Inet`, `Inet6`: an IP address as the system writes it, and a port. The `scope` is the zone of a link-local address,
 *   an interface's number or name, else empty.
 *
 * @since 0.1.0
 * @category models
 */
export type Address = Data.TaggedEnum<{
  Unspecified: {}
  Inproc: { readonly name: string }
  Ipc: { readonly path: string }
  Abstract: { readonly name: string }
  Inet: { readonly host: string; readonly port: number }
  Inet6: { readonly host: string; readonly port: number; readonly scope: string }
}>

type Kind<Tag extends Address["_tag"]> = Extract<Address, { readonly _tag: Tag }>

const Unspecified = Data.tagged<Kind<"Unspecified">>("Unspecified")
const Inproc = Data.tagged<Kind<"Inproc">>("Inproc")
const Ipc = Data.tagged<Kind<"Ipc">>("Ipc")
const Abstract = Data.tagged<Kind<"Abstract">>("Abstract")
const Inet = Data.tagged<Kind<"Inet">>("Inet")
const Inet6 = Data.tagged<Kind<"Inet6">>("Inet6")

/**
 * No address that is known.
 *
 * @since 0.1.0
 * @category constructors
 */
export const unspecified: Address = Unspecified()

/**
 * A name within this process (`nng_sockaddr_inproc`).
 *
 * @since 0.1.0
 * @category constructors
 */
export const inproc = (name: string): Address => Inproc({ name })

/**
 * The path of a socket file, or of a named pipe (`nng_sockaddr_ipc`).
 *
 * @since 0.1.0
 * @category constructors
 */
export const ipc = (path: string): Address => Ipc({ path })

/**
 * The name of a Linux abstract socket, without the zero byte in front (`nng_sockaddr_abstract`).
 *
 * @since 0.1.0
 * @category constructors
 */
export const abstract = (name: Uint8Array): Address => Abstract({ name: Array.from(name, escape).join("") })

const escape = (byte: number): string => {
  const char = String.fromCharCode(byte)
  return /[A-Za-z0-9.~_-]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`
}

/**
 * An IPv4 address and a port (`nng_sockaddr_in`). The host is not checked.
 *
 * @since 0.1.0
 * @category constructors
 */
export const inet = (host: string, port: number): Address => Inet({ host, port })

/**
 * An IPv6 address and a port, with the zone of a link-local one (`nng_sockaddr_in6`). The host is not checked.
 *
 * @since 0.1.0
 * @category constructors
 */
export const inet6 = (host: string, port: number, scope: string = ""): Address => Inet6({ host, port, scope })

/**
 * An IPv4 or IPv6 address as systems report it, the zone behind a `%`, and a port.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromIp = (ip: string, port: number): Address => {
  const [host = "", scope = ""] = ip.split("%")
  return host.includes(":") ? inet6(host, port, scope) : inet(host, port)
}

/**
 * The port of an IP address, 0 for any other (`nng_sockaddr_port`).
 *
 * @since 0.1.0
 * @category getters
 */
export const port = (address: Address): number => ("port" in address ? address.port : 0)

/**
 * An address for people to read (`nng_str_sockaddr`): `127.0.0.1:80`, `[fe80::4%2]:80`, `/tmp/testing`, `inproc[one]`,
 * `abstract[one]`, `unknown`.
 *
 * @since 0.1.0
 * @category getters
 */
export const format = (address: Address): string => {
  switch (address._tag) {
    case "Unspecified":
      return "unknown"
    case "Inproc":
      return `inproc[${address.name}]`
    case "Ipc":
      return address.path
    case "Abstract":
      return `abstract[${address.name}]`
    case "Inet":
      return `${address.host}:${address.port}`
    case "Inet6":
      return `[${address.host}${address.scope === "" ? "" : `%${address.scope}`}]:${address.port}`
  }
}
