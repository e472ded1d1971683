// What the ends that are Node processes have in common with the C programs: lines on stdin ask what this process has
// counted and used so far, "mark" or "peek".
import { monitorEventLoopDelay } from "node:perf_hooks"
import { createInterface } from "node:readline"

/** What an end counts: `n` is messages, or answers. */
export const state = { n: 0 }

const mostTrips = 1 << 20
const trips = new Float64Array(mostTrips)
let tripCount = 0

/** Microseconds that one round trip took. */
export const addTrip = (micros) => {
  if (tripCount < mostTrips) trips[tripCount++] = micros
}

const latency = () => {
  if (tripCount === 0) return {}
  const sorted = trips.slice(0, tripCount).sort()
  tripCount = 0
  return { p50: sorted[sorted.length >> 1], mean: sorted.reduce((a, b) => a + b) / sorted.length }
}

export const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`)

const tickMillis = 10
const delay = monitorEventLoopDelay({ resolution: tickMillis })
delay.enable()

// the same by hand, in CPU time too: a machine that is busy with others makes gaps that are not ours
let longest = 0
let longestCpu = 0

const cpuMicros = () => {
  const { system, user } = process.cpuUsage()
  return user + system
}

/** Only for rows about the gap: its clock costs a bit. */
export const watchGaps = () => {
  let last = performance.now()
  let lastCpu = cpuMicros()
  setInterval(() => {
    const now = performance.now()
    const nowCpu = cpuMicros()
    longest = Math.max(longest, now - last)
    longestCpu = Math.max(longestCpu, nowCpu - lastCpu)
    last = now
    lastCpu = nowCpu
  }, tickMillis)
}

const soFar = () => ({
  at: performance.now(),
  n: state.n,
  cpu: cpuMicros(),
  rssMb: process.memoryUsage.rss() / 1048576
})

const answers = {
  peek: soFar,
  /** Gaps and latencies are those since the last mark. */
  mark: () => {
    const answer = {
      ...soFar(),
      gapMs: Math.max(longest, Number.isFinite(delay.max) ? delay.max / 1e6 : 0),
      gapCpuMs: longestCpu / 1000,
      ...latency()
    }
    delay.reset()
    longest = 0
    longestCpu = 0
    return answer
  }
}

const input = createInterface(process.stdin)
input.on("line", (name) => say({ [name]: answers[name]() }))
input.on("close", () => process.exit())
