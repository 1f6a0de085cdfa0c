// From an error number and the limits in force to a sentence that a person can act on. Asked
// only after a refusal, so it may read files.
import { formatBytes } from '@memlayer/core'
import type { PosixKernel, PosixLimits } from '@memlayer/kernel'
import { EACCES, EAGAIN, ENOMEM } from './defs.js'

// What an x86-64 or arm64 process may map with four levels of page tables: 47 and 48 bits.
const ADDRESS_SPACE = 2 ** 47

/** What most likely stood in the way of `n` more bytes, and what to do about it. */
export function refusalHint(errno: number, n: number, kernel: PosixKernel): string {
  if (errno === EAGAIN) return lockedHint(kernel.limits?.())
  if (errno === EACCES) return 'A security policy forbids mapping memory: look at SELinux, AppArmor or seccomp.'
  if (errno !== ENOMEM) return 'The kernel does not take this range: it is not what was mapped.'
  return outOfMemoryHint(n, kernel.limits?.())
}

function lockedHint(limits: PosixLimits | undefined): string {
  const now = limits === undefined ? '' : `: RLIMIT_MEMLOCK is ${formatBytes(limits.lockedMemory)}`
  return `The process locks what it maps, and may lock no more${now}. Raise it with 'ulimit -l'.`
}

function outOfMemoryHint(n: number, limits: PosixLimits | undefined): string {
  if (limits === undefined) {
    return 'Look at RLIMIT_AS (ulimit -v), vm.max_map_count, vm.overcommit_memory and the memory limit of the control group.'
  }
  const { addressSpace, addressSpaceUsed, maxMappings, mappings, overcommit, commitLimit, committed } = limits
  if (addressSpaceUsed + n > addressSpace) {
    return `RLIMIT_AS (ulimit -v) is ${formatBytes(addressSpace)}, ${formatBytes(addressSpaceUsed)} are mapped already: raise it, or reserve less.`
  }
  // An unmapping or a protection in the middle of a mapping makes two more of it.
  if (mappings + 2 >= maxMappings) {
    return `vm.max_map_count is ${maxMappings}, and the process has ${mappings} mappings: raise it with sysctl, or free neighbouring ranges together.`
  }
  if (addressSpaceUsed + n >= ADDRESS_SPACE) {
    return `The address space of a process ends at 2^47 bytes (128 TiB) on most processors: no ${formatBytes(n)} in one piece are left in it.`
  }
  if (overcommit === 2 && committed + n > commitLimit) {
    return `vm.overcommit_memory is 2: ${formatBytes(committed)} of ${formatBytes(commitLimit)} are committed on this host. Raise vm.overcommit_ratio, or add swap.`
  }
  if (overcommit === 0) {
    return `vm.overcommit_memory is 0: the kernel refuses a mapping larger than memory and swap together. Map less at a time, or set it to 1.`
  }
  return 'The kernel has no memory for its own tables: free some, or look at the memory limit of the control group.'
}
