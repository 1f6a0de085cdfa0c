// Turns an error number and the limits in force into a sentence that a person can act on. mem.ts asks only after a
// refusal.
import { formatBytes } from '@memlayer/core'
import type { WindowsKernel } from '@memlayer/kernel'
import { ERROR_ACCESS_DENIED, ERROR_INVALID_ADDRESS, ERROR_INVALID_PARAMETER, outOfMemoryErrors } from './defs.js'

/** What to do when `n` bytes can't be reserved, and the most likely cause. */
export function reserveHint(errno: number, n: number, kernel: WindowsKernel): string {
  const limits = kernel.limits?.()
  if (limits !== undefined && n > limits.addressSpaceAvailable && !Number.isNaN(limits.addressSpace)) {
    const { addressSpace, addressSpaceAvailable } = limits
    const taken = addressSpace - addressSpaceAvailable
    // Rounded, what is free of an address space that is nearly empty is all of it.
    const isNearlyEmpty = taken < addressSpace / 64
    const rest = isNearlyEmpty
      ? `${formatBytes(taken)} of it are taken`
      : `${formatBytes(addressSpaceAvailable)} of it are free`
    return `Reserve less. The address space of the process is ${formatBytes(addressSpace)}, and ${rest}.`
  }
  if (errno === ERROR_INVALID_PARAMETER) {
    return 'Reserve less. 64-bit Windows has 128 TiB for a process.'
  }
  if (outOfMemoryErrors.includes(errno)) {
    return (
      'Reserve less, or free some memory. ' +
      'The kernel has no range as large as that in one piece, or no memory for its own tables.'
    )
  }
  return rangeHint(errno, true)
}

/** What to do when `n` bytes can't be committed, and the most likely cause. */
export function commitHint(errno: number, n: number, kernel: WindowsKernel, isNew = false): string {
  // Wine answers 87 where its host maps nothing more for a new range.
  const isShort = outOfMemoryErrors.includes(errno) || (isNew && errno === ERROR_INVALID_PARAMETER)
  if (!isShort) return rangeHint(errno, isNew)
  const limits = kernel.limits?.()
  if (limits === undefined || Number.isNaN(limits.commitAvailable) || Number.isNaN(limits.commitLimit)) {
    return (
      "Check the commit limit (memory and page files together) and the job's limit. " +
      'Committed memory is counted when it is asked for, not when it is touched. How much is left is not known.'
    )
  }
  const { commitLimit, commitAvailable } = limits
  const [limit, available] = [formatBytes(commitLimit), formatBytes(commitAvailable)]
  if (n > commitAvailable) {
    return (
      'Enlarge the page file, or use less of the reserved memory. The commit limit ' +
      `(memory and page files together, or the job's limit) is ${limit}, and ${available} of it is left.`
    )
  }
  // The kernel refused less than it reports, so the report is not what bounds the process.
  return (
    `Use less, or try again. The commit limit of ${limit} is not what refused, so how much is left is not known. ` +
    'It may be a quota of the job or the user, a page file that is growing, or the host of Wine.'
  )
}

/** What to do about a range that the kernel refuses, and the most likely cause. `isNew`: it was to be a new one. */
export function rangeHint(errno: number, isNew = false): string {
  if (errno === ERROR_ACCESS_DENIED) {
    return 'Check the policies of the process. The kernel forbids the access, or this layer did not map the memory.'
  }
  if (!isNew && (errno === ERROR_INVALID_ADDRESS || errno === ERROR_INVALID_PARAMETER)) {
    return (
      'Check that no other code in the process released this range. ' +
      'The kernel refuses, because the range is not what this layer reserved.'
    )
  }
  return 'Look up the error number. The kernel gives no other reason.'
}
