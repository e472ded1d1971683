import * as Either from "effect/Either"
import type { Format } from "./format.js"
import { formats } from "./format.js"
import type { Id, ProtocolName } from "./options.js"
import type { Found } from "./scan.js"
import { duration, integer, UsageError } from "./scan.js"

/** @internal */
export type Protocol = Exclude<ProtocolName, "pair">

/** @internal */
export interface Endpoint {
  readonly role: "dial" | "listen"
  readonly url: string
}

/**
 * What to send: these words, or the whole of a file (`-` is standard input).
 *
 * @internal
 */
export type Source = { readonly _tag: "Data"; readonly text: string } | { readonly _tag: "File"; readonly path: string }

/**
 * What nngcat is to do. Times are milliseconds.
 *
 * @internal
 */
export interface Command {
  readonly protocol: Protocol
  readonly endpoints: ReadonlyArray<Endpoint>
  readonly topics: ReadonlyArray<string>
  readonly format: Format
  readonly source: Source | undefined
  /** 0: without end where it receives, once where it sends. */
  readonly count: number
  readonly interval: number | undefined
  readonly delay: number
  readonly recvTimeout: number | undefined
  readonly sendTimeout: number | undefined
  readonly recvMaxSize: number | undefined
  readonly background: boolean
  readonly verbose: boolean
  readonly tls: TlsFiles
  /** One JSON object a line, of all that happens. */
  readonly json: boolean
  /** Headers are the application's: they are shown, and sent as they are given. */
  readonly raw: boolean
  readonly header: Uint8Array | undefined
}

/**
 * Paths (`-` is standard input).
 *
 * @internal
 */
export interface TlsFiles {
  readonly insecure: boolean
  readonly cacert: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
}

/** @internal */
export type Shell = "bash" | "zsh" | "fish"

/** @internal */
export type Request =
  | { readonly _tag: "Help" }
  | { readonly _tag: "Version" }
  | { readonly _tag: "Completion"; readonly shell: Shell }
  | { readonly _tag: "Run"; readonly command: Command }

const wrong = (message: string): Either.Either<never, UsageError> => Either.left(new UsageError({ message }))

const protocols: ReadonlySet<string> = new Set<ProtocolName>([
  "req0",
  "rep0",
  "pub0",
  "sub0",
  "push0",
  "pull0",
  "surveyor0",
  "respondent0",
  "pair",
  "pair0",
  "pair1",
  "bus0"
])

const isProtocol = (id: Id): id is ProtocolName => protocols.has(id)

const longestTime = 86_400
const largestCount = 0x7fffffff

/** What was said so far. */
class Said {
  protocol: ProtocolName | undefined = undefined
  format: Format | undefined = undefined
  source: Source | undefined = undefined
  compat = false
  async = false
  insecure = false
  verbose = false
  json = false
  raw = false
  header: Uint8Array | undefined = undefined
  readonly endpoints: Array<Endpoint> = []
  readonly topics: Array<string> = []
  readonly numbers: { [K in NumberId]?: number } = {}
  readonly files: { [K in FileId]?: string } = {}
}

type NumberId = "count" | "interval" | "delay" | "recvTimeout" | "sendTimeout" | "recvMaxSize"
type FileId = "cacert" | "cert" | "key"

const times: ReadonlySet<string> = new Set<NumberId>(["interval", "delay", "recvTimeout", "sendTimeout"])

const most: Readonly<Record<NumberId, number>> = {
  count: largestCount,
  interval: longestTime,
  delay: longestTime,
  recvTimeout: longestTime,
  sendTimeout: longestTime,
  recvMaxSize: largestCount
}

const fileTitles: Readonly<Record<FileId, string>> = {
  cacert: "CA certificate (--cacert)",
  cert: "Certificate (--cert)",
  key: "Key (--key)"
}

const done: Either.Either<void, UsageError> = Either.void

const add = <A>(all: Array<A>, item: A) => {
  all.push(item)
  return done
}

const once = <K extends "protocol" | "format" | "source">(
  said: Said,
  key: K,
  value: NonNullable<Said[K]>,
  what: string
) => {
  if (said[key] !== undefined) return wrong(`${what} may be specified only once.`)
  said[key] = value as Said[K]
  return done
}

const file = (said: Said, id: FileId, path: string) => {
  if (said.files[id] !== undefined) return wrong(`${fileTitles[id]} may be specified only once.`)
  said.files[id] = path
  return done
}

