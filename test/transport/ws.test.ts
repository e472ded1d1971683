import * as Effect from "effect/Effect"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Net from "node:net"
import { transportSuite } from "./suite.js"

const hosts: ReadonlyArray<readonly [name: string, scheme: string, host: string, literal: string]> = [
  ["ws, IPv4", "ws", "127.0.0.1", "127.0.0.1"],
  ["ws, IPv6", "ws", "[::1]", "::1"],
  ["ws4", "ws4", "127.0.0.1", "127.0.0.1"],
  ["ws6", "ws6", "[::1]", "::1"],
  ["ws, localhost", "ws", "localhost", "localhost"]
]

/** A port that nobody had a moment ago. */
const unused = (host: string) =>
  Effect.async<number>((resume) => {
    const server = Net.createServer()
    server.listen({ host, port: 0 }, () => {
      const { port } = server.address() as Net.AddressInfo
      server.close(() => resume(Effect.succeed(port)))
    })
  })

for (const [name, scheme, host, literal] of hosts) {
  transportSuite(name, {
    layer: NodeTransport.layerWs,
    time: "real",
    address: Effect.succeed(`${scheme}://${host}:0/suite`),
    nobody: Effect.map(unused(literal), (port) => `${scheme}://${host}:${port}/suite`),
    badWhenMade: [
      ["dial", "nosuch://127.0.0.1:5555", "NNG_ENOTSUP"],
      ["dial", `${scheme}:///path`, "NNG_EADDRINVAL"],
      ["dial", `${scheme}://${host}:0/path`, "NNG_EADDRINVAL"],
      ["dial", `${scheme}://${host}:65536`, "NNG_EINVAL"],
      ["dial", `${scheme}://me@${host}/path`, "NNG_EADDRINVAL"],
      ["dial", `${scheme}://a b/path`, "NNG_EADDRINVAL"],
      ["listen", `${scheme}://${host}:0/path?query`, "NNG_EADDRINVAL"],
      ["listen", `${scheme}://${host}:0/path#fragment`, "NNG_EADDRINVAL"]
    ],
    badWhenStarted: [
      ["listen", `${scheme}://${scheme === "ws6" ? "[2001:db8::1]" : "192.0.2.1"}:0/path`, "NNG_EADDRINVAL"],
      ["dial", "ws4://[::1]:5555", "NNG_EADDRINVAL"],
      ["listen", "ws6://127.0.0.1:5555", "NNG_EADDRINVAL"]
    ],
    limits: true,
    tellsProtocol: true,
    inFlight: 32 * 1024 * 1024
  })
}
