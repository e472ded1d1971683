import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import * as Fs from "node:fs"
import { dirname, isAbsolute } from "node:path"
import type * as Errors from "../../Errors.js"
import { acquireRelease } from "../ports/scoped.js"
import { connectOne } from "./connect.js"
import * as Server from "./server.js"

/*
 * Node binds and listens in one call, and when it closes it removes what has the name that it bound, whoever that is by
 * then. So it binds a name in a directory that only we can enter; there the file gets its permissions; and then, when it
 * listens already, it gets its public name in one step, and only if nobody has that. The private name is gone by the time
 * that Node would remove it.
 */

type InUse = (reason: string) => Errors.EADDRINUSE

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code

const attempt = <A>(does: () => A): Effect.Effect<A, Error> =>
  Effect.try({ try: does, catch: (error) => error as Error })

const found = (path: string): Fs.BigIntStats | undefined => Fs.lstatSync(path, { bigint: true, throwIfNoEntry: false })

/** Its number alone may go to another file when this one is gone. */
const same = (one: Fs.BigIntStats, other: Fs.BigIntStats | undefined): boolean =>
  other !== undefined && one.dev === other.dev && one.ino === other.ino && one.mtimeNs === other.mtimeNs

/** What a path stands for, whatever the working directory is later. Only the system knows what `..` leads to. */
const absolute = (path: string): string => (isAbsolute(path) ? path : `${process.cwd()}/${path}`)

const socketName = "s"
const oldName = "old"

/** A directory that only we can enter, on the file system of the path. */
const privateDirectory = (path: string): Effect.Effect<string, Error, Scope.Scope> =>
  acquireRelease(
    attempt(() => Fs.mkdtempSync(`${dirname(path)}/.`)),
    (directory) => Effect.sync(() => Fs.rmSync(directory, { recursive: true, force: true }))
  )

/** The name to bind in a directory. One that is too long has a shorter way on Linux, for as long as the scope lives. */
const bindable = (directory: string, most: number): Effect.Effect<string, Error, Scope.Scope> => {
  const direct = `${directory}/${socketName}`
  if (Buffer.byteLength(direct) <= most || process.platform !== "linux") return Effect.succeed(direct)
  return Effect.map(
    acquireRelease(
      attempt(() => Fs.openSync(directory, Fs.constants.O_DIRECTORY)),
      (fd) => Effect.sync(() => Fs.closeSync(fd))
    ),
    (fd) => `/proc/self/fd/${fd}/${socketName}`
  )
}

/** Gives a file a name that nobody has; where there are no hard links, one that nobody had a moment ago. */
const give = (from: string, to: string): void => {
  try {
    Fs.linkSync(from, to)
  } catch (error) {
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(codeOf(error) ?? "")) throw error
    if (found(to) !== undefined) throw Object.assign(new Error("there is a file"), { code: "EEXIST" })
    Fs.renameSync(from, to)
  }
}

/** Whether a socket is bound to a path and does not listen yet: it refuses, and is somebody's all the same. */
const isBound = (path: string): boolean => {
  if (process.platform !== "linux") return false
  const names = [path, absolute(path)]
  return Fs.readFileSync("/proc/net/unix", "utf8")
    .split("\n")
    .some((line) => names.includes(/^\S+: \S+ \S+ 00000000 0001 01 +\d+ (.+)$/.exec(line)?.[1] ?? ""))
}

/** Fails unless there is a socket at the path, and nobody behind it. */
const assertDead = (path: string, file: Fs.BigIntStats, inUse: InUse): Effect.Effect<void, Errors.EADDRINUSE> => {
  if (!file.isSocket()) return inUse("there is a file that is no socket")
  return Effect.scoped(connectOne({ path })).pipe(
    Effect.matchEffect({
      onSuccess: () => inUse("somebody listens there"),
      onFailure: (error) => {
        if (codeOf(error) !== "ECONNREFUSED")
          return inUse(`there is a socket, and nobody can say whose: ${error.message}`)
        return isBound(path) ? inUse("there is a socket that does not listen yet") : Effect.void
      }
    })
  )
}

/** Takes away the socket of somebody who is gone, and nothing else. */
const clear = (path: string, directory: string, inUse: InUse): Effect.Effect<void, Error> =>
  Effect.gen(function* () {
    const file = found(path)
    if (file === undefined) return
    yield* assertDead(path, file, inUse)
    yield* attempt(() => {
      if (!same(file, found(path))) return
      const old = `${directory}/${oldName}`
      Fs.renameSync(path, old)
      // between two calls it may have become a successor's
      if (!same(file, found(old))) give(old, path)
      Fs.rmSync(old, { force: true })
    })
  })

const publish = (from: string, path: string, directory: string, inUse: InUse): Effect.Effect<void, Error> =>
  Effect.catchIf(
    attempt(() => give(from, path)),
    (error) => codeOf(error) === "EEXIST",
    () => Effect.zipRight(clear(path, directory, inUse), publish(from, path, directory, inUse))
  )

/** Removes the file if it is still ours, while we listen yet: nobody takes ours for dead. */
const unpublish = (path: string, own: Fs.BigIntStats): Effect.Effect<void> =>
  Effect.sync(() => {
    if (same(own, found(path))) Fs.rmSync(path, { force: true })
  })

/**
 * A server that listens at a path, which is given back with the scope. `most` is how long a path may be. The file has its
 * permissions, by default those of the process's umask, before anybody can reach it.
 *
 * @internal
 */
export const listen = (
  path: string,
  options: { readonly permissions: number | undefined; readonly most: number; readonly inUse: InUse }
): Effect.Effect<Server.Server, Error, Scope.Scope> =>
  Effect.flatMap(Effect.scope, (scope) =>
    Effect.gen(function* () {
      const directory = yield* privateDirectory(path)
      const name = yield* Scope.extend(bindable(directory, options.most), scope)
      const server = yield* Scope.extend(Server.make(), scope)
      // in this process, and not by way of a cluster's first
      yield* server.listen({ path: name, exclusive: true })
      const file = `${directory}/${socketName}`
      const { permissions } = options
      if (permissions !== undefined) yield* attempt(() => Fs.chmodSync(file, permissions))
      const own = yield* attempt(() => Fs.lstatSync(file, { bigint: true }))
      const at = absolute(path)
      yield* acquireRelease(publish(file, path, directory, options.inUse), () => unpublish(at, own)).pipe(
        Scope.extend(scope)
      )
      return server
    }).pipe(Effect.scoped)
  )
