// A place: a range with guard pages on both sides, and the pages of it at which thresholds lie. Cases of every size use
// it. A large range is probed and not filled, so 4 GiB cost as much as 4 MiB.
import type { OS } from '@memlayer/core'
import type { Address } from '@memlayer/kernel'
import { withBytes } from '../bytes.js'
import { claim, rangeText } from '../claim.js'
import type { Stage } from '../stage.js'

/** What the guard pages hold. */
const GUARD = 0xe7

/** A range within a reservation of its own. */
export interface Place {
  /** The reservation: a guard of one unit, the range, and another guard. */
  readonly whole: Address
  readonly size: number
  /** The range. */
  readonly v: Address
  readonly n: number
  /** Offsets of pages in the range: its ends, its middle, and what lies at a threshold. */
  readonly probes: readonly number[]
}

const MIB = 2 ** 20

/** Hints below 4 GiB, where programs rarely are. */
export const lowHints: readonly Address[] = [0x2000_0000, 0x6000_0000, 0xa000_0000, 0xd000_0000]

/** The sizes at which backends change their ways, in bytes, each a multiple of the page. */
export function thresholds({ os, pageSize: page }: Pick<Stage, 'os' | 'pageSize'>): number[] {
  const huge = os.traits.hugePageSize
  const pages = [1, 2, 3, 15, 16, 17, 64, 65].map((count) => count * page)
  const around = huge === 0 ? [] : [huge - page, huge, huge + page, 5 * huge]
  const sizes = [...pages, ...around, MIB, MIB + page, 8 * MIB + page]
  return [...new Set(sizes.filter((n) => n >= page && n % page === 0))].sort((a, b) => a - b)
}

/** More than 32 bits can count, by a page. */
export function beyond32Bits(page: number): number {
  return 2 ** 32 + page
}

/** Whether address space alone costs no memory, so that 4 GiB can be asked for. */
export function isSparse({ traits }: OS): boolean {
  return traits.reservedTraps || traits.unusedReturnsMemory
}

/** Reserves a place of `n` bytes. With `hint`, its reservation is asked for at that address. */
export function placeOf({ memory, pageSize, unit }: Stage, n: number, hint: Address | null = null): Place {
  const size = Math.ceil(n / unit) * unit + 2 * unit
  const whole = memory.sysReserve(hint, size)
  return { whole, size, v: whole + unit, n, probes: probesOf(n, pageSize) }
}

/** A range that is there already, without guards. */
export function placeIn(v: Address, n: number, page: number): Place {
  return { whole: v, size: n, v, n, probes: probesOf(n, page) }
}

function probesOf(n: number, page: number): number[] {
  const pages = [0, 1, 15, 16, 17, 63, 64, 65, 256].map((count) => count * page)
  const bytes = [MIB - page, MIB, 2 * MIB, 8 * MIB - page, 8 * MIB, 2 ** 32 - page, 2 ** 32]
  const middle = Math.floor(n / page / 2) * page
  const many = [2 ** 31, 2 ** 32].flatMap((count) => [(count - 1) * page, count * page])
  const offsets = [...pages, ...bytes, ...many, middle, n - 2 * page, n - page]
  const inside = offsets.filter((at) => at >= 0 && at < n && at % page === 0)
  return [...new Set(inside)].sort((a, b) => a - b)
}

/** Makes all of the place Ready, guards included, and marks them. */
export function open(stage: Stage, place: Place): void {
  stage.memory.sysMap(place.whole, place.size, null)
  stage.memory.sysUsed(place.whole, place.size)
  markGuards(stage, place)
}

/** Marks the pages beside the range. */
export function markGuards({ os, pageSize }: Stage, place: Place): void {
  for (const at of guardsOf(place, pageSize)) mark(os, at, pageSize, GUARD)
}

/** Writes `byte` at both ends of each probed page. */
export function markAll({ os, pageSize }: Stage, { v, probes }: Place, byte: number): void {
  for (const at of probes) mark(os, v + at, pageSize, byte)
}

/** Fails unless both ends of each probed page hold one of `allowed`, and the guards what they held. */
export function claimPlace(stage: Stage, place: Place, allowed: readonly number[], after: string): void {
  claimMarks(stage, place, allowed, after)
  claimGuards(stage, place, after)
}

/** Fails unless both ends of each probed page hold one of `allowed`. */
export function claimMarks({ os, pageSize }: Stage, place: Place, allowed: readonly number[], after: string): void {
  for (const at of place.probes) claimMark(os, place, place.v + at, pageSize, allowed, after)
}

/** Fails unless the pages beside the range hold what they held. */
export function claimGuards({ os, pageSize }: Stage, place: Place, after: string): void {
  for (const at of guardsOf(place, pageSize)) claimMark(os, place, at, pageSize, [GUARD], `${after}, beside the range`)
}

/** Fails unless every probed page faults, or none does. A witness that does not know it is not asked. */
export function claimFaults({ witness }: Stage, { v, n, probes }: Place, expected: boolean, after: string): void {
  const { faults } = witness
  if (faults === undefined) return
  for (const at of probes) {
    const does = faults(v + at, expected ? 'read' : 'write')
    const words = `after ${after} of ${rangeText(v, n)}, the page at offset ${at} of ${n} bytes`
    claim(does === expected, `${words} ${does ? 'faults' : 'does not fault'}, says the witness`)
  }
}

/**
 * What is resident of ranges that were given back. The kernel takes what it may take first. Null: the backend promises
 * nothing, or the witness can't tell.
 */
export function residentAway({ os, witness }: Stage): ((v: Address, n: number) => number) | null {
  const { unusedReturnsMemory, unusedDropsContents } = os.traits
  if (!unusedReturnsMemory || witness.resident === undefined) return null
  if (!unusedDropsContents && witness.takeForfeit === undefined) return null
  witness.takeForfeit?.()
  return (v, n) => witness.resident?.(v, n) ?? NaN
}

function guardsOf({ v, n }: Place, page: number): readonly Address[] {
  return [v - page, v + n]
}

// A whole page is viewed. Above 2^53, only addresses of pages are exact.
function mark(os: OS, v: Address, page: number, byte: number): void {
  withBytes(os, v, page, (bytes) => {
    bytes[0] = byte
    bytes[page - 1] = byte
  })
}

function claimMark(
  os: OS,
  { v, n }: Place,
  at: Address,
  page: number,
  allowed: readonly number[],
  after: string,
): void {
  const ends = withBytes(os, at, page, (bytes) => [bytes[0] ?? NaN, bytes[page - 1] ?? NaN] as const)
  for (const [i, found] of ends.entries()) {
    const offset = at - v + i * (page - 1)
    claim(
      allowed.includes(found),
      `after ${after} of ${rangeText(v, n)} (${n} bytes): ` +
        `offset ${offset} holds ${found}, expected ${allowed.join(' or ')}`,
    )
  }
}
