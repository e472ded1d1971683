import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import type { TransportOptions } from "effect-nng/Transport"
import * as Url from "effect-nng/Url"
import type { System } from "../../src/internal/node/ipcUrl.js"
import { check, place } from "../../src/internal/node/ipcUrl.js"

const linux: System = { platform: "linux", uv: "1.51.0" }
const old: System = { platform: "linux", uv: "1.46.0" }
const mac: System = { platform: "darwin", uv: "1.51.0" }
const windows: System = { platform: "win32", uv: "1.51.0" }

const parse = (text: string): Url.Url => Either.getOrThrow(Url.parse(text))

const tag = (result: Either.Either<unknown, { readonly _tag: string }>) =>
  Either.match(result, { onLeft: ({ _tag }) => _tag, onRight: () => "good" })

describe("where a URL of ipc leads", () => {
  const x = (n: number) => "x".repeat(n)
  const table: ReadonlyArray<readonly [url: string, on: System, path: string]> = [
    ["ipc:///tmp/x y%20z?q#f", linux, "/tmp/x y%20z?q#f"],
    ["ipc://rel/../path", linux, "rel/../path"],
    ["ipc:///tmp//a/./b", linux, "/tmp//a/./b"],
    ["IPC:///Tmp/X", linux, "/Tmp/X"],
    ["unix:///tmp/x", mac, "/tmp/x"],
    ["ipc:///tmp/ä", linux, "/tmp/ä"],
    [`ipc://${x(107)}`, linux, x(107)],
    [`ipc://${x(103)}`, mac, x(103)],
    ["ipc://name", windows, "\\\\.\\pipe\\name"],
    ["ipc:///tmp/name", windows, "\\\\.\\pipe\\/tmp/name"],
    [`ipc://${x(247)}`, windows, `\\\\.\\pipe\\${x(247)}`],
    ["abstract://a%20b", linux, "\0a b"],
    ["abstract://a%00b/c?d#e", linux, "\0a\0b/c?d#e"],
    ["abstract://%C3%A4", linux, "\0ä"],
    [`abstract://${x(107)}`, linux, `\0${x(107)}`],
    ["abstract://", linux, "\0"]
  ]
  for (const [url, on, path] of table) {
    it(`${url.slice(0, 40)}${url.length > 40 ? ` (${url.length})` : ""} on ${on.platform}`, () => {
      expect(Either.getOrThrow(place(parse(url), on)).path).toBe(path)
    })
  }

  const refused: ReadonlyArray<readonly [url: string, on: System, error: string]> = [
    ["ipc://", linux, "NNG_EADDRINVAL"],
    ["ipc:///tmp/a\0b", linux, "NNG_EADDRINVAL"],
    [`ipc://${x(108)}`, linux, "NNG_EADDRINVAL"],
    [`ipc://${"ä".repeat(54)}`, linux, "NNG_EADDRINVAL"],
    [`ipc://${x(104)}`, mac, "NNG_EADDRINVAL"],
    [`ipc://${x(248)}`, windows, "NNG_EADDRINVAL"],
    ["unix://name", windows, "NNG_ENOTSUP"],
    ["abstract://name", mac, "NNG_ENOTSUP"],
    ["abstract://name", windows, "NNG_ENOTSUP"],
    ["abstract://name", old, "NNG_ENOTSUP"],
    ["abstract://a%zz", linux, "NNG_EADDRINVAL"],
    ["abstract://a%", old, "NNG_EADDRINVAL"],
    [`abstract://${x(108)}`, linux, "NNG_EADDRINVAL"],
    ["abstract://%FF", linux, "NNG_ENOTSUP"]
  ]
  for (const [url, on, error] of refused) {
    it(`[S14] ${JSON.stringify(url.slice(0, 30))} (${url.length}) on ${on.platform}: ${error}`, () => {
      expect(tag(place(parse(url), on))).toBe(error)
      for (const role of ["dial", "listen"] as const) {
        const result = check(role, parse(url), {}, on)
        expect(Either.isLeft(result) && result.left).toMatchObject({ _tag: error, operation: role, address: url })
      }
    })
  }
})

describe("the options of ipc", () => {
  const table: ReadonlyArray<
    readonly [role: "dial" | "listen", url: string, options: TransportOptions, on: System, result: string]
  > = [
    ["listen", "ipc:///tmp/x", { ipc: { permissions: 0 } }, linux, "good"],
    ["listen", "ipc:///tmp/x", { ipc: { permissions: 0o7777 } }, linux, "good"],
    ["listen", "ipc:///tmp/x", { ipc: { permissions: 0o10000 } }, linux, "NNG_EINVAL"],
    ["listen", "ipc:///tmp/x", { ipc: { permissions: -1 } }, linux, "NNG_EINVAL"],
    ["listen", "ipc:///tmp/x", { ipc: { permissions: 1.5 } }, linux, "NNG_EINVAL"],
    ["dial", "ipc:///tmp/x", { ipc: { permissions: 0o600 } }, linux, "NNG_ENOTSUP"],
    ["dial", "ipc:///tmp/x", { ipc: { listenFd: 3 } }, linux, "NNG_ENOTSUP"],
    ["listen", "ipc:///tmp/x", { ipc: { listenFd: 3 } }, linux, "good"],
    ["listen", "ipc:///tmp/x", { ipc: { listenFd: 3, permissions: 0o600 } }, linux, "NNG_ENOTSUP"],
    ["listen", "abstract://x", { ipc: { permissions: 0o600 } }, linux, "NNG_ENOTSUP"],
    ["listen", "ipc://x", { ipc: { permissions: 0o600 } }, windows, "NNG_ENOTSUP"],
    ["listen", "abstract://", {}, linux, "good"],
    ["dial", "abstract://", {}, linux, "NNG_EADDRINVAL"]
  ]
  for (const [role, url, options, on, result] of table) {
    it(`${role} ${url} ${JSON.stringify(options)} on ${on.platform}: ${result}`, () => {
      expect(tag(check(role, parse(url), options, on))).toBe(result)
    })
  }
})
