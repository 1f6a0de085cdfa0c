// Views that code has kept when their memory is freed, where the engine keeps the buffer for them. Such a view reads
// zero and costs no memory, and what was not freed is as it was.
import { claim, rangeText, same } from '../claim.js'
import { absent, type Definition, type Verdict, type World } from '../definition.js'
import type { Stage } from '../stage.js'
import { placeIn, thresholds } from './place.js'

/** How often a page is freed. */
const TIMES = 2100

/** What the bytes hold before they are freed. */
const MARK = 7

/** Frees `n` bytes between two units, and then the units, while a view of all of them is kept. */
function claimKept(stage: Stage, n: number, times: string): void {
  const { memory, os, pageSize, unit, witness } = stage
  const size = Math.ceil(n / unit) * unit + 2 * unit
  const whole = memory.sysReserve(null, size)
  memory.sysMap(whole, size, null)
  memory.sysUsed(whole, size)
  const kept = memory.view(Uint8Array, whole, size)
  const offsets = placeIn(whole + unit, n, pageSize).probes.flatMap((at) => [unit + at, unit + at + pageSize - 1])
  const beside = [0, unit - 1, unit + n, size - 1]
  for (const at of [...offsets, ...beside]) kept[at] = MARK
  const claimAll = (places: readonly number[], expected: number, after: string): void => {
    for (const at of places)
      claim(
        kept[at] === expected,
        `${after}, offset ${at} of a kept view of ${size} bytes reads ${kept[at]}, expected ${expected}`,
      )
  }
  const range = rangeText(whole + unit, n)
  if (os.traits.freesParts) {
    memory.sysFree(whole + unit, n, null)
    // A read gives a page back to the view.
    if (os.traits.unusedReturnsMemory && witness.resident !== undefined)
      same(witness.resident(whole + unit, n), 0, `the resident bytes of ${range}, which was freed under a view`)
    claimAll(offsets, 0, `after sysFree of ${range} ${times}`)
    claimAll(beside, MARK, `after sysFree of ${range} ${times}`)
    memory.sysFree(whole, unit, null)
    memory.sysFree(whole + unit + n, size - unit - n, null)
  } else memory.sysFree(whole, size, null)
  claimAll([...offsets, ...beside], 0, `after sysFree of all of ${rangeText(whole, size)} ${times}`)
}

function keptViews(world: World): Verdict | undefined {
  return world.play((stage) => {
    const { os, pageSize, unit } = stage
    if (os.traits.ends !== 'zeroed') return absent('ends is not zeroed')
    for (let refusals = 0; refusals < 3; refusals++) {
      for (const n of thresholds(stage)) claimKept(stage, n, `after ${refusals} refusals`)
      // A backend without hints refuses this by itself.
      const p = os.traits.hints ? null : os.sysReserveOS(16 * unit, unit)
      if (p !== null) os.sysFreeOS(p, unit)
      os.refusal = null
    }
    for (let i = 1; i <= TIMES; i++) claimKept(stage, pageSize, `the ${i}th time`)
    return undefined
  })
}

export const keptViewCases: readonly Definition[] = [
  {
    id: 'free/kept-view',
    title: 'sysFree: a view that code has kept reads zero and costs no memory, if the trait ends says zeroed',
    show: keptViews,
  },
]
