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
 * would have it. One message fits in between each way.
 */
class End implements MessageDuplex {
  peer!: End
  private owner = nobody
  private demanded = false
  /** Accepted for the peer, which has not asked for it yet; one, unless the owner goes on when it is full. */
  private between: Array<Message> = []
  /** Came when it was asked for, and is about to be told. */
  private arrived: Message | undefined = undefined
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
    if (peer.demanded && !peer.closed && this.between.length === 0) {
      peer.demanded = false
      peer.arrived = message
      soon(peer.deliver)
      return true
    }
    this.between.push(message)
    this.full = true
    return false
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
    const refused = peer.closed && peer.arrived !== undefined ? [peer.arrived] : []
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
    const message = this.arrived
    if (message === undefined || this.closed) return
    this.arrived = undefined
    this.owner.onPull([message])
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
