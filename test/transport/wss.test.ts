import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Net from "node:net"
import { wallet } from "../support/certificates.js"
import * as TlsPeers from "../support/tls.js"
import { transportSuite } from "./suite.js"

const hosts: ReadonlyArray<readonly [name: string, scheme: string, host: string, literal: string]> = [
  ["wss, IPv4", "wss", "127.0.0.1", "127.0.0.1"],
  ["wss6, IPv6", "wss6", "[::1]", "::1"]
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

/** Both ends show a certificate and want one. */
const layer = Layer.unwrapEffect(
  Effect.map(wallet, ({ ca, client, server }) =>
    TlsPeers.withOptions(NodeTransport.layerWs, {
      dial: { tls: { ca: ca.pem, ownCert: client } },
      listen: { tls: { ca: ca.pem, ownCert: server, authMode: "required" } }
    })
  )
)

for (const [name, scheme, host, literal] of hosts) {
  transportSuite(name, {
    layer,
    time: "real",
    address: Effect.succeed(`${scheme}://${host}:0/suite`),
    nobody: Effect.map(unused(literal), (port) => `${scheme}://${host}:${port}/suite`),
    badWhenMade: [
      ["dial", "tls+tcp://127.0.0.1:5555", "NNG_ENOTSUP"],
      ["dial", `${scheme}:///path`, "NNG_EADDRINVAL"],
      ["dial", `${scheme}://${host}:0/path`, "NNG_EADDRINVAL"],
      ["dial", `${scheme}://${host}:65536`, "NNG_EINVAL"],
      ["dial", `${scheme}://me@${host}/path`, "NNG_EADDRINVAL"],
      ["listen", `${scheme}://${host}:0/path?query`, "NNG_EADDRINVAL"]
    ],
    badWhenStarted: [
      ["listen", `${scheme}://${scheme === "wss6" ? "[2001:db8::1]" : "192.0.2.1"}:0/path`, "NNG_EADDRINVAL"],
      ["dial", "wss4://[::1]:5555", "NNG_EADDRINVAL"],
      ["listen", "wss6://127.0.0.1:5555", "NNG_EADDRINVAL"]
    ],
    limits: true,
    tellsProtocol: true,
    inFlight: 32 * 1024 * 1024
  })
}
