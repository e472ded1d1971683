import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Errors from "../../Errors.js"
import type { Message } from "../../Message.js"
import type * as Api from "../../Sub0.js"
import { scopedStream } from "../ports/scopedStream.js"
import { isSocket, streamOf } from "./api.js"
import * as Contexts from "./context.js"
import type { Socket } from "../../Socket.js"
import type { SocketImpl } from "./socket.js"
import type { SubscriberConversation } from "./subscriptions.js"

const encoder = new TextEncoder()

/** Bytes of our own, which stay as they are. */
const bytesOf = (topic: Api.Topic): Uint8Array =>
  typeof topic === "string" ? encoder.encode(topic) : new Uint8Array(topic)

/** That of a socket of sub, or of a context of one, as the type says. */
const conversationOf = (self: Api.Sub0 | Api.Context): SubscriberConversation =>
  (isSocket(self)
    ? (self as Socket as SocketImpl).conversation
    : Contexts.conversationOf(self)) as SubscriberConversation

/** Does something at once, unless it is closed. */
const whenOpen = <A, E>(
  self: Api.Sub0 | Api.Context,
  use: (conversation: SubscriberConversation) => Effect.Effect<A, E>
): Effect.Effect<A, E | Errors.ECLOSED> =>
  Effect.suspend((): Effect.Effect<A, E | Errors.ECLOSED> => {
    const conversation = conversationOf(self)
    return conversation.closed ?? use(conversation)
  })

/** @internal */
export const subscribe: {
  (topic: Api.Topic): (self: Api.Sub0 | Api.Context) => Effect.Effect<void, Errors.ECLOSED, Scope.Scope>
  (self: Api.Sub0 | Api.Context, topic: Api.Topic): Effect.Effect<void, Errors.ECLOSED, Scope.Scope>
} = dual(2, (self: Api.Sub0 | Api.Context, topic: Api.Topic) => {
  const bytes = bytesOf(topic)
  return Effect.asVoid(
    Effect.acquireRelease(
      whenOpen(self, ({ subscriber }) => Effect.sync(() => (subscriber.hold(bytes), subscriber))),
      (subscriber) => Effect.sync(() => subscriber.release(bytes))
    )
  )
})

/** @internal */
export const addTopic: {
  (topic: Api.Topic): (self: Api.Sub0 | Api.Context) => Effect.Effect<void, Errors.ECLOSED>
  (self: Api.Sub0 | Api.Context, topic: Api.Topic): Effect.Effect<void, Errors.ECLOSED>
} = dual(2, (self: Api.Sub0 | Api.Context, topic: Api.Topic) =>
  whenOpen(self, ({ subscriber }) => Effect.sync(() => subscriber.addTopic(bytesOf(topic))))
)

/** @internal */
export const removeTopic: {
  (topic: Api.Topic): (self: Api.Sub0 | Api.Context) => Effect.Effect<void, Errors.ENOENT | Errors.ECLOSED>
  (self: Api.Sub0 | Api.Context, topic: Api.Topic): Effect.Effect<void, Errors.ENOENT | Errors.ECLOSED>
} = dual(2, (self: Api.Sub0 | Api.Context, topic: Api.Topic) =>
  whenOpen(self, ({ subscriber }) =>
    Effect.suspend(() =>
      subscriber.removeTopic(bytesOf(topic))
        ? Effect.void
        : new Errors.ENOENT({ operation: "Sub0.removeTopic", reason: "there is no such topic" })
    )
  )
)

/** @internal */
export const stream = (
  socket: Api.Sub0,
  topic: Api.Topic,
  options: Api.StreamOptions = {}
): Stream.Stream<Message, Api.StreamError> => {
  const { chunkSize, ...settings } = options
  return scopedStream(
    Effect.map(Contexts.make(socket, settings), ({ conversation }) => {
      const own = conversation as SubscriberConversation
      own.subscriber.addTopic(bytesOf(topic))
      return streamOf<never>(own, chunkSize)
    })
  ).pipe(Stream.catchTag("NNG_ECLOSED", () => Stream.empty))
}
