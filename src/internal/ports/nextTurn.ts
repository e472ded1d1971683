/**
 * Runs something when the event loop has turned once and all that was ready has run; gives what cancels it.
 *
 * @internal
 */
export const nextTurn: (run: () => void) => () => void =
  typeof setImmediate === "function"
    ? (run) => {
        const handle = setImmediate(run)
        return () => clearImmediate(handle)
      }
    : (run) => {
        const { port1, port2 } = new MessageChannel()
        port1.addEventListener(
          "message",
          () => {
            port1.close()
            run()
          },
          { once: true }
        )
        port1.start()
        port2.postMessage(undefined)
        return () => port1.close()
      }

/**
 * The same for one who only wants to know: it keeps no process alive.
 *
 * @internal
 */
export const afterTurn: (run: () => void) => void =
  typeof setImmediate === "function" ? (run) => void setImmediate(run).unref() : (run) => void nextTurn(run)
