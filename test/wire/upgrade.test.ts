import { describe, expect, it } from "@effect/vitest"
import type { Origins, Request, Rules } from "../../src/internal/wire/upgrade.js"
import {
  badHeader,
  candidates,
  checkRequest,
  checkUpgrade,
  hostMatches,
  isWildcard,
  pathOf
} from "../../src/internal/wire/upgrade.js"
import { asked, closeError } from "../../src/internal/wire/websocket.js"
import * as Protocol from "effect-nng/Protocol"

const good = {
  host: "127.0.0.1:5555",
  upgrade: "websocket",
  connection: "Upgrade",
  "sec-websocket-key": "AAECAwQFBgcICQoLDA0ODw==",
  "sec-websocket-version": "13",
  "sec-websocket-protocol": "pair.sp.nanomsg.org"
}

const request = (headers: Record<string, string | undefined> = {}, method = "GET"): Request => ({
  method,
  target: "/",
  httpVersion: "1.1",
  headers: { ...good, ...headers }
})

const rules = (origins: Origins = "same", host = "127.0.0.1"): Rules => ({
  host,
  subprotocol: "pair.sp.nanomsg.org",
  origins
})

const status = (request: Request, by = rules()): number | undefined => checkUpgrade(request, by)?.status

describe("sub-protocols", () => {
  it("a dialer asks for its peer's name, a listener serves its own", () => {
    expect(Protocol.all.map((protocol) => [protocol.name, asked(protocol), protocol.wsName])).toEqual(
      Protocol.all.map(({ name, peerName }) => [name, `${peerName}.sp.nanomsg.org`, `${name}.sp.nanomsg.org`])
    )
    expect(asked(Protocol.req0)).toBe("rep.sp.nanomsg.org")
    expect(asked(Protocol.pair0)).toBe("pair.sp.nanomsg.org")
  })
})

describe("requests for an upgrade", () => {
  it("that are right are let in", () => {
    expect(status(request())).toBeUndefined()
    for (const [name, value] of [
      ["upgrade", "WebSocket"],
      ["upgrade", "h2c, websocket"],
      ["connection", "keep-alive, upgrade"],
      ["connection", "keep-alive,Upgrade"],
      ["sec-websocket-protocol", "PAIR.sp.nanomsg.org"],
      ["sec-websocket-protocol", " pair.sp.nanomsg.org "],
      ["content-length", "0"]
    ] as const) {
      expect(status(request({ [name]: value })), `${name}: ${value}`).toBeUndefined()
    }
  })

  for (const [code, name, value] of [
    [400, "upgrade", undefined],
    [400, "upgrade", "h2c"],
    [400, "connection", undefined],
    [400, "connection", "close"],
    [400, "sec-websocket-version", undefined],
    [400, "sec-websocket-version", "8"],
    [400, "sec-websocket-version", "13, 8"],
    [400, "sec-websocket-key", undefined],
    [400, "sec-websocket-key", "c2hvcnQ="],
    [400, "sec-websocket-protocol", undefined],
    [400, "sec-websocket-protocol", ""],
    [400, "sec-websocket-protocol", "pair1.sp.nanomsg.org"],
    [400, "sec-websocket-protocol", "pair.sp.nanomsg.org, pair1.sp.nanomsg.org"],
    [413, "content-length", "1"],
    [413, "content-length", "one"],
    [413, "transfer-encoding", "chunked"],
    [403, "origin", "http://evil.example"]
  ] as const) {
    it(`are answered ${code} for ${name}: ${value}`, () => {
      expect(status(request({ [name]: value }))).toBe(code)
    })
  }

  it("are answered by their method before anything else, and by what they lack in order", () => {
    expect(status(request({ upgrade: undefined }, "POST"))).toBe(405)
    expect(status(request({}, "HEAD"))).toBe(400)
    expect(status(request({ "content-length": "5", upgrade: undefined }))).toBe(413)
    expect(status(request({ origin: "null", "sec-websocket-protocol": "x" }))).toBe(403)
  })

  it("need HTTP 1.1 and a Host", () => {
    expect(checkRequest({ ...request(), httpVersion: "1.0" })?.status).toBe(505)
    expect(checkRequest(request({ host: undefined }))?.status).toBe(400)
    expect(checkRequest(request())).toBeUndefined()
  })
})

