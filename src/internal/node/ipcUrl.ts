import * as Either from "effect/Either"
import * as Errors from "../../Errors.js"
import type { CheckError, IpcOptions, TransportOptions } from "../../Transport.js"
import * as Url from "../../Url.js"

/**
 * What decides about the names that there are.
 *
 * @internal
 */
export interface System {
  readonly platform: NodeJS.Platform
  /** The version of libuv, which is what Node reaches names by. */
  readonly uv: string
}

/** @internal */
export const system: System = { platform: process.platform, uv: process.versions.uv }

/**
 * Where a URL leads: the path of a socket file, or a name that needs no file, as Node is given it.
 *
 * @internal
 */
export type Place =
  | { readonly _tag: "File"; readonly path: string }
  | { readonly _tag: "Pipe"; readonly path: string }
  | { readonly _tag: "Abstract"; readonly path: string; readonly name: Uint8Array }

/**
 * The most bytes of a path that the system takes, without the zero byte at its end.
 *
 * @internal
 */
export const maxPath = (platform: NodeJS.Platform): number =>
  platform === "win32" ? 256 : platform === "linux" || platform === "android" ? 107 : 103

const maxName = 107

const invalid = (reason: string) => Either.left(new Errors.EADDRINVAL({ reason }))

const checkPath = (path: string, most: number): Either.Either<string, Errors.EADDRINVAL> => {
  if (path === "") return invalid("no path")
  if (path.includes("\0")) return invalid("a path has no zero byte")
  const { length } = new TextEncoder().encode(path)
  return length <= most ? Either.right(path) : invalid(`a path of ${length} bytes, more than ${most}`)
}

/** Before 1.48 libuv padded names with zero bytes, so that nobody else would find them. */
const exactNames = (uv: string): boolean => {
  const [major = 0, minor = 0] = uv.split(".").map(Number)
  return major > 1 || (major === 1 && minor >= 48)
}

const abstract = (text: string, { platform, uv }: System): Either.Either<Place, Errors.EADDRINVAL | Errors.ENOTSUP> => {
  if (platform !== "linux" && platform !== "android") {
    return Either.left(new Errors.ENOTSUP({ reason: "abstract names are Linux's" }))
  }
  const decoded = Url.decode(text, maxName)
  if (Either.isLeft(decoded)) return invalid(decoded.left.reason ?? decoded.left.message)
  if (!exactNames(uv)) {
    return Either.left(new Errors.ENOTSUP({ reason: "abstract names need Node 22: earlier ones pad them" }))
  }
  const name = decoded.right
  try {
    const path = `\0${new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(name)}`
    return Either.right({ _tag: "Abstract", path, name })
  } catch {
    return Either.left(new Errors.ENOTSUP({ reason: "Node takes no abstract name that is not UTF-8" }))
  }
}

/**
 * Where a URL of `ipc`, `unix` or `abstract` leads on a system. Nothing of a path is decoded or made canonical.
 *
 * @internal
 */
export const place = (
  { path, scheme }: Pick<Url.Url, "scheme" | "path">,
  on: System = system
): Either.Either<Place, Errors.EADDRINVAL | Errors.ENOTSUP> => {
  if (scheme === "abstract") return abstract(path, on)
  const most = maxPath(on.platform)
  if (on.platform !== "win32") return Either.map(checkPath(path, most), (path) => ({ _tag: "File", path }))
  if (scheme === "unix") return Either.left(new Errors.ENOTSUP({ reason: "Node has no unix sockets on Windows" }))
  const prefix = "\\\\.\\pipe\\"
  return Either.map(checkPath(path, most - prefix.length), (path) => ({ _tag: "Pipe", path: prefix + path }))
}

const checkOptions = (
  role: "dial" | "listen",
  { listenFd, permissions }: IpcOptions,
  place: Place
): Either.Either<void, Errors.EINVAL | Errors.ENOTSUP> => {
  const not = (reason: string) => Either.left(new Errors.ENOTSUP({ reason }))
  if (role === "dial") {
    if (permissions !== undefined) return not("permissions is an option of listeners")
    return listenFd === undefined ? Either.void : not("listenFd is an option of listeners")
  }
  if (permissions === undefined) return Either.void
  if (!Number.isInteger(permissions) || permissions < 0 || permissions > 0o7777) {
    return Either.left(new Errors.EINVAL({ reason: `permissions ${permissions} are not between 0 and 0o7777` }))
  }
  if (place._tag !== "File") return not("permissions are for a socket file, and there is none")
  return listenFd === undefined ? Either.void : not("what listens already has its permissions")
}

/** @internal */
export const check = (
  role: "dial" | "listen",
  url: Url.Url,
  { ipc = {} }: TransportOptions,
  on: System = system
): Either.Either<void, CheckError> =>
  Either.mapLeft(
    Either.flatMap(place(url, on), (place): Either.Either<void, CheckError> =>
      role === "dial" && place._tag === "Abstract" && place.name.length === 0
        ? invalid("no name to dial")
        : checkOptions(role, ipc, place)
    ),
    (error) => at(error, role, url.href)
  )

const at = (error: CheckError, operation: string, address: string): CheckError => {
  const details = { operation, address, reason: error.reason }
  switch (error._tag) {
    case "NNG_EADDRINVAL":
      return new Errors.EADDRINVAL(details)
    case "NNG_EINVAL":
      return new Errors.EINVAL(details)
    case "NNG_ENOTSUP":
      return new Errors.ENOTSUP(details)
  }
}
