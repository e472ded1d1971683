import * as Either from "effect/Either"
import type * as Api from "../../TestTransport.js"
import * as Url from "../../Url.js"

/**
 * The names that an end of a connection answers to: its node, its host, its URL.
 *
 * @internal
 */
export type Names = ReadonlySet<string>

const setOf = (places: Api.Places): ReadonlySet<string> =>
  new Set(typeof places === "string" ? [canonical(places)] : Array.from(places, canonical))

/**
 * A place as it is compared: URLs in their canonical form, and case does not matter.
 *
 * @internal
 */
export const canonical = (place: string): string =>
  (place.includes("://")
    ? Either.getOrElse(Either.map(Url.parse(place), Url.format), () => place)
    : place
  ).toLowerCase()

/** @internal */
export const everywhere: Api.Way = { _tag: "Way", from: undefined, to: undefined, both: true }

/** @internal */
export const between = (left: Api.Places, right: Api.Places): Api.Way => ({
  _tag: "Way",
  from: setOf(left),
  to: setOf(right),
  both: true
})

/** @internal */
export const toward = (from: Api.Places, to: Api.Places): Api.Way => ({
  _tag: "Way",
  from: setOf(from),
  to: setOf(to),
  both: false
})

/** @internal */
export const wayOf = (where: Api.Where): Api.Way =>
  typeof where === "object" && "_tag" in where ? where : { _tag: "Way", from: setOf(where), to: undefined, both: true }

const meets = (places: ReadonlySet<string> | undefined, names: Names): boolean => {
  if (places === undefined) return true
  const [few, many] = places.size < names.size ? [places, names] : [names, places]
  for (const name of few) if (many.has(name)) return true
  return false
}

/**
 * Whether what goes from one end to the other goes this way.
 *
 * @internal
 */
export const matches = ({ both, from, to }: Api.Way, source: Names, target: Names): boolean =>
  (meets(from, source) && meets(to, target)) || (both && meets(from, target) && meets(to, source))

/** @internal */
export const placesOf = ({ from, to }: Api.Way): ReadonlyArray<string> => [...(from ?? []), ...(to ?? [])]

const shown = (places: ReadonlySet<string> | undefined): string =>
  places === undefined ? "everywhere" : [...places].join(", ")

/** @internal */
export const describe = (way: Api.Way): string =>
  way.to === undefined ? shown(way.from) : `${shown(way.from)} ${way.both ? "↔" : "→"} ${shown(way.to)}`