describe("hosts", () => {
  for (const [host, header, matches] of [
    ["", "anything", true],
    ["0.0.0.0", "anything", true],
    ["::", "anything", true],
    ["127.0.0.1", "127.0.0.1", true],
    ["127.0.0.1", "127.0.0.1:1", true],
    ["127.0.0.1", "localhost", false],
    ["127.0.0.1", "127.0.0.2", false],
    ["127.0.0.1", "", false],
    ["127.0.0.1", "evil.example@127.0.0.1", false],
    ["127.0.0.1", "127.0.0.1/x", false],
    ["::1", "[::1]:80", true],
    ["::1", "[0:0:0:0:0:0:0:1]", true],
    ["::1", "[::2]", false],
    ["::1", "::1", false],
    ["example.com", "EXAMPLE.com.:80", true],
    ["example.com", "www.example.com", false],
    ["example.com", "[", false]
  ] as const) {
    it(`${host || "(any)"} ${matches ? "is" : "is not"} meant by ${JSON.stringify(header)}`, () => {
      expect(hostMatches(host, header)).toBe(matches)
    })
  }

  it("that stand for all are no names", () => {
    expect(["", "0.0.0.0", "::"].map(isWildcard)).toEqual([true, true, true])
    expect(["127.0.0.1", "localhost"].map(isWildcard)).toEqual([false, false])
  })
})

describe("paths", () => {
  for (const [target, path] of [
    ["/golden", "/golden"],
    ["/golden?x=1", "/golden"],
    ["/golden#f", "/golden"],
    ["/g%6flden", "/golden"],
    ["http://h:1/golden?x", "/golden"],
    ["http://h", "/"],
    ["/", "/"],
    ["", "/"],
    ["?x", "/"],
    ["/a/../b", "/b"],
    ["/a%2fb", "/a%2Fb"],
    ["/a%zz", undefined],
    ["*", undefined],
    ["golden", undefined]
  ] as const) {
    it(`${JSON.stringify(target)} is ${path ?? "nowhere"}`, () => expect(pathOf(target)).toBe(path))
  }

  it("one slash at the end is looked over, where nobody has it", () => {
    expect(candidates("/a/")).toEqual(["/a/", "/a"])
    expect(candidates("/a")).toEqual(["/a"])
    expect(candidates("/")).toEqual(["/"])
  })
})

