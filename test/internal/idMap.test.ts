import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FC from "effect/FastCheck"
import { IdMap } from "../../src/internal/vocabulary/idMap.js"

const get = Either.getOrThrow

const allocate = <A extends {}>(map: IdMap<A>, n: number, value: A): Array<number> =>
  Array.from({ length: n }, () => get(map.alloc(value)))

describe("IdMap", () => {
  it("[ID-01] the last value set wins, and can be removed", () => {
    const map = new IdMap<string>()
    map.set(5, "five")
    map.set(5, "six")
    expect([map.get(5), map.size]).toEqual(["six", 1])
    expect(get(map.remove(5))).toBe("six")
    expect([map.get(5), map.size]).toEqual([undefined, 0])
  })

  it("[ID-02] ids begin where the caller's random start says", () => {
    expect(get(new IdMap({ start: 0x7654321 }).alloc("x"))).toBe(0x7654321)
    expect(get(new IdMap().alloc("x"))).toBe(1)
    const wrapping = new IdMap({ lo: 1, hi: 0x7fffffff, start: 0x7ffffffe })
    expect(allocate(wrapping, 3, "x")).toEqual([0x7ffffffe, 0x7fffffff, 1])
  })

  it("a start out of bounds is the low bound", () => {
    for (const start of [0, 14, 10.5, NaN]) {
      expect(get(new IdMap({ lo: 10, hi: 13, start }).alloc("x"))).toBe(10)
    }
  })

  it("[ID-03] removing one id leaves the other that would share its slot", () => {
    const map = new IdMap<string>()
    map.set(5, "five")
    map.set(13, "thirteen")
    get(map.remove(5))
    expect([map.get(5), map.get(13)]).toEqual([undefined, "thirteen"])
  })

  it("[ID-04] an absent id has no value and cannot be removed", () => {
    const map = new IdMap<string>()
    expect(map.get(42)).toBeUndefined()
    expect(map.remove(42)).toMatchObject({ left: { _tag: "NNG_ENOENT", code: 12, reason: "no id 42" } })
  })

  it("[ID-05] 1024 entries come and go", () => {
    const map = new IdMap<number>()
    for (let id = 0; id < 1024; id++) {
      map.set(id, id + 1)
    }
    expect(map.size).toBe(1024)
    for (let id = 0; id < 1024; id++) {
      expect(get(map.remove(id))).toBe(id + 1)
    }
    expect(map.size).toBe(0)
  })

  it("[ID-06] ids count up, run out, and come back when removed", () => {
    const map = new IdMap<string>({ lo: 10, hi: 13 })
    expect(allocate(map, 4, "x")).toEqual([10, 11, 12, 13])
    expect(map.alloc("x")).toMatchObject({ left: { _tag: "NNG_ENOMEM", code: 2 } })
    get(map.remove(11))
    expect(get(map.alloc("y"))).toBe(11)
    expect(Either.isLeft(map.alloc("x"))).toBe(true)
  })

  it("an id that was removed is not reused before the count wraps", () => {
    const map = new IdMap<string>({ lo: 10, hi: 13 })
    allocate(map, 2, "x")
    get(map.remove(10))
    get(map.remove(11))
    expect(allocate(map, 4, "x")).toEqual([12, 13, 10, 11])
  })

  it("[ID-07] explicit ids outside the bounds take no room within", () => {
    const map = new IdMap<string>({ lo: 10, hi: 13 })
    map.set(1, "one")
    map.set(100, "hundred")
    expect(allocate(map, 4, "x")).toEqual([10, 11, 12, 13])
    get(map.remove(100))
    expect(Either.isLeft(map.alloc("x"))).toBe(true)
  })

  it("explicit ids within the bounds are skipped, and set twice count once", () => {
    const map = new IdMap<string>({ lo: 10, hi: 13 })
    map.set(10, "a")
    map.set(10, "b")
    map.set(12, "c")
    expect(allocate(map, 2, "x")).toEqual([11, 13])
    expect(Either.isLeft(map.alloc("x"))).toBe(true)
  })

  it("[ID-08] iteration meets every entry once, then ends", () => {
    const map = new IdMap<string>()
    map.set(7, "seven")
    map.set(3, "three")
    expect(new Map(map)).toEqual(
      new Map([
        [7, "seven"],
        [3, "three"]
      ])
    )
    expect(Array.from(map)).toHaveLength(2)
    expect(Array.from(new IdMap())).toEqual([])
  })

  it.prop(
    "[ID-09] 50000 random steps agree with a plain table",
    [FC.infiniteStream(FC.tuple(FC.nat({ max: 2 }), FC.nat({ max: 999 }), FC.nat()))],
    ([steps]) => {
      const map = new IdMap<number>()
      const table = new Map<number, number>()
      let count = 0
      for (const [verb, id, value] of steps) {
        if (verb === 0) {
          map.set(id, value)
          table.set(id, value)
        } else if (verb === 1) {
          const expected = table.get(id)
          const removed = map.remove(id)
          if (Either.isRight(removed) ? removed.right !== expected : expected !== undefined) {
            expect.fail(`remove ${id}`)
          }
          table.delete(id)
        } else if (map.get(id) !== table.get(id)) {
          expect.fail(`get ${id}`)
        }
        if (++count === 50_000) {
          break
        }
      }
      expect(new Map(map)).toEqual(table)
      expect(map.size).toBe(table.size)
    },
    { fastCheck: { numRuns: 2 } }
  )

  it.prop(
    "never hands out an id in use, and fails only when all are",
    [FC.array(FC.oneof(FC.constant("alloc" as const), FC.nat({ max: 9 })), { maxLength: 200 }), FC.nat({ max: 9 })],
    ([steps, start]) => {
      const map = new IdMap<string>({ lo: 2, hi: 7, start })
      const used = new Set<number>()
      for (const step of steps) {
        if (step === "alloc") {
          const id = map.alloc("x")
          expect(Either.isLeft(id)).toBe([2, 3, 4, 5, 6, 7].every((n) => used.has(n)))
          if (Either.isRight(id)) {
            expect(used.has(id.right)).toBe(false)
            expect(id.right >= 2 && id.right <= 7).toBe(true)
            used.add(id.right)
          }
        } else if (used.has(step)) {
          get(map.remove(step))
          used.delete(step)
        } else {
          map.set(step, "y")
          used.add(step)
        }
      }
      expect(new Set(Array.from(map, ([id]) => id))).toEqual(used)
    }
  )

  it("[ID-10] ids above 2^32", () => {
    const map = new IdMap<string>({ lo: 0x100000000, hi: Number.MAX_SAFE_INTEGER })
    const ids = allocate(map, 100, "x")
    expect(new Set(ids).size).toBe(100)
    expect(ids.every((id) => id > 0xffffffff)).toBe(true)
    const last = new IdMap<string>({ lo: 0x100000000, hi: Number.MAX_SAFE_INTEGER, start: Number.MAX_SAFE_INTEGER })
    expect(allocate(last, 2, "x")).toEqual([Number.MAX_SAFE_INTEGER, 0x100000000])
  })
})
