// The parts of golden.ts: a row, and the ranges that a row can use.
import type { Memory } from '@memlayer/core'

/** One row of the golden table. */
export interface Row {
  readonly op: string
  /** Makes the range that `run` uses. The test does not look at these calls. */
  readonly before: (memory: Memory) => number
  readonly run: (memory: Memory, v: number) => unknown
  readonly calls: readonly string[]
}

/** Bytes in a range. */
export const n = 1048576

// Values for `before`: each makes a range in one state.
export const nothing = (): number => 0
export const reserved = (memory: Memory): number => memory.sysReserve(null, n)
export const prepared = (memory: Memory): number => {
  const v = memory.sysReserve(null, n)
  memory.sysMap(v, n, null)
  return v
}
export const ready = (memory: Memory): number => memory.sysAlloc(n, null)
