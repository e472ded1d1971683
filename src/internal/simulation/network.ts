import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import type { ByteStream } from "../../ByteStream.js"
import type { ByteTarget } from "../../ByteTransport.js"
import * as Errors from "../../Errors.js"
import type * as Api from "../../TestTransport.js"
import type { AcceptError, DialError, ListenError } from "../../Transport.js"
import * as Url from "../../Url.js"
import { hosts } from "../connection/tcpUrl.js"
import { acquireRelease } from "../ports/scoped.js"
import { Signal } from "../ports/signal.js"
import { Chance } from "./chance.js"
import { End } from "./end.js"
import type { Conditions, Medium } from "./flow.js"
import { fair, Flow, jitterOf } from "./flow.js"
import { History } from "./history.js"
import type { Caller } from "./node.js"
import { isAny, isIp, isLoopback, isTcp, Listening, Node } from "./node.js"
import { addressesOf, namesOf, own, streamOf } from "./stream.js"
import type { Names } from "./where.js"
import * as Where from "./where.js"

/** @internal */
export const TypeId: Api.TypeId = Symbol.for("effect-nng/TestTransport") as Api.TypeId

/** A connection that is there. */
interface Acceptor {
  readonly url: Url.Url
  readonly accept: Effect.Effect<ByteStream, AcceptError, Scope.Scope>
}

interface Link {
  readonly ends: readonly [dialing: End, listening: End]
  readonly flows: readonly [out: Flow, back: Flow]
}

/** What was said of some ways; the later goes before. */
interface Rule {
  readonly way: Api.Way
  readonly apply: (conditions: Conditions) => void
}

interface Failure<E> {
  readonly way: Api.Way
  readonly error: E
}

/** Who dials whom. */
interface Call {
  readonly connection: number
  readonly node: Node
  readonly target: ByteTarget
  readonly host: string
  readonly source: string | undefined
  readonly from: Names
  readonly until: number
}

/** As many as wait to be accepted before the next has to wait to connect. */
const backlog = 128

interface Settings {
  readonly seed: number
  /** The name of the node that is there from the beginning. */
  readonly node: string
  readonly places: ReadonlyArray<string>
  readonly historySize: number
  readonly connectTimeout: number
}

/**
 * Machines, and what is between them.
 *
 * @internal
 */
export class Network implements Api.NetworkShape {
  readonly [TypeId]: Api.TypeId = TypeId
  readonly seed: number
  readonly home: Node
  readonly chance: Chance
  readonly history: History
  readonly failures = {
    dial: [] as Array<Failure<DialError>>,
    accept: [] as Array<Failure<AcceptError>>,
    listen: [] as Array<Failure<ListenError>>
  }
  private readonly nodes = new Map<string, Node>()
  /** Who answers to a host. */
  private readonly owners = new Map<string, Node>()
  private readonly known = new Set<string>()
  private rules: Array<Rule> = []
  private readonly links = new Set<Link>()
  /** For those who wait for the network to be otherwise. */
  private readonly changed = new Signal()
  private connections = 0
  private readonly medium: Medium

  constructor(
    private readonly settings: Settings,
    private readonly now: () => number,
    private readonly after: Medium["after"]
  ) {
    this.seed = settings.seed
    this.chance = new Chance(settings.seed)
    const start = now()
    this.history = new History(() => now() - start, settings.historySize)
    this.medium = { chance: this.chance, history: this.history, now, after }
    this.home = this.node(settings.node)
    for (const place of settings.places) this.know(place)
  }

  /** The node of this name, made if there is none. */
  node(name: string): Node {
    const key = Where.canonical(name)
    const there = this.nodes.get(key)
    if (there !== undefined) return there
    const node = new Node(name, this.ipFor(key))
    this.nodes.set(key, node)
    this.owners.set(key, node)
    this.owners.set(node.ip, node)
    this.know(name)
    this.know(node.ip)
    return node
  }

  private ipFor(name: string): string {
    if (isIp(name)) return name
    for (let n = this.nodes.size + 1; ; n++) {
      // a range for tests of networks, in which nobody lives
      const ip = `198.18.${n >> 8}.${n & 255}`
      if (!this.owners.has(ip)) return ip
    }
  }

  private know(place: string): void {
    this.known.add(Where.canonical(place))
  }

  /** The first place of these that nobody has heard of, as an error. */
  unknown(operation: string, way: Api.Way): Errors.EADDRINVAL | undefined {
    const stranger = Where.placesOf(way).find((place) => !this.known.has(place))
    return stranger === undefined ? undefined : this.strange(operation, stranger)
  }

  strange(operation: string, place: string): Errors.EADDRINVAL {
    const known = [...this.known]
    return new Errors.EADDRINVAL({
      operation: `TestTransport.${operation}`,
      address: place,
      reason: known.length === 0 ? "nobody is known yet" : `not one of the known: ${known.join(", ")}`
    })
  }