const number = (said: Said, id: NumberId, text: string) =>
  Either.map((times.has(id) ? duration : integer)(text, most[id]), (value) => {
    said.numbers[id] = value
  })

const flag = (said: Said, key: "compat" | "async" | "insecure" | "verbose" | "json" | "raw", value = true) => {
  said[key] = value
  return done
}

const local = (said: Said, role: Endpoint["role"], port: string) =>
  Either.flatMap(integer(port, 65_536), (port) => add(said.endpoints, { role, url: `tcp://127.0.0.1:${port}` }))

const setFormat = (said: Said, value: Format) => once(said, "format", value, "Format")

const namedFormat = (said: Said, name: string) => {
  const format = formats.find((format) => format === name)
  return format === undefined
    ? wrong(`Invalid format ${JSON.stringify(name)} specified: it is one of ${formats.join(", ")}.`)
    : setFormat(said, format)
}

const setSource = (said: Said, source: Source) => once(said, "source", source, "Data (--file, --data)")

const setHeader = (said: Said, text: string) => {
  if (!/^(?:[0-9a-f]{2})+$/i.test(text)) {
    return wrong(`Header (--header) is pairs of hexadecimal digits, as 80000001, and not ${JSON.stringify(text)}.`)
  }
  said.header = Uint8Array.from(text.match(/../g)!, (pair) => Number.parseInt(pair, 16))
  return done
}

type Option = Exclude<Id, ProtocolName | NumberId | FileId>

const options: Readonly<Record<Option, (said: Said, value: string) => Either.Either<void, UsageError>>> = {
  // answered before anything else
  help: () => done,
  version: () => done,
  completion: () => done,
  json: (said) => flag(said, "json"),
  rawSocket: (said) => flag(said, "raw"),
  header: setHeader,
  verbose: (said) => flag(said, "verbose"),
  silent: (said) => flag(said, "verbose", false),
  dial: (said, url) => add(said.endpoints, { role: "dial", url }),
  listen: (said, url) => add(said.endpoints, { role: "listen", url }),
  dialLocal: (said, port) => local(said, "dial", port),
  listenLocal: (said, port) => local(said, "listen", port),
  // with these three slashes an absolute path has four, as in libnng
  dialIpc: (said, path) => add(said.endpoints, { role: "dial", url: `ipc:///${path}` }),
  listenIpc: (said, path) => add(said.endpoints, { role: "listen", url: `ipc:///${path}` }),
  data: (said, text) => setSource(said, { _tag: "Data", text }),
  file: (said, path) => setSource(said, { _tag: "File", path }),
  subscribe: (said, topic) => add(said.topics, topic),
  format: namedFormat,
  ascii: (said) => setFormat(said, "ascii"),
  quoted: (said) => setFormat(said, "quoted"),
  hex: (said) => setFormat(said, "hex"),
  msgpack: (said) => setFormat(said, "msgpack"),
  raw: (said) => setFormat(said, "raw"),
  compat: (said) => flag(said, "compat"),
  async: (said) => flag(said, "async"),
  insecure: (said) => flag(said, "insecure"),
  // it names nothing that anybody sees
  socketName: () => done,
  // zt:// is refused when it is dialed
  ztHome: () => done
}

const hear = (said: Said, { id, value }: Found<Id>): Either.Either<void, UsageError> => {
  if (isProtocol(id)) return once(said, "protocol", id, "A protocol")
  if (id in most) return number(said, id as NumberId, value)
  if (id in fileTitles) return file(said, id as FileId, value)
  return options[id as Option](said, value)
}

/** What a protocol does with the options of data. */
interface Rules {
  readonly takesData: boolean
  readonly needsData: boolean
  readonly takesInterval: boolean
  readonly takesFormat: boolean
}

const both: Rules = { takesData: true, needsData: false, takesInterval: true, takesFormat: true }
const receiver: Rules = { takesData: false, needsData: false, takesInterval: false, takesFormat: true }
const sender: Rules = { takesData: true, needsData: true, takesInterval: true, takesFormat: false }
const asker: Rules = { takesData: true, needsData: true, takesInterval: true, takesFormat: true }
const answerer: Rules = { takesData: true, needsData: false, takesInterval: false, takesFormat: true }

