/** The middle one, and how far the others are from it. */
export const summary = (values) => {
  const sorted = [...values].sort((a, b) => a - b)
  return { median: sorted[sorted.length >> 1], min: sorted[0], max: sorted[sorted.length - 1] }
}

/** Rounds of every contender in turn, so that whatever else the machine does meets all of them. */
export const interleaved = async (rounds, contenders) => {
  const results = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const [name, run] of Object.entries(contenders)) results[name].push(await run())
  }
  return results
}

/** Ours against a peer, round by round, since the two of one round met the same machine. */
export const ratios = (ours, peer) => summary(ours.map((value, i) => value / peer[i]))

export const show = ({ median, min, max }, digits = 2) =>
  `${median.toFixed(digits)} (${min.toFixed(digits)}..${max.toFixed(digits)})`
