import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as Errors from "../../Errors.js"
import type * as Socket from "../../Socket.js"
import type { Transports } from "../../Transport.js"
import type { Command, Protocol } from "./command.js"
import { Failed } from "./failure.js"

type Make = (options: Socket.MakeOptions) => Effect.Effect<Socket.Socket, Errors.EINVAL, Scope.Scope | Transports>

interface Module {
  readonly make: Make
  readonly makeRaw: Make
}

const modules: Readonly<Record<Exclude<Protocol, "sub0">, () => Promise<Module>>> = {
  req0: () => import("../../Req0.js"),
  rep0: () => import("../../Rep0.js"),
  pub0: () => import("../../Pub0.js"),
  push0: () => import("../../Push0.js"),
  pull0: () => import("../../Pull0.js"),
  surveyor0: () => import("../../Surveyor0.js"),
  respondent0: () => import("../../Respondent0.js"),
  pair0: () => import("../../Pair0.js"),
  pair1: () => import("../../Pair1.js"),
  bus0: () => import("../../Bus0.js")
}

const subscriber = (topics: ReadonlyArray<string>): Promise<Module> =>
  import("../../Sub0.js").then(({ addTopic, make, makeRaw }) => ({
    make: (options) =>
      Effect.tap(make(options), (socket) =>
        // a socket that was made a moment ago is not closed
        Effect.orDie(Effect.forEach(topics, (topic) => addTopic(socket, topic), { discard: true }))
      ),
    makeRaw
  }))

/**
 * The socket that a command wants. Nothing of other protocols is loaded.
 *
 * @internal
 */
export const open = ({
  protocol,
  raw,
  recvMaxSize,
  recvTimeout,
  sendTimeout,
  topics
}: Command): Effect.Effect<Socket.Socket, Failed, Scope.Scope | Transports> =>
  Effect.promise(() => (protocol === "sub0" ? subscriber(topics) : modules[protocol]())).pipe(
    Effect.flatMap(({ make, makeRaw }) => (raw ? makeRaw : make)({ recvMaxSize, recvTimeout, sendTimeout })),
    Effect.mapError((error) => new Failed({ what: "Unable to open socket", error }))
  )

/**
 * The transports for these URLs: without a network where all is in this process.
 *
 * @internal
 */
export const transports = (urls: ReadonlyArray<string>): Effect.Effect<Layer.Layer<Transports>> =>
  Effect.promise(() =>
    urls.every((url) => url.startsWith("inproc://"))
      ? import("../../InprocTransport.js").then(({ layer }) => layer)
      : import("../../NodeTransport.js").then(({ layer }) => layer)
  )
