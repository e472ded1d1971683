/**
 * What `--version` says; the same as in package.json.
 *
 * @internal
 */
export const version = "0.1.0"
