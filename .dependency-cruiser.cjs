/**
 * The layers of src, top to bottom, and what each may import. A file that fits no layer fails the first rule.
 *
 *   0  vocabulary   Errors Address Url Message Protocol; internal/vocabulary
 *   1  wire         internal/wire
 *   2  protocol     internal/protocol
 *   3  ports        Aio Duplex Pipe ByteStream Transport Tls Turn Entropy; internal/ports
 *   3b connection   ByteTransport; internal/connection
 *   4  engine       internal/engine
 *   5  API          Socket Dialer Listener Pair0 ... index
 *   6  adapters     InprocTransport, NodeTransport, TestTransport ...; internal/inproc, internal/node,
 *                   internal/web, internal/simulation
 *   7  commands     internal/cli: built of the public modules alone, and known to none
 */
const vocabulary = "^src/(Errors|Address|Url|Message|Protocol)\\.ts$|^src/internal/vocabulary/"
const wire = "^src/internal/wire/"
const protocol = "^src/internal/protocol/"
const ports = "^src/(Aio|Duplex|Pipe|ByteStream|Transport|Tls|Turn|Entropy)\\.ts$|^src/internal/ports/"
const connection = "^src/ByteTransport\\.ts$|^src/internal/connection/"
const engine = "^src/internal/engine/"
const api =
  "^src/(Socket|SocketContext|Dialer|Listener|Device|Statistics|index|" +
  "(Pair0|Pair1|Req0|Rep0|Pub0|Sub0|Push0|Pull0|Surveyor0|Respondent0|Bus0))\\.ts$"
const adapters =
  "^src/(?!Byte)\\w+Transport\\.ts$|^src/NodeHttpUpgrades\\.ts$|^src/internal/(node|web|inproc|simulation)/"
const cli = "^src/internal/cli/"
const node = "^src/Node\\w+\\.ts$|^src/internal/node/"

const only = (name, from, may) => ({
  name,
  severity: "error",
  comment: `${name} may import nothing of src but what its layer allows`,
  from: { path: from },
  to: { path: "^src/", pathNot: [from, ...may].join("|") }
})

// Internal modules name their own public module for its types only; such imports leave no trace at run time.
const runtime = (rule) => ({ ...rule, to: { ...rule.to, dependencyTypesNot: ["type-only"] } })

module.exports = {
  forbidden: [
    {
      name: "every file has a layer",
      severity: "error",
      from: {
        path: "^src/",
        pathNot: [vocabulary, wire, protocol, ports, connection, engine, api, adapters, cli].join("|")
      },
      to: {}
    },
    {
      name: "no cycles",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } }
    },
    only("vocabulary", vocabulary, []),
    only("wire", wire, [vocabulary]),
    only("protocol", protocol, [vocabulary, wire]),
    only("ports", ports, [vocabulary]),
    only("connection", connection, [vocabulary, wire, ports]),
    runtime(only("engine", engine, [vocabulary, wire, protocol, ports, connection])),
    only("api", api, [
      vocabulary,
      wire,
      protocol,
      ports,
      connection,
      engine,
      "^src/(InprocTransport|WebSocketTransport|TestTransport)\\.ts$"
    ]),
    only("adapters", adapters, [vocabulary, wire, ports, connection]),
    only("commands", cli, ["^src/\\w+\\.ts$"]),
    {
      name: "nobody knows the commands",
      severity: "error",
      from: { path: "^src/", pathNot: cli },
      to: { path: cli }
    },
    {
      name: "nobody knows the simulated network",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/(TestTransport|index)\\.ts$|^src/internal/simulation/" },
      to: { path: "^src/TestTransport\\.ts$|^src/internal/simulation/" }
    },
    {
      name: "wire is plain code",
      severity: "error",
      from: { path: [wire, protocol].join("|") },
      to: { path: "node_modules/effect/.*/(Effect|Stream|Sink|Fiber|Scope|Clock|Random|Layer|Runtime)\\.js$" }
    },
    {
      name: "node: only in the Node adapters",
      severity: "error",
      from: { path: "^src/", pathNot: node },
      to: { dependencyTypes: ["core"] }
    },
    {
      name: "the main entry never reaches Node",
      severity: "error",
      from: { path: "^src/index\\.ts$" },
      to: { path: node, reachable: true }
    }
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: "specify",
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default"] }
  }
}
