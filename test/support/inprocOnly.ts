/**
 * For the project "simulated" of vitest.config.ts, which runs the tests of sockets once more on the simulated network:
 * what stays on inproc, and why. And nothing there takes real time.
 */
import { afterEach, beforeAll, beforeEach } from "vitest"

const oneMessage =
  "inproc takes one message between the two, so the next send waits, or loses; a network takes 256 KiB and more"
const unseen = "what is on its way when a connection ends is lost unseen on a network; inproc knows of every message"
const anyScheme = "the simulated network serves every scheme, and all of their options"
const ownNetwork = "it brings a network of its own"
const noNetwork = "it needs no network"

/** By file: titles of tests, or of what they are grouped in. */
const reasons: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "bus0-inproc": {
    "[BUS-07] a tcp address is one listener's": ownNetwork
  },
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
  "pair1-inproc": {
    "[POLY-01] ten sends to a peer that does not read succeed": oneMessage,
    "[POLY-11] a peer that floods waits, and a quiet one is heard": oneMessage,
    "of each message it is known which endpoint, which addresses and which peer it came over": ownNetwork
  },
  pipe: {
    "[PIPE-04] has the scheme of its endpoint's URL, over tcp, and the addresses of both ends": ownNetwork
  },
  "pubsub-inproc": {
    "[PUB-03] is writable before a burst, during it, and after": oneMessage
  },
  "rep0-inproc": {
    "an answer that may not wait, and would have to, is lost like one that waits in vain": oneMessage,
    "[REP-07] a requester that never reads makes answers time out, and its pipe can be closed": oneMessage,
    "[REP-08] when the pipe of a requester that never reads closes, all answers to it have been sent": oneMessage,
    "[REP-09] closing contexts ends the answers that wait, and no others": oneMessage,
    "closing one of the contexts whose answers wait lets the others keep their order": oneMessage,
    "closing the socket ends the answers that wait": oneMessage,
    "[REP-11] of ten answers to one that does not read, without waiting, some are sent and some fail": oneMessage,
    "[REP-16] an answer that timed out, or was interrupted, is lost, and its request with it": oneMessage,
    "[REP-19] of a requester that asks three times at once one request is held, and one is in between": oneMessage,
    "[XREP-04] a hundred answers to one who does not read are sent, 64 wait, and closing the pipe is safe": oneMessage,
    "[XREP-05] a requester that floods feels it, and closing does not hang": oneMessage,
    "[REP-05] an answer of 10 MB arrives whole over tcp, and so does what comes after it": ownNetwork
  },
  "req0-inproc": {
    "[REQ-18] it is writable while a replier takes questions": oneMessage,
    "[REQ-36] a send that may not wait fails, and the question before it is gone all the same": oneMessage,
    "[XREQ-07] questions go round among those who read": oneMessage
  },
  "respondent0-inproc": {
    "[RESP-05] answers to somebody who does not read wait, and time out": oneMessage,
    "[RESP-06] answers that wait succeed when their pipe ends, and are counted": oneMessage,
    "[RESP-06] answers that wait end with their contexts": oneMessage,
    "[RESP-07] an answer that may not wait and would have to can be sent again": oneMessage,
    "[XRESP-03] a hundred answers to a surveyor that does not read: all are sent, and the books balance": oneMessage
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
  },
  "surveyor0-inproc": {
    "[SURV-12] two hundred surveys of somebody who does not read: all are sent, and the books balance": oneMessage,
    "a socket that is being drained still receives, and asks nobody": oneMessage,
    "[XSURV-05] closes with responses unread, which are counted": oneMessage,
    "[XSURV-06] a pipe is closed with surveys on their way, which are counted": oneMessage
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
