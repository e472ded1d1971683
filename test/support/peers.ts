import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { spawn } from "node:child_process"
import Dns from "node:dns"
import { syncBuiltinESMExports } from "node:module"
import * as Net from "node:net"
import { until } from "./handles.js"

/** A connection played by hand. */
export interface Peer {
  readonly socket: Net.Socket
  /** Hands these bytes to the operating system. */
  readonly write: (...pieces: ReadonlyArray<Uint8Array>) => Effect.Effect<void>
  /** Each byte by itself: the next goes when the operating system has the one before. */
  readonly drip: (bytes: Uint8Array) => Effect.Effect<void>
  /** Exactly so many bytes, or `Gone` if fewer come. */
  readonly read: (n: number) => Effect.Effect<Uint8Array, Gone>
  /** Waits until the other side has closed, and tells what had come and was not read. */
  readonly closed: Effect.Effect<Gone>
  /** Closes in good order. */
  readonly end: Effect.Effect<void>
  /** Cuts the connection, which the other side sees as a reset. */
  readonly reset: Effect.Effect<void>
}

export class Gone extends Data.TaggedError("Gone")<{
  readonly how: "closed" | "reset"
  readonly unread: Uint8Array
}> {}

export const header = (protocol: number): Uint8Array =>
  Uint8Array.of(0, 0x53, 0x50, 0, protocol >> 8, protocol & 0xff, 0, 0)

export const pair0 = header(0x0010)

export const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"))

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

export const frame = (body: string | Uint8Array): Uint8Array => {
  const content = typeof body === "string" ? Buffer.from(body) : body
  return Buffer.concat([length(content.length), content])
}

/** The length in front of a message, and nothing after it. */
export const length = (n: number | bigint): Uint8Array => {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(n))
  return bytes
}

class Player implements Peer {
  private received: Uint8Array = new Uint8Array(0)
  private gone: "closed" | "reset" | undefined = undefined
  private readonly waiting = new Set<() => void>()

  constructor(readonly socket: Net.Socket) {
    socket.on("data", (chunk) => {
      this.received = Buffer.concat([this.received, chunk])
      this.wake()
    })
    socket.on("error", () => this.leave("reset"))
    socket.on("end", () => this.leave("closed"))
    socket.on("close", () => this.leave("closed"))
  }

  readonly write = (...pieces: ReadonlyArray<Uint8Array>): Effect.Effect<void> =>
    Effect.async<void>((resume) => {
      this.socket.write(Buffer.concat(pieces), () => resume(Effect.void))
    })

  readonly drip = (bytes: Uint8Array): Effect.Effect<void> =>
    Effect.forEach(bytes, (byte) => this.write(Uint8Array.of(byte)), { discard: true })

  readonly read = (n: number): Effect.Effect<Uint8Array, Gone> =>
    Effect.suspend(() => {
      if (this.received.length >= n) {
        const taken = this.received.subarray(0, n)
        this.received = this.received.subarray(n)
        return Effect.succeed(taken)
      }
      return this.gone === undefined ? Effect.zipRight(this.change, this.read(n)) : this.end_(this.gone)
    })

  readonly closed: Effect.Effect<Gone> = Effect.suspend(() =>
    this.gone === undefined ? Effect.zipRight(this.change, this.closed) : Effect.flip(this.end_(this.gone))
  )

  readonly end: Effect.Effect<void> = Effect.async((resume) => {
    this.socket.end(() => resume(Effect.void))
  })

  // resetAndDestroy() closes in good order first, which the other side may see before the reset
  readonly reset: Effect.Effect<void> = Effect.sync(
    () => void Object.assign(this.socket, { resetAndClosing: true }).destroy()
  )

  private end_(how: "closed" | "reset"): Effect.Effect<never, Gone> {
    return new Gone({ how, unread: this.received })
  }

  private leave(how: "closed" | "reset"): void {
    this.gone ??= how
    this.wake()
  }

  private wake(): void {
    for (const wake of [...this.waiting]) wake()
  }

