// The ranges that kernel calls were made for.
import type { KernelCall } from '@memlayer/kernel'

/** Calls whose first arguments are no range. */
const other = ['currentMemory', 'growMemory', 'resetMemoryDataView', 'brk']

/** The ranges of the calls, in order of address. Neighbours become one. */
export function coveredBy(calls: readonly KernelCall[]): (readonly [v: number, end: number])[] {
  const ranges: [v: number, end: number][] = []
  for (const { fn, args } of calls) {
    if (other.includes(fn)) continue
    const pairs = fn === 'madviseAll' ? args.slice(0, -1) : args.slice(0, 2)
    for (let i = 0; i + 1 < pairs.length; i += 2) {
      const [v = 0, n = 0] = pairs.slice(i, i + 2)
      ranges.push([v, v + n])
    }
  }
  ranges.sort(([a], [b]) => a - b)
  const merged: [v: number, end: number][] = []
  for (const [v, end] of ranges) {
    const last = merged.at(-1)
    if (last !== undefined && v <= last[1]) last[1] = Math.max(last[1], end)
    else merged.push([v, end])
  }
  return merged
}
