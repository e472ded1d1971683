import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Bus0 from "effect-nng/Bus0"
import * as Message from "effect-nng/Message"
import * as Pair0 from "effect-nng/Pair0"
import * as Pair1 from "effect-nng/Pair1"
import * as Pub0 from "effect-nng/Pub0"
import * as Pull0 from "effect-nng/Pull0"
import * as Push0 from "effect-nng/Push0"
import * as Rep0 from "effect-nng/Rep0"
import * as Req0 from "effect-nng/Req0"
import * as Respondent0 from "effect-nng/Respondent0"
import * as Socket from "effect-nng/Socket"
import * as Sub0 from "effect-nng/Sub0"
import * as Surveyor0 from "effect-nng/Surveyor0"
import type { Transports } from "effect-nng/Transport"

/** Brings a socket together with that of the other end. */
export type Join = (socket: Socket.Socket) => Effect.Effect<void, unknown, Scope.Scope>

/** What one end does, and what came of it, as JSON. Its socket stays until the other end has finished too. */
export type End = (join: Join) => Effect.Effect<unknown, unknown, Scope.Scope | Transports>

/** Two ends, which may be in one process or in two, and what must come of each. */
export interface Case {
  readonly title: string
  readonly ends: readonly [End, End]
  readonly results: readonly [unknown, unknown]
}

const joined =
  <S extends Socket.Socket, E, R>(
    make: Effect.Effect<S, E, R>,
    play: (socket: S) => Effect.Effect<unknown, unknown, Scope.Scope>,
    prepare: (socket: S) => Effect.Effect<unknown, unknown> = () => Effect.void
  ) =>
  (join: Join): Effect.Effect<unknown, unknown, R | Scope.Scope> =>
    Effect.gen(function* () {
      const socket = yield* make
      yield* prepare(socket)
      yield* join(socket)
      return yield* play(socket)
    })

const text = <E>(receive: Effect.Effect<Message.Message, E>): Effect.Effect<string, E> =>
  Effect.map(receive, Message.text)

const tagOf = <A>(operation: Effect.Effect<A, unknown>): Effect.Effect<unknown> =>
  Effect.match(operation, { onSuccess: () => "success", onFailure: (error) => (error as { _tag: string })._tag })

const patterned = (size: number): Uint8Array => new Uint8Array(size).map((_, i) => (i * 31) ^ (i >> 8) ^ (i >> 16))

const same = (left: Uint8Array, right: Uint8Array): boolean =>
  left.length === right.length && left.every((byte, i) => byte === right[i])

/** Around what frames have other lengths for, and the longest frame that libnng takes. */
const sizes = [0, 1, 125, 126, 127, 65_535, 65_536, 65_537, 1024 * 1024]

const numbers = Array.from({ length: 1000 }, (_, i) => String(i))

/** Answers each request with itself and an exclamation mark. */
const exclaim = (request: Message.Message) => Effect.succeed(`${Message.text(request)}!`)

const serving = joined(Rep0.make(), (socket) =>
  Effect.forkScoped(Rep0.serve(socket, exclaim)).pipe(Effect.as("serves"))
)

const responding = joined(Respondent0.make(), (socket) =>
  Effect.forkScoped(Respondent0.serve(socket, exclaim)).pipe(Effect.as("serves"))
)

