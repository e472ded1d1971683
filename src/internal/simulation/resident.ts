import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import type * as Scope from "effect/Scope"
import type { Network } from "./network.js"
import type { Node, Resident } from "./node.js"
import { Signal } from "../ports/signal.js"

/** A program on a node: ended when that crashes, begun anew when it is up again. */
class Running<E, R> implements Resident {
  private fiber: Fiber.RuntimeFiber<void, E> | undefined = undefined
  private crashed = false
  private readonly restarted = new Signal()

  constructor(
    private readonly node: Node,
    private readonly program: Effect.Effect<void, E, R>
  ) {}

  crash(): void {
    this.crashed = true
    this.fiber?.unsafeInterruptAsFork(FiberId.none)
  }

  restart(): void {
    this.restarted.wake()
  }

  /** Lives from crash to crash; ends when the program ends by itself. */
  readonly life: Effect.Effect<void, E, R> = Effect.suspend(() =>
    Effect.zipRight(
      this.restarted.until(() => this.node.down === "no"),
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(this, function* () {
          this.crashed = false
          const fiber = yield* Effect.fork(Effect.interruptible(this.program))
          this.fiber = fiber
          const exit = yield* Effect.onInterrupt(restore(Fiber.await(fiber)), () => Fiber.interrupt(fiber))
          this.fiber = undefined
          return this.crashed && Exit.isInterrupted(exit) ? yield* restore(this.life) : yield* exit
        })
      )
    )
  )
}

const describe = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** @internal */
export const run = <E, R>(
  network: Network,
  node: Node,
  program: Effect.Effect<void, E, R>
): Effect.Effect<Fiber.RuntimeFiber<void, E>, never, R | Scope.Scope> =>
  Effect.suspend(() => {
    const running = new Running(node, program)
    return Effect.zipRight(
      Effect.acquireRelease(
        Effect.sync(() => node.residents.add(running)),
        () => Effect.sync(() => node.residents.delete(running))
      ),
      Effect.forkScoped(
        Effect.tapErrorCause(running.life, (cause) => {
          if (Cause.isInterruptedOnly(cause)) return Effect.void
          network.history.add({ _tag: "ProgramFailed", node: node.name, error: describe(Cause.squash(cause)) })
          return Effect.logError(`the program of node ${node.name} failed`, cause)
        })
      )
    )
  })
