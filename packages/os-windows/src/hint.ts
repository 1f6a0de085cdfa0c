// From an error number and the limits in force to a sentence that a person can act on. Asked
// only after a refusal.
import { formatBytes } from '@memlayer/core'
import type { WindowsKernel } from '@memlayer/kernel'
import { ERROR_ACCESS_DENIED, ERROR_INVALID_ADDRESS, ERROR_INVALID_PARAMETER, outOfMemoryErrors } from './defs.js'

/** What most likely stood in the way of reserving `n` bytes. */
export function reserveHint(errno: number, n: number, kernel: WindowsKernel): string {
  const limits = kernel.limits?.()
  if (limits !== undefined && n > limits.addressSpaceAvailable) {
    return `The address space of the process is ${formatBytes(limits.addressSpace)}, ${formatBytes(limits.addressSpaceAvailable)} of it are free: reserve less.`
  }
  if (errno === ERROR_INVALID_PARAMETER) {
    return 'No address space is as large as that: 64-bit Windows has 128 TiB for a process. Reserve less.'
  }
  if (outOfMemoryErrors.includes(errno)) {
    return 'The kernel has no range as large as that in one piece, or no memory for its own tables: reserve less, or free some.'
  }
  return rangeHint(errno)
}

/** What most likely stood in the way of committing `n` bytes. */
export function commitHint(errno: number, n: number, kernel: WindowsKernel): string {
  if (!outOfMemoryErrors.includes(errno)) return rangeHint(errno)
  const limits = kernel.limits?.()
  if (limits === undefined) {
    return 'Committed memory is counted when it is asked for, not when it is touched: look at the commit limit (memory and page files together) and at the job’s.'
  }
  const { commitLimit, commitAvailable } = limits
  if (n > commitAvailable) {
    return `The commit limit (memory and page files together, or the job's) is ${formatBytes(commitLimit)}, ${formatBytes(commitAvailable)} of it are left: enlarge the page file, or use less of what is reserved.`
  }
  return `${formatBytes(commitAvailable)} of the commit limit of ${formatBytes(commitLimit)} are left now: a page file that grows meanwhile, or a quota of the job or the user, refuses for a moment. Try again, or use less.`
}

/** What most likely is wrong with a range that the kernel does not take. */
export function rangeHint(errno: number): string {
  if (errno === ERROR_ACCESS_DENIED)
    return 'The kernel forbids it: a policy of the process, or memory of another kind than this layer maps. Wine answers so when its host has no more memory to commit.'
  if (errno === ERROR_INVALID_ADDRESS || errno === ERROR_INVALID_PARAMETER) {
    return 'The kernel does not take this range: it is not what was reserved. Something else in the process may have released it.'
  }
  return 'The kernel gives no more reason than its number.'
}
