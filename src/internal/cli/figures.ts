/**
 * What was measured.
 *
 * @internal
 */
export type Figures =
  | { readonly mode: "latency"; readonly seconds: number; readonly size: number; readonly trips: number }
  | { readonly mode: "throughput"; readonly seconds: number; readonly size: number; readonly count: number }
  | {
      readonly mode: "pubdrop"
      readonly seconds: number
      readonly size: number
      readonly count: number
      readonly subscribers: number
      readonly received: number
      readonly errors: number
      readonly dropped: number
      readonly gaps: number
    }

// a measurement may be shorter than the clock can tell
const per = (amount: number, time: number): number => (time > 0 ? amount / time : 0)

const latency = ({ seconds, trips }: Extract<Figures, { mode: "latency" }>): number => per(seconds * 1e6, trips * 2)

/** @internal */
export const lines = (figures: Figures): ReadonlyArray<string> => {
  const { seconds, size } = figures
  switch (figures.mode) {
    case "latency":
      return [
        `total time: ${seconds.toFixed(3)} [s]`,
        `message size: ${size} [B]`,
        `round trip count: ${figures.trips}`,
        `average latency: ${latency(figures).toFixed(3)} [us]`
      ]
    case "throughput": {
      const rate = per(figures.count, seconds)
      return [
        `total time: ${seconds.toFixed(3)} [s]`,
        `message size: ${size} [B]`,
        `message count: ${figures.count}`,
        `throughput: ${rate.toFixed(0)} [msg/s]`,
        `throughput: ${((rate * 8 * size) / 1024 ** 2).toFixed(3)} [Mb/s]`
      ]
    }
    case "pubdrop": {
      const { count, dropped, errors, gaps, received, subscribers } = figures
      const expected = count * subscribers
      const missing = expected - received
      return [
        `Sub Sent ${count} messages in ${seconds.toFixed(3)} sec (${per(count, seconds).toFixed(2)} msgs/sec)`,
        `Expected ${expected} messages total`,
        `Received ${received} messages total`,
        `Effective rate ${per(received, seconds).toFixed(2)} msgs/sec`,
        `Errors ${errors} total`,
        `Reported ${dropped} dropped messages in ${gaps} gaps`,
        `Dropped ${missing} messages (missing)`,
        `Drop rate ${(100 * per(missing, expected)).toFixed(2)}%`
      ]
    }
  }
}

/**
 * The same for programs, with what is computed of it.
 *
 * @internal
 */
export const json = (figures: Figures): string => {
  switch (figures.mode) {
    case "latency":
      return JSON.stringify({ ...figures, latencyUs: latency(figures) })
    case "throughput":
      return JSON.stringify({ ...figures, perSecond: per(figures.count, figures.seconds) })
    case "pubdrop":
      return JSON.stringify({ ...figures, perSecond: per(figures.received, figures.seconds) })
  }
}
