import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FC from "effect/FastCheck"
import type { Leftover } from "effect-nng/Duplex"
import * as Errors from "effect-nng/Errors"
import * as Message from "effect-nng/Message"
import type { Messages } from "effect-nng/Transport"
import { ByteMessages } from "../../src/internal/connection/messages.js"
import { pair } from "../../src/internal/inproc/end.js"
import { SharingPool } from "../../src/internal/wire/sharing.js"
import { FakeBytes } from "../support/duplex.js"
import { frame } from "../support/peers.js"

const KiB = 1024
const reset = new Errors.ECONNRESET({ operation: "stream" })

/** Long enough for all that happens without time and without I/O. */
const settle = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

const texts = (messages: Iterable<Message.Message>): Array<string> => Array.from(messages, Message.text)

const left = ({ doubtful, unsent }: Leftover<Message.Message>) => ({ unsent: texts(unsent), doubtful: texts(doubtful) })

const pushAll = (messages: Messages, ...bodies: ReadonlyArray<string>): Array<boolean> =>
  bodies.map((body) => messages.push(Message.make(body)))

/** What its owner is told. */
const listen = (messages: Messages, awaits = false) => {
  const told = { got: [] as Array<string>, drained: 0, closed: [] as Array<string> }
  messages.start({
    awaits,
    onPull: (batch) => void told.got.push(...texts(batch)),
    onDrain: () => void told.drained++,
    onClose: (error) => void told.closed.push(error._tag)
  })
  return told
}

/** How often it is told that all is sent. */
const asked = (messages: Messages): { times: number } => {
  const answer = { times: 0 }
  messages.whenSent(() => void answer.times++)
  return answer
}

