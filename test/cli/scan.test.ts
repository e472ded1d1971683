import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FC from "effect/FastCheck"
import type { Id } from "../../src/internal/cli/options.js"
import { libnng } from "../../src/internal/cli/options.js"
import type { Found, Option } from "../../src/internal/cli/scan.js"
import { integer, scan } from "../../src/internal/cli/scan.js"

const read = (...args: ReadonlyArray<string>): ReadonlyArray<Found<Id>> | string =>
  Either.match(scan(libnng, args), { onLeft: ({ message }) => message, onRight: (found) => found })

const just = (id: Id, value = "") => [{ id, value }]

describe("the scanner", () => {
  it("reads a long option with its argument behind it, or glued to it", () => {
    for (const args of [["--dial", "tcp://a:1"], ["--dial=tcp://a:1"], ["--dial:tcp://a:1"]]) {
      expect(read(...args)).toEqual(just("dial", "tcp://a:1"))
    }
  })

  it("reads a short option with its argument behind it, or glued to it", () => {
    expect(read("-C", "5")).toEqual(just("count", "5"))
    expect(read("-C5")).toEqual(just("count", "5"))
    // what is glued is taken as it is
    expect(read("-C=5")).toEqual(just("count", "=5"))
  })

  it("takes any beginning that no other option shares", () => {
    expect(read("--req")).toEqual(just("req0"))
    expect(read("--resp")).toEqual(just("respondent0"))
    expect(read("--b")).toMatch(/ambiguous/)
    expect(read("--bus")).toEqual(just("bus0"))
    expect(read("--msg")).toEqual(just("msgpack"))
    expect(read("--recv-m=3")).toEqual(just("recvMaxSize", "3"))
  })

  it("takes a whole name though others begin with it", () => {
    expect(read("--sub")).toEqual(just("sub0"))
    expect(read("--pair")).toEqual(just("pair"))
    expect(read("--su")).toMatch(/ambiguous: --surveyor0|ambiguous: --sub,/)
  })

  it("tells what an ambiguous beginning may mean", () => {
    expect(read("--re")).toBe("Option --re is ambiguous: --req0, --rep0, --respondent0, --recv-timeout, --recv-maxsz.")
    expect(read("--")).toMatch(/^Option -- is ambiguous: /)
  })

  it("refuses what it does not know, joined letters, and arguments that are not wanted or not there", () => {
    expect(read("--nonsense")).toBe("Option --nonsense is invalid.")
    expect(read("-z")).toBe("Option -z is invalid.")
    expect(read("-vq")).toMatch(/^Option -vq is invalid/)
    expect(read("--async=yes")).toMatch(/^Option --async=yes is invalid/)
    expect(read("--async=")).toMatch(/^Option --async= is invalid/)
    expect(read("--dial")).toBe("Option --dial requires an argument.")
    expect(read("--req0", "-D")).toBe("Option -D requires an argument.")
  })

  it("takes as an argument what looks like an option, and what is empty", () => {
    expect(read("--data", "--async")).toEqual(just("data", "--async"))
    expect(read("--data=")).toEqual(just("data"))
    expect(read("--data", "")).toEqual(just("data"))
    expect(read("-D", "-")).toEqual(just("data", "-"))
  })

  it("ends at the first argument without a dash, and at a dash alone", () => {
    expect(read("--rep0", "what", "--nonsense")).toEqual(just("rep0"))
    expect(read("--rep0", "-", "--nonsense")).toEqual(just("rep0"))
    expect(read("", "--nonsense")).toEqual([])
    expect(read()).toEqual([])
  })

  it("keeps line ends in an argument", () => {
    expect(read("--data=a\nb=c")).toEqual(just("data", "a\nb=c"))
  })
})

/** One way to write an option down. */
const written = (option: Option<Id>): FC.Arbitrary<readonly [Found<Id>, ReadonlyArray<string>]> => {
  const { argument, id, name, short } = option
  if (argument === undefined) {
    return FC.constantFrom(...[[`--${name}`], ...(short === undefined ? [] : [[`-${short}`]])]).map(
      (args) => [{ id, value: "" }, args] as const
    )
  }
  return FC.tuple(FC.string(), FC.nat(4)).map(([value, way]) => {
    const ways = [[`--${name}`, value], [`--${name}=${value}`], [`--${name}:${value}`], [`--${name}`, value]]
    if (short !== undefined) ways.push([`-${short}`, value])
    if (short !== undefined && value !== "") ways.push([`-${short}${value}`])
    return [{ id, value }, ways[way % ways.length]!] as const
  })
}

describe("whatever is said", () => {
  it.prop("is understood as it was meant", [FC.array(FC.constantFrom(...libnng).chain(written))], ([said]) => {
    expect(
      scan(
        libnng,
        said.flatMap(([, args]) => args)
      )
    ).toEqual(Either.right(said.map(([found]) => found)))
  })

  it.prop("is either understood or refused with a reason that names an argument", [FC.array(FC.string())], ([args]) => {
    const result = scan(libnng, args)
    if (Either.isLeft(result)) expect(args.some((arg) => result.left.message.includes(arg))).toBe(true)
    else expect(result.right.length).toBeLessThanOrEqual(args.length)
  })
})

describe("a number", () => {
  const of = (text: string, most = 86_400) =>
    Either.match(integer(text, most), { onLeft: ({ message }) => message, onRight: (value) => value })

  it("has digits alone, and may be as large as the largest", () => {
    expect(of("0")).toBe(0)
    expect(of("007")).toBe(7)
    expect(of("86400")).toBe(86_400)
    expect(of("2147483647", 0x7fffffff)).toBe(2_147_483_647)
  })

  it("is refused when it is none", () => {
    expect(of("")).toBe("Empty integer argument.")
    for (const text of ["-1", "+1", "1.5", "1e3", " 1", "0x10", "one"])
      expect(of(text)).toMatch(/^Integer argument expected/)
    for (const text of ["86401", "99999999999999999999"]) expect(of(text)).toMatch(/^Integer argument too large/)
  })
})
