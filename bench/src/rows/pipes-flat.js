// What a message costs a socket that has many other pipes: CPU of the process with the pipes, all idle but one.
import { End, node, two } from "../driver.js"
import { anyPort } from "../peers.js"

const counts = [1, 100, 1000, 5000]

const beside = async (idle, { active, protocol, role }) => {
  let crowd
  try {
    const sample = await two({
      listener: node("ours", role, anyPort),
      dialer: async (url) => {
        crowd = new End(node("idle", "crowd", url, idle, protocol))
        await crowd.said("there")
        return node("ours", active, url)
      }
    })
    return { ...sample, value: sample.sides[0].cpu, cpu: sample.sides[0].cpu }
  } finally {
    crowd?.stop()
  }
}

const pull = { role: "recv-op", active: "send-op", protocol: 0x50 }
const rep = { role: "server", active: "client-one", protocol: 0x30 }

const of = (name, kind) => Object.fromEntries(counts.map((idle) => [`${name}, ${idle} idle`, () => beside(idle, kind)]))

export const row = {
  title: "CPU for a message of 64 B over tcp at a socket with this many idle pipes beside the active one",
  unit: "us of CPU",
  ours: "ours, pull, 5000 idle",
  contenders: { ...of("ours, pull", pull), ...of("ours, rep", rep) },
  compare: [
    ["ours, pull, 5000 idle", "ours, pull, 1 idle"],
    ["ours, rep, 5000 idle", "ours, rep, 1 idle"]
  ],
  floors: []
}
