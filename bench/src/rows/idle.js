// JavaScript heap that an idle connection holds, in KiB: the dialing end, with its dialer; the peer is another process.
import { fork } from "node:child_process"
import { fileURLToPath } from "node:url"

const measure = (who) =>
  new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL("../idle-process.js", import.meta.url)), [who], {
      execArgv: ["--expose-gc"]
    })
    child.once("message", (kib) => {
      child.kill("SIGKILL")
      resolve(kib)
    })
    child.once("error", reject)
  })

export const contenders = { ours: () => measure("ours"), "node:net": () => measure("bare") }
