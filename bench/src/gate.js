import { interleaved, ratios, show, summary } from "./measure.js"
import * as idle from "./rows/idle.js"
import * as oneway from "./rows/oneway.js"
import * as rtt from "./rows/rtt.js"

const rounds = Number(process.env.ROUNDS ?? 5)
const only = process.argv.slice(2)

const rows = {
  rtt: {
    title: "round trip 64 B, tcp, one process (us)",
    ...rtt,
    against: [{ peer: "node:net", atMost: 1.8 }]
  },
  oneway: {
    title: "one way 64 B, tcp, two processes (messages/s)",
    ...oneway,
    against: [
      { peer: "node:net, coalesced", atLeast: 0.4 },
      { peer: "node:net, a write each", atLeast: 8 }
    ]
  },
  idle: {
    title: "heap for each idle pipe with its dialer, tcp (KiB)",
    ...idle,
    limits: { ours: 10 },
    against: [{ peer: "node:net" }]
  }
}

let failed = false
const verdict = (ok) => {
  failed ||= !ok
  return ok ? "ok" : "NOT MET"
}

for (const [id, row] of Object.entries(rows)) {
  if (only.length > 0 && !only.includes(id)) continue
  const results = await interleaved(rounds, row.contenders)
  console.log(`\n${row.title}`)
  for (const [name, values] of Object.entries(results)) {
    const s = summary(values)
    const limit = row.limits?.[name]
    console.log(
      `  ${name.padEnd(26)} ${show(s, s.median > 1000 ? 0 : 2)}` +
        (limit === undefined ? "" : `  at most ${limit}: ${verdict(s.median <= limit)}`)
    )
  }
  for (const { peer, atMost, atLeast } of row.against) {
    const ratio = ratios(results.ours, results[peer])
    const floor =
      atMost !== undefined
        ? `  at most ${atMost}: ${verdict(ratio.median <= atMost)}`
        : atLeast !== undefined
          ? `  at least ${atLeast}: ${verdict(ratio.median >= atLeast)}`
          : ""
    console.log(`  ours / ${peer.padEnd(19)} ${show(ratio)}${floor}`)
  }
}
process.exitCode = failed ? 1 : 0
process.exit()
