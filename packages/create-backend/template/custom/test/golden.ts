// The golden table: what each function asks of the kernel, in the order of mem.ts. `v` is the range.
import type { Memory } from '@memlayer/core'
import type { KernelCall } from '@memlayer/kernel'

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

/** A call as the rows have it: with `v` for the range, and `n` for its size. */
export function shown({ fn, args, ret }: KernelCall, v: number): string {
  const word = (x: number): string => (x === v ? 'v' : x === v + n ? 'v + n' : x === n ? 'n' : String(x))
  return `${fn}(${args.map(word).join(', ')}) = ${word(ret)}`
}

/** The rows. */
export const rows: readonly Row[] = [
  { op: 'sysAlloc', before: nothing, run: (memory) => memory.sysAlloc(n, null), calls: ['take(n) = v'] },
  { op: 'sysUnused', before: ready, run: (memory, v) => memory.sysUnused(v, n), calls: [] },
  { op: 'sysUsed', before: prepared, run: (memory, v) => memory.sysUsed(v, n), calls: [] },
  { op: 'sysHugePage', before: ready, run: (memory, v) => memory.sysHugePage(v, n), calls: [] },
  { op: 'sysFree', before: ready, run: (memory, v) => memory.sysFree(v, n, null), calls: ['give(v, n) = 0'] },
  { op: 'sysFault', before: ready, run: (memory, v) => memory.sysFault(v, n), calls: [] },
  { op: 'sysReserve', before: nothing, run: (memory) => memory.sysReserve(null, n), calls: ['take(n) = v'] },
  { op: 'sysMap', before: reserved, run: (memory, v) => memory.sysMap(v, n, null), calls: [] },
]
