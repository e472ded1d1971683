import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Address from "effect-nng/Address"
import * as NodeTransport from "effect-nng/NodeTransport"
import * as Pair0 from "effect-nng/Pair0"
import * as Pipe from "effect-nng/Pipe"
import * as Socket from "effect-nng/Socket"
import { hand, Script } from "../support/scripted.js"
import {
  collect,
  drain,
  failing,
  marry,
  network,
  pair,
  recvText,
  settle,
  tagged,
  tags,
  taken,
  until,
  yields
} from "../support/sockets.js"

/** Two sockets, not joined, with their events collected from the beginning. */
const watched = (options: { readonly left?: Pair0.MakeOptions; readonly right?: Pair0.MakeOptions } = {}) =>
  Effect.gen(function* () {
    const left = yield* Pair0.make(options.left)
    const right = yield* Pair0.make(options.right)
    return {
      left,
      right,
      leftEvents: yield* collect(Socket.events(left)),
      rightEvents: yield* collect(Socket.events(right))
    }
  })

/** What was told of each pipe, in order. */
const stories = (events: ReadonlyArray<Pipe.PipeEvent>): Array<string> => {
  const byPipe = new Map<number, Array<string>>()
  for (const { _tag, pipe } of events) byPipe.set(pipe.id, [...(byPipe.get(pipe.id) ?? []), _tag])
  return Array.from(byPipe.values(), (tags) => tags.join(" "))
}

const count = (events: ReadonlyArray<Pipe.PipeEvent>) => ({
  pre: events.filter(({ _tag }) => _tag === "AddPre").length,
  post: events.filter(({ _tag }) => _tag === "AddPost").length,
  rem: events.filter(({ _tag }) => _tag === "RemPost").length
})

