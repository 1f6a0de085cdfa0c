// A range between two guards, and what is looked at in it: its ends, and both sides of each threshold. exact.ts uses it
// for each function of the contract.
import { alignDown, alignUp, type Address, type KernelCall } from '@memlayer/kernel'
import { claimBytes, fill, withBytes } from '../bytes.js'
import { claim, outcomeOf, rangeText, same, thrownBy } from '../claim.js'
import { coveredBy } from '../coverage.js'
import type { Stage } from '../stage.js'

const MIB = 2 ** 20
const GIB = 2 ** 30

/** A range between two guards, which are Ready and hold bytes. */
export interface Field {
  readonly v: Address
  readonly n: number
  /** The offsets of the pages that are looked at. */
  readonly marks: readonly number[]
  /** Fails unless the guards are as they were. */
  guards(when: string): void
  /** Frees the range and its guards. `hole`: the range itself is free already. */
  clear(hole?: boolean): void
}

const GUARD = 0x39
/** What the marked pages begin and end with. */
export const MARK = 0x57

/** The offsets of the pages of [0, n) where backends go wrong: both ends, and each side of a threshold. */
export function marksOf(n: number, pageSize: number): number[] {
  const edges = [pageSize, 64 * pageSize, 65 * pageSize, MIB, 2 * MIB, 8 * MIB, GIB, 4 * GIB, n / 2, n]
  const near = edges.flatMap((edge) => [-1, 0].map((step) => alignDown(edge, pageSize) + step * pageSize))
  const inside = [0, ...near].filter((at) => at >= 0 && at < n)
  return [...new Set(inside)].sort((a, b) => a - b)
}

/** Runs `obtain`. Null: the kernel refused, or core because of a limit. Fails if the backend refused by itself. */
export function obtained({ os, takeCalls }: Stage, obtain: () => Address): Address | null {
  takeCalls()
  let p = NaN
  const error = thrownBy(() => (p = obtain()))
  if (error === null) return p
  const calls = takeCalls()
  if (outcomeOf(error) !== 'OutOfMemoryError') throw error
  const isBackends = (error as Error).message.includes(`${os.name} refused`)
  const isKernels = calls === null || calls.some(({ ret }) => ret < 0)
  claim(isKernels || !isBackends, `refused, although the kernel refused no call: ${(error as Error).message}`)
  return null
}

/** Makes a field whose range is in the state that `until` names. Null: the kernel has no room. */
export function field(stage: Stage, n: number, until: 'Reserved' | 'untouched' | 'Ready' = 'Ready'): Field | null {
  const { memory, os, unit, pageSize } = stage
  // At a huge page's boundary, so that a page too few is a huge page too few.
  const head = Math.max(unit, os.traits.hugePageSize)
  let size = alignUp(n, unit) + head + unit
  const base = obtained(stage, () => {
    if (head === unit) return memory.sysReserve(null, size)
    const found = memory.sysReserveAligned(null, size, head)
    size = found.size
    return found.address
  })
  if (base === null) return null
  const v = base + head
  const tail = base + size - v - n
  const marks = marksOf(n, pageSize)
  for (const [at, m] of [
    [v - unit, unit],
    [v + n, tail],
  ] as const) {
    memory.sysMap(at, m, null)
    memory.sysUsed(at, m)
    fill(os, at, m, GUARD)
  }
  if (until !== 'Reserved') {
    memory.sysMap(v, n, null)
    memory.sysUsed(v, n)
  }
  if (until === 'Ready') mark(stage, v, marks, MARK)
  const guards = (when: string): void => {
    claimBytes(os, v - unit, unit, GUARD, `the memory before ${rangeText(v, n)}, ${when}`)
    claimBytes(os, v + n, tail, GUARD, `the memory after ${rangeText(v, n)}, ${when}`)
  }
  const clear = (hole = false): void => {
    if (!hole) return memory.sysFree(base, size, null)
    memory.sysFree(base, head, null)
    memory.sysFree(v + n, tail, null)
  }
  return { v, n, marks, guards, clear }
}

/** Writes the first and the last byte of each marked page. */
function mark({ os, pageSize }: Stage, v: Address, marks: readonly number[], byte: number): void {
  for (const at of marks) {
    withBytes(os, v + at, pageSize, (bytes) => {
      bytes[0] = byte
      bytes[pageSize - 1] = byte
    })
  }
}

/** Fails unless each marked page begins and ends with one of the bytes. */
export function claimMarks(
  { os, pageSize }: Stage,
  { v, n, marks }: Pick<Field, 'v' | 'n' | 'marks'>,
  allowed: readonly number[],
  when: string,
): void {
  for (const at of marks) {
    withBytes(os, v + at, pageSize, (bytes) => {
      for (const found of [bytes[0] ?? -1, bytes[pageSize - 1] ?? -1]) {
        const place = `the page at offset ${at} of ${rangeText(v, n)} holds ${found} ${when}`
        claim(allowed.includes(found), `${place}, expected ${allowed.join(' or ')}`)
      }
    })
  }
}

/** Fails unless each marked page can be written. */
export function claimWritable(stage: Stage, found: Pick<Field, 'v' | 'n' | 'marks'>, when: string): void {
  const { v, n, marks } = found
  for (const at of marks) {
    const does = stage.witness.faults?.(v + at, 'write') ?? false
    claim(!does, `a write to the page at offset ${at} of ${rangeText(v, n)} faults ${when}`)
  }
  mark(stage, v, marks, 0x21)
  claimMarks(stage, found, [0x21], `${when}, once it is written`)
}

/** Fails unless the kernel holds the range, and has taken its memory back. */
export function claimEmpty({ witness, os }: Stage, { v, n }: Field, isSure: boolean, when: string): void {
  if (witness.held !== undefined) same(witness.held(v, n), n, `what the kernel holds of ${rangeText(v, n)} ${when}`)
  witness.takeForfeit?.()
  if (witness.resident === undefined || !os.traits.unusedReturnsMemory) return
  if (!isSure && witness.takeForfeit === undefined) return
  same(witness.resident(v, n), 0, `resident bytes of ${rangeText(v, n)} ${when}`)
}

/** Fails when a function that was done has left a refusal. */
export function claimNoRefusal({ os }: Stage, what: string): void {
  claim((os.refusal ?? null) === null, `${what} was done, but it left the refusal '${os.refusal?.hint ?? ''}'`)
}

/** Fails unless the calls were made for exactly [from, to). */
export function claimCalls(calls: readonly KernelCall[] | null, from: Address, to: Address, what: string): void {
  if (calls === null) return
  const expected = from < to ? rangeText(from, to - from) : 'nothing'
  const found = coveredBy(calls).map(([v, end]) => rangeText(v, end - v))
  same(found.join(' and ') || 'nothing', expected, `what the kernel calls of ${what} were made for`)
}
