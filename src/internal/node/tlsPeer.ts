import type { X509Certificate } from "node:crypto"
import * as Net from "node:net"
import type * as Tls from "node:tls"
import type { TlsProperties } from "../../Pipe.js"

const shortIp = (address: string): string =>
  Net.isIPv6(address) ? new Net.SocketAddress({ address, family: "ipv6" }).address : address

/** `DNS:one, IP Address:127.0.0.1, URI:"a, b"`: what would be ambiguous stands in quotes. */
const alternativeNames = ({ subjectAltName }: X509Certificate): ReadonlyArray<string> => {
  const names: Array<string> = []
  for (const [, kind, text = ""] of (subjectAltName ?? "").matchAll(/(?:^|, )([^:,"]+):("(?:\\.|[^"\\])*"|[^,]*)/g)) {
    const name = text.startsWith('"') ? (JSON.parse(text) as string) : text
    if (kind === "IP Address") names.push(shortIp(name))
    else if (kind === "DNS" || kind === "URI" || kind === "email") names.push(name)
  }
  return names
}

const commonName = (certificate: X509Certificate): string | undefined => {
  const name: unknown = certificate.toLegacyObject().subject?.CN
  const first: unknown = Array.isArray(name) ? name[0] : name
  return typeof first === "string" ? first : undefined
}

/**
 * What is known of the peer when the TLS handshake is done.
 *
 * @internal
 */
export const properties = (socket: Tls.TLSSocket, verified: boolean): TlsProperties => {
  const certificate = socket.getPeerX509Certificate()
  return {
    verified,
    version: socket.getProtocol() ?? "",
    cipher: socket.getCipher().standardName,
    ...(certificate === undefined
      ? { peerAlternativeNames: [] }
      : {
          peerCommonName: commonName(certificate),
          peerAlternativeNames: alternativeNames(certificate),
          peerCertificate: new Uint8Array(certificate.raw)
        })
  }
}
