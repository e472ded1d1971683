import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import * as Url from "effect-nng/Url"
import { randomBytes } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** Whether Node gets abstract names right here. */
export const abstract = process.platform === "linux" && Number(process.versions.node.split(".", 1)[0]) >= 22

/** A directory that is gone with the scope. */
export const directory: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "nng-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** A path where nothing is. */
export const path: Effect.Effect<string, never, Scope.Scope> = Effect.map(directory, (at) => join(at, "socket"))

export const url = (scheme: string): Effect.Effect<string, never, Scope.Scope> =>
  Effect.map(path, (path) => `${scheme}://${path}`)

/** An abstract URL that nobody has. */
export const name: Effect.Effect<string> = Effect.sync(() => `abstract://nng-${randomBytes(6).toString("hex")}`)

/** What Node calls the place of a URL. */
export const pathOf = ({ url }: { readonly url: string }): string => {
  const { path, scheme } = Either.getOrThrow(Url.parse(url))
  return scheme === "abstract" ? `\0${Buffer.from(Either.getOrThrow(Url.decode(path, 107))).toString()}` : path
}
