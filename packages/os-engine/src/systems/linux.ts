// Linux: advice is one call of madvise, and pages that went back read zero.
import { MADV_DONTNEED, MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_POPULATE_WRITE, EINVAL, ENOSYS } from '../defs.js'
import type { PosixKernel } from '@memlayer/kernel'
import { keptOnLinux } from '../hint.js'
import type { System } from './system.js'

// By Advice. Pages return on first touch, so REUSE is not advised.
const words = [MADV_DONTNEED, NaN, MADV_POPULATE_WRITE, MADV_HUGEPAGE, MADV_NOHUGEPAGE] as const

/** Linux over a kernel. */
export function linux(kernel: PosixKernel): System {
  const many = kernel.madviseAll === undefined ? {} : { discardAll: all(kernel) }
  return {
    kernel,
    errors: 'linux',
    pageSize: kernel.pageSize,
    hugePageSize: kernel.hugePageSize,
    granularity: kernel.pageSize,
    populates: true,
    reuses: false,
    discardCall: 'madvise',
    keptHint: (errno) => keptOnLinux(errno === EINVAL),
    zeroesFirst: false,
    advise: (v, n, advice) => kernel.madvise(v, n, words[advice]),
    ...many,
  }
}

function all(kernel: PosixKernel): (ranges: ArrayLike<number>) => number {
  return (ranges) => kernel.madviseAll?.(ranges, MADV_DONTNEED) ?? -ENOSYS
}
