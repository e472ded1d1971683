import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Errors from "../../Errors.js"
import * as Message from "../../Message.js"
import * as Socket from "../../Socket.js"
import type { Command, Protocol } from "./command.js"
import { Failed } from "./failure.js"
import type { Report } from "./report.js"
import type { FileError, WriteError } from "./terminal.js"
import { Terminal } from "./terminal.js"

/**
 * A command with all that it needs.
 *
 * @internal
 */
export interface Job {
  readonly command: Command
  readonly socket: Socket.Socket
  readonly data: Uint8Array | undefined
  readonly report: Report
}

type Loop = Effect.Effect<void, Failed | FileError | WriteError, Terminal>

type In = Socket.CanRecv<Errors.NngError>
type Out = Socket.CanSend<Errors.NngError>

/** Zero is no limit. */
const enough = ({ command: { count } }: Job, rounds: number): boolean => count > 0 && rounds >= count

const isOver = (error: Errors.NngError): boolean => error._tag === "NNG_ETIMEDOUT" || error._tag === "NNG_ESTATE"

const recv = (socket: In, timeout?: number) =>
  Effect.mapError(
    Socket.recv(socket, { timeout }),
    (error) => new Failed({ what: "Receive error", error, hint: hintFor(error) })
  )

const hintFor = (error: Errors.NngError): string | undefined =>
  error._tag === "NNG_ETIMEDOUT" ? "Nobody came in time: check that the other side is there, or allow more" : undefined

const send = (socket: Out, message: Message.Input) =>
  Effect.mapError(
    Socket.send(socket, message),
    (error) => new Failed({ what: "Send error", error, hint: hintFor(error) })
  )

/** Shows what comes, until there is enough of it, or nothing more in time, or the survey is over. */
const receive = (job: Job, socket: In): Loop =>
  Effect.gen(function* () {
    for (let rounds = 0; !enough(job, rounds); rounds++) yield* job.report.received(yield* recv(socket))
  }).pipe(
    Effect.catchIf(
      (error) => error._tag === "Failed" && isOver(error.error),
      () => Effect.void
    )
  )

/** What is sent: the data, and in raw mode the header that was given. */
const outgoing = ({ command: { header } }: Job, data: Uint8Array): Message.Input => {
  if (header === undefined) return data
  const message = Message.make(data)
  Effect.runSync(Message.Header.append(message, header))
  return message
}

/** In raw mode an answer has the header of its question. */
const answer = ({ command: { raw } }: Job, question: Message.Message, data: Uint8Array): Message.Input => {
  if (!raw) return data
  Effect.runSync(Message.Body.clear(question))
  Effect.runSync(Message.Body.append(question, data))
  return question
}

/** How long an answer gets to its reader before the connection is closed. */
const grace = 200

const reply = (job: Job, socket: In & Out, data: Uint8Array): Loop =>
  Effect.gen(function* () {
    for (let rounds = 0; rounds === 0 || !enough(job, rounds); rounds++) {
      const question = yield* recv(socket)
      yield* job.report.received(question)
      yield* send(socket, answer(job, question, data))
      yield* job.report.sent(data.length)
    }
    yield* Effect.sleep(grace)
  })

const isOnce = ({ command: { count, interval } }: Job): boolean => interval === undefined && count === 0

/** Sends, and does something about the answers, once for each interval, which counts from the round's beginning. */
const rounds = <E>(
  job: Job,
  socket: Out,
  data: Uint8Array,
  then: (until: number | undefined) => Effect.Effect<void, E>
) =>
  Effect.gen(function* () {
    const { delay, interval } = job.command
    if (delay > 0) yield* Effect.sleep(delay)
    for (let done = 1; ; done++) {
      const start = yield* Clock.currentTimeMillis
      yield* send(socket, outgoing(job, data))
      yield* job.report.sent(data.length)
      yield* then(interval === undefined ? undefined : start + interval)
      if (isOnce(job) || enough(job, done)) return
      if (interval !== undefined) yield* Effect.sleep(Math.max(0, start + interval - (yield* Clock.currentTimeMillis)))
    }
  })

const publish = (job: Job, socket: Out, data: Uint8Array): Loop => rounds(job, socket, data, () => Effect.void)

/** Shows what comes until then. */
const collect = (job: Job, socket: In, until: number | undefined) =>
  Effect.gen(function* () {
    const { recvTimeout = Infinity } = job.command
    for (;;) {
      const left = until === undefined ? Infinity : Math.max(0, until - (yield* Clock.currentTimeMillis))
      yield* job.report.received(yield* recv(socket, Math.min(left, recvTimeout)))
    }
  }).pipe(
    Effect.catchIf(
      (error) => error._tag === "Failed" && isOver(error.error),
      () => Effect.void
    )
  )

const ask = (job: Job, socket: In & Out, data: Uint8Array): Loop =>
  rounds(job, socket, data, (until) => (isOnce(job) ? Effect.void : collect(job, socket, until))).pipe(
    Effect.zipRight(isOnce(job) ? receive(job, socket) : Effect.void)
  )

const drainTimeout = 10_000

/** Nothing that was accepted is thrown away by ending. */
const drain = (socket: Out): Loop =>
  Effect.gen(function* () {
    const left = yield* Effect.catchAll(Socket.drain(socket, { timeout: drainTimeout }), () => Effect.succeed(0))
    const terminal = yield* Terminal
    if (left > 0)
      yield* terminal.complain(`${left} of the messages may not have arrived: the other side is too slow.\n`)
  })

const answers: ReadonlySet<Protocol> = new Set<Protocol>(["rep0", "respondent0"])

/**
 * Does what a command is for. What a protocol cannot was refused before.
 *
 * @internal
 */
export const run = (job: Job): Loop => {
  const { command, data, socket } = job
  const out = Socket.canSend(socket) ? socket : undefined
  const into = Socket.canRecv(socket) ? socket : undefined
  if (out === undefined || data === undefined) return into === undefined ? Effect.void : receive(job, into)
  const loop =
    into === undefined
      ? publish(job, out, data)
      : (answers.has(command.protocol) ? reply : ask)(job, socket as In & Out, data)
  return Effect.zipRight(loop, drain(out))
}
