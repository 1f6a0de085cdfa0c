// The steps of a trial: each makes the calls of the layer that a filter of system calls may not know. system-calls.ts
// makes them in this process, trial-child.ts in a child.
import type { Memory, Residency } from '@memlayer/core'
import { selfTest } from './self-test.js'

/** What a trial was doing when it ended. `start`: it had not begun. */
export type TrialStep = 'start' | 'residency' | 'huge pages' | 'region' | 'populate' | 'batch' | 'threads'

/** The steps in their order, after `start`. */
export const trialSteps: Readonly<Record<Exclude<TrialStep, 'start'>, (memory: Memory) => unknown>> = {
  residency: residencyOf,
  'huge pages': givesHugePages,
  // One region is enough.
  region: (memory) => selfTest(memory, Date.now, 0),
  populate: populates,
  batch: givesBackMany,
  threads: asksForThread,
}

/** Whether the OS gives many ranges back in one call. Undefined here and below: it refuses the pages to try it with. */
export function givesBackMany(memory: Memory): boolean | undefined {
  const { os } = memory
  const page = os.traits.pageSize
  // It is asked below the account: these pages stay Ready, and nothing is in them.
  return withPages(memory, (v) => os.sysUnusedAllOS?.([v, page, v + 2 * page, page]) === true)
}

/** Whether memory that asks for huge pages gets one. Null: the OS does not tell. */
export function givesHugePages(memory: Memory): boolean | null {
  const { hugePageSize } = memory.os.traits
  const huge = withPages(memory, (v, n) => {
    memory.sysHugePage(v, n)
    memory.view(Uint8Array, v, n).fill(1)
    return memory.residency(v, n)?.huge ?? NaN
  })
  return huge === undefined || Number.isNaN(huge) || hugePageSize === 0 ? null : huge > 0
}

/** Whether the OS populates pages ahead of their first touch. */
export function populates(memory: Memory): boolean | undefined {
  return withPages(memory, (v, n) => memory.os.sysPopulateOS?.(v, n) !== false)
}

/** What the OS tells of pages that were touched; null: it tells nothing. */
export function residencyOf(memory: Memory): Residency | null | undefined {
  return withPages(memory, (v, n) => {
    memory.view(Uint8Array, v, n).fill(1)
    return memory.residency(v, n)
  })
}

/** Every memory asks this of the threads that had others. Here it asks of a thread that can't be. */
function asksForThread({ os }: Memory): void {
  os.host?.processTable?.()?.isThread(2 ** 31 - 1)
}

/** Calls `run` with Ready pages. Undefined: the OS refuses them, which the self-test tells. */
function withPages<T>(memory: Memory, run: (v: number, n: number) => T): T | undefined {
  const { pageSize, hugePageSize } = memory.os.traits
  // Somewhere in it is a whole huge page.
  const n = Math.max(4 * pageSize, 2 * hugePageSize)
  let v: number
  try {
    v = memory.sysAlloc(n, null)
  } catch {
    return undefined
  }
  try {
    return run(v, n)
  } finally {
    memory.sysFree(v, n, null)
  }
}
