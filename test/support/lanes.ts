import type * as Errors from "effect-nng/Errors"
import * as Message from "effect-nng/Message"
import type { Lane } from "../../src/internal/protocol/machine.js"

/** A peer made of arrays: `room` says how many pushes it takes, `arrived` what it has to give. */
export class FakeLane implements Lane {
  readonly pushed: Array<string> = []
  readonly messages: Array<Message.Message> = []
  /** How many of these were shared with others. */
  shared = 0
  readonly arrived: Array<Message.Message> = []

  constructor(
    readonly id = 1,
    readonly peerProtocol = 0x10,
    public room = 1,
    readonly byReference = false
  ) {}

  get writable(): boolean {
    return this.room > 0
  }

  ended = false
  /** What it was cut for. */
  error: Errors.NngError | undefined = undefined
  readonly giveUp = () => {
    this.arrived.length = 0
  }

  readonly cut = (error: Errors.NngError) => {
    this.error ??= error
    this.arrived.length = 0
  }

  get peek(): Message.Message | undefined {
    return this.arrived[0]
  }

  get hasNext(): boolean {
    return this.arrived.length > 0
  }

  push(message: Message.Message): void {
    if (this.room === 0) throw new Error("pushed without room")
    this.room--
    this.messages.push(message)
    this.pushed.push(Message.text(message))
  }

  /** Who has what is pushed as it is has a copy of what others have as well. */
  share(message: Message.Message): void {
    this.shared++
    this.push(this.byReference ? Message.copy(message) : message)
  }

  next(): Message.Message | undefined {
    return this.arrived.shift()
  }
}
