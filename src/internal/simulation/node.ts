import type { End } from "./end.js"
import { canonical } from "./where.js"
import type { Url } from "../../Url.js"
import { Signal } from "../ports/signal.js"

/** A program that lives on a node. */
export interface Resident {
  readonly crash: () => void
  readonly restart: () => void
}

/**
 * A machine of the simulated network.
 *
 * @internal
 */
export class Node {
  readonly listenings = new Set<Listening>()
  readonly residents = new Set<Resident>()
  /** Crashed; a silent one answers nobody, another at least refuses. */
  down: "no" | "refuses" | "silent" = "no"
  private port = firstPort - 1

  constructor(
    readonly name: string,
    readonly ip: string
  ) {}

  /** A port that nobody on it listens on. */
  freePort(): number {
    const taken = new Set(Array.from(this.listenings, ({ url }) => url.port))
    do {
      this.port = this.port === lastPort ? firstPort : this.port + 1
    } while (taken.has(this.port))
    return this.port
  }

  find(url: Url, host: string): Listening | undefined {
    for (const listening of this.listenings) if (listening.answers(url, host)) return listening
    return undefined
  }
}

const firstPort = 49152
const lastPort = 65535

/** @internal */
export const isLoopback = (host: string): boolean => host === "localhost" || host === "::1" || host.startsWith("127.")

/** @internal */
export const isIp = (host: string): boolean => /^[0-9]{1,3}(\.[0-9]{1,3}){3}$/.test(host) || host.includes(":")

/** Any address of the machine. */
export const isAny = (host: string): boolean => host === "" || host === "0.0.0.0" || host === "::"

/** Whether it is a scheme of the tcp family, whose URLs have a port. */
export const isTcp = (scheme: string): boolean => /^(tls\+)?tcp[46]?$/.test(scheme)

/** Transports that differ in the family of addresses, or in name, alone meet. */
const kind = (scheme: string): string => (scheme === "unix" ? "ipc" : scheme.replace(/[46]$/, ""))

const isWeb = (scheme: string): boolean => kind(scheme) === "ws" || kind(scheme) === "wss"

/** Somebody who waits to be accepted. */
export interface Caller {
  readonly dialing: End
  readonly listening: End
}

/**
 * A bound address.
 *
 * @internal
 */
export class Listening {
  readonly queue: Array<Caller> = []
  /** Kept from being accepted. */
  held: Array<Caller> = []
  closed = false
  /** For those who wait for something to accept. */
  readonly changed = new Signal()

  constructor(
    readonly node: Node,
    readonly url: Url
  ) {}

  /** Its URL as it is told: one for any address has the name of its node. */
  get label(): string {
    const { host, href } = this.url
    return host === "" ? href.replace("://", `://${this.node.name}`) : href
  }

  get host(): string | undefined {
    return this.url.host
  }

  /** Whether a dial to this URL, whose host is this one's, reaches it. */
  answers(url: Url, host: string): boolean {
    const same = kind(url.scheme) === kind(this.url.scheme) && url.port === this.url.port
    return same && url.path === this.url.path && this.hasHost(host)
  }

  /** Whether somebody else who binds this would take its place. */
  clashes(url: Url): boolean {
    const alike = kind(url.scheme) === kind(this.url.scheme)
    const same = alike && url.path === this.url.path
    if (this.host === undefined || url.host === undefined) return same && url.host === this.host
    if (url.port !== this.url.port || !(isAny(url.host) || this.hasHost(url.host))) return false
    // a port is one scheme's, and only on the web are there several paths behind it
    return url.port === undefined || (alike && isWeb(url.scheme)) ? same : true
  }

  private hasHost(host: string): boolean {
    const own = this.host
    return (
      own === undefined ||
      isAny(own) ||
      own === host ||
      (isLoopback(own) && isLoopback(host)) ||
      // its name and its number are one
      (this.isOwn(own) && this.isOwn(host))
    )
  }

  private isOwn(host: string): boolean {
    return host === canonical(this.node.name) || host === this.node.ip
  }
}