  private readonly change: Effect.Effect<void> = Effect.async((resume) => {
    const wake = () => {
      this.waiting.delete(wake)
      resume(Effect.void)
    }
    this.waiting.add(wake)
    return Effect.sync(() => void this.waiting.delete(wake))
  })
}

/** Plays a socket by hand, whoever made it. */
export const play = (socket: Net.Socket): Peer => new Player(socket)

const owned = (make: () => Net.Socket): Effect.Effect<Peer, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(Effect.sync(make), (socket) => Effect.sync(() => void socket.destroy())),
    (socket) => new Player(socket)
  )

const connect = (to: Net.SocketConnectOpts): Effect.Effect<Peer, Error, Scope.Scope> =>
  Effect.tap(
    owned(() => new Net.Socket()),
    ({ socket }) =>
      Effect.async<void, Error>((resume) => {
        socket.once("error", (error) => resume(Effect.fail(error)))
        socket.connect(to, () => resume(Effect.void))
      })
  )

/** A client played by hand. */
export const dial = (
  port: number,
  options: Omit<Net.TcpNetConnectOpts, "port"> = {}
): Effect.Effect<Peer, Error, Scope.Scope> => connect({ host: "127.0.0.1", noDelay: true, ...options, port })

/** The same, of a socket file or an abstract name. */
export const dialPath = (path: string): Effect.Effect<Peer, Error, Scope.Scope> => connect({ path })

/** A server played by hand. */
export interface Server {
  readonly port: number
  readonly server: Net.Server
  /** The next connection. */
  readonly accept: Effect.Effect<Peer>
  /** How many connections there have been. */
  readonly accepted: () => number
}

export const listen = (
  options: Net.ListenOptions & { readonly pauseOnConnect?: boolean } = {}
): Effect.Effect<Server, Error, Scope.Scope> =>
  Effect.gen(function* () {
    const peers: Array<Peer> = []
    const sockets: Array<Net.Socket> = []
    let accepted = 0
    let wake: () => void = () => {}
    const server = yield* Effect.acquireRelease(
      Effect.sync(() =>
        Net.createServer({ noDelay: true }, (socket) => {
          accepted++
          sockets.push(socket)
          peers.push(new Player(socket))
          wake()
        })
      ),
      (server) =>
        Effect.sync(() => {
          for (const socket of sockets) socket.destroy()
          server.close()
        })
    )
    yield* Effect.async<void, Error>((resume) => {
      server.once("error", (error) => resume(Effect.fail(error)))
      server.listen(options.path === undefined ? { host: "127.0.0.1", port: 0, ...options } : options, () =>
        resume(Effect.void)
      )
    })
    const accept: Effect.Effect<Peer> = Effect.suspend(() => {
      const peer = peers.shift()
      if (peer !== undefined) return Effect.succeed(peer)
      return Effect.zipRight(
        Effect.async<void>((resume) => {
          wake = () => resume(Effect.void)
        }),
        accept
      )
    })
    return { port: (server.address() as Net.AddressInfo).port, server, accept, accepted: () => accepted }
  })

/** The same at a path. */
export const listenPath = (path: string): Effect.Effect<Server, Error, Scope.Scope> => listen({ path })

/** The port in an endpoint's URL. */
export const portOf = ({ url }: { readonly url: string }): number => Number(/:(\d+)\/?$/.exec(url)?.[1])

/**
 * A port that listens and where nobody accepts: a process that stands still from then on, and so many connections that
 * the system keeps no more of them waiting. Later ones get no answer.
 */
export const blackHole: Effect.Effect<number, Error, Scope.Scope> = Effect.gen(function* () {
  const program = `
    const server = require("node:net").createServer()
    server.listen({ host: "127.0.0.1", port: 0, backlog: 1 }, () => {
      require("node:fs").writeSync(1, server.address().port + "\\n")
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
    })`
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] })),
    (child) =>
      Effect.async<void>((resume) => {
        child.once("close", () => resume(Effect.void))
        child.kill("SIGKILL")
      })
  )
  const port = yield* Effect.async<number, Error>((resume) => {
    child.once("error", (error) => resume(Effect.fail(error)))
    child.stdout.once("data", (text: Buffer) => resume(Effect.succeed(Number(text.toString()))))
  })
  const fillers = yield* Effect.forEach(Array.from({ length: 16 }), () => owned(() => new Net.Socket()))
  for (const { socket } of fillers) socket.connect({ host: "127.0.0.1", port })
  let before = { connected: 0, at: performance.now() }
  // full is when no more of them have got through for a while
  yield* until(
    () => {
      const connected = fillers.filter(({ socket }) => !socket.connecting).length
      if (connected > before.connected) before = { connected, at: performance.now() }
      return connected > 0 && performance.now() - before.at > 50
    },
    () => before
  )
  return port
})

