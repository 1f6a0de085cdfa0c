// What the kernel has promised after each way in which a range ends, whatever was done with it before. And whether all
// memory that can be touched is promised: a form of a call that spares the promise gives pages that end the process.
import type { OS } from '@memlayer/core'
import type { Address } from '@memlayer/kernel'
import { withBytes } from '../bytes.js'
import { claim, rangeText, same, thrownBy } from '../claim.js'
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import type { Stage } from '../stage.js'

/** Why a case does not run without a witness of charges. */
const NO_WITNESS = 'needs a witness that tells what the kernel has promised'

/** Larger than any memory of a kernel that promises only what it has. */
const sizeMax = 2 ** 40

/** What a life does to a range [v, v+n). */
type Step = (stage: Stage, v: Address, n: number) => void

const map: Step = ({ os }, v, n) => os.sysMapOS(v, n)
const use: Step = ({ os }, v, n) => os.sysUsedOS(v, n)
const touch: Step = ({ os, pageSize }, v, n) => {
  for (const at of [v, v + n - pageSize]) withBytes(os, at, pageSize, (bytes) => bytes.fill(1))
}
const unuse: Step = ({ os }, v, n) => os.sysUnusedOS(v, n)
const fault: Step = ({ os }, v, n) => os.sysFaultOS(v, n)
const retire: Step = ({ os }, v, n) => void os.sysRetireOS?.(v, n, true)
const retireUnmapped: Step = ({ os }, v, n) => void os.sysRetireOS?.(v, n, false)
const advise: Step = ({ os }, v, n) => os.sysHugePageOS(v, n)
const half =
  (step: Step, second = false): Step =>
  (stage, v, n) =>
    step(stage, second ? v + n / 2 : v, n / 2)

/** The lives of a range before it ends, from Reserved on. */
const lives: Readonly<Record<string, readonly Step[]>> = {
  Reserved: [],
  Prepared: [map],
  'Ready and untouched': [map, use],
  Ready: [map, use, touch],
  'Ready, with the advice for huge pages': [map, use, advise, touch],
  'Ready and given back': [map, use, touch, unuse],
  'Ready, given back in part': [map, use, touch, half(unuse)],
  'Ready, given back and used again': [map, use, touch, unuse, use, touch],
  'Ready in part': [half(map, true), half(use, true), half(touch, true)],
  'Ready and faulted': [map, use, touch, fault],
  'Ready, faulted in part': [map, use, touch, half(fault)],
  'Ready, faulted and mapped again': [map, use, touch, fault, map, use, touch],
}

/** The ways in which a range ends. */
const ends: Readonly<Record<string, readonly Step[]>> = {
  sysFaultOS: [fault],
  'sysFaultOS, twice': [fault, fault],
  'sysUnusedOS and sysFaultOS': [unuse, fault],
  sysRetireOS: [retire],
  'sysRetireOS, not mapped': [retireUnmapped],
  'sysRetireOS and sysFaultOS': [retire, fault],
}

/** Whether a backend may end a life in such a way: what is Reserved is neither given back nor mapped. */
function isAllowed(life: string, end: readonly Step[]): boolean {
  const isReserved = life === 'Reserved' || life === 'Ready in part' || life.includes('faulted')
  return !isReserved || life.endsWith('again') || !(end.includes(unuse) || end.includes(retire))
}

/** Runs `steps`. False: a step was refused. */
function run(stage: Stage, steps: readonly Step[], v: Address, n: number): boolean {
  stage.os.refusal = null
  const error = thrownBy(() => {
    for (const step of steps) step(stage, v, n)
  })
  const isDone = error === null && !stage.os.refusal
  stage.os.refusal = null
  return isDone
}

/** The largest power of two of units that sysAllocOS gives; null: it gives as much as it is asked for, or nothing. */
function largestAlloc({ os, unit }: Stage): number | null {
  for (let n = unit; n <= sizeMax; n *= 2) {
    const v = os.sysAllocOS(n)
    os.refusal = null
    if (v === null) return n > unit ? n / 2 : null
    os.sysFreeOS(v, n)
  }
  return null
}

/** Whether the kernel bounds what it promises in all. Linux bounds each range by default, and not their sum. */
function boundsSum(stage: Stage): boolean {
  const { os } = stage
  const n = largestAlloc(stage)
  const v = n === null ? null : os.sysAllocOS(n)
  if (n === null || v === null) return false
  const w = os.sysAllocOS(n)
  os.refusal = null
  if (w !== null) os.sysFreeOS(w, n)
  os.sysFreeOS(v, n)
  return w === null
}

