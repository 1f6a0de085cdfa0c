// Turns a refusal of the engine or of the kernel into a sentence that a person can act on.
import { formatBytes } from '@memlayer/core'
import type { WindowsLimits } from '@memlayer/kernel'

/** What to do when a kernel can't tell where a buffer is. */
export const hintOfKernel =
  'Hand over posixKernel() or windowsKernel() of @memlayer/ffi, or a kernel that has their addressOf.'

/** What to do about a system that is not known. */
export const hintOfSystem = 'Pass the option system, with a kernel of that system: linux, darwin, windows.'

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

/** Why Linux did not take pages back, and what to do. */
export function keptOnLinux(areLocked: boolean): string {
  if (!areLocked) return "Allow madvise in the process's seccomp filter. The filter refuses it."
  return 'Lock less memory, or use mlockall with MCL_ONFAULT. The kernel does not take locked pages.'
}

/** Why macOS did not take pages back, and what to do. */
export const keptOnDarwin = 'Unlock the pages with munlock. The kernel does not take locked pages, nor those of a file.'

/** Why Windows did not take pages back, and what to do. */
export const keptOnWindows =
  'Unlock the pages with VirtualUnlock. The kernel does not take locked pages, nor those of a file.'

/** What to do when Windows finds that the pages of a buffer are not the engine's. */
export const notOfABuffer = 'Check the kernel below this layer. It does not find the range in a buffer of the engine.'

/** What to do when Windows does not commit `n` bytes more. */
export function commitOnWindows(n: number, limits: WindowsLimits | undefined): string {
  const left = limits?.commitAvailable ?? NaN
  const rest = Number.isNaN(left) ? '' : ` ${formatBytes(left)} of the commit limit are left.`
  return (
    'Enlarge the page file, or reserve less at once. ' +
    `A buffer is charged up to its last Ready page, here for ${formatBytes(n)} or more.${rest}`
  )
}

/** What to do when the kernel does not populate pages. */
export const hintOfPopulate = 'Give pages back, or raise the memory limit of the control group.'

/** What to do when it is not known where a buffer is. */
export const hintOfPlace = 'Allow foreign calls, or hand over a kernel whose addressOf answers.'
