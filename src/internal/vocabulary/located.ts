import type * as Errors from "../../Errors.js"

/**
 * The same error, that says where; one that does already stays as it is.
 *
 * @internal
 */
export const located = <E extends Errors.NngError>(error: E, address: string | undefined): E => {
  if (address === undefined || error.address !== undefined) return error
  const same = error.constructor as new (details: Errors.Details) => E
  return new same({ ...error, cause: error.cause, address })
}