const rules: Readonly<Record<Protocol, Rules>> = {
  pull0: receiver,
  sub0: receiver,
  push0: sender,
  pub0: sender,
  req0: asker,
  surveyor0: asker,
  rep0: answerer,
  respondent0: answerer,
  pair0: both,
  pair1: both,
  bus0: both
}

/** Zero is as good as none. */
const timeout = (value: number | undefined): number | undefined => (value === 0 ? undefined : value)

const chosen = ({ compat, protocol }: Said): Protocol | undefined =>
  protocol === "pair" ? (compat ? "pair0" : "pair1") : protocol

const refuseCompat = ({ async, numbers, protocol }: Said): string | undefined => {
  if (async) return "Options --async and --compat are incompatible."
  if ((numbers.count ?? 0) !== 0) return "Options --count and --compat are incompatible."
  return protocol === "pair1" ? "Protocol does not support --compat." : undefined
}

const refuseData = ({ format, numbers: { interval }, source }: Said, rules: Rules): string | undefined => {
  if (source !== undefined && !rules.takesData) return "Protocol does not support --file or --data."
  if (interval !== undefined && !rules.takesInterval) return "Protocol does not support --interval."
  if (format !== undefined && !rules.takesFormat) return "Protocol does not support --format options."
  if (source === undefined && rules.needsData) return "Protocol requires either --file or --data."
  return source === undefined && interval !== undefined
    ? "Option --interval requires either --file or --data."
    : undefined
}

const refuseOwn = ({ format, header, json, raw, source }: Said): string | undefined => {
  if (json && format !== undefined) return "Options --json and --format are incompatible."
  if (header !== undefined && !raw) return "Option --header requires --raw-socket."
  return header !== undefined && source === undefined ? "Option --header requires either --file or --data." : undefined
}

/** What does not go together, in the order in which libnng's tool finds it. */
const refuse = (said: Said): string | undefined => {
  if (said.endpoints.length === 0) return "No address specified."
  const compat = said.compat ? refuseCompat(said) : undefined
  if (compat !== undefined) return compat
  const protocol = chosen(said)
  if (said.topics.length > 0 && protocol !== "sub0") return "Protocol does not support --subscribe."
  return protocol === undefined ? "No protocol specified." : (refuseData(said, rules[protocol]) ?? refuseOwn(said))
}

const toCommand = (said: Said): Command => {
  const { endpoints, files, numbers, source, topics } = said
  const protocol = chosen(said)!
  return {
    protocol,
    endpoints,
    topics: protocol === "sub0" && topics.length === 0 ? [""] : topics,
    format: said.format ?? "no",
    source,
    count: numbers.count ?? 0,
    interval: numbers.interval,
    delay: numbers.delay ?? 0,
    recvTimeout: timeout(numbers.recvTimeout),
    sendTimeout: timeout(numbers.sendTimeout),
    recvMaxSize: numbers.recvMaxSize === 0 ? largestCount : numbers.recvMaxSize,
    background: said.async || said.compat,
    verbose: said.verbose,
    tls: { insecure: said.insecure, cacert: files.cacert, cert: files.cert, key: files.key ?? files.cert },
    json: said.json,
    raw: said.raw,
    header: said.header
  }
}

const shells: ReadonlyArray<Shell> = ["bash", "zsh", "fish"]

const completion = (name: string): Either.Either<Request, UsageError> => {
  const shell = shells.find((shell) => shell === name)
  return shell === undefined
    ? wrong(`Invalid shell ${JSON.stringify(name)} specified: it is one of ${shells.join(", ")}.`)
    : Either.right({ _tag: "Completion", shell })
}

/**
 * What these options ask for, or why they cannot be followed. Help and version are given as soon as they are met, whatever
 * else is wrong behind them.
 *
 * @internal
 */
export const fromOptions = (found: ReadonlyArray<Found<Id>>): Either.Either<Request, UsageError> => {
  const said = new Said()
  for (const option of found) {
    if (option.id === "help") return Either.right({ _tag: "Help" })
    if (option.id === "version") return Either.right({ _tag: "Version" })
    if (option.id === "completion") return completion(option.value)
    const heard = hear(said, option)
    if (Either.isLeft(heard)) return Either.left(heard.left)
  }
  const refusal = refuse(said)
  return refusal === undefined ? Either.right({ _tag: "Run", command: toCommand(said) }) : wrong(refusal)
}
