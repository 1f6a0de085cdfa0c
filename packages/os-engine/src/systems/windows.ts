// Windows: pages stay committed, because the engine may touch them at any time. Their memory is discarded. Windows
// promises no zeroes for such pages, so they are written first.
import type { Address, WindowsKernel } from '@memlayer/kernel'
import { ERROR_INVALID_PARAMETER, MEM_COMMIT, MEM_RESET, outOfMemoryErrors, PAGE_READWRITE } from '../defs.js'
import { commitOnWindows, keptOnWindows, notOfABuffer } from '../hint.js'
import { DISCARD, type System } from './system.js'
import { zeroInPieces } from './zero-in-pieces.js'

/** Windows over a kernel. */
export function windows(kernel: WindowsKernel): System {
  const drop = (v: Address, n: number): number => {
    // DiscardVirtualMemory gives the pages back at once, and came with Windows 8.1. MEM_RESET leaves the moment open.
    if (kernel.discard?.(v, n) === 0) return 0
    return Math.min(0, kernel.virtualAlloc(v, n, MEM_RESET, PAGE_READWRITE))
  }
  return {
    kernel,
    errors: 'windows',
    pageSize: kernel.pageSize,
    // Large pages have to be committed when they are reserved, and need a privilege.
    hugePageSize: 0,
    granularity: kernel.allocationGranularity,
    populates: false,
    reuses: false,
    discardCall: 'VirtualAlloc',
    keptHint: () => keptOnWindows,
    zeroesFirst: true,
    advise: (v, n, advice) => (advice === DISCARD ? zeroInPieces(kernel, v, n, drop) : -ERROR_INVALID_PARAMETER),
    // V8 ends the process where a refusal has another number than 1455. So the kernel is asked before V8 asks it.
    commit: (v, n) => Math.min(0, kernel.virtualAlloc(v, n, MEM_COMMIT, PAGE_READWRITE)),
    isShort: (errno) => outOfMemoryErrors.includes(errno),
    commitHint: (errno, n) =>
      outOfMemoryErrors.includes(errno) ? commitOnWindows(n, kernel.limits?.()) : notOfABuffer,
  }
}
