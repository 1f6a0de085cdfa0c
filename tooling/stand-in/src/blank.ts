// A kernel without memory, for the tests of what a backend says: it says yes to every call but those
// that a test makes it answer otherwise.
import type { PosixKernel } from '@memlayer/kernel'

/** Where a blank kernel maps what is asked for without an address. */
export const blankBase = 0x3_0000_0000

/** A kernel that says yes, but for `answers`. */
export function blankKernel(pageSize: number, answers: Partial<PosixKernel> = {}): PosixKernel {
  return {
    pageSize,
    hugePageSize: 0,
    mmap: (addr) => (addr === 0 ? blankBase : addr),
    munmap: () => 0,
    mprotect: () => 0,
    madvise: () => 0,
    view: (_, length) => new ArrayBuffer(length),
    ...answers,
  }
}
