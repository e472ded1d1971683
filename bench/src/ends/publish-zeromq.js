// zeromq.js, publishing; see publish.js.
//   publish-zeromq.js pub|sub URL ACKS SUBSCRIBERS
import * as Zmq from "zeromq"
import { burst, burstOf, counter, queue, underWay } from "./bursts.js"
import { say, state } from "./child.js"

const [, , role, url, acks, subscribersText] = process.argv
const subscribers = Number(subscribersText)

const roles = {
  pub: async () => {
    const pull = new Zmq.Pull({ receiveTimeout: 2000 })
    await pull.bind(acks)
    const pub = new Zmq.Publisher({ sendHighWaterMark: queue })
    await pub.bind(url.replace(/:0$/, ":*"))
    say({ port: Number(pub.lastEndpoint.split(":").at(-1)) })
    // it has no way to know that all have subscribed
    await pull.receive()
    for (let [n, open] = [1, 0]; ; n++) {
      for (const body of burstOf(n)) await pub.send(body)
      state.n += burst * subscribers
      if (++open < underWay) continue
      await pull.receive().catch(() => {})
      open--
    }
  },
  sub: async () => {
    const push = new Zmq.Push()
    const count = counter(subscribers, () => void push.send(""))
    const hear = async (sub) => {
      for (;;) count((await sub.receive())[0])
    }
    for (let i = 0; i < subscribers; i++) {
      const sub = new Zmq.Subscriber({ receiveHighWaterMark: queue })
      sub.connect(url)
      sub.subscribe("")
      void hear(sub)
    }
    push.connect(acks)
    setTimeout(() => void push.send(""), 1000)
  }
}

await roles[role]()