  existing(name: string): Node | undefined {
    return this.nodes.get(Where.canonical(name))
  }

  /** Changes what these ways are like, for connections that are there and those to come. */
  rule(way: Api.Way, apply: (conditions: Conditions) => void): void {
    this.rules.push({ way, apply })
    for (const { flows } of this.linksOn(way)) {
      for (const flow of flows) {
        if (!Where.matches(way, flow.from.names, flow.to.names)) continue
        apply(flow.conditions)
        flow.changed()
      }
    }
    this.changed.wake()
  }

  heal(way: Api.Way): void {
    const everywhere = way.from === undefined && way.to === undefined
    this.rule(way, (conditions) => Object.assign(conditions, fair()))
    if (everywhere) this.rules = []
    this.admit((callers) => callers)
  }

  linksOn(way: Api.Way): ReadonlyArray<Link> {
    return Array.from(this.links).filter(({ ends: [a, b] }) =>
      [Where.matches(way, a.names, b.names), Where.matches(way, b.names, a.names)].includes(true)
    )
  }

  flowsOn(way: Api.Way): ReadonlyArray<Flow> {
    return this.linksOn(way).flatMap(({ flows }) =>
      flows.filter((flow) => Where.matches(way, flow.from.names, flow.to.names))
    )
  }

  /** Lets connections that were held be accepted. */
  release(way: Api.Way, sort: (callers: ReadonlyArray<Caller>) => ReadonlyArray<Caller>): void {
    this.rule(way, (conditions) => void (conditions.held = false))
    this.admit(sort)
  }

  /** Those that are not held any more. */
  private admit(sort: (callers: ReadonlyArray<Caller>) => ReadonlyArray<Caller>): void {
    const isHeld = ({ dialing }: Caller) => dialing.outward.conditions.held
    for (const { listenings } of this.nodes.values()) {
      for (const listening of listenings) {
        const released = listening.held.filter((caller) => !isHeld(caller))
        if (released.length === 0) continue
        listening.held = listening.held.filter(isHeld)
        listening.queue.push(...sort(released))
        listening.changed.wake()
      }
    }
  }

  crash(node: Node, silent: boolean): void {
    node.down = silent ? "silent" : "refuses"
    for (const listening of node.listenings) this.unbind(listening, silent)
    for (const { ends } of [...this.links]) {
      for (const end of ends) if (end.node === node.name) end.crash(silent)
    }
    for (const resident of [...node.residents]) resident.crash()
    this.changed.wake()
  }

  restart(node: Node): void {
    node.down = "no"
    for (const { ends, flows } of this.links) {
      for (const end of ends) if (end.node === node.name) end.silent = false
      for (const flow of flows) flow.changed()
    }
    for (const resident of [...node.residents]) resident.restart()
    this.changed.wake()
  }

  private conditionsOf(from: Names, to: Names): Conditions {
    const conditions = fair()
    for (const { apply, way } of this.rules) if (Where.matches(way, from, to)) apply(conditions)
    return conditions
  }

  private takeFailure<E>(failures: Array<Failure<E>>, from: Names, to: Names): E | undefined {
    const at = failures.findIndex(({ way }) => Where.matches(way, from, to))
    return at < 0 ? undefined : failures.splice(at, 1)[0]!.error
  }

  /** Until somebody listens where a dial of this node would go. */
  awaitListening(node: Node, url: Url.Url): Effect.Effect<void> {
    return Effect.suspend(() => this.changed.until(() => this.locate(node, url, hosts(url).host) !== undefined))
  }

  /** Until this holds, or so much time has passed. */
  private untilOrAfter(millis: number, holds: () => boolean): Effect.Effect<void> {
    let over = false
    const end = () => {
      over = true
      this.changed.wake()
    }
    return Effect.acquireUseRelease(
      Effect.sync(() => this.after(millis, end)),
      () => this.changed.until(() => over || holds()),
      (cancel) => Effect.sync(cancel)
    )
  }

  private delay(conditions: Conditions): Effect.Effect<void> {
    const millis = conditions.latency + jitterOf(conditions, this.chance)
    return millis === 0
      ? Effect.void
      : Effect.async<void>((resume) => Effect.sync(this.after(millis, () => resume(Effect.void))))
  }

  // listening

  listen(node: Node, target: ByteTarget): Effect.Effect<Acceptor, ListenError, Scope.Scope> {
    return Effect.map(
      acquireRelease(
        Effect.suspend(() =>
          Either.mapLeft(this.bind(node, target.url), (error) => {
            this.history.add({ _tag: "ListenFailed", node: node.name, url: target.url.href, error: error._tag })
            return error
          })
        ),
        (listening) => Effect.sync(() => this.unbind(listening, false))
      ),
      (listening) => ({ url: listening.url, accept: this.accept(listening) })
    )
  }