const pairs: ReadonlyArray<Case> = [
  {
    title: "[PAIR0-01] pair0: messages of every size go there and back",
    ends: [
      joined(Pair0.make(), (socket) =>
        Effect.forEach(sizes, (size) =>
          Effect.gen(function* () {
            yield* Socket.send(socket, patterned(size))
            return same((yield* Socket.recv(socket)).body, patterned(size))
          })
        )
      ),
      joined(Pair0.make(), (socket) =>
        Effect.forEach(sizes, () =>
          Effect.tap(Socket.recv(socket), ({ body }) => Socket.send(socket, body.slice()))
        ).pipe(Effect.map((messages) => messages.map(({ length }) => length)))
      )
    ],
    results: [sizes.map(() => true), sizes]
  },
  {
    title: "[PAIR0-12] pair0: a thousand messages each way at once, in order",
    ends: [0, 1].map(() =>
      joined(Pair0.make(), (socket) =>
        Effect.gen(function* () {
          const sending = yield* Effect.fork(Socket.sendAll(socket, numbers))
          const got = yield* Effect.replicateEffect(text(Socket.recv(socket)), numbers.length)
          yield* Fiber.join(sending)
          return got.join()
        })
      )
    ) as unknown as readonly [End, End],
    results: [numbers.join(), numbers.join()]
  },
  {
    title: "[PAIR1-01, PAIR1-07, PAIR1-08] pair1: each way is a hop, which the header counts",
    ends: [
      joined(Pair1.make(), (socket) =>
        Effect.gen(function* () {
          yield* Socket.send(socket, "there")
          const back = yield* Socket.recv(socket)
          return [Message.text(back), [...back.header]]
        })
      ),
      joined(Pair1.makeRaw(), (socket) =>
        Effect.gen(function* () {
          const came = yield* Socket.recv(socket)
          const hops = [...came.header]
          yield* Message.Body.append(came, new TextEncoder().encode(" and back"))
          yield* Socket.send(socket, came)
          return hops
        })
      )
    ],
    results: [
      ["there and back", [0, 0, 0, 2]],
      [0, 0, 0, 1]
    ]
  },
  {
    title:
      "[POLY-02, POLY-03] polyamorous pair1: an answer goes to the pipe that it is for, and a first word to the first",
    ends: [
      joined(Pair1.makePoly(), (socket) =>
        Effect.gen(function* () {
          yield* Socket.send(socket, "who is there?")
          const asked = yield* Socket.recv(socket)
          yield* Pair1.sendTo(socket, asked.pipeId, `hello, ${Message.text(asked)}`)
          return asked.pipeId > 0
        })
      ),
      joined(Pair1.make(), (socket) =>
        Effect.gen(function* () {
          const heard = yield* text(Socket.recv(socket))
          yield* Socket.send(socket, "you")
          return [heard, yield* text(Socket.recv(socket))]
        })
      )
    ],
    results: [true, ["who is there?", "hello, you"]]
  },
  {
    title: "[BUS-01] bus: each hears the other, and not itself",
    ends: ["left", "right"].map((name) =>
      joined(Bus0.make(), (socket) =>
        Effect.gen(function* () {
          yield* Socket.send(socket, `${name} is here`)
          const first = yield* text(Socket.recv(socket))
          yield* Socket.send(socket, `${name} goes`)
          return [first, yield* text(Socket.recv(socket))]
        })
      )
    ) as unknown as readonly [End, End],
    results: [
      ["right is here", "right goes"],
      ["left is here", "left goes"]
    ]
  },
  {
    title: "push and pull: what is pushed is pulled, in order",
    ends: [
      joined(Push0.make(), (socket) => Effect.as(Socket.sendAll(socket, numbers), "pushed")),
      joined(Pull0.make(), (socket) =>
        Effect.map(Effect.replicateEffect(text(Socket.recv(socket)), numbers.length), (got) => got.join())
      )
    ],
    results: ["pushed", numbers.join()]
  }
]

const questions: ReadonlyArray<Case> = [
  {
    title: "[REQ-01, REQ-28] req and rep: a question has its answer, with no header",
    ends: [
      joined(Req0.make(), (socket) =>
        Effect.gen(function* () {
          yield* Socket.send(socket, "ping")
          const answer = yield* Socket.recv(socket)
          return [Message.text(answer), answer.headerLength]
        })
      ),
      serving
    ],
    results: [["ping!", 0], "serves"]
  },
  {
    title: "[REQ-38] req and rep: a hundred questions at once, each with its own answer",
    ends: [
      joined(Req0.make(), (socket) =>
        Effect.forEach(numbers.slice(0, 100), (question) => text(Req0.request(socket, question)), {
          concurrency: "unbounded"
        })
      ),
      serving
    ],
    results: [numbers.slice(0, 100).map((question) => `${question}!`), "serves"]
  },
  {
    title: "[REQ-02, REQ-13, REQ-14] req: a new question takes the place of the one before",
    ends: [
      joined(Req0.make(), (socket) =>
        Effect.gen(function* () {
          const without = yield* tagOf(Socket.recv(socket))
          yield* Socket.send(socket, "silence")
          const waiting = yield* Effect.fork(tagOf(Socket.recv(socket)))
          yield* Effect.repeat(Effect.yieldNow(), { times: 20 })
          yield* Socket.send(socket, "speak")
          return [without, yield* Fiber.join(waiting), yield* text(Socket.recv(socket))]
        })
      ),
      joined(Rep0.make(), (socket) =>
        Effect.gen(function* () {
          let asked = ""
          while (asked !== "speak") asked = yield* text(Socket.recv(socket))
          yield* Socket.send(socket, "spoken")
          return asked
        })
      )
    ],
    results: [["NNG_ESTATE", "NNG_ECANCELED", "spoken"], "speak"]
  },
  {
    title: "[REP-01, REP-15] rep: one answer to each question, and none without",
    ends: [
      joined(Rep0.make(), (socket) =>
        Effect.gen(function* () {
          const before = yield* tagOf(Socket.send(socket, "early"))
          const asked = yield* text(Socket.recv(socket))
          return [before, asked, yield* tagOf(Socket.send(socket, "one")), yield* tagOf(Socket.send(socket, "two"))]
        })
      ),
      joined(Req0.make(), (socket) => text(Req0.request(socket, "how many?")))
    ],
    results: [["NNG_ESTATE", "how many?", "success", "NNG_ESTATE"], "one"]
  }
]

const published = ["def", "de", "abc123", "xzy", "ab", "ghi-drop", "\0\u0001zero", "\0zero", "abc", "end"]

