// Traits held against the kernel the other way: what a backend denies is really not there. A backend that denies more
// on purpose says so with a reason, in its subject's `skip`.
import { withBytes } from '../bytes.js'
import { claim, same, thrownBy } from '../claim.js'
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import type { Stage } from '../stage.js'
import { placeOf, open, markAll, claimPlace } from './place.js'
import { ready } from './transitions.js'

function hints(world: World): Verdict | undefined {
  return world.play(({ os, unit }) => {
    if (os.traits.hints) return undefined
    let honoured = 0
    for (let i = 0; i < 4; i++) {
      const v = os.sysReserveOS(null, 8 * unit)
      const guard = os.sysReserveOS(null, unit)
      if (v === null || guard === null) return notRun('the kernel has no memory to spare')
      os.sysFreeOS(v, 8 * unit)
      const p = os.sysReserveOS(v + unit, 2 * unit)
      if (p === v + unit) honoured += 1
      if (p !== null) os.sysFreeOS(p, 2 * unit)
      os.sysFreeOS(guard, unit)
      if (os.refusal) os.refusal = null
    }
    claim(honoured < 4, 'the trait hints is false, but sysReserve honored four hints at free addresses')
    return absent('hints')
  })
}

function parts(world: World): Verdict | undefined {
  return world.play(({ os, unit, witness }) => {
    if (os.traits.freesParts) return undefined
    if (witness.held === undefined) return notRun('needs a witness that tells what the kernel holds')
    const v = os.sysReserveOS(null, 4 * unit)
    if (v === null) return notRun('the kernel has no memory to spare')
    void thrownBy(() => os.sysFreeOS(v + 2 * unit, 2 * unit))
    const left = [witness.held(v, 2 * unit), witness.held(v + 2 * unit, 2 * unit)]
    if (os.refusal) os.refusal = null
    os.sysFreeOS(v, left[1] === 0 ? 2 * unit : 4 * unit)
    claim(
      left[0] !== 2 * unit || left[1] !== 0,
      'the trait freesParts is false, but sysFree freed half of a reservation',
    )
    return absent('freesParts')
  })
}

function contents(world: World): Verdict | undefined {
  return world.play((stage) => {
    const { memory, os, unit, pageSize } = stage
    if (os.traits.unusedDropsContents) return undefined
    const v = ready(stage, 16, 3)
    let kept = 0
    for (let i = 0; i < 16; i++) {
      memory.sysUnused(v + i * unit, unit)
      memory.sysUsed(v + i * unit, unit)
      kept += withBytes(os, v + i * unit, pageSize, ([first]) => (first === 0 ? 0 : 1))
    }
    claim(kept > 0, 'the trait unusedDropsContents is false, but 16 ranges read zero after sysUnused and sysUsed')
    return absent('unusedDropsContents')
  })
}

function sizes(world: World): Verdict | undefined {
  const kernel: { readonly pageSize?: unknown; readonly hugePageSize?: unknown } | undefined = world.subject.kernel?.({
    seed: world.seed,
  })
  return world.play(({ os, unit, pageSize }) => {
    const { granularity } = os.traits
    // Of one, two and three units: ranges of one size may all lie at twice the granularity.
    const sizeOf = (i: number): number => (1 + (i % 3)) * unit
    const starts = Array.from({ length: 16 }, (_, i) => os.sysReserveOS(null, sizeOf(i)))
    const odd = starts.filter((v) => v !== null && v % (2 * granularity) !== 0).length
    for (const [i, v] of starts.entries()) if (v !== null) os.sysFreeOS(v, sizeOf(i))
    for (const v of starts)
      claim(v === null || v % granularity === 0, `the granularity is ${granularity}, but memory was reserved at ${v}`)
    claim(odd > 0, `the granularity is ${granularity}, but 16 reservations begin at multiples of ${2 * granularity}`)
    if (typeof kernel?.pageSize === 'number')
      same(pageSize, kernel.pageSize, 'the trait pageSize, as the kernel tells it')
    const huge = kernel?.hugePageSize
    // A backend need not serve the huge pages that its kernel has, but then it says that there are none.
    if (typeof huge === 'number') same(os.traits.hugePageSize, huge, 'the trait hugePageSize, as the kernel tells it')
    return undefined
  })
}

/** Hints at free addresses, small and large. */
function hintSizes(world: World): Verdict | undefined {
  return world.play(({ memory, os, unit, pageSize }: Stage) => {
    if (!os.traits.hints) return absent('hints')
    for (const n of [pageSize, unit, 2 * unit, 65 * unit, 2 ** 20 + unit, 2 ** 24 + unit]) {
      const around = Math.ceil(n / unit) * unit + 2 * unit
      const v = memory.sysReserve(null, around)
      memory.sysFree(v, around, null)
      const p = memory.sysReserve(v + unit, n)
      same(p, v + unit, `the address of a hint for ${n} bytes, at a range that was just freed`)
      memory.sysFree(p, n, null)
    }
    return undefined
  })
}

function hintTaken(world: World): Verdict | undefined {
  return world.play((stage) => {
    const { memory, os, unit } = stage
    if (!os.traits.hints) return absent('hints')
    const v = ready(stage, 8, 4)
    for (const n of [unit, 4 * unit, 65 * unit]) {
      const error = thrownBy(() => memory.sysReserve(v + unit, n))
      same(error, null, `the error of a hint for ${n} bytes at owned memory, where other addresses are free`)
    }
    return undefined
  })
}

function placed(world: World): Verdict | undefined {
  return world.play((stage) => {
    const { memory, os, unit } = stage
    if (!os.traits.hints) return absent('hints')
    // A life at an address that was asked for.
    const v = memory.sysReserve(null, 12 * unit)
    memory.sysFree(v, 12 * unit, null)
    const place = placeOf(stage, 4 * unit, v + unit)
    same(place.whole, v + unit, 'the address of a hint at a range that was just freed')
    open(stage, place)
    markAll(stage, place, 1)
    claimPlace(stage, place, [1], 'a hint')
    return undefined
  })
}

export const modestCases: readonly Definition[] = [
  { id: 'traits/hints', title: 'hints is false only where the kernel honors no hint', show: hints },
  {
    id: 'traits/frees-parts',
    title: 'freesParts is false only where a part of a reservation can’t be freed',
    show: parts,
  },
  { id: 'traits/drops-contents', title: 'unusedDropsContents is false only where old bytes come back', show: contents },
  { id: 'traits/sizes', title: 'pages, huge pages and granularity are those of the kernel', show: sizes },
  {
    id: 'hints/sizes',
    title: 'sysReserve: honors a hint at free addresses for any size, if the trait says so',
    show: hintSizes,
  },
  {
    id: 'hints/taken',
    title: 'sysReserve: goes elsewhere where the hint is at owned memory, if the trait says so',
    show: hintTaken,
  },
  { id: 'hints/placed', title: 'sysReserve: memory at a hint is like other memory', show: placed },
]
