import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Errors from "../../Errors.js"
import type { Connection, DialError, Target } from "../../Transport.js"
import * as Transport from "../../Transport.js"
import { FrameMessages } from "../connection/frames.js"
import { deadline } from "../connection/handshake.js"
import { platformUrl } from "../connection/wsUrl.js"
import { Deadlines } from "../ports/deadlines.js"
import { acquireRelease } from "../ports/scoped.js"
import { asked, closeCode, sendMaxFrame } from "../wire/websocket.js"
import { WebFrames } from "./frames.js"

/** @internal */
export type Construct = (url: string, protocols: Array<string>) => WebSocket

interface State {
  readonly deadlines: Deadlines
  ws: WebSocket | undefined
  connection: Connection | undefined
}

const close = ({ connection, deadlines, ws }: State): Effect.Effect<void> =>
  connection?.close ??
  Effect.sync(() => {
    deadlines.close()
    ws?.close(closeCode.normal)
  })

/** Why the platform does not even try. */
const notMade = (cause: unknown, address: string): DialError => {
  const { message: reason, name } = cause instanceof Error ? cause : new Error(String(cause))
  const details = { operation: "dial", address, reason, cause }
  // a secure page dials no ws://
  if (name === "SecurityError") return new Errors.EPERM(details)
  return name === "SyntaxError" ? new Errors.EADDRINVAL(details) : new Errors.ENOTSUP(details)
}

/** Of all that can go wrong a page is told nothing more. */
const notOpened = (code: number): string =>
  `it did not open (${code}): nobody listens, or the answer was no, to the page's Origin, the path or the protocol; ` +
  "a browser tells that to its console alone"

/** The WebSocket with its frames, once it is open; what comes after is not heard. **Interruption** leaves it to its scope. */
const opened = (
  state: State,
  construct: Construct,
  recvBuffer: number,
  { options, protocol, recvMaxSize, url }: Target
): Effect.Effect<WebFrames, DialError> =>
  Effect.async((resume) => {
    const { deadlines } = state
    const fail = (error: DialError) => resume(Effect.fail(error))
    const details = (reason: string) => ({ operation: "dial", address: url.href, reason })
    deadlines.add(Duration.toMillis(deadline), () =>
      fail(new Errors.ETIMEDOUT(details(`it did not open within ${Duration.format(deadline)}`)))
    )
    const wanted = asked(protocol)
    try {
      const ws = construct(platformUrl(url), [wanted])
      state.ws = ws
      ws.binaryType = "arraybuffer"
      // the close that follows says all that this could
      ws.addEventListener("error", () => {})
      ws.addEventListener("close", ({ code }) => fail(new Errors.ECONNREFUSED(details(notOpened(code)))))
      ws.addEventListener("open", () => {
        // nothing sleeps on behalf of a connection that is open
        deadlines.close()
        if (ws.protocol !== wanted)
          return fail(new Errors.EPROTO(details(`the answer is for ${ws.protocol || "nothing"}`)))
        const { ws: { sendMaxFrame: max = sendMaxFrame.dial } = {} } = options
        const maxFrame = max === 0 ? Infinity : max
        resume(Effect.succeed(new WebFrames(ws, deadlines, { recvMaxSize, recvBuffer, maxFrame })))
      })
    } catch (cause) {
      fail(notMade(cause, url.href))
    }
  })

/**
 * Opens a WebSocket; the scope closes it.
 *
 * @internal
 */
export const dial =
  (construct: Construct, recvBuffer: number) =>
  (target: Target): Effect.Effect<Connection, DialError, Scope.Scope> =>
    Effect.gen(function* () {
      const { protocol, url } = target
      const runtime = yield* Effect.runtime<never>()
      const clock = yield* Effect.clock
      const state = yield* acquireRelease(
        Effect.sync((): State => ({ deadlines: new Deadlines(runtime, clock), ws: undefined, connection: undefined })),
        close
      )
      const frames = yield* opened(state, construct, recvBuffer, target)
      const requestUri = `${url.path === "" ? "/" : url.path}${url.query === undefined ? "" : `?${url.query}`}`
      return (state.connection = Transport.connection(new FrameMessages(frames), {
        peerProtocol: protocol.peer,
        properties: { ws: { requestUri, subprotocol: asked(protocol), requestHeaders: {}, responseHeaders: {} } }
      }))
    })
