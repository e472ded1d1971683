import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Equal from "effect/Equal"
import * as FC from "effect/FastCheck"
import * as Hash from "effect/Hash"
import * as Address from "effect-nng/Address"
import * as Url from "effect-nng/Url"

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

describe("Address", () => {
  it.each([
    [Address.ipc("/tmp/testing"), "/tmp/testing"],
    [Address.abstract(bytes("one")), "abstract[one]"],
    [Address.inproc("one"), "inproc[one]"],
    [Address.inet("127.0.0.1", 80), "127.0.0.1:80"],
    [Address.inet6("::1", 80), "[::1]:80"],
    [Address.inet6("::ffff:192.168.1.100", 80), "[::ffff:192.168.1.100]:80"],
    [Address.inet6("fe80::4", 80, "2"), "[fe80::4%2]:80"],
    [Address.inet6("::", 80), "[::]:80"],
    [Address.inet6("fc00::", 80), "[fc00::]:80"],
    [Address.unspecified, "unknown"]
  ])("[MISC-10] %o reads %s", (address, text) => {
    expect(Address.format(address)).toBe(text)
  })

  it("an abstract name may hold any byte", () => {
    const name = Uint8Array.from({ length: 107 }, (_, i) => (i * 37) % 256)
    const address = Address.abstract(name)
    expect(address._tag === "Abstract" && Either.getOrThrow(Url.decode(address.name, 107))).toEqual(name)
    expect(Address.format(Address.abstract(bytes("a b/\0")))).toBe("abstract[a%20b%2F%00]")
  })

  it("an IP address is of one family or the other, with its zone", () => {
    expect(Address.fromIp("10.0.0.1", 5)).toEqual(Address.inet("10.0.0.1", 5))
    expect(Address.fromIp("::1", 5)).toEqual(Address.inet6("::1", 5))
    expect(Address.fromIp("fe80::1%eth0", 5)).toEqual(Address.inet6("fe80::1", 5, "eth0"))
    expect(Address.format(Address.fromIp("::ffff:1.2.3.4", 5))).toBe("[::ffff:1.2.3.4]:5")
  })

  it("only IP addresses have a port", () => {
    const addresses = [Address.inet("1.2.3.4", 5), Address.inet6("::1", 6), Address.inproc("x"), Address.unspecified]
    expect(addresses.map(Address.port)).toEqual([5, 6, 0, 0])
  })

  describe("[MISC-11] equality and hash", () => {
    it.each([
      ["name", Address.inproc("one"), Address.inproc("two")],
      ["path", Address.ipc("/tmp/one"), Address.ipc("/tmp/two")],
      ["abstract name", Address.abstract(bytes("one")), Address.abstract(bytes("two"))],
      ["host", Address.inet("127.0.0.1", 80), Address.inet("127.0.0.2", 80)],
      ["port", Address.inet("127.0.0.1", 80), Address.inet("127.0.0.1", 81)],
      ["IPv6 host", Address.inet6("::1", 80), Address.inet6("::2", 80)],
      ["IPv6 port", Address.inet6("::1", 80), Address.inet6("::1", 81)],
      ["scope", Address.inet6("fe80::1", 80, "1"), Address.inet6("fe80::1", 80, "2")]
    ])("[MISC-11] differ by %s", (_, one, other) => {
      expect(Equal.equals(one, other)).toBe(false)
      expect(Hash.hash(one)).not.toBe(Hash.hash(other))
    })

    it("[MISC-11] differ by family", () => {
      const families = [
        Address.unspecified,
        Address.inproc("one"),
        Address.ipc("one"),
        Address.abstract(bytes("one")),
        Address.inet("one", 1),
        Address.inet6("one", 1)
      ]
      for (const [i, one] of families.entries()) {
        expect(families.map((other) => Equal.equals(one, other))).toEqual(families.map((_, j) => i === j))
      }
    })

    it.prop("[MISC-11] agree when all parts do", [FC.string(), FC.nat({ max: 65535 })], ([text, port]) => {
      const make: ReadonlyArray<() => Address.Address> = [
        () => Address.inproc(text),
        () => Address.ipc(text),
        () => Address.abstract(bytes(text)),
        () => Address.inet(text, port),
        () => Address.inet6(text, port, text)
      ]
      for (const one of make) {
        expect(Equal.equals(one(), one())).toBe(true)
        expect(Hash.hash(one())).toBe(Hash.hash(one()))
      }
    })
  })
})
