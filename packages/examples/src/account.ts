// The kernel's account of a range, and whether it agrees with the layer's.
import { formatBytes, type StateCounts } from '@memlayer/core'
import { bytesWith, mappingsIn } from '@memlayer/witness'

/** What /proc/self/smaps says of a range. Bytes. */
export interface KernelAccount {
  /** Mapped with no access. */
  readonly inaccessible: number
  /** Mapped for reading and writing. */
  readonly accessible: number
  /** Resident: with memory behind it. */
  readonly rss: number
  /** Of that, in huge pages. */
  readonly anonHugePages: number
}

/** Reads the account of [v, v+n). */
export function kernelAccount(v: number, n: number): KernelAccount {
  const found = mappingsIn(v, n)
  return {
    inaccessible: bytesWith('---p', v, n),
    accessible: bytesWith('rw-p', v, n),
    rss: found.reduce((sum, { rss }) => sum + rss, 0),
    anonHugePages: found.reduce((sum, { anonHugePages }) => sum + anonHugePages, 0),
  }
}

/** Sentences in which the two accounts differ after a step; `filled` bytes were written and kept. */
export function agree(step: string, layer: StateCounts, kernel: KernelAccount, filled: number): string[] {
  const found: string[] = []
  const mapped = layer.prepared + layer.ready
  if (layer.reserved !== kernel.inaccessible) {
    found.push(
      `${step}: Reserved is ${formatBytes(layer.reserved)}, the kernel maps ${formatBytes(kernel.inaccessible)} without access`,
    )
  }
  if (mapped !== kernel.accessible) {
    found.push(
      `${step}: Prepared and Ready are ${formatBytes(mapped)}, the kernel maps ${formatBytes(kernel.accessible)} for access`,
    )
  }
  // Resident memory moves by whole huge pages at a region's ends.
  if (Math.abs(kernel.rss - filled) > 0.02 * filled) {
    found.push(`${step}: ${formatBytes(filled)} were written and kept, the kernel holds ${formatBytes(kernel.rss)}`)
  }
  return found
}