/**
 * Returns how much of a retired range of `n` bytes may be promised, where `alive` bytes were before. It can be touched,
 * so the quarantine has a bound where it counts to a limit. Without a bound it costs no more than it did, and nothing
 * where the sum of all ranges is bounded.
 */
function mostRetired(stage: Stage): (n: number, alive: number) => number {
  if (stage.os.quarantine?.writable !== Infinity) return (n) => n
  return boundsSum(stage) ? () => 0 : (_, alive) => alive
}

/** Fails if a range that ended costs more than it may. */
function claimEnded(stage: Stage, life: string, end: string, n: number, most: (alive: number) => number): void {
  const { os, witness } = stage
  const before = witness.charged?.() ?? NaN
  const v = os.sysReserveOS(null, n)
  claim(v !== null, `sysReserveOS of ${n} bytes is refused`)
  const steps = ends[end] ?? []
  const isAlive = run(stage, lives[life] ?? [], v, n)
  const alive = (witness.charged?.() ?? NaN) - before
  const isDone = isAlive && run(stage, steps, v, n)
  const more = (witness.charged?.() ?? NaN) - before
  const what = `${rangeText(v, n)}, which was ${life}, after ${end}`
  const isRetired = steps.at(-1) === retire || steps.at(-1) === retireUnmapped
  const allowed = isRetired ? most(alive) : 0
  claim(
    !isDone || (more >= 0 && more <= allowed),
    `the kernel has promised ${more} bytes for ${what}, at most ${allowed}`,
  )
  os.sysFreeOS(v, n)
  same(witness.charged?.(), before, `the bytes that the kernel has promised for ${what} and sysFreeOS`)
}

function ended(world: World): Verdict | undefined {
  return world.play((stage) => {
    const { os, unit, witness } = stage
    if (!os.traits.reservedTraps) return absent('reservedTraps')
    if (witness.charged === undefined) return notRun(NO_WITNESS)
    const huge = os.traits.hugePageSize
    const most = mostRetired(stage)
    for (const n of [2 * unit, 32 * unit, ...(huge === 0 ? [] : [2 * huge])])
      for (const life of Object.keys(lives))
        for (const [end, steps] of Object.entries(ends)) {
          const isRetired = steps.includes(retire) || steps.includes(retireUnmapped)
          if ((os.sysRetireOS === undefined && isRetired) || !isAllowed(life, steps)) continue
          claimEnded(stage, life, end, n, (alive) => most(n, alive))
        }
    return undefined
  })
}

/** Ways to have Ready memory of `n` bytes; null: refused. */
const ready: Readonly<Record<string, (stage: Stage, n: number) => Address | null>> = {
  sysAllocOS: ({ os }, n) => os.sysAllocOS(n),
  'sysMapOS and sysUsedOS': (stage, n) => mapped(stage, n, (v) => [map(stage, v, n), use(stage, v, n)]),
  'sysMapOS and sysUsedOS after sysFaultOS': (stage, n) =>
    mapped(stage, n, (v) => {
      for (const step of [map, use, touch, fault, map, use]) step(stage, v, n)
    }),
  'sysUsedOS after sysUnusedOS': (stage, n) =>
    mapped(stage, n, (v) => {
      for (const step of [map, use, touch, unuse, use]) step(stage, v, n)
    }),
}

/** A reservation that `play` makes Ready; null: refused. */
function mapped({ os }: Stage, n: number, play: (v: Address) => unknown): Address | null {
  const v = os.sysReserveOS(null, n)
  if (v === null || thrownBy(() => play(v)) === null) return v
  os.sysFreeOS(v, n)
  return null
}

/** Has Ready memory by `way`, and fails unless the kernel has promised all of it. Null: refused. */
function claimWhole(stage: Stage, way: string, n: number): Address | null {
  const { os, witness } = stage
  const before = witness.charged?.() ?? NaN
  const v = ready[way]?.(stage, n) ?? null
  os.refusal = null
  const more = (witness.charged?.() ?? NaN) - before
  const what = v === null ? `a refused ${way} of ${n} bytes` : `${way} of ${rangeText(v, n)}`
  same(more, v === null ? 0 : n, `the bytes that the kernel has promised for ${what}`)
  return v
}

/** A kernel that grants so many ranges of one size bounds each, and not their sum. */
const rangesMax = 24

