// What the kernel promises to the backend: Windows' commit charge, Linux' committed memory, swap space on Solaris.
// Another program gets no more of it, whether the pages are touched or not.
import { claim, claimOutcome, rangeText, same, thrownBy } from '../claim.js'
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import type { Stage } from '../stage.js'
import { ownedBytes } from './account.js'
import { claimMarks, markAll, placeIn } from './place.js'
import { ready } from './transitions.js'

/** Why a case does not run without a witness of charges. */
const NO_WITNESS = 'needs a witness that tells what the kernel has promised'

/** Ways to reserve `n` bytes. `taken` is the address of memory that is in use. */
const ways: Readonly<Record<string, (stage: Stage, n: number, taken: number) => readonly [v: number, n: number]>> = {
  sysReserve: ({ memory }, n) => [memory.sysReserve(null, n), n],
  'sysReserve with a hint at free addresses': ({ memory }, n) => {
    const v = memory.sysReserve(null, n)
    memory.sysFree(v, n, null)
    return [memory.sysReserve(v, n), n]
  },
  'sysReserve with a hint at memory in use': ({ memory }, n, taken) => [memory.sysReserve(taken, n), n],
  sysReserveAligned: ({ memory, unit }, n) => {
    const { address, size } = memory.sysReserveAligned(null, n, 16 * unit)
    return [address, size]
  },
}

function reserved(world: World): Verdict | undefined {
  return world.play((stage) => {
    const { memory, os, unit, witness } = stage
    if (!os.traits.reservedTraps) return absent('reservedTraps')
    if (witness.charged === undefined) return notRun(NO_WITNESS)
    const taken = ready(stage, 4, 1)
    for (const n of [unit, 3 * unit, 64 * unit, 2 ** 30 + unit]) {
      for (const [way, reserve] of Object.entries(ways)) {
        const before = witness.charged()
        let range: readonly [v: number, n: number] = [NaN, NaN]
        const error = thrownBy(() => (range = reserve(stage, n, taken)))
        // A backend without hints may refuse one.
        if (error !== null) claimOutcome(error, ['OutOfMemoryError'], `${way} of ${n} bytes`)
        const more = witness.charged() - before
        claim(more === 0, `after ${way}, the kernel has promised ${more} bytes more for ${n} bytes of addresses`)
        if (error === null) memory.sysFree(...range, null)
        same(witness.charged(), before, `the bytes that the kernel has promised after ${way} and sysFree`)
      }
    }
    return undefined
  })
}

/** Fails if the kernel has promised more than the owned memory may cost, of which `returned` bytes were given back. */
function claimCharge({ memory, os, witness }: Stage, before: number, returned: number, after: string): void {
  const { ready: inUse, prepared } = memory.stats().total
  // What traps needs no promise.
  const most = inUse + prepared - (os.traits.unusedTraps ? returned : 0)
  const found = (witness.charged?.() ?? NaN) - before
  claim(found >= 0 && found <= most, `after ${after}, the kernel has promised ${found} bytes, expected 0 to ${most}`)
}

/** The life of a reservation of `n` bytes whose middle is used. */
function playCharged(stage: Stage, n: number): void {
  const { memory, os, unit, witness } = stage
  const start = witness.charged?.() ?? NaN
  const v = memory.sysReserve(null, n + 2 * unit)
  const middle = v + unit
  const half = Math.max(Math.floor(n / unit / 2) * unit, unit)
  const step = (op: string, run: () => unknown, returned = 0): void => {
    run()
    claimCharge(stage, start, returned, `${op} within ${rangeText(v, n + 2 * unit)}`)
  }
  step('sysMap', () => memory.sysMap(middle, n, null))
  step('sysUsed', () => memory.sysUsed(middle, n))
  step('sysHugePage', () => memory.sysHugePage(middle, n))
  step('sysUnused', () => memory.sysUnused(middle, half), half)
  step('sysUsed of a half', () => memory.sysUsed(middle, n))
  step('sysUsed of what is Ready', () => memory.sysUsed(middle, n))
  step('sysFault', () => memory.sysFault(middle, half))
  step('sysMap after sysFault', () => memory.sysMap(middle, half, null))
  step('sysUsed after sysFault', () => memory.sysUsed(middle, half))
  if (os.traits.freesParts) {
    step('sysFree of a part', () => memory.sysFree(middle, half, null))
    memory.sysFree(v, unit, null)
    memory.sysFree(middle + half, n + unit - half, null)
  } else memory.sysFree(v, n + 2 * unit, null)
  same(witness.charged?.(), start, `the bytes that the kernel has promised after ${rangeText(v, n)} is freed`)
  const w = memory.sysAlloc(n, null)
  claimCharge(stage, start, 0, `sysAlloc of ${n} bytes`)
  memory.sysFree(w, n, null)
  same(witness.charged?.(), start, `the bytes that the kernel has promised after sysAlloc and sysFree of ${n} bytes`)
}

