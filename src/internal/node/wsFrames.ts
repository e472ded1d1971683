// hot path: bench/src/rows/ws-64.js
import { randomFillSync } from "node:crypto"
import type * as Net from "node:net"
import { WebSocket } from "ws"
import * as Errors from "../../Errors.js"
import type { Message } from "../../Message.js"
import type { ReceiveError, TcpOptions } from "../../Transport.js"
import type { Frames, FramesOwner } from "../connection/frames.js"
import type { Format, Write } from "../wire/frames.js"
import { encode, FramePool } from "../wire/frames.js"
import { Unmasking } from "../wire/masking.js"
import { bounds, closeCode, closeError } from "../wire/websocket.js"
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

const unsupported = (): Errors.EPROTO =>
  new Errors.EPROTO({ operation: "websocket", reason: "the peer sent text, and SP is binary" })

/** Random words, so many at a time. */
const masksAtOnce = 2048

/**
 * What the WebSockets of a transport share: memory for their writes, and random masks.
 *
 * @internal
 */
export class Supplies {
  readonly pool = new FramePool()
  private readonly masks = new Uint32Array(masksAtOnce)
  private used = masksAtOnce

  readonly nextMask = (): number => {
    if (this.used === masksAtOnce) {
      randomFillSync(this.masks)
      this.used = 0
    }
    return this.masks[this.used++]!
  }
}

/** Unmasks what comes before ws sees it. */
const unmask = (socket: Net.Socket): void => {
  const unmasking = new Unmasking()
  let told = false
  socket.prependListener("data", (chunk: Uint8Array) => {
    told = true
    unmasking.push(chunk)
  })
  // ws takes what is left of a paused socket when that is closed, which need not be told of as data
  socket.prependOnceListener("close", () => {
    told = false
    const rest = socket.read() as Uint8Array | null
    if (rest !== null && !told) socket.emit("data", rest)
  })
}

/**
 * An open WebSocket of the ws package, and the socket under it. ws reads, answers pings and says goodbye; messages are
 * written past it, a batch at once, which it would do with a write for each. What it reads is unmasked already, since it
 * would do that by the byte.
 *
 * @internal
 */
export class WsFrames implements Frames {
  private owner: FramesOwner | undefined = undefined
  private error: ReceiveError | undefined = undefined
  private readonly format: Format
  /** Lent for the write that is under way. */
  private blocks: Write["blocks"] = []

  constructor(
    private readonly ws: WebSocket,
    private readonly socket: Net.Socket,
    private readonly supplies: Supplies,
    { keepAlive = true, noDelay = true }: TcpOptions,
    { masks, maxFrame }: { readonly masks: boolean; readonly maxFrame: number }
  ) {
    this.format = {
      nextMask: masks ? supplies.nextMask : undefined,
      maxFrame: maxFrame === 0 ? Infinity : maxFrame
    }
    ws.pause()
    ws.on("message", this.onMessage)
    ws.on("error", this.onError)
    ws.on("close", this.onClose)
    socket.on("error", this.onSocketError)
    // who does not mask is sent what is masked
    if (!masks) unmask(socket)
    socket.setNoDelay(noDelay)
    socket.setKeepAlive(keepAlive)
  }

  start(owner: FramesOwner): void {
    this.owner = owner
  }

  write(batch: ReadonlyArray<Message>, size: number): boolean {
    const { socket, ws } = this
    if (ws.readyState !== WebSocket.OPEN) return false
    const { blocks, pieces } = encode(this.format, batch, size, this.supplies.pool)
    const last = pieces.length - 1
    socket.cork()
    for (let i = 0; i < last; i++) socket.write(pieces[i]!)
    socket.write(pieces[last]!, this.onWritten)
    socket.uncork()
    if (socket.writableLength === 0) {
      this.supplies.pool.give(blocks)
      return true
    }
    this.blocks = blocks
    return false
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

  private readonly onMessage = (data: WebSocket.RawData, isBinary: boolean) => {
    if (this.owner === undefined || this.error !== undefined) return
    if (isBinary) return this.owner.onPayload(data as Buffer)
    this.ws.close(closeCode.unsupported)
    this.end(unsupported())
  }

  /** Also told of a batch that was taken at once, when the next is on its way. */
  private readonly onWritten = () => {
    if (this.socket.writableLength > 0 || this.socket.destroyed) return
    this.supplies.pool.give(this.blocks)
    this.blocks = []
    this.owner?.onWritten()
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
