/**
 * For the project "simulated" of vitest.config.ts, which runs the tests of sockets once more on the simulated network:
 * what stays on inproc, and why. And nothing there takes real time.
 */
import { afterEach, beforeAll, beforeEach } from "vitest"

const oneMessage = "inproc takes one message between the two, so the next send waits; a network takes 256 KiB and more"
const unseen = "what is on its way when a connection ends is lost unseen on a network; inproc knows of every message"
const anyScheme = "the simulated network serves every scheme, and all of their options"
const ownNetwork = "it brings a network of its own"
const noNetwork = "it needs no network"

/** By file: titles of tests, or of what they are grouped in. */
const reasons: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  deadlines: {
    Deadlines: noNetwork,
    "room that comes as the time of a send is up is used once or not at all": oneMessage
  },
  dialer: {
    "[DIAL-10] is not made for a scheme that nobody serves, nor for what is no URL": anyScheme,
    "is not made for an address that cannot be dialed": ownNetwork,
    "over tcp it comes back to a listener that went and came back": ownNetwork
  },
  ends: {
    "gives them up for a send that came before the end, which waits for the next peer": oneMessage,
    "gives them up for what is in its send buffer": oneMessage,
    "a tcp listener whose start was interrupted holds no port": ownNetwork,
    "a stream that had ended before it was wrapped says so": noNetwork
  },
  laws: {
    "with hops of the event loop in between": ownNetwork,
    "over tcp": ownNetwork
  },
  listener: {
    "[LSTN-02] has its tcp address alone, on the same socket or another": ownNetwork,
    "[LSTN-05] is not made for a scheme that nobody serves, nor for what is no URL": anyScheme,
    "is not made for an address that its transport cannot have": ownNetwork
  },
  pipe: {
    "[PIPE-04] has the scheme of its endpoint's URL, over tcp, and the addresses of both ends": ownNetwork
  },
  "pair0-inproc": {
    "[PAIR0-03] a peer that does not read makes a send time out before the tenth": oneMessage,
    "[PAIR0-06] two sends go unread, a third waits": oneMessage,
    "[PAIR0-07] it is writable with a peer that has room": oneMessage,
    "[PAIR0-11] of four messages, one read, the next peer gets the fourth": oneMessage,
    "[PAIR0-12] sends that wait complete as the peer reads, in the order in which they began": oneMessage,
    "sends that wait stay, and serve the next peer": oneMessage,
    "[PAIR0-13] holds its place over inproc: others are refused until it has been read": ownNetwork,
    "[PAIR0-13] holds its place over tcp: others are refused until it has been read": ownNetwork
  },
  socket: {
    "[SOCK-22] a send that failed leaves the message with its sender, as it was": oneMessage,
    "sendAll that is interrupted has sent a beginning, and leaves out the rest": oneMessage,
    "sendAll that failed has sent a beginning too": oneMessage,
    "nobody overtakes a sendAll that waits": oneMessage,
    "who never has to wait, in combinators, lets timers and other fibers run all the same": ownNetwork,
    "who never has to wait, in a generator, lets timers and other fibers run all the same": ownNetwork,
    "in a generator operations do what they do elsewhere": oneMessage,
    "a sink sends what it is given and waits where a send would": oneMessage,
    "[SOCK-13] of five queued messages the peer receives only the one handed over, and no error": oneMessage,
    "messages that die with a connection are counted": unseen,
    "a message that was on its way when the receiver closed is counted by one of the two": unseen
  }
}

interface Task {
  readonly name: string
  readonly suite?: Task | undefined
  readonly tasks?: ReadonlyArray<Task>
}

const reasonsOf = (filepath: string) => reasons[/([^/\\]+)\.test\.ts$/.exec(filepath)?.[1] ?? ""] ?? {}

const names = (task: Task): ReadonlyArray<string> => [task.name, ...(task.tasks ?? []).flatMap(names)]

beforeAll((file) => {
  const there = new Set(names(file))
  const gone = Object.keys(reasonsOf(file.file.filepath)).filter((title) => !there.has(title))
  if (gone.length > 0) throw new Error(`test/support/inprocOnly.ts names what is not there: ${gone.join("; ")}`)
})

beforeEach(({ skip, task }) => {
  const known = reasonsOf(task.file.filepath)
  for (let at: Task | undefined = task; at !== undefined; at = at.suite) {
    if (known[at.name] !== undefined) skip(known[at.name]!)
  }
})

const slept: Array<number> = []
const { setTimeout: schedule } = globalThis

// a timer may be set as a guard; that one goes off means that somebody waited. (effect's scheduler uses those of 0)
Object.assign(globalThis, {
  setTimeout: Object.assign(
    (run: (...args: ReadonlyArray<unknown>) => void, millis = 0, ...args: ReadonlyArray<unknown>) =>
      schedule(() => {
        if (millis > 0) slept.push(millis)
        run(...args)
      }, millis),
    schedule
  )
})

afterEach(() => {
  const times = slept.splice(0)
  if (times.length > 0) throw new Error(`it took real time: ${times.join(", ")} ms`)
})
