import type { Option } from "./scan.js"

/** @internal */
export type ProtocolName =
  | "req0"
  | "rep0"
  | "pub0"
  | "sub0"
  | "push0"
  | "pull0"
  | "surveyor0"
  | "respondent0"
  | "pair"
  | "pair0"
  | "pair1"
  | "bus0"

/** @internal */
export type Id =
  | ProtocolName
  | "help"
  | "version"
  | "verbose"
  | "silent"
  | "dial"
  | "listen"
  | "dialLocal"
  | "listenLocal"
  | "dialIpc"
  | "listenIpc"
  | "data"
  | "file"
  | "subscribe"
  | "format"
  | "ascii"
  | "quoted"
  | "hex"
  | "msgpack"
  | "raw"
  | "count"
  | "interval"
  | "delay"
  | "recvTimeout"
  | "sendTimeout"
  | "recvMaxSize"
  | "compat"
  | "async"
  | "socketName"
  | "insecure"
  | "cacert"
  | "cert"
  | "key"
  | "ztHome"
  | "json"
  | "rawSocket"
  | "header"
  | "completion"

/**
 * The options of libnng's nngcat, of both its lines. `sub` and `pair` stand by themselves, since more than one name
 * begins so; the other short names of protocols are beginnings.
 *
 * @internal
 */
export const libnng: ReadonlyArray<Option<Id>> = [
  { id: "help", name: "help", short: "h" },
  { id: "verbose", name: "verbose", short: "v" },
  { id: "silent", name: "silent", short: "q" },
  { id: "req0", name: "req0" },
  { id: "rep0", name: "rep0" },
  { id: "push0", name: "push0" },
  { id: "pull0", name: "pull0" },
  { id: "pub0", name: "pub0" },
  { id: "sub0", name: "sub" },
  { id: "sub0", name: "sub0" },
  { id: "surveyor0", name: "surveyor0" },
  { id: "respondent0", name: "respondent0" },
  { id: "pair", name: "pair" },
  { id: "pair0", name: "pair0" },
  { id: "pair1", name: "pair1" },
  { id: "bus0", name: "bus0" },
  { id: "dial", name: "dial", argument: "url" },
  { id: "dial", name: "connect", argument: "url" },
  { id: "listen", name: "listen", argument: "url" },
  { id: "listen", name: "bind", argument: "url" },
  { id: "listenLocal", name: "bind-local", short: "L", argument: "port" },
  { id: "dialLocal", name: "connect-local", short: "l", argument: "port" },
  { id: "listenIpc", name: "bind-ipc", short: "X", argument: "path" },
  { id: "dialIpc", name: "connect-ipc", short: "x", argument: "path" },
  { id: "data", name: "data", short: "D", argument: "data" },
  { id: "file", name: "file", short: "F", argument: "file" },
  { id: "subscribe", name: "subscribe", argument: "topic" },
  { id: "format", name: "format", argument: "format" },
  { id: "ascii", name: "ascii", short: "A" },
  { id: "quoted", name: "quoted", short: "Q" },
  { id: "hex", name: "hex" },
  { id: "msgpack", name: "msgpack" },
  { id: "raw", name: "raw" },
  { id: "count", name: "count", short: "C", argument: "num" },
  { id: "interval", name: "interval", short: "i", argument: "secs" },
  { id: "delay", name: "delay", short: "d", argument: "secs" },
  { id: "recvTimeout", name: "recv-timeout", argument: "secs" },
  { id: "sendTimeout", name: "send-timeout", argument: "secs" },
  { id: "recvMaxSize", name: "recv-maxsz", short: "Z", argument: "size" },
  { id: "compat", name: "compat" },
  { id: "async", name: "async" },
  { id: "socketName", name: "socket-name", argument: "name" },
  { id: "insecure", name: "insecure", short: "k" },
  { id: "cacert", name: "cacert", argument: "file" },
  { id: "cert", name: "cert", short: "E", argument: "file" },
  { id: "key", name: "key", argument: "file" },
  { id: "ztHome", name: "zt-home", argument: "path" },
  { id: "version", name: "version", short: "V" }
]

/**
 * What this tool has beyond it.
 *
 * @internal
 */
export const own: ReadonlyArray<Option<Id>> = [
  { id: "json", name: "json", own: true },
  { id: "rawSocket", name: "raw-socket", own: true },
  { id: "header", name: "header", argument: "hex", own: true },
  { id: "completion", name: "completion", argument: "shell", own: true }
]

/** @internal */
export const all: ReadonlyArray<Option<Id>> = [...libnng, ...own]
