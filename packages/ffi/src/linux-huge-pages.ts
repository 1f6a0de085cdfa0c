// The size of huge pages, from the kernel's own file. And which pages of a range are huge, from /proc/self/smaps,
// for callers that want to see the effect of an advice. That file lists all mappings of the process, so it is slow
// where there are many.
import { isPowerOfTwo, type Address } from '@memlayer/kernel'
import type { ReadHostFile } from './host-file.js'

const head = /^([0-9a-f]+)-([0-9a-f]+) /
const anonHugePages = /^AnonHugePages: +(\d+) kB/

/**
 * The size of huge pages, read as Go reads it. 0 when the file is unreadable or not a power of two, because huge
 * pages are then of no use.
 */
export function linuxHugePageSize(readFile: ReadHostFile): number {
  const size = Number(readFile('/sys/kernel/mm/transparent_hugepage/hpage_pmd_size'))
  return isPowerOfTwo(size) ? size : 0
}

/**
 * The bytes of [v, v+n) in huge pages. A mapping that reaches beyond the range counts at most the bytes inside it.
 * NaN when the file can't be read.
 */
export function linuxHugePages(readFile: ReadHostFile, v: Address, n: number): number {
  let bytes = 0
  // The bytes in the range of the mapping whose lines are being read.
  let inside = 0
  const lines = readFile('/proc/self/smaps')?.split('\n')
  if (lines === undefined) return NaN
  for (const line of lines) {
    const [, start, end] = head.exec(line) ?? []
    if (start !== undefined && end !== undefined) {
      inside = Math.min(Number.parseInt(end, 16), v + n) - Math.max(Number.parseInt(start, 16), v)
    } else if (inside > 0) {
      bytes += Math.min(Number(anonHugePages.exec(line)?.[1] ?? 0) * 1024, inside)
    }
  }
  return bytes
}
