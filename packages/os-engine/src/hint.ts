// Turns a refusal of the engine or of the kernel into a sentence that a person can act on.
import { formatBytes } from '@memlayer/core'
import { EINVAL } from './defs.js'

/** What to do when a kernel can't tell where a buffer is. */
export const hintOfKernel = 'Hand over posixKernel() of @memlayer/ffi, or a kernel that has its addressOf.'

/** What to do when a caller asks for an address. */
export const hintOfAddress = 'Pass null. The engine chooses where its buffers are.'

/** What to do when the engine makes no buffer of `n` bytes. `said` is its own word. */
export function hintOfBuffer(n: number, said: string): string {
  return (
    'Reserve less, or drop views of regions that were freed: the engine keeps their address space. ' +
    `It made no buffer of ${formatBytes(n)}: ${said}.`
  )
}

/** What to do with a buffer that has no whole page. */
export const hintOfPages = 'Adopt a buffer with at least one whole page. This one is smaller, or was detached.'

/** What to do with a buffer of which a region has a part. */
export const hintOfAdopted = 'Release the region that has a part of the buffer, and adopt it again.'

/** Why the kernel did not take pages back, and what to do. */
export function keptHint(errno: number): string {
  if (errno !== EINVAL) return "Allow madvise in the process's seccomp filter. The filter refuses it."
  return 'Lock less memory, or use mlockall with MCL_ONFAULT. The kernel does not take locked pages.'
}

/** What to do when the kernel does not populate pages. */
export const hintOfPopulate = 'Give pages back, or raise the memory limit of the control group.'

/** What to do when it is not known where a buffer is. */
export const hintOfPlace = 'Allow foreign calls, or hand over a kernel whose addressOf answers.'
