import { describe, expect, it } from "tstyche"
import * as ByteTransport from "../../src/ByteTransport.js"
import * as Dialer from "../../src/Dialer.js"
import * as Listener from "../../src/Listener.js"
import type * as Pair0 from "../../src/Pair0.js"
import * as Socket from "../../src/Socket.js"

declare const pair: Pair0.Pair0
declare const url: string
declare const port: number

describe("options that the transport of a URL does not have", () => {
  it("do not compile where the scheme is known", () => {
    expect(Socket.dial).type.toBeCallableWith(pair, "tcp://127.0.0.1:1", { tcp: { noDelay: true } })
    expect(Socket.dial).type.not.toBeCallableWith(pair, "ipc:///tmp/x", { tcp: { noDelay: true } })
    expect(Socket.listen).type.toBeCallableWith(pair, "ipc:///tmp/x", { ipc: { permissions: 0o600 } })
    expect(Socket.listen).type.not.toBeCallableWith(pair, `tcp://127.0.0.1:${port}`, { ipc: { permissions: 0o600 } })
    expect(Listener.make).type.not.toBeCallableWith(pair, "inproc://x", { tcp: {} })
    expect(Dialer.make).type.not.toBeCallableWith(pair, "socket://", { ipc: {} })
    expect(Socket.dial).type.toBeCallableWith(pair, "ws://a:1", { ws: { sendMaxFrame: 1 }, tcp: { noDelay: true } })
    expect(Socket.dial).type.not.toBeCallableWith(pair, "ws6://a:1", { tls: {} })
    expect(Socket.listen).type.not.toBeCallableWith(pair, "ws4://a:1", { ipc: { permissions: 0o600 } })
    for (const wss of ["wss://a:1", "wss4://a:1", "wss6://a:1"] as const) {
      expect(Socket.dial).type.toBeCallableWith(pair, wss, { ws: {}, tls: { ca: "pem" }, tcp: {} })
      expect(Socket.listen).type.not.toBeCallableWith(pair, wss, { ipc: {} })
    }
    expect(Socket.dial).type.not.toBeCallableWith(pair, "tls+tcp://a:1", { ws: {} })
    expect(Dialer.make).type.not.toBeCallableWith(pair, "tcp://a:1", { ws: {} })
    expect(ByteTransport.listen).type.not.toBeCallableWith("abstract://x", { tcp: {} })
  })

  it("compile where it is not, and where somebody else serves it", () => {
    expect(Socket.dial).type.toBeCallableWith(pair, url, { tcp: {}, ipc: {} })
    expect(Socket.listen).type.toBeCallableWith(pair, "serial:///dev/tty", { tcp: {} })
  })
})
