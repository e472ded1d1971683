import type * as Net from "node:net"

/** How a request of libnng 1.x begins whose URL had no path: Node's parser refuses a target that is empty. */
const empty = Buffer.from("GET  HTTP/")
const mended = Buffer.from("GET / HTTP/")

/**
 * Reads as much of a paused socket as it takes to see an empty target, puts a slash there, gives back what it read, and
 * goes on.
 *
 * @internal
 */
export const mendTarget = (socket: Net.Socket, go: () => void): void => {
  let read: Buffer = Buffer.alloc(0)
  const onEnd = () => void socket.end()
  const onData = (chunk: Buffer) => {
    read = read.length === 0 ? chunk : Buffer.concat([read, chunk])
    const seen = Math.min(read.length, empty.length)
    const same = empty.compare(read, 0, seen, 0, seen) === 0
    if (same && seen < empty.length) return
    socket.off("data", onData)
    socket.off("end", onEnd)
    socket.pause()
    socket.unshift(same ? Buffer.concat([mended, read.subarray(empty.length)]) : read)
    go()
    socket.resume()
  }
  socket.on("data", onData)
  // one that ends before it has said anything
  socket.on("end", onEnd)
  socket.resume()
}