/** The largest Ready range that can be had, within a half; null: the kernel bounds none. */
function largest(stage: Stage, way: string): number | null {
  for (let n = stage.unit; n <= sizeMax; n *= 2) {
    const v = claimWhole(stage, way, n)
    if (v === null) return n > stage.unit ? n / 2 : null
    stage.os.sysFreeOS(v, n)
  }
  return null
}

/** Takes ever smaller ranges until nothing is left, and fails unless the kernel has promised each. */
function claimCrowded(stage: Stage, way: string, most: number): void {
  const { os, unit } = stage
  const taken: [v: Address, n: number][] = []
  for (let n = most; n >= unit; n /= 2) {
    for (let count = 0; count < rangesMax; count++) {
      const v = claimWhole(stage, way, n)
      if (v === null) break
      taken.push([v, n])
    }
  }
  for (const [v, n] of taken) os.sysFreeOS(v, n)
}

function whole(world: World): Verdict | undefined {
  return world.play((stage) => {
    const { os, unit, witness } = stage
    if (!os.traits.reservedTraps) return absent('reservedTraps')
    if (witness.charged === undefined) return notRun(NO_WITNESS)
    const before = witness.charged()
    const v = os.sysAllocOS(unit) ?? NaN
    const more = witness.charged() - before
    os.sysFreeOS(v, unit)
    if (more === 0) return notRun('this kernel promises no memory')
    for (const way of Object.keys(ready)) {
      const most = largest(stage, way)
      if (most === null) continue
      claimCrowded(stage, way, most)
      same(witness.charged(), before, `the bytes that the kernel has promised after ${way} and sysFreeOS`)
      // Once more, after refusals.
      same(largest(stage, way), most, `the most bytes that ${way} gives after it was refused`)
    }
    return undefined
  })
}

/** What the second round needs: how a range of `n` bytes that is Ready ends, so that it costs nothing. */
const endings: Readonly<Record<string, (os: OS, n: number) => readonly Step[] | null>> = {
  sysFreeOS: () => [],
  sysFaultOS: () => [fault],
  sysUnusedOS: ({ traits }) => (traits.unusedTraps ? [unuse] : null),
  sysRetireOS: (os, n) => (retires(os, n) ? [retire] : null),
  'sysRetireOS, not mapped': (os, n) => (retires(os, n) ? [retireUnmapped] : null),
  'sysRetireOS, twice': (os, n) => (retires(os, n) ? [retire, retire] : null),
  'sysFaultOS and sysRetireOS': (os, n) => (retires(os, n) ? [fault, retireUnmapped] : null),
  'sysUnusedOS and sysFaultOS': () => [unuse, fault],
}

/** Core retires no more than the quarantine has room for. */
function retires({ quarantine, sysRetireOS }: OS, n: number): boolean {
  return sysRetireOS !== undefined && Math.min(quarantine?.space ?? 0, quarantine?.writable ?? 0) >= n
}

/** More than half of what can be had is taken, ended, and taken again. */
function secondRound(world: World): Verdict | undefined {
  return world.play((stage) => {
    const { os, witness } = stage
    if (!os.traits.reservedTraps) return absent('reservedTraps')
    if (witness.charged === undefined) return notRun(NO_WITNESS)
    const n = largestAlloc(stage)
    if (n === null) return notRun('this kernel promises as much as it is asked for')
    for (const [end, stepsOf] of Object.entries(endings)) {
      const steps = stepsOf(os, n)
      const v = steps === null ? null : os.sysAllocOS(n)
      if (v === null || steps === null) continue
      touch(stage, v, n)
      const isDone = run(stage, steps, v, n)
      if (end === 'sysFreeOS') os.sysFreeOS(v, n)
      const w = os.sysAllocOS(n)
      claim(
        w !== null || !isDone,
        `sysAllocOS of another ${n} bytes is refused after ${end} of ${rangeText(v, n)}: that is still charged`,
      )
      os.refusal = null
      if (w !== null) os.sysFreeOS(w, n)
      if (end !== 'sysFreeOS') os.sysFreeOS(v, n)
    }
    return undefined
  })
}

export const promisedCases: readonly Definition[] = [
  {
    id: 'charge/ended',
    title:
      'sysFault, sysRetire and sysFree: the kernel promises nothing for a range that ended, whatever it was before',
    show: ended,
  },
  {
    id: 'charge/whole',
    title: 'sysAlloc, sysMap and sysUsed: the kernel promises all of what is Ready, to the last unit that it has',
    show: whole,
  },
  {
    id: 'charge/second-round',
    title: 'sysFault, sysRetire and sysFree: what most of the memory was, another range can be',
    show: secondRound,
  },
]
