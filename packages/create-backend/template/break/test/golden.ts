// The golden table: the exact kernel calls of each function, in the order of mem.ts. `v` is the range.
import type { KernelCall } from '@memlayer/kernel'
import { n, nothing, prepared, ready, reserved, type Row } from './row.js'

/** Formats a call as the rows do: `v` is the start of the range, `n` is its size. */
export function shown({ fn, args, ret }: KernelCall, v: number): string {
  const word = (x: number): string => (x === v ? 'v' : x === v + n ? 'v + n' : x === n ? 'n' : String(x))
  return `${fn}(${args.map(word).join(', ')}) = ${word(ret)}`
}

/** The rows. */
export const rows: readonly Row[] = [
  { op: 'sysAlloc', before: nothing, run: (memory) => memory.sysAlloc(n, null), calls: ['brk(v + n) = 0'] },
  { op: 'sysUnused', before: ready, run: (memory, v) => memory.sysUnused(v, n), calls: [] },
  { op: 'sysUsed', before: prepared, run: (memory, v) => memory.sysUsed(v, n), calls: [] },
  { op: 'sysHugePage', before: ready, run: (memory, v) => memory.sysHugePage(v, n), calls: [] },
  { op: 'sysFree', before: ready, run: (memory, v) => memory.sysFree(v, n, null), calls: ['clear(v, n) = 0'] },
  { op: 'sysFault', before: ready, run: (memory, v) => memory.sysFault(v, n), calls: [] },
  { op: 'sysReserve', before: nothing, run: (memory) => memory.sysReserve(null, n), calls: ['brk(v + n) = 0'] },
  { op: 'sysMap', before: reserved, run: (memory, v) => memory.sysMap(v, n, null), calls: [] },
]
