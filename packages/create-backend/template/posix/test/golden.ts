// The golden table: the exact kernel calls of each function, in the order of mem.ts. `v` is the range.
import { describeCall, type KernelCall } from '@memlayer/kernel'
import { n, nothing, prepared, ready, reserved, type Row } from './row.js'

/** A call in the form of the rows: with the header's names, and `v` for the range. */
export function shown(call: KernelCall, v: number): string {
  return describeCall('linux', call).replaceAll(`0x${v.toString(16)}`, 'v')
}

/** The rows. */
export const rows: readonly Row[] = [
  {
    op: 'sysAlloc',
    before: nothing,
    run: (memory) => memory.sysAlloc(n, null),
    calls: ['mmap(0, 1048576, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANON, -1, 0) = v'],
  },
  {
    op: 'sysUnused',
    before: ready,
    run: (memory, v) => memory.sysUnused(v, n),
    calls: ['madvise(v, 1048576, MADV_DONTNEED) = 0'],
  },
  { op: 'sysUsed', before: prepared, run: (memory, v) => memory.sysUsed(v, n), calls: [] },
  { op: 'sysHugePage', before: ready, run: (memory, v) => memory.sysHugePage(v, n), calls: [] },
  { op: 'sysFree', before: ready, run: (memory, v) => memory.sysFree(v, n, null), calls: ['munmap(v, 1048576) = 0'] },
  {
    op: 'sysFault',
    before: ready,
    run: (memory, v) => memory.sysFault(v, n),
    calls: ['mmap(v, 1048576, PROT_NONE, MAP_PRIVATE|MAP_FIXED|MAP_ANON, -1, 0) = v'],
  },
  {
    op: 'sysReserve',
    before: nothing,
    run: (memory) => memory.sysReserve(null, n),
    calls: ['mmap(0, 1048576, PROT_NONE, MAP_PRIVATE|MAP_ANON, -1, 0) = v'],
  },
  {
    op: 'sysMap',
    before: reserved,
    run: (memory, v) => memory.sysMap(v, n, null),
    calls: ['mmap(v, 1048576, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_FIXED|MAP_ANON, -1, 0) = v'],
  },
]