function charged(world: World): Verdict | undefined {
  return world.play((stage) => {
    if (!stage.os.traits.reservedTraps) return absent('reservedTraps')
    if (stage.witness.charged === undefined) return notRun(NO_WITNESS)
    for (const n of [1, 2, 17, 64, 513]) playCharged(stage, n * stage.unit)
    for (let times = 0; times < 100; times++) playCharged(stage, 2 * stage.unit)
    return undefined
  })
}

/** Sizes of more memory than a machine has, in less address space than a kernel gives, the largest first. */
const tooMuch = [46, 44, 42, 40, 38, 36].map((bits) => 2 ** bits)

/** Maps and uses more than the kernel can promise; null: it promises that much, or has no such addresses. */
function claimExhausted(stage: Stage, n: number): Verdict | null {
  const { memory, unit, pageSize } = stage
  let v = NaN
  if (thrownBy(() => (v = memory.sysReserve(null, n))) !== null) return null
  const owned = ownedBytes(memory)
  let op = 'sysMap'
  const error = thrownBy(() => {
    memory.sysMap(v, n, null)
    op = 'sysUsed'
    memory.sysUsed(v, n)
  })
  if (error !== null) {
    claimOutcome(error, ['OutOfMemoryError'], `${op} of ${rangeText(v, n)}, more than the kernel can promise`)
    same(ownedBytes(memory), owned, `the owned bytes after a refused ${op} of ${rangeText(v, n)}`)
    if (op === 'sysMap') memory.sysMap(v, unit, null)
    memory.sysUsed(v, unit)
    const place = placeIn(v, unit, pageSize)
    markAll(stage, place, 4)
    claimMarks(stage, place, [4], `a refused ${op} and one of its first unit`)
  }
  memory.sysFree(v, n, null)
  return error === null ? null : { status: 'pass' }
}

/** The backend itself, where core does not ask for room before. Core makes an OutOfMemoryError of its words. */
function claimSaid({ os }: Stage, n: number): void {
  const v = os.sysReserveOS(null, n)
  if (v !== null) {
    let op = 'sysMapOS'
    const error = thrownBy(() => {
      os.sysMapOS(v, n)
      op = 'sysUsedOS'
      os.sysUsedOS(v, n)
    })
    const what = `${op} of ${rangeText(v, n)}, more than the kernel can promise`
    if (error !== null) {
      claimOutcome(error, ['FatalError'], what)
      const { message } = error as Error
      claim(message.startsWith('out of memory'), `the error of ${what} says: ${message}, expected "out of memory"`)
    }
    os.sysFreeOS(v, n)
  }
  os.refusal = null
}

function exhausted(world: World): Verdict | undefined {
  return world.play((stage) => {
    const { memory, os, unit, pageSize } = stage
    if (!os.traits.reservedTraps) return absent('reservedTraps')
    const kept = placeIn(ready(stage, 4, 0), 4 * unit, pageSize)
    markAll(stage, kept, 3)
    for (const n of tooMuch) {
      claimSaid(stage, n)
      const verdict = claimExhausted(stage, n)
      const error = thrownBy(() => memory.sysFree(memory.sysAlloc(n, null), n, null))
      if (error !== null) claimOutcome(error, ['OutOfMemoryError'], `sysAlloc of ${n} bytes`)
      claimMarks(stage, kept, [3], `a request for ${n} bytes elsewhere`)
      if (verdict !== null) return undefined
    }
    return notRun('this kernel promises as much as it is asked for')
  })
}

export const chargeCases: readonly Definition[] = [
  {
    id: 'charge/reserved',
    title: 'sysReserve: the kernel promises no memory for address space alone, however it is had',
    show: reserved,
  },
  {
    id: 'charge/life',
    title: 'the kernel promises no more than what is Ready or Prepared, and nothing once all is freed',
    show: charged,
  },
  {
    id: 'charge/exhausted',
    title: 'sysMap and sysUsed: what the kernel cannot promise is an OutOfMemoryError, and changes nothing',
    show: exhausted,
  },
]
