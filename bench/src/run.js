// npm run row -- ID [--json] [--peers]    npm run all [-- --json] [-- --peers]
import { spawnSync } from "node:child_process"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import * as Os from "node:os"
import { brief, evaluate, markdown, table } from "./report.js"

const ids = [
  "tcp-64-op",
  "tcp-64-batch",
  "tcp-1k",
  "tcp-64k",
  "tcp-1m",
  "tls-64",
  "tls-64k",
  "ws-64",
  "ws-1k",
  "ws-64k",
  "reqrep-rtt",
  "reqrep-pipelined",
  "pub-10",
  "pub-100",
  "ipc-64",
  "inproc-64",
  "inproc-rtt",
  "idle-memory",
  "pipes-flat",
  "loop-gap"
]

const args = process.argv.slice(2)
const json = args.includes("--json")
/** The peers alone: what the machine can do, before any of ours is looked at. */
const peersOnly = args.includes("--peers")
const all = args.includes("--all")
const asked = args.filter((arg) => !arg.startsWith("--"))
const rounds = Number(process.env.ROUNDS ?? 5)

const unknown = asked.filter((id) => !ids.includes(id))
if (unknown.length > 0 || (!all && asked.length === 0) || !(rounds >= 1)) {
  console.error(`npm --prefix bench run row -- ID [--json]\nROUNDS: a number; ID: ${ids.join(", ")}`)
  process.exit(2)
}

const progress = (text) => process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${text}` : `${text}\n`)

/** Once more where a process did not come up in time: the machine may be busy. */
const attempt = async (what, run) => {
  try {
    return await run()
  } catch (error) {
    process.stderr.write(`${what}, again after: ${error.message}\n`)
    return run()
  }
}

/** Contenders take turns, beginning with another one each round, so that whatever else the machine does meets all. */
const roundsOf = async (id, contenders) => {
  const names = Object.keys(contenders)
  const samples = Object.fromEntries(names.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < names.length; i++) {
      const name = names[(i + round) % names.length]
      progress(`${id}: round ${round + 1} of ${rounds}, ${name}`)
      samples[name].push(await attempt(`${id}, ${name}`, contenders[name]))
    }
  }
  return samples
}

const version = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url))).version

const versionOf = (path) => {
  try {
    return version(path)
  } catch {
    return "absent"
  }
}

const libnngVersion = () => {
  const { stdout } = spawnSync("cc", ["-E", "-dM", "-include", "nng/nng.h", "-xc", "/dev/null"], { encoding: "utf8" })
  const parts = ["MAJOR", "MINOR", "PATCH"].map((p) => new RegExp(`NNG_${p}_VERSION (\\d+)`).exec(stdout ?? "")?.[1])
  return parts.includes(undefined) ? "absent" : parts.join(".")
}

const load = () =>
  Os.loadavg()
    .map((l) => l.toFixed(1))
    .join(" ")

const started = performance.now()
const loadBefore = load()
const results = []
for (const id of all && asked.length === 0 ? ids : asked) {
  const { row } = await import(`./rows/${id}.js`)
  const contenders = Object.fromEntries(
    Object.entries(row.contenders).filter(([name]) => !peersOnly || !/^ours(,|$)/.test(name))
  )
  if (Object.keys(contenders).length === 0) continue
  const result = await roundsOf(id, contenders).then(
    (samples) => evaluate(id, row, samples),
    (error) => {
      process.stderr.write(`${id}: no result: ${error.message}\n`)
      process.exitCode = 1
    }
  )
  if (result === undefined) continue
  results.push(result)
  if (process.stderr.isTTY) progress("")
  if (all && !json) console.log(`\n${id}: ${row.title}\n${table([result])}`)
}

const machine =
  `${Os.cpus().length} cores (${Os.cpus()[0].model.trim()}), Node ${process.versions.node}, ` +
  `effect ${versionOf("../../node_modules/effect/package.json")}, libnng ${libnngVersion()}, ` +
  `zeromq.js ${versionOf("../node_modules/zeromq/package.json")}, load before and after ${loadBefore} / ${load()}.`
const when = new Date().toISOString().slice(0, 16)
const text = markdown(results, { machine, rounds, when, minutes: ((performance.now() - started) / 60_000).toFixed(1) })
const objects = results.map(brief)

const directory = new URL("../results/", import.meta.url)
mkdirSync(directory, { recursive: true })
const stem = `${when.replaceAll(":", "")}-${peersOnly ? "peers" : all && asked.length === 0 ? "all" : asked.join("-")}`
writeFileSync(
  new URL(`${stem}.json`, directory),
  `${JSON.stringify({ when, machine, rounds, rows: objects }, null, 2)}\n`
)
writeFileSync(new URL(`${stem}.md`, directory), text)
if (all && asked.length === 0 && !peersOnly) writeFileSync(new URL("latest.md", directory), text)

if (results.length === 0) process.exit(1)
if (json) console.log(JSON.stringify(all ? objects : objects[0]))
else console.log(`\n${machine}\n\n${table(results)}\n\nin bench/results/${stem}.md`)
process.exit()
