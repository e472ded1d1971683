const resolved = Promise.resolve()

/**
 * Runs in a microtask. Not by Node's queueMicrotask, which makes an AsyncResource of each call.
 *
 * @internal
 */
export const soon = (run: () => void): void => void resolved.then(run)
