/**
 * Forwards messages between two raw sockets (nng_device(3)), so that those who dial or listen on one side reach those on
 * the other: a broker between clients and workers, a proxy between networks, a reflector.
 *
 * Messages go both ways, or one way where a side only sends or only receives, each with the header it came with: raw
 * sockets keep the books that bring an answer back, and count devices against loops (`ttl`). A message is taken from one
 * side only when the other has room for it, so that a device holds none, back-pressure goes through it, and messages are
 * dropped by nobody but a protocol that drops.
 *
 * While a device runs the sockets are its own: `Socket.send` and `recv`, `dial`, `listen`, `configure`, `drain` and
 * `close` are `NNG_EBUSY`, and who waited to send or receive fails with that. Make the endpoints before. When it ends the
 * sockets are as they were, with what is queued in them, and end with their scope.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Device from "effect-nng/Device"
 * import * as Rep0 from "effect-nng/Rep0"
 * import * as Req0 from "effect-nng/Req0"
 * import * as Socket from "effect-nng/Socket"
 *
 * export const broker = Effect.gen(function* () {
 *   const clients = yield* Rep0.makeRaw()
 *   const workers = yield* Req0.makeRaw()
 *   yield* Socket.listen(clients, "tcp://127.0.0.1:5555")
 *   yield* Socket.listen(workers, "tcp://127.0.0.1:5556")
 *   return yield* Device.run(clients, workers)
 * }).pipe(Effect.scoped)
 * ```
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { Aio, Pending } from "./Aio.js"
import type * as Errors from "./Errors.js"
import * as internal from "./internal/engine/api.js"
import type { Raw } from "./Socket.js"

/**
 * Why there is no device, or none any more:
 *
 * - `NNG_EINVAL`: a socket is not raw, or the two are not each other's peers; where types are known that does not compile;
 * - `NNG_EBUSY`: another device has one of the sockets;
 * - `NNG_ECLOSED`: one of the sockets is closed, or was while it ran, as its scope ended.
 *
 * After the first two both sockets are as they were.
 *
 * @since 0.1.0
 * @category errors
 */
export type DeviceError = Errors.EINVAL | Errors.EBUSY | Errors.ECLOSED

/**
 * Runs a device (`nng_device`) between two sockets that are each other's peers, in any order, or with one that is its own
 * peer, which sends what it receives: pair0 and pair1 back to their peer, bus to all its peers but the one it came from.
 * The sockets' `recvTimeout` and `sendTimeout` do not apply.
 *
 * **Interruption** ends it, at once: every message is on one side or the other, and the sockets are the caller's again.
 * (A socket that reflects may have lost its peer while it took a message, and no other: that one is counted in
 * `dropped.disconnected`.)
 *
 * @since 0.1.0
 * @category running
 */
export const run: {
  <Name extends string, PeerName extends string>(
    left: Raw<Name, PeerName>,
    right: Raw<NoInfer<PeerName>, NoInfer<Name>>
  ): Effect.Effect<never, DeviceError>
  <Name extends string>(socket: Raw<Name, NoInfer<Name>>): Effect.Effect<never, DeviceError>
} = internal.runDevice

/**
 * Runs a device on an aio (`nng_device_aio`), and returns at once. It ends when the aio is cancelled (`NNG_ECANCELED`),
 * aborted, with that code, or its time is over (`NNG_ETIMEDOUT`). `NNG_EBUSY` when the aio is in use: then nothing was
 * started.
 *
 * **Interruption** does not reach the device; cancel the aio.
 *
 * @since 0.1.0
 * @category running
 */
export const runAio: {
  <Name extends string, PeerName extends string>(
    aio: Aio,
    left: Raw<Name, PeerName>,
    right: Raw<NoInfer<PeerName>, NoInfer<Name>>
  ): Effect.Effect<Pending<never, DeviceError>, Errors.EBUSY>
  <Name extends string>(
    aio: Aio,
    socket: Raw<Name, NoInfer<Name>>
  ): Effect.Effect<Pending<never, DeviceError>, Errors.EBUSY>
} = internal.runDeviceAio