describe("pipe events", () => {
  it.scoped("[PIPE-01] each side sees AddPre, then AddPost, and no RemPost", () =>
    Effect.gen(function* () {
      const { left, leftEvents, right, rightEvents } = yield* watched()
      yield* marry(left, right)
      expect(tags(yield* taken(leftEvents))).toEqual(["AddPre", "AddPost"])
      expect(tags(yield* taken(rightEvents))).toEqual(["AddPre", "AddPost"])
    }).pipe(Effect.provide(network))
  )

  it.scoped("[PIPE-02] a pipe names its socket, and the dialer or the listener that made it", () =>
    Effect.gen(function* () {
      const origins: Array<Pipe.Origin> = []
      const beforeAttach: Socket.BeforeAttach = (pipe) => Effect.sync(() => void origins.push(pipe.origin))
      const { left, leftEvents, right, rightEvents } = yield* watched({
        left: { beforeAttach },
        right: { beforeAttach }
      })
      const { dialer, listener } = yield* marry(left, right)
      const [ofLeft, ofRight] = [yield* Queue.take(leftEvents), yield* Queue.take(rightEvents)]
      expect(ofLeft.pipe.origin).toEqual({ _tag: "Listener", id: listener.id, url: listener.url })
      expect(ofRight.pipe.origin).toEqual({ _tag: "Dialer", id: dialer.id, url: dialer.url })
      expect([ofLeft.pipe.socketId, ofRight.pipe.socketId]).toEqual([left.id, right.id])
      expect(origins).toHaveLength(2)
      expect(origins).toEqual(expect.arrayContaining([ofLeft.pipe.origin, ofRight.pipe.origin]))
    }).pipe(Effect.provide(network))
  )

  it.scoped("[PIPE-03] a message carries the id of the pipe from the events", () =>
    Effect.gen(function* () {
      const { left, leftEvents, right, rightEvents } = yield* watched()
      yield* marry(left, right)
      yield* Socket.send(left, "x")
      yield* Socket.send(right, "y")
      const [ofLeft, ofRight] = [yield* Queue.take(leftEvents), yield* Queue.take(rightEvents)]
      expect((yield* Socket.recv(left)).pipeId).toBe(ofLeft.pipe.id)
      expect((yield* Socket.recv(right)).pipeId).toBe(ofRight.pipe.id)
      expect(ofLeft.pipe.id).not.toBe(ofRight.pipe.id)
    }).pipe(Effect.provide(network))
  )

  it.scoped("[PIPE-05] closed by one side, a pipe is seen to go by both and replaced by another", () =>
    Effect.gen(function* () {
      const { left, leftEvents, right, rightEvents } = yield* watched({
        right: { reconnectMin: 0 },
        left: { recvBuffer: 1 }
      })
      yield* marry(left, right)
      const [old] = yield* Socket.pipes(left).get
      yield* old!.close
      yield* failing(old!.close, "NNG_ENOENT")
      for (const events of [leftEvents, rightEvents]) {
        yield* until(events, tagged("RemPost"))
        yield* until(events, tagged("AddPost"))
      }
      yield* settle
      const [renewed] = yield* Socket.pipes(left).get
      expect(renewed!.id).not.toBe(old!.id)
      yield* Socket.send(right, "again")
      const message = yield* Socket.recv(left)
      expect(message.pipeId).toBe(renewed!.id)
      expect(tags([...(yield* taken(leftEvents)), ...(yield* taken(rightEvents))])).toEqual([])
    }).pipe(Effect.provide(network))
  )

  it.scoped("[PIPE-06] one that is closed before it is attached: pre 2, post 1, rem 1, and for the peer 2, 2, 1", () =>
    Effect.gen(function* () {
      let looks = 0
      const { left, leftEvents, right, rightEvents } = yield* watched({
        left: { beforeAttach: (pipe) => (looks++ === 0 ? Effect.orDie(pipe.close) : Effect.void) },
        right: { reconnectMin: 0 }
      })
      yield* marry(left, right)
      const [l, r] = [yield* taken(leftEvents), yield* taken(rightEvents)]
      expect([count(l), count(r)]).toEqual([
        { pre: 2, post: 1, rem: 1 },
        { pre: 2, post: 2, rem: 1 }
      ])
      expect(stories(l)).toEqual(["AddPre RemPost", "AddPre AddPost"])
      expect(stories(r)).toEqual(["AddPre AddPost RemPost", "AddPre AddPost"])
    }).pipe(Effect.provide(network))
  )

  it.scoped("[PIPE-07] when a refused pipe is removed its id and its endpoint can still be read", () =>
    Effect.gen(function* () {
      const { left, leftEvents, right } = yield* watched({
        left: { beforeAttach: (pipe) => Effect.orDie(pipe.close) },
        right: { reconnectMin: "1 hour" }
      })
      const listener = yield* Socket.listen(left, "inproc://pair")
      yield* Socket.dial(right, "inproc://pair")
      const { pipe: added } = yield* until(leftEvents, tagged("AddPre"))
      const { pipe, reason } = yield* until(leftEvents, tagged("RemPost"))
      expect(pipe).toBe(added)
      expect(pipe.origin).toEqual({ _tag: "Listener", id: listener.id, url: "inproc://pair" })
      expect(pipe.properties.remoteAddress).toEqual(Address.inproc("pair"))
      expect([pipe.scheme, pipe.id > 0, reason._tag]).toEqual(["inproc", true, "NNG_ECLOSED"])
      yield* failing(pipe.close, "NNG_ENOENT")
    }).pipe(Effect.provide(network))
  )

  it.scoped("[PIPE-08] a second peer gets AddPre and RemPost, and the first notices nothing", () =>
    Effect.gen(function* () {
      const { left, leftEvents, right, rightEvents } = yield* watched()
      yield* marry(left, right)
      yield* taken(leftEvents)
      yield* taken(rightEvents)
      const second = yield* Pair0.make({ reconnectMin: "1 hour" })
      yield* Socket.dial(second, "inproc://pair")
      expect(yield* taken(leftEvents)).toMatchObject([
        { _tag: "AddPre" },
        { _tag: "RemPost", reason: { _tag: "NNG_EBUSY" } }
      ])
      yield* Socket.send(right, "still here")
      expect(yield* recvText(left)).toBe("still here")
      expect(yield* taken(rightEvents)).toEqual([])
    }).pipe(Effect.provide(network))
  )

  it.scoped("[PIPE-10] a refused pipe is counted by its socket and by its endpoint", () =>
    Effect.gen(function* () {
      let looks = 0
      const left = yield* Pair0.make({
        beforeAttach: (pipe) => (looks++ === 0 ? Effect.orDie(pipe.close) : Effect.void)
      })
      const right = yield* Pair0.make({ reconnectMin: 0 })
      const { dialer, listener } = yield* marry(left, right)
      expect((yield* left.statistics).reject).toBe(1)
      expect(yield* listener.statistics).toEqual({ pipes: 1, accepts: 1, reject: 1, failures: {} })
      expect((yield* right.statistics).reject).toBe(0)
      expect((yield* dialer.statistics).reject).toBe(0)
    }).pipe(Effect.provide(network))
  )

  it.scoped("[PIPE-12] nothing is replayed to whoever comes late", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair()
      const late = yield* collect(Socket.events(left))
      let looks = 0
      yield* Socket.setBeforeAttach(left, () => Effect.sync(() => void looks++))
      expect(yield* taken(late)).toEqual([])
      expect(looks).toBe(0)
      yield* right.close
      expect(tags(yield* taken(late))).toEqual(["RemPost"])
    }).pipe(Effect.provide(network))
  )

  it.scoped("[PIPE-13] of many short connections none tells AddPost after RemPost", () =>
    Effect.gen(function* () {
      const { left, leftEvents } = yield* watched()
      yield* Socket.listen(left, "inproc://pair")
      for (let n = 0; n < 60; n++) {
        const visitor = Effect.gen(function* () {
          const right = yield* Pair0.make()
          yield* Socket.dial(right, "inproc://pair")
          yield* yields(n % 7)
        })
        yield* Effect.scoped(visitor)
        yield* yields(n % 5)
      }
      const told = stories(yield* taken(leftEvents))
      expect(told).toHaveLength(60)
      for (const story of told) expect(["AddPre RemPost", "AddPre AddPost RemPost"]).toContain(story)
      expect(told).toContain("AddPre AddPost RemPost")
    }).pipe(Effect.provide(network))
  )

  it.scoped("[WIRE-02] a peer of another protocol gets AddPre and RemPost, and no AddPost", () => {
    const script = new Script()
    return Effect.gen(function* () {
      const peer = hand(0x11)
      let accepts = 0
      script.listen(({ url }) =>
        Effect.succeed({ url, accept: Effect.suspend(() => (accepts++ === 0 ? peer.accepted : Effect.never)) })
      )
      const { left, leftEvents } = yield* watched()
      const listener = yield* Socket.listen(left, "inproc://pair")
      expect(yield* taken(leftEvents)).toMatchObject([
        { _tag: "AddPre", pipe: { peerProtocol: 0x11 } },
        { _tag: "RemPost", reason: { _tag: "NNG_EPROTO" } }
      ])
      expect((yield* left.statistics).reject).toBe(1)
      expect(yield* listener.statistics).toMatchObject({ accepts: 0, reject: 1, pipes: 0 })
    }).pipe(Effect.provide(script.layer))
  })
})

