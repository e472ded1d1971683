import { describe, expect, it } from "@effect/vitest"
import { readdirSync } from "node:fs"
import { fileURLToPath } from "node:url"

const src = fileURLToPath(new URL("../src/", import.meta.url))

/** Every public module, and what it exports at run time. */
const modules: Readonly<Record<string, ReadonlyArray<string>>> = {
  Address: ["abstract", "format", "fromIp", "inet", "inet6", "inproc", "ipc", "port", "unspecified"],
  Aio: [
    "TypeId",
    "abort",
    "begin",
    "busy",
    "cancel",
    "count",
    "fromEffect",
    "isAio",
    "make",
    "message",
    "reset",
    "result",
    "setExpire",
    "setTimeout",
    "sleep",
    "start",
    "stop",
    "toEffect",
    "wait"
  ],
  ByteStream: ["TypeId", "isByteStream", "make", "stream"],
  ByteTransport: ["connection", "make"],
  Dialer: ["TypeId", "isDialer", "make", "start", "startAio"],
  Duplex: ["effects", "noLeftover"],
  Entropy: ["Entropy", "make"],
  Errors: [
    "EADDRINUSE",
    "EADDRINVAL",
    "EAGAIN",
    "EAMBIGUOUS",
    "EBADTYPE",
    "EBUSY",
    "ECANCELED",
    "ECLOSED",
    "ECONNABORTED",
    "ECONNREFUSED",
    "ECONNRESET",
    "ECONNSHUT",
    "ECRYPTO",
    "EEXIST",
    "EINTERNAL",
    "EINTR",
    "EINVAL",
    "EMSGSIZE",
    "ENOARG",
    "ENOENT",
    "ENOFILES",
    "ENOMEM",
    "ENOSPC",
    "ENOTSUP",
    "EPEERAUTH",
    "EPERM",
    "EPROTO",
    "EREADONLY",
    "ESTATE",
    "ESTOPPED",
    "ESYSERR",
    "ETIMEDOUT",
    "ETRANERR",
    "EUNREACHABLE",
    "EWRITEONLY",
    "NngErrorFromJson",
    "NngErrorFromSelf",
    "TypeId",
    "codes",
    "fromCode",
    "isNngError",
    "strerror"
  ],
  InprocTransport: ["layer", "make"],
  Listener: ["TypeId", "isListener", "make", "start"],
  Message: [
    "Body",
    "Header",
    "TypeId",
    "capacity",
    "copy",
    "detach",
    "fromBytes",
    "fromInput",
    "fromString",
    "isMessage",
    "make",
    "realloc",
    "reserve",
    "text",
    "unsafeSetPipe",
    "unsafeView"
  ],
  NodeHttpUpgrades: ["make"],
  NodeTransport: ["layer", "layerTcp", "layerWs", "makeTcp", "makeWs"],
  Pair0: ["make"],
  Pipe: ["TypeId", "isPipe"],
  Protocol: [
    "all",
    "bus0",
    "describe",
    "fromNumber",
    "pair0",
    "pair1",
    "pub0",
    "pull0",
    "push0",
    "rep0",
    "req0",
    "respondent0",
    "sub0",
    "surveyor0"
  ],
  Pub0: ["make", "makeRaw", "sink"],
  Pull0: ["make", "makeRaw", "stream"],
  Push0: ["make", "makeRaw", "sink"],
  Rep0: ["make", "makeRaw", "serve"],
  Req0: ["make", "makeRaw", "request"],
  Respondent0: ["make", "makeRaw", "serve"],
  Socket: [
    "CanRecvTypeId",
    "CanSendTypeId",
    "ConfigurableTypeId",
    "TypeId",
    "awaitPeers",
    "canRecv",
    "canSend",
    "configure",
    "dial",
    "drain",
    "getPipe",
    "isReadable",
    "isSocket",
    "isWritable",
    "listen",
    "recv",
    "recvAio",
    "recvChunk",
    "send",
    "sendAio",
    "sendAll",
    "setBeforeAttach",
    "settings",
    "sink",
    "stream"
  ],
  SocketContext: [
    "CanRecvTypeId",
    "CanSendTypeId",
    "ConfigurableTypeId",
    "HasContextsTypeId",
    "TypeId",
    "configure",
    "isSocketContext",
    "make",
    "recv",
    "recvAio",
    "send",
    "sendAio",
    "settings"
  ],
  Sub0: ["addTopic", "make", "makeRaw", "removeTopic", "stream", "subscribe"],
  Surveyor0: ["make", "makeRaw", "survey"],
  TestTransport: [
    "Network",
    "TypeId",
    "awaitListening",
    "bandwidth",
    "between",
    "blackHole",
    "closeHalf",
    "corrupt",
    "crash",
    "diagram",
    "dial",
    "everywhere",
    "failNextAccept",
    "failNextDial",
    "failNextListen",
    "heal",
    "history",
    "hold",
    "latency",
    "layer",
    "layerNode",
    "layerSimulated",
    "limitBuffer",
    "listen",
    "on",
    "partition",
    "refuse",
    "release",
    "reset",
    "restart",
    "run",
    "split",
    "toward",
    "truncate"
  ],
  Transport: ["Transports", "connection", "connections"],
  Turn: ["Turn", "make"],
  Url: ["TypeId", "decode", "defaultPort", "format", "isUrl", "parse", "withPort"],
  index: [
    "Address",
    "Aio",
    "ByteStream",
    "ByteTransport",
    "Dialer",
    "Duplex",
    "Entropy",
    "Errors",
    "InprocTransport",
    "Listener",
    "Message",
    "Pair0",
    "Pipe",
    "Protocol",
    "Pub0",
    "Pull0",
    "Push0",
    "Rep0",
    "Req0",
    "Respondent0",
    "Socket",
    "SocketContext",
    "Sub0",
    "Surveyor0",
    "TestTransport",
    "Transport",
    "Turn",
    "Url"
  ]
}

describe("public modules", () => {
  it("are these, and no others", () => {
    const files = readdirSync(src).filter((name) => name.endsWith(".ts"))
    expect(files.map((name) => name.slice(0, -".ts".length)).sort()).toEqual(Object.keys(modules).sort())
  })

  for (const [name, names] of Object.entries(modules)) {
    it(`${name} exports what it says`, async () => {
      const module = (await import(`../src/${name}.ts`)) as Record<string, unknown>
      expect(Object.keys(module).sort()).toEqual(names)
    })
  }

  it("the barrel has every module that runs everywhere, and none of Node's", async () => {
    const everywhere = Object.keys(modules).filter((name) => name !== "index" && !name.startsWith("Node"))
    expect(modules["index"]).toEqual(everywhere.sort())
  })

  it("the package closes its inner modules", async () => {
    const { default: manifest } = (await import("../package.json", { with: { type: "json" } })) as {
      readonly default: { readonly exports: Readonly<Record<string, unknown>>; readonly sideEffects: boolean }
    }
    expect(manifest.exports["./internal/*"]).toBeNull()
    expect(manifest.sideEffects).toBe(false)
  })
})
