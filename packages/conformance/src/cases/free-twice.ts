// Frees of what is free already, and what a touch of freed memory meets. A backend that keeps free memory for itself
// must know it. One that gives it to the kernel leaves the rest to that.
import type { Address } from '@memlayer/kernel'
import { claimBytes, fill } from '../bytes.js'
import { claim, claimOutcome, rangeText, same, thrownBy } from '../claim.js'
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import type { Stage } from '../stage.js'
import { placeIn, thresholds } from './place.js'

type Range = readonly [v: Address, n: number]

/** Ten free units, between two that are in use on each side. */
interface Hole {
  readonly low: Range
  readonly free: Range
  readonly high: Range
}

/** What the memory in use holds. */
const KEPT = 0x42

/** A hole in one reservation, where parts can be freed, or else between two others. */
function holeOf({ os, unit }: Stage): Hole {
  const reserve = (units: number): Range => {
    const v = os.sysReserveOS(null, units * unit)
    claim(v !== null, `sysReserveOS refused ${units * unit} bytes, and the kernel refused nothing`)
    return [v, units * unit]
  }
  const cut = ([v]: Range): Hole => ({
    low: [v, 2 * unit],
    free: [v + 2 * unit, 10 * unit],
    high: [v + 12 * unit, 2 * unit],
  })
  const hole = os.traits.freesParts ? cut(reserve(14)) : { low: reserve(2), free: reserve(10), high: reserve(2) }
  for (const guard of [hole.low, hole.high]) {
    os.sysMapOS(...guard)
    os.sysUsedOS(...guard)
    fill(os, ...guard, KEPT)
  }
  os.sysFreeOS(...hole.free)
  return hole
}

/** What is freed a second time, as units from where the hole begins. The last ones reach into memory in use. */
const again: readonly (readonly [from: number, units: number])[] = [
  [0, 10],
  [0, 3],
  [4, 3],
  [8, 2],
  [9, 1],
  [1, 8],
  [-1, 12],
  [-2, 3],
  [8, 4],
  [-2, 14],
]

/** Takes ranges of several sizes. None may reach into another, or into memory in use. */
function claimApart({ os, unit }: Stage, used: readonly Range[], what: string): void {
  const taken: Range[] = [...used]
  for (const units of [3, 1, 4, 2, 10, 8, 1, 1]) {
    const n = units * unit
    const p = os.sysReserveOS(null, n)
    claim(p !== null, `sysReserveOS of ${n} bytes was refused after ${what}`)
    for (const [w, m] of taken)
      claim(
        p + n <= w || w + m <= p,
        `sysReserveOS handed out ${rangeText(p, n)}, and ${rangeText(w, m)} is in use, after ${what}`,
      )
    taken.push([p, n])
  }
  for (const guard of used) claimBytes(os, ...guard, KEPT, `memory in use, after ${what}`)
  for (const range of taken) os.sysFreeOS(...range)
}

/** What of a range lies outside another. */
function outside([v, n]: Range, [w, m]: Range): Range[] {
  const parts: Range[] = [
    [v, Math.min(v + n, w) - v],
    [Math.max(v, w + m), v + n - Math.max(v, w + m)],
  ]
  return parts.filter(([, left]) => left > 0)
}

function freedTwice(world: World): Verdict | undefined {
  // On a real kernel the addresses may be another thread's by then.
  if (world.play(({ witness }) => witness.setLimits === undefined)) return notRun('needs a simulated kernel')
  for (const [from, units] of again)
    world.play((stage) => {
      const { os, unit } = stage
      if (!os.traits.freesParts && (from < 0 || from + units > 10)) return
      const { low, free, high } = holeOf(stage)
      const range: Range = [free[0] + from * unit, units * unit]
      const what = `a free of ${rangeText(...range)}, of which ${rangeText(...free)} was free already`
      const error = thrownBy(() => os.sysFreeOS(...range))
      if (error !== null) claimOutcome(error, ['FatalError'], what)
      const isFreed = error === null && (os.refusal ?? null) === null
      os.refusal = null
      claimApart(stage, isFreed ? [low, high].flatMap((guard) => outside(guard, range)) : [low, high], what)
    })
  return undefined
}

/** Whether touches of the probed pages of a range fault: all of them, none of them, or some. */
function touchesOf({ witness, pageSize }: Stage, [v, n]: Range): string {
  const { probes } = placeIn(v, n, pageSize)
  const faulting = probes.filter((at) => witness.faults?.(v + at, 'read') === true).length
  return faulting === 0 ? 'no fault' : faulting === probes.length ? 'a fault' : 'a fault at some pages'
}

/** Frees a range of `n` bytes with another one above it, or none, and tells what a touch meets. */
function touchesAfter(world: World, n: number, isLast: boolean): string {
  return world.play((stage) => {
    const { os, unit } = stage
    const size = Math.ceil(n / unit) * unit
    const v = os.sysAllocOS(size)
    claim(v !== null, `sysAllocOS of ${size} bytes is refused`)
    const guard = isLast ? null : os.sysAllocOS(unit)
    os.sysFreeOS(v, size)
    const found = touchesOf(stage, [v, size])
    if (guard !== null) os.sysFreeOS(guard, unit)
    return found
  })
}

function sameTouches(world: World): Verdict | undefined {
  const sizes = world.play((stage) => {
    if (stage.witness.setLimits === undefined || stage.witness.faults === undefined)
      return notRun('needs a simulated kernel')
    return stage.os.traits.reservedTraps ? absent('free memory that can be touched') : thresholds(stage)
  })
  if (!Array.isArray(sizes)) return sizes
  for (const isLast of [true, false]) {
    const expected = touchesAfter(world, sizes[0] ?? NaN, isLast)
    const where = isLast ? 'at the end of memory' : 'below other memory'
    for (const n of sizes)
      same(touchesAfter(world, n, isLast), expected, `what a touch meets of ${n} bytes that were freed ${where}`)
  }
  return undefined
}

export const freeTwiceCases: readonly Definition[] = [
  {
    id: 'free/twice',
    title: 'sysFree: what is free already, or a part of it, is refused or left alone, and never handed out twice',
    show: freedTwice,
  },
  {
    id: 'free/touched',
    title: 'sysFree: where a touch of freed memory meets no fault, it meets none at any size',
    show: sameTouches,
  },
]