  private bind(node: Node, asked: Url.Url): Either.Either<Listening, ListenError> {
    const refuse = (reason: string) =>
      Either.left(new Errors.EADDRINVAL({ operation: "listen", address: asked.href, reason }))
    const { host } = asked
    this.know(asked.href)
    if (host !== undefined && host !== "") this.know(host)
    const failure = this.takeFailure(this.failures.listen, namesOf(node), namesOf(node, host, asked.href))
    if (failure !== undefined) return Either.left(failure)
    if (node.down !== "no") return refuse(`node ${node.name} is down`)
    if (host !== undefined && !isAny(host) && !isLoopback(host)) {
      const owner = this.owners.get(host)
      if (owner !== undefined && owner !== node) return refuse(`${host} is an address of node ${owner.name}`)
      this.owners.set(host, node)
    }
    // no port is any that is free, in the tcp family
    const free = asked.port === 0 || (asked.port === undefined && isTcp(asked.scheme))
    const url = free ? Url.withPort(asked, node.freePort()) : asked
    for (const other of node.listenings) {
      if (other.clashes(url)) {
        return Either.left(new Errors.EADDRINUSE({ operation: "listen", address: url.href, reason: other.url.href }))
      }
    }
    const listening = new Listening(node, url)
    node.listenings.add(listening)
    this.know(url.href)
    this.history.add({ _tag: "Listening", node: node.name, url: listening.label })
    this.changed.wake()
    return Either.right(listening)
  }

  private unbind(listening: Listening, silent: boolean): void {
    if (listening.closed) return
    listening.closed = true
    listening.node.listenings.delete(listening)
    this.history.add({ _tag: "NotListening", node: listening.node.name, url: listening.label })
    for (const { listening: end } of [...listening.queue, ...listening.held]) end.crash(silent)
    listening.changed.wake()
    this.changed.wake()
  }

  private accept(listening: Listening): Effect.Effect<ByteStream, AcceptError, Scope.Scope> {
    const next = listening.changed.until(() => listening.closed || listening.queue.length > 0)
    const take = Effect.suspend((): Effect.Effect<ByteStream, AcceptError, Scope.Scope> => {
      if (listening.closed) {
        return new Errors.ECLOSED({ operation: "accept", address: listening.url.href, reason: "it listens no more" })
      }
      const [caller] = listening.queue
      if (caller === undefined) return Effect.interruptible(Effect.zipRight(next, this.accept(listening)))
      const failure = this.takeFailure(this.failures.accept, caller.dialing.names, caller.listening.names)
      if (failure !== undefined) return this.failAccept(listening, failure)
      this.dequeue(listening)
      const { dialing, listening: end } = caller
      this.history.add({ _tag: "Accepted", connection: end.connection, from: dialing.label, to: end.label })
      return own(streamOf(end, listening.url, end.address, dialing.address))
    })
    return Effect.uninterruptible(take)
  }

  private dequeue(listening: Listening): Caller | undefined {
    const caller = listening.queue.shift()
    // there is room for one who could not connect
    if (listening.queue.length === backlog - 1) this.changed.wake()
    return caller
  }

  private failAccept(listening: Listening, error: AcceptError): Effect.Effect<never, AcceptError> {
    this.history.add({ _tag: "AcceptFailed", url: listening.label, error: error._tag })
    // only this one says that the connection is gone; after the others it can still be accepted
    if (error._tag === "NNG_ECONNABORTED") this.dequeue(listening)?.listening.crash(false)
    return Effect.fail(error)
  }

  // dialing

  connect(node: Node, target: ByteTarget): Effect.Effect<ByteStream, DialError, Scope.Scope> {
    return Effect.suspend(() => {
      const call = this.call(node, target)
      return Effect.tapError(this.answer(call), (error) =>
        Effect.sync(() => {
          const [from, to] = [node.name, target.url.href]
          this.history.add({ _tag: "DialFailed", connection: call.connection, from, to, error: error._tag })
        })
      )
    })
  }

  private call(node: Node, target: ByteTarget): Call {
    const { url } = target
    const { host, source = target.options.tcp?.localAddress } = hosts(url)
    const connection = ++this.connections
    this.know(url.href)
    if (host !== "") this.know(host)
    if (source !== undefined) this.know(source)
    this.history.add({ _tag: "Dialing", connection, from: node.name, to: url.href })
    const until = this.now() + this.settings.connectTimeout
    return { connection, node, target, host, source, from: namesOf(node, source), until }
  }

