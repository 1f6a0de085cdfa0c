// What the rows of golden.ts are made of: a row, and the ranges that one can be about.
import type { Memory } from '@memlayer/core'

/** One row. */
export interface Row {
  readonly op: string
  /** Makes the range that `run` is about; the calls for it are not looked at. */
  readonly before: (memory: Memory) => number
  readonly run: (memory: Memory, v: number) => unknown
  readonly calls: readonly string[]
}

/** Bytes in a range. */
export const n = 1048576

// What `before` may be: the state in which `run` finds the range.
export const nothing = (): number => 0
export const reserved = (memory: Memory): number => memory.sysReserve(null, n)
export const prepared = (memory: Memory): number => {
  const v = memory.sysReserve(null, n)
  memory.sysMap(v, n, null)
  return v
}
export const ready = (memory: Memory): number => memory.sysAlloc(n, null)
