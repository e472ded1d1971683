/** Just below the largest block that glibc takes from its heap. */
const largestBlock = 32 * 1024 * 1024 - 64 * 1024

let kept = process.platform !== "linux"

/**
 * Large bodies each have memory of their own, and glibc gives what was freed back to the system as soon as it is more than
 * twice the largest block that it has seen freed: then every body is filled by page faults, which take two to four times as
 * long as all the rest. So it is shown a large block once, which is never touched and costs no memory. From then on up to
 * 64 MiB that were freed stay with the process.
 *
 * @internal
 */
export const keepFreedMemory = (): void => {
  if (kept) return
  kept = true
  Buffer.allocUnsafeSlow(largestBlock)
}
