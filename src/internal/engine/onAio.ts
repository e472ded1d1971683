import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Aio, Pending } from "../../Aio.js"
import type * as Errors from "../../Errors.js"
import type { Input, Message } from "../../Message.js"
import type { OperationOptions } from "../../Socket.js"
import * as Aios from "../ports/aio.js"
import { fromInput } from "../vocabulary/message.js"
import type { Conversation, OperationError, Patience } from "./conversation.js"

/** What an operation on an aio has for options: its own, or else the aio's time-out. */
const within = (options: OperationOptions | undefined, patience: Patience): OperationOptions =>
  options?.timeout !== undefined || patience === undefined ? { ...options } : { ...options, timeout: patience }

/** @internal */
export const send = (
  conversation: Conversation,
  aio: Aio,
  input: Input,
  options: OperationOptions | undefined
): Effect.Effect<Pending<void, OperationError>, Errors.EBUSY> =>
  Effect.suspend(() => {
    const message = fromInput(input)
    const count = message.length
    return Aios.startTimed(
      aio,
      (patience) => conversation.send(message, within(options, patience)),
      (exit) => (Exit.isSuccess(exit) ? { count } : { message })
    )
  })

/** @internal */
export const recv = (
  conversation: Conversation,
  aio: Aio,
  options: OperationOptions | undefined
): Effect.Effect<Pending<Message, OperationError>, Errors.EBUSY> =>
  Aios.startTimed(aio, (patience) => conversation.recv(within(options, patience)))
