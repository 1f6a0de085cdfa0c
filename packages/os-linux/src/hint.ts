// Turns an error number and the limits in force into a sentence that a person can act on. mem.ts asks only after a
// refusal, so this may read files.
import { formatBytes } from '@memlayer/core'
import type { PosixKernel, PosixLimits } from '@memlayer/kernel'
import { EACCES, EAGAIN, EINVAL, ENOMEM } from './defs.js'

// The address space of a process with four levels of page tables: 2^47 bytes on x86-64, 2^48 on arm64.
const ADDRESS_SPACE_BYTES = 2 ** 47

/** What a refused call asked for, in bytes. A member is absent when the call did not ask for it. */
export interface Asked {
  /** Address space that the process did not have before. */
  readonly space?: number
  /** Writable pages, which overcommit counts when they are mapped. It never counts a mapping without access. */
  readonly writable?: number
  /** Pages that needed memory at once. A control group is charged for these, and for other pages at first touch. */
  readonly populated?: number
}

const wrongRange: string =
  'Check that no other code unmaps this range. ' +
  'The kernel refuses, because the range is not what this layer mapped.'

/** What to do about a refusal, and its most likely cause. */
export function refusalHint(errno: number, asked: Asked, kernel: PosixKernel): string {
  if (errno === EAGAIN) return lockedHint(kernel.limits?.())
  if (errno === EACCES) return 'Check SELinux, AppArmor and seccomp. A security policy forbids mapping memory.'
  if (errno !== ENOMEM) {
    // A call that asks for address space has no range yet.
    return asked.space !== undefined ? 'Look up the error number. The kernel gives no other reason.' : wrongRange
  }
  return outOfMemoryHint(asked, kernel.limits?.())
}

/** Why the kernel did not take pages back, and what to do. It is not asked for limits: this may come at every call. */
export function keptHint(errno: number): string {
  if (errno !== EINVAL) return "Allow madvise in the process's seccomp filter. The filter refuses it."
  return 'Lock less memory, or use mlockall with MCL_ONFAULT. The kernel does not take locked pages.'
}

function lockedHint(limits: PosixLimits | undefined): string {
  const limit = limits?.lockedMemory ?? NaN
  const now = Number.isFinite(limit) ? `: RLIMIT_MEMLOCK is ${formatBytes(limit)}` : ''
  return `Raise the limit with 'ulimit -l'. The process locks all memory that it maps, and may lock no more${now}.`
}

function outOfMemoryHint({ space = 0, writable = 0, populated = 0 }: Asked, limits: PosixLimits | undefined): string {
  if (limits === undefined) {
    return (
      'Check RLIMIT_AS (ulimit -v), vm.max_map_count, vm.overcommit_memory ' +
      'and the memory limit of the control group.'
    )
  }
  const { addressSpace, addressSpaceUsed, maxMappings, mappings } = limits
  if (space > 0 && addressSpaceUsed + space > addressSpace) {
    const [limit, used] = [formatBytes(addressSpace), formatBytes(addressSpaceUsed)]
    return `Reserve less, or raise RLIMIT_AS. RLIMIT_AS (ulimit -v) is ${limit}, and ${used} are mapped already.`
  }
  // An unmapping or a protection in the middle of a mapping adds two mappings.
  if (mappings + 2 >= maxMappings) {
    return (
      'Free neighboring ranges together, or raise the limit with sysctl. ' +
      `vm.max_map_count is ${maxMappings}, and the process has ${mappings} mappings.`
    )
  }
  if (space > 0 && addressSpaceUsed + space >= ADDRESS_SPACE_BYTES) {
    return (
      'Reserve less. The address space of a process ends at 2^47 bytes (128 TiB) on most processors, ' +
      `and has no room left for ${formatBytes(space)} in one piece.`
    )
  }
  const charged = writable > 0 ? commitHint(writable, limits) : null
  if (charged !== null) return charged
  const { groupLimit, groupUsed } = limits
  if (populated > 0 && groupUsed + populated > groupLimit) {
    const [limit, used] = [formatBytes(groupLimit), formatBytes(groupUsed)]
    return `Give pages back, or raise memory.max. The control group uses ${used} of ${limit}.`
  }
  if (space > 0) {
    return (
      'Reserve less, or free neighboring ranges. ' +
      `No hole of ${formatBytes(space)} is left in the address space of the process.`
    )
  }
  return 'Free some memory. The kernel has no memory left for its own tables.'
}

function commitHint(writable: number, { overcommit, commitLimit, committed }: PosixLimits): string | null {
  if (overcommit === 2 && committed + writable > commitLimit) {
    const [used, limit] = [formatBytes(committed), formatBytes(commitLimit)]
    return (
      'Raise vm.overcommit_ratio, or add swap. ' +
      `vm.overcommit_memory is 2: ${used} of ${limit} are committed on this host.`
    )
  }
  // The real bound is memory and swap together. The limit of strict accounting, a part of the memory plus swap, is
  // below it.
  if (overcommit === 0 && !(writable <= commitLimit)) {
    return (
      'Map less at a time, or set vm.overcommit_memory to 1. ' +
      'vm.overcommit_memory is 0, so the kernel refuses a mapping larger than memory and swap together.'
    )
  }
  return null
}
