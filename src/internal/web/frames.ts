import * as Errors from "../../Errors.js"
import type { Message } from "../../Message.js"
import type { ReceiveError } from "../../Transport.js"
import type { Frames, FramesOwner } from "../connection/frames.js"
import type { Deadlines } from "../ports/deadlines.js"
import { soon } from "../ports/soon.js"
import { closeCode, closeError, pageCode } from "../wire/websocket.js"

/**
 * Above `high` bytes in `bufferedAmount` a write waits until no more than `low` are left. No event tells of that, so it
 * is looked at every few milliseconds.
 *
 * @internal
 */
export const sending = { high: 256 * 1024, low: 64 * 1024, lookMillis: 4 } as const

/** What a held message costs besides its bytes. */
const overhead = 64

/** So much of what is held is given at once. */
const atOnce = { messages: 1024, bytes: 256 * 1024 } as const

/** The state of a WebSocket in which it sends. */
const open = 1

/** @internal */
export interface Limits {
  /** Most bytes of a message that comes; 0 is no limit. */
  readonly recvMaxSize: number
  /** Most bytes that came and nobody has asked for. */
  readonly recvBuffer: number
  /** Most bytes of a message that goes. */
  readonly maxFrame: number
}

const bytesOf = (message: Message): Uint8Array => {
  if (message.headerLength === 0) return message.body
  const bytes = new Uint8Array(message.headerLength + message.length)
  bytes.set(message.header)
  bytes.set(message.body, message.headerLength)
  return bytes
}

const error = <E>(Class: new (details: Errors.Details) => E, reason: string): E =>
  new Class({ operation: "websocket", reason })

/**
 * An open WebSocket of a browser. It cannot be told to stop reading, so what comes while it is paused is held, up to a
 * bound; when that is met it is closed, and what is held is given before the end is told.
 *
 * @internal
 */
export class WebFrames implements Frames {
  private owner: FramesOwner | undefined = undefined
  private held: Array<Uint8Array> = []
  private heldSize = 0
  private paused = true
  private scheduled = false
  private ended: ReceiveError | undefined = undefined

  constructor(
    private readonly ws: WebSocket,
    private readonly deadlines: Deadlines,
    private readonly limits: Limits
  ) {
    ws.addEventListener("message", ({ data }) => this.onMessage(data))
    ws.addEventListener("close", ({ code }) => this.end(closeError(code)))
  }

  start(owner: FramesOwner): void {
    this.owner = owner
  }

  write(batch: ReadonlyArray<Message>): boolean {
    const { ws } = this
    const { maxFrame } = this.limits
    if (ws.readyState !== open || this.ended !== undefined) return false
    for (const message of batch) {
      const length = message.headerLength + message.length
      if (length > maxFrame) {
        const reason = `a message of ${length} bytes, and sendMaxFrame is ${maxFrame}: a browser cannot send it in parts`
        this.refuse(closeCode.normal, error(Errors.EMSGSIZE, reason))
        return false
      }
      ws.send(bytesOf(message))
    }
    if (ws.bufferedAmount <= sending.high) return true
    this.look()
    return false
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
    this.schedule()
  }

  close(): void {
    this.owner = undefined
    this.held = []
    this.deadlines.close()
    this.ws.close(closeCode.normal)
  }

  private onMessage(data: unknown): void {
    if (this.owner === undefined || this.ended !== undefined) return
    if (!(data instanceof ArrayBuffer)) {
      const reason = "the peer sent text, and SP is binary"
      return this.refuse(pageCode(closeCode.unsupported), error(Errors.EPROTO, reason))
    }
    const { recvBuffer, recvMaxSize } = this.limits
    if (recvMaxSize > 0 && data.byteLength > recvMaxSize) {
      const reason = `a message of ${data.byteLength} bytes, and the limit is ${recvMaxSize}`
      return this.refuse(pageCode(closeCode.tooBig), error(Errors.EMSGSIZE, reason))
    }
    const size = this.heldSize + data.byteLength + overhead
    if (size > recvBuffer && this.held.length > 0) {
      const reason = `more came than was asked for: ${this.held.length} messages wait, recvBuffer is ${recvBuffer} bytes`
      return this.refuse(pageCode(closeCode.overrun), error(Errors.ENOMEM, reason))
    }
    this.held.push(new Uint8Array(data))
    this.heldSize = size
    if (!this.scheduled) this.give()
  }

  private schedule(): void {
    if (this.scheduled) return
    this.scheduled = true
    soon(this.give)
  }

  /** Gives what is held, for as long as it is asked for; then the end, if it has come. */
  private readonly give = (): void => {
    this.scheduled = false
    let messages = 0
    let bytes = 0
    while (!this.paused && messages < this.held.length && messages < atOnce.messages && bytes < atOnce.bytes) {
      const payload = this.held[messages++]!
      bytes += payload.length
      this.heldSize -= payload.length + overhead
      this.owner?.onPayload(payload)
    }
    this.held.splice(0, messages)
    if (this.paused || this.owner === undefined) return
    if (this.held.length > 0) return this.schedule()
    if (this.ended !== undefined) this.owner.onEnd(this.ended)
  }

  private refuse(code: number, reason: ReceiveError): void {
    this.end(reason)
    this.ws.close(code)
  }

  private end(reason: ReceiveError): void {
    if (this.ended !== undefined) return
    this.ended = reason
    this.deadlines.close()
    this.schedule()
  }

  private look(): void {
    this.deadlines.add(sending.lookMillis, () => {
      if (this.ws.bufferedAmount > sending.low) return this.look()
      this.owner?.onWritten()
    })
  }
}