describe("origins [S8]", () => {
  const from = (origin: string | undefined, host: string, by: Rules) =>
    status(request({ origin, host }), by) === undefined

  for (const [origin, host, listener, origins, letIn] of [
    // no browser
    [undefined, "127.0.0.1:1", "127.0.0.1", "same", true],
    // the page comes from here
    ["http://127.0.0.1:1", "127.0.0.1:1", "127.0.0.1", "same", true],
    ["https://127.0.0.1:1", "127.0.0.1:1", "127.0.0.1", "same", true],
    ["http://example.com", "example.com", "example.com", "same", true],
    ["http://example.com", "example.com:80", "example.com", "same", true],
    ["https://example.com", "example.com", "example.com", "same", true],
    ["http://[::1]:8", "[::1]:8", "::1", "same", true],
    // it does not
    ["http://127.0.0.1:2", "127.0.0.1:1", "127.0.0.1", "same", false],
    ["http://evil.example", "127.0.0.1:1", "127.0.0.1", "same", false],
    ["http://127.0.0.1:1.evil.example", "127.0.0.1:1", "127.0.0.1", "same", false],
    ["http://127.0.0.1:1@evil.example", "127.0.0.1:1", "127.0.0.1", "same", false],
    ["null", "127.0.0.1:1", "127.0.0.1", "same", false],
    ["", "127.0.0.1:1", "127.0.0.1", "same", false],
    ["file://", "127.0.0.1:1", "127.0.0.1", "same", false],
    ["chrome-extension://127.0.0.1:1", "127.0.0.1:1", "127.0.0.1", "same", false],
    // a name that somebody's DNS points here is no host of ours
    ["http://evil.example:1", "evil.example:1", "", "same", false],
    ["http://evil.example:1", "evil.example:1", "0.0.0.0", "same", false],
    ["http://localhost:1", "localhost:1", "", "same", true],
    ["http://192.0.2.7:1", "192.0.2.7:1", "", "same", true],
    ["http://[fd00::1]:1", "[fd00::1]:1", "", "same", true],
    // the list, and only the list
    ["https://example.com", "127.0.0.1:1", "127.0.0.1", ["https://example.com"], true],
    ["https://EXAMPLE.com", "127.0.0.1:1", "127.0.0.1", ["https://example.com"], true],
    ["http://example.com", "127.0.0.1:1", "127.0.0.1", ["https://example.com"], false],
    ["https://www.example.com", "127.0.0.1:1", "127.0.0.1", ["https://example.com"], false],
    ["http://127.0.0.1:1", "127.0.0.1:1", "127.0.0.1", ["https://example.com"], false],
    ["null", "127.0.0.1:1", "127.0.0.1", ["null"], true],
    [undefined, "127.0.0.1:1", "127.0.0.1", [], true],
    // spelled out
    ["http://evil.example", "127.0.0.1:1", "127.0.0.1", "any", true],
    ["null", "127.0.0.1:1", "127.0.0.1", "any", true]
  ] as const) {
    it(`${origin ?? "none"} at ${host} of ${listener || "(any)"}, ${String(origins)}: ${letIn ? "in" : "403"}`, () => {
      expect(from(origin, host, rules(origins, listener))).toBe(letIn)
    })
  }
})

describe("headers of users [S9]", () => {
  it("are taken where HTTP takes them", () => {
    expect(
      badHeader({ Authorization: "Bearer x", "X-Name": "tab\there", Origin: "https://example.com" })
    ).toBeUndefined()
  })

  for (const [name, value] of [
    ["X", "a\r\nEvil: b"],
    ["X", "a\nb"],
    ["X", "a\0"],
    ["X", "\u0100"],
    ["X\r\nEvil", "a"],
    ["X:", "a"],
    ["", "a"],
    ["Host", "evil"],
    ["connection", "close"],
    ["Upgrade", "h2c"],
    ["Content-Length", "5"],
    ["Transfer-Encoding", "chunked"],
    ["Sec-WebSocket-Protocol", "x"],
    ["Sec-WebSocket-Extensions", "permessage-deflate"]
  ] as const) {
    it(`${JSON.stringify(name)}: ${JSON.stringify(value)} is refused`, () => {
      expect(badHeader({ [name]: value })).toBeTypeOf("string")
    })
  }
})

describe("close codes", () => {
  for (const [code, tag] of [
    [1000, "NNG_ECONNSHUT"],
    [1001, "NNG_ECONNSHUT"],
    [1002, "NNG_EPROTO"],
    [1003, "NNG_EPROTO"],
    [1005, "NNG_ECONNSHUT"],
    [1006, "NNG_ECONNSHUT"],
    [1007, "NNG_EPROTO"],
    [1008, "NNG_EPROTO"],
    [1009, "NNG_EMSGSIZE"],
    [1010, "NNG_EPROTO"],
    [1011, "NNG_ECONNSHUT"],
    [4000, "NNG_ECONNSHUT"]
  ] as const) {
    it(`${code} is ${tag}`, () => expect(closeError(code)._tag).toBe(tag))
  }
})
