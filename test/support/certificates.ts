import "reflect-metadata"
import * as X509 from "@peculiar/x509"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { webcrypto } from "node:crypto"
import { isIP } from "node:net"

/** What stands in a certificate. */
export interface Contents {
  readonly commonName?: string
  /** Host names and IP addresses. */
  readonly names?: ReadonlyArray<string>
  /** Hours from now. Default an hour ago. */
  readonly from?: number
  /** Hours from now. Default a day. */
  readonly to?: number
  /** What the key may be used for. Default both. */
  readonly usages?: ReadonlyArray<"server" | "client">
}

/** A certificate with its key, in PEM. */
export interface Pair {
  readonly cert: string
  readonly key: Redacted.Redacted<string>
  readonly serialNumber: string
}

/** One that an authority has made, and that may itself sign, though nobody has allowed it to. */
export interface Issued extends Pair {
  readonly issue: (contents?: Contents) => Promise<Pair>
}

/** Who signs. */
export interface Authority {
  readonly pem: string
  readonly issue: (contents?: Contents) => Promise<Issued>
  /** An authority below this one; its certificates come with its own. */
  readonly below: (commonName: string) => Promise<Authority>
  /** What it has revoked, as a list in PEM. */
  readonly revoke: (...pairs: ReadonlyArray<Pair>) => Promise<string>
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" }
const hour = 60 * 60 * 1000
const inHours = (hours: number) => new Date(Date.now() + hours * hour)

const newKeys = () => crypto.subtle.generateKey(algorithm, true, ["sign", "verify"])

const toPem = async ({ privateKey }: webcrypto.CryptoKeyPair) =>
  Redacted.make(X509.PemConverter.encode(await crypto.subtle.exportKey("pkcs8", privateKey), "PRIVATE KEY"))

let serials = 0
const nextSerial = () => (++serials).toString(16).padStart(4, "0")

const usage = { server: X509.ExtendedKeyUsage.serverAuth, client: X509.ExtendedKeyUsage.clientAuth }

const isAuthority = [
  new X509.BasicConstraintsExtension(true, undefined, true),
  new X509.KeyUsagesExtension(X509.KeyUsageFlags.keyCertSign | X509.KeyUsageFlags.cRLSign, true)
]

const nameOf = (value: string) =>
  ({
    type: isIP(value) > 0 ? ("ip" as const) : value.includes("://") ? "url" : value.includes("@") ? "email" : "dns",
    value
  }) as const

const leaf = ({ names = [], usages = ["server", "client"] }: Contents) => [
  new X509.SubjectAlternativeNameExtension(names.map(nameOf)),
  new X509.ExtendedKeyUsageExtension(usages.map((name) => usage[name]))
]

const authorityOf = (self: X509.X509Certificate, keys: webcrypto.CryptoKeyPair, chain: string): Authority => {
  const sign = (
    serialNumber: string,
    commonName: string,
    publicKey: webcrypto.CryptoKey,
    extensions: Array<X509.Extension>,
    { from = -1, to = 24 }: Contents
  ) =>
    X509.X509CertificateGenerator.create({
      serialNumber,
      subject: `CN=${commonName}`,
      issuer: self.subject,
      notBefore: inHours(from),
      notAfter: inHours(to),
      publicKey,
      signingKey: keys.privateKey,
      signingAlgorithm: algorithm,
      extensions
    })
  return {
    pem: self.toString("pem"),
    issue: async (contents = {}) => {
      const own = await newKeys()
      const serialNumber = nextSerial()
      const made = await sign(serialNumber, contents.commonName ?? "somebody", own.publicKey, leaf(contents), contents)
      const cert = `${made.toString("pem")}\n${chain}`
      return { cert, key: await toPem(own), serialNumber, issue: authorityOf(made, own, cert).issue }
    },
    below: async (commonName) => {
      const own = await newKeys()
      const made = await sign(nextSerial(), commonName, own.publicKey, isAuthority, {})
      return authorityOf(made, own, made.toString("pem"))
    },
    revoke: async (...pairs) => {
      const list = await X509.X509CrlGenerator.create({
        issuer: self.subject,
        thisUpdate: inHours(-1),
        nextUpdate: inHours(24),
        entries: pairs.map(({ serialNumber }) => ({ serialNumber, revocationDate: inHours(-1) })),
        signingAlgorithm: algorithm,
        signingKey: keys.privateKey
      })
      return X509.PemConverter.encode(list.rawData, "X509 CRL")
    }
  }
}

/** An authority that nobody stands above. */
export const authority = async (commonName: string): Promise<Authority> => {
  const keys = await newKeys()
  const self = await X509.X509CertificateGenerator.createSelfSigned({
    serialNumber: nextSerial(),
    name: `CN=${commonName}`,
    notBefore: inHours(-1),
    notAfter: inHours(24),
    keys,
    signingAlgorithm: algorithm,
    extensions: isAuthority
  })
  return authorityOf(self, keys, "")
}

/** A certificate that has signed itself. */
export const selfSigned = async (contents: Contents = {}): Promise<Pair> => {
  const keys = await newKeys()
  const serialNumber = nextSerial()
  const self = await X509.X509CertificateGenerator.createSelfSigned({
    serialNumber,
    name: `CN=${contents.commonName ?? "somebody"}`,
    notBefore: inHours(contents.from ?? -1),
    notAfter: inHours(contents.to ?? 24),
    keys,
    signingAlgorithm: algorithm,
    extensions: leaf(contents)
  })
  return { cert: self.toString("pem"), key: await toPem(keys), serialNumber }
}

const here = ["localhost", "127.0.0.1", "::1"]

/** What most tests need: made once for a file of tests, and nowhere kept. */
export const wallet = Effect.runSync(
  Effect.cached(
    Effect.promise(async () => {
      const ca = await authority("the tests' authority")
      const stranger = await authority("another authority")
      const server = await ca.issue({ commonName: "the server", names: here })
      const client = await ca.issue({ commonName: "the client", names: ["client.example", "10.1.2.3"] })
      return { ca, stranger, server, client }
    })
  )
)