const topics: ReadonlyArray<Case> = [
  {
    title: "[SUB-01, SUB-15, SUB-16] pub and sub: who has topics hears what begins with one, and nothing else",
    ends: [
      joined(Pub0.make(), (socket) => Effect.as(Socket.sendAll(socket, published), "published")),
      joined(
        Sub0.make(),
        (socket) => Effect.map(Effect.replicateEffect(text(Socket.recv(socket)), 5), (got) => [...got]),
        (socket) => Effect.forEach(["abc", "def", "\0\u0001", "end"], (topic) => Sub0.addTopic(socket, topic))
      )
    ],
    results: ["published", ["def", "abc123", "\0\u0001zero", "abc", "end"]]
  },
  {
    title: "[PUB-02] pub and sub: all that is published arrives in order where there is room",
    ends: [
      joined(Pub0.make({ sendBuffer: 1000 }), (socket) => Effect.as(Socket.sendAll(socket, numbers), "published")),
      joined(
        Sub0.make({ recvBuffer: 1000 }),
        (socket) => Effect.map(Effect.replicateEffect(text(Socket.recv(socket)), numbers.length), (got) => got.join()),
        (socket) => Sub0.addTopic(socket, "")
      )
    ],
    results: ["published", numbers.join()]
  },
  {
    title: "[SUB-04, SUB-05] sub: a topic counts once, and one that is not there cannot be removed",
    ends: [
      joined(Pub0.make(), (socket) => Effect.as(Socket.sendAll(socket, ["gone", "stays"]), "published")),
      joined(
        Sub0.make(),
        (socket) =>
          Effect.gen(function* () {
            return [yield* tagOf(Sub0.removeTopic(socket, "gone")), yield* text(Socket.recv(socket))]
          }),
        (socket) =>
          Effect.gen(function* () {
            for (const topic of ["gone", "gone", "stays"]) yield* Sub0.addTopic(socket, topic)
            yield* Sub0.removeTopic(socket, "gone")
          })
      )
    ],
    results: ["published", ["NNG_ENOENT", "stays"]]
  }
]

const surveys: ReadonlyArray<Case> = [
  {
    title: "[SURV-01, SURV-21] surveyor and respondent: a survey has its response, under its id",
    ends: [
      joined(Surveyor0.make({ surveyTime: "1 minute" }), (socket) =>
        Effect.gen(function* () {
          yield* Socket.send(socket, "ping")
          const response = yield* Socket.recv(socket)
          return [Message.text(response), response.headerLength, response.header[0]! >> 7]
        })
      ),
      responding
    ],
    results: [["ping!", 4, 1], "serves"]
  },
  {
    title: "[SURV-02, SURV-05, SURV-06] surveyor: a new survey takes the place of the one before",
    ends: [
      joined(Surveyor0.make({ surveyTime: "1 minute" }), (socket) =>
        Effect.gen(function* () {
          const without = yield* tagOf(Socket.recv(socket))
          yield* Socket.send(socket, "silence")
          const waiting = yield* Effect.fork(tagOf(Socket.recv(socket)))
          yield* Effect.repeat(Effect.yieldNow(), { times: 20 })
          yield* Socket.send(socket, "speak")
          return [without, yield* Fiber.join(waiting), yield* text(Socket.recv(socket))]
        })
      ),
      joined(Respondent0.make(), (socket) =>
        Effect.gen(function* () {
          let asked = ""
          while (asked !== "speak") asked = yield* text(Socket.recv(socket))
          yield* Socket.send(socket, "spoken")
          return [asked, yield* tagOf(Socket.send(socket, "again"))]
        })
      )
    ],
    results: [
      ["NNG_ESTATE", "NNG_ECANCELED", "spoken"],
      ["speak", "NNG_ESTATE"]
    ]
  },
  {
    title: "[SURV-13, RESP-01] surveyor: a survey that nobody answers ends with its time",
    ends: [
      joined(Surveyor0.make({ surveyTime: "50 millis" }), (socket) =>
        Effect.gen(function* () {
          yield* Socket.send(socket, "anybody?")
          return [yield* tagOf(Socket.recv(socket)), yield* tagOf(Socket.recv(socket))]
        })
      ),
      joined(Respondent0.make(), (socket) =>
        Effect.gen(function* () {
          return [yield* tagOf(Socket.send(socket, "early")), yield* text(Socket.recv(socket))]
        })
      )
    ],
    results: [
      ["NNG_ETIMEDOUT", "NNG_ESTATE"],
      ["NNG_ESTATE", "anybody?"]
    ]
  },
  {
    title: "[SURV-15] surveyor: surveys at once, each with its own responses",
    ends: [
      joined(Surveyor0.make(), (socket) =>
        Effect.forEach(
          ["one", "two", "three", "four", "five"],
          (question) =>
            Stream.runCollect(Stream.take(Surveyor0.survey(socket, question, { timeout: "1 minute" }), 1)).pipe(
              Effect.map((responses) => Chunk.toReadonlyArray(responses).map(Message.text).join())
            ),
          { concurrency: "unbounded" }
        )
      ),
      responding
    ],
    results: [["one!", "two!", "three!", "four!", "five!"], "serves"]
  }
]

/** What is true of the protocols wherever the two ends are. */
export const cases: ReadonlyArray<Case> = [...pairs, ...questions, ...topics, ...surveys]
