// Certificates for the rows with TLS, made for each run and gone with it.
import "reflect-metadata"
import * as X509 from "@peculiar/x509"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" }
const newKeys = () => crypto.subtle.generateKey(algorithm, true, ["sign", "verify"])
const within = { notBefore: new Date(Date.now() - 3_600_000), notAfter: new Date(Date.now() + 86_400_000) }

const authorityKeys = await newKeys()
const authority = await X509.X509CertificateGenerator.createSelfSigned({
  ...within,
  serialNumber: "01",
  name: "CN=bench",
  keys: authorityKeys,
  signingAlgorithm: algorithm,
  extensions: [new X509.BasicConstraintsExtension(true, undefined, true)]
})
const keys = await newKeys()
const own = await X509.X509CertificateGenerator.create({
  ...within,
  serialNumber: "02",
  subject: "CN=localhost",
  issuer: authority.subject,
  publicKey: keys.publicKey,
  signingKey: authorityKeys.privateKey,
  signingAlgorithm: algorithm,
  extensions: [
    new X509.SubjectAlternativeNameExtension([
      { type: "dns", value: "localhost" },
      { type: "ip", value: "127.0.0.1" }
    ])
  ]
})
const key = X509.PemConverter.encode(await crypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY")

let settings

/** The environment of an end that speaks TLS: whom to trust, and what to show. */
export const certificates = () => {
  if (settings === undefined) {
    const directory = mkdtempSync(join(tmpdir(), "effect-nng-bench-"))
    process.once("exit", () => rmSync(directory, { recursive: true, force: true }))
    settings = { TLS_CA: join(directory, "ca.pem"), TLS_CERT_KEY: join(directory, "own.pem") }
    writeFileSync(settings.TLS_CA, authority.toString("pem"))
    writeFileSync(settings.TLS_CERT_KEY, `${own.toString("pem")}\n${key}`, { mode: 0o600 })
  }
  return settings
}
