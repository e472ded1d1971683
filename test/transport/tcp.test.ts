import * as Effect from "effect/Effect"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Net from "node:net"
import * as Peers from "../support/peers.js"
import { transportSuite } from "./suite.js"

const hosts: ReadonlyArray<readonly [name: string, scheme: string, host: string, literal: string]> = [
  ["tcp, IPv4", "tcp", "127.0.0.1", "127.0.0.1"],
  ["tcp, IPv6", "tcp", "[::1]", "::1"],
  ["tcp4", "tcp4", "127.0.0.1", "127.0.0.1"],
  ["tcp6", "tcp6", "[::1]", "::1"],
  ["tcp, localhost", "tcp", "localhost", "localhost"]
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
    layer: NodeTransport.layerTcp,
    time: "real",
    address: Effect.succeed(`${scheme}://${host}:0`),
    nobody: Effect.map(unused(literal), (port) => `${scheme}://${host}:${port}`),
    badWhenMade: [
      ["dial", "nosuch://127.0.0.1:5555", "NNG_ENOTSUP"],
      ["listen", "inproc://name", "NNG_ENOTSUP"],
      ["dial", `${scheme}://${host}`, "NNG_EADDRINVAL"],
      ["dial", `${scheme}://${host}:0`, "NNG_EADDRINVAL"],
      ["dial", `${scheme}://${host}:65536`, "NNG_EINVAL"],
      ["listen", `${scheme}://`, "NNG_EADDRINVAL"],
      ["listen", `${scheme}://${host}:0/path`, "NNG_EADDRINVAL"]
    ],
    badWhenStarted: [
      ["listen", `${scheme}://${scheme === "tcp6" ? "[2001:db8::1]" : "192.0.2.1"}:0`, "NNG_EADDRINVAL"],
      ["dial", "tcp4://[::1]:5555", "NNG_EADDRINVAL"],
      ["listen", "tcp6://127.0.0.1:5555", "NNG_EADDRINVAL"]
    ],
    limits: true,
    inFlight: 32 * 1024 * 1024,
    connect: (url) => Peers.dial(Peers.portOf({ url }), { host: literal })
  })
}