describe("messages over bytes", () => {
  const make = (accepting = true) => {
    const bytes = new FakeBytes()
    bytes.accepting = accepting
    const messages = new ByteMessages(bytes, { marker: undefined }, new SharingPool(), 0, new Uint8Array(0))
    return { bytes, messages, told: listen(messages) }
  }

  it("offer the stream the place of a large body, where it need not be", () => {
    const { bytes, messages, told } = make()
    const large = frame("x".repeat(100_000))
    expect(messages.pull()).toBeUndefined()
    bytes.arrive(large)
    expect(messages.pull()).toBeUndefined()
    bytes.arrive(large.subarray(0, 60_000))
    expect(bytes.offered.at(-1)!.length).toBe(large.length - 60_000)
    bytes.arrive(large.subarray(60_000))
    expect(told.got.map(({ length }) => length)).toEqual([100_000, 100_000])
  })

  describe("whenSent", () => {
    it.effect("calls back later, and once, when nothing was sent", () =>
      Effect.gen(function* () {
        const { messages } = make()
        const answer = asked(messages)
        expect(answer.times).toBe(0)
        yield* settle
        expect(answer.times).toBe(1)
        pushAll(messages, "a")
        yield* settle
        expect(answer.times).toBe(1)
      })
    )

    it.effect("waits for what was pushed in this tick, and for who asked before it too", () =>
      Effect.gen(function* () {
        const { bytes, messages } = make(false)
        pushAll(messages, "a")
        const answers = [asked(messages), asked(messages)]
        yield* settle
        expect(answers.map(({ times }) => times)).toEqual([0, 0])
        bytes.drain()
        yield* settle
        expect(answers.map(({ times }) => times)).toEqual([1, 1])
      })
    )

    it.effect("waits for all that came behind", () =>
      Effect.gen(function* () {
        const { bytes, messages } = make(false)
        pushAll(messages, "a")
        yield* settle
        pushAll(messages, "b")
        const answer = asked(messages)
        bytes.drain()
        yield* settle
        expect([answer.times, bytes.writes.length]).toEqual([0, 2])
        bytes.drain()
        yield* settle
        expect(answer.times).toBe(1)
      })
    )

    it.effect("is done when every write is taken at once", () =>
      Effect.gen(function* () {
        const { bytes, messages } = make()
        pushAll(messages, "a")
        messages.push(Message.fromBytes(new Uint8Array(300 * KiB)))
        const answer = asked(messages)
        expect(bytes.writes.length).toBe(0)
        yield* settle
        expect([answer.times, bytes.writes.length]).toEqual([1, 1])
      })
    )

    for (const how of ["ends", "is closed", "fails to decode"] as const) {
      it.effect(`calls back when the connection ${how}, since nothing more can be handed over`, () =>
        Effect.gen(function* () {
          const { bytes, messages } = make(false)
          pushAll(messages, "writing")
          yield* settle
          pushAll(messages, "pending")
          const before = asked(messages)
          yield* settle
          expect(before.times).toBe(0)
          if (how === "ends") bytes.end(reset)
          else if (how === "is closed") messages.close()
          else {
            messages.pull()
            bytes.arrive(new Uint8Array(8).fill(255))
          }
          yield* settle
          expect(before.times).toBe(1)
          const after = asked(messages)
          yield* settle
          expect([before.times, after.times]).toEqual([1, 1])
        })
      )
    }
  })

  describe("what is left over", () => {
    it.effect("is nothing when all was taken", () =>
      Effect.gen(function* () {
        const { messages } = make()
        pushAll(messages, "a", "b")
        yield* settle
        expect(left(messages.close())).toEqual({ unsent: [], doubtful: [] })
      })
    )

    it.effect("is in doubt when it is being written, and unsent behind that", () =>
      Effect.gen(function* () {
        const { bytes, messages } = make(false)
        pushAll(messages, "a", "b")
        yield* settle
        pushAll(messages, "c", "d")
        expect(left(messages.close())).toEqual({ unsent: ["c", "d"], doubtful: ["a", "b"] })
        expect(bytes.writes.length).toBe(1)
      })
    )

    it.effect("is unsent when the connection ended before it was written, and is written to nobody", () =>
      Effect.gen(function* () {
        const { bytes, messages } = make()
        pushAll(messages, "gone")
        yield* settle
        pushAll(messages, "a")
        bytes.end(reset)
        pushAll(messages, "b")
        yield* settle
        pushAll(messages, "c")
        yield* settle
        expect(left(messages.close())).toEqual({ unsent: ["a", "b", "c"], doubtful: [] })
        expect(bytes.output.length).toBe(frame("gone").length)
      })
    )

    it.effect("is in doubt when it was being written at the end", () =>
      Effect.gen(function* () {
        const { bytes, messages } = make(false)
        pushAll(messages, "a")
        yield* settle
        pushAll(messages, "b")
        bytes.end(reset)
        yield* settle
        expect(left(messages.close())).toEqual({ unsent: ["b"], doubtful: ["a"] })
      })
    )

    it.effect("is told once", () =>
      Effect.gen(function* () {
        const { messages } = make(false)
        pushAll(messages, "a")
        yield* settle
        messages.close()
        expect(left(messages.close())).toEqual({ unsent: [], doubtful: [] })
      })
    )

    it.effect.prop(
      "with what was written is all that was pushed, in order: written, in doubt, unsent",
      [
        FC.array(
          FC.oneof(
            { weight: 4, arbitrary: FC.constant("push" as const) },
            { weight: 2, arbitrary: FC.constant("settle" as const) },
            { weight: 1, arbitrary: FC.constantFrom("drain" as const, "stall" as const, "flow" as const) }
          ),
          { maxLength: 40 }
        ),
        FC.boolean()
      ],
      ([steps, ends]) =>
        Effect.gen(function* () {
          const { bytes, messages } = make()
          const pushed: Array<string> = []
          for (const step of steps) {
            if (step === "push") {
              const text = `message ${pushed.length}`
              pushed.push(text)
              pushAll(messages, text)
            } else if (step === "settle") yield* settle
            else if (step === "drain" && bytes.full) bytes.drain()
            else bytes.accepting = step === "flow"
          }
          if (ends) bytes.end(reset)
          const { doubtful, unsent } = left(messages.close())
          const written = bytes.output.toString().match(/message \d+/g) ?? []
          // what is in doubt was given to the stream
          expect([...written, ...unsent]).toEqual(pushed)
          expect(written.slice(written.length - doubtful.length)).toEqual(doubtful)
          if (!bytes.full) expect(doubtful).toEqual([])
        })
    )
  })
})

