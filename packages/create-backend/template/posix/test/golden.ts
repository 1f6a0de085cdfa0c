// The golden table: what each function asks of the kernel, in the order of mem.ts. `v` is the range.
import type { Memory } from '@memlayer/core'
import { describeCall, type KernelCall } from '@memlayer/kernel'

/** One row. */
export interface Row {
  readonly op: string
  /** Makes the range that `run` is about; the calls for it are not looked at. */
  readonly before: (memory: Memory) => number
  readonly run: (memory: Memory, v: number) => unknown
  readonly calls: readonly string[]
}

const n = 1048576
const nothing = (): number => 0
const reserved = (memory: Memory): number => memory.sysReserve(null, n)
const prepared = (memory: Memory): number => {
  const v = memory.sysReserve(null, n)
  memory.sysMap(v, n, null)
  return v
}
const ready = (memory: Memory): number => memory.sysAlloc(n, null)

/** A call as the rows have it: in the words of the header, with `v` for the range. */
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
  { op: 'sysUnused', before: ready, run: (memory, v) => memory.sysUnused(v, n), calls: ['madvise(v, 1048576, MADV_DONTNEED) = 0'] },
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
