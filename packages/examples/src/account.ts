// The kernel's account of a range, and its comparison with the layer's account.
import { formatBytes, type MemoryStats } from '@memlayer/core'
import { bytesWith, mappingsIn, residentBytes } from '@memlayer/witness'

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

/** Reads the account of [v, v+n), in pages of `page` bytes. */
export function kernelAccount(v: number, n: number, page: number): KernelAccount {
  const found = mappingsIn(v, n)
  // The kernel joins what is retired with its neighbours.
  const isAlone = found.every(({ start, end }) => start >= v && end <= v + n)
  return {
    inaccessible: bytesWith('---p', v, n),
    accessible: bytesWith('rw-p', v, n),
    rss: isAlone ? found.reduce((sum, { rss }) => sum + rss, 0) : residentBytes(v, n, page),
    anonHugePages: found.reduce((sum, { anonHugePages }) => sum + anonHugePages, 0),
  }
}

/** Compares the two accounts after a step: a sentence per difference. `filled` bytes were written and kept. */
export function agree(step: string, layer: MemoryStats, kernel: KernelAccount, filled: number): string[] {
  const found: string[] = []
  const { total, retired } = layer
  const mapped = total.prepared + total.ready + retired
  if (total.reserved !== kernel.inaccessible) {
    found.push(
      `${step}: Reserved is ${formatBytes(total.reserved)}, ` +
        `but the kernel maps ${formatBytes(kernel.inaccessible)} without access`,
    )
  }
  if (mapped !== kernel.accessible) {
    found.push(
      `${step}: Prepared, Ready and retired are ${formatBytes(mapped)}, ` +
        `but the kernel maps ${formatBytes(kernel.accessible)} for access`,
    )
  }
  // At a region's ends, resident memory changes by whole huge pages.
  if (Math.abs(kernel.rss - filled) > 0.02 * filled) {
    found.push(`${step}: ${formatBytes(filled)} were written and kept, but the kernel holds ${formatBytes(kernel.rss)}`)
  }
  return found
}
