// hot path: bench/src/rows/pub-10.js
import type { Message } from "../../Message.js"
import { unsafeBuffer, unsafeEnd, unsafeStart } from "../vocabulary/message.js"

/** What topics begin with. Most of these go on in one way, which is kept without a Map. */
class Node<A> {
  value: A | undefined = undefined
  private byte = -1
  private child: Node<A> | undefined = undefined
  private others: Map<number, Node<A>> | undefined = undefined

  get isEmpty(): boolean {
    return this.value === undefined && this.child === undefined && this.others === undefined
  }

  next(byte: number): Node<A> | undefined {
    return byte === this.byte ? this.child : this.others?.get(byte)
  }

  grow(byte: number): Node<A> {
    const node = new Node<A>()
    if (this.child === undefined) {
      this.byte = byte
      this.child = node
    } else {
      this.others ??= new Map()
      this.others.set(byte, node)
    }
    return node
  }

  prune(byte: number): void {
    if (byte === this.byte) {
      this.byte = -1
      this.child = undefined
    } else if (this.others?.delete(byte) === true && this.others.size === 0) {
      this.others = undefined
    }
  }
}

/**
 * Topics, by their bytes, and something for each. To look a message up takes as many steps as the longest topic that it
 * might have, however many there are.
 *
 * @internal
 */
export class Topics<A extends object> {
  private readonly root = new Node<A>()

  get(topic: Uint8Array): A | undefined {
    let node: Node<A> | undefined = this.root
    for (let i = 0; i < topic.length && node !== undefined; i++) node = node.next(topic[i]!)
    return node?.value
  }

  set(topic: Uint8Array, value: A): void {
    let node = this.root
    for (const byte of topic) node = node.next(byte) ?? node.grow(byte)
    node.value = value
  }

  /** A topic that there is; what it shared with no other goes with it. */
  delete(topic: Uint8Array): void {
    const path = [this.root]
    for (const byte of topic) path.push(path[path.length - 1]!.next(byte)!)
    path[topic.length]!.value = undefined
    for (let i = topic.length; i > 0 && path[i]!.isEmpty; i--) path[i - 1]!.prune(topic[i - 1]!)
  }

  /** Whether the body begins with one of them. */
  match(message: Message): boolean {
    let node: Node<A> | undefined = this.root
    const buffer = unsafeBuffer(message)
    const end = unsafeEnd(message)
    for (let at = unsafeStart(message); node !== undefined; at++) {
      if (node.value !== undefined) return true
      if (at === end) return false
      node = node.next(buffer[at]!)
    }
    return false
  }
}
