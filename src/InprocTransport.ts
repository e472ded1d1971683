/**
 * `inproc://name`: sockets of one program, without bytes and without copying (nng_inproc(7)).
 *
 * Names live in the layer: those who share it meet, so a test with its own layer has its own names. A name is all that
 * follows `inproc://`, as it is written. One message each way is between the two ends; the receive limit does not apply.
 *
 * A message that is sent belongs to its receiver afterwards, bytes included.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as InprocTransport from "effect-nng/InprocTransport"
 * import * as Pair0 from "effect-nng/Pair0"
 * import * as Socket from "effect-nng/Socket"
 *
 * export const program = Effect.gen(function* () {
 *   yield* Socket.listen(yield* Pair0.make(), "inproc://name")
 *   yield* Socket.dial(yield* Pair0.make(), "inproc://name")
 * }).pipe(Effect.scoped, Effect.provide(InprocTransport.layer))
 * ```
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as internal from "./internal/inproc/transport.js"
import type { Transport } from "./Transport.js"
import { Transports } from "./Transport.js"

/**
 * A transport with no names in it yet.
 *
 * **Interruption**: none, it does not wait.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<Transport> = internal.make

/**
 * Inproc alone.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<Transports> = Layer.orDie(Transports.layer(make))
