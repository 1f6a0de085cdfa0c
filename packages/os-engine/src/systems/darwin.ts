// macOS: the kernel may bring the bytes of pages back that it was told to free. So they are made zero first, and then
// advised as os-darwin does.
import type { Address, PosixKernel } from '@memlayer/kernel'
import { EINVAL, MADV_FREE_REUSABLE, MADV_FREE_REUSE, MADV_ZERO } from '../defs.js'
import { keptOnDarwin } from '../hint.js'
import { DISCARD, REUSE, type System } from './system.js'
import { zeroInPieces } from './zero-in-pieces.js'

/** macOS over a kernel. */
export function darwin(kernel: PosixKernel): System {
  // Whether the kernel zeroes pages itself, without giving memory to those that have none. Null: it was not asked.
  let canZero: boolean | null = null
  const reusable = (v: Address, n: number): number => kernel.madvise(v, n, MADV_FREE_REUSABLE)
  const discard = (v: Address, n: number): number => {
    // An older kernel answers EINVAL, whatever the range.
    canZero ??= kernel.madvise(0, 0, MADV_ZERO) === 0
    const isZero = canZero && kernel.madvise(v, n, MADV_ZERO) === 0
    return isZero ? reusable(v, n) : zeroInPieces(kernel, v, n, reusable)
  }
  return {
    kernel,
    errors: 'darwin',
    pageSize: kernel.pageSize,
    // Superpages have to be requested when memory is mapped, and exist only on Intel.
    hugePageSize: 0,
    granularity: kernel.pageSize,
    populates: false,
    reuses: true,
    discardCall: 'madvise',
    keptHint: () => keptOnDarwin,
    zeroesFirst: true,
    advise(v, n, advice) {
      if (advice === DISCARD) return discard(v, n)
      return advice === REUSE ? kernel.madvise(v, n, MADV_FREE_REUSE) : -EINVAL
    },
  }
}
