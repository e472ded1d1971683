// One way, 64 bytes over tcp, sender and receiver in two processes: messages a second, counted by the receiver.
import { fork } from "node:child_process"
import { fileURLToPath } from "node:url"

const pair = (sender, receiver) =>
  new Promise((resolve, reject) => {
    const path = fileURLToPath(new URL("../oneway-process.js", import.meta.url))
    const receiving = fork(path, [receiver])
    let sending
    receiving.on("message", ({ port, rate }) => {
      if (port !== undefined) {
        sending = fork(path, [sender, String(port)])
        return
      }
      sending.kill("SIGKILL")
      receiving.kill("SIGKILL")
      resolve(rate)
    })
    receiving.once("error", reject)
  })

export const contenders = {
  ours: () => pair("send", "recv"),
  "node:net, coalesced": () => pair("bare-coalesced", "bare-recv"),
  "node:net, a write each": () => pair("bare-single", "bare-recv")
}
