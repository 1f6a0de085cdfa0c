// The kernel's account of a range, and its comparison with the layer's account.
import { formatBytes, type StateCounts } from '@memlayer/core'
import { bytesWith, mappingsIn } from '@memlayer/witness'

/** The figures of /proc/self/smaps for a range. Bytes. */
export interface KernelAccount {
  /** Mapped without access. */
  readonly inaccessible: number
  /** Mapped for reading and writing. */
  readonly accessible: number
  /** Resident bytes. */
  readonly rss: number
  /** Of the resident bytes, those in huge pages. */
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

/** Compares the two accounts after a step: a sentence per difference. `filled` bytes were written and kept. */
export function agree(step: string, layer: StateCounts, kernel: KernelAccount, filled: number): string[] {
  const found: string[] = []
  const mapped = layer.prepared + layer.ready
  if (layer.reserved !== kernel.inaccessible) {
    found.push(
      `${step}: Reserved is ${formatBytes(layer.reserved)}, ` +
        `but the kernel maps ${formatBytes(kernel.inaccessible)} without access`,
    )
  }
  if (mapped !== kernel.accessible) {
    found.push(
      `${step}: Prepared and Ready are ${formatBytes(mapped)}, ` +
        `but the kernel maps ${formatBytes(kernel.accessible)} for access`,
    )
  }
  // At a region's ends, resident memory changes by whole huge pages.
  if (Math.abs(kernel.rss - filled) > 0.02 * filled) {
    found.push(`${step}: ${formatBytes(filled)} were written and kept, but the kernel holds ${formatBytes(kernel.rss)}`)
  }
  return found
}