  private answer(call: Call): Effect.Effect<ByteStream, DialError, Scope.Scope> {
    return Effect.gen(this, function* () {
      const { from, host, node, target } = call
      const address = target.url.href
      const injected = this.takeFailure(this.failures.dial, from, this.answering(call))
      if (injected !== undefined) return yield* injected
      const bad = this.badSource(call)
      if (bad !== undefined) return yield* bad
      yield* this.wait(call, () => !this.isCut(call))
      yield* this.delay(this.wayOut(call))
      // the answer may be a long time coming
      yield* this.wait(call, () => !this.isCut(call) && !this.isFull(call))
      const listening = this.locate(node, target.url, host)
      const answer = Effect.zipRight(
        Effect.suspend(() => this.delay(this.wayBack(call))),
        this.wait(call, () => !this.isCut(call))
      )
      if (listening === undefined || this.wayOut(call).refused) {
        yield* answer
        return yield* new Errors.ECONNREFUSED({ operation: "dial", address, reason: "nobody listens" })
      }
      const stream = yield* own(this.join(call, listening))
      yield* Effect.onError(answer, () => stream.close)
      return stream
    })
  }

  /** The names of what is dialed, as far as somebody has them by now. */
  private answering({ host, node, target: { url } }: Call): Names {
    const listening = this.locate(node, url, host)
    return namesOf(this.ownerOf(node, url, host), host, url.href, listening?.url.href, listening?.url.host)
  }

  private wayOut(call: Call): Conditions {
    return this.rules.length === 0 ? fair() : this.conditionsOf(call.from, this.answering(call))
  }

  private wayBack(call: Call): Conditions {
    return this.rules.length === 0 ? fair() : this.conditionsOf(this.answering(call), call.from)
  }

  private badSource({ node, source, target }: Call): Errors.EADDRINVAL | undefined {
    if (source === undefined || isLoopback(source)) return undefined
    const owner = this.owners.get(source)
    if (owner === undefined) this.owners.set(source, node)
    return owner === undefined || owner === node
      ? undefined
      : new Errors.EADDRINVAL({
          operation: "dial",
          address: target.url.href,
          reason: `${source} is an address of node ${owner.name}`
        })
  }

  private wait(call: Call, holds: () => boolean): Effect.Effect<void, Errors.ETIMEDOUT | Errors.EUNREACHABLE> {
    return Effect.suspend((): Effect.Effect<void, Errors.ETIMEDOUT | Errors.EUNREACHABLE> => {
      const { node, target, until } = call
      const details = { operation: "dial", address: target.url.href }
      if (node.down !== "no") return new Errors.EUNREACHABLE({ ...details, reason: `node ${node.name} is down` })
      if (holds()) return Effect.void
      const left = until - this.now()
      return left <= 0
        ? new Errors.ETIMEDOUT({ ...details, reason: "no answer" })
        : Effect.zipRight(
            this.untilOrAfter(left, () => node.down !== "no" || holds()),
            this.wait(call, holds)
          )
    })
  }

  private ownerOf(node: Node, url: Url.Url, host: string): Node | undefined {
    return url.host === undefined || isLoopback(host) ? node : this.owners.get(host)
  }

  private locate(node: Node, url: Url.Url, host: string): Listening | undefined {
    return this.ownerOf(node, url, host)?.find(url, host)
  }

  private isCut(call: Call): boolean {
    const silent = this.ownerOf(call.node, call.target.url, call.host)?.down === "silent"
    return silent || this.wayOut(call).cut || this.wayBack(call).cut
  }

  private isFull({ host, node, target }: Call): boolean {
    return (this.locate(node, target.url, host)?.queue.length ?? 0) >= backlog
  }

  /** Makes the connection, and gives the dialer's end. */
  private join(call: Call, listening: Listening): ByteStream {
    const { connection, node, source, target } = call
    const { medium } = this
    const url = listening.url
    const to = namesOf(listening.node, call.host, url.href, target.url.href, url.host)
    const left = () => this.leave(link)
    const [local, remote] = addressesOf(node, source, listening, call.host)
    const dialing = new End(medium, connection, node.name, node.name, call.from, local, left)
    const answering = new End(medium, connection, listening.node.name, listening.label, to, remote, left)
    const out = new Flow(medium, connection, dialing, answering, this.conditionsOf(call.from, to))
    const back = new Flow(medium, connection, answering, dialing, this.conditionsOf(to, call.from))
    out.reverse = back
    back.reverse = out
    dialing.outward = answering.inward = out
    dialing.inward = answering.outward = back
    const link: Link = { ends: [dialing, answering], flows: [out, back] }
    this.links.add(link)
    const caller = { dialing, listening: answering }
    if (out.conditions.held) listening.held.push(caller)
    else listening.queue.push(caller)
    listening.changed.wake()
    return streamOf(dialing, target.url, local, remote)
  }

  private leave(link: Link): void {
    const { ends } = link
    // one whose peer is silent, and would notice if it came back, stays
    if (ends.every(({ closed }) => closed)) this.links.delete(link)
  }
}
