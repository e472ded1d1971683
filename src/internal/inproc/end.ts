import type { Handler, Leftover } from "../../Duplex.js"
import { noLeftover } from "../../Duplex.js"
import * as Errors from "../../Errors.js"
import type { Message } from "../../Message.js"
import * as Messages from "../../Message.js"
import type { Messages as MessageDuplex, ReceiveError } from "../../Transport.js"
import { soon } from "../ports/soon.js"

const nobody: Handler<ReadonlyArray<Message>, ReceiveError> = {
  onPull: () => {},
  onDrain: () => {},
  onClose: () => {}
}

/**
 * One end of a connection without bytes. A message goes over as it is, with its header merged into its body, as a wire
 * would have it. One message fits in between each way, beside the one that the other side has asked for; and where
 * somebody waits there, that one is his, and another comes with it.
 */
class End implements MessageDuplex {
  peer!: End
  private owner = nobody
  private demanded = false
  /** Accepted for the peer, which has not asked for it yet; one, unless the owner goes on when it is full. */
  private between: Array<Message> = []
  /** Came when they were asked for, and are about to be told. */
  private arrived: Array<Message> = []
  /** One more may come with what has arrived. */
  private awaits = false
  private full = false
  private closed = false
  private told = false
  private awaited: Array<() => void> = []

  start(owner: Handler<ReadonlyArray<Message>, ReceiveError>): void {
    this.owner = owner
    if (this.peer.closed) this.peerClosed()
  }

  pull(): ReadonlyArray<Message> | undefined {
    const message = this.peer.between.shift()
    if (message !== undefined) {
      this.peer.settle()
      soon(this.peer.drain)
      return [message]
    }
    this.demanded = true
    return undefined
  }

  push(message: Message): boolean {
    const { peer } = this
    mergeHeader(message)
    if (this.between.length === 0 && peer.takes(message)) return true
    this.between.push(message)
    this.full = true
    return false
  }

  /** Whether the owner takes it now. */
  private takes(message: Message): boolean {
    if (this.closed) return false
    if (this.demanded) {
      this.demanded = false
      this.awaits = this.owner.awaits === true
      soon(this.deliver)
    } else {
      if (!this.awaits) return false
      this.awaits = false
    }
    this.arrived.push(message)
    return true
  }

  whenSent(done: () => void): void {
    this.awaited.push(done)
    this.settle()
  }

  close(): Leftover<Message> {
    if (this.closed) return noLeftover
    this.closed = true
    this.owner = nobody
    const { between, peer } = this
    this.between = []
    this.settle()
    peer.settle()
    peer.peerClosed()
    // the peer closed before it was told of what had arrived
    const refused = peer.closed ? peer.arrived : []
    return { unsent: [...refused, ...between], doubtful: [] }
  }

  /** Tells those who wait for it that the peer has all, or will have no more. */
  private settle(): void {
    if (this.between.length > 0 && !this.peer.closed) return
    for (const done of this.awaited.splice(0)) soon(done)
  }

  private peerClosed(): void {
    soon(() => {
      if (this.told || this.owner === nobody) return
      this.told = true
      this.deliver()
      this.owner.onClose(new Errors.ECONNSHUT({ operation: "inproc" }))
    })
  }

  private readonly deliver = () => {
    const messages = this.arrived
    if (messages.length === 0 || this.closed) return
    this.arrived = []
    this.awaits = false
    this.owner.onPull(messages)
  }

  private readonly drain = () => {
    if (!this.full || this.closed || this.between.length > 0) return
    this.full = false
    this.owner.onDrain()
  }
}

const mergeHeader = (message: Message): void => {
  if (message.headerLength === 0) return
  Messages.Body.insert(message, message.header)
  Messages.Header.clear(message)
}

/** @internal */
export const pair = (): readonly [MessageDuplex, MessageDuplex] => {
  const left = new End()
  const right = new End()
  left.peer = right
  right.peer = left
  return [left, right]
}
