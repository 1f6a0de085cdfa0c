// The real kernel below my-os: a segment of its own on the host's kernel, whose end moves. mem.ts uses it unless its
// caller passes a kernel. libc's own break belongs to malloc, so it must not be touched.
import { plan9Kernel } from '@memlayer/ffi'
import type { Plan9Kernel } from '@memlayer/kernel'

/** Opens a segment on the host's own kernel. */
export function hostKernel(): Plan9Kernel {
  return plan9Kernel()
}
