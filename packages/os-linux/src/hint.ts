// From an error number and the limits in force to a sentence that a person can act on. Asked
// only after a refusal, so it may read files.
import { formatBytes } from '@memlayer/core'
import type { PosixKernel, PosixLimits } from '@memlayer/kernel'
import { EACCES, EAGAIN, ENOMEM } from './defs.js'

// What an x86-64 or arm64 process may map with four levels of page tables: 47 and 48 bits.
const ADDRESS_SPACE = 2 ** 47

/** What a refused call asked for, in bytes; what is left out it did not ask for. */
export interface Asked {
  /** Address space that was not the process's before. */
  readonly space?: number
  /** Writable pages: they are charged when they are mapped. A mapping without access is never charged. */
  readonly writable?: number
  /** Pages that were to have memory at once. */
  readonly populated?: number
}

/** What most likely stood in the way, and what to do about it. */
export function refusalHint(errno: number, asked: Asked, kernel: PosixKernel): string {
  if (errno === EAGAIN) return lockedHint(kernel.limits?.())
  if (errno === EACCES) return 'A security policy forbids mapping memory: look at SELinux, AppArmor or seccomp.'
  if (errno !== ENOMEM) return 'The kernel does not take this range: it is not what was mapped.'
  return outOfMemoryHint(asked, kernel.limits?.())
}

function lockedHint(limits: PosixLimits | undefined): string {
  const now = limits === undefined ? '' : `: RLIMIT_MEMLOCK is ${formatBytes(limits.lockedMemory)}`
  return `The process locks what it maps, and may lock no more${now}. Raise it with 'ulimit -l'.`
}

function outOfMemoryHint({ space = 0, writable = 0, populated = 0 }: Asked, limits: PosixLimits | undefined): string {
  if (limits === undefined) {
    return 'Look at RLIMIT_AS (ulimit -v), vm.max_map_count, vm.overcommit_memory and the memory limit of the control group.'
  }
  const { addressSpace, addressSpaceUsed, maxMappings, mappings } = limits
  if (space > 0 && addressSpaceUsed + space > addressSpace) {
    return `RLIMIT_AS (ulimit -v) is ${formatBytes(addressSpace)}, ${formatBytes(addressSpaceUsed)} are mapped already: raise it, or reserve less.`
  }
  // An unmapping or a protection in the middle of a mapping makes two more of it.
  if (mappings + 2 >= maxMappings) {
    return `vm.max_map_count is ${maxMappings}, and the process has ${mappings} mappings: raise it with sysctl, or free neighbouring ranges together.`
  }
  if (space > 0 && addressSpaceUsed + space >= ADDRESS_SPACE) {
    return `The address space of a process ends at 2^47 bytes (128 TiB) on most processors: no ${formatBytes(space)} in one piece are left in it.`
  }
  const charged = writable > 0 ? commitHint(writable, limits) : null
  if (charged !== null) return charged
  const { groupLimit, groupUsed } = limits
  if (groupUsed + Math.max(writable, populated) > groupLimit) {
    return `The control group may have ${formatBytes(groupLimit)} (memory.max), and has ${formatBytes(groupUsed)}: raise it, or give pages back first.`
  }
  if (space > 0) {
    return `No hole of ${formatBytes(space)} is left in the address space of the process: reserve less, or free neighbouring ranges.`
  }
  return 'The kernel has no memory for its own tables: free some.'
}

function commitHint(writable: number, { overcommit, commitLimit, committed }: PosixLimits): string | null {
  if (overcommit === 2 && committed + writable > commitLimit) {
    return `vm.overcommit_memory is 2: ${formatBytes(committed)} of ${formatBytes(commitLimit)} are committed on this host. Raise vm.overcommit_ratio, or add swap.`
  }
  // The bound is memory and swap together. The limit of strict accounting is below it: a part of the memory, and swap.
  if (overcommit === 0 && !(writable <= commitLimit)) {
    return `vm.overcommit_memory is 0: the kernel refuses a mapping larger than memory and swap together. Map less at a time, or set it to 1.`
  }
  return null
}
