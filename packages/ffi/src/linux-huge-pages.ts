// How large huge pages are, from the kernel's own file, and which of a range's pages are huge ones, from
// /proc/self/smaps: for whoever wants to know what became of an advice. That reads all of the process's
// mappings, so it is slow where there are many.
import { isPowerOfTwo, type Address } from '@memlayer/kernel'
import type { ReadHostFile } from './host-file.js'

const head = /^([0-9a-f]+)-([0-9a-f]+) /
const anonHugePages = /^AnonHugePages: +(\d+) kB/

/** As Go reads it: unreadable, or no power of two, means that huge pages are of no use here: 0. */
export function linuxHugePageSize(readFile: ReadHostFile): number {
  const size = Number(readFile('/sys/kernel/mm/transparent_hugepage/hpage_pmd_size'))
  return isPowerOfTwo(size) ? size : 0
}

/** The bytes of [v, v+n) in huge pages; of a mapping that reaches beyond it, at most what lies inside. NaN where the file can't be read. */
export function linuxHugePages(readFile: ReadHostFile, v: Address, n: number): number {
  let bytes = 0
  // What of the mapping whose lines are being read lies in the range.
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
