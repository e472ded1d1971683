import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

const warmUpMillis = 400
const countMillis = 1200
/** Where the machine is busy with others both last longer, until the busiest end has had so much of a core, but not for ever. */
const leastShare = 0.5
const mostStretch = 4
const patienceMillis = 60_000

const sleep = (millis) => new Promise((resolve) => setTimeout(resolve, millis))

/** One process of a row, which answers lines on its stdin. */
export class End {
  #child
  #said = []
  #waiting
  #ended

  constructor([command, ...args], env = {}) {
    this.name = [command, ...args].join(" ")
    this.#child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, ...env } })
    this.#child.stdin.on("error", () => {})
    this.#child.once("error", (error) => this.#end(error))
    this.#child.once("exit", (code, signal) => this.#end(new Error(`${this.name}: ended (${code ?? signal})`)))
    createInterface(this.#child.stdout).on("line", (line) => {
      this.#said.push(JSON.parse(line))
      this.#waiting?.()
    })
  }

  #end(error) {
    this.#ended ??= error
    this.#waiting?.()
  }

  /** The next thing that it says with this key. */
  async said(key) {
    const until = performance.now() + patienceMillis
    for (;;) {
      const at = this.#said.findIndex((what) => key in what)
      if (at >= 0) return this.#said.splice(at, 1)[0][key]
      if (this.#ended !== undefined) throw this.#ended
      if (performance.now() > until) throw new Error(`${this.name}: said no ${key} for ${patienceMillis / 1000} s`)
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, patienceMillis)
        this.#waiting = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  /** What it has counted and used so far; gaps and latencies begin anew. */
  mark() {
    this.#child.stdin.write("mark\n")
    return this.said("mark")
  }

  /** What it has counted and used so far. */
  peek() {
    this.#child.stdin.write("peek\n")
    return this.said("peek")
  }

  /** When it has counted something. */
  async started() {
    const until = performance.now() + patienceMillis
    for (;;) {
      if ((await this.peek()).n > 0) return
      if (performance.now() > until) throw new Error(`${this.name}: nothing came`)
      await sleep(10)
    }
  }

  stop() {
    this.#child.kill("SIGKILL")
  }
}

const script = (name) => fileURLToPath(new URL(`./ends/${name}.js`, import.meta.url))

/** The command of an end that is a module in `ends`. */
export const node = (name, ...args) => [process.execPath, script(name), ...args.map(String)]

/** What it counted and used between two marks. */
const between = (a, b) => {
  const n = b.n - a.n
  return {
    rate: (n * 1000) / (b.at - a.at),
    cpu: n === 0 ? 0 : (b.cpu - a.cpu) / n,
    rssMb: b.rssMb,
    gapMs: b.gapMs,
    gapCpuMs: b.gapCpuMs,
    p50: b.p50,
    mean: b.mean
  }
}

/** CPU time of the whole machine; its ticks are 10 ms. */
const busyMillis = () => {
  const [user, nice, system, , , irq, softirq] = readFileSync("/proc/stat", "utf8").split("\n")[0].split(/ +/).slice(1)
  return 10 * [user, nice, system, irq, softirq].reduce((sum, ticks) => sum + Number(ticks), 0)
}

const greatest = (values) => (values.every((v) => v === undefined) ? undefined : Math.max(...values.map((v) => v ?? 0)))

/** Marks all ends after `millis`, or later, when the busiest has had its share of a core for as long since `before`. */
const marksAfter = async (ends, before, millis) => {
  const until = performance.now() + mostStretch * millis
  await sleep(millis)
  for (;;) {
    const now = await Promise.all(ends.map((end) => end.peek()))
    const cpuMillis = Math.max(...now.map(({ cpu }, i) => (cpu - before[i].cpu) / 1000))
    if (cpuMillis >= leastShare * millis || performance.now() > until) break
    await sleep(millis / 4)
  }
  return Promise.all(ends.map((end) => end.mark()))
}

/** Warms up, counts, and stops all. The first of the ends is the one that counts for the rate. */
const count = async (ends, value) => {
  await ends[0].started()
  const begun = await Promise.all(ends.map((end) => end.peek()))
  const before = await marksAfter(ends, begun, warmUpMillis)
  const machineBefore = busyMillis()
  const after = await marksAfter(ends, before, countMillis)
  const machine = busyMillis() - machineBefore
  const sides = ends.map((_, i) => between(before[i], after[i]))
  const millis = after[0].at - before[0].at
  const own = after.reduce((sum, { cpu }, i) => sum + cpu - before[i].cpu, 0) / 1000
  return {
    value: sides[0][value],
    cpu: sides.reduce((sum, { cpu }) => sum + cpu, 0),
    gapMs: greatest(sides.map(({ gapMs }) => gapMs)),
    gapCpuMs: greatest(sides.map(({ gapCpuMs }) => gapCpuMs)),
    rssMb: sides.reduce((sum, { rssMb }) => sum + rssMb, 0),
    mean: sides[0].mean,
    others: Math.max(0, machine - own) / millis,
    sides
  }
}

const stopping = async (ends, run) => {
  try {
    return await run()
  } finally {
    for (const end of ends) end.stop()
  }
}

const overTcp = (port) => `tcp://127.0.0.1:${port}`

/**
 * Two processes: `listener` says its port, and `dialer(url)` is the command of the other, or promises it; `at` makes the
 * URL. `counts`: which one's rate it is.
 */
export const two = ({ at = overTcp, counts = "listener", dialer, env, listener, value = "rate" }) => {
  const ends = []
  return stopping(ends, async () => {
    ends.push(new End(listener, env))
    const url = at(await ends[0].said("port"))
    ends.push(new End(await dialer(url), env))
    return count(counts === "listener" ? ends : [ends[1], ends[0]], value)
  })
}

/** One process that holds both ends. */
export const one = ({ command, env, value = "rate" }) => {
  const ends = [new End(command, env)]
  return stopping(ends, () => count(ends, value))
}
