import * as Inspectable from "effect/Inspectable"
import type { Pipeable } from "effect/Pipeable"
import { pipeArguments } from "effect/Pipeable"

/**
 * What is readable in logs, by its `toJSON`, and can be piped.
 *
 * @internal
 */
export abstract class Shown extends Inspectable.Class implements Pipeable {
  pipe() {
    // eslint-disable-next-line prefer-rest-params
    return pipeArguments(this, arguments)
  }
}
