import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { interleaved, ratios, show, summary } from "./measure.js"

const rounds = Number(process.env.ROUNDS ?? 21)
const bin = fileURLToPath(new URL("../../bin/nngcat.js", import.meta.url))

/** Milliseconds from the start of a program to its end. */
const timed = (command, args) => () =>
  new Promise((resolve, reject) => {
    const start = process.hrtime.bigint()
    spawn(command, args, { stdio: "ignore" })
      .once("error", reject)
      .once("close", () => resolve(Number(process.hrtime.bigint() - start) / 1e6))
  })

const args = ["--push", "--data", "x", "--dial"]
const contenders = {
  "node -e 0": timed(process.execPath, ["-e", "0"]),
  "nngcat --version": timed(process.execPath, [bin, "--version"]),
  "nngcat tcp, refused": timed(process.execPath, [bin, ...args, "tcp://127.0.0.1:1"]),
  "nngcat ws, refused": timed(process.execPath, [bin, ...args, "ws://127.0.0.1:1"]),
  "libnng's, tcp, refused": timed("nngcat", [...args, "tcp://127.0.0.1:1"])
}

/** Of what `node -e 0` takes. */
const atMost = 3
const ours = "nngcat tcp, refused"

const here = await timed("nngcat", ["--version"])().then(
  () => true,
  () => false
)
if (!here) {
  console.error("libnng's nngcat is not there: left out")
  delete contenders["libnng's, tcp, refused"]
}
await interleaved(2, contenders)
const results = await interleaved(rounds, contenders)
console.log(`from start to end, milliseconds (${rounds} rounds)`)
for (const [name, values] of Object.entries(results)) console.log(`  ${name.padEnd(24)} ${show(summary(values), 1)}`)
const ratio = ratios(results[ours], results["node -e 0"])
const met = ratio.median <= atMost
console.log(`  ${ours} / node -e 0: ${show(ratio)}, at most ${atMost}: ${met ? "ok" : "NOT MET"}`)
process.exitCode = met ? 0 : 1
