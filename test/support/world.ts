import type { Losses, World } from "../../src/internal/protocol/machine.js"

export const noLosses = (): Losses => ({
  disconnected: 0,
  resized: 0,
  closed: 0,
  stale: 0,
  hops: 0,
  unexpected: 0,
  unroutable: 0,
  full: 0,
  unsubscribed: 0,
  malformed: 0
})

/** A world whose time the test moves, and whose chance it says. */
export class FakeWorld implements World {
  time = 0
  readonly losses = noLosses()

  constructor(public chance = 0) {}

  readonly now = () => this.time
  readonly random = () => this.chance
}