type Answer = (error: Error | null, address?: string | ReadonlyArray<Dns.LookupAddress>, family?: number) => void

const notFound = (hostname: string): Error =>
  Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), {
    code: "ENOTFOUND",
    errno: -3008,
    syscall: "getaddrinfo",
    hostname
  })

/** For as long as the scope lives, names stand for these addresses in this order; others do not exist. */
export const names = (
  table: Readonly<Record<string, ReadonlyArray<string>>>
): Effect.Effect<{ readonly asked: ReadonlyArray<string> }, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const before = Dns.lookup
      const asked: Array<string> = []
      const lookup = (name: string, options: Dns.LookupOptions | Answer, given?: Answer): void => {
        const { all = false, family = 0 } = typeof options === "function" ? {} : options
        const answer = typeof options === "function" ? options : given!
        const literal = Net.isIP(name)
        if (literal === 0) asked.push(name)
        const addresses = (literal === 0 ? (table[name] ?? []) : [name])
          .map((address) => ({ address, family: Net.isIP(address) }))
          .filter((address) => family === 0 || address.family === family)
        const [first] = addresses
        setImmediate(() => {
          if (first === undefined) answer(notFound(name))
          else if (all) answer(null, addresses)
          else answer(null, first.address, first.family)
        })
      }
      Object.assign(Dns, { lookup })
      syncBuiltinESMExports()
      return { before, asked }
    }),
    ({ before }) =>
      Effect.sync(() => {
        Object.assign(Dns, { lookup: before })
        syncBuiltinESMExports()
      })
  )

/** All that a stream of events gives, from before the next step of the caller on. */
export interface Recorder<A> {
  readonly all: ReadonlyArray<A>
  /** The first event, from number `from` on, that is so; the test dies when none comes. */
  readonly find: <B extends A>(is: (event: A) => event is B, from?: number) => Effect.Effect<B>
  /** The tags so far. */
  readonly tags: () => ReadonlyArray<string>
}

export const record = <A extends { readonly _tag: string }>(
  events: Stream.Stream<A>
): Effect.Effect<Recorder<A>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const all: Array<A> = []
    const waiting = new Set<() => void>()
    yield* Effect.forkScoped(
      Stream.runForEach(events, (event) =>
        Effect.sync(() => {
          all.push(event)
          for (const wake of [...waiting]) wake()
        })
      )
    )
    // the fiber subscribes in its first run
    yield* Effect.yieldNow()
    yield* Effect.yieldNow()
    const change = Effect.async<void>((resume) => {
      const wake = () => {
        waiting.delete(wake)
        resume(Effect.void)
      }
      waiting.add(wake)
      return Effect.sync(() => void waiting.delete(wake))
    })
    const tags = () => all.map(({ _tag }) => _tag)
    const find = <B extends A>(is: (event: A) => event is B, from: number = 0): Effect.Effect<B> => {
      const look: Effect.Effect<B> = Effect.suspend(() => {
        const found = all.slice(from).find(is)
        return found === undefined ? Effect.zipRight(change, look) : Effect.succeed(found)
      })
      return Effect.timeoutFailCause(look, {
        duration: "15 seconds",
        onTimeout: () => Cause.die(new Error(`the event did not come, only ${tags().join(", ")}`))
      }).pipe(Effect.withClock(Clock.make()))
    }
    return { all, find, tags }
  })

/** For `find`: the events with this tag. */
export const tagged =
  <Tag extends string>(tag: Tag) =>
  <A extends { readonly _tag: string }>(event: A): event is Extract<A, { readonly _tag: Tag }> =>
    event._tag === tag
