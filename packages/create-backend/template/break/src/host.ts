// The real kernel below my-os: a segment of its own on the host's kernel, whose end moves. mem.ts asks for it
// when no kernel is handed in. libc's own break is malloc's and must not be touched.
import { plan9Kernel } from '@memlayer/ffi'
import type { Plan9Kernel } from '@memlayer/kernel'

/** A segment on the host's own kernel. */
export function hostKernel(): Plan9Kernel {
  return plan9Kernel()
}