describe("messages without bytes", () => {
  const make = () => {
    const [ours, theirs] = pair()
    return { ours, theirs, told: listen(ours), toldThem: listen(theirs) }
  }

  it.effect("whenSent calls back later when nothing was sent", () =>
    Effect.gen(function* () {
      const { ours } = make()
      const answer = asked(ours)
      expect(answer.times).toBe(0)
      yield* settle
      expect(answer.times).toBe(1)
    })
  )

  it.effect("where somebody waits for what was asked for, one more comes with it, and one is between", () =>
    Effect.gen(function* () {
      const [ours, theirs] = pair()
      const told = listen(ours)
      const toldThem = listen(theirs, true)
      expect(theirs.pull()).toBeUndefined()
      expect(pushAll(ours, "a", "b", "c")).toEqual([true, true, false])
      yield* settle
      expect([toldThem.got, told.drained]).toEqual([["a", "b"], 0])
      expect(texts(theirs.pull()!)).toEqual(["c"])
      yield* settle
      expect(told.drained).toBe(1)
      // it has not asked yet
      expect(pushAll(ours, "d")).toEqual([false])
    })
  )

  it.effect("what came with it comes back too when the other side closes before it was told", () =>
    Effect.gen(function* () {
      const [ours, theirs] = pair()
      listen(ours)
      const toldThem = listen(theirs, true)
      expect(theirs.pull()).toBeUndefined()
      pushAll(ours, "a", "b", "c")
      theirs.close()
      yield* settle
      expect(toldThem.got).toEqual([])
      expect(left(ours.close())).toEqual({ unsent: ["a", "b", "c"], doubtful: [] })
    })
  )

  it.effect("what was asked for is handed over with the push", () =>
    Effect.gen(function* () {
      const { ours, theirs, toldThem } = make()
      expect(theirs.pull()).toBeUndefined()
      expect(pushAll(ours, "a")).toEqual([true])
      const answer = asked(ours)
      yield* settle
      expect([toldThem.got, answer.times]).toEqual([["a"], 1])
      expect(left(ours.close())).toEqual({ unsent: [], doubtful: [] })
    })
  )

  it.effect("whenSent waits until the peer has asked for what is between", () =>
    Effect.gen(function* () {
      const { ours, theirs, told } = make()
      expect(pushAll(ours, "a")).toEqual([false])
      const answer = asked(ours)
      yield* settle
      expect(answer.times).toBe(0)
      expect(texts(theirs.pull()!)).toEqual(["a"])
      expect(answer.times).toBe(0)
      yield* settle
      expect([answer.times, told.drained]).toEqual([1, 1])
    })
  )

  for (const who of ["ours", "theirs"] as const) {
    it.effect(`whenSent calls back when ${who === "ours" ? "it" : "the peer"} closes`, () =>
      Effect.gen(function* () {
        const { ours, theirs } = make()
        pushAll(ours, "a")
        const before = asked(ours)
        if (who === "ours") ours.close()
        else theirs.close()
        yield* settle
        expect(before.times).toBe(1)
        const after = asked(ours)
        yield* settle
        expect([before.times, after.times]).toEqual([1, 1])
      })
    )

    it.effect(`what is between is unsent when ${who === "ours" ? "it" : "the peer"} closes first`, () =>
      Effect.gen(function* () {
        const { ours, theirs, toldThem } = make()
        pushAll(ours, "a")
        if (who === "theirs") {
          expect(left(theirs.close())).toEqual({ unsent: [], doubtful: [] })
          yield* settle
        }
        expect(left(ours.close())).toEqual({ unsent: ["a"], doubtful: [] })
        expect(left(ours.close())).toEqual({ unsent: [], doubtful: [] })
        yield* settle
        expect(toldThem.got).toEqual([])
      })
    )
  }

  it.effect("what the peer had asked for and closed before it was told of is unsent too, and comes first", () =>
    Effect.gen(function* () {
      const { ours, theirs, toldThem } = make()
      theirs.pull()
      expect(pushAll(ours, "a", "b")).toEqual([true, false])
      // what comes is none of what it had to send
      expect(left(theirs.close())).toEqual({ unsent: [], doubtful: [] })
      yield* settle
      expect(left(ours.close())).toEqual({ unsent: ["a", "b"], doubtful: [] })
      expect(toldThem.got).toEqual([])
    })
  )

  it.effect("what the peer had asked for arrives, though it is closed at once here", () =>
    Effect.gen(function* () {
      const { ours, theirs, toldThem } = make()
      theirs.pull()
      pushAll(ours, "a")
      expect(left(ours.close())).toEqual({ unsent: [], doubtful: [] })
      yield* settle
      expect(toldThem).toMatchObject({ got: ["a"], closed: ["NNG_ECONNSHUT"] })
    })
  )

  it.effect("what is pushed to a peer that is gone is unsent", () =>
    Effect.gen(function* () {
      const { ours, theirs, told } = make()
      theirs.pull()
      theirs.close()
      expect(pushAll(ours, "a")).toEqual([false])
      yield* settle
      expect(told.closed).toEqual(["NNG_ECONNSHUT"])
      expect(left(ours.close())).toEqual({ unsent: ["a"], doubtful: [] })
    })
  )

  it.effect.prop(
    "each message is with the peer or left over, whoever closes when",
    [
      FC.array(FC.constantFrom("push" as const, "pull" as const, "settle" as const), { maxLength: 20 }),
      FC.boolean(),
      FC.boolean()
    ],
    ([steps, theyCloseFirst, settled]) =>
      Effect.gen(function* () {
        const { ours, theirs, told, toldThem } = make()
        const pushed: Array<string> = []
        let room = true
        // how much they had when they asked in vain
        let asked = -1
        for (const step of steps) {
          if (step === "settle") yield* settle
          else if (step === "push" && (room || told.drained > 0)) {
            told.drained = 0
            const text = String(pushed.length)
            pushed.push(text)
            room = pushAll(ours, text)[0]!
          } else if (step === "pull" && asked !== toldThem.got.length) {
            const got = theirs.pull()
            if (got === undefined) asked = toldThem.got.length
            else toldThem.got.push(...texts(got))
          }
        }
        if (theyCloseFirst) {
          theirs.close()
          if (settled) yield* settle
        }
        const rest = left(ours.close())
        yield* settle
        expect([...toldThem.got, ...rest.unsent]).toEqual(pushed)
        expect(rest.doubtful).toEqual([])
      })
  )
})