describe("a pipe", () => {
  it.scoped("[PIPE-04] has the scheme of its endpoint's URL, over inproc", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair()
      const [[ofLeft], [ofRight]] = [yield* Socket.pipes(left).get, yield* Socket.pipes(right).get]
      expect([ofLeft!.scheme, ofRight!.scheme]).toEqual(["inproc", "inproc"])
      expect(ofLeft!.properties.localAddress).toEqual(Address.inproc("pair"))
      expect(ofLeft!.peerProtocol).toBe(0x10)
      expect(Pipe.isPipe(ofLeft) && !Pipe.isPipe(left)).toBe(true)
    }).pipe(Effect.provide(network))
  )

  it.scopedLive("[PIPE-04] has the scheme of its endpoint's URL, over tcp, and the addresses of both ends", () =>
    Effect.gen(function* () {
      const [left, right] = [yield* Pair0.make(), yield* Pair0.make()]
      yield* marry(left, right, "tcp4://127.0.0.1:0")
      const [[ofLeft], [ofRight]] = [yield* Socket.pipes(left).get, yield* Socket.pipes(right).get]
      expect([ofLeft!.scheme, ofRight!.scheme]).toEqual(["tcp4", "tcp4"])
      expect(ofLeft!.properties.localAddress).toEqual(ofRight!.properties.remoteAddress)
      expect(ofRight!.properties.localAddress).toEqual(ofLeft!.properties.remoteAddress)
    }).pipe(Effect.provide(NodeTransport.layer))
  )

  it.scoped("[PIPE-09] that is gone cannot be found, nor closed", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair()
      const [pipe] = yield* Socket.pipes(left).get
      yield* failing(Socket.getPipe(left, pipe!.id + 1), "NNG_ENOENT")
      yield* failing(Socket.getPipe(left, 0), "NNG_ENOENT")
      yield* right.close
      yield* settle
      yield* failing(Socket.getPipe(left, pipe!.id), "NNG_ENOENT")
      yield* failing(pipe!.close, "NNG_ENOENT")
    }).pipe(Effect.provide(network))
  )

  it.scoped("[PIPE-15] can be closed through the id on a message as long as it is there", () =>
    Effect.gen(function* () {
      const { left, leftEvents, right } = yield* watched({ right: { reconnectMin: "1 hour" } })
      yield* marry(left, right)
      yield* Socket.send(right, "x")
      const { pipeId } = yield* Socket.recv(left)
      const closePipe = Effect.flatMap(Socket.getPipe(left, pipeId), (pipe) => pipe.close)
      yield* closePipe
      yield* failing(closePipe, "NNG_ENOENT")
      const { reason } = yield* until(leftEvents, tagged("RemPost"))
      expect(reason._tag).toBe("NNG_ECLOSED")
      yield* failing(closePipe, "NNG_ENOENT")
    }).pipe(Effect.provide(network))
  )

  it.scoped("[PIPE-16] whose sender closed still gives what had come: two queued and one held", () =>
    Effect.gen(function* () {
      const { left, right } = yield* pair({ left: { recvBuffer: 2 } })
      for (const text of ["1", "2", "3"]) {
        yield* Socket.send(right, text)
        yield* settle
      }
      yield* right.close
      expect(yield* Socket.pipes(left).get).toHaveLength(1)
      expect(yield* drain(left)).toEqual(["1", "2", "3"])
      expect(yield* Socket.pipes(left).get).toEqual([])
    }).pipe(Effect.provide(network))
  )

  it.scoped("refused by beforeAttach with an error goes with that error", () =>
    Effect.gen(function* () {
      const { left, right, rightEvents } = yield* watched({ right: { reconnectMin: "1 hour" } })
      yield* Socket.listen(left, "inproc://pair")
      yield* Socket.setBeforeAttach(left, (pipe) =>
        pipe.properties.remoteAddress?._tag === "Inproc" ? Effect.void : Effect.never
      )
      yield* Socket.dial(right, "inproc://pair")
      yield* until(rightEvents, tagged("AddPost"))
      const [pipe] = yield* Socket.pipes(left).get
      yield* pipe!.close
      const { reason } = yield* until(rightEvents, tagged("RemPost"))
      expect(reason._tag).toBe("NNG_ECONNSHUT")
    }).pipe(Effect.provide(network))
  )

  it.scoped("has an id from 1 to 2^31 - 1, from a random start, unlike any other's", () =>
    Effect.gen(function* () {
      const ids = new Set<number>()
      for (let n = 0; n < 20; n++) {
        const { left, right } = yield* Effect.map(Effect.all([Pair0.make(), Pair0.make()]), ([left, right]) => ({
          left,
          right
        }))
        yield* marry(left, right, `inproc://ids-${n}`)
        for (const socket of [left, right]) for (const { id } of yield* Socket.pipes(socket).get) ids.add(id)
      }
      expect(ids.size).toBe(40)
      for (const id of ids) expect(id > 0 && id <= 0x7fffffff && Number.isInteger(id)).toBe(true)
    }).pipe(Effect.provide(network))
  )
})
