// hot path: bench/src/rows/ws-64.js
import type * as Net from "node:net"
import { WebSocket } from "ws"
import * as Errors from "../../Errors.js"
import type { Message } from "../../Message.js"
import type { ReceiveError, TcpOptions } from "../../Transport.js"
import type { Frames, FramesOwner } from "../connection/frames.js"
import { bounds, closeCode, closeError, fragments, payload } from "../wire/websocket.js"
import { streamError } from "./duplex.js"
import { fromNode, narrow } from "./errno.js"

const receiveErrors = ["NNG_ECONNRESET", "NNG_EPROTO", "NNG_EMSGSIZE", "NNG_ENOMEM"] as const

/** How long the peer may take to answer our goodbye; then the connection is cut. */
const closeTimeout = 100

/** ws keeps its limits in 32 bits. */
const largest = 0x7fffffff

/**
 * What ws is to do, and not to do, on either side; 0 is no limit.
 *
 * @internal
 */
export const settings = (recvMaxSize: number) => ({
  perMessageDeflate: false,
  // text is refused, whatever it is
  skipUTF8Validation: true,
  maxPayload: Math.min(recvMaxSize, largest),
  maxFragments: bounds.fragments,
  maxBufferedChunks: bounds.chunks,
  closeTimeout
})

const whole = { binary: true, compress: false, fin: true }
const part = { binary: true, compress: false, fin: false }

const unsupported = (): Errors.EPROTO =>
  new Errors.EPROTO({ operation: "websocket", reason: "the peer sent text, and SP is binary" })

/**
 * An open WebSocket of the ws package, and the socket under it, whose writes are held together for a batch.
 *
 * @internal
 */
export class WsFrames implements Frames {
  private owner: FramesOwner | undefined = undefined
  private error: ReceiveError | undefined = undefined
  private readonly maxFrame: number

  constructor(
    private readonly ws: WebSocket,
    private readonly socket: Net.Socket,
    { keepAlive = true, noDelay = true }: TcpOptions,
    maxFrame: number
  ) {
    this.maxFrame = maxFrame === 0 ? Infinity : maxFrame
    ws.pause()
    ws.on("message", this.onMessage)
    ws.on("error", this.onError)
    ws.on("close", this.onClose)
    socket.on("error", this.onSocketError)
    socket.setNoDelay(noDelay)
    socket.setKeepAlive(keepAlive)
  }

  start(owner: FramesOwner): void {
    this.owner = owner
  }

  write(batch: ReadonlyArray<Message>): boolean {
    const { socket, ws } = this
    if (ws.readyState !== WebSocket.OPEN) return false
    const last = batch.length - 1
    socket.cork()
    for (let i = 0; i < last; i++) this.send(batch[i]!, undefined)
    this.send(batch[last]!, this.onWritten)
    socket.uncork()
    return socket.writableLength === 0
  }

  pause(): void {
    this.ws.pause()
  }

  resume(): void {
    this.ws.resume()
  }

  close(): void {
    this.owner = undefined
    if (this.ws.readyState !== WebSocket.OPEN) return
    this.ws.close(closeCode.normal)
    // its answer is behind what it has sent
    this.ws.resume()
  }

  private send(message: Message, done: (() => void) | undefined): void {
    if (message.headerLength + message.length <= this.maxFrame) return this.ws.send(payload(message), whole, done)
    const pieces = fragments(message, this.maxFrame)
    const last = pieces.length - 1
    for (let i = 0; i < last; i++) this.ws.send(pieces[i]!, part)
    this.ws.send(pieces[last]!, whole, done)
  }

  private readonly onMessage = (data: WebSocket.RawData, isBinary: boolean) => {
    if (this.owner === undefined || this.error !== undefined) return
    if (isBinary) return this.owner.onPayload(data as Buffer)
    this.ws.close(closeCode.unsupported)
    this.end(unsupported())
  }

  /** Also told of a batch that was taken at once, when the next is on its way. */
  private readonly onWritten = () => {
    if (this.socket.writableLength === 0 && !this.socket.destroyed) this.owner?.onWritten()
  }

  private readonly onError = (cause: Error) => {
    this.end(narrow(fromNode(cause, { operation: "websocket" }), receiveErrors))
  }

  private readonly onSocketError = (cause: Error) => {
    this.error ??= streamError(cause)
  }

  private readonly onClose = (code: number) => {
    this.end(
      code === 1006 && !this.socket.readableEnded ? new Errors.ECLOSED({ operation: "websocket" }) : closeError(code)
    )
  }

  private end(error: ReceiveError): void {
    this.error ??= error
    const { owner } = this
    this.owner = undefined
    owner?.onEnd(this.error)
  }
}
