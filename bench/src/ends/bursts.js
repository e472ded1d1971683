// What the ends of publish and subscribe have in common; see publish.js.
import { state } from "./child.js"

export const burst = 500
export const underWay = 4
/** Longer than a burst, so that none is dropped for want of room. */
export const queue = 8192

/** Number `n` of the bursts: all its messages but the last are the same. */
export const burstOf = (n) => {
  const plain = new Uint8Array(64)
  const last = new Uint8Array(64)
  new DataView(last.buffer).setUint32(0, n)
  const all = Array.from({ length: burst }, () => plain)
  all[burst - 1] = last
  return all
}

const numberOf = (body) => new DataView(body.buffer, body.byteOffset, body.byteLength).getUint32(0)

/** Counts what `subscribers` get, and calls `whole` when all of them have a burst. */
export const counter = (subscribers, whole) => {
  let [current, complete, lost, had] = [0, 0, 0, 0]
  return (body) => {
    state.n++
    had++
    const n = numberOf(body)
    if (n === 0) return
    if (n > current) {
      current = n
      complete = 0
    }
    if (n !== current || ++complete < subscribers) return
    whole(n)
    // all have had all of it and of those before
    const missing = current * burst * subscribers - had
    if (missing <= lost) return
    lost = missing
    process.stderr.write(`lost ${lost} deliveries\n`)
  }
}
