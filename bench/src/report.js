import { show, summary } from "./measure.js"

const isOurs = (name) => name === "ours" || name.startsWith("ours, ")

const digits = (value) => (value >= 1000 ? 0 : value >= 100 ? 1 : 2)

const figure = (s) => (s === undefined ? "" : show(s, digits(s.median)))

const plain = (value) => (value === undefined ? "" : value.toFixed(digits(value)))

/** Undefined where the contender does not know it. */
const medianOf = (samples, key) => {
  const values = samples.map((sample) => sample[key]).filter((value) => value !== undefined)
  return values.length === 0 ? undefined : summary(values).median
}

const ratioOf = (above, below, key) => summary(above.map((sample, i) => sample[key] / below[i][key]))

/** What the rounds of one row come to. */
export const evaluate = (id, row, samples) => {
  const main = row.ours ?? "ours"
  const names = Object.keys(samples)
  const contenders = Object.fromEntries(
    names.map((name) => [
      name,
      {
        value: summary(samples[name].map(({ value }) => value)),
        cpu: medianOf(samples[name], "cpu"),
        loopGapMs: medianOf(samples[name], "gapMs"),
        loopGapCpuMs: medianOf(samples[name], "gapCpuMs"),
        rssMb: medianOf(samples[name], "rssMb"),
        rssKib: medianOf(samples[name], "rssKib"),
        mean: medianOf(samples[name], "mean"),
        others: medianOf(samples[name], "others")
      }
    ])
  )
  const pairs =
    row.compare ?? (names.includes(main) ? names.filter((name) => !isOurs(name)).map((peer) => [main, peer]) : [])
  const ratios = pairs
    .filter((pair) => pair.every((name) => names.includes(name)) && row.units?.[pair[1]] === undefined)
    .map(([ours, peer]) => ({
      ours,
      peer,
      ...ratioOf(samples[ours], samples[peer], "value"),
      cpu: contenders[ours].cpu === undefined ? undefined : ratioOf(samples[ours], samples[peer], "cpu").median
    }))
  const floors = [
    ...row.floors.map(({ atLeast, atMost, peer }) => {
      const value = ratios.find((ratio) => ratio.peer === peer)?.median
      return { ours: main, peer, atLeast, atMost, value }
    }),
    ...Object.entries(row.limits ?? {}).map(([ours, atMost]) => ({
      ours,
      atMost,
      value: contenders[ours]?.value.median
    }))
  ].map((floor) => ({
    ...floor,
    met:
      floor.value === undefined
        ? undefined
        : floor.atMost === undefined
          ? floor.value >= floor.atLeast
          : floor.value <= floor.atMost
  }))
  return { id, title: row.title, unit: row.unit, units: row.units ?? {}, main, contenders, ratios, floors }
}

/** The one object that `--json` prints. */
export const brief = ({ contenders, floors, id, main, ratios, title, unit }) => ({
  row: id,
  unit,
  ours: contenders[main]?.value.median,
  peers: Object.fromEntries(
    Object.entries(contenders)
      .filter(([name]) => !isOurs(name))
      .map(([name, { value }]) => [name, value.median])
  ),
  ratios: Object.fromEntries(
    ratios.map(({ median, ours, peer }) => [ours === main ? peer : `${ours} / ${peer}`, median])
  ),
  min: contenders[main]?.value.min,
  max: contenders[main]?.value.max,
  cpu: contenders[main]?.cpu,
  loopGapMs: contenders[main]?.loopGapMs,
  rssMb: contenders[main]?.rssMb,
  title,
  floors,
  spreads: ratios,
  contenders
})

const verdict = ({ atLeast, atMost, met }) => {
  const bound = atMost === undefined ? `at least ${atLeast}` : `at most ${atMost}`
  return met === undefined ? `${bound}: not measured` : `${bound}: ${met ? "met" : "**NOT MET**"}`
}

const header = [
  "row",
  "contender",
  "median (min..max)",
  "unit",
  "ours / it",
  "CPU us",
  "CPU ours / it",
  "gap ms",
  "RSS MB",
  "others",
  "floor"
]

const linesOf = ({ contenders, floors, id, ratios, unit, units }) =>
  Object.entries(contenders).map(([name, it], i) => {
    const ratio = ratios.find(({ peer }) => peer === name)
    const floor = floors.find((floor) => (floor.peer ?? floor.ours) === name)
    const notes = [
      it.mean === undefined ? "" : `, mean ${plain(it.mean)}`,
      it.rssKib === undefined || units[name] !== undefined ? "" : `, ${plain(it.rssKib)} resident`
    ]
    return [
      i === 0 ? id : "",
      name,
      figure(it.value) + notes.join(""),
      units[name] ?? unit,
      ratio === undefined ? "" : figure(ratio),
      plain(it.cpu),
      plain(ratio?.cpu),
      it.loopGapCpuMs > 0 ? `${plain(it.loopGapMs)} (${plain(it.loopGapCpuMs)} CPU)` : plain(it.loopGapMs),
      plain(it.rssMb),
      plain(it.others),
      floor === undefined ? "" : verdict(floor)
    ]
  })

/** A table in Markdown, in columns that line up. */
export const table = (results) => {
  const lines = results.flatMap(linesOf)
  const widths = header.map((title, i) => Math.max(title.length, ...lines.map((line) => line[i].length)))
  const line = (cells) => `| ${cells.map((cell, i) => cell.padEnd(widths[i])).join(" | ")} |`
  return [line(header), line(widths.map((width) => "-".repeat(width))), ...lines.map(line)].join("\n")
}

export const markdown = (results, { machine, minutes, rounds, when }) =>
  [
    `# Results of ${when}`,
    "",
    `${machine} ${rounds} rounds, ${minutes} minutes.`,
    "",
    "What the rows and columns are says bench/README.md. Ratios are of one round each; figures of different runs do not compare.",
    "",
    table(results),
    "",
    ...results.map(({ id, title }) => `- ${id}: ${title}`),
    ""
  ].join("\n")
