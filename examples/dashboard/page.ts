/** The page of the dashboard: it subscribes, draws what it hears, and asks. */
import * as PlatformSocket from "@effect/platform/Socket"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as Dialer from "effect-nng/Dialer"
import * as Message from "effect-nng/Message"
import * as Req0 from "effect-nng/Req0"
import * as Socket from "effect-nng/Socket"
import * as Sub0 from "effect-nng/Sub0"
import * as WebSocketTransport from "effect-nng/WebSocketTransport"
import type { Reading } from "./reading.js"
import { workers } from "./reading.js"

const colours = ["#2463c9", "#d9480f", "#2a9d58"]
const shown = 150

const element = <E extends HTMLElement>(id: string): E => document.getElementById(id) as E

const series = new Map<string, Array<number>>(workers.map((worker) => [worker, []]))

const draw = (): void => {
  const canvas = element<HTMLCanvasElement>("chart")
  const pen = canvas.getContext("2d")!
  pen.clearRect(0, 0, canvas.width, canvas.height)
  pen.lineWidth = 3
  const legend = workers.map((worker, i) => {
    const values = series.get(worker)!
    pen.strokeStyle = colours[i]!
    pen.beginPath()
    values.forEach((value, at) => {
      const x = ((at + shown - values.length) / (shown - 1)) * canvas.width
      pen.lineTo(x, canvas.height * (1 - value / 100))
    })
    pen.stroke()
    const name = document.createElement("span")
    name.style.color = colours[i]!
    name.textContent = `${worker} ${values.at(-1)?.toFixed(1) ?? "..."}`
    return name
  })
  element("legend").replaceChildren(...legend)
}

const add = ({ value, worker }: Reading): void => {
  const values = series.get(worker)
  if (values === undefined) return
  values.push(value)
  if (values.length > shown) values.shift()
}

const at = (path: string) => `${location.origin.replace(/^http/, "ws")}/${path}`

const quickly = { reconnectMin: "100 millis", reconnectMax: "1 second" } as const

const tell = ({ _tag }: Dialer.Event): void => {
  if (_tag !== "Connected" && _tag !== "Disconnected" && _tag !== "Failed") return
  const live = _tag === "Connected"
  element("state").textContent = live ? "live" : "away, dialing"
  element("state").classList.toggle("live", live)
}

const reading = Effect.gen(function* () {
  const socket = yield* Sub0.make()
  const dialer = yield* Dialer.make(socket, at("readings"), quickly)
  yield* Effect.forkScoped(Stream.runForEach(Dialer.events(dialer), (event) => Effect.sync(() => tell(event))))
  yield* Dialer.start(dialer, { nonblocking: true })
  // what came at once is drawn at once
  yield* Stream.runForEachChunk(Sub0.stream(socket, ""), (chunk) =>
    Effect.sync(() => {
      for (const message of chunk) add(JSON.parse(Message.text(message)) as Reading)
      draw()
    })
  )
})

const asking = Effect.gen(function* () {
  const socket = yield* Req0.make({ resendTime: "1 second" })
  yield* Socket.dial(socket, at("questions"), { nonblocking: true, ...quickly })
  const ask = Effect.gen(function* () {
    element("answer").textContent = "..."
    const answer = yield* Req0.request(socket, element<HTMLInputElement>("question").value)
    element("answer").textContent = Message.text(answer)
  })
  const clicks = Stream.fromEventListener<Event>(element("ask"), "submit").pipe(
    Stream.tap((event) => Effect.sync(() => event.preventDefault()))
  )
  yield* Stream.runForEach(clicks, () => ask)
})

Effect.all([reading, asking], { concurrency: "unbounded", discard: true }).pipe(
  Effect.scoped,
  Effect.provide(Layer.provide(WebSocketTransport.layer, PlatformSocket.layerWebSocketConstructorGlobal)),
  Effect.runFork
)
